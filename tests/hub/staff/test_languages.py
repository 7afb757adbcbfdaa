# ruff: noqa: RUF001 - other languages have other punctuation
from __future__ import annotations

import re
from itertools import combinations

import pytest

from appliance.hub.staff.translations import CATALOGUES
from appliance.hub.statistics.layout import LEVELS, VAGUE, attribute_level
from appliance.protocol.values import AttributeVector, Lens, Reason
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings.config import LANGUAGES

LOWER = ("unknown", "trousers", "shorts", "skirt_or_dress")
LONGEST = {"en": 130, "es": 130, "fr": 140, "zh-Hans": 60}
"""Characters that can be said in one breath and read on one line or two."""
SAYABLE = [position for position in range(LEVELS) if not VAGUE[position]]


def vector_of(lower: str) -> AttributeVector:
    return AttributeVector.of(**({} if lower == "unknown" else {"lower_kind": lower}))


def said(
    language: str, lens: Lens, positions: tuple[int, ...], one_in: int | None, lower: str = "trousers"
) -> str:
    attributes = tuple(attribute_level(position) for position in positions)
    return CATALOGUES[language].sentence(
        Reason(lens=lens, attributes=attributes, one_in=one_in), vector_of(lower)
    )


def kinds(positions: tuple[int, ...]) -> set[int]:
    return {attribute_level(position)[0] for position in positions}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lower", LOWER)
def test_every_level_has_a_sentence_of_its_own_in_every_language(language: str, lower: str) -> None:
    """Each level of the vocabulary, vague ones too, has words of its own, and none spells a level's name."""
    spoken = [said(language, Lens.SINGLE, (position,), 1640, lower) for position in range(LEVELS)]
    empty = CATALOGUES[language].claim.format(what="", number=CATALOGUES[language].number(1640))
    assert all(len(one) > len(empty) and "_" not in one and "{" not in one for one in spoken)
    assert all("  " not in one and one == one.strip() for one in spoken)
    assert len(set(spoken)) == LEVELS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_pair_has_a_short_sentence_of_its_own_in_every_language(language: str) -> None:
    """Each two levels that can be a reason together have a sentence short enough to say, and no two have the same."""
    spoken = {}
    for pair in combinations(SAYABLE, 2):
        if len(kinds(pair)) == 2:
            sentence = said(language, Lens.PAIR, pair, 2300)
            assert len(sentence) <= LONGEST[language], sentence
            assert sentence not in spoken, (pair, spoken[sentence])
            spoken[sentence] = pair


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_few_would_share_it_no_number_is_said(language: str) -> None:
    """A reason that fewer than five people would share, and one by the whole outfit, contain no digit."""
    for position in SAYABLE:
        assert not re.search(r"[0-9]", said(language, Lens.SINGLE, (position,), None))
    three = tuple(SAYABLE[:: LEVELS // 3])[:3]
    assert not re.search(r"[0-9]", said(language, Lens.WHOLE, three, None))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_number_said_is_the_number_meant(language: str) -> None:
    """However a language groups digits, N is said once and in full."""
    for number in (2, 640, 2300, 120_000):
        sentence = said(language, Lens.SINGLE, (SAYABLE[0],), number)
        digits = re.sub(r"[^0-9]", " ", re.sub(r"(?<=[0-9])[,\u202f](?=[0-9])", "", sentence)).split()
        assert str(number) in digits
        assert set(digits) <= {str(number), "1"}


READINGS = [
    ("es", {"top.colour": "yellow", "bottom.colour": "purple"}, "trousers",
     "prenda superior amarilla y pantalón largo morado"),
    ("es", {"bottom.colour": "red", "bottom.pattern": "figured"}, "skirt_or_dress", "falda o vestido rojo estampado"),
    ("es", {"top.colour": "black", "top.accent": "red"}, "unknown", "prenda superior negra con detalles en rojo"),
    ("fr", {"top.colour": "white", "bottom.colour": "white"}, "skirt_or_dress", "haut blanc et jupe ou robe blanche"),
    ("fr", {"bottom.colour": "purple", "bottom.accent": "orange"}, "shorts", "short violet avec de l’orange"),
    ("fr", {"top.pattern": "figured", "sleeves": "long"}, "unknown", "haut imprimé et manches longues"),
    ("zh-Hans", {"top.colour": "yellow", "top.pattern": "checked", "top.accent": "red"}, "unknown",
     "带红色的黄色格子上衣"),
    ("zh-Hans", {"top.colour": "yellow", "bottom.colour": "purple"}, "trousers", "黄色上衣，紫色长裤"),
    ("en", {"top.colour": "yellow", "top.accent": "red", "sleeves": "short"}, "unknown",
     "yellow and red top with bare arms or short sleeves"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "words", "lower", "expected"), READINGS)
def test_adjectives_agree_and_stand_where_they_belong(
    language: str, words: dict[str, str], lower: str, expected: str
) -> None:
    """What is said of a garment agrees with it in gender and comes in the language's own order."""
    assert CATALOGUES[language].outfit(words, lower) == expected


def test_the_configuration_offers_exactly_the_languages_there_are() -> None:
    """A language can be configured if and only if there is a catalogue, whose answers to staff are all there."""
    assert tuple(CATALOGUES) == LANGUAGES
    texts = [text for one in CATALOGUES.values() for text in (one.claimed, one.noted, one.forgotten)]
    assert all(texts)
    assert len(set(texts)) == len(texts)
    for catalogue in CATALOGUES.values():
        garments = (catalogue.top, *catalogue.bottoms.values())
        assert all(set(one.colours) == set(ATTRIBUTES[0].levels) for one in garments)
