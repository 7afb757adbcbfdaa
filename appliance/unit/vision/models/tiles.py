"""Wide pictures in pieces, so that people keep enough pixels in the detector's small picture. Pure.

Invariants:
    * Tiles stand side by side, as high as the picture: nobody is cut at the neck, and there are few.
    * Neighbours overlap by more than a person's width, so a box cut by a seam is whole in the next tile and let go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from appliance.unit.vision.tracking.boxes import intersection_area, iou
from appliance.unit.vision.types import Detection

WIDEST: Final = 1400
"""Pictures no wider than this are looked at in one piece."""
_LAP: Final = 0.25
"""Share of a tile that its neighbour shows as well."""
_NEARLY: Final = 1.15
"""A picture this much wider than the detector's shape is not worth a second look."""
_SEAM: Final = 3.0
_SAME: Final = 0.5
_WITHIN: Final = 0.8


def columns(width: int, height: int, aspect: float, widest: int = WIDEST) -> tuple[tuple[int, int], ...]:
    """Left and right edges of the tiles of a picture; ``aspect`` is the width over height the detector wants.

    >>> columns(1280, 720, 1.3), columns(1920, 1080, 1.3)
    (((0, 1280),), ((0, 1404), (516, 1920)))
    """
    tile = round(height * aspect)
    if width <= widest or width <= _NEARLY * tile:
        return ((0, width),)
    count = math.ceil((width - _LAP * tile) / ((1 - _LAP) * tile))
    step = (width - tile) / (count - 1)
    return tuple((round(step * number), round(step * number) + tile) for number in range(count))


def merged(
    found: Sequence[Sequence[Detection]], edges: Sequence[tuple[int, int]], width: int
) -> tuple[Detection, ...]:
    """One list of what each tile's look ``found`` (in pixels of the whole picture), surest first."""
    whole = [
        one
        for (left, right), tile in zip(edges, found, strict=True)
        for one in tile
        if (left == 0 or one.box.left > left + _SEAM) and (right == width or one.box.right < right - _SEAM)
    ]
    kept: list[Detection] = []
    for one in sorted(whole, key=lambda each: -each.score):
        area = one.box.width * one.box.height
        if not any(
            iou(one.box, other.box) > _SAME or intersection_area(one.box, other.box) > _WITHIN * area
            for other in kept
        ):
            kept.append(one)
    return tuple(kept)
