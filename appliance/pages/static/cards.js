/** One alert as a card: figure, reason, time, and the one or two things to do next. */
import {el, say, svg} from "./dom.js";
import {figure} from "./figure.js";

/** @typedef {import("./messages.js").Alert} Alert */
/** @typedef {import("./texts.js").Catalogue} Catalogue */
/** @typedef {"forget" | "dismiss" | "size" | null} Question */
/** @typedef {{outcome: "gifted" | "declined" | "not_found" | "dismissed", why: string | null, size: string | null, until: number}} Ending told to the hub at `until` (ms), unless undone */
/** @typedef {{asking: boolean, question: Question, ending: Ending | null}} Dialogue what the card is in the middle of */
/**
 * @typedef {object} View
 * @property {Alert} alert
 * @property {string} tablet this tablet's name
 * @property {boolean} reachable the hub can be asked
 * @property {Dialogue} dialogue
 * @property {readonly string[]} usual for each reason: what most people wear instead, or ""
 * @property {readonly {size: string, left: number}[]} sizes of the gifts, where they have any
 * @property {boolean} newest  the one to look at first
 */
/**
 * @typedef {object} Actions
 * @property {(alert: string) => void} claim
 * @property {(alert: string) => void} release
 * @property {(alert: string) => void} show  what is shown to the passer-by
 * @property {(alert: string, outcome: Ending["outcome"], why: string | null, size: string | null) => void} outcome
 * @property {(alert: string) => void} undo
 * @property {(alert: string) => void} forget
 * @property {(alert: string, question: Question) => void} question
 */

const HURRY_SECONDS = 30;
const OUTCOMES = /** @type {const} */ (["gifted", "declined", "not_found", "dismissed"]);
const WHYS = /** @type {const} */ (["not_a_person", "wrong_reading", "costume", "other"]);

/** @param {number} seconds */
function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @param {string} text */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const pin = () => svg(
  "svg", {viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon"},
  svg("path", {d: "M12 21.5c4.8-5.4 7.2-9.3 7.2-12.2a7.2 7.2 0 1 0-14.4 0c0 2.900 2.400 6.800 7.200 12.200z", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linejoin": "round"}),
  svg("circle", {cx: 12, cy: 9.4, r: 2.6, fill: "currentColor"}),
);

export class Card {
  #signature = "";
  #seen = el("span", {class: "seen"});
  #left = el("span", {class: "left"});
  #bar = el("div", {class: "bar"});
  /** @type {HTMLElement | null} */ #undo = null;
  #until = 0;

  /** @param {string} id @param {Actions} actions @param {Catalogue} t */
  constructor(id, actions, t) {
    this.id = id;
    this.actions = actions;
    this.t = t;
    this.root = el("article", {class: "card", id: `alert-${id}`, "aria-labelledby": `reason-${id}`, tabindex: -1});
  }

  /** Draw anew where anything but the time has changed; the focus stays where it was. @param {View} view */
  update(view) {
    const signature = JSON.stringify(view);
    if (signature === this.#signature) return;
    this.#signature = signature;
    const {alert, tablet} = view;
    const focused = this.root.contains(document.activeElement) ? document.activeElement?.getAttribute("data-key") : undefined;
    this.root.dataset.state = alert.state;
    this.root.dataset.newest = view.newest ? "yes" : "no";
    const mineNow = alert.heldBy === tablet && this.root.dataset.held === "nobody";
    this.root.dataset.held = alert.heldBy === tablet ? "me" : alert.heldBy ? "other" : "nobody";
    this.root.replaceChildren(el("div", {class: "timeline", "aria-hidden": "true"}, this.#bar), this.#picture(view), this.#body(view), this.#foot(view));
    if (focused !== undefined) /** @type {HTMLElement} */ (this.root.querySelector(`[data-key="${focused}"]`) ?? this.root).focus({preventScroll: true});
    if (mineNow) this.root.scrollIntoView({block: "nearest"}); // what there is to say, and its four buttons, in sight
  }

  /** Let the time pass. @param {Alert} alert @param {number} hubNow unix seconds */
  tick(alert, hubNow) {
    const {card} = this.t;
    const left = alert.expiresAt - hubNow;
    const whole = Math.max(1, alert.expiresAt - alert.raisedAt);
    say(this.#seen, alert.seenAgo === null ? "" : card.seen(Math.max(0, hubNow - alert.raisedAt) + alert.seenAgo));
    say(this.#left, left > 0 ? card.left(clock(left)) : card.over);
    if (this.#undo) say(this.#undo, card.undo(Math.max(0, Math.ceil((this.#until - Date.now()) / 1000))));
    this.root.dataset.hurry = left <= HURRY_SECONDS ? "yes" : "no";
    this.#bar.style.setProperty("--left", Math.max(0, Math.min(1, left / whole)).toFixed(4));
  }

  /** @param {View} view */
  #picture({alert}) {
    const words = this.t.describe(alert.look).join(this.t.comma) || this.t.card.nothingKnown;
    return el(
      "div", {class: "picture"}, figure(alert.look, {name: alert.id, label: this.t.card.drawing(words)}),
      alert.simulated && el("span", {class: "badge badge-simulated"}, this.t.card.simulated),
      (alert.boxed === false || (alert.boxed === null && alert.unit)) && el("span", {class: "badge badge-unboxed"}, alert.boxed === false ? this.t.card.unboxed : this.t.card.unheard),
    );
  }

  /** @param {View} view */
  #body(view) {
    const {alert, usual} = view;
    const {card} = this.t;
    const where = el("p", {class: "where"}, pin(), el("span", {class: "where-words"}, el("strong", {class: "place"}, alert.place), this.#seen), view.newest && el("span", {class: "badge badge-newest"}, card.newest));
    if (!alert.reasons.length) return el("div", {class: "body"}, where, el("p", {class: "reason", id: `reason-${alert.id}`}, card.forgotten));
    const look = this.t.describe(alert.look).join(this.t.comma);
    return el(
      "div", {class: "body"}, where,
      this.#rarity(alert),
      el("ul", {class: "reasons", id: `reason-${alert.id}`, role: "list"}, ...alert.reasons.map((reason, at) => el(
        "li", {}, el("span", {class: "reason"}, sentence(at || reason.lens === "whole" ? this.t.sentence(reason, alert.look) : this.t.subject(reason, alert.look))), usual[at] ? el("span", {class: "usual"}, card.usual(usual[at])) : null,
      ))),
      look ? el("p", {class: "look"}, el("strong", {}, card.lookFor), " ", look) : null,
    );
  }

  /** How rare, in large: the number of the first reason, or that only the mix is unusual. @param {Alert} alert */
  #rarity({oneIn, reasons}) {
    const {card} = this.t;
    if (reasons[0].lens === "whole") {
      const fine = oneIn === null ? null : `${card.oneIn} ${this.t.number(oneIn)} ${card.people}`;
      return el("p", {class: "rarity"}, el("strong", {class: "rarity-few"}, card.mix), fine && el("span", {class: "rarity-of"}, fine));
    }
    if (oneIn === null) return el("p", {class: "rarity"}, el("strong", {class: "rarity-few"}, card.few), el("span", {class: "rarity-of"}, card.fewMore));
    return el("p", {class: "rarity"}, el("span", {class: "rarity-in"}, card.oneIn), " ", el("strong", {class: "rarity-n"}, this.t.number(oneIn)), " ", el("span", {class: "rarity-of"}, card.people));
  }

  /** @param {string} key @param {string} text @param {string} style @param {() => void} act @param {boolean} [able] */
  #button(key, text, style, act, able = true) {
    return el("button", {type: "button", class: `button ${style}`, "data-key": key, disabled: !able, click: act}, text);
  }

  /** @param {View} view */
  #foot(view) {
    const {alert, tablet, dialogue, reachable} = view;
    const {card} = this.t;
    const mine = alert.heldBy === tablet;
    this.#undo = null;
    const row = dialogue.question === "forget" ? this.#askForget()
      : dialogue.ending ? [this.#undoButton(dialogue.ending)]
      : dialogue.question === "dismiss" ? this.#askWhy(reachable)
      : dialogue.question === "size" ? this.#askSize(reachable, view.sizes)
      : mine ? this.#outcomes(reachable && !dialogue.asking)
      : alert.heldBy ? [el("p", {class: "held"}, card.theirs(alert.heldBy))]
      : [this.#button("claim", card.claim, "button-main", () => this.actions.claim(alert.id), reachable && !dialogue.asking)];
    const note = dialogue.asking ? card.asking : dialogue.ending ? this.t.outcome[dialogue.ending.outcome] : !reachable ? card.unconnected : mine ? card.yours : "";
    const busy = dialogue.question || dialogue.ending;
    return el(
      "div", {class: "foot"},
      note ? el("p", {class: "note"}, note) : null,
      el("div", {class: `row row-${dialogue.question ?? (dialogue.ending ? "undo" : mine ? "outcome" : "claim")}`}, ...row),
      el(
        "div", {class: "foot-line"},
        dialogue.question ? null : this.#button("forget", card.forget, "button-quiet", () => this.actions.question(alert.id, "forget")),
        mine && !busy && alert.reasons.length ? this.#button("show", card.show, "button-quiet", () => this.actions.show(alert.id)) : null,
        mine && !busy ? this.#button("release", card.release, "button-quiet", () => this.actions.release(alert.id), reachable && !dialogue.asking) : null,
        this.#left,
      ),
    );
  }

  /** @param {boolean} able */
  #outcomes(able) {
    return OUTCOMES.map((outcome) => this.#button(
      outcome, this.t.outcome[outcome], outcome === "gifted" ? "button-main" : "button-plain",
      () => (outcome === "dismissed" ? this.actions.question(this.id, "dismiss") : this.actions.outcome(this.id, outcome, null, null)), able,
    ));
  }

  /** @param {Ending} ending */
  #undoButton({until}) {
    this.#until = until;
    return (this.#undo = this.#button("undo", "", "button-plain", () => this.actions.undo(this.id)));
  }

  /** @param {boolean} able @param {View["sizes"]} sizes */
  #askSize(able, sizes) {
    const {card} = this.t;
    return [
      el("p", {class: "question"}, card.sizeAsk),
      ...sizes.map(({size, left}) => this.#button(`size-${size}`, card.size(size, left), "button-plain", () => this.actions.outcome(this.id, "gifted", null, size), able && left > 0)),
      this.#button("size-none", card.sizeNone, "button-plain", () => this.actions.outcome(this.id, "gifted", null, ""), able),
      this.#button("back", card.back, "button-quiet", () => this.actions.question(this.id, null)),
    ];
  }

  /** @param {boolean} able */
  #askWhy(able) {
    const {card, why} = this.t;
    return [
      el("p", {class: "question"}, card.dismissAsk),
      ...WHYS.map((reason) => this.#button(reason, why[reason], "button-plain", () => this.actions.outcome(this.id, "dismissed", reason, null), able)),
      this.#button("back", card.back, "button-quiet", () => this.actions.question(this.id, null)),
    ];
  }

  #askForget() {
    const {card} = this.t;
    return [
      el("p", {class: "question"}, card.forgetAsk),
      this.#button("forget-yes", card.forgetYes, "button-danger", () => this.actions.forget(this.id)),
      this.#button("forget-no", card.forgetNo, "button-plain", () => this.actions.question(this.id, null)),
    ];
  }
}
