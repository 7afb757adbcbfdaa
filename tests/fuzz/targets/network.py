"""What comes over the network: requests to page server and update server, and the broker's messages."""

from __future__ import annotations

import contextlib
import json
import socket
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

from appliance.hub.messages import IncomingMessage
from appliance.pages.content import table
from appliance.pages.seats import seat_of
from appliance.pages.visit import Pages, PagesConfig, Visit
from appliance.protocol.values import BoothId, Seconds
from appliance.update import offer
from tests.fuzz.target import is_hex, target
from tests.hub.corner import NOON, ODD, Camera, new_booth, teach

_CONFIG: Final = PagesConfig(host="", port=0, booth=BoothId("corner"), ws_port=1, wss_port=2)
_TABLE: Final = table(booth=BoothId("corner"), ws_port=1, wss_port=2)


def _answer_to(data: bytes, handler: Any, server: Any) -> bytes:
    """All that ``handler`` answers to one connection's bytes; what it raises comes out, but that somebody hung up."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        answer = bytearray()
        taker = threading.Thread(target=lambda: answer.extend(_all_of(theirs)))
        taker.start()
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                handler(_Proved(ours), ("127.0.0.1", 1), server)
        finally:
            ours.close()
            taker.join()
    return bytes(answer)


def _all_of(end: socket.socket) -> bytes:
    found = b""
    while piece := end.recv(65_536):
        found += piece
    return found


class _Proved:
    """A connection whose other side has proved to be unit north."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def getpeercert(self) -> Any:
        return {"subject": ((("commonName", "north"),),)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._end, name)


@target(lambda: [b"GET /tablet HTTP/1.1\r\nHost: booth.local\r\nIf-None-Match: x\r\n\r\n",
                 b"HEAD /booth.json HTTP/1.1\r\nHost: 10.0.0.2:80\r\n\r\n", b"GET /\r\n\r\n"])  # fmt: skip
def page_request(data: bytes) -> None:
    """What a browser asks the page server."""
    server = SimpleNamespace(config=_CONFIG, contents=_TABLE, content=_TABLE.get)
    answer = _answer_to(data, Visit, cast("Pages", server))
    for head in answer.split(b"HTTP/1.1 ")[1:]:
        assert head[:3] in {
            b"200",
            b"304",
            b"400",
            b"404",
            b"405",
            b"408",
            b"414",
            b"417",
            b"431",
            b"505",
            b"100",
        }
    assert not answer or answer.startswith(
        (b"HTTP/1.1 ", b"GET", b"<", b"{", b"\n", b"Bad", b"Not", b"Meth", b"HTTP")
    )


@cache
def _desk() -> offer.Desk:
    place = Path(tempfile.mkdtemp())
    register = '[units.north]\npublic_key = "' + "ab" * 32 + '"\nplace = "x"\n'
    (place / "register.toml").write_text(register)
    (place / "unit-amd64.update").write_bytes(b"LEFTFIELD UPDATE 1\n")
    settings = offer.OfferConfig(
        bundles=place, register=place / "register.toml", database=place / "none", ca=place, certificate=place,
        key=place,
    )  # fmt: skip
    return offer.Desk(settings)


@target(lambda: [b"GET /release?arch=amd64&version=1.0&trial=1&failed=3 HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET /admitted HTTP/1.1\r\n\r\n",
                 b"GET /bundle?arch=amd64 HTTP/1.1\r\nRange: bytes=5-\r\n\r\n"])  # fmt: skip
def update_request(data: bytes) -> None:
    """What an enrolled unit asks the update server."""
    _answer_to(data, type("Asked", (offer.Visit,), {"desk": _desk()}), SimpleNamespace())


@target(lambda: [b"192.168.1.7", b"fe80::1%eth0", b"::ffff:10.0.0.1"], slow=2)
def address(data: bytes) -> None:
    """A visitor's address as accept(2) spells it: only what the kernel could have said is given on."""
    text = data.decode("ascii", "replace")
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError, ValueError):
            socket.inet_pton(family, text.partition("%")[0])
            assert seat_of(text)


@cache
def _taught() -> tuple[Any, Camera]:
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera, people=100)
    return booth, camera


def _batches() -> list[bytes]:
    camera = Camera("north")
    sealed = camera.observation(ODD, NOON + 5).hex()
    unit, staff = "leftfield/1/corner/unit/north", "leftfield/1/corner/staff/tablet-1"
    return [
        json.dumps([[f"{unit}/observation", sealed, False, ""]]).encode(),
        json.dumps([[f"{unit}/status", '{"v":1,"state":"online"}', True, ""]]).encode(),
        json.dumps([[f"{staff}/claim", '{"v":1,"alert":"a1"}', False, "c"]]).encode(),
        json.dumps([["leftfield/1/corner/alert/a1", "x", True, ""]]).encode(),
    ]


@target(_batches, slow=4)
def hub_batch(data: bytes) -> None:
    """A batch of messages from the broker: [topic, payload (hex or text), retained, correlation]; nothing raises."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return
    batch = []
    for one in told if isinstance(told, list) else ():
        match one:
            case [str(topic), str(payload), bool(retained), str(correlation)]:
                sealed = bytes.fromhex(payload) if is_hex(payload) else payload.encode("utf-8", "replace")
                batch.append(
                    IncomingMessage(untrusted_topic=topic, untrusted_payload=sealed, retained=retained,
                                    untrusted_correlation=correlation.encode("utf-8", "replace"))
                )  # fmt: skip
    booth, _ = _taught()
    outcome = booth.handle_batch(batch, Seconds(NOON + 6))
    assert all(isinstance(one.payload, bytes) for one in outcome.outgoing)
    assert all("\n" not in str(refusal) for refusal in outcome.refusals)
