/** One alert as a card: figure, reason, time, and the one or two things to do next. */
import {el, say, svg} from "./dom.js";
import {figure} from "./figure.js";

/** @typedef {import("./messages.js").Alert} Alert */
/** @typedef {import("./texts.js").Catalogue} Catalogue */
/** @typedef {{asking: boolean, question: "forget" | "dismiss" | null}} Dialogue what the card is in the middle of */
/**
 * @typedef {object} View
 * @property {Alert} alert
 * @property {string} tablet this tablet's name
 * @property {boolean} reachable the hub can be asked
 * @property {Dialogue} dialogue
 * @property {readonly string[]} usual for each reason: what most people wear instead, or ""
 */
/**
 * @typedef {object} Actions
 * @property {(alert: string) => void} claim
 * @property {(alert: string, outcome: string, why: string | null) => void} outcome
 * @property {(alert: string) => void} forget
 * @property {(alert: string, question: "forget" | "dismiss" | null) => void} question
 */

const HURRY_SECONDS = 30;
const OUTCOMES = /** @type {const} */ (["gifted", "declined", "not_found", "dismissed"]);
const WHYS = /** @type {const} */ (["not_a_person", "wrong_reading", "costume", "other"]);

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
    say(this.#left, left > 0 ? card.left(left) : card.over);
    this.root.dataset.hurry = left <= HURRY_SECONDS ? "yes" : "no";
    this.#bar.style.setProperty("--left", Math.max(0, Math.min(1, left / whole)).toFixed(4));
  }

  /** @param {View} view */
  #picture({alert}) {
    const words = this.t.describe(alert.look).join(", ") || this.t.card.nothingKnown;
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
    const where = el("p", {class: "where"}, pin(), el("span", {class: "where-words"}, el("strong", {class: "place"}, alert.place), this.#seen));
    if (!alert.reasons.length) return el("div", {class: "body"}, where, el("p", {class: "reason", id: `reason-${alert.id}`}, card.forgotten));
    const look = this.t.describe(alert.look).join(", ");
    return el(
      "div", {class: "body"}, where,
      this.#rarity(alert),
      el("ul", {class: "reasons", id: `reason-${alert.id}`, role: "list"}, ...alert.reasons.map((reason, at) => el(
        "li", {}, el("span", {class: "reason"}, sentence(at ? reason.text : this.#what(reason))), usual[at] ? el("span", {class: "usual"}, card.usual(usual[at])) : null,
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

  /** The first reason without how rare it is, which stands large above it already. @param {import("./messages.js").Reason} reason */
  #what({lens, text, oneIn}) {
    const end = text.lastIndexOf(": ");
    const said = lens !== "whole" && (oneIn === null || text.slice(end).includes(this.t.number(oneIn)));
    return end > 0 && said ? text.slice(0, end) : text;
  }

  /** @param {string} key @param {string} text @param {string} style @param {() => void} act @param {boolean} [able] */
  #button(key, text, style, act, able = true) {
    return el("button", {type: "button", class: `button ${style}`, "data-key": key, disabled: !able, click: act}, text);
  }

  /** @param {View} view */
  #foot(view) {
    const {alert, tablet, dialogue, reachable} = view;
    const {card} = this.t;
    const row = dialogue.question === "forget" ? this.#askForget()
      : dialogue.question === "dismiss" ? this.#askWhy(reachable)
      : alert.heldBy === tablet ? this.#outcomes(reachable && !dialogue.asking)
      : alert.heldBy ? [el("p", {class: "held"}, card.theirs(alert.heldBy))]
      : [this.#button("claim", card.claim, "button-main", () => this.actions.claim(alert.id), reachable && !dialogue.asking)];
    const note = dialogue.asking ? card.asking : !reachable ? card.unconnected : alert.heldBy === tablet ? card.yours : "";
    return el(
      "div", {class: "foot"},
      note ? el("p", {class: "note"}, note) : null,
      el("div", {class: `row row-${dialogue.question ?? (alert.heldBy === tablet ? "outcome" : "claim")}`}, ...row),
      el(
        "div", {class: "foot-line"},
        dialogue.question ? null : this.#button("forget", card.forget, "button-quiet", () => this.actions.question(alert.id, "forget")),
        this.#left,
      ),
    );
  }

  /** @param {boolean} able */
  #outcomes(able) {
    return OUTCOMES.map((outcome) => this.#button(
      outcome, this.t.outcome[outcome], outcome === "gifted" ? "button-main" : "button-plain",
      () => (outcome === "dismissed" ? this.actions.question(this.id, "dismiss") : this.actions.outcome(this.id, outcome, null)), able,
    ));
  }

  /** @param {boolean} able */
  #askWhy(able) {
    const {card, why} = this.t;
    return [
      el("p", {class: "question"}, card.dismissAsk),
      ...WHYS.map((reason) => this.#button(reason, why[reason], "button-plain", () => this.actions.outcome(this.id, "dismissed", reason), able)),
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
