"""A categorical table as read from a CSV file: one column per attribute, an empty cell where nothing is known.

Invariants:
    * What cannot be read is refused with the line, the column and how to fix it; nothing is guessed.
    * A column without a name (the row numbers that some programs put first) is left out.
    * Every word is a level, numbers too: no word is nearer to another (``number_bins`` comes later).
    * One pass, one dictionary a column: a row is kept as small integers, its text is not.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from appliance.base.errors import Unfit
from appliance.hub.batch.stream import Fold, Rows
from appliance.hub.statistics.layout import Layout
from appliance.settings.streams import text_input

MOST_COLUMNS: Final = 2048
MOST_LEVELS: Final = 1024
"""The pair counts hold this many levels in all; the seldom ones of the largest columns are one level there."""
USUALLY: Final = 5
FEW: Final = 50
_DELIMITERS: Final = (",", ";", "\t", "|")


class Words(dict[str, int]):
    """The words of a column in order of appearance; a new word is a new level. Blank cells are -1."""

    def __init__(self, unknown: Sequence[str] = ()) -> None:
        super().__init__({"": -1, **dict.fromkeys(unknown, -1)})
        self.labels: list[str] = []

    def __missing__(self, word: str) -> int:
        plain = word.strip()
        if plain != word:
            level = self[plain]
        else:
            level = len(self.labels)
            self.labels.append(word)
        self[word] = level
        return level


@dataclass(slots=True, kw_only=True)
class Codebook:
    """The columns that count, and their words; shared by the tables that are read with it."""

    names: tuple[str, ...] = ()
    words: list[Words] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def layout(self) -> Layout:
        """The layout of all words met so far."""
        return Layout.of([max(1, len(words.labels)) for words in self.words])

    def label(self, column: int, level: int) -> str:
        """A cell in words."""
        return f"{self.names[column]} = {self.words[column].labels[level]}"


def read(path: Path, book: Codebook) -> Rows:
    """The rows of a CSV file, (n, columns) levels from 0, -1 where unknown; ``book`` learns its words.

    The first table read names the columns; others must have the same, in any order. Unfit where it cannot be read.
    """
    try:
        with text_input(path) as lines:
            return _rows(lines, str(path), book)
    except OSError as error:
        raise Unfit(
            f"cannot read the file: {error.strerror}", where=str(path), fix="give the path of a CSV file"
        ) from error
    except UnicodeDecodeError as error:
        raise Unfit(
            f"byte {error.object[error.start]:#04x} is not UTF-8 text",
            where=str(path),
            fix="save the table as CSV UTF-8",
        ) from error
    except csv.Error as error:
        raise Unfit(str(error), where=str(path), fix="save the table as plain CSV") from error


def _rows(lines: TextIO, where: str, book: Codebook) -> Rows:
    first = lines.readline()
    if not first.strip():
        raise Unfit("line 1 is empty", where=where, fix="let it name the columns, such as top,sleeves,shoes")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=delimiter)
    header = [name.strip() for name in next(reader)]
    order = _columns(header, where, book)
    words = [book.words[place] for place in range(len(order))]
    cells = array("i")
    straight = order == list(range(len(header)))
    width = len(header)
    for row in reader:
        if len(row) != width:
            if not any(cell.strip() for cell in row):
                continue
            raise Unfit(
                f"line {reader.line_num} has {len(row)} cells, the header names {width} columns",
                where=where,
                fix=f"add or remove a {delimiter!r}, or put the cell that holds one in double quotes",
            )
        if straight:
            cells.extend([levels[cell] for levels, cell in zip(words, row, strict=True)])
        else:
            cells.extend([levels[row[place]] for levels, place in zip(words, order, strict=True)])
    if not cells:
        raise Unfit("there is a header but no row", where=where, fix="add rows below line 1")
    return np.array(cells, dtype=np.int32).reshape(-1, len(order))


def _columns(header: list[str], where: str, book: Codebook) -> list[int]:
    """Where in the file each column of the book stands."""
    for place, name in enumerate(header):
        if name and name in header[:place]:
            raise Unfit(f"two columns are called {name!r} in line 1", where=where, fix="rename one of them")
    if not book.names:
        for name in book.ignored:
            if name not in header:
                raise Unfit(f"no column {name!r} to ignore", where=where, fix=f"name one of {_some(header)}")
        book.names = tuple(name for name in header if name and name not in book.ignored)
        book.words = [Words(book.unknown) for _ in book.names]
    if not 2 <= len(book.names) <= MOST_COLUMNS:
        raise Unfit(
            f"{len(book.names)} column(s) to look at, not 2 to {MOST_COLUMNS}",
            where=where,
            fix="give more or fewer, separated by commas, semicolons, tabs or bars",
        )
    missing = [name for name in book.names if name not in header]
    if missing:
        raise Unfit(
            f"no column {missing[0]!r}",
            where=where,
            fix=f"give baseline and table the same columns: {_some(book.names)}",
        )
    return [header.index(name) for name in book.names]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def fold_of(rows: Rows, layout: Layout) -> Fold | None:
    """How to fold the seldom levels so that ``MOST_LEVELS`` hold all pairs; None where nothing is folded.

    Columns share the room as water fills vessels: small columns are never folded. Where the levels of a column occur
    less than ``USUALLY`` times on average, those that occur less often are one level: names, numbers, dates.
    """
    room, most = MOST_LEVELS, 2
    for left, size in zip(range(layout.attributes, 0, -1), sorted(layout.sizes), strict=True):
        most = max(2, room // left)
        room -= min(size, most)
    places = []
    for column, size in enumerate(layout.sizes):
        levels = rows[:, column]
        counts = np.bincount(levels[levels >= 0], minlength=size)
        kept = min(size, most - 1) if size > most else size
        if size > FEW and size * USUALLY > counts.sum():
            kept = min(kept, int((counts >= USUALLY).sum()))
        place = np.full(size, kept, dtype=np.intp)
        place[np.argsort(-counts, kind="stable")[:kept]] = np.arange(kept)
        places.append(place)
    fold = Fold(places=tuple(places))
    return fold if fold.sizes != layout.sizes else None


def like_names(rows: Rows, book: Codebook) -> Iterator[str]:
    """The columns in which nearly every row has a word of its own."""
    for column, words in enumerate(book.words):
        known = int((rows[:, column] >= 0).sum())
        if known >= 100 and len(words.labels) * 2 > known:
            yield book.names[column]
