"""The set-up desk: what installers ask is checked, signed for the unit or kept as a test; what they see is told.

Invariants:
    * Only a tablet with the installer's right is answered, whatever the broker let through.
    * One unit at a time is aimed; a locked one is ordered nothing.
    * An order names the unit's key and the epoch that its last heartbeat said.
    * Whoever a unit saw while its walk test lasted teaches nothing, alerts nobody and is not stored, however late the
      unit says so. Whoever it saw before or after counts as ever.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.messages import IncomingMessage, OutgoingMessage
from appliance.hub.setup import messages
from appliance.hub.setup.messages import Ask, SetupRequest, UnitSetup
from appliance.hub.setup.walk import TEST_SECONDS, ClickTest, WalkCounts, WalkTest, is_between
from appliance.hub.staff.messages import MAX_CORRELATION
from appliance.hub.staff.status import SILENT_SECONDS
from appliance.hub.staff.unit_status import UnitStatuses
from appliance.protocol import topics
from appliance.protocol.acts import ActKind
from appliance.protocol.health import UnitState
from appliance.protocol.setup_order import GOOD_SECONDS, Do, SetupOrder, sealed_order
from appliance.protocol.sign import key_id
from appliance.protocol.values import AttributeVector, BoothId, Epoch, Seconds, TabletId, UnitId
from appliance.settings.config import EnrolledUnit, Register

COUNT_SECONDS: Final = 1800.0
EVERY_SECONDS: Final = 2.0
"""How often installers are told how tests go, while one goes on."""
_ORDERS: Final = {Ask.AIM: Do.AIM, Ask.WATCH: Do.WATCH, Ask.ZONES: Do.ZONES, Ask.LOCK: Do.LOCK}
_ACTS: Final = {
    Ask.AIM: ActKind.AIM,
    Ask.ZONES: ActKind.ZONES,
    Ask.WALK: ActKind.WALK,
    Ask.LOCK: ActKind.LOCK,
}
_PAST_TESTS: Final = 8
"""Tests of a unit that are remembered after their end, for what it says late."""
_BURST: Final = 20.0
_PER_SECOND: Final = 4.0
"""What one tablet may ask: whoever clicks passers-by is fast."""


class SetupDesk:
    """Set-up in ``booth``; orders are signed with ``private_key``, or refused where there is none."""

    def __init__(
        self, booth: BoothId, register: Register, statuses: UnitStatuses, private_key: bytes | None
    ) -> None:
        self._booth = booth
        self._statuses = statuses
        self._key = private_key
        self._walks: dict[str, WalkTest] = {}
        self._past: dict[str, deque[tuple[float, float]]] = {}
        self._clicks: dict[str, ClickTest] = {}
        self._counts: dict[str, WalkCounts] = {}
        self._aimed: tuple[str, float] = ("", 0.0)
        self._budgets: dict[str, tuple[float, float]] = {}
        self._said, self._said_at = b"", 0.0
        self._acts: list[tuple[ActKind, str, str]] = []
        self.enrol(register)

    def enrol(self, register: Register) -> None:
        """These units and installers from now on, and no others."""
        self._units: dict[str, EnrolledUnit] = {
            unit.unit: unit for unit in register.units if not unit.revoked
        }
        self._installers = frozenset(register.installers)

    def handle(
        self, message: IncomingMessage, now: Seconds
    ) -> tuple[tuple[OutgoingMessage, ...], Refused | None]:
        """Answer a tablet, and order a unit where that is asked. Refused only where there is nobody to answer."""
        name, _ = topics.named_in(message.untrusted_topic, self._booth, "staff")
        if name not in self._installers:
            raise Refused(Rule.NOT_YOURS, "no such installer's tablet is enrolled", where="setup")
        why = "refused"
        try:
            self._check_rate(name, message, now)
            request = messages.request_in(message.untrusted_payload)
            unit = self._enrolled(request.unit)
            why, act = self._act_for(request, unit, now)
            orders = act()
        except Refused as refusal:
            return (self._answer(name, message, messages.refusal(refusal, why)),), refusal
        if kind := _ACTS.get(request.ask):
            self._acts.append((kind, name, str(request.unit)))
        return (*orders, self._answer(name, message, messages.answer(request.ask))), None

    def _enrolled(self, name: UnitId) -> EnrolledUnit:
        unit = self._units.get(name)
        if unit is None:
            raise Refused(Rule.NOT_YOURS, "no such camera is enrolled", where="setup")
        return unit

    def acts(self) -> tuple[tuple[ActKind, str, str], ...]:
        """What installers have had done since the last call, by whom and of which unit, for the log of acts."""
        acts, self._acts = tuple(self._acts), []
        return acts

    def _answer(self, tablet: str, message: IncomingMessage, payload: bytes) -> OutgoingMessage:
        return OutgoingMessage(
            topic=topics.staff(self._booth, TabletId(tablet), "answer"),
            payload=payload,
            retain=False,
            correlation=message.untrusted_correlation[:MAX_CORRELATION],
        )

    def _check_rate(self, tablet: str, message: IncomingMessage, now: Seconds) -> None:
        tokens, at = self._budgets.get(tablet, (_BURST, now))
        tokens = min(_BURST, tokens + max(0.0, now - at) * _PER_SECOND)
        self._budgets[tablet] = (max(0.0, tokens - 1.0), now)
        if tokens < 1.0:
            raise Refused(Rule.TOO_FAST, "too many requests", where=tablet, fix="wait a moment")
        if message.retained or len(message.untrusted_correlation) > MAX_CORRELATION:
            raise Refused(
                Rule.MALFORMED_REQUEST, "the request is retained or its mark too long", where=tablet
            )

    def _act_for(
        self, request: SetupRequest, unit: EnrolledUnit, now: Seconds
    ) -> tuple[str, Callable[[], tuple[OutgoingMessage, ...]]]:
        """What is to be done, and the word that says why not where it is refused."""
        state, health = self._state(unit.unit, now), self._statuses.health(unit.unit)
        if request.ask in _ORDERS:
            if health is not None and health.locked:
                return "locked", lambda: _refuse("this camera is locked", "flash its card to set it up anew")
            if state == "silent":
                return "silent", lambda: _refuse("this camera says nothing", "look at its power and network")
            if request.ask is Ask.AIM and (other := self._other_aimed(unit.unit, now)):
                return "other", lambda: _refuse(
                    f"{other} is being aimed", "one camera at a time: end that first"
                )
            return "key", lambda: self._order(request, unit, now)
        return "test", lambda: self._test(request, unit.unit, now)

    def _order(self, request: SetupRequest, unit: EnrolledUnit, now: Seconds) -> tuple[OutgoingMessage, ...]:
        if self._key is None:
            _refuse("the hub has no key to sign orders with", "name a prior_key in hub.toml")
        order = SetupOrder(
            unit=unit.unit,
            key=key_id(unit.public_key),
            epoch=Epoch(self._statuses.epoch(unit.unit)),
            made_at=int(now),
            do=_ORDERS[request.ask],
            minutes=request.minutes,
            zones=request.zones,
        )
        if request.ask is Ask.AIM:
            self._aimed = (unit.unit, now + GOOD_SECONDS)
        elif self._aimed[0] == unit.unit:
            self._aimed = ("", 0.0)
        self._end(unit.unit, now)
        payload = sealed_order(order, booth=self._booth, private_key=self._key or b"")
        told = OutgoingMessage(
            topic=topics.setup(self._booth, unit.unit),
            payload=payload,
            retain=False,
            expires_after=GOOD_SECONDS,
        )
        return (told,)

    def _other_aimed(self, unit: str, now: Seconds) -> str:
        """Another unit that is aimed, or was just ordered to be."""
        ordered, until = self._aimed
        waiting = [ordered] if now < until else []
        aimed = [name for name in self._units if self._state(name, now) == UnitState.AIMING.name.lower()]
        return next((name for name in (*aimed, *waiting) if name != unit), "")

    def _state(self, name: str, now: Seconds) -> str:
        row = self._statuses.row(UnitId(name))
        heard = row.heard_at is not None and now - row.heard_at <= SILENT_SECONDS
        return row.health.state.name.lower() if row.health and heard else "silent"

    def _test(self, request: SetupRequest, unit: str, now: Seconds) -> tuple[OutgoingMessage, ...]:
        walk, clicks = self._walks.get(unit), self._clicks.get(unit)
        if request.ask is Ask.WALK:
            self._clicks.pop(unit, None)
            counts = walk.counts if walk else WalkCounts()  # in other clothes, the same test goes on
            self._leave(unit, now)
            until = Seconds(now + TEST_SECONDS)
            self._walks[unit] = WalkTest(worn=dict(request.worn), since=now, until=until, counts=counts)
        elif request.ask is Ask.COUNT:
            self._end(unit, now)
            self._clicks[unit] = ClickTest(since=now, until=Seconds(now + COUNT_SECONDS))
        elif request.ask is Ask.END:
            self._end(unit, now)
            if clicks:
                clicks.until = now
        elif request.ask is Ask.PASS and walk:
            walk.begin(now)
        elif request.ask is Ask.CLICK and clicks and now < clicks.until:
            clicks.clicks += 1
        else:
            _refuse("there is no test under way", "begin one first")
        return ()

    def _end(self, unit: str, now: Seconds) -> None:
        walk = self._leave(unit, now)
        if walk is not None:
            self._counts[unit] = walk.finish()

    def _leave(self, unit: str, now: Seconds) -> WalkTest | None:
        """A walk test is over; when it was is kept."""
        walk = self._walks.pop(unit, None)
        if walk is not None:
            past = self._past.setdefault(unit, deque(maxlen=_PAST_TESTS))
            past.append((walk.since, min(now, walk.until)))
        return walk

    def observed(self, unit: str, vector: AttributeVector, seen_at: Seconds, now: Seconds) -> bool:
        """A unit has read somebody; True where that belongs to a walk test, and to nothing else."""
        walk, clicks = self._walks.get(unit), self._clicks.get(unit)
        if walk is not None and is_between(walk.since, seen_at, walk.until):
            walk.observed(vector, now)
            return True
        if any(is_between(since, seen_at, until) for since, until in self._past.get(unit, ())):
            return True
        if clicks is not None and is_between(clicks.since, seen_at, clicks.until):
            clicks.seen += 1
        return False

    def tick(self, now: Seconds) -> None:
        """Let time pass: passes and tests end by themselves."""
        self._statuses.test(self._walks)
        for unit, walk in tuple(self._walks.items()):
            walk.tick(now)
            if now >= walk.until:
                self._end(unit, now)
        gone = [unit for unit in self._walks if unit not in self._units]
        for unit in gone:
            self._end(unit, now)

    def due(self, now: Seconds) -> tuple[OutgoingMessage, ...]:
        """What installers are to be told, where it is another thing than before."""
        if abs(now - self._said_at) < EVERY_SECONDS:
            return ()
        told = self.told(now)
        self._said_at = now
        said, self._said = self._said, told.payload.partition(b'"units"')[2]
        return () if said == self._said else (told,)

    def told(self, now: Seconds) -> OutgoingMessage:
        """How every unit stands."""
        units = [
            UnitSetup(
                unit=unit.unit,
                place=unit.place,
                looks=unit.looks,
                state="tested" if name in self._walks else self._state(name, now),
                locked=bool((health := self._statuses.health(unit.unit)) and health.locked),
                card=bool(health and health.card),
                walk=self._walks.get(name),
                counts=self._counts.get(name),
                clicks=self._clicks.get(name),
            )
            for name, unit in sorted(self._units.items())
        ]
        return OutgoingMessage(topic=topics.setups(self._booth), payload=messages.telling(units, now))


def _refuse(what: str, fix: str) -> tuple[OutgoingMessage, ...]:
    raise Refused(Rule.NOT_YOURS, what, where="setup", fix=fix)
