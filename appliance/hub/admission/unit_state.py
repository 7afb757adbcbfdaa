"""One unit at the door: the windows of its open epochs, and what was counted of it.

Invariants:
    * Few epochs are open at once, and a closed one stays closed: whoever is restored from an old copy is shown up.
    * Counts only ever grow; what never came of a closed epoch is counted as missing.
    * Pure: the state can be stored and taken up again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.admission.replay_window import ReplayWindow, WindowState
from appliance.protocol.values import Epoch, Seconds, UnitId

OPEN_EPOCHS: Final = 32
"""How many epochs of a unit stay open at once, so that what was spooled before a power cut still gets in."""

EPOCH_LEAP: Final = 2**20
"""How many epochs a unit may skip: a million restarts. More would use up the epochs there are."""


ARRIVALS_PER_SECOND: Final = 4.0
"""Statements of one unit that may arrive in a second, on average: a street of 14,400 people an hour."""

MOST_BACKLOG: Final = 3600.0 * ARRIVALS_PER_SECOND
"""So many may arrive at once after a silence: an hour of that street, or a day of 600 people an hour."""


@dataclass(slots=True, kw_only=True)
class UnitCounts:
    """What the door has counted for one unit (or for no unit); only ever grows."""

    admitted: int = 0
    repeated: int = 0
    missing_closed: int = 0
    """Numbers that never came, of epochs that are closed."""
    refused: Counter[Rule] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAdmissionState:
    """What the store keeps of one unit: the lowest epoch still open, its windows, its counts.

    ``unit`` is its name and key identifier, ``north/0123456789abcdef``; ``""`` stands for senders that are no unit.
    What goes into the store holds the windows that changed, what comes out of it all that are open.
    ``refused`` pairs rule numbers with counts.
    """

    unit: str
    floor: int
    admitted: int
    repeated: int
    missing_closed: int
    refused: tuple[tuple[int, int], ...]
    windows: tuple[WindowState, ...]


class ArrivalBudget:
    """How much of a unit may still arrive, by the hub's clock: a token bucket (ITU-T I.371 appendix A, as a meter).

    It fills by ``ARRIVALS_PER_SECOND`` to ``MOST_BACKLOG`` at most, and is full when a hub starts: what waited for it
    is as old as may be. In memory only.

    >>> budget = ArrivalBudget()
    >>> sum(budget.take(Seconds(0.0)) for _ in range(20_000)), sum(budget.take(Seconds(2.0)) for _ in range(20))
    (14400, 8)
    """

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left, self._at = MOST_BACKLOG, -float("inf")

    def take(self, now: Seconds) -> bool:
        """Whether one more statement may arrive at ``now``; it is taken off then."""
        if now != self._at:
            # A clock that was set back gives nothing; one that was set ahead fills the bucket at most.
            passed = max(0.0, now - self._at)
            self._left, self._at = min(MOST_BACKLOG, self._left + passed * ARRIVALS_PER_SECOND), now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class UnitAdmission:
    """The windows and counts of one unit."""

    __slots__ = ("_changed", "arrivals", "counts", "floor", "windows")

    def __init__(self) -> None:
        self.floor = 1
        self.windows: dict[Epoch, ReplayWindow] = {}
        self.counts = UnitCounts()
        self.arrivals = ArrivalBudget()
        self._changed: set[Epoch] = set()

    def window(self, epoch: Epoch, unit: UnitId) -> ReplayWindow:
        """The window of ``epoch``, new if need be but not yet entered. Refused: ROLLED_BACK."""
        known = self.windows.get(epoch)
        if known is not None:
            return known
        full = len(self.windows) >= OPEN_EPOCHS
        if epoch < self.floor or (full and epoch < min(self.windows)):
            raise Refused(
                Rule.ROLLED_BACK,
                f"epoch {epoch} is closed",
                where=unit,
                fix="if the unit was restored from an old copy, enrol it again with a new key",
            )
        newest = max(self.windows, default=self.floor)
        if epoch > newest + EPOCH_LEAP:
            raise Refused(
                Rule.FUTURE,
                f"epoch {epoch} leaps ahead of {newest}",
                where=unit,
                fix="if the unit's epoch file is damaged, enrol it again with a new key",
            )
        # Of a unit we knew before, an epoch starts at 0 and what is skipped is missing. Of one we meet in the
        # middle of its life, we cannot miss what we never were to get.
        return ReplayWindow(epoch=epoch, lowest=0 if self.windows else 2**32)

    def enter(self, window: ReplayWindow) -> None:
        """Keep ``window``, which has changed; close the oldest where too many would be open."""
        self.windows[window.epoch] = window
        self._changed.add(window.epoch)
        if len(self.windows) > OPEN_EPOCHS:
            closed = self.windows.pop(min(self.windows))
            self.counts.missing_closed += closed.missing
            self.floor = closed.epoch + 1

    def close_below(self, floor: int) -> None:
        """Close the epochs below ``floor``."""
        self.floor = max(self.floor, floor)
        for epoch in [epoch for epoch in self.windows if epoch < self.floor]:
            self.counts.missing_closed += self.windows.pop(epoch).missing

    def take_as_admitted(self, epoch: Epoch, end: int, gaps: Sequence[tuple[int, int]]) -> bool:
        """Take as admitted what a receipt, or another copy of this state, says; True where that was news."""
        if epoch < self.floor or not end:
            return False
        window = self.windows.get(epoch) or ReplayWindow(epoch=epoch, lowest=0)
        news = window.take_as_admitted(end, gaps)
        if news:
            self.enter(window)
        return news

    def state(self, unit: str) -> UnitAdmissionState:
        """What the store keeps of it, under ``unit``; of its windows those that changed since the last call."""
        counts = self.counts
        changed, self._changed = self._changed, set()
        return UnitAdmissionState(
            unit=unit,
            floor=self.floor,
            admitted=counts.admitted,
            repeated=counts.repeated,
            missing_closed=counts.missing_closed,
            refused=tuple(sorted((int(rule), count) for rule, count in counts.refused.items())),
            windows=tuple(self.windows[epoch].state() for epoch in sorted(changed) if epoch in self.windows),
        )

    @staticmethod
    def of(state: UnitAdmissionState) -> UnitAdmission:
        """The door that was stored."""
        door = UnitAdmission()
        door.floor = state.floor
        door.windows = {window.epoch: ReplayWindow.of(window) for window in state.windows}
        door.counts = UnitCounts(
            admitted=state.admitted,
            repeated=state.repeated,
            missing_closed=state.missing_closed,
            refused=Counter({Rule(rule): count for rule, count in state.refused}),
        )
        return door
