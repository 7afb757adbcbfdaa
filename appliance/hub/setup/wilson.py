"""Wilson's interval of a share, from counts of right and wrong.

Formula: Wilson 1927, *Probable inference, the law of succession, and statistical inference*, J. Am. Stat. Assoc. 22:
209-212. It holds at the ends, where the usual interval has no width.

>>> [round(edge, 3) for edge in interval(8, 10)]  # Newcombe 1998, Stat. Med. 17: 857-872, table I's method 3
[0.49, 0.943]
"""

from __future__ import annotations

import math
from typing import Final

Z: Final = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


def interval(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share of which ``right`` in ``of`` trials came true; (0, 1) without trials.

    ValueError unless 0 <= right <= of.
    """
    if not 0 <= right <= of:
        raise ValueError(f"{right} of {of} is no share")
    if not of:
        return 0.0, 1.0
    share, spread = right / of, Z * Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)
