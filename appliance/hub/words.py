"""Reasons and outfits in words that a person can say aloud, from a table per language.

Laws:
    * A table has a phrase for every level of every attribute that can be a reason; a test walks them all.
    * Words say what is worn, never who wears it.
    * A language is one ``Catalogue``; nothing else in the hub contains a sentence about clothes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.values import AttributeVector, Lens, Reason
from appliance.vocabulary import ATTRIBUTES

_LOWER_NOUNS: Final = {"trousers": "trousers", "shorts": "shorts", "skirt_or_dress": "skirt or dress"}
_PATTERN_WORDS: Final = {
    "plain": "plain", "patterned": "patterned", "striped": "striped", "checked": "checked", "figured": "printed",
}  # fmt: skip
_WHOLE_PHRASES: Final = {
    ("sleeves", "long"): "long sleeves",
    ("sleeves", "short"): "bare arms or short sleeves",
    ("outer", "none"): "no jacket or coat",
    ("outer", "open"): "jacket or coat worn open",
    ("outer", "closed"): "jacket or coat worn closed",
    ("one_piece", "no"): "different cloth above and below",
    ("one_piece", "yes"): "the same cloth from top to bottom",
    ("feet.colour", "dark"): "dark shoes",
    ("feet.colour", "light"): "light shoes",
    ("feet.colour", "coloured"): "brightly coloured shoes",
    ("bag", "no"): "no bag",
    ("bag", "yes"): "a bag",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """One language. ``outfit`` says some words of a vector; ``claim`` puts the number to it."""

    language: str
    outfit: Callable[[dict[str, str], str], str]
    claim: Callable[[str, Lens, int | None], str]


def english_outfit(said: dict[str, str], lower: str) -> str:
    """An outfit in English: ``said`` are attribute names with their words, ``lower`` the word of ``lower.kind``.

    >>> english_outfit({"top.colour": "yellow", "bottom.colour": "purple"}, "trousers")
    'yellow top with purple trousers'
    """
    below = _LOWER_NOUNS.get(said.get("lower.kind", lower), "bottoms")
    pieces = [
        _garment(said, "top", "top"),
        _garment(said, "bottom", below) or (below if "lower.kind" in said else ""),
        *(_WHOLE_PHRASES.get(item, "") for item in said.items()),
    ]
    spoken = [piece for piece in pieces if piece]
    if len(spoken) < 2:
        return "".join(spoken)
    return f"{spoken[0]} with {_listed(spoken[1:])}"


def _listed(pieces: list[str]) -> str:
    return pieces[0] if len(pieces) == 1 else f"{', '.join(pieces[:-1])} and {pieces[-1]}"


def _garment(said: dict[str, str], place: str, noun: str) -> str:
    colour, pattern, accent = (said.get(f"{place}.{what}", "") for what in ("colour", "pattern", "accent"))
    if not (colour or pattern or accent):
        return ""
    front = " ".join(word for word in (colour, _PATTERN_WORDS.get(pattern, ""), noun) if word)
    if not accent:
        return front
    return f"{front} in one colour" if accent == "none" else f"{front} showing {accent}"


def english_claim(what: str, lens: Lens, one_in: int | None) -> str:
    """The sentence that puts a number to an outfit.

    >>> english_claim("checked trousers", Lens.SINGLE, 640)
    'checked trousers: 1 in 640 people here or fewer'
    """
    if lens is Lens.WHOLE:
        return f"nothing rare by itself, but unusual all together: {what}"
    if one_in is None:
        return f"{what}: hardly ever seen here"
    return f"{what}: 1 in {one_in:,} people here or fewer"


ENGLISH: Final = Catalogue(language="en", outfit=english_outfit, claim=english_claim)
CATALOGUES: Final = {ENGLISH.language: ENGLISH}


def sentence(reason: Reason, vector: AttributeVector, catalogue: Catalogue = ENGLISH) -> str:
    """A reason in words; ``vector`` only lends the noun of the lower garment."""
    said = {ATTRIBUTES[place].name: ATTRIBUTES[place].label(level) for place, level in reason.attributes}
    return catalogue.claim(catalogue.outfit(said, vector.word("lower.kind")), reason.lens, reason.one_in)
