"""The command ``leftfield trends`` on a hub's database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance import cli
from appliance.hub.exchange import transfer
from appliance.hub.releases import forms
from appliance.settings import config
from tests.hub.corner import BOOTH, Camera, new_booth, store_at, teach


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A booth that has learnt 400 people."""
    now = 1_795_964_400.0
    assert cli.main(["booth", "create", BOOTH, "--directory", str(tmp_path)]) == 0
    camera = Camera("north", booted=now - 1000)
    store = store_at(tmp_path)
    store.commit(teach(new_booth(camera, now=now), camera, 400, now).changes)
    store.close()
    return tmp_path / "hub.toml"


def test_a_release_is_four_files_and_costs_what_it_says(
    hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON, CSV, Parquet and a page; the ledger refuses the fourth release of the month, and writes no file."""
    capsys.readouterr()
    out = tmp_path / "out"
    words = ["trends", "--config", str(hub), "--out", str(out)]
    assert cli.main(words) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "has 2 of 3 left" in said.err
    assert {path.suffix for path in out.iterdir()} == {".json", ".csv", ".parquet", ".html"}
    (path,) = out.glob("*.json")
    made = forms.read(path.read_bytes(), "file")
    assert (made.booth, made.epsilon) == (BOOTH, 1.0)
    assert cli.main([*words, "--against", str(path)]) == 0
    (page,) = out.glob("*.html")
    assert "What changed since" in page.read_text()
    assert cli.main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["v"] == 1
    nothing = tmp_path / "nothing"
    assert cli.main(["trends", "--config", str(hub), "--out", str(nothing)]) == 75
    assert list(nothing.iterdir()) == []
    assert "wait for the next month" in capsys.readouterr().err


def test_a_restored_database_gives_no_budget_back(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The ledger stands beside the database and in no backup: what was spent stays so when the counts come back."""
    database = config.hub_config(hub).database
    before = database.read_bytes()
    assert cli.main(["trends", "--config", str(hub), "--epsilon", "2.5"]) == 0
    database.write_bytes(before)
    capsys.readouterr()
    assert cli.main(["trends", "--config", str(hub), "--epsilon", "1"]) == 75
    assert "has 0.5 left" in capsys.readouterr().err


def test_a_library_that_is_missing_costs_nothing(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the analyst's libraries one line says how to get them, and the ledger is not begun."""
    monkeypatch.setitem(__import__("sys").modules, "opendp.prelude", None)
    assert cli.main(["trends", "--config", str(hub)]) == 78
    assert "leftfield[analyst]" in capsys.readouterr().err
    assert not (config.hub_config(hub).database.parent / "releases.json").exists()
    assert transfer.stored_baseline(config.hub_config(hub)).people == 400
