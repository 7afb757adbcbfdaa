from __future__ import annotations

import random

import pytest

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.change.camera_faults import MASK_PEOPLE
from appliance.hub.statistics.layout import OFFSETS
from appliance.hub.statistics.rarity import Rarity
from appliance.protocol.values import AttributeVector, Seconds, UnitId
from tests.hub.corner import NOON

NORTH, SOUTH = UnitId("north"), UnitId("south")
PINK = OFFSETS[0] + 10


def dressed(chance: random.Random, **instead: str) -> AttributeVector:
    colour = chance.choices(("black", "white", "grey", "pink"), (40, 30, 29, 1))[0]
    return AttributeVector.of(
        **{"top_colour": colour, "sleeves": chance.choice(("long", "short")), **instead}
    )


def street(
    rarity: Rarity, chance: random.Random, people: int, *, north: float = 0.0, south: float = 0.0
) -> None:
    """People before two cameras; shares of what each sees are pink."""
    for number in range(people):
        unit, share = (NORTH, north) if number % 2 else (SOUTH, south)
        instead = {"top_colour": "pink"} if chance.random() < share else {}
        rarity.score_and_learn(dressed(chance, **instead), unit, Seconds(NOON + rarity.baseline.people))


def test_what_one_camera_suddenly_sees_everywhere_is_set_aside() -> None:
    """A camera that turns pink is not believed about pink, scores nobody for it and teaches nothing; the other is."""
    rarity, chance = Rarity(Baseline()), random.Random(1)  # noqa: S311 - a test's chance
    street(rarity, chance, 2000)
    street(rarity, chance, 300, north=0.4)
    assert rarity.guard.masked(NORTH) == {PINK}
    assert not rarity.guard.masked(SOUTH)
    pink = AttributeVector.of(top_colour="pink", sleeves="long")
    assert rarity.score(rarity.encode(pink, NORTH)).p > 0.1
    before = rarity.baseline.singles(NOON)[0][PINK]
    street(rarity, chance, 100, north=1.0)
    assert rarity.baseline.singles(NOON)[0][PINK] - before <= 3


def test_a_mended_camera_is_believed_again() -> None:
    """Some hundred ordinary people after the fault nothing is set aside any more."""
    rarity, chance = Rarity(Baseline()), random.Random(2)  # noqa: S311 - a test's chance
    street(rarity, chance, 2000)
    street(rarity, chance, 200, north=0.4)
    assert rarity.guard.masked(NORTH)
    street(rarity, chance, 2500)
    assert not rarity.guard.masked(NORTH)


def test_what_all_cameras_see_is_the_street() -> None:
    """Where both cameras turn pink nothing is set aside, and pink soon is no exception: the recent hour knows it."""
    rarity, chance = Rarity(Baseline()), random.Random(3)  # noqa: S311 - a test's chance
    street(rarity, chance, 2000)
    street(rarity, chance, 400, north=0.3, south=0.3)
    assert not rarity.guard.masked(NORTH)
    pink = AttributeVector.of(top_colour="pink", sleeves="long")
    assert rarity.score(rarity.encode(pink, NORTH)).p > 0.02


def test_what_was_hardly_ever_seen_is_set_aside_by_the_third_time() -> None:
    """A colour nobody wears, read thrice within thirty people of one camera, is the camera's."""
    rarity, chance = Rarity(Baseline()), random.Random(4)  # noqa: S311
    street(rarity, chance, 2000)
    for number in range(60):
        instead = {"top_colour": "purple"} if number in {5, 19, 31} else {}
        unit = NORTH if number % 2 else SOUTH
        rarity.score_and_learn(dressed(chance, **instead), unit, Seconds(NOON + rarity.baseline.people))
    assert len(rarity.guard.masked(NORTH)) == 1


def test_a_broken_camera_is_not_believed_because_another_saw_a_little_more_by_chance() -> None:
    """While one camera reads pink all day, a few pink people before the other do not make it the street."""
    rarity, chance = Rarity(Baseline()), random.Random(5)  # noqa: S311
    street(rarity, chance, 2000)
    street(rarity, chance, 200, north=0.4)
    street(rarity, chance, 60, north=0.4, south=0.1)
    assert PINK in rarity.guard.masked(NORTH)


def test_ordinary_days_set_hardly_anything_aside() -> None:
    """Of ten thousand people before two sound cameras, fewer than one in two hundred readings is not believed."""
    rarity, chance, suppressed = Rarity(Baseline()), random.Random(6), 0  # noqa: S311
    street(rarity, chance, 1000)
    for number in range(10_000):
        unit = NORTH if number % 2 else SOUTH
        vector = dressed(chance)
        suppressed += len(rarity.encode(vector, unit).suppressed)
        rarity.score_and_learn(vector, unit, Seconds(NOON + rarity.baseline.people))
    assert suppressed < 2 * 10_000 / 200


def coats(rarity: Rarity, chance: random.Random, day: int, share: float, cameras: int) -> float:
    """Six hundred people of a day, so many of them in closed coats; the share that lost a reading."""
    touched = 0
    for number in range(600):
        vector = AttributeVector.of(
            top_colour=chance.choice(("black", "grey", "white", "blue")),
            outer="closed" if chance.random() < share else chance.choice(("none", "open")),
        )
        unit = UnitId(f"camera-{chance.randrange(cameras)}")
        touched += bool(rarity.encode(vector, unit).suppressed)
        rarity.score_and_learn(vector, unit, Seconds(NOON + 86_400 * day + 60 * number))
    return touched / 600


@pytest.mark.parametrize(
    ("cameras", "shares"),
    [
        (1, [0.3] * 6 + [0.65] * 24),
        (1, [0.65] * 6 + [0.3] * 24),
        (2, [0.3] * 6 + [0.65] * 24),
        (1, ([0.3] * 5 + [0.5] * 2) * 4),
    ],
    ids=["one camera, more", "one camera, fewer", "two cameras, more", "weekends"],
)
def test_a_street_that_changes_is_no_broken_camera(cameras: int, shares: list[float]) -> None:
    """A lasting change and a weekly rhythm are believed within weeks, and hardly anybody loses a reading."""
    rarity, chance, touched = Rarity(Baseline()), random.Random(7), []  # noqa: S311 - a test's chance
    for day, share in enumerate(shares):
        touched.append(coats(rarity, chance, day, share, cameras))
    believed = {row.word: row.share for row in rarity.baseline.usual(most=3) if row.attribute == "outer"}
    assert abs(believed["closed"] - sum(shares[-7:]) / 7) <= 0.06
    assert sum(touched) / len(touched) <= 0.01
    assert max(touched) <= (0.0 if cameras == 1 else 0.1)


def test_a_mask_ends_by_itself() -> None:
    """A camera that keeps reading what others do not is believed again after some hundred of its people."""
    rarity, chance = Rarity(Baseline()), random.Random(8)  # noqa: S311 - a test's chance
    street(rarity, chance, 2000)
    street(rarity, chance, 200, north=0.4)
    assert PINK in rarity.guard.masked(NORTH)
    street(rarity, chance, 2 * MASK_PEOPLE + 100, north=0.4)
    assert PINK not in rarity.guard.masked(NORTH)
    before = rarity.baseline.singles(NOON)[0][PINK]
    street(rarity, chance, 100, north=1.0)
    assert rarity.baseline.singles(NOON)[0][PINK] - before >= 45


def test_an_only_camera_never_masks() -> None:
    """Without another camera that contradicts, whatever is read is counted, and drift tells staff."""
    rarity, chance = Rarity(Baseline()), random.Random(9)  # noqa: S311 - a test's chance
    for number in range(3000):
        instead = {"top_colour": "pink"} if number > 2000 and chance.random() < 0.5 else {}
        rarity.score_and_learn(dressed(chance, **instead), NORTH, Seconds(NOON + number))
        assert not rarity.guard.masked(NORTH)
