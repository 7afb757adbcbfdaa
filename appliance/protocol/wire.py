"""The wire form of a statement: deterministic CBOR (RFC 8949 section 4.2.1) in the frame of COSE_Sign1 (RFC 9052).

Invariants:
    * There is one form and one spelling: anything that would not be written by this file byte for byte is refused.
    * Reading never fails other than with ``Refused``, and never allocates more than it was given.
    * No field can hold a text. Numbers are bounded; the attribute code is an integer below the vocabulary's
      capacity, so a message says one of a counted number of things.

An envelope is ``18([protected, {}, payload, signature])`` with
``protected = << {1: -8, 4: key id} >>`` and ``payload = << [kind, version, epoch, seq, uptime, wall, code] >>``;
``wall`` is 0 while the unit's clock is not synchronised; ``code`` is a byte string of fixed length.

The reader is our own, not a general CBOR library: it accepts this one form only (a general decoder would build
dates, fractions or regular expressions for whoever asks), and it can be fuzzed and read in one sitting. The tests
hold it against an independent CBOR and an independent COSE library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.protocol import vocabulary
from appliance.protocol.health import HEALTH_CAPACITY, HEALTH_CODES, Health
from appliance.protocol.values import (
    COUNTER_LIMIT,
    AttributeVector,
    Epoch,
    Heartbeat,
    Observation,
    PhenomenonTime,
    Seq,
    Statement,
    Steps,
    UnitId,
)


@unique
class Kind(IntEnum):
    """What a payload says."""

    OBSERVATION = 1
    HEARTBEAT = 2


HEALTH_VERSION: Final = 1
_OBSERVATION: Final = int(Kind.OBSERVATION)
_VERSION_OF: Final = {_OBSERVATION: vocabulary.VERSION, int(Kind.HEARTBEAT): HEALTH_VERSION}
HEALTH_BYTES: Final = (HEALTH_CODES - 1).bit_length() + 7 >> 3

KEY_ID_BYTES: Final = 8
SIGNATURE_BYTES: Final = 64
_COUNTER_HEAD: Final = 5
"""Most bytes a counter takes: one head byte and four."""

MAX_PAYLOAD: Final = 3 + 4 * _COUNTER_HEAD + 1 + max(vocabulary.CODE_BYTES, HEALTH_BYTES)
_PROTECTED_BYTES: Final = 5 + KEY_ID_BYTES
MAX_ENVELOPE: Final = 2 + (1 + _PROTECTED_BYTES) + 1 + (2 + MAX_PAYLOAD) + (2 + SIGNATURE_BYTES)
"""No envelope is longer, in bytes. Longer input is refused before a byte of it is read."""

CAPACITY_BITS: Final = math.log2(vocabulary.CAPACITY + HEALTH_CAPACITY) + 4 * math.log2(COUNTER_LIMIT)
"""The most a payload can tell, counters and time included, in bits.

With an honest SENSE the signature adds none: Ed25519 is deterministic (RFC 8032 section 5.1.6), so it is a function
of key and payload. That cannot be checked from outside: a hostile SENSE, or whoever has stolen the key, could choose
the nonce and hide about 252 bits more in a signature that verifies. Against that stand SENSE's walls, not this
number.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UntrustedEnvelope:
    """The parts of an envelope of the right form whose signature nobody has checked yet."""

    key_id: bytes
    untrusted_protected: bytes
    untrusted_payload: bytes
    untrusted_signature: bytes


def _uint(value: int, major: int = 0) -> bytes:
    """Shortest head of ``major`` type with ``value`` in [0, 2**32)."""
    tag = major << 5
    if value < 24:
        return bytes((tag | value,))
    length = 1 if value < 1 << 8 else 2 if value < 1 << 16 else 4
    return bytes((tag | 23 + length.bit_length(),)) + value.to_bytes(length, "big")


def _bstr(content: bytes) -> bytes:
    return _uint(len(content), 2) + content


def payload_of(statement: Statement) -> bytes:
    """The payload that says ``statement`` (without its unit: the key identifier says that)."""
    if isinstance(statement, Observation):
        kind, version = Kind.OBSERVATION, vocabulary.VERSION
        code = statement.vector.code.to_bytes(vocabulary.CODE_BYTES, "big")
    else:
        kind, version = Kind.HEARTBEAT, HEALTH_VERSION
        code = statement.health.code.to_bytes(HEALTH_BYTES, "big")
    numbers = (
        kind, version, statement.epoch, statement.seq, statement.seen.uptime, statement.seen.wall or 0,
    )  # fmt: skip
    return b"\x87" + b"".join(_uint(number) for number in numbers) + _bstr(code)


def protected_of(key_id: bytes) -> bytes:
    """The protected header ``{1: -8 (EdDSA), 4: key id}`` (RFC 9052 section 3.1, RFC 9053 section 2.2)."""
    return b"\xa2\x01\x27\x04" + _bstr(key_id)


def to_be_signed(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """``Sig_structure`` for COSE_Sign1 (RFC 9052 section 4.4): what Ed25519 signs."""
    return b"\x84\x6aSignature1" + _bstr(protected) + _bstr(external_aad) + _bstr(payload)


def envelope_of(*, protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """The tagged COSE_Sign1 (RFC 9052 section 4.2)."""
    return b"\xd2\x84" + _bstr(protected) + b"\xa0" + _bstr(payload) + _bstr(signature)


class _Reader:
    """Reads deterministic CBOR front to back; every failure is ``Refused`` (MALFORMED)."""

    __slots__ = ("_at", "_untrusted")

    def __init__(self, untrusted: bytes) -> None:
        self._untrusted = untrusted
        self._at = 0

    def exactly(self, expected: bytes, meaning: str) -> None:
        """Step over ``expected``, or refuse."""
        if self.take(len(expected)) != expected:
            raise _malformed(f"{meaning} is missing")

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        piece = self._untrusted[self._at : self._at + count]
        if len(piece) != count:
            raise _malformed("it ends too early")
        self._at += count
        return piece

    def number(self, major: int = 0) -> int:
        """An unsigned integer (or, with ``major`` 2, the length of a byte string) below 2**32, shortest form."""
        head = self.take(1)[0]
        if head >> 5 != major:
            raise _malformed("a value has the wrong type")
        small = head & 31
        if small < 24:
            return small
        if small > 26:
            raise _malformed("a number is too large")
        value = int.from_bytes(self.take(1 << small - 24), "big")
        if len(_uint(value, major)) != 1 + (1 << small - 24):
            raise _malformed("a number is not in its shortest form")
        return value

    def bstr(self) -> bytes:
        """A byte string."""
        return self.take(self.number(2))

    def end(self) -> None:
        """Refuse anything that follows."""
        if self._at != len(self._untrusted):
            raise _malformed("something follows its end")


def _malformed(what: str) -> Refused:
    return Refused(Rule.MALFORMED, what, where="envelope", fix="update the unit's software")


def untrusted_parts(untrusted: bytes) -> UntrustedEnvelope:
    """Take an envelope apart without believing it. Refused: TOO_LONG, MALFORMED."""
    if len(untrusted) > MAX_ENVELOPE:
        raise Refused(Rule.TOO_LONG, f"{len(untrusted)} bytes, at most {MAX_ENVELOPE}", where="envelope")
    reader = _Reader(untrusted)
    reader.exactly(b"\xd2\x84", "the COSE_Sign1 tag")
    protected = reader.bstr()
    reader.exactly(b"\xa0", "the empty unprotected header")
    payload = reader.bstr()
    signature = reader.bstr()
    reader.end()
    if len(signature) != SIGNATURE_BYTES:
        raise _malformed("the signature has not 64 bytes")
    header = _Reader(protected)
    header.exactly(b"\xa2\x01\x27\x04", "the header {1: -8, 4: key id}")
    key_id = header.bstr()
    header.end()
    if len(key_id) != KEY_ID_BYTES:
        raise _malformed(f"the key identifier has not {KEY_ID_BYTES} bytes")
    return UntrustedEnvelope(
        key_id=key_id,
        untrusted_protected=protected,
        untrusted_payload=payload,
        untrusted_signature=signature,
    )


def number_in(untrusted: bytes) -> tuple[int, int]:
    """Epoch and seq that an envelope claims, its signature not looked at. Refused: TOO_LONG, MALFORMED."""
    reader = _Reader(untrusted_parts(untrusted).untrusted_payload)
    reader.exactly(b"\x87", "the array of seven")
    _, _, epoch, seq = (reader.number() for _ in range(4))
    return epoch, seq


def statement_in(untrusted_payload: bytes, unit: UnitId) -> Statement:
    """The statement a payload makes for ``unit``. Refused: MALFORMED, OTHER_VERSION, OUTSIDE_VOCABULARY."""
    reader = _Reader(untrusted_payload)
    reader.exactly(b"\x87", "the array of seven")
    number = reader.number
    kind, version, epoch, seq, uptime, wall = number(), number(), number(), number(), number(), number()
    code = reader.bstr()
    reader.end()
    if _VERSION_OF.get(kind) != version:
        raise Refused(
            Rule.OTHER_VERSION,
            f"kind {kind} version {version}",
            where="payload",
            fix="update the older side",
        )
    if not epoch:
        raise _malformed("epoch 0 does not exist")
    seen = PhenomenonTime(uptime=Steps(uptime), wall=Steps(wall) if wall else None)
    length = vocabulary.CODE_BYTES if kind == _OBSERVATION else HEALTH_BYTES
    if len(code) != length:
        raise _malformed(f"the code has not {length} bytes")
    stated = int.from_bytes(code, "big")
    try:
        if kind == _OBSERVATION:
            vector = AttributeVector.from_code(stated)
            return Observation(unit=unit, epoch=Epoch(epoch), seq=Seq(seq), seen=seen, vector=vector)
        health = Health.from_code(stated)
    except ValueError:
        raise Refused(
            Rule.OUTSIDE_VOCABULARY, "the code lies outside the vocabulary", where="payload"
        ) from None
    return Heartbeat(unit=unit, epoch=Epoch(epoch), seq=Seq(seq), seen=seen, health=health)
