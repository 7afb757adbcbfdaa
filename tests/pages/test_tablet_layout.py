"""What fits, what moves and what can be read on the tablet page, in a real Chromium, on a real broker."""

from __future__ import annotations

import time

import pytest

from tests.pages.conftest import CARD, Page, claimed, raised
from tests.pages.stage import TABLETS, alert, ended, resize, unit, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker]


def test_nothing_that_is_worn_is_cut(page: Page) -> None:
    """With four cards the list of what to look for is whole, and the pin stays beside a long place name."""
    place = "the corner of the old market hall, by the tram stop to the station"
    look = {**alert()["look"], "outer": "open", "top.accent": "blue", "lower.kind": "skirt_or_dress"}
    resize(page.browser, 1280, 800)
    for name in ("a17", "a18", "a19", "a20"):
        page.stage.hub.alert(alert(name, place=place, look=look))
    page.wait(".card", 4)
    for words in page.all(".look"):
        said = words.get_attribute("innerText") or ""  # an arriving card is still fading in, and `text` empty
        assert said.endswith("light shoes, a bag")
        assert page.browser.execute_script(
            "return arguments[0].scrollHeight <= arguments[0].clientHeight + 1", words
        )
    pin, name = (page.all(f"{CARD} .where {part}")[0].rect for part in (".icon", ".place"))
    assert pin["x"] + pin["width"] <= name["x"] + 1
    assert abs(pin["y"] - name["y"]) < 12


def test_the_newest_alert_stands_first_and_is_pointed_at(page: Page) -> None:
    """A newer alert stands before an older one, whichever is told first; what was told last is marked."""
    now = int(time.time())
    raised(page, raised_at=now)
    page.stage.hub.alert(alert("a19", raised_at=now - 30))
    page.stage.hub.alert(alert("a18", raised_at=now + 1))
    page.wait(".card", 3)
    assert [card.get_attribute("id") for card in page.all(".card")] == ["alert-a18", "alert-a17", "alert-a19"]
    assert [mark.get_attribute("innerText") for mark in page.all(".badge-newest")] == ["Newest"]


def test_a_tap_on_a_card_that_has_just_moved_is_ignored(page: Page) -> None:
    """A finger on its way to one card does not claim another that comes between."""
    raised(page)
    script = (
        "const list = document.getElementById('cards'); list.dataset.moved = 'yes';"
        "document.querySelector('[data-key=claim]').click(); delete list.dataset.moved;"
        "document.querySelector('[data-key=forget]').click();"
    )
    page.browser.execute_script(script)
    page.see("Forget this person now", CARD)
    assert page.stage.hub.requests.empty()


def test_the_focus_stays_when_a_card_changes(page: Page) -> None:
    """The keyboard's place is kept while a card is drawn anew, and moves to the heading when the card goes."""
    raised(page)
    page.browser.execute_script("document.querySelector('[data-key=forget]').focus()")
    page.stage.hub.alert(alert(state="claimed", held_by=TABLETS[1]))
    page.see("tablet-2 is on the way", CARD)
    assert page.browser.switch_to.active_element.get_attribute("data-key") == "forget"
    page.stage.hub.alert(ended("a17", "gifted", TABLETS[1]), expiry=60)
    page.wait(CARD, 0)
    assert page.browser.switch_to.active_element.get_attribute("id") == "alerts-heading"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (800, 1280), (390, 844), (320, 568)])
def test_everything_fits_and_can_be_touched(page: Page, width: int, height: int) -> None:
    """At every size nothing sticks out sideways and every button is at least 48 pixels high and wide."""
    resize(page.browser, width, height, touch=width < 500)
    page.open_shift()
    raised(page, state="claimed", held_by=TABLETS[0])
    page.stage.hub.alert(alert("a18"))
    page.wait("#alert-a18")
    page.press("dismissed")
    page.see("Why dismiss it?", CARD)
    page.at_rest()
    assert page.browser.execute_script("return document.documentElement.scrollWidth") <= width
    small = page.browser.execute_script(
        "return [...document.querySelectorAll('button')].map((one) => [one.innerText, one.getBoundingClientRect()])"
        ".filter(([, box]) => box.width && (box.width < 48 || box.height < 48)).map(([text]) => text)"
    )
    assert small == []


CONTRAST = """
const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
const ground = (node) => {
  if (!node) return [255, 255, 255, 1];
  const style = getComputedStyle(node);
  if (style.backgroundImage !== 'none') return parse(style.backgroundImage.match(/rgba?\\([^)]*\\)/)[0]);
  const own = parse(style.backgroundColor);
  return own[3] === 1 ? own : over(own, ground(node.parentElement));
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
  if (!text || !node.getClientRects().length) continue;
  if (node.closest('[disabled], [data-held=other] .picture, .unseen, .skip, noscript, script')) continue;
  const back = ground(node), style = getComputedStyle(node);
  const [a, b] = [luminance(over(parse(style.color), back)), luminance(back)].sort((x, y) => y - x);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < (large ? 3 : 4.5)) found.push(`${text}: ${ratio.toFixed(2)}`);
}
return found;
"""


def test_a_claimed_card_comes_into_sight_whole(page: Page) -> None:
    """Whoever claims the last of several alerts on a phone sees all four ways to end it without scrolling."""
    resize(page.browser, 390, 844, touch=True)
    for name in ("a17", "a18", "a19"):
        page.stage.hub.alert(alert(name))
    page.wait(".card", 3)
    page.at_rest()
    page.stage.hub.alert(alert("a19", state="claimed", held_by=TABLETS[0]))
    page.wait("#alert-a19 [data-key='gifted']")
    bottom = "return document.querySelector('#alert-a19').getBoundingClientRect().bottom - innerHeight"
    wait_until(lambda: page.browser.execute_script(bottom) < 1, "the card in sight")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_keeps_aa_contrast(page: Page, dark: bool) -> None:
    """Every text has the contrast of WCAG 2.2 AA (1.4.3) on its ground, in light and dark."""
    resize(page.browser, 1280, 800, dark=dark)
    page.stage.hub.board(
        simulated=True, units=[unit("a", "door", state="blind", simulated=True), unit("b", "gate", boxed=False)],
        baseline={"weight": 10.0, "ready": False, "needs": 5},
    )  # fmt: skip
    page.see("Learning", "#panels")
    page.open_shift()
    assert page.browser.execute_script(CONTRAST) == []
    claimed(page)
    page.stage.hub.alert(alert("a18", simulated=True, boxed=False, expires_at=int(time.time()) + 20))
    page.stage.hub.alert(alert("a19", state="claimed", held_by="tablet-2"))
    page.wait("#alert-a18")
    page.wait("#alert-a19[data-held=other]")
    page.press("forget", "a18")
    page.see("Forget this person now", "#alert-a18")
    page.at_rest()
    assert page.browser.execute_script(CONTRAST) == []
    page.stage.hub.status("offline")
    page.see("The hub has stopped", "#banners")
    assert page.browser.execute_script(CONTRAST) == []
