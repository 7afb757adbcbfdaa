"""A baseline's own time: which instant of it a sighting counts at, whatever is done to the hub's clock.

Invariants:
    * A clock that is behind the latest sighting by more than the tolerance costs nothing: people count at an offset
      that keeps the baseline's own time going. Once the clock is back the offset is gone.
    * A clock that is seen to be set ahead by more than the tolerance is not believed for ``TRIAL_SECONDS``: until
      then people count as if it had not been. Set back within that time it has aged nothing.
    * Pure: no I/O, no clock.
"""

from __future__ import annotations

import math
from typing import Final

from appliance.protocol.values import Seconds

TRIAL_SECONDS: Final = 86_400.0
"""Nobody leaves a booth's clock wrong for longer: alerts would be late on every tablet."""


class OwnTime:
    """One clock followed; ``tolerance`` in seconds."""

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._offset, self._clock = 0.0, math.inf
        self._ahead = self._since = 0.0
        """By how much the clock was set ahead on trial, and since when."""

    def follow(self, now: Seconds, latest: float | None, stepped: float) -> None:
        """The clock shows ``now``, after it was set ahead by ``stepped``; ``latest`` is the latest day counted."""
        self._try(now, stepped, counted=latest is not None)
        self._clock = now
        own = now - self._ahead
        if latest is None or latest - own <= self._tolerance:
            self._offset = 0.0
        elif abs(own + self._offset - latest) > self._tolerance:
            self._offset = latest - own

    def _try(self, now: Seconds, stepped: float, *, counted: bool) -> None:
        if self._ahead:
            if abs(stepped) > self._tolerance:
                self._ahead += stepped
            if self._ahead <= self._tolerance or now - self._since >= TRIAL_SECONDS:
                self._ahead = 0.0
        elif stepped > self._tolerance and not self._offset and counted:
            self._ahead, self._since = stepped, now

    def counted_at(self, seen_at: Seconds) -> Seconds:
        """``seen_at`` on the baseline's own time."""
        # A unit with a clock of its own may say the true time, which is none of the hub's.
        if self._ahead and seen_at > self._clock - self._ahead + self._tolerance:
            seen_at = Seconds(seen_at - self._ahead)
            return Seconds(seen_at + self._offset)
        # Seen later than the clock shows now: a journal of before the clock was set back. That time was right.
        return seen_at if seen_at > self._clock else Seconds(seen_at + self._offset)

    def own(self, now: float) -> float:
        """An instant of the hub's clock without what it was set ahead on trial."""
        return now - self._ahead
