"""Fashion week after weeks of one's own: whether the box empties, on the right people, all day long.

The street: two weeks of ordinary days (``tests.bench.exceptions.street``) of 400 people each; then a day of 9,000
passers-by, 10 to 20 h, of whom 90 % come from another street altogether, seen by two cameras with errors (5 frames
each). 40 gifts, 2 staff, 6 minutes a visit, half of those asked accept. The hub's own rarity, reasons, floor and
pacing decide, as in ``appliance.hub.engine``. The smaller ``--spread``, the more peculiar is the event's street.

Truth: everybody's real outfit, free of noise, by all four looks, against the whole of that day's crowd. *Oracle*: as
many alerts, each the strongest, by hindsight of what the cameras read, of those who came from one alert of the hub's
to its next.

Seed 1 was looked at while building; nothing was chosen on those that are printed, from 200 on.

Run: ``python -m tests.bench.bench_event_day [--seeds 10] [--first 200] [--spread 3] [--ordinary] [--weeks-only]``.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass, field
from itertools import pairwise

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from appliance.hub.pacing.forecast import HourCount
from appliance.hub.pacing.local_day import local_day
from appliance.hub.pacing.pacing import Pacing, Today
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import BaselineState, coarse, merged, taken_up
from appliance.hub.statistics.event_day import EventDayRarity
from appliance.hub.statistics.layout import EncodedVector
from appliance.hub.statistics.leave_one_out import LeaveOneOutRarity
from appliance.hub.statistics.rarity import CountReceipt, Rarity, Score
from appliance.hub.statistics.reasons import is_worth_a_walk, reasons_for
from appliance.hub.storage.restore import learnt, snapshot_of
from appliance.hub.storage.state import HubState
from appliance.protocol.values import (
    AttributeVector,
    Epoch,
    Flag,
    Observation,
    PhenomenonTime,
    Seconds,
    Seq,
    Steps,
    UnitId,
)
from appliance.settings.config import PacingConfig
from tests.bench.exceptions import chain
from tests.bench.exceptions.street import Sight, Street, vectors

STOCK, STAFF, VISIT, ACCEPTANCE = 40, 2, 360.0, 0.5
HOURS = 10
FLAG_P = 0.01
WARMUP = 300
DAYS = 14
UNITS = (UnitId("north"), UnitId("south"))
DAY = 86_400.0
MONDAY = local_day(Seconds(1_760_000_000.0)).midnight


@dataclass
class Outcome:
    """One day: when alerts came, the rank of each by truth (0 the rarest), gifts, and flags by hour."""

    at: list[float] = field(default_factory=list)
    ranks: list[float] = field(default_factory=list)
    oracle: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    late_oracle: list[float] = field(default_factory=list)
    gifts: int = 0
    changed: bool = False
    flags: list[int] = field(default_factory=lambda: [0] * HOURS)

    def gap(self) -> float:
        """Longest time without an alert, minutes, while there are gifts; after the hold of 150 people."""
        end = HOURS * 3600.0 if self.gifts < STOCK else (self.at[-1] if self.at else 0.0)
        return float(np.diff([600.0, *self.at, end]).max()) / 60


def _imported(
    seed: int, per_day: int, opens: float, prior: chain.Prior, chance: np.random.Generator
) -> BaselineState:
    """Two weeks of three other corners, as their exported files merged: counts, and no memory of scores."""
    states = []
    for corner in range(3):
        street, there = Street(seed + 10_000 * (corner + 1)), LeaveOneOutRarity(EventDayRarity(Baseline()))
        for day in range(DAYS):
            said = _said(street, street.people(per_day // 3), prior)
            _learn(there, said, opens - (DAYS - day) * DAY, chance)
        states.append(coarse(there.baseline.state()))
    return taken_up(merged(merged(states[0], states[1]), states[2]))


class WeeksOnly(EventDayRarity):
    """Never notices that the day has changed: what the hub did before, to compare with."""

    def update(self, one: EncodedVector, score: Score, unit: UnitId, seen_at: Seconds) -> CountReceipt:
        """As ``Rarity`` does."""
        return Rarity.update(self, one, score, unit, seen_at)


def day_of(
    seed: int,
    people: int,
    learnt: int,
    *,
    event: bool,
    spread: float,
    weeks_only: bool = False,
    restart: int = 0,
    weeks: str = "own",
) -> Outcome:
    """Weeks, then one day: an event, or (not ``event``) one more ordinary day."""
    chance = np.random.default_rng(seed)
    usual, gala = Street(seed), Street(seed + 100_000, spread=spread)
    rarity = LeaveOneOutRarity((WeeksOnly if weeks_only else EventDayRarity)(Baseline()))
    opens = MONDAY + 10 * 3600.0
    per_day = learnt // DAYS
    prior = chain.prior_of(usual.people(4000), usual.sizes)
    if weeks == "own":
        for day in range(DAYS):
            _learn(rarity, _said(usual, usual.people(per_day), prior), opens - (DAYS - day) * DAY, chance)
    elif weeks == "imported":
        rarity = LeaveOneOutRarity(EventDayRarity(Baseline(_imported(seed, per_day, opens, prior, chance))))
    levels = usual.people(people)
    if event:
        dressed = chance.random(people) < 0.9
        levels[dressed] = gala.people(int(dressed.sum()))
    said = _said(usual, levels, prior)
    at = np.sort(chance.random(people)) * HOURS * 3600.0
    truth = _rank(_hindsight(vectors(levels)))
    return _played(rarity, said, at, truth, per_day, chance, 1 / 200 if weeks_only else None, restart)


def _said(street: Street, levels: np.ndarray, prior: chain.Prior) -> list[AttributeVector]:
    sight = Sight()
    return vectors(*chain.describe(street.frames(levels, sight), street.sizes, prior, sight.shared))


def _learn(
    rarity: LeaveOneOutRarity, said: list[AttributeVector], begun: float, chance: np.random.Generator
) -> None:
    times = np.sort(chance.random(len(said))) * HOURS * 3600.0
    for place, vector in enumerate(said):
        rarity.judge_and_learn(vector, UNITS[place % 2], Seconds(begun + times[place]))


def _hindsight(crowd: list[AttributeVector]) -> np.ndarray:
    """Strength of everybody against all of the crowd, by all looks."""
    rarity = Rarity(Baseline())
    for turn in range(2):  # the second time against tables and scores of the whole day
        strengths = []
        for place, vector in enumerate(crowd):
            one = rarity.encode(vector, UNITS[0])
            score = rarity.score(one)
            strengths.append(score.strength)
            if turn == 0:
                rarity.update(one, score, UNITS[place % 2], Seconds(MONDAY))
    return np.array(strengths)


def _rank(strength: np.ndarray) -> np.ndarray:
    """Share of the crowd that is rarer than each, in [0, 1)."""
    order = np.argsort(-strength, kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order)) / len(order)
    return ranks


def _played(
    rarity: LeaveOneOutRarity,
    said: list[AttributeVector],
    at: np.ndarray,
    truth: np.ndarray,
    usual_people: int,
    chance: np.random.Generator,
    max_p: float | None,
    restart: int,
) -> Outcome:
    opens = MONDAY + 10 * 3600.0
    days = [local_day(Seconds(opens - back * DAY)).day for back in range(1, DAYS + 1)]
    history = [
        HourCount(day=day, hour=10 + hour, people=usual_people // HOURS, watched=3600)
        for day in days
        for hour in range(HOURS)
    ]
    config = PacingConfig(
        stock=STOCK,
        staff=STAFF,
        max_p=max_p,
        opens=Seconds(10 * 3600.0),
        closes=Seconds((10 + HOURS) * 3600.0),
    )
    pacing = Pacing(config, suppress_seconds=Seconds(300.0), now=Seconds(opens), history=history)
    accepts = chance.random(len(said)) < ACCEPTANCE
    outcome, busy, who = Outcome(), [0.0] * STAFF, []
    gifts = ended = 0
    pending: list[tuple[float, bool]] = []
    for place, (vector, after) in enumerate(zip(said, at.tolist(), strict=True)):
        now, unit = Seconds(opens + after), UNITS[place % 2]
        if restart and place == restart:
            rarity = learnt(HubState(snapshot=snapshot_of(rarity)))
        while pending and pending[0][0] <= after:
            gifts, ended = gifts + pending.pop(0)[1], ended + 1
        today = Today(began=Seconds(opens), gifted=gifts, ended=ended, gifted_before=30.0, ended_before=60.0)
        one = rarity.encode(vector, unit)
        judged = rarity.judge(one, unit)
        score = judged.score
        floor = pacing.max_p(today, now)
        ready = not rarity.baseline.needs(WARMUP, now) and not judged.holds
        rare = ready and score.p <= max(FLAG_P, floor)
        reasons = reasons_for(one, score, judged.usual, now) if rare else ()
        rarity.update(one, judged, unit, now)
        pacing.passed(now, flags=score.p <= floor, floor=floor)
        if not reasons:
            continue
        outcome.flags[int(after // 3600)] += 1
        free = sum(until <= after for until in busy)
        if not is_worth_a_walk(_flag(vector, unit, score.p, reasons)):
            continue
        if pacing.worth(score.p, vector, today=today, open_alerts=STAFF - free, now=now):
            busy[busy.index(min(busy))] = after + VISIT
            pending.append((after + VISIT, bool(accepts[place])))
            outcome.at.append(after)
            who.append(place)
    outcome.gifts = min(STOCK, gifts + sum(gift for _, gift in pending))
    outcome.changed = rarity.everything.changed
    outcome.ranks = truth[who].tolist()
    read = _hindsight(said)
    edges = [0, *who[1:], len(said)]
    best = [low + int(np.argmax(read[low:high])) for low, high in pairwise(edges) if high > low]
    outcome.oracle = truth[best].tolist()
    outcome.late = [rank for rank, place in zip(outcome.ranks, who, strict=True) if place >= 5000]
    outcome.late_oracle = truth[[place for place in best if place >= 5000]].tolist()
    return outcome


def _flag(vector: AttributeVector, unit: UnitId, p: float, reasons: tuple) -> Flag:  # type: ignore[type-arg]
    seen = PhenomenonTime(uptime=Steps(0), wall=None)
    observation = Observation(unit=unit, epoch=Epoch(1), seq=Seq(1), seen=seen, vector=vector)
    return Flag(observation=observation, p=p, bits=-float(np.log2(p)), reasons=reasons)


def _share(ranks: list[float], low: float, high: float) -> float:
    return float(np.mean([low <= rank < high for rank in ranks])) if ranks else float("nan")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=200)
    parser.add_argument("--people", type=int, default=9000)
    parser.add_argument("--weeks-people", type=int, default=5600)
    parser.add_argument("--spread", type=float, default=3.0, help="of the event's street")
    parser.add_argument("--restart", type=int, default=0, help="the hub starts anew at this person")
    parser.add_argument("--weeks", choices=("own", "imported", "none"), default="own")
    parser.add_argument("--ordinary", action="store_true", help="one more ordinary day instead of the event")
    parser.add_argument(
        "--weeks-only", action="store_true", help="without experts, floor 1/200: as it was before"
    )
    asked = parser.parse_known_args()[0]
    begun, found = time.monotonic(), []
    for seed in range(asked.first, asked.first + asked.seeds):
        one = day_of(
            seed,
            asked.people,
            asked.weeks_people,
            event=not asked.ordinary,
            spread=asked.spread,
            weeks_only=asked.weeks_only,
            restart=asked.restart,
            weeks=asked.weeks,
        )
        found.append(one)
        print(
            f"seed {seed}: gifts {one.gifts:2}, alerts {len(one.at):2}, top 5 % {_share(one.ranks, 0, 0.05):.2f} "
            f"(oracle {_share(one.oracle, 0, 0.05):.2f}), outside top 20 % {_share(one.ranks, 0.2, 2):.2f} "
            f"(oracle {_share(one.oracle, 0.2, 2):.2f}), gap {one.gap():3.0f} min, "
            f"alerts by hour {np.histogram(one.at, HOURS, (0, HOURS * 3600.0))[0].tolist()}, flags {one.flags}",
            flush=True,
        )
    ranks, best, late, late_best = (
        [rank for one in found for rank in getattr(one, name)]
        for name in ("ranks", "oracle", "late", "late_oracle")
    )
    gaps = sorted(one.gap() for one in found)
    print(
        f"mean gifts {np.mean([one.gifts for one in found]):.1f} (least {min(one.gifts for one in found)}); "
        f"top 5 % {_share(ranks, 0, 0.05):.2f} (oracle {_share(best, 0, 0.05):.2f}); "
        f"outside top 20 % {_share(ranks, 0.2, 2):.2f} (oracle {_share(best, 0.2, 2):.2f}); from person 5,000 "
        f"{_share(late, 0, 0.05):.2f} (oracle {_share(late_best, 0, 0.05):.2f}); gap in 9 of 10 "
        f"{gaps[max(0, round(0.9 * len(gaps)) - 1)]:.0f} min, worst {gaps[-1]:.0f}; taken for a changed day: "
        f"{sum(one.changed for one in found)} of {len(found)}; {time.monotonic() - begun:.0f} s"
    )


if __name__ == "__main__":
    main()
