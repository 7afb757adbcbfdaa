"""Snapshot timer: when the counts in memory must be written down.

Invariants:
    * An observation waits in the journal for ``SNAPSHOT_SECONDS`` at most, and never longer than half its retention.
    * Pure: no I/O, no clock; ``now`` is an argument.

>>> timer = SnapshotTimer(retention_seconds=Seconds(300.0), waiting=0, now=Seconds(0.0))
>>> timer.due(Seconds(90.0)), timer.observed(), timer.due(Seconds(90.0)), timer.due(Seconds(95.0))
(False, None, True, False)
"""

from __future__ import annotations

from typing import Final

from appliance.protocol.values import Seconds

SNAPSHOT_SECONDS: Final = 60.0
"""The baseline is written this often at the least; nothing live is held on disk for longer."""


class SnapshotTimer:
    """Counts what waits in the journal; ``waiting`` observations did at the start, at ``now`` (unix seconds).

    ``written_at`` is when the last snapshot was written, in unix seconds.
    """

    def __init__(self, *, retention_seconds: Seconds, waiting: int, now: Seconds) -> None:
        self._interval = min(SNAPSHOT_SECONDS, retention_seconds / 2)
        self._waiting = waiting
        self.written_at: float = now

    def observed(self) -> None:
        """One more observation waits in the journal."""
        self._waiting += 1

    def force(self) -> None:
        """Write at the next opportunity: what waits must not stay in the journal."""
        self.written_at = float("-inf")
        self._waiting += 1

    def due(self, now: Seconds, *, last: bool = False) -> bool:
        """True where a snapshot is to be written at ``now`` (always for the ``last``); the timer then starts anew."""
        if not last and not (self._waiting and abs(now - self.written_at) >= self._interval):
            return False
        self.written_at, self._waiting = now, 0
        return True
