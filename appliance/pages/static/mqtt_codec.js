/**
 * MQTT 5.0 packets as bytes: the part of the OASIS standard (7 March 2019) that a subscriber and requester needs.
 *
 * Invariants:
 *  - No I/O, no clock, no state but the bytes not yet complete; numbers in comments are clauses of the standard.
 *  - Strict: what a server may not send us is `Malformed` and nothing else is ever thrown by reading.
 *  - Nothing is allocated on the word of the sender: a packet above the limit is refused at its header.
 */

/** What was read breaks the standard; the link must be closed (4.13.1). `reason` is the code to say goodbye with. */
export class Malformed extends Error {
  /** @param {string} what @param {number} [reason] */
  constructor(what, reason = 0x81) {
    super(what);
    this.name = "Malformed";
    this.reason = reason;
  }
}

/** Control packet types (2.1.2). */
export const Type = Object.freeze({
  CONNECT: 1, CONNACK: 2, PUBLISH: 3, PUBACK: 4, SUBSCRIBE: 8, SUBACK: 9, PINGREQ: 12, PINGRESP: 13, DISCONNECT: 14,
});

/** Largest packet we take, in bytes; said to the server in CONNECT (3.1.2.11.4). */
export const MAX_PACKET = 65536;

/**
 * @typedef {object} Properties what we use of a packet's properties (2.2.2); all others are checked and dropped
 * @property {number} [messageExpiry] seconds
 * @property {string} [responseTopic]
 * @property {Uint8Array} [correlation]
 * @property {number} [serverKeepAlive] seconds
 * @property {string} [reason] for people
 */
/**
 * @typedef {(
 *   {type: 2, present: boolean, code: number, properties: Properties} |
 *   {type: 3, qos: 0|1, retain: boolean, topic: string, id: number, properties: Properties, payload: Uint8Array} |
 *   {type: 4, id: number, code: number} |
 *   {type: 9, id: number, codes: number[]} |
 *   {type: 13} |
 *   {type: 14, code: number, properties: Properties}
 * )} Packet a packet as a server sends it
 */

const UTF8 = new TextEncoder();
const STRICT_UTF8 = new TextDecoder("utf-8", {fatal: true, ignoreBOM: true});

/* ---------- writing ---------- */

/** @param {number} value */
const u16 = (value) => [value >> 8 & 255, value & 255];
/** @param {number} value */
const u32 = (value) => [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];

/** Binary data (1.5.6). @param {Uint8Array} bytes */
function binary(bytes) {
  if (bytes.length > 0xffff) throw new RangeError("longer than 65535 bytes");
  return [...u16(bytes.length), ...bytes];
}
/** UTF-8 string (1.5.4). @param {string} text */
const string = (text) => binary(UTF8.encode(text));

/** Variable byte integer (1.5.5). @param {number} value below 2**28 */
function variable(value) {
  const bytes = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push(value % 128 + (rest ? 128 : 0));
    value = rest;
  } while (value);
  return bytes;
}

/** @param {number} first @param {number[]} body @param {Uint8Array} [payload] */
function packet(first, body, payload = new Uint8Array()) {
  return Uint8Array.from([first, ...variable(body.length + payload.length), ...body, ...payload]);
}

/** @param {number[]} content */
const properties = (content) => [...variable(content.length), ...content];

/**
 * CONNECT (3.1) with user name and password, clean start, no will; the session ends with the link.
 * @param {{clientId: string, user: string, password: string, keepAlive: number}} who keepAlive in seconds
 */
export function connect({clientId, user, password, keepAlive}) {
  return packet(Type.CONNECT << 4, [
    ...string("MQTT"), 5,
    0b1100_0010, // user name, password, clean start (3.1.2.3)
    ...u16(keepAlive),
    ...properties([33, ...u16(32), 39, ...u32(MAX_PACKET)]), // receive maximum, maximum packet size
    ...string(clientId), ...string(user), ...string(password),
  ]);
}

/** SUBSCRIBE (3.8) with QoS 1 to each topic filter. @param {number} id @param {readonly string[]} topics */
export function subscribe(id, topics) {
  return packet(Type.SUBSCRIBE << 4 | 2, [...u16(id), ...properties([]), ...topics.flatMap((topic) => [...string(topic), 1])]);
}

/**
 * PUBLISH (3.3) with QoS 1, not retained.
 * @param {{id: number, topic: string, payload: Uint8Array, responseTopic?: string, correlation?: Uint8Array,
 *          messageExpiry?: number}} message
 */
export function publish({id, topic, payload, responseTopic, correlation, messageExpiry}) {
  const content = [
    ...(messageExpiry === undefined ? [] : [2, ...u32(messageExpiry)]),
    ...(responseTopic === undefined ? [] : [8, ...string(responseTopic)]),
    ...(correlation === undefined ? [] : [9, ...binary(correlation)]),
  ];
  return packet(Type.PUBLISH << 4 | 1 << 1, [...string(topic), ...u16(id), ...properties(content)], payload);
}

/** PUBACK (3.4), success. @param {number} id */
export const puback = (id) => packet(Type.PUBACK << 4, u16(id));
/** PINGREQ (3.12). */
export const pingreq = () => packet(Type.PINGREQ << 4, []);
/** DISCONNECT (3.14). @param {number} [code] */
export const disconnect = (code = 0) => packet(Type.DISCONNECT << 4, code ? [code] : []);

/* ---------- reading ---------- */

/** Takes values off the front of a packet's body; Malformed where they are not there. */
class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  get left() {
    return this.bytes.length - this.at;
  }
  /** @param {number} count */
  take(count) {
    if (count > this.left) throw new Malformed("a packet ends too early");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  u8() {
    return this.take(1)[0];
  }
  u16() {
    const [high, low] = this.take(2);
    return high << 8 | low;
  }
  u32() {
    return this.u16() * 65536 + this.u16();
  }
  /** A packet identifier, never 0 (2.2.1-3). */
  id() {
    return this.u16() || fail("packet identifier 0");
  }
  binary() {
    return this.take(this.u16());
  }
  /** Well-formed UTF-8 without U+0000 (1.5.4-1, 1.5.4-2). */
  string() {
    try {
      const text = STRICT_UTF8.decode(this.binary());
      return text.includes("\0") ? fail("U+0000 in a string") : text;
    } catch (error) {
      if (error instanceof TypeError) return fail("a string is not UTF-8");
      throw error;
    }
  }
  variable() {
    const [value, length] = variableAt(this.bytes, this.at) ?? fail("a packet ends too early");
    this.at += length;
    return value;
  }
  end() {
    if (this.left) fail("something follows a packet's end");
  }
}

/** @returns {never} @param {string} what @param {number} [reason] */
function fail(what, reason) {
  throw new Malformed(what, reason);
}

/**
 * The variable byte integer at a place: value and length; undefined while incomplete (1.5.5; shortest form 1.5.5-1).
 * @param {Uint8Array} bytes @param {number} start @returns {[number, number] | undefined}
 */
function variableAt(bytes, start) {
  let value = 0;
  for (let length = 1; length <= 4; length += 1) {
    const byte = bytes[start + length - 1];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 128 ** (length - 1);
    if (byte < 128) return length > 1 && byte === 0 ? fail("a length is not in its shortest form") : [value, length];
  }
  return fail("a length has more than four bytes");
}

/** @typedef {(reader: Reader) => unknown} Read */
/** @type {Read} */ const readFlag = (reader) => { const bit = reader.u8(); return bit > 1 ? fail("a flag is neither 0 nor 1", 0x82) : bit; };
/** @type {Read} */ const readU16 = (reader) => reader.u16();
/** @type {Read} */ const readU32 = (reader) => reader.u32();
/** @type {Read} */ const readString = (reader) => reader.string();
/** @type {Read} */ const readBinary = (reader) => reader.binary();
/** @type {Read} */ const readPair = (reader) => [reader.string(), reader.string()];
/** @type {Read} */ const readVariable = (reader) => reader.variable();

/**
 * Properties a server may send, by identifier: how to read, in which packets (2.2.2.2). Topic alias (35) is absent: we
 * allow none (3.1.2-26). Authentication (21, 22) is absent: we use none.
 * @type {ReadonlyMap<number, readonly [Read, readonly number[]]>}
 */
const PROPERTY = new Map(/** @type {[number, [Read, number[]]][]} */ ([
  [1, [readFlag, [3]]], [2, [readU32, [3]]], [3, [readString, [3]]], [8, [readString, [3]]], [9, [readBinary, [3]]],
  [11, [readVariable, [3]]],
  [17, [readU32, [2]]], [18, [readString, [2]]], [19, [readU16, [2]]], [26, [readString, [2]]], [28, [readString, [2, 14]]],
  [31, [readString, [2, 4, 9, 14]]], [33, [readU16, [2]]], [34, [readU16, [2]]], [36, [readFlag, [2]]],
  [37, [readFlag, [2]]], [38, [readPair, [2, 3, 4, 9, 14]]], [39, [readU32, [2]]], [40, [readFlag, [2]]],
  [41, [readFlag, [2]]], [42, [readFlag, [2]]],
]));
const REPEATABLE = new Set([11, 38]);

/** @param {Reader} outer @param {number} type @returns {Properties} */
function readProperties(outer, type) {
  const reader = new Reader(outer.take(outer.variable()));
  /** @type {Map<number, any>} */ const found = new Map();
  while (reader.left) {
    const name = reader.variable();
    const [read, where] = PROPERTY.get(name) ?? fail(`property ${name} is not for us`, 0x82);
    if (!where.includes(type)) fail(`property ${name} has no place in packet ${type}`, 0x82);
    if (found.has(name) && !REPEATABLE.has(name)) fail(`property ${name} stands twice`, 0x82);
    found.set(name, read(reader));
  }
  return {
    messageExpiry: found.get(2), responseTopic: found.get(8), correlation: found.get(9)?.slice(),
    serverKeepAlive: found.get(19), reason: found.get(31),
  };
}

/** @type {Readonly<Record<number, (flags: number, body: Reader) => Packet>>} */
const READ = Object.freeze({
  [Type.CONNACK](flags, body) {
    const acknowledge = body.u8();
    if (acknowledge > 1) fail("CONNACK flags"); // 3.2.2-1
    return {type: 2, present: acknowledge === 1, code: body.u8(), properties: readProperties(body, 2)};
  },
  [Type.PUBLISH](flags, body) {
    const qos = flags >> 1 & 3;
    if (qos > 1) fail("QoS 2 was not asked for", 0x9b);
    if (!qos && flags & 8) fail("a duplicate of QoS 0"); // 3.3.1-2
    const topic = body.string();
    if (!topic || /[+#]/.test(topic)) fail("no topic name", 0x90); // 3.3.2-2; no alias, so never empty
    const id = qos ? body.id() : 0;
    const found = readProperties(body, 3);
    return {
      type: 3, qos: /** @type {0|1} */ (qos), retain: (flags & 1) === 1, topic, id, properties: found,
      payload: body.take(body.left).slice(),
    };
  },
  [Type.PUBACK](flags, body) {
    const id = body.id();
    const code = body.left ? body.u8() : 0; // 3.4.2.1
    if (body.left) readProperties(body, 4);
    return {type: 4, id, code};
  },
  [Type.SUBACK](flags, body) {
    const id = body.id();
    readProperties(body, 9);
    return {type: 9, id, codes: [...body.take(body.left)]};
  },
  [Type.PINGRESP]() {
    return {type: 13};
  },
  [Type.DISCONNECT](flags, body) {
    const code = body.left ? body.u8() : 0; // 3.14.2.1
    return {type: 14, code, properties: body.left ? readProperties(body, 14) : {}};
  },
});

/** Cuts a stream of bytes into packets, however it was cut into frames (6.0.0-2). */
export class Decoder {
  #pending = new Uint8Array();

  /**
   * The packets completed by these bytes. Throws Malformed only; the decoder is useless afterwards.
   * @param {Uint8Array} bytes @returns {Packet[]}
   */
  push(bytes) {
    const all = new Uint8Array(this.#pending.length + bytes.length);
    all.set(this.#pending);
    all.set(bytes, this.#pending.length);
    const packets = [];
    let at = 0;
    while (at < all.length) {
      const type = all[at] >> 4, flags = all[at] & 15;
      const read = READ[type] ?? fail(`packet type ${type} is not for a client`, 0x82);
      if (type !== Type.PUBLISH && flags) fail("reserved flags are set"); // 2.1.3-1
      const length = variableAt(all, at + 1);
      if (!length) break;
      const start = at + 1 + length[1], end = start + length[0];
      if (end - at > MAX_PACKET) fail("a packet is larger than we said we take", 0x95); // 3.1.2-24
      if (end > all.length) break;
      const body = new Reader(all.subarray(start, end));
      packets.push(read(flags, body));
      body.end();
      at = end;
    }
    this.#pending = all.slice(at);
    return packets;
  }
}
