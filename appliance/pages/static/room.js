/**
 * The big screen: what people wear here, what changes, how rare the last were, and how the booth does.
 *
 * Invariants: it only looks; it learns of nobody's outfit; what is old is said to be old.
 */
import {el, say} from "./dom.js";
import {chooser, language} from "./language.js";
import {Reader} from "./messages.js";
import {Link} from "./mqtt.js";
import {drawLive, drawTrends} from "./room_panels.js";
import {RoomReader} from "./room_read.js";
import {drawStrip} from "./room_strip.js";
import {ROOM_TEXTS} from "./room_texts.js";
import {readSession} from "./session.js";
import {VOCABULARY} from "./words.js";

const SILENCE_SECONDS = 45;
/** So long the panels stay unseen where nothing comes: filled one after the other they would jump. */
const FIRST_MS = 1500;
const LOCALES = Object.freeze({en: "en-GB", es: "es", fr: "fr", zh: "zh-Hans"});

/** @param {string} id @returns {HTMLElement} */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Show the panels. */
const seen = () => document.body.classList.remove("waiting");

/** Everything the panels need to speak one language. @param {string} lang */
function speech(lang) {
  const locale = LOCALES[/** @type {keyof typeof LOCALES} */ (lang)];
  const clock = new Intl.DateTimeFormat(locale, {hour: "2-digit", minute: "2-digit", hour12: false});
  const words = VOCABULARY[lang];
  return {
    t: ROOM_TEXTS[lang], lang,
    number: (/** @type {number} */ value) => value.toLocaleString(locale),
    time: (/** @type {number} */ at) => clock.format(at * 1000),
    percent: (/** @type {number} */ share) => `${share}\u00a0%`,
    word: (/** @type {string} */ word) => words.word[word] ?? word,
    label: (/** @type {string} */ attribute, /** @type {string} */ word) => `${words.attribute[attribute] ?? attribute}${words.colon}${words.word[word] ?? word}`,
  };
}

/** @typedef {ReturnType<typeof speech>} Speech */

class Room {
  /** @type {import("./room_read.js").Trends | null} */ #trends = null;
  /** @type {import("./room_read.js").Live | null} */ #live = null;
  /** @type {boolean | null} */ #hubOnline = null;
  /** By how many seconds this device's clock is ahead of the hub's. */ #lead = 0;
  #heardAt = 0;

  /** @param {{booth: string, ws_port: number, wss_port: number}} where @param {readonly import("./messages.js").Attribute[]} attributes @param {import("./session.js").Session} session */
  constructor(where, attributes, session) {
    this.booth = where.booth;
    this.reader = new RoomReader(attributes);
    this.hubReader = new Reader([]);
    const root = `leftfield/1/${where.booth}/hub`;
    this.topics = {trends: `${root}/trends`, live: `${root}/live`, status: `${root}/status`};
    const secure = location.protocol === "https:";
    this.link = new Link({
      url: `${secure ? "wss" : "ws"}://${location.hostname}:${secure ? where.wss_port : where.ws_port}/mqtt`,
      user: session.tablet, password: session.password, topics: Object.values(this.topics),
      onMessage: (message) => this.#received(message),
      onState: () => this.#drawState(),
    });
    this.speech = speech(language());
  }

  start() {
    place("tables").addEventListener("click", () => this.#tables());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.link.hurry());
    this.#speak();
    this.link.start();
    setInterval(() => this.#tick(), 1000);
    setTimeout(seen, FIRST_MS);
  }

  get #now() {
    return Date.now() / 1000 - this.#lead;
  }

  /** Say everything in the language that is chosen now. */
  #speak() {
    this.speech = speech(language());
    const {t, lang} = this.speech;
    document.documentElement.lang = lang;
    document.title = `${t.heading} · ${this.booth}`;
    for (const [id, text] of Object.entries({heading: t.heading, "h-tops": t.tops, "h-bottoms": t.bottoms, "h-moving": t.moving, "h-strip": t.strip, "strip-more": t.stripMore, "h-pacing": t.pacing, "h-shares": t.shares, "h-alerts": t.alerts, "h-units": t.units, tables: t.tables, booth: this.booth})) say(place(id), text);
    place("languages").replaceChildren(chooser(t.language, () => this.#speak()));
    this.#draw();
    this.#drawState();
  }

  #tables() {
    const shown = document.body.classList.toggle("tables");
    place("tables").setAttribute("aria-pressed", String(shown));
    this.#draw();
  }

  /** @param {import("./mqtt.js").Received} message */
  #received({topic, payload, retained}) {
    if (topic === this.topics.status) {
      this.#hubOnline = this.hubReader.hubStatus(payload)?.online ?? this.#hubOnline;
      this.#drawState();
    } else if (topic === this.topics.trends) {
      this.#trends = this.reader.trends(payload) ?? this.#trends;
      this.#drawTrends();
    } else if (topic === this.topics.live) {
      const live = this.reader.live(payload);
      if (!live) return;
      const lead = Date.now() / 1000 - live.at;
      this.#lead = retained && this.#live ? Math.min(this.#lead, lead) : lead;
      if (!retained) this.#heardAt = Date.now();
      this.#live = live;
      this.#drawLive();
    }
  }

  #draw() {
    this.#drawTrends();
    this.#drawLive();
  }

  #drawTrends() {
    if (this.#trends) drawTrends(this.#trends, this.#now, this.speech);
    if (this.#trends && this.#live) seen();
  }

  #drawLive() {
    if (!this.#live) return;
    if (this.#trends) seen();
    drawLive(this.#live, this.speech);
    this.#drawStrip();
    this.#drawState();
  }

  #drawStrip() {
    const canvas = document.querySelector("canvas");
    if (canvas && this.#live) drawStrip(canvas, this.#live, this.#now);
  }

  #tick() {
    say(place("clock"), this.speech.time(this.#now));
    if (document.visibilityState === "visible") this.#drawStrip();
    this.#drawState();
  }

  #drawState() {
    const {t} = this.speech;
    const state = this.link.state === "up" && this.#hubOnline === false ? "hub_away" : this.link.state;
    place("link").dataset.state = state;
    say(place("link-text"), t.link[state]);
    const silent = this.#heardAt ? Math.floor((Date.now() - this.#heardAt) / 1000) : 0;
    const bad = state === "hub_away" ? t.hubAway : state === "up" && silent >= SILENCE_SECONDS ? t.silent(silent) : "";
    const told = [bad, this.#live?.simulated ? t.simulated : ""].filter(Boolean);
    const banners = place("banners");
    if (banners.dataset.told === told.join("|")) return;
    banners.dataset.told = told.join("|");
    banners.replaceChildren(...told.map((text) => el("p", {class: text === bad ? "notice-bad" : "notice-simulated"}, text)));
  }
}

/** @param {string} path */
async function fetched(path) {
  const response = await fetch(path, {cache: "no-cache"});
  return response.json();
}

async function main() {
  const session = readSession();
  if (!session) {
    const {t, lang} = speech(language());
    document.documentElement.lang = lang;
    say(place("heading"), t.heading);
    place("tables").remove();
    seen();
    place("grid").replaceChildren(el("p", {class: "signed-out", role: "alert"}, t.signedOut));
    return;
  }
  const [where, vocabulary] = await Promise.all([fetched("/booth.json"), fetched("/vocabulary.json")]);
  new Room(where, vocabulary.attributes, session).start();
}

void main();
