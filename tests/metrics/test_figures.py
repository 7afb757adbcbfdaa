"""Figures for Prometheus, from messages as they come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.metrics.figures import STALE_SECONDS, BoothFigures
from appliance.protocol import topics
from appliance.protocol.values import BoothId, Seconds
from tests.hub.corner import BOOTH
from tests.pages.day import Day

NOW = Seconds(1_000_000.0)


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, Any]]:
    """What a hub tells at the end of a morning."""
    day = Day(minutes=45)
    found = {one.topic.rsplit("/", 1)[-1]: one.payload for one in day.hub.retained(day.ends)}
    return {leaf: json.loads(payload) for leaf, payload in found.items() if payload}


def figures(told: dict[str, dict[str, Any]], **changes: Any) -> BoothFigures:
    made = BoothFigures(BOOTH)
    made.take(topics.hub_status(BOOTH), b'{"v":1,"state":"online"}', NOW)
    made.take(topics.live(BOOTH), json.dumps(told["live"] | changes).encode(), NOW)
    made.take(topics.trends(BOOTH), json.dumps(told["trends"]).encode(), NOW)
    return made


def values(made: BoothFigures, now: float = NOW, *, linked: bool = True) -> dict[str, float]:
    """By name and labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in made.families(Seconds(now), linked=linked)
        for sample in family.samples
    }


def test_the_figures_are_those_of_the_big_screen(told: dict[str, dict[str, Any]]) -> None:
    """People, gifts, units and shares are what hub/live and hub/trends say."""
    found = values(figures(told))
    live = told["live"]
    assert found["leftfield_people_today"] == live["people"] > 0
    assert found["leftfield_gift_stock"] == live["pacing"]["stock"]
    assert found["leftfield_unit_frames_per_second north"] == 10
    assert found["leftfield_unit_state north watching"] == 1
    assert found["leftfield_unit_state north paused"] == 0
    share = told["trends"]["recent"]["top.colour"]["black"][0]
    assert found["leftfield_worn_recent_ratio top.colour black"] == share / 100


def test_no_single_person_can_be_read_out_of_them(told: dict[str, dict[str, Any]]) -> None:
    """Nothing that counts people one by one is exported: readings differ by whole fives of people, or not at all."""
    live = told["live"]
    units = [{**row, "admitted": row["admitted"] + 1} for row in live["units"]]
    dots = [*live["dots"], [0, 5, 0, 1]]
    before, after = values(figures(told)), values(figures(told, units=units, dots=dots))
    assert before == after
    assert before["leftfield_people_today"] % 5 == before["leftfield_baseline_people"] % 5 == 0


def test_old_figures_are_not_told(told: dict[str, dict[str, Any]]) -> None:
    """Of a hub that says nothing for a minute, and without a link, only that is told."""
    made = figures(told)
    assert "leftfield_people_today" not in values(made, NOW + STALE_SECONDS + 1)
    found = values(made, linked=False)
    assert found == {
        "leftfield_info corner": 1.0,
        "leftfield_broker_up": 0.0,
        "leftfield_hub_up": 0.0,
    }


def test_the_broker_speaks_of_itself() -> None:
    """Numbers of $SYS are figures; what is no number, such as its version, is passed over."""
    made = BoothFigures(BOOTH)
    for leaf, text in (
        ("clients/connected", b"7"),
        ("uptime", b"61 seconds"),
        ("messages/received", b"12"),
        ("messages/stored", b"3"),
        ("version", b"mosquitto version 2.0.11"),
    ):
        made.take(f"$SYS/broker/{leaf}", text, NOW)
    found = values(made)
    assert found["leftfield_broker_clients"] == 7
    assert found["leftfield_broker_uptime_seconds"] == 61
    assert found["leftfield_broker_messages_received_total"] == 12
    assert found["leftfield_broker_messages_stored"] == 3
    assert made.refused == 0


@settings(max_examples=60)
@given(
    topic=st.sampled_from([topics.live(BOOTH), topics.trends(BOOTH), topics.hub_status(BOOTH), "elsewhere"]),
    payload=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=3),
        lambda below: (
            st.lists(below, max_size=3)
            | st.dictionaries(
                st.sampled_from(["v", "state", "people", "units", "recent", "refused", "alerts", "pacing"]),
                below,
            )
        ),
        max_leaves=12,
    ).map(lambda found: json.dumps(found).encode()),
)
def test_garbage_changes_nothing(topic: str, payload: bytes) -> None:
    """Whatever comes, what was known stays known, and nothing is raised."""
    made = BoothFigures(BOOTH)
    made.take(topic, payload, NOW)
    found = values(made)
    assert "leftfield_people_today" not in found


def test_a_word_that_there_is_not_is_refused_whole(told: dict[str, dict[str, Any]]) -> None:
    """A unit's state or a garment's word outside the lists never becomes a label."""
    made = figures(told)
    rows = [{**row, "state": "<b>asleep</b>"} for row in told["live"]["units"]]
    made.take(topics.live(BOOTH), json.dumps(told["live"] | {"units": rows}).encode(), NOW)
    shares = {"top.colour": {"mauve": [1, 0, 2]}}
    made.take(topics.trends(BOOTH), json.dumps(told["trends"] | {"recent": shares}).encode(), NOW)
    made.take(topics.live(BoothId("elsewhere")), json.dumps(told["live"]).encode(), NOW)
    assert made.refused == 2
    assert values(made) == values(figures(told))
