"""What may come out of the card reader's box: a word of a closed list, or one matrix. Records of one fixed size.

Capacity: a matrix tells at most 107.9 bits (``matrix.CAPACITY_BITS``), a word 3.2. From its seal on a run takes in at
most 130 records, the matrix among them, whatever the box does: below 520 bits, of which no more than a shape of 22 by
22 black or white dots could be made. An honest box says a word where it changes, some ten in all. Not in that number:
the instants at which words come, the exit code, and what a box that was taken over *before* its seal prints
(``complaints``: 4,096 letters at most).

Invariants:
    * A record is one of the words, zero-filled, or the nine numbers and the residual of a matrix that could be right.
    * Whatever else comes is ``Refused``, and the run is over: nothing of it is shown or written.
"""

from __future__ import annotations

import struct
from enum import IntEnum, unique
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.unit.inputs.colour_matrix import CameraMatrix

_MATRIX: Final = 0
_FORM: Final = struct.Struct(">B9hB")
RECORD: Final = _FORM.size
"""Bytes of every record: 20."""
MOST: Final = 130
"""Records that one run may say."""


@unique
class CardWord(IntEnum):
    """What the box says of the frame it looks at."""

    NO_CARD = 1
    PARTLY = 2
    TOO_SMALL = 3
    TOO_DARK = 4
    CLIPPED = 5
    UNEVEN = 6
    UNSTEADY = 7
    FOUND = 8
    MISFIT = 9

    @property
    def said(self) -> str:
        """What a person is told."""
        return _SAID[self][0]

    @property
    def fix(self) -> str:
        """What they can do about it."""
        return _SAID[self][1]


_SAID: Final[dict[CardWord, tuple[str, str]]] = {
    CardWord.NO_CARD: ("no card seen", "hold the printed card into the picture, facing the camera"),
    CardWord.PARTLY: ("a part of the card is hidden", "show all four black squares, and hold the card flat"),
    CardWord.TOO_SMALL: (
        "the card is too small",
        "come nearer, until the card is a fifth as wide as the picture",
    ),
    CardWord.TOO_DARK: ("the card is too dark", "bring it into the light that people walk in"),
    CardWord.CLIPPED: (
        "the card is too bright: its light patches are cut",
        "turn it out of the sun or the lamp",
    ),
    CardWord.UNEVEN: (
        "the light on the card is uneven",
        "turn it out of shadows and glare, and cover no patch",
    ),
    CardWord.UNSTEADY: (
        "the colours change from frame to frame",
        "wait until the camera has settled, and hold still",
    ),
    CardWord.FOUND: ("card found, hold still", "hold it still for some seconds more"),
    CardWord.MISFIT: (
        "these are not the card's colours",
        "print it anew without enhancement, or give --patches",
    ),
}


def record_of_word(word: CardWord) -> bytes:
    """A word as a record."""
    return _FORM.pack(word, *[0] * 10)


def record_of_matrix(matrix: CameraMatrix) -> bytes:
    """A matrix as a record."""
    return _FORM.pack(_MATRIX, *matrix.entries, matrix.residual)


def said_in(untrusted: bytes) -> CardWord | CameraMatrix:
    """What a record says. Refused for anything but a word or a matrix that could be right."""
    if len(untrusted) != RECORD:
        raise _refused(f"a record of {len(untrusted)} bytes, not {RECORD}")
    kind, *entries, residual = _FORM.unpack(untrusted)
    if kind == _MATRIX:
        try:
            return CameraMatrix(tuple(entries), residual)
        except ValueError as reason:
            raise _refused(f"a matrix that cannot be right: {reason}") from None
    if any(entries) or residual or kind not in set(CardWord):
        raise _refused("a record that is no word of the list")
    return CardWord(kind)


def not_sealed() -> Refused:
    """The refusal of a box that says something before it is sealed."""
    return _refused("a record before it was sealed")


def too_many(most: int) -> Refused:
    """The refusal of a box that says more than it may."""
    return _refused(f"more than {most} records")


def _refused(what: str) -> Refused:
    return Refused(
        Rule.MALFORMED,
        f"the box gave {what}",
        where="card read",
        fix="nothing was kept; report this, and reinstall the unit before it is used again",
    )
