"""The anti-replay window: which sequence numbers of one epoch have been admitted.

Invariants:
    * A number is admitted at most once; what the window no longer knows is refused, never guessed.
    * Gaps are counted, and a late arrival closes its gap again, however far behind it is.
    * Pure: no I/O, no clock.

Source: the receive window of RFC 4303 section 3.4.3, with one difference: a bitmap says of each of the last numbers
whether it came; this says of *all* numbers which did not, as gaps. A unit that was offline for a day sends what is
new first and its backlog after, which leaves one gap, not 2,048 numbers. Whoever tears more than ``GAPS`` gaps loses
the oldest.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, unique
from itertools import pairwise
from typing import Final

from appliance.protocol.values import COUNTER_LIMIT, Epoch, Seq

GAPS: Final = 1024
"""Gaps remembered of one epoch; as many as a bitmap of 2,048 numbers can tell."""

CONTENTS: Final = 4096
"""Of so many of the numbers admitted last it is remembered what they said."""

STEPS: Final = 4096
"""Of so many of its latest steps of time it is remembered how much a unit said."""

BLOCK: Final = 60
"""Steps of a unit's time that are counted together too: five minutes."""

_OLD_WIDTH: Final = 2048
"""Numbers in the bitmap that schemas 1 to 4 stored."""
_OLD_BYTES: Final = _OLD_WIDTH // 8
_KNOWN: Final = struct.Struct(">I")
_GAP: Final = struct.Struct(">II")


@unique
class Verdict(IntEnum):
    """What the window says of a number."""

    FRESH = 0
    REPEATED = 1
    """Admitted before, certainly: a redelivery, or a replay."""
    TOO_OLD = 2
    """Behind more gaps than are remembered: the window no longer knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """All a window knows, for the store.

    ``lowest`` and ``highest`` are the first and last number expected and seen, ``admitted`` how many were
    admitted, ``gaps`` what did not come (see ``gaps_of``), ``boot`` the estimated instant the epoch began (unix
    seconds) and ``synced`` whether the unit's own clock said so.
    """

    epoch: Epoch
    lowest: int
    highest: int
    admitted: int
    gaps: bytes
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
        "_blocks", "_contents", "_gaps", "_steps", "admitted", "agreed", "boot", "epoch", "first_wall", "highest",
        "known", "lowest", "settled_at", "synced", "uptime",
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
        self._contents: dict[int, int] = {}
        self.first_wall: int | None = None
        """The earliest time of day that the unit's own synchronised clock told in this epoch, in steps."""
        self.known = 0
        """Of lower numbers it is not known whether they came."""
        self._gaps: list[tuple[int, int]] = []

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """The numbers below ``highest`` that may still come, as (first, end), lowest first."""
        return tuple(self._gaps)

    def _gap_at(self, seq: int) -> int | None:
        place = bisect_right(self._gaps, (seq, COUNTER_LIMIT + 1)) - 1
        return place if place >= 0 and self._gaps[place][0] <= seq < self._gaps[place][1] else None

    def verdict(self, seq: Seq) -> Verdict:
        """Whether ``seq`` may be admitted; changes nothing."""
        if seq > self.highest or self._gap_at(seq) is not None:
            return Verdict.FRESH
        return Verdict.REPEATED if seq >= self.known else Verdict.TOO_OLD

    def mark(self, seq: Seq) -> None:
        """Admit ``seq``; it must be FRESH."""
        if seq > self.highest:
            if seq > self.highest + 1:
                self._gaps.append((self.highest + 1, seq))
            self.highest = seq
        elif (place := self._gap_at(seq)) is not None:
            first, end = self._gaps[place]
            left = [gap for gap in ((first, int(seq)), (seq + 1, end)) if gap[0] < gap[1]]
            self._gaps[place : place + 1] = left
        if len(self._gaps) > GAPS:
            self.known = self._gaps.pop(0)[1]
        self.lowest = min(self.lowest, seq)
        self.admitted += 1

    def take_as_admitted(self, end: int, gaps: Sequence[tuple[int, int]]) -> bool:
        """Take as admitted all that somebody else knows to be: numbers below ``end`` but those in ``gaps``.

        True where that was news.
        """
        before = (self.highest, tuple(self._gaps))
        ours = [*self._gaps, (self.highest + 1, COUNTER_LIMIT + 1)]
        theirs = [*(gap for gap in gaps if gap[0] < end), (end, COUNTER_LIMIT + 1)]
        both = [
            (max(one[0], other[0]), min(one[1], other[1]))
            for one in ours
            for other in theirs
            if max(one[0], other[0]) < min(one[1], other[1])
        ]
        self.highest = max(self.highest, end - 1)
        self._gaps = [(first, min(last, self.highest + 1)) for first, last in both if first <= self.highest]
        while len(self._gaps) > GAPS:
            self.known = self._gaps.pop(0)[1]
        if (self.highest, tuple(self._gaps)) == before:
            return False
        self.lowest = min(self.lowest, self.highest + 1)
        missing = sum(last - max(first, self.lowest) for first, last in self._gaps if last > self.lowest)
        self.admitted = self.highest - self.lowest + 1 - missing
        return True

    def told(self, seq: int, content: int) -> None:
        """Remember what was said under a number: a hash, in memory only."""
        self._contents[seq] = content
        if len(self._contents) > CONTENTS:
            del self._contents[next(iter(self._contents))]

    def contradicts(self, seq: int, content: int) -> bool:
        """Whether something else was admitted under this number, as far as is remembered."""
        return self._contents.get(seq, content) != content

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
            gaps=_KNOWN.pack(self.known) + b"".join(_GAP.pack(*gap) for gap in self._gaps),
            boot=self.boot,
            synced=self.synced,
        )

    @staticmethod
    def of(state: WindowState) -> ReplayWindow:
        """The window the store kept; ValueError where its numbers contradict each other."""
        span = state.highest - state.lowest + 1
        known, gaps = gaps_of(state.gaps, state.highest)
        edges = [edge for gap in gaps for edge in gap]
        # Two gaps never touch: between them something came.
        well = all(one < other for one, other in pairwise(edges))
        if (
            not 0 <= state.admitted <= span < COUNTER_LIMIT + 1
            or not well
            or len(gaps) > _OLD_WIDTH
            or (edges and not known <= edges[0] < edges[-1] <= state.highest)
        ):
            raise ValueError(f"window of epoch {state.epoch} contradicts itself")
        window = ReplayWindow(epoch=state.epoch, lowest=state.lowest)
        window.highest, window.admitted = state.highest, state.admitted
        window.boot, window.synced = state.boot, state.synced
        window.known, window._gaps = known, gaps
        return window


def gaps_of(stored: bytes, highest: int) -> tuple[int, list[tuple[int, int]]]:
    """The lowest number known of, and the gaps, as stored; ValueError where the bytes are neither form.

    Schema 5 stores four bytes and then eight a gap (first, end). Before, it was a bitmap of the last 2,048 numbers,
    256 bytes, in which the lowest bit of the last byte is ``highest``.
    """
    if len(stored) == _OLD_BYTES:
        return _gaps_in_bitmap(int.from_bytes(stored, "big"), highest)
    if len(stored) % _GAP.size != _KNOWN.size:
        raise ValueError("what is stored of the gaps contradicts itself")
    (known,) = _KNOWN.unpack_from(stored)
    return known, list(_GAP.iter_unpack(stored[_KNOWN.size :]))


def _gaps_in_bitmap(bitmap: int, highest: int) -> tuple[int, list[tuple[int, int]]]:
    known = max(0, highest - _OLD_WIDTH + 1)
    gaps: list[tuple[int, int]] = []
    for seq in range(known, highest + 1):
        if bitmap >> (highest - seq) & 1:
            continue
        if gaps and gaps[-1][1] == seq:
            gaps[-1] = (gaps[-1][0], seq + 1)
        else:
            gaps.append((seq, seq + 1))
    return known, gaps
