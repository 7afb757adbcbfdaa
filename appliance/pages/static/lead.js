/**
 * What only the lead's tablet hears (`hub/lead`): what is wrong with cameras and messages, what changes in the street,
 * how often each tablet claimed, dismissed and forgot, and who did what (`hub/acts`); in words, with what to do.
 *
 * Invariants: numbers and states only, nothing about a passer-by; what is well is not listed.
 */
import {el} from "./dom.js";
import {Fields, readable, refuse} from "./messages.js";

/** Acts of the log that are listed. */
const SHOWN = 12;
/** What is done with an alert: the hub tells its day alone. */
const BY_DAY = new Set(["claim", "release", "gifted", "declined", "not_found", "dismissed", "forget"]);

/** @typedef {{place: string, missing: number, dropped: number, clock: boolean | null, refused: readonly (readonly [number, number])[]}} UnitFacts */
/** @typedef {{attribute: string, word: string, now: number, usual: number}} Change */
/** @typedef {{tablet: string, claims: number, dismissals: number, forgets: number}} Acts */
/** @typedef {{units: readonly UnitFacts[], strangers: readonly (readonly [number, number])[], changes: readonly Change[], tablets: readonly Acts[]}} Lead */

/** What a refusal's rule is about (docs/wire.md). @type {Readonly<Record<number, "clock" | "key" | "flood">>} */
const ABOUT = Object.freeze({3: "key", 4: "key", 5: "key", 6: "key", 8: "clock", 9: "clock", 15: "flood", 17: "key"});

/** @param {unknown} item @returns {readonly [number, number]} */
function counted(item) {
  const [rule, number] = Array.isArray(item) && item.length === 2 ? item : refuse("refused");
  return typeof rule === "number" && typeof number === "number" ? [rule, number] : refuse("refused");
}

/** @param {Uint8Array} payload @returns {Lead | null} */
export function readLead(payload) {
  return readable(payload, (fields) => ({
    units: fields.list("units", 64, (item) => {
      const unit = new Fields(item);
      const clock = unit.get("clock");
      return {place: unit.text("place", 80), missing: unit.number("missing"), dropped: unit.number("dropped"), clock: typeof clock === "boolean" ? clock : null, refused: unit.list("refused", 40, counted)};
    }),
    strangers: fields.list("strangers", 40, counted),
    changes: fields.list("changes", 40, (item) => {
      const change = new Fields(item);
      return {attribute: change.text("attribute", 40), word: change.text("word", 40), now: change.number("now", 0, 100), usual: change.number("usual", 0, 100)};
    }),
    tablets: fields.list("tablets", 200, (item) => {
      const acts = new Fields(item);
      return {tablet: acts.text("tablet", 24), claims: acts.number("claims"), dismissals: acts.number("dismissals"), forgets: acts.number("forgets")};
    }),
  }));
}

/** @typedef {readonly {at: number, who: string, kind: string, of: string}[]} Log the newest first */

/** Who did what (`hub/acts`). @param {Uint8Array} payload @returns {Log | null} */
export function readLog(payload) {
  return readable(payload, (fields) => ({
    acts: fields.list("acts", 200, (item) => {
      const [at, who, kind, of] = Array.isArray(item) && item.length === 4 ? item : refuse("acts");
      return typeof at === "number" && [who, kind, of].every((text) => typeof text === "string" && text.length <= 64) ? {at, who, kind, of} : refuse("acts");
    }),
  }))?.acts ?? null;
}

/** @param {Log} log @param {import("./texts.js").Catalogue} t */
function logLines(log, t) {
  return el(
    "details", {class: "log", open: true}, el("summary", {}, t.lead.log),
    el("ul", {class: "lately", role: "list"}, ...log.slice(0, SHOWN).map(({at, who, kind, of}) => el("li", {}, el("span", {class: "fine"}, `${BY_DAY.has(kind) ? t.day(at) : t.time(at)} `), el("strong", {}, who), ` ${t.lead.acts[kind] ?? kind}${of ? ` · ${of}` : ""}`))),
  );
}

/** @param {readonly (readonly [number, number])[]} refused @param {string} place @param {import("./texts.js").Catalogue} t */
function refusals(refused, place, {lead}) {
  /** @type {Map<"clock" | "key" | "flood" | "other", number>} */ const sums = new Map();
  for (const [rule, number] of refused) sums.set(ABOUT[rule] ?? "other", (sums.get(ABOUT[rule] ?? "other") ?? 0) + number);
  return [...sums].map(([about, number]) => /** @type {const} */ ([lead.refused(place, number), lead.refusedTodo[about]]));
}

/** Each finding with what to do. @param {Lead} told @param {import("./texts.js").Catalogue} t @returns {(readonly [string, string])[]} */
function findings({units, strangers, changes}, t) {
  const {lead} = t;
  return [
    ...units.flatMap(({place, missing, dropped, clock, refused}) => [
      ...(missing ? [/** @type {const} */ ([lead.missing(place, missing), lead.missingTodo])] : []),
      ...(dropped ? [/** @type {const} */ ([lead.dropped(place, dropped), lead.droppedTodo])] : []),
      ...(clock === false ? [/** @type {const} */ ([lead.clock(place), lead.clockTodo])] : []),
      ...refusals(refused, place, t),
    ]),
    ...refusals(strangers, lead.stranger, t),
    ...changes.map(({attribute, word, now, usual}) => /** @type {const} */ ([lead.change(`${t.attribute[attribute] ?? attribute}: ${t.level(attribute, word)}`, now, usual), lead.changeTodo])),
  ];
}

/** @param {Lead} told @param {Log} log @param {import("./texts.js").Catalogue} t */
export function leadPanel(told, log, t) {
  const {lead} = t;
  const found = findings(told, t);
  return el(
    "section", {class: "panel panel-lead", "aria-labelledby": "lead"},
    el("h2", {id: "lead"}, lead.heading),
    found.length ? el("ul", {class: "findings", role: "list"}, ...found.map(([what, todo]) => el("li", {}, el("strong", {}, what), " ", el("span", {class: "fine"}, todo)))) : el("p", {class: "fine"}, lead.well),
    told.tablets.length ? el(
      "table", {class: "acts"}, el("thead", {}, el("tr", {}, ...[lead.tablet, lead.claims, lead.dismissals, lead.forgets].map((name) => el("th", {scope: "col"}, name)))),
      el("tbody", {}, ...told.tablets.map(({tablet, claims, dismissals, forgets}) => el("tr", {}, el("th", {scope: "row"}, tablet), ...[claims, dismissals, forgets].map((number) => el("td", {}, String(number)))))),
    ) : null,
    log.length ? logLines(log, t) : null,
  );
}
