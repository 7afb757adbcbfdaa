"""The drift alarm: silent on ordinary days, and told in words, with the hour, when the street changes."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.change.drift import ENOUGH, Drift
from appliance.hub.statistics.layout import OFFSETS
from appliance.protocol.values import Seconds, UnitId
from tests.bench.exceptions.street import Levels, Street
from tests.hub.corner import NOON

BEGUN = 100_000


def watched(street: Street) -> Drift:
    """A drift alarm on a baseline of six thousand people of ``street``."""
    baseline = Baseline()
    baseline.count_rows(street.people(6000), UnitId("north"), Seconds(NOON))
    return Drift(baseline)


def passed(drift: Drift, people: Levels, begun: int) -> list[int]:
    """How many changes were known after each of ``people``, who come a second apart."""
    known = []
    for number, row in enumerate(people + np.array(OFFSETS, dtype=np.int32)):
        drift.count(row.astype(np.intp), Seconds(begun + number))
        known.append(len(drift.changes()) if number % 16 == 15 else 0)
    return known


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ordinary_days_raise_no_alarm(seed: int) -> None:
    """Eight thousand people who dress as usual are no change, whenever one looks."""
    street = Street(seed)
    assert not any(passed(watched(street), street.people(8000), BEGUN))


def test_rain_is_told_within_a_hundred_people_with_the_moment_it_began() -> None:
    """The change is known soon, dates from the first people in the rain, and is said in words with both shares."""
    street = Street(2)
    drift = watched(street)
    passed(drift, street.people(2000), BEGUN)
    known = passed(drift, street.people(400, rain=True), BEGUN + 2000)
    assert known.index(next(filter(None, known))) < 100
    changes = drift.changes()
    assert abs(changes[0].since - (BEGUN + 2000)) <= 64
    assert any(change.words().startswith("outer ") and "usually" in change.words() for change in changes)


def test_a_change_ends_when_people_dress_as_usual_again() -> None:
    """Some hundreds of people after the rain nothing is told any more."""
    street = Street(2)
    drift = watched(street)
    passed(drift, street.people(200, rain=True), BEGUN)
    assert drift.changes()
    passed(drift, street.people(3000), BEGUN + 200)
    assert not drift.changes()


def test_evidence_does_not_hang_on_the_order_of_the_people() -> None:
    """Who comes first within a count makes no difference: it is a matter of the sums."""
    street = Street(4)
    people = street.people(32, rain=True)
    one, other = watched(Street(4)), watched(Street(4))
    passed(one, people, BEGUN)
    passed(other, people[::-1], BEGUN)
    assert np.allclose(one._bits, other._bits)
    assert one._bits.max() < 3 * ENOUGH


def test_somebody_forgotten_is_in_no_count() -> None:
    """Taking a person out leaves the counts as if only the others had come."""
    street = Street(5)
    people = (street.people(32, rain=True) + np.array(OFFSETS, dtype=np.int32)).astype(np.intp)
    drift = watched(Street(5))
    for row in people:
        drift.count(row, Seconds(BEGUN))
    before = drift._counts.copy()
    drift.forget(people[0])
    held = before[people[0]] > 0
    assert held.any()
    assert np.array_equal(drift._counts[people[0]][held], before[people[0]][held] - 1)
    assert drift._counts.sum() == before.sum() - held.sum()
