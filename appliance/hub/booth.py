"""The booth's mind: a batch of untrusted messages in, tellings and changes to store out.

Laws:
    * Thinking only: ``now`` is an argument; whoever calls stores ``Outcome.changes`` first, then tells, then
      acknowledges. Where storing fails, this object is thrown away and made anew from what was stored.
    * Nothing untrusted raises: a refusal is counted, answered where somebody waits, and reported in the outcome.
    * Only a fresh observation can become an alert; a late one still teaches the baseline.
    * While the baseline is young nobody is flagged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance import topics
from appliance.config import HubConfig, Register
from appliance.errors import Refused, Rule, Unavailable
from appliance.hub import audit, feedback, staffwire
from appliance.hub import board as boards
from appliance.hub.admission import Admission, Admitted, DoorState, Lateness
from appliance.hub.alerts import AFTERGLOW_SECONDS, Alerts, Held
from appliance.hub.baseline import Baseline, coarse, taken_up
from appliance.hub.calibration import whole
from appliance.hub.desk import Desk
from appliance.hub.forecast import KEPT_DAYS
from appliance.hub.languages import CATALOGUES
from appliance.hub.localday import day_of, local_day
from appliance.hub.messages import Arrival, Telling
from appliance.hub.pacing import Pacing, Today
from appliance.hub.rarity import Counted, Rarity
from appliance.hub.reasons import is_worth_a_walk, reasons_for
from appliance.hub.sightings import Sightings
from appliance.hub.store import Changes, Live, Snapshot, Stored, Tally
from appliance.values import (
    ALERT_FORM,
    COUNTER_LIMIT,
    TIME_STEP,
    AlertId,
    AlertState,
    Flag,
    Health,
    Heartbeat,
    Observation,
    Seconds,
    UnitId,
)

FLAG_P: Final = 0.01
"""A tail probability up to this is a flag: about one person in a hundred."""
BOARD_SECONDS: Final = 1.0
SNAPSHOT_SECONDS: Final = 60.0
"""The baseline is written this often at the least; nothing live is held on disk for longer."""
COUNTS_SECONDS: Final = 10.0
"""Counts of refusals alone are written at most this often."""
STEP_SECONDS: Final = 2.0
"""A wall clock that moves by more than this between two batches was set."""
BUILD_TIME: Final = 1_735_689_600.0
"""2025-01-01: no hub of this program can be earlier."""
CLOCK_DAYS: Final = 400
"""A clock further than this from the last sighting is taken for wrong: by then what was learnt has decayed anyhow."""
_USUAL: Final = 3
_ENDS: Final = ("gifted", "declined", "not_found", "dismissed", "expired")
"""Ends from which acceptance is learnt: forgetting says nothing of it."""
_ACCEPTANCE_DAYS: Final = 14
_ACCEPTANCE_FADE: Final = 0.9
"""A day older, an answer weighs this much less."""
_VISITS_BELIEVED: Final = 10
"""Visits after which the measured length of one outweighs the configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a batch: store ``changes``, publish ``tellings`` in order, then acknowledge the batch."""

    changes: Changes
    tellings: tuple[Telling, ...]
    refusals: tuple[Refused, ...]


@dataclass(slots=True, kw_only=True)
class _Unit:
    """What is known of a unit now; memory only."""

    health: Health | None = None
    heard_at: Seconds | None = None
    online: bool = False
    boxed: bool | None = None
    newest: tuple[int, int] = (0, 0)
    """Epoch and number of the heartbeat that said whether it is boxed, however late that came."""


class Booth:
    """The booth described by ``config`` and ``register``, taken up from ``stored`` at ``now``."""

    def __init__(self, *, config: HubConfig, register: Register, stored: Stored, now: Seconds) -> None:
        self._config = config
        self._admission = Admission(booth=config.booth, register=register, doors=stored.doors)
        snapshot = stored.snapshot
        _check_clock(now, snapshot.baseline.latest if snapshot else 0.0)
        self.baseline = Baseline(taken_up(snapshot.baseline) if snapshot else None)
        self.baseline.turn_back(now)
        self._rarity = Rarity(self.baseline, snapshot.bins if snapshot else None)
        for one in stored.live:
            self._rarity.judge(one.vector, one.unit, one.seen_at)
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
        self._catalogue = CATALOGUES[config.language]
        self._swept = ""
        self._audited: Counter[tuple[str, str, str]] = Counter()
        self._counts = Counter({(tally.day, tally.what): tally.number for tally in stored.tallies})

        self._units: dict[str, _Unit] = {}
        self._sightings = Sightings(config.hold_seconds, stored.alerts)
        self._desk = Desk(config.booth, self._alerts, self._sightings, self._catalogue)
        self._board_at = float("-inf")
        self._snapshot_at: float = now
        self._counted_at: float = now
        self._ahead: float | None = None
        self._unwritten = len(stored.live)
        self._enrol(register)
        self._begin(now)

    def _begin(self, now: Seconds) -> None:
        self._now, self._day = now, day_of(now)
        self._live: list[Live] = []
        self._changed: dict[str, Held] = {}
        self._tallies: Counter[str] = Counter()
        self._answers: list[Telling] = []
        self._refusals: list[Refused] = []

    def enrol(self, register: Register) -> None:
        """Take up a register that was read anew."""
        self._admission.enrol(register)
        self._enrol(register)

    def _enrol(self, register: Register) -> None:
        self._enrolled = {unit.unit: unit for unit in register.units if not unit.revoked}
        self._desk.enrol(register.tablets)

    def take(
        self, arrivals: Iterable[Arrival], now: Seconds, *, last: bool = False, steady: float | None = None
    ) -> Outcome:
        """Think about ``arrivals`` at ``now`` (unix seconds); an empty batch lets time pass.

        ``steady`` is the same instant on a clock that nobody sets: by it the hub sees that its own was set.

        ``last`` asks for a snapshot, before a stop, and ends what is open. Unavailable where the clock cannot be
        right; nothing has changed then.
        """
        _check_clock(now, self.baseline.latest)
        self._rarity.turn_back(now)
        self._begin(now)
        self._notice_a_step(now, steady)
        self._pacing.tick(now)
        for arrival in arrivals:
            try:
                self._route(arrival)
            except Refused as refusal:
                self._refusals.append(refusal)
        expired, gone = self._alerts.close(now) if last else self._alerts.tick(now)
        self._sightings.tick(now, gone)
        for held in expired:
            self._change(held)
        changed = [held for name, held in self._changed.items() if name not in gone]
        tellings = [*self._answers, *(self._alert_telling(held) for held in changed)]
        tellings += [Telling(topic=topics.alert(self._config.booth, name), payload=b"") for name in gone]
        if abs(now - self._board_at) >= BOARD_SECONDS or self._changed:
            self._board_at = now
            tellings.append(self._board_telling())
        hours = self._pacing.forecast.news(all_of_it=last)
        changes = Changes(
            doors=self._changed_doors(last=last),
            live=tuple(self._live),
            alerts=tuple(changed),
            gone=gone,
            last_alert=self._alerts.last if self._changed else 0,
            tallies=tuple(
                Tally(day=self._day, what=what, number=number) for what, number in self._tallies.items()
            ),
            hours=hours,
            oldest_day=self._sweep() if hours else "",
            audited=self._audit_counts(last=last),
            doubts=self._feedback.news(),
            snapshot=self._snapshot(last=last),
        )
        return Outcome(changes=changes, tellings=tuple(tellings), refusals=tuple(self._refusals))

    def _notice_a_step(self, now: Seconds, steady: float | None) -> None:
        if steady is None:
            return
        ahead = now - steady
        if self._ahead is not None and abs(ahead - self._ahead) > STEP_SECONDS:
            self._admission.clock_stepped(ahead - self._ahead)
        self._ahead = ahead

    def _changed_doors(self, *, last: bool) -> tuple[DoorState, ...]:
        """Doors to store: where only refusals were counted, now and then. A flood must not wear the disk."""
        due = last or abs(self._now - self._counted_at) >= COUNTS_SECONDS
        if due:
            self._counted_at = self._now
        return self._admission.changed(refusals=due)

    def retained(self, now: Seconds) -> tuple[Telling, ...]:
        """Everything the broker should hold of us, to be said again after a lost link."""
        self._begin(now)
        return (*(self._alert_telling(held) for held in self._alerts.all()), self._board_telling())

    def _route(self, arrival: Arrival) -> None:
        untrusted_parts = arrival.untrusted_topic.split("/")
        group = untrusted_parts[3] if len(untrusted_parts) == 6 else ""
        if arrival.unacknowledged:
            rule = Rule.MALFORMED_REQUEST if group == "staff" else Rule.MALFORMED
            refusal = Refused(rule, "it was sent with QoS 0", where="broker", mend="publish with QoS 1")
            raise self._admission.turn_away(arrival.untrusted_topic, refusal)
        if untrusted_parts[3:4] == ["alert"]:
            self._echo(arrival)
        elif group == "staff":
            self._request(arrival)
        elif group == "unit" and untrusted_parts[5] == "status":
            self._relay_status(arrival)
        else:
            admitted = self._admission.admit(
                arrival.untrusted_topic, arrival.untrusted_payload, self._now, retained=arrival.retained
            )
            self._statement(admitted)

    def _echo(self, arrival: Arrival) -> None:
        """What the broker still holds of an alert that we no longer know is cleared."""
        name = AlertId(arrival.untrusted_topic.rsplit("/", 1)[-1])
        ours = ALERT_FORM.fullmatch(name) and arrival.untrusted_topic == topics.alert(
            self._config.booth, name
        )
        if ours and arrival.retained and arrival.untrusted_payload and not self._alerts.find(name):
            self._answers.append(Telling(topic=arrival.untrusted_topic, payload=b""))

    def _relay_status(self, arrival: Arrival) -> None:
        name, _ = topics.named_in(arrival.untrusted_topic, self._config.booth, "unit")
        if name not in self._enrolled:
            raise Refused(Rule.WRONG_TOPIC, "no such unit is enrolled", where=name)
        self._unit(name).online = staffwire.relay_status_in(arrival.untrusted_payload, name).online

    def _unit(self, name: str) -> _Unit:
        return self._units.setdefault(name, _Unit())

    def _statement(self, admitted: Admitted) -> None:
        statement = admitted.statement
        unit = self._unit(statement.unit)
        if isinstance(statement, Heartbeat):
            if (statement.epoch, statement.seq) >= unit.newest:
                unit.newest, unit.boxed = (statement.epoch, statement.seq), statement.health.boxed
            if admitted.lateness is Lateness.FRESH and admitted.seen_at >= (unit.heard_at or 0.0):
                unit.health, unit.heard_at = statement.health, admitted.seen_at
            return
        self._observation(statement, admitted)

    def _observation(self, observation: Observation, admitted: Admitted) -> None:
        ready = not self.baseline.needs(self._config.young, self._now)
        vector, unit, seen_at = observation.vector, observation.unit, admitted.seen_at
        one = self._rarity.worn(vector, unit)
        score = self._rarity.score(one)
        rare = ready and score.p <= max(FLAG_P, self._config.pacing.floor)
        reasons = reasons_for(one, score, self.baseline, self._now) if rare else ()
        counted = self._rarity.update(one, score, unit, seen_at)
        self._live.append(Live(unit=unit, seen_at=seen_at, vector=vector))
        self._unwritten += 1
        self._count("people")
        if (self._day, "began") not in self._counts:
            self._count("began", int(self._now))
        if admitted.lateness is Lateness.FRESH:
            self._pacing.passed(self._now, flags=score.p <= self._config.pacing.floor)
        self._audit("people", observation)
        if not reasons:
            return
        self._count("flags")
        self._audit("flags", observation)
        if admitted.lateness is Lateness.FRESH:
            flag = Flag(observation=observation, p=score.p, bits=score.bits, reasons=reasons)
            self._perhaps_alert(flag, seen_at, counted)

    def _perhaps_alert(self, flag: Flag, seen_at: Seconds, counted: Counted) -> None:
        if not is_worth_a_walk(flag):
            return
        doubt = self._feedback.factor(feedback.words_of(flag), self._now)
        if not self._pacing.worth(
            min(1.0, flag.p * doubt),
            flag.observation.vector,
            today=self._today(),
            open_alerts=self._alerts.open,
            now=self._now,
        ):
            return
        row = self._row(flag.observation.unit)
        held = self._alerts.raise_alert(
            flag, place=row.place, simulated=row.simulated, seen_at=seen_at, now=self._now
        )
        self._sightings.keep(held, counted)
        self._change(held)
        self._count("alerts")
        self._audit("alerts", flag.observation)

    def _today(self) -> Today:
        gifted = ended = 0.0
        for back in range(1, _ACCEPTANCE_DAYS + 1):
            day, weight = day_of(Seconds(self._now - back * 86_400)), _ACCEPTANCE_FADE**back
            gifted += weight * self._counts[day, "gifted"]
            ended += weight * sum(self._counts[day, end] for end in _ENDS)
        return Today(
            began=Seconds(float(self._counts.get((self._day, "began"), int(self._now)))),
            gifted=self._counts[self._day, "gifted"],
            ended=sum(self._counts[self._day, end] for end in _ENDS),
            gifted_before=gifted,
            ended_before=ended,
            visit_seconds=self._visit_seconds(),
        )

    def _visit_seconds(self) -> float:
        """How long an alert keeps somebody busy, from today's, with the configured length for a start."""
        visits = self._counts[self._day, "visits"]
        seconds = self._counts[self._day, "visit_seconds"]
        usual = self._config.pacing.service_seconds
        return (seconds + _VISITS_BELIEVED * usual) / (visits + _VISITS_BELIEVED)

    def _audit(self, what: str, observation: Observation) -> None:
        for aspect, value in audit.aspects_of(observation, local_day(self._now).hour):
            self._audited[aspect, value, what] += 1

    def _audit_counts(self, *, last: bool) -> tuple[audit.AuditCount, ...]:
        """Whole fives of what was counted, to be stored; the rest waits in memory, and is rounded at the ``last``."""
        fives = Counter({key: audit.fives(number, nearest=last) for key, number in self._audited.items()})
        self._audited.subtract(fives)
        rows = dict.fromkeys((aspect, value) for (aspect, value, _), number in fives.items() if number)
        return tuple(
            audit.AuditCount(
                aspect=aspect,
                value=value,
                people=fives[aspect, value, "people"],
                flags=fives[aspect, value, "flags"],
                alerts=fives[aspect, value, "alerts"],
            )
            for aspect, value in rows
        )

    def _sweep(self) -> str:
        """Once a day, the day before which hourly counts are forgotten; else nothing."""
        if self._swept == self._day:
            return ""
        self._swept = self._day
        return day_of(Seconds(self._now - KEPT_DAYS * 86_400))

    def _request(self, arrival: Arrival) -> None:
        settled = self._desk.settle(arrival, self._now)
        self._answers.append(settled.answer)
        if settled.refusal:
            self._refusals.append(settled.refusal)
        if settled.changed:
            self._change(settled.changed)
        if settled.why:
            self._count(f"dismissed_{settled.why.value}")
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
        # What waits in the journal becomes counts now, and is deleted.
        self._snapshot_at, self._unwritten = float("-inf"), self._unwritten + 1

    def _change(self, held: Held) -> None:
        self._changed[held.alert.alert] = held
        if held.ended_at == self._now and held.alert.state is not AlertState.RAISED:
            self._count(held.alert.state.value)
            self._count("visits")
            self._count("visit_seconds", max(0, int(self._now - held.alert.raised_at)))
        behind = self._sightings.find(held.alert.alert)
        if behind and held.alert.state is AlertState.DECLINED:
            self._pacing.forget(behind.vector)

    def _count(self, what: str, number: int = 1) -> None:
        self._counts[self._day, what] += number
        self._tallies[what] += number

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

    def _alert_telling(self, held: Held) -> Telling:
        alert = held.alert
        until = alert.expires_at if held.ended_at is None else held.ended_at + AFTERGLOW_SECONDS
        boxed = self._row(held.unit).boxed
        return Telling(
            topic=topics.alert(self._config.booth, alert.alert),
            payload=staffwire.alert_telling(held, boxed=boxed, catalogue=self._catalogue),
            expires_after=max(1, int(until - self._now)),
        )

    def _row(self, name: UnitId) -> boards.UnitRow:
        enrolled, unit = self._enrolled.get(name), self._unit(name)
        counts = self._admission.counts(name)
        return boards.UnitRow(
            unit=name,
            place=enrolled.place if enrolled else name,
            enrolled_simulated=enrolled is not None and enrolled.simulated,
            online=unit.online,
            health=unit.health,
            boxed=unit.boxed,
            heard_at=unit.heard_at,
            admitted=counts.admitted,
            refused=sum(counts.refused.values()) - counts.repeated,
            missing=self._admission.missing(name),
        )

    def _board_telling(self) -> Telling:
        today = self._today()
        open_alerts = [held for held in self._alerts.all() if held.ended_at is None and held.alert.flag]
        newest = open_alerts[-1].alert if open_alerts else None
        board = boards.Board(
            booth=self._config.booth,
            at=self._now,
            people_today=self._counts[self._day, "people"],
            people_total=self.baseline.people,
            flags_today=self._counts[self._day, "flags"],
            alerts_open=self._alerts.open,
            alerts_today=self._counts[self._day, "alerts"],
            gifted_today=today.gifted,
            weight=self.baseline.weight(self._now),
            needs=self.baseline.needs(self._config.young, self._now),
            stock=self._pacing.stock(today),
            staff=self._config.pacing.staff,
            staff_free=self._pacing.free(self._alerts.open),
            units=tuple(self._row(name) for name in sorted(self._enrolled)),
            usual=self.baseline.usual(most=_USUAL),
            last_alert=(
                boards.LastAlert(
                    alert=newest.alert,
                    text=staffwire.headline(newest.flag, self._catalogue),
                    at=newest.raised_at,
                )
                if newest and newest.flag
                else None
            ),
        )
        return Telling(topic=topics.board(self._config.booth), payload=boards.telling(board))


def _check_clock(now: Seconds, latest: float) -> None:
    """Unavailable where the hub's clock cannot be right: before this was written, or far from what was stored."""
    apart = (now - latest) / 86_400.0 if latest else 0.0
    if not BUILD_TIME <= now < COUNTER_LIMIT * TIME_STEP or abs(apart) > CLOCK_DAYS:
        raise Unavailable(
            "the hub's clock cannot be right"
            + (f": it is {apart:+.0f} days from the last sighting" if latest else ""),
            where="hub",
            mend="set the clock (systemd-timesyncd, a clock module); if it is right, move the database away",
        )
