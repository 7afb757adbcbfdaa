"""A day played beforehand, many times over: alerts, gifts, waiting and what is left over, hour by hour.

The street: people come at random within each hour, so many as that hour expects (Poisson), on a day that is busier
or quieter than expected as a whole by a gamma factor of spread ``busyness``. Everybody has a calibrated tail
probability, uniform on (0, 1); who is asked accepts with a chance drawn once a day from what is known of it (a beta
law). The hub's own ``Pacing`` decides, with the history that it would have.

Invariants:
    * The same plan and seed give the same figures.
    * What a rehearsal does not know: who is dressed alike, readings set aside, a day unlike the weeks (the hold).
    * Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.hub.pacing.forecast import HourCount
from appliance.hub.pacing.pacing import Pacing, Today
from appliance.hub.pacing.plan import MOST_MAX_P
from appliance.hub.statistics.layout import FloatArray
from appliance.protocol.values import AttributeVector, Seconds
from appliance.settings.config import PacingConfig

HOURS: Final = 24
TICK_SECONDS: Final = 300.0
_LOW, _HIGH = 5.0, 95.0
_NOBODY: Final = AttributeVector.of()
_COLUMNS: Final = ("people", "alerts", "gifts", "waiting", "left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is believed of a day before it begins.

    ``people`` is by hour of the day (24 numbers); ``exact`` where these are counts of a day that has been. ``began``
    is the midnight it starts at. ``gifted`` of ``asked`` accepted on earlier days; ``busyness`` is the standard
    deviation of how busy a whole day is, as a share.
    """

    people: Sequence[float]
    began: Seconds
    exact: bool = False
    busyness: float = 0.2
    gifted: float = 0.0
    asked: float = 0.0
    acceptance: float | None = None
    visit_seconds: float | None = None
    history: tuple[HourCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The mean over all rehearsals, and between which two numbers nine of ten lie."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedHour:
    """One hour. ``waiting`` is the longest time without an alert, in minutes; ``left`` are the gifts at its end."""

    hour: int
    people: Interval
    alerts: Interval
    gifts: Interval
    waiting: Interval
    left: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What ``runs`` rehearsals of a day came to; ``emptied`` is the share of them that gave every gift."""

    runs: int
    hours: tuple[RehearsedHour, ...]
    alerts: Interval
    gifts: Interval
    left: Interval
    waiting: Interval
    emptied: float


def rehearse(config: PacingConfig, expected: Expected, *, runs: int, seed: int) -> Rehearsal:
    """Play the day ``runs`` times."""
    chance = np.random.default_rng(seed)
    played = np.array([_played(config, expected, chance) for _ in range(runs)])
    opens, closes = _hours(config, expected)
    at = range(int(opens // 3600), min(HOURS, -int(-closes // 3600)))
    columns = {name: played[:, :, place] for place, name in enumerate(_COLUMNS)}
    left = columns["left"][:, at[-1]] if at else np.full(runs, float(config.stock))
    return Rehearsal(
        runs=runs,
        hours=tuple(
            RehearsedHour(hour=hour, **{name: _interval(rows[:, hour]) for name, rows in columns.items()})
            for hour in at
        ),
        alerts=_interval(columns["alerts"].sum(axis=1)),
        gifts=_interval(columns["gifts"].sum(axis=1)),
        left=_interval(left),
        waiting=_interval(columns["waiting"].max(axis=1)),
        emptied=float(np.mean(left == 0)),
    )


def _interval(values: FloatArray) -> Interval:
    low, high = np.percentile(values, (_LOW, _HIGH))
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))


def _hours(config: PacingConfig, expected: Expected) -> tuple[float, float]:
    """Opening and closing, in seconds since midnight: as configured, else the hours in which anybody is expected."""
    if config.opens is not None and config.closes is not None:
        return config.opens, config.closes
    busy = [hour for hour, people in enumerate(expected.people) if people > 0]
    return (busy[0] * 3600.0, (busy[-1] + 1) * 3600.0) if busy else (0.0, 0.0)


def _arrivals(expected: Expected, chance: np.random.Generator) -> FloatArray:
    """Seconds since midnight at which people pass, ascending."""
    counts = np.array(expected.people)
    if not expected.exact:
        spread = max(expected.busyness, 1e-6) ** 2
        counts = chance.poisson(counts * chance.gamma(1.0 / spread, spread))
    at = np.repeat(np.arange(HOURS), np.rint(counts).astype(int)) + chance.random(int(np.rint(counts).sum()))
    found: FloatArray = np.sort(at) * 3600.0
    return found


class _Shift:
    """One day being played: who is out with whom, and what came of it by hour."""

    def __init__(self, config: PacingConfig, expected: Expected, chance: np.random.Generator) -> None:
        self._expected, self._chance, self._stock = expected, chance, config.stock
        self._visit = expected.visit_seconds or config.service_seconds
        self._pacing = Pacing(
            config, suppress_seconds=Seconds(300.0), now=expected.began, history=expected.history
        )
        accepts = expected.acceptance
        self._accepts = accepts if accepts is not None else float(chance.beta(*_believed(expected)))
        self._out: list[tuple[float, bool]] = []
        self._gifted = self._ended = 0
        self.gifts, self.alerts = np.zeros(HOURS), list[float]()

    def moment(self, at: float, p: float, people: int, first: float) -> None:
        """``people`` have passed since the last moment, the last of them with tail probability ``p``."""
        self.end_visits(at)
        now = Seconds(self._expected.began + at)
        today = Today(
            began=Seconds(self._expected.began + first),
            gifted=self._gifted,
            ended=self._ended,
            gifted_before=self._expected.gifted,
            ended_before=self._expected.asked,
            visit_seconds=self._visit,
        )
        floor = self._pacing.max_p(today, now)
        self._pacing.passed(now, people=people, flags=int(p <= floor), floor=floor)
        if p <= floor and self._pacing.worth(p, _NOBODY, today=today, open_alerts=len(self._out), now=now):
            self._out.append((at + self._visit, bool(self._chance.random() < self._accepts)))
            self.alerts.append(at)

    def end_visits(self, until: float) -> None:
        """Whoever is back by then has given a gift, or not."""
        while self._out and self._out[0][0] <= until:
            end, gift = self._out.pop(0)
            gift = gift and self._gifted < self._stock
            self._gifted, self._ended = self._gifted + gift, self._ended + 1
            self.gifts[min(HOURS - 1, int(end // 3600.0))] += gift


def _believed(expected: Expected) -> tuple[float, float]:
    """The beta law of acceptance: two of four, and what is known."""
    return expected.gifted + 2.0, max(0.0, expected.asked - expected.gifted) + 2.0


def _played(config: PacingConfig, expected: Expected, chance: np.random.Generator) -> FloatArray:
    """One day, (24, columns)."""
    at = _arrivals(expected, chance)
    p = chance.random(len(at))
    # Only who may be worth an alert is looked at singly; time passes for the others in steps.
    rare = p <= max(MOST_MAX_P, config.max_p or 0.0)
    ticks = np.arange(0.0, HOURS * 3600.0, TICK_SECONDS)
    moments = np.concatenate((at[rare], ticks))
    tails = np.concatenate((p[rare], np.ones(len(ticks))))
    order = np.argsort(moments, kind="stable")
    passed = np.diff(np.searchsorted(at, moments[order], side="right"), prepend=0)
    shift, first = _Shift(config, expected, chance), float(at[0]) if len(at) else 0.0
    for moment, tail, people in zip(
        moments[order].tolist(), tails[order].tolist(), passed.tolist(), strict=True
    ):
        shift.moment(moment, tail, people, first)
    shift.end_visits(float("inf"))
    left = np.maximum(0.0, config.stock - np.cumsum(shift.gifts))
    return np.column_stack(
        (
            np.bincount((at // 3600.0).astype(int), minlength=HOURS),
            np.bincount((np.array(shift.alerts) // 3600.0).astype(int), minlength=HOURS),
            shift.gifts,
            _waiting(shift.alerts, *_hours(config, expected), left),
            left,
        )
    )


def _waiting(alerts: Iterable[float], opens: float, closes: float, left: FloatArray) -> FloatArray:
    """By hour, the longest time since the last alert (or since opening) that staff had waited, in minutes.

    Once the box is empty nobody waits.
    """
    waited, last = np.zeros(HOURS), opens
    marks = [*((at, True) for at in alerts), *((hour * 3600.0, False) for hour in range(1, HOURS + 1))]
    for at, alert in sorted(marks):
        hour = min(HOURS - 1, int((at - 1e-9) // 3600.0))
        if opens < at <= closes and (alert or left[hour] > 0):
            waited[hour] = max(waited[hour], (at - last) / 60.0)
        last = at if alert else last
    return waited
