/**
 * The big screen's charts: pictures of numbers, each with a table of the same numbers behind it.
 *
 * Invariants: drawn from frozen values alone; every picture is hidden from screen readers, its table is not.
 */
import {el, svg} from "./dom.js";
import {CLOTH} from "./figure.js";
import {REST} from "./room_read.js";

/** @typedef {import("./room_read.js").Trends} Trends */
/** @typedef {import("./room_read.js").Share} Share */
/** @typedef {{from: number, to: number}} Frame unix seconds */
/** @typedef {{at: number, x: number, top: number, bottom: number}} Point */

const LEAST_FRAME = 2 * 3600;
const MOST_FRAME = 12 * 3600;
/** A pause this long, in seconds, interrupts a river. */
const PAUSE = 3600;
/** A band at least this thick, of the whole, bears its word. */
const LABELLED = 0.085;

/** The time that is drawn: as far back as something is told, two to twelve hours. @param {Trends} trends @param {number} now @returns {Frame} */
export function frameOf(trends, now) {
  const first = Math.min(...trends.starts, now - LEAST_FRAME);
  return {from: Math.max(first, now - MOST_FRAME), to: now};
}

/** Where an instant lies, 0 to 1. @param {Frame} frame @param {number} at */
const across = (frame, at) => Math.min(1, Math.max(0, (at - frame.from) / (frame.to - frame.from)));

/**
 * The numbers behind a picture. Where tables are shown they can be scrolled, so the keyboard must reach them.
 * @param {string} name @param {readonly string[]} heads @param {readonly (readonly (string | number)[])[]} rows
 */
export function table(name, heads, rows) {
  return el("table", {class: "behind", tabindex: document.body.classList.contains("tables") ? 0 : null}, el("caption", {}, name), el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", {scope: "col"}, head)))),
    el("tbody", {}, ...rows.map(([first, ...rest]) => el("tr", {}, el("th", {scope: "row"}, first), ...rest.map((value) => el("td", {}, value))))));
}

/** Black or white, whichever reads on a cloth. @param {string} cloth `#rrggbb` */
function inkOn(cloth) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(cloth.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#14181d" : "#ffffff";
}

/** @param {readonly Point[]} points one band of one stretch, left to right */
function bandPath(points) {
  /** @param {readonly (readonly [number, number])[]} line */
  const along = (line) => line.slice(1).map(([x, y], at) => {
    const [before, level] = line[at];
    const middle = (before + x) / 2;
    return `C${middle} ${level} ${middle} ${y} ${x} ${y}`;
  }).join("");
  const top = points.map(({x, top: y}) => /** @type {const} */ ([x, y]));
  const bottom = points.map(({x, bottom: y}) => /** @type {const} */ ([x, y])).reverse();
  return `M${top[0].join(" ")}${along(top)}L${bottom[0].join(" ")}${along(bottom)}Z`;
}

/**
 * What is told of an attribute; words that most spans do not tell are added to the rest, or bands would come and go.
 * @param {Trends} trends @param {string} attribute @returns {Map<string, readonly number[]>}
 */
function cellsOf(trends, attribute) {
  const told = trends.cells.get(attribute) ?? new Map();
  /** @type {Map<string, readonly number[]>} */ const found = new Map();
  const rest = trends.starts.map((_, at) => told.get(REST)?.[at] ?? 0);
  for (const [word, numbers] of told) {
    if (word === REST) continue;
    if (2 * numbers.filter((/** @type {number} */ number) => number).length >= rest.length) found.set(word, numbers);
    else rest.forEach((_, at) => (rest[at] += numbers[at]));
  }
  return rest.some((number) => number) ? found.set(REST, rest) : found;
}

/**
 * The shares of each span as stacked bands, in stretches without a pause.
 * @param {Trends} trends @param {string} attribute @param {Frame} frame
 * @returns {Map<string, Point[][]>} by word, stretches of points in a square of 1000
 */
function bands(trends, attribute, frame) {
  const cells = cellsOf(trends, attribute);
  /** @type {Map<string, Point[][]>} */ const found = new Map([...cells.keys()].map((word) => [word, []]));
  let ended = -Infinity;
  trends.starts.forEach((start, at) => {
    const total = [...cells.values()].reduce((sum, numbers) => sum + numbers[at], 0);
    const end = start + trends.quarters[at] * trends.quarter;
    if (!total || end <= frame.from) return;
    const fresh = start - ended >= PAUSE;
    ended = end;
    let low = 1000;
    for (const [word, numbers] of cells) {
      const high = low - (1000 * numbers[at]) / total;
      const stretches = found.get(word) ?? [];
      if (fresh) stretches.push([{at, x: 1000 * across(frame, start), top: high, bottom: low}]);
      const stretch = stretches[stretches.length - 1];
      if (!fresh) stretch.pop(); // the end of the span before: the band flows on from its middle
      stretch.push({at, x: 1000 * across(frame, (start + end) / 2), top: high, bottom: low}, {at, x: 1000 * across(frame, end), top: high, bottom: low});
      low = high;
    }
  });
  return found;
}

/** Whole hours within a frame, as many as there is room for. @param {Frame} frame @param {(at: number) => string} time */
function hours(frame, time) {
  const every = [1, 2, 3, 4].find((step) => (frame.to - frame.from) / 3600 / step <= (innerWidth < 1400 ? 3 : 6)) ?? 4;
  const found = [];
  const first = new Date(frame.from * 1000);
  first.setMinutes(60, 0, 0);
  for (let at = first.getTime() / 1000; at < frame.to - (frame.to - frame.from) / 20; at += 3600) {
    if (new Date(at * 1000).getHours() % every === 0) {
      const mark = el("span", {}, time(at));
      mark.style.setProperty("left", `${100 * across(frame, at)}%`);
      found.push(mark);
    }
  }
  return el("div", {class: "hours"}, ...found);
}

/** One column of stacked shares. @param {ReadonlyMap<string, Share> | undefined} shares @param {readonly string[]} order @param {string} name */
function column(shares, order, name) {
  if (!shares?.size) return null;
  const total = Math.max(100, [...shares.values()].reduce((sum, [part]) => sum + part, 0));
  const parts = order.filter((word) => shares.has(word)).map((word) => {
    const [part] = /** @type {Share} */ (shares.get(word));
    const box = el("span", {class: "part", title: word}, part >= 9 ? `${part}` : "");
    box.style.setProperty("height", `${(100 * part) / total}%`);
    box.style.setProperty("background", CLOTH[word]);
    box.style.setProperty("color", inkOn(CLOTH[word]));
    return box;
  });
  return el("div", {class: "column"}, el("div", {class: "stack"}, ...parts), el("span", {class: "column-name"}, name));
}

/**
 * @typedef {object} Said
 * @property {string} name
 * @property {string} now
 * @property {string} usual
 * @property {string} nothing
 * @property {string} time the head of the column
 * @property {string} people
 * @property {(word: string) => string} word
 * @property {(at: number) => string} hour
 */

/** A river of colours, and beside it the last hour and what is usual. @param {Trends} trends @param {string} attribute @param {number} now @param {Said} said */
export function river(trends, attribute, now, said) {
  const frame = frameOf(trends, now);
  const found = bands(trends, attribute, frame);
  const order = [...found.keys()];
  const labels = [];
  const paths = [];
  for (const [word, stretches] of found) {
    const cloth = CLOTH[word];
    for (const stretch of stretches) {
      const path = svg("path", {d: bandPath(stretch), class: cloth ? "band" : "band band-rest"});
      if (cloth) path.style.setProperty("fill", cloth);
      paths.push(path);
    }
    const thick = stretches.flat().filter(({x}) => x > 110 && x < 890).sort((a, b) => b.bottom - b.top - (a.bottom - a.top))[0];
    if (thick && thick.bottom - thick.top >= 1000 * LABELLED) {
      const label = el("span", {class: cloth ? "band-word" : "band-word band-word-rest"}, said.word(word));
      label.style.setProperty("left", `${thick.x / 10}%`);
      label.style.setProperty("top", `${(thick.top + thick.bottom) / 20}%`);
      if (cloth) {
        label.style.setProperty("color", inkOn(cloth));
        label.style.setProperty("--cloth", cloth); // where the band is thinner than the word, its neighbours must not swallow it
      }
      labels.push(label);
    }
  }
  const known = [...new Set([...order, ...(trends.usual.get(attribute)?.keys() ?? [])])].filter((word) => word !== REST);
  const rows = trends.starts.map((start, at) => {
    const total = [...(trends.cells.get(attribute)?.values() ?? [])].reduce((sum, numbers) => sum + numbers[at], 0);
    return [said.hour(start), trends.people[at], ...order.map((word) => (total ? `${Math.round((100 * (trends.cells.get(attribute)?.get(word)?.[at] ?? 0)) / total)} %` : "–"))];
  });
  return [
    el("div", {class: "river", "aria-hidden": "true"},
      el("div", {class: "river-plot"},
        paths.length ? svg("svg", {viewBox: "0 0 1000 1000", preserveAspectRatio: "none"}, ...paths) : el("p", {class: "nothing"}, said.nothing),
        ...labels, hours(frame, said.hour)),
      column(trends.recent.get(attribute), known, said.now), column(trends.usual.get(attribute), known, said.usual)),
    table(said.name, [said.time, said.people, ...order.map(said.word)], rows),
  ];
}

/**
 * Rows of shares: the last hour with its interval, and the mark of what is usual.
 * @param {readonly {label: string, now: Share, usual: Share | undefined}[]} rows @param {string} name @param {readonly string[]} heads
 */
export function intervals(rows, name, heads) {
  const most = Math.min(100, 10 * Math.ceil(Math.max(10, ...rows.flatMap(({now, usual}) => [now[2], usual?.[0] ?? 0])) / 10));
  const drawn = rows.map(({label, now: [share, low, high], usual}) => {
    const moved = usual && (usual[0] < low || usual[0] > high);
    const track = el("span", {class: "track"}, usual ? el("span", {class: "usual-mark"}) : null, el("span", {class: "interval"}), el("span", {class: "now-dot"}));
    for (const [key, value] of Object.entries({"--low": low, "--high": high, "--now": share, "--usual": usual?.[0] ?? 0})) track.style.setProperty(key, `${(100 * value) / most}%`);
    return el("li", {class: moved ? "row row-moved" : "row"}, el("span", {class: "row-label"}, label), track, el("span", {class: "row-value"}, `${share}\u00a0%`));
  });
  const told = rows.map(({label, now: [share, low, high], usual}) => [label, `${share} %`, `${low}–${high} %`, usual ? `${usual[0]} %` : "–"]);
  return [el("ul", {class: "rows", "aria-hidden": "true"}, ...drawn), table(name, heads, told)];
}

/**
 * Alerts by the quarter in which they were raised, stacked by their end.
 * @param {Trends} trends @param {number} now @param {(at: number) => string} hour @param {readonly string[]} order ends, from below
 */
export function timeline(trends, now, hour, order) {
  const frame = frameOf(trends, now);
  const counted = trends.alerts.filter(({at}) => at >= frame.from).map(({at, numbers}) => {
    const ends = new Map(trends.ends.map((end, place) => [end, numbers[place]]));
    const raised = ends.get("raised") ?? 0;
    ends.set("open", Math.max(0, raised - [...ends].reduce((sum, [end, number]) => sum + (end === "raised" ? 0 : number), 0)));
    return {at, ends, raised};
  });
  const most = Math.max(4, ...counted.map(({raised}) => raised));
  const wide = 1000 * across(frame, frame.from + trends.quarter);
  const boxes = counted.flatMap(({at, ends}) => {
    let low = 1000;
    return order.filter((end) => ends.get(end)).map((end) => {
      const high = (1000 * (ends.get(end) ?? 0)) / most;
      low -= high;
      return svg("rect", {class: `end-${end}`, x: 1000 * across(frame, at) + wide * 0.12, y: low, width: wide * 0.76, height: high});
    });
  });
  const totals = new Map(order.map((end) => [end, counted.reduce((sum, {ends}) => sum + (ends.get(end) ?? 0), 0)]));
  const rows = counted.map(({at, ends}) => [hour(at), ...order.map((end) => ends.get(end) ?? 0)]);
  return {totals, rows, picture: el("div", {class: "timeline", "aria-hidden": "true"}, svg("svg", {viewBox: "0 0 1000 1000", preserveAspectRatio: "none"}, ...boxes), hours(frame, hour))};
}
