from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from appliance.demo.street.outfits import Season, bustle, ordinary, whimsical
from appliance.demo.street.simulator import WHIMSY_EVERY, passers_by, yesterday
from appliance.protocol.values import Seconds

PEOPLE = 4000


def shares(name: str, season: Season) -> dict[str, float]:
    """Share of each word among those who are known."""
    dice = random.Random(3)  # noqa: S311 - seeded on purpose
    words = Counter(ordinary(dice, season).vector.word(name) for _ in range(PEOPLE))
    del words["unknown"]
    return {word: count / words.total() for word, count in words.items()}


def test_the_street_wears_what_streets_wear() -> None:
    """Dark and muted tops, blue and dark trousers, four in five garments plain, long sleeves when it is cold."""
    tops, bottoms = shares("top.colour", Season.COLD), shares("bottom.colour", Season.COLD)
    assert tops["black"] + tops["grey"] + tops["blue"] > 0.65
    assert bottoms["blue"] + bottoms["black"] + bottoms["grey"] > 0.85
    assert 0.78 < shares("top.pattern", Season.COLD)["plain"] < 0.9
    assert shares("sleeves", Season.COLD)["long"] > 0.97
    assert shares("sleeves", Season.WARM)["short"] > 0.4


def test_top_and_bottom_go_together() -> None:
    """Blue below a black top is rarer than the shares alone would have it: outfits are not dice of their own."""
    dice = random.Random(4)  # noqa: S311 - seeded on purpose
    pairs = Counter(
        (passer.vector.word("top.colour"), passer.vector.word("bottom.colour"))
        for passer in (ordinary(dice, Season.COLD) for _ in range(PEOPLE))
    )
    known = {pair: count for pair, count in pairs.items() if "unknown" not in pair}
    total = sum(known.values())
    black_top = sum(count for (top, _), count in known.items() if top == "black") / total
    black_below = sum(count for (_, bottom), count in known.items() if bottom == "black") / total
    assert known["black", "black"] / total > 1.25 * black_top * black_below


@pytest.mark.parametrize("season", list(Season))
def test_every_outfit_is_in_the_vocabulary(season: Season) -> None:
    """Ordinary or whimsical, in any season, every outfit is an attribute vector, and whims are seen well."""
    dice = random.Random(5)  # noqa: S311 - seeded on purpose
    for _ in range(300):
        assert ordinary(dice, season).vector.code >= 0
        assert whimsical(dice, season).vector.known >= 3


def test_the_same_seed_gives_the_same_street() -> None:
    """Two streets of one seed are the same people in the same order; another seed is another street."""

    def people(seed: int) -> list[int]:
        street = passers_by(random.Random(seed), Season.MILD)  # noqa: S311 - seeded on purpose
        return [passer.vector.code for passer in islice(street, 200)]

    assert people(1) == people(1)
    assert people(1) != people(2)


def test_whims_come_at_the_announced_distance() -> None:
    """Somebody dressed unlike the others comes soon, and then once in about so many."""
    street = passers_by(random.Random(6), Season.COLD)  # noqa: S311 - seeded on purpose
    places = [place for place, passer in enumerate(islice(street, 3000)) if passer.whimsical]
    assert places[0] < 20
    assert 3000 / len(places) == pytest.approx(WHIMSY_EVERY, rel=0.1)


def test_yesterday_is_in_order_honest_and_less_than_a_day() -> None:
    """The street's past is told in order, ends before now, is younger than a day, and follows the hours."""
    until = Seconds(1_760_000_000.0)
    past = yesterday(random.Random(7), 1000, until)  # noqa: S311 - seeded on purpose
    instants = [passing.seen_at for passing in past]
    assert instants == sorted(instants)
    assert until - 24 * 3600 < instants[0]
    assert instants[-1] <= until
    assert sum(bustle(hour) for hour in range(24)) == pytest.approx(24)
