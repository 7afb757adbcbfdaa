"""How alike the errors of two glances at one walker are, attribute by attribute, on the sample street.

    python tests/bench/bench_correlation.py --video street.avi [--json]

Each walker of vtest_walkers.csv is looked at every half second, by the place the labels give, and what each glance
says is held against vtest_clothes.csv (judged by eye; empty where no one word is right; ``worn`` is open or closed).
Printed per attribute: walkers and glances, glances whose likeliest level is right, the intraclass correlation of the
evidence for the truth, with a 90 % interval from walkers drawn again, walkers described rightly by all glances, and
those described wrongly with a posterior of .9 or more.

The evidence is log p(truth) - log p(not truth) of one glance without a prior. Truth is known, so what differs between
walkers is error: ICC(1) by one-way analysis of variance with groups of unequal size (Donner, *International
Statistical Review* 54, 1986, section 3) is the rho that describe.py divides by.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from appliance.unit.vision.attributes.fusion import View, posterior
from appliance.unit.vision.attributes.priors import CALIBRATION
from appliance.unit.vision.models.runtime import Wish, choose_accelerator
from appliance.unit.vision.pipeline import Pipeline, pipeline_on
from appliance.unit.vision.types import AttributeReading, Box, Frame

HERE = Path(__file__).resolve().parent
EVERY, RATE = 6, 10.0
"""Labelled frames are six apart; the video has ten a second."""
NEAR = 0.35
"""A detection is the walker's whose label lies within this share of its height from its middle."""
LEAST = 56.0
SURE = 0.9
Looks = list[tuple[AttributeReading, View]]


def evidence(reading: AttributeReading, truths: Sequence[str]) -> float:
    """Log odds of ``truths`` against all other levels, each level beforehand as likely as another of its side."""
    levels = ATTRIBUTES[reading.attribute].levels
    right = [p for p, level in zip(reading.likelihood, levels, strict=True) if level in truths]
    wrong = [p for p, level in zip(reading.likelihood, levels, strict=True) if level not in truths]
    return math.log(sum(right) / len(right)) - math.log(sum(wrong) / len(wrong))


def intraclass(groups: Sequence[Sequence[float]]) -> float:
    """ICC(1) of groups of unequal size: how much of the variance is between them."""
    sizes = np.array([len(group) for group in groups], float)
    means = np.array([np.mean(group) for group in groups])
    total, count = sizes.sum(), len(groups)
    within = sum(((np.asarray(group) - mean) ** 2).sum() for group, mean in zip(groups, means, strict=True))
    between = (sizes * (means - (sizes * means).sum() / total) ** 2).sum() / (count - 1)
    each = within / (total - count)
    usual = (total - (sizes**2).sum() / total) / (count - 1)
    return float((between - each) / (between + (usual - 1) * each))


def glances(video: Path, pipeline: Pipeline) -> dict[str, dict[str, Looks]]:
    """Walker to attribute to what every glance read."""
    labels = defaultdict(list)
    with (HERE / "vtest_walkers.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            labels[int(row["frame"])].append((row["walker"], float(row["x"]), float(row["y"])))
    found: dict[str, dict[str, Looks]] = defaultdict(lambda: defaultdict(list))
    for number, shown in enumerate(av.open(str(video)).decode(video=0)):
        if number % EVERY:
            continue
        frame = Frame(pixels=shown.to_ndarray(format="rgb24"), at=number / RATE)
        pipeline._balance.look(frame.pixels)
        boxes = [detection.box for detection in pipeline._find(frame)]
        pipeline.cost.frames += 1
        for walker, x, y in labels[number]:
            box = min(boxes, key=lambda one: away(one, x, y), default=None)
            if box is None or away(box, x, y) > NEAR or box.height < LEAST:
                continue
            view = View(at=frame.at, height=box.height)
            for reading in pipeline.look(frame, box, [one for one in boxes if one is not box]):
                found[walker][ATTRIBUTES[reading.attribute].name].append((reading, view))
        if not number % 100:
            print(f"frame {number}", end="\r", file=sys.stderr, flush=True)
    return found


def away(box: Box, x: float, y: float) -> float:
    """Distance of a point from a box's middle, in heights of the box."""
    return math.hypot((box.left + box.right) / 2 - x, (box.top + box.bottom) / 2 - y) / box.height


def judged(name: str, word: str) -> tuple[str, ...]:
    """The levels a label means."""
    return ("open", "closed") if (name, word) == ("outer", "worn") else (word,)


def measure(
    found: dict[str, dict[str, Looks]], truths: dict[str, dict[str, str]], name: str
) -> dict[str, object]:
    """The figures of one attribute."""
    levels = ATTRIBUTES[INDEX[name]].levels
    groups, right, told, misled = [], [], [], []
    for walker, words in truths.items():
        looks = found.get(walker, {}).get(name, [])
        if not words[name] or len(looks) < 2:
            continue
        true = judged(name, words[name])
        groups.append([evidence(reading, true) for reading, _ in looks])
        right += [levels[int(np.argmax(reading.likelihood))] in true for reading, _ in looks]
        readings, views = zip(*looks, strict=True)
        shares = posterior(readings, CALIBRATION[INDEX[name]], views)
        told.append(levels[int(np.argmax(shares))] in true)
        misled.append(max(shares) >= SURE and not told[-1])
    rng = np.random.default_rng(0)
    drawn = [intraclass([groups[k] for k in rng.integers(len(groups), size=len(groups))]) for _ in range(400)]
    low, high = np.nanquantile(drawn, [0.05, 0.95])
    return {
        "walkers": len(groups),
        "glances": sum(map(len, groups)),
        "right": round(float(np.mean(right)), 3),
        "rho": round(intraclass(groups), 2),
        "interval": [round(float(low), 2), round(float(high), 2)],
        "told": round(float(np.mean(told)), 2),
        "sure_and_wrong": round(float(np.mean(misled)), 2),
        "used": CALIBRATION[INDEX[name]].correlation,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with (HERE / "vtest_clothes.csv").open(newline="", encoding="utf-8") as file:
        truths = {row["walker"]: row for row in csv.DictReader(file)}
    found = glances(chosen.video, pipeline_on(choose_accelerator(wish=Wish.CPU)))
    for name in ("top.colour", "bottom.colour", "lower.kind", "sleeves", "outer", "one_piece"):
        figures = measure(found, truths, name)
        print(
            json.dumps({"attribute": name, **figures}) if chosen.json else f"{name:14} {figures}", flush=True
        )


if __name__ == "__main__":
    main()
