"""The set-up desk at the hub: who may ask, what a unit is ordered, and what a walk test keeps out of the counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused
from appliance.hub.engine import BatchResult, HubEngine
from appliance.hub.setup.messages import request_in
from appliance.hub.setup.walk import ALONE_SECONDS
from appliance.hub.storage.state import HubState
from appliance.protocol import topics
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.setup_order import Do, SetupOrder, order_in
from appliance.protocol.sign import key_id, new_private_key, public_key_of
from appliance.protocol.values import Epoch, Heartbeat, Seconds, Seq, TabletId, UnitId
from tests.hub.corner import BOOTH, NOON, ODD, PLAIN, Camera, asks, hub_config, register_of, teach, told

KEY = new_private_key()
LADDER = TabletId("tablet-1")
ZONE = [[0, 0], [64, 0], [64, 10]]


def booth_of(*cameras: Camera, key: bytes | None = KEY) -> HubEngine:
    """A hub whose first tablet is an installer's."""
    register = replace(register_of(*cameras), installers=(LADDER,))
    return HubEngine(
        config=hub_config(), register=register, stored=HubState(), now=Seconds(NOON), order_key=key
    )


def beats(camera: Camera, at: float, **changes: Any) -> bytes:
    """A heartbeat that says how the camera is."""
    health = Health(
        state=UnitState.WATCHING, source=SourceKind.CAMERA, accelerator=Accelerator.CPU, boxed=True, fps=10
    )
    camera.seq += 1
    beat = Heartbeat(
        unit=UnitId(camera.name), epoch=Epoch(camera.epoch), seq=Seq(camera.seq - 1), seen=camera.seen(at),
        health=replace(health, **changes),
    )  # fmt: skip
    return camera.sealer.seal(beat)


def answered(outcome: BatchResult) -> dict[str, Any]:
    (answer,) = told(outcome, "staff")
    return answer


def ordered(outcome: BatchResult, camera: Camera) -> SetupOrder | None:
    """What the unit was ordered, read as it reads it."""
    for message in outcome.outgoing:
        if message.topic == topics.setup(BOOTH, UnitId(camera.name)):
            assert not message.retain
            assert message.expires_after
            key = key_id(camera.row.public_key)
            return order_in(
                message.payload, public_key=public_key_of(KEY), booth=BOOTH, unit=UnitId(camera.name), key=key
            )
    return None


def setups(outcome: BatchResult) -> list[dict[str, Any]]:
    """What installers were told of each unit, last of all."""
    (*_, last) = [one.payload for one in outcome.outgoing if one.topic == topics.setups(BOOTH)]
    units: list[dict[str, Any]] = json.loads(last)["units"]
    return units


def ask(booth: HubEngine, at: float, *, tablet: str = LADDER, **body: Any) -> BatchResult:
    return booth.handle_batch([asks(tablet, "setup", **body)], Seconds(at))


@pytest.fixture
def north() -> Camera:
    return Camera("north", epoch=4)


@pytest.fixture
def booth(north: Camera) -> HubEngine:
    made = booth_of(north)
    made.handle_batch([north.says(beats(north, NOON))], Seconds(NOON))
    return made


@pytest.mark.parametrize(
    ("body", "do"),
    [
        ({"do": "aim", "minutes": 5}, Do.AIM),
        ({"do": "watch"}, Do.WATCH),
        ({"do": "zones", "zones": [ZONE]}, Do.ZONES),
        ({"do": "lock"}, Do.LOCK),
    ],
)
def test_an_installer_orders_a_unit(booth: HubEngine, north: Camera, body: dict[str, Any], do: Do) -> None:
    """What an installer asks goes to the unit, signed, with its key and the epoch that it said last."""
    outcome = ask(booth, NOON + 1, unit="north", **body)
    order = ordered(outcome, north)
    assert order is not None
    assert (order.do, order.epoch, order.made_at) == (do, 4, int(NOON + 1))
    assert (order.minutes, len(order.zones)) == (5 * (do is Do.AIM), int(do is Do.ZONES))
    assert answered(outcome)["ok"]
    acts = [(act.kind.value, act.who, act.of) for act in outcome.changes.acts]
    assert acts == ([] if do is Do.WATCH else [(do.value, "tablet-1", "north")])


def test_only_installers_are_answered(booth: HubEngine, north: Camera) -> None:
    """Another tablet of the staff gets no answer, and nothing is ordered."""
    outcome = ask(booth, NOON + 1, tablet="tablet-2", do="aim", unit="north", minutes=5)
    assert ordered(outcome, north) is None
    assert told(outcome, "staff") == []
    assert len(outcome.refusals) == 1


def test_one_unit_at_a_time_is_aimed(north: Camera) -> None:
    """While one was ordered to aim, or says that it is aimed, no other is; it itself may be again."""
    south = Camera("south", seed=2)
    booth = booth_of(north, south)
    booth.handle_batch([one.says(beats(one, NOON)) for one in (north, south)], Seconds(NOON))
    ask(booth, NOON + 1, do="aim", unit="north", minutes=5)
    assert answered(ask(booth, NOON + 2, do="aim", unit="south", minutes=5))["why"] == "other"
    aiming = beats(north, NOON + 130, state=UnitState.AIMING)
    booth.handle_batch([north.says(aiming), south.says(beats(south, NOON + 130))], Seconds(NOON + 130))
    assert answered(ask(booth, NOON + 131, do="aim", unit="south", minutes=5))["why"] == "other"
    assert answered(ask(booth, NOON + 132, do="aim", unit="north", minutes=5))["ok"]


def test_a_locked_unit_is_ordered_nothing(booth: HubEngine, north: Camera) -> None:
    """Once its heartbeat says locked nothing is signed for it; board, installers and the public page say locked."""
    outcome = booth.handle_batch(
        [north.says(beats(north, NOON + 5, locked=True, card=True))], Seconds(NOON + 5)
    )
    assert [(one["locked"], one["card"]) for one in setups(outcome)] == [(True, True)]
    assert told(outcome, "hub")[-1]["units"][0]["locked"]
    for body in ({"do": "aim", "minutes": 1}, {"do": "zones", "zones": []}, {"do": "lock"}, {"do": "watch"}):
        outcome = ask(booth, NOON + 6, unit="north", **body)
        assert (ordered(outcome, north), answered(outcome)["why"]) == (None, "locked")


def test_a_silent_unit_and_a_hub_without_a_key_are_said(north: Camera) -> None:
    """A unit that says nothing cannot be ordered; a hub without a signing key says so; a stranger is no camera."""
    booth = booth_of(north)
    assert answered(ask(booth, NOON, do="aim", unit="north", minutes=5))["why"] == "silent"
    assert not answered(ask(booth, NOON, do="aim", unit="stranger", minutes=5))["ok"]
    keyless = booth_of(north, key=None)
    keyless.handle_batch([north.says(beats(north, NOON))], Seconds(NOON))
    assert answered(ask(keyless, NOON + 1, do="lock", unit="north"))["why"] == "key"


def test_the_public_page_says_aiming_and_locked(booth: HubEngine, north: Camera) -> None:
    """While the only camera is aimed the public state says so, and how many are locked."""
    status = json.dumps({"v": 1, "state": "online", "spooled": 0, "dropped": 0}).encode()
    online = replace(north.says(status), untrusted_topic=topics.unit_status(BOOTH, UnitId("north")))
    aiming = north.says(beats(north, NOON + 5, state=UnitState.AIMING, locked=True))
    booth.handle_batch([online, aiming], Seconds(NOON + 5))
    public = json.loads(booth.publisher.public(Seconds(NOON + 6)))
    assert (public["state"], public["aimed"], public["locked"]) == ("aiming", 1, 1)


def test_a_walk_test_teaches_nothing_and_alerts_nobody(north: Camera) -> None:
    """What is read while somebody walks enters no count, no alert, no store: the hub is as if it had not come."""
    booth = booth_of(north)
    teach(booth, north)
    moment = NOON + 10
    booth.handle_batch([north.says(beats(north, moment))], Seconds(moment))
    before = (booth.baseline.people, booth.daily_counts.number("people"))
    assert answered(ask(booth, moment + 1, do="walk", unit="north", wear={"top.colour": "yellow"}))["ok"]
    ask(booth, moment + 2, do="pass", unit="north")
    outcome = booth.handle_batch([north.says(north.observation(ODD, moment + 3))], Seconds(moment + 5))
    assert told(outcome, "alert") == []
    assert outcome.changes.live == ()
    assert (booth.baseline.people, booth.daily_counts.number("people")) == before
    outcome = booth.handle_batch([], Seconds(moment + 5 + ALONE_SECONDS))
    (unit,) = setups(outcome)
    assert (unit["state"], unit["walk"]["last"], unit["result"]["right"]) == ("tested", "read", 1)
    assert "yellow" not in json.dumps(unit)
    kept = setups(ask(booth, moment + 30, do="end", unit="north"))
    booth.handle_batch([north.says(north.observation(PLAIN, moment + 36))], Seconds(moment + 40))
    assert booth.daily_counts.number("people") == before[1] + 1
    assert kept[0]["result"]["right"] == 1  # the counts stay


def test_only_whom_the_camera_saw_in_the_test_belongs_to_it(north: Camera) -> None:
    """A backlog from before counts; the tail that the unit says after the end is dropped, alerts nobody, too."""
    booth = booth_of(north)
    teach(booth, north)
    moment = NOON + 100
    people = booth.daily_counts.number("people")
    ask(booth, moment, do="walk", unit="north", wear={"top.colour": "yellow"})
    ask(booth, moment + 1, do="pass", unit="north")
    booth.handle_batch([north.says(north.observation(PLAIN, moment - 40))], Seconds(moment + 2))
    assert booth.daily_counts.number("people") == people + 1
    unit = setups(ask(booth, moment + 20, do="end", unit="north"))[0]
    assert unit["result"]["passes"] == [0, 1, 0]  # the backlog was nobody's pass
    tail = booth.handle_batch([north.says(north.observation(ODD, moment + 15))], Seconds(moment + 32))
    assert (told(tail, "alert"), tail.changes.live) == ([], ())
    assert booth.daily_counts.number("people") == people + 1
    booth.handle_batch([north.says(north.observation(PLAIN, moment + 25))], Seconds(moment + 33))
    assert booth.daily_counts.number("people") == people + 2


def test_one_pass_is_not_told_word_by_word(north: Camera) -> None:
    """The table by attribute is told from three read passes on: what one pass shows is nearly an outfit."""
    booth = booth_of(north)
    ask(booth, NOON, do="walk", unit="north", wear={"top.colour": "yellow"})
    tables = []
    for number in range(3):
        at = NOON + 60 * number
        ask(booth, at + 5, do="pass", unit="north")
        booth.handle_batch([north.says(north.observation(ODD, at + 10))], Seconds(at + 15))
        (unit,) = setups(booth.handle_batch([], Seconds(at + 40)))
        assert unit["result"]["passes"] == [number + 1, 0, 0]
        tables.append(unit["result"]["attributes"])
    assert [bool(table) for table in tables] == [False, False, True]


def test_a_walk_test_ends_by_itself(booth: HubEngine, north: Camera) -> None:
    """After ten minutes the camera counts again, whoever forgot to end the test."""
    ask(booth, NOON + 1, do="walk", unit="north", wear={"sleeves": "long"})
    booth.handle_batch([], Seconds(NOON + 602))
    booth.handle_batch([north.says(north.observation(PLAIN, NOON + 608))], Seconds(NOON + 610))
    assert booth.daily_counts.number("people") == 1


def test_a_count_by_hand_stands_beside_the_hubs(booth: HubEngine, north: Camera) -> None:
    """Clicks and what the camera said meanwhile are counted side by side; the passers-by count as ever."""
    ask(booth, NOON + 1, do="count", unit="north")
    for number in range(4):
        ask(booth, NOON + 2 + number, do="click", unit="north")
    outcome = booth.handle_batch(
        [north.says(north.observation(PLAIN, NOON + 5)) for _ in range(3)], Seconds(NOON + 9)
    )
    assert setups(outcome)[0]["clicks"]["seen"] == 3
    assert setups(outcome)[0]["clicks"]["clicks"] == 4
    assert booth.daily_counts.number("people") == 3
    assert not answered(ask(booth, NOON + 10, do="pass", unit="north"))["ok"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"do": "aim", "unit": "north"}, {"do": "aim", "unit": "north", "minutes": 16},
        {"do": "aim", "unit": "north", "minutes": True}, {"do": "lock", "unit": 3}, {"do": "dance", "unit": "north"},
        {"do": "lock", "unit": "north", "more": 1}, {"do": "walk", "unit": "north"},
        {"do": "walk", "unit": "north", "wear": {"hat": "red"}},
        {"do": "walk", "unit": "north", "wear": {"bag": "yes"}},
        {"do": "walk", "unit": "north", "wear": {"top.colour": "a red one, size 40"}},
        {"do": "walk", "unit": "north", "wear": ["red"]},
        {"do": "lock", "unit": "north", "wear": {"sleeves": "long"}},
        {"do": "zones", "unit": "north", "zones": [[[0, 0]]]}, {"do": "lock", "unit": "north", "zones": [ZONE]},
        {"do": "lock", "unit": "north", "minutes": 3},
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(booth: HubEngine, north: Camera, body: dict[str, Any]) -> None:
    """A request is one of the closed forms, or the tablet is told that it is not."""
    outcome = ask(booth, NOON + 1, **body)
    assert not answered(outcome)["ok"]
    assert ordered(outcome, north) is None


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.text(), st.integers() | st.text()).map(lambda one: json.dumps(one).encode())
)
def test_garbage_is_refused(untrusted: bytes) -> None:
    """Any bytes are refused, never anything else."""
    with pytest.raises(Refused):
        request_in(untrusted)
