"""Backup and restore of a hub: made under traffic, sealed, put back, and nothing admitted twice."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance import cli
from appliance.hub.storage.store import Store
from appliance.mqtt import Link
from appliance.protocol import topics
from appliance.settings import config
from tests.faults.real_booth import BOOTH, UNIT, RealBooth, until

pytestmark = pytest.mark.broker


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[RealBooth]:
    real = RealBooth(tmp_path)
    yield real
    real.close()


def people(booth: RealBooth) -> int:
    with closing(sqlite3.connect(booth.database)) as database:
        (number,) = database.execute("SELECT people FROM baseline").fetchone()
    return int(number)


def backed_up(booth: RealBooth, *more: str) -> Path:
    out = booth.directory / "hub.backup"
    out.unlink(missing_ok=True)
    assert cli.main(["backup", "--out", str(out), "--config", str(booth.hub_config), *more]) == 0
    return out


def restored(booth: RealBooth, out: Path, *more: str) -> int:
    return cli.main(["restore", str(out), "--config", str(booth.hub_config), "--yes", *more])


def test_a_hub_restored_from_yesterday_counts_nothing_twice(booth: RealBooth) -> None:
    """Backed up under traffic and put back a day later: what was admitted since is refused when it is replayed."""
    booth.start("broker", "hub", "relay")
    until(lambda: "broker connected" in booth.log("relay"), "the unit's link")
    booth.say(60)
    until(lambda: booth.counted() >= 30, "traffic")
    out = backed_up(booth)
    assert out.stat().st_mode & 0o777 == 0o600
    until(lambda: booth.counted() == 60, "all of yesterday")
    today = [booth.envelope(number) for number in range(60, 100)]
    booth.stop("relay")
    link = Link(address=config.unit_config(booth.unit_config).broker, name=UNIT)
    link.start()
    until(lambda: link.up, "the recorder's link")
    for envelope in today:
        link.publish(topics.observation(BOOTH, UNIT), envelope)
    until(lambda: booth.counted() == 100, "all of today")
    booth.stop("hub")
    before = people(booth)
    booth.database.unlink()  # the disk is gone: only the broker's receipts know today
    assert restored(booth, out) == 0
    known = booth.counted()
    assert known < 100
    booth.start("hub")
    until(lambda: "more admitted than the database says" in booth.log("hub"), "the hub's own receipt")
    for envelope in today:
        link.publish(topics.observation(BOOTH, UNIT), envelope)
    link.publish(topics.observation(BOOTH, UNIT), booth.envelope(100))
    until(lambda: booth.counted() > known, "what is new")
    booth.stop("hub")
    link.stop()
    assert (booth.counted(), booth.counted("repeated")) == (known + 1, 40)
    assert people(booth) <= before


def test_windows_of_the_database_that_is_replaced_are_kept(booth: RealBooth) -> None:
    """Put back over a database that can be read, nothing that it had admitted is admissible again."""
    booth.start("broker", "hub", "relay")
    booth.say(30)
    until(lambda: booth.counted() == 30, "the first thirty")
    out = backed_up(booth)
    booth.say(20)
    until(lambda: booth.counted() == 50, "twenty more")
    assert restored(booth, out) == 75  # the hub runs
    booth.stop("hub")
    assert restored(booth, out) == 0
    store = Store(booth.database, BOOTH)
    (door,) = (door for door in store.load().doors if door.unit)
    assert [(window.highest, window.admitted) for window in door.windows] == [(49, 50)]
    store.close()


def test_a_backup_holds_nothing_that_singles_somebody_out(booth: RealBooth) -> None:
    """What is held for minutes in the database is not in a backup, and no byte of it is left in the file."""
    booth.start("broker", "hub", "relay")
    booth.say(30)
    until(lambda: booth.counted() == 30, "thirty")
    out = backed_up(booth)
    with tarfile.open(out) as archive:
        copy = booth.directory / "copy"
        copy.mkdir()
        held = archive.extractfile("hub.sqlite")
        assert held is not None
        (copy / "hub.sqlite").write_bytes(held.read())
    with closing(sqlite3.connect(booth.directory / "copy" / "hub.sqlite")) as copy:
        rows = [copy.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("live", "alert")]  # noqa: S608
        assert rows == [(0,), (0,)]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_a_changed_or_foreign_backup_is_refused(booth: RealBooth, capsys: pytest.CaptureFixture[str]) -> None:
    """One byte changed, half a file, another hub's key: refused with code 65, and the database stays."""
    booth.start("broker", "hub")
    until(lambda: booth.database.exists() and "connected" in booth.log("hub"), "the hub")
    out = backed_up(booth)
    booth.stop("hub")
    before = booth.database.read_bytes()
    good = out.read_bytes()
    middle = good.index(b"SQLite format 3") + 5000
    for wrong in (
        good[:middle] + bytes((good[middle] ^ 1,)) + good[middle + 1 :],
        good[: len(good) // 2],
        b"none",
    ):
        out.write_bytes(wrong)
        assert restored(booth, out) == 65
    out.write_bytes(good)
    other = booth.directory / "hub.key"
    other.write_bytes(os.urandom(32))
    assert restored(booth, out) == 65
    assert "Fix:" in capsys.readouterr().err
    assert booth.database.read_bytes() == before


def test_a_backup_with_keys_makes_a_new_machine_the_same_hub(booth: RealBooth, tmp_path: Path) -> None:
    """Settings and keys come back beside the configuration with their modes, under the key that was written down."""
    booth.start("broker", "hub")
    until(lambda: booth.database.exists() and "connected" in booth.log("hub"), "the hub")
    settings = tmp_path / "etc"
    settings.mkdir()
    text = booth.hub_config.read_text().replace(str(booth.directory / "hub.key"), str(settings / "hub.key"))
    (settings / "hub.toml").write_text(text)
    out = booth.directory / "whole.backup"
    command = [sys.executable, "-m", "appliance.cli", "backup", "--keys", "--json", "--out", str(out)]
    made = subprocess.run(
        [*command, "--config", settings / "hub.toml"], capture_output=True, text=True, check=True
    )
    told = json.loads(made.stdout)
    assert (told["booth"], told["keys"], told["bytes"]) == (BOOTH, True, out.stat().st_size)
    booth.stop("hub")
    keys = {path.name: (path.read_bytes(), path.stat().st_mode) for path in settings.iterdir()}
    for path in settings.iterdir():
        path.unlink()
    settings.rmdir()
    booth.database.unlink()
    back = ["restore", str(out), "--keys", "--yes", "--config", str(settings / "hub.toml")]
    assert cli.main(back) == 65  # no key is known here
    assert cli.main([*back, "--key", told["public_key"]]) == 0
    found = {path.name: (path.read_bytes(), path.stat().st_mode) for path in settings.iterdir()}
    assert b"restore" in found.pop("acts.jsonl")[0]
    del keys["acts.jsonl"]
    assert found == keys
    Store(booth.database, BOOTH).close()
