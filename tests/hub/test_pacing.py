from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import PacingConfig
from appliance.hub.erlang import blocking
from appliance.hub.pacing import FINEST_P, Pacing, Today, same_outfit
from appliance.values import AttributeVector, Seconds
from appliance.vocabulary import CAPACITY
from tests.hub.corner import NOON, ODD, PLAIN, Crowd

VECTORS = st.integers(0, CAPACITY - 1).map(AttributeVector.from_code)


def pacing(*, stock: int = 40, staff: int = 2, floor: float = 0.005) -> Pacing:
    return Pacing(
        PacingConfig(
            stock=stock,
            staff=staff,
            service_seconds=Seconds(360.0),
            alert_seconds=Seconds(180.0),
            floor=floor,
        ),
        suppress_seconds=Seconds(300.0),
    )


def today(gifted: int = 0, ended: int = 0) -> Today:
    return Today(began=NOON, gifted=gifted, ended=ended)


def test_nothing_is_worth_an_alert_above_the_floor_or_without_gift_or_staff() -> None:
    """The floor, an empty box of gifts and busy staff each mean no alert, however rare somebody is."""
    assert pacing().worth(0.004, ODD, today=today(), open_alerts=0, now=NOON)
    assert not pacing().worth(0.006, ODD, today=today(), open_alerts=0, now=NOON)
    assert not pacing().worth(1e-4, ODD, today=today(gifted=40, ended=40), open_alerts=0, now=NOON)
    assert not pacing().worth(1e-4, ODD, today=today(), open_alerts=2, now=NOON)
    assert not pacing(staff=0).worth(1e-4, ODD, today=today(), open_alerts=0, now=NOON)


def test_a_busy_street_raises_the_bar() -> None:
    """The more people are still to come for the same gifts, the rarer somebody must be."""
    quiet, busy = pacing(), pacing()
    for second in range(0, 1800, 60):
        quiet.passed(Seconds(NOON + second))
    for second in range(1800):
        busy.passed(Seconds(NOON + second))
    now = Seconds(NOON + 1800)
    assert quiet.threshold(today(), now) == 0.005
    assert FINEST_P <= busy.threshold(today(), now) < 0.005
    assert busy.rate(now) == pytest.approx(0.87, abs=0.05)


def test_gifts_last_for_the_day() -> None:
    """On a street with more exceptions than gifts, forty gifts are spread over the day and none is left over."""
    paced, crowd = pacing(), Crowd(3)
    gifts: list[int] = []
    for second in range(0, 36_000, 10):
        now = Seconds(NOON + second)
        paced.passed(now)
        counted = today(gifted=len(gifts), ended=len(gifts))
        if paced.worth(0.001, crowd.person(), today=counted, open_alerts=0, now=now):
            gifts.append(second)
    assert len(gifts) >= 36
    gaps = [after - before for before, after in pairwise(gifts)]
    assert max(gaps) <= 3600
    assert sum(second < 18_000 for second in gifts) <= 30


def test_the_same_outfit_is_not_alerted_again_for_minutes() -> None:
    """A second sighting within five minutes is suppressed; later, or after being forgotten, it is not."""
    paced = pacing(stock=10_000)

    def ask(second: float) -> bool:
        return paced.worth(0.001, ODD, today=today(), open_alerts=0, now=Seconds(NOON + second))

    assert ask(0)
    assert not ask(200)
    assert ask(301)
    assert not ask(400)
    paced.forget(ODD)
    assert ask(401)


@given(VECTORS, VECTORS)
def test_likeness_is_mutual(one: AttributeVector, other: AttributeVector) -> None:
    """Likeness does not depend on who came first, and plain strangers are not alike."""
    assert same_outfit(one, other) == same_outfit(other, one)
    assert not same_outfit(ODD, PLAIN)


@given(st.integers(0, 30), st.floats(0, 50))
def test_blocking_is_a_share_and_falls_with_every_hand(servers: int, load: float) -> None:
    """Erlang's blocking lies in [0, 1] and each further member of staff lowers it."""
    assert 0 <= blocking(servers=servers + 1, load=load) <= blocking(servers=servers, load=load) <= 1
