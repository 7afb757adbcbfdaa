/** The staff tablet: signs in, listens, shows what must be seen, asks the hub. Everything meets here. */
import {Asks, QUIET} from "./asks.js";
import {banner, lines} from "./banners.js";
import {Booth, topicsOf} from "./booth.js";
import {Card} from "./cards.js";
import {say} from "./dom.js";
import {keepShell} from "./install.js";
import {boothSpeaks, chooser, language} from "./language.js";
import {Reader} from "./messages.js";
import {Link} from "./mqtt.js";
import {empty, panels} from "./panel.js";
import {PasserCard} from "./passer.js";
import {Requests} from "./requests.js";
import {readSession, signOut} from "./session.js";
import {ShiftPanel} from "./shift.js";
import {Signals} from "./signals.js";
import {texts} from "./texts.js";
import {notice, toast} from "./toast.js";

const TICK_MS = 500;
/** After cards have moved, taps on them are ignored for so long: the finger was on its way to another card. */
const MOVED_MS = 400;

/** @param {string} id @returns {HTMLElement} */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @typedef {{booth: string, ws_port: number, wss_port: number}} Where */

class Tablet {
  /** @type {Map<string, Card>} */ cards = new Map();
  signals = new Signals();
  passer = new PasserCard();
  #drawing = 0;
  #panels = "";
  #banners = "";
  #empty = "";
  #wasReachable = false;
  #announced = "";
  #newest = "";
  #settling = 0;

  /** @param {Where} where @param {import("./messages.js").Attribute[]} attributes @param {import("./session.js").Session} session @param {import("./texts.js").Catalogue} t */
  constructor(where, attributes, session, t) {
    this.t = t;
    this.session = session;
    const topics = topicsOf(where.booth, session.tablet);
    this.booth = new Booth(new Reader(attributes), topics);
    const secure = location.protocol === "https:";
    this.link = new Link({
      url: `${secure ? "wss" : "ws"}://${location.hostname}:${secure ? where.wss_port : where.ws_port}/mqtt`,
      user: session.tablet, password: session.password, topics: topics.subscriptions,
      onMessage: (message) => this.#received(message),
      onState: () => this.#redraw(),
    });
    this.requests = new Requests(this.link, topics);
    this.asks = new Asks(this.requests, this.booth, t, {redraw: () => this.#redraw(), announce: (alert, text) => this.#announce(alert, text)});
    this.shift = new ShiftPanel(this.asks, t, () => (this.link.stop(), signOut(), location.reload()));
    document.title = this.t.title(where.booth);
    say(place("booth"), this.t.booth(where.booth));
    say(place("tablet"), session.tablet);
    place("languages").replaceChildren(chooser(t.language, () => location.reload()));
    place("shift-place").replaceChildren(this.shift.root);
  }

  start() {
    this.link.start();
    setInterval(() => this.#tick(), TICK_MS);
    addEventListener("online", () => this.link.hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      this.link.hurry();
      void this.signals.stayAwake();
    });
    document.addEventListener("pointerdown", () => {
      if (this.signals.wanted && !this.signals.sounding) void this.#sound(true);
    }, {once: true});
    place("sound").addEventListener("click", () => void this.#sound(!this.signals.sounding));
    place("cards").addEventListener("click", (event) => {
      if (!place("cards").dataset.moved) return;
      event.stopPropagation();
      event.preventDefault();
    }, {capture: true});
    void this.signals.stayAwake();
    this.#redraw();
  }

  /** @param {boolean} on */
  async #sound(on) {
    await this.signals.sound(on);
    this.#redraw();
  }

  /** The hub can be asked. */
  get reachable() {
    return this.link.state === "up" && this.booth.hubOnline !== false;
  }

  /** @param {import("./mqtt.js").Received} message */
  #received(message) {
    const news = this.booth.take(message, Date.now());
    if (news?.kind === "raised") this.#raised(news.alert);
    if (this.booth.board && boothSpeaks(this.booth.board.language)) location.reload();
    if (news?.kind === "answer") this.requests.answered(news.correlation, news.answer);
    this.#redraw();
  }

  /** Somebody is to be greeted: heard, felt, and pointed at. @param {import("./messages.js").Alert} alert */
  #raised({id, place: where, reasons, look}) {
    this.#newest = id;
    this.signals.alert();
    const words = this.t.alerts.arrived(where, reasons[0] ? this.t.sentence(reasons[0], look) : "");
    this.#announce(id, words);
    if (place("cards").getBoundingClientRect().top < 0) toast(words, true); // its card is above what is in view
  }

  /** Tell those who hear the page. @param {string} alert @param {string} text */
  #announce(alert, text) {
    say(place("arrivals"), text);
    this.#announced = alert;
  }

  #tick() {
    const now = Date.now();
    if (this.booth.prune(now)) this.#redraw();
    const hubNow = this.booth.hubNow(now);
    for (const alert of this.booth.alerts.values()) this.cards.get(alert.id)?.tick(alert, hubNow);
    this.#drawBanners(now);
    if (!this.cards.size) this.#drawPanels(now);
  }

  /** Draw once, soon. */
  #redraw() {
    // A hidden page gets no animation frames, but its state must be right when it is looked at.
    this.#drawing ||= setTimeout(() => {
      this.#drawing = 0;
      this.#draw();
    });
  }

  #draw() {
    const now = Date.now();
    if (this.reachable && !this.#wasReachable) this.requests.resume();
    this.#wasReachable = this.reachable;
    this.#drawHeader();
    this.#drawBanners(now);
    this.#drawCards(now);
    this.#drawPanels(now);
  }

  #drawHeader() {
    const {t} = this;
    const hubAway = this.link.state === "up" && this.booth.hubOnline === false;
    place("link").dataset.state = hubAway ? "hub_away" : this.link.state;
    say(place("link-text"), hubAway ? t.link.hub_away : t.link[this.link.state]);
    say(place("stock"), this.booth.board ? `${t.number(this.booth.board.stock)} ${t.panel.stock}` : "");
    const on = this.signals.sounding;
    place("sound").setAttribute("aria-pressed", String(on));
    say(place("sound-text"), on ? t.sound.on : t.sound.turnOn);
    const {size} = this.booth.alerts;
    document.title = `${size ? `(${size}) ` : ""}${t.title(this.booth.topics.board.split("/")[2])}`;
    say(place("alerts-heading"), size ? t.alerts.count(size) : t.alerts.heading);
  }

  /** @param {number} now */
  #drawBanners(now) {
    const {t, booth, link} = this;
    const said = lines(booth, link.state, t, now);
    const signature = JSON.stringify([said, link.state === "refused", link.state === "taken_over"]);
    if (signature === this.#banners) return;
    this.#banners = signature;
    place("banners").replaceChildren(...said.map((line) => banner(line, t)));
    this.#drawSession();
  }

  /** Where this tablet may not listen, one clear message instead of the page. */
  #drawSession() {
    const {t, link, session} = this;
    if (link.state === "refused") notice(t.session.refused(session.tablet), t.session.refusedMore, t.session.again, () => link.start());
    else if (link.state === "taken_over") notice(t.session.taken(session.tablet), t.session.takenMore, t.session.here, () => link.start());
    else notice();
  }

  /** @param {number} now */
  #drawCards(now) {
    const open = this.booth.open();
    if (!this.booth.alerts.has(this.#announced)) say(place("arrivals"), ""); // what was worn must not stay there either
    if (this.passer.alert && !this.booth.alerts.has(this.passer.alert)) this.passer.close();
    const list = place("cards");
    list.dataset.count = String(Math.min(open.length, 5));
    for (const [id, card] of this.cards) {
      if (this.booth.alerts.has(id)) continue;
      if (card.root.contains(document.activeElement)) place("alerts-heading").focus({preventScroll: true});
      card.root.remove();
      this.cards.delete(id);
      this.asks.drop(id);
    }
    open.forEach((alert, at) => this.#drawCard(alert, list, at, now));
    const signature = open.length ? "" : JSON.stringify([this.reachable, this.booth.board?.baseline, this.booth.board?.stock, this.booth.board?.shift.closed, this.booth.typicalLook()]);
    if (signature === this.#empty) return;
    this.#empty = signature;
    place("empty").replaceChildren(...(open.length ? [] : [empty(this.booth, this.reachable, this.t)]));
  }

  /** @param {import("./messages.js").Alert} alert @param {HTMLElement} list @param {number} at @param {number} now */
  #drawCard(alert, list, at, now) {
    const card = this.cards.get(alert.id) ?? new Card(alert.id, this.#actions(), this.t);
    this.cards.set(alert.id, card);
    card.update({
      alert, tablet: this.session.tablet, reachable: this.reachable,
      dialogue: this.asks.dialogues.get(alert.id) ?? QUIET,
      usual: alert.reasons.map((reason) => this.#instead(reason.attributes)),
      sizes: this.booth.board?.shift.sizes ?? [],
      newest: alert.id === this.#newest && alert.state === "raised" && this.booth.alerts.size > 1,
    });
    card.tick(alert, this.booth.hubNow(now));
    if (list.children[at] === card.root) return;
    if (list.children.length) this.#moved(list);
    list.insertBefore(card.root, list.children[at] ?? null);
  }

  /** Cards are on the move: a finger may be on its way to where another one was. @param {HTMLElement} list */
  #moved(list) {
    list.dataset.moved = "yes";
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => delete list.dataset.moved, MOVED_MS);
  }

  /** What most people wear instead of what makes this one rare. @param {Readonly<Record<string, string>>} attributes */
  #instead(attributes) {
    const names = Object.keys(attributes);
    if (names.length !== 1) return "";
    return this.booth.usualWords(names[0], 2).filter(({word}) => word !== attributes[names[0]]).map(({word, share}) => `${this.t.level(names[0], word)} ${this.t.percent(share)}`).join(this.t.comma);
  }

  /** @param {number} now */
  #drawPanels(now) {
    const {board, lately, ignored, lead, log} = this.booth;
    this.shift.draw(board, this.booth.hubNow(now), this.reachable);
    const signature = JSON.stringify([
      board && {...board, at: 0, units: board.units.map((unit) => ({...unit, fps: Math.round(unit.fps)}))},
      lately.map((past) => [past, Math.floor((now - past.at) / 15_000)]), ignored, lead, log,
    ]);
    if (signature === this.#panels) return;
    this.#panels = signature;
    place("panels").replaceChildren(...panels(this.booth, {tablet: this.session.tablet, now, canStayAwake: this.signals.canStayAwake}, this.t));
  }

  /** @returns {import("./cards.js").Actions} */
  #actions() {
    const {asks} = this;
    return {
      claim: (alert) => void asks.claim(alert),
      release: (alert) => void asks.release(alert),
      show: (alert) => this.#show(alert),
      outcome: (alert, outcome, why, size) => asks.outcome(alert, outcome, why, size),
      undo: (alert) => asks.undo(alert),
      question: (alert, question) => asks.question(alert, question),
      forget: (alert) => void asks.forget(alert),
    };
  }

  /** @param {string} id */
  #show(id) {
    const alert = this.booth.alerts.get(id);
    if (alert) void this.passer.show(alert, this.t.lang, this.booth.board?.retention ?? 300, () => void this.asks.forget(id));
  }
}

/** @param {string} path */
async function fetched(path) {
  const response = await fetch(path, {cache: "no-cache"});
  if (!response.ok) throw new TypeError(`${path}: ${response.status}`);
  return response.json();
}

async function main() {
  const t = await texts(language());
  document.documentElement.lang = t.lang;
  say(place("skip"), t.skip);
  addEventListener("hashchange", () => location.reload()); // another session's link was opened in this window
  const session = readSession();
  void keepShell();
  if (!session) return notice(t.session.missing, t.session.missingMore);
  try {
    const [where, vocabulary] = await Promise.all([fetched("/booth.json"), fetched("/vocabulary.json")]);
    new Tablet(where, vocabulary.attributes, session, t).start();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    notice(t.session.broken, t.session.brokenMore, t.session.again, () => location.reload());
  }
  return undefined;
}

void main();
