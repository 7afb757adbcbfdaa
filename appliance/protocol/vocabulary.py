"""The closed vocabulary: everything a unit can say, and the number it is said with.

Invariants:
    * This table is the only source of words: notice, labels, tablet and schema are generated from it.
    * Every attribute has ``unknown``; nothing above the shoulders, no body, no identity is an attribute.
    * A whole attribute vector *is* one integer below ``CAPACITY``; every such integer is one vector. There is
      no second spelling of a vector and no room beside it.
    * A released version never changes: a change of words is a new ``VERSION``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Final

VERSION: Final = 1
"""Number of this vocabulary on the wire."""


@unique
class Confidence(IntEnum):
    """How sure the unit is of a level, as a coarse class of its posterior probability.

    A level whose posterior is below 0.5 is not said at all: it is ``unknown``.
    """

    LOW = 0
    """0.50 to 0.75"""
    FAIR = 1
    """0.75 to 0.90"""
    SURE = 2
    """0.90 and above"""

    @staticmethod
    def of(posterior: float) -> Confidence | None:
        """Class of a posterior in [0, 1]; None where the level must be left ``unknown``.

        >>> Confidence.of(0.93), Confidence.of(0.4)
        (<Confidence.SURE: 2>, None)
        """
        if not posterior >= 0.5:  # NaN is unknown too
            return None
        return (
            Confidence.SURE if posterior >= 0.9 else Confidence.FAIR if posterior >= 0.75 else Confidence.LOW
        )


CONFIDENCES: Final = len(Confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One thing worn and the closed list of what it may be.

    ``levels`` are the values besides ``unknown`` (level 0); level *i* is ``levels[i - 1]``.
    ``vague`` levels are never given to people as a reason. ``question`` is what the attribute asks, for the
    public notice.
    """

    name: str
    levels: tuple[str, ...]
    question: str
    vague: tuple[str, ...] = ()

    @property
    def radix(self) -> int:
        """How many digits the attribute can take: ``unknown``, or a level with one of three confidences."""
        return 1 + len(self.levels) * CONFIDENCES

    def label(self, level: int) -> str:
        """The word of a level; ``unknown`` for 0. IndexError outside the vocabulary."""
        if level < 0:
            raise IndexError(level)
        return self.levels[level - 1] if level else "unknown"

    def level(self, label: str) -> int:
        """The level of a word; 0 for ``unknown``. ValueError for any other word."""
        return 0 if label == "unknown" else self.levels.index(label) + 1


COLOURS: Final = (
    "black", "grey", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink", "beige",
)  # fmt: skip
"""The colour terms: the eleven basic ones of Berlin and Kay (1969), and beige."""

_ACCENTS = ("none", *COLOURS)
_PATTERNS = ("plain", "patterned", "striped", "checked", "figured")
_YES = ("no", "yes")

ATTRIBUTES: Final = (
    Attribute(name="top.colour", levels=COLOURS, question="main colour above the waist"),
    Attribute(name="top.accent", levels=_ACCENTS, question="second colour above the waist", vague=("none",)),
    Attribute(name="top.pattern", levels=_PATTERNS, question="pattern above the waist", vague=("plain",)),
    Attribute(name="bottom.colour", levels=COLOURS, question="main colour below the waist"),
    Attribute(
        name="bottom.accent", levels=_ACCENTS, question="second colour below the waist", vague=("none",)
    ),
    Attribute(name="bottom.pattern", levels=_PATTERNS, question="pattern below the waist", vague=("plain",)),
    Attribute(
        name="lower.kind", levels=("trousers", "shorts", "skirt_or_dress"), question="kind of garment below"
    ),
    Attribute(name="sleeves", levels=("long", "short"), question="sleeves: long, or short and bare"),
    Attribute(
        name="outer",
        levels=("none", "open", "closed"),
        question="an outer layer, open or closed",
        vague=("none",),
    ),
    Attribute(
        name="one_piece", levels=_YES, question="the same cloth above and below the waist", vague=("no",)
    ),
    Attribute(name="feet.colour", levels=("dark", "light", "coloured"), question="colour at the feet"),
    Attribute(name="bag", levels=_YES, question="a bag is carried", vague=("no", "yes")),
)
"""Version 1, in wire order: the first attribute is the most significant digit."""

INDEX: Final = {attribute.name: position for position, attribute in enumerate(ATTRIBUTES)}
"""Position of an attribute by its name."""

CAPACITY: Final = math.prod(attribute.radix for attribute in ATTRIBUTES)
"""How many different attribute vectors exist; a vector on the wire is an integer in [0, CAPACITY)."""

CAPACITY_BITS: Final = math.log2(CAPACITY)
"""The most an attribute vector can tell, in bits."""

CODE_BYTES: Final = (CAPACITY - 1).bit_length() + 7 >> 3
"""Length of the attribute code on the wire, in bytes (big-endian, always this long)."""
