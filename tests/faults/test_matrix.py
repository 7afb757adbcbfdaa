"""A sample of the fault matrix (``make faults``): each row that no other test runs strikes once or twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pytest

from tests.faults.outcome import Outcome, table
from tests.faults.rows import ROWS, Row, run_apart

pytestmark = pytest.mark.broker
ELSEWHERE: Final = ("while it reads the pipe", "each system call", "hub stopped", "link reset", "hub away")
"""Rows of which test_relay_kill, test_broker_trouble and unit/outbox/test_spool_faults run a sample."""
SAMPLE: Final = [row for row in ROWS if row.quick and not any(part in row.name for part in ELSEWHERE)]


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Future[Outcome]]]:
    """Every row at once: most of a row is waiting."""
    may = [row for row in SAMPLE if os.geteuid() == 0 or not row.root]
    with ThreadPoolExecutor(4) as pool:
        yield {row.name: pool.submit(run_apart, row, row.quick, 7) for row in may}


@pytest.mark.parametrize("row", SAMPLE, ids=[row.name for row in SAMPLE])
def test_nothing_is_lost_or_doubled_and_nobody_has_to_come(
    row: Row, told: dict[str, Future[Outcome]]
) -> None:
    """All that was sealed is admitted once, or refused by a rule; what ended works again by a restart alone."""
    if row.name not in told:
        pytest.skip("needs root: mounts and a network of its own")
    outcome = told[row.name].result()
    assert outcome.kept, outcome
    assert outcome.sealed > 0
    assert (
        outcome.sealed <= outcome.admitted + outcome.refused + outcome.dropped
    )  # what is offered again is refused again


def test_what_is_lost_shows() -> None:
    """A row that lost something is not kept, and the table says it."""
    bad = Outcome(name="x", strikes=1, sealed=3, admitted=2, lost=1)
    assert not bad.kept
    assert "| **1** |" in table([bad])
