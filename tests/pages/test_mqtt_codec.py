"""The browser's MQTT 5 codec: round trips, an independent library, and garbage; run where it runs, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from selenium import webdriver

from tests.pages.stage import Stage

pytestmark = pytest.mark.browser

HEX = """
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const spell = (key, value) => (value instanceof Uint8Array ? hex(value) : value);
const plain = (packet) => JSON.parse(JSON.stringify(packet, spell));
const read = (bytes) => {
  try { return {packets: new codec.Decoder().push(bytes).map(plain)}; }
  catch (error) {
    if (!(error instanceof codec.Malformed)) throw error;
    return {malformed: error.message, reason: error.reason};
  }
};
"""


class Codec:
    """Runs a script beside the codec."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self._browser = browser

    def run(self, script: str, *arguments: object) -> Any:
        """What ``script`` returns; ``given`` are the arguments."""
        whole = (
            "const given = [...arguments];"
            f"return (async () => {{ const codec = await import('/static/mqtt_codec.js'); {HEX} {script} }})()"
        )
        return self._browser.execute_script(whole, *arguments)

    def read(self, packet: bytes) -> dict[str, Any]:
        """The packets in some bytes, or why they are malformed."""
        answer: dict[str, Any] = self.run("return read(unhex(given[0]))", packet.hex())
        return answer


@pytest.fixture(scope="module")
def codec(stage: Stage, browser: webdriver.Chrome) -> Iterator[Codec]:
    browser.get(f"{stage.pages.url}/")
    yield Codec(browser)
    browser.get("about:blank")


def framed(first: int, body: bytes) -> bytes:
    """A packet of fewer than 128 bytes."""
    return bytes((first, len(body))) + body


def string(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def paho_properties(packet: int, **values: Any) -> bytes:
    """Properties as the independent library writes them."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return bytes(properties.pack())  # type: ignore[no-untyped-call]


def test_a_publish_with_every_property_of_an_independent_library_is_read(codec: Codec) -> None:
    """All properties a PUBLISH can carry (3.3.2.3) are read as the other library wrote them."""
    properties = paho_properties(
        PacketTypes.PUBLISH, PayloadFormatIndicator=1, MessageExpiryInterval=4_000_000_000,
        ContentType="application/json",
        ResponseTopic="a/é", CorrelationData=b"\x00\xff", SubscriptionIdentifier=[300],
        UserProperty=[("a", "b"), ("a", "c")],
    )  # fmt: skip
    packet = framed(0x33, string("a/b") + b"\x12\x34" + properties + b"hi")
    assert codec.read(packet)["packets"] == [
        {
            "type": 3, "qos": 1, "retain": True, "topic": "a/b", "id": 0x1234, "payload": b"hi".hex(),
            "properties": {"messageExpiry": 4_000_000_000, "responseTopic": "a/é", "correlation": "00ff"},
        }
    ]  # fmt: skip


def test_a_connack_with_every_property_of_an_independent_library_is_read(codec: Codec) -> None:
    """All properties a CONNACK can carry without authentication (3.2.2.3) are read as written."""
    properties = paho_properties(
        PacketTypes.CONNACK, SessionExpiryInterval=1, AssignedClientIdentifier="x", ServerKeepAlive=60,
        ResponseInformation="r",
        ServerReference="s", ReasonString="because", ReceiveMaximum=20, TopicAliasMaximum=10, MaximumQoS=1,
        RetainAvailable=1,
        UserProperty=("k", "v"), MaximumPacketSize=32768, WildcardSubscriptionAvailable=1,
        SubscriptionIdentifierAvailable=0,
        SharedSubscriptionAvailable=1,
    )  # fmt: skip
    (packet,) = codec.read(framed(0x20, b"\x01\x00" + properties))["packets"]
    assert packet == {
        "type": 2, "present": True, "code": 0, "properties": {"serverKeepAlive": 60, "reason": "because"},
    }  # fmt: skip


def test_what_we_publish_is_read_by_an_independent_library(codec: Codec) -> None:
    """Our PUBLISH is byte for byte what the standard says, and the other library reads its properties."""
    written = bytes.fromhex(
        codec.run(
            "return hex(codec.publish({id: 258, topic: 'a/b', payload: unhex('6869'), "
            "responseTopic: 'r/é', correlation: unhex('0102'), messageExpiry: 8}))"
        )
    )
    head = b"\x00\x03a/b\x01\x02"
    assert written[0] == 0x32
    assert written[1] == len(written) - 2
    assert written[2 : 2 + len(head)] == head
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    _, length = properties.unpack(written[2 + len(head) :])  # type: ignore[no-untyped-call]
    assert (properties.ResponseTopic, properties.CorrelationData, properties.MessageExpiryInterval) == (
        "r/é",
        b"\x01\x02",
        8,
    )
    assert written[2 + len(head) + length :] == b"hi"


def test_what_we_connect_with_is_as_the_standard_says(codec: Codec) -> None:
    """CONNECT has version 5, clean start, user name and password (3.1.2), and SUBSCRIBE asks for QoS 1 (3.8.3)."""
    connect = bytes.fromhex(
        codec.run("return hex(codec.connect({clientId: 'tab', user: 'u', password: 'pä', keepAlive: 90}))")
    )
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    assert connect[2:12] == b"\x00\x04MQTT\x05\xc2\x00\x5a"
    _, length = properties.unpack(connect[12:])  # type: ignore[no-untyped-call]
    assert (properties.ReceiveMaximum, properties.MaximumPacketSize) == (32, 65536)
    assert connect[12 + length :] == string("tab") + string("u") + string("pä")
    subscribe = bytes.fromhex(codec.run("return hex(codec.subscribe(7, ['a/+', 'b']))"))
    assert subscribe == framed(0x82, b"\x00\x07\x00" + string("a/+") + b"\x01" + string("b") + b"\x01")


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16383, 16384, 60000])
def test_lengths_are_written_in_their_shortest_form_and_read_again(codec: Codec, length: int) -> None:
    """A payload of any length comes back whole, however its bytes were cut into frames (1.5.5, 6.0.0-2)."""
    script = """
        const payload = new Uint8Array(given[0]).map((_, at) => at * 7);
        const bytes = codec.publish({id: 9, topic: 't', payload});
        const whole = new codec.Decoder().push(bytes);
        const decoder = new codec.Decoder(), step = Math.max(1, Math.floor(bytes.length / 97)), cut = [];
        for (let at = 0; at < bytes.length; at += step) cut.push(...decoder.push(bytes.subarray(at, at + step)));
        return [whole, cut].every((packets) => packets.length === 1 && hex(packets[0].payload) === hex(payload));
    """
    assert codec.run(script, length) is True


MALFORMED = {
    "reserved type 0 (2.1.2)": (bytes((0, 0)), 0x82),
    "CONNECT is a client's": (framed(0x10, b""), 0x82),
    "QoS 2 was not asked for": (framed(0x34, string("a") + b"\x00\x01\x00"), 0x9B),
    "QoS 3 (3.3.1-4)": (framed(0x36, string("a") + b"\x00\x01\x00"), 0x9B),
    "duplicate of QoS 0 (3.3.1-2)": (framed(0x38, string("a") + b"\x00"), 0x81),
    "reserved flags (2.1.3-1)": (framed(0x21, b"\x00\x00\x00"), 0x81),
    "CONNACK flags (3.2.2.1)": (framed(0x20, b"\x02\x00\x00"), 0x81),
    "length of five bytes (1.5.5)": (b"\x30\x80\x80\x80\x80\x01", 0x81),
    "length not shortest (1.5.5-1)": (b"\xd0\x80\x00", 0x81),
    "packet identifier 0 (2.2.1-3)": (framed(0x32, string("a") + b"\x00\x00\x00"), 0x81),
    "empty topic without alias (3.3.2-6)": (framed(0x30, string("") + b"\x00"), 0x90),
    "wildcard in a topic name (3.3.2-2)": (framed(0x30, string("a/#") + b"\x00"), 0x90),
    "U+0000 in a string (1.5.4-2)": (framed(0x30, string("a\0") + b"\x00"), 0x81),
    "ill-formed UTF-8 (1.5.4-1)": (framed(0x30, b"\x00\x02\xc3\x28\x00"), 0x81),
    "surrogate in UTF-8 (1.5.4-1)": (framed(0x30, b"\x00\x03\xed\xa0\x80\x00"), 0x81),
    "topic longer than the packet": (framed(0x30, b"\xff\xff"), 0x81),
    "properties longer than the packet": (framed(0x30, string("a") + b"\x7f"), 0x81),
    "topic alias we did not allow (3.1.2-26)": (framed(0x30, string("a") + b"\x03\x23\x00\x01"), 0x82),
    "property twice (2.2.2.2)": (framed(0x30, string("a") + b"\x0a" + b"\x02\x00\x00\x00\x01" * 2), 0x82),
    "property of another packet": (framed(0x30, string("a") + b"\x03\x13\x00\x01"), 0x82),
    "unknown property": (framed(0x30, string("a") + b"\x02\x7e\x00"), 0x82),
    "flag property of 2 (3.3.2.3.2)": (framed(0x30, string("a") + b"\x02\x01\x02"), 0x82),
    "PINGRESP with a body (3.13)": (framed(0xD0, b"\x00"), 0x81),
    "larger than we said we take (3.1.2-24)": (b"\x30\xff\xff\xff\x7f", 0x95),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_breaks_a_clause_is_malformed(codec: Codec, name: str) -> None:
    """Each breach of the standard is Malformed, with the reason code to say goodbye with (2.4)."""
    packet, reason = MALFORMED[name]
    assert codec.read(packet).get("reason") == reason


def test_garbage_gives_packets_or_malformed_and_nothing_else(codec: Codec) -> None:
    """Random bytes, and good packets with random damage, give packets or Malformed, never another error."""
    good = [
        framed(0x20, b"\x00\x00" + paho_properties(PacketTypes.CONNACK, ReasonString="no", ReceiveMaximum=5)),
        framed(
            0x33,
            string("a/b") + b"\x00\x09"
            + paho_properties(PacketTypes.PUBLISH, ResponseTopic="r", CorrelationData=b"12") + b"{}",
        ),
        framed(0x40, b"\x00\x01\x10\x00"),
        framed(0x90, b"\x00\x01\x00\x01\x01"),
        framed(0xE0, b"\x8e\x00"),
        framed(0xD0, b""),
    ]  # fmt: skip
    script = """
        let seed = 20251; // xorshift32 (Marsaglia 2003), so that a failure can be repeated
        const random = (below) => {
          seed ^= seed << 13; seed ^= seed >>> 17; seed ^= seed << 5;
          return (seed >>> 0) % below;
        };
        const good = given[0].map(unhex), count = {read: 0, malformed: 0};
        for (let round = 0; round < 60000; round += 1) {
          let bytes;
          if (round % 3 === 0) bytes = Uint8Array.from({length: random(40)}, () => random(256));
          else {
            const whole = [...good[random(good.length)], ...good[random(good.length)]];
            for (let hits = 1 + random(3); hits; hits -= 1) whole[random(whole.length)] = random(256);
            bytes = Uint8Array.from(whole).subarray(0, round % 2 ? undefined : random(whole.length));
          }
          try { new codec.Decoder().push(bytes); count.read += 1; }
          catch (error) {
            if (!(error instanceof codec.Malformed)) return `${error} for ${hex(bytes)}`;
            count.malformed += 1;
          }
        }
        return count;
    """
    count = codec.run(script, [packet.hex() for packet in good])
    assert isinstance(count, dict), count
    assert min(count["read"], count["malformed"]) > 5000
