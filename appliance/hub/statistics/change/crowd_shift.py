"""Whether today's people wear other things than the weeks say: how much better today's own counts foresee them.

Formula: of each person, b = sum over the SURE readings of log2(q / s), with s the weeks' share of a level as it was
in the morning and q = (K s + n) / (K + m) what n of today's m readings of the attribute make of it (a Dirichlet prior
worth K = ``WORTH`` people: Gelman et al. 2013, Bayesian Data Analysis, sec. 3.4). The cumulative sum of b -
``ALLOWED`` that never falls below 0 (Page 1954, Biometrika 41: 100-115) makes the day *suspect* at ``SUSPECT`` bits
and *other* at ``OTHER`` bits.

Where `TailMartingale` sees a day on which many are rare, this sees one on which people are rare in other ways.

Invariants:
    * Counts of today's readings, in memory only; ``forget`` takes a person out of them.
    * Pure: no I/O, no clock.

>>> shift = CrowdShift(np.array([0.9, 0.1]), Layout.of((2,)))
>>> for _ in range(40):
...     _ = shift.count(np.array([1]))
>>> shift.other, CrowdShift(np.array([0.9, 0.1]), Layout.of((2,))).count(np.array([0])).bits
(True, 0.0)
"""

from __future__ import annotations

from typing import Final

import numpy as np

from appliance.hub.statistics.layout import FloatArray, IntArray, Layout

WORTH: Final = 100.0
ALLOWED: Final = 0.25
"""Bits a person that days may differ by: a weekend's coats, a baseline of 400 people."""
SUSPECT: Final = 6.0
OTHER: Final = 20.0


class CrowdShift:
    """Fed with one person after the other; ``shares`` (levels,) are the weeks', each above 0."""

    def __init__(self, shares: FloatArray, layout: Layout) -> None:
        self._shares, self._attribute_of = shares, layout.attribute_of
        self._counts, self._read = np.zeros(layout.levels), np.zeros(layout.attributes)
        self.bits = 0.0
        self.other = False
        """Stays true for the day."""

    def count(self, sure: IntArray) -> CrowdShift:
        """One more person, of whom these positions were surely seen."""
        shares, attributes = self._shares[sure], self._attribute_of[sure]
        foreseen = (WORTH * shares + self._counts[sure]) / (WORTH + self._read[attributes])
        self.bits = max(0.0, self.bits + float(np.log2(foreseen / shares).sum()) - ALLOWED)
        self.other = self.other or self.bits > OTHER
        self._counts[sure] += 1.0
        self._read[attributes] += 1.0
        return self

    def forget(self, sure: IntArray) -> None:
        """Take a person out of today's counts; what they once weighed in the sum stays, as a number of nobody."""
        self._counts[sure] = np.maximum(0.0, self._counts[sure] - 1.0)
        attributes = self._attribute_of[sure]
        self._read[attributes] = np.maximum(0.0, self._read[attributes] - 1.0)

    @property
    def suspect(self) -> bool:
        """Whether the day may be another: time to learn it from the beginning."""
        return self.bits > SUSPECT
