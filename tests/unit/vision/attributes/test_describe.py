from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocol.values import UNKNOWN
from appliance.protocol.vocabulary import ATTRIBUTES, COLOURS, INDEX, Confidence
from appliance.unit.vision.attributes.fusion import View, describe, jointly, may_be_rare, posterior
from appliance.unit.vision.attributes.priors import CALIBRATION, SHIPPED, Calibration, Usual
from appliance.unit.vision.types import AttributeReading

TOP = INDEX["top.colour"]


def glance(word: str, strength: float = 0.8, attribute: int = TOP) -> AttributeReading:
    levels = ATTRIBUTES[attribute].levels
    rest = (1 - strength) / (len(levels) - 1)
    return AttributeReading(
        attribute=attribute, likelihood=tuple(strength if level == word else rest for level in levels)
    )


def test_priors_are_distributions() -> None:
    """Every prior covers its levels, adds up to one and rules nothing out."""
    assert len(CALIBRATION) == len(ATTRIBUTES)
    for attribute, constants in zip(ATTRIBUTES, CALIBRATION, strict=True):
        assert len(constants.prior) == len(attribute.levels)
        assert sum(constants.prior) == pytest.approx(1)
        assert min(constants.prior) > 0
        assert constants.temperature >= 1
        assert 0 <= constants.correlation <= 1


def test_silence_is_unknown() -> None:
    """Without a reading nothing is said, however likely the prior makes it."""
    assert describe([]).readings == (UNKNOWN,) * len(ATTRIBUTES)
    assert describe([(), ()]).known == 0


def test_agreeing_glances_are_believed() -> None:
    """Glances that agree make the level sure, even of a rare colour."""
    said = describe([(glance("purple", 0.9),)] * 6)
    assert said.word("top.colour") == "purple"
    assert said.readings[TOP].confidence is Confidence.SURE


def test_contradiction_is_unknown() -> None:
    """Glances that contradict each other about two equally common colours leave it unknown."""
    flat = Calibration(prior=(1 / 12,) * 12)
    calibration = tuple(flat if place == TOP else other for place, other in enumerate(CALIBRATION))
    said = describe(
        [(glance("red"),), (glance("green"),), (glance("blue"),)] * 2,
        Usual.of([one.prior for one in calibration]),
    )
    assert said.word("top.colour") == "unknown"


def test_sure_is_jointly_sure() -> None:
    """Two words that hardly ever go together are said less surely on the same evidence; alone each is SURE."""
    lower = INDEX["lower.kind"]
    flat = [(1 / len(one.levels),) * len(one.levels) for one in ATTRIBUTES]
    green, skirt = ATTRIBUTES[TOP].levels.index("green"), ATTRIBUTES[lower].levels.index("skirt_or_dress")
    rows = [[1.0] * len(ATTRIBUTES[lower].levels) for _ in ATTRIBUTES[TOP].levels]
    rows[green][skirt] = 0.02
    apart = Usual.of(flat, {(TOP, lower): tuple(map(tuple, rows))})
    both = [(glance("green", 0.85), glance("skirt_or_dress", 0.87, lower))] * 2
    for usual, wanted in ((Usual.of(flat), Confidence.SURE), (apart, Confidence.FAIR)):
        said = describe(both, usual)
        assert (said.word("top.colour"), said.word("lower.kind")) == ("green", "skirt_or_dress")
        assert said.readings[TOP].confidence is said.readings[lower].confidence is wanted
    assert describe([each[:1] for each in both], apart).readings[TOP].confidence is Confidence.SURE
    assert describe(both * 12, apart).readings[TOP].confidence is Confidence.SURE


def test_a_rare_word_is_said_and_not_surely() -> None:
    """What the hub hardly ever counted is said on the evidence that makes a commoner word SURE, but less surely."""
    shares = [list(SHIPPED.counted[place]) for place in range(len(ATTRIBUTES))]
    purple = ATTRIBUTES[TOP].levels.index("purple")
    shares[TOP][purple] = 0.0002
    glances = [(glance("purple", 0.9),)] * 3
    rare, common = (describe(glances, usual).readings[TOP] for usual in (Usual.of(shares), SHIPPED))
    assert rare.level == common.level == purple + 1
    assert rare.confidence is not None
    assert common.confidence is Confidence.SURE
    assert rare.confidence < Confidence.SURE


def test_jointly_is_what_the_table_of_the_pair_says() -> None:
    """The joint posterior is that of the whole table of two attributes, worked out cell by cell."""
    mine, theirs = (0.7, 0.3), (0.2, 0.5, 0.3)
    lifts: dict[tuple[int, int], tuple[tuple[float, ...], ...]] = {
        (0, 1): ((0.5, 1.0, 2.0), (1.5, 1.0, 0.25))
    }
    cells = [
        [m * t * lift for t, lift in zip(theirs, row, strict=True)]
        for m, row in zip(mine, lifts[0, 1], strict=True)
    ]
    total = sum(map(sum, cells))
    assert jointly(0, 0, (mine, theirs), lifts) == pytest.approx(min(0.7, sum(cells[0]) / total))
    for level in range(3):
        column = sum(row[level] for row in cells) / total
        assert jointly(1, level, (mine, theirs), lifts) == pytest.approx(min(theirs[level], column))
    assert jointly(0, 0, (mine, None), lifts) == 0.7


def test_correlated_glances_count_less() -> None:
    """The same glances convince less the more their errors are correlated; fully correlated, like one."""
    readings = [glance("pink", 0.5)] * 8
    place = ATTRIBUTES[TOP].levels.index("pink")
    by_correlation = [
        posterior(readings, Calibration(prior=(1 / 12,) * 12, correlation=rho))[place]
        for rho in (0.0, 0.3, 0.7, 1.0)
    ]
    assert by_correlation == sorted(by_correlation, reverse=True)
    one = posterior(readings[:1], Calibration(prior=(1 / 12,) * 12, correlation=1.0))[place]
    assert by_correlation[-1] == pytest.approx(one)


def test_another_view_is_worth_more_than_the_same_again() -> None:
    """Glances apart in time or in size convince more than as many at once, and less than independent ones."""
    readings, constants = [glance("pink", 0.5)] * 4, Calibration(prior=(1 / 12,) * 12, correlation=0.6)
    place = ATTRIBUTES[TOP].levels.index("pink")

    def sure(*views: View) -> float:
        return posterior(readings, constants, views)[place]

    at_once = sure(*(View(at=5.0, height=90.0) for _ in range(4)))
    apart = sure(*(View(at=5.0 + 2 * number, height=90.0) for number in range(4)))
    nearer = sure(*(View(at=5.0, height=90.0 * 1.5**number) for number in range(4)))
    minutes = sure(*(View(at=60.0 * number, height=90.0 * 1.5**number) for number in range(4)))
    independent = posterior(readings, replace(constants, correlation=0.0))[place]
    assert at_once == pytest.approx(posterior(readings, constants)[place])
    assert at_once < min(apart, nearer)
    assert max(apart, nearer) < minutes < independent


def test_more_agreement_never_convinces_less() -> None:
    """Another glance that says the same raises the posterior."""
    constants = CALIBRATION[TOP]
    place = ATTRIBUTES[TOP].levels.index("yellow")
    rising = [posterior([glance("yellow", 0.6)] * count, constants)[place] for count in range(8)]
    assert rising == sorted(rising)
    assert rising[0] == pytest.approx(constants.prior[place])


def test_temperature_flattens() -> None:
    """A higher temperature moves the posterior towards the prior."""
    readings = [glance("green", 0.9)]
    place = ATTRIBUTES[TOP].levels.index("green")
    cool, warm = (
        posterior(readings, Calibration(prior=(1 / 12,) * 12, temperature=t))[place] for t in (1.0, 3.0)
    )
    assert cool > warm > 1 / 12


@given(
    st.lists(st.tuples(st.sampled_from(ATTRIBUTES[TOP].levels), st.floats(0.2, 0.95)), max_size=10),
    st.randoms(),
)
def test_order_does_not_matter(glances: list[tuple[str, float]], rng: random.Random) -> None:
    """Shuffled glances describe the same person."""
    readings = [(glance(*each),) for each in glances]
    shuffled = rng.sample(readings, len(readings))
    assert describe(readings) == describe(shuffled)


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=12, max_size=12).filter(any), max_size=12))
def test_any_likelihood_gives_a_distribution(rows: list[list[float]]) -> None:
    """Whatever the readings, the posterior is a distribution."""
    readings = [AttributeReading(attribute=TOP, likelihood=tuple(row)) for row in rows]
    shares = posterior(readings, CALIBRATION[TOP])
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0


@pytest.mark.parametrize("where", ["top", "bottom"])
def test_a_second_colour_is_another_than_the_first(where: str) -> None:
    """Where both colours come out alike the second is unknown; another second colour, and none, are said."""

    def said(accent: str) -> str:
        attribute = ATTRIBUTES[INDEX[f"{where}.accent"]]
        colour = [float(word == "green") for word in COLOURS]
        second = [float(word == accent) for word in attribute.levels]
        readings = (
            AttributeReading(attribute=INDEX[f"{where}.colour"], likelihood=tuple(colour)),
            AttributeReading(attribute=INDEX[f"{where}.accent"], likelihood=tuple(second)),
        )
        return describe([readings]).word(f"{where}.accent")

    assert (said("green"), said("red"), said("none")) == ("unknown", "red", "none")


def test_a_second_colour_like_the_first_leaves_the_rest_to_be_said() -> None:
    """Where the second colour looks like the first it is unknown, and with any prior's lifts the rest is SURE."""
    outer = INDEX["outer"]
    flat = [(1 / len(one.levels),) * len(one.levels) for one in ATTRIBUTES]
    pairs = combinations(range(len(ATTRIBUTES)), 2)
    lifts = {
        (one, other): ((1.2,) * len(ATTRIBUTES[other].levels),) * len(ATTRIBUTES[one].levels)
        for one, other in pairs
    }
    seen = (glance("green", 0.99), glance("green", 0.99, INDEX["top.accent"]), glance("open", 0.99, outer))
    said = describe([seen] * 6, Usual.of(flat, lifts))
    assert said.word("top.accent") == "unknown"
    assert said.readings[TOP].confidence is said.readings[outer].confidence is Confidence.SURE


def test_what_may_be_rare_is_worth_another_look() -> None:
    """A rare word that is not sure asks for more looks, said or not; a common one, a sure one and silence do not."""
    asked = {
        (word, strength): [may_be_rare([[glance(word, strength)]] * looks, SHIPPED) for looks in (1, 40)]
        for word, strength in (("yellow", 0.9), ("yellow", 0.6), ("black", 0.6))
    }
    assert asked == {
        ("yellow", 0.9): [True, False],
        ("yellow", 0.6): [True, True],
        ("black", 0.6): [False, False],
    }
    assert describe([[glance("yellow", 0.6)]]).word("top.colour") == "unknown"
    assert not may_be_rare([], SHIPPED)
