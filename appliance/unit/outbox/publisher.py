"""From the spool to the broker: what is under way, what is kept in case the broker loses it, what may be forgotten.

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
import time
from collections import deque
from typing import Final

from appliance.base.errors import Unavailable
from appliance.base.systemd import log
from appliance.mqtt import Link
from appliance.unit.outbox.spool import Spool

IN_FLIGHT: Final = 200
"""Records handed to the link and not yet acknowledged, at most."""
UNTAKEN_SECONDS: Final = 5.0
"""How long to wait before sending again what the broker answered but gave to nobody."""
KEPT_SECONDS: Final = 90.0
"""How long a link must hold before what was acknowledged on it is forgotten: thirty seconds until the broker writes
it down (``autosave_interval``), up to twenty-three until a dead link is known for one (1.5 keep-alives of MQTT 5
section 3.1.2.10), and as much again for a slow disk."""
MOST_KEPT_SECONDS: Final = 600.0
GRAIN_SECONDS: Final = 15.0
"""What was acknowledged in this time is forgotten at once: to erase it costs a page of flash, which is not the page
that is written next anyway."""

_NO_HUB: Final = (
    "hub not subscribed",
    "start the hub (systemctl restart leftfield-watch)",
)
_DENIED: Final = (
    "publishing denied by the broker's ACL",
    "enrol this unit again, or reload the broker's ACL (systemctl restart mosquitto)",
)


class Publisher:
    """Spool to link: what is under way, what was handed over and is kept for a while, what is settled."""

    def __init__(self, spool: Spool, link: Link, topic: str) -> None:
        self._spool = spool
        self._link = link
        self._topic = topic
        self._under_way: dict[int, int] = {}
        self._cursor = 0
        self._kept: deque[tuple[float, int]] = deque()
        self._first: deque[tuple[float, int]] = (
            deque()
        )  # how long links had stood when a serial was first answered
        self._stood, self._looked = 0.0, math.inf
        self._connections = self._renumbered = 0
        self._again_at = 0.0
        self._said = ""
        self.trouble = ""
        """Why nobody takes our observations though the link stands; empty where somebody does."""

    @property
    def busy(self) -> bool:
        """True while the broker is there and has something to acknowledge."""
        return bool(self._under_way) and self._link.up

    def settle(self, *, wait: float) -> bool:
        """Take acknowledgements in, waiting up to ``wait`` seconds for the first; True where there was one."""
        answered = self._link.published(wait=wait)
        untaken = self._link.untaken()
        lost = [
            self._under_way[ticket] for ticket in answered if ticket in untaken and ticket in self._under_way
        ]
        if lost:
            self._send_again(min(lost))
            return False
        acknowledged = [
            serial for ticket in answered if (serial := self._under_way.pop(ticket, None)) is not None
        ]
        if acknowledged:
            self._said = self.trouble = ""
            self._keep(min(self._under_way.values(), default=self._cursor), time.monotonic())
        return bool(acknowledged)

    def _keep(self, serial: int, now: float) -> None:
        """What lies below ``serial`` is with the broker: kept from now on for ``KEPT_SECONDS``."""
        self._spool.mark_published(serial)
        stood, newest = self._first[-1] if self._first else (-math.inf, -1)
        if serial > newest and self._stood - stood >= GRAIN_SECONDS:
            self._first.append((self._stood, serial))
        until = math.ceil(now / GRAIN_SECONDS) * GRAIN_SECONDS + KEPT_SECONDS
        if self._kept and self._kept[-1][0] == until:
            self._kept.pop()
        self._kept.append((until, serial))

    def _let_go(self, now: float) -> None:
        """Forget what was kept long enough; after a lost link, take back the rest: the broker may have lost it."""
        self._stood += max(0.0, now - self._looked) if self._link.up else 0.0
        self._looked = now
        while self._first and self._stood - self._first[0][0] >= MOST_KEPT_SECONDS:
            self._spool.settle(self._first.popleft()[1])
        if self._renumbered != self._spool.renumbered:
            self._renumbered, self._connections = self._spool.renumbered, -1
            self._first.clear()
        if self._link.connections != self._connections:
            self._connections = self._link.connections
            self._kept.clear()
            self._under_way.clear()
            self._cursor = self._spool.rewind()
        while self._link.up and self._kept and now >= self._kept[0][0]:
            self._spool.settle(self._kept.popleft()[1])

    def _send_again(self, serial: int) -> None:
        """Go back to ``serial``, after a while; acknowledgements of what is under way no longer count."""
        self._under_way.clear()
        self._cursor = serial
        self._again_at = time.monotonic() + UNTAKEN_SECONDS
        self.trouble, fix = _DENIED if self._link.denied else _NO_HUB
        if self.trouble != self._said:
            log(f"relay: {self.trouble}; observations stay in the spool, will retry. Fix: {fix}", level=4)
            self._said = self.trouble

    def send(self) -> bool:
        """Hand over as many waiting records as may be under way; True where any was."""
        self._let_go(time.monotonic())
        if not self._link.up or len(self._under_way) >= IN_FLIGHT or time.monotonic() < self._again_at:
            return False
        waiting = self._spool.waiting(self._cursor, IN_FLIGHT - len(self._under_way))
        for record in waiting:
            try:
                ticket = self._link.publish(self._topic, record.envelope)
            except Unavailable as away:
                log(f"relay: {away}", level=4)
                return False
            self._under_way[ticket] = record.serial
            self._cursor = record.serial + 1
        return bool(waiting)
