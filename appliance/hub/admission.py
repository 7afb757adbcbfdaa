"""The one door: untrusted bytes in, an admitted statement or a numbered refusal out.

Laws:
    * The signature is checked before anything of a payload is read; a window moves only for what is admitted.
    * Each (unit, epoch, seq) is admitted at most once. A redelivery is refused like a replay, but counted as
      ``repeated``: it is how at-least-once delivery becomes exactly once.
    * Every refusal is counted, by rule, under the unit whose topic it came on, or under no unit.
    * Thinking only: ``now`` is an argument, and the state can be stored and taken up again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum, unique
from typing import Final

from appliance import topics
from appliance.config import EnrolledUnit, Register
from appliance.errors import Refused, Rule
from appliance.hub.window import Verdict, Window, WindowState
from appliance.sign import Opener, Signer, key_id
from appliance.values import TIME_STEP, BoothId, Epoch, Seconds, Statement, UnitId

OPEN_EPOCHS: Final = 8
"""How many epochs of a unit stay open at once, so that what was spooled before a power cut still gets in."""

FUTURE_SECONDS: Final = 60.0
"""How far a phenomenon may lie ahead of the hub's clock."""

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


@dataclass(slots=True, kw_only=True)
class UnitCounts:
    """What the door has counted for one unit (or for no unit); only ever grows."""

    admitted: int = 0
    repeated: int = 0
    missing_closed: int = 0
    """Numbers that never came, of epochs that are closed."""
    refused: Counter[Rule] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorState:
    """What the store keeps of one unit: the lowest epoch still open, its windows, its counts.

    ``refused`` pairs rule numbers with counts. The unit named ``""`` stands for senders that are no unit.
    """

    unit: str
    floor: int
    admitted: int
    repeated: int
    missing_closed: int
    refused: tuple[tuple[int, int], ...]
    windows: tuple[WindowState, ...]


class _Door:
    """The windows and counts of one unit."""

    __slots__ = ("counts", "floor", "windows")

    def __init__(self) -> None:
        self.floor = 1
        self.windows: dict[Epoch, Window] = {}
        self.counts = UnitCounts()

    def window(self, epoch: Epoch, unit: UnitId) -> Window:
        """The window of ``epoch``, new if need be but not yet entered. Refused: ROLLED_BACK."""
        known = self.windows.get(epoch)
        if known is not None:
            return known
        full = len(self.windows) >= OPEN_EPOCHS
        if epoch < self.floor or (full and epoch < min(self.windows)):
            raise Refused(
                Rule.ROLLED_BACK,
                f"epoch {epoch} is closed",
                where=unit,
                mend="if the unit was restored from an old copy, enrol it again with a new key",
            )
        # Of a unit we knew before, an epoch starts at 0 and what is skipped is missing. Of one we meet in the
        # middle of its life, we cannot miss what we never were to get.
        return Window(epoch=epoch, lowest=0 if self.windows else 2**32)

    def enter(self, window: Window) -> None:
        """Keep ``window``; close the oldest where too many would be open."""
        self.windows[window.epoch] = window
        if len(self.windows) > OPEN_EPOCHS:
            closed = self.windows.pop(min(self.windows))
            self.counts.missing_closed += closed.missing
            self.floor = closed.epoch + 1


class Admission:
    """The door of one booth, for the units of ``register``."""

    def __init__(self, *, booth: BoothId, register: Register, doors: tuple[DoorState, ...] = ()) -> None:
        self._booth = booth
        self._opener = Opener(booth=booth, signer_of=self._signer_of)
        self._signers: dict[bytes, Signer] = {}
        self._enrolled: dict[str, EnrolledUnit] = {}
        self._doors: dict[str, _Door] = {state.unit: _door_of(state) for state in doors}
        self._touched: set[str] = set()
        self.enrol(register)

    def enrol(self, register: Register) -> None:
        """Believe the units of ``register`` from now on, and no others. Their counts and windows stay."""
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

        Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, WRONG_TOPIC, REVOKED, REPLAYED, ROLLED_BACK, FUTURE,
        OTHER_VERSION, OUTSIDE_VOCABULARY; each is counted.
        """
        name = ""
        try:
            name = self._topics.get(untrusted_topic, "")
            if not name:
                name, leaf = topics.named_in(untrusted_topic, self._booth, "unit")
                _check_leaf(name, leaf)
            _check_flag(name, retained=retained)
            statement = self._opener.open(untrusted_envelope)
            _check_sender(statement, name)
            return self._enter(statement, now)
        except Refused as refusal:
            self._count_refusal(name, refusal.rule)
            raise

    def _enter(self, statement: Statement, now: Seconds) -> Admitted:
        unit, seen = statement.unit, statement.seen
        if seen.wall is not None and seen.wall * TIME_STEP > now + FUTURE_SECONDS:
            raise Refused(
                Rule.FUTURE,
                f"seen {seen.wall * TIME_STEP - now:.0f} s ahead of the hub's clock",
                where=unit,
                mend="let the unit take its time from the hub (systemd-timesyncd)",
            )
        door = self._door(unit)
        window = door.window(statement.epoch, unit)
        verdict = window.verdict(statement.seq)
        if verdict is not Verdict.FRESH:
            repeated = verdict is Verdict.REPEATED
            door.counts.repeated += repeated
            what = "was admitted before" if repeated else "is older than the replay window"
            raise Refused(Rule.REPLAYED, f"epoch {statement.epoch} seq {statement.seq} {what}", where=unit)
        window.mark(statement.seq)
        door.enter(window)
        door.counts.admitted += 1
        self._touched.add(unit)
        seen_at = _seen_at(statement, window, now)
        age = now - seen_at
        lateness = (
            Lateness.FRESH if age <= FRESH_SECONDS else Lateness.LATE if age <= OLD_SECONDS else Lateness.OLD
        )
        return Admitted(statement=statement, seen_at=seen_at, lateness=lateness)

    def _door(self, name: str) -> _Door:
        door = self._doors.get(name)
        if door is None:
            door = self._doors[name] = _Door()
        return door

    def _count_refusal(self, untrusted_name: str, rule: Rule) -> None:
        # Names nobody enrolled share one count: a stranger cannot fill our memory with names.
        name = untrusted_name if untrusted_name in self._enrolled else ""
        self._door(name).counts.refused[rule] += 1
        self._touched.add(name)

    def counts(self, unit: str) -> UnitCounts:
        """What was counted for ``unit``, or for senders that are no unit (``""``)."""
        return self._door(unit).counts

    def missing(self, unit: str) -> int:
        """Numbers of ``unit`` that have not come, in all its epochs."""
        door = self._door(unit)
        return door.counts.missing_closed + sum(window.missing for window in door.windows.values())

    def changed(self) -> tuple[DoorState, ...]:
        """The states that changed since the last call, for the store."""
        names, self._touched = sorted(self._touched), set()
        return tuple(_state_of(name, self._doors[name]) for name in names)


def _check_leaf(name: str, leaf: str) -> None:
    if leaf != "observation":
        raise Refused(Rule.WRONG_TOPIC, "no observation belongs on this topic", where=name)


def _check_flag(name: str, *, retained: bool) -> None:
    if retained:
        raise Refused(
            Rule.REPLAYED,
            "a retained observation is a recording",
            where=name,
            mend="publish observations without the retain flag",
        )


def _check_sender(statement: Statement, name: str) -> None:
    if statement.unit != name:
        raise Refused(
            Rule.WRONG_TOPIC, f"signed by {statement.unit}, sent on the topic of {name}", where=name
        )


def _seen_at(statement: Statement, window: Window, now: Seconds) -> Seconds:
    """When it was seen, on the hub's clock.

    A synchronised unit says so itself. For one that is not, the boot instant of the epoch is taken as the least of
    (arrival - uptime): the message that was delayed least tells best (the minimum filter of NTP, RFC 5905 sec. 10).
    """
    seen = statement.seen
    uptime = seen.uptime * TIME_STEP
    if seen.wall is not None:
        window.boot, window.synced = float(seen.wall * TIME_STEP - uptime), True
    elif not window.synced:
        window.boot = min(window.boot, now - uptime)
    return Seconds(min(window.boot + uptime, now))


def _state_of(unit: str, door: _Door) -> DoorState:
    counts = door.counts
    return DoorState(
        unit=unit,
        floor=door.floor,
        admitted=counts.admitted,
        repeated=counts.repeated,
        missing_closed=counts.missing_closed,
        refused=tuple(sorted((int(rule), count) for rule, count in counts.refused.items())),
        windows=tuple(window.state() for window in door.windows.values()),
    )


def _door_of(state: DoorState) -> _Door:
    door = _Door()
    door.floor = state.floor
    door.windows = {window.epoch: Window.of(window) for window in state.windows}
    door.counts = UnitCounts(
        admitted=state.admitted,
        repeated=state.repeated,
        missing_closed=state.missing_closed,
        refused=Counter({Rule(rule): count for rule, count in state.refused}),
    )
    return door
