/**
 * Records of a unit that is aimed, read: the same mixed radix as appliance/protocol/aim.py. A test holds both together.
 *
 * Invariant: bytes that are no record are left out; nothing else follows from them.
 */

const COLUMNS = 64;
const ROWS = 36;
const SIZES = 17;
const CELLS = 96;
const ACROSS = 8;
const DOWN = 12;
const POINTS = 12;
/** Bytes of a record. */
const BYTES = 13;
const FIGURE = Object.freeze([16, COLUMNS, ROWS, SIZES, 2, ...Array.from({length: POINTS}, () => CELLS + 1)]);
const VIEW = Object.freeze([16, 10, 64, 16, 16, 16, 64, SIZES, 16, 17, 17, 17, 17, 8, 8, 16, 16, 2, 32768]);
const product = (/** @type {readonly number[]} */ radices) => radices.reduce((all, radix) => all * BigInt(radix), 1n);
const FIGURES = product(FIGURE);
const VIEWS = product(VIEW);

/** Words of advice, by bit. */
export const WORDS = Object.freeze([
  "nobody", "turn_left", "turn_right", "tilt_up", "tilt_down", "too_far", "too_near", "too_steep", "against_light", "too_dark", "too_brief",
  "crowded", "blurred", "no_card", "good",
]);

/** @typedef {{column: number, row: number, share: number, zoned: boolean, points: readonly ({x: number, y: number} | null)[]}} Figure share: of the picture's height; points: in heights, from the feet's middle */
/**
 * @typedef {{state: number, fps: number, people: number, small: number, hidden: number, passed: number, pixels: number, seconds: number,
 *   light: number, against: number, metres: number | null, degrees: number | null, card: boolean, words: readonly string[]}} View
 */
/** @typedef {{view: View, figures: readonly Figure[]}} Picture */

/** @param {bigint} code @param {readonly number[]} radices */
function split(code, radices) {
  const digits = [];
  for (const radix of [...radices].reverse()) {
    digits.push(Number(code % BigInt(radix)));
    code /= BigInt(radix);
  }
  return digits.reverse();
}

/** @param {number[]} digits @returns {Figure} */
function figureOf([, column, row, size, zoned, ...cells]) {
  const points = cells.map((cell) => (cell === 0 ? null : {
    x: (((cell - 1) % ACROSS) + 0.5 - ACROSS / 2) / DOWN, y: (Math.floor((cell - 1) / ACROSS) + 0.5) / DOWN - 1,
  }));
  return Object.freeze({column, row, share: 1.25 ** (size - SIZES + 1), zoned: zoned === 1, points});
}

/** @param {number[]} digits @returns {View} */
function viewOf([, state, fps, people, small, hidden, passed, size, stay, , , , , light, against, height, tilt, card, words]) {
  return Object.freeze({
    state, fps, people, small, hidden, passed, light, against, card: card === 1,
    pixels: size ? 40 * 1.25 ** (size - 1) : 0, seconds: stay ? 0.5 * 1.4 ** (stay - 1) : 0,
    metres: height ? height / 2 : null, degrees: tilt ? (tilt - 1) * 5 - 20 : null,
    words: WORDS.filter((_, bit) => (words >> bit) & 1),
  });
}

/** Puts records together as they come: a view begins a picture, figures of its tick belong to it. */
export class Pictures {
  /** @type {Picture | null} */ last = null;
  #tick = -1;

  /** Take a message in; the figures that are new with it, or null where it holds no record. @param {Uint8Array} payload @returns {readonly Figure[] | null} */
  take(payload) {
    /** @type {Figure[] | null} */ let fresh = null;
    for (let at = 0; at + BYTES <= payload.length; at += BYTES) {
      let code = 0n;
      for (const byte of payload.subarray(at, at + BYTES)) code = (code << 8n) | BigInt(byte);
      if (code >= FIGURES + VIEWS) continue;
      fresh ??= [];
      if (code < FIGURES) {
        const digits = split(code, FIGURE);
        if (!this.last || digits[0] !== this.#tick) continue;
        const figure = figureOf(digits);
        fresh.push(figure);
        this.last = Object.freeze({view: this.last.view, figures: [...this.last.figures, figure]});
      } else {
        const digits = split(code - FIGURES, VIEW);
        [this.#tick] = digits;
        this.last = Object.freeze({view: viewOf(digits), figures: []});
      }
    }
    return fresh;
  }
}

export const GRID = Object.freeze({columns: COLUMNS, rows: ROWS});
