"""Renders shards of samples: `python -m bodies3d.samples --clothes DIR --output DIR --first N --scenes N`.

A shard is one scene: its people as the unit would see them, in the layout of people_renderer's shards, and windows of
their cloth in the layout of pattern's. Resumable: a shard that is there is not rendered again; each has its own seed.
Law: what is stored went through the unit's ``headless``, ``garments.shown`` and ``pattern.window``: no head is in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from people_renderer.bodies import View
from people_renderer.outfits import BACKGROUND, LOWER
from people_renderer.scenes import kinds_of

from appliance.unit.vision.models.garments import COLUMNS, ROWS, STEP, alignment, shown
from appliance.unit.vision.models.pattern import window
from appliance.unit.vision.regions import headless, regions
from appliance.unit.vision.types import Box, Frame, Keypoint, Pose
from bodies3d.clothes import KINDS
from bodies3d.people import Bodies
from bodies3d.scenes import PLACES, Scene, Standing, scenes
from bodies3d.tailor import HEAD, Wardrobe

Random = np.random.Generator
PEOPLE: Final = 10
PHOTOGRAPHS: Final = 2
"""Times each rendered picture is photographed: rendering is dear, photographs are cheap."""
_FEWEST: Final = 1500
_LEAST_HEIGHT: Final = 70.0
_UNSEEN: Final = 255


@dataclass(slots=True)
class Shard:
    """What one scene gives."""

    pictures: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    places: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    kinds: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    tones: list[int] = field(default_factory=list)
    cloth: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    facts: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, rng: Random, one: Scene) -> None:
        """Photograph a rendered picture and cut out everybody who can be read in it."""
        scale = rng.uniform(0.45, 1.0)
        size = (round(one.pixels.shape[1] * scale), round(one.pixels.shape[0] * scale))
        pixels = photographed(rng, one.pixels, size)
        numbers = cv2.resize(one.numbers, size, interpolation=cv2.INTER_NEAREST)
        boxes = [_box(numbers // PLACES == number + 1) for number in range(len(one.people))]
        for number, who in enumerate(one.people):
            box = boxes[number]
            if box is None or box.height < _LEAST_HEIGHT or _cut(box, size):
                continue
            others = [other for k, other in enumerate(boxes) if other is not None and k != number]
            self._person(
                rng,
                pixels,
                np.where(numbers // PLACES == number + 1, numbers % PLACES, 0),
                who,
                scale,
                box,
                others,
            )

    def _person(
        self,
        rng: Random,
        pixels: npt.NDArray[np.uint8],
        labels: npt.NDArray[Any],
        who: Standing,
        scale: float,
        box: Box,
        others: list[Box],
    ) -> None:
        if np.count_nonzero(labels) < _FEWEST * scale**2:
            return
        joints = who.joints * scale + rng.normal(0, 0.008 * box.height, who.joints.shape)
        pose = Pose(box=box, keypoints=tuple(Keypoint(x=float(x), y=float(y), score=0.8) for x, y in joints))
        person = headless(Frame(pixels=pixels, at=0.0), pose, others)
        if person is None or regions(person) is None:
            return
        table = np.array([[*point, 0.8] for point in joints], np.float32)
        left, top = max(0.0, np.floor(box.left - 0.06 * box.height)), max(0.0, np.floor(box.top))
        to_cells = alignment(table) / STEP
        to_cells[:, 2] -= (STEP - 1) / (2 * STEP)
        worn = np.where(labels == HEAD, BACKGROUND, labels).astype(np.uint8)
        cells = np.asarray(
            cv2.warpAffine(worn, to_cells, (COLUMNS // STEP, ROWS // STEP), flags=cv2.INTER_NEAREST), np.uint8
        )
        picture = shown(person)
        dark = cv2.resize(
            (picture.max(axis=2) == 0).astype(np.float32), cells.shape[::-1], interpolation=cv2.INTER_AREA
        )
        cells[dark > 0.4] = _UNSEEN
        view = View.FRONT if who.turned < 55 else View.BACK if who.turned > 125 else View.SIDE
        legs = bool(np.isin(worn, [LOWER]).sum() > 0.02 * box.height * box.width)
        self.pictures.append(picture)
        self.places.append(cells)
        self.kinds.append(kinds_of(view, who.dressed.worn, legs_seen=legs))
        self.tones.append(who.dressed.tone)
        for place, kind in who.dressed.patterns.items():
            mask = _within(worn == place, person.pixels.shape[:2], (left, top), person.scale)
            cut = window(person.pixels, mask & person.seen, person.height * person.scale) if kind else None
            if cut is not None and np.count_nonzero(cut.mask) > 500:
                self.cloth.append(np.dstack([cut.pixels, cut.mask]))
                self.facts.append((KINDS.index(kind), box.height, 0.0))

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        partial = path.with_suffix(".partial.npz")
        np.savez_compressed(
            partial, pictures=np.stack(self.pictures), places=np.stack(self.places), kinds=np.stack(self.kinds),
            tones=np.array(self.tones, np.uint8), cloth=np.stack(self.cloth), facts=np.array(self.facts, np.float32),
        )  # fmt: skip
        partial.replace(path)


def _within(
    mask: npt.NDArray[np.bool_], size: tuple[int, ...], origin: tuple[float, float], scale: float
) -> npt.NDArray[np.uint8]:
    """A mask of the frame in the pixels of the headless crop."""
    left, top = int(origin[0]), int(origin[1])
    rows, columns = round(size[0] / scale), round(size[1] / scale)
    part = np.zeros((rows, columns), np.uint8)
    found = mask[top : top + rows, left : left + columns]
    part[: found.shape[0], : found.shape[1]] = found * np.uint8(255)
    small = cv2.resize(part, size[::-1], interpolation=cv2.INTER_AREA)
    return np.where(small >= 200, 255, 0).astype(np.uint8)


def _box(mask: npt.NDArray[np.bool_]) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) < 8 or len(columns) < 4:
        return None
    return Box(
        left=float(columns[0]), top=float(rows[0]), right=float(columns[-1] + 1), bottom=float(rows[-1] + 1)
    )


def _cut(box: Box, size: tuple[int, int]) -> bool:
    """Whether somebody stands in the picture's edge."""
    return box.left < 2 or box.right > size[0] - 2 or box.bottom > size[1] - 2


def photographed(rng: Random, clean: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Light, white balance, haze, rain, motion, lens, few pixels, noise, JPEG."""
    real = np.asarray((clean.astype(np.float32) / 255) ** rng.uniform(0.8, 1.25), np.float32)
    level = float(np.clip(real.mean(), 0.05, 1))
    real = real * (rng.uniform(0.25, 0.55) / level) ** 0.8 * rng.uniform(0.88, 1.12, 3).astype(np.float32)
    if rng.random() < 0.1:  # haze, back light
        real = real * 0.75 + np.float32(rng.uniform(0.08, 0.22))
    if rng.random() < 0.07:
        streaks = (rng.random(real.shape[:2]) < 0.003).astype(np.float32)
        real = real + cv2.blur(streaks, (1, 11))[..., np.newaxis] * 2
    if rng.random() < 0.12:
        real = cv2.blur(real, (int(rng.integers(2, 5)), 1))
    small = cv2.resize(np.asarray(real, np.float32), size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.35:
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.6:  # a camera's sharpening
        small = small + rng.uniform(0.2, 1.2) * (small - cv2.GaussianBlur(small, (0, 0), 1.0))
    noise = np.asarray(rng.standard_normal(small.shape), np.float32)
    small = small + noise * np.float32(rng.uniform(0.003, 0.03))
    raw = np.clip(small * 255, 1, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", raw[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))])[1]
    return np.maximum(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1], 1)


def main() -> None:
    """Render the scenes from ``--first`` on, ``--step`` apart."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument(
        "--clothes", type=Path, required=True, help="MakeHuman's CC0 garments: clothes/, hair/"
    )
    asked.add_argument("--output", type=Path, required=True)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--scenes", type=int, default=500)
    asked.add_argument("--step", type=int, default=1)
    asked.add_argument("--pictures", type=int, default=0, help="store so many whole pictures, to look at")
    given = asked.parse_args()
    cv2.setNumThreads(1)
    given.output.mkdir(parents=True, exist_ok=True)
    bodies, wardrobe = Bodies(), Wardrobe(given.clothes)
    for number in range(given.first, given.first + given.scenes, given.step):
        path = given.output / f"people-{number:05d}.npz"
        if path.exists():
            continue
        rng, shard, started = np.random.default_rng(30_000 + number), Shard(), time.process_time()
        with tempfile.TemporaryDirectory() as scratch:
            for turn, one in enumerate(scenes(rng, bodies, wardrobe, PEOPLE, Path(scratch))):
                for _ in range(PHOTOGRAPHS):
                    shard.add(rng, one)
                if number - given.first < given.pictures:
                    cv2.imwrite(
                        str(given.output / f"street-{number:05d}-{turn}.jpg"),
                        np.ascontiguousarray(one.pixels[..., ::-1]),
                    )
        if shard.pictures and shard.cloth:
            shard.write(path)
        spent = time.process_time() - started
        print(
            f"scene {number}: {len(shard.pictures)} looks, {len(shard.cloth)} windows, {spent:.1f} CPU s",
            flush=True,
        )


if __name__ == "__main__":
    main()
