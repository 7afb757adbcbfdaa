/** Which of the booth's four languages a page speaks: the one chosen here, else the booth's, else the reader's first. */
import {el} from "./dom.js";

/** The languages and what each calls itself. @type {Readonly<Record<string, string>>} */
export const LANGUAGES = Object.freeze({en: "English", es: "Español", fr: "Français", zh: "中文"});
const KEY = "leftfield.language";
/** What the booth spoke when this device last heard of it. */
const BOOTH_KEY = "leftfield.booth-language";

/** The language to speak now: `en`, `es`, `fr` or `zh`. */
export function language() {
  const wanted = [localStorage.getItem(KEY) ?? "", localStorage.getItem(BOOTH_KEY) ?? "", ...navigator.languages];
  return wanted.map((one) => one.toLowerCase().split("-")[0]).find((one) => Object.hasOwn(LANGUAGES, one)) ?? "en";
}

/** The booth speaks this language; true where the page should from now on speak another one. @param {string} told */
export function boothSpeaks(told) {
  if (!Object.hasOwn(LANGUAGES, told) || localStorage.getItem(BOOTH_KEY) === told) return false;
  const before = language();
  localStorage.setItem(BOOTH_KEY, told);
  return language() !== before;
}

/** Speak this language from now on, on this device. @param {string} chosen */
export const choose = (chosen) => localStorage.setItem(KEY, chosen);

/** A list to choose from. @param {string} label @param {() => void} changed @returns {HTMLSelectElement} */
export function chooser(label, changed) {
  const now = language();
  const list = el("select", {class: "languages", id: "language", "aria-label": label}, ...Object.entries(LANGUAGES).map(([value, name]) => el("option", {value, lang: value, selected: value === now}, name)));
  list.addEventListener("change", () => {
    choose(list.value);
    changed();
  });
  return list;
}
