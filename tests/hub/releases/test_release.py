"""Releases: near the truth for a crowd, blind to one person; and the test can fail: a planted leak is found."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from appliance.base.errors import Refused
from appliance.hub.records.audit import wilson
from appliance.hub.records.trends import LEAST, SHOWN
from appliance.hub.releases import forms
from appliance.hub.releases.release import PAIRS, Release, grid, laplace, movers, released
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import coarse
from appliance.hub.statistics.layout import LEVELS, STREET, IntArray
from appliance.protocol.values import AttributeVector, BoothId, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from tests.pages.day import _SHARES

BOOTH, UNIT = BoothId("corner"), UnitId("north")
PEOPLE = 20_000


def crowd(people: int = PEOPLE, seed: int = 5) -> IntArray:
    """Counts of a street in steps of five people, drawn word by word as the shares of the simulated day."""
    chance = np.random.default_rng(seed)
    counts = np.zeros((LEVELS, LEVELS))
    drawn = {}
    for name in SHOWN:
        levels = ATTRIBUTES[INDEX[name]].levels
        weights = np.array([_SHARES[name].get(word, 0.0) for word in levels])
        drawn[name] = STREET.offsets[INDEX[name]] + chance.choice(
            len(levels), people, p=weights / weights.sum()
        )
    for name in SHOWN:
        for other in SHOWN:
            np.add.at(counts, (drawn[name], drawn[other]), 1)
    return np.rint(counts / 5).astype(np.intp)


def release(counts: IntArray, *, epsilon: float = 1.0, month: str = "2026-11", **noise: Any) -> Release:
    return released(counts, booth=BOOTH, month=month, epsilon=epsilon, **noise)


def true_share(counts: IntArray, attributes: tuple[str, ...], words: tuple[str, ...]) -> float:
    """The share that a cell has in the counts themselves."""
    places = [STREET.block(INDEX[name]) for name in attributes]
    levels = [
        ATTRIBUTES[INDEX[name]].levels.index(word) for name, word in zip(attributes, words, strict=True)
    ]
    block = np.diag(counts)[places[0]] if len(places) == 1 else counts[places[0], places[1]]
    return float(block[tuple(levels)] / block.sum())


def test_shares_of_a_crowd_are_near_the_truth() -> None:
    """At epsilon 1 on 20,000 people the mean error of shares of 5 % and more, of pairs too, is below half a point."""
    counts = crowd()
    errors: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(20):
        for cell in release(counts).cells:
            true = 0.0 if cell.words[0] == "*" else true_share(counts, cell.attributes, cell.words)
            if true >= 0.05:
                errors[len(cell.attributes)].append(100 * abs(cell.share - true))
    for found in errors.values():
        assert len(found) > 150
        assert sum(found) / len(found) <= 0.5


def test_intervals_hold_what_they_say() -> None:
    """The share of the counts lies within the told interval in at least 95 of 100 cells."""
    counts = crowd()
    inside = Counter[bool]()
    for _ in range(10):
        for cell in release(counts).cells:
            if cell.words[0] != "*":
                inside[cell.low <= true_share(counts, cell.attributes, cell.words) <= cell.high] += 1
    assert inside[True] >= 0.95 * inside.total()


def touched(counts: IntArray, person: dict[str, str]) -> IntArray:
    """Counts with one sighting more, which moves each of its cells by a whole step: the worst that there is."""
    more = counts.copy()
    places = [
        STREET.offsets[INDEX[name]] + ATTRIBUTES[INDEX[name]].levels.index(word)
        for name, word in person.items()
    ]
    for one in places:
        for other in places:
            more[one, other] += 1
    return more


PERSON = {
    "top.colour": "yellow", "bottom.colour": "purple", "top.pattern": "figured", "bottom.pattern": "figured",
    "lower.kind": "shorts", "sleeves": "short", "outer": "none",
}  # fmt: skip


def found_out(noise: Any, *, epsilon: float, tries: int = 3000) -> float:
    """A lower bound of what the noise gives away about one person, in units of epsilon.

    The attacker sees the noisy cells before anything is suppressed, and guesses by their sum whether the person was
    counted. By Neyman and Pearson no guess is right more often than exp(epsilon) to 1; so the two rates of saying yes
    bound epsilon from below (Jagielski, Ullman and Oprea 2020), each with its 99.9 % interval.
    """
    distance = len(SHOWN)
    there, gone = [1] * distance, [0] * distance
    yes = {}
    for name, counts in (("there", there), ("gone", gone)):
        sums = [sum(noise(counts, distance, epsilon)) for _ in range(tries)]
        yes[name] = sum(one > distance / 2 for one in sums)
    z = NormalDist().inv_cdf(0.999)
    least, most = wilson(yes["there"], tries, z)[0], wilson(yes["gone"], tries, z)[1]
    return math.log(least / most) if least > most else 0.0


def test_one_person_more_or_less_is_not_found_out() -> None:
    """The best guess about one sighting gains no more than epsilon says; the whole of it, and a fifth."""
    for epsilon in (1.0, 0.2):
        assert found_out(laplace, epsilon=epsilon) <= epsilon


def leaking(counts: Sequence[int], distance: int, epsilon: float) -> list[int]:
    """A noise that forgets that one person touches several cells: a fault that one could well make."""
    return laplace(counts, 1, 4 * epsilon) if distance else []


def test_a_planted_leak_is_found_by_the_same_attack() -> None:
    """With too little noise the same attack finds the person: the test above can fail."""
    assert found_out(leaking, epsilon=1.0) > 1.0


def test_the_noise_refuses_a_price_that_it_cannot_keep() -> None:
    """The library itself checks that the scale is enough; one person touches one cell of each attribute and pair."""
    counts = crowd(2000)
    more = touched(counts, PERSON)
    singles = sum(int(np.abs(np.diag(more - counts)[STREET.block(INDEX[name])]).sum()) for name in SHOWN)
    pairs = sum(
        int(np.abs((more - counts)[STREET.block(INDEX[one]), STREET.block(INDEX[other])]).sum())
        for one, other in PAIRS
    )
    assert (singles, pairs) == (len(SHOWN), len(PAIRS))


def test_a_stored_baseline_moves_by_one_step_for_one_person_over_restarts() -> None:
    """With one sighting more, ten days and ten restarts later no cell of the grid differs by more than one step."""
    chance = random.Random(2)  # noqa: S311 - a test's chance
    day = 86_400.0
    grids = []
    for extra in (0, 1):
        chance.seed(2)
        baseline = Baseline()
        for at in range(10):
            for _ in range(60):
                words = {
                    name.replace(".", "_"): chance.choice(ATTRIBUTES[INDEX[name]].levels[:2])
                    for name in SHOWN
                }
                baseline.update(AttributeVector.of(**words), UNIT, Seconds(at * day + 100))
            if extra and at == 3:
                person = {name.replace(".", "_"): word for name, word in PERSON.items()}
                baseline.update(AttributeVector.of(**person), UNIT, Seconds(at * day + 200))
            state = coarse(baseline.state())
            baseline = Baseline(state=state)
        grids.append(grid(state))
    assert np.abs(grids[0] - grids[1]).max() <= 1


def subtracted(before: IntArray, after: IntArray, **noise: Any) -> bool:
    """Whether subtracting two releases says rightly that the second has one sighting more: all that they publish."""
    totals = [
        sum(cell.people for cell in release(counts, **noise).cells if len(cell.attributes) == 1)
        for counts in (before, after)
    ]
    return totals[1] > totals[0]


def test_two_releases_cannot_be_subtracted_to_one_person() -> None:
    """The difference of all that two releases publish says who came in between hardly better than a coin.

    The bound is that of two releases; without noise the same subtraction is always right, suppressed cells or not.
    """
    before = crowd(4000)
    after = touched(before, PERSON)
    assert all(
        subtracted(before, after, noise=lambda counts, _distance, _epsilon: list(counts)) for _ in range(3)
    )
    tries = 60
    right = sum(subtracted(before, after) for _ in range(tries))
    assert right / tries <= math.exp(2.0) / (1 + math.exp(2.0))


def test_cells_of_few_people_are_not_published() -> None:
    """In sixty releases hardly a cell of fewer people than the rule is published, and none of less by its number."""
    counts = crowd(4000)
    small = cells = 0
    for _ in range(60):
        for cell in release(counts).cells:
            if len(cell.attributes) == 1 and cell.words[0] != "*":
                place = STREET.offsets[INDEX[cell.attributes[0]]]
                level = ATTRIBUTES[INDEX[cell.attributes[0]]].levels.index(cell.words[0])
                small += 5 * counts[place + level, place + level] < LEAST
                cells += 1
                assert cell.people >= LEAST
    assert small <= 0.025 * cells


def test_a_release_is_read_again_from_its_files(tmp_path: Path) -> None:
    """JSON comes back as it was; CSV and Parquet hold the same rows; what is no release is refused."""
    made = release(crowd())
    again = forms.read(forms.as_json(made), "file")
    assert [cell.words for cell in again.cells] == [cell.words for cell in made.cells]
    assert forms.as_json(again) == forms.as_json(made)
    rows = list(csv.DictReader(io.StringIO(forms.as_csv(made).decode())))
    assert [row["word"] for row in rows] == ["+".join(cell.words) for cell in made.cells]
    (tmp_path / "release.parquet").write_bytes(forms.as_parquet(made))
    table = pq.read_table(tmp_path / "release.parquet").to_pylist()
    assert [row["people"] for row in table] == [int(row["people"]) for row in rows]
    for garbage in (b"", b"[]", b'{"cells": [{}]}', json.dumps({"v": 1, "cells": 3}).encode()):
        with pytest.raises(Refused):
            forms.read(garbage, "file")


def test_what_moved_for_certain_is_told_on_the_page() -> None:
    """A colour that doubled stands among what changed; the page loads nothing and names its price and limits."""
    before = release(crowd(), month="2026-10")
    counts = crowd()
    block = STREET.offsets[INDEX["top.colour"]]
    black = block + ATTRIBUTES[INDEX["top.colour"]].levels.index("black")
    counts[black, black] //= 3
    now = release(counts)
    moved = movers(now, before)
    assert ("black",) in {one.cell.words for one in moved}
    page = forms.as_page(now, moved, before.month).decode()
    assert "▼ <strong>top colour: black</strong>" in page
    assert "ε = 1" in page
    assert "seen twice counts twice" in page
    assert not any(word in page for word in ("http", "src=", "<script", "@import", "url("))
