"""From a score to a tail probability: conformal p-values against the scores of the people seen lately.

Formula: p = (1 + weight of earlier scores >= s) / (1 + weight of all earlier scores), which is valid whatever the
score means as long as people come in no special order (Vovk, Gammerman and Shafer 2005, Algorithmic Learning in a
Random World, ch. 2; "smoothed" ties taken conservatively). Earlier scores were themselves computed before their
person was counted (score, then update), so that nobody is measured against a baseline that already contains them.
Weights fade by the factor 1 - 1/memory per person, so the scores are those of the last ``memory`` people or so.

For ranking only, where p would tie (beyond the ``STEEP`` highest scores) *evidence* goes on in a straight line:
scores are bits, so their tail falls exponentially, by the mean excess over that height (the Hill estimator, Hill
1975, Annals of Statistics 3: 1163-1174, in logarithms). What is claimed of a person is always p.

Invariants:
    * The state is histograms of ``BINS`` bins: they add up over hubs, and hold nobody's score. Written down are
      ``whole`` numbers, since a fraction would tell how many people ago somebody passed.
    * A p-value is never below 1 / (1 + people remembered): what has not been seen often is not claimed.
    * What was remembered counts after ``settle``: a histogram may lag behind, never run ahead.

>>> tails = ConformalCalibrator(((0.0, 24.0),), bands=1)
>>> for score in range(19):
...     _ = tails.add(0, (score / 10,))
>>> tails.settle()
>>> round(tails.p(0, 0, 5.0), 3), round(tails.p(0, 0, 0.0), 2)
(0.065, 1.0)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.hub.statistics.layout import BANDS, FloatArray, IntArray

BINS: Final = 1200
HISTOGRAMS: Final = 5
"""Of each band: single, deficit, clash, whole, and the four taken together."""
MEMORY: Final = 4000.0
"""How many people's scores are remembered, in effect."""
_LEAST_MEMORY: Final = 32.0
"""While few are remembered the memory is as short as they are few: the young baseline's scores were smaller."""
STEEP: Final = 12.0
"""Evidence beyond the so many highest scores goes on in a straight line."""
FEW: Final = 200.0
YOUNG: Final = 1000.0
"""After so many people the line counts half of what it goes beyond the finest p."""
MOST_BITS: Final = 48.0
_FALL: Final = 1.5
"""The mean excess expected beforehand, in bits: scores that end in a wall do not make a wall of evidence."""


_DULL: Final = 3.0
_PROVEN: Final = 5000.0
"""So many rows must have been seen before bluntness counts in full: young counts make every deficit small."""
MAX_TIE_PENALTY: Final = 12.0
_DUST: Final = 1e-9


@dataclass(slots=True, kw_only=True, eq=False)
class RecordedScores:
    """One person's scores, by which ``ConformalCalibrator.remove`` finds them again; in memory only.

    ``born`` is the band's fading, in log2, at which they weighed 1; None while they wait.
    """

    band: int
    scores: Sequence[float]
    born: float | None = None


class ConformalCalibrator:
    """Histograms of the scores of the people seen lately, by band and by score; takes up ``bins`` where given.

    ``ranges`` are (low, high) of each score; outside it scores fall into the end bins. ``bins`` is (bands, scores,
    BINS). With ``pool_sparse_bands``, a band that remembers fewer than ``FEW`` is measured by all bands together.
    """

    def __init__(
        self,
        ranges: Sequence[tuple[float, float]],
        *,
        bands: int = BANDS,
        memory: float = MEMORY,
        bins: FloatArray | None = None,
        pool_sparse_bands: bool = False,
    ) -> None:
        self._low = np.array([low for low, _ in ranges])
        self._grain = BINS / np.array([high - low for low, high in ranges])
        self._places = list(zip(self._low.tolist(), self._grain.tolist(), strict=True))
        shape = (bands, len(ranges), BINS)
        self._bins = np.zeros(shape) if bins is None else bins.astype(np.float64)
        self._memory, self._pool_sparse_bands = memory, pool_sparse_bands
        self._faded = [0.0] * bands
        self._waiting: list[list[RecordedScores]] = [[] for _ in range(bands)]
        self._survival, self._evidence = np.ones(shape), np.zeros(shape)
        self._blunt = np.zeros(shape[:2])
        if bins is not None:
            self._settle(list(range(bands)))

    def add(self, band: int, scores: Sequence[float]) -> RecordedScores:
        """Remember the scores of one person of ``band``; everything earlier in the band fades a little."""
        one = RecordedScores(band=band, scores=scores)
        self._waiting[band].append(one)
        return one

    def remove(self, one: RecordedScores) -> None:
        """Forget what ``add`` gave back; that the earlier have faded by one person more stays."""
        if one.born is None:
            self._waiting[one.band] = [other for other in self._waiting[one.band] if other is not one]
            return
        weight = math.exp2(self._faded[one.band] - one.born)
        places = self.bins_of(np.array([one.scores]))[0]
        bins = self._bins[one.band]
        left = bins[np.arange(len(places)), places] - weight
        bins[np.arange(len(places)), places] = np.where(left > _DUST, left, 0.0)
        self._settle([one.band])

    def settle(self) -> None:
        """Let what was added count."""
        bands = [band for band, waiting in enumerate(self._waiting) if waiting]
        for band in bands:
            waiting, self._waiting[band] = self._waiting[band], []
            before = self._faded[band]
            self.add_rows(band, np.array([one.scores for one in waiting]))
            step = (self._faded[band] - before) / len(waiting)
            for number, one in enumerate(waiting, 1):
                one.born = before + number * step
        if bands:
            self._settle(bands)

    def add_rows(self, band: int, scores: FloatArray) -> None:
        """Remember many, (n, scores), the latest last. They count after ``settle_band``."""
        number = len(scores)
        memory = min(self._memory, max(_LEAST_MEMORY, 2.0 * float(self._bins[band, 0].sum()) + number))
        fade = 1.0 - 1.0 / memory
        weights = fade ** np.arange(number - 1, -1, -1)
        self._bins[band] *= fade**number
        self._faded[band] += number * math.log2(fade)
        for place, row in enumerate(self.bins_of(scores).T):
            self._bins[band, place] += np.bincount(row, weights, minlength=BINS)

    def bins_of(self, scores: FloatArray) -> IntArray:
        """The bin of each of (n, scores)."""
        place: IntArray = ((scores - self._low) * self._grain).astype(np.intp)
        return np.minimum(np.maximum(place, 0), BINS - 1)

    def settle_band(self, band: int) -> None:
        """Let what ``add_rows`` remembered in a band count."""
        poor = self._pool_sparse_bands and (self._bins[:, 0].sum(axis=1) < FEW)
        self._settle([band] if not np.any(poor) else sorted({band, *np.flatnonzero(poor).tolist()}))

    def _settle(self, bands: list[int]) -> None:
        for band in bands:
            bins = self._bins[band]
            if self._pool_sparse_bands and float(bins[0].sum()) < FEW:
                bins = self._bins.sum(axis=0)
            beyond = np.cumsum(bins[:, ::-1], axis=1)[:, ::-1]
            total = beyond[:, :1]
            survival = np.minimum(1.0, (1.0 + beyond) / (1.0 + total))
            bits = -np.log2(survival)
            # Mean excess in bins over the height above which STEEP are left (or a quarter of the young).
            steep = np.argmax(beyond <= np.minimum(STEEP, total / 4.0), axis=1)
            excess = np.cumsum(beyond[:, ::-1], axis=1)[:, ::-1]
            rows = np.arange(len(bins))
            fall = excess[rows, steep] + _FALL * self._grain * STEEP
            fall /= beyond[rows, steep] + STEEP
            steps = np.arange(BINS) - steep[:, None]
            line = bits[rows, steep][:, None] + steps / (fall[:, None] * np.log(2.0))
            # No p is finer than what was seen; how far the line may go beyond that is a matter of experience too.
            finest = np.log2(1.0 + total)
            line = np.where(line > finest, finest + (line - finest) * total / (total + YOUNG), line)
            if self._pool_sparse_bands:  # a matter of tables: at the booth no look is blunt
                self._blunt[band] = tie_penalty(beyond)
            self._survival[band] = survival
            self._evidence[band] = np.minimum(MOST_BITS, np.where(steps > 0, line, bits))

    def p(self, band: int, place: int, score: float) -> float:
        """The calibrated tail probability of ``score``, in (0, 1]."""
        low, grain = self._places[place]
        bin_ = int((score - low) * grain)
        return self._survival.item(band, place, 0 if bin_ < 0 else bin_ if bin_ < BINS else -1)

    def evidence(self, band: int, place: int, score: float) -> float:
        """-log2 p of ``score``, going on beyond the highest scores: for ranking."""
        low, grain = self._places[place]
        bin_ = int((score - low) * grain)
        return self._evidence.item(band, place, 0 if bin_ < 0 else bin_ if bin_ < BINS else -1)

    def rows(self, band: int, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(p, evidence) of many, each (n, scores)."""
        places, columns = self.bins_of(scores), np.arange(scores.shape[1])
        return self._survival[band][columns, places], self._evidence[band][columns, places]

    def tie_penalty(self, band: int, place: int) -> float:
        """How blunt a score is, in bits; see the function of that name."""
        blunt: float = self._blunt.item(band, place)
        return blunt

    def remembered(self, band: int) -> float:
        """How many people's scores of a band are remembered, in effect."""
        return float(self._bins[band, 0].sum())

    def remembered_in_all(self) -> float:
        """The same of all bands together."""
        return float(self._bins[:, 0].sum())

    def bins(self) -> FloatArray:
        """The histograms, (bands, scores, BINS), the latest score weighing 1; those of several hubs add up."""
        self.settle()
        return self._bins.copy()


def tie_penalty(beyond: FloatArray) -> FloatArray:
    """Bits by which scores are no evidence, 0 to ``MAX_TIE_PENALTY``.

    ``beyond`` (scores, BINS): weights from a bin up.

    Where every tenth has nearly as much as the highest has, having much is nothing special. A tail that falls
    exponentially from the median m over the tenth highest part q reaches m + (q - m) log2(1 / 2 r) / log2 5 at a
    share of r; a score whose r highest (one in a thousand, or the highest of fewer) does not reach that far is
    blunt, by ``_DULL`` bits for each (q - m) that it falls short; in full after ``_PROVEN`` rows.
    """
    total = np.maximum(beyond[:, :1], 2.0)
    r = np.maximum(1e-3, 1.0 / total)
    middle, tenth, highest = (np.argmax(beyond < share * total, axis=1) for share in (0.5, 0.1, r))
    reached = (highest - middle) / np.maximum(1.0, tenth - middle)
    short = np.log2(0.5 / r[:, 0]) / np.log2(5.0) - reached
    found: FloatArray = (
        np.clip(_DULL * short, 0.0, MAX_TIE_PENALTY) * np.minimum(1.0, beyond[:, 0] / _PROVEN) ** 2
    )
    return found


def whole(bins: FloatArray) -> FloatArray:
    """Histograms (..., BINS) in whole numbers, each tail's sum within one half of what it was.

    >>> whole(np.array([0.4, 0.4, 0.4, 0.9])).tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    tails = np.rint(np.flip(np.cumsum(np.flip(bins, -1), -1), -1))
    found: FloatArray = tails - np.concatenate((tails[..., 1:], np.zeros_like(tails[..., :1])), -1)
    return found
