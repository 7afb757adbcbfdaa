"""What a vector costs: one by one in plain numpy, in blocks, and River's half-space trees in the same run."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.hub.batch.stream import Stream
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.layout import Layout
from appliance.hub.statistics.rarity import Rarity
from appliance.protocol.values import Seconds, UnitId
from tests.bench.exceptions import peers
from tests.bench.exceptions.corner import NOON
from tests.bench.exceptions.street import Street, vectors

NORTH = UnitId("north")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU microseconds a vector."""

    what: str
    micros: float


def _least(call: Callable[[], object], number: int, rounds: int = 5) -> float:
    least = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        call()
        least = min(least, time.process_time() - begun)
    return least / number * 1e6


def measure(seed: int = 1, number: int = 4000) -> list[Cost]:
    """Score and update, on a street that is already known."""
    street = Street(seed)
    rows = street.people(number)
    people = vectors(rows)
    rarity = Rarity(Baseline())
    for place, vector in enumerate(people):
        rarity.score_and_learn(vector, NORTH, Seconds(NOON + place))
    encode = [rarity.encode(vector, NORTH) for vector in people]

    def score_and_update() -> None:
        for one in encode:
            rarity.update(one, rarity.score(one), NORTH, Seconds(NOON + number))

    found = [
        Cost(
            what="lay out a vector",
            micros=_least(lambda: [rarity.encode(one, NORTH) for one in people], number),
        ),
        Cost(what="score and update, one by one", micros=_least(score_and_update, number)),
    ]
    stream = Stream(Layout.of(street.sizes))
    many = street.people(65_536)
    stream.score_and_learn(many)
    found.append(
        Cost(
            what="score and update, in blocks of 8,192",
            micros=_least(lambda: stream.score_and_learn(many), len(many), 3),
        )
    )
    if importlib.util.find_spec("river"):
        trees = peers.half_space_trees(seed)
        numbered = [dict(enumerate(row)) for row in (rows / 13.0).tolist()]

        def river() -> None:
            for row in numbered:
                trees.score_one(row)
                trees.learn_one(row)

        found.append(Cost(what="River HalfSpaceTrees, score and learn", micros=_least(river, number, 2)))
    return found
