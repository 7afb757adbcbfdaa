"""What each thing worn, and each two things worn together, say by being rare: tables computed from the baseline.

Formulas, with k a count, n the weight it is held against, L and U the 95 % bounds of ``bounds``:

* single: -log2 U(k_i / n_i), the rarity that can be claimed of level i.
* pair: log2 L(p_i) + log2 L(p_j) - log2 U(p_ij), by how many bits i and j are together rarer than they would be if
  they had nothing to do with each other: a lift deficit in which doubt counts for the passer-by. Two rare things that
  are rare together have none.
* whole: -log2 p_i - H(attribute) and PMI(i, j) - MI(attributes): surprisal and its tree correction (Chow and Liu
  1968), each centred on what is to be expected of whoever is seen as completely.

Shares for *whole* are smoothed: singles by 1/2 a person per level (Krichevsky and Trofimov 1981), pairs by ``PRIOR``
people dressed as if the two were independent. Mutual information is corrected for the bias of small samples
(Miller 1955): (r - 1)(c - 1) / (2 n ln 2) bits are subtracted.

Laws:
    * Vague levels say nothing in *single* and *pair*. Levels of one attribute are no pair.
    * A pair that is not ``TIMES`` times rarer than the rarer of the two says nothing: one word would do.
    * Thinking only: a function of the baseline and of ``now``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.hub import bounds
from appliance.hub.baseline import Baseline
from appliance.hub.levels import ATTRIBUTE_OF, OFFSETS, VAGUE, FloatArray
from appliance.values import Seconds
from appliance.vocabulary import ATTRIBUTES

PRIOR: Final = 8.0
TIMES: Final = 3.0

_SIZES: Final = np.array([len(attribute.levels) for attribute in ATTRIBUTES], dtype=np.float64)
_LEVELS_BESIDE: Final = _SIZES[ATTRIBUTE_OF]
_NO_PAIR: Final = (ATTRIBUTE_OF[:, None] == ATTRIBUTE_OF) | VAGUE[:, None] | VAGUE
_FREEDOM: Final = np.outer(_SIZES - 1.0, _SIZES - 1.0) / (2.0 * math.log(2.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What rarity looks up, in bits.

    ``single`` and ``surprisal`` are (LEVELS,); ``pair`` and ``dependence`` are flat (LEVELS * LEVELS,);
    ``information`` is the (attributes, attributes) mutual information, never below 0.
    """

    single: FloatArray
    pair: FloatArray
    surprisal: FloatArray
    dependence: FloatArray
    information: FloatArray


def worth_two_words(together: FloatArray, apart: FloatArray) -> NDArray[np.bool_]:
    """Which pairs are at least ``TIMES`` times rarer than the rarer of the two: upper bounds (m, m) and (m,)."""
    rarer: NDArray[np.bool_] = together * TIMES <= np.minimum(apart[:, None], apart)
    return rarer


def _blocks(matrix: FloatArray) -> FloatArray:
    """Sums of a (LEVELS, LEVELS) matrix over the levels of each pair of attributes."""
    rows: FloatArray = np.add.reduceat(matrix, OFFSETS, axis=0)
    summed: FloatArray = np.add.reduceat(rows, OFFSETS, axis=1)
    return summed


def tables_of(baseline: Baseline, now: Seconds) -> Tables:
    """The tables of ``baseline`` at ``now``."""
    counts, weights = baseline.matrices(now)
    count, weight = np.diag(counts), np.diag(weights)
    upper = bounds.share_upper(counts, weights)
    single = np.where(VAGUE, 0.0, -np.log2(np.diag(upper)))
    least = np.log2(np.maximum(bounds.share_lower(count, weight), 2.0**-40))
    deficit = np.maximum(0.0, least[:, None] + least - np.log2(upper))
    pair = np.where(_NO_PAIR | ~worth_two_words(upper, np.diag(upper)), 0.0, deficit)
    share = (count + 0.5) / (weight + 0.5 * _LEVELS_BESIDE)
    independent = np.outer(share, share)
    joint = (counts + PRIOR * independent) / (weights + PRIOR)
    pointwise = np.log2(joint / independent)
    raw = -np.log2(share)
    entropy = np.add.reduceat(share * raw, OFFSETS)
    per_attribute = weights[np.ix_(OFFSETS, OFFSETS)]
    expected = _blocks(joint * pointwise)
    information = np.maximum(0.0, expected - _FREEDOM / np.maximum(per_attribute, 1.0))
    np.fill_diagonal(information, 0.0)
    return Tables(
        single=single,
        pair=pair.reshape(-1),
        surprisal=raw - entropy[ATTRIBUTE_OF],
        dependence=(pointwise - expected[np.ix_(ATTRIBUTE_OF, ATTRIBUTE_OF)]).reshape(-1),
        information=information,
    )
