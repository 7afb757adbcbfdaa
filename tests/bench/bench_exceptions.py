"""What an exception is worth: the hub's statistics beside their peers, on public sets and on a street of our own.

Run (peers: ``pip install -r tests/bench/requirements-peers.txt``; without them ours is measured alone)::

    python -m tests.bench.bench_exceptions --adbench DIR --categorical DIR --plots docs/exceptions --json figures.json

``make bench BENCH=tests/bench/bench_exceptions.py`` measures the street alone. Unknown arguments are ignored.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core each, or small products wait for the other core
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from tests.bench.exceptions import contest, corner, cost, plots
from tests.bench.exceptions.street import Sight


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--adbench", type=Path, help="folder of ADBench's .npz sets")
    parser.add_argument("--categorical", type=Path, help="folder of ARFF sets, the last column the label")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="how many (default: %(default)s)")
    parser.add_argument("--most", type=int, default=10_000, help="learn from so many rows of a set at most")
    parser.add_argument(
        "--people", type=int, default=9000, help="passers-by in each street (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw PNG pictures here (needs matplotlib)")
    return parser.parse_known_args()[0]


def main() -> None:
    """Measure, print, and write what was asked for."""
    asked = options()
    seeds = range(asked.seed, asked.seed + asked.seeds)
    figures: dict[str, Any] = {}
    contests = []
    for directory, run in ((asked.adbench, contest.on_numbers), (asked.categorical, contest.on_categories)):
        if directory is not None:
            one = run(directory, seeds, asked.most)
            contests.append(one)
            print("\n".join(contest.summary(one)))
            figures[one.title] = {
                name: [float(one.auc[:, place].mean()), float(one.ap[:, place].mean())]
                for place, name in enumerate(one.methods)
            }
    figures |= street(asked, seeds)
    figures["cost"] = [asdict(line) for line in cost.measure()]
    for line in figures["cost"]:
        print(f"  {line['what']:44} {line['micros']:7.2f} us")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")
    if asked.plots:
        plots.draw(asked.plots, contests, figures)


def street(asked: argparse.Namespace, seeds: range) -> dict[str, Any]:
    """Everything that is measured on the street, as plain figures."""
    sight = Sight()
    free = [corner.noise_free(seed, asked.people)[0] for seed in seeds]
    tracks = [corner.after_tracks(seed, asked.people, sight) for seed in seeds]
    chains = [corner.end_to_end(seed, asked.people, sight) for seed in seeds]
    alarms = [corner.alarms(seed) for seed in seeds]
    claims = corner.claims(asked.seed)
    print("street: exceptions put in (1 %); AUC of rare values, rare combinations, several; mixed AUC, AP")
    for title, results in (
        ("no noise", free),
        ("10 % frame error, after tracks", [one.ours for one in tracks]),
        ("the same, best possible", [one.bound for one in tracks]),
    ):
        mean = np.mean([(*one.kinds, one.mixed, one.ap) for one in results], axis=0)
        mixed = [one.mixed for one in results]
        span = f"  mixed {min(mixed):.3f} to {max(mixed):.3f}"
        print(f"  {title:32} " + "  ".join(f"{value:.3f}" for value in mean) + span)
    print("street: the 40 highest alerts under noise: truly in top 1 %, truly outside top 5 %")
    chain = {}
    for place, one in enumerate(chains[0]):
        chain[one.method] = [
            float(np.mean([result[place].top_1 for result in chains])),
            float(np.mean([result[place].outside_5 for result in chains])),
        ]
        best, worst = ([getattr(result[place], name) for result in chains] for name in ("top_1", "outside_5"))
        print(
            f"  {one.method:34} {chain[one.method][0]:.3f} ({min(best):.3f} to {max(best):.3f})"
            f"  {chain[one.method][1]:.3f} (at most {max(worst):.3f})"
        )
    nominal = {
        str(alarms[0].nominal[place][0]): float(np.mean([one.nominal[place][1] for one in alarms]))
        for place in range(len(alarms[0].nominal))
    }
    days = {
        name: float(np.mean([getattr(one, name) for one in alarms]))
        for name in ("rain", "fair", "fault", "fault_unguarded")
    }
    print(f"flagged at nominal: {nominal}")
    print(f"flagged at nominal 1 %: first rainy day {days['rain']:.4f}, a fair's day {days['fair']:.4f}")
    print(f"share of flags by a fault: {days['fault']:.3f}, without the guard {days['fault_unguarded']:.3f}")
    said = f"{len(claims.said):,}; rarer than the truth {claims.overstated:.3f}, twice {claims.twice}"
    print(f"claims: {said}")
    return {
        "noise free": [asdict(one) for one in free],
        "after tracks": [asdict(one) for one in tracks],
        "chain": chain,
        "nominal": nominal,
        "days": days,
        "claims": {
            "number": len(claims.said),
            "overstated": claims.overstated,
            "twice": claims.twice,
            "said": claims.said[:3000].tolist(),
            "true": claims.true[:3000].tolist(),
        },
    }


if __name__ == "__main__":
    main()
