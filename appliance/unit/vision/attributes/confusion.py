"""From what a glance measured to a likelihood per word, by how often each word is measured where another is worn.

Invariants:
    * Every likelihood is looked up in a confusion matrix that was measured on people whose clothes are known
      (``confusion_tables``, by its recipe), one for each of three sizes in the frame.
    * A measurement that is clear of its word has a matrix of its own: clear measurements err less. One that lies
      between words counts as that share of each (a weighted geometric mean), since it is as much of either.
    * Of a second colour, whether there is one is asked before which: ``second_colour``.
    * No word is out of reach: a measurement surer of it than any wrong one was is held against another's truth by
      ``FAULTLESS`` : 1 at least, so that enough of them outweigh any prior (test_confusion.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.protocol.vocabulary import COLOURS
from appliance.unit.vision.attributes import confusion_tables as tables
from appliance.unit.vision.attributes.second_colour import Second

Rows = tuple[tuple[float, ...], ...]

BANDS: Final = (175.0, 125.0)
"""Heights in the frame (pixels) at which the next smaller size begins."""
FAULTLESS: Final = 500.0
"""How many times likelier, at least, a measurement surer than any wrong one is where its word is worn than elsewhere.

Chosen: no fault among some hundred garments of a word says no more, and less would leave words that no number of
glances could make SURE under some prior.
"""
BETWEEN: Final = 1.5
"""Exponent of a measurement between words. With 1, right colours after six glances lose .03 (choice people)."""
BETWEEN_SECONDS: Final = 2.5
"""The same of a second colour's names. With 1.5, right second colours after six glances lose .09 (choice people)."""
BOLD: Final = 0.5
"""Added to the log odds of a second colour, so that where none is worn one is said of 2 in 100 (drawn choice
people)."""
WARY: Final = 0.7
"""Log odds that then speak for a second colour are multiplied by this: where none is worn one is SURE of .2 instead
of .5 in 100 (choice people)."""
MOST_ODDS: Final = 5.0
"""No glance says more for or against a second colour than this, in natural logarithms."""
_LEAST_NAME: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """One attribute's matrices. ``clear_from[r]``: share of word r from which on a measurement is clear of it.

    ``faultless_from[r]``: share from which on none was wrong.
    ``clear[size][w][r]`` is the chance that where w is worn r is measured and clear; ``every[size][w][r]`` the mean
    share of r where w is worn.
    """

    clear_from: tuple[float, ...]
    faultless_from: tuple[float, ...]
    clear: tuple[Rows, ...]
    every: tuple[Rows, ...]
    between: float = BETWEEN

    def likelihood(self, shares: Sequence[float], height: float) -> tuple[float, ...]:
        """Likelihood of each word, the largest 1, from the words' shares of a measurement (adding up to 1).

        ``height`` is the person's in the frame, in pixels.
        """
        size = band(height)
        read = max(range(len(shares)), key=shares.__getitem__)
        if shares[read] >= self.clear_from[read]:
            column = [row[read] for row in self.clear[size]]
            faultless = shares[read] >= self.faultless_from[read]
            most = column[read] / FAULTLESS if faultless else 1.0
            logs = [
                math.log(chance if word == read else min(chance, most)) for word, chance in enumerate(column)
            ]
        else:
            logs = [
                self.between
                * sum(share * math.log(chance) for share, chance in zip(shares, row, strict=True))
                for row in self.every[size]
            ]
        highest = max(logs)
        return tuple(math.exp(log - highest) for log in logs)


def band(height: float) -> int:
    """0, 1, 2 for near, middle, far."""
    return sum(height < border for border in BANDS)


def _table(name: str) -> Confusion:
    return Confusion(
        clear_from=tables.CLEAR_FROM[name],
        faultless_from=tables.FAULTLESS_FROM[name],
        clear=_chances(tables.CLEAR[name]),
        every=_chances(tables.EVERY[name]),
        between=BETWEEN_SECONDS if name == "second" else BETWEEN,
    )


def _chances(sizes: tuple[tuple[tuple[int, ...], ...], ...]) -> tuple[Rows, ...]:
    return tuple(tuple(tuple(one / tables.UNIT for one in row) for row in rows) for rows in sizes)


CONFUSION: Final = {name: _table(name) for name in tables.EVERY}
"""By attribute; both main colours share one called ``colour``, both second ones ``second``."""


def second_likelihood(found: Second | None, height: float) -> tuple[float, ...]:
    """Likelihood of no second colour, then of each colour as the second; the largest 1.

    The mean over colours, against none, is the odds of there being one at all; how they share it is told by name.
    """
    if found is None:
        return _with_none(tables.NO_SECOND, (1.0,) * len(COLOURS))
    raw = sum(weight * one for weight, one in zip(tables.SECOND_WEIGHTS, found.features, strict=True))
    odds = max(-MOST_ODDS, min(MOST_ODDS, raw + BOLD))
    odds *= WARY if odds > 0 else 1
    return _with_none(odds, CONFUSION["second"].likelihood(found.names, height))


def _with_none(odds: float, which: Sequence[float]) -> tuple[float, ...]:
    """Likelihoods of none and of each colour from log odds of any, and likelihoods of the colours among them."""
    scale = math.exp(odds) * len(which) / sum(which)
    raw = (1.0, *(one * scale for one in which))
    return tuple(one / max(raw) for one in raw)


def normal(shares: Sequence[float]) -> tuple[float, ...]:
    """Shares that add up to 1, none below a thousandth."""
    raised = [max(share, _LEAST_NAME) for share in shares]
    return tuple(share / sum(raised) for share in raised)
