"""SENSE's end of the one-way pipe: statements are sealed, wait in memory, and leave as records, never blocking.

Invariants:
    * What leaves is a sealed record of fixed size; nothing else is ever written to the pipe.
    * At most ``rate`` observations a second are sealed; beyond that they are dropped and counted.
    * A full pipe, or one nobody reads, holds nothing up: the queue is bounded, the oldest goes first, and the gap in
      the sequence numbers shows it to the hub.
"""

from __future__ import annotations

import errno
import os
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
from appliance.unit.pipe.record import record_of

RATE: Final = 20.0
"""Most observations a second; more people than that never pass one camera."""
_BURST: Final = 40.0
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
        self._waiting: deque[bytes] = deque()
        self._allowance = _BURST
        self._at = now

    def observe(self, vector: AttributeVector, seen: PhenomenonTime, *, now: float) -> Observation | None:
        """Seal and send one observation at ``now`` monotonic seconds; None where the rate is used up."""
        self._allowance = min(_BURST, self._allowance + RATE * max(0.0, now - self._at))
        self._at = now
        if self._allowance < 1:
            self.tally.too_many += 1
            return None
        self._allowance -= 1
        observation = Observation(
            unit=self._unit, epoch=self._epoch, seq=self._next(), seen=seen, vector=vector
        )
        self.tally.observations += 1
        self.last = observation
        self._send(observation)
        return observation

    def beat(self, health: Health, seen: PhenomenonTime) -> None:
        """Seal and send one heartbeat."""
        heartbeat = Heartbeat(unit=self._unit, epoch=self._epoch, seq=self._next(), seen=seen, health=health)
        self.tally.heartbeats += 1
        self._send(heartbeat)

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
