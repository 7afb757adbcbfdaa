from __future__ import annotations

import random

from appliance.hub.baseline import Baseline
from appliance.hub.levels import OFFSETS
from appliance.hub.rarity import Rarity
from appliance.values import AttributeVector, Seconds, UnitId
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
        rarity.judge(dressed(chance, **instead), unit, Seconds(NOON + rarity.baseline.people))


def test_what_one_camera_suddenly_sees_everywhere_is_set_aside() -> None:
    """A camera that turns pink is not believed about pink, scores nobody for it and teaches nothing; the other is."""
    rarity, chance = Rarity(Baseline()), random.Random(1)  # noqa: S311 - a test's chance
    street(rarity, chance, 2000)
    street(rarity, chance, 300, north=0.4)
    assert rarity.guard.doubtful(NORTH) == {PINK}
    assert not rarity.guard.doubtful(SOUTH)
    pink = AttributeVector.of(top_colour="pink", sleeves="long")
    assert rarity.score(rarity.worn(pink, NORTH)).p > 0.1
    before = rarity.baseline.singles(NOON)[0][PINK]
    street(rarity, chance, 100, north=1.0)
    assert rarity.baseline.singles(NOON)[0][PINK] - before <= 3


def test_a_mended_camera_is_believed_again() -> None:
    """Some hundred ordinary people after the fault nothing is set aside any more."""
    rarity, chance = Rarity(Baseline()), random.Random(2)  # noqa: S311 - a test's chance
    street(rarity, chance, 2000)
    street(rarity, chance, 200, north=0.4)
    assert rarity.guard.doubtful(NORTH)
    street(rarity, chance, 2500)
    assert not rarity.guard.doubtful(NORTH)


def test_what_all_cameras_see_is_the_street() -> None:
    """Where both cameras turn pink nothing is set aside, and pink soon is no exception: the recent hour knows it."""
    rarity, chance = Rarity(Baseline()), random.Random(3)  # noqa: S311 - a test's chance
    street(rarity, chance, 2000)
    street(rarity, chance, 400, north=0.3, south=0.3)
    assert not rarity.guard.doubtful(NORTH)
    pink = AttributeVector.of(top_colour="pink", sleeves="long")
    assert rarity.score(rarity.worn(pink, NORTH)).p > 0.02
