"""What the tablet page shows and asks, in a real Chromium, on a real broker."""

from __future__ import annotations

import time
from typing import Any

import pytest

from appliance.protocol import topics
from appliance.protocol.values import AlertId
from tests.pages.conftest import CARD, Page, claimed, raised
from tests.pages.stage import BOOTH, TABLETS, alert, ended, unit, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.broker]


GARBAGE: list[bytes | dict[str, Any]] = [
    b"\xff\xfe", b"[]", b"null", b"{}", b'{"v":1}', b"{" * 5000, alert(v=2), alert(state="dancing"),
    alert(id="a18"), alert(look=[]),
    alert(reasons="x"), alert(raised_at="now"), alert(held_by="Tablet 1"), alert(place="x" * 500), alert(rarity=None),
    alert(look={"__proto__": "x", "constructor": "y", "face": "z"}, unit="../x"),
]  # fmt: skip


def heard(page: Page) -> str:
    """What a screen reader was told last."""
    return page.all("#arrivals[role=alert]")[0].get_attribute("textContent") or ""


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
    assert label == "Drawing: yellow top, long sleeves, red and green checked trousers, light shoes, a bag"
    (top,) = page.all(f"{CARD} [data-part=top]")
    assert top.get_attribute("fill") == "#f4c430"
    (lower,) = page.all(f"{CARD} [data-part=lower]")
    assert (lower.get_attribute("fill") or "").startswith("url(#cloth-a17-")
    assert page.all(f"{CARD} [data-part=bag]")


def test_the_second_reason_keeps_its_whole_sentence(page: Page) -> None:
    """A reason after the first is a whole sentence, with what most people wear instead."""
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
    text = "nothing rare by itself, but unusual all together: green striped top with white trousers"
    worn = {"top.colour": "green", "top.pattern": "striped", "bottom.colour": "white"}
    reasons = [{"lens": "whole", "attributes": worn, "one_in": None, "text": text}]
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
        const silent = [];
        for (const lang of ['en', 'es', 'fr', 'zh']) {
          const t = await texts.texts(lang);
          for (const {name, levels} of vocabulary.attributes) {
            if (!t.attribute[name]) silent.push(name);
            for (const level of levels) {
              const drawn = figures.figure({[name]: level}, {name: 'x', label: 'x'});
              if (drawn.querySelectorAll('[data-part]').length < 4) silent.push(`no drawing: ${name} ${level}`);
              if (!t.describe({[name]: level}).length) silent.push(`${name} ${level}`);
              if (!t.level(name, level)) silent.push(`no level: ${name} ${level}`);
            }
            if (!['top.colour', 'bottom.colour'].includes(name)) continue;
            for (const level of levels) if (!figures.CLOTH[level]) silent.push(`no cloth: ${level}`);
          }
        }
        return silent;
    """
    silent = page.browser.execute_script(f"return (async () => {{ {script} }})()")
    absent = [
        "top.accent none", "top.pattern plain", "bottom.accent none", "bottom.pattern plain", "outer none",
        "one_piece no", "bag no",
    ]  # fmt: skip
    assert silent == 4 * absent


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
    said = "Yours. Say what happened, and that it can be forgotten."
    wait_until(lambda: heard(page) == said, "the answer, for those who hear the page")
    assert not page.all("#toasts .toast")
    assert not page.all(f"{CARD} [data-key=claim]")


def test_a_refused_claim_says_why(page: Page) -> None:
    """A refusal is shown in the page's language, and the card can be used again."""
    raised(page)
    page.press("claim")
    page.stage.hub.answer(page.stage.hub.request(), ok=False, rule=14, text="no", why="taken", by="tablet-2")
    page.see("tablet-2 has it already.", "#toasts .toast-bad")
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
    wait_until(lambda: heard(page).startswith("Yours."), "the answer")
    assert "not for you" not in page.text()


@pytest.mark.parametrize("outcome", ["gifted", "declined", "not_found"])
def test_an_outcome_is_told(page: Page, outcome: str) -> None:
    """The holder says how it ended with one tap; it is told when the time to undo it is over, or the page is left."""
    claimed(page)
    page.press(outcome)
    page.see("Undo (", CARD)
    assert page.stage.hub.requests.empty()
    page.left()
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
    page.left()
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


def test_the_hubs_clock_counts(page: Page) -> None:
    """With the hub's clock an hour ahead of the tablet's, age and countdown still come out right."""
    ahead = int(time.time()) + 3600
    page.stage.hub.board(at=ahead)
    raised(page, raised_at=ahead, expires_at=ahead + 180)
    page.see("left", f"{CARD} .left")
    assert page.text(f"{CARD} .left").startswith(("2:", "3:00"))
    assert "s ago" in page.text(f"{CARD} .seen")


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


def test_what_is_wrong_with_the_booth_is_on_every_screen_with_what_to_do(page: Page) -> None:
    """The hub's notices, such as a copied card, are banners in its words; they go when it says so."""
    said = {
        "condition": "new one",
        "place": "",
        "title": "north corner: two devices",
        "todo": "Tell the lead.",
    }
    page.stage.hub.board(notices=[said])
    page.see("north corner: two devices", ".banner-bad")
    page.see("Tell the lead.", ".banner-bad")
    page.stage.hub.board(notices=[])
    page.wait(".banner-bad", 0)


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
    page.left()
    assert page.stage.hub.request().leaf == "outcome"
