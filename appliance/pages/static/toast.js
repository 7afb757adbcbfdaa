/** A short message at the top of the page, where no button of a card is; the newest replaces the last. */
import {el} from "./dom.js";

const TOAST_MS = 9000;

/** @param {string} text @param {boolean} good */
export function toast(text, good) {
  const line = el("div", {class: `toast ${good ? "toast-good" : "toast-bad"}`}, text);
  document.getElementById("toasts")?.replaceChildren(line);
  setTimeout(() => line.remove(), TOAST_MS);
}
