"""What is believed of anybody before a look: how common each word is, and how far a glance is to be believed.

Invariants:
    * The shares are the hub's where the unit has its prior (``usual_by``), and the shipped ones before that.
    * Two priors: the counted shares say what is SURE; whether a word is said at all goes by a milder one, in which
      nothing is rarer than ``LEAST``: exceptions are what we look for, and a word that the prior silenced would never
      be counted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from appliance.protocol.prior import Lifts, Prior
from appliance.protocol.vocabulary import ATTRIBUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How one attribute's glances are to be believed.

    ``prior`` per level, adding up to 1; ``temperature`` >= 1 flattens a single glance; ``correlation`` in [0, 1] of
    the errors of two glances at the same person.
    """

    prior: tuple[float, ...]
    temperature: float = 1.0
    correlation: float = 0.5


def _prior(shares: dict[str, float], levels: Sequence[str]) -> tuple[float, ...]:
    """Shares of the levels as a prior; what is not named shares 2 %."""
    rest = 0.02 / max(1, len(levels) - len(shares))
    raw = [shares.get(level, rest) for level in levels]
    return tuple(share / sum(raw) for share in raw)


_TOP: Final = {
    "black": 0.26, "grey": 0.15, "white": 0.15, "red": 0.07, "orange": 0.02, "brown": 0.06, "yellow": 0.02,
    "green": 0.06, "blue": 0.15, "purple": 0.02, "pink": 0.04, "beige": 0.06,
}  # fmt: skip
_BOTTOM: Final = {
    "black": 0.34, "grey": 0.14, "white": 0.06, "red": 0.03, "orange": 0.01, "brown": 0.06, "yellow": 0.01,
    "green": 0.04, "blue": 0.24, "purple": 0.01, "pink": 0.02, "beige": 0.09,
}  # fmt: skip


def _accents(colours: dict[str, float], none: float) -> dict[str, float]:
    """Mostly none; else as likely as the colour itself."""
    return {"none": none, **{name: (1 - none) * share for name, share in colours.items()}}


_PATTERN: Final = {"plain": 0.81, "patterned": 0.05, "striped": 0.045, "checked": 0.025, "figured": 0.07}
"""81 % of judged garment regions in streets are plain; the rest as the kinds were judged."""


def _table() -> dict[str, Calibration]:
    """Constants of each attribute: shares, temperature, correlation.

    Correlations of patterns are measured (models_tflite/pattern.md: .83 and .64), and those of top and bottom colour,
    lower kind, sleeves, outer and one piece (models_tflite/garments.md: .31, .61, .47, .32, .34, .67). The twenty
    walkers leave an interval of .25 to .8 in width, so they stand here rounded up; the rest is chosen.

    The pattern network's odds are calibrated already, so its temperature is 1.
    """
    shares: dict[str, tuple[dict[str, float], float, float]] = {
        # name: shares, temperature, correlation
        "top.colour": (_TOP, 1.0, 0.5),
        "top.accent": (_accents(_TOP, 0.75), 1.0, 0.8),
        "top.pattern": (_PATTERN, 1.0, 0.8),
        "bottom.colour": (_BOTTOM, 1.0, 0.6),
        "bottom.accent": (_accents(_BOTTOM, 0.85), 1.0, 0.8),
        "bottom.pattern": (_PATTERN, 1.0, 0.6),
        "lower.kind": ({"trousers": 0.5, "shorts": 0.2, "skirt_or_dress": 0.3}, 1.0, 0.6),
        "sleeves": ({"long": 0.6, "short": 0.4}, 1.0, 0.5),
        "outer": ({"none": 0.5, "open": 0.3, "closed": 0.2}, 1.0, 0.5),
        "one_piece": ({"no": 0.9, "yes": 0.1}, 1.3, 0.7),
        "feet.colour": ({"dark": 0.55, "light": 0.3, "coloured": 0.15}, 1.0, 0.6),
        "bag": ({"no": 0.5, "yes": 0.5}, 1.5, 0.7),
    }
    table = {}
    for attribute in ATTRIBUTES:
        share, temperature, correlation = shares[attribute.name]
        table[attribute.name] = Calibration(
            prior=_prior(share, attribute.levels), temperature=temperature, correlation=correlation
        )
    return table


CALIBRATION: Final = tuple(_table()[attribute.name] for attribute in ATTRIBUTES)
"""One per attribute, in the order of the vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What is believed beforehand.

    ``calibrations`` per attribute hold the mild prior, by which a word is said at all: no word below ``LEAST``.
    ``counted`` are the shares as they were counted, by which it is SURE; ``lifts`` say which words go together.
    """

    calibrations: tuple[Calibration, ...]
    counted: tuple[tuple[float, ...], ...]
    lifts: Lifts = field(default_factory=dict)

    @staticmethod
    def of(shares: Sequence[Sequence[float]], lifts: Lifts | None = None) -> Usual:
        """What follows from shares per attribute, each adding up to 1, and lifts."""
        mild, counted = (_at_least(shares, least) for least in (LEAST, LEAST_COUNTED))
        return Usual(
            calibrations=tuple(
                replace(constants, prior=row) for constants, row in zip(CALIBRATION, mild, strict=True)
            ),
            counted=counted,
            lifts={pair: _tame(pair, rows) for pair, rows in (lifts or {}).items()},
        )


def _at_least(shares: Sequence[Sequence[float]], least: float) -> tuple[tuple[float, ...], ...]:
    """The shares, none below ``least``, none of a vague word below ``LEAST_VAGUE``, and adding up to 1."""
    raised = [
        [
            max(share, LEAST_VAGUE if word in attribute.vague else least)
            for share, word in zip(row, attribute.levels, strict=True)
        ]
        for row, attribute in zip(shares, ATTRIBUTES, strict=True)
    ]
    return tuple(tuple(share / sum(row) for share in row) for row in raised)


def _tame(pair: tuple[int, int], rows: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """The lifts of two attributes, none beyond ``MOST_LIFT``, and 1 where a word is vague."""
    one, other = (ATTRIBUTES[place] for place in pair)
    return tuple(
        tuple(
            1.0 if word in one.vague or its in other.vague else min(MOST_LIFT, max(1 / MOST_LIFT, lift))
            for its, lift in zip(other.levels, row, strict=True)
        )
        for word, row in zip(one.levels, rows, strict=True)
    )


LEAST: Final = 0.01
"""Nothing is believed beforehand to be worn by fewer than this: a prior must not silence what it is all about."""
LEAST_COUNTED: Final = 0.004
"""Nothing is believed to be rarer than this even where it is to be SURE, and no pair further from chance than
``MOST_LIFT``: what a hub counts must not put a word out of reach of as many clear glances as a unit makes."""
MOST_LIFT: Final = 3.0
LEAST_VAGUE: Final = 0.05
"""The same of words that are no reason for anything, such as ``none``: no exception is missed by believing in them.
Such a word goes with any other as chance has it."""
RARE: Final = 0.03
"""What fewer wear is worth another look before it is said."""
OWN_PEOPLE: Final = 300
"""How many people the shipped prior is worth: what a young hub has counted weighs as it is long."""

EVEN: Final = tuple(
    tuple(0.5 if not level else 0.5 / (len(one.levels) - 1) for level in range(len(one.levels)))
    if one.levels[0] in {"none", "plain"}
    else (1 / len(one.levels),) * len(one.levels)
    for one in ATTRIBUTES
)
"""What the evidence is weighed by alone: there or not as likely, then each word as likely as the next."""

SHIPPED: Final = Usual.of([constants.prior for constants in CALIBRATION])
"""What a unit goes by that has heard nothing from its hub: shares seen in photos of streets, and no pairs."""


def usual_by(prior: Prior) -> Usual:
    """What the hub has counted: (1 - y) x its shares and lifts + y x the shipped shares, and 1.

    y = ``OWN_PEOPLE`` / (``OWN_PEOPLE`` + people).
    """
    young = OWN_PEOPLE / (OWN_PEOPLE + prior.people)
    shares = [
        [(1 - young) * counted + young * share for counted, share in zip(row, shipped.prior, strict=True)]
        for shipped, row in zip(CALIBRATION, prior.shares, strict=True)
    ]
    lifts = {
        pair: tuple(tuple((1 - young) * lift + young for lift in row) for row in rows)
        for pair, rows in prior.lifts.items()
    }
    return Usual.of(shares, lifts)
