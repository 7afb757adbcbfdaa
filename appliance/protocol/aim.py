"""What a unit may say while it is aimed: stick figures and how the view is, as small numbers. Never a picture.

Aiming is the one mode in which a unit says where people are. So its records are a kind of their own, with a bound of
their own: one record tells at most ``AIM_BITS`` bits, ``RECORDS_PER_SECOND`` are let through, and a unit that is
aimed says nothing of clothes.

Invariants:
    * A record is one integer below ``AIM_CAPACITY``: a figure, or how the view is. There is no second spelling, and
      no field for a colour, a picture, a name or the number of a track.
    * Nothing above the shoulders is told: whoever draws a figure draws a head over them. A joint is known to a
      twelfth of the figure's height (about 15 cm), a height to a quarter, a place to a sixty-fourth of the picture:
      too coarse for the proportions of a body.
    * A picture of figures comes twice a second at most: too seldom for a gait.
    * It is not signed: a signature has room for bits that its reader cannot check.
    * Pure: no file, no clock, no arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum, unique
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.protocol.health import FPS_LIMIT, UnitState

COLUMNS: Final = 64
ROWS: Final = 36
"""The picture's coarse grid: zones and the places of feet are told on it."""
SIZES: Final = 17
"""Classes of heights, each a quarter larger than the one before: of a view in pixels, 0 none, 1 up to 40; of a figure
in shares of the picture's height, 16 all of it."""
JOINT_COLUMNS: Final = 8
JOINT_ROWS: Final = 12
"""The grid of one figure, whatever its size: squares of a twelfth of its height, its feet's middle at column 4."""
POINTS: Final = 12
"""Shoulders, elbows, wrists, hips, knees, ankles, left before right. A head is drawn, not told."""
TICKS: Final = 16
"""Figures of one picture carry one tick; it counts up and starts again."""
MOST_FIGURES: Final = 4
PICTURES_PER_SECOND: Final = 2.0
RECORDS_PER_SECOND: Final = PICTURES_PER_SECOND * (MOST_FIGURES + 1)
"""What SENSE allows itself and RELAY lets through."""
MOST_MINUTES: Final = 15
COUNT: Final = 16
"""Counts of people are told up to 15."""
STAYS: Final = 16
"""Seconds in view, by class: 0 is not known, 1 is below half a second, each later one a factor 1.4 longer."""
LIGHTS: Final = 8
HEIGHTS: Final = 16
TILTS: Final = 16
"""Camera height in halves of a metre, tilt in steps of 5 degrees from -20: 0 is not known."""

_SMALLEST_PIXELS: Final = 40.0
_SIZE_RATIO: Final = 1.25
_SHORTEST_STAY: Final = 0.5
_STAY_RATIO: Final = 1.4


@unique
class AimWord(IntEnum):
    """Advice, from a closed list; the value is its bit."""

    NOBODY = 0
    TURN_LEFT = 1
    TURN_RIGHT = 2
    TILT_UP = 3
    TILT_DOWN = 4
    TOO_FAR = 5
    TOO_NEAR = 6
    TOO_STEEP = 7
    AGAINST_LIGHT = 8
    TOO_DARK = 9
    TOO_BRIEF = 10
    CROWDED = 11
    BLURRED = 12
    NO_CARD = 13
    GOOD = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class AimFigure:
    """One person as a stick figure.

    ``column`` and ``row`` are where the feet are, on the grid of the picture; ``size`` is the class of its height.
    ``points`` are cells of its own grid, row by row from the top left, or None where a joint was not seen; ``zoned``
    is whether it stands where nobody counts. ValueError outside the ranges.
    """

    tick: int
    column: int
    row: int
    size: int
    zoned: bool
    points: tuple[int | None, ...]

    def __post_init__(self) -> None:
        bounds = ((self.tick, TICKS), (self.column, COLUMNS), (self.row, ROWS), (self.size, SIZES))
        cells = [cell for cell in self.points if cell is not None]
        inside = all(0 <= value < bound for value, bound in bounds)
        if not inside or len(self.points) != POINTS or not all(0 <= cell < _CELLS for cell in cells):
            raise ValueError("a figure is out of range")

    @property
    def code(self) -> int:
        """The figure as an integer in [0, TICKS * FIGURES), mixed radix."""
        digits = [(self.tick, TICKS), (self.column, COLUMNS), (self.row, ROWS), (self.size, SIZES)]
        digits += [(int(self.zoned), 2)]
        digits += [(0 if cell is None else cell + 1, _CELLS + 1) for cell in self.points]
        return _joined(digits)


@dataclass(frozen=True, slots=True, kw_only=True)
class AimView:
    """How the view is, once for each picture of figures. ValueError outside the ranges.

    ``people`` are in view now, ``small`` of them too small to be read, ``hidden`` behind others; ``passed`` went by
    in the last minutes; ``size`` is the class of their median height, ``stay`` of their median time in view; ``left``
    and ``right`` are sixteenths of those whose way lay in the outer quarter; ``cut_top`` and ``cut_bottom`` are
    sixteenths of them cut by the picture's edge; ``light`` is how light the scene outside people's boxes is,
    ``against`` how much lighter it is beside their upper halves; ``height`` and ``tilt`` are an estimate of how the
    camera hangs; ``card`` says that a colour card was read on this unit; ``words`` are the advice.
    """

    tick: int
    state: UnitState
    fps: int
    people: int
    small: int
    hidden: int
    passed: int
    size: int
    stay: int
    left: int
    right: int
    cut_top: int
    cut_bottom: int
    light: int
    against: int
    height: int
    tilt: int
    card: bool
    words: frozenset[AimWord] = frozenset()

    def __post_init__(self) -> None:
        if not all(0 <= value < bound for value, bound in self._digits()):
            raise ValueError("a view is out of range")

    def _digits(self) -> list[tuple[int, int]]:
        said = sum(1 << word for word in self.words)
        values = (
            self.tick, int(self.state), self.fps, self.people, self.small, self.hidden, self.passed, self.size,
            self.stay, self.left, self.right, self.cut_top, self.cut_bottom, self.light, self.against, self.height,
            self.tilt, int(self.card), said,
        )  # fmt: skip
        return list(zip(values, _VIEW_RADICES, strict=True))

    @property
    def code(self) -> int:
        """The view as an integer in [0, VIEWS), mixed radix."""
        return _joined(self._digits())


def _joined(digits: list[tuple[int, int]]) -> int:
    """The integer of mixed-radix digits, the first the highest (Knuth, TAOCP 2, section 4.1)."""
    code = 0
    for digit, radix in digits:
        code = code * radix + digit
    return code


def _split(code: int, radices: tuple[int, ...]) -> list[int]:
    digits = []
    for radix in reversed(radices):
        code, digit = divmod(code, radix)
        digits.append(digit)
    return digits[::-1]


_CELLS: Final = JOINT_COLUMNS * JOINT_ROWS
_FIGURE_RADICES: Final = (TICKS, COLUMNS, ROWS, SIZES, 2, *(_CELLS + 1,) * POINTS)
_VIEW_RADICES: Final = (
    TICKS, len(UnitState), FPS_LIMIT, COUNT, COUNT, COUNT, 64, SIZES, STAYS, 17, 17, 17, 17, LIGHTS, LIGHTS, HEIGHTS,
    TILTS, 2, 1 << len(AimWord),
)  # fmt: skip
FIGURES: Final = math.prod(_FIGURE_RADICES)
VIEWS: Final = math.prod(_VIEW_RADICES)
AIM_CAPACITY: Final = FIGURES + VIEWS
"""How many different records exist."""
AIM_BITS: Final = math.log2(AIM_CAPACITY)
"""The most a record can tell, in bits."""
BITS_PER_SECOND: Final = AIM_BITS * RECORDS_PER_SECOND
"""The most a unit that is aimed can tell, in bits a second, its heartbeats aside."""
AIM_BYTES: Final = (AIM_CAPACITY - 1).bit_length() + 7 >> 3
"""Bytes of a record's code, big-endian."""

AimRecord = AimFigure | AimView


def spelled(record: AimRecord) -> bytes:
    """The record as ``AIM_BYTES`` bytes."""
    code = record.code if isinstance(record, AimFigure) else FIGURES + record.code
    return code.to_bytes(AIM_BYTES, "big")


def record_in(untrusted: bytes) -> AimRecord:
    """The one record with these bytes. Refused (MALFORMED, OUTSIDE_VOCABULARY) for anything else."""
    if len(untrusted) != AIM_BYTES:
        raise Refused(Rule.MALFORMED, f"{len(untrusted)} bytes, not {AIM_BYTES}", where="aim record")
    code = int.from_bytes(untrusted, "big")
    if code >= AIM_CAPACITY:
        raise Refused(Rule.OUTSIDE_VOCABULARY, "the code names no figure and no view", where="aim record")
    if code < FIGURES:
        tick, column, row, size, zoned, *cells = _split(code, _FIGURE_RADICES)
        points = tuple(cell - 1 if cell else None for cell in cells)
        return AimFigure(tick=tick, column=column, row=row, size=size, zoned=bool(zoned), points=points)
    *numbers, card, said = _split(code - FIGURES, _VIEW_RADICES)
    tick, state, fps, people, small, hidden, passed, size, stay, left, right, top, bottom = numbers[:13]
    light, against, height, tilt = numbers[13:]
    return AimView(
        tick=tick, state=UnitState(state), fps=fps, people=people, small=small, hidden=hidden, passed=passed,
        size=size, stay=stay, left=left, right=right, cut_top=top, cut_bottom=bottom, light=light, against=against,
        height=height, tilt=tilt, card=bool(card), words=frozenset(word for word in AimWord if said >> word & 1),
    )  # fmt: skip


def size_of(pixels: float) -> int:
    """The class of a height in pixels; 0 for none.

    >>> size_of(0), size_of(30), size_of(120), size_of(5000)
    (0, 1, 6, 16)
    """
    return _class(pixels, _SMALLEST_PIXELS, _SIZE_RATIO, SIZES)


def share_class(share: float) -> int:
    """The class of a figure's height as a share of the picture's.

    >>> share_class(1.0), share_class(0.5), share_class(0.001), share_of(13)
    (16, 13, 1, 0.512)
    """
    if share <= 0:
        return 1
    return min(SIZES - 1, max(1, SIZES - 1 + math.ceil(math.log(share, _SIZE_RATIO))))


def share_of(size: int) -> float:
    """The most that a figure of a class is of the picture's height."""
    return float(_SIZE_RATIO ** (size - SIZES + 1))


def stay_of(seconds: float) -> int:
    """The class of a time in view; 0 for none.

    >>> stay_of(0), stay_of(0.3), stay_of(3), stay_of(1000)
    (0, 1, 7, 15)
    """
    return _class(seconds, _SHORTEST_STAY, _STAY_RATIO, STAYS)


def _class(value: float, smallest: float, ratio: float, classes: int) -> int:
    if value <= 0:
        return 0
    return min(classes - 1, 1 + max(0, math.ceil(math.log(value / smallest, ratio))))


def pixels_of(size: int) -> float:
    """The most pixels of a class of heights; 0 for none."""
    return _SMALLEST_PIXELS * _SIZE_RATIO ** (size - 1) if size else 0.0


def seconds_of(stay: int) -> float:
    """The most seconds of a class of times in view; 0 for none."""
    return _SHORTEST_STAY * _STAY_RATIO ** (stay - 1) if stay else 0.0


_FAR: Final = size_of(90)
_BRIEF_SECONDS: Final = 2.5
_FEWEST_FRAMES: Final = 12.0
"""Six glances, four tenths of a second apart (``unit/vision/glance.py``), and frames to follow somebody by."""
_STEEP: Final = 12
"""The class of a tilt from 35 degrees on."""
_DARK: Final = 0
_AGAINST: Final = 4


def advised(view: AimView) -> AimView:
    """The same view with the advice that its numbers give. A pure function: the same numbers, the same words."""
    ways, cuts = (view.left, view.right), (view.cut_top, view.cut_bottom)
    near = min(cuts) >= 8
    brief = view.stay > 0 and (
        seconds_of(view.stay) < _BRIEF_SECONDS or seconds_of(view.stay) * max(1, view.fps) < _FEWEST_FRAMES
    )
    found = {
        AimWord.NOBODY: not view.people and not view.passed,
        AimWord.TURN_LEFT: ways[0] >= 8 and ways[1] < 4,
        AimWord.TURN_RIGHT: ways[1] >= 8 and ways[0] < 4,
        AimWord.TILT_UP: not near and cuts[0] >= 6 > cuts[1],
        AimWord.TILT_DOWN: not near and cuts[1] >= 6 > cuts[0],
        AimWord.TOO_FAR: 0 < view.size < _FAR,
        AimWord.TOO_NEAR: near,
        AimWord.TOO_STEEP: view.tilt >= _STEEP,
        AimWord.AGAINST_LIGHT: view.against >= _AGAINST,
        AimWord.TOO_DARK: view.state is UnitState.TOO_DARK or (view.size > 0 and view.light <= _DARK),
        AimWord.TOO_BRIEF: brief,
        AimWord.CROWDED: view.people >= 4 and 2 * view.hidden >= view.people,
        AimWord.BLURRED: view.state is UnitState.BLURRED,
        AimWord.NO_CARD: not view.card,
    }
    words = {word for word, holds in found.items() if holds}
    if not words - {AimWord.NO_CARD}:
        words.add(AimWord.GOOD)
    return replace(view, words=frozenset(words))
