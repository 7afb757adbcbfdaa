"""The vocabulary laid out flat: every level of every attribute has one position in the hub's arrays.

Laws:
    * ``unknown`` has no position: what is not known is masked, never counted as a value.
    * Everything here is derived from the vocabulary when it is loaded; nothing is typed in twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.values import AttributeVector
from appliance.vocabulary import ATTRIBUTES, Confidence

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

OFFSETS: Final = tuple(
    sum(len(attribute.levels) for attribute in ATTRIBUTES[:position]) for position in range(len(ATTRIBUTES))
)
"""Position of each attribute's first level."""

LEVELS: Final = sum(len(attribute.levels) for attribute in ATTRIBUTES)
"""How many levels there are in all, without ``unknown``."""

ATTRIBUTE_OF: Final[IntArray] = np.repeat(
    np.arange(len(ATTRIBUTES)), [len(attribute.levels) for attribute in ATTRIBUTES]
)
"""The attribute of each position."""

VAGUE: Final[NDArray[np.bool_]] = np.array(
    [label in attribute.vague for attribute in ATTRIBUTES for label in attribute.levels]
)
"""Which positions are vague: never an exception by themselves, never a reason."""

WEIGHTS: Final = {Confidence.LOW: 0.625, Confidence.FAIR: 0.8125, Confidence.SURE: 1.0}
"""What a reading counts for: about the middle of its class of posterior, as a sixteenth so that sums stay exact.

A SURE reading counts in full: its class's own error is left to the confusion matrix of the model's card."""

BANDS: Final = 4
_BAND_OF: Final = tuple(
    min(BANDS - 1, known * BANDS // (len(ATTRIBUTES) + 1)) for known in range(len(ATTRIBUTES) + 1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """A vector as positions: all that is known with its weight, and those readings that are SURE.

    ``known`` and ``sure`` ascend; ``weights`` belongs to ``known`` and is None where every weight is 1.
    """

    known: IntArray
    weights: FloatArray | None
    sure: IntArray
    mask: int
    """Bit *a* is set where attribute *a* is SURE."""

    @property
    def band(self) -> int:
        """How well the person was seen, 0 to ``BANDS`` - 1: by the number of SURE readings."""
        return _BAND_OF[len(self.sure)]


def worn(vector: AttributeVector) -> Worn:
    """The positions of a vector's readings."""
    known: list[int] = []
    sure: list[int] = []
    weights: list[float] = []
    mask = 0
    for attribute, reading in enumerate(vector.readings):
        if reading.confidence is None:
            continue
        position = OFFSETS[attribute] + reading.level - 1
        known.append(position)
        if reading.confidence is Confidence.SURE:
            sure.append(position)
            mask |= 1 << attribute
            weights.append(1.0)
        else:
            weights.append(WEIGHTS[reading.confidence])
    everything = np.array(known, dtype=np.intp)
    all_sure = len(sure) == len(known)
    return Worn(
        known=everything,
        weights=None if all_sure else np.array(weights),
        sure=everything if all_sure else np.array(sure, dtype=np.intp),
        mask=mask,
    )


def attribute_level(position: int) -> tuple[int, int]:
    """Attribute and level (1 and up) at a position."""
    attribute = int(ATTRIBUTE_OF[position])
    return attribute, position - OFFSETS[attribute] + 1
