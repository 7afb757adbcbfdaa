"""Home Assistant: what it is told is of its own form, and its templates read our figures."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from appliance.hub.engine import HubEngine
from appliance.hub.messages import OutgoingMessage
from appliance.hub.staff import home_assistant
from appliance.hub.storage.state import HubState
from appliance.protocol import topics
from appliance.protocol.health import UnitState
from appliance.protocol.values import Seconds, UnitId
from tests.hub.corner import BOOTH, NOON, Camera, hub_config, register_of
from tests.pages.day import Day

# What Home Assistant takes (homeassistant/components/mqtt: schemas.py, sensor.py, binary_sensor.py, of 2025.1):
# a key that is not here is dropped without a word there, and an unknown value refused.
DEVICE = {
    "identifiers", "connections", "manufacturer", "model", "model_id", "name", "hw_version", "serial_number",
    "sw_version", "via_device", "suggested_area", "configuration_url",
}  # fmt: skip
ORIGIN = {"name", "sw_version", "support_url"}
MESSAGE = {
    "device", "components", "origin", "state_topic", "command_topic", "qos", "encoding", "availability",
    "availability_mode", "availability_template", "availability_topic", "payload_available",
    "payload_not_available",
}  # fmt: skip
ENTITY = {
    "platform", "availability", "availability_mode", "availability_template", "availability_topic",
    "payload_available", "payload_not_available", "device_class", "enabled_by_default", "encoding",
    "entity_category", "entity_picture", "expire_after", "force_update", "icon", "json_attributes_template",
    "json_attributes_topic", "name", "object_id", "qos", "state_topic", "unique_id", "value_template",
}  # fmt: skip
OWN = {
    "sensor": {
        "last_reset_value_template", "options", "state_class", "suggested_display_precision",
        "unit_of_measurement",
    },
    "binary_sensor": {"off_delay", "payload_off", "payload_on"},
}  # fmt: skip
CLASSES = {
    "sensor": {"timestamp", "enum", "duration", "data_size"},
    "binary_sensor": {"connectivity", "running", "problem"},
}
STATE_CLASSES = {"measurement", "total", "total_increasing"}


def engine(*, on: bool, cameras: tuple[Camera, ...]) -> HubEngine:
    config = replace(hub_config(), home_assistant=on)
    return HubEngine(config=config, register=register_of(*cameras), stored=HubState(), now=NOON)


CAMERAS = (Camera("north"), Camera("east", seed=2))


def described(outgoing: tuple[OutgoingMessage, ...]) -> dict[str, Any]:
    """What is told of each device, None where it is taken back."""
    return {
        one.topic: json.loads(one.payload) if one.payload else None
        for one in outgoing
        if one.topic.startswith("homeassistant/")
    }


@pytest.fixture
def told() -> dict[str, Any]:
    return described(engine(on=True, cameras=CAMERAS).retained(NOON))


def test_it_is_off_until_somebody_turns_it_on() -> None:
    """By default nothing is described, and what an earlier setting left is taken back."""
    assert not hub_config().home_assistant
    hub = engine(on=False, cameras=CAMERAS)
    assert set(described(hub.retained(NOON)).values()) == {None}
    assert described(hub.handle_batch((), Seconds(NOON + 1)).outgoing) == {}


def test_every_key_is_one_that_home_assistant_takes(told: dict[str, Any]) -> None:
    """Device, origin and entities have keys and values of its schema only, and what it requires."""
    assert set(told) == {
        "homeassistant/device/leftfield_corner/config",
        "homeassistant/device/leftfield_corner_north/config",
        "homeassistant/device/leftfield_corner_east/config",
    }
    seen = set()
    for message in told.values():
        assert set(message) <= MESSAGE
        assert {"device", "components", "origin"} <= set(message)
        assert set(message["device"]) <= DEVICE
        assert message["device"]["identifiers"]
        assert set(message["origin"]) <= ORIGIN
        for one in message["components"].values():
            platform = one["platform"]
            assert set(one) <= ENTITY | OWN[platform]
            assert one["unique_id"] not in seen
            seen.add(one["unique_id"])
            assert one.get("device_class", next(iter(CLASSES[platform]))) in CLASSES[platform]
            assert one.get("state_class", "measurement") in STATE_CLASSES
            assert one.get("entity_category", "diagnostic") == "diagnostic"
            assert one.get("icon", "mdi:x").startswith("mdi:")
            assert ("options" in one) == (one.get("device_class") == "enum")


def test_units_hang_on_their_booth(told: dict[str, Any]) -> None:
    """Each unit's device names the booth's as the one it is reached through, and is away when the hub is."""
    unit = told["homeassistant/device/leftfield_corner_north/config"]
    booth = told["homeassistant/device/leftfield_corner/config"]
    assert unit["device"]["via_device"] in booth["device"]["identifiers"]
    assert unit["device"]["name"] == "Leftfield corner: north corner"
    assert unit["availability_topic"] == topics.hub_status(BOOTH)
    assert set(unit["components"]["state"]["options"]) == {
        *(state.name.lower() for state in UnitState),
        "silent",
    }


def rendered(
    one: dict[str, Any], values: dict[str, Any], undefined: type[Undefined] = StrictUndefined
) -> str:
    """A template as Home Assistant renders it: Jinja in its sandbox, with the filter of its own that is used."""
    jinja = ImmutableSandboxedEnvironment(undefined=undefined)
    jinja.filters["timestamp_local"] = lambda at: datetime.fromtimestamp(at, tz=UTC).isoformat()
    return jinja.from_string(one["value_template"]).render(value_json=values).strip()


def test_the_templates_read_what_the_hub_says() -> None:
    """Rendered over a day's messages, each gives its figure; none meets a key that is not there."""
    day = Day(minutes=45)
    live, trends = (
        json.loads(one.payload)
        for one in day.hub.retained(day.ends)
        if one.topic.endswith(("live", "trends"))
    )
    by_topic = {
        topics.live(BOOTH): live,
        topics.trends(BOOTH): trends,
        topics.hub_status(BOOTH): {"v": 1, "state": "online"},
    }
    rows = day.hub.publisher._roster.rows()
    devices = described(home_assistant.discovery(BOOTH, rows, (), enabled=True))
    found = {
        one["unique_id"]: rendered(one, by_topic[one["state_topic"]])
        for message in devices.values()
        for one in message["components"].values()
    }
    assert found["leftfield_corner_people"] == str(live["people"])
    assert found["leftfield_corner_stock"] == "40"
    assert found["leftfield_corner_online"] == "ON"
    shares = trends["recent"]["top.colour"]
    assert found["leftfield_corner_colour"] == max(shares, key=lambda word: shares[word][0])
    assert found["leftfield_corner_north_state"] == "watching"
    assert found["leftfield_corner_north_fps"] == "10"
    assert found["leftfield_corner_north_boxed"] == found["leftfield_corner_north_watching"] == "ON"
    live["pacing"]["finish"] = 1_795_993_000
    booth = devices[topics.home_assistant(BOOTH)]["components"]
    assert rendered(booth["finish"], live) == "2026-11-29T22:56:40+00:00"


def test_a_unit_that_is_not_listed_is_silent_and_off() -> None:
    """Where its row is missing, a unit's state is silent and every switch of it off."""
    hub = engine(on=True, cameras=CAMERAS)
    (live,) = (json.loads(one.payload) for one in hub.retained(NOON) if one.topic.endswith("/live"))
    live["units"] = []
    components = described(hub.retained(NOON))[topics.home_assistant(BOOTH, UnitId("north"))]["components"]
    assert rendered(components["state"], live, Undefined) == "silent"
    assert rendered(components["online"], live, Undefined) == "OFF"
    trends = {"recent": {}}
    booth = described(hub.retained(NOON))[topics.home_assistant(BOOTH)]["components"]
    assert rendered(booth["colour"], trends) == "unknown"


def test_nothing_of_a_person_is_told(told: dict[str, Any]) -> None:
    """No alert, no outfit, no exact count of what was seen is read by any template."""
    text = json.dumps(told)
    for word in ("alert/", "/board", "admitted", "dots", "look", "reasons", "heard_ago"):
        assert word not in text, word


def test_a_unit_that_comes_or_goes_is_told_at_once_and_taken_back() -> None:
    """After the register changed, the new unit is described within a minute and the revoked one is emptied."""
    north, east = CAMERAS
    hub = engine(on=True, cameras=(north,))
    hub.handle_batch((), Seconds(NOON + 1))
    register = register_of(north, east)
    hub.enrol(replace(register, units=(replace(north.row, revoked=True), east.row)))
    after = described(hub.handle_batch((), Seconds(NOON + 62)).outgoing)
    assert after[topics.home_assistant(BOOTH, UnitId("north"))] is None
    assert (
        after[topics.home_assistant(BOOTH, UnitId("east"))]["device"]["name"]
        == "Leftfield corner: east corner"
    )
    assert described(hub.handle_batch((), Seconds(NOON + 123)).outgoing) == {}
