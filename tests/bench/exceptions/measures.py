"""AUC, average precision, ranks, and whether ranks differ by more than chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
_STUDENTIZED = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
"""q of the two-tailed Nemenyi test at .05 by the number of methods (Demsar 2006, JMLR 7, table 5)."""


def ranks(values: Scores) -> Scores:
    """Ranks from 1, the least first; ties share their mean."""
    _, inverse, number = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(number)
    found: Scores = (ends - (number - 1) / 2.0)[inverse]
    return found


def auc(scores: Scores, odd: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that an odd row scores above another (Mann and Whitney 1947).

    >>> auc(np.array([1.0, 2.0, 3.0]), np.array([False, False, True]))
    1.0
    """
    number = int(odd.sum())
    rest = len(odd) - number
    return float((ranks(scores)[odd].sum() - number * (number + 1) / 2) / max(1, number * rest))


def average_precision(scores: Scores, odd: NDArray[np.bool_]) -> float:
    """Mean precision at each odd row, the highest first."""
    hit = odd[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hit) / np.arange(1, len(hit) + 1))[hit].mean()) if hit.any() else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Friedman:
    """Mean ranks (1 is best) of methods over sets; ``statistic`` after Friedman, ``critical`` after Nemenyi.

    Two methods differ at .05 where their mean ranks differ by more than ``critical``.
    """

    mean_ranks: tuple[float, ...]
    statistic: float
    critical: float


def friedman(table: NDArray[np.float64]) -> Friedman:
    """Of (sets, methods), the higher the better (Friedman 1937; Nemenyi 1963; Demsar 2006)."""
    sets, methods = table.shape
    mean = np.array([ranks(-row) for row in table]).mean(axis=0)
    spread = float(((mean - (methods + 1) / 2) ** 2).sum())
    return Friedman(
        mean_ranks=tuple(mean.tolist()),
        statistic=12 * sets / (methods * (methods + 1)) * spread,
        critical=_STUDENTIZED[methods] * float(np.sqrt(methods * (methods + 1) / (6 * sets))),
    )
