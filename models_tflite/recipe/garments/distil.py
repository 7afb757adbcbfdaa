"""Coarse labels for real silhouettes: `python -m garments.distil --teacher FILE --videos FILE… --output DIR`.

A published body-part model labels licensed videos (Debian's OpenCV sample, a CC BY sample): torso, arms, legs, feet.
Rules: the teacher is a labeller only and is never shipped; where it is unsure nothing is asked; only people who stand
alone are used; heads are blanked by the unit's own code before anything is stored, and nothing else is stored.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.garments import COLUMNS, LOGITS, ROWS, STEP, alignment, shown
from appliance.unit.vision.models.person_detector import People
from appliance.unit.vision.models.pose_estimator import Poses
from appliance.unit.vision.models.runtime import Wish, _runtime, choose_accelerator, load_model
from appliance.unit.vision.regions import headless
from appliance.unit.vision.types import Box, Frame
from garments.labels import ARM, FOOT, LEG, TORSO, UNSEEN

_PARTS = np.array([UNSEEN] * 2 + [ARM] * 10 + [TORSO] * 2 + [LEG] * 8 + [FOOT] * 2, np.uint8)
_CELL = 16
_SURE = 1.4
"""Logit above which the teacher is believed to see a person, and below minus which it is believed not to."""
_SMALLEST = 70
Labels = npt.NDArray[np.uint8]


class Teacher:
    """Labels the crop of a person."""

    def __init__(self, path: Path) -> None:
        self._run = _runtime().Interpreter(model_path=str(path), num_threads=1)
        self._run.allocate_tensors()
        self._fed = self._run.get_input_details()[0]
        outputs = sorted(self._run.get_output_details(), key=lambda one: int(one["shape"][-1]))
        self._person, self._parts = outputs

    def label(self, pixels: npt.NDArray[np.uint8]) -> Labels:
        """One label per pixel of a crop (h, w, 3)."""
        _, height, width, _ = (int(side) for side in self._fed["shape"])
        self._run.set_tensor(self._fed["index"], cv2.resize(pixels, (width, height))[np.newaxis])
        self._run.invoke()
        person, parts = (self._map(one, (height, width)) for one in (self._person, self._parts))
        labels = _PARTS[parts.argmax(axis=2)]
        labels[np.abs(person[..., 0]) < _SURE] = UNSEEN
        labels[person[..., 0] <= -_SURE] = 0
        size = (pixels.shape[1], pixels.shape[0])
        return cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)

    def _map(self, output: dict[str, Any], size: tuple[int, int]) -> npt.NDArray[np.float32]:
        """An output's real values at every pixel; cell i of its grid is on pixel 16 i."""
        raw = self._run.get_tensor(output["index"])[0]
        scale, zero = output["quantization"]
        real = (raw.astype(np.float32) - zero) * np.float32(scale or 1)
        rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32) / _CELL
        spread = [cv2.remap(real[..., k], columns, rows, cv2.INTER_LINEAR) for k in range(real.shape[2])]
        return np.stack(spread, axis=-1)


def frames(paths: list[Path], step: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Every ``step``-th frame of the videos, RGB."""
    for path in paths:
        video, number = cv2.VideoCapture(str(path)), 0
        while True:
            readable, frame = video.read()
            if not readable:
                break
            if number % step == 0:
                yield np.ascontiguousarray(frame[..., ::-1]).astype(np.uint8)
            number += 1


def alone(box: Box, others: list[Box]) -> bool:
    """Whether no other box comes within a third of this one's width."""
    aside = box.width / 3
    return all(
        one.right < box.left - aside
        or one.left > box.right + aside
        or one.bottom < box.top
        or one.top > box.bottom
        for one in others
    )


def main() -> None:
    """Write one shard of headless people with coarse labels."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--teacher", type=Path, required=True)
    asked.add_argument("--videos", type=Path, nargs="+", required=True)
    asked.add_argument("--output", type=Path, required=True)
    asked.add_argument("--step", type=int, default=5)
    chosen = asked.parse_args()
    catalogue, place = read_catalogue(default_model_directory()), choose_accelerator(wish=Wish.CPU)
    people = People(load_model(catalogue.named("people"), place))
    poses = Poses(load_model(catalogue.named("pose"), place))
    teacher, pictures, places = Teacher(chosen.teacher), [], []
    for pixels in frames(chosen.videos, chosen.step):
        frame = Frame(pixels=pixels, at=0.0)
        boxes = [found.box for found in people.find(frame)]
        for box in boxes:
            others = [one for one in boxes if one is not box]
            pose = poses.find(frame, box) if box.height >= _SMALLEST and alone(box, others) else None
            person = headless(frame, pose, others) if pose else None
            if pose is None or person is None:
                continue
            left, top = max(0, int(box.left - 0.15 * box.height)), max(0, int(box.top))
            right, bottom = int(box.right + 0.15 * box.height), int(box.bottom + 0.05 * box.height)
            labels = teacher.label(pixels[top:bottom, left:right])
            picture = shown(person)
            pictures.append(picture)
            places.append(_aligned(labels, pose_joints(pose.keypoints) - (left, top, 0), picture))
    path = chosen.output / "real-000.npz"
    kinds = np.ones((len(pictures), LOGITS), np.uint8)
    np.savez_compressed(path, pictures=np.stack(pictures), places=np.stack(places), kinds=kinds)
    print(f"{path}: {len(pictures)} people", flush=True)


def pose_joints(keypoints: tuple[object, ...]) -> npt.NDArray[np.float32]:
    """(17, 3) x, y, score."""
    return np.array([(point.x, point.y, point.score) for point in keypoints], np.float32)  # type: ignore[attr-defined]


def _aligned(labels: Labels, joints: npt.NDArray[np.float32], picture: npt.NDArray[np.uint8]) -> Labels:
    to_cells = alignment(joints.astype(np.float32)) / STEP
    to_cells[:, 2] -= (STEP - 1) / (2 * STEP)
    size = (COLUMNS // STEP, ROWS // STEP)
    out = cv2.warpAffine(labels, to_cells, size, flags=cv2.INTER_NEAREST, borderValue=(UNSEEN,)).astype(
        np.uint8
    )
    black = cv2.resize((picture.max(axis=2) == 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    out[black > 0.4] = UNSEEN
    return out


if __name__ == "__main__":
    main()
