/**
 * What staff do with alerts and with the shift: asked of the hub, undone in time, and said in the page's language.
 *
 * Invariants:
 *  - How an alert ended is told `UNDO_MS` after the tap, or when the page is left; until then it can be undone, and the
 *    hub knows nothing of it. "Forget" is never delayed.
 *  - Where it is not known whether the hub heard, that is said; never that nothing was sent.
 */
import {Undelivered, Unknown} from "./mqtt.js";
import {Unanswered} from "./requests.js";
import {toast} from "./toast.js";

const UNDO_MS = 5000;
/** Numbers of the hub's rules that a page meets (docs/wire.md). */
const RULES = Object.freeze({malformed: 13, notYours: 14, tooFast: 15});

/** @typedef {import("./cards.js").Dialogue} Dialogue */
/** @typedef {import("./messages.js").Answer} Answer */
/** @typedef {{v?: 1} & Readonly<Record<string, unknown>>} Body */

/** @type {Dialogue} */
export const QUIET = Object.freeze({asking: false, question: null, ending: null});

export class Asks {
  /** @type {Map<string, Dialogue>} */ dialogues = new Map();
  /** @type {Map<string, number>} */ #timers = new Map();

  /**
   * @param {import("./requests.js").Requests} requests @param {import("./booth.js").Booth} booth @param {import("./texts.js").Catalogue} t
   * @param {{redraw: () => void, announce: (alert: string, text: string) => void}} page
   */
  constructor(requests, booth, t, page) {
    this.requests = requests;
    this.booth = booth;
    this.t = t;
    this.page = page;
    addEventListener("pagehide", () => this.flush());
  }

  /** @param {string} alert @param {Partial<Dialogue>} dialogue */
  #set(alert, dialogue) {
    this.dialogues.set(alert, {...QUIET, ...dialogue});
    this.page.redraw();
  }

  /** @param {string} alert */
  drop(alert) {
    clearTimeout(this.#timers.get(alert));
    this.#timers.delete(alert);
    this.dialogues.delete(alert);
  }

  /** @param {string} alert @param {Dialogue["question"]} question */
  question(alert, question) {
    this.#set(alert, {question, ending: this.dialogues.get(alert)?.ending ?? null});
  }

  /** @param {string} alert */
  async claim(alert) {
    const answer = await this.#ask(alert, "claim", {alert});
    if (answer?.ok) this.page.announce(alert, this.t.answer.claimed); // seen on the card; a toast would hide its buttons
  }

  /** @param {string} alert */
  async release(alert) {
    const answer = await this.#ask(alert, "release", {alert});
    if (answer?.ok) toast(this.t.answer.released, true);
  }

  /** Say how it ended, unless it is undone in time. @param {string} alert @param {import("./cards.js").Ending["outcome"]} outcome @param {string | null} why @param {string | null} size null: not asked yet */
  outcome(alert, outcome, why, size) {
    if (outcome === "gifted" && size === null && this.booth.board?.shift.sizes.length) return this.question(alert, "size");
    this.#timers.set(alert, setTimeout(() => void this.#tell(alert), UNDO_MS));
    return this.#set(alert, {ending: {outcome, why, size: size || null, until: Date.now() + UNDO_MS}});
  }

  /** @param {string} alert */
  undo(alert) {
    this.drop(alert);
    this.page.redraw();
  }

  /** Tell now what waits to be told: the page is left. */
  flush() {
    for (const alert of [...this.#timers.keys()]) void this.#tell(alert);
  }

  /** @param {string} alert */
  async #tell(alert) {
    const ending = this.dialogues.get(alert)?.ending;
    this.drop(alert);
    if (!ending) return;
    const {outcome, why, size} = ending;
    const answer = await this.#ask(alert, "outcome", {alert, outcome, why, ...(size ? {size} : {})});
    if (answer?.ok) toast(this.t.answer.noted, true);
  }

  /** An act of the shift; true where the hub did it. @param {string} act @param {number | string | null} value @param {string | null} [size] */
  async shift(act, value, size = null) {
    const answer = await this.#ask("", "shift", {act, value, size});
    if (answer?.ok) toast(this.t.answer.shift, true);
    return answer?.ok ?? false;
  }

  /** Ask, and say what went wrong; null where no answer came. @param {string} alert @param {"claim" | "release" | "outcome" | "shift"} leaf @param {Body} body */
  async #ask(alert, leaf, body) {
    if (alert) this.#set(alert, {asking: true});
    const {answer: said} = this.t;
    try {
      const answer = await this.requests.ask(leaf, body);
      if (!answer.ok) toast(this.#refusal(answer), false);
      return answer;
    } catch (error) {
      if (error instanceof Undelivered) toast(said.undelivered, false);
      else if (error instanceof Unknown) toast(said.unknown, false);
      else if (error instanceof Unanswered) toast(said.none, false);
      else throw error;
      return null;
    } finally {
      if (alert) this.drop(alert);
      this.page.redraw();
    }
  }

  /** Why the hub would not, in the page's language; in the hub's where this page is older. @param {Answer} answer */
  #refusal({rule, why, by, text}) {
    const {answer} = this.t;
    if (rule === RULES.malformed) return answer.malformed;
    if (rule === RULES.tooFast) return answer.tooFast;
    if (rule !== RULES.notYours) return text;
    return {taken: answer.taken(by), over: answer.over, gone: answer.over, unclaimed: answer.unclaimed, forbidden: answer.forbidden}[why] ?? text;
  }

  /** At once here; then the hub is told, now or as soon as it can be reached. @param {string} alert */
  async forget(alert) {
    this.drop(alert);
    this.booth.forget(alert, Date.now());
    this.page.redraw();
    const answer = await this.requests.forget(alert);
    if (!answer) return toast(this.t.answer.forgetLater, false);
    if (!answer.ok) this.booth.unforget(alert);
    return toast(answer.ok ? (answer.why === "nothing_left" ? this.t.answer.nothingLeft : this.t.answer.forgotten) : this.#refusal(answer), answer.ok);
  }
}
