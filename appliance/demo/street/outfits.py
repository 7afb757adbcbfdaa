"""What a simulated street wears: an invented population with realistic proportions, for demonstration and tests.

Invariants:
    * Seeded: the same dice give the same people. Nobody in it exists.
    * Proportions follow what is published of street clothing: mostly dark or muted colours, blue and dark below the
      waist, about four in five garments plain, tops and bottoms that go together, warm layers when it is cold.
    * Up to one person in a hundred is dressed unlike the others: a few on purpose, the others by chance.

The tables are ours (weights, not measurements); ``whimsical`` tells a test whom the hub should find.
"""

from __future__ import annotations

import random
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from appliance.protocol.values import AttributeVector
from appliance.protocol.vocabulary import Confidence

Weights = Mapping[str, float]

WHIMSICAL_SHARE: Final = 0.003
"""Share of people who are dressed unlike the others on purpose; a few more are so by chance."""


@unique
class Season(Enum):
    """Which layers people wear."""

    COLD = "cold"
    MILD = "mild"
    WARM = "warm"

    @staticmethod
    def of(month: int) -> Season:
        """The season of a month (1 to 12) in the northern temperate zone."""
        return (
            Season.COLD if month in {11, 12, 1, 2, 3} else Season.WARM if month in {6, 7, 8} else Season.MILD
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One common way to dress: weights of words, and how often it is met in each season."""

    name: str
    met: Mapping[Season, float]
    top: Weights
    bottom: Weights
    lower: Weights
    top_pattern: Weights
    long_sleeves: Mapping[Season, float]
    feet: Weights
    matching: float = 0.03
    """Chance that top and bottom are of the same cloth."""


_PLAIN: Final = {"plain": 0.84, "striped": 0.055, "checked": 0.035, "figured": 0.04, "patterned": 0.03}
_COVERED: Final = {Season.COLD: 0.99, Season.MILD: 0.85, Season.WARM: 0.45}
_DARK_FEET: Final = {"dark": 0.72, "light": 0.25, "coloured": 0.03}
_LIGHT_FEET: Final = {"dark": 0.38, "light": 0.54, "coloured": 0.08}

STYLES: Final = (
    Style(
        name="denim and a dark top",
        met={Season.COLD: 0.34, Season.MILD: 0.36, Season.WARM: 0.28},
        top={"black": 0.36, "grey": 0.22, "blue": 0.16, "white": 0.11, "green": 0.05, "red": 0.04, "brown": 0.03,
             "beige": 0.03},
        bottom={"blue": 0.78, "black": 0.13, "grey": 0.09},
        lower={"trousers": 1.0},
        top_pattern=_PLAIN,
        long_sleeves=_COVERED,
        feet=_LIGHT_FEET,
    ),
    Style(
        name="office",
        met={Season.COLD: 0.27, Season.MILD: 0.25, Season.WARM: 0.17},
        top={"black": 0.38, "blue": 0.25, "grey": 0.16, "white": 0.13, "beige": 0.06, "brown": 0.02},
        bottom={"black": 0.52, "grey": 0.24, "blue": 0.18, "beige": 0.06},
        lower={"trousers": 0.88, "skirt_or_dress": 0.12},
        top_pattern={"plain": 0.86, "striped": 0.07, "checked": 0.05, "figured": 0.01, "patterned": 0.01},
        long_sleeves={Season.COLD: 0.99, Season.MILD: 0.94, Season.WARM: 0.7},
        feet=_DARK_FEET,
        matching=0.18,
    ),
    Style(
        name="all in black",
        met={Season.COLD: 0.2, Season.MILD: 0.15, Season.WARM: 0.1},
        top={"black": 0.93, "grey": 0.07},
        bottom={"black": 0.95, "grey": 0.05},
        lower={"trousers": 0.9, "skirt_or_dress": 0.1},
        top_pattern={"plain": 0.93, "figured": 0.04, "patterned": 0.03},
        long_sleeves=_COVERED,
        feet=_DARK_FEET,
        matching=0.1,
    ),
    Style(
        name="sport",
        met={Season.COLD: 0.08, Season.MILD: 0.1, Season.WARM: 0.13},
        top={"grey": 0.3, "black": 0.26, "blue": 0.16, "white": 0.14, "red": 0.06, "green": 0.05, "orange": 0.03},
        bottom={"black": 0.56, "grey": 0.34, "blue": 0.1},
        lower={"trousers": 0.78, "shorts": 0.22},
        top_pattern={"plain": 0.8, "figured": 0.12, "striped": 0.05, "patterned": 0.03},
        long_sleeves=_COVERED,
        feet=_LIGHT_FEET,
    ),
    Style(
        name="earth colours",
        met={Season.COLD: 0.09, Season.MILD: 0.08, Season.WARM: 0.08},
        top={"beige": 0.3, "brown": 0.26, "green": 0.22, "white": 0.14, "grey": 0.08},
        bottom={"beige": 0.34, "blue": 0.26, "brown": 0.18, "black": 0.14, "green": 0.08},
        lower={"trousers": 0.88, "skirt_or_dress": 0.12},
        top_pattern={"plain": 0.8, "checked": 0.1, "striped": 0.04, "patterned": 0.06},
        long_sleeves=_COVERED,
        feet=_DARK_FEET,
    ),
    Style(
        name="light and short",
        met={Season.COLD: 0.0, Season.MILD: 0.03, Season.WARM: 0.15},
        top={"white": 0.38, "blue": 0.2, "grey": 0.14, "black": 0.12, "red": 0.06, "green": 0.05, "pink": 0.05},
        bottom={"blue": 0.4, "beige": 0.28, "black": 0.18, "grey": 0.14},
        lower={"shorts": 0.86, "skirt_or_dress": 0.14},
        top_pattern=_PLAIN,
        long_sleeves={Season.COLD: 0.5, Season.MILD: 0.15, Season.WARM: 0.06},
        feet=_LIGHT_FEET,
    ),
    Style(
        name="a dress or skirt",
        met={Season.COLD: 0.02, Season.MILD: 0.03, Season.WARM: 0.09},
        top={"black": 0.3, "blue": 0.2, "white": 0.16, "red": 0.11, "pink": 0.08, "green": 0.08, "beige": 0.07},
        bottom={"black": 0.36, "blue": 0.24, "white": 0.12, "red": 0.08, "green": 0.06, "pink": 0.06, "beige": 0.08},
        lower={"skirt_or_dress": 1.0},
        top_pattern={"plain": 0.62, "figured": 0.22, "patterned": 0.08, "striped": 0.06, "checked": 0.02},
        long_sleeves={Season.COLD: 0.97, Season.MILD: 0.6, Season.WARM: 0.22},
        feet=_DARK_FEET,
        matching=0.55,
    ),
)  # fmt: skip

_OUTER: Final = {
    Season.COLD: {"closed": 0.68, "open": 0.24, "none": 0.08},
    Season.MILD: {"closed": 0.2, "open": 0.34, "none": 0.46},
    Season.WARM: {"closed": 0.02, "open": 0.07, "none": 0.91},
}
_BOTTOM_PATTERN: Final = {"plain": 0.968, "striped": 0.012, "patterned": 0.014, "figured": 0.006}
_ACCENT: Final = {"white": 0.3, "black": 0.26, "grey": 0.2, "blue": 0.12, "red": 0.08, "beige": 0.04}

_LOUD: Final = ("yellow", "purple", "orange", "pink", "red", "green")
_BOLD: Final = ("checked", "striped", "figured")


def whimsy(dice: random.Random) -> dict[str, str]:
    """One way to be dressed unlike everybody else: the words that are put on over an ordinary outfit."""
    first, second = dice.sample(_LOUD, 2)
    bold = dice.choice(_BOLD)
    return dice.choice(
        (
            {"bottom.colour": first, "bottom.pattern": bold, "lower.kind": "trousers"},
            {"top.colour": first, "bottom.colour": second, "bottom.pattern": "plain"},
            {"top.colour": first, "top.pattern": bold, "bottom.colour": second, "bottom.pattern": bold},
            {"top.colour": first, "top.pattern": bold, "top.accent": second, "feet.colour": "coloured"},
            {
                **dict.fromkeys(("top.colour", "bottom.colour"), first),
                **dict.fromkeys(("top.pattern", "bottom.pattern"), bold),
                "one_piece": "yes",
            },
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passer:
    """One invented passer-by as a unit would read them. ``whimsical`` is the street's secret, never sent."""

    vector: AttributeVector
    whimsical: bool


def _draw(dice: random.Random, weights: Weights) -> str:
    return dice.choices(tuple(weights), tuple(weights.values()))[0]


def outfit(dice: random.Random, season: Season) -> dict[str, str]:
    """The words of one ordinary outfit, every attribute known."""
    style = dice.choices(STYLES, [style.met[season] for style in STYLES])[0]
    top, bottom = _draw(dice, style.top), _draw(dice, style.bottom)
    top_pattern, bottom_pattern = _draw(dice, style.top_pattern), _draw(dice, _BOTTOM_PATTERN)
    one_piece = dice.random() < style.matching
    if one_piece:
        bottom, bottom_pattern = top, top_pattern if top_pattern in _BOTTOM_PATTERN else "plain"
        top_pattern = bottom_pattern
    outer = _draw(dice, _OUTER[season])
    long_sleeves = outer != "none" or dice.random() < style.long_sleeves[season]
    return {
        "top.colour": top,
        "top.accent": _accent(dice, top, top_pattern, opened=outer == "open"),
        "top.pattern": top_pattern,
        "bottom.colour": bottom,
        "bottom.accent": _accent(dice, bottom, bottom_pattern, opened=False),
        "bottom.pattern": bottom_pattern,
        "lower.kind": _draw(dice, style.lower),
        "sleeves": "long" if long_sleeves else "short",
        "outer": outer,
        "one_piece": "yes" if one_piece else "no",
        "feet.colour": _draw(dice, style.feet),
        "bag": "yes" if dice.random() < 0.42 else "no",
    }


def _accent(dice: random.Random, colour: str, pattern: str, *, opened: bool) -> str:
    if pattern == "plain" and not (opened and dice.random() < 0.6) and dice.random() > 0.06:
        return "none"
    return _draw(dice, {word: weight for word, weight in _ACCENT.items() if word != colour})


_SEEN_WELL: Final = {
    "top.colour": 0.97, "top.accent": 0.8, "top.pattern": 0.86, "bottom.colour": 0.95, "bottom.accent": 0.78,
    "bottom.pattern": 0.84, "lower.kind": 0.9, "sleeves": 0.82, "outer": 0.6, "one_piece": 0.7, "feet.colour": 0.55,
    "bag": 0.5,
}  # fmt: skip
"""Chance that an attribute of somebody seen well is known at all; of somebody seen poorly it is less."""
_WELL_SHARE: Final = 0.7
"""Share of people who are seen well."""


def reading(
    dice: random.Random, words: Mapping[str, str], *, well: bool, certain: Container[str] = ()
) -> AttributeVector:
    """What a unit makes of an outfit: some attributes unknown, the others with a confidence; never a wrong word.

    The attributes named in ``certain`` are known for sure.
    """
    known: dict[str, str | tuple[str, Confidence]] = {}
    for name, word in words.items():
        sure = dice.random() < (0.8 if well else 0.45)
        if name in certain or dice.random() < _SEEN_WELL[name] * (1.0 if well else 0.6):
            confidence = Confidence.SURE if sure or name in certain else Confidence.FAIR
            known[name.replace(".", "_")] = (word, confidence)
    return AttributeVector.of(**known)


def ordinary(dice: random.Random, season: Season) -> Passer:
    """Somebody dressed like the others."""
    return Passer(
        vector=reading(dice, outfit(dice, season), well=dice.random() < _WELL_SHARE), whimsical=False
    )


def whimsical(dice: random.Random, season: Season) -> Passer:
    """Somebody dressed unlike the others, and seen well."""
    put_on = whimsy(dice)
    words = outfit(dice, season) | put_on
    return Passer(vector=reading(dice, words, well=True, certain=put_on), whimsical=True)


_BY_HOUR: Final = (4, 3, 2, 2, 3, 8, 24, 62, 96, 70, 60, 72, 98, 94, 74, 72, 84, 112, 118, 88, 58, 38, 22, 10)
"""Passers-by in each hour of the day, against a busy hour of 100: morning, midday and evening peaks."""


def bustle(hour: int) -> float:
    """How busy the street is in an hour of the day (0 to 23), against its mean over the day."""
    return _BY_HOUR[hour] * len(_BY_HOUR) / sum(_BY_HOUR)
