"""The table of troubles: at least forty, each with what happens and with a test that there is."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/troubles.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| trouble")
]


def test_there_are_at_least_forty_troubles_and_each_ends_in_one_of_three_ways() -> None:
    """Right, one clear line, or degraded and said; no trouble stands twice."""
    assert len(ROWS) >= 40
    assert {len(row) for row in ROWS} == {4}
    assert {row[1] for row in ROWS} == {"right", "line", "degraded"}
    assert len({row[0] for row in ROWS}) == len(ROWS)
    assert all(row[2] for row in ROWS)


def test_every_trouble_has_a_test_that_exists() -> None:
    """Each row names one test function, of one file, that is there; none is named for two troubles."""
    named = [row[3].strip("`").partition("::") for row in ROWS]
    missing = []
    for path, _, function in named:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        if function not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{path}::{function}")
    assert missing == []
    assert len(set(named)) == len(named)
