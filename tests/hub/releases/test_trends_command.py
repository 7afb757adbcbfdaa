"""The command ``leftfield trends`` on a hub's database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
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
    """The ledger stands beside the database: what was spent stays so when the counts come back."""
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
    """Without the analyst's libraries one line says how to get them, and nothing is spent."""
    monkeypatch.setitem(__import__("sys").modules, "opendp.prelude", None)
    assert cli.main(["trends", "--config", str(hub)]) == 78
    assert "leftfield[analyst]" in capsys.readouterr().err
    assert json.loads((config.hub_config(hub).database.parent / "releases.json").read_bytes())["spent"] == []
    assert transfer.stored_baseline(config.hub_config(hub)).people == 400


def test_a_copy_of_a_database_releases_nothing(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The database alone, left without its ledger, has no budget and gets none."""
    database = config.hub_config(hub).database
    ledger = database.parent / "releases.json"
    assert cli.main(["trends", "--config", str(hub), "--epsilon", "3"]) == 0
    kept = ledger.read_bytes()
    ledger.unlink()
    for _ in range(2):
        assert cli.main(["trends", "--config", str(hub), "--epsilon", "3"]) == 78
        assert "has no ledger of releases beside it" in capsys.readouterr().err
        store_at(database.parent).close()  # not by a start of the hub either
        assert not ledger.exists()
    ledger.write_bytes(kept)
    assert cli.main(["trends", "--config", str(hub), "--epsilon", "1"]) == 75


def test_a_backup_carries_what_is_spent(
    hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Restored where there is no ledger it comes back; restored beside one, of each month the most stays spent."""
    ledger = config.hub_config(hub).database.parent / "releases.json"
    out = tmp_path / "hub.backup"
    words = ["trends", "--config", str(hub), "--epsilon"]
    assert cli.main([*words, "1"]) == 0
    assert cli.main(["backup", "--out", str(out), "--config", str(hub)]) == 0
    assert cli.main([*words, "1"]) == 0
    assert cli.main(["restore", str(out), "--yes", "--config", str(hub)]) == 0
    assert [milli for _, milli in json.loads(ledger.read_bytes())["spent"]] == [2000]
    ledger.unlink()
    assert cli.main(["restore", str(out), "--yes", "--config", str(hub)]) == 0
    assert [milli for _, milli in json.loads(ledger.read_bytes())["spent"]] == [1000]
    capsys.readouterr()
    assert cli.main([*words, "2.5"]) == 75


def test_a_database_of_before_the_ledger_begins_one(hub: Path) -> None:
    """What an earlier version made could not have released anything: its ledger is begun when it is migrated."""
    database = config.hub_config(hub).database
    ledger = database.parent / "releases.json"
    ledger.unlink()
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA user_version=7")
    store_at(database.parent).close()
    assert json.loads(ledger.read_bytes())["spent"] == []
