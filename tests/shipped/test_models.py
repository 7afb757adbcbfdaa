from __future__ import annotations

import hashlib
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MODELS = Path(__file__).parents[2] / "models_tflite"
RECIPE = MODELS / "recipe"
SHIPPED: dict[str, dict[str, Any]] = tomllib.loads((MODELS / "MODELS.toml").read_text("utf-8"))["models"]


def operations() -> ModuleType:
    """The recipe's own counter of operations."""
    path = RECIPE / "operations.py"
    spec = importlib.util.spec_from_file_location("recipe_operations", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_model_file_is_in_the_catalogue() -> None:
    """No model ships that the catalogue does not name, and none is named that does not ship."""
    assert {path.name for path in MODELS.glob("*.tflite")} == {table["file"] for table in SHIPPED.values()}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_model_has_its_recipe_and_its_card(name: str) -> None:
    """Each shipped model has the recipe that the catalogue names, and a card: origin, licence, work and limits."""
    table = SHIPPED[name]
    assert (MODELS / table["recipe"]).is_file()
    card = (MODELS / f"{name}.md").read_text("utf-8")
    for heading in ("| Source |", "| Licence |", "| Input", "| Work |", "## Limits"):
        assert heading in card, heading
    assert hashlib.sha256((MODELS / table["file"]).read_bytes()).hexdigest() == table["sha256"]


def test_one_script_rebuilds_every_model() -> None:
    """`make models` goes on to the recipe of each shipped model."""
    script = (RECIPE / "rebuild.sh").read_text("utf-8")
    named = re.search(r"^only='([a-z ]+)'$", script, re.MULTILINE)
    assert named is not None
    assert named[1].split() == list(SHIPPED)
    for name, table in SHIPPED.items():
        assert f"if wanted {name}" in script or f"if ! wanted {name}" in script
        assert Path(table["recipe"]).relative_to("recipe").as_posix() in script, name


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--only", "faces"), "there is no model faces"),
        (("--clothing", "/nowhere"), "/nowhere holds no images.csv"),
        (("--quick", "yes"), "a quick run makes models that are no good"),
        (("--frobnicate", "1"), "unknown argument --frobnicate"),
        (("--only",), "--only needs a value"),
    ],
)
def test_a_rebuild_that_cannot_be_says_so_before_it_fetches_anything(
    words: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    """Wrong arguments end the script at once, with what is wrong and how to fix it, and touch nothing."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LEFTFIELD_CACHE": str(tmp_path / "cache")}
    ended = subprocess.run(
        ["sh", str(RECIPE / "rebuild.sh"), *words],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (ended.returncode, why in ended.stderr, "Fix: " in ended.stderr) == (1, True, True), ended.stderr
    assert not list((tmp_path / "cache").glob("models/*"))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_tells_the_operations_and_the_work(name: str) -> None:
    """A card's table has every operation of the file with its count, and its multiply-adds to two digits."""
    work = operations().work_of(MODELS / SHIPPED[name]["file"])
    card = (MODELS / f"{name}.md").read_text("utf-8")
    table = card.partition("| operation | count |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("|")]
    for operation, count in work.operations.items():
        found = [number for named, number in rows if re.search(rf"\b{operation}\b", named)]
        assert len(found) == 1, operation
        assert str(count) in re.findall(r"\d+", found[0]), (operation, count)
    said = re.search(r"([0-9.]+) ([MG]) multiply-adds", card)
    assert said is not None
    assert float(said[1]) * {"M": 1e6, "G": 1e9}[said[2]] == pytest.approx(work.multiply_adds, rel=0.02)
