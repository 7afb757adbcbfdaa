"""Prints how many people are read alone and in groups: `bench_groups.py --pictures PATH... [--every N]`.

PATH is a picture, a video or a folder of them; of a video each N-th frame is taken. People are found by the unit
itself (score 0.5, 100 pixels high or more, in videos 60). By how much of their box the box of one other person covers
they are alone (below .02), touching (below .25) or behind or before somebody; each is read, or has no pose, no sure
shoulders and hips, or too little of the trunk in sight. No picture is written.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Final

import cv2

from appliance.unit.vision.measure import VIDEOS, files, pictures
from appliance.unit.vision.models.runtime import Wish, choose_accelerator
from appliance.unit.vision.pipeline import Pipeline, pipeline_on
from appliance.unit.vision.regions import regions
from appliance.unit.vision.tracking.boxes import intersection_area
from appliance.unit.vision.types import Box, Frame

SCORE: Final = 0.5
BANDS: Final = (("alone", 0.02), ("touching", 0.25), ("before or behind", 2.0))
FATES: Final = ("read", "no pose", "no sure trunk", "hidden")


def fate(pipeline: Pipeline, frame: Frame, box: Box, others: list[Box]) -> str:
    """How far the unit gets with one person."""
    person = pipeline.person(frame, box, others)
    if person is not None:
        return "hidden" if regions(person) is None else "read"
    return "no pose" if pipeline.poses.find(frame, box) is None else "no sure trunk"


def main() -> None:
    """Print one row a band."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--pictures", type=Path, nargs="+", required=True)
    asked.add_argument("--every", type=int, default=40)
    given = asked.parse_args()
    cv2.setNumThreads(1)
    pipeline = pipeline_on(choose_accelerator(wish=Wish.CPU, threads=1))
    counts: Counter[tuple[str, str]] = Counter()
    for path in files(given.pictures):
        least = 60 if path.suffix.lower() in VIDEOS else 100
        for picture in pictures(path, given.every):
            boxes = [one.box for one in pipeline.find_at_once(picture.frame) if one.score >= SCORE]
            for box in boxes:
                if box.height < least:
                    continue
                others = [other for other in boxes if other is not box]
                shared = max((intersection_area(box, other) for other in others), default=0.0)
                band = next(name for name, below in BANDS if shared / (box.width * box.height) < below)
                counts[band, fate(pipeline, picture.frame, box, others)] += 1
    for band, _ in BANDS:
        total = sum(counts[band, one] for one in FATES)
        told = ", ".join(f"{one} {counts[band, one]}" for one in FATES)
        print(f"{band}: {total} people, {counts[band, 'read'] / max(1, total):.2f} read ({told})")


if __name__ == "__main__":
    main()
