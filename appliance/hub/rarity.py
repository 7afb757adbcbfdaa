"""How rare a passer-by's outfit is: three lenses, one calibrated tail probability.

Formula: each lens gives a score in bits from ``tables`` (single: the rarest thing; pair: the greatest lift deficit;
whole: centred Chow-Liu surprisal). Each score becomes a conformal p-value among people seen as completely; the least
of the three wins, and is itself calibrated the same way, since the least of three is smaller than each.

Laws:
    * Score, then update: nobody is measured against counts that contain them.
    * Only readings that are SURE score; everything known updates, by its weight.
    * *Unique is not exceptional*: nearly half of all real outfits are unique as wholes. A score only means something
      next to the scores of others who were seen as completely (``BANDS`` strata by visibility).
    * Tables may lag behind the baseline by a few people, never run ahead of it.
    * Thinking only: no clock, no I/O.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.hub.baseline import Baseline
from appliance.hub.calibration import BINS, Tail
from appliance.hub.levels import BANDS, LEVELS, FloatArray, IntArray, Worn, worn
from appliance.hub.tables import Tables, tables_of
from appliance.hub.tree import chow_liu
from appliance.values import AttributeVector, Lens, Seconds, UnitId

_RANGES: Final = ((0.0, 24.0), (0.0, 24.0), (-24.0, 48.0), (0.0, 24.0))
"""Bits covered by the histograms: single, pair, whole, and -log2 of the least p."""

_LEAST: Final = (4.0, 1.0, 2.0)
"""Bits below which a lens sees nothing, however few had so much: what one in sixteen wears, a pair hardly rarer than
its parts explain, an outfit hardly more surprising than the next. Where everybody dresses alike, nobody is rare."""

_LENSES: Final = (Lens.SINGLE, Lens.PAIR, Lens.WHOLE)
_MOST_LAG: Final = 128
"""Tables are computed anew after this many people at the latest; sooner while the baseline is young."""
_TREE_LAG: Final = 8192
"""The same for the tree, whose shape changes slowly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How rare: ``p`` in (0, 1] is calibrated, ``bits`` is -log2 p, ``lens`` saw it, ``lenses`` are the three p.

    ``raw`` are the three lenses' scores in bits before calibration, for ranking and for tests.
    """

    p: float
    bits: float
    lens: Lens
    lenses: tuple[float, float, float]
    raw: tuple[float, float, float]


def _said(score: Score) -> tuple[float, float, float, float]:
    """What each of a band's four histograms remembers of a score."""
    return (*score.raw, -math.log2(min(score.lenses)))


class Rarity:
    """Scores vectors against ``baseline`` and keeps both up to date; takes up ``bins`` where given.

    ``bins`` is a (BANDS, 4, BINS) array: histograms by visibility band and lens.
    """

    def __init__(self, baseline: Baseline, bins: FloatArray | None = None) -> None:
        self.baseline = baseline
        self._tails = tuple(
            tuple(
                Tail(low=low, high=high, bins=None if bins is None else bins[band, place])
                for place, (low, high) in enumerate(_RANGES)
            )
            for band in range(BANDS)
        )
        self._tables: Tables | None = None
        self._tables_due = 0
        self._information: FloatArray | None = None
        self._tree_due = 0
        self._edges: dict[int, tuple[IntArray, IntArray]] = {}
        self._triangles: dict[int, tuple[IntArray, IntArray]] = {}

    def judge(self, vector: AttributeVector, unit: UnitId, seen_at: Seconds) -> Score:
        """Score, then update: the score of a vector seen by ``unit`` at ``seen_at``."""
        one = worn(vector)
        score = self.score(one)
        self.update(one, score, unit, seen_at)
        return score

    def update(self, one: Worn, score: Score, unit: UnitId, seen_at: Seconds) -> int:
        """Make what was scored part of what is usual; the number by which ``forget`` finds the score again."""
        number = 0
        for tail, said in zip(self._tails[one.band], _said(score), strict=True):
            number = tail.add(said)
        self.baseline.count(one, unit, seen_at)
        return number

    def forget(
        self, vector: AttributeVector, unit: UnitId, seen_at: Seconds, scored: tuple[Score, int] | None
    ) -> None:
        """Take out again what ``update`` put in; its score too, where ``scored`` still says which it was."""
        if scored:
            score, number = scored
            for tail, said in zip(self._tails[worn(vector).band], _said(score), strict=True):
                tail.remove(said, number)
        self.baseline.forget(vector, unit, seen_at)
        self.settle()

    def score(self, one: Worn) -> Score:
        """The score of what is worn; changes nothing that is kept."""
        raw = self._raw(one)
        tails = self._tails[one.band]
        single, pair, whole = (
            tails[place].p(raw[place]) if raw[place] >= _LEAST[place] else 1.0 for place in range(3)
        )
        least = min(single, pair, whole)
        lens = _LENSES[0 if single == least else 1 if pair == least else 2]
        p = tails[3].p(-math.log2(least))
        return Score(p=p, bits=-math.log2(p), lens=lens, lenses=(single, pair, whole), raw=raw)

    def _raw(self, one: Worn) -> tuple[float, float, float]:
        sure = one.sure
        if not len(sure):
            return 0.0, 0.0, _RANGES[2][0]
        tables = self._fresh_tables()
        single = float(np.maximum.reduce(tables.single.take(sure)))
        whole = float(np.add.reduce(tables.surprisal.take(sure)))
        if len(sure) < 2:
            return single, 0.0, whole
        rows = sure * LEVELS
        first, second = self._triangle(len(sure))
        pair = float(np.maximum.reduce(tables.pair.take(rows.take(first) + sure.take(second))))
        parents, children = self._tree(one.mask)
        edges = rows.take(parents) + sure.take(children)
        return single, pair, whole - float(np.add.reduce(tables.dependence.take(edges)))

    def _triangle(self, size: int) -> tuple[IntArray, IntArray]:
        found = self._triangles.get(size)
        if found is None:
            found = self._triangles[size] = np.triu_indices(size, 1)
        return found

    def _fresh_tables(self) -> Tables:
        people = self.baseline.people
        if self._tables is None or people >= self._tables_due:
            self._tables = tables_of(self.baseline, Seconds(self.baseline.latest))
            self._tables_due = people + min(_MOST_LAG, max(1, people // 16))
            if people >= self._tree_due:
                self._information = self._tables.information
                self._edges.clear()
                self._tree_due = people + min(_TREE_LAG, max(64, people // 4))
        return self._tables

    def _tree(self, mask: int) -> tuple[IntArray, IntArray]:
        found = self._edges.get(mask)
        if found is None:
            information = self._information
            if information is None:
                information = self._fresh_tables().information
            attributes = tuple(place for place in range(mask.bit_length()) if mask >> place & 1)
            edges = np.array(chow_liu(information, attributes), dtype=np.intp).reshape(-1, 2)
            found = self._edges[mask] = (edges[:, 0].copy(), edges[:, 1].copy())
        return found

    def settle(self) -> None:
        """Compute tables and tree anew at the next score, as somebody would who takes up the state from the store."""
        self._tables, self._tables_due, self._tree_due = None, 0, 0

    def bins(self) -> FloatArray:
        """The (BANDS, 4, BINS) histograms, for the store."""
        found = np.empty((BANDS, len(_RANGES), BINS))
        for band, tails in enumerate(self._tails):
            for place, tail in enumerate(tails):
                found[band, place] = tail.bins()
        return found
