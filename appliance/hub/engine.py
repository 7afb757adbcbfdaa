"""Hub engine: a batch of untrusted messages in; messages to publish and changes to store out.

Invariants:
    * Pure: no I/O, no clock; ``now`` is an argument. Whoever calls stores ``BatchResult.changes``, then
      publishes, then acknowledges. Where storing fails, this object is thrown away and made anew from the store.
    * Nothing untrusted raises: a refusal is counted, answered where somebody waits, and reported in the outcome.
    * Only a fresh observation can become an alert; a late one still teaches the baseline.
    * While the baseline is young, or weeks are only collected, nobody is flagged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.base.errors import Refused
from appliance.hub.admission.admission import Admission, Admitted, Lateness
from appliance.hub.admission.unit_state import UnitAdmissionState
from appliance.hub.alert_effects import AlertEffects
from appliance.hub.alerts.alerts import Alerts
from appliance.hub.alerts.erasure import ErasureIndex
from appliance.hub.clock import WallClock, check_clock
from appliance.hub.fleet_publisher import FleetView
from appliance.hub.messages import IncomingMessage, OutgoingMessage
from appliance.hub.pacing.pacing import Pacing
from appliance.hub.records.acts import Acts
from appliance.hub.records.daily_counts import DailyCounts
from appliance.hub.records.trends import Trends
from appliance.hub.router import Route, qos_refusal, route_of
from appliance.hub.setup.desk import SetupDesk
from appliance.hub.snapshot_timer import SnapshotTimer
from appliance.hub.staff.outgoing import StaffPublisher
from appliance.hub.staff.requests import StaffRequests
from appliance.hub.staff.shift import Shift
from appliance.hub.staff.translations import CATALOGUES
from appliance.hub.staff.unit_status import UnitStatuses
from appliance.hub.statistics import feedback
from appliance.hub.statistics.change.drift import Change, Drift
from appliance.hub.statistics.layout import encode
from appliance.hub.statistics.leave_one_out import JudgementReceipt
from appliance.hub.statistics.reasons import is_worth_a_walk, reasons_for
from appliance.hub.storage.restore import learnt, snapshot_of
from appliance.hub.storage.state import HubState, PendingObservation, Snapshot, StateDelta
from appliance.protocol import topics
from appliance.protocol.acts import Act
from appliance.protocol.encryption import Decryptor
from appliance.protocol.fleet_report import DAYS_TOLD
from appliance.protocol.receipt import AdmissionReceipt
from appliance.protocol.values import ALERT_FORM, AlertId, Flag, Heartbeat, Observation, Seconds
from appliance.settings.config import HubConfig, Register

FLAG_P: Final = 0.01
"""A tail probability up to this is a flag: about one person in a hundred."""
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

    def __init__(
        self,
        *,
        config: HubConfig,
        register: Register,
        stored: HubState,
        now: Seconds,
        order_key: bytes | None = None,
    ) -> None:
        self._config = config
        self._admission = Admission(booth=config.booth, register=register, doors=stored.doors)
        snapshot = stored.snapshot
        check_clock(now, snapshot.baseline.latest if snapshot else 0.0)
        self._rarity = learnt(stored, now)
        self.baseline = self._rarity.baseline
        self._drift = Drift(self.baseline)
        self.alerts = Alerts(
            alert_seconds=config.pacing.alert_seconds,
            service_seconds=config.pacing.service_seconds,
            retention_seconds=config.retention_seconds,
            held=stored.alerts,
            last=stored.last_alert,
        )
        self._pacing = Pacing(
            config.pacing, suppress_seconds=config.retention_seconds, now=now, history=stored.hours
        )
        self._doubts = feedback.Feedback(stored.doubts)
        self._clock = WallClock()
        self.daily_counts = DailyCounts(
            stored.tallies, service_seconds=config.pacing.service_seconds, now=now
        )
        self._trends = Trends(stored.trends)
        self._shift = Shift(config.pacing, self.daily_counts)
        self._shift.enrol(register.leads)
        self._unit_statuses = UnitStatuses(config.booth, self._admission, register)
        self.setup = SetupDesk(config.booth, register, self._unit_statuses, order_key)
        self.publisher = StaffPublisher(
            config,
            self.alerts,
            self.baseline,
            self._drift,
            daybook=self.daily_counts,
            pacing=self._pacing,
            roster=self._unit_statuses,
            trends=self._trends,
            shift=self._shift,
        )
        self._erasure = ErasureIndex(config.retention_seconds, stored.alerts)
        self._snapshots = SnapshotTimer(
            retention_seconds=config.retention_seconds, waiting=len(stored.live), now=now
        )
        self._acts = Acts(config.booth, stored.acts)
        self._effects = AlertEffects(
            counts=self.daily_counts,
            rarity=self._rarity,
            drift=self._drift,
            pacing=self._pacing,
            doubts=self._doubts,
            erasure=self._erasure,
            snapshots=self._snapshots,
            trends=self._trends,
            acts=self._acts,
        )
        catalogue = CATALOGUES[config.language]
        self._requests = StaffRequests(
            config.booth, self.alerts, self._erasure, catalogue, self._effects, self._shift
        )
        self._counted_at: float = now
        self._requests.enrol(register.tablets)
        self._begin(now)

    def _begin(self, now: Seconds) -> None:
        self._now = now
        self.daily_counts.begin(now)
        self._effects.begin(now)
        self._live: list[PendingObservation] = []
        self._answers: list[OutgoingMessage] = []
        self._refusals: list[Refused] = []

    def enrol(self, register: Register) -> None:
        """Take up a register that was read anew."""
        self._admission.enrol(register)
        self._unit_statuses.enrol(register)
        self.setup.enrol(register)
        self._requests.enrol(register.tablets)
        self._shift.enrol(register.leads)

    def decrypt_with(self, decryptor: Decryptor) -> None:
        """Open what units encrypt with these keys from now on."""
        self._admission.decryptor = decryptor

    def acted(self, acts: Iterable[Act]) -> None:
        """Commands wrote these acts down; they are stored with the next batch, each once."""
        self._acts.take(acts)

    def disk_is(self, *, low: bool) -> None:
        """Tell staff that the hub's disk is nearly full, or no more."""
        self.publisher.disk_low = low

    def floor_warning(self, now: Seconds) -> str:
        """Why the configured floor cannot empty the box today, and what would; empty where it can."""
        return self._pacing.warning(self.daily_counts.today(), now)

    def fleet_view(self, now: Seconds) -> FleetView:
        """What the fleet may be told of."""
        return FleetView(
            baseline=self.baseline.state(),
            days=self.daily_counts.days(DAYS_TOLD),
            units=self._unit_statuses.rows(),
            changes=self._drift.changes(),
            needs=self.baseline.needs(self._config.warmup_people, now),
        )

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
        step = self._clock.stepped(now, steady)
        self._rarity.follow_clock(now, step)
        self._begin(now)
        if step:
            self._admission.clock_stepped(step)
        self._pacing.tick(now)
        self.setup.tick(now)
        for message in incoming:
            try:
                self._dispatch(message)
            except Refused as refusal:
                self._refusals.append(refusal)
        expired, gone = self.alerts.close(now) if last else self.alerts.tick(now)
        self._erasure.tick(now, gone)
        for held in expired:
            self._effects.alert_changed(held)
        changed = [held for name, held in self._effects.changed.items() if name not in gone]
        outgoing = [*self._answers, *(self.publisher.alert(held, now) for held in changed)]
        outgoing += [self.publisher.cleared(name) for name in gone]
        outgoing += self.setup.due(now)
        outgoing += self.publisher.due(now, changed=bool(self._effects.changed), last=last)
        oldest_act = self._acts.forget(now)
        outgoing += self._acts.telling(now)
        hours = self._pacing.forecast.news(all_of_it=last)
        changes = StateDelta(
            doors=self._changed_doors(last=last),
            live=tuple(self._live),
            alerts=tuple(changed),
            gone=gone,
            last_alert=self.alerts.last if self._effects.changed else 0,
            tallies=self.daily_counts.tallies(),
            hours=hours,
            oldest_day=self.daily_counts.sweep() if hours else "",
            audited=self.daily_counts.audit_counts(last=last),
            doubts=self._doubts.news(),
            trends=self.publisher.trends_to_store(),
            acts=self._acts.news(),
            oldest_act=oldest_act,
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
        return (
            *(self.publisher.alert(held, now) for held in self.alerts.all()),
            *self.publisher.retained(now),
            *self._acts.telling(now, again=True),
            self.setup.told(now),
        )

    def receipts(self, *, every: bool = False) -> tuple[AdmissionReceipt, ...]:
        """What units may forget, once what was handled is stored; of those of which something came, or ``every``."""
        return self._admission.receipts(every=every)

    def know(self, receipt: AdmissionReceipt) -> bool:
        """Take as admitted what a receipt of ours says is; True where this database did not know it."""
        return self._admission.know(receipt)

    def _dispatch(self, message: IncomingMessage) -> None:
        """Hand a message to whoever it is for; Refused where it breaks a rule."""
        refusal = qos_refusal(message)
        if refusal:
            raise self._admission.turn_away(message.untrusted_topic, refusal)
        match route_of(message):
            case Route.RETAINED_ALERT:
                self._echo(message)
            case Route.STAFF_REQUEST:
                answer = self._requests.handle(message, self._now)
                self._answers.append(answer.message)
                if answer.refusal:
                    self._refusals.append(answer.refusal)
            case Route.SETUP_REQUEST:
                answers, refusal = self.setup.handle(message, self._now)
                self._answers += answers
                self._refusals += [refusal] if refusal else []
                for kind, who, unit in self.setup.acts():
                    self._acts.add(kind, who, self._now, of=unit)
            case Route.RELAY_STATUS:
                self._unit_statuses.relay_said(message)
            case Route.STATEMENT:
                self._statement(message)

    def _echo(self, message: IncomingMessage) -> None:
        """What the broker still holds of an alert that we no longer know is cleared."""
        name = AlertId(message.untrusted_topic.rsplit("/", 1)[-1])
        ours = ALERT_FORM.fullmatch(name) and message.untrusted_topic == topics.alert(
            self._config.booth, name
        )
        if ours and message.retained and message.untrusted_payload and not self.alerts.find(name):
            self._answers.append(self.publisher.cleared(name))

    def _statement(self, message: IncomingMessage) -> None:
        admitted = self._admission.admit(
            message.untrusted_topic, message.untrusted_payload, self._now, retained=message.retained
        )
        statement = admitted.statement
        if isinstance(statement, Heartbeat):
            self._unit_statuses.heard(statement, admitted)
        elif not self.setup.observed(statement.unit, statement.vector, admitted.seen_at, self._now):
            self._observation(statement, admitted)

    def _observation(self, observation: Observation, admitted: Admitted) -> None:
        ready = not self.baseline.needs(self._config.warmup_people, self._now)
        vector, unit, seen_at = observation.vector, observation.unit, admitted.seen_at
        one = self._rarity.encode(vector, unit)
        judged = self._rarity.judge(one, unit)
        score = judged.score
        bar = self._pacing.max_p(self.daily_counts.today(), self._now)
        judging = ready and not self._config.collect
        rare = judging and not judged.holds and score.p <= max(FLAG_P, bar)
        reasons = reasons_for(one, score, judged.usual, self._now) if rare else ()
        counted = self._rarity.update(one, judged, unit, seen_at)
        if ready:
            self._drift.count(encode(vector).sure, seen_at)  # also what is set aside
        self._live.append(PendingObservation(unit=unit, seen_at=seen_at, vector=vector))
        self._snapshots.observed()
        self.daily_counts.passed()
        simulated = self._unit_statuses.simulated(unit)
        self._trends.passed(one.fair, seen_at, bits=score.bits, simulated=simulated, now=self._now)
        if admitted.lateness is Lateness.FRESH:
            self._pacing.passed(self._now, flags=score.p <= bar, floor=bar)
        self.daily_counts.audited("people", observation)
        if not reasons:
            return
        self.daily_counts.count("flags")
        self.daily_counts.audited("flags", observation)
        if admitted.lateness is Lateness.FRESH:
            flag = Flag(observation=observation, p=score.p, bits=score.bits, reasons=reasons)
            self._perhaps_alert(flag, seen_at, counted)

    def _perhaps_alert(self, flag: Flag, seen_at: Seconds, counted: JudgementReceipt) -> None:
        if not is_worth_a_walk(flag):
            return
        doubt = self._doubts.factor(feedback.words_of(flag), self._now)
        if not self._pacing.worth(
            min(1.0, flag.p * doubt),
            flag.observation.vector,
            today=self.daily_counts.today(),
            open_alerts=self.alerts.open,
            now=self._now,
        ):
            return
        row = self._unit_statuses.row(flag.observation.unit)
        held = self.alerts.raise_alert(
            flag, place=row.place, simulated=row.simulated, seen_at=seen_at, now=self._now
        )
        self._erasure.keep(held, counted)
        self._effects.alert_changed(held)
        self.daily_counts.count("alerts")
        self.daily_counts.audited("alerts", flag.observation)

    def _snapshot(self, *, last: bool) -> Snapshot | None:
        if not self._snapshots.due(self._now, last=last):
            return None
        # Whoever takes up the snapshot computes its tables anew; so does this hub. Both go on alike, but for what
        # rounding took from the stored counts.
        self._rarity.settle()
        return snapshot_of(self._rarity)
