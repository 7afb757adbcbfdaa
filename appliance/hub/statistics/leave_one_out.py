"""Leave-one-camera-out rarity: no camera alone decides what is rare at the others.

Formula: p = min(p_all, F min_c p_-c) over the cameras c other than the one that saw the person, with F = ``FACTOR``,
p_all by everybody's counts and memory of scores, and p_-c by those of all cameras but c (leave one out: Quenouille
1949; as the test of one outlying source, Hampel et al. 1986, *Robust Statistics*, sec. 1.3). So whatever a camera c
says, it moves p at another camera to F p_-c at most, and p_-c holds nothing that c ever said. The price is the level:
P(p <= a) is a (1 + (C - 1) / F) at most for C cameras, and a little over a where they see the same street.

Invariants:
    * ``everything`` is what is stored, exported and shown; the others serve this bound only.
    * p_-c counts once the scores of ``LEAST_PEOPLE`` of the other cameras are remembered by whoever judges.
    * Which readings of a camera are set aside is decided once, with all cameras as witnesses: a camera can have set
      aside at another only what this one itself shows far too often, for ``MASK_PEOPLE`` of its people.
    * ``forget`` takes a person out of every one.
    * Pure: no I/O, no clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.event_day import EventDayRarity
from appliance.hub.statistics.layout import EncodedVector
from appliance.hub.statistics.rarity import CountReceipt, Score
from appliance.protocol.values import AttributeVector, Seconds, UnitId

FACTOR: Final = 3.0
"""F: one camera can at most treble another's p; the smaller, the more flags come of chance alone (decision 34)."""
LEAST_PEOPLE: Final = 300.0
"""On fewer people than this p_-c says nothing (the same as ``warmup_people`` unless that is set)."""
MOST_CAMERAS: Final = 16
"""So many cameras are left out in turn; a booth of more is bounded against the first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The ``score`` to go by, by which baseline its reasons are said, and whether nobody is to be flagged now."""

    score: Score
    usual: Baseline
    holds: bool
    everything: Score
    without: tuple[tuple[UnitId, Score], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementReceipt:
    """How somebody was counted, with everything and without each other camera."""

    everything: CountReceipt
    without: tuple[tuple[UnitId, CountReceipt], ...]


class LeaveOneOutRarity:
    """Judges with ``everything`` and, for each camera, ``without`` what it said; takes both up where given."""

    def __init__(
        self, everything: EventDayRarity, without: Mapping[UnitId, EventDayRarity] | None = None
    ) -> None:
        self.everything = everything
        self.without = dict(without or {})

    @property
    def baseline(self) -> Baseline:
        """What is usual by all cameras."""
        return self.everything.baseline

    def encode(self, vector: AttributeVector, unit: UnitId) -> EncodedVector:
        """The positions of a vector's readings, without those that this camera is not to be believed at present."""
        return self.everything.encode(vector, unit)

    def judge(self, one: EncodedVector, unit: UnitId) -> Judgement:
        """How rare what ``unit`` saw is; changes nothing that is kept."""
        whole = self.everything.score(one)
        holds, best, usual = self.everything.holds, whole, self.everything.usual
        scores = []
        for other, rarity in self.without.items():
            if other == unit:
                continue
            score = rarity.score(one)
            scores.append((other, score))
            if not self._has_a_say(rarity):
                continue
            p = min(1.0, FACTOR * score.p)
            if holds or p < best.p:
                holds, usual, best = False, rarity.usual, replace(score, p=p, bits=-math.log2(p))
        return Judgement(score=best, usual=usual, holds=holds, everything=whole, without=tuple(scores))

    def _has_a_say(self, rarity: EventDayRarity) -> bool:
        if rarity.holds or rarity.remembers < LEAST_PEOPLE:
            return False
        # On a day that has changed, who has seen fewer people notices later: until then it says nothing.
        return rarity.changed or not (self.everything.changed and rarity.doubts)

    def update(
        self, one: EncodedVector, judged: Judgement, unit: UnitId, seen_at: Seconds
    ) -> JudgementReceipt:
        """Make what was judged part of what is usual: of everything, and of all but each other camera."""
        if unit not in self.without and len(self.without) < MOST_CAMERAS:
            self.without[unit] = self.everything.without_cameras()
        return JudgementReceipt(
            everything=self.everything.update(one, judged.everything, unit, seen_at),
            without=tuple(
                (other, self.without[other].update(one, score, unit, seen_at))
                for other, score in judged.without
            ),
        )

    def judge_and_learn(self, vector: AttributeVector, unit: UnitId, seen_at: Seconds) -> Judgement:
        """Judge, then update."""
        one = self.encode(vector, unit)
        judged = self.judge(one, unit)
        self.update(one, judged, unit, seen_at)
        return judged

    def forget(
        self, vector: AttributeVector, unit: UnitId, seen_at: Seconds, counted: JudgementReceipt | None
    ) -> None:
        """Take out again what ``update`` put in; without ``counted`` see ``Rarity.forget``."""
        self.everything.forget(vector, unit, seen_at, counted.everything if counted else None)
        receipts = dict(counted.without) if counted else {}
        for other, rarity in self.without.items():
            if other != unit and (counted is None or other in receipts):
                rarity.forget(vector, unit, seen_at, receipts.get(other))

    def follow_clock(self, now: Seconds, stepped: float = 0.0) -> None:
        """Take note of the hub's clock before a batch."""
        for rarity in (self.everything, *self.without.values()):
            rarity.follow_clock(now, stepped)

    def settle(self) -> None:
        """Compute tables anew at the next score."""
        for rarity in (self.everything, *self.without.values()):
            rarity.settle()
