"""Right, unknown and wrong words after six glances, by attribute and true word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from appliance.protocol.values import AttributeVector
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX, Confidence
from appliance.unit.vision.attributes.fusion import View, describe
from appliance.unit.vision.attributes.reading import readings
from tests.bench.words.looked import Person

Cell = tuple[str, str]
FEW = 10
"""Words of which fewer garments were seen are not in the mean."""
PACE = 0.5
"""Seconds between two glances."""


def described(person: Person) -> AttributeVector:
    """What the unit says of a person by the shipped prior."""
    views = [View(at=PACE * number, height=one.height) for number, one in enumerate(person.glances)]
    return describe([readings(one) for one in person.glances], views=views)


def pooled(name: str) -> str:
    """Both halves of the body count together."""
    return name.rsplit(".", maxsplit=1)[-1] if name.startswith(("top.", "bottom.")) else name


def counted(
    people: Sequence[Person], say: Callable[[Person], AttributeVector] = described
) -> dict[Cell, Counter[str]]:
    """By attribute and true word: n, right, unknown, sure, sure_wrong, and every wrong word."""
    found: dict[Cell, Counter[str]] = defaultdict(Counter)
    for person in people:
        if not person.glances:
            continue
        vector = say(person)
        for name, truth in person.truth.items():
            cell, word = found[pooled(name), truth], vector.word(name)
            sure = vector.readings[INDEX[name]].confidence is Confidence.SURE
            cell["n"] += 1
            cell["right"] += word == truth
            cell["unknown"] += word == "unknown"
            cell["sure"] += sure
            cell["sure_wrong"] += sure and word != truth
            if word not in {truth, "unknown"}:
                cell[f"as {word}"] += 1
    return found


def show(found: dict[Cell, Counter[str]]) -> None:
    """Print a row per word, then what second colours and main colours come to."""
    for name in dict.fromkeys(pooled(one.name) for one in ATTRIBUTES):
        levels = next(one.levels for one in ATTRIBUTES if pooled(one.name) == name)
        for word in levels:
            if cell := found.get((name, word)):
                _row(name, word, cell)
    _seconds(found)
    _colours(found)


def _row(name: str, word: str, cell: Counter[str]) -> None:
    n, sure = cell["n"], cell["sure"]
    wrong = ", ".join(f"{key[3:]} {count}" for key, count in cell.most_common() if key.startswith("as "))
    print(
        f"  {name:11} {word:14} n {n:4}  right {cell['right'] / n:.2f}  unknown {cell['unknown'] / n:.2f}"
        f"  SURE {sure / n:.2f}, of them wrong {cell['sure_wrong'] / max(1, sure):.3f}  {wrong}"
    )


def _seconds(found: dict[Cell, Counter[str]]) -> None:
    seconds = [cell for (name, word), cell in found.items() if name == "accent" and word != "none"]
    plain = found.get(("accent", "none"), Counter())
    n, nothing = max(1, sum(one["n"] for one in seconds)), max(1, plain["n"])
    false = sum(count for key, count in plain.items() if key.startswith("as "))
    some = sum(one["n"] - one["unknown"] - one["as none"] for one in seconds)
    right, missed = (sum(one[key] for one in seconds) for key in ("right", "as none"))
    print(
        f"  second colours: n {n}, said rightly {right / n:.2f}, some colour said {some / n:.2f}, none said"
        f" {missed / n:.2f}; where none is worn (n {plain['n']}) some said {false / nothing:.3f},"
        f" SURE {plain['sure_wrong'] / nothing:.4f}"
    )


def _colours(found: dict[Cell, Counter[str]]) -> None:
    colours = [cell for (name, _), cell in found.items() if name == "colour"]
    shares = [cell["right"] / cell["n"] for cell in colours if cell["n"] >= FEW]
    sure, wrong = (sum(cell[key] for cell in colours) for key in ("sure", "sure_wrong"))
    print(
        f"  colours with n >= {FEW}: mean right {sum(shares) / max(1, len(shares)):.3f},"
        f" least {min(shares, default=0):.2f}; SURE and wrong {wrong / max(1, sure):.3f}"
    )
