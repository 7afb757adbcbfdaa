/**
 * The rarity strip: everybody of the last minutes as a dot, the rarer the higher; drawn on one canvas.
 *
 * Invariants: a dot's place in its class is made up from the clock and its number, and means nothing.
 */

/** @typedef {import("./room_read.js").Live} Live */

const CLASSES = 6;
/** Radius of a dot by class, in parts of a sixth of the height. */
const SIZES = Object.freeze([0.13, 0.14, 0.17, 0.21, 0.27, 0.34]);
/** Of the height, from the commonest to the rarest class. */
const HEIGHTS = Object.freeze([0.28, 0.18, 0.14, 0.135, 0.13, 0.135]);

/** A number between 0 and 1 that looks like chance and is the same each time. @param {number} seed */
function scattered(seed) {
  let value = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}

/** Middle and height of a class, 0 (top) to 1. @param {number} kind */
export function classBand(kind) {
  const below = HEIGHTS.slice(0, kind).reduce((sum, part) => sum + part, 0);
  return {middle: 1 - below - HEIGHTS[kind] / 2, height: HEIGHTS[kind]};
}

/** Draw on `canvas` how it is at `now`, the hub's clock in seconds. @param {HTMLCanvasElement} canvas @param {Live} live @param {number} now */
export function drawStrip(canvas, live, now) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const scale = Math.min(2, devicePixelRatio || 1);
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const inks = Array.from({length: CLASSES}, (_, kind) => style.getPropertyValue(`--class-${kind}`).trim() || "#888888");
  const here = Math.floor(live.at / live.step);
  pen.lineWidth = 2;
  const real = style.getPropertyValue("--real").trim() || "#d2380e";
  // Real people stand before made-up ones, and out from them.
  const order = live.simulated ? [...live.dots].sort((a, b) => Number(b.simulated) - Number(a.simulated)) : live.dots;
  for (const {ago, kind, simulated, number} of order) {
    const {middle, height: part} = classBand(kind);
    const step = here - ago;
    const stands = live.simulated && !simulated;
    const radius = Math.max(2.5, SIZES[kind] * Math.min(height / 6, 90)) * (stands ? 1.5 : 1);
    for (let place = 0; place < number; place += 1) {
      const seed = step * 131 + kind * 17 + place * 7919 + (simulated ? 1 : 0);
      const age = now - (step + scattered(seed)) * live.step;
      const x = width * (1 - age / live.window);
      const y = height * (middle + (scattered(seed + 1) - 0.5) * part * 0.8);
      pen.beginPath();
      pen.arc(Math.min(x, width - radius), y, radius, 0, 2 * Math.PI);
      pen.globalAlpha = Math.max(0.12, Math.min(1, 1.15 - age / live.window));
      pen.fillStyle = pen.strokeStyle = stands ? real : inks[kind];
      if (simulated) pen.stroke();
      else pen.fill();
    }
  }
  pen.globalAlpha = 1;
}
