"""Setting a camera up from a tablet: a real Chromium, broker, hub, RELAY, and a walled SENSE on a real street."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import Select

from appliance.protocol import aim
from appliance.protocol.aim import AimFigure, AimView, AimWord, record_in, spelled
from appliance.protocol.health import UnitState
from tests.demo.running import street_video
from tests.pages.setting_up import RealUnit, real_unit
from tests.pages.stage import INSTALLER, TABLETS, resize, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker]


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealUnit]:
    """A camera on the sample street, and its hub."""
    with real_unit(tmp_path_factory.mktemp("real"), street_video()) as one:
        yield one


class AimPage:
    """The page as an installer uses it."""

    def __init__(self, unit: RealUnit, browser: webdriver.Chrome) -> None:
        self.unit, self.browser = unit, browser
        resize(browser, 1280, 800)
        self.open(INSTALLER)

    def open(self, tablet: str) -> None:
        """Sign in anew."""
        self.browser.get("about:blank")
        self.browser.get(self.unit.session(tablet))
        self.see("Connected", "#link")

    def text(self, css: str = "body") -> str:
        """What is to be read."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText).join('\\n')"
        return str(self.browser.execute_script(script, css))

    def see(self, text: str, css: str) -> None:
        """Wait until it is to be read."""
        wait_until(lambda: text in self.text(css), f"{text!r} in {css}, which says {self.text(css)!r}")

    def count(self, css: str) -> int:
        """How many elements match."""
        return int(self.browser.execute_script("return document.querySelectorAll(arguments[0]).length", css))

    def click(self, css: str) -> None:
        """Tap."""
        wait_until(lambda: self.count(f"{css}:not(:disabled)") == 1, f"{css} can be tapped")
        self.browser.find_element("css selector", css).click()

    def noise(self) -> list[str]:
        """What the browser complained about."""
        entries: list[dict[str, Any]] = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries if entry["level"] in {"SEVERE", "WARNING"}]


@pytest.fixture
def page(unit: RealUnit, browser: webdriver.Chrome) -> AimPage:
    return AimPage(unit, browser)


def test_a_camera_is_aimed_from_the_tablet(page: AimPage, unit: RealUnit) -> None:
    """Figures appear, advice and numbers beside them; the state says that it is aimed; it ends on a tap."""
    page.see("watching", "#state")
    page.click("#start")
    wait_until(lambda: page.count(".figure line") > 4, "a figure")
    page.see("being aimed", "#state")
    page.see("px", "#number-pixels")
    page.see("colour card has not been read", "#advice")
    assert page.count(".heat") > 0
    assert page.count("#stage image") == page.count("img") == page.count("video") == page.count("canvas") == 0
    assert "aim: sealed" in unit.said("seeing")
    page.click("#stop")
    page.see("watching", "#state")
    assert [told["do"] for told in unit.carried_out] == ["aim", "watch"]
    assert page.noise() == []


def test_a_zone_is_drawn_and_kept_on_the_camera(page: AimPage, unit: RealUnit) -> None:
    """Corners are tapped on the grid; what is saved is in the unit's file, and SENSE says so at its start."""
    page.see("watching", "#state")
    page.click("#zones summary")
    page.click("#zone-draw")
    for x, y in ((0, 0), (1, 0), (1, 0.5)):
        page.browser.execute_script(
            """const stage = document.getElementById("stage"), at = stage.getBoundingClientRect();
            const [x, y] = [at.left + arguments[0] * at.width, at.top + arguments[1] * at.height];
            stage.dispatchEvent(new PointerEvent("pointerdown", {clientX: x, clientY: y, bubbles: true}));""",
            x,
            y,
        )
    assert page.count(".corner") == 3
    page.click("#zone-close")
    assert page.count(".zone") == 1
    page.click("#zone-save")
    page.see("Saved", "#answer")
    wait_until(unit.config.zones.exists, "the zones on the unit")
    head, corners = unit.config.zones.read_text().splitlines()
    assert (head, corners) == ("leftfield zones 1", "0,0 64,0 64,18")
    wait_until(lambda: "nobody counts in 1 zones" in unit.said("seeing"), "SENSE's start")
    assert page.noise() == []


def test_a_walk_test_is_compared_and_dropped(page: AimPage) -> None:
    """While somebody walks, what the camera reads is compared and dropped; the page says what was read."""
    page.see("watching", "#state")
    page.click("#walk summary")
    Select(page.browser.find_element("css selector", "[id='wear-top.colour']")).select_by_value("black")
    page.click("#walk-begin")
    page.see("being tested", "#state")
    page.click("#walk-pass")
    page.see("Walk past", "#walk-pass")
    page.click("#walk-end")
    page.see("watching", "#state")
    assert "95 % interval" in page.text("#walk-accuracy")
    assert "Not ready" in page.text("#walk-ready")


def test_staff_without_the_right_hear_nothing(page: AimPage) -> None:
    """Another tablet sees no camera here, and cannot ask."""
    page.open(TABLETS[0])
    page.see("No camera is paired yet.", "#chips")
    assert page.browser.find_element("css selector", "#start").get_property("disabled")


def test_the_page_reads_what_the_unit_writes(page: AimPage) -> None:
    """The page's reader and the unit's code agree to the last digit."""
    figure = AimFigure(tick=7, column=63, row=35, size=13, zoned=True, points=(None, 0, 95, *range(20, 29)))
    view = AimView(
        tick=7, state=UnitState.MOVED, fps=12, people=3, small=1, hidden=2, passed=40, size=6, stay=5, left=1,
        right=2, cut_top=3, cut_bottom=4, light=5, against=6, height=7, tilt=8, card=True,
        words=frozenset({AimWord.NOBODY, AimWord.GOOD, AimWord.CROWDED}),
    )  # fmt: skip
    payload = base64.b64encode(spelled(view) + spelled(figure) + b"\xff" * aim.AIM_BYTES).decode()
    script = """
      const done = arguments[1];
      import("/static/aim_codec.js").then(({Pictures}) => {
        const pictures = new Pictures();
        const fresh = pictures.take(Uint8Array.from(atob(arguments[0]), (one) => one.charCodeAt(0)));
        done({fresh: fresh.length, ...pictures.last});
      });
    """
    read = page.browser.execute_async_script(script, payload)
    told, (drawn,) = read["view"], read["figures"]
    assert read["fresh"] == 1
    assert (told["fps"], told["people"], told["small"], told["hidden"], told["passed"]) == (12, 3, 1, 2, 40)
    assert (told["pixels"], told["seconds"]) == pytest.approx((aim.pixels_of(6), aim.seconds_of(5)))
    assert (told["light"], told["against"], told["metres"], told["degrees"]) == (5, 6, 3.5, 15)
    assert (told["state"], told["card"], told["words"]) == (9, True, ["nobody", "crowded", "good"])
    assert (drawn["column"], drawn["row"], drawn["zoned"], drawn["points"][0]) == (63, 35, True, None)
    assert drawn["share"] == pytest.approx(aim.share_of(13))
    assert isinstance(record_in(spelled(figure)), AimFigure)


@pytest.mark.parametrize("language", ["es", "fr", "zh"])
def test_every_language_has_the_whole_page(page: AimPage, language: str) -> None:
    """The page follows the language that was chosen on the tablet; nothing of it is left in English."""
    page.browser.get(page.unit.session(INSTALLER))
    page.browser.execute_script("localStorage.setItem('leftfield.language', arguments[0])", language)
    try:
        page.browser.get("about:blank")
        page.browser.get(page.unit.session(INSTALLER))
        wait_until(lambda: page.count("#unit option") == 1, "the camera")
        for summary in page.browser.find_elements("css selector", "summary"):
            summary.click()
        said = page.text("#page").replace("north corner (corner-north)", "")
        for english in (
            "Aim",
            "camera",
            "Camera",
            "Walk",
            "Lock",
            "Count",
            "not sure",
            "watching",
            "Draw",
            "walk",
        ):
            assert english not in said, english
    finally:
        page.browser.execute_script("localStorage.removeItem('leftfield.language')")


def test_the_page_fits_every_screen(page: AimPage) -> None:
    """On phone, tablet and desk nothing is wider than the screen and every control is at least 44 pixels high."""
    for summary in page.browser.find_elements("css selector", "summary"):
        summary.click()
    for width, height in ((390, 844), (800, 1280), (1280, 800), (1920, 1080)):
        resize(page.browser, width, height)
        assert page.browser.execute_script("return document.documentElement.scrollWidth") <= width
        for control in page.browser.find_elements(
            "css selector", ".aim button, .aim select, .aim input, .aim summary"
        ):
            assert not control.is_displayed() or control.size["height"] >= 44


def test_a_locked_camera_is_never_aimed_again(page: AimPage, unit: RealUnit) -> None:
    """Its name typed, it is locked: the page says so, the button is dead, and the old order does nothing."""
    page.see("watching", "#state")
    order = Path(unit.directory / "kept-order")
    order.write_bytes(unit.config.order.read_bytes())
    page.click("#lock summary")
    assert page.browser.find_element("css selector", "#lock-now").get_property("disabled")
    page.browser.find_element("css selector", "#lock-name").send_keys("corner-north")
    page.click("#lock-now")
    page.see("locked", "#locked")
    assert page.browser.find_element("css selector", "#start").get_property("disabled")
    assert "locked" in unit.carry_out(order)
    assert [told["do"] for told in unit.carried_out][-1] == "lock"
