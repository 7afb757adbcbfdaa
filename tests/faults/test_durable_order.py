"""What a power cut may take is decided by an order: content is synced, then named, then the directory is synced.

No kill shows a sync that is missing, for the kernel keeps what a process wrote. So the order of calls is the test;
``python -m tests.mutants.order`` removes or swaps each of them and sees that one of these tests notices.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.base import atomic_files
from appliance.base.errors import Unavailable
from appliance.hub.exchange import backup_file
from appliance.hub.storage.backup import put_back
from appliance.hub.storage.database import Database
from appliance.hub.storage.store import Store
from appliance.protocol.values import BoothId
from appliance.unit.outbox.segment import Segment
from appliance.unit.pipe.record import record_of
from appliance.update import bundle
from tests.update.releases import KEY, PUBLIC, a_bundle

BOOTH = BoothId("corner")


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that matter, in their order: sync of a file or a directory, name, write."""
    found: list[str] = []

    def record(owner: object, name: str, said: Callable[..., str]) -> None:
        real = getattr(owner, name)

        def recorded(*given: Any, **named: Any) -> Any:
            found.append(said(*given))
            return real(*given, **named)

        monkeypatch.setattr(owner, name, recorded)

    def synced(descriptor: int) -> str:
        return "sync folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "sync"  # noqa: PTH112 - a link of /proc

    record(os, "fsync", synced)
    record(os, "fdatasync", synced)
    record(os, "rename", lambda *_: "name")
    record(os, "replace", lambda *_: "name")
    return found


def test_a_new_segment_is_on_the_disk_before_anything_is_in_it(tmp_path: Path, order: list[str]) -> None:
    """Its zeros are synced before it has its name, and the name before the first record is promised."""
    Segment.create(tmp_path, 0, 8).close()
    assert order == ["sync", "name", "sync folder"]


def test_what_was_erased_is_synced_before_its_file_is_closed(tmp_path: Path, order: list[str]) -> None:
    """The zeros over a segment's last page reach the disk: a removed file's pages could be found again."""
    segment = Segment.create(tmp_path, 0, 8)
    segment.append([record_of(b"a"), record_of(b"b")])
    segment.erase(1)
    order.clear()
    segment.close()
    assert order == ["sync"]


def test_a_backup_is_on_the_disk_before_it_has_its_name(tmp_path: Path, order: list[str]) -> None:
    """Whoever finds a backup by its name has all of it."""
    (tmp_path / "db").write_bytes(b"x")
    backup_file.write(
        tmp_path / "out", booth=BOOTH, made_at=1, database=tmp_path / "db", settings=None, private_key=KEY
    )
    assert order == ["sync", "name", "sync folder"]


def test_a_database_that_is_put_back_is_on_the_disk_before_it_replaces(
    tmp_path: Path, order: list[str]
) -> None:
    """The old database is given up only for one that a power cut leaves whole."""
    for name in ("copy", "hub.sqlite"):
        Store(tmp_path / name, BOOTH).close()
    order.clear()
    put_back(tmp_path / "copy", tmp_path / "hub.sqlite", BOOTH)
    assert order == ["sync", "name", "sync folder"]


def test_a_part_of_an_update_is_on_the_disk_before_it_has_its_name(tmp_path: Path, order: list[str]) -> None:
    """A part that bears its name is whole, after a power cut too."""
    path = a_bundle(tmp_path)
    order.clear()
    with path.open("rb") as source:
        head = bundle.read_head(source, PUBLIC)
        bundle.keep_parts(source, head.release, tmp_path / "parts", lambda _: None)
    assert order == ["sync", "name"] * len(head.release.parts)


def test_a_bundle_is_on_the_disk_before_it_has_its_name(tmp_path: Path, order: list[str]) -> None:
    """A unit is offered a whole bundle or none."""
    a_bundle(tmp_path)
    assert order == ["sync", "name"]


def test_the_hubs_database_syncs_every_commit(tmp_path: Path) -> None:
    """A write-ahead log with a sync at each commit; no lock is given up before."""
    database = Database(tmp_path / "hub.sqlite", BOOTH)
    (mode,) = database.connection.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = database.connection.execute("PRAGMA synchronous").fetchone()
    assert (mode, synchronous) == ("wal", 2)
    database.close()


def test_a_transaction_holds_the_write_lock_from_its_begin(tmp_path: Path) -> None:
    """What is read in a transaction is still so when it is written: nobody else writes in between."""
    database = Database(tmp_path / "hub.sqlite", BOOTH)
    other = sqlite3.connect(tmp_path / "hub.sqlite", isolation_level=None, timeout=0)
    with database.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()
    database.close()


def test_a_second_hub_does_not_open_the_database(tmp_path: Path) -> None:
    """Whoever holds the database holds it alone, whether or not something is being written."""
    database = Database(tmp_path / "hub.sqlite", BOOTH)
    with pytest.raises(Unavailable, match="another hub"):
        Database(tmp_path / "hub.sqlite", BOOTH)
    database.close()
    Database(tmp_path / "hub.sqlite", BOOTH).close()


def test_a_directory_is_held_by_a_lock_that_others_see(tmp_path: Path) -> None:
    """Another descriptor cannot take the lock until the block has ended."""
    with atomic_files.alone(tmp_path), (tmp_path / ".lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (tmp_path / ".lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
