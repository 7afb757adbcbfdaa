"""The staff desk: tablets' requests in, answers out.

Invariants:
    * Only an enrolled tablet is answered, on its own topic, whatever response topic a request names.
    * A tablet that asks faster than a person can is slowed down; a retained request is never carried out.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.alerts.alerts import Alerts, TrackedAlert
from appliance.hub.alerts.erasure import ErasureIndex
from appliance.hub.messages import IncomingMessage, OutgoingMessage
from appliance.hub.staff import messages
from appliance.hub.staff.catalogue import Catalogue
from appliance.hub.staff.messages import Claim, Ending, Forget, Request
from appliance.protocol import topics
from appliance.protocol.values import AlertId, BoothId, Dismissal, Flag, Seconds, TabletId

REQUESTS_AT_ONCE: Final = 20.0
REQUESTS_PER_SECOND: Final = 2.0
"""What one tablet may ask; a person's finger is slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What came of a request: its answer, and what changed, was forgotten, was dismissed, or was refused.

    ``about`` is the flag that an alert which ended rested on, where it was still there.
    """

    answer: OutgoingMessage
    changed: TrackedAlert | None = None
    forgotten: AlertId | None = None
    about: Flag | None = None
    why: Dismissal | None = None
    refusal: Refused | None = None


class StaffRequests:
    """The desk of ``booth``, which settles requests about ``alerts``; ``sightings`` says what can be forgotten."""

    def __init__(self, booth: BoothId, alerts: Alerts, sightings: ErasureIndex, catalogue: Catalogue) -> None:
        self._booth = booth
        self._sightings = sightings
        self._alerts = alerts
        self._catalogue = catalogue
        self._tablets: frozenset[TabletId] = frozenset()
        self._fingers: dict[TabletId, tuple[float, float]] = {}

    def enrol(self, tablets: Iterable[TabletId]) -> None:
        """Answer these tablets from now on, and no others."""
        self._tablets = frozenset(tablets)

    def settle(self, arrival: IncomingMessage, now: Seconds) -> Settled:
        """Carry out a request, or say why not. Refused only where there is nobody to answer."""
        tablet = self._tablet_of(arrival.untrusted_topic)
        try:
            self._check_way(tablet, arrival, now)
            request = messages.request_in(arrival.untrusted_topic, arrival.untrusted_payload, self._booth)
            before, held = self._carry_out(request, now)
        except Refused as refusal:
            return Settled(answer=self._answer(tablet, arrival, messages.refusal(refusal)), refusal=refusal)
        changed = held is not before
        return Settled(
            answer=self._answer(tablet, arrival, messages.answer(held.alert, self._text(request))),
            changed=held if changed else None,
            forgotten=request.alert if isinstance(request, Forget) else None,
            about=before.alert.flag if changed and before and isinstance(request, Ending) else None,
            why=request.why if changed and isinstance(request, Ending) else None,
        )

    def _tablet_of(self, untrusted_topic: str) -> TabletId:
        name, _ = topics.named_in(untrusted_topic, self._booth, "staff")
        if name not in self._tablets:
            raise Refused(Rule.NOT_YOURS, "no such tablet is enrolled", where="staff")
        return TabletId(name)

    def _check_way(self, tablet: TabletId, arrival: IncomingMessage, now: Seconds) -> None:
        tokens, at = self._fingers.get(tablet, (REQUESTS_AT_ONCE, now))
        tokens = min(REQUESTS_AT_ONCE, tokens + max(0.0, now - at) * REQUESTS_PER_SECOND)
        self._fingers[tablet] = (max(0.0, tokens - 1.0), now)
        if tokens < 1.0:
            raise Refused(Rule.TOO_FAST, "too many requests", where=tablet, fix="wait a moment")
        if arrival.retained or len(arrival.untrusted_correlation) > messages.MAX_CORRELATION:
            raise Refused(Rule.MALFORMED_REQUEST, "it is retained, or its correlation too long", where=tablet)

    def _carry_out(self, request: Request, now: Seconds) -> tuple[TrackedAlert | None, TrackedAlert]:
        before = self._alerts.find(request.alert)
        if isinstance(request, Claim):
            return before, self._alerts.claim(request.alert, request.tablet, now)
        if isinstance(request, Ending):
            return before, self._alerts.outcome(request.alert, request.tablet, request.outcome, now)
        return before, self._alerts.forget(request.alert, now)

    def _answer(self, tablet: TabletId, arrival: IncomingMessage, payload: bytes) -> OutgoingMessage:
        return OutgoingMessage(
            topic=topics.staff(self._booth, tablet, "answer"),
            payload=payload,
            retain=False,
            correlation=arrival.untrusted_correlation[: messages.MAX_CORRELATION],
        )

    def _text(self, request: Request) -> str:
        if isinstance(request, Claim):
            return self._catalogue.claimed
        if isinstance(request, Ending):
            return self._catalogue.noted
        known = request.alert in self._sightings
        return self._catalogue.forgotten if known else self._catalogue.nothing_left
