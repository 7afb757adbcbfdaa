"""Who is flagged how often, by camera, hour, visibility and garment: counts in, intervals out.

Formula: the interval of a rate is Wilson's score interval (Wilson 1927, JASA 22: 209-212; recommended for small
counts by Brown, Cai and DasGupta 2001, Statistical Science 16: 101-133), at 95 %. A row stands out where
its interval and that of all others of its aspect, both widened for the number of rows looked at (Bonferroni), do not
meet, so that a report of a hundred rows does not cry wolf five times.

Invariants:
    * Counts only, and stored in whole fives: one flag, stored as one, would tell the whole outfit of whoever was
      flagged. A cell that fewer than three fell into between two starts of the hub counts as nobody.
    * What the counts cannot tell is said in the report itself, every time.
    * Thinking only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from appliance.protocol.values import AttributeVector, Observation
from appliance.protocol.vocabulary import ATTRIBUTES, Confidence

FIVE: Final = 5
CAMERA: Final = "camera"
HOUR: Final = "hour"
VISIBILITY: Final = "visibility"
SEEN: Final = ("poorly", "partly", "well", "fully")
LEAST_PEOPLE: Final = 30
"""Rows of fewer people are listed without judgement."""

LIMITS: Final = (
    """It cannot know who was flagged: skin tone, age, gender, body, religion and disability are not in the
  vocabulary, and nothing that would tell them is kept, so unequal rates between groups of people cannot be seen.""",
    """It cannot know who was missed: people whom no camera detected, or seen too poorly, count nowhere.""",
    """A word is what the camera read, not what was worn; where readings are wrong, so are these rows.""",
    """One passer-by before two cameras, or on a second lap, counts each time: nobody is recognised.""",
    """A garment that is rare here is flagged more often; that is what a flag means. Camera, hour and visibility
  should make no difference; where they stand out, something is to be mended.""",
)
"""What the report says of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditCount:
    """So many people, flags and alerts under ``value`` of ``aspect`` (a camera, an hour, a band, a word)."""

    aspect: str
    value: str
    people: int
    flags: int
    alerts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A count with its flag rate, the rate's 95 % interval, and whether it stands out against all others."""

    count: AuditCount
    rate: float
    low: float
    high: float
    stands_out: bool


def fives(number: int, *, nearest: bool) -> int:
    """``number`` in whole fives: as many as are full, or the ``nearest``.

    >>> [(fives(number, nearest=False), fives(number, nearest=True)) for number in (4, 5, 7, 8)]
    [(0, 5), (5, 5), (5, 5), (5, 10)]
    """
    return (number + FIVE // 2 * nearest) // FIVE * FIVE


def aspects_of(observation: Observation, hour: int) -> tuple[tuple[str, str], ...]:
    """(aspect, value) of each row that an observation made in ``hour`` counts under."""
    return (
        (CAMERA, observation.unit),
        (HOUR, f"{hour:02d}"),
        (VISIBILITY, visibility(observation.vector)),
        *_words(observation.vector),
    )


def visibility(vector: AttributeVector) -> str:
    """How well somebody was seen: by quarters of the attributes that are SURE."""
    sure = sum(reading.confidence is Confidence.SURE for reading in vector.readings)
    return SEEN[min(len(SEEN) - 1, sure * len(SEEN) // (len(ATTRIBUTES) + 1))]


def _words(vector: AttributeVector) -> Iterable[tuple[str, str]]:
    for attribute, reading in zip(ATTRIBUTES, vector.readings, strict=True):
        if reading.level:
            yield attribute.name, attribute.label(reading.level)


def wilson(hits: int, of: int, z: float) -> tuple[float, float]:
    """Wilson's interval for ``hits`` of ``of`` at ``z`` standard deviations.

    >>> [round(end, 4) for end in wilson(10, 1000, 1.96)]
    [0.0054, 0.0183]
    """
    if not of:
        return 0.0, 1.0
    rate, spread = hits / of, z * z / of
    middle = (rate + spread / 2) / (1 + spread)
    half = z * math.sqrt(rate * (1 - rate) / of + spread / of / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def report(counts: Iterable[AuditCount]) -> tuple[AuditRow, ...]:
    """A row per count, in the order of aspect and value."""
    listed = sorted((one for one in counts if one.people), key=lambda one: (_order(one.aspect), _place(one)))
    z = NormalDist().inv_cdf(0.975)
    wide = NormalDist().inv_cdf(1 - 0.025 / max(1, len(listed)))
    rows = []
    for one in listed:
        # Everybody has one hour, so the sum over hours counts all.
        others = [other for other in listed if other.aspect == one.aspect and other is not one]
        people, flags = sum(other.people for other in others), sum(other.flags for other in others)
        low, high = wilson(one.flags, one.people, wide)
        other_low, other_high = wilson(flags, people, wide)
        apart = high < other_low or low > other_high
        enough = min(one.people, people) >= LEAST_PEOPLE
        shown = wilson(one.flags, one.people, z)
        rows.append(
            AuditRow(
                count=one,
                rate=one.flags / one.people,
                low=shown[0],
                high=shown[1],
                stands_out=apart and enough,
            )
        )
    return tuple(rows)


def _order(aspect: str) -> int:
    names = (CAMERA, HOUR, VISIBILITY, *(attribute.name for attribute in ATTRIBUTES))
    return names.index(aspect) if aspect in names else len(names)


def _place(one: AuditCount) -> str:
    return str(SEEN.index(one.value)) if one.aspect == VISIBILITY and one.value in SEEN else one.value


def text(rows: tuple[AuditRow, ...], booth: str) -> str:
    """The report for people."""
    lines = [f"Flags of booth {booth}, from counts alone", ""]
    aspect = ""
    for row in rows:
        count = row.count
        if count.aspect != aspect:
            aspect = count.aspect
            lines += [f"{aspect}:  (people, flags, alerts, flag rate with its 95 % interval)"]
        mark = "  <- stands out" if row.stands_out else ""
        lines.append(
            f"  {count.value:16} {count.people:9,} {count.flags:7,} {count.alerts:6,}   "
            f"{row.rate:7.2%}  ({row.low:.2%} to {row.high:.2%}){mark}"
        )
    if not rows:
        lines.append("Nothing has been counted yet.")
    return "\n".join([*lines, "", "What this report cannot know:", *(f"- {limit}" for limit in LIMITS)])
