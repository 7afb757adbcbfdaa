"""SENSE's end of the one-way pipe: statements wait for the grid, are sealed, and leave as records, never blocking.

Invariants:
    * What leaves is a sealed record of fixed size; nothing else is ever written to the pipe.
    * It leaves when a slot of the grid begins (``unit/grid.py``), observations in an order that is drawn by lot; they
      are numbered then, so that neither time nor number tells who of a slot came first, or was looked at longer.
    * At most ``SLOT_LIMIT`` observations are sealed in a slot; beyond that they are dropped and counted.
    * A full pipe, or one nobody reads, holds nothing up: the queue is bounded, the oldest goes first, and the gap in
      the sequence numbers shows it to the hub.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import Unavailable, Unfit
from appliance.protocol.health import Health
from appliance.protocol.sign import Sealer
from appliance.protocol.values import (
    COUNTER_LIMIT,
    AttributeVector,
    Epoch,
    Heartbeat,
    Observation,
    PhenomenonTime,
    Seq,
    Statement,
    UnitId,
)
from appliance.unit.grid import GRID, slot
from appliance.unit.pipe.record import record_of

RATE: Final = 20.0
"""Most observations a second; more people than that never pass one camera."""
SLOT_LIMIT: Final = int(RATE * GRID)
_HELD: Final = 4 * SLOT_LIMIT
"""Most observations that wait for their slot; none waits for longer than three."""
_LOT: Final = secrets.SystemRandom()
_WAITING: Final = 2048
"""Most records held while nobody reads the pipe: 256 KiB."""


def open_pipe(path: Path) -> int:
    """The write end of the named pipe, not blocking.

    Unfit where there is none or it is something else; Unavailable while nobody reads it.
    """
    try:
        if not stat.S_ISFIFO(path.stat().st_mode):
            raise Unfit("is not a named pipe", where=str(path), fix=f"remove it and mkfifo {path}")
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise Unavailable(
                "no process reads the pipe", where=str(path), fix="start process relay"
            ) from None
        raise Unfit(
            f"cannot open the pipe to RELAY: {error.strerror}",
            where=str(path),
            fix="start the unit through its socket unit (systemctl start leftfield-pipe.socket), or mkfifo it",
        ) from None


@dataclass(frozen=True, slots=True)
class _Held:
    """What waits for its slot: it may leave from ``due`` on (monotonic seconds)."""

    vector: AttributeVector
    seen: PhenomenonTime
    due: float


@dataclass(slots=True)
class WriteCounts:
    """Since the start: observations and heartbeats sealed, observations beyond the rate, records dropped."""

    observations: int = 0
    heartbeats: int = 0
    too_many: int = 0
    dropped: int = 0


class PipeWriter:
    """Seals statements with one key, epoch and sequence, and writes them to ``write`` (non-blocking)."""

    def __init__(
        self, *, sealer: Sealer, unit: UnitId, epoch: Epoch, write: Callable[[bytes], int], now: float
    ) -> None:
        self.tally = WriteCounts()
        self.last: Observation | None = None
        """The newest observation, for whoever shows how things are; a value, as it left."""
        self._sealer = sealer
        self._unit = unit
        self._epoch = epoch
        self._write = write
        self._seq = 0
        self._held: list[_Held] = []
        self._waiting: deque[bytes] = deque()
        self._slot = slot(now)

    def observe(self, vector: AttributeVector, seen: PhenomenonTime, *, due: float) -> bool:
        """Hold one observation for the first slot that begins at ``due`` or later; False where too many wait."""
        if len(self._held) >= _HELD:
            self.tally.too_many += 1
            return False
        self._held.append(_Held(vector, seen, due))
        return True

    def new_slot(self, now: float) -> bool:
        """Whether a slot has begun since the last one that was told; then ``leave`` is due."""
        return slot(now) != self._slot

    def leave(self, now: float, health: Health, seen: PhenomenonTime, *, everything: bool = False) -> None:
        """Seal and send what is due in the slot of ``now``, in an order drawn by lot, and a heartbeat.

        ``everything`` at the end of the process: what is not due yet would be lost.
        """
        self._slot = slot(now)
        leaving = [one for one in self._held if everything or one.due <= self._slot * GRID]
        self._held = [one for one in self._held if one not in leaving]
        _LOT.shuffle(leaving)
        self.tally.too_many += max(0, len(leaving) - SLOT_LIMIT)
        for one in leaving[:SLOT_LIMIT]:
            self._send(self._observation(one))
        self.tally.heartbeats += 1
        self._send(Heartbeat(unit=self._unit, epoch=self._epoch, seq=self._next(), seen=seen, health=health))

    def _observation(self, held: _Held) -> Observation:
        self.tally.observations += 1
        self.last = Observation(
            unit=self._unit, epoch=self._epoch, seq=self._next(), seen=held.seen, vector=held.vector
        )
        return self.last

    @property
    def waiting(self) -> int:
        """Records that the pipe has not taken yet."""
        return len(self._waiting)

    def flush(self) -> None:
        """Write what the pipe takes, oldest first."""
        while self._waiting:
            try:
                self._write(self._waiting[0])
            except (BlockingIOError, BrokenPipeError):
                return  # full, or RELAY is being restarted; a new reader of the same pipe gets the rest
            self._waiting.popleft()

    def _next(self) -> Seq:
        if self._seq >= COUNTER_LIMIT:
            raise Unfit(
                "the sequence numbers of this epoch are exhausted", where="sense", fix="restart the unit"
            )
        self._seq += 1
        return Seq(self._seq - 1)

    def _send(self, statement: Statement) -> None:
        if len(self._waiting) >= _WAITING:
            self._waiting.popleft()
            self.tally.dropped += 1
        self._waiting.append(record_of(self._sealer.seal(statement)))
        self.flush()
