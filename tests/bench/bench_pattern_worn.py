"""Prints how well patterns are read where the unit looks: pose, blanked head, region, window, network, prior.

    python tests/bench/bench_pattern_worn.py --photos FOLDER [--models DIRECTORY]

FOLDER and the list of what is worn are those of bench_pattern.py, which hands the network the true masks; here the
unit finds the cloth itself, once by the pose alone (geometry) and once by the garment network's masks. What is worn
above the waist or on the legs is the judged garment that covers most of both masks together, at least half; regions
without such a garment, or with one that is ambiguous to the eye, are counted and left out.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from bench_pattern import FALSE_ALARMS, HEIGHTS, STREET, TRUTH, auc, regions

from appliance.base.errors import LeftfieldError
from appliance.unit.vision.attributes.reading import pattern_masks
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.garments import Garments, refined
from appliance.unit.vision.models.pattern import KINDS, Patterns
from appliance.unit.vision.models.pose_estimator import Poses
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model
from appliance.unit.vision.regions import Headless, Mask, headless
from appliance.unit.vision.regions import regions as cut_regions
from appliance.unit.vision.types import Box, Frame

_JITTER: Final = 0.015
_MOST: Final = 0.5
Kinds = dict[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One region of one person: likelihoods of the five levels by each way of finding the cloth, and the truth."""

    geometry: tuple[float, ...] | None
    network: tuple[float, ...] | None
    pattern: str


def frames(folder: Path, height: int) -> Iterator[tuple[str, Frame, Box, npt.NDArray[np.uint8]]]:
    """Each photo once, as `bench_pattern` degrades it, with the person's box and the true masks' values."""
    rng, before = np.random.default_rng(height), ""
    for region in regions(folder, height):
        if region.photo == before:
            continue
        before = region.photo
        pixels = np.ascontiguousarray(region.pixels)
        stored = cv2.imread(str(folder / "masks" / f"{before}.png"), cv2.IMREAD_GRAYSCALE)
        values = cv2.resize(np.asarray(stored), pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        rows, columns = np.nonzero(values)
        edges = np.array([*np.percentile(columns, (0.3, 99.7)), *np.percentile(rows, (0.1, 99.9))])
        limits = np.array([pixels.shape[1]] * 2 + [pixels.shape[0]] * 2)
        left, right, top, bottom = np.clip(edges + rng.normal(0, _JITTER * height, 4), 0, limits).tolist()
        box = Box(left=left, top=top, right=right, bottom=bottom)
        yield before, Frame(pixels=pixels, at=0.0), box, values.astype(np.uint8)


def read(folder: Path, height: int, poses: Poses, garments: Garments, patterns: Patterns) -> list[Said]:
    """What is said of every region of every person that can be judged; `pattern` is empty where it cannot."""
    judged = _judged()
    found = []
    for photo, frame, box, values in frames(folder, height):
        pose = poses.find(frame, box)
        person = None if pose is None else headless(frame, pose)
        cut = None if person is None else cut_regions(person)
        if pose is None or person is None or cut is None:
            continue
        look = garments.look(person)
        cloth = refined(cut, look)
        ones = pattern_masks(person, cloth, look)
        inside = _crop(values, pose.box, person)
        for by_pose, by_network, one in zip(
            (cut.top, cut.thighs), (cloth.top, cloth.thighs), ones, strict=True
        ):
            if by_pose is None or by_network is None or one is None:
                continue
            worn = _worn(inside[(by_pose | by_network) > 0], judged.get(photo, {}))
            reading = [_read(patterns, person, mask) for mask in (by_pose, one)]
            found.append(Said(geometry=reading[0], network=reading[1], pattern=worn))
    return found


def _read(patterns: Patterns, person: Headless, mask: Mask) -> tuple[float, ...] | None:
    return patterns.read(person.pixels, mask, person.height * person.scale)


def _crop(values: npt.NDArray[np.uint8], box: Box, person: Headless) -> npt.NDArray[np.uint8]:
    """The true masks in the pixels of the headless crop."""
    margin = 0.06 * box.height
    left, right = max(0, int(np.floor(box.left - margin))), int(np.ceil(box.right + margin))
    part = values[max(0, int(box.top)) : int(np.ceil(box.bottom + margin)), left:right]
    size = (person.seen.shape[1], person.seen.shape[0])
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _judged() -> dict[str, Kinds]:
    found: dict[str, Kinds] = {}
    with TRUTH.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            found.setdefault(row["photo"], {})[int(row["value"])] = row["pattern"]
    return found


def _worn(values: npt.NDArray[np.uint8], judged: Kinds) -> str:
    counts = np.bincount(values, minlength=256)
    most = int(counts.argmax())
    pattern = judged.get(most, "")
    return pattern if counts[most] >= _MOST * len(values) and pattern != "ambiguous" else ""


def figures(said: list[Said], way: str) -> str:
    """One row: people judged, coverage, AUC, found at 5 % false alarms, kind of four, recall of each."""
    known = [one for one in said if one.pattern]
    told = [(getattr(one, way), one.pattern) for one in known if getattr(one, way) is not None]
    levels = np.array([likelihood for likelihood, _ in told])
    patterns = np.array([pattern for _, pattern in told])
    odds, patterned = np.log(levels[:, 1] / levels[:, 0]), patterns != "plain"
    found = (odds > np.quantile(odds[~patterned], 1 - FALSE_ALARMS))[patterned].mean()
    named = patterns != "patterned"
    truth = np.array([KINDS.index(pattern) for pattern in patterns[named]])
    guess = (levels[named][:, [0, 2, 3, 4]] * STREET).argmax(axis=1)
    recall = " ".join(f"{(guess == kind)[truth == kind].mean():.2f}" for kind in range(len(KINDS)))
    row = f"{len(told)} ({int(patterned.sum())}) | {len(told) / len(known):.2f} | {auc(odds, patterned):.3f}"
    return f"{row} | {found:.2f} | {(guess == truth).mean():.3f} | {recall}"


def main() -> None:
    """Print two rows per height."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--photos", type=Path, required=True)
    asked.add_argument("--models", type=Path)
    given = asked.parse_args()
    cv2.setNumThreads(1)
    catalogue = read_catalogue(given.models or default_model_directory())
    place = choose_accelerator(wish=Wish.CPU)
    poses = Poses(load_model(catalogue.named("pose"), place))
    garments = Garments(load_model(catalogue.named("garments"), place))
    patterns = Patterns(load_model(catalogue.named("pattern"), place))
    print("height | cloth by | n (patterned) | coverage | AUC | found at 5 % | kind of 4 | recall of each")
    for height in HEIGHTS:
        said = read(given.photos, height, poses, garments, patterns)
        for way in ("geometry", "network"):
            print(f"{height} | {way} | {figures(said, way)}", flush=True)
        print(f"  left out: {sum(not one.pattern for one in said)} of {len(said)} regions")


if __name__ == "__main__":
    try:
        main()
    except LeftfieldError as error:
        sys.exit(str(error))
