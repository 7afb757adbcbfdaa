"""What travels sealed: envelopes, records of the pipe, signed documents, receipts, the prior; codes and topics."""

from __future__ import annotations

import json
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.hub.messages import IncomingMessage
from appliance.hub.router import qos_refusal, route_of
from appliance.protocol import encryption, pairing_code, signed_document, topics, wire
from appliance.protocol.encryption import Decryptor, EncryptionKey
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.prior import PAIRS, prior_in, sealed_prior
from appliance.protocol.receipt import AdmissionReceipt, receipt_in, sealed_receipt, told
from appliance.protocol.sign import Opener, Sealer, Signer, external_aad, key_id, public_key_of
from appliance.protocol.values import (
    AttributeVector,
    BoothId,
    Epoch,
    Heartbeat,
    Observation,
    PhenomenonTime,
    Seq,
    Statement,
    Steps,
    UnitId,
)
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.protocol.wire import MAX_ENVELOPE
from appliance.unit.pipe.record import RECORD_BYTES, PipeReader, envelope_of, record_of
from tests.fuzz.target import target

KEY: Final = bytes(range(32))
PUBLIC: Final = public_key_of(KEY)
BOOTH, UNIT = BoothId("corner"), UnitId("north")
_OPENER: Final = Opener(
    booth=BOOTH,
    signer_of=lambda name: Signer(unit=UNIT, public_key=PUBLIC) if name == key_id(PUBLIC) else None,
)


def statements() -> list[Statement]:
    """An observation and a heartbeat."""
    seen = PhenomenonTime(uptime=Steps(720), wall=Steps(359_000_000))
    health = Health(state=UnitState(0), source=SourceKind(0), accelerator=Accelerator(0), boxed=True, fps=9)
    vector = AttributeVector.of(top_colour="red", lower_kind="trousers")
    return [
        Observation(unit=UNIT, epoch=Epoch(1), seq=Seq(1), seen=seen, vector=vector),
        Heartbeat(unit=UNIT, epoch=Epoch(70_000), seq=Seq(300), seen=seen, health=health),
    ]


def envelopes() -> list[bytes]:
    """The same, sealed."""
    return [Sealer(private_key=KEY, booth=BOOTH).seal(one) for one in statements()]


def signed(data: bytes, kind: str) -> bytes:
    """``data`` as the payload of a document that verifies: in its one spelling where it is a JSON object."""
    try:
        document = json.loads(data)
        payload = signed_document.canonical(document) if isinstance(document, dict) else data
    except (ValueError, RecursionError):
        payload = data
    protected = wire.protected_of(key_id(PUBLIC))
    to_sign = wire.to_be_signed(protected, f"leftfield/1/{kind}".encode(), payload)
    signature = Ed25519PrivateKey.from_private_bytes(KEY).sign(to_sign)
    return wire.envelope_of(protected=protected, payload=payload, signature=signature)


def payload_in(sealed: bytes) -> bytes:
    """The JSON text of a signed document."""
    return signed_document.canonical(signed_document.peek(sealed, where="seed"))


@target(envelopes)
def envelope(data: bytes) -> None:
    """Anybody's bytes as an envelope."""
    wire.number_in(data)
    assert Sealer(private_key=KEY, booth=BOOTH).seal(_OPENER.open(data)) == data


@target(lambda: [wire.payload_of(one) for one in statements()])
def payload(data: bytes) -> None:
    """The payload of an envelope whose signature is good."""
    protected = wire.protected_of(key_id(PUBLIC))
    signature = Ed25519PrivateKey.from_private_bytes(KEY).sign(
        wire.to_be_signed(protected, external_aad(BOOTH), data)
    )
    statement = _OPENER.open(wire.envelope_of(protected=protected, payload=data, signature=signature))
    assert wire.payload_of(statement) == data


@target(lambda: [b"".join(record_of(one) for one in envelopes()), b"LF" + record_of(b"x")])
def pipe_stream(data: bytes) -> None:
    """What RELAY reads from the pipe; nothing of it raises."""
    reader = PipeReader()
    found, done = reader.envelopes_in(data)
    assert done <= len(data)
    assert len(data) - done < RECORD_BYTES
    assert all(envelope_of(record_of(one)) == one for one in found)


@target(lambda: [signed_document.seal({"a": [1, "b"], "c": {"d": 2}}, kind="x", private_key=KEY)])
def document(data: bytes) -> None:
    """A signed document, looked at and opened."""
    found = signed_document.peek(data, where="fuzz")
    assert signed_document.open_sealed(data, kind="x", public_key=PUBLIC, where="fuzz") == found
    assert signed_document.seal(found, kind="x", private_key=KEY) == data


def receipts() -> list[bytes]:
    """A receipt's JSON."""
    epochs = (told(3, 900, ()), told(2, 10, [(2, 4), (6, 7)]))
    one = AdmissionReceipt(unit=UNIT, key=key_id(PUBLIC), admitted=905, floor=2, epochs=epochs)
    return [payload_in(sealed_receipt(one, booth=BOOTH, private_key=KEY))]


@target(receipts)
def receipt(data: bytes) -> None:
    """A receipt that the hub signed."""
    whose: Any = {"public_key": PUBLIC, "booth": BOOTH, "unit": UNIT, "key": key_id(PUBLIC)}
    found = receipt_in(signed(data, "receipt"), **whose)
    again = receipt_in(sealed_receipt(found, booth=BOOTH, private_key=KEY), **whose)
    assert set(again.epochs) <= set(found.epochs)
    for one in found.epochs:
        assert not any(one.covers(seq) for first, end in one.gaps for seq in (first, end - 1))
        assert not one.covers(one.end)


def priors() -> list[bytes]:
    """A prior's JSON."""
    shares = tuple(tuple(1 / len(one.levels) for _ in one.levels) for one in ATTRIBUTES)
    lifts = {
        (one, other): tuple(tuple(2.0 for _ in ATTRIBUTES[other].levels) for _ in ATTRIBUTES[one].levels)
        for one, other in PAIRS
    }
    made = sealed_prior(
        booth=BOOTH, made_at=1_760_000_000, people=1200, shares=shares, lifts=lifts, private_key=KEY
    )
    return [payload_in(made)]


@target(priors)
def prior(data: bytes) -> None:
    """A prior that the hub signed."""
    found = prior_in(signed(data, "prior"), public_key=PUBLIC, booth=BOOTH)
    assert all(0.0 < share <= 1.0 for row in found.shares for share in row)
    assert all(2.0**-32 <= one < 2.0**32 for table in found.lifts.values() for row in table for one in row)


@target(lambda: [b"7K3M-9PQX-2HTD", b"abcd efgh jkmn"])
def code(data: bytes) -> None:
    """What somebody typed or scanned as a pairing code."""
    found = pairing_code.parse(data.decode("utf-8", "surrogateescape"))
    assert pairing_code.parse(str(found)) == found


@target(lambda: [topics.observation(BOOTH, UNIT).encode(), b"leftfield/1/corner/unit/a/status"])
def topic(data: bytes) -> None:
    """A topic, as the broker hands it on."""
    text = data.decode("utf-8", "replace")
    message = IncomingMessage(untrusted_topic=text, untrusted_payload=b"", unacknowledged=True)
    assert route_of(message)
    assert qos_refusal(message)
    name, leaf = topics.named_in(text, BOOTH, "unit")
    assert text == f"leftfield/1/{BOOTH}/unit/{name}/{leaf}"


_HUB: Final = X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
_TOPIC: Final = topics.observation(BOOTH, UNIT)


def messages() -> list[bytes]:
    """A message that was encrypted to the hub."""
    return [encryption.encrypted(b"sealed", public_key=encryption.public_key_of(_HUB), topic=_TOPIC)]


@target(messages)
def encrypted_message(data: bytes) -> None:
    """What comes on a unit's topic and says that it is encrypted."""
    found = Decryptor([_HUB]).envelope_in(data, _TOPIC)
    assert 0 < len(found) <= MAX_ENVELOPE


def encryption_keys() -> list[bytes]:
    """The JSON of the hub's encryption key."""
    made = EncryptionKey(made_at=1, key=encryption.public_key_of(_HUB))
    return [payload_in(encryption.sealed_key(made, booth=BOOTH, private_key=KEY))]


@target(encryption_keys)
def encryption_key(data: bytes) -> None:
    """A key that the hub signed."""
    found = encryption.key_in(signed(data, "encryption"), public_key=PUBLIC, booth=BOOTH, where="hub")
    encryption.encrypted(b"sealed", public_key=found.key, topic=_TOPIC)
