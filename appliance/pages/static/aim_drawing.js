/**
 * Stick figures, heat and zones on the picture's coarse grid, and the plan of the booth. No picture is ever drawn: there is none.
 *
 * Invariants: what is drawn lives as long as this page; a head is a circle over the shoulders, drawn for the eye.
 */
import {GRID} from "./aim_codec.js";
import {svg} from "./dom.js";

/** Bones between joints: shoulders, elbows, wrists, hips, knees, ankles, left before right. */
const BONES = Object.freeze([[0, 1], [0, 2], [2, 4], [1, 3], [3, 5], [0, 6], [1, 7], [6, 7], [6, 8], [8, 10], [7, 9], [9, 11]]);
const DIRECTIONS = Object.freeze(["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"]);
const {columns, rows} = GRID;

/** @typedef {readonly (readonly [number, number])[]} Zone */

/** One figure, in columns and rows. @param {import("./aim_codec.js").Figure} figure */
export function drawnFigure({column, row, share, zoned, points}) {
  const high = share * rows;
  const at = points.map((point) => (point === null ? null : [column + 0.5 + point.x * high, row + 0.5 + point.y * high]));
  const lines = BONES.flatMap(([from, to]) => {
    const [a, b] = [at[from], at[to]];
    return a && b ? [svg("line", {x1: a[0], y1: a[1], x2: b[0], y2: b[1]})] : [];
  });
  const [left, right] = [at[0], at[1]];
  const neck = left && right ? [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2] : left ?? right;
  const head = neck ? svg("circle", {cx: neck[0], cy: neck[1] - 0.1 * high, r: 0.06 * high}) : null;
  return svg("g", {class: zoned ? "figure figure-zoned" : "figure", "stroke-width": Math.max(0.14, 0.018 * high)}, ...lines, head);
}

/** Where people walked: how often feet were in each cell. */
export class Heat {
  #counts = new Uint32Array(columns * rows);
  #most = 0;

  /** @param {readonly import("./aim_codec.js").Figure[]} figures */
  add(figures) {
    for (const {column, row} of figures) {
      const count = ++this.#counts[row * columns + column];
      this.#most = Math.max(this.#most, count);
    }
  }

  clear() {
    this.#counts.fill(0);
    this.#most = 0;
  }

  drawn() {
    const cells = [];
    for (let at = 0; at < this.#counts.length; at++) {
      if (!this.#counts[at]) continue;
      const strength = 0.15 + 0.6 * Math.sqrt(this.#counts[at] / this.#most);
      cells.push(svg("rect", {class: "heat", x: at % columns, y: Math.floor(at / columns), width: 1, height: 1, "fill-opacity": strength.toFixed(2)}));
    }
    return svg("g", {}, ...cells);
  }
}

/** @param {Zone} zone @param {boolean} open whether it is still being drawn */
export function drawnZone(zone, open = false) {
  const points = zone.map((corner) => corner.join(",")).join(" ");
  const corners = open ? zone.map(([x, y]) => svg("circle", {class: "corner", cx: x, cy: y, r: 0.5})) : [];
  return svg("g", {}, svg(open ? "polyline" : "polygon", {class: open ? "zone zone-open" : "zone", points}), ...corners);
}

/** The booth from above, and which way each camera looks. @param {readonly {unit: string, place: string, looks: string}[]} units @param {string} chosen @param {string} north */
export function drawnPlan(units, chosen, north) {
  const wedges = units.filter(({looks}) => DIRECTIONS.includes(looks)).map(({unit, looks}) => {
    const middle = DIRECTIONS.indexOf(looks) * 45;
    const [a, b] = [middle - 30, middle + 30].map((degrees) => [44 * Math.sin((degrees * Math.PI) / 180), -44 * Math.cos((degrees * Math.PI) / 180)]);
    return svg("path", {class: unit === chosen ? "wedge wedge-chosen" : "wedge", d: `M0,0 L${a[0].toFixed(1)},${a[1].toFixed(1)} A44,44 0 0 1 ${b[0].toFixed(1)},${b[1].toFixed(1)} Z`}, svg("title", {}, unit));
  });
  return svg("svg", {class: "plan", viewBox: "-52 -60 104 112", role: "img", "aria-label": north}, ...wedges,
    svg("rect", {class: "booth", x: -9, y: -9, width: 18, height: 18, rx: 3}), svg("text", {class: "north", x: 0, y: -50, "text-anchor": "middle"}, north));
}
