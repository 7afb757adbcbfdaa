"""What one glance at a headless person says about what is worn: measured first, then a likelihood per level.

Invariants:
    * Only a ``Headless`` crop comes in: no frame, no head, no face.
    * Silence is normal: an attribute that cannot be measured in this glance gives no reading.
    * No threshold is hard: what is measured becomes a likelihood by measured confusion, and fusion.py weighs the
      glances.

The seam for better eyes: anything that maps ``Headless`` and ``Regions`` to readings can stand beside ``read``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from appliance.protocol.vocabulary import INDEX
from appliance.unit.vision.attributes.colours import (
    Floats,
    name_shares,
)
from appliance.unit.vision.attributes.confusion import CONFUSION, second_likelihood
from appliance.unit.vision.attributes.garment_kinds import kinds
from appliance.unit.vision.attributes.likelihood import CONSTANTS, ColourSample, Constants, reading, soft
from appliance.unit.vision.attributes.palette import ONE_CLOTH, Swatch, merged, palette, split, swatches
from appliance.unit.vision.attributes.region_colours import RegionMasks, region_colours
from appliance.unit.vision.attributes.second_colour import Second, second
from appliance.unit.vision.models.garments import Garments, Worn, one_cloth, refined
from appliance.unit.vision.models.pattern import Patterns
from appliance.unit.vision.regions import Headless, Mask, Regions, regions
from appliance.unit.vision.types import AttributeReading

_LARGEST: Final = 3.0
"""Exponent of a swatch's share: the main colour is the largest one's, unless two are nearly as large."""
_MATRIX: Final = {"top.colour": "colour", "bottom.colour": "colour"}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one glance measured, before it is held against how often such measurements err.

    ``shares`` per attribute name: how far it looks like each level, adding up to 1. ``seconds`` per attribute name:
    the likeliest second colour, or None. ``patterns`` are likelihoods already. ``height`` is the person's in the
    frame, in pixels.
    """

    height: float
    shares: tuple[tuple[str, tuple[float, ...]], ...] = ()
    seconds: tuple[tuple[str, Second | None], ...] = ()
    patterns: tuple[AttributeReading, ...] = ()


def read(
    person: Headless, light: Floats, networks: Networks = NO_NETWORKS, constants: Constants = CONSTANTS
) -> tuple[AttributeReading, ...]:
    """All that this glance says; ``light`` is that of the frames (``Balance.light``). Empty where nothing is seen.

    `Unavailable` when the accelerator does not answer.
    """
    return readings(measure(person, light, networks, constants))


def measure(
    person: Headless, light: Floats, networks: Networks = NO_NETWORKS, constants: Constants = CONSTANTS
) -> Measured:
    """Look once: what cloth, limbs and networks show. Arguments and errors as of ``read``."""
    cut = regions(person)
    if cut is None:
        return Measured(height=person.height)
    worn = None if networks.garments is None else networks.garments.look(person)
    cloth = cut if worn is None else refined(cut, worn)
    looks = region_colours(person, RegionMasks.of(cut, cloth), light)
    top, bottom = pattern_masks(person, cloth, worn)
    cloths = (("top", looks.cloth_above), ("bottom", looks.cloth_below))
    found = {where: split(look.samples) for where, look in cloths if look is not None}
    seen = [(where, parts, swatches(parts)) for where, parts in found.items() if parts]
    return Measured(
        height=person.height,
        shares=(
            *((f"{where}.colour", main_names(merged(colours, ONE_CLOTH))) for where, _, colours in seen),
            *kinds(worn, looks, person.torso, constants),
            *_feet(looks.feet),
        ),
        # By place alone a piece of bare limb would be a second colour.
        seconds=tuple(
            (f"{where}.accent", second(parts, colours)) for where, parts, colours in seen if worn is not None
        ),
        patterns=(
            *_pattern("top.pattern", person, top, networks.patterns, constants),
            *_pattern("bottom.pattern", person, bottom, networks.patterns, constants),
        ),
    )


def readings(measured: Measured) -> tuple[AttributeReading, ...]:
    """The likelihoods of what was measured. Pure."""
    return (
        *(
            AttributeReading(
                attribute=INDEX[name],
                likelihood=CONFUSION[_MATRIX.get(name, name)].likelihood(shares, measured.height),
            )
            for name, shares in measured.shares
        ),
        *(
            AttributeReading(attribute=INDEX[name], likelihood=second_likelihood(found, measured.height))
            for name, found in measured.seconds
        ),
        *measured.patterns,
    )


def main_names(found: Sequence[Swatch]) -> tuple[float, ...]:
    """Shares of the twelve names of a palette's main colour."""
    weights = [one.share**_LARGEST for one in found]
    names = [name_shares(one.lightness, one.a, one.b) for one in found]
    return tuple(
        sum(weight * one for weight, one in zip(weights, column, strict=True)) / sum(weights)
        for column in zip(*names, strict=True)
    )


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
    masks = RegionMasks(cloth_above=cloth.top, cloth_below=cloth.thighs)
    looks = region_colours(person, masks, light)
    top, bottom = (
        () if look is None else palette(look.samples) for look in (looks.cloth_above, looks.cloth_below)
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


def _feet(look: ColourSample | None) -> list[tuple[str, tuple[float, ...]]]:
    """How dark, light and coloured."""
    if look is None:
        return []
    lightness, a, b = look.middle
    coloured = soft(math.hypot(a, b) - 24.0, 4.0)
    light = soft(lightness - 52.0, 6.0)
    return [("feet.colour", ((1 - coloured) * (1 - light), (1 - coloured) * light, coloured))]


__all__ = ["CONSTANTS", "Constants", "Networks", "Regions", "gradient", "read"]
