/**
 * What the hub tells the big screen, read from untrusted bytes into frozen values: a value or null, never an exception.
 *
 * Invariants: those of `messages.js`; shares are whole per cent, times the hub's clock in unix seconds.
 */
import {Fields, readable, refuse} from "./messages.js";

const MOST_SPANS = 96;
const MOST_DOTS = 2000;
const MOST_UNITS = 64;
export const REST = "*";

/** @typedef {readonly [number, number, number]} Share per cent, and the ends of its interval */
/** @typedef {ReadonlyMap<string, ReadonlyMap<string, Share>>} Shares by attribute and word */
/** @typedef {{attribute: string, word: string, now: number, usual: number, since: number | null}} Mover */
/**
 * @typedef {object} Trends
 * @property {number} at
 * @property {number} quarter seconds
 * @property {number} least people of the smallest cell that is told
 * @property {readonly number[]} starts
 * @property {readonly number[]} quarters
 * @property {readonly number[]} people
 * @property {ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>} cells by attribute and word, one a span
 * @property {Shares} usual
 * @property {Shares} recent
 * @property {readonly Mover[]} movers
 * @property {readonly Mover[]} changes
 * @property {readonly string[]} ends
 * @property {readonly {at: number, numbers: readonly number[]}[]} alerts
 */
/** @typedef {{ago: number, kind: number, simulated: boolean, number: number}} Dots */
/**
 * @typedef {object} RoomUnit
 * @property {string} place
 * @property {string} link
 * @property {string} state
 * @property {string} accelerator
 * @property {boolean | null} boxed
 * @property {boolean} simulated
 * @property {number} fps
 * @property {number} spooled
 * @property {number} dropped
 * @property {boolean | null} clock
 */
/**
 * @typedef {object} Live
 * @property {number} at
 * @property {number} step seconds
 * @property {number} window seconds
 * @property {readonly Dots[]} dots
 * @property {boolean} simulated
 * @property {number} people
 * @property {{today: number, waiting: number, claimed: number, gifted: number}} alerts
 * @property {{people: number, needs: number}} baseline
 * @property {{stock: number, staff: number, staffFree: number, opens: number, closes: number, people: number, gifts: number | null, finish: number | null}} pacing
 * @property {readonly RoomUnit[]} units
 * @property {readonly (readonly [number, number])[]} refused rule and number
 */

/** @param {unknown} value @param {number} [high] */
const whole = (value, high = 1e12) => (typeof value === "number" && value >= 0 && value <= high ? value : refuse("number"));
/** @param {unknown} value @param {number} most @returns {readonly unknown[]} */
const list = (value, most) => (Array.isArray(value) && value.length <= most ? value : refuse("list"));
/** @param {unknown} value @param {number} length */
const numbers = (value, length) => (list(value, length).length === length ? Object.freeze(list(value, length).map((one) => whole(one))) : refuse("numbers"));

/** Reads with one vocabulary: words that are not of it are refused. */
export class RoomReader {
  /** @param {readonly import("./messages.js").Attribute[]} attributes */
  constructor(attributes) {
    /** @type {ReadonlyMap<string, readonly string[]>} */
    this.levels = new Map(attributes.map(({name, levels}) => [name, levels]));
  }

  /** @template T @param {unknown} untrusted @param {(value: unknown) => T} read @returns {ReadonlyMap<string, ReadonlyMap<string, T>>} */
  #byWord(untrusted, read) {
    const fields = new Fields(untrusted);
    return new Map([...this.levels].filter(([name]) => fields.get(name) !== undefined).map(([name, levels]) => {
      const words = fields.fields(name);
      return [name, new Map([...levels, REST].filter((word) => words.get(word) !== undefined).map((word) => [word, read(words.get(word))]))];
    }));
  }

  /** @param {unknown} untrusted @returns {Mover} */
  #mover(untrusted) {
    const [attribute, word, now, usual, since] = list(untrusted, 5);
    if (typeof attribute !== "string" || typeof word !== "string" || !this.levels.get(attribute)?.includes(word)) refuse("word");
    return Object.freeze({attribute: String(attribute), word: String(word), now: whole(now, 100), usual: whole(usual, 100), since: since === undefined ? null : whole(since)});
  }

  /** @param {Uint8Array} payload @returns {Trends | null} */
  trends(payload) {
    return readable(payload, (fields) => {
      const starts = fields.list("starts", MOST_SPANS, (value) => whole(value));
      const ends = fields.list("ends", 12, (value) => (typeof value === "string" ? value : refuse("ends")));
      /** @param {unknown} value @returns {Share} */
      const share = (value) => /** @type {Share} */ (/** @type {unknown} */ (Object.freeze(numbers(value, 3).map((one) => whole(one, 100)))));
      return {
        at: fields.number("at"),
        quarter: fields.number("quarter", 60, 86400),
        least: fields.number("least", 1, 1000),
        starts,
        quarters: numbers(fields.get("quarters"), starts.length),
        people: numbers(fields.get("people"), starts.length),
        cells: this.#byWord(fields.get("cells"), (value) => numbers(value, starts.length)),
        usual: this.#byWord(fields.get("usual"), share),
        recent: this.#byWord(fields.get("recent"), share),
        movers: fields.list("movers", 24, (value) => this.#mover(value)),
        changes: fields.list("changes", 24, (value) => this.#mover(value)),
        ends,
        alerts: fields.list("alerts", 200, (value) => {
          const [at, counted] = list(value, 2);
          return Object.freeze({at: whole(at), numbers: numbers(counted, ends.length)});
        }),
      };
    });
  }

  /** @param {Uint8Array} payload @returns {Live | null} */
  live(payload) {
    return readable(payload, (fields) => {
      const [alerts, baseline, pacing] = ["alerts", "baseline", "pacing"].map((key) => fields.fields(key));
      /** @param {string} key */
      const perhaps = (key) => (pacing.get(key) === null ? null : pacing.number(key));
      return {
        at: fields.number("at"),
        step: fields.number("step", 1, 60),
        window: fields.number("window", 1, 3600),
        dots: fields.list("dots", MOST_DOTS, (value) => {
          const [ago, kind, simulated, number] = numbers(value, 4);
          return Object.freeze({ago, kind: whole(kind, 5), simulated: simulated === 1, number: whole(number, 10_000)});
        }),
        simulated: fields.flag("simulated"),
        people: fields.number("people"),
        alerts: {today: alerts.number("today"), waiting: alerts.number("waiting"), claimed: alerts.number("claimed"), gifted: alerts.number("gifted")},
        baseline: {people: baseline.number("people"), needs: baseline.number("needs")},
        pacing: {
          stock: pacing.number("stock"), staff: pacing.number("staff"), staffFree: pacing.number("staff_free"),
          opens: pacing.number("opens"), closes: pacing.number("closes"), people: pacing.number("people"), gifts: perhaps("gifts"), finish: perhaps("finish"),
        },
        units: fields.list("units", MOST_UNITS, (value) => unit(new Fields(value))),
        refused: fields.list("refused", 64, (value) => /** @type {readonly [number, number]} */ (/** @type {unknown} */ (numbers(value, 2)))),
      };
    });
  }
}

/** @param {Fields} fields @returns {RoomUnit} */
function unit(fields) {
  /** @param {string} key */
  const perhaps = (key) => (fields.get(key) === null ? null : fields.flag(key));
  return Object.freeze({
    place: fields.text("place", 80), link: fields.text("link", 24), state: fields.text("state", 24), accelerator: fields.text("accelerator", 24),
    boxed: perhaps("boxed"), simulated: fields.flag("simulated"), fps: fields.number("fps", 0, 1000),
    spooled: fields.number("spooled"), dropped: fields.number("dropped"), clock: perhaps("clock"),
  });
}
