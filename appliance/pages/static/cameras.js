/**
 * The page that pairs a new camera: shows who waits, asks for the code on its label, tells the booth.
 *
 * Invariants: the code is sent once and kept nowhere; a picture of the label never leaves this page.
 */
import {hex, topicsOf} from "./booth.js";
import {cameraTexts} from "./cameras_texts.js";
import {el, say} from "./dom.js";
import {language} from "./language.js";
import {Reader} from "./messages.js";
import {Link, Undelivered, Unknown} from "./mqtt.js";
import {Requests, Unanswered} from "./requests.js";
import {scanned} from "./scan.js";
import {readSession} from "./session.js";

const SIGNS = /^[0-9A-HJKMNP-TV-Z]{12}$/;
const DIRECTIONS = Object.freeze(["", "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"]);

/** @param {string} id @returns {HTMLElement} */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** The twelve signs that somebody typed, as they were meant; the hub reads them the same way. @param {string} typed */
const meant = (typed) => typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");

/** In three groups, as far as it goes. @param {string} signs */
const grouped = (signs) => signs.match(/.{1,4}/g)?.join("-") ?? "";

/** A name that a camera may have, from what people call its place. @param {string} words */
function nameFrom(words) {
  const plain = words.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^[^a-z]+|-+$/g, "");
  return plain.slice(0, 24).replaceAll(/-+$/g, "");
}

class Cameras {
  #waiting = /** @type {readonly string[]} */ ([]);
  #units = /** @type {readonly string[]} */ ([]);
  #named = false;

  /** @param {{booth: string, ws_port: number, wss_port: number}} where @param {import("./session.js").Session} session @param {import("./cameras_texts.js").CameraTexts} t */
  constructor(where, session, t) {
    this.t = t;
    this.session = session;
    this.topics = topicsOf(where.booth, session.tablet);
    this.reader = new Reader([]);
    const secure = location.protocol === "https:";
    this.link = new Link({
      url: `${secure ? "wss" : "ws"}://${location.hostname}:${secure ? where.wss_port : where.ws_port}/mqtt`,
      user: session.tablet, password: session.password, topics: [this.topics.pairing, this.topics.board, this.topics.answer],
      onMessage: (message) => this.#received(message),
      onState: () => this.#drawLink(),
    });
    this.requests = new Requests(this.link, this.topics);
    this.code = el("input", {id: "code", class: "code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: 20, input: () => this.#typed()});
    this.place = el("input", {id: "place", autocomplete: "off", maxlength: 60, input: () => this.#suggest()});
    this.name = el("input", {id: "name", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 24, input: () => (this.#named = true)});
    this.looks = el("select", {id: "looks"}, ...DIRECTIONS.map((value, at) => el("option", {value}, t.directions[at])));
    this.replaces = el("select", {id: "replaces"});
    this.button = el("button", {type: "submit", class: "button button-main", id: "send"}, t.send);
    this.answer = el("div", {role: "status", id: "answer"});
    this.list = el("div", {id: "waiting", role: "status"});
  }

  start() {
    const {t} = this;
    place("cameras").replaceChildren(el("section", {}, el("h2", {}, t.waiting), this.list), this.#form(),
      el("section", {}, el("a", {class: "button button-plain", id: "set-up", href: "/aim"}, t.setUp)));
    this.#drawWaiting();
    this.#drawUnits();
    this.link.start();
    this.#drawLink();
  }

  #form() {
    const {t} = this;
    const scan = scanned.possible ? el("button", {type: "button", class: "button button-plain", id: "scan", click: () => void this.#scan()}, t.scan) : null;
    this.film = el("div", {id: "film"});
    return el("section", {}, el("h2", {}, t.pair), el("form", {
      novalidate: true, submit: (event) => {
        event.preventDefault();
        void this.#send();
      },
    },
    field("code", t.code, t.codeMore, el("div", {class: scan ? "beside" : ""}, this.code, scan)), this.film,
    field("place", t.place, t.placeMore, this.place),
    field("name", t.name, t.nameMore, this.name),
    field("looks", t.looks, "", this.looks),
    field("replaces", t.replaces, t.replacesMore, this.replaces),
    el("div", {class: "send"}, this.button), this.answer));
  }

  /** @param {import("./mqtt.js").Received} message */
  #received({topic, payload, correlation}) {
    if (topic === this.topics.pairing) {
      this.#waiting = this.reader.waiting(payload) ?? this.#waiting;
      this.#drawWaiting();
    } else if (topic === this.topics.board) {
      const units = this.reader.board(payload)?.units.map(({unit}) => unit);
      if (units && units.join() !== this.#units.join()) {
        this.#units = units;
        this.#drawUnits();
      }
    } else if (topic === this.topics.answer && correlation) {
      const answer = this.reader.answer(payload);
      if (answer) this.requests.answered(hex(correlation), answer);
    }
  }

  #drawLink() {
    place("link").dataset.state = this.link.state;
    say(place("link-text"), this.t.link[this.link.state]);
    this.button.disabled = this.link.state !== "up";
  }

  #drawWaiting() {
    const {t} = this;
    this.list.replaceChildren(...(this.#waiting.length
      ? [el("ul", {class: "waiting"}, ...this.#waiting.map((number) => el("li", {}, number)))]
      : [el("p", {}, t.nobody), el("ol", {class: "steps"}, ...t.steps.map((step) => el("li", {}, step)))]));
  }

  #drawUnits() {
    const chosen = this.replaces.value;
    this.replaces.replaceChildren(el("option", {value: ""}, this.t.replacesNone), ...this.#units.map((unit) => el("option", {value: unit}, unit)));
    this.replaces.value = this.#units.includes(chosen) ? chosen : "";
  }

  #typed() {
    const signs = meant(this.code.value).slice(0, 12);
    if (this.code.selectionEnd === this.code.value.length) this.code.value = grouped(signs);
  }

  #suggest() {
    if (!this.#named || !this.name.value) {
      this.#named = false;
      this.name.value = nameFrom(this.place.value);
    }
  }

  async #scan() {
    const {t, film} = this;
    if (!film) return;
    const found = await scanned.code(film, t.scanMore, (text) => SIGNS.test(meant(text)));
    if (found) this.code.value = grouped(meant(found));
  }

  /** @param {boolean} good @param {string} text */
  #say(good, text) {
    this.answer.replaceChildren(el("p", {class: `answer ${good ? "answer-good" : "answer-bad"}`}, text));
  }

  async #send() {
    const {t, code} = this;
    const signs = meant(code.value);
    if (!SIGNS.test(signs)) {
      this.#say(false, t.malformed);
      code.focus();
      return;
    }
    this.button.disabled = true;
    say(this.button, t.sending);
    const camera = this.name.value.trim();
    const asked = {code: signs, unit: camera, place: this.place.value.trim(), looks: this.looks.value, replaces: this.replaces.value};
    try {
      const answer = await this.requests.ask("pair", asked);
      this.#say(answer.ok, this.#sentence(answer, camera, signs.slice(0, 4)));
      if (answer.ok) this.#clear();
    } catch (error) {
      if (error instanceof Undelivered) this.#say(false, this.link.state === "up" ? t.forbidden(this.session.tablet) : t.unanswered);
      else if (error instanceof Unanswered || error instanceof Unknown) this.#say(false, t.unanswered);
      else throw error;
    } finally {
      say(this.button, t.send);
      this.#drawLink();
    }
  }

  /** @param {import("./messages.js").Answer} answer @param {string} camera @param {string} number */
  #sentence({why, left, text}, camera, number) {
    const {t} = this;
    /** @type {Readonly<Record<string, string>>} */
    const known = {paired: t.paired(camera), code: t.wrong(left), dead: t.dead, nobody: t.away(number), away: t.hungUp, impostor: t.impostor};
    return known[why] ?? text;
  }

  /** Ready for the next camera; nothing of the code is left. */
  #clear() {
    for (const input of [this.code, this.place, this.name]) input.value = "";
    this.looks.value = "";
    this.replaces.value = "";
    this.#named = false;
  }
}

/** @param {string} id @param {string} label @param {string} more @param {HTMLElement} input */
function field(id, label, more, input) {
  const control = input.matches("input, select") ? input : input.querySelector("input");
  if (more) control?.setAttribute("aria-describedby", `${id}-more`);
  return el("div", {class: "field"}, el("label", {for: id}, label), input, more ? el("small", {id: `${id}-more`}, more) : null);
}

async function main() {
  const t = cameraTexts([language()]);
  document.documentElement.lang = t.lang;
  document.title = t.heading;
  say(place("heading"), t.heading);
  say(place("back"), t.back);
  const session = readSession();
  if (!session) {
    place("cameras").replaceChildren(el("section", {}, el("p", {role: "alert"}, t.signedOut)));
    return;
  }
  say(place("tablet"), session.tablet);
  const response = await fetch("/booth.json", {cache: "no-cache"});
  new Cameras(await response.json(), session, t).start();
}

void main();
