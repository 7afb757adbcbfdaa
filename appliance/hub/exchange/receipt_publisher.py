"""The hub's receipts to its units: said when something new is stored, at most once a second for each unit.

Invariants:
    * Whoever calls has stored what the receipts tell.
    * A unit from which nothing more comes is told of its last statement all the same, a moment later.
    * Pure: no file, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from appliance.base.errors import Refused
from appliance.hub.messages import OutgoingMessage
from appliance.protocol import sign, topics
from appliance.protocol.receipt import AdmissionReceipt, receipt_in, sealed_receipt
from appliance.protocol.values import BoothId, UnitId

EVERY_SECONDS: Final = 1.0
"""Between two receipts for one unit: what a unit must send again after a lost link is what came in this time."""


class ReceiptPublisher:
    """Says receipts, signed with ``private_key``; nothing without one: then units go by time, as before."""

    def __init__(self, *, booth: BoothId, private_key: bytes | None) -> None:
        self._booth = booth
        self._private_key = private_key
        self._due: dict[UnitId, AdmissionReceipt] = {}
        self._said_at: dict[UnitId, float] = {}

    def own(
        self, untrusted_topic: str, untrusted: bytes, key_of: Mapping[str, bytes]
    ) -> AdmissionReceipt | None:
        """A receipt that we once said, as the broker retains it; None where it is none of ours.

        ``key_of`` gives the public key of each enrolled unit.
        """
        try:
            name, _ = topics.named_in(untrusted_topic, self._booth, "unit")
            if self._private_key is None or name not in key_of:
                return None
            return receipt_in(
                untrusted,
                public_key=sign.public_key_of(self._private_key),
                booth=self._booth,
                unit=UnitId(name),
                key=sign.key_id(key_of[name]),
            )
        except Refused:
            return None

    def telling(
        self, receipts: Iterable[AdmissionReceipt], steady: float, *, at_once: bool = False
    ) -> tuple[OutgoingMessage, ...]:
        """What to publish now, given what is new; ``steady`` is in seconds, on a clock that nobody sets."""
        key = self._private_key
        if key is None:
            return ()
        self._due |= {one.unit: one for one in receipts}
        outgoing = []
        for unit, one in tuple(self._due.items()):
            if not at_once and steady - self._said_at.get(unit, -EVERY_SECONDS) < EVERY_SECONDS:
                continue
            del self._due[unit]
            self._said_at[unit] = steady
            outgoing.append(
                OutgoingMessage(
                    topic=topics.receipt(self._booth, unit),
                    payload=sealed_receipt(one, booth=self._booth, private_key=key),
                )
            )
        return tuple(outgoing)
