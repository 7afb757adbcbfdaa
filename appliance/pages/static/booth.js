/**
 * What the page knows of the booth, from messages and the clock: no DOM, no network.
 *
 * Invariants:
 *  - A look is shown only while its alert lives: at its end, at its expiry (even with the hub away) and at "forget" it
 *    is gone from memory.
 *  - The hub's clock counts; the tablet's own may be wrong by any amount.
 */
import {readLead, readLog} from "./lead.js";
import {ENDED} from "./messages.js";

/** An alert that nobody took is dropped this long after its expiry, if the hub does not say so, in seconds. */
const GRACE_SECONDS = 3;
/** A claimed one waits this long for its holder to come back and say how it ended. */
const OUTCOME_SECONDS = 60;
/** How long the hub may say nothing before the page says so, in milliseconds. */
export const SILENCE_MS = 45_000;
const LATELY = 5;
const LATELY_MS = 15 * 60_000;

/** @typedef {import("./messages.js").Alert} Alert */
/** @typedef {import("./messages.js").Board} Board */
/** @typedef {import("./messages.js").Answer} Answer */
/** @typedef {{id: string, place: string, state: import("./messages.js").State, by: string | null, at: number}} Past place "" where not known */
/** @typedef {{kind: "raised", alert: Alert} | {kind: "answer", answer: Answer, correlation: string} | {kind: "changed"}} News */

/** The topics of a booth as a tablet uses them. @param {string} booth @param {string} tablet */
export function topicsOf(booth, tablet) {
  const root = `leftfield/1/${booth}`;
  return Object.freeze({
    alerts: `${root}/alert/`, board: `${root}/hub/board`, hub: `${root}/hub/status`, mine: `${root}/staff/${tablet}/`,
    answer: `${root}/staff/${tablet}/answer`, pairing: `${root}/hub/pairing`, lead: `${root}/hub/lead`, acts: `${root}/hub/acts`,
    subscriptions: Object.freeze([`${root}/alert/+`, `${root}/hub/board`, `${root}/hub/status`, `${root}/hub/pairing`, `${root}/hub/lead`, `${root}/hub/acts`, `${root}/staff/${tablet}/answer`]),
  });
}

/** @param {Uint8Array} bytes */
export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export class Booth {
  /** @param {import("./messages.js").Reader} reader @param {ReturnType<typeof topicsOf>} topics */
  constructor(reader, topics) {
    this.reader = reader;
    this.topics = topics;
    /** @type {Map<string, Alert>} */ this.alerts = new Map();
    /** @type {Board | null} */ this.board = null;
    /** @type {boolean | null} null while not known */ this.hubOnline = null;
    /** @type {Past[]} */ this.lately = [];
    /** @type {readonly string[]} numbers of the cameras that wait to be paired; only an installer's tablet hears of them */ this.cameras = [];
    /** @type {import("./lead.js").Lead | null} only the lead's tablet hears of it, */ this.lead = null;
    /** @type {import("./lead.js").Log} and of who did what */ this.log = [];
    this.ignored = 0;
    this.heardAt = 0;
    this.#forgotten = new Set();
    this.#lead = 0;
    this.#leadFrom = "nothing";
  }
  #forgotten;
  /** By how many seconds this device's clock is ahead of the hub's. */ #lead;
  /** @type {"nothing" | "kept" | "live"} what the lead was told from */ #leadFrom;

  /** The hub's clock in unix seconds. @param {number} now this device's clock, milliseconds */
  hubNow(now) {
    return now / 1000 - this.#lead;
  }

  /**
   * Take a message in; what is news to people comes back.
   * @param {import("./mqtt.js").Received} received @param {number} now milliseconds @returns {News | null}
   */
  take(received, now) {
    const {topic, payload} = received;
    if (topic === this.topics.board) return this.#takeBoard(received, now);
    if (topic === this.topics.pairing) {
      this.cameras = this.reader.waiting(payload) ?? this.cameras;
      return {kind: "changed"};
    }
    if (topic === this.topics.lead) {
      this.lead = readLead(payload) ?? this.lead;
      return {kind: "changed"};
    }
    if (topic === this.topics.acts) {
      this.log = readLog(payload) ?? this.log;
      return {kind: "changed"};
    }
    if (topic === this.topics.hub) {
      const status = this.reader.hubStatus(payload);
      if (!status) return this.#ignore();
      this.hubOnline = status.online;
      return {kind: "changed"};
    }
    if (topic === this.topics.answer) {
      const answer = this.reader.answer(payload);
      return answer ? {kind: "answer", answer, correlation: hex(received.correlation ?? new Uint8Array())} : this.#ignore();
    }
    return topic.startsWith(this.topics.alerts) ? this.#takeAlert(received, now) : this.#ignore();
  }

  /**
   * Learn from a kept message, which was sent at the hub's time or before: it never makes the lead too small, so the
   * least of all that was heard is the nearest. A live board is exact and is not overruled.
   * @param {number} most seconds
   */
  #learnLead(most) {
    if (this.#leadFrom === "live") return;
    this.#lead = this.#leadFrom === "nothing" ? most : Math.min(this.#lead, most);
    this.#leadFrom = "kept";
  }

  #ignore() {
    this.ignored += 1;
    return null;
  }

  /** @param {import("./mqtt.js").Received} received @param {number} now @returns {News | null} */
  #takeBoard({payload, retained}, now) {
    const board = this.reader.board(payload);
    if (!board) return this.#ignore();
    // What comes live tells the hub's time; what the broker kept for us was said some time ago (3.3.1.3).
    if (retained) this.#learnLead(now / 1000 - board.at);
    else [this.#lead, this.#leadFrom] = [now / 1000 - board.at, "live"];
    this.heardAt = now;
    this.board = board;
    return {kind: "changed"};
  }

  /** @param {import("./mqtt.js").Received} received @param {number} now @returns {News | null} */
  #takeAlert({topic, payload, messageExpiry}, now) {
    const id = topic.slice(this.topics.alerts.length);
    if (!payload.length) {
      this.alerts.delete(id);
      return {kind: "changed"};
    }
    const alert = this.reader.alert(payload);
    if (!alert || alert.id !== id) return this.#ignore();
    if (ENDED.includes(alert.state)) {
      this.#remember({id, place: this.#placeOf(id), state: alert.state, by: alert.heldBy, at: now});
      this.alerts.delete(id);
      return {kind: "changed"};
    }
    if (this.#forgotten.has(id)) return null;
    // The broker counts the expiry down (3.3.2.3.3), so what is left of it tells the hub's time too.
    if (messageExpiry !== undefined) this.#learnLead(now / 1000 - (alert.expiresAt - messageExpiry));
    const fresh = !this.alerts.has(id) && alert.state === "raised";
    this.alerts.set(id, alert);
    return fresh ? {kind: "raised", alert} : {kind: "changed"};
  }

  /** @param {string} id */
  #placeOf(id) {
    return this.alerts.get(id)?.place ?? this.lately.find((past) => past.id === id)?.place ?? "";
  }

  /** @param {Past} past */
  #remember(past) {
    this.lately = [past, ...this.lately.filter(({id}) => id !== past.id)].slice(0, LATELY);
  }

  /** Forget here, before the hub has answered. @param {string} id @param {number} now */
  forget(id, now) {
    this.#forgotten.add(id);
    this.#remember({id, place: this.#placeOf(id), state: "forgotten", by: null, at: now});
    this.alerts.delete(id);
  }

  /** The hub refused to forget (it knows no such alert, or we may not): show again what it says next. @param {string} id */
  unforget(id) {
    this.#forgotten.delete(id);
  }

  /** Drop what has outlived its time; true where something went. @param {number} now */
  prune(now) {
    const [hub, before] = [this.hubNow(now), this.alerts.size + this.lately.length];
    for (const [id, {state, expiresAt}] of this.alerts) {
      if (hub > expiresAt + (state === "claimed" ? OUTCOME_SECONDS : GRACE_SECONDS)) this.alerts.delete(id);
    }
    this.lately = this.lately.filter(({at}) => now - at < LATELY_MS);
    return before !== this.alerts.size + this.lately.length;
  }

  /** Open alerts, newest first; taps on a card that has just moved are ignored (`cards.js`). @returns {Alert[]} */
  open() {
    return [...this.alerts.values()].sort((a, b) => b.raisedAt - a.raisedAt || b.id.localeCompare(a.id, "en", {numeric: true}));
  }

  /** The look made of what is worn most, one attribute at a time. @returns {Record<string, string>} */
  typicalLook() {
    /** @type {Map<string, import("./messages.js").Usual>} */ const best = new Map();
    for (const usual of this.board?.usual ?? []) if (!(usual.share <= (best.get(usual.attribute)?.share ?? 0))) best.set(usual.attribute, usual);
    return Object.fromEntries([...best.values()].map(({attribute, word}) => [attribute, word]));
  }

  /** The commonest words of an attribute, commonest first. @param {string} attribute @param {number} most */
  usualWords(attribute, most) {
    return (this.board?.usual ?? []).filter((usual) => usual.attribute === attribute).sort((a, b) => b.share - a.share).slice(0, most);
  }
}
