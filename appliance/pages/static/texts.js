/**
 * What the tablet page says in one language: its sentences, the vocabulary's words, and the hub's grammar for clothes.
 *
 * Invariants: a page loads the sentences of its own language only; every language has all of them (the compiler checks).
 */
import {NUMBER, levelPhrase, phrases, sentence, subject} from "./outfit.js";
import {VOCABULARY} from "./words.js";

/** @type {Readonly<Record<string, () => Promise<{SENTENCES: import("./texts_en.js").Sentences}>>>} */
const LANGUAGES = Object.freeze({
  en: () => import("./texts_en.js"), es: () => import("./texts_es.js"), fr: () => import("./texts_fr.js"), zh: () => import("./texts_zh.js"),
});
const LOCALES = Object.freeze({en: "en-GB", es: "es", fr: "fr", zh: "zh-Hans"});
/** Attributes whose bare words are understood without what they are a word of. */
const BARE = new Set(["top.colour", "top.accent", "top.pattern", "bottom.colour", "bottom.accent", "bottom.pattern", "lower.kind"]);

/** @typedef {Awaited<ReturnType<typeof texts>>} Catalogue */
/** @typedef {Readonly<Record<string, string>>} Look */

/** Everything to say in a language: `en`, `es`, `fr` or `zh`. @param {string} lang */
export async function texts(lang) {
  const {SENTENCES} = await LANGUAGES[lang]();
  const words = VOCABULARY[lang];
  const clock = new Intl.DateTimeFormat(LOCALES[/** @type {keyof typeof LOCALES} */ (lang)], {hour: "2-digit", minute: "2-digit", hour12: false});
  const calendar = new Intl.DateTimeFormat(LOCALES[/** @type {keyof typeof LOCALES} */ (lang)], {day: "2-digit", month: "2-digit", timeZone: "UTC"});
  const say = (/** @type {string} */ word) => words.word[word] ?? word.replaceAll("_", " ");
  return {
    ...SENTENCES, lang, say,
    number: NUMBER[lang],
    percent: (/** @type {number} */ share) => `${Math.round(share * 100)}\u00a0%`,
    /** A time of day. @param {number} at unix seconds */
    time: (at) => clock.format(at * 1000),
    /** A day (UTC). @param {number} at unix seconds */
    day: (at) => calendar.format(at * 1000),
    attribute: words.attribute,
    /** A level that is said alone. @param {string} attribute @param {string} word */
    level: (attribute, word) => (attribute.endsWith(".accent") && word === "none" ? SENTENCES.card.noSecond : BARE.has(attribute) ? say(word) : levelPhrase(lang, attribute, word) ?? say(word)),
    /** What somebody wears as short phrases, from the top down. @param {Look} look */
    describe: (look) => phrases(lang, look),
    /** The clothes that a reason is about. @param {import("./messages.js").Reason} reason @param {Look} look */
    subject: (reason, look) => subject(lang, reason, look),
    /** A whole reason. @param {import("./messages.js").Reason} reason @param {Look} look */
    sentence: (reason, look) => sentence(lang, reason, look),
  };
}
