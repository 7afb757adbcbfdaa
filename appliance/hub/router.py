"""Router: which part of the hub a message is for, read from its untrusted topic alone.

Invariants:
    * Pure: no I/O, no clock, no state. Whoever a message is handed to still checks all of it.
    * Every message has exactly one route; what is nobody else's goes to admission, which refuses it.
"""

from __future__ import annotations

from enum import Enum, unique
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.messages import IncomingMessage
from appliance.protocol.topics import SETUP_LEAF

_TOPIC_PARTS: Final = 6
"""``leftfield/1/<booth>/<group>/<name>/<leaf>``; see ``appliance.protocol.topics``."""


@unique
class Route(Enum):
    """Where a message goes."""

    RETAINED_ALERT = "retained alert"
    """Our own retained alert, as the broker still holds it."""
    STAFF_REQUEST = "staff request"
    """A tablet claims, ends or forgets an alert."""
    SETUP_REQUEST = "setup request"
    """An installer's tablet sets a camera up."""
    RELAY_STATUS = "relay status"
    """RELAY's birth, death and status, which are not signed."""
    STATEMENT = "statement"
    """Anything else: it must be a sealed observation or heartbeat."""


def route_of(message: IncomingMessage) -> Route:
    """The route of a message.

    >>> route_of(IncomingMessage(untrusted_topic="leftfield/1/b/staff/t/claim", untrusted_payload=b""))
    <Route.STAFF_REQUEST: 'staff request'>
    """
    parts = message.untrusted_topic.split("/")
    group = parts[3] if len(parts) == _TOPIC_PARTS else ""
    if parts[3:4] == ["alert"]:
        return Route.RETAINED_ALERT
    if group == "staff" and parts[5] == SETUP_LEAF:
        return Route.SETUP_REQUEST
    if group == "staff":
        return Route.STAFF_REQUEST
    if group == "unit" and parts[5] == "status":
        return Route.RELAY_STATUS
    return Route.STATEMENT


def qos_refusal(message: IncomingMessage) -> Refused | None:
    """The refusal of a message sent with QoS 0, whose loss nobody would have noticed; None where it had QoS 1."""
    if not message.unacknowledged:
        return None
    parts = message.untrusted_topic.split("/")
    staff = len(parts) == _TOPIC_PARTS and parts[3] == "staff"
    rule = Rule.MALFORMED_REQUEST if staff else Rule.MALFORMED
    return Refused(rule, "sent with QoS 0", where="broker", fix="publish with QoS 1")
