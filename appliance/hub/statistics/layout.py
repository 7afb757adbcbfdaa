"""A table of things worn laid out flat: every level of every attribute has one position in the hub's arrays.

Invariants:
    * ``unknown`` has no position: what is not known is masked, never counted as a value.
    * The statistics know a ``Layout`` and no vocabulary: the same code scores any categorical table. The street's
      layout is derived from the vocabulary when it is loaded; nothing is typed in twice.

>>> Layout.of((3, 2)).offsets, Layout.of((3, 2)).levels
((0, 3), 5)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.protocol.values import AttributeVector
from appliance.protocol.vocabulary import ATTRIBUTES, Confidence

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

BANDS: Final = 4
"""Strata of visibility."""

WEIGHTS: Final = {Confidence.LOW: 0.625, Confidence.FAIR: 0.8125, Confidence.SURE: 1.0}
"""What a reading counts for: about the middle of its class of posterior, as a sixteenth so that sums stay exact.

A SURE reading counts in full: its class's own error is left to the confusion matrix of the model's card."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """How many levels each attribute has, and which of them are vague.

    ``offsets`` holds the position of each attribute's first level, ``attribute_of`` the attribute of each position,
    ``vague`` (levels,) the positions that are never an exception by themselves and never a reason.
    """

    sizes: tuple[int, ...]
    offsets: tuple[int, ...]
    attribute_of: IntArray
    vague: BoolArray
    no_pair: BoolArray
    """(levels, levels): where two levels are of one attribute, or one of them is vague."""

    @staticmethod
    def of(sizes: Sequence[int], vague: Sequence[int] = ()) -> Layout:
        """The layout of attributes with so many levels each; ``vague`` are positions."""
        attribute_of = np.repeat(np.arange(len(sizes)), sizes)
        mask = np.zeros(sum(sizes), dtype=np.bool_)
        mask[list(vague)] = True
        return Layout(
            sizes=tuple(sizes),
            offsets=tuple(accumulate(sizes, initial=0))[:-1],
            attribute_of=attribute_of,
            vague=mask,
            no_pair=(attribute_of[:, None] == attribute_of) | mask[:, None] | mask,
        )

    @property
    def attributes(self) -> int:
        """How many attributes there are."""
        return len(self.sizes)

    @property
    def levels(self) -> int:
        """How many levels there are in all, without ``unknown``."""
        return len(self.vague)

    def attribute_level(self, position: int) -> tuple[int, int]:
        """Attribute and level (1 and up) at a position."""
        attribute = int(self.attribute_of[position])
        return attribute, position - self.offsets[attribute] + 1

    def block(self, attribute: int) -> slice:
        """The positions of an attribute's levels."""
        return slice(self.offsets[attribute], self.offsets[attribute] + self.sizes[attribute])

    def band(self, known: int) -> int:
        """How well somebody of whom so many attributes are known was seen, 0 to ``BANDS`` - 1."""
        return min(BANDS - 1, known * BANDS // (len(self.sizes) + 1))


def _street() -> Layout:
    labels = [(label in one.vague) for one in ATTRIBUTES for label in one.levels]
    return Layout.of(
        [len(one.levels) for one in ATTRIBUTES], [place for place, vague in enumerate(labels) if vague]
    )


STREET: Final = _street()
"""The layout of the vocabulary."""
OFFSETS: Final = STREET.offsets
LEVELS: Final = STREET.levels
ATTRIBUTE_OF: Final = STREET.attribute_of
VAGUE: Final = STREET.vague

_WEIGHT_OF: Final = tuple(WEIGHTS[confidence] for confidence in Confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedVector:
    """A vector as positions: all that is known with its weight, those readings that are FAIR or SURE, and the SURE.

    ``known``, ``fair`` and ``sure`` ascend; ``weights`` belongs to ``known`` and is None where every weight is 1.
    ``suppressed`` are positions that were read but are not believed of this camera at present: they are in none of
    these.
    """

    known: IntArray
    weights: FloatArray | None
    fair: IntArray
    sure: IntArray
    suppressed: tuple[int, ...] = ()


_POSITION: Final = tuple(
    tuple(OFFSETS[place] + level for level in range(-1, len(one.levels)))
    for place, one in enumerate(ATTRIBUTES)
)


def encode(vector: AttributeVector, masked: frozenset[int] = frozenset()) -> EncodedVector:
    """The positions of a vector's readings; ``masked`` positions are set aside as unknown."""
    known: list[int] = []
    weights: list[float] = []
    suppressed: list[int] = []
    for reading, positions in zip(vector.readings, _POSITION, strict=True):
        confidence = reading.confidence
        if confidence is not None:
            position = positions[reading.level]
            if position in masked:
                suppressed.append(position)
            else:
                known.append(position)
                weights.append(_WEIGHT_OF[confidence])
    everything = np.array(known, dtype=np.intp)
    unsure = weights.count(1.0) < len(known)
    if not unsure:
        return EncodedVector(
            known=everything, weights=None, fair=everything, sure=everything, suppressed=tuple(suppressed)
        )
    weighed = np.array(weights)
    return EncodedVector(
        known=everything,
        weights=weighed,
        fair=everything[weighed > WEIGHTS[Confidence.LOW]],
        sure=everything[weighed == 1.0],
        suppressed=tuple(suppressed),
    )


def attribute_level(position: int) -> tuple[int, int]:
    """Attribute and level (1 and up) at a position of the street's layout."""
    return STREET.attribute_level(position)
