"""Where a message goes is read from its topic alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Rule
from appliance.hub.messages import IncomingMessage
from appliance.hub.router import Route, qos_refusal, route_of


def _message(topic: str, *, unacknowledged: bool = False) -> IncomingMessage:
    return IncomingMessage(untrusted_topic=topic, untrusted_payload=b"", unacknowledged=unacknowledged)


@pytest.mark.parametrize(
    ("topic", "route"),
    [
        ("leftfield/1/b/alert/a1", Route.RETAINED_ALERT),
        ("leftfield/1/b/staff/t/claim", Route.STAFF_REQUEST),
        ("leftfield/1/b/unit/north/status", Route.RELAY_STATUS),
        ("leftfield/1/b/unit/north/observation", Route.STATEMENT),
        ("leftfield/1/b/staff/t/claim/more", Route.STATEMENT),
        ("", Route.STATEMENT),
    ],
)
def test_each_topic_has_its_route(topic: str, route: Route) -> None:
    """Alerts, requests and statuses are told from statements by their topic."""
    assert route_of(_message(topic)) is route


@given(st.text())
def test_any_topic_has_a_route(topic: str) -> None:
    """No topic, however strange, is without a route or raises."""
    assert route_of(_message(topic)) in Route


def test_what_was_sent_with_qos_0_is_refused_by_its_group() -> None:
    """A request sent with QoS 0 is a malformed request; anything else so sent is malformed."""
    request = qos_refusal(_message("leftfield/1/b/staff/t/claim", unacknowledged=True))
    statement = qos_refusal(_message("leftfield/1/b/unit/n/observation", unacknowledged=True))
    assert request
    assert statement
    assert (request.rule, statement.rule) == (Rule.MALFORMED_REQUEST, Rule.MALFORMED)
    assert qos_refusal(_message("leftfield/1/b/unit/n/observation")) is None
