"""The big screen, the public page and the page of cameras in every state: axe-core finds nothing wrong with any."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.protocol import topics
from tests.pages.axe import violations
from tests.pages.conftest import Page
from tests.pages.day import Day
from tests.pages.stage import BOOTH, INSTALLER, ROOM, TABLETS, Stage, resize, unit
from tests.pages.test_here import NOTICE, Booth, serving, unfold

pytestmark = [pytest.mark.browser, pytest.mark.broker]

ILL = (
    unit("north", "north corner", state="blind", boxed=False),
    unit("east", "east corner", link="offline", boxed=None),
    unit("south", "south corner", simulated=True, source="simulated", fps=0),
    unit("west", "west corner", state="aiming", accelerator="cpu_fallback", refused=12),
)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What the hub says at the end of a morning, by topic."""
    day = Day(minutes=60)
    return {one.topic.rsplit("/", 1)[-1]: json.loads(one.payload) for one in day.retained()}


@pytest.fixture
def room(page: Page, stage: Stage) -> Iterator[Page]:
    """The big screen before the hub has said anything."""
    resize(page.browser, 1920, 1080)
    page.browser.execute_script("localStorage.removeItem('leftfield.language')")
    page.open(stage.session(ROOM, page="room"))
    page.see("Live", "#link")
    page.wait("body.waiting", 0)
    yield page
    for topic in (topics.trends(BOOTH), topics.live(BOOTH)):
        stage.hub.publish(topic, b"")


def test_axe_finds_nothing_on_the_big_screen(room: Page, stage: Stage, told: dict[str, Any]) -> None:
    """Empty, learning, full, with ill cameras and refusals, with tables, dark, narrow, without hub, signed out."""
    live = told["live"] | {"at": int(time.time())}
    assert violations(room.browser) == []
    empty = {
        "starts": [],
        "quarters": [],
        "people": [],
        "cells": {},
        "recent": {},
        "movers": [],
        "alerts": [],
    }
    stage.hub.publish(topics.trends(BOOTH), told["trends"] | empty)
    stage.hub.publish(topics.live(BOOTH), live | {"dots": [], "baseline": {"people": 40, "needs": 260}})
    room.see("260", "#pacing")
    assert violations(room.browser) == []
    rows = [{**row, "spooled": 90, "dropped": 3, "clock": False} for row in ILL]
    stage.hub.publish(topics.trends(BOOTH), told["trends"])
    ill = {
        "units": rows,
        "refused": [[7, 12], [15, 3]],
        "simulated": True,
        "dots": [[1, 3, 0, 1], [2, 5, 1, 2]],
    }
    stage.hub.publish(topics.live(BOOTH), live | ill)
    room.wait("#tops svg")
    room.see("Simulated", "#banners")
    assert violations(room.browser) == []
    resize(room.browser, 1920, 1080, dark=True)
    room.all("#tables")[0].click()
    assert violations(room.browser) == []
    stage.hub.status("offline")
    room.see("The hub has stopped", "#banners")
    resize(room.browser, 390, 844, touch=True)
    assert violations(room.browser) == []
    room.browser.execute_script("sessionStorage.clear(); localStorage.clear()")
    room.open(f"{stage.pages.url}/room")
    room.see("not signed in", "#grid")
    assert violations(room.browser) == []


def test_axe_finds_nothing_on_the_public_page(page: Page, stage: Stage, tmp_path: Path) -> None:
    """Closed, open, every state of the booth, unfolded, dark, on a phone."""
    booth = Booth(stage, tmp_path)
    page.browser.execute_script("localStorage.removeItem('leftfield.language')")
    with serving(booth.path) as server:
        for state in ("watching", "learning", "paused", "aiming", "off"):
            booth.say(state=state, locked=1)
            page.open(f"{server.url}/here")
            page.see(NOTICE.controller, "#controller")
            assert violations(page.browser) == [], state
        for width, dark in ((1280, False), (390, True)):
            resize(page.browser, width, 844, dark=dark, touch=width < 500)
            unfold(page)
            assert violations(page.browser) == []
        booth.change(notice=type(NOTICE)())
        page.browser.refresh()
        page.see("not open yet", "#here")
        assert violations(page.browser) == []
        page.origins()  # the page server of this booth was asked too
        page.open("about:blank")


def test_axe_finds_nothing_on_the_page_of_cameras(page: Page, stage: Stage) -> None:
    """Nobody waits, somebody waits, a code that is none, and a tablet that may not pair; light and dark."""
    page.open(stage.session(INSTALLER, page="cameras"))
    page.wait("#send")
    assert violations(page.browser) == []
    stage.hub.publish(topics.pairing(BOOTH), {"v": 1, "waiting": ["7K3M", "9PQX"]})
    page.all("#code")[0].send_keys("7k3m")
    page.all("#place")[0].send_keys("north corner")
    page.wait("#send:not(:disabled)")
    page.all("#send")[0].click()
    page.see("That is no code", "#answer")
    for width, dark in ((1280, False), (390, True)):
        resize(page.browser, width, 844, dark=dark, touch=width < 500)
        assert violations(page.browser) == []
    page.open(stage.session(TABLETS[1], page="cameras"))
    page.see("Connected", "#link")
    assert violations(page.browser) == []


def test_axe_finds_what_is_wrong(page: Page) -> None:
    """A control without a name is found: silence is worth something."""
    script = "document.querySelector('main').append(document.createElement('button'))"
    page.browser.execute_script(script)
    assert any("button-name" in one for one in violations(page.browser))
