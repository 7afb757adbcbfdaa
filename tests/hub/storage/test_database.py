from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from appliance.hub.storage.database import Database
from appliance.protocol.values import BoothId


class Interrupted(BaseException):
    """What ends a process in the middle, as Ctrl-C does."""


def interrupted(database: Database) -> None:
    with database.transaction():
        database.connection.execute("INSERT INTO things VALUES ('half')")
        raise Interrupted


def test_all_of_a_transaction_is_written_or_none_of_it(tmp_path: Path) -> None:
    """What is interrupted leaves nothing behind and the way free for the next; what ends is there for others."""
    path = tmp_path / "hub.sqlite"
    database = Database(path, BoothId("corner"))
    database.connection.execute("CREATE TABLE things (name TEXT)")
    with pytest.raises(Interrupted):
        interrupted(database)
    assert not database.connection.in_transaction
    with database.transaction():
        database.connection.execute("INSERT INTO things VALUES ('whole')")
    with sqlite3.connect(path) as another:
        assert another.execute("SELECT name FROM things").fetchall() == [("whole",)]
