from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.change.crowd_shift import SUSPECT, CrowdShift
from appliance.hub.statistics.event_day import HOLD_PEOPLE, NIGHT_SECONDS, EventDayRarity
from appliance.hub.statistics.layout import encode
from appliance.hub.statistics.leave_one_out import LeaveOneOutRarity
from appliance.hub.statistics.rarity import CountReceipt, Rarity, Score
from appliance.hub.storage.restore import learnt, snapshot_of
from appliance.hub.storage.state import StateDelta
from appliance.protocol.values import AttributeVector, Seconds, UnitId
from tests.hub.corner import NOON, Crowd, store_at

NORTH = UnitId("north")
DAY = 86_400.0


def walk(rarity: Rarity, crowd: Crowd, people: int, begun: float) -> list[Score]:
    """So many people of ``crowd``, ten seconds apart."""
    return [
        rarity.score_and_learn(crowd.person(), NORTH, Seconds(begun + 10.0 * place))
        for place in range(people)
    ]


@pytest.fixture
def weeks() -> EventDayRarity:
    """A hub that has watched one street for three days."""
    rarity, crowd = EventDayRarity(Baseline()), Crowd(7)
    for day in range(3):
        walk(rarity, crowd, 1000, NOON + day * DAY)
    return rarity


def test_on_ordinary_days_scores_are_those_of_the_weeks_alone() -> None:
    """Until a day is found to be unlike the weeks, every score is exactly what ``Rarity`` says."""
    for_events, plain = EventDayRarity(Baseline()), Rarity(Baseline())
    assert walk(for_events, Crowd(7), 1500, NOON) == walk(plain, Crowd(7), 1500, NOON)
    assert not for_events.holds


def test_an_event_is_noticed_within_twenty_people_and_held_for_a_hundred_and_fifty(
    weeks: EventDayRarity,
) -> None:
    """A crowd of another taste begins a hold at once, which ends after ``HOLD_PEOPLE`` more people."""
    gala, begun, held = Crowd(99), NOON + 3 * DAY, []
    for place in range(400):
        weeks.score_and_learn(gala.person(), NORTH, Seconds(begun + 10.0 * place))
        held.append(weeks.holds)
    first = held.index(True)
    assert first < 20
    assert held[first : first + HOLD_PEOPLE] == [True] * HOLD_PEOPLE
    assert not any(held[first + HOLD_PEOPLE :])


def test_after_the_hold_as_many_are_flagged_as_their_tail_probability_says(weeks: EventDayRarity) -> None:
    """Of two thousand guests after the hold some have p <= 2 %, and no more than twice as many as that."""
    scores = walk(weeks, Crowd(99), 2200, NOON + 3 * DAY)[200:]
    assert 10 <= sum(score.p <= 0.02 for score in scores) <= 80
    assert weeks.usual is not weeks.baseline


def test_a_changed_day_ends_with_the_night(weeks: EventDayRarity) -> None:
    """After a night without anybody the weeks judge again."""
    walk(weeks, Crowd(99), 300, NOON + 3 * DAY)
    assert weeks.usual is not weeks.baseline
    walk(weeks, Crowd(7), 1, NOON + 3 * DAY + 3000 + NIGHT_SECONDS + 1)
    assert weeks.usual is weeks.baseline


def test_whoever_is_forgotten_is_in_no_expert_either(weeks: EventDayRarity) -> None:
    """After ``forget`` each expert's counts and scores are what they were before the person came."""
    begun = NOON + 3 * DAY
    gala = Crowd(99)
    walk(weeks, gala, 300, begun)
    experts = weeks._experts
    assert experts is not None

    def held() -> list[np.ndarray]:
        found = []
        for rarity in experts.rarities:
            state = rarity.baseline.state()
            found += [state.pairs, state.known, *(row for _, row in state.cameras)]
        return found

    for rarity in experts.rarities:
        rarity.baseline.state()
    before = held()
    person = AttributeVector.of(top_colour="yellow", bottom_colour="purple", sleeves="short")
    one = weeks.encode(person, NORTH)
    counted: CountReceipt = weeks.update(one, weeks.score(one), NORTH, Seconds(begun + 3000.0))
    assert any((now != was).any() for now, was in zip(held(), before, strict=True))
    weeks.forget(person, NORTH, Seconds(begun + 3000.0), counted)
    for now, was in zip(held(), before, strict=True):
        assert now == pytest.approx(was, abs=1e-9)


def test_a_crowd_that_is_rare_in_other_ways_is_noticed_by_what_it_wears() -> None:
    """The sum that compares today's counts with the weeks' grows on another street and not on its own."""
    baseline, usual = Baseline(), Crowd(7)
    for _ in range(2000):
        baseline.update(usual.person(), NORTH, Seconds(NOON))
    count, weight = baseline.singles(Seconds(NOON))
    shares = (count + 0.5) / (weight + 6.0)
    same, other = CrowdShift(shares, baseline.layout), CrowdShift(shares, baseline.layout)
    gala, highest = Crowd(99), 0.0
    for _ in range(300):
        same.count(encode(usual.person()).sure)
        highest = max(highest, same.bits)
    assert highest < SUSPECT
    seen = [encode(gala.person()).sure for _ in range(100)]
    for sure in seen:
        other.count(sure)
    assert (other.other, other.suspect) == (True, True)
    for sure in seen:
        other.forget(sure)
    assert not other._counts.any()


def test_weeks_without_a_memory_of_scores_are_weighed_against_today_from_the_first_person() -> None:
    """Imported weeks begin with a hold and with experts; the next day the hub's own scores are remembered."""
    elsewhere, crowd = Baseline(), Crowd(7)
    for _ in range(1000):
        elsewhere.update(crowd.person(), NORTH, Seconds(NOON - DAY))
    rarity, gala = EventDayRarity(Baseline(elsewhere.state())), Crowd(99)
    walk(rarity, gala, 1, NOON)
    assert (rarity.changed, rarity.holds) == (True, True)
    walk(rarity, gala, 600, NOON + 10)
    assert (rarity.changed, rarity.holds) == (True, False)
    walk(rarity, gala, 1, NOON + DAY)
    assert not rarity.changed


def test_a_changed_day_goes_on_after_a_restart(weeks: EventDayRarity, tmp_path: Path) -> None:
    """That a day is another is stored, to the hour, and the experts judge again from the first person on."""
    walk(weeks, Crowd(99), 400, NOON + 3 * DAY)
    store = store_at(tmp_path)
    store.commit(StateDelta(snapshot=snapshot_of(LeaveOneOutRarity(weeks))))
    again = learnt(store.load()).everything
    store.close()
    assert (again.changed, again.holds) == (True, True)
    walk(again, Crowd(99), 200, NOON + 3 * DAY + 4100)
    assert (again.changed, again.holds) == (True, False)
    walk(again, Crowd(7), 1, NOON + 4 * DAY)
    assert not again.changed


def test_a_suspicion_that_comes_to_nothing_leaves_nothing(weeks: EventDayRarity) -> None:
    """Experts that were begun on suspicion are dropped once nothing speaks for another day."""
    usual, at = Crowd(7), NOON + 3 * DAY
    words = {row.attribute.replace(".", "_"): row.word for row in weeks.baseline.usual(most=1)}
    alike = AttributeVector.of(**words)
    for _ in range(40):  # a school class in the street's most usual clothes
        if weeks.doubts:
            break
        at += 10.0
        weeks.score_and_learn(alike, NORTH, Seconds(at))
    assert (weeks._experts is not None, weeks.changed, weeks.holds) == (True, False, False)
    walk(weeks, usual, 150, at)
    assert (weeks._experts, weeks.changed) == (None, False)


def test_a_clock_that_jumps_ahead_and_back_makes_and_hides_no_night(weeks: EventDayRarity) -> None:
    """While the hub's clock is a month ahead the day goes on, and the night after it is right again is one."""
    begun, ahead = NOON + 3 * DAY, 30 * DAY
    walk(weeks, Crowd(99), 250, begun)
    assert weeks.changed
    weeks.follow_clock(Seconds(begun + 2600 + ahead), ahead)
    walk(weeks, Crowd(99), 20, begun + 2600 + ahead)
    assert weeks.changed
    weeks.follow_clock(Seconds(begun + 3000), -ahead)
    walk(weeks, Crowd(99), 5, begun + 3000)
    assert weeks.changed
    walk(weeks, Crowd(7), 1, begun + 3100 + NIGHT_SECONDS)
    assert not weeks.changed
