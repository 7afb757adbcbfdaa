/** Lets the page be installed and open without the network. Where the browser does not allow it, nothing changes. */

/** The one script that may become a worker; every other address is refused (Trusted Types). */
const WORKER = "/worker.js";

/** @typedef {{createPolicy: (name: string, rules: {createScriptURL: (url: string) => string}) => {createScriptURL: (url: string) => string}}} Factory */

/** What was loaded before there was a worker passes it once more, so that the next visit needs no network. */
async function askAgain() {
  await navigator.serviceWorker.ready;
  const loaded = performance.getEntriesByType("resource").map(({name}) => name).filter((name) => name.startsWith(location.origin));
  await Promise.all([location.pathname, ...loaded].map((name) => fetch(name, {cache: "no-cache"})));
}

export async function keepShell() {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  const factory = /** @type {{trustedTypes?: Factory}} */ (/** @type {unknown} */ (globalThis)).trustedTypes;
  const policy = factory?.createPolicy("leftfield", {
    createScriptURL: (url) => {
      if (url !== WORKER) throw new TypeError(`${url} is no worker of ours`);
      return url;
    },
  });
  try {
    const first = !navigator.serviceWorker.controller;
    await navigator.serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER);
    if (first) await askAgain();
  } catch (error) {
    // A page that is asked for under a certificate nobody here knows may not have one.
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
  }
}
