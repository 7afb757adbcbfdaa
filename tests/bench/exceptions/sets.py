"""Public outlier sets as rows and labels: ADBench's numeric ones by its protocol, categorical ones from ARFF."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FEWEST, MOST = 1000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeric:
    """A set cut for one seed: what is learnt from (without labels) and what is scored; columns scaled to [0, 1]."""

    name: str
    learn: NDArray[np.float64]
    rows: NDArray[np.float64]
    odd: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorical:
    """A set as levels from 0, -1 where unknown; it is learnt from and scored as a whole."""

    name: str
    rows: NDArray[np.int32]
    sizes: tuple[int, ...]
    odd: NDArray[np.bool_]


def numeric(path: Path, seed: int) -> Numeric:
    """ADBench's protocol (Han et al. 2022): duplicate to 1,000, subsample to 10,000, 70/30 stratified, min-max."""
    chance = np.random.default_rng(seed)
    with np.load(path, allow_pickle=False) as stored:
        rows, odd = stored["X"].astype(np.float64), stored["y"].astype(bool).reshape(-1)
    if len(rows) < FEWEST:
        drawn = chance.choice(len(rows), FEWEST)
        rows, odd = rows[drawn], odd[drawn]
    elif len(rows) > MOST:
        drawn = chance.choice(len(rows), MOST, replace=False)
        rows, odd = rows[drawn], odd[drawn]
    learn = np.zeros(len(rows), dtype=bool)
    for label in (False, True):
        members = chance.permutation(np.flatnonzero(odd == label))
        learn[members[: round(0.7 * len(members))]] = True
    low, high = rows[learn].min(axis=0), rows[learn].max(axis=0)
    scaled = (rows - low) / np.where(high > low, high - low, 1.0)
    return Numeric(name=path.stem, learn=scaled[learn], rows=scaled[~learn], odd=odd[~learn])


def categorical(path: Path, seed: int, most: int = MOST) -> Categorical:
    """A set from an ARFF file (gzipped or not), the last column the label, in seeded order; rarer label = odd."""
    with (
        gzip.open(path, "rt", errors="replace")
        if path.suffix == ".gz"
        else path.open(errors="replace") as lines
    ):
        table = np.array(list(_rows(lines)))
    labels, which, number = np.unique(table[:, -1], return_inverse=True, return_counts=True)
    chance = np.random.default_rng(seed)
    drawn = chance.permutation(len(table))[:most]
    columns = []
    sizes = []
    for cells in table[:, :-1].T:
        words, levels = np.unique(cells, return_inverse=True)
        columns.append(np.where((words == "?")[levels], -1, levels))
        sizes.append(len(words))
    odd = which == np.argmin(number)
    del labels
    return Categorical(
        name=path.name.split(".")[0],
        rows=np.array(columns, dtype=np.int32).T[drawn],
        sizes=tuple(sizes),
        odd=odd[drawn],
    )


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    for line in lines:
        if line.strip().lower() == "@data":
            break
    for row in csv.reader(lines, quotechar="'", skipinitialspace=True):
        if row and not row[0].startswith("%"):
            yield [cell.strip() for cell in row]
