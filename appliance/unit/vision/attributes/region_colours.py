"""Region colours: the CIELAB samples of each part of a person, under the balanced light of the frames.

Invariants:
    * A part where too little is seen is None, never an empty sample.
    * Cloth whose main colours are asked for gets more samples than a part whose median is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.unit.vision.attributes.colours import Floats, balanced, lab_of_linear, linear
from appliance.unit.vision.attributes.likelihood import ColourSample
from appliance.unit.vision.regions import Headless, Mask, Regions

_SAMPLES: Final = 500
_FEW_SAMPLES: Final = 120
"""Samples of a region whose main colours are asked for, and of one whose median is."""
_CLOTH: Final = frozenset({"cloth_above", "cloth_below"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionMasks:
    """Where each part is in the crop, (h, w) uint8; None where too little is seen.

    Limbs are where the pose says; cloth and shoes are as the garment network sees them, where there is one.
    """

    cloth_above: Mask | None = None
    cloth_below: Mask | None = None
    feet: Mask | None = None
    sleeves: Mask | None = None
    forearms: Mask | None = None
    hands: Mask | None = None
    hips: Mask | None = None
    thighs: Mask | None = None
    shins: Mask | None = None

    @staticmethod
    def of(cut: Regions, cloth: Regions) -> RegionMasks:
        """Limbs from ``cut``, the pose's regions; cloth and shoes from ``cloth``."""
        return RegionMasks(
            cloth_above=cloth.top,
            cloth_below=cloth.thighs,
            feet=cloth.feet,
            sleeves=cut.sleeves,
            forearms=cut.forearms,
            hands=cut.hands,
            hips=cut.hips,
            thighs=cut.thighs,
            shins=cut.shins,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionColours:
    """What each part looks like; None where too little is seen."""

    cloth_above: ColourSample | None = None
    cloth_below: ColourSample | None = None
    feet: ColourSample | None = None
    sleeves: ColourSample | None = None
    forearms: ColourSample | None = None
    hands: ColourSample | None = None
    hips: ColourSample | None = None
    thighs: ColourSample | None = None
    shins: ColourSample | None = None


_PARTS: Final = tuple(field.name for field in fields(RegionMasks))


def region_colours(person: Headless, masks: RegionMasks, light: Floats) -> RegionColours:
    """Samples of each part, evenly spread, under ``light`` (``Balance.light``); all parts in one conversion."""
    places = {
        name: _spread(np.flatnonzero(mask), _SAMPLES if name in _CLOTH else _FEW_SAMPLES)
        for name in _PARTS
        if (mask := getattr(masks, name)) is not None
    }
    if not places:
        return RegionColours()
    pixels = person.pixels.reshape(-1, 3)[np.concatenate(list(places.values()))]
    lab = lab_of_linear(balanced(linear(pixels), light))
    looks, start = {}, 0
    for name, found in places.items():
        samples = lab[start : start + len(found)]
        start += len(found)
        lightness, a, b = np.sort(samples, axis=0)[len(samples) // 2].tolist()
        looks[name] = ColourSample(samples, (lightness, a, b))
    return RegionColours(**looks)


def _spread(places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    return places[:: max(1, -(-len(places) // most))]
