/**
 * The shift's own panel: pause, staff, stock by size, the note to the next shift, closing.
 *
 * Invariants: it shows what the hub says, not what was tapped; what somebody types here is not drawn over.
 */
import {el} from "./dom.js";

/** @typedef {import("./asks.js").Asks} Asks */
/** @typedef {import("./messages.js").Board} Board */
/** @typedef {import("./texts.js").Catalogue} Catalogue */

const PAUSES = Object.freeze([15, 30, 60]);
const LONGEST_NOTE = 120;

export class ShiftPanel {
  #signature = "";
  #asksClosing = false;

  /** @param {Asks} asks @param {Catalogue} t @param {() => void} signOut */
  constructor(asks, t, signOut) {
    this.signOut = signOut;
    this.asks = asks;
    this.t = t;
    this.rows = el("div", {class: "shift-rows"});
    this.root = el("details", {class: "panel panel-shift"}, el("summary", {id: "shift"}, t.shift.heading), this.rows);
    this.note = el("input", {id: "shift-note", maxlength: LONGEST_NOTE, autocomplete: "off", "aria-describedby": "shift-note-more"});
  }

  /** @param {Board | null} board @param {number} hubNow @param {boolean} able */
  draw(board, hubNow, able) {
    const signature = JSON.stringify([board && [board.shift, board.stock, board.staff], board && board.shift.pausedUntil > hubNow, able, this.#asksClosing]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    const typing = document.activeElement === this.note;
    const focused = this.root.contains(document.activeElement) ? document.activeElement?.getAttribute("data-key") : null;
    this.rows.replaceChildren(...(board ? this.#rows(board, hubNow, able) : []));
    this.root.hidden = !board;
    if (typing) this.note.focus();
    else if (focused) /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-key="${focused}"]`))?.focus();
  }

  /** @param {Board} board @param {number} hubNow @param {boolean} able */
  #rows(board, hubNow, able) {
    const {shift} = this.t;
    const {pausedUntil, closed, sizes} = board.shift;
    const paused = pausedUntil > hubNow;
    /** @type {(key: string, text: string, act: () => void, label?: string) => HTMLElement} */
    const button = (key, text, act, label) => el("button", {type: "button", class: "button button-plain", "data-key": key, disabled: !able, "aria-label": label, click: act}, text);
    /** @type {(key: string, name: string, value: number, set: (value: number) => void) => HTMLElement} */
    const counter = (key, name, value, set) => el(
      "div", {class: "counter"}, el("span", {}, name),
      button(`${key}-less`, "−", () => set(Math.max(0, value - 1)), shift.less(name)), el("strong", {"data-count": key}, String(value)), button(`${key}-more`, "+", () => set(value + 1), shift.more(name)),
    );
    const stock = sizes.length ? sizes.map(({size, left}) => counter(`stock-${size}`, `${shift.stock} ${size}`, left, (value) => void this.asks.shift("stock", value, size)))
      : [counter("stock", shift.stock, board.stock, (value) => void this.asks.shift("stock", value))];
    return [
      el("div", {class: "shift-row"}, el("span", {}, shift.pause), ...(paused ? [button("resume", shift.resume, () => void this.asks.shift("resume", null))] : PAUSES.map((minutes) => button(`pause-${minutes}`, shift.minutes(minutes), () => void this.asks.shift("pause", minutes))))),
      counter("staff", shift.staff, board.staff, (value) => void this.asks.shift("staff", value)),
      ...stock,
      button("empty", shift.empty, () => void this.asks.shift("stock", 0)),
      el(
        "form", {class: "shift-note", submit: (event) => (event.preventDefault(), void this.#leave())},
        el("label", {for: "shift-note"}, shift.note), this.note, el("small", {id: "shift-note-more"}, shift.noteMore),
        el("button", {type: "submit", class: "button button-plain", "data-key": "note", disabled: !able}, shift.noteSave),
      ),
      ...this.#closing(closed, button),
      el("button", {type: "button", class: "button button-quiet", "data-key": "sign-out", click: () => this.signOut()}, shift.signOut),
    ];
  }

  /** @param {boolean} closed @param {(key: string, text: string, act: () => void) => HTMLElement} button */
  #closing(closed, button) {
    const {shift} = this.t;
    if (closed) return [button("open", shift.open, () => void this.asks.shift("open", null))];
    if (!this.#asksClosing) return [button("close", shift.close, () => this.#askClosing(true))];
    return [
      el("p", {class: "question"}, shift.closeAsk),
      button("close-yes", shift.closeYes, () => (this.#askClosing(false), void this.asks.shift("close", null))),
      button("close-no", shift.closeNo, () => this.#askClosing(false)),
    ];
  }

  /** @param {boolean} asks */
  #askClosing(asks) {
    this.#asksClosing = asks;
    this.asks.page.redraw();
  }

  async #leave() {
    if (await this.asks.shift("note", this.note.value.trim())) this.note.value = "";
  }
}
