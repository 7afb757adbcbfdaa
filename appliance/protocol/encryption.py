"""Encryption of a unit's envelopes to its hub, so that the broker carries opaque bytes of one length.

HPKE (RFC 9180) in base mode, one message at a time: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, by
OpenSSL. ``info`` is the topic: what was meant for one unit's topic does not open on another's.

Invariants:
    * A message has ``MESSAGE_BYTES`` bytes, whatever it says: ``02 | key id (8) | enc (32) | ciphertext``. What is
      encrypted is the envelope's length (one byte), the envelope, and zeros.
    * It hides; it proves nothing. Who said it is proved by the envelope inside.
    * The hub's key is believed under the key that signs its priors, for this booth.
    * Opening gives an envelope or ``Refused``; nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.base.errors import Refused, Rule
from appliance.protocol import signed_document
from appliance.protocol.values import BoothId
from appliance.protocol.wire import MAX_ENVELOPE

KIND: Final = "encryption"
FORM: Final = 1
MARK: Final = b"\x02"
"""First byte of an encrypted message; an envelope begins with D2."""
KEY_BYTES: Final = 32
_ID_BYTES: Final = 8
_PLAIN_BYTES: Final = 1 + MAX_ENVELOPE
_HEAD: Final = len(MARK) + _ID_BYTES
MESSAGE_BYTES: Final = _HEAD + 32 + _PLAIN_BYTES + 16
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_KEYS: Final = frozenset({"form", "booth", "made_at", "key"})
_FIX: Final = "nothing where it stops by itself; else restart the unit's relay"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKey:
    """What the hub publishes: its public key (32 bytes), made at unix second ``made_at``."""

    made_at: int
    key: bytes


def key_id(public_key: bytes) -> bytes:
    """Identifier of an encryption key: the first eight bytes of its SHA-256."""
    return hashlib.sha256(public_key).digest()[:_ID_BYTES]


def public_key_of(private_key: X25519PrivateKey) -> bytes:
    """The 32 bytes of a key's public half."""
    return private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def encrypted(envelope: bytes, *, public_key: bytes, topic: str) -> bytes:
    """``envelope`` (at most ``MAX_ENVELOPE`` bytes) for the hub with ``public_key``; other bytes each time."""
    plain = (bytes((len(envelope),)) + envelope).ljust(_PLAIN_BYTES, b"\0")
    key = X25519PublicKey.from_public_bytes(public_key)
    return MARK + key_id(public_key) + _SUITE.encrypt(plain, key, info=topic.encode())


def is_encrypted(untrusted: bytes) -> bool:
    """Whether these bytes say of themselves that they are encrypted."""
    return untrusted[:1] == MARK


class Decryptor:
    """Opens what was encrypted to any of ``private_keys``."""

    def __init__(self, private_keys: Sequence[X25519PrivateKey] = ()) -> None:
        self._keys = {key_id(public_key_of(key)): key for key in private_keys}

    def envelope_in(self, untrusted: bytes, untrusted_topic: str) -> bytes:
        """The envelope in a message that came on a topic. Refused: UNREADABLE, TOO_LONG."""
        if len(untrusted) > MESSAGE_BYTES:
            raise Refused(Rule.TOO_LONG, f"{len(untrusted)} bytes, at most {MESSAGE_BYTES}", where="message")
        key = self._keys.get(untrusted[len(MARK) : _HEAD])
        if key is None:
            raise _unreadable("it is encrypted to a key that this hub has not, or not any more")
        try:
            plain = _SUITE.decrypt(untrusted[_HEAD:], key, info=untrusted_topic.encode())
        except InvalidTag:
            raise _unreadable("it was changed on its way, or meant for another topic") from None
        length = plain[0] if len(plain) == _PLAIN_BYTES else 0
        if not 0 < length <= MAX_ENVELOPE or any(plain[1 + length :]):
            raise _unreadable("what was encrypted is not of the one form")
        return plain[1 : 1 + length]


def sealed_key(made: EncryptionKey, *, booth: BoothId, private_key: bytes) -> bytes:
    """The signed document in which the hub publishes a key; ``private_key`` signs its priors."""
    document = {"form": FORM, "booth": booth, "made_at": made.made_at, "key": made.key.hex()}
    return signed_document.seal(document, kind=KIND, private_key=private_key)


def key_in(untrusted: bytes, *, public_key: bytes, booth: BoothId, where: str) -> EncryptionKey:
    """The key in a document, if the hub with ``public_key`` signed it for ``booth``.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, OTHER_VERSION, WEAK_KEY.
    """
    document = signed_document.open_sealed(untrusted, kind=KIND, public_key=public_key, where=where)
    if document.get("form") != FORM or frozenset(document) != _KEYS:
        raise Refused(Rule.OTHER_VERSION, "a form that this unit does not know", where=where)
    if document["booth"] != booth:
        raise Refused(Rule.FORGED, "it was made for another booth", where=where)
    made_at, digits = document["made_at"], document["key"]
    try:
        key = bytes.fromhex(digits)
        X25519PrivateKey.from_private_bytes(_ANY).exchange(X25519PublicKey.from_public_bytes(key))
    except (ValueError, TypeError):  # of low order, or no key
        raise Refused(Rule.WEAK_KEY, "it is no X25519 key of the whole order", where=where) from None
    if type(made_at) is not int or not 0 <= made_at < 2**53:
        raise Refused(Rule.MALFORMED, "it does not say when it was made", where=where)
    return EncryptionKey(made_at=made_at, key=key)


_ANY: Final = bytes(range(KEY_BYTES))
"""Some private key, to try whether a public key has low order (RFC 7748 section 6.1)."""


def _unreadable(what: str) -> Refused:
    return Refused(Rule.UNREADABLE, what, where="message", fix=_FIX)
