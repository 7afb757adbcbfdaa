"""When the counts in memory are written down."""

from __future__ import annotations

import pytest

from appliance.hub.snapshot_timer import SNAPSHOT_SECONDS, SnapshotTimer
from appliance.protocol.values import Seconds


@pytest.mark.parametrize(("retention", "interval"), [(300.0, SNAPSHOT_SECONDS), (40.0, 20.0)])
def test_what_waits_is_written_within_a_minute_or_half_its_retention(
    retention: float, interval: float
) -> None:
    """A waiting observation makes the timer due after the shorter of the two times, and once only."""
    timer = SnapshotTimer(retention_seconds=Seconds(retention), waiting=1, now=Seconds(0.0))
    assert not timer.due(Seconds(interval - 1.0))
    assert timer.due(Seconds(interval))
    assert not timer.due(Seconds(2 * interval))


def test_nothing_waiting_is_never_written_but_at_the_end() -> None:
    """With nothing in the journal only the last snapshot is written."""
    timer = SnapshotTimer(retention_seconds=Seconds(300.0), waiting=0, now=Seconds(0.0))
    assert not timer.due(Seconds(1e6))
    assert timer.due(Seconds(1e6), last=True)


def test_a_forced_snapshot_is_due_at_once() -> None:
    """After a forget the journal is rewritten with the next batch, however fresh the last snapshot is."""
    timer = SnapshotTimer(retention_seconds=Seconds(300.0), waiting=0, now=Seconds(0.0))
    timer.force()
    assert timer.due(Seconds(0.1))


def test_a_clock_set_back_does_not_stop_the_timer() -> None:
    """A clock that was set back far makes the timer due rather than silent."""
    timer = SnapshotTimer(retention_seconds=Seconds(300.0), waiting=1, now=Seconds(1e6))
    assert timer.due(Seconds(0.0))
