"""Labelled windows for the pattern network: procedural cloth, licensed photos of clothes, and prints on real folds.

Invariants:
    * Sources are the procedural generator and the CC0 photos with labels by hand; nothing else.
    * A sender's photos are on one side of the training border only.
    * A sample passes through the unit's own `window`, at the person heights the unit meets.
    * A print too fine or too faint to be left in the picture is no example of its kind and is drawn again.
"""

from __future__ import annotations

import argparse
import csv
import zlib
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from fabrics.cloth import cloth
from fabrics.drape import drape, outline, shadow, skin, tailor
from fabrics.fields import BODY, SIDE, Floats, chance, dye, flat, log_uniform, noise
from fabrics.photograph import photograph
from fabrics.trim import trimmed

from appliance.unit.vision.models.pattern import KINDS, PatternWindow, window

Random = np.random.Generator
KIND_OF_HAND: Final = {
    "plain": 0, "denim": 0, "stripes": 1, "check": 2, "dots": 3, "floral": 3, "placed-graphic": 3, "animal": 3,
    "camo": 3, "other-allover": 3, "striped": 1, "checked": 2, "figured": 3,
}  # fmt: skip
"""The words of the set's own labels by hand and of labels.csv (more labels by hand, made for this recipe)."""
SHARES: Final = (0.40, 0.20, 0.20, 0.20)
FAINTEST: Final = 3.2
"""Least root mean square CIELAB contrast that is left of a print at the camera's resolution."""
VIEWS: Final = 3
"""Photographs of one piece of worn cloth: folds are dear, photographs cheap."""
FEWEST_TEXELS: Final = 500
_MIDDLE: Final = 0.62  # the hand labels are of this central share of a photo


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """The labelled middle of one CC0 photo: RGB, and the number of its kind."""

    pixels: npt.NDArray[np.uint8]
    kind: int


def photos(folder: Path, *, held_out: bool) -> list[Photo]:
    """Read the labelled photos of one side of the border: a seventh of the senders is held out."""
    more = dict(csv.reader((Path(__file__).parent / "labels.csv").read_text("utf-8").splitlines()[1:]))
    found = []
    with (folder / "images.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            kind = KIND_OF_HAND.get(row["pattern_by_hand"] or more.get(row["image"], ""))
            if kind is None or (zlib.crc32(row["sender_id"].encode()) % 7 == 0) != held_out:
                continue
            path = next(folder.glob(f"images/{row['image']}.*"))
            stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if stored is None:
                raise SystemExit(f"{path}: no picture; fetch the folder again")
            side = int(_MIDDLE * min(stored.shape[:2]))
            top, left = (stored.shape[0] - side) // 2, (stored.shape[1] - side) // 2
            middle = np.ascontiguousarray(stored[top : top + side, left : left + side, ::-1], np.uint8)
            found.append(Photo(pixels=middle, kind=kind))
    return found


def _laid(rng: Random, photo: Photo, *, reflect: bool) -> tuple[Floats, npt.NDArray[np.uint8]]:
    """Return a photo on a canvas at about its natural print scale, turned a little, and where it is."""
    side = photo.pixels.shape[0]
    scale = log_uniform(rng, 0.75, 1.6)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 7), scale)
    turn[:, 2] += SIDE / 2 - side / 2 + rng.normal(0, 10, 2)
    if chance(rng, 0.5):
        turn[0] = -turn[0]
        turn[0, 2] += SIDE
    border = cv2.BORDER_REFLECT if reflect else cv2.BORDER_CONSTANT
    canvas = cv2.warpAffine(photo.pixels, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=border)
    inside = cv2.warpAffine(np.full((side, side), 255, np.uint8), turn, (SIDE, SIDE), flags=cv2.INTER_NEAREST)
    place = np.asarray(cv2.erode(inside, np.ones((5, 5), np.uint8)), np.uint8)
    return np.asarray(canvas, np.float32) / np.float32(255), place


def _redyed(rng: Random, canvas: Floats) -> Floats:
    """Turn hue and change contrast of a photo, so that its colours are no clue."""
    lab = cv2.cvtColor(np.clip(canvas, 0, 1).astype(np.float32), cv2.COLOR_RGB2Lab)
    turn, vivid = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.3)
    a, b = lab[..., 1].copy(), lab[..., 2].copy()
    lab[..., 1] = vivid * (np.cos(turn) * a - np.sin(turn) * b)
    lab[..., 2] = vivid * (np.sin(turn) * a + np.cos(turn) * b)
    if chance(rng, 0.3):
        lab[..., 0] = 100 - lab[..., 0]
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.float32)


def _on_real_folds(rng: Random, print_: Floats, folds: Floats) -> Floats:
    """Print cloth over a photo of plain cloth, keeping the photo's folds and seams as light."""
    light = folds.mean(axis=2)
    light = light / max(0.04, float(np.median(light)))
    strength = rng.uniform(0.5, 1.0)
    return np.asarray(print_ * np.clip(light, 0.3, 1.8)[..., np.newaxis] ** strength, np.float32)


def _contrast(canvas: Floats, height: float) -> float:
    """CIELAB contrast of flat cloth at the camera's resolution."""
    side = max(12, round(SIDE * height / BODY))
    small = cv2.GaussianBlur(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA), (0, 0), 0.5)
    lab = cv2.cvtColor(np.clip(small, 0, 1), cv2.COLOR_RGB2Lab)
    return float(np.sqrt(lab.reshape(-1, 3).var(axis=0).sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One example: the window, its kind, and the person's height in camera pixels."""

    cloth: PatternWindow
    kind: int
    height: float
    real: bool


def draw(rng: Random, stock: list[list[Photo]]) -> list[Sample]:
    """Draw one piece of worn cloth and photograph it a few times; `stock` holds the licensed photos by kind.

    Empty where too little cloth is seen, or too little of its print is left.
    """
    kind = int(rng.choice(len(KINDS), p=SHARES))
    nearest = log_uniform(rng, 110, 340)
    real = chance(rng, 0.5) and bool(stock[kind])
    inside = np.full((SIDE, SIDE), 255, np.uint8)
    if real:
        print_, inside = _laid(rng, stock[kind][rng.integers(len(stock[kind]))], reflect=False)
        print_ = _redyed(rng, print_) if chance(rng, 0.6) else print_
        worn = (
            drape(rng, print_) if chance(rng, 0.5) else print_
        )  # half of them get more folds than they have
    else:
        print_ = cloth(rng, KINDS[kind])
        if kind and _contrast(print_, nearest) < FAINTEST:
            return []
        worn = drape(rng, print_)
        if stock[0] and chance(rng, 0.4):
            folds, _ = _laid(rng, stock[0][rng.integers(len(stock[0]))], reflect=True)
            worn = _on_real_folds(rng, worn, folds)
    worn = tailor(
        rng, trimmed(rng, worn), drape(rng, cloth(rng, "plain")) if chance(rng, 0.3) else flat(dye(rng))
    )
    found = []
    for view in range(VIEWS):
        height = nearest if view == 0 else log_uniform(rng, 80, nearest)
        if kind and _contrast(print_, height) < FAINTEST:
            continue
        cut = _view(rng, worn, inside, height)
        if cut is not None and int((cut.mask > 0).sum()) > FEWEST_TEXELS:
            found.append(Sample(cloth=cut, kind=kind, height=height, real=real))
    return found


def _view(rng: Random, worn: Floats, inside: npt.NDArray[np.uint8], height: float) -> PatternWindow | None:
    """Photograph worn cloth before some background, and cut what the unit would."""
    if chance(rng, 0.22):
        worn = shadow(rng, worn)
    garment = outline(rng) & inside
    share = cv2.GaussianBlur((garment > 0).astype(np.float32), (0, 0), 0.7)[..., np.newaxis]
    pixels = photograph(rng, worn * share + background(rng) * (1 - share), height)
    return window(pixels, _mask(rng, garment, height), height)


def background(rng: Random) -> Floats:
    """Return what is behind a garment: street, another garment or skin."""
    kind = rng.random()
    if kind < 0.25:
        return flat(skin(rng))
    ground = flat(dye(rng))
    return ground * (1 + 0.25 * noise(rng, rng.uniform(5, 50)))[..., np.newaxis] if kind < 0.8 else ground


def _mask(rng: Random, garment: npt.NDArray[np.uint8], height: float) -> npt.NDArray[np.uint8]:
    """Return the mask the unit would have: too large or too small by about a pixel."""
    side = max(12, round(SIDE * height / BODY))
    small = cv2.resize(garment, (side, side), interpolation=cv2.INTER_AREA)
    border = rng.choice([60, 128, 200, 250], p=[0.12, 0.28, 0.3, 0.3])
    return np.where(small >= border, 255, 0).astype(np.uint8)


_stock: list[list[Photo]] = [[] for _ in KINDS]  # of this worker process


def _open(folder: Path, held_out: bool) -> None:
    """Read the photos once in each worker."""
    cv2.setNumThreads(1)
    for photo in photos(folder, held_out=held_out):
        _stock[photo.kind].append(photo)


def _batch(task: tuple[int, int]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    seed, count = task
    rng = np.random.default_rng(seed)
    cloths: list[npt.NDArray[np.uint8]] = []
    facts = []
    while len(cloths) < count:
        for sample in draw(rng, _stock):
            cloths.append(np.dstack([sample.cloth.pixels, sample.cloth.mask]))
            facts.append((sample.kind, sample.height, sample.real))
    return np.stack(cloths[:count]), np.array(facts[:count], np.float32)


def main() -> None:
    """Write samples to an .npz: `cloth` (n, 96, 96, 4) uint8 and `facts` (n, 3): kind, height, real."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--photos", type=Path, required=True, help="folder with images.csv and images/")
    arguments.add_argument("--count", type=int, default=24_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--held-out", action="store_true", help="draw from the held-out senders")
    arguments.add_argument("--output", type=Path, required=True)
    given = arguments.parse_args()
    size = 500
    tasks = [
        (given.seed * 100_000 + number, min(size, given.count - number * size))
        for number in range(-(-given.count // size))
    ]
    cloths, facts = [], []
    with Pool(given.workers, _open, (given.photos, given.held_out)) as pool:
        for number, (cloth_part, fact_part) in enumerate(pool.imap(_batch, tasks), 1):
            cloths.append(cloth_part)
            facts.append(fact_part)
            print(f"samples: {min(number * size, given.count)} of {given.count}", flush=True)
    np.savez(given.output, cloth=np.concatenate(cloths), facts=np.concatenate(facts))


if __name__ == "__main__":
    main()
