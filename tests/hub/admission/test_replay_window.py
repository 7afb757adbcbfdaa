"""The replay window's memory: bounded, and checked when it comes back from the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.hub.admission.replay_window import STEPS, ReplayWindow
from appliance.protocol.values import Epoch, Seq


def test_what_a_unit_said_long_ago_is_forgotten_oldest_first() -> None:
    """Counts by step of time are bounded: the oldest half goes, the newest stay."""
    window = ReplayWindow(epoch=Epoch(1), lowest=0)
    for step in range(STEPS + 1):
        window.passed(step)
        window.passed(step)
    assert window.admitted_in(0) == 0
    assert window.admitted_in(STEPS // 2 - 1) == 0
    assert window.admitted_in(STEPS // 2) == 2
    assert window.admitted_in(STEPS) == 2


@pytest.mark.parametrize("change", [{"admitted": 9}, {"admitted": -1}, {"bitmap": b""}, {"lowest": 7}])
def test_a_stored_window_that_contradicts_itself_is_not_taken(change: dict[str, Any]) -> None:
    """A damaged row of the store is a ValueError, not a window that admits twice."""
    window = ReplayWindow(epoch=Epoch(1), lowest=0)
    window.mark(Seq(0))
    window.mark(Seq(2))
    with pytest.raises(ValueError, match="contradicts itself"):
        ReplayWindow.of(replace(window.state(), **change))
