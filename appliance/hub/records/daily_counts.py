"""The booth's daybook: how many of what, day by day, and what the audit reads. Counts only, nobody in them.

Invariants:
    * What was counted since ``begin`` is told once, to be added to what is stored.
    * The audit's counts leave in whole fives; the rest waits in memory.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.hub.pacing.forecast import KEPT_DAYS
from appliance.hub.pacing.local_day import day_of, local_day
from appliance.hub.pacing.pacing import Today
from appliance.hub.records import audit
from appliance.protocol.values import Observation, Seconds

STOCK_CHANGE: Final = "stock_change"
STAFF_CHANGE: Final = "staff_change"
PAUSED_UNTIL: Final = "paused_until"
CLOSED: Final = "closed"
"""What the lead said today: gifts and staff more or less than configured, a pause (unix seconds), the day's end."""
BY_TABLET: Final = "tablet/"
"""What a tablet did today is counted as this, its name, and what it did."""
_ENDS: Final = ("gifted", "declined", "not_found", "dismissed", "expired")
"""Ends from which acceptance is learnt: forgetting says nothing of it."""
_ACCEPTANCE_DAYS: Final = 14
_ACCEPTANCE_FADE: Final = 0.9
"""A day older, an answer weighs this much less."""
_VISITS_BELIEVED: Final = 10
"""Visits after which the measured length of one outweighs the configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyCount:
    """``number`` more of ``what`` on ``day`` (YYYY-MM-DD)."""

    day: str
    what: str
    number: int


class DailyCounts:
    """The counts of one booth, taken up from ``tallies``; ``service_seconds`` is how long a visit is said to take."""

    def __init__(self, tallies: Iterable[DailyCount], *, service_seconds: Seconds, now: Seconds) -> None:
        self._counts = Counter({(tally.day, tally.what): tally.number for tally in tallies})
        self._service_seconds = service_seconds
        self._audited: Counter[tuple[str, str, str]] = Counter()
        self._swept = ""
        self.begin(now)

    def begin(self, now: Seconds) -> None:
        """A new batch at ``now``: nothing of it is counted yet."""
        self._now, self.day = now, day_of(now)
        self._tallies: Counter[str] = Counter()

    def count(self, what: str, number: int = 1) -> None:
        """``number`` more of ``what`` today."""
        self._counts[self.day, what] += number
        self._tallies[what] += number

    def number(self, what: str) -> int:
        """How many of ``what`` today."""
        return self._counts[self.day, what]

    def days(self, most: int) -> dict[str, dict[str, int]]:
        """Everything that was counted on the last ``most`` days until today, by day and name."""
        known = [day_of(Seconds(self._now - back * 86_400)) for back in range(most)]
        found: dict[str, dict[str, int]] = {}
        for (day, what), number in self._counts.items():
            if day in known and number:
                found.setdefault(day, {})[what] = number
        return found

    def put(self, what: str, number: int) -> None:
        """There are ``number`` of ``what`` today, whatever there were before."""
        if number != self.number(what):
            self.count(what, number - self.number(what))

    def beginning_with(self, start: str) -> dict[str, int]:
        """Today's counts whose names begin with ``start``, by the rest of the name."""
        return {
            what.removeprefix(start): number
            for (day, what), number in sorted(self._counts.items())
            if day == self.day and what.startswith(start)
        }

    def passed(self) -> None:
        """Somebody passed; the first of the day says when the day began."""
        self.count("people")
        if (self.day, "began") not in self._counts:
            self.count("began", int(self._now))

    def visited(self, since: Seconds) -> None:
        """An alert raised at ``since`` ended now: so long somebody was busy."""
        self.count("visits")
        self.count("visit_seconds", max(0, int(self._now - since)))

    def tallies(self) -> tuple[DailyCount, ...]:
        """What was counted in this batch."""
        return tuple(
            DailyCount(day=self.day, what=what, number=number) for what, number in self._tallies.items()
        )

    def today(self) -> Today:
        """What of it matters to pacing."""
        gifted = ended = 0.0
        for back in range(1, _ACCEPTANCE_DAYS + 1):
            day, weight = day_of(Seconds(self._now - back * 86_400)), _ACCEPTANCE_FADE**back
            gifted += weight * self._counts[day, "gifted"]
            ended += weight * sum(self._counts[day, end] for end in _ENDS)
        return Today(
            began=Seconds(float(self._counts.get((self.day, "began"), int(self._now)))),
            gifted=self.number("gifted"),
            ended=sum(self.number(end) for end in _ENDS),
            gifted_before=gifted,
            ended_before=ended,
            visit_seconds=self._visit_seconds(),
            stock_change=self.number(STOCK_CHANGE),
            staff_change=self.number(STAFF_CHANGE),
            paused_until=Seconds(float(self.number(PAUSED_UNTIL))),
            closed=bool(self.number(CLOSED)),
        )

    def _visit_seconds(self) -> float:
        """How long an alert keeps somebody busy, from today's, with the configured length for a start."""
        visits, seconds = self.number("visits"), self.number("visit_seconds")
        return (seconds + _VISITS_BELIEVED * self._service_seconds) / (visits + _VISITS_BELIEVED)

    def audited(self, what: str, observation: Observation) -> None:
        """One more of ``what`` (people, flags, alerts) in each cell of the audit that ``observation`` falls into."""
        for aspect, value in audit.aspects_of(observation, local_day(self._now).hour):
            self._audited[aspect, value, what] += 1

    def audit_counts(self, *, last: bool) -> tuple[audit.AuditCount, ...]:
        """Whole fives of what was counted, to be stored; the rest waits in memory, and is rounded at the ``last``."""
        fives = Counter({key: audit.fives(number, nearest=last) for key, number in self._audited.items()})
        self._audited.subtract(fives)
        rows = dict.fromkeys((aspect, value) for (aspect, value, _), number in fives.items() if number)
        return tuple(
            audit.AuditCount(
                aspect=aspect,
                value=value,
                people=fives[aspect, value, "people"],
                flags=fives[aspect, value, "flags"],
                alerts=fives[aspect, value, "alerts"],
            )
            for aspect, value in rows
        )

    def sweep(self) -> str:
        """Once a day, the day before which hourly counts are forgotten; else nothing."""
        if self._swept == self.day:
            return ""
        self._swept = self.day
        return day_of(Seconds(self._now - KEPT_DAYS * 86_400))
