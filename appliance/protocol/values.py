"""The values that may leave the room.

Invariants:
    * If it is here (or in ``health``) it may leave the room; if it may not leave, it may not be here. No pixel, no
      track, no face.
    * Every value is frozen, checks itself when made, and is built of ints, enums, tuples and short closed words.
    * Time is coarse: a phenomenon is known to within ``TIME_STEP`` seconds, no finer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, NewType

from appliance.protocol.health import Health
from appliance.protocol.vocabulary import ATTRIBUTES, CONFIDENCES, INDEX, Confidence

UnitId = NewType("UnitId", str)
"""Name of a camera unit: ``[a-z][a-z0-9-]{0,23}``, unique in the booth."""
BoothId = NewType("BoothId", str)
"""Name of a booth, the same form."""
TabletId = NewType("TabletId", str)
"""Name of a staff tablet, the same form."""
AlertId = NewType("AlertId", str)
"""Name of an alert: ``a`` and the running number of the hub, such as ``a17``. Says nothing of the person."""
Epoch = NewType("Epoch", int)
"""Boot counter of a unit, 1 to 2**32 - 1."""
Seq = NewType("Seq", int)
"""Counter within an epoch, 0 to 2**32 - 1."""
Steps = NewType("Steps", int)
"""Time in steps of ``TIME_STEP`` seconds."""
Seconds = NewType("Seconds", float)
"""Time or duration in seconds; as a point in time, since the Unix epoch on the clock of whoever says it."""

TIME_STEP: Final = 5
"""Seconds in a step: fine enough for staff to find somebody, too coarse to follow a gait or a timetable."""

COUNTER_LIMIT: Final = 2**32
"""Epochs, sequence numbers and steps stay below this."""

NAME_FORM: Final = re.compile(r"[a-z][a-z0-9-]{0,23}")
"""Form of the name of a booth, unit or tablet; safe in a topic, a certificate and a file name."""

ALERT_FORM: Final = re.compile(r"a[1-9][0-9]{0,8}")
"""Form of the name of an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One attribute of a vector: a level of the vocabulary (0 is ``unknown``) and how sure the unit is.

    ValueError where ``unknown`` carries a confidence or a level carries none.
    """

    level: int = 0
    confidence: Confidence | None = None

    def __post_init__(self) -> None:
        if self.level < 0 or (self.level == 0) != (self.confidence is None):
            raise ValueError(f"level {self.level} cannot have confidence {self.confidence!r}")

    @property
    def digit(self) -> int:
        """The reading as a digit of the attribute code, in [0, radix of its attribute)."""
        return 0 if self.confidence is None else 1 + (self.level - 1) * CONFIDENCES + self.confidence


UNKNOWN: Final = Reading()
"""What is not known, or not sure enough to be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeVector:
    """What one passer-by wears: one reading per attribute, in the order of the vocabulary.

    ValueError where the number of readings or a level lies outside the vocabulary.
    """

    readings: tuple[Reading, ...]

    def __post_init__(self) -> None:
        if len(self.readings) != len(ATTRIBUTES):
            raise ValueError(f"{len(self.readings)} readings for {len(ATTRIBUTES)} attributes")
        for reading, highest in zip(self.readings, _HIGHEST, strict=True):
            if reading.level > highest:
                raise ValueError(f"an attribute of {highest} levels has no level {reading.level}")

    @staticmethod
    def of(**words: str | tuple[str, Confidence]) -> AttributeVector:
        """A vector from words, for tests and simulation: ``of(top_colour="red", sleeves=("long", SURE))``.

        Names carry ``_`` for ``.``; what is not named is unknown; a bare word is SURE. KeyError and ValueError
        for what is not in the vocabulary.
        """
        readings = [UNKNOWN] * len(ATTRIBUTES)
        spelled = {name.replace(".", "_"): position for name, position in INDEX.items()}
        for name, word in words.items():
            label, confidence = word if isinstance(word, tuple) else (word, Confidence.SURE)
            level = ATTRIBUTES[spelled[name]].level(label)
            readings[spelled[name]] = Reading(level=level, confidence=confidence) if level else UNKNOWN
        return AttributeVector(readings=tuple(readings))

    @property
    def code(self) -> int:
        """The vector as one integer in [0, CAPACITY): mixed-radix digits, the first attribute the highest.

        Source: Knuth, TAOCP 2, section 4.1 (mixed-radix number systems).
        """
        code = 0
        for radix, reading in zip(_RADICES, self.readings, strict=True):
            code = code * radix + reading.digit
        return code

    @staticmethod
    def from_code(code: int) -> AttributeVector:
        """The one vector with this code; ValueError outside [0, CAPACITY)."""
        readings = []
        rest = code
        for radix in _RADICES_REVERSED:
            rest, digit = divmod(rest, radix)
            readings.append(_READING_OF_DIGIT[digit])
        if rest:
            raise ValueError(f"{code} is not the code of an attribute vector")
        readings.reverse()
        vector = object.__new__(
            AttributeVector
        )  # digits below the radices are within the vocabulary: not checked twice
        object.__setattr__(vector, "readings", tuple(readings))
        return vector

    def word(self, name: str) -> str:
        """The word said for the attribute called ``name``; ``unknown`` where nothing was said."""
        position = INDEX[name]
        return ATTRIBUTES[position].label(self.readings[position].level)

    @property
    def known(self) -> int:
        """How many attributes are known, 0 to the number of attributes: how well the person was seen."""
        return sum(reading.level > 0 for reading in self.readings)


_HIGHEST: Final = tuple(len(attribute.levels) for attribute in ATTRIBUTES)
_RADICES: Final = tuple(attribute.radix for attribute in ATTRIBUTES)
_RADICES_REVERSED: Final = _RADICES[::-1]
_READING_OF_DIGIT: Final = tuple(
    Reading(level=1 + (digit - 1) // CONFIDENCES, confidence=Confidence((digit - 1) % CONFIDENCES))
    if digit
    else UNKNOWN
    for digit in range(max(attribute.radix for attribute in ATTRIBUTES))
)


def colourless(vector: AttributeVector) -> AttributeVector:
    """The same vector with every colour unknown, for a camera that shows none.

    >>> colourless(AttributeVector.of(top_colour="red", sleeves="long")) == AttributeVector.of(sleeves="long")
    True
    """
    readings = zip(ATTRIBUTES, vector.readings, strict=True)
    return AttributeVector(
        readings=tuple(
            UNKNOWN if attribute.name.endswith(("colour", "accent")) else reading
            for attribute, reading in readings
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhenomenonTime:
    """When something was seen (SOSA phenomenonTime), coarse, on the unit's clocks.

    ``uptime`` counts steps since the unit booted and is always true; ``wall`` counts steps since the Unix epoch
    and is None while the unit's clock is not synchronised (a Raspberry Pi has no clock of its own).
    """

    uptime: Steps
    wall: Steps | None

    def __post_init__(self) -> None:
        if not 0 <= self.uptime < COUNTER_LIMIT:
            raise ValueError(f"uptime {self.uptime} is out of range")
        if self.wall is not None and not 0 < self.wall < COUNTER_LIMIT:
            raise ValueError(f"wall time {self.wall} is out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one passer-by wore, where and roughly when; signed where it was made. (unit, epoch, seq) is unique."""

    unit: UnitId
    epoch: Epoch
    seq: Seq
    seen: PhenomenonTime
    vector: AttributeVector


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """How a unit is, signed like an observation and counted in the same sequence."""

    unit: UnitId
    epoch: Epoch
    seq: Seq
    seen: PhenomenonTime
    health: Health


Statement = Observation | Heartbeat
"""Everything a unit can say."""


@unique
class Lens(Enum):
    """Which way of looking found the exception."""

    SINGLE = "single"
    """One thing worn is rare here."""
    PAIR = "pair"
    """Two things, each common, are rare together."""
    WHOLE = "whole"
    """The whole outfit is unlike the others, no one or two things alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an observation is an exception, in a form that can be said aloud.

    ``attributes`` are positions in the vocabulary with the level each holds; ``one_in`` is N of "1 in N people
    here, or fewer", from the upper confidence bound, or None where fewer than five people would share it and
    only coarse words are said.
    """

    lens: Lens
    attributes: tuple[tuple[int, int], ...]
    one_in: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """This observation is an exception: how rare, and why.

    ``p`` is the calibrated tail probability in (0, 1]; ``bits`` is -log2 p. At least one reason.
    """

    observation: Observation
    p: float
    bits: float
    reasons: tuple[Reason, ...]


@unique
class AlertState(Enum):
    """The life of an alert: raised, perhaps claimed, then exactly one end."""

    RAISED = "raised"
    CLAIMED = "claimed"
    GIFTED = "gifted"
    DECLINED = "declined"
    NOT_FOUND = "not_found"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    FORGOTTEN = "forgotten"

    @property
    def ended(self) -> bool:
        """True where nobody waits for it any more."""
        return self not in {AlertState.RAISED, AlertState.CLAIMED}


@unique
class Dismissal(Enum):
    """Why staff dismissed an alert: about the reading, never about the person."""

    NOT_A_PERSON = "not_a_person"
    WRONG_READING = "wrong_reading"
    COSTUME = "costume"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What staff must see. ``flag`` is dropped (None) as soon as the alert ends: only counts remain."""

    alert: AlertId
    state: AlertState
    raised_at: Seconds
    expires_at: Seconds
    place: str
    simulated: bool
    flag: Flag | None
    held_by: TabletId | None = None
