"""Whether a day's plan can work at all: gifts, hours, staff, people expected, acceptance and floor held together.

Formula: with everybody at the floor f asked, n f people come to s staff in t seconds, each visit taking v: a load of
a = n f v / t erlangs, of which Erlang's B(s, a) finds nobody free. So at most acceptance n f (1 - B) gifts go out,
and, however many people there are, at most acceptance s t / v.

Invariants:
    * Pure: a function of the plan.

>>> plan = Plan(people=9000, seconds=36000, stock=40, staff=2, visit_seconds=360, acceptance=0.5, max_p=0.005)
>>> round(gifts(plan, 0.005, 2)), round(needed_floor(plan), 4), needed_staff(plan)
(21, 0.0111, 1)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from appliance.hub.pacing.erlang_b import blocking

LEAST_MAX_P: Final = 0.005
MOST_MAX_P: Final = 0.05
"""Between these a floor is derived: nobody commoner than one in twenty is ever sent for."""
ROOM: Final = 2.0
"""So many times as many people are at the floor as are needed: staff are busy, people look alike, words are plain."""
_MOST_STAFF: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``people`` expected in the ``seconds`` that are left, for ``stock`` gifts; ``max_p`` None is a derived floor.

    ``acceptance`` is the share of those asked who take the gift, ``visit_seconds`` how long each keeps somebody busy.
    """

    people: float
    seconds: float
    stock: int
    staff: int
    visit_seconds: float
    acceptance: float
    max_p: float | None = None


def gifts(plan: Plan, floor: float, staff: int) -> float:
    """How many gifts at most go out where everybody at ``floor`` is asked by ``staff`` people."""
    asked = plan.people * floor
    load = asked * plan.visit_seconds / max(1.0, plan.seconds)
    return plan.acceptance * asked * (1.0 - blocking(servers=staff, load=load)) if staff else 0.0


def needed_floor(plan: Plan) -> float | None:
    """The least floor that empties the box; None where ``MOST_MAX_P`` does not."""
    low, high = 0.0, MOST_MAX_P
    if gifts(plan, high, plan.staff) < plan.stock:
        return None
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (low, middle) if gifts(plan, middle, plan.staff) >= plan.stock else (middle, high)
    return high


def needed_staff(plan: Plan) -> int | None:
    """How few people empty the box with the widest floor; None where no number does."""
    enough = (staff for staff in range(1, _MOST_STAFF + 1) if gifts(plan, MOST_MAX_P, staff) >= plan.stock)
    return next(enough, None)


def warning(plan: Plan) -> str:
    """Why this plan cannot empty the box, and what would; empty where it can or where nobody is expected."""
    if not plan.stock or plan.people <= 0 or plan.seconds <= 0:
        return ""
    floor = plan.max_p if plan.max_p is not None else MOST_MAX_P
    given = gifts(plan, floor, plan.staff)
    if given >= plan.stock:
        return ""
    least = needed_floor(plan)
    if least is not None:
        return (
            f"pacing.max_p {floor:g} gives about {given:.0f} of {plan.stock} gifts to the {plan.people:.0f} people "
            f"expected; leave max_p out, or set it to {min(MOST_MAX_P, least * ROOM):.3g}"
        )
    most, staff = gifts(plan, MOST_MAX_P, plan.staff), needed_staff(plan)
    asked = (
        f"{plan.staff} staff at {plan.visit_seconds / 60:.0f} minutes a visit give at most {most:.0f} of "
        f"{plan.stock} gifts to the {plan.people:.0f} people expected in {plan.seconds / 3600:.1f} hours, of whom "
        f"{plan.acceptance:.0%} accept"
    )
    if staff is not None:
        return f"{asked}; plan {staff} staff, or {math.floor(most)} gifts"
    return f"{asked}; more staff do not help: plan {math.floor(most)} gifts, or more hours"
