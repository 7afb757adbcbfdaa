"""Columns of numbers as levels: ranges between quantiles, narrower towards both ends.

Formula: edges at the quantiles ``QUANTILES`` of the rows that are learnt from; edges that fall together are one.
Ranges of equal share tell the middle apart and hide the ends, where what is rare lies; so the outermost hold half a
percent each (as letter values do: Hoaglin, Mosteller and Tukey 1983, Understanding Robust and Exploratory Data
Analysis, ch. 2). What lies beyond everything that was learnt from is a range of its own.

Invariants:
    * A column is binned only where all its words are numbers and more than ``MOST_PLAIN`` of them differ.
    * Edges come from the rows that are learnt from, never from those that are judged.
    * Pure: no I/O.

>>> column = NumberColumn.of(["1", "2.5", "-3", "oops"], np.array([0, 1, 2]))
>>> column is None, NumberColumn.of([str(one) for one in range(100)], np.arange(100)).label(0)
(True, 'below 0')
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.hub.batch.csv_table import Codebook
from appliance.hub.batch.stream import Rows
from appliance.hub.statistics.layout import FloatArray

MOST_PLAIN: Final = 24
"""So many different numbers may be words, each by itself: counts of something, codes, classes."""
QUANTILES: Final = (0.005, 0.02, 0.06, 0.15, 0.3, 0.5, 0.7, 0.85, 0.94, 0.98, 0.995)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberColumn:
    """``edges`` ascend; level 0 lies below the first, the last above the last; a value on an edge is above it."""

    edges: FloatArray

    @staticmethod
    def of(words: Sequence[str], levels: NDArray[np.integer]) -> NumberColumn | None:
        """The ranges of a column whose words are numbers; None where it is none. ``levels`` are those learnt from."""
        if len(words) <= MOST_PLAIN:
            return None
        values = numbers(words)
        if values is None or not len(levels):
            return None
        learnt = np.sort(values[levels])
        inner = np.quantile(learnt, QUANTILES, method="inverted_cdf")
        beyond = np.nextafter(learnt[-1], math.inf)
        return NumberColumn(edges=np.unique(np.concatenate(([learnt[0]], inner, [beyond]))))

    def bins(self, words: Sequence[str]) -> NDArray[np.int32]:
        """The range of each word, (words,)."""
        values = numbers(words)
        if values is None:
            raise ValueError("a word is no number")
        return np.searchsorted(self.edges, values, side="right").astype(np.int32)

    @property
    def size(self) -> int:
        """How many ranges there are."""
        return len(self.edges) + 1

    def told(self) -> str:
        """All edges, for people."""
        return ", ".join(_short(edge) for edge in self.edges.tolist())

    def label(self, level: int) -> str:
        """A range in words."""
        if not level:
            return f"below {_short(self.edges[0])}"
        if level == len(self.edges):
            return f"above {_short(self.edges[-1])}"
        return f"{_short(self.edges[level - 1])} to {_short(self.edges[level])}"


def bin_columns(
    book: Codebook, learnt: Rows, others: Sequence[Rows]
) -> tuple[dict[str, NumberColumn], list[Rows]]:
    """The columns of numbers that were binned, by name, and ``learnt`` and ``others`` with their ranges as levels.

    ``book`` learns the ranges as words in place of the numbers.
    """
    found, tables = {}, [table.copy() for table in (learnt, *others)]
    for place, (name, words) in enumerate(zip(book.names, book.words, strict=True)):
        levels = learnt[:, place]
        column = NumberColumn.of(words.labels, levels[levels >= 0])
        if column is None:
            continue
        bins = column.bins(words.labels)
        for table in tables:
            levels = table[:, place]
            table[:, place] = np.where(levels >= 0, bins[levels], -1)
        words.labels = [column.label(level) for level in range(column.size)]
        found[name] = column
    return found, tables


def _short(number: float) -> str:
    return f"{number:.5g}"


def numbers(words: Sequence[str]) -> FloatArray | None:
    """``words`` as finite numbers, a decimal comma too; None where one of them is no number."""
    try:
        found = np.array([float(word.replace(",", ".") if word.count(",") == 1 else word) for word in words])
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None
