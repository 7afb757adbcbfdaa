/**
 * What is worn, in words of the language that the page speaks; the hub's own grammar on the hub's own words.
 *
 * Invariant: a sentence here is the one that the hub would say in this language (a test compares them all).
 */
import {OUTFIT_WORDS} from "./outfit_words.js";

/** @typedef {Readonly<Record<string, string>>} Look */
/** @typedef {import("./outfit_words.js").Garment} Garment */

const COLOURS = new Set(["black", "grey", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink", "beige"]);
/** Levels that say only that something is not there. */
const ABSENT = new Set(["top.accent none", "bottom.accent none", "top.pattern plain", "bottom.pattern plain", "outer none", "one_piece no", "bag no"]);

const ARMS = new Set(["sleeves", "outer"]);

/** @param {readonly string[]} pieces @param {string} last */
const joined = (pieces, last) => (pieces.length < 2 ? pieces.join("") : `${pieces.slice(0, -1).join(", ")} ${last} ${pieces[pieces.length - 1]}`);

/** @param {...string} words */
const spaced = (...words) => words.filter(Boolean).join(" ");

/** A garment in each language's order: noun, colour, pattern, accent (each may be ""). @type {Readonly<Record<string, (garment: Garment, colour: string, pattern: string, accent: string, accentWord: string) => string>>} */
const ORDER = {
  en: ({noun}, colour, pattern, accent, word) => {
    if (!COLOURS.has(word)) return spaced(colour, pattern, noun, accent);
    return colour ? spaced(`${colour} and ${accent}`, pattern, noun) : spaced(pattern, noun, `with some ${accent}`);
  },
  es: ({noun}, colour, pattern, accent) => spaced(noun, colour, pattern, accent),
  fr: ({noun}, colour, pattern, accent) => spaced(noun, colour, pattern, accent),
  zh: ({noun}, colour, pattern, accent) => `${accent}${colour}${pattern}${noun}`,
};

/** @type {Readonly<Record<string, (pieces: readonly string[]) => string>>} */
const LISTED = {
  en: (pieces) => (pieces.length > 1 ? `${pieces[0]} with ${joined(pieces.slice(1), "and")}` : pieces.join("")),
  es: (pieces) => joined(pieces, "y"),
  fr: (pieces) => joined(pieces, "et"),
  zh: (pieces) => pieces.join("，"),
};

/** @param {string} digits @param {string} mark */
const grouped = (digits, mark) => digits.replace(/\B(?=(\d{3})+$)/g, mark);

/** A whole number as each language writes it. @type {Readonly<Record<string, (value: number) => string>>} */
export const NUMBER = {
  en: (value) => grouped(String(value), ","),
  es: (value) => (value < 10_000 ? String(value) : grouped(String(value), "\u202f")),
  fr: (value) => grouped(String(value), "\u202f"),
  zh: String,
};

/** @param {string} language @param {Look} said @param {"top" | "bottom"} part @param {Garment} garment */
function garmentWords(language, said, part, garment) {
  const [colour = "", pattern = "", accent = ""] = ["colour", "pattern", "accent"].map((aspect) => said[`${part}.${aspect}`]);
  if (!colour && !pattern && !accent) return "";
  return ORDER[language](garment, colour && garment.colours[colour], pattern && garment.patterns[pattern], accent && garment.accents[accent], accent);
}

/** What is said, as phrases from the top down. @param {string} language @param {Look} said @param {string} lower the word of `lower.kind`, or "unknown" @returns {string[]} */
function pieces(language, said, lower) {
  const words = OUTFIT_WORDS[language];
  const below = words.bottoms[said["lower.kind"] ?? lower] ?? words.bottoms.unknown;
  return [
    garmentWords(language, said, "top", words.top),
    garmentWords(language, said, "bottom", below) || (said["lower.kind"] ? below.noun : ""),
    ...Object.entries(said).map(([attribute, word]) => words.phrases[`${attribute} ${word}`] ?? ""),
  ].filter(Boolean);
}

/** What somebody wears as short phrases, without what is absent. @param {string} language @param {Look} look @returns {string[]} */
export function phrases(language, look) {
  const there = Object.fromEntries(Object.entries(look).filter(([attribute, word]) => !ABSENT.has(`${attribute} ${word}`) && !(attribute.endsWith(".accent") && word === look[attribute.replace("accent", "colour")])));
  const [arms, rest] = [{}, {}].map((_, at) => Object.fromEntries(Object.entries(there).filter(([attribute]) => attribute.startsWith("top.") || ARMS.has(attribute) ? at === 0 : at === 1)));
  return [...pieces(language, arms, "unknown"), ...pieces(language, rest, look["lower.kind"] ?? "unknown")];
}

/** The clothes that a reason is about. @param {string} language @param {{attributes: Look}} reason @param {Look} look */
export function subject(language, {attributes}, look) {
  return LISTED[language](pieces(language, attributes, look["lower.kind"] ?? "unknown"));
}

/** A reason as a whole sentence, as the hub says it. @param {string} language @param {{lens: string, oneIn: number | null, attributes: Look}} reason @param {Look} look */
export function sentence(language, reason, look) {
  const words = OUTFIT_WORDS[language];
  const form = reason.lens === "whole" ? words.whole : reason.oneIn === null ? words.coarse : words.claim;
  return form.replace("{what}", subject(language, reason, look)).replace("{number}", NUMBER[language](reason.oneIn ?? 0));
}

/** A level of one attribute by itself, such as "no bag"; undefined where a bare word says it better. @param {string} language @param {string} attribute @param {string} word */
export function levelPhrase(language, attribute, word) {
  return OUTFIT_WORDS[language].phrases[`${attribute} ${word}`];
}
