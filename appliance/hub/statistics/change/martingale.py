"""Whether today's people are still those whose scores are remembered: a bet against their tail probabilities.

Formula: while scores are exchangeable with those remembered, a person's conformal p is uniform or larger, so that
each e p^(e-1), 0 < e < 1, has mean 1 at most, and their running product is a test martingale: the mean over several e
passes c with chance 1/c at most, ever (Vovk, Nouretdinov and Gammerman 2003, *Testing exchangeability on-line*, ICML;
Ville 1939). p is taken as ``LEAST_P`` at least, which is valid too: one family in costume is no change.

Invariants:
    * A number about a street, not a count of anybody: nothing is stored.
    * Pure: no I/O, no clock.

>>> bet = TailMartingale()
>>> [bet.count(p).changed for p in (0.5, 0.9, 0.03, 0.4)]
[False, False, False, False]
>>> [bet.count(0.001).changed for _ in range(4)]
[False, False, True, True]
"""

from __future__ import annotations

from typing import Final

CHANGED: Final = 50.0
"""The chance of a false alarm on one day is 1 / 50 at most, whatever the street."""
LEAST_P: Final = 0.005
_POWERS: Final = (0.25, 0.5, 0.75)


class TailMartingale:
    """Fed with one tail probability after the other; ``changed`` stays true until ``begin``."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new day: nothing has been bet yet."""
        self._capital = [1.0] * len(_POWERS)
        self.changed = False

    @property
    def capital(self) -> float:
        """What a stake of 1 has become."""
        return sum(self._capital) / len(_POWERS)

    def count(self, p: float) -> TailMartingale:
        """Bet on one more person's ``p`` in (0, 1]."""
        clipped = max(LEAST_P, p)
        self._capital = [
            min(1e12, capital * power * clipped ** (power - 1.0))
            for capital, power in zip(self._capital, _POWERS, strict=True)
        ]
        self.changed = self.changed or self.capital > CHANGED
        return self
