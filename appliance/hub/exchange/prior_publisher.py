"""The prior that the hub says to its units: made anew once a day, from what it would also write down.

Invariants:
    * From ``coarse`` counts only, once the baseline is old enough, and what fewer than ``LEAST_TOLD`` show is told as
      chance would have it, from the margins: no one person's outfit is in a prior, however often they walk by. The
      difference of two priors still tells that a word or a pair has crossed that border.
    * Made once a day and not at each change: a unit takes it at its next start in any case. The same bytes are said
      again whenever the broker is back, for it may have lost them.
    * Pure: no file, no clock.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from appliance.hub.messages import OutgoingMessage
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import FIVE, HALF_LIFE, BaselineState, coarse, growth
from appliance.hub.statistics.layout import ATTRIBUTE_OF, STREET
from appliance.protocol import prior, topics
from appliance.protocol.prior import PAIRS, Lifts
from appliance.protocol.values import BoothId, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES

EVERY: Final = Seconds(86_400.0)
LEAST_TOLD: Final = 20.0
"""Sightings, not people: fifteen are one resident's fortnight."""


def of_many(state: BaselineState) -> BaselineState:
    """``state`` without what fewer than ``LEAST_TOLD`` show.

    A word fewer show counts as none (a prior's shares are never 0); a pair as chance has it by its two words' shares,
    at most half the border.
    """
    unit = growth((state.latest - state.anchor) / HALF_LIFE)
    least, few = LEAST_TOLD * unit, state.pairs < LEAST_TOLD * unit
    singles = np.where(np.diag(few), 0.0, np.diag(state.pairs))
    known = state.known[np.ix_(ATTRIBUTE_OF, ATTRIBUTE_OF)]
    told = np.maximum(np.diag(known), unit)
    chance = known * np.outer(singles / told, singles / told)
    pairs = np.where(few, np.minimum(chance, least / 2.0), state.pairs)
    np.fill_diagonal(pairs, singles)
    return replace(state, pairs=pairs)


def shares_of(state: BaselineState) -> tuple[tuple[float, ...], ...]:
    """The share of each level of each attribute among those in whom it could be told; smoothed by one person each."""
    counts = np.diag(state.pairs)
    rows, start = [], 0
    for attribute in ATTRIBUTES:
        row = counts[start : start + len(attribute.levels)] + 1.0
        rows.append(tuple((row / row.sum()).tolist()))
        start += len(attribute.levels)
    return tuple(rows)


def lifts_of(state: BaselineState) -> Lifts:
    """How many times more often than by chance each two levels go together, (k_ij + A) / (n_ij p_i p_j + A).

    A is half of five people: counts rounded to fives say no more (the gamma-Poisson shrinker of ``tables``).
    """
    shares = np.concatenate([np.array(row) for row in shares_of(state)])
    shrink = FIVE / 2.0 * growth((state.latest - state.anchor) / HALF_LIFE)
    lift = (state.pairs + shrink) / (
        state.known[np.ix_(ATTRIBUTE_OF, ATTRIBUTE_OF)] * np.outer(shares, shares) + shrink
    )
    return {
        (one, other): tuple(map(tuple, lift[STREET.block(one), STREET.block(other)].tolist()))
        for one, other in PAIRS
    }


def prior_of(baseline: Baseline, *, booth: BoothId, private_key: bytes, now: Seconds) -> bytes:
    """The signed prior of what is usual now, from whole fives of people."""
    state = of_many(coarse(baseline.state()))
    return prior.sealed_prior(
        booth=booth,
        made_at=int(now),
        people=state.people,
        shares=shares_of(state),
        lifts=lifts_of(state),
        private_key=private_key,
    )


class PriorPublisher:
    """Says the prior when it is due; nothing without ``private_key`` or below ``warmup_people`` were seen."""

    def __init__(self, *, booth: BoothId, private_key: bytes | None, warmup_people: int) -> None:
        self._booth = booth
        self._private_key = private_key
        self._warmup_people = warmup_people
        self._due_at: float = 0.0
        self.last: OutgoingMessage | None = None
        """What was said last, to be said again to a broker that may have lost it."""

    def telling(self, baseline: Baseline, now: Seconds) -> OutgoingMessage | None:
        """The prior to publish, retained, or None where none is due."""
        key = self._private_key
        # A clock that was set back must not silence us for longer than a day.
        waits = self._due_at - EVERY <= now < self._due_at
        if key is None or waits or baseline.needs(self._warmup_people, now):
            return None
        self._due_at = now + EVERY
        self.last = OutgoingMessage(
            topic=topics.prior(self._booth),
            payload=prior_of(baseline, booth=self._booth, private_key=key, now=now),
        )
        return self.last
