from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from appliance.cli import main
from appliance.hub.batch.csv_table import MOST_LEVELS, Codebook, fold_of, read
from appliance.hub.batch.stream import Stream
from appliance.hub.statistics.layout import Layout

LOOKS = (("black", "long", "dark", "trousers"), ("white", "short", "light", "shorts"))


def outfits(path: Path, rows: int, seed: int = 1, odd: Mapping[int, tuple[str, ...]] | None = None) -> Path:
    """A table of two looks and some chance; the rows in ``odd`` are as given."""
    chance = np.random.default_rng(seed)
    lines = ["top,sleeves,shoes,below"]
    for row in range(rows):
        encode = list(LOOKS[int(chance.integers(2))])
        if chance.random() < 0.1:
            encode[2] = "brown"
        if chance.random() < 0.1:
            encode[int(chance.integers(4))] = ""
        lines.append(",".join((odd or {}).get(row, tuple(encode))))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def scored(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


ODD = {
    1500: ("pink", "long", "dark", "trousers"),
    1600: ("black", "long", "dark", "shorts"),
}


def test_a_table_is_scored_in_order_with_reasons(tmp_path: Path) -> None:
    """A value never seen and two things never together come first, with reasons; usual rows have none."""
    out = tmp_path / "scored.csv"
    assert main(["score", "--table", str(outfits(tmp_path / "t.csv", 2000, odd=ODD)), "--out", str(out)]) == 0
    rows = scored(out)
    assert list(rows[0]) == ["row", "score", "p", "reason", "lens"]
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 2001)]
    highest = sorted(rows, key=lambda row: -float(row["score"]))[:4]
    assert {"1501", "1601"} <= {row["row"] for row in highest}
    assert "top = pink" in rows[1500]["reason"]
    assert "below = shorts" in rows[1600]["reason"]
    assert all(not row["reason"] for row in rows if float(row["p"]) > 0.1)


def test_with_a_baseline_the_table_teaches_nothing(tmp_path: Path) -> None:
    """Each row is judged by the baseline alone: however often the table repeats a thing, it stays as rare."""
    usual = outfits(tmp_path / "usual.csv", 1500)
    again = outfits(tmp_path / "again.csv", 60, odd=dict.fromkeys(range(60), ODD[1500]))
    out = tmp_path / "scored.csv"
    assert main(["score", "--table", str(again), "--baseline", str(usual), "--out", str(out)]) == 0
    assert len({(row["score"], row["p"]) for row in scored(out)}) == 1
    assert float(scored(out)[0]["p"]) < 0.01


def test_columns_may_stand_in_any_order_and_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Baseline and table are matched by the names of their columns; JSON lines say the same as CSV."""
    usual = outfits(tmp_path / "usual.csv", 800)
    (tmp_path / "t.csv").write_text(
        "note,below;x,shoes,sleeves,top\n".replace(";x", "") + "a,shorts,dark,long,black\n"
    )
    words = ["score", "--table", str(tmp_path / "t.csv"), "--baseline", str(usual), "--json"]
    assert main(words) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["p"] < 0.05
    assert set(line) == {"row", "score", "p", "reason", "lens"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 is empty"),
        ("a,b\n", "no row"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells"),
        ("a,a\n1,2\n", "two columns are called 'a'"),
        ("a,\n1,2\n", "2 to 2048"),
        ("a\n1\n", "2 to 2048"),
        ("a,b\n1,\xff\n", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_says_where_and_how_to_mend_it(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that will not do is one line on standard error, and an exit code."""
    (tmp_path / "t.csv").write_bytes(text.encode("latin-1"))
    assert main(["score", "--table", str(tmp_path / "t.csv")]) != 0
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_blocks_and_rows_count_alike() -> None:
    """Rows counted in one block give the same counts as rows counted one block at a time."""
    chance = np.random.default_rng(3)
    rows = chance.integers(-1, 3, size=(400, 5), dtype=np.int32)
    one, other = Stream(Layout.of((3,) * 5)), Stream(Layout.of((3,) * 5))
    one.score_and_learn(rows)
    for row in range(400):
        other.learn(rows[row : row + 1], other.score(rows[row : row + 1]))
    assert np.array_equal(one.baseline.state().pairs, other.baseline.state().pairs)
    assert np.array_equal(one.baseline.state().known, other.baseline.state().known)
    assert np.array_equal(one.singles()[0], other.singles()[0])


def test_columns_with_too_many_levels_are_folded_for_pairs_only(tmp_path: Path) -> None:
    """A column of thousands of words leaves room for the others, and each of its words is still counted by itself."""
    chance = np.random.default_rng(4)
    lines = [
        "a,b,c",
        *(f"{chance.integers(5000)},{chance.integers(3)},x{chance.integers(2)}" for _ in range(6000)),
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    book = Codebook()
    rows = read(tmp_path / "t.csv", book)
    fold = fold_of(rows, book.layout())
    assert fold is not None
    assert sum(fold.sizes) <= MOST_LEVELS
    assert fold.sizes[1:] == (3, 2)
    stream = Stream(book.layout(), fold)
    scores = stream.score_and_learn(rows)
    assert stream.singles()[0].sum() == 3 * 6000
    assert (scores.p[1000:] <= 0.01).mean() <= 0.02


def test_a_tables_p_is_calibrated() -> None:
    """On rows without exceptions one in a hundred is flagged at 1 %, give or take a third."""
    chance = np.random.default_rng(9)
    looks = chance.integers(0, 5, size=(30, 8))
    rows = looks[chance.choice(30, 12_000, p=chance.dirichlet(np.ones(30)))].astype(np.int32)
    mixed = chance.random(rows.shape) < 0.1
    rows[mixed] = chance.integers(0, 5, size=int(mixed.sum()))
    p = Stream(Layout.of((5,) * 8)).score_and_learn(rows).p[2000:]
    assert 0.0066 <= (p <= 0.01).mean() <= 0.0134
    assert 0.07 <= (p <= 0.1).mean() <= 0.13


def columns_shuffled(number: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Eight columns of up to nine levels, the last of them rare, that have nothing to do with each other."""
    chance = np.random.default_rng(seed)
    columns = [chance.choice(size, number, p=chance.dirichlet(np.ones(size) * 0.5)) for size in range(2, 10)]
    return np.array(columns, dtype=np.int32).T


@pytest.mark.parametrize("unknown", [0.0, 0.25])
def test_shuffled_columns_are_flagged_as_often_as_promised(unknown: float) -> None:
    """Where nothing depends on anything p holds all the same, whether all cells are told or three of four."""
    rows = columns_shuffled(20_000, 3)
    rows[np.random.default_rng(4).random(rows.shape) < unknown] = -1
    p = Stream(Layout.of(range(2, 10))).score_and_learn(rows).p[4000:]
    assert 0.008 <= (p <= 0.01).mean() <= 0.012


def test_columns_of_names_make_nobody_rare() -> None:
    """Numbers of rows, and words of which there is always a new one, do not make exceptions of all who have them."""
    chance = np.random.default_rng(5)
    names = np.arange(12_000, dtype=np.int32)
    words = np.unique(chance.zipf(1.3, 12_000) % 2000, return_inverse=True)[1].astype(np.int32)
    rows = np.column_stack((names, words, columns_shuffled(12_000, 6)))
    layout = Layout.of([int(column.max()) + 1 for column in rows.T])
    p = Stream(layout, fold_of(rows, layout)).score_and_learn(rows).p[3000:]
    assert 0.006 <= (p <= 0.01).mean() <= 0.014


def test_where_all_rows_are_nearly_alike_nobody_is_rare() -> None:
    """Two kinds of rows, half and half: neither is an exception, whichever happens to be ahead."""
    kinds = np.random.default_rng(7).integers(0, 2, 3000)
    p = Stream(Layout.of((2, 2))).score_and_learn(np.column_stack((kinds, kinds)).astype(np.int32)).p
    assert p.min() > 0.05


def test_rows_less_complete_than_the_baseline_are_measured_all_the_same() -> None:
    """A baseline without a gap says of a row with many gaps that its one odd cell is odd."""
    stream = Stream(Layout.of(range(2, 10)))
    rows = columns_shuffled(4000, 8)
    rows[:, 6] = np.minimum(rows[:, 6], 6)
    stream.score_and_learn(rows)
    found = stream.score(
        np.array([[-1] * 6 + [7, 0], [-1] * 6 + [int(np.bincount(rows[:, 6]).argmax()), -1]], np.int32)
    )
    assert found.p[0] < 0.01
    assert found.p[1] > 0.1


def test_a_value_never_seen_is_the_reason_even_where_the_whole_is_odd(tmp_path: Path) -> None:
    """Nothing is called "nothing rare by itself" that holds a value the baseline has never shown."""
    usual = outfits(tmp_path / "usual.csv", 3000)
    (tmp_path / "t.csv").write_text("top,sleeves,shoes,below\npink,short,brown,trousers\n")
    out = tmp_path / "scored.csv"
    assert (
        main(["score", "--table", str(tmp_path / "t.csv"), "--baseline", str(usual), "--out", str(out)]) == 0
    )
    assert "top = pink" in scored(out)[0]["reason"]


def test_many_columns_find_a_whole_class_of_rows() -> None:
    """In sixty columns that all lean a little the other way, no cell is rare and no pair, yet the row comes first."""
    chance = np.random.default_rng(10)
    share = chance.uniform(0.1, 0.3, 60)
    rows = (chance.random((4000, 60)) < share).astype(np.int32)
    odd = np.arange(4000) % 50 == 49
    rows[odd] = chance.random((int(odd.sum()), 60)) < 0.5
    strength = Stream(Layout.of((2,) * 60)).score_and_learn(rows).strength[1000:]
    odd = odd[1000:]
    assert (strength[odd][:, None] > strength[~odd]).mean() > 0.95


@pytest.mark.parametrize(
    "text",
    [
        "top|shoes\n" + "black|dark\nwhite|light\n" * 30,
        ",top,shoes\n" + "1,black,dark\n2,white,light\n" * 30,
        '"top","two\nlines"\n' + '"black","dark"\n"white","li\nght"\n' * 30,
    ],
    ids=["bars", "row numbers without a name", "names of two lines"],
)
def test_tables_as_other_programs_write_them_are_read(text: str, tmp_path: Path) -> None:
    """Bars, an index column without a name, and line breaks in quotes are no reason to refuse a table."""
    (tmp_path / "t.csv").write_text(text)
    book = Codebook()
    assert read(tmp_path / "t.csv", book).shape == (60, 2)
    assert book.names[0] == "top"


@pytest.mark.parametrize("also", ["--table", "--baseline"])
def test_what_is_read_is_never_written_over(tmp_path: Path, also: str) -> None:
    """The analyst's own table is not replaced by the result, however it is named."""
    table, other = tmp_path / "a.csv", tmp_path / "b.csv"
    for path in (table, other):
        path.write_text("top,bottom\nred,blue\n" * 40)
    asked = {"--table": str(table), "--baseline": str(other)}
    before = Path(asked[also]).read_text()
    words = [word for item in asked.items() for word in item]
    assert main(["score", *words, "--out", asked[also]]) == 78
    assert Path(asked[also]).read_text() == before
