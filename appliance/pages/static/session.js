/**
 * Who this tablet is: name and password from the link's fragment, which no server ever sees.
 *
 * Law: the password leaves the address bar at once (a photograph of the screen must not hold it) and lives as long as
 * this window, reloads included.
 */

const KEY = "leftfield.session";
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

/** The session of the link that was opened, or else of this window before its reload. @returns {Session | null} */
export function readSession() {
  const given = location.hash.slice(1);
  if (parseSession(given)) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return parseSession(sessionStorage.getItem(KEY) ?? "");
}
