"""Confidence bounds of a rate from a (soft, decayed) count, in closed form.

Formula: for a count k of a Poisson variable, the one-sided upper bound of its mean is half the chi-square quantile
with 2(k + 1) degrees of freedom (Garwood 1936, Biometrika 28: 437-442); the quantile by the cube-root normal
approximation (Wilson and Hilferty 1931, PNAS 17: 684-688), which for counts is Byar's (Breslow and Day 1987,
Statistical Methods in Cancer Research II, p. 69). It holds for fractional k, errs by less than 1.5 % from k = 0 on,
and divided by n it is a bound of a binomial share that is never below Clopper and Pearson's (the Poisson tail is
the heavier) but by that error.

Invariants:
    * An upper bound is never below the plug-in rate, a lower bound never above it.
    * Plain numpy; no clock, no I/O.

>>> round(float(upper(np.array(0.0))), 2)  # the rule of three: exactly 2.996
2.97
>>> round(float(upper(np.array(10.0))), 1), round(float(lower(np.array(10.0))), 1)  # exactly 16.96 and 5.43
(17.0, 5.4)
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Z95: Final = 1.6448536269514722
"""The 95 % quantile of the normal distribution, one-sided."""


def upper(count: NDArray[np.float64], z: float = Z95) -> NDArray[np.float64]:
    """One-sided upper bound of the mean behind ``count`` (>= 0, any shape); 95 % unless ``z`` says otherwise."""
    k = count + 1.0
    root: NDArray[np.float64] = 1.0 - 1.0 / (9.0 * k) + z / (3.0 * np.sqrt(k))
    return k * root * root * root


def lower(count: NDArray[np.float64], z: float = Z95) -> NDArray[np.float64]:
    """One-sided lower bound of the mean behind ``count`` (>= 0, any shape); 0 where nothing was counted."""
    k = np.maximum(count, 1e-9)
    root = np.maximum(0.0, 1.0 - 1.0 / (9.0 * k) - z / (3.0 * np.sqrt(k)))
    return np.where(count > 0, k * root * root * root, 0.0)


def share_upper(count: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper bound of a share, in (0, 1]: ``count`` of ``weight``; 1 where nothing was weighed.

    >>> round(float(1 / share_upper(np.array(2.0), np.array(4000.0))))  # 2 seen of 4,000: "1 in 635 or fewer"
    637
    """
    return np.minimum(1.0, upper(count) / np.maximum(weight, 1e-9))


def share_lower(count: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower bound of a share, in [0, 1]: ``count`` of ``weight``; 0 where nothing was weighed."""
    return np.minimum(1.0, lower(count) / np.maximum(weight, 1e-9)) * (weight > 0)
