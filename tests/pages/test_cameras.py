"""Pairing a camera from a tablet: a real Chromium, broker, desk and unit; nothing but the code is carried."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from appliance.pairing.tries import CodeOnUnit
from appliance.protocol.pairing_code import new_code
from appliance.settings import config
from tests.pages.conftest import Page
from tests.pages.stage import BOOTH, INSTALLER, TABLETS, Stage, free_ports, resize, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker]


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the product, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance.cli", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def desk(stage: Stage) -> Iterator[int]:
    """The pairing desk's port; at the end no unit is left in the booth."""
    (port,) = free_ports(1)
    booth = str(stage.broker.booth.directory)
    words = (
        "pair",
        "desk",
        "--directory",
        booth,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-announce",
    )
    with running(*words):
        yield port


@contextmanager
def unit_waiting(directory: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A unit that was just flashed, switched on."""
    words = ("pair", "wait", "--directory", str(directory), "--hub", "127.0.0.1", "--port", str(port))
    with running(*words, "--no-systemd", "--source", "/dev/video0") as process:
        yield process


def filled(page: Page, code: str, place: str) -> None:
    """Type what the form asks for, as a person would, and send it."""
    for field, text in (("code", code), ("place", place)):
        (box,) = page.all(f"#{field}")
        box.clear()
        box.send_keys(text)
    page.wait("#send:not(:disabled)")
    page.all("#send")[0].click()


def test_a_camera_is_paired_from_the_tablet(page: Page, stage: Stage, desk: int, tmp_path: Path) -> None:
    """Its number appears, a wrong code costs a try, the right one pairs it; name and direction are kept."""
    code = new_code()
    CodeOnUnit(tmp_path).write(code)
    page.open(stage.session(INSTALLER, page="cameras"))
    page.see("No camera waits yet.", "#waiting")
    with unit_waiting(tmp_path, desk) as unit:
        page.see(code.number, "#waiting")
        filled(page, f"{code.number}-0000-0000", "North corner!")
        page.see("That code is wrong. 4 tries are left.", "#answer")
        page.see(code.number, "#waiting")
        Select(page.all("#looks")[0]).select_by_value("north-east")
        filled(page, str(code).lower(), "North corner!")
        page.see("north-corner is paired.", "#answer")
        assert page.all("#code")[0].get_attribute("value") == ""
        assert unit.wait(20) == 0
    page.see("No camera waits yet.", "#waiting")
    rows = {row.unit: row for row in config.register(stage.broker.booth.register).units}
    row = rows[config.unit_config(tmp_path / "unit.toml").unit]
    assert (row.unit, row.place, row.looks) == ("north-corner", "North corner!", "north-east")


def test_what_was_typed_in_a_hurry_is_put_in_order(page: Page, stage: Stage) -> None:
    """Small letters and spaces become the label's groups; the name follows the place until somebody changes it."""
    page.open(stage.session(INSTALLER, page="cameras"))
    page.wait("#code")
    page.all("#code")[0].send_keys("7k3m 9pqx2htd")
    assert page.all("#code")[0].get_attribute("value") == "7K3M-9PQX-2HTD"
    page.all("#place")[0].send_keys("Café, été 2")
    assert page.all("#name")[0].get_attribute("value") == "cafe-ete-2"
    page.all("#code")[0].clear()
    page.wait("#send:not(:disabled)")
    page.all("#send")[0].click()
    page.see("That is no code", "#answer")


def test_a_tablet_of_the_staff_cannot_pair(page: Page, stage: Stage, desk: int, tmp_path: Path) -> None:
    """It hears of no camera, and the broker refuses its request; the page says how it would get the right."""
    code = new_code()
    CodeOnUnit(tmp_path).write(code)
    page.open(stage.session(INSTALLER, page="cameras"))
    with unit_waiting(tmp_path, desk):
        page.see(code.number, "#waiting")  # an installer sees it
        page.open(stage.session(TABLETS[1], page="cameras"))
        page.see("Connected", "#link")
        filled(page, str(code), "north corner")
        page.see("tablet-2 may not pair cameras. On the hub: sudo leftfield booth tablet tablet-2", "#answer")
        assert code.number not in page.text("#waiting")
    assert not (tmp_path / "unit.toml").exists()


def test_the_staff_page_tells_an_installer_that_a_camera_waits(
    page: Page, stage: Stage, desk: int, tmp_path: Path
) -> None:
    """A banner with the number and a way to the form; it goes when nobody waits."""
    code = new_code()
    CodeOnUnit(tmp_path).write(code)
    page.open(stage.session(INSTALLER))
    page.see("Connected", "#link")
    with unit_waiting(tmp_path, desk):
        page.see(f"{code.number}: pair it by the code on its label.", "#banners")
        page.browser.find_element(By.CSS_SELECTOR, "#banners a").click()
        page.see(code.number, "#waiting")
        page.see(str(BOOTH) and "ladder", "#tablet")


@pytest.mark.parametrize("language", ["es", "fr", "zh"])
def test_every_language_has_the_whole_page(page: Page, stage: Stage, language: str) -> None:
    """The page speaks the language that was chosen on the tablet; nothing of it is left in English."""
    page.browser.execute_script("localStorage.setItem('leftfield.language', arguments[0])", language)
    page.open(stage.session(INSTALLER, page="cameras"))
    page.wait("#send")
    assert page.browser.execute_script("return document.documentElement.lang") == language
    said = page.text("#page")
    for english in ("New camera", "Waiting", "Code on", "Where", "Name", "In place of", "no other"):
        assert english not in said


def test_the_page_fits_every_screen(page: Page, stage: Stage) -> None:
    """On a phone and a tablet nothing is wider than the screen and every control is at least 44 pixels high."""
    page.open(stage.session(INSTALLER, page="cameras"))
    page.wait("#send")
    for width, height in ((390, 844), (800, 1280), (1280, 800)):
        resize(page.browser, width, height)
        wide = page.browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
        for control in page.all(".cameras input, .cameras select, .cameras button"):
            assert control.size["height"] >= 44
    wait_until(lambda: "Connected" in page.text("#link"), "the link")
