"""Prints how well pattern.tflite tells plain, striped, checked and figured garments on photos of people.

    python tests/bench/bench_pattern.py --photos FOLDER [--models DIRECTORY] [--float FILE]

FOLDER holds photos/NNNN.jpg, masks/NNNN.png (a garment's number per pixel). What is worn there was judged by eye:
`street_val_patterns.csv` beside this file (photo, mask value, garment, pattern; `ambiguous` regions are counted and
left out, `patterned` ones have a pattern of a kind hard to name and count for plain against patterned only).
Each photo is shrunk until the person is 300, 200, 150, 100 pixels high, given sensor noise, and stored as JPEG.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from appliance.base.errors import LeftfieldError
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.pattern import (
    KINDS,
    Patterns,
    contrast,
    likelihoods,
    patterned_odds,
    shown,
    views,
    window,
)
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model

TRUTH = Path(__file__).with_name("street_val_patterns.csv")
HEIGHTS = (300, 200, 150, 100)
STREET = np.array([0.81, 0.05, 0.03, 0.11])
"""Shares of the kinds on streets, used as the prior when one kind must be named."""
FALSE_ALARMS = 0.05
_NOISE, _QUALITY = 2.0, 85

Logits = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One garment at one height: RGB crop, mask, the judged pattern and where it comes from."""

    pixels: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]
    pattern: str
    photo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the network and the one number said of the judged regions of one height."""

    logits: npt.NDArray[np.float32]
    numbers: npt.NDArray[np.float32]
    patterns: npt.NDArray[np.str_]
    odd: npt.NDArray[np.bool_]
    ambiguous: int
    too_small: int
    seconds: float


def regions(folder: Path, height: int) -> Iterator[Region]:
    """Yield every garment of the list with the person `height` pixels high."""
    rng = np.random.default_rng(height)
    with TRUTH.open(encoding="utf-8", newline="") as rows:
        for photo, garments in groupby(csv.DictReader(rows), key=lambda row: row["photo"]):
            picture = cv2.imread(str(folder / "photos" / f"{photo}.jpg"), cv2.IMREAD_COLOR)
            values = cv2.imread(str(folder / "masks" / f"{photo}.png"), cv2.IMREAD_GRAYSCALE)
            if picture is None or values is None:
                raise SystemExit(f"{folder} does not hold photo and mask {photo}")
            values = cv2.resize(values, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
            rows_with_body = np.flatnonzero((values > 0).any(axis=1))
            scale = height / (rows_with_body[-1] - rows_with_body[0] + 1)
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            grainy = np.clip(small + rng.normal(0, _NOISE, small.shape), 0, 255).astype(np.uint8)
            coded = cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
            pixels = np.asarray(cv2.cvtColor(_decoded(coded), cv2.COLOR_BGR2RGB), np.uint8)
            for garment in garments:
                whole = np.where(values == int(garment["value"]), 255, 0).astype(np.uint8)
                shrunk = cv2.resize(whole, pixels.shape[1::-1], interpolation=cv2.INTER_AREA)
                mask = np.where(shrunk >= 200, 255, 0).astype(np.uint8)
                opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
                clear = np.asarray(opened, np.uint8)
                yield Region(pixels=pixels, mask=clear, pattern=garment["pattern"], photo=photo)


def _decoded(coded: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def judge(folder: Path, height: int, logits: Logits) -> Scores:
    """Ask the network about every region that is not ambiguous."""
    said, numbers, patterns, odd, ambiguous, too_small, spent = [], [], [], [], 0, 0, 0.0
    for region in regions(folder, height):
        if region.pattern == "ambiguous":
            ambiguous += 1
            continue
        started = time.perf_counter()
        cloth = window(region.pixels, region.mask, height)
        if cloth is None:
            too_small += 1
            continue
        said.append(logits(shown(cloth)))
        spent += time.perf_counter() - started
        numbers.append((gradient(region.pixels, region.mask), contrast(cloth)))
        patterns.append(region.pattern)
        odd.append(int(region.photo) % 2 == 1)
    return Scores(
        logits=np.stack(said), numbers=np.array(numbers, np.float32), patterns=np.array(patterns), odd=np.array(odd),
        ambiguous=ambiguous, too_small=too_small, seconds=spent / len(said),
    )  # fmt: skip


def gradient(pixels: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8]) -> float:
    """The untrained measure to beat: median CIELAB gradient per camera pixel after a Gaussian blur of one pixel."""
    left, top, across, down = cv2.boundingRect(mask)
    seen = mask[top : top + down, left : left + across]
    inside = cv2.erode(seen, np.ones((3, 3), np.uint8))
    inside = inside if cv2.countNonZero(inside) >= 20 else seen
    patch = pixels[top : top + down, left : left + across].astype(np.float32) / np.float32(255)
    blurred = cv2.GaussianBlur(cv2.cvtColor(patch, cv2.COLOR_RGB2Lab), (0, 0), 1.0)
    slope_x = cv2.Sobel(blurred, cv2.CV_32F, 1, 0, ksize=1) / 2
    slope_y = cv2.Sobel(blurred, cv2.CV_32F, 0, 1, ksize=1) / 2
    return float(np.median(np.sqrt((slope_x**2 + slope_y**2).sum(axis=-1))[inside > 0]))


def auc(scores: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]) -> float:
    """Chance that a positive scores above a negative (Mann-Whitney)."""
    above = scores[positive][:, np.newaxis] - scores[~positive]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def figures(scores: Scores) -> list[str]:
    """Return the row of one height."""
    patterned = scores.patterns != "plain"
    net = np.logaddexp.reduce(scores.logits[:, 1:], axis=1).astype(np.float64) - scores.logits[:, 0]
    gradients, contrasts = scores.numbers.T.astype(np.float64)
    pairs = list(zip(scores.logits, contrasts.tolist(), strict=True))
    joint = _joint(scores)
    said = np.array([likelihoods(*pair) for pair in pairs])
    named = scores.patterns != "patterned"
    truth = np.array([KINDS.index(name) for name in scores.patterns[named]])
    guess = (said[named][:, [0, 2, 3, 4]] * STREET).argmax(axis=1)
    border = np.quantile(joint[~patterned], 1 - FALSE_ALARMS)
    kind = said[:, 2:].argmax(axis=1) + 1
    at_border = [
        ((joint > border) & (kind == number))[scores.patterns == KINDS[number]].mean() for number in (1, 2, 3)
    ]
    found = [
        (score > np.quantile(score[~patterned], 1 - FALSE_ALARMS))[patterned].mean()
        for score in (joint, net, gradients)
    ]
    right = [(guess == number)[truth == number].mean() for number in range(len(KINDS))]
    return [
        f"{len(joint)}",
        *(f"{auc(score, patterned):.3f}" for score in (joint, net, contrasts, gradients)),
        f"{(guess == truth).mean():.3f}",
        " ".join(f"{share:.2f}" for share in right),
        " ".join(f"{share:.2f}" for share in found),
        " ".join(f"{share:.2f}" for share in at_border),
        f"{1000 * scores.seconds:.1f}",
    ]


def honest(joint: npt.NDArray[np.float64], patterned: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Stretch and shift that make log odds honest (Platt scaling, likelihood ratio at equal shares), by Newton."""
    columns = np.column_stack([joint, np.ones(len(joint))])
    weight = np.where(patterned, 0.5 / patterned.mean(), 0.5 / (1 - patterned.mean()))
    found = np.zeros(2)
    for _ in range(30):
        chance = 1 / (1 + np.exp(-columns @ found))
        bend = (columns * (weight * chance * (1 - chance))[:, np.newaxis]).T @ columns
        found = found + np.linalg.solve(bend, columns.T @ (weight * (patterned - chance)))
    return float(found[0]), float(found[1])


def calibration(heights: Sequence[Scores]) -> list[str]:
    """Say how honest the odds are: fitted on all, and kind of four when fitted on the other half of the photos."""
    joint = np.concatenate([_joint(scores) for scores in heights])
    patterned = np.concatenate([scores.patterns != "plain" for scores in heights])
    odd = np.concatenate([scores.odd for scores in heights])
    stretch, shift = honest(joint, patterned)
    lines = [f"honest odds = {stretch:.3f} x the present ones {shift:+.3f} (all heights, all photos)"]
    halves = [honest(joint[odd != side], patterned[odd != side]) for side in (False, True)]
    for height, scores in zip(HEIGHTS, heights, strict=True):
        by_half = np.array([halves[int(side)] for side in scores.odd])
        odds = _joint(scores) * by_half[:, 0] + by_half[:, 1] + np.log((1 - STREET[0]) / STREET[0])
        kind = np.where(odds > 0, scores.logits[:, 1:].argmax(axis=1) + 1, 0)
        named = scores.patterns != "patterned"
        truth = np.array([KINDS.index(name) for name in scores.patterns[named]])
        right = [(kind[named] == number)[truth == number].mean() for number in range(len(KINDS))]
        shares = " ".join(f"{share:.2f}" for share in right)
        lines.append(f"  {height}: kind of 4 {(kind[named] == truth).mean():.3f}; recall {shares}")
        if height == HEIGHTS[1]:
            lines += [f"    {name} called {_row(kind[named][truth == n])}" for n, name in enumerate(KINDS)]
    return lines


def _row(called: npt.NDArray[np.int64]) -> str:
    return ", ".join(f"{name} {int((called == number).sum())}" for number, name in enumerate(KINDS))


def _joint(scores: Scores) -> npt.NDArray[np.float64]:
    pairs = zip(scores.logits, scores.numbers[:, 1].tolist(), strict=True)
    return np.array([patterned_odds(*pair) for pair in pairs])


def float_logits(file: Path) -> Logits:
    """Return the float twin as a function of what the unit would feed."""
    interpreter = Interpreter(model_path=str(file), num_threads=1)
    interpreter.allocate_tensors()
    place, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def said(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        votes = []
        for view in views(picture):
            interpreter.set_tensor(place, (view.astype(np.float32) / 127.5 - 1)[np.newaxis])
            interpreter.invoke()
            votes.append(interpreter.get_tensor(out)[0])
        return np.mean(votes, axis=0, dtype=np.float32)

    return said


def main() -> None:
    """Print one table, or two with --float."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--photos", type=Path, required=True)
    arguments.add_argument("--models", type=Path, default=None)
    arguments.add_argument("--float", type=Path, default=None, help="the float twin export.py can write")
    given = arguments.parse_args()
    directory = given.models or default_model_directory()
    model = load_model(read_catalogue(directory).named("pattern"), choose_accelerator(wish=Wish.CPU))
    nets: dict[str, Logits] = {"int8": Patterns(model).logits}
    if given.float is not None:
        nets["float"] = float_logits(given.float)
    print("counts of the list:", _counts())
    print("net | height | n | AUC joint | network | contrast | gradient | kind of 4 |", end=" ")
    print(
        "recall plain striped checked figured | found at 5 % false alarms: joint network gradient |", end=" "
    )
    print("found and named: striped checked figured | ms")
    for name, logits in nets.items():
        heights = [judge(given.photos, height, logits) for height in HEIGHTS]
        for height, scores in zip(HEIGHTS, heights, strict=True):
            print(" | ".join([name, str(height), *figures(scores)]), flush=True)
        if name == "int8":
            print("\n".join(calibration(heights)), flush=True)


def _counts() -> str:
    with TRUTH.open(encoding="utf-8", newline="") as rows:
        names = [row["pattern"] for row in csv.DictReader(rows)]
    return ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names)))


if __name__ == "__main__":
    try:
        main()
    except LeftfieldError as error:
        sys.exit(str(error))
