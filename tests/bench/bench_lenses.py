"""What mixing the looks costs: the hub's strength beside the pair look alone, on streets kept apart, free of noise.

7,000 people in order, 1 % exceptions put in, a third of each kind (``tests.bench.exceptions.corner``); streets that
have rare combinations to draw from, of the seeds from 740 on. AUC after the first 1,000 people. With ``--pair B`` the
deficit counts B bits more, with ``--power A`` the looks are added up with that power: how the price moves.

Run: ``python -m tests.bench.bench_lenses [--streets 8] [--first 740] [--pair 0] [--power 1]``.
"""

from __future__ import annotations

import argparse
import math
import os
from unittest.mock import patch

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from appliance.hub.statistics import rarity
from tests.bench.exceptions import corner
from tests.bench.exceptions.street import Street


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--streets", type=int, default=8)
    parser.add_argument("--first", type=int, default=740)
    parser.add_argument("--pair", type=float, default=0.0)
    parser.add_argument("--power", type=float, default=1.0)
    asked = parser.parse_args()

    def mixed(evidence: tuple[float, float, float, float]) -> float:
        bits = list(evidence)
        bits[1] += asked.pair if bits[1] > 0 else 0.0
        return math.log2(sum(2.0 ** (asked.power * one) for one in bits)) / asked.power

    found, seed = [], asked.first
    while len(found) < asked.streets:
        street, seed = Street(seed), seed + 1
        people = street.people(7000)
        lists = corner.lists_of(people, street.sizes)
        if not lists.pairs:
            continue
        rows, kinds = corner.inject(people, street.sizes, seed - 1)
        with patch.object(rarity, "together", mixed):
            scores = corner.judge_all(rows, None)[corner.BURN :]
        ours = corner.found(np.array([one.strength for one in scores]), kinds[corner.BURN :])
        pair = corner.found(np.array([one.raw[1] for one in scores]), kinds[corner.BURN :])
        found.append((*ours.kinds, ours.mixed, pair.kinds[1]))
        each = int((kinds == 2).sum()) / len(lists.pairs)
        print(
            f"seed {seed - 1}: {np.round(found[-1], 3).tolist()}, each combination worn by {each:.1f}",
            flush=True,
        )
    mean, least = np.mean(found, axis=0), np.min(found, axis=0)
    names = ("rare value", "rare combination", "several", "mixed", "combination by the pair look alone")
    print("; ".join(f"{name} {a:.3f} (least {b:.3f})" for name, a, b in zip(names, mean, least, strict=True)))


if __name__ == "__main__":
    main()
