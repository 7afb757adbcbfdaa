"""The hub's database file: who may hold it, what it must be, and how its errors are told.

Invariants:
    * What is deleted is overwritten (secure_delete); what is committed is on the disk (synchronous=FULL).
    * The ledger of releases is begun before the database, or with the schema that first knew of it; never else.
    * What looks damaged is opened a second time before it is believed.
    * A database that is damaged, of another booth or of a later version is ``Unfit``; a full disk ``Unavailable``.
      Nothing is repaired in silence.
"""

from __future__ import annotations

import fcntl
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from appliance.base.errors import Unavailable, Unfit
from appliance.hub.storage import schema
from appliance.hub.storage.ledger import LEDGER, Ledger
from appliance.protocol.values import BoothId


class Database:
    """The file at ``path``, made where there is none, and migrated. Unfit, Unavailable: see the file's laws.

    One hub at a time holds it; who only looks says ``alone=False``.
    """

    def __init__(self, path: Path, booth: BoothId, *, alone: bool = True) -> None:
        self._path = path
        self._booth = booth
        self._lock = self._hold() if alone else None
        try:
            self._connect()
        except Unfit:
            # One failing read can look like damage, and that would stop the hub for good: damage is seen twice.
            self.connection.close()
            self._connect()

    def _connect(self) -> None:
        with self.errors():
            self.connection = sqlite3.connect(self._path, isolation_level=None)
            self._open()

    def _hold(self) -> IO[bytes]:
        """A lock of our own beside the file: SQLite's are held only while something is written."""
        try:
            lock = Path(f"{self._path}.lock").open("ab")  # noqa: SIM115 - held as long as the store
        except OSError as error:
            raise Unavailable(
                f"the database cannot be locked: {error.strerror}",
                where=str(self._path),
                fix="check for a missing directory, a full disk, or missing write permission",
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise Unavailable(
                "another hub process uses the database",
                where=str(self._path),
                fix="stop it first: systemctl stop leftfield-watch",
            ) from None
        return lock

    def _open(self) -> None:
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "trusted_schema=OFF", "cell_size_check=ON",
        ):  # fmt: skip
            self.connection.execute(f"PRAGMA {pragma}")
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        (owner,) = self.connection.execute("PRAGMA application_id").fetchone()
        (tables,) = self.connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if not tables:
            self._create()
        elif owner != schema.APPLICATION_ID:
            raise self._unfit("it is not a database of this program", "name another file as hub.database")
        else:
            self._migrate(version)
        self._check()

    def _begin_ledger(self) -> None:
        Ledger(self._path.parent / LEDGER, self._booth).begin()

    def _create(self) -> None:
        self._begin_ledger()
        with self.transaction():
            for statement in schema.create_statements():
                self.connection.execute(statement)
            self.connection.execute("INSERT INTO booth VALUES (?, 0)", (self._booth,))
            self.connection.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
            self.connection.execute(f"PRAGMA user_version={schema.SCHEMA}")

    def _migrate(self, version: int) -> None:
        if version > schema.SCHEMA:
            raise self._unfit(
                f"its schema {version} is newer than {schema.SCHEMA}", "install the newer version"
            )
        if version < schema.LEDGER_SINCE:
            self._begin_ledger()
        for step in range(version, schema.SCHEMA):
            with self.transaction():
                for statement in schema.MIGRATIONS[step]:
                    self.connection.execute(statement)
                self.connection.execute(f"PRAGMA user_version={step + 1}")

    def _check(self) -> None:
        (verdict,) = self.connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise self._unfit(
                f"it is damaged: {' '.join(verdict.split())}", "restore a copy, or move it away to start anew"
            )
        (booth,) = self.connection.execute("SELECT booth FROM booth").fetchone()
        if booth != self._booth:
            raise self._unfit(f"it belongs to booth {booth}, not {self._booth}", "name another file")

    def _unfit(self, what: str, fix: str) -> Unfit:
        return Unfit(what, where=str(self._path), fix=fix)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """What SQLite and damaged rows raise, told as Unavailable or Unfit."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Unavailable(
                f"cannot use the database: {error}",
                where=str(self._path),
                fix="check for a full disk, a missing directory or a second hub process",
            ) from error
        except (sqlite3.Error, ValueError, KeyError, zlib.error) as error:
            raise self._unfit(
                f"it is damaged: {error}", "restore a copy, or move it away to start anew"
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what follows, or none of it."""
        with self.connection:  # commits, or rolls back whatever was raised
            self.connection.execute("BEGIN IMMEDIATE")
            yield

    def many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """``statement`` for each of ``rows``; one that ends in VALUES gets its places."""
        for row in rows:
            places = f" ({', '.join('?' * len(row))})" if statement.endswith("VALUES") else ""
            self.connection.execute(statement + places, row)

    def close(self) -> None:
        """Close the file, and let others hold it."""
        self.connection.close()
        if self._lock is not None:
            self._lock.close()
