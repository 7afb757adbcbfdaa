"""RELAY's gate for stick figures: only while the hub has ordered it, SENSE says so, and no faster than was agreed.

Invariants:
    * A record is taken apart and written anew from its value: what leaves is one of ``AIM_CAPACITY`` things, so at
      most ``BITS_PER_SECOND`` bits a second, whatever has become of SENSE.
    * Shut at the start, shut when the ordered minutes are over, and shut while SENSE's last signed heartbeat says
      anything but that it is aimed, or that it is locked: no figure leaves unnoticed.
    * Nothing of it touches the disk, and nothing waits: what cannot leave now is dropped and counted.
    * Pure: ``now`` is monotonic and is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.base.errors import Refused
from appliance.protocol.aim import MOST_FIGURES, MOST_MINUTES, RECORDS_PER_SECOND, record_in, spelled
from appliance.protocol.health import Health, UnitState

BURST: Final = float(MOST_FIGURES + 1)
_START_SECONDS: Final = 120.0
"""SENSE may take so long to start anew before its minutes begin."""


class AimGate:
    """Lets aim records through; ``refused`` counts those it did not."""

    def __init__(self, now: float) -> None:
        self.refused = 0
        self._until = now
        self._aimed = False
        self._allowance = BURST
        self._at = now

    def ordered(self, minutes: int, now: float) -> None:
        """The hub has ordered so many minutes of aiming; 0 ends it."""
        self._until = now + (60 * min(minutes, MOST_MINUTES) + _START_SECONDS if minutes else 0.0)

    def heard(self, health: Health) -> None:
        """SENSE said, signed, how it is."""
        self._aimed = health.state is UnitState.AIMING and not health.locked

    def let_through(self, untrusted_codes: Sequence[bytes], now: float) -> tuple[bytes, ...]:
        """Those that may leave, each written anew; the others are counted. Never raises."""
        self._allowance = min(BURST, self._allowance + RECORDS_PER_SECOND * max(0.0, now - self._at))
        self._at = now
        passed = []
        for untrusted in untrusted_codes:
            if (
                now < self._until
                and self._aimed
                and self._allowance >= 1
                and (code := _written_anew(untrusted))
            ):
                self._allowance -= 1
                passed.append(code)
            else:
                self.refused += 1
        return tuple(passed)


def _written_anew(untrusted: bytes) -> bytes:
    """The code of the value in a record; nothing where there is none."""
    try:
        return spelled(record_in(untrusted))
    except Refused:
        return b""
