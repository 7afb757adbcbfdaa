"""From a score to a tail probability: conformal p-values against the scores of the people seen lately.

Formula: p = (1 + weight of earlier scores >= s) / (1 + weight of all earlier scores), which is valid whatever the
score means as long as people come in no special order (Vovk, Gammerman and Shafer 2005, Algorithmic Learning in a
Random World, ch. 2; "smoothed" ties taken conservatively). Earlier scores were themselves computed before their
person was counted (score, then update), so that nobody is measured against a baseline that already contains them.
Weights fade by the factor 1 - 1/memory per person, so the scores are those of the last ``MEMORY`` people or so.

Laws:
    * The state is a histogram of ``BINS`` bins: it adds up over hubs, and holds nobody's score. Written down are
      ``whole`` numbers, since a fraction would tell how many people ago somebody passed.
    * A p-value is never below 1 / (1 + people remembered): what has not been seen often is not claimed.

>>> tail = Tail(low=0.0, high=24.0)
>>> for score in range(19):
...     _ = tail.add(score / 10)
>>> round(tail.p(5.0), 2), round(tail.p(0.0), 2)
(0.05, 1.0)
"""

from __future__ import annotations

from typing import Final

import numpy as np

from appliance.hub.levels import FloatArray

BINS: Final = 1200
MEMORY: Final = 4000.0
"""How many people's scores are remembered, in effect."""
_LARGE: Final = 2.0**40
_DUST: Final = 1e-9


class Tail:
    """The scores of the people seen lately, on [``low``, ``high``); outside it they fall into the end bins."""

    __slots__ = ("_added", "_bins", "_grain", "_growth", "_low", "_step", "_total")

    def __init__(self, *, low: float, high: float, bins: FloatArray | None = None) -> None:
        self._low = low
        self._grain = BINS / (high - low)
        self._bins = np.zeros(BINS) if bins is None else bins.astype(np.float64)
        self._total = float(self._bins.sum())
        self._step = 1.0
        self._added = 0
        self._growth = 1.0 / (1.0 - 1.0 / MEMORY)

    def _bin(self, score: float) -> int:
        return min(BINS - 1, max(0, int((score - self._low) * self._grain)))

    def p(self, score: float) -> float:
        """The calibrated tail probability of ``score``, in (0, 1]."""
        beyond = float(np.add.reduce(self._bins[self._bin(score) :]))
        return min(1.0, (self._step + beyond) / (self._step + self._total))

    def add(self, score: float) -> int:
        """Remember ``score``; everything earlier fades a little. Its number, for ``remove``."""
        self._bins[self._bin(score)] += self._step
        self._total += self._step
        self._step *= self._growth
        if self._step > _LARGE:
            self._bins /= self._step
            self._total = float(self._bins.sum())
            self._step = 1.0
        self._added += 1
        return self._added

    def remove(self, score: float, number: int) -> None:
        """Forget the score that ``add`` gave ``number``."""
        place = self._bin(score)
        left = float(self._bins[place]) - self._step * self._growth ** (number - self._added - 1)
        self._bins[place] = left if left > self._step * _DUST else 0.0
        self._total = float(self._bins.sum())

    @property
    def remembered(self) -> float:
        """How many people's scores are remembered, in effect."""
        return self._total / self._step

    def bins(self) -> FloatArray:
        """The histogram with the latest score weighing (about) 1; histograms of several hubs add up."""
        return self._bins / self._step


def whole(bins: FloatArray) -> FloatArray:
    """Histograms (..., BINS) in whole numbers, each tail's sum within one half of what it was.

    >>> whole(np.array([0.4, 0.4, 0.4, 0.9])).tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    tails = np.rint(np.flip(np.cumsum(np.flip(bins, -1), -1), -1))
    found: FloatArray = tails - np.concatenate((tails[..., 1:], np.zeros_like(tails[..., :1])), -1)
    return found
