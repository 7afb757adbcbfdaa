"""Which flags become alerts: as many as gifts and staff can serve until closing time, the rarest of the day.

Formula: alert if p <= floor * 2^-price, with the price of a gift from ``prices``, given the gifts left and
M = acceptance * people still to come * floor * (1 - B) takers: the people by ``forecast``, the acceptance learnt, and
B, the share that finds all staff busy, by ``erlang``. After ``QUIET_SECONDS`` without an alert the bar falls, never
above the floor: staff who see nothing for an hour stop looking. And never far ahead of the plan: gifts gone may
exceed the share F of the day's people who passed by ``REIN`` standard deviations, sqrt(stock F (1 - F)), and two.
This binds only where tail probabilities are not what they say, as when many people are equally rare.

The floor is the configured ``max_p``; without one it is derived, minute by minute, so that the box is emptied:
``ROOM`` * gifts left / (acceptance * people still to come), between ``LEAST_MAX_P`` and ``MOST_MAX_P``.

Invariants:
    * Closed, nobody free, no gift left, above the floor, or the same outfit a moment ago: no alert.
    * What was alerted lately is remembered in memory only, for minutes, as an outfit; nobody is recognised by it.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.hub.pacing.bid_price import price
from appliance.hub.pacing.erlang_b import blocking
from appliance.hub.pacing.forecast import Forecast, HourCount, PlannedDay
from appliance.hub.pacing.local_day import local_day
from appliance.hub.pacing.plan import LEAST_MAX_P, MOST_MAX_P, ROOM, Plan, warning
from appliance.protocol.values import AttributeVector, Seconds
from appliance.settings.config import PacingConfig

SHIFT_SECONDS: Final = Seconds(10 * 3600.0)
"""How long a day at the booth is taken to be, from the first person seen, where no closing time is configured."""
MARGIN_SECONDS: Final = 600.0
"""The last gift is planned for so long before closing, to leave room for somebody who declines."""
QUIET_SECONDS: Final = 1500.0
"""After so long without an alert the bar begins to fall,"""
QUIET_POWER: Final = 4.0
"""with this power of the time."""
FINEST_P: Final = 1 / 2000
"""No tail probability can be asked for that the calibration cannot tell."""
MOST_DENSE: Final = 8.0
"""A day on which flags come more often than their tail probability says (rain) is believed up to this factor."""
REIN: Final = 2.5
KNOWN_PEOPLE: Final = 150
"""Before so many people have passed today nobody knows how many will: the derived floor is the least."""
_FLOOR_SECONDS: Final = 60.0
"""A derived floor is looked up anew this often."""
_FLAGS_BELIEVED: Final = 40.0
_NEVER: Final = Seconds(0.0)
_AGREE_LEAST: Final = 3
_AGREE_SHARE: Final = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What has been counted that matters to pacing.

    ``began`` is when the first person of the day was seen. ``gifted`` and ``ended`` (alerts that came to any end but
    *forgotten*) are today's; ``gifted_before`` and ``ended_before`` those of the days before, the older ones
    weighing less. ``visit_seconds`` is how long an alert keeps somebody busy; None: as configured.
    """

    began: Seconds
    gifted: int
    ended: int
    gifted_before: float = 0.0
    ended_before: float = 0.0
    visit_seconds: float | None = None
    stock_change: int = 0
    """Gifts that were brought, or taken away, today;"""
    staff_change: int = 0
    """staff more, or fewer, than configured;"""
    paused_until: Seconds = _NEVER
    """until when the lead wants no alerts;"""
    closed: bool = False
    """and whether the day is over."""

    def rests(self, now: Seconds) -> bool:
        """Whether nobody is to be called rare at ``now``, whatever passes."""
        return self.closed or now < self.paused_until

    @property
    def acceptance(self) -> float:
        """The share of alerts that end with a gift; two of four while nothing is known."""
        return (self.gifted + self.gifted_before + 2.0) / (self.ended + self.ended_before + 4.0)


def same_outfit(one: AttributeVector, other: AttributeVector) -> bool:
    """True where two vectors could be two sightings of one passer-by.

    What is known in both must agree in at least ``_AGREE_LEAST`` attributes and ``_AGREE_SHARE`` of them.

    >>> first = AttributeVector.of(top_colour="yellow", bottom_colour="purple", sleeves="short")
    >>> same_outfit(first, AttributeVector.of(top_colour="yellow", bottom_colour="purple", sleeves="short"))
    True
    >>> same_outfit(first, AttributeVector.of(top_colour="black", bottom_colour="blue", sleeves="short"))
    False
    """
    both = agree = 0
    for mine, yours in zip(one.readings, other.readings, strict=True):
        if mine.level and yours.level:
            both += 1
            agree += mine.level == yours.level
    return agree >= _AGREE_LEAST and agree >= _AGREE_SHARE * both


def _planned(config: PacingConfig) -> PlannedDay | None:
    """What the lead expects of the day, where it was said."""
    if config.people is None:
        return None
    return PlannedDay(people=config.people, opens=config.opens or 0.0, closes=config.closes or 86_400.0)


class Pacing:
    """Decides for each flag, one by one.

    ``suppress_seconds`` is how long an outfit is remembered; ``history`` is what passed on earlier days and today.
    """

    def __init__(
        self,
        config: PacingConfig,
        *,
        suppress_seconds: Seconds,
        now: Seconds,
        history: Iterable[HourCount] = (),
    ) -> None:
        self._config = config
        self._suppress = suppress_seconds
        self._recent: deque[tuple[float, AttributeVector]] = deque()
        self.forecast = Forecast(history, now, planned=_planned(config))
        self._day = ""
        self._people = self._flags = 0
        self._expected_flags = 0.0
        self._floor: tuple[float, float] = (-math.inf, LEAST_MAX_P)
        self._alerted_at = -math.inf

    def tick(self, now: Seconds) -> None:
        """Let time pass; outfits that were remembered long enough are forgotten, also where nobody comes."""
        self.forecast.tick(now)
        while self._recent and self._recent[0][0] <= now - self._suppress:
            self._recent.popleft()

    def passed(self, now: Seconds, *, people: int = 1, flags: int = 0, floor: float | None = None) -> None:
        """So many people passed by at ``now``, so many of them at or beyond ``floor`` (None: as configured)."""
        self.forecast.passed(now, people)
        day = local_day(now).day
        if day != self._day:
            self._day, self._people, self._flags, self._expected_flags = day, 0, 0, 0.0
        self._people += people
        self._flags += flags
        self._expected_flags += people * (floor or self._config.max_p or LEAST_MAX_P)

    def stock(self, today: Today) -> int:
        """Gifts left for today."""
        return max(0, self._config.stock + today.stock_change - today.gifted)

    def staff(self, today: Today) -> int:
        """Staff who are there today."""
        return max(0, self._config.staff + today.staff_change)

    def free(self, open_alerts: int, today: Today) -> int:
        """Staff who are neither at an alert nor owed to one."""
        return max(0, self.staff(today) - open_alerts)

    def hours(self, today: Today, now: Seconds) -> tuple[Seconds, Seconds]:
        """When the booth opens and closes on the day of ``now``."""
        if self._config.opens is None or self._config.closes is None:
            return today.began, Seconds(max(today.began + SHIFT_SECONDS, now + 2 * MARGIN_SECONDS))
        midnight = local_day(now).midnight
        return Seconds(midnight + self._config.opens), Seconds(midnight + self._config.closes)

    def max_p(self, today: Today, now: Seconds) -> float:
        """The floor at ``now``: the greatest tail probability that may become an alert."""
        if self._config.max_p is not None:
            return self._config.max_p
        if not 0.0 <= now - self._floor[0] < _FLOOR_SECONDS:
            opens, closes = self.hours(today, now)
            known = self._people >= KNOWN_PEOPLE and opens <= now < closes
            still = self.forecast.remaining(now, Seconds(max(now, closes - MARGIN_SECONDS)))
            wanted = ROOM * self.stock(today) / (today.acceptance * max(1.0, still))
            self._floor = (now, min(MOST_MAX_P, max(LEAST_MAX_P, wanted)) if known else LEAST_MAX_P)
        return self._floor[1]

    def warning(self, today: Today, now: Seconds) -> str:
        """Why the box cannot be emptied on the day of ``now`` as planned, and what would; empty where it can."""
        opens, closes = self.hours(today, now)
        begins = Seconds(max(now, opens))
        return warning(
            Plan(
                people=self.forecast.remaining(begins, closes),
                seconds=closes - begins,
                stock=self.stock(today),
                staff=self.staff(today),
                visit_seconds=today.visit_seconds or self._config.service_seconds,
                acceptance=today.acceptance,
                max_p=self._config.max_p,
            )
        )

    def threshold(self, today: Today, now: Seconds) -> float:
        """The tail probability up to which a flag is worth an alert at ``now``; 0 where nothing is."""
        stock, staff, floor = self.stock(today), self.staff(today), self.max_p(today, now)
        opens, closes = self.hours(today, now)
        if today.rests(now) or not (opens <= now < closes and stock and staff):
            return 0.0
        still = self.forecast.remaining(now, Seconds(closes - MARGIN_SECONDS))
        dense = (self._flags + _FLAGS_BELIEVED) / (self._expected_flags + _FLAGS_BELIEVED)
        flags = still * floor * min(MOST_DENSE, max(1.0, dense))
        alerts = min(flags, stock / today.acceptance)
        seconds = max(60.0, closes - MARGIN_SECONDS - now)
        visit = today.visit_seconds or self._config.service_seconds
        busy = blocking(servers=staff, load=alerts / seconds * visit)
        bits = price(stock, today.acceptance * flags * (1.0 - busy))
        quiet = (now - max(self._alerted_at, opens)) / QUIET_SECONDS
        bits -= QUIET_POWER * math.log2(max(1.0, quiet))
        return min(floor, max(FINEST_P, floor * math.exp2(-max(0.0, bits))))

    def _ahead(self, today: Today, open_alerts: int, now: Seconds) -> bool:
        """Whether far more gifts are gone, or promised, than people have passed."""
        stock = self._config.stock + today.stock_change
        still = self.forecast.remaining(now, self.hours(today, now)[1])
        share = self._people / (self._people + still) if self._people else 0.0
        gone = today.gifted + today.acceptance * open_alerts
        return gone > stock * share + REIN * math.sqrt(max(0.0, stock * share * (1.0 - share))) + 2.0

    def worth(
        self, p: float, vector: AttributeVector, *, today: Today, open_alerts: int, now: Seconds
    ) -> bool:
        """Whether a flag with tail probability ``p`` is to become an alert at ``now``; counts it if so."""
        self.tick(now)
        if (
            not self.free(open_alerts, today)
            or p > self.threshold(today, now)
            or self._ahead(today, open_alerts, now)
        ):
            return False
        if any(same_outfit(vector, other) for _, other in self._recent):
            return False
        self._alerted_at = now
        self._recent.append((now, vector))
        return True

    def forget(self, vector: AttributeVector) -> None:
        """Remember nothing of ``vector``, nor of what could be the same outfit."""
        self._recent = deque(
            item for item in self._recent if not same_outfit(item[1], vector) and item[1] != vector
        )
