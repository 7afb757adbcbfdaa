"""The replay window's memory: bounded, and checked when it comes back from the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused
from appliance.hub.admission.admission import Admission
from appliance.hub.admission.replay_window import STEPS, ReplayWindow, Verdict
from appliance.protocol.values import Epoch, Seconds, Seq
from tests.hub.corner import BOOTH, NOON, PLAIN, Camera, register_of


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


@given(st.lists(st.integers(0, 60), unique=True), st.lists(st.integers(0, 60), unique=True))
def test_what_somebody_else_knows_to_be_admitted_is_taken_over(ours: list[int], theirs: list[int]) -> None:
    """After it, a number is admissible just where neither had admitted it; again it is no news."""
    one, other = ReplayWindow(epoch=Epoch(1), lowest=0), ReplayWindow(epoch=Epoch(1), lowest=0)
    for window, seqs in ((one, ours), (other, theirs)):
        for seq in seqs:
            window.mark(Seq(seq))
    news = one.take_as_admitted(other.highest + 1, other.gaps)
    assert news == bool(set(theirs) - set(ours))
    either = set(ours) | set(theirs)
    assert {seq for seq in range(70) if one.verdict(Seq(seq)) is Verdict.REPEATED} == either
    assert one.missing == (max(either) + 1 - len(either) if either else 0)
    assert not one.take_as_admitted(other.highest + 1, other.gaps)
    assert ReplayWindow.of(one.state()).gaps == one.gaps or not either


def test_a_receipt_of_ours_closes_what_a_restored_hub_would_admit_again() -> None:
    """Told by its own receipt what it had, a hub refuses that as repeated; another key's receipt says nothing."""
    camera = Camera("north")
    full, restored = (Admission(booth=BOOTH, register=register_of(camera)) for _ in range(2))
    envelopes = [camera.observation(PLAIN, NOON) for _ in range(5)]
    for envelope in envelopes[:4]:
        full.admit(camera.topic, envelope, Seconds(NOON))
    (receipt,) = full.receipts()
    assert full.receipts() == ()
    assert restored.know(receipt)
    assert not restored.know(receipt)
    assert not restored.know(replace(receipt, key=bytes(8), admitted=99))
    for envelope in envelopes[:4]:
        with pytest.raises(Refused, match="admitted before"):
            restored.admit(camera.topic, envelope, Seconds(NOON))
    restored.admit(camera.topic, envelopes[4], Seconds(NOON))
    (state,) = (one for one in restored.changed() if one.unit)
    assert [(window.highest, window.admitted) for window in state.windows] == [(4, 5)]
    assert restored.know(replace(receipt, floor=2, epochs=()))
    with pytest.raises(Refused, match="closed"):
        restored.admit(camera.topic, envelopes[4], Seconds(NOON))
