"""RELAY's gate: of what comes off the pipe only this unit's own sealed statements go on, and only so many.

Invariants:
    * What does not open under this unit's public key and booth is dropped and counted, and reaches neither disk nor
      network. The gate holds no private key and cannot make what it lets through.
    * The pipe is read no faster than ``RATE``, garbage included. What is above it is not lost: it waits in the pipe
      and in SENSE, whose own limit is lower.
    * No input or output; ``now`` is monotonic and is told.

So a SENSE that has been taken over cannot stream a picture through RELAY. What is left to it are false statements
of the closed vocabulary, and what it can hide in its choice of signatures (at most 32 bytes each): below 1.5 KB a
second.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.base.errors import Refused, Unfit
from appliance.protocol.health import Health
from appliance.protocol.sign import Opener, Signer, check_public_key, key_id
from appliance.protocol.values import BoothId, Heartbeat, UnitId
from appliance.settings.config import UnitConfig
from appliance.unit.grid import GRID
from appliance.unit.pipe.record import RECORD_BYTES

RATE: Final = 21.0
"""Records a second: the 20 observations that SENSE allows itself, and one for heartbeats."""
BURST: Final = RATE * GRID
"""Records taken at once after a quiet time (13 KiB): all that SENSE may say when a slot of the grid begins."""


class SealCheck:
    """Opens envelopes of ``unit`` in ``booth``, sealed under ``public_key``, and says how much may be read.

    ``refused`` counts envelopes that did not open. Refused (WEAK_KEY) for a public key that no register would take.
    """

    def __init__(self, *, booth: BoothId, unit: UnitId, public_key: bytes, now: float) -> None:
        signer = Signer(unit=unit, public_key=check_public_key(public_key))
        known = key_id(public_key)
        self.refused = 0
        self.health: Health | None = None
        """What the newest heartbeat that opened says."""
        self._opener = Opener(booth=booth, signer_of=lambda wanted: signer if wanted == known else None)
        self._allowance = BURST
        self._at = now

    def readable(self, now: float) -> int:
        """How many bytes may be read off the pipe now: whole records, 0 while the allowance is used up."""
        self._allowance = min(BURST, self._allowance + RATE * max(0.0, now - self._at))
        self._at = now
        return int(self._allowance) * RECORD_BYTES

    def spend(self, count: int) -> None:
        """``count`` bytes were read."""
        self._allowance -= count / RECORD_BYTES

    def let_through(self, untrusted_envelopes: Sequence[bytes]) -> tuple[bytes, ...]:
        """Those that open, in order; the others are counted. Never raises."""
        opened = tuple(envelope for envelope in untrusted_envelopes if self._opens(envelope))
        self.refused += len(untrusted_envelopes) - len(opened)
        return opened

    def _opens(self, untrusted_envelope: bytes) -> bool:
        try:
            statement = self._opener.open(untrusted_envelope)
        except Refused:
            return False
        if isinstance(statement, Heartbeat):
            self.health = statement.health
        return True


def gate_of(settings: UnitConfig, path: Path, now: float) -> SealCheck:
    """The gate of a configured unit (``path`` is its file). Unfit where the public key is missing or none."""
    fix = (
        f"write this unit's public_key under [relay] in {path}: `leftfield enrol finish` does, "
        "and the hub's register.toml has it"
    )
    if settings.public_key is None:
        raise Unfit("relay.public_key is missing: RELAY checks every seal", where=str(path), fix=fix)
    try:
        return SealCheck(booth=settings.booth, unit=settings.unit, public_key=settings.public_key, now=now)
    except Refused as weak:
        raise Unfit(f"relay.public_key is not a valid key: {weak.what}", where=str(path), fix=fix) from None
