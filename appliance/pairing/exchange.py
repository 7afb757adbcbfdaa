"""The exchange of a pairing: both sides prove one short code to each other and get keys that nobody else has.

Invariants:
    * Pure: no I/O, no clock. What a side sends is what its methods give; what it hears is untrusted.
    * Whoever does not know the code learns nothing about it but whether one guess for each exchange was right.
    * Both sides' keys and names are part of what is proved: an exchange that was changed on its way fails.
    * After a failure an object is dead: it answers nothing more.

Balanced password-authenticated key exchange SPAKE2 (RFC 9382) on the curve Ed25519, as the library ``spake2`` has it;
key confirmation and sealing keys by HKDF-SHA-256 (RFC 5869); sealed messages by ChaCha20-Poly1305 (RFC 8439).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from spake2 import SPAKE2_A, SPAKE2_B, SPAKEError
from spake2.ed25519_basic import NotOnCurve

from appliance.base.errors import Refused, Rule

SHARE_BYTES: Final = 33
"""One side's share of the exchange: a letter for the side, and a point of the curve."""
PROOF_BYTES: Final = 32
_PURPOSE: Final = b"leftfield pairing 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubIdentity:
    """Who the hub is: its booth, its authority, and the key it signs for units with.

    ``authority`` is the SHA-256 of the authority's certificate (DER); ``hub_key`` has 32 bytes, or none in a booth
    without such a key.
    """

    booth: str
    authority: bytes
    hub_key: bytes

    def transcript(self) -> bytes:
        """Every field, each with its length before it, so that no two identities read alike."""
        return _joined(_PURPOSE, b"hub", self.booth.encode(), self.authority, self.hub_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitIdentity:
    """Who the unit is: the public group of its code, its signing key, and the SHA-256 of its TLS public key (DER)."""

    number: str
    signing_key: bytes
    tls_key: bytes

    def transcript(self) -> bytes:
        """Every field, each with its length before it."""
        return _joined(_PURPOSE, b"unit", self.number.encode(), self.signing_key, self.tls_key)


class Sealed:
    """Messages both ways under the key of an exchange: each opens once, in order, and on one side only."""

    def __init__(self, send: bytes, receive: bytes) -> None:
        self._send, self._receive = ChaCha20Poly1305(send), ChaCha20Poly1305(receive)
        self._sent = self._received = 0

    def seal(self, message: bytes) -> bytes:
        """``message`` as it may travel, 16 bytes longer."""
        sealed = self._send.encrypt(self._sent.to_bytes(12, "big"), message, _PURPOSE)
        self._sent += 1
        return sealed

    def open(self, untrusted: bytes) -> bytes:
        """The next message of the other side. Refused (FORGED) for anything else."""
        try:
            message = self._receive.decrypt(self._received.to_bytes(12, "big"), untrusted, _PURPOSE)
        except InvalidTag:
            raise Refused(
                Rule.FORGED, "a message was changed, repeated or left out on its way", where="pairing"
            ) from None
        self._received += 1
        return message


class _Side:
    """What both sides share: one exchange, the keys that come of it, and the two proofs."""

    def __init__(self, exchange: SPAKE2_A | SPAKE2_B, *, hub: HubIdentity, unit: UnitIdentity) -> None:
        self._exchange = exchange
        self._identities = _joined(hub.transcript(), unit.transcript())
        self.share: Final = bytes(exchange.start())
        """What this side sends first."""
        self._keys: tuple[bytes, ...] = ()

    def _finish(self, untrusted_share: bytes, shares: tuple[bytes, bytes]) -> None:
        """Take the other side's share. Refused (MALFORMED_REQUEST) where it is none."""
        if len(untrusted_share) != SHARE_BYTES or self._keys:
            raise _no_share()
        try:
            secret = bytes(self._exchange.finish(untrusted_share))
        except (SPAKEError, NotOnCurve, ValueError, AssertionError):
            raise _no_share() from None
        salt = hashlib.sha256(_joined(self._identities, *shares)).digest()
        derived = HKDF(algorithm=SHA256(), length=128, salt=salt, info=_PURPOSE).derive(secret)
        self._keys = tuple(derived[at : at + 32] for at in range(0, 128, 32))

    def _proof(self, whose: int) -> bytes:
        return hmac.digest(self._keys[whose], b"key confirmation", "sha256")

    def _check(self, untrusted_proof: bytes, whose: int) -> None:
        if not self._keys or not hmac.compare_digest(untrusted_proof, self._proof(whose)):
            self._keys = ()
            raise Refused(
                Rule.WRONG_CODE,
                "the other side does not know this code, or something between changed the exchange",
                where="pairing",
                fix="type the code as the label has it",
            )


class HubExchange(_Side):
    """The hub's side; ``secret`` is what was typed behind the public group."""

    def __init__(self, *, secret: str, hub: HubIdentity, unit: UnitIdentity) -> None:
        made = SPAKE2_A(secret.encode(), idA=hub.transcript(), idB=unit.transcript())
        super().__init__(made, hub=hub, unit=unit)

    def prove(self, untrusted_share: bytes) -> bytes:
        """The hub's proof, once the unit's share is there. Refused (MALFORMED_REQUEST) where it is no share."""
        self._finish(untrusted_share, (self.share, untrusted_share))
        return self._proof(0)

    def check(self, untrusted_proof: bytes) -> Sealed:
        """The way to speak sealed, if the unit's proof holds. Refused (WRONG_CODE)."""
        self._check(untrusted_proof, 1)
        return Sealed(self._keys[2], self._keys[3])


class UnitExchange(_Side):
    """The unit's side; ``secret`` is what its label has behind the public group."""

    def __init__(self, *, secret: str, hub: HubIdentity, unit: UnitIdentity, untrusted_share: bytes) -> None:
        made = SPAKE2_B(secret.encode(), idA=hub.transcript(), idB=unit.transcript())
        super().__init__(made, hub=hub, unit=unit)
        self._finish(untrusted_share, (untrusted_share, self.share))

    def prove(self, untrusted_proof: bytes) -> tuple[bytes, Sealed]:
        """The unit's own proof and the way to speak sealed, if the hub's proof holds. Refused (WRONG_CODE).

        Count the try before asking: the answer is what a guess would be made for.
        """
        self._check(untrusted_proof, 0)
        return self._proof(1), Sealed(self._keys[3], self._keys[2])


def _joined(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _no_share() -> Refused:
    return Refused(Rule.MALFORMED_REQUEST, "that is no share of a key exchange", where="pairing")
