"""How a camera hangs, from people alone: its height above the ground, and how far it is tilted down. Pure.

Where people stand on level ground, their height in the picture grows in proportion to how far their feet are below
the horizon. So the line through (feet, height) meets nought at the horizon, and its slope is the height of a person
over that of the camera (Hoiem, Efros and Hebert, *Putting Objects in Perspective*, 2006, section 3). The focal length
is not known: a field of view of 66 degrees is taken, as of the Raspberry Pi's camera 3. An estimate, in coarse steps.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median
from typing import Final

from appliance.protocol.aim import HEIGHTS, TILTS

PERSON_METRES: Final = 1.7
FIELD_OF_VIEW: Final = math.radians(66)
_FEWEST: Final = 12
_SPREAD: Final = 0.08
"""Least spread of feet, as a share of the picture's height, by which a slope can be told."""
_STEP_METRES: Final = 0.5
_STEP_DEGREES: Final = 5
_LOWEST_DEGREES: Final = -20


@dataclass(frozen=True, slots=True)
class Stance:
    """Somebody seen whole: the row of their feet and their height, in pixels."""

    feet: float
    height: float


def hang(stances: Collection[Stance], extent: tuple[int, int]) -> tuple[int, int]:
    """The class of the camera's height (halves of a metre) and of its tilt (``class_of``); 0 where it cannot be told.

    ``extent`` is (width, height) in pixels.
    """
    width, height = extent
    if len(stances) < _FEWEST:
        return 0, 0
    near, far = _halves(stances)
    spread = near.feet - far.feet
    slope = (near.height - far.height) / spread if spread > _SPREAD * height else 0.0
    if slope <= 0:
        return 0, 0
    horizon = far.feet - far.height / slope
    focal = width / 2 / math.tan(FIELD_OF_VIEW / 2)
    metres, degrees = PERSON_METRES / slope, math.degrees(math.atan((height / 2 - horizon) / focal))
    return class_of(metres, degrees)


def _halves(stances: Collection[Stance]) -> tuple[Stance, Stance]:
    """The medians of the nearer third and of the farther third: a line that a few wrong boxes do not move."""
    by_feet = sorted(stances, key=lambda stance: stance.feet)
    third = max(1, len(by_feet) // 3)
    far, near = by_feet[:third], by_feet[-third:]
    return tuple(  # type: ignore[return-value]  # two of them
        Stance(feet=median(one.feet for one in part), height=median(one.height for one in part))
        for part in (near, far)
    )


def class_of(metres: float, degrees: float) -> tuple[int, int]:
    """Height and tilt as they are told: never 0, the lowest and the highest class hold what is beyond.

    >>> class_of(3.0, 12.0), class_of(99.0, -90.0)
    ((6, 7), (15, 1))
    """
    height = min(HEIGHTS - 1, max(1, round(metres / _STEP_METRES)))
    tilt = 1 + (int(degrees) - _LOWEST_DEGREES) // _STEP_DEGREES
    return height, min(TILTS - 1, max(1, tilt))
