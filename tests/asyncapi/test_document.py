"""The AsyncAPI document: of the official form, up to date, and true of what the hub writes and reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from appliance import cli
from appliance.asyncapi import document as asyncapi
from appliance.enrol.names import DESK, HUB, METRICS
from appliance.hub.staff.messages import request_in
from appliance.pairing.requests import PairAnswer, read_request
from appliance.protocol import topics
from appliance.protocol.values import BoothId, TabletId
from tests.hub.corner import BOOTH
from tests.pages.day import Day

ROOT = Path(__file__).parents[2]
SCHEMA = Path("web") / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
DOCUMENT = asyncapi.document()


def form(key: str) -> Draft7Validator:
    """What checks the payload of a topic; of one that is signed, what was signed."""
    told = DOCUMENT["components"]["messages"][key]
    return Draft7Validator(told.get("x-signed", told["payload"]))


@pytest.fixture(scope="module")
def day() -> Day:
    return Day(minutes=45)


def test_the_document_has_the_official_form() -> None:
    """The schema that AsyncAPI publishes for version 3.0.0 finds nothing wrong with it, and something with less."""
    schema = json.loads((Path(os.environ["LEFTFIELD_CACHE"]) / SCHEMA).read_text())
    check = Draft7Validator(schema)
    assert [error.message for error in check.iter_errors(DOCUMENT)] == []
    broken = deepcopy(DOCUMENT)
    del broken["operations"]["Hub_send_board"]["action"]
    assert not check.is_valid(broken)


def test_every_form_of_a_payload_is_a_schema() -> None:
    """Each is valid by the schema of JSON Schema draft 7 itself."""
    for told in DOCUMENT["components"]["messages"].values():
        Draft7Validator.check_schema(told["payload"])
        Draft7Validator.check_schema(told.get("x-signed", {}))


def test_the_file_in_docs_is_up_to_date(tmp_path: Path) -> None:
    """The command writes docs/asyncapi.json byte for byte: leftfield asyncapi --out docs/asyncapi.json."""
    assert cli.main(["asyncapi", "--out", str(tmp_path / "asyncapi.json")]) == 0
    assert (tmp_path / "asyncapi.json").read_bytes() == (ROOT / "docs" / "asyncapi.json").read_bytes()


def test_the_operations_are_the_rights_that_the_broker_is_given() -> None:
    """Who may say what is read from the broker's own files: the big screen says nothing and hears no alert."""
    rights = asyncapi.rights()
    assert set(rights) == set(asyncapi.ROLES)
    says, hears = rights["{screen}"]
    assert not says
    booth = BoothId("{booth}")
    assert {topics.live(booth), topics.trends(booth), topics.hub_status(booth)} <= hears
    assert not any(word in topic for topic in hears for word in ("alert", "board", "observation", "staff"))
    assert rights[METRICS][0] == set()
    assert not rights[DESK][1] - {topics.staff(booth, TabletId("{tablet}"), topics.PAIR_LEAF)}
    assert "UnitSend" not in DOCUMENT["operations"]
    addresses = {topic.address for topic in asyncapi.TOPICS}
    assert {address for pair in rights.values() for side in pair for address in side} - addresses == {
        "$SYS/broker/#"
    }
    assert rights[HUB][0] | rights[DESK][0] <= addresses


def test_a_topic_without_a_description_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives the broker a new right must describe its topic, or there is no document."""
    monkeypatch.setattr(asyncapi, "TOPICS", asyncapi.TOPICS[1:])
    with pytest.raises(KeyError):
        asyncapi.document()


def messages(day: Day) -> Iterator[tuple[str, Any]]:
    """What a hub told in three quarters of an hour, by the topic's key."""
    for one in day.hub.retained(day.ends):
        leaf = one.topic.split("/")[-1] if "/hub/" in one.topic else "alert"
        if one.payload:
            yield leaf, json.loads(one.payload)


def test_what_the_hub_tells_is_of_the_form(day: Day) -> None:
    """Board, moment and trends of a day are valid, and no longer with a key more, a key less or another word."""
    told = dict(messages(day))
    assert {"board", "live", "trends", "lead"} <= set(told)
    for key, message in told.items():
        check = form(key)
        assert [error.message for error in check.iter_errors(message)] == [], key
        assert not check.is_valid(message | {"name": "somebody"})
        for missing in message:
            assert not check.is_valid({name: it for name, it in message.items() if name != missing}), missing
    board = deepcopy(told["board"])
    board["units"][0]["state"] = "asleep"
    assert not form("board").is_valid(board)


def test_a_cell_of_few_people_is_not_of_the_form(day: Day) -> None:
    """The document says it too: no count of trends lies between 0 and 20, and none is no whole five."""
    told = dict(messages(day))["trends"]
    for few in (1, 15, 22):
        broken = deepcopy(told)
        broken["cells"]["sleeves"]["long"][0] = few
        assert not form("trends").is_valid(broken)


REQUESTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("claim", {"v": 1, "alert": "a1"}),
    ("forget", {"v": 1, "alert": "a1"}),
    ("outcome", {"v": 1, "alert": "a1", "outcome": "gifted", "why": None}),
    ("outcome", {"v": 1, "alert": "a1", "outcome": "dismissed", "why": "costume"}),
)


@pytest.mark.parametrize(("leaf", "request_"), REQUESTS)
def test_requests_that_the_hub_reads_are_of_the_form(leaf: str, request_: dict[str, Any]) -> None:
    """What the hub takes is valid, what it refuses is not."""
    topic = topics.staff(BOOTH, TabletId("tablet-1"), leaf)
    request_in(topic, json.dumps(request_).encode(), BOOTH)
    assert form(leaf).is_valid(request_)
    for broken in (request_ | {"alert": "b1"}, request_ | {"v": 2}, request_ | {"who": "me"}):
        assert not form(leaf).is_valid(broken)


def test_pairing_is_of_the_form() -> None:
    """A request that the desk reads and an answer that it gives are valid."""
    request = {
        "v": 1, "code": "7K3M-9PQX-2HTD-ABCD", "unit": "north", "place": "north corner", "looks": "east",
        "replaces": "",
    }  # fmt: skip
    assert form("pair").is_valid(request)
    assert not form("pair").is_valid(request | {"looks": "up"})
    assert callable(read_request)
    answer = json.loads(PairAnswer(ok=False, why="nobody", text="No camera waits.").payload())
    assert form("answer").is_valid(answer)
