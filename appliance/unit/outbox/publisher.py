"""From the spool to the broker: what is under way, when to send at all, and who says what may be forgotten.

Invariants:
    * The hub's receipts say what may be forgotten (``receipt_keeping``). Where a hub says none, or its key is not
      known here, time does (``timed_keeping``).
    * While the hub says that it is away nothing is sent: what waits, waits here, on this unit's disk, and not in the
      broker's memory. A hub of which nothing is known is not away.
    * First it is heard what the hub has, then it is sent: for ``PATIENCE_SECONDS`` after a link came about.
    * What is new leaves when a slot of the grid begins (``unit/grid.py``), whenever SENSE said it: who counts packets
      learns how many in a slot. What waited for a link, and what goes again, goes as fast as it is answered.
"""

from __future__ import annotations

import time
from typing import Final

from appliance.base.errors import Unavailable
from appliance.base.systemd import log
from appliance.mqtt import Link
from appliance.protocol.receipt import AdmissionReceipt
from appliance.unit.grid import LAG, slot
from appliance.unit.outbox.hub_cipher import HubCipher
from appliance.unit.outbox.receipt_keeping import ReceiptKeeping
from appliance.unit.outbox.spool import Spool, Waiting
from appliance.unit.outbox.timed_keeping import TimedKeeping

IN_FLIGHT: Final = 200
"""Records handed to the link and not yet acknowledged, at most."""
UNTAKEN_SECONDS: Final = 5.0
"""How long to wait before sending again what the broker answered but gave to nobody."""
PATIENCE_SECONDS: Final = 2.0
"""What the broker retains comes at once; a hub that connects at the same time as we says it within a moment."""

_AWAY: Final = ("the hub is away", "start the hub (systemctl restart leftfield-watch)")
_NO_KEY: Final = (
    "the hub's encryption key has not come, and nothing is sent without it",
    "start or update the hub, which says its key; the lines before say what else is wrong",
)
_NO_HUB: Final = (
    "hub not subscribed",
    "start the hub (systemctl restart leftfield-watch)",
)
_DENIED: Final = (
    "publishing denied by the broker's ACL",
    "enrol this unit again, or reload the broker's ACL (systemctl restart mosquitto)",
)


class Publisher:
    """Spool to link. ``receipts`` says whether the hub's receipts can be read here."""

    def __init__(
        self, spool: Spool, link: Link, topic: str, *, receipts: bool = False, cipher: HubCipher | None = None
    ) -> None:
        self._spool = spool
        self._link = link
        self._topic = topic
        self._cipher = cipher
        self._under_way: dict[int, int] = {}
        self._keeping: TimedKeeping | ReceiptKeeping | None = None if receipts else TimedKeeping(spool)
        self._connections = self._renumbered = 0
        self._slot, self._below = -1, spool.next
        self._hub_online: bool | None = None
        self._send_from = self._again_at = 0.0
        self._said = ""
        self.sent = 0
        """How many records were handed to the link, each time counted."""
        self.trouble = ""
        """Why nobody takes our observations though the link stands; empty where somebody does."""

    @property
    def busy(self) -> bool:
        """True while the broker is there and has something to acknowledge."""
        return bool(self._under_way) and self._link.up

    def hub_said(self, *, online: bool) -> None:
        """The hub's status came."""
        self._hub_online = online
        if online and self.trouble == _AWAY[0]:
            self._said = self.trouble = ""
        elif not online:
            self._complain(*_AWAY)

    def heard(self, receipt: AdmissionReceipt, *, retained: bool) -> None:
        """A receipt came. One that was ``retained`` may be older than what we know: then it says nothing."""
        now = time.monotonic()
        if not isinstance(self._keeping, ReceiptKeeping):
            self._keeping = ReceiptKeeping(self._spool, receipt, now)
        elif retained and receipt.admitted < self._keeping.receipt.admitted:
            return
        self._keeping.heard(receipt, frozenset(self._under_way.values()), now)

    def settle(self, *, wait: float) -> bool:
        """Take acknowledgements in, waiting up to ``wait`` seconds for the first; True where there was one."""
        answered = self._link.published(wait=wait)
        untaken = self._link.untaken()
        lost = [
            self._under_way[ticket] for ticket in answered if ticket in untaken and ticket in self._under_way
        ]
        acknowledged = [
            serial for ticket in answered if (serial := self._under_way.pop(ticket, None)) is not None
        ]
        if lost:
            self._again_at = time.monotonic() + UNTAKEN_SECONDS
            self._take_back(lost)
            self._complain(*(_DENIED if self._link.denied else _NO_HUB))
            return False
        if acknowledged:
            self._said = self.trouble = ""
            if self._keeping:
                self._keeping.answered(self._under_way.values(), time.monotonic())
        return bool(acknowledged)

    def _take_back(self, serials: list[int]) -> None:
        if self._keeping and not self._keeping.unsent(serials, time.monotonic()):
            self._under_way.clear()

    def _complain(self, trouble: str, fix: str) -> None:
        self.trouble = trouble
        if trouble != self._said:
            log(f"relay: {trouble}; observations stay in the spool, will retry. Fix: {fix}", level=4)
            self._said = trouble

    def _follow_link(self, now: float) -> None:
        """Notice a new link, new serials, and that time passes."""
        if self._renumbered != self._spool.renumbered:
            self._renumbered, self._connections = self._spool.renumbered, -1
            self._under_way.clear()
            if self._keeping:
                self._keeping.renumbered()
        if self._link.connections != self._connections:
            self._connections = self._link.connections
            self._hub_online = None
            self._below = self._spool.next
            self._send_from = now + PATIENCE_SECONDS if self._waits_for_hub else now
            if self._keeping and not self._keeping.connected(frozenset(self._under_way.values()), now):
                self._under_way.clear()
        if slot(now, LAG) != self._slot:
            self._slot, self._below = slot(now, LAG), self._spool.next
        if self._keeping:
            self._keeping.tick(now, up=self._link.up and self._hub_online is not False)

    @property
    def _waits_for_hub(self) -> bool:
        return not isinstance(self._keeping, TimedKeeping)

    def _may_send(self, now: float) -> bool:
        if not self._link.up or len(self._under_way) >= IN_FLIGHT or now < self._again_at:
            return False
        if self._hub_online is False:
            return False
        if now < self._send_from and not (self._hub_online and self._keeping):
            return False
        if self._cipher and not self._cipher.ready:
            self._complain(*_NO_KEY)
            return False
        if self._keeping is None:  # no receipt came: this hub says none
            self._keeping = TimedKeeping(self._spool)
        return True

    def send(self) -> bool:
        """Hand over as many waiting records as may be under way; True where any was."""
        now = time.monotonic()
        self._follow_link(now)
        if not self._may_send(now) or self._keeping is None:
            return False
        waiting = self._keeping.next(IN_FLIGHT - len(self._under_way), self._below, now)
        for place, record in enumerate(waiting):
            if not self._hand_over(record):
                self._take_back([one.serial for one in waiting[place:]])
                return False
        return bool(waiting)

    def _hand_over(self, record: Waiting) -> bool:
        try:
            payload = self._cipher.payload(record.envelope) if self._cipher else record.envelope
            ticket = self._link.publish(self._topic, payload)
        except Unavailable as away:
            log(f"relay: {away}", level=4)
            return False
        self._under_way[ticket] = record.serial
        if self._keeping:
            self._keeping.sent(record)
        self.sent += 1
        return True
