"""A shift's acts on the tablet page: give back, undo, sizes, pause, staff, stock, note, closing; unknown answers."""

from __future__ import annotations

import time

import pytest

from appliance.protocol import topics
from tests.pages.conftest import CARD, Page, claimed, raised
from tests.pages.stage import BOOTH, LEAD, TABLETS, alert, shift, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker]


def test_an_outcome_can_be_undone_and_the_hub_never_hears_of_it(page: Page) -> None:
    """A wrong tap is taken back within five seconds; nothing was told."""
    claimed(page)
    page.press("declined")
    page.press("undo")
    page.wait(f"{CARD} [data-key=declined]:not(:disabled)")
    page.left()
    page.press("release")
    assert page.stage.hub.request().leaf == "release"
    assert page.stage.hub.requests.empty()


def test_an_outcome_is_told_by_itself_when_its_time_is_over(page: Page) -> None:
    """Nobody need do anything more: after five seconds the hub hears of it."""
    claimed(page)
    page.press("not_found")
    began = time.monotonic()
    assert page.stage.hub.request().body["outcome"] == "not_found"
    assert time.monotonic() - began > 4


def test_a_gift_with_a_size_asks_which(page: Page) -> None:
    """Where gifts have sizes the page asks which was given, and does not offer one that is gone."""
    page.stage.hub.board(shift=shift(sizes=[{"size": "M", "left": 3}, {"size": "XL", "left": 0}]))
    claimed(page)
    page.press("gifted")
    page.see("M · 3 left", CARD)
    page.wait(f"{CARD} [data-key=size-XL]:disabled")
    page.press("size-M")
    page.left()
    told = {"v": 1, "alert": "a17", "outcome": "gifted", "why": None, "size": "M"}
    assert page.stage.hub.request().body == told


@pytest.mark.parametrize(
    ("key", "act", "value"),
    [
        ("pause-30", "pause", 30),
        ("staff-more", "staff", 3),
        ("stock-less", "stock", 32),
        ("empty", "stock", 0),
    ],
)
def test_an_act_of_the_shift_is_asked_of_the_hub(page: Page, key: str, act: str, value: int) -> None:
    """One tap each; what is shown is what the hub then says."""
    page.open_shift()
    page.all(f"[data-key='{key}']")[0].click()
    asked = page.stage.hub.request()
    assert (asked.leaf, asked.body) == ("shift", {"v": 1, "act": act, "value": value, "size": None})
    page.stage.hub.answer(asked, ok=False, rule=14, text="no", why="forbidden", by=None)
    page.see("Only the lead may do that.", "#toasts")


def test_a_pause_is_on_every_screen_until_it_is_over(page: Page) -> None:
    """A banner says until when; one tap goes on."""
    page.stage.hub.board(shift=shift(paused_until=int(time.time()) + 900))
    page.see("Alerts are paused until", ".banner-paused")
    page.open_shift()
    page.all("[data-key=resume]")[0].click()
    assert page.stage.hub.request().body["act"] == "resume"
    page.stage.hub.board()
    page.wait(".banner-paused", 0)


def test_closing_asks_once(page: Page) -> None:
    """The day's end is asked for twice, shown, and can be taken back."""
    page.open_shift()
    page.all("[data-key=close]")[0].click()
    page.all("[data-key=close-yes]")[0].click()
    assert page.stage.hub.request().body["act"] == "close"
    page.stage.hub.board(shift=shift(closed=True))
    page.see("Closed for today", ".banner-paused")
    page.see("Closed for today", "#empty")
    page.all("[data-key=open]")[0].click()
    assert page.stage.hub.request().body["act"] == "open"


def test_a_note_is_left_and_read(page: Page) -> None:
    """What is typed stays while boards come; it is sent once, and read on every tablet as text."""
    page.open_shift()
    field = page.all("#shift-note")[0]
    field.send_keys("Box two is <b>open</b>")
    page.stage.hub.board(stock=12)
    page.see("12 gifts left", "#stock")
    page.all("[data-key=note]")[0].click()
    asked = page.stage.hub.request()
    assert asked.body["value"] == "Box two is <b>open</b>"
    page.stage.hub.answer(asked, ok=True, act="note", text="Noted.")
    note = {"text": "Box two is <b>open</b>", "by": TABLETS[1], "at": int(time.time())}
    page.stage.hub.board(shift=shift(note=note))
    page.see("Box two is <b>open</b>", ".panel-note")
    wait_until(lambda: not page.all("#shift-note")[0].get_attribute("value"), "an empty field")


def test_a_claim_whose_answer_is_lost_is_never_called_unsent(page: Page) -> None:
    """The broker hears the claim, and dies before it says so: the page says that it does not know."""
    page.may_lose_link = True
    raised(page)
    with page.stage.broker.frozen():
        page.press("claim")
        page.see("Not connected", "#link")
        page.see("The hub may have heard it", "#toasts")
        assert "Not sent" not in page.text("#toasts")
    page.see("Connected", "#link")
    page.stage.hub.alert(alert(state="claimed", held_by=TABLETS[0]))
    page.see("Gift given", CARD)


def test_the_leads_tablet_says_what_is_wrong_and_what_to_do(page: Page) -> None:
    """Cameras, refusals, changes in words with what to do; each tablet's numbers; no other tablet hears of it."""
    unit = {
        "place": "north corner",
        "missing": 3,
        "dropped": 0,
        "clock": False,
        "refused": [[9, 4], [4, 1], [2, 1]],
    }
    change = {"attribute": "outer", "word": "closed", "now": 38, "usual": 12}
    acts = {"tablet": "tablet-2", "claims": 5, "dismissals": 1, "forgets": 2}
    said = {
        "v": 1,
        "booth": BOOTH,
        "at": 1,
        "units": [unit],
        "strangers": [[15, 2]],
        "changes": [change],
        "tablets": [acts],
    }
    page.stage.hub.publish(topics.lead(BOOTH), said)
    page.stage.hub.board(stock=7)
    page.see("7 gifts left", "#stock")
    assert not page.all(".panel-lead")
    page.open(page.stage.session(LEAD))
    for words in (
        "north corner: 3 messages never came.\nLook at its network",
        "its clock is not set",
        "4 messages were refused.\nIts clock",
        "1 message was refused.\nAnother device",
        "Somebody unknown: 2",
        "closed: 38\u00a0% now, 12\u00a0% usually",
    ):
        page.see(words, ".panel-lead")
    acts_said = {
        "v": 1,
        "booth": BOOTH,
        "at": 1,
        "acts": [
            [60, "tablet-2", "tablet", "tablet-3"],
            [0, "root", "new", ""],
            [20_000 * 86_400, "tablet-2", "forget", ""],
        ],
    }
    page.stage.hub.publish(topics.acts(BOOTH), acts_said)
    page.see("tablet-2 let a tablet in · tablet-3", ".log")
    page.see("root new", ".log")
    page.see("04/10 tablet-2", ".log")  # of what is done with an alert the day alone, wherever the tablet is
    assert page.text(".acts tbody").split() == ["tablet-2", "5", "1", "2"]
    page.stage.hub.publish(
        topics.lead(BOOTH), {**said, "units": [], "strangers": [], "changes": [], "tablets": []}
    )
    page.see("Nothing that needs you.", ".panel-lead")
