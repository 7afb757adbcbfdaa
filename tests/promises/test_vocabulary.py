"""Promises 2 and 3: a unit can only say words from a closed vocabulary, and none is about the person."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from enum import Enum

import pytest

from appliance.protocol import topics, values, vocabulary, wire
from appliance.protocol.values import AttributeVector, Observation, Reading
from appliance.protocol.vocabulary import Confidence

PROTECTED = {  # DESIGN: nothing of these may be an attribute or a word of one
    "face", "head", "hair", "hat", "headwear", "scarf", "veil", "glasses", "beard", "skin", "tone", "age", "gender",
    "sex", "man", "woman", "child", "body", "height", "weight", "gait", "shape", "religion", "cross", "medical",
    "cane", "wheelchair", "mask", "uniform", "name", "track", "identity", "embedding", "picture",
}  # fmt: skip


def test_no_word_is_about_the_person() -> None:
    """No attribute and no level names a head, a body, an identity or a protected trait."""
    words = {
        word
        for attribute in vocabulary.ATTRIBUTES
        for text in (attribute.name, *attribute.levels)
        for word in text.replace(".", "_").split("_")
    }
    assert not words & PROTECTED


def test_a_vector_tells_less_than_a_face_would_need() -> None:
    """A whole vector tells under 48 bits and a payload under 176; a face embedding needs thousands."""
    assert math.log2(vocabulary.CAPACITY) == vocabulary.CAPACITY_BITS < 48
    assert vocabulary.CODE_BYTES == 6
    assert wire.CAPACITY_BITS < 176
    assert wire.MAX_ENVELOPE == 115


def _leaves(kind: object) -> set[object]:
    """Every type a value can be made of, followed through unions, tuples and dataclasses."""
    if isinstance(kind, typing.NewType):
        return {kind}
    origin = typing.get_origin(kind)
    if origin in {types.UnionType, typing.Union, tuple}:
        return set().union(*(_leaves(part) for part in typing.get_args(kind) if part is not Ellipsis))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return set().union(*(_leaves(hints[field.name]) for field in dataclasses.fields(kind)))
    return {kind}


def test_a_statement_is_made_of_counted_things_only() -> None:
    """Whatever a unit can state is built of enums, bounded counters and its own enrolled name: no text, no bytes."""
    allowed = {values.UnitId, values.Epoch, values.Seq, values.Steps, int, bool, type(None)}
    for statement in typing.get_args(values.Statement):
        for leaf in _leaves(statement):
            closed = isinstance(leaf, type) and issubclass(leaf, Enum)
            assert leaf in allowed or closed, f"{statement.__name__} holds {leaf}"


def test_every_value_that_may_leave_is_frozen() -> None:
    """Every dataclass of values.py is frozen and has slots: nothing can be added to it on the way."""
    for name, kind in vars(values).items():
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            assert kind.__dataclass_params__.frozen, name  # type: ignore[attr-defined]
            assert "__slots__" in vars(kind), name


def test_time_on_the_wire_is_coarse() -> None:
    """A phenomenon's time is told in steps of five seconds, no finer."""
    assert values.TIME_STEP == 5
    assert typing.get_type_hints(values.PhenomenonTime)["uptime"] is values.Steps


def test_every_attribute_can_be_unknown_and_has_no_word_twice() -> None:
    """Level 0 of every attribute is unknown; its words are distinct; its vague words are its own."""
    for attribute in vocabulary.ATTRIBUTES:
        assert attribute.label(0) == "unknown"
        assert len(set(attribute.levels)) == len(attribute.levels)
        assert set(attribute.vague) <= set(attribute.levels)
        for level in range(len(attribute.levels) + 1):
            assert attribute.level(attribute.label(level)) == level


@pytest.mark.parametrize(
    ("posterior", "confidence"),
    [
        (0.0, None),
        (0.4999, None),
        (0.5, Confidence.LOW),
        (0.75, Confidence.FAIR),
        (0.9, Confidence.SURE),
        (1.0, Confidence.SURE),
        (math.nan, None),
    ],
)
def test_what_is_not_likely_is_not_said(posterior: float, confidence: Confidence | None) -> None:
    """Below one half a level has no confidence, and so cannot be said."""
    assert Confidence.of(posterior) is confidence


def test_unknown_carries_no_confidence_and_a_level_always_does() -> None:
    """There is one way to be unknown, and no way to be sure of it."""
    with pytest.raises(ValueError, match="cannot have"):
        Reading(level=0, confidence=Confidence.SURE)
    with pytest.raises(ValueError, match="cannot have"):
        Reading(level=2)


def test_a_vector_outside_the_vocabulary_cannot_be_made() -> None:
    """A wrong number of readings or a level that no attribute has is no vector."""
    with pytest.raises(ValueError, match="readings"):
        AttributeVector(readings=())
    readings = [Reading()] * len(vocabulary.ATTRIBUTES)
    readings[0] = Reading(level=len(vocabulary.COLOURS) + 1, confidence=Confidence.LOW)
    with pytest.raises(ValueError, match="no level"):
        AttributeVector(readings=tuple(readings))


def test_an_observation_has_the_fields_the_notice_lists() -> None:
    """The public list of what leaves the room is complete: unit, counters, coarse time, vector."""
    assert [field.name for field in dataclasses.fields(Observation)] == [
        "unit",
        "epoch",
        "seq",
        "seen",
        "vector",
    ]


def test_a_topic_names_only_booth_unit_and_purpose() -> None:
    """A topic has no room for more than the enrolled names."""
    assert topics.observation(values.BoothId("plaza"), values.UnitId("north")) == (
        "leftfield/1/plaza/unit/north/observation"
    )
