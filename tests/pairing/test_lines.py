"""The lines of a pairing and an installer's request, read from untrusted bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.pairing.lines import FORMS, line, read_line
from appliance.pairing.requests import read_request

REQUEST = {"v": 1, "code": "7K3M-9PQX-2HTD", "unit": "corner-north", "place": "north corner"}
JSON = st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode)


def test_a_line_reads_back() -> None:
    """Kind and fields are what was written."""
    read = read_line(line("offer", booth="corner", authority=b"a", hub_key=b"", share=b"s"), "offer")
    assert (read.text("booth"), read.octets("authority"), read.octets("hub_key")) == ("corner", b"a", b"")


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"[]\n",
        b'{"kind": "share"}\n',
        b'{"kind": "share", "share": "0G"}\n',
        b'{"kind": "share", "share": "AB"}\n',
        b'{"kind": "share", "share": 1}\n',
        b'{"kind": "share", "share": "00", "more": 1}\n',
        b'{"kind": "share", "share": "00", "share": "01"}\n',
        b'{"kind": "proof", "proof": "00"}\n',
        b'{"kind": ["share"], "share": "00"}\n',
        b"[" * 5000,
    ],
)
def test_a_line_of_another_form_is_refused(bad: bytes) -> None:
    """One rule for all of them."""
    with pytest.raises(Refused) as refusal:
        read_line(bad, "share")
    assert refusal.value.rule is Rule.MALFORMED_REQUEST


@given(st.binary(max_size=200) | JSON)
def test_any_bytes_are_a_line_or_a_request_or_refused(untrusted: bytes) -> None:
    """Neither reader raises anything else."""
    for read in (lambda: read_line(untrusted, *FORMS), lambda: read_request(untrusted)):
        rule: Rule | None = None
        try:
            read()
        except Refused as refusal:
            rule = refusal.rule
        assert rule in {None, Rule.MALFORMED_REQUEST}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"unit": "Corner"}, "valid name"),
        ({"unit": "hub"}, "reserved"),
        ({"place": ""}, "printable"),
        ({"looks": "up"}, "looks"),
        ({"code": "7K3M"}, "pairing code"),
        ({"v": 2}, "fields"),
        ({"more": ""}, "fields"),
        ({"place": 7}, "text"),
    ],
)
def test_a_request_that_cannot_be_carried_out_says_what_is_wrong(
    change: dict[str, object], says: str
) -> None:
    """In a sentence for whoever typed it."""
    with pytest.raises(Refused, match=says):
        read_request(json.dumps({**REQUEST, **change}).encode())


def test_a_request_does_not_show_its_code() -> None:
    """Not in a log line that prints it."""
    assert "9PQX" not in repr(read_request(json.dumps(REQUEST).encode()))
