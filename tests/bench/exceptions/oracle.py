"""The best that anybody could do on the street: who knows how it is made, and sees the same frames.

Formula: given the look every attribute leans on one other at most, so the chance of any evidence is a sum over looks
of sum-product messages on a forest (Pearl 1988, *Probabilistic Reasoning in Intelligent Systems*, ch. 4), exact. The
ratio of the chance of the frames if an exception was put in, by the very lists it was drawn from, to that if none was
is the best score there is (Neyman and Pearson 1933): no AUC of a scorer that sees the same can be higher, but for
chance. Who is *truly* among the rarest given the frames is counted over outfits drawn from the posterior.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from tests.bench.exceptions.street import LEANS, FloatArray, Levels, Street

Evidence = list[FloatArray]
"""One (people, levels) likelihood for each attribute; all ones where nothing was seen."""
Wear = Sequence[tuple[int, int]]
"""(attribute, level) put on somebody."""


def evidence_of(frames: FloatArray, sizes: tuple[int, ...], shared: float) -> Evidence:
    """Likelihoods of levels from (people, frames, attributes, levels) log likelihoods whose errors are correlated."""
    total = np.maximum(frames, -1e4).sum(axis=1, dtype=np.float64) / (1 + (frames.shape[1] - 1) * shared)
    found = []
    for place, size in enumerate(sizes):
        logs = total[:, place, :size]
        found.append(np.exp(logs - logs.max(axis=1, keepdims=True)))
    return found


class Oracle:
    """Knows ``street``: its looks, what leans on what."""

    def __init__(self, street: Street) -> None:
        self._looks = street.looks
        self._own, self._lean = street.own, street.lean
        self._order = street.order
        self._parents = {
            INDEX[name]: INDEX[other] for name, other in LEANS.items() if self._lean[INDEX[name]] is not None
        }

    def chance(self, evidence: Evidence, without: Sequence[int] = ()) -> FloatArray:
        """(people,) chance of the evidence, that of the attributes ``without`` left out."""
        roots = self._gathered(evidence, frozenset(without))[1]
        found: FloatArray = roots @ self._looks
        return found

    def _gathered(self, evidence: Evidence, without: frozenset[int]) -> tuple[list[FloatArray], FloatArray]:
        """Beliefs below each attribute, (people, looks, levels); and (people, looks) chance given the look."""
        number, looks = len(evidence[0]), len(self._looks)
        below: list[FloatArray] = [np.zeros(0)] * len(ATTRIBUTES)
        to: dict[int, list[FloatArray]] = {place: [] for place in range(len(ATTRIBUTES))}
        total = np.ones((number, looks))
        for place in reversed(self._order):
            size = len(ATTRIBUTES[place].levels)
            seen = np.ones((number, 1, size)) if place in without else evidence[place][:, None, :]
            belief = np.broadcast_to(seen, (number, looks, size)).copy()
            for message in to[place]:
                belief *= message
            below[place] = belief
            own = np.einsum("nls,ls->nl", belief, self._own[place])
            lean = self._lean[place]
            if lean is None:
                total *= own
            else:
                to[self._parents[place]].append(0.55 * own[:, :, None] + 0.45 * (belief @ lean.T))
        return below, total

    def ratio(self, evidence: Evidence, kinds: Sequence[Sequence[Wear]]) -> FloatArray:
        """(people,) how much likelier the evidence is if one of ``kinds`` was put in than if none was.

        Every kind is as likely as the other, and within it every wear.
        """
        plain = self.chance(evidence)
        masked: dict[frozenset[int], FloatArray] = {}
        total = np.zeros(len(plain))
        for wears in kinds:
            for wear in wears:
                mask = frozenset(place for place, _ in wear)
                if mask not in masked:
                    masked[mask] = self.chance(evidence, tuple(mask))
                likely = masked[mask].copy()
                for place, level in wear:
                    likely *= evidence[place][:, level]
                total += likely / (len(wears) * len(kinds))
        found: FloatArray = total / plain
        return found

    def draw(self, evidence: Evidence, seed: int) -> Levels:
        """One outfit for each person, drawn from the posterior: (people, attributes)."""
        chance = np.random.default_rng(seed)
        below, total = self._gathered(evidence, frozenset())
        looks = _drawn(total * self._looks, chance)
        people = np.arange(len(looks))
        found = np.zeros((len(looks), len(ATTRIBUTES)), dtype=np.int32)
        for place in self._order:
            shares = self._own[place][looks]
            lean = self._lean[place]
            if lean is not None:
                shares = 0.55 * shares + 0.45 * lean[found[:, self._parents[place]]]
            found[:, place] = _drawn(shares * below[place][people, looks], chance)
        return found


def _drawn(weights: FloatArray, chance: np.random.Generator) -> NDArray[np.intp]:
    cuts = np.cumsum(weights, axis=1)
    drawn: NDArray[np.intp] = (chance.random(len(weights))[:, None] * cuts[:, -1:] > cuts).sum(axis=1)
    return np.minimum(drawn, weights.shape[1] - 1)
