"""The calendar where the booth stands: which day an instant belongs to, and where in that day it lies.

Invariants:
    * A function of the instant and of the machine's time zone; nothing is kept.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from appliance.protocol.values import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDay:
    """``day`` is YYYY-MM-DD, ``weekday`` 0 (Monday) to 6, ``hour`` 0 to 23; ``midnight`` is when the day began."""

    day: str
    weekday: int
    hour: int
    midnight: Seconds


def local_day(now: Seconds) -> LocalDay:
    """The day of ``now``. On the two days a year on which clocks change, its midnight is an hour off for a while."""
    local = time.localtime(now)
    return LocalDay(
        day=time.strftime("%Y-%m-%d", local),
        weekday=local.tm_wday,
        hour=local.tm_hour,
        midnight=Seconds(now - (local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec + now % 1)),
    )


def day_of(now: Seconds) -> str:
    """The calendar day of ``now`` where the booth stands, as YYYY-MM-DD."""
    return local_day(now).day
