from __future__ import annotations

from pathlib import Path

import pytest

from appliance.hub.pacing.forecast import HourCount
from appliance.hub.pacing.local_day import day_of
from appliance.hub.records.daily_counts import DailyCount
from appliance.hub.storage.state import HubState, StateDelta
from appliance.protocol.values import Seconds
from tests.hub.corner import (
    NOON,
    PLAIN,
    Camera,
    asks,
    new_booth,
    raised,
    store_at,
    teach,
)


def test_an_alert_ended_by_a_stop_is_counted_as_expired(tmp_path: Path) -> None:
    """Alerts that a stop of the hub ends, claimed or not, are counted as expired, once, and so known the next day."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera, stored=store.load())
    teach(booth, camera)
    name = raised(booth, camera, NOON + 5)
    store.commit(booth.handle_batch([asks("tablet-1", "claim", alert=name)], Seconds(NOON + 7)).changes)
    store.commit(booth.handle_batch([], Seconds(NOON + 9), last=True).changes)
    again = new_booth(camera, stored=store.load(), now=Seconds(NOON + 20))
    again.handle_batch([], Seconds(NOON + 20))
    today = again.daily_counts.today()
    assert (again.daily_counts.number("expired"), today.ended, today.gifted) == (1, 1, 0)
    assert again.alerts.all() == ()
    store.close()


def test_acceptance_is_learnt_over_days() -> None:
    """Yesterday's answers make today's estimate, weighing less than today's own."""
    camera, yesterday = Camera("north"), day_of(Seconds(NOON - 86_400))
    tallies = tuple(DailyCount(day=yesterday, what=what, number=20) for what in ("gifted", "declined"))
    booth = new_booth(camera, stored=HubState(tallies=tallies))
    booth.handle_batch([], NOON)
    assert booth.daily_counts.today().acceptance == pytest.approx(0.5)
    refused = tuple(DailyCount(day=yesterday, what="declined", number=40) for _ in range(1))
    shy = new_booth(camera, stored=HubState(tallies=refused))
    shy.handle_batch([], NOON)
    assert shy.daily_counts.today().acceptance == pytest.approx(2 / 40)


def test_how_long_a_visit_takes_is_learnt() -> None:
    """Visits that take longer than configured are planned as longer, gradually."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera, NOON + 5)
    booth.handle_batch([asks("tablet-1", "claim", alert=name)], Seconds(NOON + 10))
    booth.handle_batch(
        [asks("tablet-1", "outcome", alert=name, outcome="gifted", why=None)], Seconds(NOON + 365)
    )
    assert booth.daily_counts.today().visit_seconds == pytest.approx(360.0)
    assert booth.daily_counts.number("visits") == 1


def test_hourly_counts_survive_a_kill_exactly_once(tmp_path: Path) -> None:
    """Hourly counts are stored with their batch: a hub taken up again forecasts from the same."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera, stored=store.load())
    for minute in range(12):
        now = Seconds(NOON + 60 * minute)
        batch = [camera.says(camera.observation(PLAIN, now)) for _ in range(10)]
        outcome = booth.handle_batch(batch, now)
        if minute % 5 == 4:  # killed before the store: the broker sends the batch again
            booth = new_booth(camera, stored=store.load(), now=now)
            outcome = booth.handle_batch(batch, now)
        store.commit(outcome.changes)
    hours = store.load().hours
    assert sum(one.people for one in hours) == 120
    assert 11 * 60 - 3 * 60 <= sum(one.watched for one in hours) <= 11 * 60
    store.close()


def test_old_hourly_counts_are_forgotten(tmp_path: Path) -> None:
    """Counts by the hour are deleted after nine weeks."""
    camera, store = Camera("north"), store_at(tmp_path)
    old = HourCount(day=day_of(Seconds(NOON - 70 * 86_400)), hour=9, people=5, watched=60)
    store.commit(StateDelta(hours=(old,)))
    booth = new_booth(camera, stored=store.load())
    store.commit(booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], NOON).changes)
    assert [one.people for one in store.load().hours] == [1]
    store.close()
