"""The booth's mind: a batch of untrusted messages in, tellings and changes to store out.

Invariants:
    * Pure: no I/O, no clock; ``now`` is an argument. Whoever calls stores ``BatchResult.changes``, then
      publishes, then acknowledges. Where storing fails, this object is thrown away and made anew from the store.
    * Nothing untrusted raises: a refusal is counted, answered where somebody waits, and reported in the outcome.
    * Only a fresh observation can become an alert; a late one still teaches the baseline.
    * While the baseline is young nobody is flagged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.admission.admission import Admission, Admitted, Lateness
from appliance.hub.admission.unit_state import UnitAdmissionState
from appliance.hub.alerts.alerts import Alerts, TrackedAlert
from appliance.hub.alerts.erasure import ErasureIndex
from appliance.hub.clock import WallClock, check_clock
from appliance.hub.messages import IncomingMessage, OutgoingMessage
from appliance.hub.pacing.pacing import Pacing
from appliance.hub.records.daily_counts import DailyCounts
from appliance.hub.staff.outgoing import StaffPublisher
from appliance.hub.staff.requests import StaffRequests
from appliance.hub.staff.translations import CATALOGUES
from appliance.hub.staff.unit_status import UnitStatuses
from appliance.hub.statistics import feedback
from appliance.hub.statistics.baseline.state import coarse
from appliance.hub.statistics.change.drift import Change, Drift
from appliance.hub.statistics.conformal import whole
from appliance.hub.statistics.rarity import CountReceipt
from appliance.hub.statistics.reasons import is_worth_a_walk, reasons_for
from appliance.hub.storage.restore import learnt
from appliance.hub.storage.state import HubState, PendingObservation, Snapshot, StateDelta
from appliance.protocol import topics
from appliance.protocol.values import ALERT_FORM, AlertId, AlertState, Flag, Heartbeat, Observation, Seconds
from appliance.settings.config import HubConfig, Register

FLAG_P: Final = 0.01
"""A tail probability up to this is a flag: about one person in a hundred."""
BOARD_SECONDS: Final = 1.0
SNAPSHOT_SECONDS: Final = 60.0
"""The baseline is written this often at the least; nothing live is held on disk for longer."""
COUNTS_SECONDS: Final = 10.0
"""Counts of refusals alone are written at most this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What came of a batch: store ``changes``, publish ``outgoing`` in order, then acknowledge the batch."""

    changes: StateDelta
    outgoing: tuple[OutgoingMessage, ...]
    refusals: tuple[Refused, ...]


class HubEngine:
    """The booth described by ``config`` and ``register``, taken up from ``stored`` at ``now``."""

    def __init__(self, *, config: HubConfig, register: Register, stored: HubState, now: Seconds) -> None:
        self._config = config
        self._admission = Admission(booth=config.booth, register=register, doors=stored.doors)
        snapshot = stored.snapshot
        check_clock(now, snapshot.baseline.latest if snapshot else 0.0)
        self._rarity = learnt(stored, now)
        self.baseline = self._rarity.baseline
        self._drift = Drift(self.baseline)
        self._alerts = Alerts(
            alert_seconds=config.pacing.alert_seconds,
            service_seconds=config.pacing.service_seconds,
            hold_seconds=config.hold_seconds,
            held=stored.alerts,
            last=stored.last_alert,
        )
        self._pacing = Pacing(
            config.pacing, suppress_seconds=config.hold_seconds, now=now, history=stored.hours
        )
        self._feedback = feedback.Feedback(stored.doubts)
        self._clock = WallClock()
        self._daybook = DailyCounts(stored.tallies, service_seconds=config.pacing.service_seconds, now=now)
        self._roster = UnitStatuses(config.booth, self._admission, register)
        self._teller = StaffPublisher(
            config,
            self._alerts,
            self.baseline,
            daybook=self._daybook,
            pacing=self._pacing,
            roster=self._roster,
        )
        self._sightings = ErasureIndex(config.hold_seconds, stored.alerts)
        self._desk = StaffRequests(config.booth, self._alerts, self._sightings, CATALOGUES[config.language])
        self._board_at = float("-inf")
        self._snapshot_at: float = now
        self._counted_at: float = now
        self._unwritten = len(stored.live)
        self._desk.enrol(register.tablets)
        self._begin(now)

    def _begin(self, now: Seconds) -> None:
        self._now = now
        self._daybook.begin(now)
        self._live: list[PendingObservation] = []
        self._changed: dict[str, TrackedAlert] = {}
        self._answers: list[OutgoingMessage] = []
        self._refusals: list[Refused] = []

    def enrol(self, register: Register) -> None:
        """Take up a register that was read anew."""
        self._admission.enrol(register)
        self._roster.enrol(register)
        self._desk.enrol(register.tablets)

    def changes(self) -> tuple[Change, ...]:
        """What people wear now that they usually do not."""
        return self._drift.changes()

    def handle_batch(
        self,
        incoming: Iterable[IncomingMessage],
        now: Seconds,
        *,
        last: bool = False,
        steady: float | None = None,
    ) -> BatchResult:
        """Think about ``incoming`` at ``now`` (unix seconds); an empty batch lets time pass.

        ``steady`` is the same instant on a clock that nobody sets: by it the hub sees that its own was set.

        ``last`` asks for a snapshot, before a stop, and ends what is open. Unavailable where the clock cannot be
        right; nothing has changed then.
        """
        check_clock(now, self.baseline.latest)
        self._rarity.rewind_clock(now)
        self._begin(now)
        step = self._clock.stepped(now, steady)
        if step:
            self._admission.clock_stepped(step)
        self._pacing.tick(now)
        for arrival in incoming:
            try:
                self._route(arrival)
            except Refused as refusal:
                self._refusals.append(refusal)
        expired, gone = self._alerts.close(now) if last else self._alerts.tick(now)
        self._sightings.tick(now, gone)
        for held in expired:
            self._change(held)
        changed = [held for name, held in self._changed.items() if name not in gone]
        outgoing = [*self._answers, *(self._teller.alert(held, now) for held in changed)]
        outgoing += [self._teller.cleared(name) for name in gone]
        if abs(now - self._board_at) >= BOARD_SECONDS or self._changed:
            self._board_at = now
            outgoing.append(self._teller.board(now))
        hours = self._pacing.forecast.news(all_of_it=last)
        changes = StateDelta(
            doors=self._changed_doors(last=last),
            live=tuple(self._live),
            alerts=tuple(changed),
            gone=gone,
            last_alert=self._alerts.last if self._changed else 0,
            tallies=self._daybook.tallies(),
            hours=hours,
            oldest_day=self._daybook.sweep() if hours else "",
            audited=self._daybook.audit_counts(last=last),
            doubts=self._feedback.news(),
            snapshot=self._snapshot(last=last),
        )
        return BatchResult(changes=changes, outgoing=tuple(outgoing), refusals=tuple(self._refusals))

    def _changed_doors(self, *, last: bool) -> tuple[UnitAdmissionState, ...]:
        """Doors to store: where only refusals were counted, now and then. A flood must not wear the disk."""
        due = last or abs(self._now - self._counted_at) >= COUNTS_SECONDS
        if due:
            self._counted_at = self._now
        return self._admission.changed(refusals=due)

    def retained(self, now: Seconds) -> tuple[OutgoingMessage, ...]:
        """Everything the broker should hold of us, to be said again after a lost link."""
        self._begin(now)
        return (*(self._teller.alert(held, now) for held in self._alerts.all()), self._teller.board(now))

    def _route(self, arrival: IncomingMessage) -> None:
        untrusted_parts = arrival.untrusted_topic.split("/")
        group = untrusted_parts[3] if len(untrusted_parts) == 6 else ""
        if arrival.unacknowledged:
            rule = Rule.MALFORMED_REQUEST if group == "staff" else Rule.MALFORMED
            refusal = Refused(rule, "it was sent with QoS 0", where="broker", fix="publish with QoS 1")
            raise self._admission.turn_away(arrival.untrusted_topic, refusal)
        if untrusted_parts[3:4] == ["alert"]:
            self._echo(arrival)
        elif group == "staff":
            self._request(arrival)
        elif group == "unit" and untrusted_parts[5] == "status":
            self._roster.relay_said(arrival)
        else:
            admitted = self._admission.admit(
                arrival.untrusted_topic, arrival.untrusted_payload, self._now, retained=arrival.retained
            )
            self._statement(admitted)

    def _echo(self, arrival: IncomingMessage) -> None:
        """What the broker still holds of an alert that we no longer know is cleared."""
        name = AlertId(arrival.untrusted_topic.rsplit("/", 1)[-1])
        ours = ALERT_FORM.fullmatch(name) and arrival.untrusted_topic == topics.alert(
            self._config.booth, name
        )
        if ours and arrival.retained and arrival.untrusted_payload and not self._alerts.find(name):
            self._answers.append(self._teller.cleared(name))

    def _statement(self, admitted: Admitted) -> None:
        statement = admitted.statement
        if isinstance(statement, Heartbeat):
            self._roster.heard(statement, admitted)
        else:
            self._observation(statement, admitted)

    def _observation(self, observation: Observation, admitted: Admitted) -> None:
        ready = not self.baseline.needs(self._config.young, self._now)
        vector, unit, seen_at = observation.vector, observation.unit, admitted.seen_at
        one = self._rarity.encode(vector, unit)
        score = self._rarity.score(one)
        rare = ready and score.p <= max(FLAG_P, self._config.pacing.floor)
        reasons = reasons_for(one, score, self.baseline, self._now) if rare else ()
        counted = self._rarity.update(one, score, unit, seen_at)
        if ready:
            self._drift.count(one.sure, seen_at)
        self._live.append(PendingObservation(unit=unit, seen_at=seen_at, vector=vector))
        self._unwritten += 1
        self._daybook.passed()
        if admitted.lateness is Lateness.FRESH:
            self._pacing.passed(self._now, flags=score.p <= self._config.pacing.floor)
        self._daybook.audited("people", observation)
        if not reasons:
            return
        self._daybook.count("flags")
        self._daybook.audited("flags", observation)
        if admitted.lateness is Lateness.FRESH:
            flag = Flag(observation=observation, p=score.p, bits=score.bits, reasons=reasons)
            self._perhaps_alert(flag, seen_at, counted)

    def _perhaps_alert(self, flag: Flag, seen_at: Seconds, counted: CountReceipt) -> None:
        if not is_worth_a_walk(flag):
            return
        doubt = self._feedback.factor(feedback.words_of(flag), self._now)
        if not self._pacing.worth(
            min(1.0, flag.p * doubt),
            flag.observation.vector,
            today=self._daybook.today(),
            open_alerts=self._alerts.open,
            now=self._now,
        ):
            return
        row = self._roster.row(flag.observation.unit)
        held = self._alerts.raise_alert(
            flag, place=row.place, simulated=row.simulated, seen_at=seen_at, now=self._now
        )
        self._sightings.keep(held, counted)
        self._change(held)
        self._daybook.count("alerts")
        self._daybook.audited("alerts", flag.observation)

    def _request(self, arrival: IncomingMessage) -> None:
        settled = self._desk.settle(arrival, self._now)
        self._answers.append(settled.answer)
        if settled.refusal:
            self._refusals.append(settled.refusal)
        if settled.changed:
            self._change(settled.changed)
        if settled.why:
            self._daybook.count(f"dismissed_{settled.why.value}")
        if settled.about and settled.changed:
            words = feedback.words_of(settled.about)
            if settled.why:
                self._feedback.dismissed(words, settled.why, self._now)
            elif settled.changed.alert.state is AlertState.GIFTED:
                self._feedback.gifted(words, self._now)
        if settled.forgotten:
            self._forget(settled.forgotten)

    def _forget(self, name: AlertId) -> None:
        """Purge whoever is behind an alert from counts, scores, journal and pacing."""
        known = self._sightings.drop(name)
        if known:
            self._pacing.forget(known.vector)
            self._rarity.forget(known.vector, known.unit, known.seen_at, known.counted)
            if known.counted:
                self._drift.forget(known.counted.one.sure)
        # What waits in the journal becomes counts now, and is deleted.
        self._snapshot_at, self._unwritten = float("-inf"), self._unwritten + 1

    def _change(self, held: TrackedAlert) -> None:
        self._changed[held.alert.alert] = held
        if held.ended_at == self._now and held.alert.state is not AlertState.RAISED:
            self._daybook.count(held.alert.state.value)
            self._daybook.visited(held.alert.raised_at)
        behind = self._sightings.find(held.alert.alert)
        if behind and held.alert.state is AlertState.DECLINED:
            self._pacing.forget(behind.vector)

    def _snapshot(self, *, last: bool) -> Snapshot | None:
        age = abs(self._now - self._snapshot_at)
        due = self._unwritten and age >= min(SNAPSHOT_SECONDS, self._config.hold_seconds / 2)
        if not (due or last):
            return None
        self._snapshot_at, self._unwritten = self._now, 0
        # Whoever takes up the snapshot computes its tables anew; so do we, and both go on alike, but that what
        # is written down is rounded.
        self._rarity.settle()
        return Snapshot(baseline=coarse(self.baseline.state()), bins=whole(self._rarity.bins()))
