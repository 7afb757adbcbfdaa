"""The one door: untrusted bytes in, an admitted statement or a numbered refusal out.

Invariants:
    * The signature is checked before anything of a payload is read; a window moves only for what is admitted.
    * Each (unit, epoch, seq) is admitted at most once. A redelivery is refused like a replay, but counted as
      ``repeated``: it is how at-least-once delivery becomes exactly once.
    * Another statement under a number that was used proves that two devices hold one key: TWO_HOLDERS.
    * Every refusal is counted, by rule, under the unit whose topic it came on, or under no unit.
    * Windows and counts belong to a key, not to a name: who is enrolled anew with a new key starts anew.
    * A good statement is never refused because the *hub's* clock is wrong. A unit's wall clock that is ahead of the
      hub's is not believed; uptime and arrival then say when. FUTURE is for what uptime shows to be impossible.
    * A unit may say so much in a step and in five minutes of its own time, however late it is delivered; and so much
      may arrive of it by the hub's clock that the backlog of an hour without a broker is not refused.
    * Pure: no I/O, no clock; ``now`` is an argument, and the state can be stored and taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.admission.replay_window import Verdict
from appliance.hub.admission.timing import check_time, outlives, seen_at
from appliance.hub.admission.unit_state import (
    ARRIVALS_PER_SECOND,
    MOST_BACKLOG,
    UnitAdmission,
    UnitAdmissionState,
    UnitCounts,
)
from appliance.protocol import receipt, topics
from appliance.protocol.encryption import Decryptor, is_encrypted
from appliance.protocol.receipt import AdmissionReceipt
from appliance.protocol.sign import Opener, Signer, key_id
from appliance.protocol.values import BoothId, Epoch, Seconds, Statement, UnitId
from appliance.settings.config import EnrolledUnit, Register

FRESH_SECONDS: Final = 60.0
"""How old a phenomenon may be for somebody to be sent after it: at walking pace, 80 metres."""

OLD_SECONDS: Final = 24 * 3600.0


@unique
class Lateness(IntEnum):
    """How long ago the phenomenon was when it arrived."""

    FRESH = 0
    LATE = 1
    """Teaches the baseline, alerts nobody."""
    OLD = 2
    """More than a day: the same, and worth a look at the unit's link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A statement that passed the door.

    ``seen_at`` is the phenomenon's time on the hub's clock, as well as it is known, and never after ``now``.
    """

    statement: Statement
    seen_at: Seconds
    lateness: Lateness


class Admission:
    """The door of one booth, for the units of ``register``."""

    def __init__(
        self, *, booth: BoothId, register: Register, doors: tuple[UnitAdmissionState, ...] = ()
    ) -> None:
        self._booth = booth
        self._opener = Opener(booth=booth, signer_of=self._signer_of)
        self._signers: dict[bytes, Signer] = {}
        self._enrolled: dict[str, EnrolledUnit] = {}
        self._names: dict[str, str] = {}
        self._touched: set[str] = set()
        self._refusals: set[str] = set()
        self._news: set[UnitId] = set()
        self._two_holders: dict[str, Seconds] = {}
        self.decryptor = Decryptor()
        """Opens what units encrypted to this hub."""
        self.enrol(register)
        self._doors: dict[str, UnitAdmission] = {
            self._names.get(state.unit, state.unit): UnitAdmission.of(state) for state in doors
        }

    def enrol(self, register: Register) -> None:
        """Believe the units of ``register`` from now on, and no others. Counts and windows of known keys stay."""
        self._names = {unit.unit: f"{unit.unit}/{key_id(unit.public_key).hex()}" for unit in register.units}
        self._enrolled = {unit.unit: unit for unit in register.units}
        self._topics = {topics.observation(self._booth, unit.unit): str(unit.unit) for unit in register.units}
        self._signers = {
            key_id(unit.public_key): Signer(unit=unit.unit, public_key=unit.public_key, revoked=unit.revoked)
            for unit in register.units
        }

    def _signer_of(self, key: bytes) -> Signer | None:
        return self._signers.get(key)

    def admit(
        self, untrusted_topic: str, untrusted_envelope: bytes, now: Seconds, *, retained: bool = False
    ) -> Admitted:
        """The statement in ``untrusted_envelope``, admitted once and for all at ``now`` (unix seconds).

        Refused: TOO_LONG, UNREADABLE, MALFORMED, UNKNOWN_KEY, FORGED, WRONG_TOPIC, REVOKED, REPLAYED, ROLLED_BACK,
        FUTURE, OTHER_VERSION, OUTSIDE_VOCABULARY, TOO_FAST; each is counted.
        """
        name = ""
        try:
            name = self._topics.get(untrusted_topic, "")
            if not name:
                name, leaf = topics.named_in(untrusted_topic, self._booth, "unit")
                _check_leaf(name, leaf)
            _check_flag(name, retained=retained)
            if is_encrypted(untrusted_envelope):
                untrusted_envelope = self.decryptor.envelope_in(untrusted_envelope, untrusted_topic)
            statement = self._opener.open(untrusted_envelope)
            _check_sender(statement, name)
            return self._enter(statement, now)
        except Refused as refusal:
            self._count_refusal(name, refusal.rule)
            raise

    def _enter(self, statement: Statement, now: Seconds) -> Admitted:
        unit = statement.unit
        door = self._door(self._names[unit])
        window = door.window(statement.epoch, unit)
        verdict = window.verdict(statement.seq)
        if verdict is not Verdict.FRESH:
            repeated = verdict is Verdict.REPEATED
            if repeated and window.contradicts(statement.seq, hash(statement)):
                raise self._second_holder(statement, now)
            self._news.add(unit)  # it does not know that we have it
            door.counts.repeated += repeated
            what = "was admitted before" if repeated else "is older than the replay window"
            raise Refused(Rule.REPLAYED, f"epoch {statement.epoch} seq {statement.seq} {what}", where=unit)
        check_time(statement, window, now)
        if not door.arrivals.take(now):
            raise Refused(
                Rule.TOO_FAST,
                f"more arrived than {ARRIVALS_PER_SECOND:.0f} a second, after {MOST_BACKLOG:,.0f} at once",
                where=unit,
                fix="revoke the unit if its key may have been stolen",
            )
        if outlives(statement, door.windows.values()):
            self._two_holders[unit] = now
        window.mark(statement.seq)
        window.told(statement.seq, hash(statement))
        window.passed(statement.seen.uptime)
        door.enter(window)
        door.counts.admitted += 1
        self._touched.add(self._names[unit])
        self._news.add(unit)
        when, known = seen_at(statement, window, now)
        age = now - when
        fresh = known and age <= FRESH_SECONDS
        lateness = Lateness.FRESH if fresh else Lateness.LATE if age <= OLD_SECONDS else Lateness.OLD
        return Admitted(statement=statement, seen_at=when, lateness=lateness)

    def _second_holder(self, statement: Statement, now: Seconds) -> Refused:
        self._two_holders[statement.unit] = now
        return Refused(
            Rule.TWO_HOLDERS,
            f"epoch {statement.epoch} seq {statement.seq} was used for something else: two devices hold this key",
            where=statement.unit,
            fix=f"switch one of them off, then leftfield booth revoke {statement.unit} and enrol anew",
        )

    def two_holders_at(self, unit: str) -> Seconds | None:
        """When two devices last spoke under this unit's key, as far as is remembered."""
        return self._two_holders.get(unit)

    def _door(self, name: str) -> UnitAdmission:
        door = self._doors.get(name)
        if door is None:
            door = self._doors[name] = UnitAdmission()
        return door

    def _count_refusal(self, untrusted_name: str, rule: Rule) -> None:
        # Names nobody enrolled share one count: a stranger cannot fill our memory with names.
        name = self._names.get(untrusted_name, "")
        self._door(name).counts.refused[rule] += 1
        self._refusals.add(name)

    def turn_away(self, untrusted_topic: str, refusal: Refused) -> Refused:
        """The same refusal, counted under the unit on whose topic it came, for who refuses before the door."""
        self._count_refusal(self._topics.get(untrusted_topic, ""), refusal.rule)
        return refusal

    def clock_stepped(self, by: float) -> None:
        """The hub's wall clock was set ``by`` seconds ahead (or back): what was told by it moves with it."""
        for name, door in self._doors.items():
            for window in tuple(door.windows.values()):
                door.enter(window)
                window.boot, window.settled_at = window.boot + by, window.settled_at + by
                window.agreed = False
                self._touched.add(name)

    def counts(self, unit: str) -> UnitCounts:
        """What was counted for ``unit``, or for senders that are no unit (``""``)."""
        return self._door(self._names.get(unit, "")).counts

    def missing(self, unit: str) -> int:
        """Numbers of ``unit`` that have not come, in all its epochs."""
        door = self._door(self._names.get(unit, ""))
        return door.counts.missing_closed + sum(window.missing for window in door.windows.values())

    def synced(self, unit: str) -> bool | None:
        """Whether the clock of ``unit`` was set when it spoke last; None where it has not spoken."""
        door = self._doors.get(self._names.get(unit, ""))
        window = door.windows.get(max(door.windows)) if door and door.windows else None
        return window.synced if window else None

    def receipts(self, *, every: bool = False) -> tuple[AdmissionReceipt, ...]:
        """For each unit of which something came since the last call, or for ``every`` one: what we have of it."""
        units = self._enrolled.keys() if every else self._news & self._enrolled.keys()
        self._news = set()
        return tuple(self._receipt(name) for name in sorted(units))

    def _receipt(self, name: str) -> AdmissionReceipt:
        unit, door = self._enrolled[name], self._door(self._names[name])
        return AdmissionReceipt(
            unit=unit.unit,
            key=key_id(unit.public_key),
            admitted=door.counts.admitted,
            floor=door.floor,
            epochs=tuple(
                receipt.told(epoch, window.highest + 1, window.gaps) for epoch, window in door.windows.items()
            ),
        )

    def know(self, receipt: AdmissionReceipt) -> bool:
        """Take as admitted what we once said is, in a receipt of ours: this database may be an old copy.

        True where that was news.
        """
        enrolled = self._enrolled.get(receipt.unit)
        if enrolled is None or key_id(enrolled.public_key) != receipt.key:
            return False
        name = self._names[receipt.unit]
        door = self._door(name)
        news = receipt.floor > door.floor
        door.close_below(receipt.floor)
        for one in receipt.epochs:
            news |= door.take_as_admitted(Epoch(one.epoch), one.end, one.gaps)
        if news:
            self._touched.add(name)
        return news

    def changed(self, *, refusals: bool = True) -> tuple[UnitAdmissionState, ...]:
        """The states that changed since the last call, for the store.

        Without ``refusals`` those where nothing but a count of refusals changed may wait.
        """
        if refusals:
            self._touched |= self._refusals
        names, self._touched = sorted(self._touched), set()
        self._refusals -= set(names)
        return tuple(self._doors[name].state(name) for name in names)


def _check_leaf(name: str, leaf: str) -> None:
    if leaf != "observation":
        raise Refused(Rule.WRONG_TOPIC, "the topic takes no observations", where=name)


def _check_flag(name: str, *, retained: bool) -> None:
    if retained:
        raise Refused(
            Rule.REPLAYED,
            "observations must not be retained: a retained one may be a recording",
            where=name,
            fix="publish observations without the retain flag",
        )


def _check_sender(statement: Statement, name: str) -> None:
    if statement.unit != name:
        raise Refused(
            Rule.WRONG_TOPIC, f"signed by {statement.unit}, sent on the topic of {name}", where=name
        )
