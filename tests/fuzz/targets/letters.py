"""What strangers say on the way in: lines and exchange of a pairing, letters of an enrolment, requests of staff."""

from __future__ import annotations

import json
from functools import cache

from zeroconf import (
    DNSCache,
    DNSIncoming,
    DNSOutgoing,
    RecordUpdate,
    ServiceInfo,
    Zeroconf,
    current_time_millis,
)

from appliance.base.errors import Refused, Unfit
from appliance.enrol import authority, request
from appliance.hub.staff import messages
from appliance.pairing import lines, requests
from appliance.pairing import unit as waiting_unit
from appliance.pairing.exchange import HubExchange, HubIdentity, UnitExchange, UnitIdentity
from appliance.pairing.finder import place_of
from appliance.protocol.values import BoothId
from tests.fuzz.target import target
from tests.fuzz.targets.protocol import BOOTH, KEY, PUBLIC, UNIT

_HUB = HubIdentity(booth=BOOTH, authority=bytes(32), hub_key=PUBLIC)
_UNIT = UnitIdentity(number="7K3M", signing_key=PUBLIC, tls_key=bytes(32))


def _lines() -> list[bytes]:
    return [
        lines.line("hello", v=1, number="7K3M", signing_key=PUBLIC, tls_key=bytes(32)),
        lines.line("offer", booth="corner", authority=bytes(32), hub_key=PUBLIC, share=bytes(33)),
        lines.line("wait"),
        lines.line("refused", why="code", left=4),
        lines.line("sealed", body=bytes(40)),
    ]


@target(_lines)
def pairing_line(data: bytes) -> None:
    """A line of a pairing, of either side."""
    found = lines.read_line(data, *lines.FORMS)
    fields = {
        key: found.octets(key) if kind is bytes else found.text(key) if kind is str else found.number(key)
        for key, kind in lines.FORMS[found.kind].items()
    }
    again = lines.read_line(lines.line(found.kind, **fields), found.kind)
    assert all(getattr(again, how)(key) == fields[key] for key, how in _how(found.kind))


def _how(kind: str) -> list[tuple[str, str]]:
    words = {bytes: "octets", str: "text", int: "number"}
    return [(key, words[one]) for key, one in lines.FORMS[kind].items()]


@target(lambda: [bytes(1) + HubExchange(secret="9PQX2HTD", hub=_HUB, unit=_UNIT).share, bytes(33)], slow=20)
def exchange(data: bytes) -> None:
    """A share, a proof and a sealed message to both sides of the exchange."""
    for share in (data[1:34], data[34:67]):
        hub = HubExchange(secret="9PQX2HTD", hub=_HUB, unit=_UNIT)
        try:
            unit = UnitExchange(secret="9PQX2HTD", hub=_HUB, unit=_UNIT, untrusted_share=share)
        except Refused:
            unit = UnitExchange(secret="9PQX2HTD", hub=_HUB, unit=_UNIT, untrusted_share=hub.share)
        proof = hub.prove(unit.share)
        if data[:1] > b"\x80":
            unit.prove(data[1:33])
        sealed = unit.prove(proof)[1]
        sealed.open(data[1:])


@target(lambda: [json.dumps({"booth": "corner", "unit": "north"}).encode()])
def sealed_text(data: bytes) -> None:
    """What the hub says when it has proved the code."""
    found = waiting_unit._object(data)
    assert all(isinstance(text, str) for text in found.values())


@cache
def _answers() -> list[bytes]:
    made = DNSOutgoing(0x8400)
    info = ServiceInfo(
        "_leftfield._tcp.local.", "corner._leftfield._tcp.local.", addresses=[b"\x0a\0\0\2"], port=8884,
        properties={"v": "1"}, server="corner.local.",
    )  # fmt: skip
    for record in (info.dns_pointer(), info.dns_service(), info.dns_text(), *info.dns_addresses()):
        made.add_answer_at_time(record, 0)
    return list(made.packets())


@target(_answers)
def mdns_answer(data: bytes) -> None:
    """An announcement on the network, as our finder reads it when the library has taken it apart."""
    info = ServiceInfo("_leftfield._tcp.local.", "corner._leftfield._tcp.local.")
    asked = Zeroconf.__new__(Zeroconf)  # never opened: the library asks it for nothing here
    asked.cache = DNSCache()
    records = DNSIncoming(data).answers()
    asked.cache.async_add_records(records)
    info.async_update_records(
        asked, current_time_millis(), [RecordUpdate(record, None) for record in records]
    )
    found = place_of(info)
    assert found is None or 0 < found.port < 65_536


@target(lambda: [json.dumps({"v": 1, "code": "7K3M-9PQX-2HTD", "unit": "north", "place": "north corner",
                             "looks": "north", "replaces": ""}).encode()])  # fmt: skip
def pair_request(data: bytes) -> None:
    """What an installer's tablet asks the desk."""
    requests.read_request(data)


@cache
def _letters() -> list[bytes]:
    return [request.request_bytes(booth=BOOTH, unit=UNIT, signing_key=KEY, tls_key=authority.new_key())]


@target(_letters, slow=8)
def enrol_request(data: bytes) -> None:
    """A unit's letter to the booth."""
    assert request.read_request(data, BOOTH).booth == BOOTH


@target(lambda: [request.answer_bytes(request.EnrolmentAnswer(
    booth=BOOTH, unit=UNIT, certificate="c", ca="a", host="booth.local", port=8883, hub_key=PUBLIC.hex()))],
    Unfit, slow=2)  # fmt: skip
def enrol_answer(data: bytes) -> None:
    """The booth's letter to a unit."""
    found = request.read_answer(data)
    assert request.read_answer(request.answer_bytes(found)) == found


@target(lambda: [b'claim {"v":1,"alert":"a1"}', b'forget {"v":1,"alert":"a1"}',
                 b'outcome {"v":1,"alert":"a1","outcome":"served","why":null}'])  # fmt: skip
def staff_request(data: bytes) -> None:
    """What a tablet asks of WATCH: the last part of its topic, and the message."""
    leaf, _, said = data.partition(b" ")
    topic = f"leftfield/1/corner/staff/tablet-1/{leaf.decode('utf-8', 'replace')}"
    assert messages.request_in(topic, said, BoothId("corner")).tablet == "tablet-1"


@target(
    lambda: [b'{"v":1,"state":"online","spooled":3,"dropped":0}', b'{"v":1,"state":"offline","disk":"low"}']
)
def relay_status(data: bytes) -> None:
    """What RELAY says of itself and its link."""
    found = messages.relay_status_in(data, "north")
    assert found.spooled >= 0
