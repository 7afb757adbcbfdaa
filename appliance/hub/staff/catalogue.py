"""Reasons and outfits in words that a person can say aloud, from one catalogue per language.

Invariants:
    * A catalogue has a phrase for every level of every attribute; a test walks them all, in every language.
    * Adjectives agree with their garment by table: a garment's noun brings the forms that go with it.
    * Words say what is worn, never who wears it. Where fewer than five people could share what is said, no number is.
    * A language is one ``Catalogue`` in ``languages``; nothing else in the hub contains a sentence about clothes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.protocol.values import AttributeVector, Lens, Reason
from appliance.protocol.vocabulary import ATTRIBUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Garment:
    """A noun and the forms that agree with it; ``accents`` are the whole phrases for a second colour."""

    noun: str
    colours: Mapping[str, str]
    patterns: Mapping[str, str]
    accents: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """One language (BCP 47).

    ``top`` is what is worn above the waist, ``bottoms`` what is worn below by the word of ``lower.kind``
    (``unknown`` among them); ``garment`` puts noun, colour, pattern and accent (each may be empty) in order,
    ``listed`` joins phrases. ``phrases`` are all other levels, whole. ``number`` spells N; ``claim``, ``coarse`` and
    ``whole`` are sentences with {what} and {number}. ``claimed``, ``noted``, ``forgotten`` and, where
    nothing but counts was left to forget, ``nothing_left`` answer staff.
    """

    language: str
    top: Garment
    bottoms: Mapping[str, Garment]
    phrases: Mapping[tuple[str, str], str]
    garment: Callable[[str, str, str, str], str]
    listed: Callable[[list[str]], str]
    number: Callable[[int], str]
    claim: str
    coarse: str
    whole: str
    claimed: str
    noted: str
    forgotten: str
    nothing_left: str

    def outfit(self, said: Mapping[str, str], lower: str) -> str:
        """What is worn: ``said`` are attribute names with their words, ``lower`` the word of ``lower.kind``."""
        below = self.bottoms[said.get("lower.kind", lower)]
        pieces = [
            self._garment(said, "top", self.top),
            self._garment(said, "bottom", below) or (below.noun if "lower.kind" in said else ""),
            *(self.phrases.get(item, "") for item in said.items()),
        ]
        return self.listed([piece for piece in pieces if piece])

    def _garment(self, said: Mapping[str, str], place: str, garment: Garment) -> str:
        colour, pattern, accent = (
            said.get(f"{place}.{what}", "") for what in ("colour", "pattern", "accent")
        )
        if not (colour or pattern or accent):
            return ""
        return self.garment(
            garment.noun,
            garment.colours[colour] if colour else "",
            garment.patterns[pattern] if pattern else "",
            garment.accents[accent] if accent else "",
        )

    def sentence(self, reason: Reason, vector: AttributeVector) -> str:
        """A reason in words; ``vector`` only lends the noun of the lower garment."""
        said = {ATTRIBUTES[place].name: ATTRIBUTES[place].label(level) for place, level in reason.attributes}
        what = self.outfit(said, vector.word("lower.kind"))
        if reason.lens is Lens.WHOLE:
            return self.whole.format(what=what)
        if reason.one_in is None:
            return self.coarse.format(what=what)
        return self.claim.format(what=what, number=self.number(reason.one_in))
