"""Prints what the camera guard does to streets that change and to cameras that break.

    python -m tests.bench.bench_changing_street [--seeds 5]

Changing streets (share of closed coats, 800 people a day, 35 days): what the hub believes at the end against the last
week's truth, and who lost a reading. Broken cameras: how many of its readings until the level is set aside; a gross
fault shows it in every reading, a plain one in two of five. Seeds below 31 were used while it was built.
"""

from __future__ import annotations

import argparse

import numpy as np

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.layout import OFFSETS
from appliance.hub.statistics.rarity import Rarity
from appliance.protocol.values import AttributeVector, Seconds, UnitId

STREETS = (
    ("no change", 1, [0.3] * 35),
    ("one camera, .30 to .65", 1, [0.3] * 6 + [0.65] * 29),
    ("one camera, .65 to .30", 1, [0.65] * 6 + [0.3] * 29),
    ("one camera, weekends .50", 1, ([0.3] * 5 + [0.5] * 2) * 5),
    ("two cameras, .30 to .45", 2, [0.3] * 6 + [0.45] * 29),
    ("two cameras, .30 to .65", 2, [0.3] * 6 + [0.65] * 29),
    ("two cameras, weekends .50", 2, ([0.3] * 5 + [0.5] * 2) * 5),
    ("four cameras, .30 to .65", 4, [0.3] * 6 + [0.65] * 29),
    ("summer to autumn in 14 days", 2, [0.1] * 6 + list(np.linspace(0.1, 0.7, 14)) + [0.7] * 15),
    ("one rainy day", 2, [0.2] * 10 + [0.8] + [0.2] * 24),
)
START = 1.79e9
FIRST_SEED = 31


def person(chance: np.random.Generator, share: float) -> AttributeVector:
    """Somebody of a street where so many wear closed coats."""
    return AttributeVector.of(
        top_colour=str(
            chance.choice(["black", "grey", "white", "blue", "red"], p=[0.34, 0.3, 0.2, 0.15, 0.01])
        ),
        bottom_colour=str(chance.choice(["black", "blue", "grey"])),
        outer="closed" if chance.random() < share else str(chance.choice(["none", "open"])),
        sleeves=str(chance.choice(["long", "short"])),
    )


def street(cameras: int, shares: list[float], seed: int) -> tuple[float, float, float]:
    """(belief less the last week's truth, mean touched, worst day)."""
    chance, hub, touched = np.random.default_rng(seed), Rarity(Baseline()), []
    for day, share in enumerate(shares):
        lost = 0
        for number in range(800):
            vector, unit = person(chance, share), UnitId(f"camera-{int(chance.integers(cameras))}")
            lost += bool(hub.encode(vector, unit).suppressed)
            hub.score_and_learn(vector, unit, Seconds(START + 86_400 * day + 36 * number))
        touched.append(lost / 800)
    believed = {row.word: row.share for row in hub.baseline.usual(most=3) if row.attribute == "outer"}
    return believed["closed"] - float(np.mean(shares[-7:])), float(np.mean(touched)), max(touched)


def fault(cameras: int, rate: float, seed: int) -> int | None:
    """Readings of the broken camera until red is set aside there; None where it never is within 400."""
    chance, hub, red = np.random.default_rng(seed), Rarity(Baseline()), OFFSETS[0] + 3
    for number in range(3000):
        unit = UnitId(f"camera-{int(chance.integers(cameras))}")
        hub.score_and_learn(person(chance, 0.3), unit, Seconds(START + 10 * number))
    seen, broken = 0, UnitId("camera-0")
    for number in range(3000, 3000 + 400 * cameras):
        unit, vector = UnitId(f"camera-{int(chance.integers(cameras))}"), person(chance, 0.3)
        if unit == broken:
            seen += 1
            if chance.random() < rate:
                vector = AttributeVector.of(top_colour="red", sleeves="long")
        hub.score_and_learn(vector, unit, Seconds(START + 10 * number))
        if red in hub.guard.masked(broken):
            return seen
    return None


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, default=5)
    given = asked.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + given.seeds)
    print(f"{'street':30} belief - truth (worst)   touched   worst day")
    for name, cameras, shares in STREETS:
        rows = [street(cameras, shares, seed) for seed in seeds]
        worst = max((row[0] for row in rows), key=abs)
        touched, most = np.mean([row[1] for row in rows]), max(row[2] for row in rows)
        print(f"{name:30} {worst:+.3f}                  {touched:6.2%}   {most:6.1%}")
    for cameras, rate, within in ((2, 0.4, 80), (2, 1.0, 50), (4, 0.4, 80), (4, 1.0, 50)):
        found = [fault(cameras, rate, seed) for seed in range(FIRST_SEED, FIRST_SEED + 4 * given.seeds)]
        caught = [one for one in found if one is not None and one <= within]
        told = f"fault in {rate:.0%} of readings, {cameras} cameras"
        print(f"{told}: {len(caught)} of {len(found)} within {within} readings")


if __name__ == "__main__":
    main()
