"""Which flags become alerts: as many as gifts and staff can serve, spread over the day.

Formula: alert if p <= stock / (acceptance * people still to come * (1 - B)), with B from ``erlang``, but never above
``floor``; and while a token is there: tokens come at the rate at which gifts should go, so that a busy minute does
not spend the evening's gifts.

Laws:
    * Nobody free, no gift left, or the same outfit a moment ago: no alert.
    * What was alerted lately is remembered in memory only, for minutes, as an outfit; nobody is recognised by it.
    * Thinking only: ``now`` is an argument.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from appliance.config import PacingConfig
from appliance.hub.erlang import blocking
from appliance.values import AttributeVector, Seconds

SHIFT_SECONDS: Final = Seconds(10 * 3600.0)
"""How long a day at the booth is taken to be, from the first person seen."""
LEAST_REMAINING: Final = Seconds(1800.0)
"""However late it is, gifts are planned for this long."""
RATE_SECONDS: Final = Seconds(900.0)
"""How far back the rate of passers-by reaches (a mean with exponential weights)."""
FINEST_P: Final = 1 / 2000
"""No tail probability can be asked for that the calibration cannot tell."""
_AGREE_LEAST: Final = 3
_AGREE_SHARE: Final = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What has been counted since midnight that matters to pacing."""

    began: Seconds
    gifted: int
    ended: int
    """Alerts that came to any end but *forgotten*."""


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


class Pacing:
    """Decides for each flag, one by one. ``suppress_seconds`` is how long an outfit is remembered."""

    def __init__(self, config: PacingConfig, *, suppress_seconds: Seconds) -> None:
        self._config = config
        self._suppress = suppress_seconds
        self._recent: deque[tuple[float, AttributeVector]] = deque()
        self._rate = 0.0
        self._rate_at = -math.inf
        self._tokens = float(self._burst)
        self._tokens_at = -math.inf

    @property
    def _burst(self) -> int:
        return max(1, self._config.staff)

    def passed(self, now: Seconds) -> None:
        """Somebody passed by at ``now``: keep the rate of passers-by."""
        self._rate = self.rate(now) + 1.0 / RATE_SECONDS
        self._rate_at = now

    def rate(self, now: Seconds) -> float:
        """Passers-by per second, as of late."""
        if math.isinf(self._rate_at):
            return 0.0
        return self._rate * math.exp(-max(0.0, now - self._rate_at) / RATE_SECONDS)

    def stock(self, today: Today) -> int:
        """Gifts left for today."""
        return max(0, self._config.stock - today.gifted)

    def free(self, open_alerts: int) -> int:
        """Staff who are neither at an alert nor owed to one."""
        return max(0, self._config.staff - open_alerts)

    def _acceptance(self, today: Today) -> float:
        return (today.gifted + 2.0) / (today.ended + 4.0)

    def threshold(self, today: Today, now: Seconds) -> float:
        """The tail probability up to which a flag is worth an alert at ``now``."""
        remaining = max(LEAST_REMAINING, today.began + SHIFT_SECONDS - now)
        rate = self.rate(now)
        wanted = self.stock(today) / self._acceptance(today)
        if rate * remaining <= wanted:
            return self._config.floor
        share = wanted / (rate * remaining)
        busy = blocking(servers=self._config.staff, load=share * rate * self._config.service_seconds)
        return min(self._config.floor, max(FINEST_P, share / max(0.05, 1.0 - busy)))

    def _refill(self, today: Today, now: Seconds) -> None:
        remaining = max(LEAST_REMAINING, today.began + SHIFT_SECONDS - now)
        per_second = self.stock(today) / self._acceptance(today) / remaining
        if not math.isinf(self._tokens_at):
            self._tokens += max(0.0, now - self._tokens_at) * per_second
        self._tokens = min(float(self._burst), self._tokens)
        self._tokens_at = now

    def worth(
        self, p: float, vector: AttributeVector, *, today: Today, open_alerts: int, now: Seconds
    ) -> bool:
        """Whether a flag with tail probability ``p`` is to become an alert at ``now``; counts it if so."""
        self._refill(today, now)
        while self._recent and self._recent[0][0] < now - self._suppress:
            self._recent.popleft()
        if not self.stock(today) or not self.free(open_alerts) or self._tokens < 1.0:
            return False
        if p > self.threshold(today, now):
            return False
        if any(same_outfit(vector, other) for _, other in self._recent):
            return False
        self._tokens -= 1.0
        self._recent.append((now, vector))
        return True

    def forget(self, vector: AttributeVector) -> None:
        """Remember nothing of ``vector``."""
        self._recent = deque(item for item in self._recent if item[1] != vector)
