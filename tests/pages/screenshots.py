"""Takes the pictures of the pages: ``python -m tests.pages.screenshots [--out docs/pictures] [--all]``.

Rules: a real Chromium on a real broker; nothing is drawn here. Without ``--all`` only the pictures the README shows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.pages.day import Day
from tests.pages.stage import (
    ROOM,
    Stage,
    alert,
    browser_programs,
    open_browser,
    resize,
    screenshot,
    unit,
    wait_until,
)

SIZES = {"landscape": (1280, 800), "portrait": (800, 1280), "phone": (390, 844)}


def single(attributes: dict[str, str], one_in: int | None, text: str, lens: str = "single") -> dict[str, Any]:
    """One reason."""
    return {"lens": lens, "attributes": attributes, "one_in": one_in, "text": text}


def scenes() -> dict[str, list[dict[str, Any]]]:
    """Alerts by name of scene."""
    now = int(time.time())
    one = alert(
        "a17",
        raised_at=now - 14,
        expires_at=now + 166,
        rarity={"p": 0.0004, "bits": 11.2, "one_in": 2300},
        reasons=[
            single(
                {"top.colour": "yellow", "bottom.colour": "purple"}, 2300,
                "yellow top with purple checked trousers: 1 in 2,300 people here or fewer", "pair",
            ),
            single({"bottom.pattern": "checked"}, 640, "checked trousers: 1 in 640 people here or fewer"),
        ],
        look={
            "top.colour": "yellow", "top.accent": "none", "top.pattern": "plain", "bottom.colour": "purple",
            "bottom.accent": "pink",
            "bottom.pattern": "checked", "lower.kind": "trousers", "sleeves": "long", "outer": "none",
            "one_piece": "no",
            "feet.colour": "light", "bag": "yes",
        },
    )  # fmt: skip
    two = alert(
        "a18", raised_at=now - 41, expires_at=now + 319, state="claimed", held_by="tablet-1",
        place="tram stop", unit="tram-stop", seen_ago=5,
        rarity={"p": 0.001, "bits": 9.9, "one_in": 910},
        reasons=[single(
            {"top.pattern": "figured", "one_piece": "yes"}, 910,
            "printed top with the same cloth from top to bottom: 1 in 910 people here or fewer", "pair",
        )],
        look={
            "top.colour": "pink", "top.accent": "green", "top.pattern": "figured", "bottom.colour": "pink",
            "bottom.pattern": "figured",
            "lower.kind": "skirt_or_dress", "sleeves": "short", "outer": "none", "one_piece": "yes",
            "feet.colour": "coloured",
        },
    )  # fmt: skip
    three = alert(
        "a19", raised_at=now - 66, expires_at=now + 294, state="claimed", held_by="tablet-2",
        place="bakery side", unit="bakery", simulated=True,
        rarity={"p": 0.002, "bits": 9.0, "one_in": 480},
        reasons=[single(
            {"top.colour": "orange", "outer": "open"}, 480,
            "orange top with jacket or coat worn open: 1 in 480 people here or fewer", "pair",
        )],
        look={
            "top.colour": "orange", "top.accent": "blue", "top.pattern": "plain", "bottom.colour": "black",
            "lower.kind": "shorts", "outer": "open", "sleeves": "long",
        },
    )  # fmt: skip
    four = alert(
        "a20", raised_at=now - 155, expires_at=now + 25, simulated=True, place="bakery side", unit="bakery",
        seen_ago=20,
        rarity={"p": 0.0008, "bits": 10.2, "one_in": None},
        reasons=[single(
            {"top.colour": "green", "top.pattern": "striped", "bottom.colour": "white"}, None,
            "nothing rare by itself, but unusual all together: green striped top with white lower half", "whole",
        )],
        look={
            "top.colour": "green", "top.accent": "white", "top.pattern": "striped", "bottom.colour": "white",
            "feet.colour": "dark", "one_piece": "no",
        },
    )  # fmt: skip
    return {"0": [], "1": [one], "4": [one, two, three, four]}


def show(stage: Stage, browser: webdriver.Chrome, alerts: list[dict[str, Any]]) -> None:
    """Bring the booth to a scene and wait until the page shows it."""
    stage.hub.clear()
    simulated = any(one["simulated"] for one in alerts) or not alerts
    stage.hub.board(
        simulated=simulated,
        units=[
            unit("corner-north", "north corner"),
            unit("tram-stop", "tram stop", source="recording", accelerator="cpu", fps=12),
            unit("bakery", "bakery side", source="simulated", accelerator="cpu", simulated=True, fps=0),
            unit("back-door", "back door", state="blind", fps=0),
        ],
    )
    for one in alerts:
        stage.hub.alert(one)
    wait_until(
        lambda: (
            len(browser.find_elements(By.CSS_SELECTOR, ".card")) == len(alerts)
            and browser.find_elements(By.CSS_SELECTOR, ".unit")
        ),
        "the scene's cards",
    )
    wait_until(
        lambda: browser.execute_script("return document.getAnimations().length === 0"), "cards at rest"
    )


def take(out: Path, *, everything: bool) -> None:
    """Write the pictures into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="leftfield-") as folder, Stage.set_up(Path(folder)) as stage:
        browser = open_browser(Path(folder) / "browser")
        try:
            stage.hub.clear()
            browser.get(stage.session())
            browser.find_element(By.ID, "sound").click()
            for scene, alerts in scenes().items():
                for size, (width, height) in SIZES.items():
                    for shade in ("light", "dark"):
                        if not everything and (scene, size, shade) not in README:
                            continue
                        resize(browser, width, height, dark=shade == "dark", touch=size == "phone")
                        show(stage, browser, alerts)
                        screenshot(browser, out / f"tablet-{scene}-{size}-{shade}.png")
            take_languages(stage, browser, out)
            take_room(stage, browser, out)
        finally:
            browser.quit()


LANGUAGES = (("es", "landscape", "dark"), ("fr", "phone", "light"), ("zh", "landscape", "light"))
"""A picture of the tablet in each of the other languages."""


def take_languages(stage: Stage, browser: webdriver.Chrome, out: Path) -> None:
    """A claimed alert in the other languages, the shift's panel, and the card for the passer-by."""
    mine, *others = scenes()["4"]
    mine |= {"state": "claimed", "held_by": "tablet-1"}
    for language, size, shade in LANGUAGES:
        width, height = SIZES[size]
        resize(browser, width, height, dark=shade == "dark", touch=size == "phone")
        browser.execute_script("localStorage.setItem('leftfield.language', arguments[0])", language)
        browser.refresh()
        show(stage, browser, [mine, *others] if size == "landscape" else [mine])
        browser.find_element(By.ID, "shift").click()
        screenshot(browser, out / f"tablet-{language}-{size}-{shade}.png")
    browser.execute_script("localStorage.removeItem('leftfield.language')")
    resize(browser, *SIZES["landscape"])
    browser.refresh()
    show(stage, browser, [mine])
    browser.find_element(By.CSS_SELECTOR, "[data-key=show]").click()
    opened = "return document.querySelector('dialog.passer')?.open"
    wait_until(lambda: browser.execute_script(opened), "the card for the passer-by")
    screenshot(browser, out / "tablet-passer-landscape-light.png")
    browser.find_element(By.CSS_SELECTOR, "[data-key=passer-close]").click()


def take_room(stage: Stage, browser: webdriver.Chrome, out: Path) -> None:
    """The big screen at the end of a day, light and dark: a booth with three cameras."""
    day = Day(names=("north", "east", "tram-stop"))
    for message in day.retained():
        stage.hub.publish(message.topic, message.payload)
    for shade, language in (("light", "en"), ("dark", "es")):
        resize(browser, 1920, 1080, dark=shade == "dark")
        browser.get("about:blank")
        browser.get(stage.session(ROOM, page="room"))
        browser.execute_script("localStorage.setItem('leftfield.language', arguments[0])", language)
        browser.refresh()
        painted = "return document.querySelectorAll('.band, .unit').length > 6"
        wait_until(lambda script=painted: browser.execute_script(script), "the big screen")  # type: ignore[misc]
        wait_until(
            lambda: browser.execute_script("return document.getElementById('clock').innerText"), "its clock"
        )
        screenshot(browser, out / f"room-{shade}.png")


README = {
    ("1", "landscape", "light"),
    ("4", "landscape", "dark"),
    ("0", "landscape", "light"),
    ("1", "phone", "dark"),
}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Take the pictures of the tablet page.")
    parser.add_argument(
        "--out", type=Path, default=Path("docs/pictures"), help="directory (default: %(default)s)"
    )
    parser.add_argument(
        "--all", action="store_true", help="every scene, size and shade, not only the README's"
    )
    arguments = parser.parse_args()
    if not browser_programs():
        sys.stderr.write("Chromium and chromedriver are needed: apt-get install chromium chromium-driver\n")
        return 1
    take(arguments.out, everything=arguments.all)
    return 0


if __name__ == "__main__":
    sys.exit(main())
