from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from appliance import cli
from appliance.hub.batch.number_bins import MOST_PLAIN, NumberColumn, numbers


def table(path: Path, rows: np.ndarray, words: list[str]) -> Path:
    """A CSV of numbers and one column of words."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*(f"n{place}" for place in range(rows.shape[1])), "word"])
        writer.writerows(
            [[*(f"{cell:.4f}" for cell in row), word] for row, word in zip(rows, words, strict=True)]
        )
    return path


def test_ranges_are_narrow_at_both_ends_and_hold_everything() -> None:
    """The outermost ranges hold half a percent each, what lies beyond is a range of its own, and all have words."""
    chance = np.random.default_rng(1)
    values = chance.normal(size=4000)
    words = [f"{value:.6f}" for value in values]
    column = NumberColumn.of(words, np.arange(4000))
    assert column is not None
    shares = np.bincount(column.bins(words), minlength=column.size) / 4000
    assert shares[0] == shares[-1] == 0.0
    assert shares[1] == pytest.approx(0.005, abs=0.001)
    assert shares[-2] == pytest.approx(0.005, abs=0.001)
    assert shares[column.size // 2] > 0.15
    assert column.bins(["-99", "99"]).tolist() == [0, column.size - 1]
    assert column.label(0).startswith("below -")
    assert column.label(column.size - 1).startswith("above ")
    assert " to " in column.label(3)


def test_few_numbers_words_and_heaps_are_told_from_ranges() -> None:
    """Codes stay words, a column with one word that is no number stays words, and equal values share a range."""
    few = [str(one) for one in range(MOST_PLAIN)]
    assert NumberColumn.of(few, np.arange(len(few))) is None
    many = [str(one) for one in range(100)]
    assert NumberColumn.of([*many, "n/a"], np.arange(101)) is None
    assert NumberColumn.of([*many, "inf"], np.arange(101)) is None
    assert NumberColumn.of(many, np.arange(0)) is None
    heap = NumberColumn.of(many, np.zeros(50, dtype=int))
    assert heap is not None
    assert heap.bins(["0", "0.0", "1"]).tolist() == [1, 1, 2]
    assert numbers(["1,5", "-2"]) is not None
    with pytest.raises(ValueError, match="no number"):
        heap.bins(["x"])


def test_a_row_of_numbers_that_is_odd_as_a_whole_scores_highest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command cuts columns of numbers into the baseline's ranges, says so, and names ranges in its reasons."""
    chance = np.random.default_rng(2)
    usual = chance.normal(size=(1500, 3))
    judged = np.vstack((chance.normal(size=(40, 3)), [[9.0, -9.0, 9.0]]))
    learnt = table(tmp_path / "learnt.csv", usual, ["a", "b", "c"] * 500)
    rows = table(tmp_path / "rows.csv", judged, ["a"] * 41)
    out = tmp_path / "out.csv"
    assert cli.main(["score", "--table", str(rows), "--baseline", str(learnt), "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert "column 'n0' holds numbers: 14 ranges, from -" in told
    assert "word" not in told.replace("--words", "")
    with out.open(encoding="utf-8") as lines:
        scored = list(csv.DictReader(lines))
    scores = [float(row["score"]) for row in scored]
    assert int(np.argmax(scores)) == 40
    assert float(scored[40]["p"]) < 0.01
    assert "above" in scored[40]["reason"] or "below" in scored[40]["reason"]
    assert np.median([float(row["p"]) for row in scored]) > 0.2
    words = ["score", "--table", str(rows), "--baseline", str(learnt), "--out", str(out), "--words"]
    assert cli.main(words) == 0
    assert "holds numbers" not in capsys.readouterr().err
