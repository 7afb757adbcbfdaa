"""How far apart two colours look: CIEDE2000.

Formula and example: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes,
supplementary test data, and mathematical observations", Color Research and Application 30 (2005), equations 2 to 22;
CIE 142:2001.
About 1 is just seen side by side; 5 is another shade to anybody.

Law: pure; arrays in, arrays out.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_POWER: Final = 25.0**7


def ciede2000(first: Doubles, second: Doubles) -> Doubles:
    """The CIEDE2000 difference of two (..., 3) arrays of CIELAB colours, with all weights 1.

    >>> round(float(ciede2000(np.array([50.0, 2.6772, -79.7751]), np.array([50.0, 0.0, -82.7485]))), 4)
    2.0425
    """
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(lab, np.float64), -1, 0) for lab in (first, second))
    stretch = 1.5 - 0.5 * _saturation((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)
    a1, a2 = stretch * a1, stretch * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    coloured = c1 * c2 > 0
    turn = np.where(coloured, (h2 - h1 + 180) % 360 - 180, 0.0)
    hue = np.where(coloured, h1 + turn / 2, h1 + h2)
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    off = (lightness - 50) ** 2
    by_lightness = (l2 - l1) / (1 + 0.015 * off / np.sqrt(20 + off))
    by_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    by_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / (1 + 0.015 * chroma * _hue_weight(hue))
    bend = np.sin(np.radians(60 * np.exp(-((((hue % 360) - 275) / 25) ** 2))))
    joint = -2 * _saturation(chroma) * bend * by_chroma * by_hue
    apart: Doubles = np.sqrt(np.maximum(by_lightness**2 + by_chroma**2 + by_hue**2 + joint, 0.0))
    return apart


def _saturation(chroma: Doubles) -> Doubles:
    power = chroma**7
    root: Doubles = np.sqrt(power / (power + _POWER))
    return root


def _hue_weight(hue: Doubles) -> Doubles:
    """Equation 15: T."""
    cosines = (
        -0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    weight: Doubles = 1 + cosines
    return weight
