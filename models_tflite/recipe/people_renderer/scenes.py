"""Whole samples: a street behind, somebody dressed before it, a camera; then cut by the unit's own code.

Law: the picture goes through ``regions.headless`` and ``garments.shown`` of the unit, so the network is trained on
exactly what it will be shown: the head is already zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from appliance.unit.vision.models.garments import COLUMNS as NET_COLUMNS
from appliance.unit.vision.models.garments import ROWS as NET_ROWS
from appliance.unit.vision.models.garments import STEP, alignment, shown
from appliance.unit.vision.regions import headless
from appliance.unit.vision.types import Box, Frame, Keypoint, Pose
from people_renderer.bodies import Body, View, body
from people_renderer.canvas import COLUMNS, ROWS, TORSO, Canvas, Floats
from people_renderer.cloths import Wardrobe
from people_renderer.dressing import dress
from people_renderer.outfits import Outfit, outfit
from people_renderer.streets import Streets

Random = np.random.Generator
UNSEEN = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """``picture`` (128, 64, 3), ``places`` (64, 32) or 255 where blanked, ``kinds`` (12,) levels not excluded."""

    picture: npt.NDArray[np.uint8]
    places: npt.NDArray[np.uint8]
    kinds: npt.NDArray[np.uint8]
    tone: int


def sample(rng: Random, wardrobe: Wardrobe, streets: Streets, tone: int) -> Sample | None:
    """Render one sample of a Monk tone 0..9; None when the unit itself would not look at it."""
    canvas = Canvas(rng, streets.draw(rng))
    for _ in range(int(rng.random() < 0.3) + int(rng.random() < 0.1)):
        _passer_by(canvas, rng, wardrobe)
    canvas.labels[:] = 0
    if rng.random() < 0.4:  # a soft shadow on the ground
        cv2.ellipse(
            canvas.pixels,
            (COLUMNS // 2 + int(rng.normal(0, 12)), 56 + int(2.6 * TORSO)),
            (40, 8),
            0,
            0,
            360,
            (40, 40, 45),
            -1,
        )
    canvas.torso, canvas.origin = TORSO, np.array([COLUMNS / 2 + rng.normal(0, 3), 52.0 + rng.normal(0, 3)])
    who, worn = body(rng, tone), outfit(rng)
    dress(canvas, rng, who, worn, wardrobe)
    canvas.bent()
    legs_seen = _occluder(canvas, rng)
    pose = _pose(canvas, rng, who)
    pixels = photographed(rng, canvas.pixels)
    person = headless(Frame(pixels=pixels, at=0.0), pose)
    if person is None:
        return None
    picture = shown(person)
    joints = np.array([(point.x, point.y, point.score) for point in pose.keypoints], np.float32)
    to_net = alignment(joints)
    to_cells = to_net / STEP
    to_cells[:, 2] -= (STEP - 1) / (2 * STEP)
    size = (NET_COLUMNS // STEP, NET_ROWS // STEP)
    places = np.asarray(cv2.warpAffine(canvas.labels, to_cells, size, flags=cv2.INTER_NEAREST), np.uint8)
    black = cv2.resize((picture.max(axis=2) == 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    places[black > 0.4] = UNSEEN
    return Sample(
        picture=picture, places=places, kinds=kinds_of(who.view, worn, legs_seen=legs_seen), tone=tone
    )


def _passer_by(canvas: Canvas, rng: Random, wardrobe: Wardrobe) -> None:
    canvas.torso = TORSO * rng.uniform(0.45, 1.0)
    aside = rng.choice([-1, 1]) * rng.uniform(0.9, 1.6) * TORSO
    canvas.origin = np.array([COLUMNS / 2 + aside, 60.0 + rng.uniform(-15, 40)])
    dress(canvas, rng, body(rng, int(rng.integers(10))), outfit(rng), wardrobe)


def _occluder(canvas: Canvas, rng: Random) -> bool:
    """Now and then something stands before the legs or a side; tell whether the legs are still seen."""
    fate = rng.random()
    if fate > 0.1:
        return True
    shape = canvas.blank()
    if fate < 0.04:
        top = int(rng.uniform(150, 230))
        cv2.rectangle(shape, (0, top), (COLUMNS, ROWS), 255, -1)
        seen = top > 190
    else:
        x = int(rng.uniform(50, 140))
        cv2.rectangle(shape, (x, 0), (x + int(rng.integers(3, 22)), ROWS), 255, -1)
        seen = True
    canvas.paint(shape, rng.uniform(5, 240, 3).astype(np.float32), 0)
    return seen


def _pose(canvas: Canvas, rng: Random, who: Body) -> Pose:
    """The joints as the pose network would give them: a little off."""
    body_points = [
        limb_point
        for arm in zip(*((a.root, a.bend, a.end) for a in who.arms), strict=True)
        for limb_point in arm
    ]
    hips = [np.array([-who.hip, 1.0]), np.array([who.hip, 1.0])]
    legs = [p for pair in zip(*((a.bend, a.end) for a in who.legs), strict=True) for p in pair]
    head = [
        np.array([x, y]) for x, y in ((0, -0.34), (-0.05, -0.38), (0.05, -0.38), (-0.1, -0.36), (0.1, -0.36))
    ]
    points = canvas.at(np.array([*head, *body_points, *hips, *legs]))
    off = rng.normal(0, rng.uniform(0.01, 0.06) * TORSO, points.shape)
    aside = rng.uniform(0.5, 1.0, 2)
    left, right = canvas.at((-aside[0], 0))[0], canvas.at((aside[1], 0))[0]
    top, bottom = canvas.at((0, -0.7))[1], canvas.at((0, 2.78))[1]
    jitter = rng.normal(0, 4, 4)
    box = Box(
        left=left + jitter[0],
        top=max(0.0, top + jitter[1]),
        right=right + jitter[2],
        bottom=bottom + jitter[3],
    )
    return Pose(
        box=box, keypoints=tuple(Keypoint(x=float(x), y=float(y), score=0.8) for x, y in points + off)
    )


def photographed(rng: Random, clean: Floats) -> npt.NDArray[np.uint8]:
    """Camera and weather: light, white balance, night, rain, blur, few pixels, noise, JPEG."""
    exposure, night = rng.uniform(0.75, 1.75), rng.random() < 0.05
    out: npt.NDArray[Any] = (
        np.clip(clean / 255, 0, 1) ** rng.uniform(0.8, 1.25) * exposure * (0.3 if night else 1)
    )
    out = out * rng.uniform(0.86, 1.14, 3)
    if rng.random() < 0.08:  # haze, backlight
        out = out * 0.75 + rng.uniform(0.1, 0.25)
    if rng.random() < 0.05:
        streaks = (rng.random((ROWS, COLUMNS)) < 0.004).astype(np.float32)
        out = out + cv2.blur(streaks, (1, 11))[..., np.newaxis] * 2
    shrink = 1 - rng.random() ** 1.6 * 0.68
    size = (round(COLUMNS * shrink), round(ROWS * shrink))
    small = cv2.resize(out.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.3:
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.15:
        small = cv2.blur(small, (int(rng.integers(2, 6)), 1))
    noise = np.asarray(rng.standard_normal(small.shape), np.float32)
    small = small + noise * rng.uniform(0, 0.04) * (2 if night else 1)
    raw = np.clip(small * 255, 1, 255).astype(np.uint8)
    if rng.random() < 0.6:
        coded = cv2.imencode(".jpg", raw, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))])[1]
        raw = np.maximum(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8), 1)
    return np.asarray(cv2.resize(raw, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR), np.uint8)


def kinds_of(view: View, worn: Outfit, *, legs_seen: bool) -> npt.NDArray[np.uint8]:
    """One entry per level of every head: 1 where the picture does not exclude it."""
    lower = {"trousers": (1, 0, 0), "shorts": (0, 1, 0), "skirt": (0, 0, 1)}[worn.lower]
    hidden = worn.outer != "none" and worn.outer_hem > min(worn.hem, 1.9) - 0.05
    if hidden and worn.lower != "trousers" and (worn.outer == "closed" or view is View.BACK):
        lower = (0, 1, 1)
    if not legs_seen:
        lower = (1, 1, 1)
    covered = 2.0 if worn.outer != "none" and not worn.vest else worn.sleeve
    sleeves = (1, 0) if covered > 1.6 else (0, 1) if covered < 1.1 else (1, 1)
    outer = {"none": (1, 0, 0), "open": (0, 1, 0), "closed": (0, 0, 1)}[worn.outer]
    if worn.outer == "open" and view is not View.FRONT:
        outer = (0, 1, 1)
    piece = (0, 1) if worn.one_piece else (1, 0)
    if worn.outer == "closed":
        piece = (1, 1)
    bag = (1, 1) if worn.bag == "back" and view is not View.BACK else (1, 0) if worn.bag == "none" else (0, 1)
    return np.array([*lower, *sleeves, *outer, *piece, *bag], np.uint8)
