"""Rarity on a day unlike the weeks before: a change renews the memory of scores, and today's crowd is weighed in.

Formula: until ``TailMartingale`` or ``CrowdShift`` finds that today's people are others than those remembered,
everything is as ``Rarity`` says. From then on four experts judge side by side: the weeks' counts worth all, 5,000,
500 and 0 people, plus today's, each with a memory of scores begun at the change. What is claimed is the mean of their
p, weighted by how well each foresaw the people of today (``FixedShare``; the likelihood is that of the SURE readings
one by one).

Invariants:
    * Until the experts have seen ``HOLD_PEOPLE`` nobody is flagged: their memories of scores are too young to say
      1 %. They begin to learn when a day is suspect, and are dropped where nothing speaks for it any more.
    * A day ends after ``NIGHT_SECONDS`` without anybody. Experts and bet serve the moment and stay in memory; that a
      day is changed is stored, and after a restart its experts begin anew. ``forget`` takes a person out of all.
    * What is stored is what ``Rarity`` stores.
    * Pure: no I/O, no clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import BaselineState
from appliance.hub.statistics.change.crowd_shift import CrowdShift
from appliance.hub.statistics.change.martingale import TailMartingale
from appliance.hub.statistics.layout import EncodedVector, FloatArray
from appliance.hub.statistics.mixture import FixedShare
from appliance.hub.statistics.rarity import CountReceipt, Rarity, Score
from appliance.protocol.values import AttributeVector, Seconds, UnitId

WORTH: Final = (math.inf, 5000.0, 500.0, 0.0)
"""So many people the weeks' counts are worth to each expert at most."""
HOLD_PEOPLE: Final = 150
NIGHT_SECONDS: Final = 4 * 3600.0
LEAST_SCORES: Final = 300.0
"""A baseline of more people than this of whom fewer scores are remembered was learnt elsewhere."""
DOUBT: Final = 2.0
"""A bet that has doubled its stake: reached once in an ordinary day with a chance of 1/2 at most, and then lost."""
_SHARES_LAG: Final = 16
"""Shares that foresee are looked up anew after so many people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReceipt(CountReceipt):
    """How somebody was counted on which ``day``, and by the experts; ``change`` says which ones."""

    day: int
    change: int
    experts: tuple[CountReceipt, ...]


class EventExperts:
    """The four experts of one day, begun with the weeks' ``state`` as it was at the change, at ``now``."""

    def __init__(self, baseline: Baseline) -> None:
        state, weight = baseline.state(), baseline.weight(Seconds(baseline.latest))
        self.rarities = tuple(
            Rarity(
                Baseline(_worth(state, worth / weight if weight > 0 else 0.0), baseline.layout), watches=False
            )
            for worth in WORTH
        )
        self.mixture = FixedShare(len(WORTH))
        self.people = 0
        self._bits: tuple[FloatArray, ...] = ()

    def score(self, one: EncodedVector) -> tuple[Score, tuple[Score, ...]]:
        """The mixed score, and each expert's own."""
        scores = tuple(rarity.score(one) for rarity in self.rarities)
        p = self.mixture.mean([score.p for score in scores])
        return replace(scores[self.mixture.leader], p=p, bits=-math.log2(p)), scores

    def update(
        self, one: EncodedVector, scores: tuple[Score, ...], unit: UnitId, seen_at: Seconds
    ) -> tuple[CountReceipt, ...]:
        """Weigh the experts by what came, then let each learn it."""
        if self.people % _SHARES_LAG == 0:
            self._bits = tuple(_share_bits(rarity.baseline) for rarity in self.rarities)
        self.mixture.learn([float(bits[one.sure].sum()) for bits in self._bits])
        self.people += 1
        return tuple(
            rarity.update(one, score, unit, seen_at)
            for rarity, score in zip(self.rarities, scores, strict=True)
        )

    @property
    def leading(self) -> Baseline:
        """What is usual by the expert that foresees best."""
        return self.rarities[self.mixture.leader].baseline


def _worth(state: BaselineState, share: float) -> BaselineState | None:
    """``state`` with every count times ``share``, 1 at most; None where nothing is left."""
    if share >= 1.0 or not share:
        return state if share else None
    return replace(
        state,
        people=max(1, round(state.people * share)),
        weight=state.weight * share,
        pairs=state.pairs * share,
        known=state.known * share,
        cameras=tuple((unit, row * share) for unit, row in state.cameras),
    )


def _share_bits(baseline: Baseline) -> FloatArray:
    """log2 of the share of each level, smoothed by half a person: (levels,)."""
    layout = baseline.layout
    count, weight = baseline.singles(Seconds(baseline.latest))
    bits: FloatArray = np.log2((count + 0.5) / (weight + 0.5 * np.array(layout.sizes)[layout.attribute_of]))
    return bits


class EventDayRarity(Rarity):
    """``Rarity`` that notices a day unlike the weeks before; the same where there is none."""

    def __init__(self, baseline: Baseline, bins: FloatArray | None = None, *, watches: bool = True) -> None:
        super().__init__(baseline, bins, watches=watches)
        self._bet = TailMartingale()
        self._shift: CrowdShift | None = None
        self._experts: EventExperts | None = None
        self._day = self._changes = 0
        self._seen_at = -math.inf
        self._scored: tuple[EncodedVector, float, tuple[Score, ...]] | None = None
        self.changed = False
        """Whether today's people were found to be others than those remembered: the experts judge."""

    def without_cameras(self) -> EventDayRarity:
        """A copy of what is stored, to go on by itself: it watches no camera, and its day begins anew."""
        return type(self)(Baseline(self.baseline.state(), self.baseline.layout), self.bins(), watches=False)

    @property
    def doubts(self) -> bool:
        """Whether something speaks for today's people being others, though not enough yet."""
        return self._bet.capital > DOUBT or (self._shift is not None and self._shift.suspect)

    @property
    def remembers(self) -> float:
        """How many people's scores whoever judges now remembers, in effect."""
        if self.changed and self._experts is not None:
            return float(self._experts.people)
        return self._tails.remembered_in_all()

    @property
    def holds(self) -> bool:
        """Whether whoever judges on a changed day is too young to flag anybody."""
        return self.changed and self.remembers < HOLD_PEOPLE

    @property
    def usual(self) -> Baseline:
        """The baseline by which a reason is said: the weeks', or on a changed day that which foresees it best."""
        return self._experts.leading if self.changed and self._experts is not None else self.baseline

    @property
    def changed_at(self) -> float:
        """When the latest person of a changed day was seen; 0 where today is not one. For ``resume_change``."""
        return self._seen_at if self.changed else 0.0

    def resume_change(self, seen_at: Seconds) -> None:
        """Go on, after a restart, with a day that had been found to be another; its experts begin anew."""
        self._seen_at, self.changed = seen_at, True
        self._begin_experts()

    def _begin_experts(self) -> None:
        self._changes += 1
        self._experts = EventExperts(self.baseline)

    def score(self, one: EncodedVector) -> Score:
        """The score of what is worn, by the weeks or, on a changed day, by all experts."""
        weeks = super().score(one)
        if self._experts is None:
            self._scored = (one, weeks.p, ())
            return weeks
        mixed, scores = self._experts.score(one)
        self._scored = (one, weeks.p, scores)
        # What the weeks' own histograms remember stays theirs.
        return replace(mixed, looks=weeks.looks) if self.changed else weeks

    def update(self, one: EncodedVector, score: Score, unit: UnitId, seen_at: Seconds) -> CountReceipt:
        """Make what was scored part of what is usual, and notice where a day begins or has changed."""
        at = self.baseline.counted_at(seen_at)  # a hub's clock that jumps makes no night
        if at - self._seen_at > NIGHT_SECONDS:
            self._begin_day()
        self._seen_at = max(self._seen_at, at)
        if self._scored is None or self._scored[0] is not one:
            self.score(one)
        scored, self._scored = self._scored, None
        counted = super().update(one, score, unit, seen_at)
        experts, receipts, change = self._experts, tuple[CountReceipt, ...](), self._changes
        if experts is not None:
            scores = scored[2] if scored is not None and scored[2] else experts.score(one)[1]
            receipts = experts.update(one, scores, unit, seen_at)
        if scored is not None:
            self._look_at_day(one, scored[1])
        return EventReceipt(
            one=counted.one,
            scores=counted.scores,
            counted_at=counted.counted_at,
            counted_briefly_at=counted.counted_briefly_at,
            number=counted.number,
            day=self._day,
            change=change,
            experts=receipts,
        )

    def _begin_day(self) -> None:
        self._bet.begin()
        self._day += 1
        self._experts, self.changed = None, False
        known = self.baseline.weight(Seconds(self.baseline.latest)) >= LEAST_SCORES
        self._shift = CrowdShift(np.exp2(_share_bits(self.baseline)), self.baseline.layout) if known else None
        if known and self._tails.remembered_in_all() < LEAST_SCORES:
            # Weeks without a memory of scores are imported ones: whether they are of this street is not known.
            self.changed = True
            self._begin_experts()

    def _look_at_day(self, one: EncodedVector, p: float) -> None:
        """Whether today's people are others: experts begin to learn on suspicion, and judge once it is proven."""
        if self._shift is not None:
            self._shift.count(one.sure)
        if self.changed:
            return
        rare = one.fair.size > 0 and self._bet.count(p).changed
        other = self._shift is not None and self._shift.other
        suspect = self._shift is not None and self._shift.suspect
        if self._experts is None and (rare or other or suspect):
            self._begin_experts()
        elif self._experts is not None and self._shift is not None and not self._shift.bits:
            self._experts = None
        self.changed = rare or other

    def forget(
        self, vector: AttributeVector, unit: UnitId, seen_at: Seconds, counted: CountReceipt | None
    ) -> None:
        """Take out again what ``update`` put in, from today's counts and the experts too."""
        super().forget(vector, unit, seen_at, counted)
        if not isinstance(counted, EventReceipt):
            return
        if self._shift is not None and counted.day == self._day:
            self._shift.forget(counted.one.sure)
        if self._experts is not None and counted.experts and counted.change == self._changes:
            for rarity, receipt in zip(self._experts.rarities, counted.experts, strict=True):
                rarity.forget(vector, unit, seen_at, receipt)

    def follow_clock(self, now: Seconds, stepped: float = 0.0) -> None:
        """Take note of the hub's clock before a batch."""
        super().follow_clock(now, stepped)
        for rarity in self._experts.rarities if self._experts else ():
            rarity.follow_clock(now, stepped)
