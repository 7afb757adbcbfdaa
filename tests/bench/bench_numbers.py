"""``leftfield score`` itself on tables of numbers: ADBench's sets as CSV files, beside the peers that are installed.

Each set is cut by ADBench's protocol (``tests.bench.exceptions.sets``), at most ``--most`` rows learnt from; both
parts are written as CSV and scored by the command with ``--baseline``; the column ``score`` is what ranks. Sets of
more than ``--columns`` columns are left out. The quantiles of the ranges and the ranking by the pooled surprisal were
chosen on the eight sets of ``CHOSEN_ON`` with seed 1 (700 rows learnt from): those are reported apart.

Run: ``python -m tests.bench.bench_numbers --adbench DIR [--most 1000] [--seeds 1] [--columns 100]``; peers need
``pip install -r tests/bench/requirements-peers.txt``.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from appliance.hub.batch import score
from tests.bench.exceptions import peers, sets
from tests.bench.exceptions.contest import OURS, methods
from tests.bench.exceptions.measures import auc, average_precision, friedman

CHOSEN_ON = (
    "14_glass", "29_Pima", "37_Stamps", "38_thyroid", "45_wine", "4_breastw", "43_WDBC", "40_vowels",
)  # fmt: skip


def by_command(learn: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What the command writes in column ``score``."""
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        files = {name: Path(folder, f"{name}.csv") for name in ("learn", "rows", "out")}
        for name, table in (("learn", learn), ("rows", rows)):
            with files[name].open("w", encoding="utf-8", newline="") as out:
                writer = csv.writer(out)
                writer.writerow([f"c{place}" for place in range(table.shape[1])])
                writer.writerows(table.tolist())
        options = score.ScoreOptions(
            table=files["rows"], baseline=files["learn"], out=files["out"], explain=0.0
        )
        with redirect_stderr(nowhere):
            score.main(options)
        with files["out"].open(encoding="utf-8") as lines:
            return np.array([float(row["score"]) for row in csv.DictReader(lines)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--adbench", type=Path, required=True)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    who, found = methods(), {}
    for path in sorted(asked.adbench.glob("*.npz")):
        cells = []
        for seed in range(1, 1 + asked.seeds):
            one = sets.numeric(path, seed)
            if one.rows.shape[1] > asked.columns:
                break
            learn = one.learn[: asked.most]
            scored = [
                by_command(learn, one.rows) if name == OURS else peers.scores(name, learn, one.rows, seed)
                for name in who
            ]
            cells.append([(auc(each, one.odd), average_precision(each, one.odd)) for each in scored])
        if cells:
            found[path.stem] = np.mean(cells, axis=0)
            print(f"  {path.stem:20} " + "  ".join(
                f"{name} {row[0]:.3f}" for name, row in zip(who, found[path.stem], strict=True)
            ), flush=True)  # fmt: skip
    for title, names in (
        ("kept apart", [name for name in found if name not in CHOSEN_ON]),
        ("chosen on", [name for name in found if name in CHOSEN_ON]),
    ):
        table = np.array([found[name] for name in names])
        test = friedman(table[:, :, 0]) if len(who) > 1 else None
        print(f"{title}: {len(names)} sets")
        for place, name in enumerate(who):
            rank = f", rank {test.mean_ranks[place]:.2f}" if test else ""
            print(
                f"  {name:12} AUC {table[:, place, 0].mean():.3f}, AP {table[:, place, 1].mean():.3f}{rank}"
            )
        if test:
            print(f"  Nemenyi critical difference {test.critical:.2f} (.05)")


if __name__ == "__main__":
    main()
