from __future__ import annotations

import math
import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.hub.statistics import confidence as bounds
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import HALF_LIFE, merged
from appliance.hub.statistics.conformal import MEMORY, ConformalCalibrator
from appliance.hub.statistics.layout import BANDS, LEVELS, OFFSETS, STREET, VAGUE, attribute_level, encode
from appliance.hub.statistics.lenses.chow_liu import chow_liu
from appliance.hub.statistics.lenses.score_tables import TIMES, tables_of
from appliance.hub.statistics.rarity import Rarity, Score
from appliance.hub.statistics.reasons import one_in, reasons_for
from appliance.protocol.values import AttributeVector, Lens, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES, CAPACITY, Confidence
from tests.hub.corner import NOON, Crowd

NORTH, SOUTH = UnitId("north"), UnitId("south")
VECTORS = st.integers(0, CAPACITY - 1).map(AttributeVector.from_code)
SEEN_AT = st.integers(0, 400).map(lambda days: Seconds(NOON + days * 86_400 / 4))


def poisson_at_most(count: int, mean: float) -> float:
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 10, 30, 100])
def test_the_upper_bound_is_the_exact_one_within_two_percent(count: int) -> None:
    """At the closed-form bound the Poisson tail is 5 %, to within two percent of the bound."""
    bound = float(bounds.upper(np.array(float(count))))
    assert poisson_at_most(count, bound * 1.02) < 0.05 < poisson_at_most(count, bound * 0.98)
    if count:
        below = float(bounds.lower(np.array(float(count))))
        assert 0.035 < 1 - poisson_at_most(count - 1, below) < 0.051


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_bounds_enclose_the_plug_in_share(count: float, more: float) -> None:
    """A share lies between its bounds, and both lie in [0, 1]."""
    k, n = np.array(count), np.array(count + more)
    below, above = float(bounds.share_lower(k, n)), float(bounds.share_upper(k, n))
    assert 0 <= below <= (count / (count + more) if count + more > 1e-6 else 0) + 1e-9
    assert min(1.0, (count / (count + more) if count + more > 1e-6 else 0)) <= above + 1e-9 <= 1 + 1e-9


def test_every_level_has_one_place() -> None:
    """Positions and levels are the same thing counted differently."""
    found = [attribute_level(position) for position in range(LEVELS)]
    assert found == [(a, 1 + n) for a, one in enumerate(ATTRIBUTES) for n in range(len(one.levels))]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(VECTORS, st.sampled_from((NORTH, SOUTH)), SEEN_AT), max_size=12),
    st.integers(0, 12),
    st.randoms(use_true_random=False),
)
def test_merging_two_hubs_equals_one_that_saw_both(
    seen: list[tuple[AttributeVector, UnitId, Seconds]], cut: int, chance: object
) -> None:
    """However a stream is split and shuffled, the merged baselines equal that of one hub: exactly, not nearly."""
    whole, left, right = Baseline(), Baseline(), Baseline()
    for vector, unit, at in seen:
        whole.update(vector, unit, at)
    mixed = list(seen)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    for place, (vector, unit, at) in enumerate(mixed):
        (left if place < cut else right).update(vector, unit, at)
    one, other = merged(left.state(), right.state()), merged(right.state(), left.state())
    for state in (one, other):
        scale = 2.0 ** ((state.anchor - whole.state().anchor) / HALF_LIFE)
        assert np.array_equal(state.pairs * scale, whole.state().pairs)
        assert np.array_equal(state.known * scale, whole.state().known)
        assert state.people == whole.people
        assert dict(state.cameras).keys() == dict(whole.state().cameras).keys()


def test_an_observation_counts_half_after_a_half_life() -> None:
    """What was seen a week ago weighs half of what is seen today."""
    baseline = Baseline()
    baseline.update(AttributeVector.of(top_colour="red"), NORTH, NOON)
    later = Seconds(NOON + HALF_LIFE)
    baseline.update(AttributeVector.of(top_colour="blue"), NORTH, later)
    shares = {one.word: one.share for one in baseline.usual(most=2)}
    assert shares == {"blue": pytest.approx(2 / 3, abs=1e-3), "red": pytest.approx(1 / 3, abs=1e-3)}
    assert baseline.weight(later) == pytest.approx(1.5, abs=1e-3)


def test_a_year_does_not_overflow() -> None:
    """After a year of people the counts are finite, and the latest weeks make up the weight."""
    baseline = Baseline()
    for day in range(365):
        baseline.update(AttributeVector.of(top_colour="red"), NORTH, Seconds(NOON + day * 86_400))
    end = Seconds(NOON + 364 * 86_400)
    assert baseline.people == 365
    assert baseline.weight(end) == pytest.approx(1 / (1 - 2 ** (-1 / 7)), rel=1e-3)


def test_what_is_unknown_is_masked_and_what_is_unsure_counts_less() -> None:
    """An unknown reading changes no share, and a doubtful one counts for part of a person."""
    baseline = Baseline()
    baseline.update(AttributeVector.of(top_colour="red"), NORTH, NOON)
    baseline.update(AttributeVector.of(top_colour=("blue", Confidence.LOW)), NORTH, NOON)
    baseline.update(AttributeVector.of(sleeves="long"), NORTH, NOON)
    shares = {one.word: one.share for one in baseline.usual(most=3)}
    assert shares["red"] == pytest.approx(1 / 1.625)
    assert shares["long"] == 1.0
    assert baseline.people == 3


def test_the_state_of_a_baseline_is_all_of_it() -> None:
    """A baseline taken up from its state goes on exactly as the one it came from."""
    crowd, one = Crowd(3), Baseline()
    for number in range(50):
        one.update(crowd.person(), NORTH, Seconds(NOON + number))
    other = Baseline(one.state())
    for number in range(50):
        vector = crowd.person()
        for baseline in (one, other):
            baseline.update(vector, SOUTH, Seconds(NOON + 60 * number))
    assert np.array_equal(one.state().pairs, other.state().pairs)
    assert one.state().weight == other.state().weight


def test_a_conformal_p_is_never_finer_than_what_was_seen() -> None:
    """With n scores remembered no p is below 1 / (n + 1); memory grows with experience, to a few thousand."""
    tails = ConformalCalibrator(((0, 24),), bands=1)
    for number in range(200):
        tails.add(0, (number / 100,))
    tails.settle()
    assert 50 < tails.remembered(0) <= 200
    assert tails.p(0, 0, 20) == pytest.approx(1 / (1 + tails.remembered(0)))
    for _ in range(300):
        for _ in range(128):
            tails.add(0, (1.0,))
        tails.settle()
    assert tails.remembered(0) == pytest.approx(MEMORY, rel=0.01)


def test_the_tree_is_the_heaviest() -> None:
    """No other spanning tree of four attributes carries more mutual information (all sixteen are tried)."""
    chance = np.random.default_rng(5)
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    for _ in range(50):
        matrix = chance.random((4, 4))
        matrix = matrix + matrix.T
        weight = sum(matrix[edge] for edge in chow_liu(matrix, (0, 1, 2, 3)))
        best = 0.0
        for bits in range(1 << 6):
            chosen = [pair for place, pair in enumerate(pairs) if bits >> place & 1]
            if len(chosen) == 3 and len(_reached(chosen)) == 4:
                best = max(best, sum(matrix[edge] for edge in chosen))
        assert weight == pytest.approx(best)


def _reached(edges: list[tuple[int, int]]) -> set[int]:
    reached = {0}
    for _ in range(4):
        for a, b in edges:
            if a in reached or b in reached:
                reached |= {a, b}
    return reached


WINTER = {
    "top_colour": "black",
    "bottom_colour": "blue",
    "sleeves": "long",
    "feet_colour": "dark",
    "lower_kind": "trousers",
}
SUMMER = {
    "top_colour": "white",
    "bottom_colour": "beige",
    "sleeves": "short",
    "feet_colour": "light",
    "lower_kind": "shorts",
}


def two_looks(seed: int, *, mixed: float = 0.01) -> Iterator[AttributeVector]:
    """A street that knows two looks; one in twenty has coloured shoes, few mix the looks."""
    chance = random.Random(seed)  # noqa: S311 - a test's chance
    while True:
        look = dict(chance.choice((WINTER, SUMMER)))
        if chance.random() < 0.05:
            look["feet_colour"] = "coloured"
        if chance.random() < mixed:
            other = chance.choice(list(look))
            look[other] = (SUMMER if look["top_colour"] == "black" else WINTER)[other]
        yield AttributeVector.of(**look)


def street(
    people: int, seed: int = 7, **sight: tuple[float, ...]
) -> tuple[list[AttributeVector], list[Score]]:
    """A seeded street judged from its first passer-by on, one every two seconds."""
    crowd, rarity = Crowd(seed, **sight), Rarity(Baseline())
    vectors = [crowd.person() for _ in range(people)]
    return vectors, [
        rarity.score_and_learn(vector, NORTH, Seconds(NOON + 2 * number))
        for number, vector in enumerate(vectors)
    ]


@pytest.fixture(scope="module")
def day() -> tuple[list[AttributeVector], list[Score]]:
    return street(6000)


def test_one_in_a_hundred_is_flagged_at_one_percent(day: tuple[list[AttributeVector], list[Score]]) -> None:
    """At nominal 1 % between 0.5 % and 1.5 % are flagged on an ordinary day, and no more than that at the start."""
    p = np.array([score.p for score in day[1]])
    assert 0.005 <= (p[1000:] <= 0.01).mean() <= 0.015
    assert (p[:1000] <= 0.01).mean() <= 0.02


def test_a_unique_outfit_is_not_exceptional(day: tuple[list[AttributeVector], list[Score]]) -> None:
    """Most people wear a combination nobody else wore that day; nearly none of them is flagged for it."""
    vectors, scores = day
    outfits = [tuple(reading.level for reading in vector.readings) for vector in vectors]
    counts = {outfit: outfits.count(outfit) for outfit in set(outfits)}
    unique = [score.p <= 0.01 for outfit, score in zip(outfits, scores, strict=True) if counts[outfit] == 1]
    assert len(unique) > 0.4 * len(vectors)
    assert np.mean(unique) <= 0.02


def test_how_completely_people_are_seen_does_not_decide(
    day: tuple[list[AttributeVector], list[Score]],
) -> None:
    """Whoever is seen poorly is flagged about as often as whoever is seen completely."""
    bands = np.array([STREET.band(len(encode(vector).fair)) for vector in day[0]])
    p = np.array([score.p for score in day[1]])
    rates = [(p[bands == band] <= 0.02).mean() for band in range(BANDS) if (bands == band).sum() > 500]
    assert len(rates) == BANDS
    assert max(rates) <= 0.035
    assert min(rates) >= 0.006


def test_each_lens_finds_its_own_kind_of_exception() -> None:
    """A value never seen, two common things never seen together, and an odd whole are each found by their lens."""
    crowd, rarity = two_looks(11, mixed=0.002), Rarity(Baseline())
    for number in range(3000):
        rarity.score_and_learn(next(crowd), NORTH, Seconds(NOON + number))
    value = rarity.score(encode(AttributeVector.of(**{**WINTER, "top_colour": "pink"})))
    pair = rarity.score(encode(AttributeVector.of(**{**WINTER, "sleeves": "short"})))
    assert (value.lens, value.p < 0.005) == (Lens.SINGLE, True)
    assert (pair.lens, pair.p < 0.005) == (Lens.PAIR, True)
    assert rarity.score(encode(AttributeVector.of(**SUMMER))).p > 0.1


def test_only_sure_readings_score() -> None:
    """However odd a doubtful reading is, it makes nobody an exception."""
    rarity = Rarity(Baseline())
    for number in range(500):
        rarity.score_and_learn(
            AttributeVector.of(top_colour="black", sleeves="long"), NORTH, Seconds(NOON + number)
        )
    odd = AttributeVector.of(top_colour=("pink", Confidence.FAIR), sleeves="long")
    assert rarity.score(encode(odd)).p == 1.0


@pytest.mark.parametrize("confidence", [Confidence.LOW, Confidence.FAIR])
def test_who_was_read_unsurely_ranks_between_the_plainest_and_the_surely_odd(confidence: Confidence) -> None:
    """An odd thing read unsurely lifts its wearer in the ranking, up to a bound; it claims nothing."""
    rarity, crowd = Rarity(Baseline()), two_looks(11, mixed=0.002)
    for number in range(3000):
        rarity.score_and_learn(next(crowd), NORTH, Seconds(NOON + number))

    def score(colour: str | tuple[str, Confidence]) -> Score:
        return rarity.score(encode(AttributeVector.of(**{**WINTER, "top_colour": colour})))

    plain, perhaps, surely = (
        score(colour) for colour in (WINTER["top_colour"], ("pink", confidence), "pink")
    )
    assert plain.strength < perhaps.strength < surely.strength
    assert perhaps.strength <= 6.0
    assert perhaps.p > 0.1


def test_a_forget_after_others_came_leaves_nothing_anywhere() -> None:
    """Forgotten after forty more have passed, nobody counts the odd thing: not the week, the hour, or the guard."""
    rarity, plain = Rarity(Baseline()), AttributeVector.of(top_colour="black", sleeves="long")
    odd = AttributeVector.of(top_colour="pink", sleeves="long")
    for number in range(300):
        rarity.score_and_learn(plain, NORTH, Seconds(NOON + number))
    one, at = rarity.encode(odd, NORTH), Seconds(NOON + 300)
    before = rarity._tails.bins() > 0
    counted = rarity.update(one, rarity.score(one), NORTH, at)
    rarity._tails.settle()
    for number in range(40):
        rarity.score_and_learn(plain, NORTH, Seconds(NOON + 301 + number))
    pink = int(one.known[0])
    assert rarity.guard._cameras[NORTH].counts[pink] > 0
    rarity.forget(odd, NORTH, at, counted)
    assert rarity.guard._cameras[NORTH].counts[pink] == 0
    assert not rarity.baseline.state().pairs[pink].any()
    assert rarity._short_term_baseline.state().pairs[pink].max() < 1e-9
    place = rarity._tails.bins_of(np.array([counted.scores.scores]))[0]
    for histogram in (0, 3):
        assert before[counted.scores.band, histogram, place[histogram]] == (
            rarity._tails.bins()[counted.scores.band, histogram, place[histogram]] > 0
        )


def test_a_vague_level_is_no_exception_and_no_reason() -> None:
    """Vague levels carry no rarity of their own and never stand in a reason."""
    crowd, baseline = Crowd(2), Baseline()
    for number in range(300):
        baseline.update(crowd.person(), NORTH, Seconds(NOON + number))
    tables = tables_of(baseline, NOON)
    assert not tables.single[VAGUE].any()
    assert not tables.deficit[VAGUE].any()
    assert not tables.deficit[:, VAGUE].any()
    only_vague = encode(AttributeVector.of(bag="yes", one_piece="no", outer="none"))
    score = Score(p=0.001, bits=10, lens=Lens.WHOLE, lenses=(1, 1, 0.001), raw=(0, 0, 9))
    assert reasons_for(only_vague, score, baseline, NOON) == ()


def test_one_in_n_is_rarely_too_rare_and_never_twice() -> None:
    """In thousands of claims from person 50 on, "1 in N" is less than twice the truth, nearly always at most it."""
    crowd = Crowd(21)
    baseline, claims, over, twice = Baseline(), 0, 0, 0
    score = Score(p=0.001, bits=10, lens=Lens.SINGLE, lenses=(0.001, 1, 1), raw=(9, 0, 0))
    for number in range(4000):
        vector = crowd.person(sight=0.7)
        now = Seconds(NOON + number)
        one = encode(vector)
        if number >= 50 and len(one.sure):
            for reason in reasons_for(one, score, baseline, now):
                if reason.one_in:
                    truth = math.prod(crowd.shares[place][level - 1] for place, level in reason.attributes)
                    claims += 1
                    over += reason.one_in * truth > 1
                    twice += reason.one_in * truth > 2
        baseline.update(vector, NORTH, now)
    assert claims > 2000
    assert twice == 0
    assert over / claims < 0.06


@example(0.04, 100.0)
@example(0.0499, 100.0)
@example(0.051, 100.0)
@given(st.floats(1e-6, 1.0), st.floats(1, 1e6))
def test_a_number_is_said_only_where_five_would_share_it(share: float, weight: float) -> None:
    """N is at most 1 / share, at most a tenth below it, and absent where fewer than five would share the thing."""
    number = one_in(share, weight)
    assert (number is None) == (share * weight < 5)
    if number is not None:
        assert 0.9 / share - 1 <= number <= 1 / share


def test_a_pair_is_a_reason_only_where_one_word_would_not_do() -> None:
    """Every pair given as a reason is sure, sayable, and at least three times rarer than the rarer of its parts."""
    crowd, rarity = two_looks(13), Rarity(Baseline())
    pairs = 0
    for number in range(2500):
        now = Seconds(NOON + number)
        one = encode(next(crowd))
        score = rarity.score(one)
        if number > 300 and score.p <= 0.02:
            for reason in reasons_for(one, score, rarity.baseline, now):
                positions = np.array([OFFSETS[place] + level - 1 for place, level in reason.attributes])
                assert not VAGUE[positions].any()
                assert set(positions) <= set(one.sure)
                if reason.lens is Lens.PAIR:
                    upper = bounds.share_upper(*rarity.baseline.among(positions, now))
                    assert upper[0, 1] * TIMES <= min(upper[0, 0], upper[1, 1])
                    pairs += 1
        rarity.update(one, score, NORTH, now)
    assert pairs >= 5
