"""The recipe of ``confusion_tables.py``: confusion measured on the choice people, and written as that module.

Every garment counts once, however many glances at it there are. A matrix of one size is blended with that of all
sizes as if ``BLEND`` garments of each word came from there; every cell has ``LEAST`` of a garment beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from appliance.protocol.vocabulary import ATTRIBUTES, COLOURS, INDEX
from appliance.unit.vision.attributes.confusion import BANDS, band
from appliance.unit.vision.attributes.second_colour import FEATURES, Second
from tests.bench.words.looked import Person

Floats = npt.NDArray[np.float64]
UNIT = 10_000
LEAST = 0.3
BLEND = 20.0
SIZES = len(BANDS) + 1
KINDS = ("lower.kind", "sleeves", "outer", "feet.colour")
_ROUNDS, _STEP, _RIDGE = 4000, 1.0, 1e-4


class Table:
    """Counts of one attribute's measurements by size, true word and measured word."""

    def __init__(self, levels: int) -> None:
        self.levels = levels
        self.rows: list[tuple[int, int, float, Floats]] = []

    def add(self, size: int, word: int, weight: float, shares: Sequence[float]) -> None:
        """One glance; ``weight`` is one over the number of glances at the garment."""
        self.rows.append((size, word, weight, np.array(shares)))

    def clear_from(self) -> Floats:
        """By word, the middle share of those measurements of it that are right."""
        found: list[list[float]] = [[] for _ in range(self.levels)]
        for _, word, _, shares in self.rows:
            if int(shares.argmax()) == word:
                found[word].append(float(shares.max()))
        return np.array([np.median(one) if one else 0.9 for one in found])

    def faultless_from(self) -> Floats:
        """By word, just above the largest share of a measurement of it that was wrong."""
        found = self.clear_from()
        for _, word, _, shares in self.rows:
            read = int(shares.argmax())
            if read != word:
                found[read] = max(found[read], shares[read] + 0.001)
        return np.minimum(found, 0.999)

    def matrices(self) -> dict[str, Floats]:
        """``clear_from`` (levels,), ``clear`` and ``every`` (sizes, levels, levels)."""
        borders = self.clear_from()
        clear, every = np.zeros((2, SIZES, self.levels, self.levels))
        count = np.zeros((SIZES, self.levels))
        for size, word, weight, shares in self.rows:
            read = int(shares.argmax())
            count[size, word] += weight
            every[size, word] += weight * shares
            if shares[read] >= borders[read]:
                clear[size, word, read] += weight
        return {
            "clear_from": borders,
            "faultless_from": self.faultless_from(),
            "clear": self._blended(clear, count),
            "every": self._blended(every, count),
        }

    def _blended(self, cells: Floats, count: Floats) -> Floats:
        together = (cells.sum(axis=0) + LEAST) / (count.sum(axis=0) + self.levels * LEAST)[:, np.newaxis]
        return np.array((cells + BLEND * together) / (count + BLEND)[..., np.newaxis])


def tables(people: Sequence[Person]) -> dict[str, Table]:
    """By attribute (both colours together as ``colour``), all measurements of people whose truth is known."""
    found = {"colour": Table(len(COLOURS)), "second": Table(len(COLOURS))}
    found |= {name: Table(len(ATTRIBUTES[INDEX[name]].levels)) for name in KINDS}
    for person in people:
        for glance in person.glances:
            for name, shares in glance.shares:
                truth = person.truth.get(name)
                kind = "colour" if name.endswith(("top.colour", "bottom.colour")) else name
                # The kinds of drawn people are what the network was trained on: only photos say how it errs.
                if truth and kind in found and (kind == "colour" or person.source == "photo"):
                    word = ATTRIBUTES[INDEX[name]].levels.index(truth)
                    found[kind].add(band(glance.height), word, 1 / len(person.glances), shares)
            for name, second in glance.seconds:
                truth = person.truth.get(name, "none")
                if second is not None and truth != "none":
                    word = COLOURS.index(truth)
                    found["second"].add(band(glance.height), word, 1 / len(person.glances), second.names)
    return found


def seconds(people: Sequence[Person]) -> list[tuple[str, float, Second | None]]:
    """True second colour ("none" too), weight, and what a glance found."""
    return [
        (person.truth[name], 1 / len(person.glances), found)
        for person in people
        for glance in person.glances
        for name, found in glance.seconds
        if name in person.truth
    ]


def presence(rows: Sequence[tuple[str, float, Second | None]]) -> tuple[Floats, float]:
    """Weights of the features, and the log odds where no second colour is found at all."""
    found = [(truth != "none", weight, one.features) for truth, weight, one in rows if one is not None]
    there = np.array([truth for truth, _, _ in found], float)
    inputs = np.array([features for _, _, features in found])
    weight = np.array([weight for _, weight, _ in found])
    weight = np.where(there > 0, weight / weight[there > 0].sum(), weight / weight[there == 0].sum()) / 2
    fitted, speed = np.zeros(FEATURES), np.zeros(FEATURES)
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-inputs @ fitted))
        speed = 0.9 * speed - _STEP * (inputs.T @ ((chance - there) * weight) + _RIDGE * fitted)
        fitted = fitted + speed
    # The classes were made equal among those in whom something was found: put back how often that is.
    some = {
        side: sum(w for truth, w, one in rows if (truth != "none") is side and one is not None)
        / sum(w for truth, w, _ in rows if (truth != "none") is side)
        for side in (True, False)
    }
    fitted[0] += np.log(some[True] / some[False])
    return fitted, float(np.log((1 - some[True] + 0.01) / (1 - some[False] + 0.01)))


def module(people: Sequence[Person], command: str) -> str:
    """The text of ``confusion_tables.py``."""
    found = {name: table.matrices() for name, table in tables(people).items()}
    rows = seconds(people)
    weights, nothing = presence(rows)
    lines = [
        '"""Measured confusion, written by its recipe: ``' + command + "``.",
        "",
        "Chances in ten thousandths, rows the true word, columns the measured one, in the vocabulary's order; sizes",
        "near, middle, far (``confusion.BANDS``). What was measured on: models_tflite/garments.md.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "# fmt: off",
        f"UNIT: Final = {UNIT}",
        f"NO_SECOND: Final = {nothing:.3f}",
        f"SECOND_WEIGHTS: Final = ({', '.join(f'{one:.3f}' for one in weights)})",
        *_borders("CLEAR_FROM", "clear_from", found),
        *_borders("FAULTLESS_FROM", "faultless_from", found),
        *_sizes("CLEAR", "clear", found),
        *_sizes("EVERY", "every", found),
        "# fmt: on",
    ]
    return "\n".join(lines) + "\n"


def _borders(constant: str, key: str, found: dict[str, dict[str, Floats]]) -> list[str]:
    rows = [
        f'    "{name}": ({", ".join(f"{one:.3f}" for one in each[key])}),' for name, each in found.items()
    ]
    return [f"{constant}: Final[dict[str, tuple[float, ...]]] = {{", *rows, "}"]


def _sizes(constant: str, key: str, found: dict[str, dict[str, Floats]]) -> list[str]:
    lines = [f"{constant}: Final[dict[str, tuple[tuple[tuple[int, ...], ...], ...]]] = {{"]
    for name, each in found.items():
        matrices = ", ".join(_matrix(one, "    ") for one in each[key])
        lines.append(f'    "{name}": ({matrices}),')
    return [*lines, "}"]


def _matrix(rows: Floats, indent: str) -> str:
    inner = "".join(f"\n{indent}    {_row(one)}," for one in rows)
    return f"({inner}\n{indent})"


def _row(chances: Floats) -> str:
    return f"({', '.join(str(max(1, round(UNIT * float(one)))) for one in chances)})"


def write(people: Sequence[Person], path: Path, command: str) -> None:
    """Measure on ``people`` and write the module."""
    path.write_text(module(people, command), encoding="ascii")
