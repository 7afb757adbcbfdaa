"""A release: shares of colours, garments, patterns and pairs from the stored counts, differentially private.

Formula: the stored counts are whole fives of people (``coarse``). One sighting more or less moves each cell that it
touches by one five at most, also over restarts: rounding to a grid keeps a difference of at most one step, and decay
makes it no larger. It touches one cell of each attribute and one of each pair, so the L1 distance of the released
vectors is their number. Discrete Laplace noise of scale distance / epsilon (Ghosh, Roughgarden and Sundararajan 2012,
SIAM Journal on Computing 41: 1673-1693), drawn by OpenDP, makes each vector epsilon-differentially private (Dwork,
McSherry, Nissim and Smith 2006); two vectors compose by addition. All the rest is computed from the noisy numbers.

Invariants:
    * The unit that is protected is one sighting: one passer-by who is seen twice counts twice.
    * A cell is published where its noisy count is at least ``LEAST`` people by its interval's lower end; all below is
      one rest. So hardly any published cell has fewer (1.3 in 100 at worst), and none is exact.
    * Pure but for the noise, which is drawn anew each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from appliance.hub.records.audit import wilson
from appliance.hub.records.trends import LEAST, SHOWN
from appliance.hub.statistics.baseline.state import FIVE, HALF_LIFE, BaselineState, growth
from appliance.hub.statistics.layout import STREET, IntArray
from appliance.protocol.values import BoothId
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX

PAIRS: Final = (
    ("top.colour", "bottom.colour"),
    ("top.colour", "top.pattern"),
    ("lower.kind", "bottom.colour"),
)
"""Pairs of attributes that are released; each more would cost all of them accuracy."""
_SINGLES_PART: Final = 0.6
"""Part of epsilon for the single words; with three pairs both have about the same error."""
_CERTAIN: Final = math.log(40.0)
"""|noise| is at most this times its scale, 97.5 times in 100. Small cells are published where noise has lifted
them, so with the bare 95 fewer than 95 in 100 intervals would hold what they say (measured: 93.8 of pairs)."""
_Z95: Final = NormalDist().inv_cdf(0.975)
REST: Final = "*"

Noise = Callable[[Sequence[int], int, float], list[int]]
"""Counts, their L1 distance and epsilon to noisy counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """About ``people`` wore ``words`` of ``attributes``; share of all told, and its 95 % interval, 0 to 1."""

    attributes: tuple[str, ...]
    words: tuple[str, ...]
    people: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is published of ``booth`` for ``month`` (YYYY-MM) at the price of ``epsilon``."""

    booth: BoothId
    month: str
    epsilon: float
    cells: tuple[Cell, ...]


def laplace(counts: Sequence[int], distance: int, epsilon: float) -> list[int]:
    """``counts`` with discrete Laplace noise by OpenDP, which checks the price itself."""
    import opendp.prelude as dp  # noqa: PLC0415 - a large library, for those who release

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    measurement = space >> dp.m.then_laplace(scale=distance / epsilon)
    if measurement.map(d_in=distance) > epsilon * (1 + 1e-9):
        raise ArithmeticError("the noise is too small for epsilon")
    return [int(one) for one in measurement(list(counts))]


def grid(state: BaselineState) -> IntArray:
    """The stored counts (levels, levels) in steps of five people, singles on the diagonal."""
    unit = FIVE * growth((state.latest - state.anchor) / HALF_LIFE)
    return np.rint(state.pairs / unit).astype(np.intp)


def released(
    counts: IntArray, *, booth: BoothId, month: str, epsilon: float, noise: Noise = laplace
) -> Release:
    """The release of ``counts`` in steps of five people."""
    singles = [(name,) for name in SHOWN]
    parts = ((singles, _SINGLES_PART * epsilon), (list(PAIRS), (1 - _SINGLES_PART) * epsilon))
    cells: list[Cell] = []
    for groups, price in parts:
        blocks = [_block(counts, group) for group in groups]
        noisy = iter(noise([one for block in blocks for one in block], len(groups), price))
        spread = _CERTAIN * len(groups) / price
        for group, block in zip(groups, blocks, strict=True):
            cells += _cells(group, [next(noisy) for _ in block], spread)
    return Release(booth=booth, month=month, epsilon=epsilon, cells=tuple(cells))


def _block(counts: IntArray, group: tuple[str, ...]) -> list[int]:
    places = [STREET.block(INDEX[name]) for name in group]
    if len(group) == 1:
        return [int(one) for one in np.diag(counts)[places[0]]]
    return [int(one) for one in counts[places[0], places[1]].ravel()]


def _words(group: tuple[str, ...]) -> list[tuple[str, ...]]:
    first, *others = (ATTRIBUTES[INDEX[name]].levels for name in group)
    if not others:
        return [(word,) for word in first]
    return [(one, other) for one in first for other in others[0]]


def _cells(group: tuple[str, ...], noisy: list[int], spread: float) -> list[Cell]:
    """What is published of one block: noise below nothing is nothing, small cells are one rest."""
    people = [int(FIVE) * max(0, one) for one in noisy]
    margin = FIVE * (spread + 0.5)  # the noise, and what was rounded to fives
    total = max(1, sum(people))
    told = [
        (words, number)
        for words, number in zip(_words(group), people, strict=True)
        if number - margin >= LEAST
    ]
    cells = [
        Cell(
            attributes=group,
            words=words,
            people=number,
            share=number / total,
            low=wilson(int(number - margin), total, _Z95)[0],
            high=wilson(min(total, int(number + margin)), total, _Z95)[1],
        )
        for words, number in told
    ]
    rest = total - sum(number for _, number in told)
    if rest and told:
        share = rest / total
        cells.append(
            Cell(attributes=group, words=(REST,) * len(group), people=rest, share=share, low=0.0, high=1.0)
        )
    return cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A cell whose share moved for certain between two releases: their intervals do not meet."""

    cell: Cell
    before: Cell


def movers(now: Release, before: Release) -> tuple[Mover, ...]:
    """What rose or fell for certain, the largest first; computed from what was published alone."""
    known = {(one.attributes, one.words): one for one in before.cells}
    found = [
        Mover(cell=one, before=was)
        for one in now.cells
        if (was := known.get((one.attributes, one.words)))
        and one.words[0] != REST
        and (one.low > was.high or one.high < was.low)
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.cell.share - one.before.share)))
