"""The hub's memory on disk: one SQLite file, one transaction per batch, counts rather than people.

Laws:
    * A batch is stored whole or not at all, and is on the disk (synchronous=FULL) before the broker hears of it.
    * The baseline is written every minute or so; until then what was admitted waits in ``live``, from which the
      counts are made again after a crash. Writing the baseline deletes those rows in the same transaction.
    * What is deleted is overwritten (secure_delete), and does not linger in the write-ahead log either.
    * A database that is damaged, of another booth or of a later version is ``Unfit``; a full disk ``Unavailable``.
      Nothing is repaired in silence.
"""

from __future__ import annotations

import fcntl
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from appliance.errors import Unavailable, Unfit
from appliance.hub import rows, schema
from appliance.hub.admission import DoorState
from appliance.hub.alerts import Held
from appliance.hub.audit import AuditCount
from appliance.hub.baseline import BaselineState
from appliance.hub.calibration import BINS, HISTOGRAMS
from appliance.hub.feedback import Doubt, Word
from appliance.hub.forecast import HourCount
from appliance.hub.levels import BANDS, LEVELS, FloatArray
from appliance.hub.window import WindowState
from appliance.values import (
    AlertId,
    AttributeVector,
    BoothId,
    Epoch,
    Seconds,
    UnitId,
)
from appliance.vocabulary import ATTRIBUTES

_LENSES: Final = HISTOGRAMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """An admitted observation that is not yet part of the stored baseline: all that is needed to count it again."""

    unit: UnitId
    seen_at: Seconds
    vector: AttributeVector


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The baseline and the (BANDS, HISTOGRAMS, BINS) score histograms as they are now."""

    baseline: BaselineState
    bins: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """``number`` more of ``what`` on ``day`` (YYYY-MM-DD)."""

    day: str
    what: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A baseline file that was taken in: the SHA-256 of the file, and whose it was."""

    digest: bytes
    booth: BoothId
    people: int
    at: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one batch changed. ``snapshot``, where given, contains ``live`` and all that waited before it.

    ``hours`` and ``audited`` are to be added to what is stored; hours of days before ``oldest_day`` are deleted.
    """

    doors: tuple[DoorState, ...] = ()
    live: tuple[Live, ...] = ()
    alerts: tuple[Held, ...] = ()
    gone: tuple[AlertId, ...] = ()
    last_alert: int = 0
    tallies: tuple[Tally, ...] = ()
    hours: tuple[HourCount, ...] = ()
    oldest_day: str = ""
    audited: tuple[AuditCount, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    imported: tuple[Imported, ...] = ()
    snapshot: Snapshot | None = None

    @property
    def empty(self) -> bool:
        """True where there is nothing to store."""
        return not (
            self.doors
            or self.live
            or self.alerts
            or self.gone
            or self.tallies
            or self.hours
            or self.audited
            or self.doubts
            or self.imported
            or self.snapshot
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """All that was stored, as it was."""

    doors: tuple[DoorState, ...] = ()
    snapshot: Snapshot | None = None
    live: tuple[Live, ...] = ()
    alerts: tuple[Held, ...] = ()
    last_alert: int = 0
    tallies: tuple[Tally, ...] = ()
    hours: tuple[HourCount, ...] = ()
    doubts: tuple[Doubt, ...] = ()


class Store:
    """The database at ``path``, made where there is none. Unfit, Unavailable: see the file's laws.

    One hub at a time holds it; who only looks says ``alone=False``.
    """

    def __init__(self, path: Path, booth: BoothId, *, alone: bool = True) -> None:
        self._path = path
        self._booth = booth
        self._lock = self._hold() if alone else None
        with self._errors():
            self._db = sqlite3.connect(path, isolation_level=None)
            self._open()

    def _hold(self) -> IO[bytes]:
        """A lock of our own beside the file: SQLite's are held only while something is written."""
        try:
            lock = Path(f"{self._path}.lock").open("ab")  # noqa: SIM115 - held as long as the store
        except OSError as error:
            raise Unavailable(
                f"the database cannot be locked: {error.strerror}",
                where=str(self._path),
                mend="look for a missing directory, a full disk, or who may write there",
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise Unavailable(
                "a hub is using the database", where=str(self._path), mend="stop it first"
            ) from None
        return lock

    def _open(self) -> None:
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "trusted_schema=OFF", "cell_size_check=ON",
        ):  # fmt: skip
            self._db.execute(f"PRAGMA {pragma}")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (owner,) = self._db.execute("PRAGMA application_id").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if not tables:
            self._create()
        elif owner != schema.APPLICATION_ID:
            raise self._unfit("it is not a database of this program", "name another file as hub.database")
        else:
            self._migrate(version)
        self._check()

    def _create(self) -> None:
        with self._transaction():
            for statement in schema.create_statements():
                self._db.execute(statement)
            self._db.execute("INSERT INTO booth VALUES (?, 0)", (self._booth,))
            self._db.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version={schema.SCHEMA}")

    def _migrate(self, version: int) -> None:
        if version > schema.SCHEMA:
            raise self._unfit(
                f"its schema {version} is newer than {schema.SCHEMA}", "install the newer version"
            )
        for step in range(version, schema.SCHEMA):
            with self._transaction():
                for statement in schema.MIGRATIONS[step]:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={step + 1}")

    def _check(self) -> None:
        (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise self._unfit(f"it is damaged: {verdict}", "restore a copy, or move it away to start anew")
        (booth,) = self._db.execute("SELECT booth FROM booth").fetchone()
        if booth != self._booth:
            raise self._unfit(f"it belongs to booth {booth}, not {self._booth}", "name another file")

    def _unfit(self, what: str, mend: str) -> Unfit:
        return Unfit(what, where=str(self._path), mend=mend)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Unavailable(
                f"the database does not work: {error}",
                where=str(self._path),
                mend="look for a full disk, a missing directory or another hub using it",
            ) from error
        except (sqlite3.Error, ValueError, KeyError, zlib.error) as error:
            raise self._unfit(
                f"it is damaged: {error}", "restore a copy, or move it away to start anew"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def commit(self, changes: Changes) -> None:
        """Store one batch, whole; it is on the disk when this returns. Unavailable where the disk is full."""
        with self._errors():
            with self._transaction():
                for door in changes.doors:
                    self._write_door(door)
                self._many(
                    "INSERT INTO live (unit, seen_at, code) VALUES (?, ?, ?)",
                    ((one.unit, one.seen_at, rows.code(one.vector)) for one in changes.live),
                )
                self._many("REPLACE INTO alert VALUES", (rows.alert_row(held) for held in changes.alerts))
                self._many("DELETE FROM alert WHERE alert = ?", ((name,) for name in changes.gone))
                if changes.last_alert:
                    self._db.execute("UPDATE booth SET last_alert = ?", (changes.last_alert,))
                self._many(
                    "INSERT INTO daily VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number",
                    ((tally.day, tally.what, tally.number) for tally in changes.tallies),
                )
                self._write_counts(changes)
                if changes.snapshot:
                    self._write_snapshot(changes.snapshot)
            if changes.snapshot or any(held.ended_at is not None for held in changes.alerts):
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _write_counts(self, changes: Changes) -> None:
        self._many(
            "INSERT INTO hourly VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
            "SET people = people + excluded.people, watched = watched + excluded.watched",
            ((one.day, one.hour, one.people, one.watched) for one in changes.hours),
        )
        if changes.oldest_day:
            self._db.execute("DELETE FROM hourly WHERE day < ?", (changes.oldest_day,))
        self._many(
            "INSERT INTO audited VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET people = people + excluded.people, "
            "flags = flags + excluded.flags, alerts = alerts + excluded.alerts",
            ((one.aspect, one.value, one.people, one.flags, one.alerts) for one in changes.audited),
        )
        self._many(
            "REPLACE INTO doubt VALUES",
            ((one.of.unit, one.of.attribute, one.of.word, one.faults, one.at) for one in changes.doubts),
        )
        self._many(
            "INSERT INTO imported VALUES",
            ((one.digest, one.booth, one.people, one.at) for one in changes.imported),
        )

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            places = f" ({', '.join('?' * len(row))})" if statement.endswith("VALUES") else ""
            self._db.execute(statement + places, row)

    def _write_door(self, door: DoorState) -> None:
        self._db.execute(
            "REPLACE INTO door VALUES (?, ?, ?, ?, ?)",
            (door.unit, door.floor, door.admitted, door.repeated, door.missing_closed),
        )
        self._many(
            "REPLACE INTO refused VALUES", ((door.unit, rule, number) for rule, number in door.refused)
        )
        self._db.execute("DELETE FROM window WHERE unit = ? AND epoch < ?", (door.unit, door.floor))
        self._many(
            "REPLACE INTO window VALUES",
            (
                (
                    door.unit,
                    one.epoch,
                    one.lowest,
                    one.highest,
                    one.admitted,
                    one.bitmap,
                    one.boot,
                    one.synced,
                )
                for one in door.windows
            ),
        )

    def _write_snapshot(self, snapshot: Snapshot) -> None:
        state = snapshot.baseline
        self._db.execute(
            "REPLACE INTO baseline VALUES (1, ?, ?, ?, ?, ?, ?)",
            (
                state.anchor,
                state.latest,
                state.people,
                state.weight,
                rows.blob(state.pairs),
                rows.blob(state.known),
            ),
        )
        self._many("REPLACE INTO camera VALUES", ((unit, rows.blob(row)) for unit, row in state.cameras))
        self._many(
            "REPLACE INTO score VALUES",
            (
                (band, lens, rows.blob(snapshot.bins[band, lens]))
                for band in range(BANDS)
                for lens in range(_LENSES)
            ),
        )
        self._db.execute("DELETE FROM live")

    def load(self) -> Stored:
        """All that is stored. Unfit where it contradicts itself."""
        with self._errors():
            (last_alert,) = self._db.execute("SELECT last_alert FROM booth").fetchone()
            return Stored(
                doors=self._doors(),
                snapshot=self._snapshot(),
                live=tuple(
                    Live(unit=UnitId(unit), seen_at=Seconds(seen_at), vector=rows.vector(code))
                    for unit, seen_at, code in self._db.execute(
                        "SELECT unit, seen_at, code FROM live ORDER BY n"
                    )
                ),
                alerts=tuple(
                    rows.held_of(row)
                    for row in self._db.execute(
                        "SELECT * FROM alert ORDER BY raised_at, length(alert), alert"
                    )
                ),
                last_alert=last_alert,
                tallies=tuple(
                    Tally(day=day, what=what, number=number)
                    for day, what, number in self._db.execute("SELECT day, what, number FROM daily")
                ),
                hours=tuple(
                    HourCount(day=day, hour=hour, people=people, watched=watched)
                    for day, hour, people, watched in self._db.execute("SELECT * FROM hourly")
                ),
                doubts=tuple(
                    Doubt(
                        of=Word(unit=UnitId(unit), attribute=attribute, word=word),
                        faults=faults,
                        at=Seconds(at),
                    )
                    for unit, attribute, word, faults, at in self._db.execute("SELECT * FROM doubt")
                ),
            )

    def imported(self) -> frozenset[bytes]:
        """Digests of the baseline files that were taken in."""
        with self._errors():
            return frozenset(digest for (digest,) in self._db.execute("SELECT digest FROM imported"))

    def audited(self) -> tuple[AuditCount, ...]:
        """Every count that the audit reads."""
        with self._errors():
            return tuple(
                AuditCount(aspect=aspect, value=value, people=people, flags=flags, alerts=alerts)
                for aspect, value, people, flags, alerts in self._db.execute("SELECT * FROM audited")
            )

    def _doors(self) -> tuple[DoorState, ...]:
        refused: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for unit, rule, number in self._db.execute("SELECT unit, rule, number FROM refused"):
            refused[unit].append((rule, number))
        windows: dict[str, list[WindowState]] = defaultdict(list)
        for unit, epoch, lowest, highest, admitted, bitmap, boot, synced in self._db.execute(
            "SELECT * FROM window ORDER BY unit, epoch"
        ):
            windows[unit].append(
                WindowState(
                    epoch=Epoch(epoch),
                    lowest=lowest,
                    highest=highest,
                    admitted=admitted,
                    bitmap=bitmap,
                    boot=boot,
                    synced=bool(synced),
                )
            )
        return tuple(
            DoorState(
                unit=unit,
                floor=floor,
                admitted=admitted,
                repeated=repeated,
                missing_closed=missing,
                refused=tuple(refused[unit]),
                windows=tuple(windows[unit]),
            )
            for unit, floor, admitted, repeated, missing in self._db.execute("SELECT * FROM door")
        )

    def _snapshot(self) -> Snapshot | None:
        row = self._db.execute(
            "SELECT anchor, latest, people, weight, pairs, known FROM baseline WHERE id = 1"
        ).fetchone()
        if row is None:
            return None
        anchor, latest, people, weight, pairs, known = row
        attributes = len(ATTRIBUTES)
        bins = np.zeros((BANDS, _LENSES, BINS))
        for band, lens, blob in self._db.execute("SELECT band, lens, bins FROM score"):
            bins[band, lens] = rows.array(blob, BINS)
        return Snapshot(
            baseline=BaselineState(
                anchor=Seconds(anchor),
                latest=Seconds(latest),
                people=people,
                weight=weight,
                pairs=rows.array(pairs, LEVELS, LEVELS),
                known=rows.array(known, attributes, attributes),
                cameras=tuple(
                    (UnitId(unit), rows.array(blob, LEVELS))
                    for unit, blob in self._db.execute("SELECT unit, counts FROM camera ORDER BY unit")
                ),
            ),
            bins=bins,
        )

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._db.close()
        if self._lock is not None:
            self._lock.close()
