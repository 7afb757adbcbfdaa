"""What each thing worn, and each two things worn together, say by being rare: tables computed from the baseline.

Formulas, with k a count, n the weight it is held against, U the 95 % upper bound of ``bounds``, p a smoothed share:

* single: -log2 U(k_i / n_i), the rarity that can be claimed of level i; nothing where levels as rare as i are not
  rare together (more than one person in ``COMMON`` wears one of them): where all are rare, nobody is.
* lift: log2((k_ij + A) / (n_ij p_i p_j + A)), how much more often i and j go together than if they had nothing to
  do with each other, in bits, shrunk towards nothing while little was to be expected (the gamma-Poisson shrinker of
  DuMouchel 1999, American Statistician 53: 177-190, with one component). Its negative part is the *deficit*.
* whole: -log2 p_i - H(attribute) and lift - E lift: surprisal and its tree correction (Chow and Liu 1968), each
  centred on what is to be expected of whoever is seen as completely.

Shares are smoothed by 1/2 a person per level (Krichevsky and Trofimov 1981). Mutual information is corrected for the
bias of small samples (Miller 1955): (r - 1)(c - 1) / (2 n ln 2) bits are subtracted.

``lately`` is a second baseline that forgets within the hour: what it proves (99 % lower bound) to be common now is
not rare, whatever the week says. So the first hour of rain makes no exceptions of raincoats.

Invariants:
    * Vague levels say nothing in *single* and *pair*. Levels of one attribute are no pair.
    * Pure: a function of the baselines and of ``now``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.hub.statistics import confidence
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.layout import FloatArray, Layout
from appliance.hub.statistics.lenses.chow_liu import Edges, chow_liu
from appliance.protocol.values import Seconds

SHRINK: Final = 0.5
"""A, in people: the strength of the belief that two things have nothing to do with each other."""
TIMES: Final = 3.0
"""A pair is worth two words where it is this many times rarer than the rarer of the two."""
COMMON: Final = 8.0
Z99: Final = 2.3263478740408408
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What rarity looks up, in bits.

    ``single`` and ``surprisal`` are (levels,). ``looks`` is (2, levels * levels): the deficit of a pair, 0 where it
    has none or is no pair; and *whole*, which is to be summed: the surprisal on the diagonal, and minus the centred
    lift of the two ends of each edge of the tree, once. ``edges`` are those of the tree. ``lift`` is
    (levels, levels), of no meaning within an attribute; ``gain`` (attributes, attributes) what it is expected to be.
    """

    layout: Layout
    single: FloatArray
    surprisal: FloatArray
    looks: FloatArray
    edges: Edges
    lift: FloatArray
    gain: FloatArray

    @property
    def deficit(self) -> FloatArray:
        """(levels, levels): by how many bits two things go together too seldom."""
        found: FloatArray = self.looks[0].reshape(self.layout.levels, -1)
        return found

    @property
    def whole(self) -> FloatArray:
        """(levels, levels): what is summed for *whole*, off the diagonal on the tree's edges only."""
        found: FloatArray = self.looks[1].reshape(self.layout.levels, -1)
        return found


def worth_two_words(together: FloatArray, apart: FloatArray) -> NDArray[np.bool_]:
    """Which pairs are at least ``TIMES`` times rarer than the rarer of the two: upper bounds (m, m) and (m,)."""
    rarer: NDArray[np.bool_] = together * TIMES <= np.minimum(apart[:, None], apart)
    return rarer


def about_as_rare(counts: FloatArray, layout: Layout) -> FloatArray:
    """How many wear a level that was counted at most once more often, in the same attribute: (levels,).

    Of a level never seen these are the levels seen once: their share is how often something new turns up at all
    (Good 1953, Biometrika 40: 237-264, after Turing).

    >>> about_as_rare(np.array([5.0, 1.0, 0.0, 9.0, 2.0]), Layout.of((3, 2))).tolist()
    [6.0, 1.0, 1.0, 11.0, 2.0]
    """
    found = np.empty_like(counts)
    for attribute in range(layout.attributes):
        mine = counts[layout.block(attribute)]
        ranked = np.sort(mine)
        running = np.concatenate(([0.0], np.cumsum(ranked)))
        found[layout.block(attribute)] = running[np.searchsorted(ranked, mine + 1.0 + _TINY, side="right")]
    return found


def claims(
    count: FloatArray, weight: FloatArray, layout: Layout, least: FloatArray | float = 0.0
) -> FloatArray:
    """*single* of the file's opening, (levels,); ``least`` are shares that are proven at least."""
    upper = np.maximum(confidence.share_upper(count, weight), least)
    together = confidence.share_upper(about_as_rare(count, layout), weight)
    silent = layout.vague | (together > 1.0 / COMMON) & (upper * 2.0 < together)
    return np.where(silent, 0.0, -np.log2(upper))


def tables_of(
    baseline: Baseline, now: Seconds, lately: Baseline | None = None, edges: Edges | None = None
) -> Tables:
    """The tables of ``baseline`` at ``now``, tempered by what is common ``lately``; on ``edges`` if given."""
    layout = baseline.layout
    attribute_of = layout.attribute_of
    counts, known = baseline.matrices(now)
    weights = known.take(attribute_of, 0).take(attribute_of, 1)
    count, weight = np.diag(counts), np.diag(weights)
    least = _proven(lately, now)
    share = (count + 0.5) / (weight + 0.5 * np.array(layout.sizes)[attribute_of])
    independent = np.outer(share, share)
    lift = np.log2((counts + SHRINK) / (weights * independent + SHRINK))
    if least is not None:
        lift = np.maximum(lift, np.minimum(0.0, np.log2(np.maximum(least, _TINY) / independent)))
    raw = -np.log2(share if least is None else np.maximum(share, np.diag(least)))
    entropy = np.add.reduceat(share * raw, layout.offsets)
    expected = _blocks(independent * np.exp2(lift) * lift, layout)
    np.fill_diagonal(expected, 0.0)
    surprisal = raw - entropy[attribute_of]
    looks = np.empty((2, layout.levels * layout.levels))
    looks[0] = np.where(layout.no_pair, 0.0, np.maximum(0.0, -lift)).reshape(-1)
    if edges is None:
        edges = chow_liu(_information(counts, known, lift, layout), tuple(range(layout.attributes)))
    whole = looks[1].reshape(layout.levels, layout.levels)
    whole[:] = np.diag(surprisal)
    for one, other in edges:
        here, there = layout.block(one), layout.block(other)
        whole[here, there] = expected[one, other] - lift[here, there]
    return Tables(
        layout=layout,
        single=claims(count, weight, layout, 0.0 if least is None else np.diag(least)),
        surprisal=surprisal,
        looks=looks,
        edges=edges,
        lift=lift,
        gain=expected,
    )


def _proven(lately: Baseline | None, now: Seconds) -> FloatArray | None:
    """Lower bounds (99 %) of the shares of lately, (levels, levels)."""
    if lately is None or not lately.people:
        return None
    counts, known = lately.matrices(now)
    attribute_of = lately.layout.attribute_of
    weights = known.take(attribute_of, 0).take(attribute_of, 1)
    return np.minimum(1.0, confidence.lower(counts, Z99) / np.maximum(weights, 1.0))


def _information(counts: FloatArray, known: FloatArray, lift: FloatArray, layout: Layout) -> FloatArray:
    """Mutual information of each two attributes, (attributes, attributes), never below 0."""
    sizes = np.array(layout.sizes) - 1.0
    freedom = np.outer(sizes, sizes) / (2.0 * math.log(2.0) * np.maximum(known, 1.0))
    weights = known.take(layout.attribute_of, 0).take(layout.attribute_of, 1)
    found: FloatArray = np.maximum(0.0, _blocks(counts / np.maximum(weights, _TINY) * lift, layout) - freedom)
    np.fill_diagonal(found, 0.0)
    return found


def _blocks(matrix: FloatArray, layout: Layout) -> FloatArray:
    """Sums of a (levels, levels) matrix over the levels of each pair of attributes."""
    rows: FloatArray = np.add.reduceat(matrix, layout.offsets, axis=0)
    summed: FloatArray = np.add.reduceat(rows, layout.offsets, axis=1)
    return summed
