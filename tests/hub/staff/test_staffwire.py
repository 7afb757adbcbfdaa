from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.hub.staff.messages import Claim, Ending, Forget, RelayStatus, relay_status_in, request_in
from appliance.hub.staff.translations import ENGLISH
from appliance.protocol.values import AlertState, AttributeVector, Dismissal, Lens, Reason, TabletId
from appliance.protocol.vocabulary import INDEX
from tests.hub.corner import BOOTH

TABLET = TabletId("tablet-1")
LEAVES = st.sampled_from(("claim", "release", "outcome", "forget"))


def topic(leaf: str) -> str:
    return f"leftfield/1/{BOOTH}/staff/tablet-1/{leaf}"


@pytest.mark.parametrize(
    ("leaf", "body", "expected"),
    [
        ("claim", {"alert": "a17"}, Claim(tablet=TABLET, alert="a17")),  # type: ignore[arg-type]
        ("forget", {"alert": "a1"}, Forget(tablet=TABLET, alert="a1")),  # type: ignore[arg-type]
        (
            "outcome",
            {"alert": "a2", "outcome": "dismissed", "why": "costume"},
            Ending(tablet=TABLET, alert="a2", outcome=AlertState.DISMISSED, why=Dismissal.COSTUME),  # type: ignore[arg-type]
        ),
        (
            "outcome",
            {"alert": "a2", "outcome": "not_found", "why": None},
            Ending(tablet=TABLET, alert="a2", outcome=AlertState.NOT_FOUND),  # type: ignore[arg-type]
        ),
    ],
)
def test_a_request_of_the_one_form_is_understood(
    leaf: str, body: dict[str, object], expected: object
) -> None:
    """Each request a staff page can make is read as its value."""
    assert request_in(topic(leaf), json.dumps({"v": 1, **body}).encode(), BOOTH) == expected


@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"v":1}',
        b'{"v":2,"alert":"a1"}',
        b'{"v":true,"alert":"a1"}',
        b'{"v":1.0,"alert":"a1"}',
        b'{"v":NaN,"alert":"a1"}',
        b'{"v":1,"alert":"b1"}',
        b'{"v":1,"alert":"a01"}',
        b'{"v":1,"alert":7}',
        b'{"v":1,"alert":["a1"]}',
        b'{"v":1,"alert":"a1","x":0}',
        b'{"v":1,"alert":"a1","alert":"a2"}',
        b'{"v":1,"alert":"a1"}' + b" " * 256,
        b'\xef\xbb\xbf{"v":1,"alert":"a1"}',
        b"[" * 200,
    ],
)
def test_a_request_of_any_other_form_is_refused(untrusted: bytes) -> None:
    """A request that is longer, has other keys, other types or other words is malformed."""
    with pytest.raises(Refused) as refusal:
        request_in(topic("claim"), untrusted, BOOTH)
    assert refusal.value.rule is Rule.MALFORMED_REQUEST


@pytest.mark.parametrize(
    ("outcome", "why"),
    [("gifted", "costume"), ("dismissed", "ugly"), ("claimed", None), (1, None), ([], None)],
)
def test_an_outcome_outside_the_list_is_refused(outcome: object, why: object) -> None:
    """Only the four outcomes exist, and only a dismissal has a reason."""
    body = json.dumps({"v": 1, "alert": "a1", "outcome": outcome, "why": why}).encode()
    with pytest.raises(Refused):
        request_in(topic("outcome"), body, BOOTH)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("a1"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("v", "alert", "outcome", "why", "state", "spooled", "dropped")), inner
        )
    ),
    max_leaves=8,
)


@given(LEAVES, st.one_of(st.binary(max_size=300), JSON.map(lambda one: json.dumps(one).encode())))
def test_garbage_is_a_value_or_refused(leaf: str, untrusted: bytes) -> None:
    """Whatever a tablet or a relay sends is a request, a status, or a refusal: never anything else."""
    for read in (
        lambda: request_in(topic(leaf), untrusted, BOOTH),
        lambda: relay_status_in(untrusted, "north"),
    ):
        try:
            found: object = read()
        except Refused as refusal:
            found = refusal.rule
        assert found is Rule.MALFORMED_REQUEST or isinstance(found, Claim | Ending | Forget | RelayStatus)


@pytest.mark.parametrize(
    ("said", "lens", "expected"),
    [
        ({"bottom.pattern": "checked"}, Lens.SINGLE, "checked trousers: 1 in 640 people here or fewer"),
        (
            {"top.colour": "yellow", "bottom.colour": "purple"},
            Lens.PAIR,
            "yellow top with purple trousers: 1 in 640 people here or fewer",
        ),
        (
            {"top.colour": "red", "top.pattern": "striped"},
            Lens.PAIR,
            "red striped top: 1 in 640 people here or fewer",
        ),
        (
            {"lower.kind": "shorts", "outer": "closed"},
            Lens.PAIR,
            "shorts with jacket or coat worn closed: 1 in 640 people here or fewer",
        ),
        (
            {"top.colour": "red", "bottom.colour": "green", "feet.colour": "light"},
            Lens.WHOLE,
            "nothing rare by itself, but unusual all together: red top with green trousers and light shoes",
        ),
    ],
)
def test_reasons_read_well(said: dict[str, str], lens: Lens, expected: str) -> None:
    """A reason is a phrase that staff can say aloud."""
    vector = AttributeVector.of(
        **{"lower_kind": "trousers", **{k.replace(".", "_"): v for k, v in said.items()}}
    )
    attributes = tuple((INDEX[name], vector.readings[INDEX[name]].level) for name in said)
    assert ENGLISH.sentence(Reason(lens=lens, attributes=attributes, one_in=640), vector) == expected
