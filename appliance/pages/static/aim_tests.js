/**
 * The tests beside the figures: a walk in known clothes, and counting by hand. What is worn goes to the hub once, to be compared.
 */
import {el} from "./dom.js";
import {VOCABULARY} from "./words.js";

const UNSAID = Object.freeze(["one_piece", "bag"]);

/** @typedef {import("./aim.js").UnitSetup} UnitSetup */
/** @typedef {import("./aim_texts.js").AimTexts} AimTexts */
/** @typedef {(body: Readonly<Record<string, unknown>>) => Promise<boolean>} Ask */

/** The walk test of one camera. */
export class Walk {
  /** @param {AimTexts} t @param {Ask} ask @param {readonly import("./messages.js").Attribute[]} attributes */
  constructor(t, ask, attributes) {
    this.t = t;
    this.ask = ask;
    const words = VOCABULARY[t.lang];
    this.names = words.attribute;
    this.choices = new Map(attributes.filter(({name}) => !UNSAID.includes(name)).map(({name, levels}) => [name, el("select", {id: `wear-${name}`},
      el("option", {value: ""}, t.notSaid), ...levels.map((level) => el("option", {value: level}, words.word[level] ?? level)))]));
    this.wear = el("div", {class: "wear"}, ...[...this.choices].map(([name, select]) => el("label", {}, words.attribute[name] ?? name, select)));
    this.begin = el("button", {type: "button", class: "button button-main", id: "walk-begin", click: () => void this.#begin()}, t.begin);
    this.pass = el("button", {type: "button", class: "button button-main", id: "walk-pass", click: () => void this.ask({do: "pass"})}, t.pass);
    this.end = el("button", {type: "button", class: "button button-plain", id: "walk-end", click: () => void this.ask({do: "end"})}, t.end);
    this.said = el("div", {id: "walk-said", role: "status"});
    this.element = el("details", {id: "walk"}, el("summary", {}, t.walk), el("p", {}, t.walkMore), this.wear, el("div", {class: "buttons"}, this.begin, this.pass, this.end), this.said);
  }

  async #begin() {
    const worn = [...this.choices].filter(([, select]) => select.value).map(([name, select]) => [name, select.value]);
    if (worn.length && await this.ask({do: "walk", wear: Object.fromEntries(worn)})) for (const select of this.choices.values()) select.value = "";
  }

  /** @param {UnitSetup | undefined} unit */
  draw(unit) {
    const {t} = this;
    const walk = unit?.walk ?? null;
    this.pass.hidden = this.end.hidden = walk === null;
    this.pass.disabled = walk?.passing ?? true;
    this.pass.textContent = walk?.passing ? t.passing : t.pass;
    const result = unit?.result ?? null;
    const rows = result ? Object.entries(result.attributes).map(([name, numbers]) => el("tr", {}, el("th", {scope: "row"}, this.names[name] ?? name), ...numbers.map((number) => el("td", {}, number)))) : [];
    this.said.replaceChildren(...[
      walk?.last && !walk.passing ? el("p", {id: "walk-last"}, t.passEnd[walk.last]) : null,
      result ? el("p", {class: "verdict", id: "walk-accuracy"}, t.accuracy(result.right, result.right + result.wrong, result.low, result.high)) : null,
      result ? el("p", {class: result.ready ? "verdict verdict-ready" : "verdict", id: "walk-ready"}, result.ready ? t.ready : t.notReady) : null,
      rows.length ? el("table", {class: "result"}, el("thead", {}, el("tr", {}, ...t.columns.map((column) => el("th", {scope: "col"}, column)))), el("tbody", {}, ...rows)) : null,
    ].filter((child) => child !== null));
  }
}

/** Counting by hand beside one camera. */
export class Count {
  /** @param {AimTexts} t @param {Ask} ask */
  constructor(t, ask) {
    this.t = t;
    this.begin = el("button", {type: "button", class: "button button-main", id: "count-begin", click: () => void ask({do: "count"})}, t.begin);
    this.end = el("button", {type: "button", class: "button button-plain", id: "count-end", click: () => void ask({do: "end"})}, t.end);
    this.click = el("button", {type: "button", class: "button button-main click", id: "count-click", click: () => void ask({do: "click"})}, t.click);
    this.said = el("p", {class: "verdict", id: "count-said", role: "status"});
    this.element = el("details", {id: "count"}, el("summary", {}, t.count), el("p", {}, t.countMore), el("div", {class: "buttons"}, this.begin, this.end), this.click, this.said);
  }

  /** @param {UnitSetup | undefined} unit */
  draw(unit) {
    const clicks = unit?.clicks ?? null;
    const open = clicks !== null && clicks.left > 0;
    this.click.hidden = this.end.hidden = !open;
    this.said.textContent = clicks ? this.t.counted(clicks.clicks, clicks.seen, clicks.low, clicks.high) : "";
  }
}
