"""A copy of the hub's database, made while the hub runs, and put back.

Invariants:
    * A copy is one instant of the database (SQLite's online backup); the hub is not held up.
    * What could single somebody out is not in a copy: what is ``held`` for minutes in the database would lie in a
      backup for years. Counts of the last minute or so are lost with it.
    * Putting back is whole or not at all, and makes nothing admissible again that the database it replaces had
      admitted: its windows are joined to those of the copy.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from appliance.base import atomic_files
from appliance.base.errors import LeftfieldError, Unavailable, Unfit
from appliance.hub.admission.unit_state import UnitAdmission, UnitAdmissionState
from appliance.hub.storage.schema import SCHEMA
from appliance.hub.storage.state import StateDelta
from appliance.hub.storage.store import Store
from appliance.protocol.values import BoothId


def copy_online(source: Path, target: Path) -> None:
    """Copy the database at ``source`` to the new file ``target`` (0600). Unavailable, Unfit."""
    if not source.exists():
        raise Unfit("the database does not exist yet", where=str(source), fix="start the hub once")
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, atomic_files.SECRET))
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as origin,
            closing(sqlite3.connect(target, isolation_level=None)) as copy,
        ):
            (version,) = origin.execute("PRAGMA user_version").fetchone()
            if version != SCHEMA:
                fix = "start this version's hub on it once"
                raise Unfit(f"its schema is {version}, not {SCHEMA}", where=str(source), fix=fix)
            origin.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.execute("PRAGMA secure_delete=ON")
            copy.execute("DELETE FROM live")
            copy.execute("DELETE FROM alert")
            copy.execute("VACUUM")
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(
            f"the database cannot be copied: {error}",
            where=str(source),
            fix="check for a full disk, and whether the database can be read",
        ) from None


def put_back(copy: Path, database: Path, booth: BoothId) -> int:
    """Replace ``database`` by the file ``copy``, which is used up; how many units' windows were joined.

    Unavailable where a hub runs; Unfit where the copy is damaged, newer or of another booth.
    """
    restored = Store(copy, booth)
    try:
        states = {state.unit: state for state in restored.load().doors}
        older = _doors_of(database, booth)
        joined = tuple(_joined(states.get(state.unit), state) for state in older)
        restored.commit(StateDelta(doors=joined))
    finally:
        restored.close()
    _fold_log(copy)
    holder = Store(database, booth) if _opens(database, booth) else None  # so that no hub starts meanwhile
    try:
        _replace(copy, database)
    finally:
        if holder is not None:
            holder.close()
    for leftover in ("-wal", "-shm"):
        Path(f"{database}{leftover}").unlink(missing_ok=True)
    return len(older)


def _opens(database: Path, booth: BoothId) -> bool:
    if not database.exists():
        return False
    try:
        Store(database, booth).close()
    except Unfit:  # damaged: that is why somebody puts a copy back
        return False
    return True


def _doors_of(database: Path, booth: BoothId) -> tuple[UnitAdmissionState, ...]:
    """The doors of the database that is replaced; none where there is none, or it is damaged."""
    if not _opens(database, booth):
        return ()
    store = Store(database, booth)
    try:
        return store.load().doors
    except LeftfieldError:
        return ()
    finally:
        store.close()


def _joined(copied: UnitAdmissionState | None, replaced: UnitAdmissionState) -> UnitAdmissionState:
    """What either has admitted; counts of the copy where it knows the unit."""
    if copied is None:
        return replaced
    door, other = UnitAdmission.of(copied), UnitAdmission.of(replaced)
    door.close_below(other.floor)
    for epoch, window in other.windows.items():
        door.take_as_admitted(epoch, window.highest + 1, window.gaps)
    return replace(door.state(copied.unit), windows=tuple(one.state() for one in door.windows.values()))


def _fold_log(copy: Path) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    for leftover in ("-wal", "-shm", ".lock"):
        Path(f"{copy}{leftover}").unlink(missing_ok=True)


def _replace(copy: Path, database: Path) -> None:
    try:
        descriptor = os.open(copy, os.O_RDWR)
        try:
            os.fsync(descriptor)
            owner = database.parent.stat()
            with suppress(PermissionError):
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        finally:
            os.close(descriptor)
        copy.replace(database)
        atomic_files.sync_directory(database.parent)
    except OSError as error:
        raise Unavailable(
            f"the database cannot be replaced: {error.strerror}", where=str(database), fix="free space there"
        ) from None
