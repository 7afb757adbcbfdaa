"""What a unit may say while it is aimed: a counted number of things, and advice that follows from numbers alone."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.protocol import aim
from appliance.protocol.aim import AimFigure, AimView, AimWord, advised, record_in, size_of, spelled, stay_of
from appliance.protocol.health import UnitState

FIGURE = AimFigure(tick=3, column=20, row=30, size=6, zoned=False, points=(None, *range(11)))
GOOD = AimView(
    tick=0, state=UnitState.WATCHING, fps=10, people=2, small=0, hidden=0, passed=20, size=size_of(150),
    stay=stay_of(6), left=2, right=2, cut_top=0, cut_bottom=0, light=4, against=0, height=5, tilt=6, card=True,
)  # fmt: skip


def test_the_bound_is_what_is_published() -> None:
    """A record tells below 100 bits, in 13 bytes; a unit that is aimed below 1,000 bits a second."""
    assert (aim.AIM_BITS < 100, aim.AIM_BYTES, aim.RECORDS_PER_SECOND) == (True, 13, 10)
    assert aim.BITS_PER_SECOND < 1000


@given(st.integers(0, aim.AIM_CAPACITY - 1))
def test_every_number_below_the_capacity_is_one_record(code: int) -> None:
    """Codes and records are the same set: there is no second spelling and no room beside it."""
    spelling = code.to_bytes(aim.AIM_BYTES, "big")
    assert spelled(record_in(spelling)) == spelling


@pytest.mark.parametrize("code", [0, aim.FIGURES - 1, aim.FIGURES, aim.AIM_CAPACITY - 1])
def test_the_edges_of_the_code_are_records(code: int) -> None:
    """The first and the last figure and view are what they should be."""
    record = record_in(code.to_bytes(aim.AIM_BYTES, "big"))
    assert isinstance(record, AimFigure) == (code < aim.FIGURES)


def test_a_number_beyond_is_nothing() -> None:
    """The first number beyond the capacity names no figure and no view."""
    with pytest.raises(Refused) as refusal:
        record_in(aim.AIM_CAPACITY.to_bytes(aim.AIM_BYTES, "big"))
    assert refusal.value.rule is Rule.OUTSIDE_VOCABULARY


@given(st.binary(max_size=40))
def test_garbage_is_a_record_or_refused(untrusted: bytes) -> None:
    """Any bytes give a record that spells them, or a refusal."""
    try:
        record = record_in(untrusted)
    except Refused:
        return
    assert spelled(record) == untrusted


def test_there_is_no_field_for_a_person() -> None:
    """A figure and a view hold small numbers and closed words: no text, no colour, no track, no time."""
    assert [field.name for field in fields(AimFigure)] == ["tick", "column", "row", "size", "zoned", "points"]
    assert {type(getattr(GOOD, field.name)) for field in fields(AimView)} == {int, bool, frozenset, UnitState}
    assert len(FIGURE.points) == aim.POINTS == 12  # shoulders to ankles: no head


@pytest.mark.parametrize(
    "change", [{"column": 64}, {"row": -1}, {"size": 17}, {"points": (96,) * 12}, {"points": ()}]
)
def test_a_figure_out_of_its_ranges_cannot_be_made(change: dict[str, object]) -> None:
    """What the code cannot carry is a ValueError where it is made."""
    with pytest.raises(ValueError, match="out of range"):
        replace(FIGURE, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="out of range"):
        replace(GOOD, people=16)


ADVICE = [
    ({}, {AimWord.GOOD}),
    ({"card": False}, {AimWord.GOOD, AimWord.NO_CARD}),
    ({"people": 0, "passed": 0, "size": 0, "stay": 0}, {AimWord.NOBODY}),
    ({"left": 12, "right": 1}, {AimWord.TURN_LEFT}),
    ({"left": 1, "right": 9}, {AimWord.TURN_RIGHT}),
    ({"left": 8, "right": 8}, {AimWord.GOOD}),
    ({"cut_top": 9}, {AimWord.TILT_UP}),
    ({"cut_bottom": 9}, {AimWord.TILT_DOWN}),
    ({"cut_top": 12, "cut_bottom": 12}, {AimWord.TOO_NEAR}),
    ({"size": size_of(70)}, {AimWord.TOO_FAR}),
    ({"size": size_of(100)}, {AimWord.GOOD}),
    ({"tilt": 12}, {AimWord.TOO_STEEP}),
    ({"tilt": 0, "height": 0}, {AimWord.GOOD}),
    ({"against": 5}, {AimWord.AGAINST_LIGHT}),
    ({"light": 0}, {AimWord.TOO_DARK}),
    ({"state": UnitState.TOO_DARK}, {AimWord.TOO_DARK}),
    ({"stay": stay_of(1.2)}, {AimWord.TOO_BRIEF}),
    ({"fps": 1}, {AimWord.TOO_BRIEF}),
    ({"people": 6, "hidden": 3}, {AimWord.CROWDED}),
    ({"people": 3, "hidden": 2}, {AimWord.GOOD}),
    ({"state": UnitState.BLURRED}, {AimWord.BLURRED}),
    ({"left": 16, "size": 1, "light": 0}, {AimWord.TURN_LEFT, AimWord.TOO_FAR, AimWord.TOO_DARK}),
]


@pytest.mark.parametrize(("change", "words"), ADVICE)
def test_advice_follows_from_the_numbers(change: dict[str, object], words: set[AimWord]) -> None:
    """Each trouble of a view is named by its word, and a view without one is good."""
    assert advised(replace(GOOD, **change)).words == words  # type: ignore[arg-type]


def test_every_word_of_advice_can_be_said() -> None:
    """No word of the list is without a view that earns it."""
    assert set().union(*(words for _, words in ADVICE)) == set(AimWord)


@given(st.integers(aim.FIGURES, aim.AIM_CAPACITY - 1))
def test_advice_is_given_for_any_view(code: int) -> None:
    """Whatever the numbers are, there is advice, and asking again changes nothing."""
    view = record_in(code.to_bytes(aim.AIM_BYTES, "big"))
    assert isinstance(view, AimView)
    once = advised(view)
    assert once.words
    assert advised(once) == once
