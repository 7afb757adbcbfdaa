"""What a detector's boxes mean where people cover one another, or are cut off by the frame. Pure.

Invariants:
    * Geometry alone. A box is completed, or read as two people; none is made where the detector saw nobody.
    * What was seen stays beside what it is taken to mean: only the latter is tracked, only the former looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from appliance.unit.vision.tracking.boxes import intersection_area, iou, union_box
from appliance.unit.vision.types import Box, Detection

_SLENDER: Final = 0.36
"""Width of a person who walks, in heights: a narrower box at the frame's edge is a part of one."""
_EDGE: Final = 2.0
_INSIDE: Final = 0.6
_WIDER: Final = 1.25
_DEPTH: Final = 0.08
"""Feet lower by this share of a height are surely nearer; the boxes' own error is a quarter of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One person a detector may have seen: ``seen`` as it was, ``whole`` as it is taken to be.

    ``alone`` is False where the box seen holds somebody else as well.
    """

    seen: Box
    whole: Box
    score: float
    alone: bool = True


def candidates(
    detections: Sequence[Detection], followed: Sequence[Box], extent: tuple[int, int] | None
) -> list[Candidate]:
    """Whom the detections may be, given where those ``followed`` of late are expected; ``extent``: the frame's."""
    plain = [
        Candidate(seen=found.box, whole=completed(found.box, extent), score=found.score)
        for found in detections
    ]
    split: list[Candidate] = []
    for one in plain:
        box = one.whole
        width = box.width / _WIDER
        # Most boxes are no wider than whoever is followed there, and settled here.
        inside = [
            each
            for each in followed
            if each.right - each.left <= width
            and each.left < box.right
            and each.right > box.left
            and intersection_area(each, box) > _INSIDE * each.width * each.height
        ]
        others = [other.whole for other in plain if other is not one] if len(inside) > 1 else []
        split.extend(_parted(one, inside, others) or (one,))
    return split


def completed(box: Box, extent: tuple[int, int] | None) -> Box:
    """The box of somebody whom the frame's left or right edge cuts, as wide as a person is.

    Else the middle of somebody who enters moves at half their speed, and two who enter together are taken for one.
    """
    full = _SLENDER * box.height
    if extent is None or box.width >= full:
        return box
    if box.left <= _EDGE:
        return Box(left=box.right - full, top=box.top, right=box.right, bottom=box.bottom)
    if box.right >= extent[0] - _EDGE:
        return Box(left=box.left, top=box.top, right=box.left + full, bottom=box.bottom)
    return box


def hidden(box: Box, others: Iterable[Box]) -> float:
    """How surely somebody expected in ``box`` is behind one of the others, 0 to 1: share covered times nearness."""
    area = box.width * box.height
    left, right, feet = box.left, box.right, box.bottom
    return max(
        (
            min(1.0, (other.bottom - feet) / (_DEPTH * box.height)) * intersection_area(box, other) / area
            for other in others
            if other.bottom > feet and other.left < right and other.right > left
        ),
        default=0.0,
    )


def _parted(one: Candidate, inside: Sequence[Box], others: Sequence[Box]) -> tuple[Candidate, ...]:
    """The two of the people ``inside`` whom a wide box surrounds, each at its side; nobody where it is a box of one.

    Whoever has a better box of their own is left out.
    """
    box = one.whole
    fits = [
        (iou(union_box(a, b), box), a, b)
        for a, b in combinations(inside, 2)
        if iou(union_box(a, b), box) > max(_INSIDE, iou(a, box), iou(b, box))
    ]
    if not fits:
        return ()
    _, *pair = max(fits, key=lambda fit: fit[0])
    left, right = sorted(pair, key=lambda each: each.left + each.right)
    placed = (
        (left, Box(left=box.left, top=left.top, right=box.left + left.width, bottom=left.bottom)),
        (right, Box(left=box.right - right.width, top=right.top, right=box.right, bottom=right.bottom)),
    )
    return tuple(
        Candidate(seen=one.seen, whole=whole, score=one.score, alone=False)
        for expected, whole in placed
        if not any(iou(other, expected) > iou(box, expected) for other in others)
    )
