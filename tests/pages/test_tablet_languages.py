# ruff: noqa: RUF001 - other languages have other punctuation
"""The tablet page in four languages, every sentence of it, in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.hub.staff.translations import CATALOGUES
from appliance.protocol.values import AttributeVector, Lens, Reason
from appliance.protocol.vocabulary import ATTRIBUTES
from tests.pages.conftest import CARD, Page, claimed, raised
from tests.pages.stage import TABLETS, alert, ended, shift
from tests.tools import write_outfit_words

pytestmark = [pytest.mark.browser, pytest.mark.broker]

LANGUAGES = ("en", "es", "fr", "zh")


@pytest.fixture
def spoken(page: Page) -> Iterator[Page]:
    """A page that will be loaded in some language; afterwards nothing of it is remembered."""
    yield page
    page.browser.execute_script("localStorage.clear()")


def in_language(page: Page, language: str) -> None:
    page.browser.execute_script("localStorage.setItem('leftfield.language', arguments[0])", language)
    page.browser.refresh()
    page.wait(f"html[lang={language}] .unit", 2)


def test_the_pages_have_the_hubs_words_for_clothes() -> None:
    """The file of words is what the hub's catalogues give: nobody has changed one of both."""
    assert write_outfit_words.OUT.read_text("utf-8") == write_outfit_words.text()


def reasons() -> list[tuple[Reason, AttributeVector]]:
    """Every level of every attribute alone, and every two levels of neighbouring attributes, by every lens."""
    found = []
    bare, dressed = AttributeVector.of(), AttributeVector.of(lower_kind="skirt_or_dress")
    for place, attribute in enumerate(ATTRIBUTES):
        for level in range(1, len(attribute.levels) + 1):
            found += [
                (Reason(lens=Lens.SINGLE, attributes=((place, level),), one_in=one_in), bare)
                for one_in in (None, 640, 12345)
            ]
            beside = (place + 1) % len(ATTRIBUTES)
            for other in range(1, len(ATTRIBUTES[beside].levels) + 1):
                pair = tuple(sorted(((place, level), (beside, other))))
                found.append((Reason(lens=Lens.PAIR, attributes=pair, one_in=910), dressed))
                found.append((Reason(lens=Lens.WHOLE, attributes=pair, one_in=None), bare))
    return found


def test_the_page_says_each_reason_as_the_hub_would(page: Page) -> None:
    """In four languages, thousands of reasons: the page's sentence is the hub's, whatever language the hub speaks."""
    asked, said = [], []
    for reason, vector in reasons():
        named = {ATTRIBUTES[place].name: ATTRIBUTES[place].label(level) for place, level in reason.attributes}
        look = {"lower.kind": "skirt_or_dress"} if vector.readings[6].level else {}
        asked.append({"lens": reason.lens.value, "oneIn": reason.one_in, "attributes": named, "look": look})
        said.append([catalogue.sentence(reason, vector) for catalogue in CATALOGUES.values()])
    script = """
        const {sentence} = await import('/static/outfit.js');
        const all = ['en', 'es', 'fr', 'zh'];
        return arguments_asked.map((one) => all.map((lang) => sentence(lang, one, one.look)));
    """.replace("arguments_asked", json.dumps(asked))
    assert len(asked) > 1300
    assert page.browser.execute_script(f"return (async () => {{ {script} }})()") == said


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", ("Voy yo", "Como mucho", "El más reciente", "Ahora no hay", "Cámaras", "Turno", "Devolverlo")),
        (
            "fr",
            (
                "J’y vais",
                "Au plus",
                "La plus récente",
                "Personne à saluer",
                "Caméras",
                "Service",
                "La rendre",
            ),
        ),
        ("zh", ("我去", "最多", "最新", "现在没有要招呼的人", "摄像头", "班次", "退回")),
    ],
)
def test_no_english_is_left_in_another_language(spoken: Page, language: str, words: tuple[str, ...]) -> None:
    """Banners, cards, questions, answers, panels: nothing English is seen, though the hub speaks English."""
    page = spoken
    claim, _, newest, nobody, cameras, shift_word, release = words
    in_language(page, language)
    page.see(nobody, "#empty")
    page.see(cameras, "#panels")
    page.see(shift_word, "#shift-place")
    page.stage.hub.board(
        notices=[{"condition": "hub_disk_low", "place": "", "title": "The hub’s disk", "todo": "Free space"}],
        simulated=True, shift=shift(sizes=[{"size": "M", "left": 3}], closed=True),
    )  # fmt: skip
    raised(page, place="P1")
    page.stage.hub.alert(alert("a18", place="P2", raised_at=alert()["raised_at"] + 1))
    page.see(newest, "#alert-a18")
    page.see(claim, CARD)
    page.stage.hub.alert(alert(place="P1", state="claimed", held_by=TABLETS[0]))
    page.see(release, CARD)
    page.press("dismissed")
    page.press("back")
    page.press("gifted")
    page.press("back")
    page.press("release")
    page.stage.hub.answer(
        page.stage.hub.request(), ok=False, rule=14, text="no longer exists", why="gone", by=None
    )
    page.wait("#toasts .toast-bad")
    seen = page.text("body")
    page.stage.hub.alert(ended("a18", "expired"), expiry=60)
    page.wait("#alert-a18", 0)
    seen += page.text("#panels")
    english = (
        "the",
        "and",
        "you",
        "hub",
        "tablet",
        "gift",
        "claim",
        "alert",
        "forget",
        "here",
        "left",
        "seen",
        "with",
    )
    found = {word for word in english if word in seen.lower().replace("tablet-1", "").split()}
    assert found == set(), seen


def test_the_booths_language_is_the_pages_until_somebody_chooses(spoken: Page) -> None:
    """The board says the booth's language; a choice on the tablet stands against it, reloads included."""
    page = spoken
    page.stage.hub.board(language="fr")
    page.see("Connectée", "#link")
    page.browser.execute_script(
        "const list = document.getElementById('language'); list.value = 'zh'; list.dispatchEvent(new Event('change'))"
    )
    page.see("已连接", "#link")
    page.stage.hub.board(language="es")
    page.browser.refresh()
    page.see("已连接", "#link")


def test_the_passers_card_says_what_how_rare_what_is_kept_and_how_to_say_no(spoken: Page) -> None:
    """One card to show: in the passer-by's language, with a button that forgets; it goes when the alert goes."""
    page = spoken
    claimed(page)
    page.press("show")
    for words in (
        "reads no faces",
        "At most 1 in 640 people here wears this: checked trousers",
        "5 minutes",
        "say no",
    ):
        page.see(words, "dialog.passer")
    page.all("[data-key=passer-fr]")[0].click()
    page.see("Au plus 1 personne sur 640 ici porte ceci\u00a0: pantalon à carreaux", "dialog.passer[lang=fr]")
    page.all("[data-key=passer-forget]")[0].click()
    page.wait("dialog", 0)
    assert page.stage.hub.request().leaf == "forget"
    page.stage.hub.alert(alert("a18", state="claimed", held_by=TABLETS[0]))
    page.wait("#alert-a18")
    page.press("show", "a18")
    page.wait("dialog.passer")
    page.stage.hub.alert(ended("a18", "expired"), expiry=60)
    page.wait("dialog", 0)


def _keys(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_keys(inner, f"{path}.{key}") for key, inner in value.items()))
    return {path}


def test_every_language_says_everything(page: Page) -> None:
    """No sentence is missing or empty in any of the four."""
    script = """
        const tell = (value) => {
          if (typeof value === 'function') return 'f';
          if (typeof value !== 'object') return value.trim() ? 's' : 'empty';
          return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, tell(inner)]));
        };
        const all = ['en', 'es', 'fr', 'zh'].map((one) => import(`/static/texts_${one}.js`));
        return (await Promise.all(all)).map(({SENTENCES}) => tell(SENTENCES));
    """
    english, *others = page.browser.execute_script(f"return (async () => {{ {script} }})()")
    assert len(_keys(english)) > 150
    for other in others:
        assert other == english
