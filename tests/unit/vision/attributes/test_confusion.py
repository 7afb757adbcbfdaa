"""Every word can be said: measured confusion, second colours, and what a hub's prior may do about it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.protocol.prior import PAIRS, Prior
from appliance.protocol.values import BoothId
from appliance.protocol.vocabulary import ATTRIBUTES, COLOURS, INDEX, Confidence
from appliance.unit.vision.attributes.confusion import CONFUSION, FAULTLESS, second_likelihood
from appliance.unit.vision.attributes.fusion import UNSAID, View, describe, may_be_rare
from appliance.unit.vision.attributes.palette import split, swatches
from appliance.unit.vision.attributes.priors import RARE, SHIPPED, Usual, usual_by
from appliance.unit.vision.attributes.reading import Measured, readings
from appliance.unit.vision.attributes.second_colour import FEATURES, Second, second
from appliance.unit.vision.glance import GlanceRules
from appliance.unit.vision.types import AttributeReading

RULES = GlanceRules()
WORDS = [
    (place, level)
    for place, attribute in enumerate(ATTRIBUTES)
    if place not in UNSAID
    for level in range(len(attribute.levels))
]
NOT_VAGUE = [
    (place, level) for place, level in WORDS if ATTRIBUTES[place].levels[level] not in ATTRIBUTES[place].vague
]
IDS = [f"{ATTRIBUTES[place].name} {ATTRIBUTES[place].levels[level]}" for place, level in WORDS]
Glance = tuple[AttributeReading, ...]


def sought(samples: np.ndarray) -> Second | None:
    """The second colour of CIELAB samples."""
    parts = split(samples.astype(np.float32))
    return second(parts, swatches(parts))


def two_colours(share: float) -> Second:
    """What is measured of black cloth with so much yellow, without noise."""
    rng = np.random.default_rng(0)
    black, yellow = rng.normal((15, 0, 0), 1, (300, 3)), rng.normal((85, 0, 80), 1, (round(300 * share), 3))
    found = sought(np.concatenate([black, yellow]))
    assert found is not None
    return found


CLEAREST = two_colours(0.5)
ONE_COLOUR = Second(features=(1.0, *(0.0,) * (FEATURES - 1)), names=(1 / len(COLOURS),) * len(COLOURS))
"""A second colour of which next to nothing is seen and that is like the first."""


def perfect(place: int, level: int, height: float = 150.0) -> AttributeReading:
    """The reading of one glance that measured this word and nothing else."""
    attribute = ATTRIBUTES[place]
    only = tuple(float(one == level) for one in range(len(attribute.levels)))
    if attribute.name.endswith("accent"):
        found = ONE_COLOUR if level == 0 else Second(features=CLEAREST.features, names=only[1:])
        measured = Measured(height=height, seconds=((attribute.name, found),))
    elif attribute.name.endswith("pattern"):
        return AttributeReading(attribute=place, likelihood=tuple(max(one, math.exp(-20)) for one in only))
    else:
        measured = Measured(height=height, shares=((attribute.name, only),))
    (reading,) = readings(measured)
    return reading


def walk(outfit: dict[int, int], glances: int) -> tuple[list[Glance], list[View]]:
    """As many perfect glances at somebody who comes nearer, as a unit makes them."""
    views = [
        View(at=RULES.min_interval_s * number, height=90 * 2 ** (number / RULES.max_glances))
        for number in range(glances)
    ]
    return [
        tuple(perfect(place, level, view.height) for place, level in outfit.items()) for view in views
    ], views


def sent(shares: list[list[int]], bits: list[int], people: int) -> Usual:
    """What a unit goes by once a hub has sent these thousandths and quarters of a bit."""
    told = iter(bits)
    return usual_by(
        Prior(
            booth=BoothId("booth"),
            made_at=0,
            people=people,
            shares=tuple(tuple(one / sum(row) for one in row) for row in shares),
            lifts={
                (one, other): tuple(
                    tuple(2.0 ** (next(told) / 4) for _ in ATTRIBUTES[other].levels)
                    for _ in ATTRIBUTES[one].levels
                )
                for one, other in PAIRS
            },
        )
    )


CELLS = sum(len(ATTRIBUTES[one].levels) * len(ATTRIBUTES[other].levels) for one, other in PAIRS)


def against(outfit: dict[int, int]) -> Usual:
    """The prior that is hardest on an outfit: nobody wears its words, and least of all together."""
    shares = [
        [1 if outfit.get(place) == level else 1000 for level in range(len(attribute.levels))]
        for place, attribute in enumerate(ATTRIBUTES)
    ]
    bits = [
        -128 if outfit.get(one) == i or outfit.get(other) == j else 127
        for one, other in PAIRS
        for i in range(len(ATTRIBUTES[one].levels))
        for j in range(len(ATTRIBUTES[other].levels))
    ]
    return sent(shares, bits, 2**40 - 1)


@pytest.mark.parametrize(("place", "level"), WORDS, ids=IDS)
def test_every_word_can_be_said(place: int, level: int) -> None:
    """Each word is SURE from perfect glances at somebody, however rare the hub holds it for by itself."""
    usual = against({place: level})
    glances, views = walk({place: level}, RULES.max_glances)
    said = describe(glances, usual, views).readings[place]
    assert (said.level, said.confidence) == (level + 1, Confidence.SURE)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whole_outfits_can_be_said_under_any_prior(data: st.DataObject) -> None:
    """Whatever outfit and whatever prior a hub sends, every word is SURE from perfect glances at somebody."""
    outfit = {
        place: data.draw(st.integers(0, len(attribute.levels) - 1))
        for place, attribute in enumerate(ATTRIBUTES)
        if place not in UNSAID
    }
    for where in ("top", "bottom"):
        if outfit[INDEX[f"{where}.accent"]] == outfit[INDEX[f"{where}.colour"]] + 1:
            outfit[INDEX[f"{where}.accent"]] = 0
    usual = data.draw(
        st.one_of(
            st.just(against(outfit)),
            st.builds(
                sent,
                st.tuples(
                    *(
                        st.lists(st.integers(1, 1000), min_size=len(a.levels), max_size=len(a.levels))
                        for a in ATTRIBUTES
                    )
                ).map(list),
                st.integers(0, 2**32).map(
                    lambda seed: np.random.default_rng(seed).choice([-128, 0, 127], CELLS).tolist()
                ),
                st.sampled_from([0, 200, 10_000, 2**40 - 1]),
            ),
        )
    )
    glances, views = walk(outfit, RULES.max_glances)
    said = describe(glances, usual, views)
    wrong = {
        ATTRIBUTES[place].name: (said.readings[place], level)
        for place, level in outfit.items()
        if (said.readings[place].level, said.readings[place].confidence) != (level + 1, Confidence.SURE)
    }
    assert not wrong


@pytest.mark.parametrize(("place", "level"), NOT_VAGUE)
def test_what_may_be_rare_is_looked_at_until_it_is_sure(place: int, level: int) -> None:
    """A word that is rare by the hub's counts is looked at until it is SURE, said or not."""
    usual = against({place: level})
    assert usual.counted[place][level] < RARE
    for looks in range(1, RULES.max_glances + 1):
        glances, views = walk({place: level}, looks)
        sure = describe(glances, usual, views).readings[place].confidence is Confidence.SURE
        assert may_be_rare(glances, usual, views) is not sure
        if sure:
            break


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_read_can_be_described(seed: int) -> None:
    """Whatever glances read of whatever attributes, under a prior that is hard on it, a vector comes of it."""
    rng = np.random.default_rng(seed)
    outfit = {place: int(rng.integers(len(one.levels))) for place, one in enumerate(ATTRIBUTES)}
    glances = [
        tuple(
            AttributeReading(attribute=place, likelihood=tuple((rng.random(len(one.levels)) ** 8).tolist()))
            for place, one in enumerate(ATTRIBUTES)
            if rng.random() < 0.8
        )
        for _ in range(int(rng.integers(1, 9)))
    ]
    usual = against(outfit)
    assert may_be_rare(glances, usual) in {True, False}
    for usually in (usual, SHIPPED):
        assert len(describe(glances, usually).readings) == len(ATTRIBUTES)


def test_brown_below_one_percent_is_looked_at_longer() -> None:
    """Six readings of rather a brown that the hub hardly counted are not the end of looking, six of black are."""
    place, brown = INDEX["top.colour"], COLOURS.index("brown")
    share = CONFUSION["colour"].clear_from[brown] - 0.15
    shares = tuple(share if one == brown else (1 - share) / 11 for one in range(12))
    brownish = readings(Measured(height=150.0, shares=(("top.colour", shares),)))
    usual, views = against({place: brown}), [View(at=0.4 * number, height=150.0) for number in range(6)]
    assert describe([brownish] * 6, usual, views).readings[place].confidence is not Confidence.SURE
    assert may_be_rare([brownish] * 6, usual, views)
    black, views = walk({place: COLOURS.index("black")}, RULES.glances)
    assert not may_be_rare(black, SHIPPED, views)


@pytest.mark.parametrize("place", sorted(UNSAID))
def test_what_is_read_by_chance_is_not_said(place: int) -> None:
    """One piece and bags are unknown, whatever is read."""
    reading = AttributeReading(attribute=place, likelihood=(1.0, 1e-9))
    assert describe([(reading,)] * 12).readings[place].level == 0


@pytest.mark.parametrize("name", sorted(CONFUSION))
@pytest.mark.parametrize("height", [250.0, 150.0, 80.0])
def test_the_likeliest_word_is_what_is_measured_clearly(name: str, height: float) -> None:
    """A measurement that is all of one word favours it, by ``FAULTLESS`` against every other."""
    levels = len(CONFUSION[name].clear_from)
    for level in range(levels):
        likelihood = CONFUSION[name].likelihood([float(one == level) for one in range(levels)], height)
        assert likelihood[level] == 1
        assert max(one for place, one in enumerate(likelihood) if place != level) <= 1 / FAULTLESS + 1e-12


def test_what_lies_between_is_as_much_of_either() -> None:
    """Half brown and half orange favours neither by as much as all of one, and both against blue."""
    half = [0.5 if name in {"brown", "orange"} else 0.0 for name in COLOURS]
    likelihood = dict(zip(COLOURS, CONFUSION["colour"].likelihood(half, 150.0), strict=True))
    assert 1 / FAULTLESS < likelihood["orange"] / likelihood["brown"] < FAULTLESS
    assert likelihood["blue"] < 0.01 * min(likelihood["brown"], likelihood["orange"])


def test_there_or_not_is_asked_before_which() -> None:
    """A second colour of no sure name is unknown, not none; a sure one is said; none where there is none."""
    place, names = INDEX["top.accent"], dict.fromkeys(COLOURS, 0.0)

    def said(found: Second | None) -> str:
        reading = AttributeReading(attribute=place, likelihood=second_likelihood(found, 150.0))
        return describe([(reading,)] * 6).word("top.accent")

    unsure = Second(features=CLEAREST.features, names=tuple(1 / 12 for _ in COLOURS))
    yellow = Second(features=CLEAREST.features, names=tuple((names | {"yellow": 1.0}).values()))
    assert (said(unsure), said(yellow), said(None)) == ("unknown", "yellow", "none")


def test_shade_is_no_second_colour() -> None:
    """The same dye in less light speaks against a second colour, another dye as dark for one."""
    rng = np.random.default_rng(1)
    lit, shaded, other = (
        rng.normal(middle, 2, (200, 3)).astype(np.float32)
        for middle in ((60, 40, 30), (40, 29, 22), (40, -25, 5))
    )

    def odds(part: np.ndarray) -> float:
        likelihood = second_likelihood(sought(np.concatenate([lit, part])), 150.0)
        return math.log(sum(likelihood[1:]) / 12 / likelihood[0])

    assert odds(shaded) < 0 < odds(other)
