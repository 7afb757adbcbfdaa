"""From a person's frames to what a unit says of them: by the unit's own code, and in array form to compare with.

Formula: log posterior of a level = log prior + w sum of frames' log likelihoods, w = 1 / (1 + (T - 1) rho) (Kish
1965, the design effect). *Jointly sure*: for every other attribute the posterior of the pair, with the pair's prior,
still gives the level ``SURE``. The priors are shares and pair shares of the baseline: aggregates only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.hub.exchange.prior_publisher import prior_of as hub_prior
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.rarity import Rarity
from appliance.protocol import prior as priors
from appliance.protocol import sign
from appliance.protocol.values import AttributeVector, BoothId, Seconds, UnitId
from appliance.unit.vision.attributes.fusion import describe as unit_describe
from appliance.unit.vision.attributes.priors import SHIPPED, Usual, usual_by
from appliance.unit.vision.types import AttributeReading
from tests.bench.exceptions.street import FloatArray, Levels, Sight, Street

UNKNOWN, LOW, FAIR, SURE = -1, 0, 1, 2
Confidences = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Shares of levels, and of pairs by two attributes, from people seen before."""

    single: tuple[FloatArray, ...]
    pair: dict[tuple[int, int], FloatArray]


def prior_of(people: Levels, sizes: tuple[int, ...]) -> Prior:
    """Smoothed shares; pairs are shrunk towards independence by half a person."""
    single = [np.bincount(people[:, place], minlength=size) + 0.5 for place, size in enumerate(sizes)]
    single = [counts / counts.sum() for counts in single]
    pair = {}
    for one, width in enumerate(sizes):
        for other, height in enumerate(sizes):
            cells = np.bincount(people[:, one] * height + people[:, other], minlength=width * height)
            expected = np.outer(single[one], single[other])
            lift = (cells.reshape(width, height) + 0.5) / (expected * len(people) + 0.5)
            pair[one, other] = expected * lift
    return Prior(single=tuple(single), pair=pair)


def said_by_unit(frames: FloatArray, sizes: tuple[int, ...], usual: Usual) -> list[AttributeVector]:
    """What the unit's own ``describe`` says of (people, frames, attributes, levels) log likelihoods."""
    shares = np.exp(frames - frames.max(axis=3, keepdims=True))
    return [
        unit_describe(
            [
                [
                    AttributeReading(attribute=place, likelihood=tuple(row[:size]))
                    for place, (size, row) in enumerate(zip(sizes, glance, strict=True))
                ]
                for glance in person
            ],
            usual,
        )
        for person in shares.tolist()
    ]


def seen_as(usual: Usual, shared: float) -> Usual:
    """``usual`` for the street's own eyes: they are calibrated (no temperature), their errors correlated so much."""
    return replace(
        usual,
        calibrations=tuple(replace(one, temperature=1.0, correlation=shared) for one in usual.calibrations),
    )


def usual_from_hub(street: Street, sight: Sight, people: int, begun: float) -> Usual:
    """What units go by after a day: a hub counted what they said by the shipped prior; they read what it signed."""
    rarity, here = Rarity(Baseline()), UnitId("north")
    seen = street.frames(street.people(people), sight)
    for place, vector in enumerate(said_by_unit(seen, street.sizes, seen_as(SHIPPED, sight.shared))):
        rarity.score_and_learn(vector, here, Seconds(begun + 2.0 * place))
    key, booth = sign.new_private_key(), BoothId("street")
    now = Seconds(begun + 2.0 * people)
    file = hub_prior(rarity.baseline, booth=booth, private_key=key, now=now)
    told = priors.prior_in(file, public_key=sign.public_key_of(key), booth=booth)
    return seen_as(usual_by(told), sight.shared)


def describe(
    frames: FloatArray, sizes: tuple[int, ...], prior: Prior, shared: float, *, jointly: bool = True
) -> tuple[Levels, Confidences]:
    """(levels, confidences) of (people, frames, attributes, levels) log likelihoods; both (people, attributes)."""
    number, seen = frames.shape[:2]
    total = np.maximum(frames, -1e4).sum(axis=1) / (1 + (seen - 1) * shared)
    levels = np.zeros((number, len(sizes)), dtype=np.int32)
    sure = np.zeros((number, len(sizes)))
    likely = []
    for place, (size, share) in enumerate(zip(sizes, prior.single, strict=True)):
        logs = total[:, place, :size]
        likely.append(np.exp(logs - logs.max(axis=1, keepdims=True)))
        posterior = likely[-1] * share
        posterior /= posterior.sum(axis=1, keepdims=True)
        levels[:, place], sure[:, place] = posterior.argmax(axis=1), posterior.max(axis=1)
    joint = sure.copy()
    people = np.arange(number)
    for (one, other), shares in prior.pair.items() if jointly else ():
        if one != other:
            posterior = likely[one] * (likely[other] @ shares.T)
            posterior /= posterior.sum(axis=1, keepdims=True)
            joint[:, one] = np.minimum(joint[:, one], posterior[people, levels[:, one]])
    said = np.select([joint >= 0.9, sure >= 0.75, sure >= 0.5], [SURE, FAIR, LOW], UNKNOWN)
    return levels, said.astype(np.int8)
