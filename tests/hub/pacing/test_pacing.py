from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.hub.pacing.bid_price import price
from appliance.hub.pacing.erlang_b import blocking
from appliance.hub.pacing.forecast import Forecast, HourCount
from appliance.hub.pacing.local_day import day_of, local_day
from appliance.hub.pacing.pacing import FINEST_P, Pacing, Today, same_outfit
from appliance.protocol.values import AttributeVector, Seconds
from appliance.protocol.vocabulary import CAPACITY
from appliance.settings.config import PacingConfig
from tests.hub.corner import NOON, ODD, PLAIN, Crowd

HOUR = 3600
VECTORS = st.integers(0, CAPACITY - 1).map(AttributeVector.from_code)


def pacing(*, stock: int = 40, staff: int = 2, max_p: float = 0.005) -> Pacing:
    return Pacing(
        PacingConfig(
            stock=stock,
            staff=staff,
            service_seconds=Seconds(360.0),
            alert_seconds=Seconds(180.0),
            max_p=max_p,
        ),
        suppress_seconds=Seconds(300.0),
        now=NOON,
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
    quiet, busy = pacing(), pacing(stock=10)
    for second in range(0, 1800, 60):
        quiet.passed(Seconds(NOON + second))
    for second in range(1800):
        busy.passed(Seconds(NOON + second))
    now = Seconds(NOON + 1800)
    assert quiet.threshold(today(), now) == 0.005
    busy.worth(1e-5, ODD, today=today(), open_alerts=0, now=now)
    assert FINEST_P <= busy.threshold(today(), now) < 0.005
    assert busy.forecast.rate() == pytest.approx(0.87, abs=0.05)


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


def test_a_long_silence_lowers_the_bar_but_never_above_the_floor() -> None:
    """Half an hour after the last alert the bar is lower than just after it, and never above the floor."""
    busy = pacing(stock=10)
    for second in range(1800):
        busy.passed(Seconds(NOON + second))
    now = Seconds(NOON + 1800)
    assert busy.worth(1e-5, ODD, today=today(), open_alerts=0, now=now)
    after = busy.threshold(today(), now)
    for second in range(1800):
        busy.passed(Seconds(now + second))
    later = busy.threshold(today(), Seconds(now + 1800))
    assert after * 1.5 < later <= 0.005


def test_a_closed_booth_alerts_nobody() -> None:
    """Before opening and from closing time on nobody is an alert; in between somebody rare is."""
    midnight = local_day(NOON).midnight
    booth = Pacing(
        PacingConfig(
            stock=40, staff=2, service_seconds=Seconds(360.0), alert_seconds=Seconds(180.0), max_p=0.005,
            opens=Seconds(10.0 * HOUR), closes=Seconds(18.0 * HOUR),
        ),
        suppress_seconds=Seconds(300.0),
        now=midnight,
    )  # fmt: skip

    def ask(hour: float, who: AttributeVector = ODD) -> bool:
        at = Seconds(midnight + hour * HOUR)
        return booth.worth(1e-4, who, today=Today(began=at, gifted=0, ended=0), open_alerts=0, now=at)

    assert [ask(9.99), ask(12.0), ask(17.99), ask(18.0, PLAIN)] == [False, True, True, False]


def test_what_is_remembered_of_an_alert_is_gone_after_minutes_though_nobody_comes() -> None:
    """The memory that suppresses a second alert empties itself as time passes."""
    paced = pacing()
    assert paced.worth(0.001, ODD, today=today(), open_alerts=0, now=NOON)
    paced.tick(Seconds(NOON + 300))
    assert not paced._recent


@given(st.integers(1, 80), st.floats(0, 300), st.floats(0, 50))
def test_a_gift_is_dearer_the_fewer_there_are_and_the_more_people_come(
    gifts: int, takers: float, more: float
) -> None:
    """The price of a gift rises with the people to come and falls with the gifts; below 0 it is 0: anybody."""
    seam = 0.25  # where the table gives way to the budget ratio
    asked = max(0.0, price(gifts, takers))
    assert asked <= max(0.0, price(gifts, takers + more)) + seam
    assert max(0.0, price(gifts + 1, takers)) <= asked + seam


def test_the_price_without_a_floor_in_sight_is_erlangs_formula() -> None:
    """With many people to come the bar 2^-price equals 1 - B(gifts, people), the closed solution, within 2 %."""
    for gifts, takers in ((1, 300.0), (5, 500.0), (40, 4000.0)):
        closed = 1.0 - blocking(servers=gifts, load=takers)
        assert 2.0 ** -price(gifts, takers) == pytest.approx(closed, rel=0.02)


def weeks(people: int, *, count: int = 8, hours: tuple[int, int] = (0, 24)) -> tuple[HourCount, ...]:
    return tuple(
        HourCount(day=day_of(Seconds(NOON - back * 86_400)), hour=hour, people=people * (1 + (back % 7 == 0)),
                  watched=3600)
        for back in range(1, 7 * count + 1)
        for hour in range(*hours)
    )  # fmt: skip


def test_the_same_weekday_is_what_is_expected() -> None:
    """On a day like this there were twice as many people as on others: that many are expected for the hours left."""
    midnight = local_day(NOON).midnight
    forecast = Forecast(weeks(500), midnight)
    assert forecast.remaining(midnight, Seconds(midnight + 6 * HOUR)) == pytest.approx(6000)


def test_a_busy_morning_corrects_the_afternoon() -> None:
    """Where twice as many as usual have passed for three hours, almost twice as many are expected afterwards."""
    midnight = local_day(NOON).midnight
    forecast = Forecast(weeks(500), midnight)
    for minute in range(180):
        forecast.passed(Seconds(midnight + 60 * (minute + 1)), 2 * 1000 // 60)
    now = Seconds(midnight + 3 * HOUR)
    assert forecast.remaining(now, Seconds(now + HOUR)) == pytest.approx(1740, rel=0.02)


def test_a_hub_that_was_off_did_not_see_an_empty_street() -> None:
    """An hour watched for a quarter counts four times what was seen in it; one hardly watched says nothing."""
    day, midnight = day_of(Seconds(NOON - 7 * 86_400)), local_day(NOON).midnight
    history = (
        HourCount(day=day, hour=1, people=100, watched=900),
        HourCount(day=day, hour=2, people=0, watched=60),
        HourCount(day=day_of(Seconds(NOON - 86_400)), hour=2, people=300, watched=3600),
    )
    forecast = Forecast(history, midnight)
    assert forecast.remaining(Seconds(midnight + HOUR), Seconds(midnight + 3 * HOUR)) == pytest.approx(700)


def test_what_is_to_be_stored_is_everything_exactly_once() -> None:
    """The news of a forecast add up to what passed and how long was watched, and begin another like it."""
    forecast = Forecast((), NOON)
    told: list[HourCount] = []
    for second in range(1, 301):
        forecast.passed(Seconds(NOON + second)) if second % 3 == 0 else forecast.tick(Seconds(NOON + second))
        told += forecast.news()
    told += forecast.news(all_of_it=True)
    assert sum(one.people for one in told) == 100
    assert sum(one.watched for one in told) == 300
    assert len({(one.day, one.hour) for one in told}) <= 2


@pytest.mark.parametrize(("gifts", "takers"), [(1, 2.0), (2, 3.5), (5, 8.0), (10, 14.5)])
def test_where_a_gift_could_well_be_left_over_anybody_at_the_floor_gets_it(gifts: int, takers: float) -> None:
    """While a gift could well be left over none is kept back for somebody rarer; where many takers come, each is."""
    assert price(gifts, takers) <= 0.0
    assert price(gifts, 3.0 * takers) > 0.5


def _with_history(people_an_hour: int, max_p: float | None) -> Pacing:
    midnight = local_day(NOON).midnight
    days = [day_of(Seconds(midnight - back * 86_400.0 + 43_200.0)) for back in range(1, 15)]
    history = [
        HourCount(day=day, hour=hour, people=people_an_hour, watched=3600)
        for day in days
        for hour in range(24)
    ]
    config = PacingConfig(max_p=max_p, opens=Seconds(0.0), closes=Seconds(86_400.0))
    return Pacing(config, suppress_seconds=Seconds(300.0), now=Seconds(midnight), history=history)


def test_a_floor_that_nobody_set_empties_the_box() -> None:
    """Once the day's people are known the derived floor reaches more takers than there are gifts, and 5 % at most."""
    midnight = local_day(NOON).midnight
    floors = {}
    for people in (20, 400, 20_000):
        paced, now = _with_history(people, None), Seconds(midnight + 3600.0)
        for second in range(0, 3600, max(1, 3600 // people)):
            paced.passed(Seconds(midnight + second), people=max(1, people // 3600))
        paced.passed(now, people=200)
        floors[people] = paced.max_p(today(), now)
        assert floors[people] <= 0.05
    assert floors[20] == 0.05
    assert 40 < floors[400] * 400 * 23 * 0.5 < 120
    assert floors[20_000] == 0.005


def test_a_floor_that_cannot_empty_the_box_is_told_at_the_start() -> None:
    """9,000 people at a floor of .005 take 22 gifts of 40: that is said, and what to set; a wide floor is fine."""
    midnight = Seconds(local_day(NOON).midnight)
    said = _with_history(375, 0.005).warning(today(), midnight)
    assert "gives about 22 of 40 gifts to the 9000 people expected" in said
    assert "leave max_p out, or set it to 0.0186" in said
    assert not _with_history(375, 0.02).warning(today(), midnight)
    assert not _with_history(375, None).warning(today(), midnight)
