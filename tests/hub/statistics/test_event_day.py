from __future__ import annotations

import numpy as np
import pytest

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.event_day import HOLD_PEOPLE, NIGHT_SECONDS, EventDayRarity
from appliance.hub.statistics.rarity import CountReceipt, Rarity, Score
from appliance.protocol.values import AttributeVector, Seconds, UnitId
from tests.hub.corner import NOON, Crowd

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
