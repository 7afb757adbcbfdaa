"""The tablet page when link, hub or session are not as they should be, in a real Chromium, on a real broker."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from appliance.pages.server import PageServer
from appliance.pages.visit import PagesConfig
from appliance.protocol import topics
from appliance.protocol.values import TabletId
from tests.pages.conftest import CARD, Page, raised
from tests.pages.stage import BOOTH, alert, board, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker]


def test_a_hub_that_is_away_is_said(page: Page) -> None:
    """With the hub away the page says that alerts cannot arrive, and nothing can be claimed."""
    raised(page)
    page.stage.hub.status("offline")
    page.see("The hub has stopped — alerts cannot arrive", "#banners")
    page.wait(f"{CARD} [data-key=claim]:disabled")
    page.stage.hub.status("online")
    page.wait(".banner-bad", 0)
    page.wait(f"{CARD} [data-key=claim]:not(:disabled)")


def test_a_dead_broker_is_said_and_the_page_recovers_by_itself(page: Page) -> None:
    """With the broker gone the page says so and keeps a forget; when it is back, both come right by themselves."""
    page.may_lose_link = True
    raised(page)
    page.stage.broker.stop()
    try:
        page.see("Not connected to the booth — alerts cannot arrive", "#banners")
        page.wait(f"{CARD} [data-key=claim]:disabled")
        page.press("forget")
        page.press("forget-yes")
        page.wait(CARD, 0)
    finally:
        page.stage.broker.start()
        wait_until(page.stage.hub.client.is_connected, "the hub's link")
    page.see("Connected", "#link")
    page.wait(".banner-bad", 0)
    page.stage.hub.status("online")
    assert page.stage.hub.request().body == {"v": 1, "alert": "a17"}
    page.stage.hub.alert(alert("a18"))
    page.wait("#alert-a18")
    assert not page.all(CARD)


def test_a_forget_that_nobody_heard_is_said_again_until_the_hub_answers(page: Page) -> None:
    """While the hub does not listen, a forget works here at once and is told to the hub as soon as it listens."""
    raised(page)
    asked_for = topics.staff(BOOTH, TabletId("+"), "+")
    page.stage.hub.client.unsubscribe(asked_for)
    try:
        page.press("forget")
        page.press("forget-yes")
        page.wait(CARD, 0)
        page.see("The hub will be told", "#toasts")
    finally:
        page.stage.hub.client.subscribe(asked_for, qos=1)
    assert page.stage.hub.request().body == {"v": 1, "alert": "a17"}


def test_a_claim_that_nobody_hears_fails_at_once(page: Page) -> None:
    """A claim is not kept for later: without a hub that listens, the page says that it was not sent."""
    raised(page)
    asked_for = topics.staff(BOOTH, TabletId("+"), "+")
    page.stage.hub.client.unsubscribe(asked_for)
    try:
        page.press("claim")
        page.see("Not sent", "#toasts")
        page.wait(f"{CARD} [data-key=claim]:not(:disabled)")
    finally:
        page.stage.hub.client.subscribe(asked_for, qos=1)


def test_a_silent_network_is_noticed(page: Page) -> None:
    """A broker that neither answers nor goes away counts as gone within seconds."""
    page.may_lose_link = True
    with page.stage.broker.frozen():
        page.see("Not connected to the booth", "#banners")
    page.see("Connected", "#link")


def test_a_wrong_password_is_said_clearly(page: Page) -> None:
    """A refused session shows one clear message and does not hammer the broker."""
    page.open(page.stage.session(password="wrong"))
    page.see("The booth does not accept tablet-1", "#notice")
    assert not page.all("#page:not([hidden])")


def test_without_a_session_the_page_says_how_to_get_one(page: Page) -> None:
    """A page opened without its link explains itself."""
    page.browser.execute_script("sessionStorage.clear(); localStorage.clear()")
    page.open(f"{page.stage.pages.url}/tablet")
    page.see("This tablet is not signed in", "#notice")


def test_the_password_leaves_the_address_bar_and_survives_a_reload(page: Page) -> None:
    """The password is not to be read on the screen; a reload signs in again."""
    assert page.browser.current_url == f"{page.stage.pages.url}/tablet"
    page.browser.refresh()
    page.see("Connected", "#link")


def test_a_second_window_takes_over_and_the_first_does_not_fight(page: Page) -> None:
    """The same tablet opened twice: the first window says so, and takes over only when told."""
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("window")
    second = page.browser.current_window_handle
    page.browser.get(page.stage.session())
    page.see("Connected", "#link")
    page.browser.switch_to.window(first)
    page.see("tablet-1 is open in another window", "#notice")
    page.all("#notice button")[0].click()
    page.see("Connected", "#link")
    page.browser.switch_to.window(second)
    page.see("tablet-1 is open in another window", "#notice")
    page.browser.close()
    page.browser.switch_to.window(first)


_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455 section 1.3 adds to the key."""


@contextmanager
def babbler(answer: bytes) -> Iterator[tuple[int, list[int]]]:
    """A WebSocket server (RFC 6455) that agrees to speak mqtt and then sends ``answer``: its port and its visits."""
    visits: list[int] = []

    def serve() -> None:
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            with visitor:
                visitor.settimeout(5)
                request = b""
                while b"\r\n\r\n" not in request:
                    request += visitor.recv(4096)
                key = next(
                    line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
                ).split(b": ")[1]
                accept = base64.b64encode(hashlib.sha1(key + _ACCEPT, usedforsecurity=False).digest())
                visits.append(len(answer))
                visitor.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n" + answer
                )
                try:
                    while visitor.recv(4096):
                        pass
                except OSError:
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], visits
        listener.shutdown(socket.SHUT_RDWR)


def frame(payload: bytes, opcode: int = 2) -> bytes:
    return bytes((0x80 | opcode, len(payload))) + payload


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(frame(b"\xff\x00\xde\xad"), id="no_packet_type"),
        pytest.param(frame(b"\x20\x03\x00\x00\x00" + b"\x30\xff\xff\xff\xff\x7f"), id="endless_length"),
        pytest.param(frame(b"\x20\x03\x00\x00\x00" + b"\x32\x05\x00\x01a\x00\x00"), id="packet_identifier_0"),
        pytest.param(frame(b"hello", opcode=1), id="text_frame"),
        pytest.param(frame(b"\x90\x04\x00\x01\x00\x01"), id="suback_unasked"),
    ],
)
def test_a_broker_that_babbles_is_left_and_tried_again(page: Page, answer: bytes) -> None:
    """What breaks MQTT closes the link; the page says it is not connected, tries again, and nothing is thrown."""
    with babbler(answer) as (port, visits):
        pages = PageServer(PagesConfig(host="127.0.0.1", port=0, booth=BOOTH, ws_port=port, wss_port=1))
        thread = threading.Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            page.open(f"{pages.url}/tablet#tablet-1:secret")
            wait_until(lambda: len(visits) >= 2, "a second attempt")
            page.see("Not connected to the booth", "#banners")
            page.open("about:blank")
            assert {f"ws://127.0.0.1:{port}", pages.url} <= page.origins()
        finally:
            pages.shutdown()
            pages.server_close()
            thread.join()


def test_the_boards_form_is_the_hubs(page: Page) -> None:
    """The board used in these tests is one the page accepts whole."""
    page.stage.hub.publish(topics.board(BOOTH), board(stock=12))
    page.see("12 gifts left", "#stock")
    assert not page.all("#ignored")
