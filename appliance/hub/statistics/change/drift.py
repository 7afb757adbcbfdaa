"""Whether what people wear has changed: an alarm over everybody seen, told in words, about nobody.

Formula: for each attribute, people seen since an instant are bet on against the usual shares p (those of the baseline
when the instant began): the evidence is log2 of the likelihood under shares learnt as they come, (k_i + 1/2) / (n +
K/2) (Krichevsky and Trofimov 1981), over that under p. While nothing has changed the ratio is a test martingale, and
passes 2**h with chance 2**-h at most (Ville 1939, Etude critique de la notion de collectif). Where the evidence falls
below nothing it starts anew, so the instant comes to stand where the change began; the mean wait for a false alarm
stays above 2**h people (e-detectors: Shin, Ramdas and Rinaldo 2024, New England J. Statist. Data Sci. 2: 229-260).
What is told must also matter: a share that moved by ``LEAST`` at least.

Invariants:
    * Counts only, since the instant and in memory only; readings count where they are SURE.
    * One camera's fault is no change of the street: what a guard has set aside is not counted.
    * Pure: ``seen_at`` is an argument.

>>> from appliance.hub.statistics.layout import Layout
>>> from appliance.protocol.values import UnitId
>>> baseline, here = Baseline(layout=Layout.of((2,))), UnitId("table")
>>> baseline.count_rows(np.arange(1000, dtype=np.int32)[:, None] % 2, here, Seconds(0.0))
>>> drift = Drift(baseline)
>>> for number in range(320):
...     drift.count(np.array([number % 2]), Seconds(number))
>>> drift.changes()
()
>>> for number in range(320, 520):
...     drift.count(np.array([0]), Seconds(number))
>>> [(one.attribute, one.level, round(one.usual, 1), one.now > 0.9) for one in drift.changes()]
[(0, 1, 0.5, True)]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.layout import FloatArray, IntArray
from appliance.protocol.values import Seconds
from appliance.protocol.vocabulary import ATTRIBUTES

ENOUGH: Final = 20.0
"""Bits of evidence: for each attribute a false alarm in a million people or more."""
LEAST: Final = 0.1
"""A share must have moved by this much to be worth a word."""
FEWEST: Final = 50.0
"""So many people at least stand behind what is told, and half as many behind the share that moved: no family does."""
_MOST: Final = 3.0 * ENOUGH
"""Evidence is capped, so that the end of a change is seen too."""
_AT_ONCE: Final = 32
_LN2: Final = math.log(2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The level (1 and up) of an attribute whose share moved most: ``usual`` and ``now``, since ``since``."""

    attribute: int
    level: int
    usual: float
    now: float
    since: Seconds

    def words(self) -> str:
        """The change in words, of the street's vocabulary; the instant is the teller's to name.

        >>> Change(attribute=0, level=1, usual=0.26, now=0.51, since=Seconds(0.0)).words()
        'top.colour black: 51 % of the people, usually 26 %'
        """
        attribute = ATTRIBUTES[self.attribute]
        word = attribute.label(self.level)
        return f"{attribute.name} {word}: {self.now:.0%} of the people, usually {self.usual:.0%}".replace(
            "%", " %"
        )


class Drift:
    """Watches everybody against ``baseline``, which goes on learning."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        layout = self._layout = baseline.layout
        self._counts, self._usual = np.zeros(layout.levels), np.zeros(layout.levels)
        self._number, self._bits = np.zeros(layout.attributes), np.zeros(layout.attributes)
        self._since: list[float] = [0.0] * layout.attributes
        self._waiting: list[IntArray] = []
        self._begun = 0.0

    def count(self, sure: IntArray, seen_at: Seconds) -> None:
        """Count the SURE positions of one person seen at ``seen_at``."""
        if not self._waiting:
            self._begun = seen_at
        self._waiting.append(sure)
        if len(self._waiting) >= _AT_ONCE:
            self._bet()

    def forget(self, sure: IntArray) -> None:
        """Take out again what ``count`` put in; the evidence, a number about a street, stays."""
        self._bet()
        self._counts[sure] = np.maximum(0.0, self._counts[sure] - 1.0)

    def _bet(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        fresh = np.bincount(np.concatenate(waiting), minlength=self._layout.levels)
        told = np.add.reduceat(fresh, self._layout.offsets)
        usual = self._shares() if ((told > 0) & (self._number == 0.0)).any() else self._usual
        for attribute in np.flatnonzero(told).tolist():
            block = self._layout.block(attribute)
            if self._number[attribute] == 0.0:
                self._usual[block], self._since[attribute] = usual[block], self._begun
            self._bits[attribute] += self._gain(fresh[block], self._counts[block], self._usual[block])
            self._counts[block] += fresh[block]
            self._number[attribute] += told[attribute]
            self._bits[attribute] = min(_MOST, self._bits[attribute])
            if self._bits[attribute] < 0.0:
                self._counts[block] = 0.0
                self._number[attribute] = self._bits[attribute] = 0.0

    @staticmethod
    def _gain(fresh: IntArray, counts: FloatArray, usual: FloatArray) -> float:
        """Bits by which ``fresh`` people speak for learnt shares: the same in whatever order they came."""
        bits, half = 0.0, 0.5 * len(usual)
        for more, before, share in zip(fresh.tolist(), counts.tolist(), usual.tolist(), strict=True):
            if more:
                bits += (math.lgamma(before + more + 0.5) - math.lgamma(before + 0.5)) / _LN2
                bits -= more * math.log2(share)
        before, more = float(counts.sum()), int(fresh.sum())
        return bits - (math.lgamma(before + more + half) - math.lgamma(before + half)) / _LN2

    def _shares(self) -> FloatArray:
        """The usual share of each level at present, smoothed by half a person."""
        count, weight = self._baseline.singles(Seconds(self._baseline.latest))
        sizes = np.array(self._layout.sizes)[self._layout.attribute_of]
        shares: FloatArray = (count + 0.5) / (weight + 0.5 * sizes)
        return shares

    def changes(self) -> tuple[Change, ...]:
        """What has changed, the surest first: of each attribute the level whose share moved most."""
        found = []
        for attribute in np.argsort(-self._bits, kind="stable").tolist():
            number = float(self._number[attribute])
            if self._bits[attribute] < ENOUGH or number < FEWEST:
                continue
            block = self._layout.block(attribute)
            now, usual = self._counts[block] / number, self._usual[block]
            level = int(np.argmax(np.abs(now - usual)))
            moved = abs(float(now[level] - usual[level]))
            if moved >= LEAST and moved * number >= FEWEST / 2:
                found.append(
                    Change(
                        attribute=attribute,
                        level=level + 1,
                        usual=float(usual[level]),
                        now=float(now[level]),
                        since=Seconds(self._since[attribute]),
                    )
                )
        return tuple(found)
