"""The demo's three pages in a real Chromium, while another demo runs: real people are seen to be read."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from selenium import webdriver

from tests.demo.running import PATIENCE, alone, children_of, start, street_video, until
from tests.pages.stage import browser_programs, open_browser

pytestmark = [pytest.mark.broker, pytest.mark.browser]

LINKS = {"tablet on this machine": "tablet", "big screen": "room", "public page": "here"}
REAL = """
const rows = [...document.querySelectorAll("#strip table tbody tr")];
return rows.reduce((sum, row) => sum + Number(row.children[2]?.textContent ?? 0), 0);
"""


class Demo:
    """A running demo, and the lines that it wrote."""

    def __init__(self, directory: Path, *options: str) -> None:
        directory.mkdir()
        self.directory = directory
        self.process = start(directory, "--source", str(street_video()), *options)
        self.lines: list[str] = []
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: Iterator[str]) -> None:
        self.lines.extend(stream)

    def links(self) -> dict[str, str]:
        """The three links by page, once they were written."""

        def found() -> dict[str, str]:
            told = (re.search(r"^ *([a-z ]+): +(http://\S+)$", line) for line in tuple(self.lines))
            return {LINKS[one[1]]: one[2] for one in told if one and one[1] in LINKS}

        until(self.process, lambda: len(found()) == len(LINKS), f"three links in {self.lines}")
        return found()

    def stop(self) -> None:
        """As Ctrl-C does; nothing is left."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        assert children_of(self.directory) == {}


@contextmanager
def browser(directory: Path) -> Iterator[webdriver.Chrome]:
    if not browser_programs():
        pytest.skip("Chromium and chromedriver are needed: apt-get install chromium chromium-driver")
    chrome = open_browser(directory)
    try:
        yield chrome
    finally:
        chrome.quit()


def test_two_demos_show_their_three_pages_and_the_real_units_people(tmp_path: Path) -> None:
    """Both write all three links, on other ports; each page opens; its screen counts dots that are not simulated."""
    with alone(), browser(tmp_path / "browser") as chrome:
        demos = [Demo(tmp_path / "one"), Demo(tmp_path / "two", "--json")]
        try:
            links = [demo.links() for demo in demos]
            ports = {re.findall(r":(\d+)/", link)[0] for one in links for link in one.values()}
            assert len(ports) == 2
            for demo, own in zip(demos, links, strict=True):
                chrome.get(own["room"])
                until(
                    demo.process, lambda: chrome.execute_script(REAL) > 0, "a real person on the big screen"
                )
            for page, sign in (("tablet", "#board, #panels"), ("here", "#state")):
                chrome.get(links[0][page])
                here = f"return !!document.querySelector({sign!r})"
                shown = partial(chrome.execute_script, here)
                until(demos[0].process, shown, f"the page {page}")
        finally:
            for demo in demos:
                demo.stop()
