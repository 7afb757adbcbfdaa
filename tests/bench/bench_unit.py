"""What a frame costs: the unit's own code on a recorded video, as fast as it goes.

    python tests/bench/bench_unit.py --video street.avi [--walkers vtest_walkers.csv] [--frames N] [--json]

Figures: frames a second; wall time per frame over pure model time (`ratio`), decoding, tracking, reading, sealing
and writing included; processor time; stages; processor time against the number of people in view; with hand labels
(frame, walker, x, y: the middle of each person, every sixth frame) identity switches as in CLEAR MOT, IDF1 and HOTA
(tracking.py). `--plot` draws the cost against the number of people (matplotlib).
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # as sense.py does, before numpy is imported

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from appliance.demo.observers.ledger import as_json
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.sign import Sealer, new_private_key
from appliance.protocol.values import BoothId, Epoch, UnitId
from appliance.settings.config import CameraConfig
from appliance.unit.clocks import phenomenon_time
from appliance.unit.pipe.writer import PipeWriter
from appliance.unit.vision.camera.frame_source import open_source
from appliance.unit.vision.camera.read_ahead import ReadAhead
from appliance.unit.vision.models.runtime import Wish, choose_accelerator
from appliance.unit.vision.pipeline import Pipeline, pipeline_on
from appliance.unit.vision.tracking.boxes import centre
from appliance.unit.vision.tracking.track import Track, TrackRules
from appliance.unit.vision.tracking.tracker import Step
from appliance.unit.vision.types import Box
from tests.bench.tracking import Scores

NEAR = 0.3
HEALTH = Health(
    state=UnitState.WATCHING, source=SourceKind.RECORDING, accelerator=Accelerator.CPU, boxed=True, fps=10
)
"""A labelled person and a track are one within this share of the box's height."""


class Walkers:
    """Hand labels held against the tracks of each frame; tracks beside all labels are not judged."""

    def __init__(self, path: Path) -> None:
        self.labels: dict[int, list[tuple[str, float, float]]] = defaultdict(list)
        with path.open(encoding="ascii", newline="") as lines:
            for row in csv.DictReader(lines):
                self.labels[int(row["frame"])].append((row["walker"], float(row["x"]), float(row["y"])))
        self.scores = Scores(strict=False)

    def compare(self, frame: int, visible: Sequence[Track]) -> None:
        """Hold the labels of one frame against the tracks in view."""
        if frame not in self.labels:
            return
        likeness = {
            walker: {track.track: max(0.0, 1 - away(track.box, x, y) / (2 * NEAR)) for track in visible}
            for walker, x, y in self.labels[frame]
        }
        self.scores.frame(likeness, [track.track for track in visible])


def away(box: Box, x: float, y: float) -> float:
    """Distance of a point from the middle of a box, in its heights."""
    middle_x, middle_y = centre(box)
    return math.hypot(middle_x - x, middle_y - y) / box.height


def measure(video: Path, walkers: Walkers | None = None, frames: int | None = None) -> dict[str, Any]:
    """Run the unit over ``video`` and return its figures."""
    camera = CameraConfig(source=str(video), width=1280, height=720, frame_rate=60, repeat=False, hurry=True)
    pipeline = pipeline_on(choose_accelerator(wish=Wish.CPU))
    pipeline.warm_up()
    before = pipeline.invoked_ns
    null = os.open(os.devnull, os.O_WRONLY)
    outlet = PipeWriter(
        sealer=Sealer(private_key=new_private_key(), booth=BoothId("bench")),
        unit=UnitId("bench"),
        epoch=Epoch(1),
        write=lambda record: os.write(null, record),
        now=0.0,
    )
    counted = _watch_tracks(pipeline, walkers)
    by_people: dict[int, list[float]] = defaultdict(list)
    source = ReadAhead(open_source(camera))
    start, processor = time.perf_counter(), time.process_time()
    for number, frame in enumerate(source.frames()):
        if number == frames:
            break
        began, found = time.thread_time(), pipeline.cost.found
        for sighting in pipeline.see(frame):
            outlet.observe(sighting.vector, phenomenon_time(sighting.at), due=0.0)
            outlet.leave(frame.at, HEALTH, phenomenon_time(frame.at))
        by_people[pipeline.cost.found - found].append(time.thread_time() - began)
    for sighting in pipeline.finish():
        outlet.observe(sighting.vector, phenomenon_time(sighting.at), due=0.0)
    outlet.leave(frame.at, HEALTH, phenomenon_time(frame.at), everything=True)
    wall, busy = time.perf_counter() - start, time.process_time() - processor
    source.close()
    os.close(null)
    cost, invoked = pipeline.cost, pipeline.invoked_ns - before
    figures: dict[str, Any] = {
        "video": video.name,
        "frames": cost.frames,
        "fps": round(cost.frames / wall, 1),
        "frame_ms": round(wall / cost.frames * 1e3, 2),
        "invoke_ms": round(invoked / cost.frames / 1e6, 2),
        "ratio": round(wall * 1e9 / invoked, 3),
        "processor_ms": round(busy / cost.frames * 1e3, 2),
        "stages_ms": {
            stage: round(getattr(cost, stage) / cost.frames / 1e6, 3)
            for stage in ("people", "tracking", "posing", "reading")
        },
        "poses_per_frame": round(cost.glances / cost.frames, 3),
        "ms_by_people": {
            people: round(sorted(times)[len(times) // 2] * 1e3, 2)
            for people, times in sorted(by_people.items())
            if len(times) >= 5
        },
        "observations": outlet.tally.observations,
        "unread": pipeline.counts.unread,
        "still": pipeline.counts.still,
        "tracks_that_walked": len(counted),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "last_observation": as_json(outlet.last) if outlet.last else None,
    }
    if walkers is not None:
        figures["walkers"] = walkers.scores.figures()
    return figures


def _watch_tracks(pipeline: Pipeline, walkers: Walkers | None) -> set[int]:
    """Look over the tracker's shoulder; the set that will hold the tracks that walked."""
    walked: set[int] = set()
    tracker = pipeline._tracker
    step = tracker.step
    number = iter(range(10**9))

    def watched(*arguments: Any) -> Step:
        found = step(*arguments)
        walked.update(track.track for track in found.visible if track.walked >= TrackRules().min_displacement)
        if walkers is not None:
            walkers.compare(next(number), found.visible)
        return found

    tracker.step = watched  # type: ignore[method-assign, assignment]
    return walked


def draw(figures: dict[str, Any], out: Path) -> None:
    """The median processor time of a frame against the people in view, decoding left out."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - a peer's package, only for the picture

    costs = figures["ms_by_people"]
    picture, axes = plt.subplots(figsize=(6.4, 3.2), dpi=110, layout="constrained")
    axes.plot(list(costs), list(costs.values()), marker="o", color="#1f5a94")
    axes.set(
        xlabel="people found in the frame",
        ylabel="ms of one core, median",
        ylim=(0, 1.15 * max(costs.values())),
    )
    axes.grid(visible=True, color="#e4e4e4")
    picture.savefig(out)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--video", type=Path, default=os.environ.get("LEFTFIELD_STREET"))
    parser.add_argument("--walkers", type=Path)
    parser.add_argument("--frames", type=int)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path)
    chosen = parser.parse_args()
    if chosen.video is None:
        parser.error("name a video with --video, or run make setup and set LEFTFIELD_STREET")
    figures = measure(chosen.video, Walkers(chosen.walkers) if chosen.walkers else None, chosen.frames)
    if chosen.plot:
        draw(figures, chosen.plot)
    if chosen.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
