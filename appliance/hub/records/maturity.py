"""How far a baseline has come: who was counted, which words it can speak of, when it will be ready.

Invariants:
    * Counts only. A word can be told once ``LEAST`` people wore it, a pair once as many did, or would have by chance.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from appliance.hub.pacing.local_day import day_of
from appliance.hub.records.daily_counts import DailyCount
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.protocol.values import Seconds

LEAST: Final = 20.0
"""Below this many people a word's share is a guess."""
WEEK: Final = 7
_RATE_DAYS: Final = 7
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Maturity:
    """A baseline's state. ``weight`` counts older people less; ``needs`` is how many more must pass (0: ready).

    ``words`` and ``pairs`` can be told, ``of_words`` and ``of_pairs`` exist; ``days`` have people in them, among
    them ``weekdays`` of seven. ``per_day`` is the mean of the last week's days with people, None before the first
    whole day; ``ready_on`` is a date (YYYY-MM-DD), empty where it is ready or cannot be said.
    """

    people: int
    weight: int
    needs: int
    words: int
    of_words: int
    pairs: int
    of_pairs: int
    days: int
    weekdays: int
    per_day: int | None
    ready_on: str


def maturity_of(
    baseline: Baseline, tallies: Iterable[DailyCount], *, warmup_people: int, now: Seconds
) -> Maturity:
    """How far ``baseline`` has come at ``now``, with the daybook's ``tallies``."""
    by_day = {one.day: one.number for one in tallies if one.what == "people" and one.number}
    recent = [
        number
        for back in range(1, _RATE_DAYS + 1)
        if (number := by_day.get(day_of(Seconds(now - back * _DAY)), 0))
    ]
    per_day = round(sum(recent) / len(recent)) if recent else None
    needs = baseline.needs(warmup_people, now)
    days = math.ceil(needs / per_day) if needs and per_day else 0
    pairs, known = baseline.matrices(now)
    of = known[np.ix_(baseline.layout.attribute_of, baseline.layout.attribute_of)]
    singles = np.diag(pairs)
    # Where a pair would have been seen often enough by chance, its absence says something too.
    expected = of * np.outer(singles, singles) / np.maximum(np.outer(np.diag(of), np.diag(of)), 1.0)
    other = baseline.layout.attribute_of[:, None] < baseline.layout.attribute_of[None, :]
    return Maturity(
        people=baseline.people,
        weight=int(baseline.weight(now)),
        needs=needs,
        words=int((singles >= LEAST).sum()),
        of_words=len(singles),
        pairs=int((np.maximum(pairs, expected)[other] >= LEAST).sum()),
        of_pairs=int(other.sum()),
        days=len(by_day),
        weekdays=len({datetime.fromisoformat(day).weekday() for day in by_day}),
        per_day=per_day,
        ready_on=day_of(Seconds(now + days * _DAY)) if days else "",
    )


def told(one: Maturity, *, collects: bool) -> str:
    """The same in words, a line for each matter.

    >>> one = Maturity(people=120, weight=118, needs=182, words=9, of_words=75, pairs=12, of_pairs=2500, days=2,
    ...     weekdays=2, per_day=60, ready_on="2026-12-03")
    >>> print(told(one, collects=True))
    mode: collecting weeks; nobody is flagged and no alert is raised ([hub] collect in hub.toml)
    people: 120 on 2 days (2 of 7 weekdays), about 60 a day; 118 of them count
    can be told already: 9 of 75 words, 12 of 2,500 pairs of words
    ready: needs 182 more people, on 2026-12-03 at this pace
    """
    mode = "collecting weeks; nobody is flagged and no alert is raised ([hub] collect in hub.toml)"
    pace = "no whole day yet" if one.per_day is None else f"about {one.per_day:,} a day"
    when = f", on {one.ready_on} at this pace" if one.ready_on else ""
    missing = WEEK - one.weekdays
    ready = f"needs {one.needs:,} more people{when}" if one.needs else "yes"
    if not one.needs and missing:
        ready += f"; {missing} weekdays have not been seen yet"
    counted = f"{one.people:,} on {one.days} days ({one.weekdays} of 7 weekdays), {pace}"
    words = f"{one.words} of {one.of_words} words, {one.pairs:,} of {one.of_pairs:,} pairs of words"
    lines = (
        f"mode: {mode if collects else 'watching'}",
        f"people: {counted}; {one.weight:,} of them count",
        f"can be told already: {words}",
        f"ready: {ready}",
    )
    return "\n".join(lines)
