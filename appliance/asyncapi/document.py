"""The document itself: channels from the table of topics, operations from the rights that the broker is given.

Source of the form: AsyncAPI 3.0.0. Form of payloads: JSON Schema draft 7 (AsyncAPI's own default is a superset).

Invariants:
    * A topic stands here by being made by ``protocol/topics.py``; who may say and hear it, by being so in the
      broker's rights (``enrol/broker.py``), whose text is read here. A right for a topic that is
      not described is an error.
    * The same code gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from appliance import __version__
from appliance.asyncapi import payloads
from appliance.asyncapi.forms import Form
from appliance.enrol.broker import staff_acl, units_acl
from appliance.enrol.names import DESK, HUB, METRICS
from appliance.protocol import topics
from appliance.protocol.fleet_report import ReportKind
from appliance.protocol.values import AlertId, BoothId, TabletId, UnitId
from appliance.settings.config import EnrolledUnit, Register

_BOOTH: Final = BoothId("{booth}")
_UNIT, _TABLET, _ALERT = UnitId("{unit}"), TabletId("{tablet}"), AlertId("{alert}")
_INSTALLER, _LEAD, _SCREEN = TabletId("{installer}"), TabletId("{lead}"), TabletId("{screen}")
_SEALED: Final = "application/cose; cose-type=cose-sign1"
_JSON: Final = "application/json"
_BROKER_ITSELF: Final = "$SYS/broker/#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic: its key in the document, what it is for, and the form of what is said there.

    ``retained`` messages are kept by the broker. Of what is ``sealed`` the payload is a COSE_Sign1, and ``form``
    describes what is signed.
    """

    key: str
    address: str
    about: str
    form: Callable[[], Form]
    retained: bool = False
    sealed: bool = False
    binary: bool = False
    """Numbers of fixed length, not JSON; ``form`` is of the bytes."""


TOPICS: Final = (
    Topic(
        key="observation", address=topics.observation(_BOOTH, _UNIT), form=payloads.statement, sealed=True,
        about="Observations and heartbeats of a unit, encrypted to the hub (docs/wire.md): what is inside.",
    ),
    Topic(
        key="unitStatus", address=topics.unit_status(_BOOTH, _UNIT), form=payloads.unit_status, retained=True,
        about="Whether a unit's RELAY is there, and what waits on its disk; also its last will.",
    ),
    Topic(
        key="receipt", address=topics.receipt(_BOOTH, _UNIT), form=payloads.receipt_document, retained=True,
        sealed=True, about="What the hub has of a unit for good.",
    ),
    Topic(
        key="hubStatus", address=topics.hub_status(_BOOTH), form=payloads.hub_status, retained=True,
        about="Whether the hub is there; also its last will.",
    ),
    Topic(
        key="board", address=topics.board(_BOOTH), form=payloads.board, retained=True,
        about="What staff see of the booth, once a second.",
    ),
    Topic(
        key="trends", address=topics.trends(_BOOTH), form=payloads.trends, retained=True,
        about="What people wore in the past hours, crowds only, once a minute.",
    ),
    Topic(
        key="live", address=topics.live(_BOOTH), form=payloads.live, retained=True,
        about="How the booth is now, every three seconds; expires after five minutes.",
    ),
    Topic(
        key="lead", address=topics.lead(_BOOTH), form=payloads.lead, retained=True,
        about="What needs the lead, and how often each tablet acted, every three seconds; for the lead's tablets.",
    ),
    Topic(
        key="prior", address=topics.prior(_BOOTH), form=payloads.prior_document, retained=True, sealed=True,
        about="How common each word is here, once a day.",
    ),
    Topic(
        key="encryption", address=topics.encryption(_BOOTH), form=payloads.encryption_document, retained=True,
        sealed=True, about="The key that units encrypt to, new every day.",
    ),
    Topic(
        key="acts", address=topics.acts(_BOOTH), form=payloads.acts, retained=True,
        about="Who did what with the booth and when, the newest first; for the lead alone.",
    ),
    Topic(
        key="pairing", address=topics.pairing(_BOOTH), form=payloads.pairing, retained=True,
        about="Which cameras wait to be paired.",
    ),
    Topic(
        key="setupOrder", address=topics.setup(_BOOTH, _UNIT), form=payloads.setup_order, sealed=True,
        about="What a unit is to do while it is set up; expires after two minutes.",
    ),
    Topic(
        key="aim", address=topics.aim(_BOOTH, _UNIT), form=payloads.aim_records, binary=True,
        about="Stick figures of a unit that is aimed; expire after two seconds.",
    ),
    Topic(
        key="setup", address=topics.setups(_BOOTH), form=payloads.setups, retained=True,
        about="Which cameras are aimed, tested or locked, and what tests have shown.",
    ),
    Topic(
        key="setupRequest", address=topics.staff(_BOOTH, _TABLET, topics.SETUP_LEAF), form=payloads.setup_request,
        about="An installer aims, tests or locks a camera.",
    ),
    Topic(
        key="alert", address=topics.alert(_BOOTH, _ALERT), form=payloads.alert, retained=True,
        about="One alert, until a minute after its end; expires with it.",
    ),
    *(
        Topic(key=leaf, address=topics.staff(_BOOTH, _TABLET, leaf), form=form, about=about)
        for leaf, form, about in (
            ("claim", payloads.claim, "A tablet goes to somebody."),
            ("release", payloads.claim, "A tablet gives its alert back."),
            ("outcome", payloads.outcome, "How an alert ended."),
            ("shift", payloads.shift, "What a tablet says of the day: pause, staff, stock, note, closing."),
            ("forget", payloads.claim, "Somebody wants to be forgotten."),
            (topics.PAIR_LEAF, payloads.pair, "An installer pairs a camera."),
            ("answer", payloads.answer, "The answer to a request, with the request's correlation data."),
        )
    ),
    *(
        Topic(
            key=f"fleet{kind.value.title()}", address=topics.fleet(_BOOTH, kind.value), sealed=True,
            form=partial(payloads.fleet_report, kind), about=f"To the booth's fleet: {about}.",
        )
        for kind, about in (
            (ReportKind.DAYS, "counts of its last days"),
            (ReportKind.BASELINE, "what is usual here"),
            (ReportKind.MOMENT, "how it is now"),
        )
    ),
    Topic(
        key="homeAssistantBooth", address=topics.home_assistant(_BOOTH), form=payloads.home_assistant,
        retained=True, about="The booth's figures, described for Home Assistant; empty where it is off.",
    ),
    Topic(
        key="homeAssistantUnit", address=topics.home_assistant(_BOOTH, _UNIT), form=payloads.home_assistant,
        retained=True, about="A unit's figures, described for Home Assistant; empty where it is off.",
    ),
)  # fmt: skip
_PARAMETERS: Final = {
    "booth": "name of the booth",
    "unit": "name of a unit",
    "tablet": "name of a tablet",
    "alert": "name of an alert",
}
ROLES: Final = {
    HUB: "hub",
    DESK: "pairing desk",
    METRICS: "exporter of metrics",
    _UNIT: "unit",
    _TABLET: "tablet",
    _INSTALLER: "installer's tablet",
    _LEAD: "lead's tablet",
    _SCREEN: "big screen",
}


def document() -> dict[str, Any]:
    """The AsyncAPI document of every booth."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Leftfield booth",
            "version": __version__,
            "description": "What crosses a booth's broker. The bytes of what is signed are in docs/wire.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _JSON,
        "servers": {
            "units": {
                "host": "hub:8883",
                "protocol": "secure-mqtt",
                "protocolVersion": "5",
                "description": "Mutual TLS 1.3; the certificate's common name is user name and client identifier.",
                "security": [{"type": "X509"}],
            },
            "staff": {
                "host": "hub:9443",
                "pathname": "/mqtt",
                "protocol": "wss",
                "protocolVersion": "5",
                "description": "MQTT 5 over WebSocket and TLS; the name is the client identifier too.",
                "security": [{"type": "userPassword"}],
            },
        },
        "channels": {topic.key: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {"messages": {topic.key: _message(topic) for topic in TOPICS}},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    found = {
        name: {"description": about} for name, about in _PARAMETERS.items() if f"{{{name}}}" in topic.address
    }
    return {
        "address": topic.address,
        "description": topic.about,
        "parameters": found,
        "messages": {topic.key: {"$ref": f"#/components/messages/{topic.key}"}},
    }


def _message(topic: Topic) -> dict[str, Any]:
    if topic.binary:
        return {"contentType": "application/octet-stream", "payload": topic.form()}
    if not topic.sealed:
        return {"contentType": _JSON, "payload": topic.form()}
    return {
        "contentType": _SEALED,
        "description": "A COSE_Sign1; its signed payload, decoded, has the form of x-signed.",
        "payload": {"type": "string", "contentEncoding": "binary"},
        "x-signed": topic.form(),
    }


def rights() -> dict[str, tuple[set[str], set[str]]]:
    """By role, the topics that it may say and those that it may hear, as the broker is told."""
    unit = EnrolledUnit(unit=_UNIT, public_key=bytes(32), place="")
    register = Register(
        units=(unit,),
        tablets=(_TABLET, _INSTALLER, _LEAD),
        installers=(_INSTALLER,),
        leads=(_LEAD,),
        rooms=(_SCREEN,),
    )
    found: dict[str, tuple[set[str], set[str]]] = {}
    for text in (units_acl(_BOOTH, register), staff_acl(_BOOTH, register)):
        for line in text.splitlines():
            if line.startswith("user "):
                says, hears = found.setdefault(line.removeprefix("user "), (set(), set()))
            elif line.startswith("topic "):
                _, kind, address = line.split(" ", 2)
                (says if kind == "write" else hears).add(_plain(address))
    return found


def _plain(address: str) -> str:
    """An address of the broker's rights, as it stands in the document."""
    plain = address
    for group, name in (("unit", _UNIT), ("staff", _TABLET), ("alert", _ALERT)):
        plain = plain.replace(f"/{group}/+", f"/{group}/{name}")
    for tablet in (_INSTALLER, _LEAD):
        plain = plain.replace(f"/staff/{tablet}", f"/staff/{_TABLET}")
    return plain


def _operations() -> dict[str, Any]:
    """One for each role and topic, from the role's own view: what it sends, what it receives."""
    by_address = {topic.address: topic for topic in TOPICS}
    found: dict[str, Any] = {}
    for name, (says, hears) in rights().items():
        for action, addresses in (("send", says), ("receive", hears - {_BROKER_ITSELF})):
            for address in sorted(addresses):
                topic = by_address[address]
                role = ROLES[name]
                key = f"{role.title().replace(' ', '').replace(chr(39), '')}_{action}_{topic.key}"
                found[key] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{topic.key}"},
                    "summary": f"{role}: may {'say' if action == 'send' else 'hear'} this",
                    "messages": [{"$ref": f"#/channels/{topic.key}/messages/{topic.key}"}],
                    "bindings": {"mqtt": {"qos": 1, "retain": topic.retained}},
                }
    return found
