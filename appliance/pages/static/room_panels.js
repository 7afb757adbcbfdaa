/** The panels of the big screen, filled from what the hub told: history from trends, the rest from the moment. */
import {el, say} from "./dom.js";
import {intervals, river, table, timeline} from "./room_charts.js";
import {classBand} from "./room_strip.js";

/** @typedef {import("./room_read.js").Trends} Trends */
/** @typedef {import("./room_read.js").Live} Live */
/** @typedef {import("./room.js").Speech} Speech */

/** Ends of an alert, from below, as the timeline stacks them. */
const ENDS = Object.freeze(["gifted", "declined", "not_found", "expired", "other", "open"]);
/** How many words of each attribute stand in the panel of shares; a plain pattern says nothing. @type {readonly (readonly [string, number])[]} */
const ROWS = Object.freeze([["top.colour", 2], ["bottom.colour", 1], ["top.pattern", 1], ["lower.kind", 1], ["sleeves", 1], ["outer", 1]]);
const DULL = Object.freeze(["plain", "none", "*"]);
const SHOWN_UNITS = 4;
const SHOWN_RULES = 2;
const MOVERS = 4;
const FACTORS = Object.freeze([1, 4, 16, 64, 256, 1024]);

/** @param {string} id @returns {HTMLElement} */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {Trends} trends @param {number} now @param {Speech} s */
export function drawTrends(trends, now, s) {
  const {t} = s;
  const said = {now: t.now, usual: t.usual, nothing: t.noPast, time: t.column.time, people: t.column.people, word: s.word, hour: s.time};
  place("tops").replaceChildren(...river(trends, "top.colour", now, {...said, name: t.tops}));
  place("bottoms").replaceChildren(...river(trends, "bottom.colour", now, {...said, name: t.bottoms}));
  place("moving").replaceChildren(...moving(trends, s));
  fit(place("moving"));
  place("shares").replaceChildren(...shares(trends, s));
  place("shares-more").replaceChildren(...[["now-key", t.now], ["usual-key", t.usual], ["interval-key", "95\u00a0%"]].flatMap(([key, text]) => [el("span", {class: key}), text]));
  place("alerts").replaceChildren(...alerts(trends, now, s));
  say(place("privacy"), t.privacy(trends.least));
}

/** Leave away the last of a list until it fits where it stands. @param {HTMLElement} box */
function fit(box) {
  const items = box.querySelector("ul")?.children ?? [];
  while (items.length > 1 && box.scrollHeight > box.clientHeight + 1) items[items.length - 1].remove();
}

/** Risers and fallers in words, the largest first; what has lasted says since when. @param {Trends} trends @param {Speech} s */
function moving(trends, s) {
  const {t} = s;
  const lasting = new Map(trends.changes.map((change) => [`${change.attribute} ${change.word}`, change]));
  const all = [...trends.changes, ...trends.movers.filter(({attribute, word}) => !lasting.has(`${attribute} ${word}`))];
  /** @type {Map<string, number>} */ const said = new Map();
  // Where one word of few rises another falls: one of them says it.
  const movers = all.sort((a, b) => Math.abs(b.now - b.usual) - Math.abs(a.now - a.usual)).filter(({attribute}) => {
    const before = said.get(attribute) ?? 0;
    said.set(attribute, before + 1);
    return before < (attribute.endsWith("colour") ? 2 : 1);
  }).slice(0, MOVERS);
  if (!movers.length) return [el("p", {class: "quiet"}, t.still)];
  return [el("ul", {class: "movers"}, ...movers.map(({attribute, word, now, usual, since}) => el(
    "li", {class: now > usual ? "mover mover-up" : "mover mover-down"},
    el("span", {class: "arrow", "aria-hidden": "true"}, now > usual ? "▲" : "▼"), el("strong", {}, s.percent(now)),
    el("span", {class: "mover-words"}, s.label(attribute, word), el("small", {}, el("span", {class: "unseen"}, now > usual ? t.rises : t.falls), [t.usually(s.percent(usual)), since ? t.since(s.time(since)) : ""].filter(Boolean).join(" · "))),
  )))];
}

/** @param {Trends} trends @param {Speech} s */
function shares(trends, s) {
  const {t} = s;
  const rows = ROWS.flatMap(([attribute, most]) => [...(trends.recent.get(attribute) ?? [])]
    .filter(([word]) => !DULL.includes(word)).sort(([, a], [, b]) => b[0] - a[0]).slice(0, most)
    .map(([word, now]) => ({label: s.label(attribute, word), now, usual: trends.usual.get(attribute)?.get(word)})));
  if (!rows.length) return [el("p", {class: "quiet"}, t.noPast)];
  return intervals(rows, t.shares, [t.column.word, t.now, t.column.interval, t.usual]);
}

/** @param {Trends} trends @param {number} now @param {Speech} s */
function alerts(trends, now, s) {
  const {t} = s;
  const {picture, totals, rows} = timeline(trends, now, s.time, ENDS);
  const legend = ENDS.filter((end) => totals.get(end)).map((end) => el("li", {}, el("span", {class: `key end-${end}`, "aria-hidden": "true"}), `${t.end[end]} ${totals.get(end)}`));
  return [picture, el("ul", {class: "legend"}, ...legend), table(t.alerts, [t.column.time, ...ENDS.map((end) => t.end[end])], rows)];
}

/** @param {Live} live @param {Speech} s */
export function drawLive(live, s) {
  place("tiles").replaceChildren(...tiles(live, s));
  strip(live, s);
  place("pacing").replaceChildren(...pacing(live, s));
  place("units").replaceChildren(...units(live, s));
}

/** @param {Live} live @param {Speech} s */
function tiles(live, s) {
  const {t} = s;
  const shown = {people: live.people, alerts: live.alerts.today, gifted: live.alerts.gifted, stock: live.pacing.stock, waiting: live.alerts.waiting};
  return Object.entries(shown).map(([name, value]) => el("div", {class: value ? `tile tile-${name}` : "tile"}, el("dd", {}, s.number(value)), el("dt", {}, t.tile[name])));
}

/** The strip's frame; its dots are drawn each second. @param {Live} live @param {Speech} s */
function strip(live, s) {
  const {t} = s;
  const lines = FACTORS.slice(1).map((many, at) => {
    const {middle, height} = classBand(at + 1);
    const line = el("span", {class: "strip-line"}, t.oneIn(s.number(many)));
    line.style.setProperty("top", `${100 * (middle + height / 2)}%`);
    return line;
  });
  /** @param {number} kind @param {boolean} all */
  const counted = (kind, all) => live.dots.reduce((sum, dots) => sum + (dots.kind === kind && (all || !dots.simulated) ? dots.number : 0), 0);
  const mixed = live.simulated ? [t.real] : [];
  const rows = FACTORS.map((many, kind) => [kind ? `≥ ${t.oneIn(s.number(many))}` : `< ${t.oneIn(s.number(FACTORS[1]))}`, counted(kind, true), ...mixed.map(() => counted(kind, false))]);
  const box = place("strip");
  const canvas = box.querySelector("canvas") ?? el("canvas", {"aria-hidden": "true"});
  const keys = live.simulated ? el("p", {class: "keys", "aria-hidden": "true"}, el("span", {class: "key-real"}), t.real, el("span", {class: "key-made"}), t.made) : null;
  const parts = [el("div", {class: "strip-lines", "aria-hidden": "true"}, ...lines), keys, table(t.strip, [t.column.rarity, t.column.people, ...mixed], rows)].filter((part) => part !== null);
  if (!canvas.isConnected) box.replaceChildren(canvas);
  for (const old of [...box.children]) if (old !== canvas) old.remove();
  box.append(...parts);
}

/** @param {Live} live @param {Speech} s */
function pacing(live, s) {
  const {t} = s;
  const {opens, closes, gifts, finish, people, stock, staff, staffFree} = live.pacing;
  const passed = Math.min(1, Math.max(0, (live.at - opens) / Math.max(1, closes - opens)));
  const given = live.alerts.gifted / Math.max(1, live.alerts.gifted + stock);
  const end = finish !== null ? t.finish(s.time(finish)) : gifts !== null ? t.left(s.number(Math.max(0, stock - gifts))) : t.finishUnknown;
  const bar = el("div", {class: "day", role: "img", "aria-label": `${t.hours(s.time(opens), s.time(closes))}; ${t.tile.gifted}: ${live.alerts.gifted}, ${t.tile.stock}: ${stock}`}, el("span", {class: "day-given"}), el("span", {class: "day-now"}));
  bar.style.setProperty("--given", `${100 * given}%`);
  bar.style.setProperty("--passed", `${100 * passed}%`);
  const {needs, people: known} = live.baseline;
  return [
    el("p", {class: "strong"}, end), bar, el("p", {class: "fine"}, t.hours(s.time(opens), s.time(closes))),
    el("ul", {class: "facts"}, el("li", {}, t.staff(staffFree, staff)), el("li", {}, t.still_to_come(s.number(people))),
      el("li", {}, needs ? t.needs(s.number(needs)) : t.learned(s.number(known)), needs ? el("progress", {max: known + needs, value: known, "aria-label": t.baseline}) : null)),
  ];
}

/** @param {Live} live @param {Speech} s */
function units(live, s) {
  const {t} = s;
  const rows = live.units.map((unit) => {
    const state = unit.link === "online" ? unit.state : "offline";
    const ill = [unit.boxed === false && t.unboxed, unit.boxed === null && t.unheard, unit.clock === false && t.clock, unit.spooled > 50 && t.spooled(s.number(unit.spooled)), unit.dropped > 0 && t.dropped(s.number(unit.dropped))].filter(Boolean);
    return {unit, well: state === "watching" && !ill.length, state: t.state[state] ?? state, ill};
  });
  const drawn = [...rows].sort((a, b) => Number(a.well) - Number(b.well)).slice(0, SHOWN_UNITS).map(({unit, well, state, ill}) => el(
    "li", {class: well ? "unit" : "unit unit-ill"}, el("span", {class: "dot", "aria-hidden": "true"}), el("span", {class: "unit-place"}, unit.place),
    el("span", {class: "unit-more"}, [...ill, well || ill.length ? null : state, unit.simulated ? t.made : `${t.fps(unit.fps)} · ${t.accelerator[unit.accelerator] ?? unit.accelerator}`].filter(Boolean).join(" · ")),
  ));
  const most = [...live.refused].sort(([, a], [, b]) => b - a);
  const refused = most.slice(0, SHOWN_RULES).map(([rule, number]) => `${t.rule[rule] ?? `R${rule}`} ${s.number(number)}`);
  const heads = [t.column.unit, t.units, t.fps(0).replace("0 ", ""), t.accelerator.cpu, t.spooled("#"), t.boxed];
  const told = rows.map(({unit, state, ill}) => [unit.place, [state, ...ill].join(", "), unit.fps, t.accelerator[unit.accelerator] ?? unit.accelerator, unit.spooled, unit.boxed === null ? t.unheard : unit.boxed ? t.boxed : t.unboxed]);
  const boxed = live.units.filter((unit) => unit.boxed).length;
  const sums = [rows.length > SHOWN_UNITS && t.more(rows.length - SHOWN_UNITS), rows.length && `${s.number(boxed)}/${s.number(rows.length)} ${t.boxed}`].filter(Boolean).join(" · ");
  return [
    el("ul", {class: "unit-list", "aria-hidden": "true"}, ...drawn), el("p", {class: "fine"}, sums),
    el("p", {class: "fine"}, refused.length ? `${t.refused}: ${refused.join(", ")}${most.length > SHOWN_RULES ? ", …" : ""}` : t.refusedNone), table(t.units, heads, told),
  ];
}
