/**
 * The service worker: keeps the tablet's empty page, so that it opens without the network and says that there is none.
 *
 * Invariants:
 *  - Only the paths of SHELL are kept: pages, scripts, styles, vocabulary. What the booth says comes over its own link
 *    and never passes here; an alert cannot be kept.
 *  - The network comes first: a new version is there at once.
 */

const CACHE = "leftfield-shell-1";
const SHELL = /^\/(tablet|booth\.json|vocabulary\.json|tablet\.webmanifest|static\/[a-z_]+\.(js|css|svg))$/;

/** @typedef {{waitUntil: (done: Promise<unknown>) => void, request: Request, respondWith: (answer: Promise<Response>) => void}} WorkerEvent */
/** @typedef {{addEventListener: (what: string, act: (event: WorkerEvent) => void) => void, skipWaiting: () => Promise<void>, clients: {claim: () => Promise<void>}}} ShellWorker */
const worker = /** @type {ShellWorker} */ (/** @type {unknown} */ (self));

worker.addEventListener("install", () => void worker.skipWaiting());
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const {pathname, origin} = new URL(event.request.url);
  if (event.request.method === "GET" && origin === location.origin && SHELL.test(pathname)) event.respondWith(answer(event.request));
});

/** From the network, and kept; else as it was kept. @param {Request} request @returns {Promise<Response>} */
async function answer(request) {
  const kept = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await kept.put(request.url, response.clone());
    return response;
  } catch (error) {
    const before = await kept.match(request.url);
    if (before) return before;
    throw error;
  }
}
