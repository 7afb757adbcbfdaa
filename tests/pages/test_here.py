"""The public page: what it says is what the running booth is set to, in four languages, with nobody signed in."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from appliance.enrol import files
from appliance.hub.engine import HubEngine
from appliance.hub.storage.state import HubState
from appliance.pages import visit
from appliance.pages.here import STALE_SECONDS, HereFacts
from appliance.pages.server import PageServer
from appliance.pages.visit import PagesConfig
from appliance.protocol import vocabulary
from appliance.protocol.values import Seconds
from appliance.settings.config import HubConfig, PacingConfig, Register
from appliance.settings.notice import NoticeConfig, stores
from tests.pages.conftest import Page
from tests.pages.stage import BOOTH, Stage, resize
from tests.pages.test_tablet_layout import CONTRAST

pytestmark = [pytest.mark.browser, pytest.mark.broker]

NOTICE = NoticeConfig(
    controller="Mercado Viejo S. L.",
    contact="Plaza Mayor 1, hola@mercado.example",
    legal_basis="legitimate-interests",
    way_round="the far side of the fountain",
)


class Booth:
    """A booth whose ``hub.toml`` can be changed while its page server runs."""

    def __init__(self, stage: Stage, directory: Path) -> None:
        made = stage.broker.booth
        self.state = directory / "here.json"
        self.path = directory / "hub.toml"
        self.hub = HubConfig(
            booth=BOOTH, broker=made.hub_broker, register=made.register, database=directory / "hub.sqlite",
            notice=replace(NOTICE, state=self.state),
        )  # fmt: skip
        files.write_hub_config(self.path, self.hub)

    def change(self, **changes: Any) -> None:
        """Write other settings, as an operator would."""
        self.hub = replace(self.hub, **changes)
        files.write_hub_config(self.path, self.hub)

    def say(self, **state: Any) -> None:
        """Say what WATCH says of itself."""
        told = {
            "v": 1,
            "at": int(time.time()),
            "state": "watching",
            "watching": 2,
            "units": 2,
            "people": 1200,
        }
        self.state.write_text(json.dumps(told | {"share": ["black", 38]} | state))


@contextmanager
def serving(path: Path | None) -> Iterator[PageServer]:
    """The page server for one ``hub.toml``."""
    server = PageServer(
        PagesConfig(host="127.0.0.1", port=0, booth=BOOTH, ws_port=1, wss_port=1, hub_config=path)
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def facts(server: PageServer) -> dict[str, Any]:
    with urlopen(f"{server.url}/here.json") as answer:  # noqa: S310 - our own server
        found: dict[str, Any] = json.load(answer)
        return found


@pytest.fixture
def booth(stage: Stage, tmp_path: Path) -> Booth:
    return Booth(stage, tmp_path)


@pytest.fixture
def here(page: Page, booth: Booth) -> Iterator[Page]:
    """The page of a booth that watches."""
    booth.say()
    page.browser.execute_script("localStorage.removeItem('leftfield.language')")
    with serving(booth.path) as server:
        page.open(f"{server.url}/here")
        page.see(NOTICE.controller, "#controller")
        yield page
        assert page.origins() <= {
            server.url,
            page.stage.pages.url,
            f"ws://127.0.0.1:{page.stage.broker.ws_port}",
        }
        page.open("about:blank")


def unfold(page: Page) -> str:
    """Open every part; what is to be read then."""
    page.browser.execute_script("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    return page.text("#here")


def test_a_changed_configuration_changes_the_page(here: Page, booth: Booth) -> None:
    """Retention, controller, legal basis and way round are those of ``hub.toml`` as it is now, without a restart."""
    said = unfold(here)
    for words in (
        "Mercado Viejo S. L.",
        "Plaza Mayor 1",
        "legitimate interests (f)",
        "the far side of the fountain",
    ):
        assert words in said
    assert "for at most 5 minutes" in said
    booth.change(
        retention_seconds=Seconds(120.0),
        pacing=PacingConfig(alert_seconds=Seconds(90.0), service_seconds=Seconds(600.0)),
        notice=replace(booth.hub.notice, controller="Another Ltd", legal_basis="consent", way_round=""),
    )
    here.browser.refresh()
    here.see("Another Ltd", "#controller")
    said = unfold(here)
    for words in (
        "consent (a)",
        "for at most 2 minutes",
        "ask the staff for the way round",
        "90 seconds",
        "10 minutes",
    ):
        assert words in said
    assert "Mercado" not in said


def test_the_times_in_force_are_shown_not_those_of_a_file_that_is_not_yet(here: Page, booth: Booth) -> None:
    """What the running hub says of its times goes before ``hub.toml``, which it takes up at its next start."""
    hub = HubEngine(
        config=replace(booth.hub, retention_seconds=Seconds(240.0)),
        register=Register(units=(), tablets=()),
        stored=HubState(),
        now=Seconds(time.time()),
    )
    booth.state.write_bytes(hub.publisher.public(Seconds(time.time())))
    here.browser.refresh()
    here.see("for at most 4 minutes", "#here")
    assert "4 minutes" in unfold(here)
    for broken in ({"retention": "long"}, {"retention": -1, "alert": 180, "service": 360}, [], None):
        booth.say(running=broken)
        assert json.loads(HereFacts(booth.path, BOOTH).json(time.time()))["retention"] == 300


def test_without_somebody_who_answers_the_page_is_closed(here: Page, booth: Booth) -> None:
    """Each of controller, contact and legal basis is needed; the page says which is missing, and nothing else."""
    booth.change(notice=replace(booth.hub.notice, controller="", legal_basis=""))
    here.browser.refresh()
    here.see("This page is not open yet.", "#here")
    said = here.text("#here")
    assert "notice.controller" in said
    assert "notice.legal_basis" in said
    assert "notice.contact" not in said
    assert not here.all("details")


def test_a_broken_or_absent_configuration_closes_the_page(booth: Booth, tmp_path: Path) -> None:
    """A ``hub.toml`` that cannot be read opens nothing; mended, it opens."""
    with serving(booth.path) as server:
        assert facts(server)["open"]
        whole = booth.path.read_text()
        booth.path.write_text("[hub")
        assert facts(server) == {"v": 1, "booth": BOOTH, "open": False, "missing": ["hub.toml"]}
        booth.path.write_text(whole)
        assert facts(server)["open"]
    for path in (None, tmp_path / "nothing.toml"):
        with serving(path) as server:
            assert not facts(server)["open"]


def test_the_page_names_every_word_a_camera_can_say(here: Page) -> None:
    """The list of words is the vocabulary's own; what no camera says is named apart; the sample is an envelope."""
    said = here.browser.execute_script("return document.getElementById('here').textContent")
    for attribute in vocabulary.ATTRIBUTES:
        if attribute.name in {"top.colour", "lower.kind"}:
            assert all(word.replace("_or_", " or ") in said for word in attribute.levels)
    assert f"{math.ceil(vocabulary.CAPACITY_BITS)} bits" in said
    assert "Same cloth above and below, Bag" in said
    (bytes_shown,) = (one.get_attribute("textContent") or "" for one in here.all(".bytes"))
    assert len(bytes.fromhex(bytes_shown)) < 160
    assert f"it has {len(bytes_shown) // 2} bytes" in said


def test_the_page_says_how_the_booth_is_now(here: Page, booth: Booth) -> None:
    """Watching, paused, off, and not known; today's people and the commonest colour are crowds' numbers."""
    here.see("The cameras are watching now.", "#state")
    here.see("About 1,200 people today · tops: 38 % black", "#state")
    for state, words in (
        ("paused", "The cameras are paused."),
        ("aiming", "A camera is being set up: an installer sees lines and stick figures, no picture."),
        ("off", "No camera is watching now."),
        ("learning", "learning what is usual"),
    ):
        booth.say(state=state)
        here.browser.refresh()
        here.see(words, "#state")
    booth.say(locked=2)
    here.browser.refresh()
    here.see("2 cameras are locked for good", "#state")
    booth.say(at=int(time.time()) - STALE_SECONDS - 5)
    here.browser.refresh()
    here.see("It is not known here whether the cameras are on.", "#state")


def test_a_state_that_is_no_state_is_none(booth: Booth) -> None:
    """Garbage where WATCH writes is as good as nothing."""
    read = HereFacts(booth.path, BOOTH)
    for garbage in ("", "[]", '{"at": "now"}', "\x00", '{"v": 1}'):
        booth.state.write_text(garbage)
        assert json.loads(read.json(time.time()))["state"] is None


@pytest.mark.parametrize(
    ("language", "heading"),
    [("es", "Aquí las cámaras leen ropa"), ("fr", "Ici, des caméras lisent"), ("zh", "这里的摄像头只看衣着")],
)
def test_the_page_speaks_each_language(here: Page, language: str, heading: str) -> None:
    """Chosen on the page, the language stays; but for what the operator wrote nothing is left in English."""
    here.browser.execute_script(
        "const list = document.getElementById('language'); list.value = arguments[0];"
        "list.dispatchEvent(new Event('change'));",
        language,
    )
    here.see(heading, "h1")
    assert here.browser.execute_script("return document.documentElement.lang") == language
    said = here.browser.execute_script("return document.getElementById('here').textContent")
    said = said.replace(NOTICE.way_round, "")
    for english in (
        "people", "Cameras", "staff", "picture", "counted", "hours", "days", "Legal", "black", "Tops",
        "undefined", "null", "north", "consent (a)",
    ):  # fmt: skip
        assert english not in said, english


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_can_be_read(here: Page, dark: bool) -> None:
    """On every screen nothing is wider than it, controls are large, and every text keeps AA contrast."""
    for width, height in ((1280, 800), (390, 844), (320, 568)):
        resize(here.browser, width, height, dark=dark, touch=width < 500)
        unfold(here)
        assert here.browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert here.browser.execute_script(CONTRAST) == []
        for control in here.all("summary, select"):
            assert control.size["height"] >= 44


def test_the_page_asks_for_nothing_and_stores_nothing(here: Page) -> None:
    """No cookie, no session, no socket: only the chosen language is ever stored."""
    assert here.browser.get_cookies() == []
    stored = "return [Object.keys(localStorage), Object.keys(sessionStorage)]"
    assert here.browser.execute_script(stored) == [[], []]


def test_every_store_has_its_words_in_each_language() -> None:
    """No store is shown by its key: each language has as many names as there are stores."""
    text = (Path(visit.__file__).parent / "static" / "here_texts.js").read_text("utf-8")
    names = [one.name for one in stores(retention_seconds=300, alert_seconds=180, service_seconds=360)]
    keys = re.findall(r'const keys = \[("frames".*?)\]', text)[0]
    assert re.findall(r'"(\w+)"', keys) == names
    lists = re.findall(r'store: stores\("(.*?)"\)', text)
    assert [len(words.split("|")) for words in lists] == [len(names)] * 4


def test_the_shown_times_are_the_rooms_own() -> None:
    """Each time on the page is the constant of the room that keeps to it."""
    from appliance.enrol.broker import AUTOSAVE_SECONDS  # noqa: PLC0415
    from appliance.hub.alerts.alerts import AFTERGLOW_SECONDS  # noqa: PLC0415
    from appliance.hub.exchange.receipt_publisher import EVERY_SECONDS  # noqa: PLC0415
    from appliance.hub.pacing.forecast import KEPT_DAYS  # noqa: PLC0415
    from appliance.hub.records.trends import KEPT_SECONDS, STRIP_SECONDS  # noqa: PLC0415
    from appliance.hub.snapshot_timer import SNAPSHOT_SECONDS  # noqa: PLC0415

    kept = {
        one.name: one.seconds
        for one in stores(retention_seconds=300.0, alert_seconds=180.0, service_seconds=360.0)
    }
    assert kept["queue"] == kept["broker"] == AUTOSAVE_SECONDS
    assert kept["ended"] == int(AFTERGLOW_SECONDS)
    assert kept["hourly"] == KEPT_DAYS * 86_400
    assert (kept["trends"], kept["strip"]) == (KEPT_SECONDS, STRIP_SECONDS)
    assert kept["journal"] == SNAPSHOT_SECONDS
    assert kept["spool"] == int(2 * EVERY_SECONDS)
    assert kept["look"] == 300
