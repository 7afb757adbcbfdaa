"""The big screen's history: counts of crowds, from which nobody can be read."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.enrol.broker import PACKET_BYTES
from appliance.hub.admission.admission import Admission
from appliance.hub.messages import IncomingMessage
from appliance.hub.pacing.outlook import Outlook
from appliance.hub.records.trends import (
    CLASSES,
    ENOUGH,
    FIVE,
    KEPT_SECONDS,
    LEAST,
    QUARTER,
    SHOWN,
    Trends,
    cell,
)  # fmt: skip
from appliance.hub.staff.room import MOST_UNITS, Moment, _recent, live_telling, trends_telling
from appliance.hub.staff.status import UnitRow
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.change.drift import Change
from appliance.hub.statistics.layout import STREET, encode
from appliance.protocol.health import FPS_LIMIT, Accelerator, Health, SourceKind, UnitState
from appliance.protocol.values import AlertId, AttributeVector, BoothId, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from tests.hub.corner import (
    BOOTH,
    NOON,
    ODD,
    PLAIN,
    Camera,
    Crowd,
    asks,
    new_booth,
    register_of,
    store_at,
    told,
)  # fmt: skip

START = Seconds(NOON // QUARTER * QUARTER)


def _pass(trends: Trends, number: int, vector: AttributeVector, at: float, **said: Any) -> None:
    for _ in range(number):
        trends.passed(
            encode(vector).fair, Seconds(at), bits=said.get("bits", 0.5), simulated=False, now=Seconds(at)
        )


def _telling(trends: Trends, now: float) -> dict[str, Any]:
    return json.loads(trends_telling(BOOTH, trends, Baseline(), (), Seconds(now)))


def _numbers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [number for one in value.values() for number in _numbers(one)]
    if isinstance(value, list):
        return [number for one in value for number in _numbers(one)]
    return [value]


STREETS = st.lists(
    st.tuples(
        st.integers(0, 7),  # quarter
        st.integers(1, 130),  # people
        st.sampled_from(ATTRIBUTES[0].levels),
        st.sampled_from(ATTRIBUTES[INDEX["sleeves"]].levels),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(street=STREETS, forgotten=st.integers(0, 5), last=st.booleans())
def test_no_cell_below_twenty_and_no_number_but_fives_is_ever_told(
    street: list[tuple[int, int, str, str]], forgotten: int, last: bool
) -> None:
    """Whatever passes, is told late, forgotten or stored: each count of people is 0 or a whole five from 20 on."""
    trends, now = Trends(), Seconds(START + 8 * QUARTER)
    for quarter, people, colour, sleeves in street:
        vector = AttributeVector.of(top_colour=colour, sleeves=sleeves)
        _pass(trends, people, vector, START + quarter * QUARTER)
        trends.tick(Seconds(START + (quarter + 1) * QUARTER))
    for number in range(forgotten):
        trends.forget(AlertId(f"a{number + 1}"), encode(vector).fair, START)
    trends.tick(now, last=last)
    said = _telling(trends, now)
    counts = _numbers(said["cells"]) + said["people"]
    stored = [number for one in trends.news() for what, number in one.rows if what != "quarters"]
    assert all(number == 0 or (number >= LEAST and number % FIVE == 0) for number in counts + stored)
    if not last:
        assert sum(said["people"]) <= sum(people for _, people, _, _ in street)
        assert all(span.people >= ENOUGH // FIVE * FIVE for span in trends.spans())


@settings(max_examples=60, deadline=None)
@given(street=STREETS)
def test_everybody_is_in_one_span(street: list[tuple[int, int, str, str]]) -> None:
    """Spans follow each other without overlap, so that none can be subtracted from another."""
    trends = Trends()
    for quarter, people, colour, _ in street:
        _pass(trends, people, AttributeVector.of(top_colour=colour), START + quarter * QUARTER)
        trends.tick(Seconds(START + (quarter + 1) * QUARTER))
    spans = trends.spans()
    for one, following in pairwise(spans):
        assert one.start + one.quarters * QUARTER <= following.start


def test_the_rest_never_tells_a_single_small_cell() -> None:
    """Where one word alone is rare, neither it nor a rest tells how many wore it."""
    trends = Trends()
    _pass(trends, 400, AttributeVector.of(sleeves="long"), START)
    _pass(trends, LEAST - 1, AttributeVector.of(sleeves="short"), START)
    trends.tick(Seconds(START + QUARTER))
    assert _telling(trends, START + QUARTER)["cells"]["sleeves"] == {"long": [400]}


def test_the_running_quarter_is_not_told() -> None:
    """What minutes could tell apart is told only when the quarter is over."""
    trends = Trends()
    _pass(trends, 1000, PLAIN, START)
    trends.tick(Seconds(START + QUARTER - 1))
    assert trends.spans() == ()
    trends.tick(Seconds(START + QUARTER))
    assert [span.people for span in trends.spans()] == [1000]


def test_a_quiet_street_is_told_in_hours() -> None:
    """Quarters of too few people wait for each other, and are told together."""
    trends = Trends()
    for quarter in range(8):
        _pass(trends, 60, PLAIN, START + quarter * QUARTER)
        trends.tick(Seconds(START + (quarter + 1) * QUARTER))
    assert [(span.start, span.quarters, span.people) for span in trends.spans()] == [
        (START, 4, 240),
        (START + 4 * QUARTER, 4, 240),
    ]


def test_the_evening_is_not_told_with_the_morning() -> None:
    """Quarters more than three hours apart are never one span."""
    trends = Trends()
    _pass(trends, 150, PLAIN, START)
    _pass(trends, 150, PLAIN, START + 5 * 3600)
    trends.tick(Seconds(START + 6 * 3600))
    assert trends.spans() == ()


def test_a_restart_keeps_what_was_told(tmp_path: Any) -> None:
    """The store gives back the spans and alerts as they were told, and late people are added to them."""
    camera = Camera("north")
    booth, store = new_booth(camera), store_at(tmp_path)
    for minute in range(0, 40, 5):
        now = Seconds(START + 60 * minute)
        batch = [camera.says(camera.observation(PLAIN, now)) for _ in range(100)]
        store.commit(booth.handle_batch(batch, now).changes)
    store.commit(booth.handle_batch([], Seconds(START + 2400), last=True).changes)
    before = _last_trends(booth.retained(Seconds(START + 2400)))
    again = new_booth(camera, stored=store.load(), now=START + 2460)
    after = _last_trends(again.retained(Seconds(START + 2460)))
    assert before["people"] == [300, 300, 200]
    for key in ("starts", "quarters", "people", "cells", "alerts"):
        assert after[key] == before[key], key
    store.close()


def _last_trends(messages: Any) -> dict[str, Any]:
    (found,) = (json.loads(one.payload) for one in messages if one.topic.endswith("/hub/trends"))
    return found


def test_twelve_hours_are_kept() -> None:
    """What is older than twelve hours is neither told nor stored."""
    trends = Trends()
    _pass(trends, 300, PLAIN, START)
    trends.tick(Seconds(START + QUARTER))
    assert trends.spans()
    trends.tick(Seconds(START + KEPT_SECONDS + 2 * QUARTER))
    assert trends.spans() == ()
    assert trends.alerts() == ()


def test_forgetting_takes_somebody_out_of_history_and_strip() -> None:
    """After "forget" neither the span nor the strip knows the person."""
    camera, tablet = Camera("north"), "tablet-1"
    booth = new_booth(camera, warmup_people=50)
    booth.handle_batch([camera.says(camera.observation(PLAIN, START)) for _ in range(400)], Seconds(START))
    said = booth.handle_batch([camera.says(camera.observation(ODD, START + 5))], Seconds(START + 5))
    (alert,) = told(said, "alert")
    rare = [dot for dot in _live(booth, START + 6)["dots"] if dot[1] > 0]
    assert [dot[3] for dot in rare] == [1]
    yellow = STREET.offsets[0] + ATTRIBUTES[0].levels.index("yellow")
    assert booth._trends._spans[int(START // QUARTER)].levels[yellow] == 1
    booth.handle_batch([asks(tablet, "forget", alert=alert["id"])], Seconds(START + 7))
    assert [dot for dot in _live(booth, START + 8)["dots"] if dot[1] > 0] == []
    assert booth._trends._spans[int(START // QUARTER)].levels[yellow] == 0
    assert _last_trends(booth.retained(Seconds(START + 8)))["alerts"] == [[START, [1, 0, 0, 0, 0, 1]]]


def _live(booth: Any, now: float) -> dict[str, Any]:
    (found,) = (
        json.loads(one.payload) for one in booth.retained(Seconds(now)) if one.topic.endswith("/hub/live")
    )
    return found


def test_the_strip_tells_no_clothes_and_no_camera() -> None:
    """A dot is four small numbers; five minutes later it is gone."""
    north, south = Camera("north"), Camera("south", seed=2)
    booth = new_booth(north, south)
    booth.handle_batch(
        [
            camera.says(camera.observation(vector, START))
            for camera in (north, south)
            for vector in (PLAIN, ODD)
        ],
        Seconds(START),
    )
    dots = _live(booth, START + 10)["dots"]
    assert sum(number for *_, number in dots) == 4
    assert all(len(dot) == 4 and dot[0] <= 60 and dot[1] < CLASSES and dot[2] in {0, 1} for dot in dots)
    booth.handle_batch([], Seconds(START + 400))
    assert _live(booth, START + 400)["dots"] == []


def test_what_rises_is_what_differs_for_certain() -> None:
    """Half the people in yellow where one in twenty was usual is told; a wobble is not."""
    baseline, trends = Baseline(), Trends()
    yellow = AttributeVector.of(top_colour="yellow", sleeves="long")
    black = AttributeVector.of(top_colour="black", sleeves="short")
    for vector, number in ((yellow, 100), (black, 1900)):
        for _ in range(number):
            baseline.update(vector, UnitId("north"), Seconds(START - 86_400))
    _pass(trends, 150, yellow, START)
    _pass(trends, 150, black, START)
    trends.tick(Seconds(START + QUARTER))
    said = json.loads(trends_telling(BOOTH, trends, baseline, (), Seconds(START + QUARTER)))
    assert ["top.colour", "yellow", 48, 5] in said["movers"]
    assert ["top.colour", "black", 48, 95] in said["movers"]
    assert said["usual"]["top.colour"]["black"][0] == 95


def test_what_is_hidden_makes_no_riser() -> None:
    """Where the others are too few to be told, a share is not taken for all, nor said to have risen."""
    baseline, trends = Baseline(), Trends()
    long, short = (AttributeVector.of(sleeves=word) for word in ("long", "short"))
    for vector, number in ((long, 1900), (short, 100)):
        for _ in range(number):
            baseline.update(vector, UnitId("north"), Seconds(START - 86_400))
    _pass(trends, 300, long, START)
    _pass(trends, LEAST - 1, short, START)
    trends.tick(Seconds(START + QUARTER))
    said = json.loads(trends_telling(BOOTH, trends, baseline, (), Seconds(START + QUARTER)))
    share, low, high = said["recent"]["sleeves"]["long"]
    assert (share, low <= 94, high) == (97, True, 100)
    assert said["movers"] == []


def test_the_messages_fit_into_a_packet() -> None:
    """Twelve busy hours of every word, dots of every class in each step, more units than are listed: under 32 KiB."""
    trends, everything = Trends(), np.arange(STREET.levels)
    now = Seconds(START + KEPT_SECONDS)
    for quarter in range(KEPT_SECONDS // QUARTER):
        span = START + quarter * QUARTER
        trends.passed(everything, Seconds(span + 1), bits=0.0, simulated=False, now=Seconds(span + 1))
        one = trends._spans[int(span // QUARTER)]
        one.people, one.levels = 99_999, np.full(STREET.levels, 99_999)
        for name in range(20):
            trends.raised(
                AlertId(f"a{name}"), Seconds(span), seen_at=Seconds(span), bits=9.0, simulated=False
            )
        trends.tick(Seconds(span + QUARTER))
    for second in range(0, 305, 5):
        for bits in range(0, 14, 2):
            for simulated in (False, True):
                at = Seconds(now - second)
                for _ in range(12):
                    trends.passed(everything[:0], at, bits=bits, simulated=simulated, now=now)
    changes = [
        Change(attribute=place, level=1, usual=0.26, now=0.51, since=START)
        for place in range(len(ATTRIBUTES))
    ]
    baseline = Baseline()
    crowd = Crowd()
    for _ in range(3000):
        baseline.update(crowd.person(sight=1.0), UnitId("north"), START)
    said = trends_telling(BoothId("b" * 24), trends, baseline, changes, now)
    assert len(said) < PACKET_BYTES - 512
    assert len(json.loads(said)["starts"]) == KEPT_SECONDS // QUARTER
    live = live_telling(BoothId("b" * 24), trends, _moment(MOST_UNITS + 5), now)
    assert len(live) < PACKET_BYTES - 512
    assert len(json.loads(live)["units"]) == MOST_UNITS


def _moment(units: int) -> Moment:
    health = Health(
        state=UnitState.WATCHING, source=SourceKind.SIMULATED, accelerator=Accelerator.CPU_FALLBACK,
        boxed=True, fps=FPS_LIMIT - 1,
    )  # fmt: skip
    row = UnitRow(
        unit=UnitId("u" * 24), place="é" * 40, enrolled_simulated=True, online=False, health=health,
        heard_at=START, boxed=False, admitted=10**9, refused=10**9, repeated=0, missing=10**9, spooled=200_000,
        dropped=10**6,
        rules=tuple((rule, 10**6) for rule in range(1, 17)), synced=False,
    )  # fmt: skip
    return Moment(
        people_today=10**6, alerts_today=999, alerts_open=9, claimed=3, gifted=999, stock=999, staff=9,
        staff_free=0, weight=1e7, needs=99, units=(row,) * units,
        strangers=Counter(dict.fromkeys(range(1, 21), 10**6)),
        outlook=Outlook(opens=START, closes=START, people=10**6, gifts=99.0, finish=START),
    )  # fmt: skip


def test_the_public_page_is_told_crowds_only() -> None:
    """Its state, people in fives, and the commonest colour of the hours that are told."""
    camera = Camera("north")
    booth = new_booth(camera)
    assert json.loads(booth.publisher.public(START))["state"] == "off"
    batch = [camera.says(camera.observation(PLAIN, START)) for _ in range(303)]
    online = IncomingMessage(
        untrusted_topic=camera.topic.replace("observation", "status"),
        untrusted_payload=b'{"v":1,"state":"online","spooled":0,"dropped":0}',
    )
    booth.handle_batch([*batch, camera.says(camera.heartbeat(START)), online], START)
    told = json.loads(booth.publisher.public(Seconds(START + 5)))
    assert (told["state"], told["watching"], told["people"], told["share"]) == ("watching", 1, 300, None)
    booth.handle_batch([], Seconds(START + QUARTER))
    assert json.loads(booth.publisher.public(Seconds(START + QUARTER)))["share"] == ["black", 100]


def test_the_hub_tells_the_screen_in_time() -> None:
    """The moment is told every three seconds and the past once a minute, whatever else happens."""
    camera = Camera("north")
    booth = new_booth(camera)
    told_at: dict[str, list[int]] = {"live": [], "trends": []}
    for second in range(130):
        for one in booth.handle_batch([], Seconds(START + second)).outgoing:
            leaf = one.topic.rsplit("/", 1)[-1]
            if leaf in told_at:
                told_at[leaf].append(second)
    assert told_at["trends"] == [0, 60, 120]
    assert told_at["live"][:4] == [0, 3, 6, 9]


def test_a_stretch_that_is_over_is_told_at_once() -> None:
    """Nobody waits a minute for the first picture: what earlier hours brought is told within seconds."""
    camera = Camera("north", booted=START - 9000)
    booth = new_booth(camera)
    booth.handle_batch([], START)
    batch = [camera.says(camera.observation(PLAIN, START - 3600)) for _ in range(250)]
    booth.handle_batch(batch, Seconds(START + 1))
    told_now = booth.handle_batch([], Seconds(START + 4)).outgoing
    assert _last_trends(told_now)["people"] == [250]


def test_units_tell_their_spool_their_clock_and_who_was_refused() -> None:
    """The moment has what each RELAY still holds, whether the clock is set, and refusals by rule."""
    camera = Camera("north")
    booth = new_booth(camera)
    status = json.dumps({"v": 1, "state": "online", "spooled": 7, "dropped": 2}).encode()
    relay = camera.says(status)
    booth.handle_batch(
        [
            relay.__class__(untrusted_topic=relay.untrusted_topic.replace("observation", "status"),
                            untrusted_payload=status),
            camera.says(camera.heartbeat(START)),
            camera.says(b"garbage"),
        ],
        START,
    )  # fmt: skip
    said = _live(booth, START + 1)
    (unit,) = said["units"]
    assert (unit["spooled"], unit["dropped"], unit["clock"], unit["fps"]) == (7, 2, True, 10)
    assert said["refused"] == [[2, 1]]
    assert cell(19) == 0
    assert Admission(booth=BOOTH, register=register_of(camera)).synced("north") is None
    assert _recent((), START) == {}
    assert SHOWN[0] == "top.colour"
