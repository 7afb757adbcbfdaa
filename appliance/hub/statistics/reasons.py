"""Why somebody is an exception, in a form that can be said aloud and is never overstated.

Formula: N of "1 in N or fewer" is 1 / U, with U the 95 % upper confidence bound of the share (``bounds``), rounded
down to two figures. A plug-in 1 / share would overstate by more than two times in a third of early claims.

Invariants:
    * Only readings that are SURE, and no vague level, are ever a reason.
    * Two things together are a reason only where they are at least ``TIMES`` times rarer than the rarer of the two.
    * Where fewer than ``SHARED`` people could have shared what is said, no number is given: only coarse words.
    * A function of the baseline as it was before the person was counted.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from appliance.hub.statistics import confidence
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.layout import VAGUE, EncodedVector, FloatArray, IntArray, attribute_level
from appliance.hub.statistics.lenses.score_tables import worth_two_words
from appliance.hub.statistics.rarity import Score
from appliance.protocol.values import Flag, Lens, Reason, Seconds

SHARED: Final = 5.0
MOST_NAMED: Final = 3
"""How many things a reason by the whole outfit names."""
LEAST_SAID: Final = 100
"""Nobody is fetched from the booth for less than "1 in 100": a reason said aloud must sound like one."""
ALSO: Final = 0.01
"""A second reason is given where its own lens finds it this rare."""


def one_in(upper_share: float, weight: float) -> int | None:
    """N of "1 in N or fewer", or None where fewer than ``SHARED`` of ``weight`` people would share it.

    >>> one_in(1 / 647.3, 5000.0), one_in(1 / 647.3, 1000.0)
    (640, None)
    """
    if upper_share * weight < SHARED:
        return None
    number = 1.0 / upper_share
    grain = 10.0 ** max(0, math.floor(math.log10(number)) - 1)
    return max(1, int(math.floor(number / grain) * grain))


def reasons_for(one: EncodedVector, score: Score, baseline: Baseline, now: Seconds) -> tuple[Reason, ...]:
    """The reasons for ``score``, the winning one first, two at most; none where nothing may be said."""
    sure = one.sure
    sayable = sure[~VAGUE[sure]]
    if not len(sayable):
        return ()
    counts, weights = baseline.among(sayable, now)
    upper = confidence.share_upper(counts, weights)
    single = _single(sayable, upper, weights)
    pair = _pair(sayable, counts, upper, weights)
    if score.lens is Lens.PAIR and pair:
        return (pair, single) if score.lenses[0] <= ALSO else (pair,)
    if score.lens is Lens.SINGLE or score.lenses[0] <= ALSO or len(sayable) < 2:
        return (single, pair) if pair and score.lenses[1] <= ALSO else (single,)
    return (_whole(sayable, upper),)


def _single(sayable: IntArray, upper: FloatArray, weights: FloatArray) -> Reason:
    place = int(np.argmin(np.diag(upper)))
    return Reason(
        lens=Lens.SINGLE,
        attributes=(attribute_level(int(sayable[place])),),
        one_in=one_in(float(upper[place, place]), float(weights[place, place])),
    )


def _pair(sayable: IntArray, counts: FloatArray, upper: FloatArray, weights: FloatArray) -> Reason | None:
    """The two with the greatest lift deficit, if together they are rare enough to be worth two words."""
    if len(sayable) < 2:
        return None
    least = np.log2(np.maximum(confidence.share_lower(np.diag(counts), np.diag(weights)), 2.0**-40))
    deficit = np.triu(least[:, None] + least - np.log2(upper), 1) * worth_two_words(upper, np.diag(upper))
    first, second = divmod(int(np.argmax(deficit)), len(sayable))
    if deficit[first, second] <= 0.0:
        return None
    together = float(upper[first, second])
    return Reason(
        lens=Lens.PAIR,
        attributes=(attribute_level(int(sayable[first])), attribute_level(int(sayable[second]))),
        one_in=one_in(together, float(weights[first, second])),
    )


def _whole(sayable: IntArray, upper: FloatArray) -> Reason:
    """The rarest things worn, in the vocabulary's order."""
    rarest = np.sort(sayable[np.argsort(np.diag(upper), kind="stable")[:MOST_NAMED]])
    return Reason(
        lens=Lens.WHOLE,
        attributes=tuple(attribute_level(int(position)) for position in rarest),
        one_in=None,
    )


def is_worth_a_walk(flag: Flag) -> bool:
    """Whether staff can say why and find the person: what is said first is no commoner than 1 in ``LEAST_SAID``.

    And at least one of the two main colours is known: "light shoes" alone is nobody one can look for.
    """
    said = flag.reasons[0].one_in
    findable = any(
        flag.observation.vector.word(name) != "unknown" for name in ("top.colour", "bottom.colour")
    )
    return findable and (said is None or said >= LEAST_SAID)
