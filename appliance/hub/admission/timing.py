"""Time at the door: what cannot be by a unit's own uptime, and when something was seen on the hub's clock.

Invariants:
    * A good statement is never refused because the *hub's* clock is wrong.
    * Pure: ``now`` is an argument; what is learnt of a unit's clocks is kept in its window.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.admission.replay_window import BLOCK, ReplayWindow
from appliance.protocol.values import TIME_STEP, Seconds, Statement

FUTURE_SECONDS: Final = 60.0
"""How far a phenomenon may lie ahead of the hub's clock."""

STEP_MOST: Final = 500
"""Statements of one unit in one step of its time (100 a second: more people than a street holds)."""

BLOCK_MOST: Final = 1500
"""The same in five minutes of its time: 5 a second for as long."""

UPTIME_MOST: Final = 10 * 365 * 24 * 3600.0
"""No unit runs for longer without a restart."""

BACK_SECONDS: Final = 3600.0
"""How far uptime may run back against the order of the numbers: a long track is told when it ends."""

SETTLED_SECONDS: Final = 10.0
"""So long must a boot instant taken from arrivals have held before anybody is sent out by it: while a backlog
drains it falls with every message."""

OUTLIVES_STEPS: Final = 60
"""A start of SENSE that still speaks so long after the next one began (five minutes) is not the same SENSE."""


def outlives(statement: Statement, windows: Iterable[ReplayWindow]) -> bool:
    """Whether an epoch speaks although a later one began, by the unit's own clock: a copy of its card does."""
    wall = statement.seen.wall
    if wall is None:
        return False
    return any(
        one.epoch > statement.epoch and one.first_wall is not None and wall > one.first_wall + OUTLIVES_STEPS
        for one in windows
    )


def check_time(statement: Statement, window: ReplayWindow, now: Seconds) -> None:
    """Refuse what cannot be by the unit's own uptime: FUTURE, ROLLED_BACK, TOO_FAST."""
    unit, step = statement.unit, statement.seen.uptime
    uptime = step * TIME_STEP
    # Once its wall clock has agreed with ours (to FUTURE_SECONDS) we know when the unit booted.
    if uptime > UPTIME_MOST or (window.agreed and window.boot + uptime > now + 2 * FUTURE_SECONDS):
        raise Refused(
            Rule.FUTURE,
            f"seen {uptime} s after a start that was more recent than that",
            where=unit,
            fix="restart the unit",
        )
    if statement.seq > window.highest and uptime < window.uptime * TIME_STEP - BACK_SECONDS:
        raise Refused(Rule.ROLLED_BACK, "the unit's uptime ran backwards", where=unit, fix="restart the unit")
    if window.admitted_in(step) >= STEP_MOST:
        raise Refused(Rule.TOO_FAST, f"more than {STEP_MOST} statements in {TIME_STEP} seconds", where=unit)
    if window.admitted_in_block(step) >= BLOCK_MOST:
        raise Refused(
            Rule.TOO_FAST, f"more than {BLOCK_MOST} statements in {BLOCK * TIME_STEP} seconds", where=unit
        )


def seen_at(statement: Statement, window: ReplayWindow, now: Seconds) -> tuple[Seconds, bool]:
    """When it was seen, on the hub's clock, and whether that is known well enough to send somebody.

    A synchronised unit says so itself. For one that is not, or whose clock is ahead of ours, the boot instant of
    the epoch is taken as the least of (arrival - uptime): the message that was delayed least tells best (the minimum
    filter of NTP, RFC 5905 sec. 10).
    """
    seen = statement.seen
    if seen.wall is not None:
        window.first_wall = seen.wall if window.first_wall is None else min(window.first_wall, seen.wall)
    uptime = seen.uptime * TIME_STEP
    if seen.wall is not None and seen.wall * TIME_STEP <= now + FUTURE_SECONDS:
        window.boot, window.synced, window.agreed = float(seen.wall * TIME_STEP - uptime), True, True
        return Seconds(min(window.boot + uptime, now)), True
    if seen.wall is not None or not window.synced:
        window.synced = False
        if window.boot - (now - uptime) > 2 * TIME_STEP:
            window.settled_at = now
        window.boot = min(window.boot, now - uptime)
    known = window.synced or now - window.settled_at >= SETTLED_SECONDS
    return Seconds(min(window.boot + uptime, now)), known
