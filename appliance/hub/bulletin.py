"""The prior that the hub says to its units: made anew once a day, from what it would also write down.

Laws:
    * From ``coarse`` counts only, once the baseline is old enough: nobody can be told from a prior, nor from the
      difference of two.
    * Said once a day and not at each change: a unit takes it at its next start in any case.
    * Thinking only: no file, no clock.
"""

from __future__ import annotations

from typing import Final

from appliance import prior, topics
from appliance.hub import exchange
from appliance.hub.baseline import Baseline
from appliance.hub.counts import coarse
from appliance.hub.messages import Telling
from appliance.values import BoothId, Seconds

EVERY: Final = Seconds(86_400.0)


def prior_of(baseline: Baseline, *, booth: BoothId, private_key: bytes, now: Seconds) -> bytes:
    """The signed prior of what is usual now, from whole fives of people."""
    state = coarse(baseline.state())
    return prior.sealed_prior(
        booth=booth,
        made_at=int(now),
        people=state.people,
        shares=exchange.shares_of(state),
        lifts=exchange.lifts_of(state),
        private_key=private_key,
    )


class Bulletin:
    """Says the prior when it is due; nothing without ``private_key`` or while fewer than ``young`` were seen."""

    def __init__(self, *, booth: BoothId, private_key: bytes | None, young: int) -> None:
        self._booth = booth
        self._private_key = private_key
        self._young = young
        self._due_at: float = 0.0

    def telling(self, baseline: Baseline, now: Seconds) -> Telling | None:
        """The prior to publish, retained, or None where none is due."""
        key = self._private_key
        # A clock that was set back must not silence us for longer than a day.
        waits = self._due_at - EVERY <= now < self._due_at
        if key is None or waits or baseline.needs(self._young, now):
            return None
        self._due_at = now + EVERY
        return Telling(
            topic=topics.prior(self._booth),
            payload=prior_of(baseline, booth=self._booth, private_key=key, now=now),
        )
