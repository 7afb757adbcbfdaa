"""Outlook: how the day will end if it goes on as it went, for a screen.

Formula: gifts per person so far, times the people still to come by the forecast; the box is empty at the instant by
which so many people will have passed as the gifts that are left need.

Invariants:
    * Before ``BELIEVED`` gifts are given nothing is foretold.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.hub.pacing.forecast import Forecast
from appliance.protocol.values import Seconds

BELIEVED: Final = 3
_HALVINGS: Final = 10
"""Of the time left until closing: a finish is told to within a minute of a day of ten hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """``people`` still to come until ``closes``, ``gifts`` of the stock that they will get (None: not known yet).

    ``finish`` is when the last gift will be given; None where some are left at closing, or it is not known.
    """

    opens: Seconds
    closes: Seconds
    people: float
    gifts: float | None
    finish: Seconds | None


def outlook(
    forecast: Forecast, *, hours: tuple[Seconds, Seconds], people: int, gifted: int, stock: int, now: Seconds
) -> Outlook:
    """The outlook at ``now``: ``people`` have passed today, ``gifted`` gifts are given, ``stock`` are left."""
    opens, closes = hours
    still = forecast.remaining(now, closes)
    if gifted < BELIEVED or not people:
        return Outlook(opens=opens, closes=closes, people=still, gifts=None, finish=None)
    rate = gifted / people
    gifts, finish = min(float(stock), rate * still), None
    if stock and rate * still >= stock:
        low, high = float(now), float(closes)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            enough = rate * forecast.remaining(now, Seconds(middle)) >= stock
            low, high = (low, middle) if enough else (middle, high)
        finish = Seconds(high)
    return Outlook(opens=opens, closes=closes, people=still, gifts=gifts, finish=finish)
