from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Unavailable
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import DAY, coarse
from appliance.hub.statistics.conformal import whole
from appliance.hub.statistics.rarity import Rarity
from appliance.hub.storage.restore import learnt
from appliance.hub.storage.state import HubState, PendingObservation, Snapshot
from appliance.protocol.values import Epoch, Seconds, UnitId
from tests.hub.corner import (
    NOON,
    PLAIN,
    Camera,
    new_booth,
    teach,
    told,
)


@pytest.mark.parametrize("now", [60.0, 946_684_800.0, NOON + 800 * 86_400, NOON - 401 * 86_400, 1e18])
def test_a_clock_that_cannot_be_right_touches_nothing(now: float) -> None:
    """A hub whose clock is before 2025, or more than 400 days from the last sighting, waits for a better one."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera, 100)
    before, doors = booth.baseline.state().pairs, booth._admission.counts("north").admitted
    with pytest.raises(Unavailable, match="clock"):
        booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], Seconds(now))
    assert (booth.baseline.state().pairs == before).all()
    assert booth._admission.counts("north").admitted == doors


def test_a_clock_that_once_ran_ahead_does_not_outweigh_the_street() -> None:
    """After a clock 120 days ahead is set right, the baseline is young, learns at once, and raises alerts again."""
    camera = Camera("north", synced=False)
    booth = new_booth(camera)
    teach(booth, camera)
    booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], Seconds(NOON + 120 * 86_400))
    outcome = teach(booth, camera, 40, NOON + 60)
    assert told(outcome, "hub")[0]["baseline"]["needs"] <= 60
    assert teach(booth, camera, 40, NOON + 120)
    assert booth.baseline.needs(60, Seconds(NOON + 120)) == 0


MIDNIGHT = 1_760_054_400.0
"""2025-10-10 00:00 UTC."""


def _counted(*instants: float, each: int = 20) -> Baseline:
    """A baseline that counted ``each`` people at every instant of the hub's clock, in this order."""
    baseline = Baseline()
    for instant in instants:
        now = Seconds(instant)
        baseline.follow_clock(now)
        for _ in range(each):
            baseline.update(PLAIN, UnitId("north"), now)
    return baseline


@pytest.mark.parametrize("back", [3.0, 3600.0, 43_200.0, 2.9 * DAY, 30 * DAY, 200 * DAY])
@pytest.mark.parametrize("at", [MIDNIGHT + 1.0, NOON])
def test_a_clock_set_back_and_right_again_costs_nothing(back: float, at: float) -> None:
    """Seconds over midnight or months: once the clock is right, the weight is that of a clock never wrong."""
    steady = _counted(at, at + 60, at + 120)
    shaken = _counted(at, at + 60 - back, at + 120)
    now = Seconds(at + 180)
    shaken.follow_clock(now)
    assert shaken.weight(now) == pytest.approx(steady.weight(now), rel=0.1)
    assert shaken.people == steady.people


@given(st.lists(st.floats(-200 * DAY, 0.0), max_size=12), st.floats(0.0, DAY))
def test_no_wandering_of_the_clock_behind_costs_weight(shifts: list[float], phase: float) -> None:
    """However often and far a clock is behind, right again it leaves the weight within a day's decay."""
    start = MIDNIGHT + phase
    instants = [start + 60.0 * step for step in range(1, len(shifts) + 1)]
    shaken = _counted(start, *(at + shift for at, shift in zip(instants, shifts, strict=True)), start + 3600)
    steady = _counted(start, *instants, start + 3600)
    now = Seconds(start + 7200)
    shaken.follow_clock(now)
    assert shaken.weight(now) == pytest.approx(steady.weight(now), rel=0.1)


@pytest.mark.parametrize("back", [3.0, 3600.0, 3 * DAY, 30 * DAY, 200 * DAY])
@pytest.mark.parametrize("behind", [0, 50])
def test_a_hub_killed_and_started_with_its_clock_behind_loses_nothing(back: float, behind: int) -> None:
    """People of before and after the clock was set back wait in the journal: right again, all of them count."""
    rarity = Rarity(_counted(NOON - DAY, each=400))
    snapshot = Snapshot(baseline=coarse(rarity.baseline.state()), bins=whole(rarity.bins()))
    passed = [Seconds(NOON)] * 50 + [Seconds(NOON - back)] * behind
    live = tuple(PendingObservation(unit=UnitId("north"), seen_at=at, vector=PLAIN) for at in passed)
    now = Seconds(NOON + 60)
    started = learnt(HubState(snapshot=snapshot, live=live), Seconds(NOON - back))
    assert started.baseline.weight(Seconds(NOON - back)) == pytest.approx(400 + 50 + behind, rel=0.12)
    started.follow_clock(now)
    whole_weight = 400 * 2 ** (-1 / 7) + 50 + behind
    assert started.baseline.weight(now) == pytest.approx(whole_weight, rel=0.1)


def test_who_was_counted_while_the_clock_was_behind_can_be_forgotten() -> None:
    """What is taken out is exactly what was put in, though the clock has been set right meanwhile."""
    camera = Camera("north", synced=False)
    booth = new_booth(camera)
    teach(booth, camera)
    rarity, unit = booth._rarity, UnitId("north")
    before = rarity.baseline.state().pairs
    rarity.follow_clock(Seconds(NOON - 20 * DAY))
    one = rarity.encode(PLAIN, unit)
    receipt = rarity.update(one, rarity.judge(one, unit), unit, Seconds(NOON - 20 * DAY))
    rarity.follow_clock(Seconds(NOON + 60))
    rarity.forget(PLAIN, unit, Seconds(NOON - 20 * DAY), receipt)
    assert rarity.baseline.state().pairs == pytest.approx(before)


def test_the_hub_notices_that_its_clock_was_set() -> None:
    """A wall clock that steps against the steady one moves the boot instants of units without a clock."""
    camera = Camera("north", synced=False)
    booth = new_booth(camera)
    booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], Seconds(NOON - 86_400), steady=100.0)
    booth.handle_batch([camera.says(camera.observation(PLAIN, NOON + 20))], Seconds(NOON + 20), steady=120.0)
    (door,) = (door for door in booth._admission._doors.values() if door.windows)
    assert door.windows[Epoch(1)].boot == pytest.approx(NOON - 1000)


@pytest.mark.parametrize("days", [1.5, 3.0, 8.0, 30.0, 200.0])
@pytest.mark.parametrize("synced", [True, False])
def test_a_clock_set_ahead_and_right_again_within_a_day_ages_nothing(days: float, synced: bool) -> None:
    """People who pass while the hub's clock is ahead count like all others, whichever clock the unit has."""
    camera, ahead = Camera("north", synced=synced, booted=NOON - 1000), days * DAY
    booth = new_booth(camera)

    def pass_by(people: int, at: float, shown: float) -> None:
        batch = [camera.says(camera.observation(PLAIN, at)) for _ in range(people)]
        booth.handle_batch(batch, Seconds(shown), steady=at)

    pass_by(400, NOON, NOON)
    pass_by(20, NOON + 60, NOON + 60 + ahead)
    assert booth.baseline.weight(Seconds(NOON + 60 + ahead)) == pytest.approx(420, rel=0.01)
    pass_by(20, NOON + 3600, NOON + 3600 + ahead)
    pass_by(20, NOON + 3700, NOON + 3700)
    assert booth.baseline.weight(Seconds(NOON + 3700)) == pytest.approx(460, rel=0.01)


def test_a_clock_that_stays_ahead_for_a_day_is_believed() -> None:
    """A clock that was wrong before and is right now ages what was learnt, a day later, by what it was set ahead."""
    camera = Camera("north")
    booth = new_booth(camera)
    booth.handle_batch([camera.says(camera.observation(PLAIN, NOON)) for _ in range(400)], NOON, steady=0.0)
    later = NOON + 7 * DAY
    booth.handle_batch([], Seconds(later), steady=60.0)
    assert booth.baseline.weight(Seconds(later)) == pytest.approx(400, rel=0.01)
    booth.handle_batch([], Seconds(later + DAY), steady=60.0 + DAY)
    assert booth.baseline.weight(Seconds(later + DAY)) == pytest.approx(400 * 0.5 ** (8 / 7), rel=0.1)
