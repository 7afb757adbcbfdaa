/** The booth beside the alerts (the shift's own panel: `shift.js`): today's counts, what is usual, cameras, what happened lately; and the empty state. */
import {el} from "./dom.js";
import {CLOTH, figure} from "./figure.js";
import {leadPanel} from "./lead.js";

/** @typedef {import("./booth.js").Booth} Booth */
/** @typedef {import("./texts.js").Catalogue} Catalogue */

/** What the panel lists as usual; the rest stands on the cards where it matters. */
const LISTED = Object.freeze(["top.colour", "bottom.colour", "lower.kind"]);

/** @param {string} value @param {string} name */
const count = (value, name) => el("div", {class: "count"}, el("dd", {}, value), el("dt", {}, name));

/** @param {Readonly<Record<string, string>>} words @param {string} word what we have no text for is said as it came */
const worded = (words, word) => (Object.hasOwn(words, word) ? words[word] : word);

/** @param {Booth} booth @param {Catalogue} t */
function today(booth, t) {
  const board = booth.board;
  if (!board) return null;
  return el(
    "section", {class: "panel", "aria-labelledby": "today"},
    el("h2", {id: "today"}, t.panel.today),
    el(
      "dl", {class: "counts"}, count(t.number(board.people.today), t.panel.people), count(t.number(board.alerts.today), t.panel.alerts),
      count(t.number(board.alerts.gifted), t.panel.gifted), count(t.number(board.stock), t.panel.stock),
    ),
    el("p", {class: "fine"}, [t.panel.staff(board.staffFree, board.staff), board.baseline.ready ? t.panel.baseline : null].filter(Boolean).join(" · ")),
    baseline(booth, t),
  );
}

/** How far the learning is. @param {Booth} booth @param {Catalogue} t */
export function baseline(booth, t) {
  const state = booth.board?.baseline;
  if (!state || state.ready) return null;
  const known = Math.round(state.weight);
  return el(
    "div", {class: "learning"},
    el("p", {}, el("strong", {}, t.alerts.learning)),
    el("progress", {max: Math.max(1, known + state.needs), value: known, "aria-label": t.alerts.learning}),
    el("p", {class: "fine"}, t.alerts.learningMore(state.needs)),
  );
}

/** @param {Booth} booth @param {Catalogue} t */
function usual(booth, t) {
  const groups = LISTED.map((attribute) => ({attribute, words: booth.usualWords(attribute, 3)})).filter(({words}) => words.length);
  if (!groups.length) return null;
  return el(
    "section", {class: "panel", "aria-labelledby": "usual"},
    el("h2", {id: "usual"}, t.panel.usual),
    ...groups.map(({attribute, words}) => el(
      "div", {class: "usual-group"},
      el("h3", {}, t.attribute[attribute] ?? attribute),
      el("ul", {role: "list"}, ...words.map(({word, share}) => {
        const row = el(
          "li", {class: "share"}, CLOTH[word] && el("span", {class: "swatch", "aria-hidden": "true"}),
          el("span", {class: "share-word"}, t.say(word)), el("span", {class: "share-part"}, t.percent(share)),
        );
        row.style.setProperty("--share", String(share));
        if (CLOTH[word]) row.style.setProperty("--cloth", CLOTH[word]);
        return row;
      })),
    )),
  );
}

/** @param {Booth} booth @param {Catalogue} t */
function units(booth, t) {
  if (!booth.board?.units.length) return null;
  return el(
    "section", {class: "panel", "aria-labelledby": "units"},
    el("h2", {id: "units"}, t.panel.units),
    el("ul", {class: "units", role: "list"}, ...booth.board.units.map((unit) => {
      const well = unit.link === "online" && unit.state === "watching";
      const state = unit.link === "online" ? worded(t.unit.state, unit.state) : worded(t.unit.link, unit.link);
      return el(
        "li", {class: "unit", "data-well": well ? "yes" : "no", "data-unit": unit.unit},
        el("span", {class: "dot", "aria-hidden": "true"}),
        el("span", {class: "unit-place"}, unit.place || unit.unit),
        el(
          "span", {class: "unit-more"}, el("span", {class: well ? "" : "unit-bad"}, state),
          unit.locked ? ` · ${t.unit.locked}` : "",
          well && !unit.simulated ? ` · ${worded(t.unit.source, unit.source)} · ${worded(t.unit.accelerator, unit.accelerator)}` : "",
        ),
        el(
          "span", {class: "unit-side"}, well && !unit.simulated && el("span", {class: "unit-rate"}, t.unit.fps(unit.fps)),
          unit.simulated && el("span", {class: "badge badge-simulated"}, t.unit.simulated),
          unit.boxed !== true && el("span", {class: "badge badge-unboxed"}, unit.boxed === false ? t.unit.unboxed : t.unit.unheard),
        ),
      );
    })),
  );
}

/** What the shift before left to say. @param {Booth} booth @param {Catalogue} t */
function note(booth, t) {
  const left = booth.board?.shift.note;
  if (!left) return null;
  return el(
    "section", {class: "panel panel-note", "aria-labelledby": "note"},
    el("h2", {id: "note"}, t.shift.note), el("p", {class: "promise"}, left.text), el("p", {class: "fine"}, `${left.by} · ${t.time(left.at)}`),
  );
}

/** @param {Booth} booth @param {string} tablet @param {number} now milliseconds @param {Catalogue} t */
function lately(booth, tablet, now, t) {
  return el(
    "section", {class: "panel", "aria-labelledby": "lately"},
    el("h2", {id: "lately"}, t.panel.lately),
    booth.lately.length
      ? el("ul", {class: "lately", role: "list"}, ...booth.lately.map(({place, state, by, at}) => el(
        "li", {}, el("strong", {}, place || t.panel.somewhere), ` ${t.ended[/** @type {keyof typeof t.ended} */ (state)]}`,
        by ? ` · ${by === tablet ? t.panel.you : by}` : "", el("span", {class: "fine"}, ` ${t.ago((now - at) / 1000)}`),
      )))
      : el("p", {class: "fine"}, t.panel.nothing),
  );
}

/**
 * All panels.
 * @param {Booth} booth @param {{tablet: string, now: number, canStayAwake: boolean}} around @param {Catalogue} t
 */
export function panels(booth, {tablet, now, canStayAwake}, t) {
  return [
    today(booth, t), note(booth, t), booth.lead && leadPanel(booth.lead, booth.log, t), units(booth, t), lately(booth, tablet, now, t), usual(booth, t),
    el(
      "section", {class: "panel panel-fine"},
      el("p", {class: "promise"}, t.panel.promise),
      canStayAwake ? null : el("p", {class: "fine"}, t.wake),
      booth.ignored ? el("p", {class: "fine", id: "ignored"}, t.panel.ignored(booth.ignored)) : null,
    ),
  ].filter((section) => section !== null);
}

/** What stands where the cards would, and why there are none. @param {Booth} booth @param {boolean} reachable @param {Catalogue} t */
export function empty(booth, reachable, t) {
  const {alerts} = t;
  const board = booth.board;
  const shift = board?.shift;
  const typical = booth.typicalLook();
  const [title, more] = !reachable ? [alerts.unconnected, alerts.unconnectedMore]
    : board && !board.baseline.ready ? [alerts.learning, alerts.learningMore(board.baseline.needs)]
    : shift?.closed ? [t.banner.closed, t.banner.closedMore]
    : board && !board.stock ? [alerts.noStock, alerts.noStockMore]
    : [alerts.none, alerts.noneMore];
  const learning = reachable && board && !board.baseline.ready
    ? el("progress", {max: Math.max(1, board.baseline.weight + board.baseline.needs), value: board.baseline.weight, "aria-label": alerts.learning})
    : null;
  return el(
    "div", {class: "empty"},
    Object.keys(typical).length
      ? el("figure", {class: "typical"}, figure(typical, {name: "typical", label: t.card.drawing(t.describe(typical).join(t.comma))}), el("figcaption", {}, el("strong", {}, alerts.typical), " ", alerts.typicalMore))
      : null,
    el("div", {class: "empty-words"}, el("h2", {}, title), learning, el("p", {}, more)),
  );
}
