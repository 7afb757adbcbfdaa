"""What is kept, and sent again, by the hub's receipts: each record until a receipt covers it, and no longer.

Invariants:
    * A record is forgotten when the hub says that it has it, never because time has passed or a broker acknowledged.
    * What is new goes first, then what waited: somebody may still be sent after who was seen a moment ago.
    * At most ``OUTSTANDING`` records are with broker and hub and not covered: the broker's store cannot fill up.
      Where the hub passes some over (it takes only so many a second) that is halved, and grows again by an eighth:
      the window of RFC 5681 section 3.1, with the receipt for a clock.
    * A record is sent again where the link was lost, where a receipt covers what was sent after it, or where no
      receipt came for a minute; nothing else. What the hub does not admit, ``MOST_OFFERS`` times in an hour, is given
      up and counted: it was refused.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.base.errors import Refused
from appliance.protocol import wire
from appliance.protocol.receipt import AdmissionReceipt
from appliance.unit.outbox.spool import Spool, Waiting

OUTSTANDING: Final = 1000
AGAIN_SECONDS: Final = 5.0
"""How long to wait before sending again what was passed over, then twice as long, up to ``_AGAIN_MOST``."""
STALLED_SECONDS: Final = 60.0
"""Without any receipt for so long everything outstanding is sent again; then after twice as long, up to an hour."""
_STALLED_MOST: Final = 3600.0
_AGAIN_MOST: Final = 600.0
MOST_OFFERS: Final = 12
_LEAST_OUTSTANDING: Final = 4
_NO_NUMBER: Final = (2**32, 2**32)


@dataclass(frozen=True, slots=True)
class _Sent:
    """Where in the order of this link a record was sent, and its epoch and seq."""

    order: int
    number: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Again:
    """When a record is due again, and its epoch and seq, where they are known."""

    due: float
    number: tuple[int, int]


class ReceiptKeeping:
    """The order and the end of what waits in ``spool``, by ``receipt`` and those that follow it."""

    def __init__(self, spool: Spool, receipt: AdmissionReceipt, now: float) -> None:
        self._spool = spool
        self.receipt = receipt
        self._sent: dict[int, _Sent] = {}
        self._again: dict[int, _Again] = {}
        self._offers: dict[int, int] = {}
        self._orders = 0
        self._window = OUTSTANDING
        self._heard_at, self._patience = now, STALLED_SECONDS
        self.connected((), now)

    def connected(self, under_way: Collection[int], now: float) -> bool:
        """A link is new: what is not covered is sent again, but for what is ``under_way``: the link does that itself.

        True: that still counts as under way.
        """
        self._old = self._spool.rewind()
        self._old_end = self._live = self._spool.next
        self._sent = {serial: one for serial, one in self._sent.items() if serial in under_way}
        self._again.clear()
        self._heard_at = now
        return True

    def renumbered(self) -> None:
        """What waits has other serials."""
        for remembered in (self._sent, self._again, self._offers):
            remembered.clear()

    def tick(self, now: float, *, up: bool) -> None:
        """Let time pass: where no receipt has come for long, everything outstanding is offered again."""
        if not up or not self._sent:
            self._heard_at = now
        elif now - self._heard_at >= self._patience:
            self._heard_at, self._patience = now, min(2 * self._patience, _STALLED_MOST)
            self._again |= {serial: _Again(now, one.number) for serial, one in self._sent.items()}
            self._sent.clear()

    def next(self, most: int, below: int, now: float) -> tuple[Waiting, ...]:
        """Up to ``most`` records to hand over now: new ones below ``below``, those to be sent again, the backlog."""
        room = min(most, self._window - len(self._sent))
        if room <= 0:
            return ()
        found = list(self._spool.waiting(self._live, min(room, max(0, below - self._live))))
        if found:
            self._live = found[-1].serial + 1
        for serial in sorted(serial for serial, one in self._again.items() if one.due <= now):
            if len(found) >= room:
                break
            del self._again[serial]
            found += [one for one in self._spool.waiting(serial, 1) if one.serial == serial]
        covered: list[int] = []
        while len(found) < room and self._old < self._old_end:
            batch = self._spool.waiting(self._old, room - len(found))
            inside = [one for one in batch if one.serial < self._old_end]
            self._old = inside[-1].serial + 1 if inside else self._old_end
            for one in inside:
                if one.serial in self._sent or one.serial in self._again:
                    continue
                if self.receipt.covers(*_number(one.envelope)):
                    covered.append(one.serial)
                else:
                    found.append(one)
        self._forget(covered, besides=found)
        return tuple(found)

    def sent(self, record: Waiting) -> None:
        """The link took it."""
        self._orders += 1
        self._sent[record.serial] = _Sent(self._orders, _number(record.envelope))

    def unsent(self, serials: Sequence[int], now: float) -> bool:
        """The link did not take these, or the broker gave them to nobody: they are sent again.

        True: nothing else is.
        """
        for serial in serials:
            sent = self._sent.pop(serial, None)
            self._again[serial] = _Again(now, sent.number if sent else _NO_NUMBER)
        return True

    def answered(self, under_way: Collection[int], now: float) -> None:
        """Something was acknowledged by the broker, which is not the hub."""

    def heard(self, receipt: AdmissionReceipt, under_way: Collection[int], now: float) -> None:
        """A receipt came: forget what it covers; what it passed over is offered again."""
        self.receipt = receipt
        covered = {serial for serial, one in self._sent.items() if receipt.covers(*one.number)}
        last = max((self._sent[serial].order for serial in covered), default=-math.inf)
        covered |= {serial for serial, one in self._again.items() if receipt.covers(*one.number)}
        for serial in covered:
            self._sent.pop(serial, None)
            self._again.pop(serial, None)
            self._offers.pop(serial, None)
        if covered:
            self._heard_at, self._patience = now, STALLED_SECONDS
            self._window = min(OUTSTANDING, self._window + max(1, self._window // 8))
        passed_over = [
            serial for serial, one in self._sent.items() if one.order < last and serial not in under_way
        ]
        if passed_over:
            self._window = max(_LEAST_OUTSTANDING, self._window // 2)
        given_up = [serial for serial in passed_over if not self._offer_again(serial, now)]
        self._spool.give_up(len(given_up), f"the hub did not admit them, offered {MOST_OFFERS} times")
        self._forget([*covered, *given_up])

    def _offer_again(self, serial: int, now: float) -> bool:
        """Plan another offer; False where there were enough."""
        number = self._sent.pop(serial).number
        offers = self._offers.get(serial, 1)
        if offers >= MOST_OFFERS:
            self._offers.pop(serial, None)
            return False
        self._offers[serial] = offers + 1
        self._again[serial] = _Again(now + min(_AGAIN_MOST, AGAIN_SECONDS * 2 ** (offers - 1)), number)
        return True

    def _forget(self, serials: Iterable[int], *, besides: Iterable[Waiting] = ()) -> None:
        """Erase these; what waits before them stays."""
        backlog = self._old if self._old < self._old_end else self._live
        lowest = min([backlog, self._live, *self._sent, *self._again, *(one.serial for one in besides)])
        self._spool.settle(lowest)
        self._spool.blank([serial for serial in serials if serial >= lowest])


def _number(envelope: bytes) -> tuple[int, int]:
    try:
        return wire.number_in(envelope)
    except Refused:
        return _NO_NUMBER  # which no receipt covers: it is offered as often as anything else
