"""Seal and open: Ed25519 (RFC 8032) over the Sig_structure of COSE_Sign1, by OpenSSL.

Invariants:
    * What is sealed is bound to one booth by the external data of RFC 9052 section 4.3: an envelope of another
      booth does not open here.
    * A public key enters the register only if it is canonical and of prime order; OpenSSL itself would accept more.
    * Opening yields a statement or ``Refused``; nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from appliance.base.errors import Refused, Rule, Unfit
from appliance.protocol import wire
from appliance.protocol.values import BoothId, Statement, UnitId

KEY_BYTES: Final = 32

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P


def external_aad(booth: BoothId) -> bytes:
    """What every signature of a booth also covers: ``leftfield/1/<booth>``."""
    return f"leftfield/1/{booth}".encode("ascii")


def key_id(public_key: bytes) -> bytes:
    """Identifier of a public key: the first eight bytes of its SHA-256."""
    return hashlib.sha256(public_key).digest()[: wire.KEY_ID_BYTES]


def new_private_key() -> bytes:
    """A fresh Ed25519 private key (32 bytes) from the system's random source. It never leaves its unit."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_key_of(private_key: bytes) -> bytes:
    """The public key (32 bytes) of a private key (32 bytes)."""
    private = Ed25519PrivateKey.from_private_bytes(private_key)
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Sealer:
    """Seals statements with one unit's key for one booth. Unfit where the key has not 32 bytes."""

    def __init__(self, *, private_key: bytes, booth: BoothId) -> None:
        if len(private_key) != KEY_BYTES:
            raise Unfit(
                f"the signing key has {len(private_key)} bytes, not {KEY_BYTES}",
                where="credential signing.key",
                fix="enrol the unit again (leftfield enrol)",
            )
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._protected = wire.protected_of(key_id(public_key_of(private_key)))
        self._aad = external_aad(booth)

    def seal(self, statement: Statement) -> bytes:
        """The envelope that says ``statement``; at most ``wire.MAX_ENVELOPE`` bytes."""
        payload = wire.payload_of(statement)
        signature = self._key.sign(wire.to_be_signed(self._protected, self._aad, payload))
        return wire.envelope_of(protected=self._protected, payload=payload, signature=signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One enrolled key: whose it is, and whether it is still believed."""

    unit: UnitId
    public_key: bytes
    revoked: bool = False


class Opener:
    """Opens envelopes of one booth. ``signer_of`` finds the enrolled signer of a key identifier, or None."""

    def __init__(self, *, booth: BoothId, signer_of: Callable[[bytes], Signer | None]) -> None:
        self._aad = external_aad(booth)
        self._signer_of = signer_of
        self._keys: dict[bytes, Ed25519PublicKey] = {}

    def open(self, untrusted: bytes) -> Statement:
        """The statement in an envelope.

        Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, REVOKED, OTHER_VERSION, OUTSIDE_VOCABULARY. The
        signature is checked before anything of the payload is read.
        """
        parts = wire.untrusted_parts(untrusted)
        signer = self._signer_of(parts.key_id)
        if signer is None:
            raise Refused(
                Rule.UNKNOWN_KEY, f"no unit has key {parts.key_id.hex()}", where="envelope", fix="enrol it"
            )
        key = self._keys.get(signer.public_key)
        if key is None:
            key = self._keys[signer.public_key] = Ed25519PublicKey.from_public_bytes(signer.public_key)
        signed = wire.to_be_signed(parts.untrusted_protected, self._aad, parts.untrusted_payload)
        try:
            key.verify(parts.untrusted_signature, signed)
        except InvalidSignature:
            raise Refused(
                Rule.FORGED, "the signature does not verify under this unit's key", where=signer.unit
            ) from None
        if signer.revoked:
            raise Refused(Rule.REVOKED, "the unit is revoked", where=signer.unit)
        return wire.statement_in(parts.untrusted_payload, signer.unit)


def check_public_key(untrusted_public_key: bytes) -> bytes:
    """The same 32 bytes, if they are the canonical encoding of a point of prime order; else Refused (WEAK_KEY).

    RFC 8032 section 5.1.3 decodes points; OpenSSL also takes y >= p, and points whose order divides 8, under
    which one signature can fit many messages.
    """
    if len(untrusted_public_key) != KEY_BYTES:
        raise _weak(f"it has {len(untrusted_public_key)} bytes, not {KEY_BYTES}")
    encoded = int.from_bytes(untrusted_public_key, "little")
    sign, y = encoded >> 255, encoded & (1 << 255) - 1
    if y >= _P:
        raise _weak("its y coordinate is not reduced")
    x = _recover_x(y, sign)
    if x is None:
        raise _weak("it is not a point of the curve")
    if _multiply(_L, (x, y)) != (0, 1) or (x, y) == (0, 1):
        raise _weak("its order is not the prime order of the group")
    return untrusted_public_key


def _weak(what: str) -> Refused:
    return Refused(Rule.WEAK_KEY, what, where="public key", fix="make a new key on the unit")


def _recover_x(y: int, sign: int) -> int | None:
    """Recover x of the point (x, y) with the given parity, or None (RFC 8032 section 5.1.3)."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    return x if x & 1 == sign else _P - x


def _add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Complete addition on the twisted Edwards curve, affine (RFC 8032 section 5.1.4)."""
    (x1, y1), (x2, y2) = a, b
    product = _D * x1 * x2 * y1 * y2 % _P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, _P) % _P
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, _P) % _P


def _multiply(scalar: int, point: tuple[int, int]) -> tuple[int, int]:
    """Scalar multiple by doubling and adding; not constant time, for public points only."""
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result
