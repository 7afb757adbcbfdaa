/**
 * The drawn figure: a mannequin in the garments that were read, never a likeness.
 *
 * Invariants:
 *  - It is drawn from words of the vocabulary alone; the same words give the same drawing.
 *  - It has no body of its own: one mannequin for everybody, a blank disc for a head, no skin, no face, no hair.
 *  - What is unknown is hatched with a dashed outline, and so looks unknown.
 */
import {svg} from "./dom.js";

/** Cloth of each colour word: the drawing's own palette, the same in light and dark. @type {Readonly<Record<string, string>>} */
export const CLOTH = Object.freeze({
  black: "#232428", grey: "#8f949b", white: "#fafaf7", red: "#c9252d", orange: "#ec7a1c", brown: "#74492c", yellow: "#f4c430",
  green: "#2f8049", blue: "#2a5cb8", purple: "#6d3f9e", pink: "#ef94b8", beige: "#dcc7a2",
});
/** @type {Readonly<Record<string, string>>} */
const SHOE = Object.freeze({dark: "#2b2a2d", light: "#f1eee6"});
const MANNEQUIN = "#c3c8cf";
const MANNEQUIN_EDGE = "#8b929b";

/** Mix two colours. @param {string} a `#rrggbb` @param {string} b `#rrggbb` @param {number} share of b, 0 to 1 */
function mix(a, b, share) {
  const part = (/** @type {string} */ colour, /** @type {number} */ at) => parseInt(colour.slice(at, at + 2), 16);
  return `#${[1, 3, 5].map((at) => Math.round(part(a, at) * (1 - share) + part(b, at) * share).toString(16).padStart(2, "0")).join("")}`;
}

/** Perceived lightness, 0 to 1. @param {string} colour `#rrggbb` */
function lightness(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  return 0.3 * red + 0.59 * green + 0.11 * blue;
}

/** The line around a cloth: darker than a light one, lighter than a black one. @param {string} colour */
const edge = (colour) => (lightness(colour) < 0.2 ? mix(colour, "#ffffff", 0.42) : mix(colour, "#000000", 0.42));
/** What a pattern is drawn with when no second colour is known. @param {string} colour */
const contrast = (colour) => (lightness(colour) < 0.45 ? mix(colour, "#ffffff", 0.55) : mix(colour, "#000000", 0.45));

/**
 * @typedef {object} Cloth how a garment is painted
 * @property {string} fill a colour or a reference to a pattern
 * @property {string} edge
 * @property {string | null} trim second colour, shown at the edges of a plain cloth
 * @property {boolean} known
 */

/** One flower of a figured cloth. @param {number} x @param {number} y @param {string} petal @param {string} heart */
function flower(x, y, petal, heart) {
  const petals = [0, 1, 2, 3, 4].map((turn) => {
    const angle = turn * 2 * Math.PI / 5 - Math.PI / 2;
    return svg("circle", {cx: (x + 3.4 * Math.cos(angle)).toFixed(2), cy: (y + 3.4 * Math.sin(angle)).toFixed(2), r: 2.5, fill: petal});
  });
  return [...petals, svg("circle", {cx: x, cy: y, r: 1.8, fill: heart})];
}

/** What is repeated over a cloth: size of the tile and its drawing. @param {string} kind @param {string} base @param {string} second @returns {[number, SVGElement[]]} */
function tile(kind, base, second) {
  /** @param {Record<string, string | number>} attributes */
  const rect = (attributes) => svg("rect", {fill: second, ...attributes});
  switch (kind) {
    case "striped":
      return [14, [rect({x: 0, y: 0, width: 14, height: 6})]];
    case "checked":
      return [24, [
        rect({x: 0, y: 0, width: 24, height: 9, opacity: 0.62}), rect({x: 0, y: 0, width: 9, height: 24, opacity: 0.62}),
        rect({x: 0, y: 16, width: 24, height: 1.6, opacity: 0.9}), rect({x: 16, y: 0, width: 1.6, height: 24, opacity: 0.9}),
      ]];
    case "figured": {
      const heart = mix(second, base, 0.55);
      return [30, [...flower(8, 8, second, heart), ...flower(23, 22, second, heart)]];
    }
    default: // "patterned": some pattern, not known which
      return [26, [
        svg("path", {d: "M2 7 l4 -5 4 5 4 -5", fill: "none", stroke: second, "stroke-width": 2.2, "stroke-linejoin": "round"}),
        svg("circle", {cx: 20.5, cy: 10, r: 2.6, fill: second}),
        svg("path", {d: "M4 16 l7 3 -6 4.5 z", fill: second}),
        svg("path", {d: "M16 18 l7 5", stroke: second, "stroke-width": 2.4, "stroke-linecap": "round"}),
      ]];
  }
}

/** Collects the patterns of one drawing under names of their own. */
class Wardrobe {
  /** @param {string} prefix unique in the page */
  constructor(prefix) {
    this.prefix = prefix;
    this.defs = svg("defs");
    this.count = 0;
  }

  /** @param {number} size @param {readonly SVGElement[]} drawing @param {string} base @param {string} [transform] */
  pattern(size, drawing, base, transform) {
    const id = `${this.prefix}-${this.count += 1}`;
    this.defs.append(svg(
      "pattern", {id, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: transform},
      svg("rect", {width: size, height: size, fill: base}), ...drawing,
    ));
    return `url(#${id})`;
  }

  /** @returns {Cloth} */
  unknown() {
    const lines = svg("rect", {x: 0, y: 0, width: 1.6, height: 9, fill: "#8b929b", opacity: 0.75});
    return {fill: this.pattern(9, [lines], "#e4e7eb", "rotate(45)"), edge: "#7c838d", trim: null, known: false};
  }

  /** @param {Readonly<Record<string, string>>} look @param {string} part `top` or `bottom` @returns {Cloth} */
  cloth(look, part) {
    const colour = CLOTH[look[`${part}.colour`]];
    const accent = look[`${part}.accent`] === look[`${part}.colour`] ? undefined : CLOTH[look[`${part}.accent`]];
    const kind = look[`${part}.pattern`];
    const patterned = kind !== undefined && kind !== "plain";
    if (!colour && !patterned) return {...this.unknown(), trim: accent ?? null};
    const base = colour ?? "#e4e7eb";
    if (!patterned) return {fill: base, edge: edge(base), trim: accent ?? null, known: true};
    const [size, drawing] = tile(kind, base, accent ?? contrast(base));
    const turn = kind === "striped" && part === "bottom" ? "rotate(90)" : undefined;
    return {fill: this.pattern(size, drawing, base, turn), edge: edge(base), trim: null, known: true};
  }

  /** @param {string | undefined} word @returns {Cloth} */
  shoe(word) {
    if (word === undefined) return this.unknown();
    const plain = SHOE[word];
    if (plain) return {fill: plain, edge: edge(plain), trim: null, known: true};
    const bands = ["#c9252d", "#f4c430", "#2a5cb8", "#2f8049"].map((fill, at) => svg("rect", {x: at * 5, y: 0, width: 5, height: 20, fill}));
    return {fill: this.pattern(20, bands, "#c9252d", "rotate(20)"), edge: "#4b4f57", trim: null, known: true};
  }
}

/** @param {string} d @param {Cloth} cloth @param {string} part @returns {SVGElement} */
function piece(d, cloth, part) {
  return svg("path", {
    d, fill: cloth.fill, stroke: cloth.edge, "stroke-width": 2, "stroke-linejoin": "round",
    "stroke-dasharray": cloth.known ? null : "5 4", "data-part": part, "data-known": cloth.known ? "yes" : "no",
  });
}

/** Left half and its mirror image. @param {...SVGElement} left */
function both(...left) {
  return [svg("g", {}, ...left), svg("g", {transform: "matrix(-1 0 0 1 240 0)"}, ...left.map((node) => /** @type {SVGElement} */ (node.cloneNode(true))))];
}

/** @param {string} d @param {Record<string, string | number>} [more] */
const line = (d, more = {}) => svg("path", {d, fill: "none", stroke: "#000000", "stroke-opacity": 0.28, "stroke-width": 1.6, "stroke-linecap": "round", ...more});

const SHAPE = Object.freeze({
  torso: "M102 86 Q120 101 138 86 L157 93 Q169 98 170 112 L163 158 L161 232 Q120 240 79 232 L77 158 L70 112 Q71 98 83 93 Z",
  sleeveLong: "M85 92 Q70 96 66 114 L48 222 Q47 228 53 229 L65 231 Q71 232 72 226 L86 150 Z",
  sleeveShort: "M85 92 Q70 96 66 114 L58 158 Q72 166 83 163 L86 146 Z",
  cuffLong: "M49.5 214 L48 222 Q47 228 53 229 L65 231 Q71 232 72 226 L73.5 217 Z",
  cuffShort: "M59.5 150 L58 158 Q72 166 83 163 L84.5 155 Q71 158 59.5 150 Z",
  arm: "M80 100 Q70 104 67 118 L50 234 Q54 244 62 240 L84 140 Z",
  leg: "M82 226 L118 230 L116 300 L112 418 L92 418 L84 300 Z",
  trousers: "M79 226 Q120 234 161 226 L165 262 L155 418 L127 418 L120 284 L113 418 L85 418 L75 262 Z",
  shorts: "M79 226 Q120 234 161 226 L165 262 L161 322 L125 322 L120 284 L115 322 L79 322 L75 262 Z",
  skirt: "M82 226 Q120 234 158 226 L186 352 Q120 372 54 352 Z",
  shinsBelow: "M79 322 L115 322 L113 418 L85 418 Z",
  shoe: "M88 414 L113 414 L114 438 Q114 443 108 443 L76 443 Q69 443 71 436 Q74 430 83 428 Q87 424 88 414 Z",
  dress: "M102 86 Q120 101 138 86 L157 93 Q169 98 170 112 L163 158 L157 216 L188 354 Q120 374 52 354 L83 216 L77 158 L70 112 Q71 98 83 93 Z",
  overall: "M102 86 Q120 101 138 86 L157 93 Q169 98 170 112 L163 158 L161 230 L165 264 L155 418 L127 418 L120 290 L113 418 L85 418 L75 264 L79 230 L77 158 L70 112 Q71 98 83 93 Z",
  overallShort: "M102 86 Q120 101 138 86 L157 93 Q169 98 170 112 L163 158 L161 230 L165 264 L161 322 L125 322 L120 290 L115 322 L79 322 L75 264 L79 230 L77 158 L70 112 Q71 98 83 93 Z",
  coat: "M100 84 Q120 97 140 84 L158 92 Q171 97 172 112 L166 160 L168 276 Q120 286 72 276 L74 160 L68 112 Q69 97 82 92 Z",
  coatHalf: "M104 84 L82 92 Q69 97 68 112 L74 160 L70 278 Q86 284 100 282 L109 150 Z",
  lapel: "M104 84 L96 96 L99 130 L109 152 L113 112 Z",
});

/** The mannequin that shows where no cloth is. */
function mannequin() {
  const limb = {fill: MANNEQUIN, stroke: MANNEQUIN_EDGE, "stroke-width": 1.5, "stroke-linejoin": "round"};
  return svg(
    "g", {"data-part": "mannequin"},
    ...both(svg("path", {...limb, d: SHAPE.leg}), svg("path", {...limb, d: SHAPE.arm})),
    svg("path", {...limb, d: "M109 66 L131 66 L133 92 Q120 104 107 92 Z"}),
    svg("circle", {...limb, cx: 120, cy: 44, r: 27}),
  );
}

/** What is worn below. @param {Readonly<Record<string, string>>} look @param {Cloth} cloth @param {Wardrobe} wardrobe @returns {SVGElement[]} */
function lower(look, cloth, wardrobe) {
  const kind = look["lower.kind"];
  const hem = (/** @type {string} */ d) => (cloth.trim ? [line(d, {stroke: cloth.trim, "stroke-opacity": 1, "stroke-width": 6, "stroke-linecap": "butt"})] : []);
  switch (kind) {
    case "trousers":
      return [piece(SHAPE.trousers, cloth, "lower"), line("M120 236 L120 284"), line("M98 300 L99 408"), line("M142 300 L141 408"), ...hem("M86 411 L112 411 M128 411 L154 411")];
    case "shorts":
      return [piece(SHAPE.shorts, cloth, "lower"), line("M120 236 L120 284"), ...hem("M80 315 L114 315 M126 315 L160 315")];
    case "skirt_or_dress":
      return [piece(SHAPE.skirt, cloth, "lower"), line("M104 250 L90 352"), line("M136 250 L150 352"), line("M120 250 L120 360"), ...hem("M56 345 Q120 364 184 345")];
    default: { // the cloth where every kind has some, and hatching where only some kinds have
      const unsure = wardrobe.unknown();
      return [...both(piece(SHAPE.shinsBelow, unsure, "lower-unknown")), piece(SHAPE.shorts, {...cloth, known: false}, "lower")];
    }
  }
}

/** What is worn above, without outer layer. @param {Readonly<Record<string, string>>} look @param {Cloth} cloth @param {Wardrobe} wardrobe @returns {SVGElement[]} */
function upper(look, cloth, wardrobe) {
  const trim = (/** @type {string} */ d) => (cloth.trim ? [svg("path", {d, fill: cloth.trim, stroke: edge(cloth.trim), "stroke-width": 1.2})] : []);
  const long = look.sleeves !== "short";
  const sleeve = look.sleeves === undefined
    ? [piece(SHAPE.sleeveLong, wardrobe.unknown(), "sleeve-unknown"), piece(SHAPE.sleeveShort, cloth, "sleeve")]
    : [piece(long ? SHAPE.sleeveLong : SHAPE.sleeveShort, cloth, "sleeve"), ...trim(long ? SHAPE.cuffLong : SHAPE.cuffShort)];
  const collar = cloth.trim
    ? [line("M102 87 Q120 102 138 87", {stroke: cloth.trim, "stroke-opacity": 1, "stroke-width": 6}), line("M80 228 Q120 236 160 228", {stroke: cloth.trim, "stroke-opacity": 1, "stroke-width": 6, "stroke-linecap": "butt"})]
    : [];
  return [...both(...sleeve), piece(SHAPE.torso, cloth, "top"), ...collar, line("M86 150 L84 200"), line("M154 150 L156 200")];
}

/** The same cloth above and below. @param {Readonly<Record<string, string>>} look @param {Cloth} cloth @param {Wardrobe} wardrobe @returns {SVGElement[]} */
function onePiece(look, cloth, wardrobe) {
  const kind = look["lower.kind"];
  const d = kind === "skirt_or_dress" ? SHAPE.dress : kind === "shorts" ? SHAPE.overallShort : SHAPE.overall;
  const folds = kind === "skirt_or_dress"
    ? [line("M106 240 L92 354"), line("M134 240 L148 354"), line("M84 218 Q120 226 156 218")]
    : [line("M120 100 L120 286"), line("M80 228 Q120 236 160 228", {"stroke-dasharray": "4 4"})];
  const sleeves = upper(look, {...cloth, trim: null}, wardrobe).slice(0, 2);
  const trim = cloth.trim ? [line("M102 87 Q120 102 138 87", {stroke: cloth.trim, "stroke-opacity": 1, "stroke-width": 6})] : [];
  return [...sleeves, piece(d, kind === undefined ? {...cloth, known: false} : cloth, "one-piece"), ...folds, ...trim];
}

/** The outer layer; it is what the colours above the waist belong to. @param {string} outer @param {Cloth} cloth @returns {SVGElement[]} */
function outerLayer(outer, cloth) {
  const sleeves = both(piece(SHAPE.sleeveLong, cloth, "sleeve"), ...(cloth.trim ? [svg("path", {d: SHAPE.cuffLong, fill: cloth.trim})] : []));
  if (outer === "closed") {
    return [
      ...sleeves, piece(SHAPE.coat, cloth, "outer"),
      line("M120 98 L120 281", {"stroke-width": 2.2, "stroke-opacity": 0.45, ...(cloth.trim ? {stroke: cloth.trim, "stroke-opacity": 1, "stroke-width": 5} : {})}),
      line("M84 226 L104 231 M156 226 L136 231", {"stroke-width": 2.4}), line("M101 86 L116 112 M139 86 L124 112"),
    ];
  }
  return [...sleeves, ...both(piece(SHAPE.coatHalf, cloth, "outer"), piece(SHAPE.lapel, cloth, "lapel"))];
}

function bag() {
  const ink = {stroke: "#3f444c", "stroke-linejoin": "round"};
  return svg(
    "g", {"data-part": "bag"},
    svg("path", {d: "M146 90 L84 244", fill: "none", stroke: "#3f444c", "stroke-width": 5}),
    svg("path", {d: "M146 90 L84 244", fill: "none", stroke: "#d7dbe0", "stroke-width": 2.4}),
    svg("rect", {x: 58, y: 240, width: 50, height: 42, rx: 8, fill: "#d7dbe0", "stroke-width": 2, ...ink}),
    svg("path", {d: "M58 256 Q83 270 108 256", fill: "none", "stroke-width": 2, ...ink}),
    svg("circle", {cx: 83, cy: 263, r: 2.6, fill: "#3f444c"}),
  );
}

/**
 * The drawing of a look.
 * @param {Readonly<Record<string, string>>} look words by attribute; what is unknown is absent
 * @param {{name: string, label: string}} options a name unique in the page, and the drawing in words
 * @returns {SVGElement}
 */
export function figure(look, {name, label}) {
  const wardrobe = new Wardrobe(`cloth-${name}`);
  const top = wardrobe.cloth(look, "top");
  const bottom = wardrobe.cloth(look, "bottom");
  const shoes = both(piece(SHAPE.shoe, wardrobe.shoe(look["feet.colour"]), "feet"));
  const layered = look.outer === "open" || look.outer === "closed";
  const inner = layered ? {...wardrobe.unknown(), trim: null} : top;
  const clothes = look.one_piece === "yes" && !layered
    ? onePiece(look, top.known ? top : bottom, wardrobe)
    : [...lower(look, bottom, wardrobe), ...(look.outer === "closed" ? [] : upper(layered ? {sleeves: "long"} : look, inner, wardrobe))];
  return svg(
    "svg", {viewBox: "34 8 172 444", role: "img", "aria-label": label, class: "figure"},
    wardrobe.defs,
    svg("ellipse", {cx: 120, cy: 441, rx: 62, ry: 8, fill: "#000000", opacity: 0.13}),
    mannequin(), ...shoes, ...clothes, ...(layered ? outerLayer(look.outer, top) : []), look.bag === "yes" && bag(),
  );
}
