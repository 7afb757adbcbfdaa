/**
 * The public page: what the cameras here notice, why, for how long, and how to say no; made from the booth's own facts.
 *
 * Invariants: nobody signs in, nothing is stored but the chosen language; without a controller the page is closed.
 */
import {el, say} from "./dom.js";
import {HERE_TEXTS} from "./here_texts.js";
import {chooser, language} from "./language.js";
import {VOCABULARY} from "./words.js";

const AGAIN_MS = 20_000;

/** @typedef {{name: string, levels: readonly string[]}} Attribute */
/** @typedef {{state: string, watching: number, units: number, people: number, share: readonly [string, number] | null, locked?: number}} State */
/**
 * @typedef {object} Facts
 * @property {string} booth
 * @property {boolean} open
 * @property {readonly string[]} missing
 * @property {string} controller
 * @property {string} contact
 * @property {string} legal_basis
 * @property {string} way_round
 * @property {readonly {place: string, looks: string, simulated: boolean}[]} cameras
 * @property {readonly string[]} silent
 * @property {number} bits
 * @property {number} retention
 * @property {readonly (readonly [string, number | null])[]} kept
 * @property {{worn: Readonly<Record<string, string>>, hex: string, bytes: number}} sample
 * @property {State | null} state
 */
/** @typedef {import("./here_texts.js").HereTexts} HereTexts */

/** @param {string} path */
async function fetched(path) {
  const response = await fetch(path, {cache: "no-cache"});
  return response.json();
}

/** @param {string} title @param {...import("./dom.js").Child} content */
const more = (title, ...content) => el("details", {}, el("summary", {}, title), el("div", {}, ...content));
/** @param {readonly (string | Node)[]} items @param {string} [name] */
const list = (items, name = "") => el("ul", {class: name, role: "list"}, ...items.map((item) => el("li", {}, item)));

/** A time in words. @param {number | null} seconds @param {HereTexts} t */
function lasting(seconds, t) {
  if (seconds === null) return t.time.noEnd;
  if (seconds === 0) return t.time.moment;
  const {time} = t;
  if (seconds >= 172_800) return time.days(Math.round(seconds / 86_400));
  if (seconds >= 7200) return time.hours(Math.round(seconds / 3600));
  return seconds >= 120 && seconds % 60 === 0 ? time.minutes(seconds / 60) : time.seconds(seconds);
}

/** @param {State | null} state @param {HereTexts} t @param {string} lang */
function stateLine(state, t, lang) {
  const words = VOCABULARY[lang].word;
  const name = state && Object.hasOwn(t.state, state.state) ? state.state : "unknown";
  const today = state && state.people ? t.today(state.people.toLocaleString(lang === "zh" ? "zh-Hans" : lang)) : "";
  const share = state?.share ? t.share(state.share[1], words[state.share[0]] ?? state.share[0]) : "";
  const locked = state?.locked ? t.locked(state.locked) : "";
  return el("div", {class: "state", "data-state": name, role: "status", id: "state"}, el("span", {class: "dot", "aria-hidden": "true"}), t.state[name], today || share || locked ? el("small", {}, [today, share, locked].filter(Boolean).join(" · ")) : null);
}

/** @param {Facts} facts @param {readonly Attribute[]} attributes @param {HereTexts} t @param {string} lang */
function content(facts, attributes, t, lang) {
  const words = VOCABULARY[lang];
  /** @param {string} word */
  const word = (word) => words.word[word] ?? word;
  const said = attributes.filter(({name}) => !facts.silent.includes(name));
  const silent = attributes.filter(({name}) => facts.silent.includes(name));
  const worn = Object.entries(facts.sample.worn).map(([name, value]) => `${words.attribute[name] ?? name}${words.colon}${word(value)}`);
  const real = facts.cameras.filter(({simulated}) => !simulated);
  const places = real.map(({place, looks}) => (looks && Object.hasOwn(t.looks, looks) ? `${place} (${t.looks[looks]})` : place));
  return [
    el("h1", {}, t.heading), stateLine(facts.state, t, lang),
    list(t.short(lasting(facts.retention, t)), "short"),
    el("section", {class: "no", "aria-labelledby": "no"}, el("h2", {id: "no"}, t.no), list([facts.way_round ? t.wayRound(facts.way_round) : t.wayRoundNone, t.askPause, t.forget(lasting(facts.retention, t))])),
    el("h2", {}, t.who), el("p", {class: "who", id: "controller"}, facts.controller), el("p", {id: "contact"}, facts.contact),
    el("p", {id: "basis"}, `${t.basis}${words.colon}${t.bases[facts.legal_basis] ?? facts.legal_basis}`), el("p", {}, `${t.purpose}${words.colon}${t.purposeText}`),
    more(t.noticed, el("p", {}, t.noticedMore(Math.ceil(facts.bits))), list(said.map(({name, levels}) => `${words.attribute[name] ?? name}${words.colon}${levels.map(word).join(", ")}`)),
      silent.length ? el("p", {}, `${t.silent}${words.colon}${silent.map(({name}) => words.attribute[name] ?? name).join(", ")}`) : null),
    more(t.never, list(t.neverList)),
    more(t.cameras(real.length), places.length ? list(places) : el("p", {}, t.noCameras), facts.cameras.length > real.length ? el("p", {}, t.simulated(facts.cameras.length - real.length)) : null),
    more(t.kept, el("p", {}, t.keptMore), el("table", {id: "kept"}, el("caption", {class: "unseen"}, t.kept), el("tbody", {}, ...facts.kept.map(([name, seconds]) => el("tr", {}, el("th", {scope: "row"}, t.store[name] ?? name), el("td", {}, lasting(seconds, t))))))),
    more(t.rights, list(t.rightsList)),
    more(t.linkable, ...t.linkableText.map((text) => el("p", {}, text))),
    more(t.sample, el("p", {}, t.sampleMore(facts.sample.bytes)), list(worn), el("p", {class: "bytes", lang: "en"}, facts.sample.hex)),
  ];
}

/** @param {Facts} facts @param {HereTexts} t */
function closed(facts, t) {
  return [el("h1", {}, t.heading), el("section", {class: "closed", role: "alert"}, el("p", {class: "who"}, t.closed), el("p", {}, t.closedMore), list(facts.missing.map((key) => t.missing[key] ?? key)))];
}

async function main() {
  const [first, vocabulary] = await Promise.all([fetched("/here.json"), fetched("/vocabulary.json")]);
  /** @type {Facts} */ let facts = first;
  let drawn = "";
  const here = /** @type {HTMLElement} */ (document.getElementById("here"));
  const draw = () => {
    const lang = language();
    const t = HERE_TEXTS[lang];
    document.documentElement.lang = lang;
    document.title = `${t.heading} · ${facts.booth}`;
    const {state, ...rest} = facts;
    const now = lang + JSON.stringify(rest);
    if (now !== drawn) {
      drawn = now;
      here.replaceChildren(...(facts.open ? content(facts, vocabulary.attributes, t, lang) : closed(facts, t)));
      document.getElementById("languages")?.replaceChildren(chooser(t.language, draw));
      return;
    }
    const line = document.getElementById("state");
    const fresh = stateLine(state, t, lang);
    if (line && line.textContent !== fresh.textContent) line.replaceWith(fresh);
  };
  draw();
  setInterval(async () => {
    try {
      facts = await fetched("/here.json");
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error; // the page server is away: what was said stays
      if (facts.open) facts = {...facts, state: null};
    }
    draw();
  }, AGAIN_MS);
}

main().catch((error) => {
  const here = document.querySelector("main h1");
  if (here) say(here, HERE_TEXTS[language()].away);
  throw error;
});
