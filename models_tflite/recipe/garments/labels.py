"""Stored label codes: which classes of the map a pixel may have.

Law: what is not known is left open, so that a label never teaches more than it knows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.unit.vision.models.garments import PLACES

TORSO: Final = 201
ARM: Final = 202
LEG: Final = 203
FOOT: Final = 204
UNSEEN: Final = 255
_OPEN: Final = {
    TORSO: ("upper", "outer", "limb", "bag", "lower"),
    ARM: ("upper", "outer", "limb", "bag"),
    LEG: ("lower", "outer", "limb", "bag", "upper"),
    FOOT: ("feet", "limb", "lower"),
}


def allowed() -> npt.NDArray[np.float32]:
    """(256, 7): which classes each stored label leaves open; a row of ones asks nothing."""
    table = np.ones((256, len(PLACES)), np.float32)
    table[: len(PLACES)] = np.eye(len(PLACES), dtype=np.float32)
    for code, names in _OPEN.items():
        table[code] = [float(name in names) for name in PLACES]
    return table
