/**
 * The page that sets a camera up: stick figures beside the numbers, advice in words, zones, tests, the lock.
 *
 * Invariants: no picture is asked for and none can be shown; figures are drawn and gone; one camera at a time.
 */
import {hex, topicsOf} from "./booth.js";
import {GRID, Pictures} from "./aim_codec.js";
import {drawnFigure, drawnPlan, drawnZone, Heat} from "./aim_drawing.js";
import {Count, Walk} from "./aim_tests.js";
import {aimTexts} from "./aim_texts.js";
import {el, say, svg} from "./dom.js";
import {language} from "./language.js";
import {Fields, readable, Reader} from "./messages.js";
import {Link, Undelivered} from "./mqtt.js";
import {Requests, Unanswered} from "./requests.js";
import {readSession} from "./session.js";

const MINUTES = 5;
/** A picture of figures that is older than this is of another moment. */
const STALE_MS = 4000;
const {columns, rows} = GRID;

/** @typedef {{left: number, passing: boolean, last: "read" | "nobody" | "crowd" | null}} WalkState */
/** @typedef {{right: number, wrong: number, low: number, high: number, ready: boolean, attributes: Readonly<Record<string, readonly number[]>>}} WalkResult */
/** @typedef {{left: number, clicks: number, seen: number, low: number, high: number}} Clicks */
/** @typedef {{unit: string, place: string, looks: string, state: string, locked: boolean, card: boolean, walk: WalkState | null, result: WalkResult | null, clicks: Clicks | null}} UnitSetup */

/** @param {string} id @returns {HTMLElement} */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @template T @param {Fields} fields @param {string} key @param {(fields: Fields) => T} read @returns {T | null} */
const maybe = (fields, key, read) => (fields.get(key) === null || fields.get(key) === undefined ? null : read(fields.fields(key)));

/** How every camera stands, as the hub says. @param {Uint8Array} payload @returns {readonly UnitSetup[] | null} */
function setupsIn(payload) {
  return readable(payload, (fields) => ({
    units: fields.list("units", 200, (item) => {
      const unit = new Fields(item);
      return Object.freeze({
        unit: unit.text("unit", 24), place: unit.text("place", 80), looks: unit.text("looks", 24), state: unit.text("state", 24),
        locked: unit.flag("locked"), card: unit.flag("card"),
        walk: maybe(unit, "walk", (walk) => ({left: walk.number("left"), passing: walk.flag("passing"), last: /** @type {WalkState["last"]} */ (walk.get("last") === null ? null : walk.oneOf("last", ["read", "nobody", "crowd"]))})),
        result: maybe(unit, "result", (result) => ({
          right: result.number("right"), wrong: result.number("wrong"), low: result.number("low", 0, 1), high: result.number("high", 0, 1), ready: result.flag("ready"),
          attributes: /** @type {Readonly<Record<string, readonly number[]>>} */ (result.get("attributes")),
        })),
        clicks: maybe(unit, "clicks", (clicks) => ({left: clicks.number("left"), clicks: clicks.number("clicks"), seen: clicks.number("seen"), low: clicks.number("low", 0, 1), high: clicks.number("high", 0, 1)})),
      });
    }),
  }))?.units ?? null;
}

class AimPage {
  #units = /** @type {readonly UnitSetup[]} */ ([]);
  #chosen = new URLSearchParams(location.search).get("unit") ?? "";
  #pictures = new Pictures();
  #pictureAt = 0;
  #orderedAt = -Infinity;
  #zones = /** @type {(readonly [number, number])[][]} */ ([]);
  #open = /** @type {[number, number][] | null} */ (null);
  #heat = new Heat();

  /** @param {{booth: string, ws_port: number, wss_port: number}} where @param {import("./session.js").Session} session @param {import("./aim_texts.js").AimTexts} t @param {readonly import("./messages.js").Attribute[]} attributes */
  constructor(where, session, t, attributes) {
    this.t = t;
    this.session = session;
    this.topics = topicsOf(where.booth, session.tablet);
    this.root = `leftfield/1/${where.booth}`;
    this.reader = new Reader([]);
    const secure = location.protocol === "https:";
    this.link = new Link({
      url: `${secure ? "wss" : "ws"}://${location.hostname}:${secure ? where.wss_port : where.ws_port}/mqtt`,
      user: session.tablet, password: session.password, topics: [`${this.root}/hub/setup`, `${this.root}/unit/+/aim`, this.topics.answer],
      onMessage: (message) => this.#received(message),
      onState: () => this.#drawLink(),
    });
    this.requests = new Requests(this.link, this.topics);
    this.unit = el("select", {id: "unit", change: () => this.#choose(this.unit.value)});
    this.start = el("button", {type: "button", class: "button button-main", id: "start", click: () => void this.#aim()}, t.start(MINUTES));
    this.stop = el("button", {type: "button", class: "button button-plain", id: "stop", click: () => void this.#ask({do: "watch"})}, t.stop);
    this.said = el("div", {role: "status", id: "answer"});
    this.chips = el("p", {class: "state-line", id: "chips"});
    this.advice = el("ul", {class: "advice", id: "advice", role: "status"});
    this.numbers = el("dl", {class: "numbers", id: "numbers"});
    this.plan = el("div", {id: "plan"});
    this.stage = svg("svg", {class: "stage", id: "stage", viewBox: `0 0 ${columns} ${rows}`, role: "img", "aria-label": t.heading, pointerdown: (event) => this.#tapped(/** @type {PointerEvent} */ (event))});
    this.walk = new Walk(t, (body) => this.#ask(body), attributes);
    this.count = new Count(t, (body) => this.#ask(body));
    this.sure = el("input", {id: "lock-name", autocomplete: "off", autocapitalize: "none", spellcheck: "false", input: () => this.#drawLock()});
    this.lock = el("button", {type: "button", class: "button danger", id: "lock-now", click: () => void this.#ask({do: "lock"})}, t.lockNow);
    /** @type {Readonly<Record<"draw" | "close" | "clear" | "save", HTMLButtonElement>>} */
    this.edit = {
      draw: el("button", {type: "button", class: "button button-plain", id: "zone-draw", click: () => this.#zone([])}, t.draw),
      close: el("button", {type: "button", class: "button button-plain", id: "zone-close", click: () => this.#close()}, t.close),
      clear: el("button", {type: "button", class: "button button-plain", id: "zone-clear", click: () => this.#clear()}, t.clear),
      save: el("button", {type: "button", class: "button button-main", id: "zone-save", click: () => void this.#save()}, t.save),
    };
  }

  show() {
    const {t} = this;
    place("aim").replaceChildren(
      el("section", {class: "stage-section"}, this.stage, el("p", {}, t.noPicture)),
      el("div", {class: "column column-side"},
        el("section", {}, el("div", {class: "field"}, el("label", {for: "unit"}, t.camera), this.unit), this.chips, el("div", {class: "buttons"}, this.start, this.stop), this.said, this.advice, this.numbers),
        el("section", {}, el("h2", {}, t.plan), this.plan)),
      el("div", {class: "column"},
        el("section", {}, el("details", {id: "zones"}, el("summary", {}, t.zones), el("p", {}, t.zonesMore), el("div", {class: "buttons"}, ...Object.values(this.edit)))),
        el("section", {}, this.walk.element), el("section", {}, this.count.element),
        el("section", {}, el("details", {id: "lock"}, el("summary", {}, t.lock), el("p", {}, t.lockMore), el("div", {class: "field"}, el("label", {for: "lock-name"}, t.lockSure), this.sure), el("div", {class: "buttons"}, this.lock)))));
    this.#draw();
    this.link.start();
    this.#drawLink();
    setInterval(() => this.#draw(), 1000);
  }

  get #now() {
    return this.#units.find(({unit}) => unit === this.#chosen);
  }

  /** @param {import("./mqtt.js").Received} message */
  #received({topic, payload, correlation}) {
    if (topic === `${this.root}/hub/setup`) {
      this.#units = setupsIn(payload) ?? this.#units;
      if (!this.#now && this.#units.length) this.#chosen = this.#units[0].unit;
      this.#drawUnits();
      this.#draw();
    } else if (topic === `${this.root}/unit/${this.#chosen}/aim`) {
      const fresh = this.#pictures.take(payload);
      if (!fresh) return;
      this.#pictureAt = performance.now();
      this.#heat.add(fresh);
      this.#draw();
    } else if (topic === this.topics.answer && correlation) {
      const answer = this.reader.answer(payload);
      if (answer) this.requests.answered(hex(correlation), answer);
    }
  }

  /** @param {string} unit */
  #choose(unit) {
    this.#chosen = unit;
    this.#pictures = new Pictures();
    this.#zones = [];
    this.#open = null;
    this.#heat.clear();
    this.sure.value = "";
    this.#say(true, "");
    this.#draw();
  }

  async #aim() {
    this.#heat.clear();
    if (await this.#ask({do: "aim", minutes: MINUTES})) this.#orderedAt = performance.now();
    this.#draw();
  }

  /** @param {Readonly<Record<string, unknown>>} body */
  async #ask(body) {
    const {t} = this;
    try {
      const answer = await this.requests.ask("setup", {unit: this.#chosen, ...body});
      this.#say(answer.ok, answer.ok ? "" : t.why[answer.why] ?? answer.text);
      return answer.ok;
    } catch (error) {
      if (error instanceof Undelivered) this.#say(false, this.link.state === "up" ? t.forbidden(this.session.tablet) : t.unanswered);
      else if (error instanceof Unanswered) this.#say(false, t.unanswered);
      else throw error;
      return false;
    }
  }

  /** @param {boolean} good @param {string} text */
  #say(good, text) {
    this.said.replaceChildren(...(text ? [el("p", {class: `answer ${good ? "answer-good" : "answer-bad"}`}, text)] : []));
  }

  /** Not a click: what was touched may be drawn anew before the finger leaves. @param {PointerEvent} event */
  #tapped(event) {
    if (!this.#open) return;
    const frame = this.stage.getBoundingClientRect();
    const x = Math.round(((event.clientX - frame.left) / frame.width) * columns);
    const y = Math.round(((event.clientY - frame.top) / frame.height) * rows);
    this.#open.push([Math.min(columns, Math.max(0, x)), Math.min(rows, Math.max(0, y))]);
    if (this.#open.length === 8) this.#close();
    this.#draw();
  }

  /** @param {[number, number][] | null} open */
  #zone(open) {
    this.#open = open;
    this.#draw();
  }

  #close() {
    if (this.#open && this.#open.length >= 3) this.#zones.push(this.#open);
    this.#zone(null);
  }

  #clear() {
    this.#zones = [];
    this.#zone(null);
  }

  async #save() {
    this.#close();
    if (await this.#ask({do: "zones", zones: this.#zones})) this.#say(true, this.t.zonesSaved);
  }

  #drawLink() {
    place("link").dataset.state = this.link.state;
    say(place("link-text"), this.t.link[this.link.state]);
    this.#draw();
  }

  #drawUnits() {
    const names = this.#units.map(({unit}) => unit);
    if ([...this.unit.options].map(({value}) => value).join() !== names.join()) {
      this.unit.replaceChildren(...this.#units.map(({unit, place: where}) => el("option", {value: unit}, where === unit ? unit : `${where} (${unit})`)));
    }
    this.unit.value = this.#chosen;
  }

  #draw() {
    const {t} = this;
    const unit = this.#now;
    const aimed = unit?.state === "aiming";
    const fresh = performance.now() - this.#pictureAt < STALE_MS ? this.#pictures.last : null;
    const ordered = !aimed && performance.now() - this.#orderedAt < 30_000;
    const up = this.link.state === "up" && unit !== undefined;
    this.start.disabled = !up || aimed || ordered || unit.locked;
    this.stop.disabled = !up || !aimed;
    this.chips.replaceChildren(...(unit ? [
      el("span", {class: aimed ? "chip chip-on" : "chip", id: "state"}, t.state[unit.state] ?? unit.state), el("span", {class: "chip"}, unit.card ? t.card : t.noCard),
      unit.locked ? el("span", {class: "chip chip-warn", id: "locked"}, t.locked) : null,
    ].filter((chip) => chip !== null) : [t.none]));
    this.#drawStage(fresh, unit ? (fresh?.view.people ? t.unclear : aimed || fresh ? t.nobody : ordered ? t.waiting : t.idle) : t.none);
    const words = fresh ? fresh.view.words : [];
    if (this.advice.dataset.words !== words.join()) {
      this.advice.dataset.words = words.join();
      this.advice.replaceChildren(...words.map((word) => el("li", {"data-word": word}, t.advice[word])));
    }
    this.#drawNumbers(fresh ? fresh.view : null);
    this.plan.replaceChildren(drawnPlan(this.#units, this.#chosen, t.north));
    this.edit.draw.disabled = this.#open !== null || this.#zones.length >= 8;
    this.edit.close.disabled = (this.#open?.length ?? 0) < 3;
    this.edit.save.disabled = !up || unit.locked;
    this.walk.draw(unit);
    this.count.draw(unit);
    this.#drawLock();
  }

  /** @param {import("./aim_codec.js").Picture | null} picture @param {string} quiet */
  #drawStage(picture, quiet) {
    const lines = [16, 32, 48].map((x) => svg("line", {class: "gridline", x1: x, y1: 0, x2: x, y2: rows})).concat([12, 24].map((y) => svg("line", {class: "gridline", x1: 0, y1: y, x2: columns, y2: y})));
    this.stage.dataset.mode = this.#open ? "zones" : "figures";
    this.stage.replaceChildren(svg("rect", {class: "ground", width: columns, height: rows}), this.#heat.drawn(), ...lines,
      ...this.#zones.map((zone) => drawnZone(zone)), ...(this.#open ? [drawnZone(this.#open, true)] : []),
      ...(picture ? picture.figures.map(drawnFigure) : []),
      ...(picture?.figures.length ? [] : [svg("text", {class: "quiet", x: columns / 2, y: rows / 2, "text-anchor": "middle"}, quiet)]));
  }

  /** @param {import("./aim_codec.js").View | null} view */
  #drawNumbers(view) {
    const {t} = this;
    const round = (/** @type {number} */ number) => (number < 10 ? Math.round(number * 10) / 10 : Math.round(number));
    const said = view ? {
      pixels: view.pixels ? `≤ ${Math.round(view.pixels)} px` : "–", seconds: view.seconds ? `≤ ${round(view.seconds)} s` : "–",
      frames: view.seconds ? `≤ ${Math.round(view.seconds * view.fps)}` : "–", light: t.light[view.light], height: view.metres === null ? "–" : t.metres(view.metres),
      tilt: view.degrees === null ? "–" : `${view.degrees} to ${view.degrees + 5}°`.replace(" to ", "…"), people: view.people, hidden: view.hidden, small: view.small, passed: view.passed,
    } : {};
    this.numbers.replaceChildren(...Object.entries(said).map(([key, value]) => el("div", {}, el("dt", {}, t.number[key]), el("dd", {id: `number-${key}`}, value))));
  }

  #drawLock() {
    const unit = this.#now;
    this.lock.disabled = this.link.state !== "up" || !unit || unit.locked || this.sure.value.trim() !== unit.unit;
  }
}

async function main() {
  const t = aimTexts([language()]);
  document.documentElement.lang = t.lang;
  document.title = t.heading;
  say(place("heading"), t.heading);
  say(place("back"), t.back);
  const session = readSession();
  if (!session) {
    place("aim").replaceChildren(el("section", {}, el("p", {role: "alert"}, t.signedOut)));
    return;
  }
  say(place("tablet"), session.tablet);
  const [booth, vocabulary] = await Promise.all(["/booth.json", "/vocabulary.json"].map(async (path) => (await fetch(path, {cache: "no-cache"})).json()));
  new AimPage(booth, session, t, vocabulary.attributes).show();
}

void main();
