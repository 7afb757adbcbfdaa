"""The life of an alert: raised, perhaps claimed, then exactly one end.

Invariants:
    * The first claim wins; only the holder says how it ended; anybody on staff may forget it.
    * A repeated request is answered as the first was and changes nothing.
    * The holder may give an alert back while something is left to look for; anybody can claim it then.
    * With its end an alert loses its flag: what remains is its name, its end, and after a minute nothing but counts.
    * A flag is held for ``retention_seconds`` at most, even while somebody is out with the gift.
    * Pure: no I/O, no clock; ``now`` is an argument. A request that cannot be granted is ``Refused`` (NOT_YOURS).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.protocol.values import Alert, AlertId, AlertState, Flag, Seconds, TabletId, UnitId

AFTERGLOW_SECONDS: Final = Seconds(60.0)
"""How long the end of an alert can still be read."""
OUTCOMES: Final = (AlertState.GIFTED, AlertState.DECLINED, AlertState.NOT_FOUND, AlertState.DISMISSED)
"""How the holder of an alert may end it."""


class AlertRefused(Refused):
    """NOT_YOURS, with the reason as a word: ``gone``, ``taken`` (``by`` whom), ``over`` or ``unclaimed``."""

    def __init__(self, why: str, what: str, *, where: str, by: TabletId | None = None, fix: str = "") -> None:
        super().__init__(Rule.NOT_YOURS, what, where=where, fix=fix)
        self.why = why
        self.by = by


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedAlert:
    """An alert in the hub's memory: by which camera and when its person was seen, and when it ended (None: open)."""

    alert: Alert
    unit: UnitId
    seen_at: Seconds
    ended_at: Seconds | None = None


class Alerts:
    """All alerts of the booth that can still be read.

    ``held`` takes up what the store kept; ``last`` is the number of the last alert ever raised.
    """

    def __init__(
        self,
        *,
        alert_seconds: Seconds,
        service_seconds: Seconds,
        retention_seconds: Seconds,
        held: Iterable[TrackedAlert] = (),
        last: int = 0,
    ) -> None:
        self._alert_seconds = alert_seconds
        self._service_seconds = service_seconds
        self._retention_seconds = retention_seconds
        self._held = {one.alert.alert: one for one in held}
        self.last = last

    def all(self) -> tuple[TrackedAlert, ...]:
        """Every alert that can still be read, oldest first."""
        return tuple(self._held.values())

    @property
    def open(self) -> int:
        """How many alerts are raised or claimed."""
        return sum(one.ended_at is None for one in self._held.values())

    def raise_alert(
        self, flag: Flag, *, place: str, simulated: bool, seen_at: Seconds, now: Seconds
    ) -> TrackedAlert:
        """A new alert for ``flag``, whose person was seen at ``seen_at``."""
        self.last += 1
        alert = Alert(
            alert=AlertId(f"a{self.last}"),
            state=AlertState.RAISED,
            raised_at=now,
            expires_at=Seconds(now + min(self._alert_seconds, self._retention_seconds)),
            place=place,
            simulated=simulated,
            flag=flag,
        )
        held = self._held[alert.alert] = TrackedAlert(
            alert=alert, unit=flag.observation.unit, seen_at=seen_at
        )
        return held

    def find(self, name: AlertId) -> TrackedAlert | None:
        """The alert called ``name``, if it can still be read."""
        return self._held.get(name)

    def _find(self, name: AlertId) -> TrackedAlert:
        held = self._held.get(name)
        if held is None:
            raise AlertRefused("gone", f"alert {name} no longer exists", where=name)
        return held

    def claim(self, name: AlertId, tablet: TabletId, now: Seconds) -> TrackedAlert:
        """The alert, now held by ``tablet``; it lives on for the time one visit takes. Refused: NOT_YOURS."""
        held = self._find(name)
        alert = held.alert
        if alert.held_by == tablet and alert.state is AlertState.CLAIMED:
            return held
        if alert.state is not AlertState.RAISED:
            if alert.state.ended:
                raise AlertRefused("over", f"it is {_say(alert)}", where=name)
            raise AlertRefused("taken", f"{alert.held_by} has it already", where=name, by=alert.held_by)
        life = max(self._alert_seconds, self._service_seconds)
        claimed = replace(alert, state=AlertState.CLAIMED, held_by=tablet, expires_at=Seconds(now + life))
        return self._keep(replace(held, alert=claimed))

    def release(self, name: AlertId, tablet: TabletId, now: Seconds) -> TrackedAlert:
        """The alert, given back by its holder ``tablet``: raised again, or expired where its clothes are forgotten.

        It lives as long as a new one, and never longer than what was worn is kept. Refused: NOT_YOURS.
        """
        held = self._find(name)
        alert = held.alert
        if alert.state is AlertState.RAISED:
            return held
        if alert.state.ended:
            raise AlertRefused("over", f"it is {_say(alert)}", where=name)
        if alert.held_by != tablet:
            raise AlertRefused("taken", f"{alert.held_by} has it", where=name, by=alert.held_by)
        until = min(now + self._alert_seconds, alert.raised_at + self._retention_seconds)
        if alert.flag is None or until <= now:
            return self._end(held, AlertState.EXPIRED, now)
        back = replace(alert, state=AlertState.RAISED, held_by=None, expires_at=Seconds(until))
        return self._keep(replace(held, alert=back))

    def outcome(self, name: AlertId, tablet: TabletId, outcome: AlertState, now: Seconds) -> TrackedAlert:
        """The alert, ended as its holder ``tablet`` says: one of ``OUTCOMES``. Refused: NOT_YOURS."""
        held = self._find(name)
        alert = held.alert
        if alert.held_by != tablet:
            if alert.state.ended:
                raise AlertRefused("over", f"it is {_say(alert)}", where=name)
            if alert.held_by is None:
                raise AlertRefused("unclaimed", "nobody has claimed it", where=name, fix="claim it first")
            raise AlertRefused("taken", f"{alert.held_by} has it", where=name, by=alert.held_by)
        if alert.state is outcome:
            return held
        if alert.state.ended:
            raise AlertRefused("over", f"it is {_say(alert)}", where=name)
        return self._end(held, outcome, now)

    def forget(self, name: AlertId, now: Seconds) -> TrackedAlert:
        """The alert with nothing left in it. One that had ended keeps its end: there was nothing left to forget."""
        held = self._find(name)
        return held if held.alert.state.ended else self._end(held, AlertState.FORGOTTEN, now)

    def tick(self, now: Seconds) -> tuple[tuple[TrackedAlert, ...], tuple[AlertId, ...]]:
        """Let time pass: (alerts that changed: expired or blanked, names of those that can no longer be read)."""
        changed: list[TrackedAlert] = []
        gone: list[AlertId] = []
        for held in tuple(self._held.values()):
            alert = held.alert
            if held.ended_at is not None:
                if now >= held.ended_at + AFTERGLOW_SECONDS:
                    del self._held[alert.alert]
                    gone.append(alert.alert)
            elif now >= alert.expires_at:
                changed.append(self._end(held, AlertState.EXPIRED, now))
            elif alert.flag and now >= alert.raised_at + self._retention_seconds:
                changed.append(self._keep(replace(held, alert=replace(alert, flag=None))))
        return tuple(changed), tuple(gone)

    def end_open(self, now: Seconds) -> tuple[TrackedAlert, ...]:
        """The booth closes for the day: the open alerts, now expired."""
        return tuple(self._end(one, AlertState.EXPIRED, now) for one in self.all() if one.ended_at is None)

    def close(self, now: Seconds) -> tuple[tuple[TrackedAlert, ...], tuple[AlertId, ...]]:
        """The booth stops: (open alerts, now expired; names of all, none of which can be read any longer)."""
        ended = self.end_open(now)
        names = tuple(self._held)
        self._held.clear()
        return ended, names

    def _keep(self, held: TrackedAlert) -> TrackedAlert:
        self._held[held.alert.alert] = held
        return held

    def _end(self, held: TrackedAlert, state: AlertState, now: Seconds) -> TrackedAlert:
        return self._keep(replace(held, alert=replace(held.alert, state=state, flag=None), ended_at=now))


def _say(alert: Alert) -> str:
    return alert.state.value.replace("_", " ")
