"""A unit written from docs/wire.md alone, with cbor2, an Ed25519 library and a plain MQTT client: no code of ours.

Reads one JSON object on standard input (where things are) and writes one on standard output (what came of it).
"""

from __future__ import annotations

import hashlib
import json
import queue
import re
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import cbor2
import paho.mqtt.client as paho
import pyhpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE = 40.0


class Page:
    """What the document says."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.attributes = self._words("## What an observation's code says")
        self.health = self._words("## What a heartbeat's code says")
        self.state_room = int(self._one(r"`state`, which has room for (\d+) words"))
        self.port = int(self._one(r"mutual TLS 1.3, port (\d+)"))
        self.envelope = int(self._one(r"most (\d+) bytes. There is one spelling"))
        self.message = int(self._one(r"A message has (\d+) bytes, whatever"))
        self.plain = int(self._one(r"and zeros, (\d+) bytes together"))
        self.record = int(self._one(r"Records of (\d+) bytes"))
        self.mark = bytes.fromhex(self._one(r"`([0-9A-F]{2} [0-9A-F]{2})`, the length"))
        self.code_bytes = tuple(
            map(int, re.findall(r"(\d) bytes of an observation, (\d) of a heartbeat", text)[0])
        )
        self.row_keys = re.findall(r"`(\w+)`", self._one(r"A unit's row on the board has ([^.]*)\."))

    def _one(self, pattern: str) -> str:
        (found,) = re.findall(pattern, " ".join(self._text.split()))
        return str(found)

    def _words(self, heading: str) -> dict[str, list[str]]:
        part = self._text.split(heading)[1].split("\n## ")[0]
        rows = re.findall(r"^\| `([\w.]+)` \| (.*) \|$", part, re.MULTILINE)
        return {name: words.split(", ") for name, words in rows}

    def observation_code(self, said: dict[str, tuple[str, int]]) -> bytes:
        """The code of words with their confidences."""
        number = 0
        for name, words in self.attributes.items():
            word, confidence = said.get(name, ("unknown", 0))
            digit = 0 if word == "unknown" else 1 + words.index(word) * 3 + confidence
            number = number * (1 + 3 * len(words)) + digit
        return number.to_bytes(self.code_bytes[0], "big")

    def heartbeat_code(self, said: dict[str, str], fps: int) -> bytes:
        """The code of a heartbeat."""
        number = 0
        for name, words in self.health.items():
            room = self.state_room if name == "state" else len(words)
            radix, digit = (64, fps) if name == "fps" else (room, words.index(said[name]))
            number = number * radix + digit
        return number.to_bytes(self.code_bytes[1], "big")


class Unit:
    """Signs as the document says."""

    def __init__(self, page: Page, private_key: bytes, booth: str) -> None:
        self._page, self._booth = page, booth
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = hashlib.sha256(public).digest()[:8]

    def envelope(self, kind: int, seq: int, code: bytes) -> bytes:
        """A statement of now, of epoch 1."""
        now = int(time.time()) // 5
        payload = cbor2.dumps([kind, 1, 1, seq, 100_000, now, code], canonical=True)
        protected = cbor2.dumps({1: -8, 4: self.key_id}, canonical=True)
        external = f"leftfield/1/{self._booth}".encode("ascii")
        signed = cbor2.dumps(["Signature1", protected, external, payload], canonical=True)
        tag = cbor2.CBORTag(18, [protected, {}, payload, self._key.sign(signed)])
        found: bytes = cbor2.dumps(tag, canonical=True)
        assert len(found) <= self._page.envelope
        return found

    def record(self, envelope: bytes) -> bytes:
        """The same as it crosses the pipe."""
        body = (self._page.mark + bytes((len(envelope),)) + envelope).ljust(self._page.record - 4, b"\0")
        return body + zlib.crc32(body).to_bytes(4, "big")


class Ear:
    """A connection as the document says: MQTT 5, mutual TLS; what was heard, by topic."""

    def __init__(self, given: dict[str, Any], name: str, files: dict[str, str], *topics: str) -> None:
        self.heard: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5)
        self.client.tls_set(files["ca"], files["certificate"], files["key"])
        self.client.on_message = lambda _c, _u, one: self.heard.put(
            (one.topic, bytes(one.payload), one.retain)
        )
        self.client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in topics])
        self.client.connect("127.0.0.1", given["port"])
        self.client.loop_start()

    def until(self, topic: str, met: Any = lambda _: True) -> bytes:
        """The first message on ``topic`` that ``met`` takes."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                where, payload, _ = self.heard.get(timeout=1.0)
            except queue.Empty:
                continue
            if where == topic and payload and met(payload):
                return payload
        raise SystemExit(f"nothing fitting came on {topic}")

    def say(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Publish, and wait for the broker's answer."""
        self.client.publish(topic, payload, qos=qos).wait_for_publish(PATIENCE)


def encrypted(page: Page, key: bytes, envelope: bytes, topic: str) -> bytes:
    """An envelope as it is published: HPKE by a library of its own."""
    suite = pyhpke.CipherSuite.new(
        pyhpke.KEMId.DHKEM_X25519_HKDF_SHA256, pyhpke.KDFId.HKDF_SHA256, pyhpke.AEADId.CHACHA20_POLY1305
    )
    recipient = pyhpke.KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(key))
    enc, sender = suite.create_sender_context(recipient, info=topic.encode("ascii"))
    plain = (bytes((len(envelope),)) + envelope).ljust(page.plain, b"\0")
    message: bytes = b"\x02" + hashlib.sha256(key).digest()[:8] + enc + sender.seal(plain)
    assert len(message) == page.message
    return message


def document_in(untrusted: bytes, public_key: bytes, kind: str) -> dict[str, Any]:
    """The document in a message, its signature checked."""
    tag = cbor2.loads(untrusted)
    protected, unprotected, payload, signature = tag.value
    assert (tag.tag, unprotected) == (18, {})
    signed = cbor2.dumps(
        ["Signature1", protected, f"leftfield/1/{kind}".encode("ascii"), payload], canonical=True
    )
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    found = json.loads(payload)
    assert json.dumps(found, sort_keys=True, separators=(",", ":")).encode() == payload
    assert isinstance(found, dict)
    return found


def covers(receipt: dict[str, Any], epoch: int, seq: int) -> bool:
    """Whether a receipt covers a number."""
    if epoch < receipt["floor"]:
        return True
    return any(
        one == epoch and seq < end and not any(first <= seq < last for first, last in gaps)
        for one, end, gaps in receipt["epochs"]
    )


def main() -> dict[str, Any]:
    """Speak with the booth; what came of it."""
    given = json.load(sys.stdin)
    page = Page(Path(given["page"]).read_text("utf-8"))
    booth, name = given["booth"], given["unit"]
    root = f"leftfield/1/{booth}"
    unit = Unit(page, bytes.fromhex(given["private_key"]), booth)
    wanted = [f"{root}/hub/encryption", f"{root}/unit/{name}/receipt", f"{root}/hub/status"]
    ear = Ear(given, name, given["files"], *wanted)
    public_key = bytes.fromhex(given["hub_key"])
    told = document_in(ear.until(f"{root}/hub/encryption"), public_key, "encryption")
    assert sorted(told) == ["booth", "form", "key", "made_at"]
    ear.until(f"{root}/hub/status", lambda payload: json.loads(payload) == {"v": 1, "state": "online"})
    status = {"v": 1, "state": "online", "spooled": 0, "dropped": 0}
    ear.client.publish(f"{root}/unit/{name}/status", json.dumps(status), qos=1, retain=True)
    words = {"top.colour": ("purple", 2), "top.pattern": ("checked", 1), "lower.kind": ("skirt_or_dress", 0)}
    health = {"locked": "no", "card": "yes", "state": "watching", "source": "recording"}
    health |= {"accelerator": "edge_tpu", "boxed": "yes"}
    beat = unit.envelope(2, 0, page.heartbeat_code(health, 15))
    topic = f"{root}/unit/{name}/observation"
    ear.say(topic, beat)
    seen = unit.envelope(1, 2, page.observation_code(words))
    ear.say(topic, encrypted(page, bytes.fromhex(told["key"]), seen, topic))
    ear.say(topic, unit.envelope(1, 2, page.observation_code({"bag": ("yes", 2)})))  # R17
    ear.say(topic, beat)  # repeated
    payload = ear.until(
        f"{root}/unit/{name}/receipt",
        lambda payload: covers(document_in(payload, public_key, "receipt"), 1, 2),
    )
    receipt = document_in(payload, public_key, "receipt")
    ear.client.disconnect()
    ear.client.loop_stop()
    Path(given["record"]).write_bytes(unit.record(unit.envelope(1, 3, page.observation_code(words))))
    return {
        "ours": [module for module in sys.modules if module.split(".")[0] == "appliance"],
        "covered": [covers(receipt, 1, seq) for seq in range(4)],
        "key": receipt["key"] == unit.key_id.hex(),
        "port": page.port,
        "row_keys": page.row_keys,
        "words": page.attributes,
    }


if __name__ == "__main__":
    print(json.dumps(main()))
