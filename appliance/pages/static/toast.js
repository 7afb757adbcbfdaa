/** What the page says by itself: a short message at its top, or one message in its place. */
import {el} from "./dom.js";

const TOAST_MS = 9000;

/** A short message where no button of a card is; the newest replaces the last. @param {string} text @param {boolean} good */
export function toast(text, good) {
  const line = el("div", {class: `toast ${good ? "toast-good" : "toast-bad"}`}, text);
  document.getElementById("toasts")?.replaceChildren(line);
  setTimeout(() => line.remove(), TOAST_MS);
}

/** @param {string} id @returns {HTMLElement} */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** One message instead of the page; without arguments the page comes back. @param {string} [title] @param {string} [more] @param {string} [button] @param {() => void} [act] */
export function notice(title, more, button, act) {
  const shown = title !== undefined;
  place("notice").hidden = !shown;
  place("page").hidden = shown;
  place("notice").replaceChildren(...(shown
    ? [el("div", {class: "notice-box"}, el("h1", {}, title), el("p", {}, more ?? ""), button && act ? el("button", {type: "button", class: "button button-main", click: act}, button) : null)]
    : []));
}
