"""Experts' weights by how well each foresaw what came: Bayes' rule with a fixed share for the one that comes next.

Formula: w_k <- w_k L_k / sum(w L), then w_k <- (1 - a) w_k + a / K, with L_k the chance that expert k gave to what
was seen (Herbster and Warmuth 1998, *Tracking the best expert*, Machine Learning 32: 151-178). A mean of p-values
with weights fixed before the person was seen exceeds the level by a factor of 2 at most, and hardly where one
expert leads (Vovk and Wang 2020, Biometrika 107: 791-808).

>>> mixture = FixedShare(2)
>>> for _ in range(5):
...     mixture.learn((-1.0, -3.0))
>>> [round(weight, 2) for weight in mixture.weights]
[0.99, 0.01]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

SHARE: Final = 0.01
"""a: what is handed round after each person, so that no expert is ever lost."""


class FixedShare:
    """``weights`` of so many experts, which add up to 1."""

    def __init__(self, experts: int) -> None:
        self.weights = (1.0 / experts,) * experts

    def learn(self, bits: Sequence[float]) -> None:
        """Update by the log2 likelihood that each expert gave to the one person who came."""
        best = max(bits)
        likely = [weight * math.exp2(one - best) for weight, one in zip(self.weights, bits, strict=True)]
        total, number = sum(likely), len(likely)
        self.weights = tuple((1.0 - SHARE) * one / total + SHARE / number for one in likely)

    def mean(self, values: Sequence[float]) -> float:
        """The mean of one value of each expert, by weight."""
        return sum(weight * one for weight, one in zip(self.weights, values, strict=True))

    @property
    def leader(self) -> int:
        """The place of the heaviest expert."""
        return max(range(len(self.weights)), key=self.weights.__getitem__)
