/**
 * A link to the booth's broker from a browser: MQTT 5.0 over a WebSocket, one session per page, always reconnecting.
 *
 * Invariants:
 *  - Nothing received can throw into the page: what breaks the standard closes the link, and a new one is tried.
 *  - Nothing is stored while away: a request that cannot be handed over now fails now, and its sender decides.
 *  - A link that is silent for `STALLED_MS` is called stalled, and closed after `DEAD_MS`: people are told in under 3 s.
 *  - A request whose acknowledgement is outstanding when the link ends is `Unknown`, never `Undelivered`.
 *  - A refused password or a session taken over by another window stops the link: trying again would change nothing.
 */
import {Decoder, Malformed, connect, disconnect, pingreq, puback, publish, subscribe} from "./mqtt_codec.js";

/** Said to the broker; far above `PING_MS`, because browsers slow the timers of hidden pages to one a minute. */
const KEEP_ALIVE_SECONDS = 90;
/** How often the link is looked at, after how much silence we ask whether it lives, in milliseconds; */
const LOOK_MS = 250;
const PING_MS = 700;
/** and how long after that it is called stalled, and dead. */
const STALLED_MS = 1250;
const DEAD_MS = 6000;
const CONNECT_MS = 8000;
/** Shortest and longest pause before the next attempt, in milliseconds. */
const PAUSE_MS = Object.freeze([500, 8000]);

/** CONNACK reasons that another attempt does not mend (3.2.2.2): malformed identifier, bad user or password, not allowed, banned. */
const REFUSALS = new Set([0x85, 0x86, 0x87, 0x8a, 0x8c]);
const TAKEN_OVER = 0x8e;
/**
 * A working link closed by the broker so often within so many milliseconds is a session that two windows fight for:
 * mosquitto 2.0.11 closes a WebSocket without saying so (0x8e). Whoever was there first lost first, and yields.
 */
const CONTEST = Object.freeze({breaks: 3, within: 20_000});
/** PUBACK: nobody listens on that topic (3.4.2.1). A success of the protocol, but no request is answered by nobody. */
const NOBODY_LISTENS = 0x10;

/** @typedef {"connecting" | "up" | "stalled" | "waiting" | "refused" | "taken_over" | "stopped"} LinkState */
/** @typedef {{topic: string, payload: Uint8Array, retained: boolean, correlation?: Uint8Array, messageExpiry?: number}} Received */
/** @typedef {{topic: string, payload: Uint8Array, responseTopic?: string, correlation?: Uint8Array, messageExpiry?: number}} Sent */

/** A request was handed over, and the link ended before anybody said that it arrived. */
export class Unknown extends Error {
  /** @param {string} what */
  constructor(what) {
    super(what);
    this.name = "Unknown";
  }
}

/** A request could not be handed over to the broker. */
export class Undelivered extends Error {
  /** @param {string} what */
  constructor(what) {
    super(what);
    this.name = "Undelivered";
  }
}

export class Link {
  #socket = /** @type {WebSocket | null} */ (null);
  #state = /** @type {LinkState} */ ("stopped");
  #nextId = 0;
  #waiting = /** @type {Map<number, {resolve: () => void, reject: (why: Error) => void}>} */ (new Map());
  #timers = /** @type {number[]} */ ([]);
  #failures = 0;
  #subscription = 0;
  #askedAt = 0;
  #heardAt = 0;
  #retry = 0;
  #breaks = /** @type {number[]} */ ([]);

  /**
   * @param {object} options
   * @param {string} options.url `ws://host:port/mqtt`
   * @param {string} options.user also the client identifier
   * @param {string} options.password
   * @param {readonly string[]} options.topics filters to subscribe to
   * @param {(message: Received) => void} options.onMessage
   * @param {(state: LinkState) => void} options.onState called with each new state
   */
  constructor(options) {
    this.options = options;
  }

  /** @returns {LinkState} */
  get state() {
    return this.#state;
  }

  /** Connect, and again whenever the link is lost. */
  start() {
    this.#breaks = [];
    this.#open();
  }

  /** Do not wait for the next attempt: the device woke up, or its network came back. */
  hurry() {
    if (this.#state === "waiting") this.#open();
    else if (this.#state === "up" || this.#state === "stalled") this.#ping();
  }

  /** Say goodbye and stay away. */
  stop() {
    this.#send(disconnect());
    this.#drop("stopped");
  }

  /**
   * Hand a message over with QoS 1; resolves when the broker has it for somebody. Rejects with Undelivered, or Unknown.
   * @param {Sent} message @returns {Promise<void>}
   */
  publish(message) {
    if (this.#state !== "up") return Promise.reject(new Undelivered("not connected"));
    const id = this.#freshId();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {resolve, reject});
      this.#send(publish({...message, id}));
    });
  }

  /** An identifier not in use, 1 to 65535 (2.2.1-3). */
  #freshId() {
    do this.#nextId = this.#nextId % 0xffff + 1; while (this.#waiting.has(this.#nextId));
    return this.#nextId;
  }

  /** @param {LinkState} state */
  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.options.onState(state);
  }

  #open() {
    clearTimeout(this.#retry);
    this.#become("connecting");
    const {url, user, password} = this.options;
    const socket = new WebSocket(url, ["mqtt"]); // 6.0.0-3
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    const decoder = new Decoder();
    this.#timers = [setTimeout(() => this.#lost(socket), CONNECT_MS)];
    socket.onopen = () => {
      if (socket.protocol !== "mqtt") this.#lost(socket); // 6.0.0-4
      else this.#send(connect({clientId: user, user, password, keepAlive: KEEP_ALIVE_SECONDS}));
    };
    socket.onmessage = ({data}) => this.#read(socket, decoder, data);
    socket.onclose = () => (socket === this.#socket && this.#contested() ? this.#drop("taken_over") : this.#lost(socket));
  }

  /** A working link was closed, and not for the first time. */
  #contested() {
    if (this.#state !== "up" && this.#state !== "stalled") return false;
    const now = Date.now();
    this.#breaks = [...this.#breaks.filter((at) => now - at < CONTEST.within), now];
    return this.#breaks.length >= CONTEST.breaks;
  }

  /** @param {WebSocket} socket @param {Decoder} decoder @param {unknown} data */
  #read(socket, decoder, data) {
    if (socket !== this.#socket) return;
    this.#askedAt = 0;
    this.#heardAt = Date.now();
    if (this.#state === "stalled") this.#become("up");
    let packets;
    try {
      if (!(data instanceof ArrayBuffer)) throw new Malformed("a text frame"); // 6.0.0-1
      packets = decoder.push(new Uint8Array(data));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#send(disconnect(error.reason)); // 4.13.1
      this.#lost(socket);
      return;
    }
    for (const packet of packets) if (socket === this.#socket) this.#take(socket, packet);
  }

  /** @param {WebSocket} socket @param {import("./mqtt_codec.js").Packet} packet */
  #take(socket, packet) {
    switch (packet.type) {
      case 2:
        return this.#state === "connecting" && !this.#subscription ? this.#accepted(socket, packet.code) : this.#lost(socket);
      case 9:
        if (packet.id !== this.#subscription) return this.#lost(socket);
        return packet.codes.some((code) => code >= 0x80) ? this.#drop("refused") : this.#subscribed(socket);
      case 3: {
        // Acknowledged before it is shown: an error in the page must not make the broker send it for ever.
        if (packet.qos) this.#send(puback(packet.id));
        const {topic, payload, retain: retained, properties: {correlation, messageExpiry}} = packet;
        return this.options.onMessage({topic, payload, retained, correlation, messageExpiry});
      }
      case 4: {
        const waiting = this.#waiting.get(packet.id);
        this.#waiting.delete(packet.id);
        if (packet.code < 0x80 && packet.code !== NOBODY_LISTENS) waiting?.resolve();
        else waiting?.reject(new Undelivered(`not taken (0x${packet.code.toString(16)})`));
        return undefined;
      }
      case 14:
        return packet.code === TAKEN_OVER ? this.#drop("taken_over") : this.#lost(socket);
      default:
        return undefined; // PINGRESP: that something came is all it says
    }
  }

  /** @param {WebSocket} socket @param {number} code */
  #accepted(socket, code) {
    if (REFUSALS.has(code)) return this.#drop("refused");
    if (code) return this.#lost(socket);
    this.#subscription = this.#freshId();
    return this.#send(subscribe(this.#subscription, this.options.topics));
  }

  /** @param {WebSocket} socket */
  #subscribed(socket) {
    this.#timers.forEach(clearTimeout);
    this.#timers = [setInterval(() => this.#look(socket), LOOK_MS)];
    this.#failures = 0;
    this.#become("up");
  }

  /** Ask whether a silent link lives, say when it does not answer, and give it up at last. @param {WebSocket} socket */
  #look(socket) {
    const now = Date.now();
    if (!this.#askedAt) {
      if (Math.abs(now - this.#heardAt) >= PING_MS) this.#ping();
      return;
    }
    const silent = Math.abs(now - this.#askedAt); // a clock that is set back must not hide a dead link
    if (silent >= DEAD_MS) this.#lost(socket);
    else if (silent >= STALLED_MS) this.#become("stalled");
  }

  #ping() {
    this.#askedAt ||= Date.now();
    this.#send(pingreq());
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  #send(bytes) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  /** The link is gone: try again after a pause that doubles, with jitter. @param {WebSocket} socket */
  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#drop("waiting");
    const pause = Math.min(PAUSE_MS[1], PAUSE_MS[0] * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#retry = setTimeout(() => this.#open(), pause);
  }

  /** @param {LinkState} state */
  #drop(state) {
    clearTimeout(this.#retry);
    this.#timers.forEach(clearInterval);
    this.#timers = [];
    this.#subscription = 0;
    this.#askedAt = 0;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const {reject} of waiting) reject(new Unknown("the link was lost"));
    this.#become(state);
  }
}
