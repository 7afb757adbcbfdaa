from __future__ import annotations

import json
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from appliance import cli
from appliance.base.errors import Unfit
from appliance.hub.pacing.forecast import HourCount
from appliance.hub.storage.state import StateDelta
from appliance.hub.storage.store import Store
from appliance.protocol.values import BoothId

TODAY = date.fromtimestamp(time.time())  # noqa: DTZ012 - the command looks at the machine's own calendar


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """The hub.toml of a hub that has watched three weeks of 30 people an hour, 10 to 14 h."""
    store = Store(tmp_path / "hub.sqlite", BoothId("corner"))
    hours = tuple(
        HourCount(day=(TODAY - timedelta(days=back)).isoformat(), hour=hour, people=30, watched=3600)
        for back in range(1, 22)
        for hour in range(10, 14)
    )
    store.commit(StateDelta(hours=hours, oldest_day="2000-01-01"))
    store.close()
    path = tmp_path / "hub.toml"
    path.write_text(
        '[hub]\nbooth = "corner"\nregister = "register.toml"\ndatabase = "hub.sqlite"\n'
        '[pacing]\nstock = 4\nopens = "10:00"\ncloses = "14:00"\n'
        '[broker]\nhost = "localhost"\nca = "ca"\ncertificate = "c"\nkey = "k"\n',
        "utf-8",
    )
    return path


def asked(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = cli.main(["rehearse", *map(str, words), "--runs", "5"])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_forecast_needs_nothing_but_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a hub, people and hours make a day; the table says every hour, the day and the warning."""
    code, out, _ = asked(
        capsys,
        "--people",
        "2000",
        "--opens",
        "12:00",
        "--closes",
        "15:00",
        "--max-p",
        "0.001",
        "--staff",
        "5",
    )
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["12", "13", "14"]
    assert "40 gifts, 5 staff; 5 rehearsals" in out
    assert "warning: pacing.max_p 0.001 gives about 1 of 40 gifts to the 2000 people expected" in out


def test_the_hubs_own_hours_are_rehearsed(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A day to come is forecast from the hub's hours; one that was is replayed; a planned sum keeps their shape."""
    tomorrow = TODAY + timedelta(days=1)
    code, out, _ = asked(capsys, "--config", hub, "--json", "--day", tomorrow.isoformat())
    told = json.loads(out)
    assert (code, told["v"], [hour["hour"] for hour in told["hours"]]) == (0, 1, [10, 11, 12, 13])
    assert all(15 < hour["people"]["mean"] < 50 for hour in told["hours"])
    yesterday = TODAY - timedelta(days=1)
    _, out, _ = asked(capsys, "--config", hub, "--json", "--day", yesterday.isoformat())
    assert {hour["people"]["mean"] for hour in json.loads(out)["hours"]} == {30.0}
    _, out, _ = asked(
        capsys, "--config", hub, "--json", "--people", "4000", "--acceptance", "0.5", "--visit", "60"
    )
    assert all(600 < hour["people"]["mean"] < 1500 for hour in json.loads(out)["hours"])


def test_a_table_of_hours_is_rehearsed(tmp_path: Path, hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A CSV of hours, with a heading or without, is the day; what is no hour is told by its line."""
    table = tmp_path / "day.csv"
    table.write_text("hour,people\n10,400\n11,800\n\n", "utf-8")
    code, out, _ = asked(capsys, "--config", hub, "--table", table, "--json", "--stock", "9")
    told = json.loads(out)
    assert (code, told["stock"]) == (0, 9)
    assert told["hours"][0]["people"]["mean"] < told["hours"][1]["people"]["mean"]
    assert told["hours"][2]["people"]["mean"] == 0.0
    table.write_text("10,400\n25,1\n", "utf-8")
    code, _, told_error = asked(capsys, "--table", table)
    assert code == Unfit.exit_code
    assert "line 2: an hour from 0 to 23" in told_error
    code, _, told_error = asked(capsys, "--table", tmp_path / "none.csv")
    assert (code, "cannot read the table" in told_error) == (Unfit.exit_code, True)


def test_what_cannot_be_rehearsed_is_told_in_one_line(
    tmp_path: Path, hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hub that has counted nobody, and hours in the wrong order, are refused with what would do."""
    (tmp_path / "hub.sqlite").unlink()
    code, _, told = asked(capsys, "--config", hub)
    assert (code, "give the day with --people or --table" in told) == (Unfit.exit_code, True)
    code, _, told = asked(capsys, "--people", "100", "--opens", "15:00", "--closes", "12:00")
    assert (code, "opening must come before closing" in told) == (Unfit.exit_code, True)
    with pytest.raises(SystemExit) as ended:
        asked(capsys, "--day", "tomorrow")
    assert ended.value.code == 2
