"""One stolen unit key: how far its false statements move what other cameras judge, and what the bound costs.

The attack: 2,000 people at an honest camera; then a second enrolled unit, whose key was stolen, says an outfit that
is rare there N times at one instant of the hub's clock, as fast and with such times as suit it best of those tried
here (``--claims``: all within a minute of its own time, or spread over the past day). The outfits are the five rarest
of 1,500 strangers' (``tests.hub.corner``). The whole hub runs: signatures, the door, the statistics.

The price: an ordinary day of 9,000 on streets kept apart (``tests.bench.exceptions.street``, seeds from 400), seen
by 1, 2 and 4 cameras that err: the share flagged at nominal 1 %, with the bound and by everybody's counts alone.

Run: ``python -m tests.bench.bench_stolen_key [--seeds 4] [--claims minute day]``.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from appliance.hub.engine import HubEngine
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.event_day import EventDayRarity
from appliance.hub.statistics.leave_one_out import LeaveOneOutRarity
from appliance.protocol.values import (
    AttributeVector,
    Epoch,
    Observation,
    PhenomenonTime,
    Seconds,
    Seq,
    Steps,
    UnitId,
)
from tests.bench.exceptions import chain
from tests.bench.exceptions.street import Sight, Street, vectors
from tests.hub.corner import NOON, Camera, Crowd, new_booth

LIES = (0, 20, 100, 500, 5000, 20000)
OUTFITS = 5
BATCH = 500
UNITS = tuple(UnitId(name) for name in ("north", "south", "east", "west"))


def booth() -> tuple[HubEngine, Camera, float]:
    """A hub of two units after 2,000 people at the first; and the second, with no clock anybody could check."""
    good, evil = Camera("north"), Camera("south", seed=2, synced=False, booted=NOON - 10**8)
    hub, crowd, now = new_booth(good, evil, warmup_people=300, max_p=0.005), Crowd(), float(NOON)
    for _ in range(2000):
        hub.handle_batch([good.says(good.observation(crowd.person(), now))], Seconds(now))
        now += 1.3
    return hub, evil, now


def p_of(hub: HubEngine, vector: AttributeVector) -> float:
    """How rare an outfit is at the honest camera."""
    rarity = hub._rarity
    return rarity.judge(rarity.encode(vector, UNITS[0]), UNITS[0]).score.p


def lied(hub: HubEngine, evil: Camera, now: float, vector: AttributeVector, lies: int, claims: str) -> int:
    """Say ``vector`` so often at one instant; how often it was admitted."""
    refused = 0
    for first in range(0, lies, BATCH):
        batch = []
        for number in range(first, min(first + BATCH, lies)):
            step = number // BATCH if claims == "minute" else number % 17_000
            seen = PhenomenonTime(uptime=Steps(10**7 + step), wall=None)
            said = Observation(unit=UNITS[1], epoch=Epoch(1), seq=Seq(number), seen=seen, vector=vector)
            batch.append(evil.says(evil.sealer.seal(said)))
        refused += len(hub.handle_batch(batch, Seconds(now)).refusals)
    return lies - refused


def attacks(claims: str) -> None:
    """Print, for each number of lies, what it does to the p of rare outfits."""
    hub, _, _ = booth()
    strangers = Crowd(99)
    pool = [strangers.person(sight=0.95) for _ in range(1500)]
    rarest = sorted(pool, key=lambda vector: p_of(hub, vector))[:OUTFITS]
    for lies in LIES:
        before, after, admitted = [], [], 0
        for vector in rarest:
            hub, evil, now = booth()
            before.append(p_of(hub, vector))
            admitted = lied(hub, evil, now, vector, lies, claims)
            after.append(p_of(hub, vector))
        print(
            f"claims of a {claims}, {lies:5} lies at one instant: admitted {admitted:5}; p before "
            f"{np.median(before):.5f} after {np.median(after):.5f} (most {max(after):.5f}); "
            f"still flagged {sum(p <= 0.01 for p in after)} of {len(after)}",
            flush=True,
        )


def price(seed: int, cameras: int, people: int) -> tuple[float, float]:
    """Shares flagged at nominal 1 % after 1,000 people, with the bound and without."""
    street, sight = Street(seed), Sight()
    prior = chain.prior_of(street.people(4000), street.sizes)
    levels = street.people(people)
    said = vectors(*chain.describe(street.frames(levels, sight), street.sizes, prior, sight.shared))
    rarity = LeaveOneOutRarity(EventDayRarity(Baseline()))
    flags = np.zeros(2)
    for place, vector in enumerate(said):
        judged = rarity.judge_and_learn(vector, UNITS[place % cameras], Seconds(NOON + 4.0 * place))
        if place >= 1000:
            flags += (judged.score.p <= 0.01, judged.everything.p <= 0.01)
    bounded, free = flags / (people - 1000)
    return float(bounded), float(free)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--claims", nargs="*", choices=("minute", "day"), default=("minute", "day"))
    asked = parser.parse_known_args()[0]
    for claims in asked.claims:
        attacks(claims)
    for cameras in (1, 2, 4):
        found = [price(400 + seed, cameras, 9000) for seed in range(asked.seeds)]
        bounded, free = np.array(found).T * 100
        print(
            f"{cameras} cameras, flagged at nominal 1 %: {bounded.mean():.2f} % with the bound "
            f"({', '.join(f'{one:.2f}' for one in bounded)}), {free.mean():.2f} % without",
            flush=True,
        )


if __name__ == "__main__":
    main()
