"""The five-second grid on which everything leaves a unit: SENSE into the pipe, RELAY to the broker. Pure.

Invariants:
    * When a statement leaves says no more than the time that is said in it: both are in steps of ``GRID`` seconds.
    * RELAY's slots begin ``LAG`` after SENSE's, so that what SENSE says in a slot leaves in the same.

``now`` is the monotonic clock, which all processes of a machine share (clock_gettime(2)).
"""

from __future__ import annotations

from typing import Final

from appliance.protocol.values import TIME_STEP

GRID: Final = float(TIME_STEP)
LAG: Final = 0.5
"""Seconds that SENSE has to write, and RELAY to make durable, before RELAY sends: a few frames of a slow camera."""


def slot(now: float, lag: float = 0.0) -> int:
    """The number of the slot that ``now`` lies in.

    >>> slot(4.9), slot(5.0), slot(5.4, LAG), slot(5.5, LAG)
    (0, 1, 0, 1)
    """
    return int((now - lag) // GRID)


def until_next(now: float, lag: float = 0.0) -> float:
    """Seconds until the next slot begins, above 0.

    >>> until_next(4.0), until_next(5.0, LAG)
    (1.0, 0.5)
    """
    return (slot(now, lag) + 1) * GRID + lag - now
