"""Reports to the fleet: what they can hold, what they cannot, and that anything else is refused."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.base.errors import Refused, Rule
from appliance.protocol import fleet_report, sign, signed_document
from appliance.protocol.fleet_report import (
    COUNTED,
    FleetReport,
    ReportKind,
    baseline_body,
    baseline_of,
    days_body,
    report_in,
    sealed_report,
    topic,
)
from appliance.protocol.values import BoothId

KEY = (7).to_bytes(32, "big")
PUBLIC = sign.public_key_of(KEY)
CORNER = BoothId("corner")
MADE = 1_795_000_000  # 2026-11-18
MOMENT: dict[str, Any] = {
    "people": 300,
    "needs": 0,
    "refused": 0,
    "units": [["north", "watching", "online"]],
    "changes": [["top.colour", "red", 30, 10]],
}


def report(kind: ReportKind = ReportKind.DAYS, body: dict[str, Any] | None = None) -> FleetReport:
    return FleetReport(
        booth=CORNER, kind=kind, epoch=3, seq=9, made_at=MADE, body={} if body is None else body
    )


def refusal(topic_said: str, payload: bytes, key: bytes = PUBLIC) -> Rule:
    with pytest.raises(Refused) as refused:
        report_in(topic_said, payload, public_key=key)
    return refused.value.rule


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ReportKind.DAYS, {"2026-11-17": {"people": 120, "gifted": 3}}),
        (ReportKind.BASELINE, baseline_body(b"a file")),
        (ReportKind.MOMENT, MOMENT),
    ],
)
def test_a_report_comes_out_as_it_went_in(kind: ReportKind, body: dict[str, Any]) -> None:
    one = report(kind, body)
    assert report_in(topic(CORNER, kind), sealed_report(one, private_key=KEY), public_key=PUBLIC) == one


def test_another_key_topic_booth_or_kind_is_refused() -> None:
    sealed = sealed_report(report(), private_key=KEY)
    assert (
        refusal(topic(CORNER, ReportKind.DAYS), sealed, sign.public_key_of(bytes(31) + b"\1"))
        is Rule.UNKNOWN_KEY
    )
    assert refusal(topic(CORNER, ReportKind.MOMENT), sealed) is Rule.WRONG_TOPIC
    assert refusal(topic(BoothId("market"), ReportKind.DAYS), sealed) is Rule.WRONG_TOPIC
    assert refusal(topic(CORNER, ReportKind.DAYS), bytes(fleet_report.MOST_BYTES + 1)) is Rule.TOO_LONG
    prior = signed_document.seal({"form": 1}, kind="prior", private_key=KEY)
    assert refusal(topic(CORNER, ReportKind.DAYS), prior) is Rule.FORGED


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ReportKind.DAYS, {"2026-13-01": {"people": 5}}),
        (ReportKind.DAYS, {"2026-11-31": {"people": 5}}),
        (ReportKind.DAYS, {"2026-11-01": {"people": 5}}),
        (ReportKind.DAYS, {"2027-11-18": {"people": 5}}),
        (ReportKind.DAYS, {"2026-11-17": {"people": 10**9}}),
        (ReportKind.DAYS, {"2026-11-17": {"outfit": 5}}),
        (ReportKind.DAYS, {"2026-11-17": {"people": -1}}),
        (ReportKind.DAYS, {"2026-11-17": {"people": True}}),
        (ReportKind.DAYS, {"2026-11-17": 5}),
        (ReportKind.DAYS, {f"2026-11-{day:02d}": {} for day in range(10, 21)}),
        (ReportKind.BASELINE, {"file": 5}),
        (ReportKind.BASELINE, {"file": "", "code": "a vector"}),
        (ReportKind.MOMENT, MOMENT | {"code": 5}),
        (ReportKind.MOMENT, MOMENT | {"people": "many"}),
        (ReportKind.MOMENT, MOMENT | {"units": [["north", "watching"]]}),
        (ReportKind.MOMENT, MOMENT | {"units": [["x" * 41, "watching", "online"]]}),
        (ReportKind.MOMENT, MOMENT | {"units": [["north", "yellow coat", "online"]]}),
        (ReportKind.MOMENT, MOMENT | {"units": [["north\0", "watching", "online"]]}),
        (ReportKind.MOMENT, MOMENT | {"units": [["north", 5, "online"]]}),
        (ReportKind.MOMENT, MOMENT | {"changes": [["top.colour", "a tall man", 1, 2]]}),
        (ReportKind.MOMENT, MOMENT | {"changes": [["top.colour", "red", 1, 200]]}),
        (ReportKind.MOMENT, MOMENT | {"units": [5]}),
        (ReportKind.MOMENT, MOMENT | {"changes": [[{}, "red", 1, 2]]}),
    ],
)
def test_a_body_of_another_form_is_refused(kind: ReportKind, body: dict[str, Any]) -> None:
    assert refusal(topic(CORNER, kind), sealed_report(report(kind, body), private_key=KEY)) is Rule.MALFORMED


def test_what_is_no_number_of_a_report_is_refused() -> None:
    one = report()
    for change in ({"epoch": 2**32}, {"seq": -1}, {"made_at": True}):
        sealed = sealed_report(replace(one, **change), private_key=KEY)
        assert refusal(topic(CORNER, ReportKind.DAYS), sealed) is Rule.MALFORMED
    document = {"form": 2}
    sealed = signed_document.seal(document, kind=fleet_report.DOCUMENT, private_key=KEY)
    assert refusal(topic(CORNER, ReportKind.DAYS), sealed) is Rule.OTHER_VERSION
    sealed = signed_document.seal({"form": 1}, kind=fleet_report.DOCUMENT, private_key=KEY)
    assert refusal(topic(CORNER, ReportKind.DAYS), sealed) is Rule.MALFORMED


@given(some.binary(max_size=400))
def test_bytes_of_anybody_are_refused_and_nothing_else(untrusted: bytes) -> None:
    with pytest.raises(Refused):
        report_in(topic(CORNER, ReportKind.DAYS), untrusted, public_key=PUBLIC)


def test_a_baseline_that_unpacks_to_too_much_or_not_at_all_is_refused() -> None:
    """A bomb, a stream that is cut off, one with something behind it, and no stream at all."""
    good = zlib.compress(b"file")
    bomb = zlib.compress(bytes(signed_document.MAX_DOCUMENT + 1))
    for packed in (bomb, good[:-1], good + b"more", b"no stream"):
        body = {"file": base64.b64encode(packed).decode()}
        with pytest.raises(Refused):
            baseline_of(report(ReportKind.BASELINE, body))
    with pytest.raises(Refused):
        baseline_of(report(ReportKind.BASELINE, {"file": "not base64!"}))
    assert baseline_of(report(ReportKind.BASELINE, baseline_body(b"file"))) == b"file"


def test_people_are_told_in_whole_fives_and_only_what_is_named() -> None:
    body = days_body({"2026-11-17": {"people": 123, "flags": 4, "gifted": 7, "began": 1_790_000_000}})
    assert body == {"2026-11-17": {"people": 120, "flags": 0, "gifted": 7}}


def test_every_day_of_the_calendar_can_be_told_and_no_other() -> None:
    """A leap day is one; so is the first of a month; the thirtieth of February is none."""
    made = 1_835_500_000  # 2028-03-01
    for day, good in (
        ("2028-02-29", True),
        ("2028-03-01", True),
        ("2028-02-30", False),
        ("2028-01-01", False),
    ):
        one = replace(report(ReportKind.DAYS, {day: {"people": 5}}), made_at=made)
        sealed = sealed_report(one, private_key=KEY)
        if good:
            assert report_in(topic(CORNER, ReportKind.DAYS), sealed, public_key=PUBLIC) == one
        else:
            assert refusal(topic(CORNER, ReportKind.DAYS), sealed) is Rule.MALFORMED


def test_the_largest_report_fits_into_a_packet() -> None:
    """Nine days of everything; a moment of every unit and change; ValueError for more."""
    days = {
        f"2026-11-{day:02d}": dict.fromkeys(COUNTED, fleet_report.MOST_A_DAY - 1) for day in range(10, 19)
    }
    assert len(sealed_report(report(ReportKind.DAYS, days), private_key=KEY)) < 3000
    moment = MOMENT | {
        "units": [["x" * 24, "too_bright", "offline"]] * 256,
        "changes": [["x" * 20, "y" * 20, 1, 1]] * 32,
    }
    assert len(sealed_report(report(ReportKind.MOMENT, moment), private_key=KEY)) < fleet_report.MOST_BYTES
    with pytest.raises(ValueError, match="at most"):
        sealed_report(report(ReportKind.BASELINE, {"file": "x" * 40_000}), private_key=KEY)
    assert json.dumps(MOMENT)
