"""SENSE's end of the pipe while it is aimed: stick figures and views as records, heartbeats sealed as ever.

Invariants:
    * There is no way to say an observation here: the type has none.
    * At most ``RECORDS_PER_SECOND`` leave; what the pipe does not take at once is gone, for it is of this moment.
    * A record's body is ``A1`` and the code: no envelope begins so, and no signature is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appliance.protocol.aim import MOST_FIGURES, RECORDS_PER_SECOND, AimRecord, spelled
from appliance.protocol.health import Health
from appliance.protocol.values import PhenomenonTime
from appliance.unit.pipe.record import AIM_MARK, record_of
from appliance.unit.pipe.writer import PipeWriter

_BURST: Final = float(MOST_FIGURES + 1)


class AimWriter:
    """Says figures through ``write`` (non-blocking) and heartbeats through ``writer``."""

    def __init__(self, writer: PipeWriter, write: Callable[[bytes], int], now: float) -> None:
        self._writer = writer
        self._write = write
        self._allowance = _BURST
        self._at = now
        self.said = self.dropped = 0

    def say(self, records: tuple[AimRecord, ...], now: float) -> None:
        """Say the records of one picture at ``now`` (monotonic seconds), as far as rate and pipe allow."""
        self._allowance = min(_BURST, self._allowance + RECORDS_PER_SECOND * max(0.0, now - self._at))
        self._at = now
        for record in records:
            if self._allowance < 1 or not self._leaves(record):
                self.dropped += 1
                continue
            self._allowance -= 1
            self.said += 1

    def _leaves(self, record: AimRecord) -> bool:
        try:
            self._write(record_of(AIM_MARK + spelled(record)))
        except (BlockingIOError, BrokenPipeError):
            return False
        return True

    def new_slot(self, now: float) -> bool:
        """Whether a heartbeat is due: a slot of the grid has begun."""
        return self._writer.new_slot(now)

    def beat(self, now: float, health: Health, seen: PhenomenonTime) -> None:
        """Seal and send one heartbeat."""
        self._writer.leave(now, health, seen)

    def flush(self) -> int:
        """Write heartbeats that wait; how many still do."""
        self._writer.flush()
        return self._writer.waiting
