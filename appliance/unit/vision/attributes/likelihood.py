"""What every reading is made of: a region's colours, soft borders, a likelihood per level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from appliance.unit.vision.attributes.colours import Floats
from appliance.unit.vision.types import AttributeReading

FLOOR: Final = 0.02
"""No glance rules a level out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Measured borders; each ``…_width`` softens the one before it. Distances are CIELAB, lengths crop pixels.

    ``pattern_top``, ``pattern_bottom``: median gradient above which cloth is rather patterned, from the share of
    plain cloth in streets (81 %) on people 150 to 300 pixels high; below a torso of ``pattern_torso`` pixels it
    rises with the square root. ``limb_torso``: below this torso, hands are a handful of pixels and bare limbs are not
    judged. ``skin_like``: a limb nearer to the same person's hands than this may be bare. ``unlike``: limb and cloth
    farther apart than this are not the same cloth; ``same_cloth``: shin and hip nearer than this are one garment.
    """

    pattern_top: float = 5.8
    pattern_bottom: float = 5.4
    pattern_torso: float = 45.0
    pattern_width: float = 0.22
    limb_torso: float = 36.0
    skin_like: float = 12.0
    unlike: float = 14.0
    same_cloth: float = 8.0
    limb_width: float = 3.0


CONSTANTS: Final = Constants()


def reading(name: str, likelihood: dict[str, float], floor: float = FLOOR) -> AttributeReading:
    """A reading of the attribute called ``name``; a level not named is as unlikely as any can be, ``floor``."""
    attribute = ATTRIBUTES[INDEX[name]]
    return AttributeReading(
        attribute=INDEX[name],
        likelihood=tuple(max(floor, likelihood.get(level, 0.0)) for level in attribute.levels),
    )


@dataclass(frozen=True, slots=True)
class ColourSample:
    """A region's CIELAB samples (n, 3) and their median."""

    samples: Floats
    middle: tuple[float, float, float]

    def apart(self, other: ColourSample) -> float:
        """CIELAB distance of two medians, lightness at half weight (folds and shade)."""
        (l0, a0, b0), (l1, a1, b1) = self.middle, other.middle
        return math.hypot(0.5 * (l0 - l1), a0 - a1, b0 - b1)


def soft(margin: float, width: float) -> float:
    """0 far below a border, 1 far above, one half on it."""
    return 1 / (1 + math.exp(max(-30.0, min(30.0, -margin / width))))
