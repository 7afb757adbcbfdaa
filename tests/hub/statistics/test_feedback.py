from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.hub.statistics.feedback import HALF_LIFE, MOST_BITS, Doubt, DoubtedWord, Feedback, words_of
from appliance.hub.storage.state import HubState
from appliance.protocol.values import Dismissal, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES
from tests.hub.corner import NOON, ODD, PLAIN, Camera, asks, new_booth, store_at, told

NORTH = (DoubtedWord(unit=UnitId("north"), attribute="top.pattern", word="striped"),)
SOUTH = (DoubtedWord(unit=UnitId("south"), attribute="top.pattern", word="striped"),)


def test_a_wrong_reading_is_doubted_at_its_camera_only() -> None:
    """A reading that staff found wrong proves half as much there, as before elsewhere, and more every week."""
    feedback = Feedback()
    feedback.dismissed(NORTH, Dismissal.WRONG_READING, NOON)
    assert feedback.factor(NORTH, NOON) == 2.0
    assert feedback.factor(SOUTH, NOON) == 1.0
    assert feedback.factor(NORTH, Seconds(NOON + 20 * HALF_LIFE)) == pytest.approx(1.0, abs=1e-4)


@given(st.lists(st.sampled_from(Dismissal), max_size=60), st.floats(0, 1e9))
def test_doubt_is_bounded_and_fades(whys: list[Dismissal], later: float) -> None:
    """However often a reading is dismissed it keeps an eighth of its weight, and time only restores it."""
    feedback = Feedback()
    for why in whys:
        feedback.dismissed(NORTH, why, NOON)
    at_first = feedback.factor(NORTH, NOON)
    assert 1.0 <= at_first <= 2.0**MOST_BITS
    assert 1.0 <= feedback.factor(NORTH, Seconds(NOON + later)) <= at_first


def test_another_reason_is_no_fault_and_a_gift_restores() -> None:
    """A dismissal for another reason changes nothing; a gift halves what was held against a word."""
    feedback = Feedback()
    feedback.dismissed(NORTH, Dismissal.OTHER, NOON)
    assert feedback.factor(NORTH, NOON) == 1.0
    feedback.dismissed(NORTH, Dismissal.NOT_A_PERSON, NOON)
    feedback.gifted(NORTH, NOON)
    assert feedback.factor(NORTH, NOON) == pytest.approx(2.0**0.5)


def test_a_dismissed_alert_raises_the_bar_for_its_words_and_keeps_nothing_else(tmp_path: Path) -> None:
    """Staff's dismissal is kept across a restart as counts by camera and word, and only of the reasons' words."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera, stored=store.load())
    store.commit(
        booth.handle_batch([camera.says(camera.observation(PLAIN, NOON)) for _ in range(400)], NOON).changes
    )
    outcome = booth.handle_batch([camera.says(camera.observation(ODD, NOON + 5))], Seconds(NOON + 5))
    store.commit(outcome.changes)
    (alert,) = told(outcome, "alert")
    (held,) = booth.alerts.all()
    assert held.alert.flag
    words = words_of(held.alert.flag)
    requests = [
        asks("tablet-1", "claim", alert=alert["id"]),
        asks("tablet-1", "outcome", alert=alert["id"], outcome="dismissed", why="wrong_reading"),
    ]
    store.commit(booth.handle_batch(requests, Seconds(NOON + 9)).changes)
    doubts = store.load().doubts
    assert {one.of for one in doubts} == set(words)
    assert all(one.faults == 1.0 for one in doubts)
    again = new_booth(camera, stored=store.load(), now=NOON + 10)
    assert again._doubts.factor(words, Seconds(NOON + 9)) == 2.0
    store.close()


@pytest.mark.parametrize(("suppressed", "alerts"), [("north", 0), ("south", 1)])
def test_words_that_were_often_wrong_need_more_to_alert_at_their_camera(suppressed: str, alerts: int) -> None:
    """Somebody whose words staff dismissed again and again at this camera is counted, but nobody is sent out."""
    camera = Camera("north")
    doubts = tuple(
        Doubt(of=DoubtedWord(unit=UnitId(suppressed), attribute=attribute.name, word=attribute.label(reading.level)),
              faults=6.0, at=NOON)
        for attribute, reading in zip(ATTRIBUTES, ODD.readings, strict=True)
    )  # fmt: skip
    booth = new_booth(camera, stored=HubState(doubts=doubts), max_p=0.005)
    booth.handle_batch([camera.says(camera.observation(PLAIN, NOON)) for _ in range(400)], NOON)
    outcome = booth.handle_batch([camera.says(camera.observation(ODD, NOON + 5))], Seconds(NOON + 5))
    assert len(told(outcome, "alert")) == alerts
    assert booth.daily_counts.number("flags") == 1
