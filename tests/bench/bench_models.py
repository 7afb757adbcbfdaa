"""Prints what the shipped models cost and find on the sample street video.

    python tests/bench/bench_models.py --video PATH/vtest.avi [--models DIRECTORY] [--weather] [--json]

The ground truth is `vtest_people.csv` beside this file. Figures of time are this machine's, one thread. `--weather`
shows the judged frames also darkened, blurred, against the light and in rain (weather.py), and three side by side as
one wide frame.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from appliance.base.errors import LeftfieldError
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.person_detector import DEFAULT_SCORE, People
from appliance.unit.vision.models.pose_estimator import Poses
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model
from appliance.unit.vision.models.tiles import WIDEST
from appliance.unit.vision.types import Box, Detection, Frame, Joint, Pixels, Pose
from tests.bench.weather import WEATHERS

TRUTH = Path(__file__).with_name("vtest_people.csv")
SAME = 0.5  # intersection over union from which a detection and a hand-drawn box are one person
IGNORED = 0.3  # ... and are excused when the box is marked `ignore` (or half of the detection lies in it)
LOWEST = 40.0  # pixels: lower detections are neither right nor wrong
_SIDES = ((Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER), (Joint.LEFT_HIP, Joint.RIGHT_HIP))
_LEGS = ((Joint.LEFT_KNEE, Joint.RIGHT_KNEE), (Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One hand-drawn box."""

    box: Box
    ignored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How detections and hand-drawn boxes agree over all judged frames."""

    frames: int
    people: int
    hits: int
    false: int

    @property
    def recall(self) -> float:
        """Share of the people that were found."""
        return self.hits / self.people

    @property
    def precision(self) -> float:
        """Share of the detections that are people."""
        return self.hits / max(1, self.hits + self.false)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upright:
    """Pose sanity on isolated people: `ordered` have head above shoulders above hips above knees above ankles."""

    asked: int
    posed: int
    ordered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Milliseconds per call: inside the runtime's invoke, and everything around it (medians over the video)."""

    invoke_ms: float
    around_ms: float


def truth() -> dict[int, list[Judged]]:
    lines = [line for line in TRUTH.read_text("utf-8").splitlines() if not line.startswith("#")]
    judged: dict[int, list[Judged]] = {}
    for row in csv.DictReader(lines):
        x, y, w, h = (float(row[key]) for key in ("x", "y", "w", "h"))
        box = Box(left=x, top=y, right=x + w, bottom=y + h)
        judged.setdefault(int(row["frame"]), []).append(Judged(box=box, ignored=row["judged"] == "ignore"))
    return judged


def frames(video: Path) -> Iterator[tuple[int, Frame]]:
    with av.open(str(video)) as container:
        for number, picture in enumerate(container.decode(video=0)):
            pixels = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
            yield number, Frame(pixels=pixels, at=number / 10)


def shared(a: Box, b: Box) -> float:
    across = max(0.0, min(a.right, b.right) - max(a.left, b.left))
    return across * max(0.0, min(a.bottom, b.bottom) - max(a.top, b.top))


def overlap(a: Box, b: Box) -> float:
    both = shared(a, b)
    return both / (a.width * a.height + b.width * b.height - both)


def compare(found: Sequence[Detection], judged: Sequence[Judged]) -> tuple[int, int, int]:
    """Return (people, hits, false) of one frame: greedy, surest detection first, each box once."""
    people = [one.box for one in judged if not one.ignored]
    ignored = [one.box for one in judged if one.ignored]
    open_boxes, hits, false = list(people), 0, 0
    for detection in sorted(found, key=lambda one: -one.score):
        box = detection.box
        best = max(open_boxes, key=lambda other: overlap(box, other), default=None)
        if best is not None and overlap(box, best) >= SAME:
            open_boxes.remove(best)
            hits += 1
            continue
        excused = any(
            overlap(box, other) >= IGNORED or shared(box, other) >= 0.5 * box.width * box.height
            for other in ignored
        )
        false += not excused and box.height >= LOWEST
    return len(people), hits, false


def isolated(box: Box, others: Sequence[Detection], frame: Frame) -> bool:
    """Tell whether nobody else is in the crop and the person is wholly inside the frame."""
    wide = Box(
        left=box.left - box.height / 4, top=box.top, right=box.right + box.height / 4, bottom=box.bottom
    )
    inside = box.left > 4 and box.right < frame.pixels.shape[1] - 4 and box.bottom < frame.pixels.shape[0] - 4
    return inside and not any(other.box is not box and shared(wide, other.box) > 0 for other in others)


def ordered(pose: Pose) -> bool:
    heights = [pose[Joint.NOSE].y]
    heights += [(pose[left].y + pose[right].y) / 2 for left, right in (*_SIDES, *_LEGS)]
    return all(upper < lower for upper, lower in pairwise(heights))


def milliseconds(call_ns: Sequence[int], invoke_ns: Sequence[int]) -> Cost:
    around = [call - invoke for call, invoke in zip(call_ns, invoke_ns, strict=True)]
    return Cost(
        invoke_ms=round(statistics.median(invoke_ns) / 1e6, 3),
        around_ms=round(statistics.median(around) / 1e6, 3),
    )


def measure(video: Path, models: Path, score: float, names: Sequence[str]) -> dict[str, object]:
    catalogue, accelerator = read_catalogue(models), choose_accelerator(wish=Wish.CPU)
    people = People(load_model(catalogue.named(names[0]), accelerator), score=score)
    poses = Poses(load_model(catalogue.named(names[1]), accelerator))
    judged, totals, upright = truth(), [0, 0, 0], [0, 0, 0]
    spent: dict[str, tuple[list[int], list[int]]] = {"people": ([], []), "pose": ([], [])}
    for number, frame in frames(video):
        before, started = people.model.invoked_ns, time.perf_counter_ns()
        found = people.find(frame)
        spent["people"][0].append(time.perf_counter_ns() - started)
        spent["people"][1].append(people.model.invoked_ns - before)
        if number not in judged:
            continue
        totals = [a + b for a, b in zip(totals, compare(found, judged[number]), strict=True)]
        for detection in found:
            before, started = poses.model.invoked_ns, time.perf_counter_ns()
            pose = poses.find(frame, detection.box)
            spent["pose"][0].append(time.perf_counter_ns() - started)
            spent["pose"][1].append(poses.model.invoked_ns - before)
            if isolated(detection.box, found, frame):
                right = pose is not None and ordered(pose)
                upright = [a + b for a, b in zip(upright, (1, pose is not None, right), strict=True)]
    agreement = Found(frames=len(judged), people=totals[0], hits=totals[1], false=totals[2])
    return {
        "runtime": accelerator.place.value,
        "score": score,
        "people": asdict(milliseconds(*spent["people"])),
        "pose": asdict(milliseconds(*spent["pose"])),
        "found": asdict(agreement),
        "recall": round(agreement.recall, 3),
        "precision": round(agreement.precision, 3),
        "false_per_frame": round(agreement.false / agreement.frames, 3),
        "upright": asdict(Upright(asked=upright[0], posed=upright[1], ordered=upright[2])),
    }


def in_weather(video: Path, models: Path, score: float) -> dict[str, object]:
    """Recall and precision on worse copies of the judged frames, and in a frame three times as wide, at zoom 1."""
    model = load_model(read_catalogue(models).named("people"), choose_accelerator(wish=Wish.CPU))
    judged = truth()
    shown = {number: frame.pixels for number, frame in frames(video) if number in judged}
    people = People(model, score=score, zooms=(1.0,))
    figures: dict[str, object] = {}
    for name, worsen in WEATHERS.items():
        rng, totals = np.random.default_rng(1), [0, 0, 0]
        for number, pixels in shown.items():
            found = people.find(Frame(pixels=worsen(pixels, rng), at=0.0))
            totals = [a + b for a, b in zip(totals, compare(found, judged[number]), strict=True)]
        figures[name] = rates(totals)
    for name, widest in (("wide, in tiles", WIDEST), ("wide, in one look", 9999)):
        figures[name] = rates(
            side_by_side(People(model, score=score, zooms=(1.0,), widest=widest), shown, judged)
        )
    return figures


def side_by_side(people: People, shown: dict[int, Pixels], judged: dict[int, list[Judged]]) -> list[int]:
    """People, hits and false boxes with three judged frames beside one another."""
    totals, numbers = [0, 0, 0], list(shown)
    for start in range(0, len(numbers) - 2, 3):
        trio = numbers[start : start + 3]
        found = people.find(Frame(pixels=np.hstack([shown[number] for number in trio]), at=0.0))
        right = [
            Judged(box=moved(one.box, place * shown[number].shape[1]), ignored=one.ignored)
            for place, number in enumerate(trio)
            for one in judged[number]
        ]
        totals = [a + b for a, b in zip(totals, compare(found, right), strict=True)]
    return totals


def moved(box: Box, by: float) -> Box:
    return Box(left=box.left + by, top=box.top, right=box.right + by, bottom=box.bottom)


def rates(totals: Sequence[int]) -> dict[str, float]:
    people, hits, false = totals
    return {"recall": round(hits / people, 3), "precision": round(hits / max(1, hits + false), 3)}


def main() -> int:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument(
        "--video", type=Path, required=True, help="vtest.avi of Debian's package opencv-doc"
    )
    arguments.add_argument("--models", type=Path, default=None, help="another directory with a MODELS.toml")
    arguments.add_argument(
        "--names", nargs=2, default=("people", "pose"), help="names of the two models in it"
    )
    arguments.add_argument("--score", type=float, default=DEFAULT_SCORE)
    arguments.add_argument("--weather", action="store_true", help="also worse pictures and a wide one")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    try:
        figures = measure(
            chosen.video, chosen.models or default_model_directory(), chosen.score, chosen.names
        )
        if chosen.weather:
            figures |= in_weather(chosen.video, chosen.models or default_model_directory(), chosen.score)
    except (LeftfieldError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        json.dumps(figures)
        if chosen.json
        else "\n".join(f"{key:16} {value}" for key, value in figures.items())
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
