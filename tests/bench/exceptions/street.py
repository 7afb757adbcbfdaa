"""A street corner made of chance: outfits that hang together, seen by eyes that err. Seeded; no person is modelled.

What is made: looks (latent, a few of them common, the shares of each drawn round the street's own), things that go
with things (each attribute also leans on another one), rain, a camera whose white balance fails, a fair in town. How
it is seen: frame by frame, each attribute wrong with a set chance, errors of one person's frames shared in part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.protocol.values import UNKNOWN, AttributeVector, Reading
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX, Confidence

FloatArray = NDArray[np.float64]
Levels = NDArray[np.int32]
"""(people, attributes), from 0."""

_COLOURS: Final = (0.26, 0.15, 0.15, 0.06, 0.02, 0.06, 0.02, 0.06, 0.15, 0.02, 0.03, 0.06)
_LOWER: Final = (0.34, 0.14, 0.06, 0.02, 0.005, 0.06, 0.004, 0.04, 0.24, 0.01, 0.015, 0.09)
_SHARES: Final = {
    "top.colour": _COLOURS,
    "top.accent": (0.7, *(0.3 * share for share in _COLOURS)),
    "top.pattern": (0.78, 0.1, 0.06, 0.04, 0.02),
    "bottom.colour": _LOWER,
    "bottom.accent": (0.88, *(0.12 * share for share in _LOWER)),
    "bottom.pattern": (0.9, 0.05, 0.02, 0.02, 0.01),
    "lower.kind": (0.72, 0.12, 0.16),
    "sleeves": (0.6, 0.4),
    "outer": (0.5, 0.2, 0.3),
    "one_piece": (0.93, 0.07),
    "feet.colour": (0.55, 0.33, 0.12),
    "bag": (0.5, 0.5),
}
"""About what photos of streets show, rounded; the rest is drawn."""

SECOND: Final = tuple((INDEX[f"{where}.colour"], INDEX[f"{where}.accent"]) for where in ("top", "bottom"))
"""Colours and second colours. A second colour is another than the first: level i of the one is i + 1 of the other."""

LEANS: Final = {
    "top.accent": "top.pattern", "bottom.colour": "top.colour", "bottom.accent": "bottom.pattern",
    "bottom.pattern": "one_piece", "lower.kind": "one_piece", "sleeves": "outer", "feet.colour": "bottom.colour",
    "top.pattern": "outer", "outer": "lower.kind",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How people are seen: ``frames`` each, an attribute wrong with chance ``error`` a frame.

    ``shared`` is the correlation of the errors of one person's frames, ``stubborn`` the share of readings in which
    all frames are wrong alike.
    """

    error: float = 0.1
    frames: int = 5
    shared: float = 0.5
    stubborn: float = 0.0


@lru_cache
def noise_width(levels: int, error: float) -> float:
    """Standard deviation of a score's noise with which the highest of ``levels`` is wrong so often."""
    noise = np.random.default_rng(5).normal(size=(200_000, levels))
    margin = noise[:, 1:].max(axis=1) - noise[:, 0]
    return float(1.0 / np.quantile(margin, 1.0 - error))


class Street:
    """One corner; ``looks`` of them, of which ``spread`` says how much they differ (smaller is more)."""

    def __init__(self, seed: int, *, looks: int = 16, spread: float = 3.0) -> None:
        self._chance = np.random.default_rng(seed)
        self.looks = self._chance.dirichlet(np.full(looks, 0.8))
        self.sizes = tuple(len(one.levels) for one in ATTRIBUTES)
        self.own: list[FloatArray] = []
        self.lean: list[FloatArray | None] = []
        for one in ATTRIBUTES:
            share = np.array(_SHARES[one.name])
            share = share / share.sum()
            self.own.append(self._chance.dirichlet(share * spread + 1e-3, size=looks))
            self.lean.append(
                self._chance.dirichlet(share * spread + 1e-3, size=self.sizes[INDEX[LEANS[one.name]]])
                if one.name in LEANS
                else None
            )
        self.order = _ordered()
        # A net errs towards its neighbours: seeded, not even.
        self._confused = [
            self._chance.dirichlet(np.full(size, 0.6), size=size) * (1.0 - np.eye(size))
            for size in self.sizes
        ]
        self._confused = [rows / rows.sum(axis=1, keepdims=True) for rows in self._confused]

    def people(self, number: int, *, rain: bool = False, fair: float = 0.0) -> Levels:
        """So many passers-by; in rain they dress for it, and a share of a ``fair``'s guests dresses alike."""
        chance = self._chance
        looks = chance.choice(len(self.looks), number, p=self.looks)
        found = np.zeros((number, len(ATTRIBUTES)), dtype=np.int32)
        for place in self.order:
            shares = self.own[place][looks]
            lean = self.lean[place]
            if lean is not None:
                shares = 0.55 * shares + 0.45 * lean[found[:, INDEX[LEANS[ATTRIBUTES[place].name]]]]
            if rain:
                shares = _rained(shares, ATTRIBUTES[place].name)
            cuts = np.cumsum(shares, axis=1)
            drawn = (chance.random(number)[:, None] * cuts[:, -1:] > cuts).sum(axis=1)
            found[:, place] = np.minimum(drawn, self.sizes[place] - 1)
        guests = chance.random(number) < fair
        for name, level in (("top.colour", 6), ("bottom.colour", 3), ("top.pattern", 4)):
            found[guests, INDEX[name]] = level
        for colour, accent in SECOND:
            found[found[:, accent] == found[:, colour] + 1, accent] = 0
        return found

    def frames(self, people: Levels, sight: Sight) -> FloatArray:
        """What a net says frame by frame, as log likelihoods: (people, frames, attributes, most levels).

        A net's score of a level is 1 where it is true, else 0, and Gaussian noise as wide as makes the highest wrong
        with chance ``error``; the noise of one person's frames is correlated by ``shared``. In a share ``stubborn``
        of readings all frames see one wrong level, sure of it: what no statistics can mend.
        """
        chance, number = self._chance, len(people)
        found = np.full((number, sight.frames, len(ATTRIBUTES), max(self.sizes)), -np.inf, dtype=np.float32)
        for place, size in enumerate(self.sizes):
            width = noise_width(size, sight.error)
            seen = people[:, place].copy()
            stubborn = chance.random(number) < sight.stubborn
            seen[stubborn] = self.draw(self._confused[place][seen[stubborn]])
            common = chance.normal(size=(number, 1, size)) * np.sqrt(sight.shared)
            own = chance.normal(size=(number, sight.frames, size)) * np.sqrt(1.0 - sight.shared)
            found[:, :, place, :size] = ((common + own) * width + np.eye(size)[seen][:, None]) / width**2
        return found

    def draw(self, shares: FloatArray) -> NDArray[np.intp]:
        """One level per row of ``shares``."""
        cuts = np.cumsum(shares, axis=1)
        drawn: NDArray[np.intp] = (self._chance.random(len(shares))[:, None] * cuts[:, -1:] > cuts).sum(
            axis=1
        )
        return np.minimum(drawn, shares.shape[1] - 1)


def _ordered() -> list[int]:
    order: list[int] = []
    while len(order) < len(ATTRIBUTES):
        for place, one in enumerate(ATTRIBUTES):
            lean = LEANS.get(one.name)
            if place not in order and (lean is None or INDEX[lean] in order):
                order.append(place)
    return order


def _rained(shares: FloatArray, name: str) -> FloatArray:
    """Shares in rain: closed outer layers, long sleeves, yellow and green tops, dark shoes."""
    factors = {
        "outer": (0.2, 0.6, 3.0),
        "sleeves": (3.0, 0.3),
        "top.colour": (1, 1, 0.6, 1, 1, 1, 6, 3, 1.3, 1, 1, 1),
        "feet.colour": (1.5, 0.6, 1.5),
        "lower.kind": (1.3, 0.3, 0.7),
    }.get(name)
    return shares if factors is None else shares * np.array(factors)


def vectors(levels: Levels, confidence: NDArray[np.int8] | None = None) -> list[AttributeVector]:
    """Vectors as units say them; ``confidence`` -1 is unknown, None is all SURE."""
    table = [
        [
            [Reading(level=level + 1, confidence=sure) for sure in Confidence]
            for level in range(len(one.levels))
        ]
        for one in ATTRIBUTES
    ]
    found = []
    for row, levels_of in enumerate(levels.tolist()):
        sure = [2] * len(levels_of) if confidence is None else confidence[row].tolist()
        found.append(
            AttributeVector(
                readings=tuple(
                    table[place][level][said] if said >= 0 else UNKNOWN
                    for place, (level, said) in enumerate(zip(levels_of, sure, strict=True))
                )
            )
        )
    return found
