/** The staff tablet: signs in, listens, shows what must be seen, asks the hub. Everything meets here. */
import {Booth, SILENCE_MS, topicsOf} from "./booth.js";
import {Card} from "./cards.js";
import {el, say} from "./dom.js";
import {Reader} from "./messages.js";
import {Link, Undelivered} from "./mqtt.js";
import {empty, panels} from "./panel.js";
import {Requests, Unanswered} from "./requests.js";
import {readSession} from "./session.js";
import {Signals} from "./signals.js";
import {catalogue} from "./texts.js";

const TICK_MS = 500;
const TOAST_MS = 9000;

/** @param {string} id @returns {HTMLElement} */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @typedef {{booth: string, ws_port: number, wss_port: number}} Where */

class Tablet {
  /** @type {Map<string, Card>} */ cards = new Map();
  /** @type {Map<string, import("./cards.js").Dialogue>} */ dialogues = new Map();
  signals = new Signals();
  #drawing = 0;
  #panels = "";
  #banners = "";
  #empty = "";
  #wasReachable = false;
  #announced = "";

  /** @param {Where} where @param {import("./messages.js").Attribute[]} attributes @param {import("./session.js").Session} session */
  constructor(where, attributes, session) {
    this.t = catalogue(navigator.languages);
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
    document.title = this.t.title(where.booth);
    say(place("booth"), this.t.booth(where.booth));
    say(place("tablet"), session.tablet);
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
    if (news?.kind === "raised") {
      const {place: where, reasons} = news.alert;
      this.signals.alert();
      this.#announce(news.alert.id, this.t.alerts.arrived(where, reasons[0]?.text ?? ""));
    }
    if (news?.kind === "answer") this.requests.answered(news.correlation, news.answer);
    this.#redraw();
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
    /** @type {[string, string, string][]} style, title, more */ const lines = [];
    if (link.state === "waiting" || (link.state === "connecting" && booth.heardAt)) lines.push(["bad", t.banner.offline, t.banner.offlineMore]);
    else if (link.state === "up" && booth.hubOnline === false) lines.push(["bad", t.banner.hubAway, t.banner.hubAwayMore]);
    else if (link.state === "up" && booth.heardAt && now - booth.heardAt > SILENCE_MS) lines.push(["bad", t.banner.hubSilent(Math.round((now - booth.heardAt) / 5000) * 5), t.banner.hubAwayMore]);
    const unboxed = (booth.board?.units ?? []).filter(({boxed}) => boxed === false).map((unit) => unit.place || unit.unit);
    if (unboxed.length) lines.push(["unboxed", t.banner.unboxed, t.banner.unboxedMore(unboxed.join(", "))]);
    for (const {title, todo} of booth.board?.notices ?? []) lines.push(["bad", title, todo]);
    if (booth.cameras.length) lines.push(["camera", t.banner.camera, t.banner.cameraMore(booth.cameras.join(", "))]);
    if (booth.board?.simulated) lines.push(["simulated", t.banner.simulated, t.banner.simulatedMore]);
    const signature = JSON.stringify([lines, link.state === "refused", link.state === "taken_over"]);
    if (signature === this.#banners) return;
    this.#banners = signature;
    place("banners").replaceChildren(...lines.map(([style, title, more]) => el("div", {class: `banner banner-${style}`}, el("strong", {}, title), el("span", {}, more), style === "camera" && el("a", {class: "button button-plain", href: "/cameras"}, t.banner.cameraLink))));
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
    const list = place("cards");
    list.dataset.count = String(Math.min(open.length, 5));
    for (const [id, card] of this.cards) {
      if (this.booth.alerts.has(id)) continue;
      if (card.root.contains(document.activeElement)) place("alerts-heading").focus({preventScroll: true});
      card.root.remove();
      this.cards.delete(id);
      this.dialogues.delete(id);
    }
    open.forEach((alert, at) => {
      const card = this.cards.get(alert.id) ?? new Card(alert.id, this.#actions(), this.t);
      this.cards.set(alert.id, card);
      card.update({
        alert, tablet: this.session.tablet, reachable: this.reachable,
        dialogue: this.dialogues.get(alert.id) ?? {asking: false, question: null},
        usual: alert.reasons.map((reason) => this.#instead(reason.attributes)),
      });
      card.tick(alert, this.booth.hubNow(now));
      if (list.children[at] !== card.root) list.insertBefore(card.root, list.children[at] ?? null);
    });
    const signature = open.length ? "" : JSON.stringify([this.reachable, this.booth.board?.baseline, this.booth.board?.stock, this.booth.typicalLook()]);
    if (signature === this.#empty) return;
    this.#empty = signature;
    place("empty").replaceChildren(...(open.length ? [] : [empty(this.booth, this.reachable, this.t)]));
  }

  /** What most people wear instead of what makes this one rare. @param {Readonly<Record<string, string>>} attributes */
  #instead(attributes) {
    const names = Object.keys(attributes);
    if (names.length !== 1) return "";
    return this.booth.usualWords(names[0], 2).filter(({word}) => word !== attributes[names[0]]).map(({word, share}) => `${this.t.level(names[0], word)} ${this.t.percent(share)}`).join(", ");
  }

  /** @param {number} now */
  #drawPanels(now) {
    const {board, lately, ignored} = this.booth;
    const signature = JSON.stringify([
      board && {...board, at: 0, units: board.units.map((unit) => ({...unit, fps: Math.round(unit.fps)}))},
      lately.map((past) => [past, Math.floor((now - past.at) / 15_000)]), ignored,
    ]);
    if (signature === this.#panels) return;
    this.#panels = signature;
    place("panels").replaceChildren(...panels(this.booth, {tablet: this.session.tablet, now, canStayAwake: this.signals.canStayAwake}, this.t));
  }

  /** @returns {import("./cards.js").Actions} */
  #actions() {
    return {
      claim: (alert) => void this.#ask(alert, "claim", {alert}),
      outcome: (alert, outcome, why) => void this.#ask(alert, "outcome", {alert, outcome, why}),
      question: (alert, question) => {
        this.dialogues.set(alert, {asking: false, question});
        this.#redraw();
      },
      forget: (alert) => void this.#forget(alert),
    };
  }

  /** @param {string} alert @param {"claim" | "outcome"} leaf @param {Readonly<Record<string, unknown>>} body */
  async #ask(alert, leaf, body) {
    this.dialogues.set(alert, {asking: true, question: null});
    this.#redraw();
    try {
      const answer = await this.requests.ask(leaf, body);
      if (leaf === "claim" && answer.ok) this.#announce(alert, answer.text); // seen on the card; a toast would hide its buttons
      else toast(answer.text, answer.ok);
    } catch (error) {
      if (error instanceof Undelivered) toast(this.t.answer.undelivered, false);
      else if (error instanceof Unanswered) toast(this.t.answer.none, false);
      else throw error;
    } finally {
      this.dialogues.delete(alert);
      this.#redraw();
    }
  }

  /** At once here; then the hub is told, now or as soon as it can be reached. @param {string} alert */
  async #forget(alert) {
    this.booth.forget(alert, Date.now());
    this.#redraw();
    const answer = await this.requests.forget(alert);
    if (!answer) toast(this.t.answer.forgetLater, false);
    else {
      if (!answer.ok) this.booth.unforget(alert);
      toast(answer.text, answer.ok);
    }
  }
}

/** A short message at the top of the page, where no button of a card is; the newest replaces the last. @param {string} text @param {boolean} good */
function toast(text, good) {
  const line = el("div", {class: `toast ${good ? "toast-good" : "toast-bad"}`}, text);
  place("toasts").replaceChildren(line);
  setTimeout(() => line.remove(), TOAST_MS);
}

/** One message instead of the page; without arguments the page comes back. @param {string} [title] @param {string} [more] @param {string} [button] @param {() => void} [act] */
function notice(title, more, button, act) {
  const shown = title !== undefined;
  place("notice").hidden = !shown;
  place("page").hidden = shown;
  place("notice").replaceChildren(...(shown
    ? [el("div", {class: "notice-box"}, el("h1", {}, title), el("p", {}, more ?? ""), button && act ? el("button", {type: "button", class: "button button-main", click: act}, button) : null)]
    : []));
}

/** @param {string} path */
async function fetched(path) {
  const response = await fetch(path, {cache: "no-cache"});
  if (!response.ok) throw new TypeError(`${path}: ${response.status}`);
  return response.json();
}

async function main() {
  const t = catalogue(navigator.languages);
  document.documentElement.lang = t.lang;
  say(place("skip"), t.skip);
  addEventListener("hashchange", () => location.reload()); // another session's link was opened in this window
  const session = readSession();
  if (!session) return notice(t.session.missing, t.session.missingMore);
  try {
    const [where, vocabulary] = await Promise.all([fetched("/booth.json"), fetched("/vocabulary.json")]);
    new Tablet(where, vocabulary.attributes, session).start();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    notice(t.session.broken, t.session.brokenMore, t.session.again, () => location.reload());
  }
  return undefined;
}

void main();
