"""The big screen over a compressed day: the hub's own mind, a real broker, a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.hub.records.trends import QUARTER
from appliance.protocol import topics
from tests.pages.conftest import Page
from tests.pages.day import Day
from tests.pages.stage import BOOTH, ROOM, Stage, resize, screenshot, wait_until
from tests.pages.test_tablet_layout import CONTRAST

pytestmark = [pytest.mark.browser, pytest.mark.broker]

ON_BANDS = "[disabled], .band-word,"
"""Words that stand on a drawing: the ground behind them is no element's. The same inks stand on ``.part``."""


@pytest.fixture(scope="module")
def day() -> Day:
    """Twelve hours that end now."""
    return Day()


def tell(stage: Stage, day: Day, now: float | None = None) -> None:
    for message in day.retained(now):
        stage.hub.publish(message.topic, message.payload, expiry=message.expires_after)


@pytest.fixture
def room(page: Page, stage: Stage, day: Day) -> Iterator[Page]:
    """The screen, opened when the day is over."""
    page.browser.execute_script("localStorage.removeItem('leftfield.language')")
    tell(stage, day)
    page.open(stage.session(ROOM, page="room"))
    page.see("Live", "#link")
    page.wait("#tops svg")
    yield page
    for topic in (topics.trends(BOOTH), topics.live(BOOTH)):
        stage.hub.publish(topic, b"")


def table(page: Page, panel: str) -> list[list[str]]:
    """The table behind a picture, head and rows."""
    script = (
        "return [...document.querySelectorAll(`#${arguments[0]} table tr`)]"
        ".map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    found: list[list[str]] = page.browser.execute_script(script, panel)
    return found


def test_a_screen_that_opens_late_has_its_past(room: Page, day: Day) -> None:
    """Twelve hours are there at once: rivers, shares, alerts, what changes, and a table behind each picture."""
    told = {one.topic.rsplit("/", 1)[-1]: json.loads(one.payload) for one in day.retained()}
    head, *rows = table(room, "tops")
    assert len(rows) == len(told["trends"]["starts"]) > 20
    assert [int(row[1]) for row in rows] == told["trends"]["people"]
    assert "black" in head
    assert len(room.all("#tops .band")) >= 4
    assert len(table(room, "shares")) >= 6
    assert len(table(room, "alerts")) == 1 + len(told["trends"]["alerts"])
    room.see("Tops: black", "#moving")
    room.see(f"{told['live']['people']:,}", ".tile-people")
    assert len(room.all("table.behind")) == 6


def test_a_day_passes_before_the_screen(page: Page, stage: Stage) -> None:
    """A day at a hundred times its pace: first nothing is told, then hour after hour, and the dots come and go."""
    page.browser.execute_script("localStorage.removeItem('leftfield.language')")
    day = Day(minutes=1)
    tell(stage, day)
    page.open(stage.session(ROOM, page="room"))
    page.see("The first stretch is told when 200 people have passed", "#tops")
    seen = []
    for hour in range(1, 5):
        at = day.ends + 3600 * hour
        for minute in range(60):
            day.pass_minute(at - 3600 + 60 * minute, 15)
        tell(stage, day, at)
        spans = len(_spans(day, at))
        page.wait("#tops tbody tr", spans)
        seen.append(spans)
    assert seen == sorted(set(seen))
    dots = sum(int(row[1]) for row in table(page, "strip")[1:])
    assert 60 <= dots <= 80  # five minutes of fifteen, and the steps at both ends
    for topic in (topics.trends(BOOTH), topics.live(BOOTH)):
        stage.hub.publish(topic, b"")


def _spans(day: Day, at: float) -> list[Any]:
    (trends,) = (json.loads(one.payload) for one in day.retained(at) if one.topic.endswith("trends"))
    assert all(start % QUARTER == 0 for start in trends["starts"])
    starts: list[Any] = trends["starts"]
    return starts


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_of_the_screen_keeps_aa_contrast(room: Page, dark: bool) -> None:
    """Every text has the contrast of WCAG 2.2 AA on its ground, in light and dark, pictures and tables."""
    resize(room.browser, 1920, 1080, dark=dark)
    check = CONTRAST.replace("[disabled],", ON_BANDS)
    assert room.browser.execute_script(check) == []
    room.all("#tables")[0].click()
    assert room.browser.execute_script(check) == []


CUT = """
const cut = [];
for (const panel of document.querySelectorAll('.panel')) {
  const end = panel.getBoundingClientRect();
  for (const one of panel.querySelectorAll('*')) {
    const box = one.getBoundingClientRect();
    const out = box.bottom > end.bottom + 1 || box.right > end.right + 1;
    if (out && box.width && !one.closest('.behind, .unseen')) cut.push(panel.className + ' ' + one.innerText);
  }
}
return cut;
"""
SMALL = """
return [...document.querySelectorAll('#page *')]
  .filter((one) => !one.childElementCount && one.innerText && !one.closest('.behind, .unseen'))
  .filter((one) => parseFloat(getComputedStyle(one).fontSize) < 18).map((one) => one.innerText);
"""


@pytest.mark.parametrize("language", ["en", "es", "fr", "zh"])
def test_at_1080p_all_of_it_is_seen_at_once(room: Page, stage: Stage, day: Day, language: str) -> None:
    """On a full-HD screen nothing is scrolled, nothing cut off, and no text is smaller than eighteen pixels."""
    resize(room.browser, 1920, 1080)
    speak(room, language)
    (live,) = (json.loads(one.payload) for one in day.retained() if one.topic.endswith("live"))
    many = [
        {
            **live["units"][0],
            "unit": f"u{at}",
            "place": f"corner {at}",
            "boxed": at > 0,
            "spooled": 60 * (at == 1),
        }
        for at in range(8)
    ]
    full = {"simulated": True, "units": many, "refused": [[7, 12], [15, 3], [17, 1]]}
    stage.hub.publish(topics.live(BOOTH), {**live, **full, "pacing": {**live["pacing"], "gifts": None}})
    room.wait(".keys")
    size = "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert room.browser.execute_script(size) == [1920, 1080]
    assert room.browser.execute_script(CUT) == []
    assert room.browser.execute_script(SMALL) == []


def speak(page: Page, language: str) -> None:
    """Choose a language, as somebody would."""
    page.browser.execute_script(
        "const list = document.getElementById('language'); list.value = arguments[0];"
        "list.dispatchEvent(new Event('change'));",
        language,
    )


def test_the_screen_fits_tablet_and_phone(room: Page) -> None:
    """On small screens nothing is wider than the screen, and what can be touched is large enough."""
    for width, height in ((1280, 800), (800, 1280), (390, 844), (320, 568)):
        resize(room.browser, width, height, touch=width < 500)
        assert room.browser.execute_script("return document.documentElement.scrollWidth") <= width
        for control in room.all("#tables, #language"):
            assert control.size["height"] >= 44


@pytest.mark.parametrize(("language", "said"), [("es", "Parte de arriba"), ("fr", "Hauts"), ("zh", "上衣")])
def test_the_screen_speaks_each_language(room: Page, language: str, said: str) -> None:
    """A language is chosen on the screen and stays; nothing of it is left in English."""
    speak(room, language)
    room.see(said, "#h-tops")
    assert room.browser.execute_script("return document.documentElement.lang") == language
    room.browser.refresh()
    room.wait("#tops svg")
    told = room.browser.execute_script("return document.getElementById('page').textContent")
    for english in (
        "people", "usual", "black", "Tops", "Sleeves", "staff", "gift", "last hour", "Cameras", "pictures",
        "Nothing", "refused", "Counts", "Live",
    ):  # fmt: skip
        assert english not in told, english
    assert "undefined" not in told


def test_what_is_old_is_said_to_be_old(room: Page, stage: Stage) -> None:
    """Without the hub, or without the broker, the screen says so and keeps what it has."""
    room.may_lose_link = True
    stage.hub.status("offline")
    room.see("The hub has stopped. What you see is old.", "#banners")
    room.see("Hub is away", "#link")
    stage.hub.status("online")
    room.see("Live", "#link")
    with stage.broker.frozen():
        room.see("Not connected", "#link")
        assert room.all("#tops .band")
    room.see("Live", "#link")


def test_garbage_changes_nothing(room: Page, stage: Stage, day: Day) -> None:
    """A message that breaks its form is dropped whole; the next good one is shown."""
    before = table(room, "tops")
    good = {one.topic.rsplit("/", 1)[-1]: json.loads(one.payload) for one in day.retained()}
    for leaf, broken in (
        ("trends", {**good["trends"], "people": [1]}),
        ("trends", {**good["trends"], "movers": [["top.colour", "<b>mauve</b>", 5, 1]]}),
        ("live", {**good["live"], "dots": [[0, 9, 0, 1]]}),
        ("live", {**good["live"], "people": "many"}),
        ("live", b"\xff"),
    ):
        stage.hub.publish(f"leftfield/1/{BOOTH}/hub/{leaf}", broken)
    stage.hub.publish(topics.live(BOOTH), {**good["live"], "people": 12_345})
    room.see("12,345", ".tile-people")
    assert table(room, "tops") == before


def test_real_people_are_told_from_simulated_ones(room: Page, stage: Stage, day: Day) -> None:
    """Where some of the street is made up, the screen says so and draws the two kinds differently."""
    (live,) = (json.loads(one.payload) for one in day.retained() if one.topic.endswith("live"))
    assert not room.all(".keys")
    stage.hub.publish(topics.live(BOOTH), {**live, "simulated": True, "dots": [[1, 3, 0, 1], [1, 3, 1, 5]]})
    room.see("Simulated street: some of these people are made up.", "#banners")
    room.see("real", ".keys")
    assert [row[1] for row in table(room, "strip")[1:]] == ["0", "0", "0", "6", "0", "0"]
    assert [row[2] for row in table(room, "strip")] == ["real", "0", "0", "0", "1", "0", "0"]


def test_a_screen_without_its_link_says_how_to_get_one(page: Page) -> None:
    """Opened without name and password it explains itself."""
    page.browser.execute_script("sessionStorage.clear(); localStorage.clear()")
    page.open(f"{page.stage.pages.url}/room")
    page.see("This screen is not signed in", "#grid")


def test_the_pictures_show_the_screen(room: Page, tmp_path: Any) -> None:
    """The canvas of dots and the rivers are painted: the picture of the screen has many colours."""
    resize(room.browser, 1920, 1080)
    painted = (
        "const canvas = document.querySelector('canvas'); const {data} = canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height); let inked = 0;"
        "for (let at = 3; at < data.length; at += 4) inked += data[at] > 0; return inked / (data.length / 4)"
    )
    wait_until(lambda: room.browser.execute_script(painted) > 0.005, "painted dots")
    screenshot(room.browser, tmp_path / "room.png")
    assert (tmp_path / "room.png").stat().st_size > 50_000
