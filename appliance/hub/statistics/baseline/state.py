"""What a baseline knows, as counts: as it is written down, taken up again, and merged with another.

Invariants:
    * ``BaselineState`` says all there is. What is written down is ``coarse`` (whole fives): no single outfit can be
      read from it.
    * Growth g is a dyadic fraction, the same from every anchor but for a power of two: merging two states equals one
      baseline that had seen both streams.
    * Pure: no I/O, no clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from appliance.hub.statistics.baseline.lineage import Lineage, together
from appliance.hub.statistics.layout import ATTRIBUTE_OF, FloatArray
from appliance.protocol.values import Seconds, UnitId

HALF_LIFE: Final = Seconds(7 * 24 * 3600.0)
"""After this long an observation counts half: a week forgets a season without forgetting the weekdays."""

DAY: Final = Seconds(24 * 3600.0)
"""g changes once a day (UTC): a finer one would tell, of whatever was seen once, at which minute."""

FIVE: Final = 5.0
"""Stored counts are whole multiples of this many people: what was seen once or twice is not in the
file. What one person alone wears and was seen in three times is (docs/decisions/0014)."""

_FINE: Final = 4096.0
"""g is rounded to 12 binary places (0.02 %)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineState:
    """All a baseline knows, for merging and, made ``coarse``, for the store.

    ``pairs`` is (levels, levels), symmetric, singles on its diagonal; ``known`` is (attributes, attributes): the
    weight of those with both attributes known; ``people`` how many vectors were counted, undecayed; ``weight``
    their decayed weight; all but ``people`` in units of g at ``anchor`` (a multiple of ``HALF_LIFE``).
    ``latest`` is the day of the latest sighting. ``cameras`` holds, per unit, its own (levels,) singles. ``lineage``
    says whose people these are.
    """

    anchor: Seconds
    latest: Seconds
    people: int
    weight: float
    pairs: FloatArray
    known: FloatArray
    cameras: tuple[tuple[UnitId, FloatArray], ...]
    lineage: Lineage = ()


def growth(age: float) -> float:
    """The growth g at ``age`` half-lives after the anchor, dyadic."""
    whole = math.floor(age)
    # Rounded between 1 and 2, so that it is the same number from every anchor, but for a power of two.
    return math.ldexp(round(math.exp2(age - whole) * _FINE) / _FINE, whole)


def coarse(state: BaselineState) -> BaselineState:
    """``state`` as it may be written down: every count rounded to a whole number of fives, at the latest day's g.

    A thing (or two things) worn by one or two reads as worn by nobody, and no count bears the mark of the day or of
    the camera at which it was made; since margins are rounded too, nothing can be found by subtraction.
    """
    unit = FIVE * growth((state.latest - state.anchor) / HALF_LIFE)

    def fives(array: FloatArray) -> FloatArray:
        rounded: FloatArray = np.rint(array / unit) * unit
        return rounded

    return BaselineState(
        anchor=state.anchor,
        latest=state.latest,
        people=state.people,
        weight=round(state.weight / unit) * unit,
        pairs=fives(state.pairs),
        known=fives(state.known),
        cameras=tuple((name, fives(row)) for name, row in state.cameras),
        lineage=state.lineage,
    )


def taken_up(state: BaselineState) -> BaselineState:
    """A ``coarse`` state, ready to go on from: what reads as nobody may have been two, so it counts as one.

    Pairs of two attributes get at most what chance would have given them. So a restart makes no claim more than
    half as bold again: U(2.5) / U(1) = 1.41, with U from ``bounds``.
    """
    if not state.people:
        return state
    one = growth((state.latest - state.anchor) / HALF_LIFE)
    singles = np.maximum(np.diag(state.pairs), one * (np.diag(state.known)[ATTRIBUTE_OF] > 0))
    known = state.known[np.ix_(ATTRIBUTE_OF, ATTRIBUTE_OF)]
    chance = np.outer(singles, singles) / np.maximum(np.maximum.outer(np.diag(known), np.diag(known)), one)
    least = np.where(ATTRIBUTE_OF[:, None] == ATTRIBUTE_OF, 0.0, np.minimum(one, chance) * (known > 0))
    # To a 4096th of a person: what is added to later stays exact.
    pairs = np.where(state.pairs > 0, state.pairs, np.rint(least / one * _FINE) / _FINE * one)
    np.fill_diagonal(pairs, singles)
    return replace(state, pairs=pairs)


def merged(one: BaselineState, other: BaselineState) -> BaselineState:
    """The baseline that would have seen both streams. Neither argument changes."""
    if not one.people or not other.people:
        return one if one.people else other
    return _added(one, other, 1.0, together(one.lineage, other.lineage))


def taken_out(whole: BaselineState, part: BaselineState) -> BaselineState:
    """``whole`` without a ``part`` that was merged into it, as exactly as the counts were kept since."""
    left = _added(whole, part, -1.0, tuple(span for span in whole.lineage if span not in part.lineage))
    least = np.maximum
    return replace(
        left,
        people=max(0, left.people),
        weight=max(0.0, left.weight),
        pairs=least(left.pairs, 0.0),
        known=least(left.known, 0.0),
        cameras=tuple((unit, least(row, 0.0)) for unit, row in left.cameras),
    )


def _added(one: BaselineState, other: BaselineState, sign: float, lineage: Lineage) -> BaselineState:
    anchor = max(one.anchor, other.anchor)
    scales = (2.0 ** ((state.anchor - anchor) / HALF_LIFE) for state in (one, other))
    parts = [(state, scale * of) for state, scale, of in zip((one, other), scales, (1.0, sign), strict=True)]
    cameras: dict[UnitId, FloatArray] = {}
    for state, scale in parts:
        for unit, row in state.cameras:
            cameras[unit] = cameras.get(unit, 0.0) + row * scale
    return BaselineState(
        anchor=anchor,
        latest=max(one.latest, other.latest),
        people=one.people + round(sign) * other.people,
        weight=sum(state.weight * scale for state, scale in parts),
        pairs=np.sum([state.pairs * scale for state, scale in parts], axis=0),
        known=np.sum([state.known * scale for state, scale in parts], axis=0),
        cameras=tuple(sorted(cameras.items())),
        lineage=lineage,
    )
