"""Four looks at one outfit and the one score they make together.

Formula: each look's score becomes *evidence*, bits of calibrated rarity among people seen as completely
(``calibration``). Together: log2 of the sum of 2**evidence, that is the harmonic mean of the p-values (Wilson
2019, PNAS 116: 1195-1200): it goes with the least of them, but is raised where several agree. Since the harmonic mean
of p-values is not one, what is claimed is its own conformal p.

Invariants:
    * A look that sees fewer than its ``LEAST`` bits sees nothing, however few had so much. Where everybody dresses
      alike, nobody is rare.
    * Three lenses are told apart outside: *pair* is the deficit and the clash.
    * Thinking only.
"""

from __future__ import annotations

import math
from enum import IntEnum, unique
from typing import Final

import numpy as np

from appliance.hub.statistics.layout import FloatArray
from appliance.protocol.values import Lens


@unique
class Look(IntEnum):
    """What is looked at; the place of its histogram."""

    SINGLE = 0
    """The rarest thing worn."""
    DEFICIT = 1
    """The two things that go together too seldom."""
    CLASH = 2
    """The one thing that does not go with the others: the sum of its deficits."""
    WHOLE = 3
    """Centred surprisal of the whole."""


TOGETHER: Final = 4
"""The place of the histogram of the score."""
RANGES: Final = ((0.0, 24.0), (0.0, 24.0), (0.0, 120.0), (-60.0, 180.0), (0.0, 60.0))
"""Bits covered by the histograms."""
LEAST: Final = (4.0, 1.0, 1.0, 2.0)
LENS_OF: Final = (Lens.SINGLE, Lens.PAIR, Lens.PAIR, Lens.WHOLE)


def together(evidence: tuple[float, float, float, float]) -> float:
    """The score of four pieces of evidence, in bits.

    >>> round(together((10.0, 0.0, 0.0, 0.0)), 2), round(together((10.0, 10.0, 0.0, 0.0)), 2)
    (10.0, 11.0)
    """
    one, two, three, four = evidence
    return math.log2(2.0**one + 2.0**two + 2.0**three + 2.0**four)


def together_rows(evidence: FloatArray) -> FloatArray:
    """The same for many, (n, 4)."""
    found: FloatArray = np.log2(np.exp2(evidence).sum(axis=1))
    return found
