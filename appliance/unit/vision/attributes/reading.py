"""What one glance at a headless person says about what is worn: a likelihood per level, or silence.

Invariants:
    * Only a ``Headless`` crop comes in: no frame, no head, no face.
    * Silence is normal: an attribute that cannot be measured in this glance gives no reading.
    * No threshold is hard: each turns into a likelihood, and describe.py weighs the glances.

The seam for better eyes: anything that maps ``Headless`` and ``Regions`` to readings can stand beside ``read``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from appliance.unit.vision.attributes.colours import (
    ACCENT_SHARE,
    Floats,
    Swatch,
    balanced,
    lab_of_linear,
    linear,
    name_shares,
    palette,
)
from appliance.unit.vision.attributes.garment_kinds import kinds
from appliance.unit.vision.attributes.likelihood import CONSTANTS, Constants, Look, reading, soft
from appliance.unit.vision.models.garments import Garments, Worn, one_cloth, refined
from appliance.unit.vision.models.pattern import Patterns
from appliance.unit.vision.regions import Headless, Mask, Regions, regions
from appliance.unit.vision.types import AttributeReading

_SAMPLES: Final = 500
_FEW_SAMPLES: Final = 120
"""Samples of a region whose main colours are asked for, and of one whose median is."""
_LARGEST: Final = 3.0
"""Exponent of a swatch's share: the main colour is the largest one's, unless two are nearly as large."""
_SHARPER: Final = 1.5
"""Exponent of the soft names as a likelihood. Measured with _LARGEST and _MISREAD: a name for .82, right .87."""
_MISREAD: Final = {
    "black": 0.01, "grey": 0.015, "white": 0.007, "red": 0.003, "orange": 0.003, "brown": 0.045, "yellow": 0.003,
    "green": 0.003, "blue": 0.003, "purple": 0.015, "pink": 0.005, "beige": 0.003,
}  # fmt: skip
"""How likely a colour is to be seen where quite another is worn, against where it is: the least another is left.

Measured on the validation photos (1,538 looks at 384 garments): of 836 looks that were sure of their name, 37 had a
truth far from it: brown 23 of 60 (skin and wood), grey 6 of 103, purple 3 of 10, black 3 of 480, pink 1 of 12, white
1 of 16, all others 0 of 155; those stand at one in 384.
"""
_ONE_CLOTH: Final = ((("upper", "outer"), (0.6,)), (("lower",), (0.8, 0.5)))
"""What patterns are read from above and below the waist: the larger of these, where it is surer than this; the second
number holds where the first leaves too little.

Measured where the unit looks itself (models_tflite/pattern.md), against all cloth surer than .65 together.
"""
_ONE_SHARE: Final = 0.01
"""Fewest pixels of it, as a share of the height squared; with fewer, all cloth together is read."""
_PATTERN_SILENT_BELOW: Final = 160
"""Fewest pixels of a region whose pattern is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """What reads cloth. Without ``garments`` the pose alone says where it is; without ``patterns``, one number."""

    garments: Garments | None = None
    patterns: Patterns | None = None

    @property
    def invoked_ns(self) -> int:
        """Nanoseconds spent inside the models' runtime."""
        return sum(reader.model.invoked_ns for reader in (self.garments, self.patterns) if reader is not None)


NO_NETWORKS: Final = Networks()


def read(
    person: Headless, light: Floats, networks: Networks = NO_NETWORKS, constants: Constants = CONSTANTS
) -> tuple[AttributeReading, ...]:
    """All that this glance says; ``light`` is that of the frames (``Balance.light``). Empty where nothing is seen.

    `Unavailable` when the accelerator does not answer.
    """
    cut = regions(person)
    if cut is None:
        return ()
    worn = None if networks.garments is None else networks.garments.look(person)
    cloth = cut if worn is None else refined(cut, worn)
    looks = _looks(person, _masks(cut, cloth), light)
    top, bottom = pattern_masks(person, cloth, worn)
    readings = [
        *_colours("top", looks.get("cloth above"), constants),
        *_colours("bottom", looks.get("cloth below"), constants),
        *_pattern("top.pattern", person, top, networks.patterns, constants),
        *_pattern("bottom.pattern", person, bottom, networks.patterns, constants),
        *kinds(worn, looks, person.torso, constants),
        *_feet(looks.get("feet")),
    ]
    return tuple(readings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Palettes:
    """Colours of the cloth above and below the waist, largest share first; empty where too little is seen."""

    top: tuple[Swatch, ...]
    bottom: tuple[Swatch, ...]


def palettes(person: Headless, light: Floats, networks: Networks = NO_NETWORKS) -> Palettes:
    """The colours that ``read`` names, as they were measured; nothing a unit could say."""
    cut = regions(person)
    if cut is None:
        return Palettes(top=(), bottom=())
    cloth = cut if networks.garments is None else refined(cut, networks.garments.look(person))
    looks = _looks(person, {"cloth above": cloth.top, "cloth below": cloth.thighs}, light)
    top, bottom = (
        palette(looks[where].samples) if where in looks else () for where in ("cloth above", "cloth below")
    )
    return Palettes(top=top, bottom=bottom)


def pattern_masks(person: Headless, cloth: Regions, worn: Worn | None) -> tuple[Mask | None, Mask | None]:
    """What patterns are read from: one garment above and one below the waist; where none is large, all cloth."""
    both = (cloth.top, cloth.thighs)
    if worn is None:
        return both
    fewest = round(_ONE_SHARE * (person.height * person.scale) ** 2)
    top, bottom = (
        next((mask for sure in sures if (mask := one_cloth(worn, names, sure, fewest)) is not None), together)
        for (names, sures), together in zip(_ONE_CLOTH, both, strict=True)
    )
    return top, bottom


def _masks(cut: Regions, cloth: Regions) -> dict[str, Mask | None]:
    """Limbs by place; cloth and shoes as the network sees them, where there is one."""
    return {
        "cloth above": cloth.top,
        "cloth below": cloth.thighs,
        "feet": cloth.feet,
        "sleeves": cut.sleeves,
        "forearms": cut.forearms,
        "hands": cut.hands,
        "hips": cut.hips,
        "thighs": cut.thighs,
        "shins": cut.shins,
    }


def _looks(person: Headless, masks: dict[str, Mask | None], light: Floats) -> dict[str, Look]:
    """Samples of each region, evenly spread, under the balanced light; most where ``cloth`` is to be named."""
    places = {
        name: _spread(np.flatnonzero(mask), _SAMPLES if name.startswith("cloth") else _FEW_SAMPLES)
        for name, mask in masks.items()
        if mask is not None
    }
    if not places:
        return {}
    pixels = person.pixels.reshape(-1, 3)[np.concatenate(list(places.values()))]
    lab = lab_of_linear(balanced(linear(pixels), light))
    looks, start = {}, 0
    for name, found in places.items():
        samples = lab[start : start + len(found)]
        start += len(found)
        lightness, a, b = np.sort(samples, axis=0)[len(samples) // 2].tolist()
        looks[name] = Look(samples, (lightness, a, b))
    return looks


def _spread(places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    return places[:: max(1, -(-len(places) // most))]


def _colours(where: str, look: Look | None, constants: Constants) -> list[AttributeReading]:
    """Main colour and accent of a region."""
    swatches = palette(look.samples) if look else ()
    if not swatches:
        return []
    names = [name_shares(swatch.lightness, swatch.a, swatch.b) for swatch in swatches]
    weights = [swatch.share**_LARGEST for swatch in swatches]
    main = [
        sum(w * shares[n] for w, shares in zip(weights, names, strict=True)) for n in range(len(names[0]))
    ]
    main = [(share / sum(weights)) ** _SHARPER for share in main]
    levels = ATTRIBUTES[INDEX[f"{where}.colour"]].levels
    most = max(main)
    floor = most * _MISREAD[levels[main.index(most)]]
    readings = [reading(f"{where}.colour", dict(zip(levels, main, strict=True)), floor)]
    present = 0.0
    second: dict[str, float] = {}
    if len(swatches) > 1:
        another = 1 - sum(first * other for first, other in zip(names[0], names[1], strict=True))
        present = another * soft(swatches[1].share - ACCENT_SHARE, constants.accent_width)
        second = {level: present * share for level, share in zip(levels, names[1], strict=True)}
    readings.append(reading(f"{where}.accent", {"none": 1 - present, **second}))
    return readings


def gradient(person: Headless, mask: Mask) -> float | None:
    """Median CIELAB gradient per pixel in a region after a Gaussian blur of one pixel; None for too few pixels.

    Source: the untrained measure that found .93 to .97 (AUC) of patterned cloth at 100 to 300 pixels' height.
    """
    left, top, width, height = cv2.boundingRect(mask)
    inside = cv2.erode(mask[top : top + height, left : left + width], np.ones((3, 3), np.uint8))
    if cv2.countNonZero(inside) < _PATTERN_SILENT_BELOW:
        return None
    patch = person.pixels[top : top + height, left : left + width].astype(np.float32) / np.float32(255)
    blurred = cv2.GaussianBlur(cv2.cvtColor(patch, cv2.COLOR_RGB2Lab), (5, 5), 1.0)
    across = cv2.Sobel(blurred, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(blurred, cv2.CV_32F, 0, 1, ksize=1)
    slope = np.sqrt((across[inside > 0] ** 2 + down[inside > 0] ** 2).sum(axis=1)) / 2
    return float(np.median(slope))


def _pattern(
    name: str, person: Headless, mask: Mask | None, patterns: Patterns | None, constants: Constants
) -> list[AttributeReading]:
    """Which pattern, by the network; or plain against patterned, by one number that cannot tell kinds."""
    if mask is None:
        return []
    if patterns is not None:
        told = patterns.read(person.pixels, mask, person.height * person.scale)
        return [] if told is None else [AttributeReading(attribute=INDEX[name], likelihood=told)]
    measured = gradient(person, mask)
    if measured is None:
        return []
    border = constants.pattern_top if name.startswith("top") else constants.pattern_bottom
    border *= math.sqrt(max(1.0, constants.pattern_torso / person.torso))
    patterned = soft(math.log(max(measured, 0.05) / border), constants.pattern_width)
    return [reading(name, {"plain": 1 - patterned, "patterned": patterned})]


def _feet(look: Look | None) -> list[AttributeReading]:
    """Dark, light or coloured."""
    if look is None:
        return []
    lightness, a, b = look.middle
    coloured = soft(math.hypot(a, b) - 24.0, 4.0)
    light = soft(lightness - 52.0, 6.0)
    return [
        reading(
            "feet.colour",
            {"dark": (1 - coloured) * (1 - light), "light": (1 - coloured) * light, "coloured": coloured},
        )
    ]


__all__ = ["CONSTANTS", "Constants", "Networks", "Regions", "gradient", "read"]
