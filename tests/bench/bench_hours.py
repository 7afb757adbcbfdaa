"""Flags by the hour at nominal 1 %, on streets that are ordinary, wet, weekly or on their way into autumn.

The street (``tests.bench.exceptions.street``, seeds kept apart, from 600 on): 1,000 people a day from 10 to 20 h,
seen by 1, 2 or 4 cameras that err, after ten days of learning. *ordinary*: one more day of 3,000; *rain*: 3,000 on
the first rainy day; *weekend*: the third and fourth week of four, half of whose people at weekends are of another
crowd; *autumn*: fourteen days over which the people of one street give way to those of another, and two more. The
hub's own rarity judges; whoever has p <= 1 % while it does not hold is flagged.

An hour of n people judged is inside where its flags lie in the 99 % band of a Poisson law of .01 n.

Run: ``python -m tests.bench.bench_hours [--seeds 3] [--first 600] [--cameras 1 2 4]``.
"""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import dataclass, field

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.event_day import EventDayRarity
from appliance.hub.statistics.leave_one_out import LeaveOneOutRarity
from appliance.protocol.values import Seconds, UnitId
from tests.bench.exceptions import chain
from tests.bench.exceptions.street import Levels, Sight, Street, vectors

HOURS, PER_DAY, LEARNT_DAYS = 10, 1000, 10
OPENS = 1_760_000_400.0 // 86_400.0 * 86_400.0 + 10 * 3600.0
DAY = 86_400.0
UNITS = tuple(UnitId(name) for name in ("north", "south", "east", "west"))
KINDS = ("ordinary", "rain", "weekend", "autumn")


def band(mean: float) -> tuple[int, int]:
    """The least and the most flags of the 99 % band of a Poisson law: quantiles at .005 and .995."""
    chance, total, least, number = math.exp(-mean), 0.0, None, 0
    while True:
        total += chance
        if least is None and total >= 0.005:
            least = number
        if total >= 0.995:
            return least or 0, number
        number += 1
        chance *= mean / number


@dataclass
class Hours:
    """By hour: how many were judged, and how many of them flagged."""

    judged: list[int] = field(default_factory=list)
    flagged: list[int] = field(default_factory=list)

    def add(self, other: Hours) -> None:
        """The hours of another street too."""
        self.judged += other.judged
        self.flagged += other.flagged

    def told(self) -> str:
        """Share flagged in all; hours inside the band, above and below it; the highest share of an hour."""
        judged, flagged = np.array(self.judged), np.array(self.flagged)
        seen = judged > 0
        low, high = np.array([band(0.01 * number) for number in self.judged]).T
        above, below = int((flagged > high).sum()), int((flagged < low).sum())
        rates = flagged[seen] / judged[seen]
        return (
            f"flagged {flagged.sum() / max(1, judged.sum()):5.2%} of {judged.sum():6}; hours inside "
            f"{seen.sum() - above - below} of {seen.sum()} (above {above}, below {below}), highest "
            f"{rates.max(initial=0):.1%}; hours in which nobody was judged {int((~seen).sum())}"
        )


def crowd(street: Street, other: Street, number: int, share: float, chance: np.random.Generator) -> Levels:
    """People of a street, so many of whom come from another."""
    levels = street.people(number)
    guests = chance.random(number) < share
    if guests.any():
        levels[guests] = other.people(int(guests.sum()))
    return levels


def days_of(kind: str, seed: int) -> tuple[list[Levels], int, Street]:
    """The days of a street, from which on they are reported, and the street."""
    chance, street, other = np.random.default_rng(seed), Street(seed), Street(seed + 50_000)
    usual = [street.people(PER_DAY) for _ in range(LEARNT_DAYS)]
    if kind == "ordinary":
        return [*usual, street.people(3 * PER_DAY)], LEARNT_DAYS, street
    if kind == "rain":
        return [*usual, street.people(3 * PER_DAY, rain=True)], LEARNT_DAYS, street
    if kind == "weekend":
        shares = ([0.0] * 5 + [0.5] * 2) * 4
        return [crowd(street, other, PER_DAY, share, chance) for share in shares], 14, street
    shares = np.linspace(0.0, 1.0, 14).tolist()
    return (
        usual + [crowd(street, other, PER_DAY, share, chance) for share in [*shares, 1.0, 1.0]],
        LEARNT_DAYS,
        street,
    )


def watched(kind: str, seed: int, cameras: int) -> tuple[Hours, int]:
    """The hours that are reported, and on how many of those days the hub held."""
    days, first, street = days_of(kind, seed)
    prior, sight = chain.prior_of(street.people(4000), street.sizes), Sight()
    rarity, chance = LeaveOneOutRarity(EventDayRarity(Baseline())), np.random.default_rng(seed + 1)
    hours, changed = Hours(), 0
    for day, levels in enumerate(days):
        said = vectors(*chain.describe(street.frames(levels, sight), street.sizes, prior, sight.shared))
        times = np.sort(chance.random(len(said))) * HOURS
        judged, flagged = [0] * HOURS, [0] * HOURS
        for place, (vector, at) in enumerate(zip(said, times.tolist(), strict=True)):
            found = rarity.judge_and_learn(
                vector, UNITS[place % cameras], Seconds(OPENS + day * DAY + at * 3600.0)
            )
            judged[int(at)] += not found.holds
            flagged[int(at)] += not found.holds and found.score.p <= 0.01
        if day >= first:
            hours.add(Hours(judged, flagged))
            changed += rarity.everything.changed
    return hours, changed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=600)
    parser.add_argument("--cameras", type=int, nargs="*", default=(1, 2, 4))
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    asked = parser.parse_args()
    for kind in asked.kinds:
        for cameras in asked.cameras:
            hours, changed = Hours(), 0
            for seed in range(asked.first, asked.first + asked.seeds):
                found, days = watched(kind, seed, cameras)
                hours.add(found)
                changed += days
            print(f"{kind:8} {cameras} cameras: {hours.told()}; days found changed {changed}", flush=True)


if __name__ == "__main__":
    main()
