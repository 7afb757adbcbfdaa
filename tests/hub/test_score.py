from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from appliance.cli import main
from appliance.hub.batch import Stream
from appliance.hub.levels import Layout
from appliance.hub.table import MOST_LEVELS, Codebook, fold_of, read

LOOKS = (("black", "long", "dark", "trousers"), ("white", "short", "light", "shorts"))


def outfits(path: Path, rows: int, seed: int = 1, odd: dict[int, tuple[str, ...]] | None = None) -> Path:
    """A table of two looks and some chance; the rows in ``odd`` are as given."""
    chance = np.random.default_rng(seed)
    lines = ["top,sleeves,shoes,below"]
    for row in range(rows):
        worn = list(LOOKS[int(chance.integers(2))])
        if chance.random() < 0.1:
            worn[2] = "brown"
        if chance.random() < 0.1:
            worn[int(chance.integers(4))] = ""
        lines.append(",".join((odd or {}).get(row, tuple(worn))))
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
        ("a,\n1,2\n", "column 2 has no name"),
        ("a\n1\n", "2 to 256"),
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
    one.judge(rows)
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
    scores = stream.judge(rows)
    assert stream.singles()[0].sum() == 3 * 6000
    assert (scores.p[1000:] <= 0.01).mean() <= 0.02


def test_a_tables_p_is_calibrated() -> None:
    """On rows without exceptions one in a hundred is flagged at 1 %, give or take a third."""
    chance = np.random.default_rng(9)
    looks = chance.integers(0, 5, size=(30, 8))
    rows = looks[chance.choice(30, 12_000, p=chance.dirichlet(np.ones(30)))].astype(np.int32)
    mixed = chance.random(rows.shape) < 0.1
    rows[mixed] = chance.integers(0, 5, size=int(mixed.sum()))
    p = Stream(Layout.of((5,) * 8)).judge(rows).p[2000:]
    assert 0.0066 <= (p <= 0.01).mean() <= 0.0134
    assert 0.07 <= (p <= 0.1).mean() <= 0.13
