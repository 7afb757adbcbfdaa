from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.base.errors import Refused, Rule
from appliance.hub.alerts.alerts import AFTERGLOW_SECONDS, OUTCOMES, Alerts, TrackedAlert
from appliance.protocol.values import (
    AlertId,
    AlertState,
    Epoch,
    Flag,
    Lens,
    Observation,
    PhenomenonTime,
    Reason,
    Seconds,
    Seq,
    Steps,
    TabletId,
    UnitId,
)
from tests.hub.corner import NOON, ODD

ONE, TWO = TabletId("tablet-1"), TabletId("tablet-2")
FLAG = Flag(
    observation=Observation(
        unit=UnitId("north"),
        epoch=Epoch(1),
        seq=Seq(0),
        seen=PhenomenonTime(uptime=Steps(0), wall=None),
        vector=ODD,
    ),
    p=0.001,
    bits=9.97,
    reasons=(Reason(lens=Lens.SINGLE, attributes=((2, 4),), one_in=640),),
)


def some() -> Alerts:
    return Alerts(
        alert_seconds=Seconds(180.0), service_seconds=Seconds(360.0), retention_seconds=Seconds(300.0)
    )


def one(alerts: Alerts, now: float = NOON) -> AlertId:
    held = alerts.raise_alert(
        FLAG, place="north corner", simulated=False, seen_at=Seconds(now), now=Seconds(now)
    )
    return held.alert.alert


def refused(call: object, *arguments: object) -> str:
    with pytest.raises(Refused) as refusal:
        call(*arguments)  # type: ignore[operator]
    assert refusal.value.rule is Rule.NOT_YOURS
    return refusal.value.what


def test_a_claimed_alert_lives_for_the_time_of_a_visit() -> None:
    """A claim is given the time one visit takes; the flag goes when it has been held long enough, claimed or not."""
    alerts = some()
    name = one(alerts)
    held = alerts.claim(name, ONE, Seconds(NOON + 100))
    assert held.alert.expires_at == NOON + 460
    assert alerts.tick(Seconds(NOON + 299)) == ((), ())
    ((blank,), gone) = alerts.tick(Seconds(NOON + 300))
    assert (blank.alert.state, blank.alert.flag, gone) == (AlertState.CLAIMED, None, ())
    assert alerts.outcome(name, ONE, AlertState.GIFTED, Seconds(NOON + 400)).alert.state is AlertState.GIFTED


def test_an_unclaimed_alert_expires_and_fades() -> None:
    """An alert nobody claims expires, loses its flag at once, and a minute later can no longer be read."""
    alerts = some()
    name = one(alerts)
    ((expired,), _) = alerts.tick(Seconds(NOON + 180))
    assert (expired.alert.state, expired.alert.flag) == (AlertState.EXPIRED, None)
    assert "it is expired" in refused(alerts.claim, name, ONE, Seconds(NOON + 181))
    assert alerts.tick(Seconds(NOON + 240)) == ((), (name,))
    assert "no longer exists" in refused(alerts.claim, name, ONE, Seconds(NOON + 241))


def test_repeated_requests_change_nothing() -> None:
    """Claim, outcome and forget can be sent again by the same tablet, with the same answer."""
    alerts = some()
    name = one(alerts)
    assert alerts.claim(name, ONE, NOON) is alerts.claim(name, ONE, Seconds(NOON + 1))
    ended = alerts.outcome(name, ONE, AlertState.DECLINED, NOON)
    assert alerts.outcome(name, ONE, AlertState.DECLINED, NOON) is ended
    assert alerts.forget(name, NOON) is ended
    assert "it is declined" in refused(alerts.outcome, name, ONE, AlertState.GIFTED, NOON)


def test_only_the_holder_says_how_it_ended() -> None:
    """Who has not claimed an alert cannot end it, except by forgetting it."""
    alerts = some()
    name = one(alerts)
    assert refused(alerts.outcome, name, ONE, AlertState.GIFTED, NOON) == "nobody has claimed it"
    alerts.claim(name, ONE, NOON)
    assert refused(alerts.outcome, name, TWO, AlertState.GIFTED, NOON) == "tablet-1 has it"
    assert refused(alerts.claim, name, TWO, NOON) == "tablet-1 has it already"
    assert alerts.forget(name, NOON).alert.state is AlertState.FORGOTTEN


class LifeOfAlerts(RuleBasedStateMachine):
    """Any sequence of requests and waiting, against a table of what staff were told."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts = some()
        self.now = NOON
        self.ends: dict[AlertId, AlertState] = {}
        self.holders: dict[AlertId, TabletId] = {}
        self.raised: dict[AlertId, float] = {}

    names = st.integers(1, 4).map(lambda number: AlertId(f"a{number}"))
    tablets = st.sampled_from((ONE, TWO))

    def note(self, held: TrackedAlert) -> None:
        """An end, once told, stays that end."""
        alert = held.alert
        if alert.state.ended:
            assert self.ends.setdefault(alert.alert, alert.state) is alert.state

    @rule()
    def raise_one(self) -> None:
        """A flag becomes an alert under a new name."""
        if len(self.raised) < 4:
            name = one(self.alerts, self.now)
            assert name not in self.raised
            self.raised[name] = self.now

    @rule(name=names, tablet=tablets)
    def claim(self, name: AlertId, tablet: TabletId) -> None:
        """A granted claim is the first."""
        try:
            held = self.alerts.claim(name, tablet, Seconds(self.now))
        except Refused:
            return
        assert name not in self.ends
        assert self.holders.setdefault(name, tablet) == tablet == held.alert.held_by

    @rule(name=names, tablet=tablets, outcome=st.sampled_from(OUTCOMES))
    def end(self, name: AlertId, tablet: TabletId, outcome: AlertState) -> None:
        """A granted outcome is the holder's."""
        try:
            held = self.alerts.outcome(name, tablet, outcome, Seconds(self.now))
        except Refused:
            return
        assert self.holders[name] == tablet
        self.note(held)

    @rule(name=names)
    def forget(self, name: AlertId) -> None:
        """Forgetting is refused only where there is nothing left."""
        try:
            self.note(self.alerts.forget(name, Seconds(self.now)))
        except Refused:
            assert name not in self.raised or name in self.ends

    @rule(seconds=st.sampled_from((1.0, 50.0, 200.0)))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now = Seconds(self.now + seconds)
        changed, gone = self.alerts.tick(Seconds(self.now))
        for held in changed:
            self.note(held)
        assert all(name in self.ends for name in gone)

    @invariant()
    def what_has_ended_or_been_held_too_long_holds_nothing(self) -> None:
        """No flag outlives its alert or its time."""
        for held in self.alerts.all():
            alert = held.alert
            assert not (alert.state.ended and alert.flag)
            assert (held.ended_at is not None) == alert.state.ended
            assert alert.flag is None or self.now < self.raised[alert.alert] + 300 + 200
            assert held.ended_at is None or self.now < held.ended_at + AFTERGLOW_SECONDS + 200


LifeOfAlerts.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_whatever_staff_do_each_alert_has_one_holder_and_one_end = LifeOfAlerts.TestCase
