"""From a frame and a pose to the cloth that may be looked at: the head is blanked first, then regions are cut.

Invariants:
    * ``headless`` is the only way from a frame to a garment. It copies the person out, sets every pixel above
      the shoulders, around the head joints and in the head zone of everybody else in the crop to zero, and marks them
      unseen. Nothing after it is ever given the frame.
    * Where the shoulders or hips are not sure, where the person bends, or is mostly hidden: None, not a guess.
    * Skin is left out by place, not by tone: hands and forearms are cut out of every region they cross, the neck's
      opening stays out of the top, and a limb counts as bare only by being unlike the same person's own cloth
      (attributes.py). No colour of skin is measured against anything, stored or said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.unit.vision.types import Box, Frame, Joint, Pixels, Pose

Mask = NDArray[np.uint8]
"""(height, width) uint8: 255 inside, 0 outside."""
Points = NDArray[np.float32]

MOST_ROWS: Final = 192
"""Crops are shrunk to this height: beyond it cloth shows weave, not colour."""
SURE_JOINT: Final = 0.25
_SURE_HEAD: Final = 0.10
_MARGIN: Final = 0.08
"""Blanked below the shoulder line, in torso lengths: chin, beard and collar."""
_HEAD_RADIUS: Final = 0.40
"""Blanked around the head joints beyond the farthest of them, in torso lengths (a head is 0.45 of one high)."""
_HEAD_ZONE: Final = 0.24
"""Upper share of somebody else's box that is blanked: head and neck are 0.18 of a standing person."""
_SWUNG: Final = 0.12
"""Share of somebody's box, on either side, that below the head holds little but swinging arms."""
_SHORTEST_TORSO: Final = 14.0
_UPRIGHT: Final = 0.75
_TILT: Final = 0.6
_MOST_HIDDEN: Final = 0.45
_FEWEST_PIXELS: Final = 24

_HEAD: Final = tuple(joint for joint in Joint if joint < Joint.LEFT_SHOULDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headless:
    """A person without a head: ``pixels`` (h, w, 3) RGB, ``seen`` (h, w) 0 where blanked or hidden, and joints.

    ``joints`` are (17, 3) x, y, score in the pixels of this crop; those of the head are zero. ``torso`` is the
    length from the middle of the shoulders to that of the hips, in the pixels of this crop; ``height`` is the
    person's box in frame pixels, and ``scale`` how many pixels of this crop make one of the frame.
    """

    pixels: Pixels
    seen: Mask
    joints: Points
    torso: float
    height: float
    scale: float


def headless(frame: Frame, pose: Pose, others: Sequence[Box] = ()) -> Headless | None:
    """The person of ``pose`` with the head blanked, or None where that cannot be done surely.

    ``others`` are the boxes of everybody else in the frame.
    """
    joints = np.array([(point.x, point.y, point.score) for point in pose.keypoints], np.float32)
    torso = _torso(joints)
    if torso < _SHORTEST_TORSO:
        return None
    box = pose.box
    rows, columns = frame.pixels.shape[:2]
    margin = 0.06 * box.height
    left, right = max(0, math.floor(box.left - margin)), min(columns, math.ceil(box.right + margin))
    top, bottom = max(0, math.floor(box.top)), min(rows, math.ceil(box.bottom + margin))
    if right - left < 8 or bottom - top < 24:
        return None
    pixels = frame.pixels[top:bottom, left:right].copy()
    joints[:, 0] -= left
    joints[:, 1] -= top
    seen = np.full(pixels.shape[:2], 255, np.uint8)
    _blank_head(seen, joints, torso)
    for other in others:
        _blank_other(seen, other, own=box, origin=(left, top))
    pixels[seen == 0] = 0
    joints[: Joint.LEFT_SHOULDER] = 0
    scale = min(1.0, MOST_ROWS / pixels.shape[0])
    if scale < 1:
        size = (max(8, round(pixels.shape[1] * scale)), round(pixels.shape[0] * scale))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        # Mixed border pixels hold some head: what is not wholly seen is not seen.
        seen = np.where(cv2.resize(seen, size, interpolation=cv2.INTER_AREA) == 255, 255, 0).astype(np.uint8)
        pixels[seen == 0] = 0
        joints[:, :2] *= scale
    return Headless(
        pixels=pixels, seen=seen, joints=joints, torso=torso * scale, height=box.height, scale=scale
    )


def _torso(joints: Points) -> float:
    """Length of the torso; 0 where its four joints are unsure, it is not upright, or the shoulders lean far."""
    four = joints[[Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.LEFT_HIP, Joint.RIGHT_HIP]]
    if float(four[:, 2].min()) < SURE_JOINT:
        return 0.0
    across = (four[2, :2] + four[3, :2] - four[0, :2] - four[1, :2]) / 2
    length = float(np.hypot(*across))
    tilt = abs(float(four[0, 1] - four[1, 1]))
    return length if float(across[1]) >= _UPRIGHT * length and tilt <= _TILT * length else 0.0


def _blank_head(seen: Mask, joints: Points, torso: float) -> None:
    """Zero all above the shoulder line (with a margin below it) and a disc around the head joints."""
    width = seen.shape[1]
    ends = joints[[Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER], :2]
    a, b = ends[ends[:, 0].argsort()]
    down = _MARGIN * torso
    outline = np.array(
        [
            (-1, -1),
            (width, -1),
            (width, b[1] + down),
            (b[0], b[1] + down),
            (a[0], a[1] + down),
            (-1, a[1] + down),
        ]
    )
    cv2.fillPoly(seen, [np.ceil(outline).astype(np.int32)], 0)
    # Whatever the shoulders say, a head joint and all above the lowest of them is head.
    head = joints[list(_HEAD)]
    head = head[head[:, 2] >= _SURE_HEAD]
    if len(head):
        centre = head[:, :2].mean(axis=0)
        spread = float(np.hypot(*(head[:, :2] - centre).T).max())
        radius = min(spread, 0.4 * torso) + _HEAD_RADIUS * torso
        cv2.circle(seen, (round(float(centre[0])), round(float(centre[1]))), math.ceil(radius), 0, -1)


def _blank_other(seen: Mask, other: Box, *, own: Box, origin: tuple[int, int]) -> None:
    """Zero the head zone of somebody else, and the trunk and legs of whoever stands nearer."""
    neck = other.top + _HEAD_ZONE * other.height
    _blank(
        seen, origin, (other.left, other.right), 0.05 * other.width, (other.top - 0.03 * other.height, neck)
    )
    if other.bottom > own.bottom:
        _blank(seen, origin, (other.left, other.right), -_SWUNG * other.width, (neck, other.bottom))


def _blank(
    seen: Mask, origin: tuple[int, int], across: tuple[float, float], aside: float, down: tuple[float, float]
) -> None:
    """Zero the columns ``across``, widened by ``aside``, in the rows ``down`` of the frame."""
    left, top = origin
    x0, x1 = max(0, math.floor(across[0] - aside - left)), math.ceil(across[1] + aside - left)
    y0, y1 = max(0, math.floor(down[0] - top)), math.ceil(down[1] - top)
    if x1 > x0 and y1 > y0:
        seen[y0:y1, x0:x1] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """Where cloth (or a bare limb) is in a headless crop; each mask is None where too little of it is seen.

    ``sleeves`` are upper arms, ``forearms`` elbow to wrist, ``hands`` beyond;
    ``hips`` are the upper half of the thighs, where every lower garment has cloth;
    ``thighs`` and ``shins`` the legs;
    ``feet`` are below the ankles.
    """

    top: Mask | None
    sleeves: Mask | None
    forearms: Mask | None
    hands: Mask | None
    hips: Mask | None
    thighs: Mask | None
    shins: Mask | None
    feet: Mask | None


def regions(person: Headless) -> Regions | None:
    """Cut a headless person into regions; None where not even enough of the torso is seen."""
    joints, torso, seen = person.joints, person.torso, person.seen
    forearm = _limbs(
        person, ((Joint.LEFT_ELBOW, Joint.LEFT_WRIST), (Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST)), 0.05, 0.1
    )
    hands = np.zeros_like(seen)
    for elbow, wrist in ((Joint.LEFT_ELBOW, Joint.LEFT_WRIST), (Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST)):
        if joints[wrist, 2] >= SURE_JOINT:
            tip = joints[wrist, :2] + 0.22 * (joints[wrist, :2] - joints[elbow, :2])
            cv2.circle(hands, _pixel(tip), max(1, round(0.07 * torso)), 255, -1)
    limbs = np.asarray(cv2.dilate(forearm | hands, np.ones((3, 3), np.uint8)), np.uint8)
    trunk = _trunk(person)
    visible = cv2.countNonZero(trunk & seen) / max(1, cv2.countNonZero(trunk))
    if visible < 1 - _MOST_HIDDEN:
        return None
    clear = seen & ~limbs
    shins = _limbs(
        person, ((Joint.LEFT_KNEE, Joint.LEFT_ANKLE), (Joint.RIGHT_KNEE, Joint.RIGHT_ANKLE)), 0.06, 0.2, 0.85
    )
    return Regions(
        top=_enough(trunk & clear),
        sleeves=_enough(
            _limbs(
                person,
                ((Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW), (Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW)),
                0.06,
                0.25,
            )
            & clear,
            12,
        ),
        forearms=_enough(forearm & seen, 12),
        hands=_enough(hands & seen, 6),
        hips=_enough(_thighs(person, 0.15, 0.50) & clear & ~trunk, 12),
        thighs=_enough(_thighs(person, 0.25, 0.90) & clear & ~trunk),
        shins=_enough(shins & clear, 16),
        feet=_feet(person),
    )


def _pixel(point: Points) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _enough(mask: Mask, fewest: int = _FEWEST_PIXELS) -> Mask | None:
    return mask if cv2.countNonZero(mask) >= fewest else None


def _trunk(person: Headless) -> Mask:
    """Below the neck's opening to above the belt, narrowed so that the background beside it stays out."""
    joints, torso = person.joints, person.torso
    shoulders = joints[[Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER], :2]
    hips = joints[[Joint.LEFT_HIP, Joint.RIGHT_HIP], :2]
    upper, lower = shoulders.mean(axis=0), hips.mean(axis=0)
    # A person seen from the side is still about a third of a torso deep.
    half_upper = max(0.42 * abs(float(shoulders[0, 0] - shoulders[1, 0])), 0.16 * torso)
    half_lower = max(0.45 * abs(float(hips[0, 0] - hips[1, 0])), 0.15 * torso)
    start, stop = upper + 0.16 * (lower - upper), upper + 0.90 * (lower - upper)
    outline = np.array(
        [
            (start[0] - half_upper, start[1]),
            (start[0] + half_upper, start[1]),
            (stop[0] + half_lower, stop[1]),
            (stop[0] - half_lower, stop[1]),
        ]
    )
    mask = np.zeros_like(person.seen)
    cv2.fillConvexPoly(mask, np.round(outline).astype(np.int32), 255)
    return mask


def _limbs(
    person: Headless,
    pairs: Sequence[tuple[Joint, Joint]],
    radius: float,
    start: float,
    stop: float = 1.0,
) -> Mask:
    """Both limbs between two joints each, from ``start`` to ``stop`` of the way, ``radius`` in torso lengths."""
    mask = np.zeros_like(person.seen)
    thickness = max(1, round(2 * radius * person.torso))
    for first, second in pairs:
        a, b = person.joints[first], person.joints[second]
        if min(float(a[2]), float(b[2])) >= SURE_JOINT:
            along = b[:2] - a[:2]
            cv2.line(mask, _pixel(a[:2] + start * along), _pixel(a[:2] + stop * along), 255, thickness)
    return mask


def _thighs(person: Headless, start: float, stop: float) -> Mask:
    """Both thighs between two shares of the way from hip to knee."""
    return _limbs(
        person, ((Joint.LEFT_HIP, Joint.LEFT_KNEE), (Joint.RIGHT_HIP, Joint.RIGHT_KNEE)), 0.10, start, stop
    )


def _feet(person: Headless) -> Mask | None:
    """Below the ankles; only of people large enough (measured: feet are useless below 150 pixels)."""
    if person.height < 150:
        return None
    mask = np.zeros_like(person.seen)
    for ankle in (Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE):
        if person.joints[ankle, 2] >= SURE_JOINT:
            x, y = person.joints[ankle, :2]
            cv2.circle(
                mask,
                _pixel(np.array((x, y + 0.10 * person.torso))),
                max(2, round(0.08 * person.torso)),
                255,
                -1,
            )
    return _enough(mask & person.seen, 12)
