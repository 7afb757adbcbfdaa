/**
 * Who this device is: name and password from the link's fragment, which no server ever sees.
 *
 * Invariants:
 *  - The password leaves the address bar at once: a photograph of the screen must not hold it.
 *  - It lasts until somebody signs out here or the lead removes the tablet, closed tabs included. A window that was
 *    opened with another link stays what it is; a big screen and a tablet in one browser do not mix.
 */

const KEY = location.pathname === "/room" ? "leftfield.room-session" : "leftfield.session";
const FORM = /^([a-z][a-z0-9-]{0,23}):(.{1,200})$/;

/** @typedef {{tablet: string, password: string}} Session */

/** @param {string} text @returns {Session | null} */
export function parseSession(text) {
  let plain;
  try {
    plain = decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
  const parts = FORM.exec(plain);
  return parts && {tablet: parts[1], password: parts[2]};
}

/** The session of the link that was opened, else of this window, else the last of this device. @returns {Session | null} */
export function readSession() {
  const given = location.hash.slice(1);
  if (parseSession(given)) {
    sessionStorage.setItem(KEY, given);
    localStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return parseSession(sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "");
}

/** Nobody is signed in on this device any longer. */
export function signOut() {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}
