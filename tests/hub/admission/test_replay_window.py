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


@pytest.mark.parametrize(
    "change", [{"admitted": 9}, {"admitted": -1}, {"gaps": b""}, {"gaps": b"abcdefghijkl"}, {"lowest": 7}]
)
def test_a_stored_window_that_contradicts_itself_is_not_taken(change: dict[str, Any]) -> None:
    """A damaged row of the store is a ValueError, not a window that admits twice."""
    window = ReplayWindow(epoch=Epoch(1), lowest=0)
    window.mark(Seq(0))
    window.mark(Seq(2))
    with pytest.raises(ValueError, match="contradicts itself"):
        ReplayWindow.of(replace(window.state(), **change))


def test_a_bitmap_of_schema_2_is_read_as_the_gaps_it_tells() -> None:
    """What an older hub stored admits just what it would have admitted there."""
    came = {0, 1, 5, 2990, 2999}
    bitmap = sum(1 << (2999 - seq) for seq in came if seq > 2999 - 2048).to_bytes(256, "big")
    state = replace(_window(3000 - 1).state(), highest=2999, lowest=0, admitted=5, gaps=bitmap)
    window = ReplayWindow.of(state)
    assert [window.verdict(Seq(seq)).name for seq in (951, 952, 2990, 2991, 2999, 3000)] == [
        "TOO_OLD", "FRESH", "REPEATED", "FRESH", "REPEATED", "FRESH",
    ]  # fmt: skip
    assert ReplayWindow.of(window.state()).gaps == window.gaps


def _window(seq: int) -> ReplayWindow:
    window = ReplayWindow(epoch=Epoch(1), lowest=0)
    window.mark(Seq(seq))
    return window
