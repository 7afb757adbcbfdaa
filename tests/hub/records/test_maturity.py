"""Collecting weeks: everybody counts, nobody is flagged; and what a hub says of how far it has come."""

from __future__ import annotations

from appliance.hub.records.daily_counts import DailyCount
from appliance.hub.records.maturity import maturity_of, told
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.protocol.values import AttributeVector, Seconds, UnitId
from tests.hub.corner import NOON, ODD, Camera, new_booth, teach
from tests.hub.corner import told as messages

NORTH = UnitId("north")
NOW = Seconds(1_790_078_400.0)  # 2026-09-22, a Tuesday, in the middle of the day


def seen(people: int, **words: str) -> Baseline:
    baseline = Baseline()
    for _ in range(people):
        baseline.update(AttributeVector.of(**words), NORTH, NOW)
    return baseline


def test_a_booth_that_collects_counts_everybody_and_alerts_nobody() -> None:
    """Who would be an alert is counted and nothing else; the counts are those of a booth that watches."""
    camera = Camera("north")
    collecting, watching = new_booth(camera, collect=True), new_booth(camera)
    for booth, alerts in ((collecting, 0), (watching, 1)):
        teach(booth, camera)
        outcome = booth.handle_batch([camera.says(camera.observation(ODD, NOON + 1))], Seconds(NOON + 5))
        assert len(messages(outcome, "alert")) == alerts
        camera = Camera("north")
    assert collecting.baseline.people == watching.baseline.people == 401
    assert (collecting.baseline.state().pairs == watching.baseline.state().pairs).all()
    assert collecting.daily_counts.number("flags") == 0


def test_words_and_pairs_that_can_be_told_are_counted() -> None:
    """Twenty of a word are enough, nineteen are not; a pair also where chance would have shown it often enough."""
    few = maturity_of(seen(19, top_colour="red"), (), warmup_people=300, now=NOW)
    assert (few.words, few.pairs, few.needs, few.per_day, few.ready_on) == (0, 0, 281, None, "")
    baseline = seen(100, top_colour="red", bottom_colour="black")
    for _ in range(100):
        baseline.update(AttributeVector.of(top_colour="blue", bottom_colour="white"), NORTH, NOW)
    found = maturity_of(baseline, (), warmup_people=100, now=NOW)
    assert found.words == 4
    assert found.pairs == 4, "red with white never came, and would have been expected fifty times"
    assert found.needs == 0


def test_the_day_on_which_it_is_ready_follows_from_the_last_weeks_days() -> None:
    tallies = [
        DailyCount(day="2026-09-20", what="people", number=40),
        DailyCount(day="2026-09-21", what="people", number=60),
        DailyCount(day="2026-09-21", what="flags", number=9),
        DailyCount(day="2026-08-01", what="people", number=900),
    ]
    found = maturity_of(seen(100, top_colour="red"), tallies, warmup_people=300, now=NOW)
    assert (found.days, found.weekdays, found.per_day, found.needs) == (3, 3, 50, 200)
    assert found.ready_on == "2026-09-26"
    text = told(found, collects=False)
    assert "needs 200 more people, on 2026-09-26" in text
    ready = maturity_of(seen(400, top_colour="red"), tallies, warmup_people=300, now=NOW)
    assert "ready: yes; 4 weekdays have not been seen yet" in told(ready, collects=True)
