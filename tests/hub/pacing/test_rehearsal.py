from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from appliance.hub.pacing.forecast import Forecast, HourCount
from appliance.hub.pacing.local_day import day_of, local_day
from appliance.hub.pacing.pacing import Pacing, Today
from appliance.hub.pacing.plan import MOST_MAX_P, Plan, gifts, needed_floor, needed_staff, warning
from appliance.hub.pacing.rehearsal import Expected, Rehearsal, rehearse
from appliance.protocol.values import Seconds
from appliance.settings.config import PacingConfig
from tests.hub.corner import NOON

MIDNIGHT = local_day(NOON).midnight
TEN_TO_TWENTY = PacingConfig(opens=Seconds(10 * 3600.0), closes=Seconds(20 * 3600.0))
PLAN = Plan(people=9000, seconds=36_000, stock=40, staff=2, visit_seconds=360, acceptance=0.5, max_p=0.005)


def day(people: float, **more: object) -> Expected:
    hours = [people if 10 <= hour < 20 else 0.0 for hour in range(24)]
    found = Expected(people=hours, began=MIDNIGHT, acceptance=0.5, busyness=0.0)
    return replace(found, **more)  # type: ignore[arg-type]


def test_a_floor_that_is_too_strict_is_told_with_the_one_that_would_do() -> None:
    """The floor that is named empties the box by the same arithmetic, and no warning is left then."""
    assert warning(PLAN).startswith("pacing.max_p 0.005 gives about 21 of 40 gifts to the 9000 people")
    floor = needed_floor(PLAN)
    assert floor is not None
    assert gifts(PLAN, floor, 2) == pytest.approx(40, abs=0.01)
    assert not warning(replace(PLAN, max_p=floor + 1e-6))
    assert not warning(replace(PLAN, max_p=None))


def test_too_few_staff_are_told_with_how_many_would_do() -> None:
    """Where no floor helps because everybody is busy, the number of staff or of gifts that would work is said."""
    slow = replace(PLAN, staff=1, visit_seconds=1800.0, max_p=None)
    assert needed_floor(slow) is None
    staff = needed_staff(slow)
    assert staff is not None
    assert gifts(slow, MOST_MAX_P, staff) >= 40 > gifts(slow, MOST_MAX_P, staff - 1)
    assert f"plan {staff} staff, or 9 gifts" in warning(slow)
    assert "at 30 minutes a visit" in warning(slow)
    assert gifts(slow, MOST_MAX_P, 0) == 0.0


def test_too_few_people_are_told_with_how_many_gifts_they_take() -> None:
    """Where no number of staff helps either, it is said how many gifts such a day takes."""
    assert "more staff do not help: plan 4 gifts, or more hours" in warning(replace(PLAN, people=200))


def test_where_nothing_is_planned_nothing_is_told() -> None:
    """Without gifts, people or hours there is no warning."""
    assert not warning(replace(PLAN, stock=0))
    assert not warning(replace(PLAN, people=0.0))
    assert not warning(replace(PLAN, seconds=0.0))


def test_what_the_lead_expects_is_believed_over_the_weeks() -> None:
    """People planned for a day count instead of history's sum, in history's shape."""
    days = [day_of(Seconds(MIDNIGHT - back * 86_400.0 + 43_200.0)) for back in range(1, 15)]
    history = [
        HourCount(day=one, hour=hour, people=30 if hour < 15 else 10, watched=3600)
        for one in days
        for hour in range(10, 20)
    ]
    config = replace(TEN_TO_TWENTY, people=9000, max_p=0.005)
    pacing = Pacing(config, suppress_seconds=Seconds(300.0), now=MIDNIGHT, history=history)
    opens, noon, closes = (Seconds(MIDNIGHT + hour * 3600.0) for hour in (10, 15, 20))
    assert pacing.forecast.remaining(opens, closes) == pytest.approx(9000)
    assert pacing.forecast.remaining(opens, noon) == pytest.approx(6750)
    today = Today(began=opens, gifted=0, ended=0)
    assert "9000 people expected" in pacing.warning(today, MIDNIGHT)
    bare = Pacing(config, suppress_seconds=Seconds(300.0), now=MIDNIGHT)
    assert bare.forecast.remaining(opens, noon) == pytest.approx(4500)
    assert Forecast(history, MIDNIGHT).remaining(opens, closes) == pytest.approx(200)


def run(config: PacingConfig, expected: Expected, runs: int = 12, seed: int = 1) -> Rehearsal:
    return rehearse(config, expected, runs=runs, seed=seed)


def test_the_same_day_and_seed_give_the_same_rehearsal() -> None:
    """A rehearsal can be repeated to the last figure; another seed is another chance."""
    first = run(TEN_TO_TWENTY, day(300.0), runs=3)
    assert first == run(TEN_TO_TWENTY, day(300.0), runs=3)
    assert first != run(TEN_TO_TWENTY, day(300.0), runs=3, seed=2)


def test_a_day_with_people_enough_empties_the_box_hour_by_hour() -> None:
    """Of 9,000 people the derived floor finds takers for every gift; hours add up to the day."""
    found = run(TEN_TO_TWENTY, day(900.0))
    assert [hour.hour for hour in found.hours] == list(range(10, 20))
    assert found.emptied > 0.8
    assert found.gifts.mean == pytest.approx(sum(hour.gifts.mean for hour in found.hours))
    assert found.gifts.mean + found.left.mean == pytest.approx(40.0)
    left = [hour.left.mean for hour in found.hours]
    assert left == sorted(left, reverse=True)
    assert all(hour.people.low <= hour.people.mean <= hour.people.high for hour in found.hours)
    assert 0.3 < found.gifts.mean / found.alerts.mean < 0.7
    assert found.waiting.high < 120.0


def test_a_strict_floor_leaves_what_the_warning_says() -> None:
    """Rehearsed with the floor that is warned of, about as many gifts go out as the warning says."""
    found = run(replace(TEN_TO_TWENTY, max_p=0.005), day(900.0), runs=30)
    assert found.gifts.mean == pytest.approx(gifts(PLAN, 0.005, 2), rel=0.2)
    assert found.emptied == 0.0


def test_a_counted_day_is_replayed_as_it_was() -> None:
    """The people of a day that has been are the same in every rehearsal."""
    found = run(
        TEN_TO_TWENTY, replace(day(50.0, exact=True, busyness=0.5), acceptance=None, gifted=5.0, asked=9.0)
    )
    assert {(hour.people.low, hour.people.high) for hour in found.hours} == {(50.0, 50.0)}


def test_with_hours_that_nobody_set_the_expected_ones_are_the_day() -> None:
    """Without opening hours the day is when people are expected; with nobody there is no hour at all."""
    assert [hour.hour for hour in run(PacingConfig(), day(100.0), runs=2).hours] == list(range(10, 20))
    empty = run(PacingConfig(), day(0.0), runs=2)
    assert (empty.hours, empty.left.mean, empty.emptied) == ((), 40.0, 0.0)


def test_nobody_is_given_a_gift_that_is_gone() -> None:
    """With one gift and many takers one is given, and once it is gone nobody waits."""
    found = run(replace(TEN_TO_TWENTY, stock=1), day(900.0))
    assert found.gifts.high == 1.0
    assert np.median([hour.waiting.mean for hour in found.hours[-3:]]) < 60.0
