"""What the tests of the pages share: one booth and one browser a file, a fresh page each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.pages.stage import TABLETS, Stage, alert, browser_programs, open_browser, resize, wait_until


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A running booth."""
    with Stage.set_up(tmp_path_factory.mktemp("stage")) as one:
        yield one


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A real Chromium."""
    if not browser_programs():
        message = "Chromium and chromedriver are needed: apt-get install chromium chromium-driver"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    chrome = open_browser(tmp_path_factory.mktemp("browser"))
    yield chrome
    chrome.quit()


class Page:
    """The tablet page as somebody uses it."""

    def __init__(self, stage: Stage, browser: webdriver.Chrome) -> None:
        self.stage = stage
        self.browser = browser
        self.may_lose_link = False

    def open(self, url: str) -> None:
        """Open a link in a fresh page."""
        self.browser.get("about:blank")
        self.browser.get(url)

    def all(self, css: str) -> list[WebElement]:
        """Every element of a selector that is there now."""
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def see(self, text: str, css: str = "body") -> None:
        """Wait until ``text`` is to be read within ``css``."""
        wait_until(lambda: text in self.text(css), f"{text!r} in {css}, which says: {self.text(css)!r}")

    def text(self, css: str = "body") -> str:
        """What is to be read within ``css`` now."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText).join('\\n')"
        return str(self.browser.execute_script(script, css))

    def wait(self, css: str, count: int = 1) -> None:
        """Wait until exactly ``count`` elements match."""
        wait_until(lambda: len(self.all(css)) == count, f"{count} of {css}")

    def at_rest(self) -> None:
        """Wait until nothing moves."""
        wait_until(
            lambda: self.browser.execute_script("return document.getAnimations().length === 0"),
            "everything at rest",
        )

    def press(self, key: str, card: str = "a17") -> None:
        """Tap a button of a card."""
        css = f"#cards:not([data-moved]) #alert-{card} [data-key='{key}']:not(:disabled)"
        self.wait(css)
        self.all(css)[0].click()

    def open_shift(self) -> None:
        """Unfold the panel of the shift."""
        self.all("#shift")[0].click()
        self.wait(".panel-shift[open]")

    def left(self) -> None:
        """Let the page believe that it is being left: what waits to be undone is told now."""
        self.browser.execute_script("dispatchEvent(new Event('pagehide'))")

    def noise(self) -> list[str]:
        """What the browser complained about since the last call."""
        entries: list[dict[str, Any]] = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        lines = [
            f"{entry['level']} {entry['message']}"
            for entry in entries
            if entry["level"] in {"SEVERE", "WARNING"}
        ]
        return [line for line in lines if not (self.may_lose_link and "WebSocket connection to" in line)]

    def origins(self) -> set[str]:
        """Every origin asked for anything since the last call."""
        found = set()
        for entry in self.browser.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            url = message["params"].get("request", {}).get("url") or message["params"].get("url", "")
            if message["method"] in {"Network.requestWillBeSent", "Network.webSocketCreated"}:
                parts = urlsplit(url)
                found.add(f"{parts.scheme}://{parts.netloc}")
        return {origin for origin in found if not origin.startswith(("chrome://", "about:", "data:"))}


@pytest.fixture
def page(stage: Stage, browser: webdriver.Chrome) -> Iterator[Page]:
    """The signed-in page of a quiet booth; at the end nothing was complained about and nobody else was asked."""
    one = Page(stage, browser)
    stage.hub.clear()
    forgotten = {"origin": stage.pages.url, "storageTypes": "local_storage"}  # a language that a test chose
    browser.execute_cdp_cmd("Storage.clearDataForOrigin", forgotten)
    resize(browser, 1280, 800)
    one.open(stage.session(TABLETS[0]))
    one.see("Connected", "#link")
    one.see("people seen", "#panels")
    yield one
    noise, origins = one.noise(), one.origins()
    one.open("about:blank")
    assert noise == []
    assert origins <= {stage.pages.url, f"ws://127.0.0.1:{stage.broker.ws_port}"}


@pytest.fixture(scope="session")
def static() -> Path:
    """Where the pages' files are."""
    return Path(__file__).parents[2] / "appliance" / "pages" / "static"


CARD = "#alert-a17"


def raised(page: Page, **changes: Any) -> None:
    page.stage.hub.alert(alert(**changes))
    page.wait(CARD)


def claimed(page: Page) -> None:
    """The alert is there and this tablet holds it."""
    raised(page, state="claimed", held_by=TABLETS[0])
