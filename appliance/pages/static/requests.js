/**
 * A tablet's requests to the hub and their answers, matched by correlation data (MQTT 5.0, 4.10).
 *
 * Invariants:
 *  - A claim or an outcome is sent now or not at all; "forget" is kept and sent again until the hub has answered.
 *  - "Not sent" (Undelivered) is said only where the hub cannot have heard it; where it may have, the answer is unknown.
 */
import {hex} from "./booth.js";
import {Undelivered, Unknown} from "./mqtt.js";

const ANSWER_MS = 8000;
/** Pause before "forget" is sent again. */
const AGAIN_MS = 3000;
const UTF8 = new TextEncoder();

/** @typedef {import("./messages.js").Answer} Answer */
/** @typedef {"claim" | "release" | "outcome" | "forget" | "shift" | "pair" | "setup"} Leaf */

/** The hub did not answer in time. */
export class Unanswered extends Error {}

export class Requests {
  /** @type {Map<string, (answer: Answer) => void>} */ #waiting = new Map();
  /** @type {Set<string>} */ #toForget = new Set();
  #again = 0;

  /** @param {import("./mqtt.js").Link} link @param {{mine: string, answer: string}} topics */
  constructor(link, topics) {
    this.link = link;
    this.topics = topics;
  }

  /**
   * Ask, and wait for the answer. Rejects with Undelivered (nobody heard), Unknown (somebody may have) or Unanswered (too late).
   * @param {Leaf} leaf @param {Readonly<Record<string, unknown>>} body @returns {Promise<Answer>}
   */
  async ask(leaf, body) {
    const correlation = crypto.getRandomValues(new Uint8Array(8));
    const key = hex(correlation);
    /** @type {Promise<Answer>} */
    const answered = new Promise((resolve, reject) => {
      this.#waiting.set(key, resolve);
      setTimeout(() => reject(new Unanswered(leaf)), ANSWER_MS);
    });
    answered.catch(() => undefined); // looked at below, unless the broker itself refuses first
    try {
      const handed = this.link.publish({
        topic: this.topics.mine + leaf, payload: UTF8.encode(JSON.stringify({v: 1, ...body})), responseTopic: this.topics.answer,
        correlation, messageExpiry: ANSWER_MS / 1000,
      });
      // The answer may overtake the broker's acknowledgement, or come although that was lost.
      return await Promise.race([answered, handed.then(() => answered)]);
    } finally {
      this.#waiting.delete(key);
    }
  }

  /** @param {string} correlation in hexadecimal @param {Answer} answer */
  answered(correlation, answer) {
    this.#waiting.get(correlation)?.(answer);
  }

  /**
   * Ask the hub to forget; null where it did not answer, and then it is asked again until it does.
   * @param {string} alert @returns {Promise<Answer | null>}
   */
  async forget(alert) {
    this.#toForget.add(alert);
    try {
      const answer = await this.ask("forget", {alert});
      this.#toForget.delete(alert);
      return answer;
    } catch (error) {
      if (!(error instanceof Undelivered || error instanceof Unknown || error instanceof Unanswered)) throw error;
      clearTimeout(this.#again);
      this.#again = setTimeout(() => this.resume(), AGAIN_MS);
      return null;
    }
  }

  /** The link is back: say again what must not be lost. */
  resume() {
    for (const alert of [...this.#toForget]) void this.forget(alert);
  }
}
