"""Many outfits at once, or any categorical table: the same statistics in array form.

Formula: that of ``rarity``, except that time stands still: nothing is forgotten. Rows are scored in blocks, each
block against tables of the rows before it, then counted. Blocks grow with what is known (a sixteenth of it), so a
block lags as little behind as the tables of ``rarity`` do; with more than ``_LIGHT`` levels up to a quarter.

Three things differ, for tables that are no outfits: there is a fifth look, the *average* (``lookrows``); *single*
goes by how many have something about as rare (``tables``), and is never worth more than that; the looks at pairs
count less where they are blunt (``calibration``).

Invariants:
    * Score, then update. No row is measured against counts that contain it, nor against rows after it.
    * Where a column has too many levels for the pair counts, the seldom ones are one level *there*; by itself each
      level is counted.
    * Pure: no I/O, no clock.

>>> stream = Stream(Layout.of((2, 2)))
>>> alike = np.array([[0, 0], [1, 1]], dtype=np.int32).repeat(500, axis=0)
>>> _ = stream.score_and_learn(np.random.default_rng(1).permutation(alike))
>>> odd = stream.score(np.array([[0, 1], [0, 0]], dtype=np.int32))
>>> bool(odd.p[0] < 0.01), bool(odd.p[1] > 0.1), LENS_OF[int(odd.look[0])].value
(True, True, 'whole')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.hub.batch.lenses_batch import LOOKS, Rows, looks, positions
from appliance.hub.statistics import confidence
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.conformal import ConformalCalibrator
from appliance.hub.statistics.layout import BANDS, FloatArray, IntArray, Layout
from appliance.hub.statistics.lenses.lenses import LEAST, LENS_OF, RANGES, Look, together_rows
from appliance.hub.statistics.lenses.score_tables import Tables, about_as_rare, claims, tables_of
from appliance.protocol.values import Seconds, UnitId

MEMORY: Final = 20_000.0
"""How many rows' scores are remembered."""
MOST_ROWS: Final = 8192
_LIGHT: Final = 256
_RANGES: Final = (*RANGES[:4], RANGES[Look.WHOLE], RANGES[4])
_POOLED_RANGES: Final = (*_RANGES[:-1], RANGES[Look.WHOLE])
_LEAST: Final = np.array((*LEAST[:3], -np.inf, -np.inf))
"""Of the whole, any bit counts: in a table nobody is fetched for it, and most sets differ in nothing else."""
_TELLING: Final = 4.0
"""p is not below 2**-(``_TELLING`` bits): where all rows are nearly alike, a little difference is no exception."""
_HERE: Final = UnitId("table")
_NOW: Final = Seconds(0.0)
__all__ = ["LENS_OF", "Fold", "Rows", "Scores", "Stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Of n rows: ``strength`` (n,) ranks, in bits; ``p`` (n,) in (0, 1] is calibrated; ``look`` (n,) saw most.

    ``lenses`` (n, ``LOOKS``) are the looks' own p; ``raw`` (n, ``LOOKS``) their bits before calibration.
    """

    strength: FloatArray
    p: FloatArray
    look: IntArray
    lenses: FloatArray
    raw: FloatArray
    ranked: FloatArray
    """(n,) what ``p`` is calibrated from: the strength, or for numbers the pooled surprisal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Which level of the pair counts each level of a column is: ``place`` (levels,) for each column."""

    places: tuple[IntArray, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many levels of each column are left."""
        return tuple(int(place.max(initial=-1)) + 1 for place in self.places)

    @staticmethod
    def none(layout: Layout) -> Fold:
        """Every level by itself."""
        return Fold(places=tuple(np.arange(size) for size in layout.sizes))

    def rows(self, rows: Rows) -> Rows:
        """The rows with seldom levels folded."""
        folded = np.empty_like(rows)
        for column, place in enumerate(self.places):
            levels = rows[:, column]
            folded[:, column] = np.where(levels >= 0, place[levels], -1)
        return folded


class Stream:
    """Scores rows of ``layout`` and learns from them; pairs are counted by ``fold``.

    With ``numbers`` (ranges of numbers, for the most part) a row ranks by ``pooled``: in such tables what is odd is a
    matter of the whole.
    """

    def __init__(
        self, layout: Layout, fold: Fold | None = None, memory: float = MEMORY, *, numbers: bool = False
    ) -> None:
        self.layout, self._numbers = layout, numbers
        self.fold = fold
        self.baseline = Baseline(layout=Layout.of(fold.sizes) if fold else layout)
        self._counts, self._weights = np.zeros(layout.levels), np.zeros(layout.attributes)
        self._tails = ConformalCalibrator(
            _POOLED_RANGES if numbers else _RANGES, memory=memory, pool_sparse_bands=True
        )
        self._tables: Tables | None = None
        self._single = self._shared = np.zeros(layout.levels)

    def blocks(self, rows: Rows) -> Iterator[slice]:
        """The blocks that ``rows`` are best judged in, in order."""
        begun = self.baseline.people
        lag = min(16, max(4, 16 * _LIGHT // max(1, self.baseline.layout.levels)))
        place = 0
        while place < len(rows):
            size = min(MOST_ROWS, max(1, (begun + place) // lag))
            yield slice(place, min(len(rows), place + size))
            place += size

    def score_and_learn(self, rows: Rows) -> Scores:
        """Score, then learn, block by block."""
        parts = []
        for block in self.blocks(rows):
            parts.append(self.score(rows[block]))
            self.learn(rows[block], parts[-1])
        return Scores(
            strength=np.concatenate([one.strength for one in parts] or [np.zeros(0)]),
            p=np.concatenate([one.p for one in parts] or [np.zeros(0)]),
            look=np.concatenate([one.look for one in parts] or [np.zeros(0, dtype=np.intp)]),
            lenses=np.concatenate([one.lenses for one in parts] or [np.zeros((0, LOOKS))]),
            raw=np.concatenate([one.raw for one in parts] or [np.zeros((0, LOOKS))]),
            ranked=np.concatenate([one.ranked for one in parts] or [np.zeros(0)]),
        )

    def learn(self, rows: Rows, scores: Scores) -> None:
        """Make rows that were scored part of what is usual."""
        for band, members in self._bands(rows):
            self._tails.add_rows(band, np.column_stack((scores.raw[members], scores.ranked[members])))
            self._tails.settle_band(band)
        self.baseline.count_rows(self.fold.rows(rows) if self.fold else rows, _HERE, _NOW)
        for column, size in enumerate(self.layout.sizes):
            levels = rows[:, column]
            told = levels[levels >= 0]
            self._counts[self.layout.block(column)] += np.bincount(told, minlength=size)
            self._weights[column] += len(told)
        self._tables = None

    def score(self, rows: Rows) -> Scores:
        """The scores of rows; learns nothing."""
        raw = self._raw(rows)
        shared = np.append(self._shared, 0.0).take(positions(rows, self.layout)).max(axis=0, initial=0.0)
        evidence, lenses = np.zeros_like(raw), np.ones_like(raw)
        strength, p = np.zeros(len(rows)), np.ones(len(rows))
        ranked = self.pooled(rows) if self._numbers else strength
        seen = raw >= _LEAST
        for band, members in self._bands(rows):
            shown = raw[members]
            survival, bits = self._tails.rows(band, np.column_stack((shown, np.zeros(len(shown)))))
            bits = bits[:, :LOOKS]
            bits[:, Look.DEFICIT : Look.CLASH + 1] -= self._tails.tie_penalty(band, Look.DEFICIT)
            # So many have something as rare: the look cannot be worth more than that.
            bits[:, Look.SINGLE] = np.minimum(bits[:, Look.SINGLE], shared[members])
            evidence[members] = np.where(seen[members], bits, 0.0)
            lenses[members] = np.where(seen[members], np.maximum(survival[:, :LOOKS], np.exp2(-bits)), 1.0)
            strength[members] = together_rows(evidence[members])
            last = np.column_stack((shown, ranked[members]))
            if self._numbers:
                strength[members] = self._tails.rows(band, last)[1][:, LOOKS]
                p[members] = self._tails.rows(band, last)[0][:, LOOKS]
                continue
            most = np.where(seen[members], shown, 0.0).max(axis=1, initial=0.0)
            p[members] = np.maximum(self._tails.rows(band, last)[0][:, LOOKS], np.exp2(-_TELLING * most))
        # The average is a second look at the whole.
        look = np.minimum(np.argmax(evidence, axis=1), Look.WHOLE)
        return Scores(strength=strength, p=p, look=look, lenses=lenses, raw=raw, ranked=ranked)

    def singles(self) -> tuple[FloatArray, FloatArray]:
        """(count, weight) of each level: arrays (levels,)."""
        return self._counts, self._weights[self.layout.attribute_of]

    def rarest(self) -> FloatArray:
        """*single* of each level, in bits, (levels,): by how many have something about as rare."""
        self._fresh_tables()
        return self._shared

    def _bands(self, rows: Rows) -> Iterator[tuple[int, IntArray | slice]]:
        known = (rows >= 0).sum(axis=1)
        if not len(rows):
            return
        band = self.layout.band(int(known.max()))
        if band == self.layout.band(int(known.min())):
            yield band, slice(None)
            return
        bands = np.minimum(BANDS - 1, known * BANDS // (self.layout.attributes + 1))
        for band in np.unique(bands).tolist():
            yield band, np.flatnonzero(bands == band)

    def _fresh_tables(self) -> Tables:
        if self._tables is None:
            self._tables = tables_of(self.baseline, _NOW)
            counts, weights = self.singles()
            self._single = claims(counts, weights, self.layout)
            self._shared = -np.log2(confidence.share_upper(about_as_rare(counts, self.layout), weights))
        return self._tables

    def _raw(self, rows: Rows) -> FloatArray:
        """The looks' scores in bits, (n, ``LOOKS``)."""
        tables = self._fresh_tables()
        return looks(rows, self.fold.rows(rows) if self.fold else rows, self.layout, self._single, tables)

    def pooled(self, rows: Rows) -> FloatArray:
        """Centred surprisal of rows, in bits, (n,): for sets in which everything is a matter of the whole.

        The geometric mean of the tree's likelihood and of independence (a logarithmic opinion pool, Genest and Zidek
        1986, Statistical Science 1: 114-135): the tree's correction counts half.
        """
        tables = self._fresh_tables()
        places = positions(self.fold.rows(rows) if self.fold else rows, tables.layout)
        surprisals = np.append(tables.surprisal, 0.0)
        found: FloatArray = surprisals.take(places).sum(axis=0)
        wholes = np.zeros((tables.layout.levels + 1,) * 2)
        wholes[:-1, :-1] = tables.whole
        for one, other in tables.edges:
            found += 0.5 * wholes[places[one], places[other]]
        return found

    def clashing(self, row: NDArray[np.int32]) -> tuple[int, int]:
        """The two columns of a row that go together worst: the one that clashes most, and its worst partner."""
        tables = self._fresh_tables()
        folded = self.fold.rows(row[None, :]) if self.fold else row[None, :]
        columns = np.flatnonzero(folded[0] >= 0)
        places = np.array(tables.layout.offsets)[columns] + folded[0, columns]
        among = tables.deficit[np.ix_(places, places)]
        first, second = np.unravel_index(int(np.argmax(among)), among.shape)
        return int(columns[first]), int(columns[second])
