"""What is kept, and sent again, by time: for a hub that says no receipts, or whose key this unit does not know.

Invariants:
    * The broker's acknowledgement says that it has a record in memory, not on its disk: mosquitto writes down what it
      holds every ``autosave_interval`` seconds. So what was acknowledged is kept for longer than that, and sent again
      whenever the link was lost meanwhile. What the hub has already it refuses as repeated: it counts once.
    * While the link is down nothing is let go: the time in which the broker may have lost something stands still.
    * However often the link is lost, nothing is kept for more than ``MOST_KEPT_SECONDS`` of standing links after it
      was first acknowledged: bad radio, or somebody who jams it, must not make a unit remember.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence
from typing import Final

from appliance.unit.outbox.spool import Spool, Waiting

KEPT_SECONDS: Final = 90.0
"""How long a link must hold before what was acknowledged on it is forgotten: thirty seconds until the broker writes
it down (``autosave_interval``), up to twenty-three until a dead link is known for one (1.5 keep-alives of MQTT 5
section 3.1.2.10), and as much again for a slow disk."""
MOST_KEPT_SECONDS: Final = 600.0
GRAIN_SECONDS: Final = 15.0
"""What was acknowledged in this time is forgotten at once: to erase it costs a page of flash, which is not the page
that is written next anyway."""


class TimedKeeping:
    """The order and the end of what waits in ``spool``, by the clock."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._cursor = spool.rewind()
        self._kept: deque[tuple[float, int]] = deque()
        self._first: deque[tuple[float, int]] = (
            deque()
        )  # how long links had stood when a serial was first answered
        self._stood, self._looked = 0.0, math.inf

    def connected(self, under_way: Collection[int], now: float) -> bool:
        """A link is new: the broker may have lost what was kept. False: nothing counts as under way any more."""
        del under_way, now
        self._kept.clear()
        self._cursor = self._spool.rewind()
        return False

    def renumbered(self) -> None:
        """What waits has other serials."""
        self._first.clear()

    def tick(self, now: float, *, up: bool) -> None:
        """Let time pass: forget what was kept long enough."""
        self._stood += max(0.0, now - self._looked) if up else 0.0
        self._looked = now
        while self._first and self._stood - self._first[0][0] >= MOST_KEPT_SECONDS:
            self._spool.settle(self._first.popleft()[1])
        while up and self._kept and now >= self._kept[0][0]:
            self._spool.settle(self._kept.popleft()[1])

    def next(self, most: int, below: int, now: float) -> tuple[Waiting, ...]:
        """Up to ``most`` records with a serial below ``below`` to hand over now; they count as handed over."""
        del now
        waiting = self._spool.waiting(self._cursor, min(most, max(0, below - self._cursor)))
        if waiting:
            self._cursor = waiting[-1].serial + 1
        return waiting

    def sent(self, record: Waiting) -> None:
        """The link took it."""

    def unsent(self, serials: Sequence[int], now: float) -> bool:
        """The link did not take these, or the broker gave them to nobody: go back to the first, to send all again.

        False: nothing counts as under way any more.
        """
        del now
        self._cursor = min([self._cursor, *serials])
        return False

    def answered(self, under_way: Collection[int], now: float) -> None:
        """Something was acknowledged; these are ``under_way`` still. The rest is kept for ``KEPT_SECONDS``."""
        serial = min(under_way, default=self._cursor)
        self._spool.mark_published(serial)
        stood, newest = self._first[-1] if self._first else (-math.inf, -1)
        if serial > newest and self._stood - stood >= GRAIN_SECONDS:
            self._first.append((self._stood, serial))
        until = math.ceil(now / GRAIN_SECONDS) * GRAIN_SECONDS + KEPT_SECONDS
        if self._kept and self._kept[-1][0] == until:
            self._kept.pop()
        self._kept.append((until, serial))
