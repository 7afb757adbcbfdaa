from __future__ import annotations

import pytest

from appliance.base.errors import Unavailable
from appliance.protocol.values import Epoch, Seconds
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


def test_the_hub_notices_that_its_clock_was_set() -> None:
    """A wall clock that steps against the steady one moves the boot instants of units without a clock."""
    camera = Camera("north", synced=False)
    booth = new_booth(camera)
    booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], Seconds(NOON - 86_400), steady=100.0)
    booth.handle_batch([camera.says(camera.observation(PLAIN, NOON + 20))], Seconds(NOON + 20), steady=120.0)
    (door,) = booth._admission._doors.values()
    assert door.windows[Epoch(1)].boot == pytest.approx(NOON - 1000)
