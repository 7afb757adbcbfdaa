from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.event_day import EventDayRarity
from appliance.hub.statistics.leave_one_out import FACTOR, LeaveOneOutRarity
from appliance.hub.storage.restore import learnt, snapshot_of
from appliance.hub.storage.state import HubState
from appliance.protocol.values import AttributeVector, Seconds, UnitId
from tests.hub.corner import NOON, Camera, Crowd, new_booth, store_at, teach

NORTH, SOUTH, EAST = UnitId("north"), UnitId("south"), UnitId("east")


def p_of(rarity: LeaveOneOutRarity, vector: AttributeVector, unit: UnitId = NORTH) -> float:
    """How rare ``vector`` is at a camera; nothing is learnt."""
    return rarity.judge(rarity.encode(vector, unit), unit).score.p


def street(people: int, *cameras: UnitId, begun: float = NOON) -> LeaveOneOutRarity:
    """A hub that has seen so many people, each by the next camera."""
    rarity, crowd = LeaveOneOutRarity(EventDayRarity(Baseline())), Crowd(7)
    for place in range(people):
        unit = cameras[place % len(cameras)]
        rarity.judge_and_learn(crowd.person(), unit, Seconds(begun + 2.0 * place))
    return rarity


def rarest(rarity: LeaveOneOutRarity) -> AttributeVector:
    crowd = Crowd(99)
    return min((crowd.person(sight=0.95) for _ in range(150)), key=lambda one: p_of(rarity, one))


@pytest.mark.parametrize("lies", [200, 500])
def test_no_camera_can_more_than_treble_anothers_p(lies: int) -> None:
    """However often a camera says an outfit, elsewhere its p is at most three times that without the camera."""
    rarity = street(2000, NORTH, EAST)
    outfit = rarest(rarity)
    before = p_of(rarity, outfit)
    rarity.judge_and_learn(outfit, SOUTH, Seconds(NOON + 4000.0))
    without, one = rarity.without[SOUTH], rarity.encode(outfit, NORTH)
    untouched = without.score(one)
    for _ in range(lies - 1):
        rarity.judge_and_learn(outfit, SOUTH, Seconds(NOON + 4000.0))
    assert without.score(one) == untouched, "what it said is in none of these counts"
    assert p_of(rarity, outfit) <= FACTOR * before
    assert p_of(rarity, outfit) <= 0.01, "it stays a flag"
    assert rarity.judge(one, NORTH).everything.p > 0.02, "by everybody's counts it would be none"
    assert p_of(rarity, outfit, SOUTH) > 0.02, "at home its own word counts in full"


def test_a_single_camera_is_judged_as_without_the_bound() -> None:
    """Where only one camera speaks, every p is that of its own counts."""
    rarity, plain, crowd = LeaveOneOutRarity(EventDayRarity(Baseline())), EventDayRarity(Baseline()), Crowd(7)
    for place in range(600):
        vector, at = crowd.person(), Seconds(NOON + 2.0 * place)
        judged = rarity.judge_and_learn(vector, NORTH, at)
        assert judged.score == plain.score_and_learn(vector, NORTH, at)


def test_a_false_event_at_one_camera_holds_no_other() -> None:
    """A camera that makes up a crowd of strangers makes no other hold that sees the usual street."""
    rarity, gala = street(2000, NORTH, EAST), Crowd(99)
    outfit = rarest(rarity)
    for _ in range(60):
        rarity.judge_and_learn(gala.person(sight=0.95), SOUTH, Seconds(NOON + 86_400.0))
    judged = rarity.judge(rarity.encode(outfit, NORTH), NORTH)
    assert rarity.everything.holds
    assert (judged.holds, judged.score.p <= 0.01) == (False, True)
    assert judged.usual is rarity.without[SOUTH].baseline


def test_on_a_true_event_nobody_is_flagged_by_those_who_notice_later() -> None:
    """When all cameras see a new crowd, nobody is judged by the weeks once the hub has noticed."""
    rarity, gala, judged = street(3000, NORTH, SOUTH), Crowd(99), []
    for place in range(120):
        unit = (NORTH, SOUTH)[place % 2]
        judged.append(rarity.judge_and_learn(gala.person(), unit, Seconds(NOON + 86_400.0 + 5.0 * place)))
    first = [one.holds for one in judged].index(True)
    assert first < 20
    assert all(one.holds for one in judged[first:])


def test_forget_takes_a_person_out_of_every_count() -> None:
    """Who is forgotten is in no count, with or without a camera."""
    rarity, odd = street(700, NORTH, SOUTH), Crowd(99).person(sight=0.95)
    before = [one.baseline.state() for one in (rarity.everything, *rarity.without.values())]
    one = rarity.encode(odd, NORTH)
    receipt = rarity.update(one, rarity.judge(one, NORTH), NORTH, Seconds(NOON + 2000.0))
    assert len(receipt.without) == 1
    rarity.forget(odd, NORTH, Seconds(NOON + 2000.0), receipt)
    after = [one.baseline.state() for one in (rarity.everything, *rarity.without.values())]
    assert all(
        np.array_equal(old.pairs, new.pairs) and old.weight == new.weight
        for old, new in zip(before, after, strict=True)
    )


def test_the_bound_outlives_a_restart(tmp_path: Path) -> None:
    """What a camera did not say is stored by itself: a restart makes nobody's false words everybody's."""
    rarity = street(2000, NORTH, EAST)
    outfit = rarest(rarity)
    for _ in range(200):
        rarity.judge_and_learn(outfit, SOUTH, Seconds(NOON + 4000.0))
    bounded = p_of(rarity, outfit)
    store, camera = store_at(tmp_path), Camera("north")
    changes = teach(new_booth(camera), camera).changes
    store.commit(type(changes)(snapshot=snapshot_of(rarity)))
    stored = store.load()
    again = learnt(stored)
    assert sorted(again.without) == [EAST, NORTH, SOUTH]
    assert p_of(again, outfit) == pytest.approx(bounded, rel=0.1)
    assert stored.snapshot
    old = type(stored.snapshot)(baseline=stored.snapshot.baseline, bins=stored.snapshot.bins)
    lost = learnt(HubState(snapshot=old))
    assert p_of(lost, outfit) > 0.05, "of a database that has no such counts the bound begins anew"
    store.close()
