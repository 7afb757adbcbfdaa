"""The hub's own clock: whether it can be right, and whether somebody has just set it.

Invariants:
    * Nothing is counted by a clock that cannot be right: waiting costs minutes, a wrong date costs the baseline.
    * Pure: both clocks are arguments.
"""

from __future__ import annotations

from typing import Final

from appliance.base.errors import Unavailable
from appliance.protocol.values import COUNTER_LIMIT, TIME_STEP, Seconds

STEP_SECONDS: Final = 2.0
"""A wall clock that moves by more than this between two batches was set."""
BUILD_TIME: Final = 1_735_689_600.0
"""2025-01-01: no hub of this program can be earlier."""
CLOCK_DAYS: Final = 400
"""A clock further than this from the last sighting is taken for wrong: by then what was learnt has decayed anyhow."""


def check_clock(now: Seconds, latest: float) -> None:
    """Unavailable where the hub's clock is wrong: before this was written, or far from what was stored."""
    apart = (now - latest) / 86_400.0 if latest else 0.0
    if not BUILD_TIME <= now < COUNTER_LIMIT * TIME_STEP or abs(apart) > CLOCK_DAYS:
        raise Unavailable(
            "the hub's clock is wrong"
            + (f": it is {apart:+.0f} days from the last sighting" if latest else ""),
            where="hub",
            fix="set the clock (systemd-timesyncd, a clock module); if it is right, move the database away",
        )


class WallClock:
    """Watches the wall clock by a clock that nobody sets."""

    def __init__(self) -> None:
        self._ahead: float | None = None

    def stepped(self, now: Seconds, steady: float | None) -> float:
        """By how many seconds the wall clock was set since the last call; 0 where it was not, or nobody can tell."""
        if steady is None:
            return 0.0
        ahead = now - steady
        step = 0.0 if self._ahead is None else ahead - self._ahead
        self._ahead = ahead
        return step if abs(step) > STEP_SECONDS else 0.0
