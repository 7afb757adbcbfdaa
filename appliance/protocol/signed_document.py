"""Sealed documents: text for machines that a hub signs and another hub, or a unit, believes by key.

A document is a tagged COSE_Sign1 (RFC 9052 section 4.2) of the one form of ``wire``: protected
``{1: -8, 4: key id}``, Ed25519, and a payload of canonical JSON (the form of RFC 8785 for the integers, ASCII texts,
arrays and objects that are used here: sorted keys, no white space). The external data names the kind of document, so
that none passes as another.

Invariants:
    * One document, one spelling: bytes that would not be written so by this file are refused.
    * Nothing of the payload is read before the signature has been checked under the key that is believed.
    * No network, no file, no numpy: units can read what hubs write.
"""

from __future__ import annotations

import json
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.base.errors import Refused, Rule
from appliance.protocol import sign, wire

MAX_DOCUMENT: Final = 8 * 2**20
"""No document is longer, in bytes."""
_TAIL: Final = 2 + wire.SIGNATURE_BYTES
_HEAD: Final = len(wire.envelope_of(protected=wire.protected_of(bytes(wire.KEY_ID_BYTES)), payload=b"",
                                    signature=b"")) - 2  # fmt: skip
"""Bytes before the payload's own head (what is left without an empty payload and an empty signature)."""


def canonical(document: dict[str, Any]) -> bytes:
    """The one spelling of a document."""
    return json.dumps(
        document, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def seal(document: dict[str, Any], *, kind: str, private_key: bytes) -> bytes:
    """``document`` signed as ``kind`` with an Ed25519 key of 32 bytes."""
    payload = canonical(document)
    protected = wire.protected_of(sign.key_id(sign.public_key_of(private_key)))
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(
        wire.to_be_signed(protected, _aad(kind), payload)
    )
    return wire.envelope_of(protected=protected, payload=payload, signature=signature)


def open_sealed(untrusted: bytes, *, kind: str, public_key: bytes, where: str) -> dict[str, Any]:
    """The document in ``untrusted``, if ``public_key`` signed it as ``kind``.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED.
    """
    payload, signature = _parts(untrusted, where)
    protected = wire.protected_of(sign.key_id(public_key))
    if untrusted != wire.envelope_of(protected=protected, payload=payload, signature=signature):
        raise _refused(Rule.UNKNOWN_KEY, "another key signed it, or it is not of the one form", where)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            signature, wire.to_be_signed(protected, _aad(kind), payload)
        )
    except (InvalidSignature, ValueError):
        raise _refused(Rule.FORGED, f"the signature is not this key's for a {kind}", where) from None
    return _document_in(payload, where)


def peek(untrusted: bytes, *, where: str) -> dict[str, Any]:
    """The document in ``untrusted`` unchecked, for a person to look at. Refused: TOO_LONG, MALFORMED."""
    return _document_in(_parts(untrusted, where)[0], where)


def _aad(kind: str) -> bytes:
    return f"leftfield/1/{kind}".encode("ascii")


def _parts(untrusted: bytes, where: str) -> tuple[bytes, bytes]:
    """Payload and signature, by their places; whether all else is as it must be shows when it is written again."""
    if len(untrusted) > MAX_DOCUMENT:
        raise _refused(Rule.TOO_LONG, f"{len(untrusted)} bytes, at most {MAX_DOCUMENT}", where)
    for head in (1, 2, 3, 5):
        payload, signature = untrusted[_HEAD + head : -_TAIL], untrusted[-wire.SIGNATURE_BYTES :]
        again = wire.envelope_of(protected=untrusted[3 : _HEAD - 1], payload=payload, signature=signature)
        if again == untrusted:
            return payload, signature
    raise _refused(Rule.MALFORMED, "it is no sealed document of the one form", where)


def _document_in(untrusted_payload: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(untrusted_payload)
        if isinstance(document, dict) and canonical(document) == untrusted_payload:
            return document
    except (ValueError, RecursionError):
        pass
    raise _refused(Rule.MALFORMED, "its payload is not JSON of the one form", where)


def _refused(rule: Rule, what: str, where: str) -> Refused:
    return Refused(
        rule, what, where=where, fix="ask for the file again, and for the key of the hub that signed it"
    )
