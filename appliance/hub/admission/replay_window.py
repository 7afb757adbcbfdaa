"""The anti-replay window: which sequence numbers of one epoch have been admitted.

Invariants:
    * A number is admitted at most once; what lies too far behind the highest number is refused, never guessed.
    * Gaps are counted, and a late arrival closes its gap again.
    * Pure: no I/O, no clock.

Source: the sliding receive window of RFC 4303 section 3.4.3 (and RFC 6479 for windows wider than a word), with one
difference: memory is cheap here and spools drain late, so the window is 2,048 numbers wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Final

from appliance.protocol.values import COUNTER_LIMIT, Epoch, Seq

WIDTH: Final = 2048
"""Numbers behind the highest that can still be admitted."""

STEPS: Final = 4096
"""Of so many of its latest steps of time it is remembered how much a unit said."""

BLOCK: Final = 60
"""Steps of a unit's time that are counted together too: five minutes."""

_MASK: Final = (1 << WIDTH) - 1
BITMAP_BYTES: Final = WIDTH // 8


@unique
class Verdict(IntEnum):
    """What the window says of a number."""

    FRESH = 0
    REPEATED = 1
    """Admitted before, certainly: a redelivery, or a replay."""
    TOO_OLD = 2
    """So far behind that the window no longer knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """All a window knows, for the store.

    ``lowest`` and ``highest`` are the first and last number expected and seen, ``admitted`` how many were
    admitted, ``bitmap`` the last ``WIDTH`` numbers (the lowest bit of the last byte is ``highest``), ``boot`` the
    estimated instant the epoch began (unix seconds) and ``synced`` whether the unit's own clock said so.
    """

    epoch: Epoch
    lowest: int
    highest: int
    admitted: int
    bitmap: bytes
    boot: float
    synced: bool


class ReplayWindow:
    """The window of one epoch. ``lowest`` is the first number to be expected.

    >>> window = ReplayWindow(epoch=Epoch(1), lowest=0)
    >>> [window.verdict(Seq(n)).name for n in (0, 3)]
    ['FRESH', 'FRESH']
    >>> window.mark(Seq(0)); window.mark(Seq(3)); window.missing
    2
    >>> window.verdict(Seq(3)).name, window.verdict(Seq(2)).name
    ('REPEATED', 'FRESH')
    """

    __slots__ = (
        "_bitmap", "_blocks", "_steps", "admitted", "agreed", "boot", "epoch", "highest", "lowest", "settled_at",
        "synced", "uptime",
    )  # fmt: skip

    def __init__(self, *, epoch: Epoch, lowest: int) -> None:
        self.epoch = epoch
        self.lowest = lowest
        self.highest = -1
        self.admitted = 0
        self.boot = float("inf")
        self.synced = False
        self.agreed = False
        """The unit's wall clock has agreed with the hub's, which was not set since. Memory only, like the next."""
        self.settled_at = -float("inf")
        """When ``boot``, taken from arrivals, was last found to be far too late."""
        self.uptime = 0
        """The highest uptime heard of, in steps."""
        self._steps: dict[int, int] = {}
        self._blocks: dict[int, int] = {}
        self._bitmap = 0

    def verdict(self, seq: Seq) -> Verdict:
        """Whether ``seq`` may be admitted; changes nothing."""
        behind = self.highest - seq
        if behind < 0:
            return Verdict.FRESH
        if behind >= WIDTH:
            return Verdict.TOO_OLD
        return Verdict.REPEATED if self._bitmap >> behind & 1 else Verdict.FRESH

    def mark(self, seq: Seq) -> None:
        """Admit ``seq``; it must be FRESH."""
        ahead = seq - self.highest
        if ahead > 0:
            self._bitmap = 1 if ahead >= WIDTH else (self._bitmap << ahead | 1) & _MASK
            self.highest = seq
        else:
            self._bitmap |= 1 << -ahead
        self.lowest = min(self.lowest, seq)
        self.admitted += 1

    def admitted_in(self, step: int) -> int:
        """How many statements of this step of the unit's time were admitted, as far as is remembered."""
        return self._steps.get(step, 0)

    def admitted_in_block(self, step: int) -> int:
        """The same for the ``BLOCK`` steps that this one is among."""
        return self._blocks.get(step // BLOCK, 0)

    def passed(self, step: int) -> None:
        """One more statement of this step was admitted."""
        block = step // BLOCK
        self._blocks[block] = self._blocks.get(block, 0) + 1
        if len(self._blocks) > STEPS // BLOCK:
            del self._blocks[min(self._blocks)]
        self.uptime = max(self.uptime, step)
        self._steps[step] = self._steps.get(step, 0) + 1
        if len(self._steps) > STEPS:
            for old in sorted(self._steps)[: STEPS // 2]:
                del self._steps[old]

    @property
    def missing(self) -> int:
        """Numbers between the first expected and the highest that have not come (yet)."""
        return self.highest - self.lowest + 1 - self.admitted if self.highest >= 0 else 0

    def state(self) -> WindowState:
        """What the store keeps."""
        return WindowState(
            epoch=self.epoch,
            lowest=self.lowest,
            highest=self.highest,
            admitted=self.admitted,
            bitmap=self._bitmap.to_bytes(BITMAP_BYTES, "big"),
            boot=self.boot,
            synced=self.synced,
        )

    @staticmethod
    def of(state: WindowState) -> ReplayWindow:
        """The window the store kept; ValueError where its numbers contradict each other."""
        span = state.highest - state.lowest + 1
        if not 0 <= state.admitted <= span < COUNTER_LIMIT + 1 or len(state.bitmap) != BITMAP_BYTES:
            raise ValueError(f"window of epoch {state.epoch} contradicts itself")
        window = ReplayWindow(epoch=state.epoch, lowest=state.lowest)
        window.highest, window.admitted = state.highest, state.admitted
        window.boot, window.synced = state.boot, state.synced
        window._bitmap = int.from_bytes(state.bitmap, "big")
        return window
