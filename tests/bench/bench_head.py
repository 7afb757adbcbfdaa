"""Prints how much head and skin the attribute networks are shown, with a body-part model as judge.

    python tests/bench/bench_head.py --judge FILE [--photos FOLDER] [--videos FILE…] [--worst N]

FILE is a BodyPix model in TFLite (MobileNet, stride 16, uint8), which is no part of this repository: parts 0 and 1
are the two halves of a head. FOLDER holds photos/NNNN.jpg and masks/NNNN.png (a garment's number per pixel, where 19
is hair, 20 a hat, 41 skin); there, hair and skin are judged by the masks. The unit finds, poses and blanks; then is
counted, of all pixels the networks may look at, which are head: in the headless crop, in what the garment network is
fed, and in the masks that colour and pattern are read from. Aims: head at most 0.5 %, skin in these at most 10 %.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from appliance.base.errors import LeftfieldError
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.garments import COLUMNS, ROWS, Garments, alignment, refined
from appliance.unit.vision.models.person_detector import People
from appliance.unit.vision.models.pose_estimator import Poses
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model
from appliance.unit.vision.regions import Headless, headless, regions
from appliance.unit.vision.types import Box, Frame, Pose

HEIGHTS: Final = (300, 200, 150, 100)
HAIR, SKIN = (19, 20), 41
_SIZES: Final = ((150, "150 and more"), (100, "100 to 150"), (60, "60 to 100"))
_CELL: Final = 16
_JITTER: Final = 0.015
Picture = npt.NDArray[np.uint8]
Truth = npt.NDArray[np.bool_]


class Judge:
    """A body-part model that is asked where heads are."""

    def __init__(self, path: Path) -> None:
        self._run = Interpreter(model_path=str(path), num_threads=1)
        self._run.allocate_tensors()
        self._fed = self._run.get_input_details()[0]
        outputs = sorted(self._run.get_output_details(), key=lambda one: int(one["shape"][-1]))
        self._person, self._parts = outputs

    def heads(self, pixels: Picture) -> Truth:
        """(h, w): where the judge sees a head in a crop (h, w, 3)."""
        _, height, width, _ = (int(side) for side in self._fed["shape"])
        self._run.set_tensor(self._fed["index"], cv2.resize(pixels, (width, height))[np.newaxis])
        self._run.invoke()
        person, parts = (self._spread(one, (height, width)) for one in (self._person, self._parts))
        head = ((parts.argmax(axis=2) < 2) & (person[..., 0] > 0)).astype(np.uint8)
        return cv2.resize(head, pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0

    def _spread(self, output: dict[str, object], size: tuple[int, int]) -> npt.NDArray[np.float32]:
        """An output's real values at every pixel of the input; cell i of its grid is on pixel 16 i."""
        raw = self._run.get_tensor(output["index"])[0]
        scale, zero = output["quantization"]  # type: ignore[misc]
        real = (raw.astype(np.float32) - zero) * np.float32(scale or 1)
        rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32) / _CELL
        spread = [cv2.remap(real[..., k], columns, rows, cv2.INTER_LINEAR) for k in range(real.shape[2])]
        return np.stack(spread, axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One person in one frame: what the unit would be given, and where hair and skin truly are (None: not known)."""

    name: str
    group: str
    frame: Frame
    box: Box
    others: tuple[Box, ...]
    masks: Picture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Pixels of one person: shown and, of these, head by the judge, hair and skin by the masks."""

    name: str
    where: str
    shown: int
    head: int
    hair: int
    skin: int


def photos(folder: Path) -> Iterator[Case]:
    """Every photo at every height, the box a little off as a detector's is."""
    for height in HEIGHTS:
        rng = np.random.default_rng(height)
        for path in sorted((folder / "photos").glob("*.jpg")):
            stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
            values = cv2.imread(str(folder / "masks" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
            if stored is None or values is None:
                raise SystemExit(f"{folder} does not hold photo and mask {path.stem}")
            rows, columns = np.nonzero(values)
            (top, bottom), (left, right) = (
                np.percentile(rows, (0.1, 99.9)),
                np.percentile(columns, (0.3, 99.7)),
            )
            scale = height / (bottom - top)
            small = cv2.resize(stored[..., ::-1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            off = rng.normal(0, _JITTER * height, 4)
            edges = np.array([left, top, right, bottom]) * scale + off
            limits = np.array([small.shape[1], small.shape[0]] * 2)
            at = np.clip(edges, 0, limits).tolist()
            yield Case(
                name=path.stem, group=f"photos {height}", others=(),
                frame=Frame(pixels=np.ascontiguousarray(small, np.uint8), at=0.0),
                box=Box(left=at[0], top=at[1], right=at[2], bottom=at[3]),
                masks=cv2.resize(values, small.shape[1::-1], interpolation=cv2.INTER_NEAREST).astype(np.uint8),
            )  # fmt: skip


def videos(paths: Sequence[Path], people: People, step: int) -> Iterator[Case]:
    """Everybody the unit finds, 60 pixels high or more, in every ``step``-th frame of the videos."""
    for path in paths:
        for number, frame in _frames(path, step):
            boxes = [found.box for found in people.find(frame)]
            for place, box in enumerate(boxes):
                size = next((name for least, name in _SIZES if box.height >= least), None)
                if size is None:
                    continue
                others = tuple(boxes[:place] + boxes[place + 1 :])
                name, group = f"{number}:{place}", f"{path.stem} {size}"
                yield Case(name=name, group=group, frame=frame, box=box, others=others, masks=None)


def _frames(path: Path, step: int) -> Iterator[tuple[int, Frame]]:
    video, number = cv2.VideoCapture(str(path)), 0
    while True:
        readable, stored = video.read()
        if not readable:
            return
        if number % step == 0:
            pixels = np.ascontiguousarray(stored[..., ::-1], np.uint8)
            yield number, Frame(pixels=pixels, at=float(number))
        number += 1


def counted(case: Case, poses: Poses, garments: Garments, judge: Judge) -> list[Count]:
    """What the networks are shown of one person; empty where the unit looks at nothing."""
    pose = poses.find(case.frame, case.box)
    person = None if pose is None else headless(case.frame, pose, case.others)
    if person is None and case.others:  # as the unit does
        pose = poses.find_without(case.frame, case.box, case.others)
        person = None if pose is None else headless(case.frame, pose, case.others)
    if pose is None or person is None:
        return []
    cut = _same_crop(case, pose)
    size = (person.seen.shape[1], person.seen.shape[0])
    head = _shrunk(judge.heads(np.ascontiguousarray(case.frame.pixels[cut])), size)
    values = np.zeros(size[::-1], np.uint8)
    if case.masks is not None:
        values = cv2.resize(case.masks[cut], size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    hair, skin = np.isin(values, HAIR), values == SKIN
    shown = {"headless crop": person.seen > 0, "garment network": _fed(person)}
    found = regions(person)
    if found is not None:
        cloth = refined(found, garments.look(person))
        for name, mask in (("top", cloth.top), ("bottom", cloth.thighs)):
            if mask is not None:
                shown[f"colour and pattern of the {name}"] = mask > 0
    return [
        Count(
            name=case.name, where=where, shown=int(seen.sum()), head=int((seen & head).sum()),
            hair=int((seen & hair & ~head).sum()), skin=int((seen & skin & ~head).sum()),
        )
        for where, seen in shown.items()
    ]  # fmt: skip


def _same_crop(case: Case, pose: Pose) -> tuple[slice, slice]:
    """The part of the frame that ``headless`` copies."""
    rows, columns = case.frame.pixels.shape[:2]
    box, margin = pose.box, 0.06 * pose.box.height
    left, right = max(0, int(np.floor(box.left - margin))), min(columns, int(np.ceil(box.right + margin)))
    return np.s_[max(0, int(box.top)) : min(rows, int(np.ceil(box.bottom + margin))), left:right]


def _shrunk(mask: Truth, size: tuple[int, int]) -> Truth:
    return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


def _fed(person: Headless) -> Truth:
    """The pixels of the crop that reach the garment network's 128 x 64 and are not blank."""
    back = cv2.invertAffineTransform(alignment(person.joints))
    corners = np.array([[0, 0], [COLUMNS, 0], [COLUMNS, ROWS], [0, ROWS]], np.float32)
    at = cv2.transform(corners[np.newaxis], back)[0]
    inside = np.zeros_like(person.seen)
    cv2.fillConvexPoly(inside, np.round(at).astype(np.int32), 255)
    return (inside > 0) & (person.seen > 0)


def _table(counts: dict[tuple[str, str], list[Count]], worst: int) -> Iterator[str]:
    yield "group | shown to | people | head % (worst person %) | people above 0.5 % | hair % | skin %"
    for (group, where), found in counts.items():
        total = sum(one.shown for one in found)
        shares = [one.head / max(1, one.shown) for one in found]
        above = sum(share > 0.005 for share in shares)
        parts = [100 * sum(getattr(one, part) for one in found) / total for part in ("head", "hair", "skin")]
        known = group.startswith("photos")
        yield " | ".join(
            [
                group, where, f"{len(found)}", f"{parts[0]:.3f} ({100 * max(shares):.1f})", f"{above}",
                *(f"{part:.2f}" if known else "-" for part in parts[1:]),
            ]
        )  # fmt: skip
        if worst and where == "headless crop":
            ranked = sorted(found, key=lambda one: -(one.head + one.hair) / max(1, one.shown))[:worst]
            told = ", ".join(
                f"{one.name} ({100 * one.head / one.shown:.1f} + hair {100 * one.hair / one.shown:.1f})"
                for one in ranked
            )
            yield f"  worst: {told}"


def main() -> None:
    """Print one line per height and place."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--judge", type=Path, required=True)
    asked.add_argument("--photos", type=Path)
    asked.add_argument("--videos", type=Path, nargs="*", default=[])
    asked.add_argument("--step", type=int, default=5)
    asked.add_argument("--worst", type=int, default=0)
    given = asked.parse_args()
    cv2.setNumThreads(1)
    catalogue, place = read_catalogue(default_model_directory()), choose_accelerator(wish=Wish.CPU)
    people, poses, garments = (
        kind(load_model(catalogue.named(name), place))
        for kind, name in ((People, "people"), (Poses, "pose"), (Garments, "garments"))
    )
    judge, counts = Judge(given.judge), defaultdict(list)
    asked_of, looked = defaultdict(int), defaultdict(int)
    cases = [photos(given.photos)] if given.photos else []
    for source in (*cases, videos(given.videos, people, given.step)):
        for case in source:
            found = counted(case, poses, garments, judge)
            asked_of[case.group] += 1
            looked[case.group] += bool(found)
            for count in found:
                counts[case.group, count.where].append(count)
    print("\n".join(_table(counts, given.worst)))
    print("looked at: " + ", ".join(f"{group} {looked[group]} of {asked_of[group]}" for group in asked_of))


if __name__ == "__main__":
    try:
        main()
    except LeftfieldError as error:
        sys.exit(str(error))
