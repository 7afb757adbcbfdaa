"""Short runs of tests/faults/broker_trouble.py: real broker, real hub, real RELAY."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.broker_trouble import trouble

pytestmark = pytest.mark.broker


@pytest.mark.parametrize(
    ("kind", "every"), [("crash", 0.0), ("reset", 2.0), ("relay", 2.0), ("kill", 2.0), ("hubs", 3.0)]
)
def test_nothing_is_lost_doubled_or_refused_while_everything_fails(
    tmp_path: Path, kind: str, every: float
) -> None:
    """Every observation is admitted once, and what is sent twice is a repeat and never a refusal."""
    toll = trouble(tmp_path, kind, seconds=7.0, backlog=500, seed=5, every=every)
    assert toll.troubles > 0
    assert (toll.lost, toll.refused) == (0, 0)
