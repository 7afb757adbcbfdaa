"""The walk test of one camera: somebody in known clothes walks past, and what was read is compared and dropped.

Invariants:
    * What is worn is known to the test while it lasts and to nobody after. What stays are counts: passes, and by
      attribute how often it was read right, wrong, or not at all.
    * A pass with nobody or with two people in it counts for nothing but itself: nobody else's clothes are compared.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, unique
from typing import Final

from appliance.hub.setup.wilson import interval
from appliance.protocol.values import TIME_STEP, AttributeVector, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES

TEST_SECONDS: Final = 600.0
PASS_SECONDS: Final = 45.0
"""A pass waits so long for the camera's word, which leaves on the unit's grid of five seconds,"""
ALONE_SECONDS: Final = 11.0
"""and after the first word for two slots more, for a second one of somebody else."""
FEWEST_PASSES: Final = 3
LEAST_LOWER: Final = 0.6
LEAST_SAID: Final = 0.5
WEARABLE: Final = tuple(
    place for place, attribute in enumerate(ATTRIBUTES) if attribute.name not in {"one_piece", "bag"}
)
"""What staff put in: the two that no camera says at present are left out."""


@unique
class PassEnd(Enum):
    """What became of a pass."""

    READ = "read"
    NOBODY = "nobody"
    CROWD = "crowd"
    """More than one person was read: it does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkCounts:
    """What a camera's walk tests have shown: passes by their end; by attribute how often right, wrong, not said."""

    read: int = 0
    nobody: int = 0
    crowd: int = 0
    right: tuple[int, ...] = (0,) * len(ATTRIBUTES)
    wrong: tuple[int, ...] = (0,) * len(ATTRIBUTES)
    unsaid: tuple[int, ...] = (0,) * len(ATTRIBUTES)

    @property
    def said(self) -> int:
        """Words that were said, right or wrong."""
        return sum(self.right) + sum(self.wrong)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share of right words among those said, each taken as a trial of its own."""
        return interval(sum(self.right), self.said)

    def is_ready(self, *, card: bool) -> bool:
        """Whether the camera is ready.

        It is where its colour card was read, three passes were read, half of what was worn was said, and the lower
        end of the interval is not below 0.6.
        """
        worn = self.said + sum(self.unsaid)
        enough = self.read >= FEWEST_PASSES and worn > 0 and self.said >= LEAST_SAID * worn
        return card and enough and self.interval[0] >= LEAST_LOWER

    def with_pass(self, worn: Mapping[int, int], seen: AttributeVector) -> WalkCounts:
        """These counts and one pass more, in which somebody who wears ``worn`` was read as ``seen``."""
        right, wrong, unsaid = list(self.right), list(self.wrong), list(self.unsaid)
        for place, level in worn.items():
            said = seen.readings[place].level
            (unsaid if not said else right if said == level else wrong)[place] += 1
        return replace(self, read=self.read + 1, right=tuple(right), wrong=tuple(wrong), unsaid=tuple(unsaid))


def is_between(since: float, seen_at: float, until: float) -> bool:
    """Whether somebody was seen from ``since`` to ``until``; a unit tells the beginning of the step it saw them in.

    >>> is_between(12.0, 10.0, 60.0), is_between(12.0, 5.0, 60.0), is_between(12.0, 65.0, 60.0)
    (True, False, False)
    """
    return since - TIME_STEP < seen_at <= until


@dataclass(slots=True)
class WalkTest:
    """One test under way since ``since``: ``worn`` is attribute to level, ``until`` when it ends by itself."""

    worn: Mapping[int, int] = field(repr=False)
    since: Seconds
    until: Seconds
    counts: WalkCounts = WalkCounts()
    last: PassEnd | None = None
    """What became of the last pass."""
    _open_until: float = 0.0
    _seen: list[AttributeVector] = field(default_factory=list, repr=False)

    @property
    def passing(self) -> bool:
        """Whether a pass is under way."""
        return self._open_until > 0

    def begin(self, now: Seconds) -> None:
        """Somebody walks past now; a pass before ends here."""
        self._close()
        self._open_until = now + PASS_SECONDS

    def observed(self, vector: AttributeVector, now: Seconds) -> None:
        """The camera has read somebody: compared where a pass is under way, and dropped in any case."""
        if not self.passing:
            return
        if not self._seen:
            self._open_until = min(self._open_until, now + ALONE_SECONDS)
        self._seen.append(vector)

    def finish(self) -> WalkCounts:
        """The test ends, and with it a pass under way: what it has shown."""
        self._close()
        return self.counts

    def tick(self, now: Seconds) -> bool:
        """Let time pass; True where a pass ended."""
        if self.passing and now >= self._open_until:
            self._close()
            return True
        return False

    def _close(self) -> None:
        if not self.passing:
            return
        self._open_until, seen, self._seen = 0.0, self._seen, []
        if len(seen) == 1:
            self.last, self.counts = PassEnd.READ, self.counts.with_pass(self.worn, seen[0])
        elif seen:
            self.last, self.counts = PassEnd.CROWD, replace(self.counts, crowd=self.counts.crowd + 1)
        else:
            self.last, self.counts = PassEnd.NOBODY, replace(self.counts, nobody=self.counts.nobody + 1)


@dataclass(slots=True)
class ClickTest:
    """Counting by hand beside the camera: ``clicks`` of whoever stands there, ``seen`` by the camera."""

    since: Seconds
    until: Seconds
    clicks: int = 0
    seen: int = 0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share of those clicked that the camera saw, no more than all of them."""
        return interval(min(self.seen, self.clicks), self.clicks)
