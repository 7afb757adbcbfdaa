"""What lies on the hub's and the unit's disks: databases, their rows, segments of the outbox."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import struct
import tempfile
from contextlib import closing, redirect_stderr
from functools import cache
from pathlib import Path
from typing import Any, Final

from appliance.base.errors import Unavailable, Unfit
from appliance.hub.engine import HubEngine
from appliance.hub.storage.backup import put_back
from appliance.hub.storage.store import Store
from appliance.protocol.values import Seconds
from appliance.unit.outbox.segment import Segment
from appliance.unit.outbox.spool import Spool
from appliance.unit.pipe.record import ENVELOPE_LIMIT, record_of
from tests.fuzz.target import is_hex, target
from tests.fuzz.targets.protocol import envelopes
from tests.hub.corner import BOOTH, NOON, ODD, PLAIN, Camera, asks, hub_config, new_booth, register_of, teach

_CAMERA: Final = Camera("north")


@cache
def _database() -> bytes:
    """A hub's file after some people, an alert that was dismissed, one that is open, and a snapshot."""
    camera = Camera("north")
    booth = new_booth(camera, warmup_people=60)
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place, "hub.sqlite"), BOOTH)
        store.commit(teach(booth, camera, people=150).changes)
        for after in (5, 20):
            said = [camera.says(camera.observation(ODD, NOON + after)), camera.says(camera.heartbeat(NOON))]
            store.commit(booth.handle_batch(said, Seconds(NOON + after)).changes)
        done = asks("tablet-1", "outcome", alert="a-1", outcome="dismissed", why="not_true")
        store.commit(
            booth.handle_batch([asks("tablet-1", "claim", alert="a-1"), done], Seconds(NOON + 30)).changes
        )
        store.commit(
            booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], Seconds(NOON + 90)).changes
        )
        store.close()
        return Path(place, "hub.sqlite").read_bytes()


def _opened(path: Path) -> None:
    """A hub's start on this file; Unfit or Unavailable where it is damaged."""
    store = Store(path, BOOTH)
    try:
        stored = store.load()
        store.imported()
        store.audited()
    finally:
        store.close()
    HubEngine(config=hub_config(), register=register_of(_CAMERA), stored=stored, now=Seconds(NOON + 100))


@target(
    lambda: [struct.pack(">IB", at, 1) for at in (99, 1200, 4000, 9000, 20_000)], Unfit, Unavailable, slow=20
)
def database(data: bytes) -> None:
    """A hub's database with bytes changed: five each, a place and what is written there."""
    content = bytearray(_database())
    for start in range(0, len(data) - 4, 5):
        content[int.from_bytes(data[start : start + 4], "big") % len(content)] = data[start + 4]
    with tempfile.TemporaryDirectory() as place, redirect_stderr(io.StringIO()):
        (path := Path(place, "hub.sqlite")).write_bytes(content)
        _opened(path)
        put_back(path, Path(place, "other.sqlite"), BOOTH)


def _cells() -> list[bytes]:
    return [
        json.dumps([["alert", "reasons", '[["pair",[[0,1]],5]]']]).encode(),
        json.dumps([["window", "gaps", "00000000"], ["window", "highest", 5], ["baseline", "latest", 1e9]]).encode(),
        json.dumps([["camera", "counts", "789c"], ["live", "code", "00"], ["trend", "at", 1]]).encode(),
        json.dumps([["alert", "p", 0.0], ["alert", "state", "raised"], ["door", "floor", 0]]).encode(),
    ]  # fmt: skip


@target(_cells, Unfit, Unavailable, slow=20)
def rows(data: bytes) -> None:
    """A hub's database in which rows hold other values of their columns' types."""
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return
    with tempfile.TemporaryDirectory() as place, redirect_stderr(io.StringIO()):
        (path := Path(place, "hub.sqlite")).write_bytes(_database())
        with closing(sqlite3.connect(path)) as open_one:
            for change in changes if isinstance(changes, list) else ():
                _put(open_one, change)
            open_one.commit()
        _opened(path)


def _put(open_one: sqlite3.Connection, change: Any) -> None:
    match change:
        case [str(table), str(column), int() | float() | str() | None as value] if (
            table + column
        ).isidentifier():
            with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeEncodeError):
                kind = open_one.execute(
                    "SELECT type FROM pragma_table_info(?) WHERE name = ?", (table, column)
                ).fetchone()
                if kind == ("BLOB",) and isinstance(value, str):
                    value = bytes.fromhex(value) if is_hex(value) else value.encode()
                open_one.execute(f"UPDATE {table} SET {column} = ?", (value,))  # noqa: S608 - identifiers


def _segments() -> list[bytes]:
    full = b"".join(record_of(one) for one in envelopes())
    return [
        b"from-0000000000-to-0000000007.spool\n" + full,
        b"settled\n" + record_of(b"1"),
        b"dropped\n" + record_of(b"9"),
    ]


@target(_segments, slow=2)
def segment(data: bytes) -> None:
    """A file in an outbox, its name on the first line; nothing of it raises, and a new record is kept beside it."""
    name, _, content = data.partition(b"\n")
    with tempfile.TemporaryDirectory() as place, redirect_stderr(io.StringIO()):
        Segment.create(Path(place), 0, 8).close()
        try:
            Path(place, name.decode("ascii")).write_bytes(content)
        except (OSError, ValueError):
            return
        spool = Spool(Path(place), 100)
        found = spool.waiting(0, 1000)
        assert all(0 < len(one.envelope) <= ENVELOPE_LIMIT for one in found)
        spool.append([b"new"])
        spool.close()
        again = Spool(Path(place), 100)
        kept = [one.envelope for one in again.waiting(0, 1000)]
        assert kept == [*(one.envelope for one in found), b"new"]
        again.settle(again.next)
        assert not len(again)
        again.close()
