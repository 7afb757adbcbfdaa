"""The tablet page, in a real Chromium, on a real broker."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from appliance import topics
from appliance.pages.server import PageServer
from appliance.pages.visit import PagesConfig
from appliance.values import AlertId, TabletId
from tests.pages.conftest import Page
from tests.pages.stage import BOOTH, TABLETS, alert, board, ended, resize, unit, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker]

CARD = "#alert-a17"


def raised(page: Page, **changes: Any) -> None:
    page.stage.hub.alert(alert(**changes))
    page.wait(CARD)


def heard(page: Page) -> str:
    """What a screen reader was told last."""
    return page.all("#arrivals[role=alert]")[0].get_attribute("textContent") or ""


def claimed(page: Page) -> None:
    """The alert is there and this tablet holds it."""
    raised(page, state="claimed", held_by=TABLETS[0])


def test_an_alert_appears_with_figure_reason_rarity_place_and_age(page: Page) -> None:
    """An alert appears as a card that says why, how rare, where and how long ago, and draws what is worn."""
    raised(page)
    text = page.text(CARD)
    assert "Checked trousers" in text
    assert "1 in 640 people here, or fewer" in text.replace("\n", " ")
    assert "north corner" in text
    assert "seen 1" in text
    assert " s ago" in text
    (figure,) = page.all(f"{CARD} svg.figure")
    label = figure.get_attribute("aria-label") or ""
    assert label == "Drawing: yellow top, long sleeves, red checked trousers with green, light shoes, a bag"
    (top,) = page.all(f"{CARD} [data-part=top]")
    assert top.get_attribute("fill") == "#f4c430"
    (lower,) = page.all(f"{CARD} [data-part=lower]")
    assert (lower.get_attribute("fill") or "").startswith("url(#cloth-a17-")
    assert page.all(f"{CARD} [data-part=bag]")


def test_the_second_reason_keeps_its_whole_sentence(page: Page) -> None:
    """A reason after the first is shown as the hub said it, with what most people wear instead."""
    second = {
        "lens": "single",
        "attributes": {"top.colour": "yellow"},
        "one_in": 300,
        "text": "yellow top: 1 in 300 people here or fewer",
    }
    raised(page, reasons=[*alert()["reasons"], second])
    page.see("Yellow top: 1 in 300 people here or fewer", CARD)
    page.see("Usual here: black 34\u00a0%, blue 19\u00a0%", CARD)


def test_a_coarse_rarity_is_said_without_a_number(page: Page) -> None:
    """Where fewer than five people would share it, no number is shown."""
    reasons = [
        {
            "lens": "single",
            "attributes": {"top.colour": "yellow"},
            "one_in": None,
            "text": "yellow top: hardly ever seen here",
        }
    ]
    raised(page, rarity={"p": 0.0001, "bits": 13.0, "one_in": None}, reasons=reasons)
    page.see("Hardly ever", f"{CARD} .rarity")
    assert page.text(f"{CARD} .reason") == "Yellow top"
    assert not page.all(f"{CARD} .rarity-n")


@pytest.mark.parametrize(("one_in", "said"), [(None, ""), (640, "1 in 640 people here, or fewer")])
def test_an_unusual_whole_is_not_called_rare(page: Page, one_in: int | None, said: str) -> None:
    """Where only the mix is unusual, the headline says that, and the number stands small beside it."""
    text = "nothing rare by itself, but unusual all together: green striped top with white bottoms"
    reasons = [
        {"lens": "whole", "attributes": {"top.colour": "green"}, "one_in": None, "text": text},
    ]
    raised(page, rarity={"p": 0.001, "bits": 10.0, "one_in": one_in}, reasons=reasons)
    assert page.text(f"{CARD} .rarity-few") == "Unusual mix"
    assert page.text(f"{CARD} .rarity-of") == said  # innerText: an arriving card is still fading in
    assert page.text(f"{CARD} .reason") == f"N{text[1:]}"
    assert "Hardly ever" not in page.text(CARD)


def test_what_is_usual_instead_is_said_in_whole_words(page: Page) -> None:
    """A level that means nothing by itself is said with what it is a level of."""
    usual = [
        {"attribute": "top.accent", "word": word, "share": share}
        for word, share in (("none", 0.71), ("white", 0.09))
    ]
    page.stage.hub.board(usual=usual)
    reasons = [
        {"lens": "single", "attributes": {"top.accent": "pink"}, "one_in": 300, "text": "top with some pink"}
    ]
    raised(page, reasons=reasons)
    page.see("Usual here: no second colour 71\u00a0%, white 9\u00a0%", CARD)


def test_what_is_unknown_is_drawn_hatched(page: Page) -> None:
    """A look of which little is known is drawn with dashed hatched parts, and no part is invented."""
    raised(page, look={"top.colour": "green"})
    parts = {
        part.get_attribute("data-part"): part.get_attribute("data-known")
        for part in page.all(f"{CARD} [data-known]")
    }
    assert parts["top"] == "yes"
    assert parts["lower"] == parts["lower-unknown"] == parts["sleeve-unknown"] == parts["feet"] == "no"
    assert "bag" not in parts


def test_every_word_of_the_vocabulary_can_be_drawn_and_said(page: Page) -> None:
    """Every level of every attribute gives a drawing and, unless it says that something is absent, a phrase."""
    script = """
        const [figures, texts, vocabulary] = await Promise.all(
          [import('/static/figure.js'), import('/static/texts.js'), (await fetch('/vocabulary.json')).json()]);
        const t = texts.catalogue(['en']);
        const silent = [];
        for (const {name, levels} of vocabulary.attributes) {
          if (!t.attribute[name]) silent.push(name);
          for (const level of levels) {
            const drawn = figures.figure({[name]: level}, {name: 'x', label: 'x'});
            if (drawn.querySelectorAll('[data-part]').length < 4) silent.push(`no drawing: ${name} ${level}`);
            if (!t.describe({[name]: level}).length) silent.push(`${name} ${level}`);
          }
          if (!['top.colour', 'bottom.colour'].includes(name)) continue;
          for (const level of levels) if (!figures.CLOTH[level]) silent.push(`no cloth: ${level}`);
        }
        return silent;
    """
    silent = page.browser.execute_script(f"return (async () => {{ {script} }})()")
    assert silent == [
        "top.accent none", "top.pattern plain", "bottom.accent none", "bottom.pattern plain", "outer none",
        "one_piece no", "bag no",
    ]  # fmt: skip


def test_a_claim_is_asked_with_topic_answer_topic_and_correlation(page: Page) -> None:
    """Claim publishes the one form of request on this tablet's topic; what the hub grants covers no button."""
    raised(page)
    page.press("claim")
    asked = page.stage.hub.request()
    assert (asked.leaf, asked.body) == ("claim", {"v": 1, "alert": "a17"})
    assert asked.answer_topic == topics.staff(BOOTH, TABLETS[0], "answer")
    assert 1 <= len(asked.correlation) <= 16
    assert 0 < asked.expiry <= 8
    page.see("Asking the hub…", CARD)
    page.stage.hub.alert(alert(state="claimed", held_by=TABLETS[0]))
    page.stage.hub.answer(asked, ok=True, alert="a17", state="claimed", text="Yours. Say hello.")
    page.see("Gift given", CARD)
    wait_until(lambda: heard(page) == "Yours. Say hello.", "the answer, for those who hear the page")
    assert not page.all("#toasts .toast")
    assert not page.all(f"{CARD} [data-key=claim]")


def test_a_refused_claim_says_why(page: Page) -> None:
    """A refusal is shown in the hub's words, and the card can be used again."""
    raised(page)
    page.press("claim")
    page.stage.hub.answer(page.stage.hub.request(), ok=False, rule=14, text="tablet-2 has it already")
    page.see("tablet-2 has it already", "#toasts .toast-bad")
    page.wait(f"{CARD} [data-key=claim]:not(:disabled)")


def test_an_answer_to_somebody_elses_request_changes_nothing(page: Page) -> None:
    """An answer whose correlation data was never sent is not taken for ours."""
    raised(page)
    page.press("claim")
    asked = page.stage.hub.request()
    answer = topics.staff(BOOTH, TABLETS[0], "answer")
    page.stage.hub.publish(
        answer, {"v": 1, "ok": False, "rule": 14, "text": "not for you"}, retain=False, correlation=b"other"
    )
    page.stage.hub.answer(asked, ok=True, alert="a17", state="claimed", text="Yours.")
    wait_until(lambda: heard(page) == "Yours.", "the answer")
    assert "not for you" not in page.text()


@pytest.mark.parametrize("outcome", ["gifted", "declined", "not_found"])
def test_an_outcome_is_told(page: Page, outcome: str) -> None:
    """The holder says how it ended with one tap."""
    claimed(page)
    page.press(outcome)
    asked = page.stage.hub.request()
    assert (asked.leaf, asked.body) == ("outcome", {"v": 1, "alert": "a17", "outcome": outcome, "why": None})


def test_a_dismissal_asks_why(page: Page) -> None:
    """Dismiss asks for one of the four reasons, which are about the reading."""
    claimed(page)
    page.press("dismissed")
    page.see("Why dismiss it?", CARD)
    page.press("back")
    page.press("dismissed")
    page.press("wrong_reading")
    assert page.stage.hub.request().body == {
        "v": 1,
        "alert": "a17",
        "outcome": "dismissed",
        "why": "wrong_reading",
    }


def test_forget_asks_once_and_works_before_the_hub_answers(page: Page) -> None:
    """Forget asks once, then the card is gone at once, and stays gone though the hub still says the alert."""
    raised(page)
    page.press("forget")
    page.see("Forget this person now, everywhere?", CARD)
    page.press("forget-yes")
    page.wait(CARD, 0)
    asked = page.stage.hub.request()
    assert (asked.leaf, asked.body) == ("forget", {"v": 1, "alert": "a17"})
    page.stage.hub.alert(alert(expires_at=int(time.time()) + 170))
    page.stage.hub.answer(asked, ok=True, alert="a17", state="forgotten", text="Forgotten.")
    page.see("Forgotten.", "#toasts")
    assert not page.all(CARD)
    assert "checked" not in str(
        page.browser.execute_script("return document.getElementById('page').textContent")
    )


def test_anothers_claim_greys_the_card(page: Page) -> None:
    """An alert that another tablet holds is greyed, says so, and can be forgotten but not claimed."""
    raised(page)
    page.stage.hub.alert(alert(state="claimed", held_by=TABLETS[1]))
    page.see("tablet-2 is on the way", CARD)
    assert page.all(f"{CARD}[data-held=other]")
    assert [button.get_attribute("data-key") for button in page.all(f"{CARD} button")] == ["forget"]


@pytest.mark.parametrize("state", ["gifted", "declined", "not_found", "dismissed", "expired", "forgotten"])
def test_an_end_removes_the_card_and_its_look(page: Page, state: str) -> None:
    """At any end the card is gone with all that was worn; only the end is said."""
    raised(page)
    page.stage.hub.alert(ended("a17", state, TABLETS[1]), expiry=60)
    page.wait(CARD, 0)
    page.see("north corner", "#panels .lately")
    assert "a17" not in page.text("#panels")
    assert "yellow" not in page.text("#page main")


def test_an_empty_message_removes_the_card(page: Page) -> None:
    """The empty retained message takes an alert away."""
    raised(page)
    page.stage.hub.publish(topics.alert(BOOTH, AlertId("a17")), b"")
    page.wait(CARD, 0)


def test_an_expired_alert_goes_though_the_hub_is_silent(page: Page) -> None:
    """What outlived its time on the hub's clock is dropped by the page itself."""
    raised(page, raised_at=int(time.time()) - 170, expires_at=int(time.time()) - 1)
    page.wait(CARD, 0)


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


def test_the_hubs_clock_counts(page: Page) -> None:
    """With the hub's clock an hour ahead of the tablet's, age and countdown still come out right."""
    ahead = int(time.time()) + 3600
    page.stage.hub.board(at=ahead)
    raised(page, raised_at=ahead, expires_at=ahead + 180)
    page.see("left", f"{CARD} .left")
    assert page.text(f"{CARD} .left").startswith(("2:", "3:00"))
    assert "s ago" in page.text(f"{CARD} .seen")


def test_cards_never_move_because_another_comes(page: Page) -> None:
    """A newer alert stands after an older one, whichever is told first."""
    now = int(time.time())
    raised(page, raised_at=now)
    page.stage.hub.alert(alert("a19", raised_at=now - 30))
    page.stage.hub.alert(alert("a18", raised_at=now + 1))
    page.wait(".card", 3)
    assert [card.get_attribute("id") for card in page.all(".card")] == ["alert-a19", "alert-a17", "alert-a18"]


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


def test_a_new_alert_is_announced(page: Page) -> None:
    """A screen reader hears place and reason of a new alert."""
    raised(page)
    assert heard(page) == "New alert, north corner. checked trousers: 1 in 640 people here or fewer"


def test_sound_is_turned_on_by_one_tap(page: Page) -> None:
    """One tap enables sound and the button says so; another turns it off."""
    page.see("Turn sound on", "#sound")
    page.all("#sound")[0].click()
    page.see("Sound on", "#sound")
    page.all("#sound")[0].click()
    page.see("Turn sound on", "#sound")


def test_a_simulated_street_is_labelled_everywhere(page: Page) -> None:
    """A simulated street shows on a banner, on the unit and on the card; a real one shows none of these."""
    raised(page)
    assert not page.all(".badge-simulated, .banner-simulated")
    units = [unit("corner-north", "north corner", simulated=True, source="simulated")]
    page.stage.hub.board(simulated=True, units=units)
    page.stage.hub.alert(alert(simulated=True))
    page.see("Simulated street", ".banner-simulated")
    page.wait(".unit .badge-simulated")
    page.wait(f"{CARD} .badge-simulated")


def test_an_unboxed_unit_is_labelled_everywhere(page: Page) -> None:
    """A unit without walls shows on a banner that names it, on the unit and on the card."""
    page.stage.hub.board(units=[unit("corner-north", "north corner", boxed=False)])
    raised(page, boxed=False)
    page.see("Unboxed", ".banner-unboxed")
    page.see("north corner", ".banner-unboxed")
    page.wait(".unit .badge-unboxed")
    page.wait(f"{CARD} .badge-unboxed")


def test_blind_and_offline_units_are_seen(page: Page) -> None:
    """A unit that is blind or offline stands out."""
    page.stage.hub.board(
        units=[unit("a", "door", state="blind"), unit("b", "gate", link="offline"), unit("c", "yard")]
    )
    page.wait(".unit[data-well=no]", 2)
    page.see("blind", "[data-unit=a]")
    page.see("offline", "[data-unit=b]")


def test_a_learning_booth_explains_why_nothing_comes(page: Page) -> None:
    """A young baseline says how many more people it needs."""
    page.stage.hub.board(baseline={"weight": 120.0, "ready": False, "needs": 180})
    page.see("180 more people need to walk by", "#empty")
    page.wait("#empty progress")


def test_an_empty_booth_shows_the_usual_passer_by(page: Page) -> None:
    """Without alerts the page says so and draws what is worn most."""
    page.see("Nobody to greet right now", "#empty")
    (figure,) = page.all("#empty svg.figure")
    assert figure.get_attribute("aria-label") == "Drawing: black top, long sleeves, blue trousers, dark shoes"


def test_markup_in_a_message_stays_text(page: Page) -> None:
    """Received text never becomes an element, whatever it holds."""
    nasty = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    raised(
        page, place=nasty[:80], reasons=[{"lens": "single", "attributes": {}, "one_in": None, "text": nasty}]
    )
    page.see("<script>", CARD)
    assert not page.all(".card img, .card script")


GARBAGE: list[bytes | dict[str, Any]] = [
    b"\xff\xfe", b"[]", b"null", b"{}", b'{"v":1}', b"{" * 5000, alert(v=2), alert(state="dancing"),
    alert(id="a18"), alert(look=[]),
    alert(reasons="x"), alert(raised_at="now"), alert(held_by="Tablet 1"), alert(place="x" * 500), alert(rarity=None),
    alert(look={"__proto__": "x", "constructor": "y", "face": "z"}, unit="../x"),
]  # fmt: skip


def test_garbage_from_the_hub_is_counted_and_harms_nothing(page: Page) -> None:
    """Messages that break their form are dropped and counted; the page goes on."""
    for garbage in GARBAGE:
        page.stage.hub.publish(topics.alert(BOOTH, AlertId("a17")), garbage, retain=False)
        page.stage.hub.publish(topics.board(BOOTH), garbage, retain=False)
        page.stage.hub.publish(topics.hub_status(BOOTH), garbage, retain=False)
        page.stage.hub.publish(topics.staff(BOOTH, TABLETS[0], "answer"), garbage, retain=False)
    # An unknown state and the like are no garbage where only v and state are asked for, hence "at least".
    wait_until(lambda: int((page.text("#ignored") or "0").split()[0]) >= 3 * len(GARBAGE), "garbage counted")
    raised(page)
    page.see("Checked trousers", CARD)


def test_a_forgotten_look_leaves_a_card_that_says_so(page: Page) -> None:
    """A claimed alert whose look the hub has let go shows no reason and can still be ended."""
    blank: dict[str, Any] = {
        "seen_ago": None,
        "unit": None,
        "rarity": {"p": None, "bits": None, "one_in": None},
        "reasons": [],
        "look": {},
    }
    raised(page, state="claimed", held_by=TABLETS[0], **blank)
    page.see("What was worn is already forgotten here.", CARD)
    page.press("gifted")
    assert page.stage.hub.request().leaf == "outcome"


def test_a_hub_that_is_away_is_said(page: Page) -> None:
    """With the hub away the page says that alerts cannot arrive, and nothing can be claimed."""
    raised(page)
    page.stage.hub.status("offline")
    page.see("The hub has stopped — alerts cannot arrive", "#banners")
    page.wait(f"{CARD} [data-key=claim]:disabled")
    page.stage.hub.status("online")
    page.wait(".banner-bad", 0)
    page.wait(f"{CARD} [data-key=claim]:not(:disabled)")


def test_a_dead_broker_is_said_and_the_page_recovers_by_itself(page: Page) -> None:
    """With the broker gone the page says so and keeps a forget; when it is back, both come right by themselves."""
    page.may_lose_link = True
    raised(page)
    page.stage.broker.stop()
    try:
        page.see("Not connected to the booth — alerts cannot arrive", "#banners")
        page.wait(f"{CARD} [data-key=claim]:disabled")
        page.press("forget")
        page.press("forget-yes")
        page.wait(CARD, 0)
    finally:
        page.stage.broker.start()
        wait_until(page.stage.hub.client.is_connected, "the hub's link")
    page.see("Connected", "#link")
    page.wait(".banner-bad", 0)
    page.stage.hub.status("online")
    assert page.stage.hub.request().body == {"v": 1, "alert": "a17"}
    page.stage.hub.alert(alert("a18"))
    page.wait("#alert-a18")
    assert not page.all(CARD)


def test_a_forget_that_nobody_heard_is_said_again_until_the_hub_answers(page: Page) -> None:
    """While the hub does not listen, a forget works here at once and is told to the hub as soon as it listens."""
    raised(page)
    asked_for = topics.staff(BOOTH, TabletId("+"), "+")
    page.stage.hub.client.unsubscribe(asked_for)
    try:
        page.press("forget")
        page.press("forget-yes")
        page.wait(CARD, 0)
        page.see("The hub will be told", "#toasts")
    finally:
        page.stage.hub.client.subscribe(asked_for, qos=1)
    assert page.stage.hub.request().body == {"v": 1, "alert": "a17"}


def test_a_claim_that_nobody_hears_fails_at_once(page: Page) -> None:
    """A claim is not kept for later: without a hub that listens, the page says that it was not sent."""
    raised(page)
    asked_for = topics.staff(BOOTH, TabletId("+"), "+")
    page.stage.hub.client.unsubscribe(asked_for)
    try:
        page.press("claim")
        page.see("Not sent", "#toasts")
        page.wait(f"{CARD} [data-key=claim]:not(:disabled)")
    finally:
        page.stage.hub.client.subscribe(asked_for, qos=1)


def test_a_silent_network_is_noticed(page: Page) -> None:
    """A broker that neither answers nor goes away counts as gone within seconds."""
    page.may_lose_link = True
    with page.stage.broker.frozen():
        page.see("Not connected to the booth", "#banners")
    page.see("Connected", "#link")


def test_a_wrong_password_is_said_clearly(page: Page) -> None:
    """A refused session shows one clear message and does not hammer the broker."""
    page.open(page.stage.session(password="wrong"))  # noqa: S106 - wrong on purpose
    page.see("The booth does not accept tablet-1", "#notice")
    assert not page.all("#page:not([hidden])")


def test_without_a_session_the_page_says_how_to_get_one(page: Page) -> None:
    """A page opened without its link explains itself."""
    page.browser.execute_script("sessionStorage.clear()")
    page.open(f"{page.stage.pages.url}/tablet")
    page.see("This tablet is not signed in", "#notice")


def test_the_password_leaves_the_address_bar_and_survives_a_reload(page: Page) -> None:
    """The password is not to be read on the screen; a reload signs in again."""
    assert page.browser.current_url == f"{page.stage.pages.url}/tablet"
    page.browser.refresh()
    page.see("Connected", "#link")


def test_a_second_window_takes_over_and_the_first_does_not_fight(page: Page) -> None:
    """The same tablet opened twice: the first window says so, and takes over only when told."""
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("window")
    second = page.browser.current_window_handle
    page.browser.get(page.stage.session())
    page.see("Connected", "#link")
    page.browser.switch_to.window(first)
    page.see("tablet-1 is open in another window", "#notice")
    page.all("#notice button")[0].click()
    page.see("Connected", "#link")
    page.browser.switch_to.window(second)
    page.see("tablet-1 is open in another window", "#notice")
    page.browser.close()
    page.browser.switch_to.window(first)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (800, 1280), (390, 844), (320, 568)])
def test_everything_fits_and_can_be_touched(page: Page, width: int, height: int) -> None:
    """At every size nothing sticks out sideways and every button is at least 48 pixels high and wide."""
    resize(page.browser, width, height, touch=width < 500)
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


_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455 section 1.3 adds to the key."""


@contextmanager
def babbler(answer: bytes) -> Iterator[tuple[int, list[int]]]:
    """A WebSocket server (RFC 6455) that agrees to speak mqtt and then sends ``answer``: its port and its visits."""
    visits: list[int] = []

    def serve() -> None:
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            with visitor:
                visitor.settimeout(5)
                request = b""
                while b"\r\n\r\n" not in request:
                    request += visitor.recv(4096)
                key = next(
                    line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
                ).split(b": ")[1]
                accept = base64.b64encode(hashlib.sha1(key + _ACCEPT, usedforsecurity=False).digest())
                visits.append(len(answer))
                visitor.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n" + answer
                )
                try:
                    while visitor.recv(4096):
                        pass
                except OSError:
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], visits
        listener.shutdown(socket.SHUT_RDWR)


def frame(payload: bytes, opcode: int = 2) -> bytes:
    return bytes((0x80 | opcode, len(payload))) + payload


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(frame(b"\xff\x00\xde\xad"), id="no_packet_type"),
        pytest.param(frame(b"\x20\x03\x00\x00\x00" + b"\x30\xff\xff\xff\xff\x7f"), id="endless_length"),
        pytest.param(frame(b"\x20\x03\x00\x00\x00" + b"\x32\x05\x00\x01a\x00\x00"), id="packet_identifier_0"),
        pytest.param(frame(b"hello", opcode=1), id="text_frame"),
        pytest.param(frame(b"\x90\x04\x00\x01\x00\x01"), id="suback_unasked"),
    ],
)
def test_a_broker_that_babbles_is_left_and_tried_again(page: Page, answer: bytes) -> None:
    """What breaks MQTT closes the link; the page says it is not connected, tries again, and nothing is thrown."""
    with babbler(answer) as (port, visits):
        pages = PageServer(PagesConfig(host="127.0.0.1", port=0, booth=BOOTH, ws_port=port, wss_port=1))
        thread = threading.Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            page.open(f"{pages.url}/tablet#tablet-1:secret")
            wait_until(lambda: len(visits) >= 2, "a second attempt")
            page.see("Not connected to the booth", "#banners")
            page.open("about:blank")
            assert {f"ws://127.0.0.1:{port}", pages.url} <= page.origins()
        finally:
            pages.shutdown()
            pages.server_close()
            thread.join()


def test_the_boards_form_is_the_hubs(page: Page) -> None:
    """The board used in these tests is one the page accepts whole."""
    page.stage.hub.publish(topics.board(BOOTH), board(stock=12))
    page.see("12 gifts left", "#stock")
    assert not page.all("#ignored")
