"""The walk test: compared with what is worn, counted, dropped; its interval holds the truth as often as it says."""

from __future__ import annotations

import random
from dataclasses import fields

import pytest

from appliance.hub.setup.walk import (
    ALONE_SECONDS,
    PASS_SECONDS,
    WEARABLE,
    ClickTest,
    PassEnd,
    WalkCounts,
    WalkTest,
)
from appliance.hub.setup.wilson import interval
from appliance.protocol.values import UNKNOWN, AttributeVector, Reading, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX, Confidence

RED = AttributeVector.of(top_colour="red", sleeves="long", bottom_colour="blue")
WORN = {INDEX["top.colour"]: 4, INDEX["sleeves"]: 1, INDEX["bottom.colour"]: 1}
"""A red top with long sleeves over black trousers."""


def a_test() -> WalkTest:
    return WalkTest(worn=WORN, since=Seconds(0.0), until=Seconds(600.0))


def test_a_pass_is_compared_word_by_word() -> None:
    """Right, wrong and not said are counted by attribute; what was not put in is not compared."""
    test = a_test()
    test.begin(Seconds(0.0))
    test.observed(RED, Seconds(3.0))
    assert test.passing
    assert test.tick(Seconds(3.0 + ALONE_SECONDS))
    assert (test.last, test.counts.read) == (PassEnd.READ, 1)
    assert test.counts.right[INDEX["top.colour"]] == test.counts.right[INDEX["sleeves"]] == 1
    assert test.counts.wrong[INDEX["bottom.colour"]] == 1
    assert test.counts.said == 3
    test.begin(Seconds(20.0))
    test.observed(AttributeVector.of(bag="yes"), Seconds(21.0))
    assert test.finish() is test.counts
    assert (test.counts.said, sum(test.counts.unsaid)) == (3, 3)


def test_a_pass_of_two_or_of_nobody_is_compared_with_nothing() -> None:
    """Somebody else in view spoils the pass; so does a camera that saw nobody; and beyond a pass nothing counts."""
    test = a_test()
    test.observed(RED, Seconds(0.0))
    test.begin(Seconds(1.0))
    test.observed(RED, Seconds(3.0))
    test.observed(RED, Seconds(5.0))
    test.tick(Seconds(3.0 + ALONE_SECONDS))
    assert {test.last} == {PassEnd.CROWD}
    test.begin(Seconds(20.0))
    assert not test.tick(Seconds(20.0 + PASS_SECONDS - 1))
    test.tick(Seconds(20.0 + PASS_SECONDS))
    assert {test.last} == {PassEnd.NOBODY}
    assert (test.counts.crowd, test.counts.nobody, test.counts.read, test.counts.said) == (1, 1, 0, 0)


def test_nothing_but_counts_is_kept() -> None:
    """What a test leaves behind are numbers: no word that somebody wore."""
    assert {type(getattr(WalkCounts(), one.name)) for one in fields(WalkCounts)} == {int, tuple}
    assert "4" not in repr(a_test()).partition("until")[0]  # not even in a log


@pytest.mark.parametrize(
    ("right", "wrong", "unsaid", "passes", "card", "ready"),
    [
        (27, 0, 0, 3, True, True), (27, 0, 0, 3, False, False), (27, 0, 0, 2, True, False),
        (20, 7, 0, 3, True, False), (24, 3, 0, 3, True, True), (12, 0, 13, 3, True, False), (0, 0, 0, 3, True, False),
    ],
)  # fmt: skip
def test_the_rule_of_readiness(
    right: int, wrong: int, unsaid: int, passes: int, card: bool, ready: bool
) -> None:
    """Ready: the card was read, three passes, half was said, and the interval's lower end is not below 0.6."""
    rest = (0,) * (len(ATTRIBUTES) - 1)
    counts = WalkCounts(read=passes, right=(right, *rest), wrong=(wrong, *rest), unsaid=(unsaid, *rest))
    assert counts.is_ready(card=card) is ready


@pytest.mark.parametrize(
    ("right", "of", "edges"),
    [
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_the_interval_is_wilsons(right: int, of: int, edges: tuple[float, float]) -> None:
    """The worked examples of Newcombe 1998 (Statistics in Medicine 17: 857), method 3."""
    assert interval(right, of) == pytest.approx(edges, abs=5e-5)


def a_camera(chance: random.Random, accuracy: float, worn: dict[int, int]) -> AttributeVector:
    """A camera of known accuracy looks at somebody: each word is said, and right, by chance."""
    readings = []
    for place, attribute in enumerate(ATTRIBUTES):
        level = worn.get(place, 0)
        if not level or chance.random() < 0.15:
            readings.append(UNKNOWN)
            continue
        if chance.random() >= accuracy:
            level = chance.choice([one for one in range(1, len(attribute.levels) + 1) if one != level])
        readings.append(Reading(level=level, confidence=Confidence.FAIR))
    return AttributeVector(readings=tuple(readings))


@pytest.mark.parametrize("accuracy", [0.55, 0.8, 0.95])
def test_the_interval_holds_the_truth_as_often_as_it_says(accuracy: float) -> None:
    """Of 400 walk tests of a camera whose accuracy is known, about 95 in 100 have it within their interval."""
    chance = random.Random(11)  # noqa: S311 - a test's chance
    held = 0
    for _ in range(400):
        worn = {place: chance.randint(1, len(ATTRIBUTES[place].levels)) for place in WEARABLE}
        test = WalkTest(worn=worn, since=Seconds(0.0), until=Seconds(600.0))
        for number in range(3):
            test.begin(Seconds(60.0 * number))
            test.observed(a_camera(chance, accuracy, worn), Seconds(60.0 * number + 3))
            test.tick(Seconds(60.0 * number + 20))
        low, high = test.counts.interval
        held += low <= accuracy <= high
    assert 0.92 <= held / 400 <= 0.99


def test_a_count_by_hand_has_an_interval() -> None:
    """Of those who were clicked a share was seen; who was seen twice makes it no more than all."""
    test = ClickTest(since=Seconds(0.0), until=Seconds(600.0), clicks=40, seen=36)
    assert test.interval == pytest.approx(interval(36, 40))
    assert ClickTest(since=Seconds(0.0), until=Seconds(600.0), clicks=4, seen=9).interval[1] == 1.0
    assert ClickTest(since=Seconds(0.0), until=Seconds(600.0)).interval == (0.0, 1.0)
