"""How many people will still pass today: what the same weekday brought before, corrected by today so far.

Formula: the people per hour of each hour of the day are a mean over the last ``WEEKS`` such weekdays, a week older
weighing ``FADE`` times as much. Their sum over the hours left is multiplied with
(passed today + c) / (expected until now + c), c being the people of one mean hour: the gamma-Poisson posterior of how
busy a day this is (Gelman et al. 2013, Bayesian Data Analysis, sec. 2.6). An hour without history is taken from the
other weekdays, and without those from the rate of the last quarter of an hour.

Invariants:
    * Counts by day and hour, and nothing else; a day older than ``KEPT_DAYS`` is forgotten.
    * An hour counts by the part of it that was watched: a hub that was off did not see an empty street.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from appliance.hub.pacing.local_day import LocalDay, local_day
from appliance.protocol.values import Seconds

WEEKS: Final = 8
FADE: Final = 0.85
KEPT_DAYS: Final = 7 * WEEKS + 7
RATE_SECONDS: Final = 900.0
"""How far back the rate of passers-by reaches (a mean with exponential weights)."""
_LONGEST_STEP: Final = 900.0
"""A hub that has not thought for longer than this was not watching."""
_LEAST_WATCHED: Final = 600
"""An hour watched for less than this, in seconds, says nothing."""
_WRITE_SECONDS: Final = 60.0
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """``people`` passed in hour ``hour`` (0 to 23) of ``day`` while it was watched for ``watched`` seconds."""

    day: str
    hour: int
    people: int
    watched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDay:
    """So many ``people`` are expected between ``opens`` and ``closes``, in seconds since midnight."""

    people: float
    opens: float
    closes: float

    def shaped(self, profile: tuple[float | None, ...]) -> tuple[float | None, ...]:
        """``profile``, people per hour, made to add up to the plan; even where no hour is known.

        >>> plan = PlannedDay(people=300, opens=10 * 3600.0, closes=12 * 3600.0)
        >>> plan.shaped((None,) * 10 + (20.0, 10.0) + (None,) * 12)[9:13]
        (None, 200.0, 100.0, None)
        """
        parts = [
            max(0.0, min(self.closes, (hour + 1) * _HOUR) - max(self.opens, hour * _HOUR)) / _HOUR
            for hour in range(24)
        ]
        known = [usual for usual, part in zip(profile, parts, strict=True) if usual is not None and part]
        mean = sum(known) / len(known) if known else 0.0
        shape = [mean if usual is None else usual for usual in profile]
        if not any(one * part for one, part in zip(shape, parts, strict=True)):
            shape = [1.0] * 24
        scale = self.people / max(1e-9, sum(one * part for one, part in zip(shape, parts, strict=True)))
        return tuple(
            one * scale if part else usual for one, part, usual in zip(shape, parts, profile, strict=True)
        )


class Forecast:
    """Takes up ``history``, in which today's hours may be; ``now`` is when watching begins.

    ``planned`` is believed instead of history's sum; history still says how the people are spread over the hours.
    """

    def __init__(
        self, history: Iterable[HourCount], now: Seconds, *, planned: PlannedDay | None = None
    ) -> None:
        self._planned = planned
        self._hours: dict[str, dict[int, tuple[float, float]]] = {}
        for one in history:
            self._hours.setdefault(one.day, {})[one.hour] = (one.people, one.watched)
        self._at: float = now
        self._recent = 0.0
        self._new_people = 0
        self._new_seconds = 0.0
        self._profile_of: tuple[str, tuple[float | None, ...]] = ("", ())

    def tick(self, now: Seconds) -> None:
        """Let time pass."""
        step = now - self._at
        self._at = now
        if not 0.0 < step <= _LONGEST_STEP:
            return
        self._recent *= math.exp(-step / RATE_SECONDS)
        self._new_seconds += step
        self._add(local_day(now), 0, step)

    def passed(self, now: Seconds, people: int = 1) -> None:
        """So many people passed by at ``now``."""
        self.tick(now)
        self._recent += people
        self._new_people += people
        self._add(local_day(now), people, 0.0)

    def _add(self, today: LocalDay, people: int, seconds: float) -> None:
        hours = self._hours.setdefault(today.day, {})
        had, watched = hours.get(today.hour, (0.0, 0.0))
        hours[today.hour] = (had + people, watched + seconds)

    def news(self, *, all_of_it: bool = False) -> tuple[HourCount, ...]:
        """What is to be added to what is stored, now and then: people at once, watched time by the minute."""
        if not (self._new_people or self._new_seconds >= _WRITE_SECONDS or all_of_it):
            return ()
        today, watched = local_day(Seconds(self._at)), int(self._new_seconds)
        if not (self._new_people or watched):
            return ()
        news = HourCount(day=today.day, hour=today.hour, people=self._new_people, watched=watched)
        self._new_people, self._new_seconds = 0, self._new_seconds - watched
        return (news,)

    def rate(self) -> float:
        """Passers-by per second, as of late; too low in the first minutes: a crowd at the start is no rush."""
        return self._recent / RATE_SECONDS

    def _profile(self, today: LocalDay) -> tuple[float | None, ...]:
        """People per hour that history expects in each hour of today; None where it does not know."""
        if self._profile_of[0] != today.day:
            this = date.fromisoformat(today.day)
            oldest = (this - timedelta(days=KEPT_DAYS)).isoformat()
            self._hours = {day: hours for day, hours in self._hours.items() if day >= oldest}
            ages = {day: (this - date.fromisoformat(day)).days for day in self._hours if day < today.day}
            same = {day: FADE ** (age // 7) for day, age in ages.items() if age % 7 == 0}
            any_day = {day: FADE ** (age / 7) for day, age in ages.items()}
            profile = tuple(
                next((mean for days in (same, any_day) if (mean := self._mean(days, hour)) is not None), None)
                for hour in range(24)
            )
            if self._planned is not None:
                profile = self._planned.shaped(profile)
            self._profile_of = (today.day, profile)
        return self._profile_of[1]

    def _mean(self, days: dict[str, float], hour: int) -> float | None:
        people = weight = 0.0
        for day, fade in days.items():
            passed, watched = self._hours[day].get(hour, (0.0, 0.0))
            if watched >= _LEAST_WATCHED:
                people += fade * passed / watched * _HOUR
                weight += fade
        return people / weight if weight else None

    def _busier(self, today: LocalDay, profile: tuple[float | None, ...]) -> float:
        """How many times as busy as usual today is."""
        hours = self._hours.get(today.day, {})
        passed = expected = 0.0
        for hour, (people, watched) in hours.items():
            usual = profile[hour]
            if usual is not None:
                passed, expected = passed + people, expected + usual * watched / _HOUR
        known = [usual for usual in profile if usual]
        mean = sum(known) / len(known) if known else 0.0
        return (passed + mean) / (expected + mean) if expected + mean > 0 else 1.0

    def remaining(self, now: Seconds, until: Seconds) -> float:
        """How many people will pass between ``now`` and ``until``, both of the same day."""
        today = local_day(now)
        profile, rate = self._profile(today), self.rate()
        busier = self._busier(today, profile)
        people, at = 0.0, float(now)
        while at < until:
            hour = min(23, int((at - today.midnight) // _HOUR))
            end = min(until, today.midnight + (hour + 1) * _HOUR if hour < 23 else until)
            usual = profile[hour]
            people += (end - at) * (rate if usual is None else usual * busier / _HOUR)
            at = end
        return people
