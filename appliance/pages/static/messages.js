/**
 * What the hub says, read from untrusted bytes into frozen values: a value or null, never an exception.
 *
 * Invariants:
 *  - Every field has a type and a bound; a message that breaks one is dropped whole.
 *  - Words are those of the closed vocabulary the page server gives; any other word is dropped.
 *  - Times are the hub's clock in unix seconds.
 */

/** @typedef {{name: string, levels: readonly string[]}} Attribute */
/** @typedef {"raised"|"claimed"|"gifted"|"declined"|"not_found"|"dismissed"|"expired"|"forgotten"} State */
/** @typedef {Readonly<Record<string, string>>} Look words by attribute; what is unknown is absent */
/** @typedef {{lens: "single" | "pair" | "whole", text: string, oneIn: number | null, attributes: Look}} Reason */
/**
 * @typedef {object} Alert
 * @property {string} id
 * @property {State} state
 * @property {number} raisedAt
 * @property {number} expiresAt
 * @property {number | null} seenAgo seconds between the person's passing and the raising; null when forgotten
 * @property {string | null} unit null when forgotten
 * @property {string} place
 * @property {boolean} simulated
 * @property {boolean | null} boxed  null: the unit has not said yet
 * @property {number | null} oneIn
 * @property {readonly Reason[]} reasons empty once what was worn is forgotten, at the alert's end at the latest
 * @property {Look} look
 * @property {string | null} heldBy
 */
/**
 * @typedef {object} Unit
 * @property {string} unit
 * @property {string} place
 * @property {string} link
 * @property {string} state
 * @property {string} source
 * @property {string} accelerator
 * @property {boolean | null} boxed  null: the unit has not said yet
 * @property {boolean} simulated
 * @property {number} fps
 * @property {boolean} locked never to be aimed again
 */
/** @typedef {{attribute: string, word: string, share: number}} Usual */
/**
 * How the shift stands: `pausedUntil` is unix seconds, 0 where alerts are not paused; `sizes` name what is left of each.
 * @typedef {{pausedUntil: number, closed: boolean, sizes: readonly {size: string, left: number}[], note: {text: string, by: string, at: number} | null}} Shift
 */
/**
 * @typedef {object} Board
 * @property {number} at
 * @property {boolean} simulated
 * @property {{today: number, total: number}} people
 * @property {{open: number, today: number, gifted: number}} alerts
 * @property {{weight: number, ready: boolean, needs: number}} baseline
 * @property {number} stock
 * @property {number} staff
 * @property {number} staffFree
 * @property {readonly Unit[]} units
 * @property {readonly Usual[]} usual
 * @property {readonly {condition: string, place: string, title: string, todo: string}[]} notices  what is wrong with the booth, in the hub's words
 * @property {string} language  the booth's: `en`, `es`, `fr`, `zh`, or "" where it is not said
 * @property {number} retention  seconds that what was worn is kept at most
 * @property {Shift} shift
 */
/**
 * @typedef {{ok: boolean, alert: string | null, text: string, rule: number, why: string, by: string, left: number}} Answer
 * `rule`, `why` and `by`: why it was refused, and who stands against it; `left`: tries of a pairing
 */

/** Ends of an alert's life. */
export const ENDED = Object.freeze(["gifted", "declined", "not_found", "dismissed", "expired", "forgotten"]);
const STATES = Object.freeze(["raised", "claimed", ...ENDED]);

const LENSES = Object.freeze(["single", "pair", "whole"]);

const PAIRING_NUMBER = /^[0-9A-HJKMNP-TV-Z]{4}$/;
const LONGEST_TEXT = 240;
const MOST_UNITS = 64;
const MOST_REASONS = 8;
const STRICT_UTF8 = new TextDecoder("utf-8", {fatal: true});

/** Thrown and caught in this file only. */
class Unreadable extends Error {}

/** Give up on a message; caught by `readable`. @returns {never} @param {string} what */
export function refuse(what) {
  throw new Unreadable(what);
}

/** The fields of one JSON object, each asked for by type. */
export class Fields {
  /** @param {unknown} untrusted */
  constructor(untrusted) {
    if (typeof untrusted !== "object" || untrusted === null || Array.isArray(untrusted)) refuse("not an object");
    this.untrusted = /** @type {Record<string, unknown>} */ (untrusted);
  }
  /** @param {string} key */
  get(key) {
    return Object.hasOwn(this.untrusted, key) ? this.untrusted[key] : undefined;
  }
  /** @param {string} key @param {number} [low] @param {number} [high] */
  number(key, low = 0, high = 1e12) {
    const value = this.get(key);
    return typeof value === "number" && value >= low && value <= high ? value : refuse(key);
  }
  /** @param {string} key */
  flag(key) {
    const value = this.get(key);
    return typeof value === "boolean" ? value : refuse(key);
  }
  /** @param {string} key @param {number} [longest] */
  text(key, longest = LONGEST_TEXT) {
    const value = this.get(key);
    return typeof value === "string" && value.length <= longest ? value : refuse(key);
  }
  /** @template {string} T @param {string} key @param {readonly T[]} words */
  oneOf(key, words) {
    const value = /** @type {T} */ (this.text(key));
    return words.includes(value) ? value : refuse(key);
  }
  /** @param {string} key */
  fields(key) {
    return new Fields(this.get(key));
  }
  /** @template T @param {string} key @param {number} most @param {(item: unknown) => T} read @returns {readonly T[]} */
  list(key, most, read) {
    const value = this.get(key);
    return Array.isArray(value) && value.length <= most ? Object.freeze(value.map(read)) : refuse(key);
  }
}

/** A message of version 1 as `read` gives it, or null. @template T @param {Uint8Array} payload @param {(fields: Fields) => T} read @returns {T | null} */
export function readable(payload, read) {
  try {
    const fields = new Fields(JSON.parse(STRICT_UTF8.decode(payload)));
    fields.number("v", 1, 1);
    return Object.freeze(read(fields));
  } catch (error) {
    if (error instanceof Unreadable || error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

const NAME = /^[a-z][a-z0-9-]{0,23}$/;
/** Form of the name of an alert. */
export const ALERT_NAME = /^a[1-9][0-9]{0,8}$/;

/** @param {Fields} fields @param {string} key */
function name(fields, key) {
  const value = fields.text(key);
  return NAME.test(value) ? value : refuse(key);
}

/** @template T @param {Fields} fields @param {string} key @param {(key: string) => T} read @returns {T | null} */
function optional(fields, key, read) {
  return fields.get(key) === undefined || fields.get(key) === null ? null : read(key);
}

/** @param {unknown} untrusted what the board says of the shift; an older hub says nothing @returns {Shift} */
function shift(untrusted) {
  if (untrusted === undefined) return Object.freeze({pausedUntil: 0, closed: false, sizes: [], note: null});
  const fields = new Fields(untrusted);
  return Object.freeze({
    pausedUntil: optional(fields, "paused_until", (key) => fields.number(key)) ?? 0,
    closed: fields.flag("closed"),
    sizes: fields.list("sizes", 12, (item) => {
      const size = new Fields(item);
      return Object.freeze({size: size.text("size", 8), left: size.number("left", 0, 1e6)});
    }),
    note: optional(fields, "note", (key) => {
      const note = fields.fields(key);
      return Object.freeze({text: note.text("text", 120), by: name(note, "by"), at: note.number("at")});
    }),
  });
}

/** Reads the hub's messages with one vocabulary. */
export class Reader {
  /** @param {readonly Attribute[]} attributes */
  constructor(attributes) {
    /** @type {ReadonlyMap<string, readonly string[]>} */
    this.levels = new Map(attributes.map(({name: attribute, levels}) => [attribute, levels]));
  }

  /** @param {unknown} untrusted @returns {Look} */
  #look(untrusted) {
    const fields = new Fields(untrusted ?? {});
    const known = [...this.levels].filter(([attribute, levels]) => levels.includes(/** @type {string} */ (fields.get(attribute))));
    return Object.freeze(Object.fromEntries(known.map(([attribute]) => [attribute, /** @type {string} */ (fields.get(attribute))])));
  }

  /** @param {Uint8Array} payload @returns {Alert | null} */
  alert(payload) {
    return readable(payload, (fields) => {
      const id = fields.text("id");
      if (!ALERT_NAME.test(id)) refuse("id");
      const state = /** @type {State} */ (fields.oneOf("state", STATES));
      const heldBy = optional(fields, "held_by", (key) => name(fields, key));
      const base = {id, state, heldBy, raisedAt: fields.number("raised_at"), expiresAt: fields.number("expires_at")};
      if (ENDED.includes(state)) {
        return {...base, seenAgo: null, unit: null, place: "", simulated: false, boxed: true, oneIn: null, reasons: [], look: {}};
      }
      const rarity = fields.fields("rarity");
      return {
        ...base,
        seenAgo: optional(fields, "seen_ago", (key) => fields.number(key, 0, 86400)),
        unit: optional(fields, "unit", (key) => name(fields, key)),
        place: fields.text("place", 80),
        simulated: fields.flag("simulated"),
        boxed: optional(fields, "boxed", (key) => fields.flag(key)),
        oneIn: optional(rarity, "one_in", (key) => rarity.number(key, 1)),
        reasons: fields.list("reasons", MOST_REASONS, (item) => {
          const reason = new Fields(item);
          return Object.freeze({
            lens: /** @type {"single" | "pair" | "whole"} */ (reason.oneOf("lens", LENSES)),
            text: reason.text("text"),
            oneIn: optional(reason, "one_in", (key) => reason.number(key, 1)),
            attributes: this.#look(reason.get("attributes")),
          });
        }),
        look: this.#look(fields.get("look")),
      };
    });
  }

  /** @param {Uint8Array} payload @returns {Board | null} */
  board(payload) {
    return readable(payload, (fields) => {
      const [people, alerts, baseline] = ["people", "alerts", "baseline"].map((key) => fields.fields(key));
      return {
        at: fields.number("at"),
        simulated: fields.flag("simulated"),
        people: {today: people.number("today"), total: people.number("total")},
        alerts: {open: alerts.number("open"), today: alerts.number("today"), gifted: alerts.number("gifted")},
        baseline: {weight: baseline.number("weight"), ready: baseline.flag("ready"), needs: baseline.number("needs")},
        stock: fields.number("stock"),
        staff: fields.number("staff"),
        staffFree: fields.number("staff_free"),
        units: fields.list("units", MOST_UNITS, (item) => {
          const unit = new Fields(item);
          return Object.freeze({
            unit: name(unit, "unit"),
            place: unit.text("place", 80),
            link: unit.text("link", 24),
            state: unit.text("state", 24),
            source: unit.text("source", 24),
            accelerator: unit.text("accelerator", 24),
            boxed: optional(unit, "boxed", (key) => unit.flag(key)),
            simulated: unit.flag("simulated"),
            fps: unit.number("fps", 0, 1000),
            locked: optional(unit, "locked", (key) => unit.flag(key)) ?? false,
          });
        }),
        notices: (optional(fields, "notices", (key) => fields.list(key, 50, (item) => {
          const notice = new Fields(item);
          return Object.freeze({
            condition: notice.text("condition", 40), place: optional(notice, "place", (of) => notice.text(of, 80)) ?? "",
            title: notice.text("title", 200), todo: notice.text("todo", 400),
          });
        })) ?? []),
        language: (optional(fields, "language", (key) => fields.text(key, 12)) ?? "").split("-")[0],
        retention: optional(fields, "retention", (key) => fields.number(key, 1, 86400)) ?? 300,
        shift: shift(fields.get("shift")),
        usual: fields.list("usual", 200, (item) => {
          const usual = new Fields(item);
          return Object.freeze({
            attribute: usual.text("attribute", 40), word: usual.text("word", 40), share: usual.number("share", 0, 1),
          });
        }).filter(({attribute, word}) => this.levels.get(attribute)?.includes(word)),
      };
    });
  }

  /** Whether the hub is there. @param {Uint8Array} payload @returns {{online: boolean} | null} */
  hubStatus(payload) {
    return readable(payload, (fields) => ({online: fields.oneOf("state", ["online", "offline"]) === "online"}));
  }

  /** @param {Uint8Array} payload @returns {Answer | null} */
  answer(payload) {
    return readable(payload, (fields) => ({
      ok: fields.flag("ok"),
      alert: fields.get("alert") == null ? null : fields.text("alert", 24),
      text: fields.text("text"),
      rule: optional(fields, "rule", (key) => fields.number(key, 0, 1000)) ?? 0,
      by: optional(fields, "by", (key) => fields.text(key, 24)) ?? "",
      why: optional(fields, "why", (key) => fields.text(key, 24)) ?? "",
      left: optional(fields, "left", (key) => fields.number(key, 0, 100)) ?? 0,
    }));
  }

  /** The public numbers of the cameras that wait to be paired. @param {Uint8Array} payload @returns {readonly string[] | null} */
  waiting(payload) {
    return readable(payload, (fields) => ({
      numbers: fields.list("waiting", MOST_UNITS, (item) => (typeof item === "string" && PAIRING_NUMBER.test(item) ? item : refuse("waiting"))),
    }))?.numbers ?? null;
  }
}
