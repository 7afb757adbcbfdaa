"""What a gift in the box is worth while people may still come who deserve it more.

Formula: ``k`` gifts, and a Poisson number of people still to come who would take one, ``M`` of them expected, each
rarer than the floor by x bits with P(X > x) = 2^-x (which is what calibrated tail probabilities are). Let V be the
greatest expected sum of bits given away. Then dV_k/dM = E[max(X, V_k - V_(k-1)) - (V_k - V_(k-1))], from
V_k(0) = -LEFT_OVER k, and the best rule gives to whoever is rarer than the price V_k - V_(k-1): the dynamic and
stochastic knapsack with equal weights (Kleywegt and Papastavrou 1998, Operations Research 46: 17-35). Without a floor
its solution is closed: give to p <= 1 - B(k, M), Erlang's loss formula with the gifts as servers (Gallego and
van Ryzin 1994, Management Science 40: 999-1020, for exponential demand), which for many people is k / M, the budget
ratio.

Invariants:
    * The more gifts, the cheaper; the more people to come, the dearer; at closing time nothing is kept back.
    * Thinking only.

>>> round(price(40, 400.0), 2), round(price(40, 60.0), 2), price(40, 40.0) < 0
(3.32, 0.43, True)
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np

from appliance.hub.statistics.layout import FloatArray

LEFT_OVER: Final = 15.0
"""Bits by which a gift left over is worse than one given to somebody just at the floor.

At log2(1/floor) = 7.6 this is the value lost, and nothing more; more leaves fewer over and costs value. This is as
much as each of the three streets of docs/exceptions.md bears at .97 of the clairvoyant's value.
"""
_MOST_GIFTS: Final = 64
"""Above this many gifts chance averages out, and the budget ratio is as good."""
_STEP: Final = 0.1
_STEPS: Final = round((2 * _MOST_GIFTS + 10) / _STEP) + 1


@lru_cache(maxsize=1)
def _table() -> FloatArray:
    """Prices of gift 1 to ``_MOST_GIFTS`` (columns) for M = 0, ``_STEP``, ... (rows), by Euler's method."""
    values = -LEFT_OVER * np.arange(_MOST_GIFTS + 1.0)
    prices = np.empty((_STEPS, _MOST_GIFTS))
    for row in range(_STEPS):
        prices[row] = np.diff(values)
        rare = np.exp2(-np.maximum(prices[row], 0.0)) / math.log(2.0)
        values[1:] += _STEP * (rare + np.maximum(-prices[row], 0.0))
    return prices


def price(gifts: int, takers: float) -> float:
    """Bits by which somebody must be rarer than the floor to be given one of ``gifts`` >= 1; below 0: anybody.

    ``takers`` >= 0 is M: how many people at or beyond the floor are still expected who would take one.
    """
    if gifts > _MOST_GIFTS or takers > 2.0 * gifts + 10.0:
        return math.log2(max(takers, 1e-9) / gifts)
    return float(_table()[round(takers / _STEP), gifts - 1])
