"""``leftfield score``: how rare is each row of a categorical table, and why. For analysts; nothing of it is stored.

Invariants:
    * The same statistics as at the booth, on any table; see ``batch``.
    * Without a baseline a row is judged by the rows above it; with one, by the baseline alone.
    * A number in a reason is never overstated; a usual row has no reason.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from appliance.base.errors import Unfit
from appliance.hub.batch.csv_table import Codebook, fold_of, like_names, read
from appliance.hub.batch.number_bins import NumberColumn, bin_columns
from appliance.hub.batch.stream import LENS_OF, Rows, Scores, Stream
from appliance.hub.statistics import confidence
from appliance.hub.statistics.layout import FloatArray
from appliance.hub.statistics.lenses.lenses import Look
from appliance.hub.statistics.lenses.score_tables import TIMES
from appliance.hub.statistics.reasons import ALSO, MOST_NAMED, one_in
from appliance.protocol.values import Seconds
from appliance.settings import cli_arguments
from appliance.settings.progress import Progress
from appliance.settings.streams import STANDARD, text_output

COLUMNS: Final = ("row", "score", "p", "reason", "lens")
EXPLAINED: Final = 0.1
"""Rows up to this p get a reason."""
_FLAGGED: Final = 0.01
_NOW: Final = Seconds(0.0)

ABOUT: Final = "how rare each row of a categorical table is, and why"
EXAMPLE: Final = """leftfield score --table outfits.csv --out scored.csv
  leftfield score --table today.csv --baseline last-week.csv --ignore id | sort -t, -k2 -rn | head

the table: CSV (comma, semicolon, tab or bar; UTF-8) with one line of names, one column per attribute, an empty cell
  where nothing is known. Every word is a value; a column of more than 24 different numbers is cut into ranges at its
  quantiles (the baseline's, if there is one), narrow at both ends, as is said on standard error. 2 to 2,048 columns
  (one without a name is left out); the order of the rows is their order in time.

    top,sleeves,shoes
    black,long,dark
    yellow,,light

the result, a line for each row:
  row     number of the row, from 1
  score   bits of rarity; the higher the rarer. Sort by it
  p       calibrated: a share p of ordinary rows is as rare as this one or rarer. 0.01 is a sensible limit
  reason  in words, where p is up to --explain: the rarest value, two values that seldom go together, or the whole
          row. "1 in N or fewer" is a 95 % bound; no number is given where fewer than five rows would share it
  lens    which look saw most: single, pair or whole

Without --baseline each row is judged by the rows above it, then learnt: the first few hundred rows can hardly be
rare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions:
    """What was asked for; ``-`` is standard input or output."""

    table: Path
    baseline: Path | None = None
    out: Path = STANDARD
    as_json: bool = False
    ignored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    explain: float = EXPLAINED
    words: bool = False


def add_parsers(subparsers: cli_arguments.Subparsers) -> None:
    """The word ``score`` of the command line."""
    parser = cli_arguments.word(subparsers, "score", ABOUT, EXAMPLE)
    parser.add_argument(
        "--table", type=Path, required=True, metavar="FILE.csv", help="the rows to score; - is standard input"
    )
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE.csv",
        help="rows to learn from first; then the table teaches nothing",
    )
    parser.add_argument(
        "--out", type=Path, default=STANDARD, metavar="FILE.csv", help="where to (default: standard output)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of CSV")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="COLUMN", help="leave a column out; may be repeated"
    )
    parser.add_argument(
        "--unknown", action="append", default=[], metavar="WORD",
        help="a word that stands for an empty cell, such as '?'; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--explain",
        type=cli_arguments.share,
        default=EXPLAINED,
        metavar="P",
        help="give a reason up to this p (default: %(default)s)",
    )
    parser.add_argument(
        "--words",
        action="store_true",
        help="every number is a word: do not cut columns of numbers into ranges",
    )
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    return main(
        ScoreOptions(
            table=given.table,
            baseline=given.baseline,
            out=given.out,
            as_json=given.json,
            ignored=tuple(given.ignore),
            unknown=tuple(given.unknown),
            explain=given.explain,
            words=given.words,
        )
    )


def main(options: ScoreOptions) -> int:
    """Score a table; 0 when it is written. Unfit where the table, the baseline or the result's place will not do."""
    begun = time.perf_counter()
    for given in (options.table, options.baseline):
        if (
            STANDARD not in {options.out, given}
            and given
            and options.out.exists()
            and options.out.samefile(given)
        ):
            raise Unfit("is read from", where=str(options.out), fix="give another --out")
    book = Codebook(ignored=options.ignored, unknown=options.unknown)
    learnt = None if options.baseline is None else read(options.baseline, book)
    rows = read(options.table, book)
    if options.words:
        binned: dict[str, NumberColumn] = {}
    elif learnt is None:
        binned, (rows,) = bin_columns(book, rows, ())
    else:
        binned, (learnt, rows) = bin_columns(book, learnt, (rows,))
    for name, column in binned.items():
        _note(
            f"column {name!r} holds numbers: {column.size} ranges, from {column.told()} (--words leaves them)"
        )
    for name in like_names(rows, book):
        _note(
            f"column {name!r} has a value of its own in nearly every row; if it is a name, add --ignore {name}"
        )
    layout = book.layout()
    fold = fold_of(rows if learnt is None else learnt, layout)
    stream = Stream(layout, fold, numbers=2 * len(binned) > len(book.names))
    if learnt is not None:
        stream.score_and_learn(learnt)
    with text_output(options.out) as out:
        write = _json_lines if options.as_json else _csv_lines
        results = _results(stream, rows, book, options.explain, learn=learnt is None)
        flagged = write(_followed(results, len(rows)), out)
    taken = time.perf_counter() - begun
    _note(
        f"{len(rows):,} rows of {len(book.names)} columns in {taken:.1f} s; {flagged:,} with p up to {_FLAGGED:g} "
        f"({flagged / len(rows):.2%})"
    )
    return 0


def _note(line: str) -> None:
    sys.stderr.write(f"leftfield score: {line}\n")


def _followed(results: Iterator[Result], total: int) -> Iterator[Result]:
    """The same results, with progress on standard error."""
    progress = Progress("leftfield score", total)
    for result in results:
        progress.step(result[0])
        yield result
    progress.end()


Result = tuple[int, float, float, str, str]
"""Row, score, p, reason, lens."""


def _results(stream: Stream, rows: Rows, book: Codebook, explain: float, *, learn: bool) -> Iterator[Result]:
    for block in stream.blocks(rows):
        part = rows[block]
        scores = stream.score(part)
        told = Explainer(stream, book) if (scores.p <= explain).any() else None
        for place, (strength, p) in enumerate(zip(scores.strength.tolist(), scores.p.tolist(), strict=True)):
            look = _sayable(Look(int(scores.look[place])), scores.lenses[place])
            reason = ""
            if told and p <= explain:
                look = told.sayable(part[place], look)
                reason = told.reason(part[place], look)
            yield block.start + place + 1, strength, p, reason, LENS_OF[look].value
        if learn:
            stream.learn(part, scores)


def _sayable(look: Look, lenses: FloatArray) -> Look:
    """The look that gives the reason: before the whole, one value or two that are rare by themselves."""
    if look is not Look.WHOLE or lenses[[Look.SINGLE, Look.DEFICIT]].min() > ALSO:
        return look
    return Look.SINGLE if lenses[Look.SINGLE] <= ALSO else Look.DEFICIT


def _csv_lines(results: Iterable[Result], out: TextIO) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    flagged = 0
    for row, strength, p, reason, lens in results:
        flagged += p <= _FLAGGED
        writer.writerow((row, f"{strength:.4f}", f"{p:.6f}", reason, lens))
    return flagged


def _json_lines(results: Iterable[Result], out: TextIO) -> int:
    flagged = 0
    for row, strength, p, reason, lens in results:
        flagged += p <= _FLAGGED
        line = dict(zip(COLUMNS, (row, round(strength, 4), round(p, 6), reason, lens), strict=True))
        out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return flagged


class Explainer:
    """Reasons in words from what ``stream`` knows now; good until it learns more."""

    def __init__(self, stream: Stream, book: Codebook) -> None:
        self._stream, self._book = stream, book
        self._layout = stream.layout
        self._counts, self._weights = stream.singles()
        self._upper = confidence.share_upper(self._counts, self._weights)
        self._bits = stream.rarest()
        self._offsets = np.array(self._layout.offsets)

    def sayable(self, row: NDArray[np.int32], look: Look) -> Look:
        """``look``; but a value nobody had before, or the only one known, is a reason by itself."""
        columns = np.flatnonzero(row >= 0)
        seen = self._counts[self._offsets[columns] + row[columns]]
        return Look.SINGLE if look is Look.WHOLE and (len(columns) == 1 or (seen < 1).any()) else look

    def reason(self, row: NDArray[np.int32], look: Look) -> str:
        """Why a row is rare, as ``look`` saw it."""
        columns = np.flatnonzero(row >= 0)
        if not len(columns):
            return ""
        if look is Look.SINGLE:
            return self._single(row, columns)
        if look is not Look.WHOLE and len(columns) > 1:
            return self._pair(row)
        rarest = columns[np.argsort(-self._bits[self._offsets[columns] + row[columns]], kind="stable")]
        named = ", ".join(
            self._book.label(column, int(row[column])) for column in sorted(rarest[:MOST_NAMED].tolist())
        )
        return f"nothing rare by itself, but unusual all together: {named}"

    def _single(self, row: NDArray[np.int32], columns: NDArray[np.intp]) -> str:
        positions = self._offsets[columns] + row[columns]
        best = int(np.argmax(self._bits[positions]))
        position, column = int(positions[best]), int(columns[best])
        number = one_in(float(self._upper[position]), float(self._weights[position]))
        return _claim(self._book.label(column, int(row[column])), number)

    def _pair(self, row: NDArray[np.int32]) -> str:
        pair = np.sort(np.array(self._stream.clashing(row)))
        layout = self._stream.baseline.layout
        fold = self._stream.fold
        folded = (fold.rows(row[None, :]) if fold else row[None, :])[0]
        counts, weights = self._stream.baseline.among(np.array(layout.offsets)[pair] + folded[pair], _NOW)
        upper = confidence.share_upper(counts, weights)
        said = " with ".join(self._book.label(column, int(row[column])) for column in pair.tolist())
        if upper[0, 1] * TIMES > min(upper[0, 0], upper[1, 1]):
            return f"{said}: seldom together"
        return _claim(said, one_in(float(upper[0, 1]), float(weights[0, 1])))


def _claim(said: str, number: int | None) -> str:
    return f"{said}: hardly ever seen" if number is None else f"{said}: 1 in {number:,} rows or fewer"


__all__ = ["ABOUT", "COLUMNS", "EXAMPLE", "Explainer", "ScoreOptions", "Scores", "main"]
