"""Staff requests: what tablets ask is decided and carried out here; answers come out.

Invariants:
    * Only an enrolled tablet is answered, on its own topic, whatever response topic a request names.
    * A tablet that asks faster than a person can is slowed down; a retained request is never carried out.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.base.errors import Refused, Rule
from appliance.hub.alerts.alerts import Alerts, TrackedAlert
from appliance.hub.alerts.erasure import ErasureIndex
from appliance.hub.messages import IncomingMessage, OutgoingMessage
from appliance.hub.staff import messages
from appliance.hub.staff.catalogue import Catalogue
from appliance.hub.staff.messages import AlertRequest, Claim, Ending, Forget, Release
from appliance.hub.staff.shift import Act as ShiftWord
from appliance.hub.staff.shift import Shift, ShiftAct
from appliance.protocol import topics
from appliance.protocol.acts import ActKind
from appliance.protocol.values import AlertId, AlertState, BoothId, Dismissal, Flag, Seconds, TabletId

REQUESTS_AT_ONCE: Final = 20.0
REQUESTS_PER_SECOND: Final = 2.0
"""What one tablet may ask; a person's finger is slower."""


_COUNTED: Final = {
    AlertState.CLAIMED: "claims",
    AlertState.DISMISSED: "dismissals",
    AlertState.FORGOTTEN: "forgets",
}
"""What is counted of each tablet, by what it made of an alert."""


_SHIFT_ACTS: Final = {
    ShiftWord.PAUSE: ActKind.PAUSE,
    ShiftWord.RESUME: ActKind.RESUME,
    ShiftWord.STAFF: ActKind.SET,
    ShiftWord.STOCK: ActKind.SET,
    ShiftWord.CLOSE: ActKind.CLOSE,
    ShiftWord.OPEN: ActKind.OPEN,
}
"""What of a shift goes into the log of acts: not the note, which is held for a day."""


class Effects(Protocol):
    """What must follow from a request that was carried out."""

    def acted(self, kind: ActKind, who: str) -> None:
        """A tablet did this: it goes into the log of acts."""

    def alert_changed(self, held: TrackedAlert) -> None:
        """An alert has another state now."""

    def alert_judged(self, held: TrackedAlert, flag: Flag | None, why: Dismissal | None) -> None:
        """Staff ended an alert, which rested on ``flag``; ``why`` where it was dismissed."""

    def asked(self, tablet: TabletId, what: str) -> None:
        """A tablet did ``what``: a number, nothing else, is kept of it."""

    def alert_forgotten(self, name: AlertId) -> None:
        """Whoever is behind an alert must leave every count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a request, and the refusal that it tells of where it was refused."""

    message: OutgoingMessage
    refusal: Refused | None = None


class StaffRequests:
    """Decides and carries out what tablets of ``booth`` ask about ``alerts``; ``effects`` are what follows from it.

    ``erasure`` says of whom something is left to forget; ``catalogue`` holds the words of the answers; ``shift`` is
    asked of the day itself.
    """

    def __init__(
        self,
        booth: BoothId,
        alerts: Alerts,
        erasure: ErasureIndex,
        catalogue: Catalogue,
        effects: Effects,
        shift: Shift,
    ) -> None:
        self._booth = booth
        self._shift = shift
        self._erasure = erasure
        self._alerts = alerts
        self._catalogue = catalogue
        self._effects = effects
        self._tablets: frozenset[TabletId] = frozenset()
        self._request_budgets: dict[TabletId, tuple[float, float]] = {}

    def enrol(self, tablets: Iterable[TabletId]) -> None:
        """Answer these tablets from now on, and no others."""
        self._tablets = frozenset(tablets)

    def handle(self, message: IncomingMessage, now: Seconds) -> Answer:
        """Carry out a request, or say why not. Refused only where there is nobody to answer."""
        tablet = self._tablet_of(message.untrusted_topic)
        try:
            self._check_rate(tablet, message, now)
            request = messages.request_in(message.untrusted_topic, message.untrusted_payload, self._booth)
            if isinstance(request, ShiftAct):
                return Answer(message=self._answer(tablet, message, self._do_shift(request, now)))
            text, known = self._text(request), request.alert in self._erasure
            alert = self._carry_out(request, now).alert
        except Refused as refusal:
            return Answer(message=self._answer(tablet, message, messages.refusal(refusal)), refusal=refusal)
        why = "nothing_left" if isinstance(request, Forget) and not known else ""
        return Answer(message=self._answer(tablet, message, messages.answer(alert, text, why=why)))

    def _do_shift(self, request: ShiftAct, now: Seconds) -> bytes:
        ended = self._shift.carry_out(request, now)
        if kind := _SHIFT_ACTS.get(request.act):
            self._effects.acted(kind, request.tablet)
        if ended:
            for held in self._alerts.end_open(now):
                self._effects.alert_changed(held)
        return messages.shift_answer(request, self._catalogue.noted)

    def _tablet_of(self, untrusted_topic: str) -> TabletId:
        name, _ = topics.named_in(untrusted_topic, self._booth, "staff")
        if name not in self._tablets:
            raise Refused(Rule.NOT_YOURS, "no such tablet is enrolled", where="staff")
        return TabletId(name)

    def _check_rate(self, tablet: TabletId, message: IncomingMessage, now: Seconds) -> None:
        tokens, at = self._request_budgets.get(tablet, (REQUESTS_AT_ONCE, now))
        tokens = min(REQUESTS_AT_ONCE, tokens + max(0.0, now - at) * REQUESTS_PER_SECOND)
        self._request_budgets[tablet] = (max(0.0, tokens - 1.0), now)
        if tokens < 1.0:
            raise Refused(Rule.TOO_FAST, "too many requests", where=tablet, fix="wait a moment")
        if message.retained or len(message.untrusted_correlation) > messages.MAX_CORRELATION:
            raise Refused(
                Rule.MALFORMED_REQUEST,
                "the request is retained, or its correlation data is too long",
                where=tablet,
            )

    def _carry_out(self, request: AlertRequest, now: Seconds) -> TrackedAlert:
        before = self._alerts.find(request.alert)
        if isinstance(request, Claim):
            after = self._alerts.claim(request.alert, request.tablet, now)
        elif isinstance(request, Release):
            after = self._alerts.release(request.alert, request.tablet, now)
        elif isinstance(request, Ending):
            after = self._alerts.outcome(request.alert, request.tablet, request.outcome, now)
        else:
            after = self._alerts.forget(request.alert, now)
        if after is not before:
            self._effects.alert_changed(after)
            self._effects.asked(request.tablet, _COUNTED.get(after.alert.state, ""))
            self._effects.acted(_act_of(request), request.tablet)
            if isinstance(request, Ending):
                flag = before.alert.flag if before else None
                self._effects.alert_judged(after, flag, request.why)
                if request.outcome is AlertState.GIFTED:
                    self._shift.gifted(request.size)
        if isinstance(request, Forget):
            if after is before:  # ended already, and there may be something left of it
                self._effects.acted(ActKind.FORGET, request.tablet)
            self._effects.alert_forgotten(request.alert)
        return after

    def _answer(self, tablet: TabletId, message: IncomingMessage, payload: bytes) -> OutgoingMessage:
        return OutgoingMessage(
            topic=topics.staff(self._booth, tablet, "answer"),
            payload=payload,
            retain=False,
            correlation=message.untrusted_correlation[: messages.MAX_CORRELATION],
        )

    def _text(self, request: AlertRequest) -> str:
        if isinstance(request, Claim):
            return self._catalogue.claimed
        if isinstance(request, Ending | Release):
            return self._catalogue.noted
        known = request.alert in self._erasure
        return self._catalogue.forgotten if known else self._catalogue.nothing_left


def _act_of(request: AlertRequest) -> ActKind:
    if isinstance(request, Claim):
        return ActKind.CLAIM
    if isinstance(request, Release):
        return ActKind.RELEASE
    return ActKind(request.outcome.value) if isinstance(request, Ending) else ActKind.FORGET
