"""Each parser of untrusted bytes with some hundred made-up inputs, the same each time; ``make fuzz`` is the long run.

What a campaign found is in ``cases.txt`` for good. A minute for each parser would not fit the suite's ten minutes.
"""

from __future__ import annotations

import random
from typing import Final

import pytest

from tests.fuzz.mutate import mutated
from tests.fuzz.target import GROWTH_BYTES, Target, TooSlow, bounded, check, held, kept, targets

INPUTS: Final = 400
TARGETS: Final = targets()
CASES: Final = [(name, data) for name, found in kept("cases.txt").items() for data in found]


@pytest.mark.parametrize("one", TARGETS.values(), ids=TARGETS)
def test_whatever_comes_is_read_or_refused(one: Target) -> None:
    """Made-up inputs raise nothing but the documented error, in one line, in bounded time and memory."""
    seeds = one.seeds()
    corpus = [*seeds, *kept("corpus.txt").get(one.name, ())]
    dice = random.Random(one.name)  # noqa: S311 - the same inputs each time
    made = [mutated(dice.choice(corpus), dice, corpus) for _ in range(INPUTS // one.slow)]
    for data in corpus:
        check(one, data)
    before = held()
    for data in made:
        with bounded():
            check(one, data)
    assert held() - before < GROWTH_BYTES


@pytest.mark.parametrize(("name", "data"), CASES, ids=[f"{name}-{at}" for at, (name, _) in enumerate(CASES)])
def test_what_a_campaign_found_is_mended(name: str, data: bytes) -> None:
    """Every input that once broke a parser is read or refused today."""
    with bounded():
        check(TARGETS[name], data)


def _wrong(data: bytes) -> None:
    if data == b"slow":
        while True:
            pass
    raise ValueError(data)


def test_a_find_is_seen() -> None:
    """An error that is not documented, and an input that never ends, both come out of the check."""
    one = Target(name="wrong", run=_wrong, raises=(), seeds=list)
    with pytest.raises(ValueError, match="any"):
        check(one, b"any")
    with pytest.raises(TooSlow), bounded(0.1):
        check(one, b"slow")
