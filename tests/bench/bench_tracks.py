"""How well the tracker follows people on streets that never were: seeded crossings, pairs, vans, signs, posts.

    python tests/bench/bench_tracks.py [--streets 24] [--json]

Prints, for three densities, identity switches per 100 visits, tracks that walked against true visits, IDF1 and HOTA
(with TrackEval), and microseconds a frame. The streets are those of tests/walkers.py, a minute each, seeds from 1000:
none of the tracker's rules was chosen on them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from appliance.unit.vision.tracking.boxes import iou
from appliance.unit.vision.tracking.track import TrackRules
from appliance.unit.vision.tracking.tracker import Tracker
from tests.bench.tracking import Scores
from tests.walkers import HEIGHT, WIDTH, Street

DENSITIES = {"quiet": 6.0, "usual": 12.0, "busy": 20.0}
SHOWN = 1 / 3


def measure(people: float, seeds: range) -> dict[str, Any]:
    """Figures of one density over its streets."""
    scores, spent, frames, visits, walked = Scores(strict=True), 0, 0, 0, 0
    for seed in seeds:
        street, tracker = Street(seed, people=people), Tracker()
        counted = set()
        for moment in street.moments():
            start = time.perf_counter_ns()
            visible = tracker.step(moment.detections, moment.at, (int(WIDTH), int(HEIGHT))).visible
            spent += time.perf_counter_ns() - start
            frames += 1
            counted |= {track.track for track in visible if track.walked >= TrackRules().min_displacement}
            boxes = {seed * 10_000 + track.track: track.box for track in visible}
            likeness = {
                (seed, one.person): {track: iou(one.box, box) for track, box in boxes.items()}
                for one in moment.people
                if one.shown > SHOWN
            }
            scores.frame(likeness, list(boxes))
        visits, walked = visits + street.visits, walked + len(counted)
    return {
        "visits": visits,
        "tracks_that_walked": walked,
        "switches_per_100": round(100 * scores.switches / visits, 1),
        "us_per_frame": round(spent / frames / 1e3),
        **scores.figures(),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--streets", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    for name, people in DENSITIES.items():
        figures = measure(people, range(1000, 1000 + chosen.streets))
        print(json.dumps({"street": name, **figures}) if chosen.json else f"{name:8} {figures}", flush=True)


if __name__ == "__main__":
    main()
