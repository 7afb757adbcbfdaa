"""The hub's memory on disk: one SQLite file, one transaction per batch, counts rather than people.

Invariants:
    * A batch is stored whole or not at all, and is on the disk (synchronous=FULL) before the broker hears of it.
    * The baseline is written every minute or so; until then what was admitted waits in ``live``, from which the
      counts are made again after a crash. Writing the baseline deletes those rows in the same transaction.
    * Nothing that was deleted lingers in the write-ahead log. How the file is opened: ``database``.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from appliance.hub.admission.replay_window import WindowState
from appliance.hub.admission.unit_state import UnitAdmission, UnitAdmissionState
from appliance.hub.pacing.forecast import HourCount
from appliance.hub.records.acts import BEGINNING, link
from appliance.hub.records.audit import AuditCount
from appliance.hub.records.daily_counts import DailyCount
from appliance.hub.records.trends import TrendRows
from appliance.hub.statistics.feedback import Doubt, DoubtedWord
from appliance.hub.storage import row_codec, snapshot_rows
from appliance.hub.storage.database import Database
from appliance.hub.storage.schema import CLOCK
from appliance.hub.storage.state import HubState, PendingObservation, StateDelta
from appliance.protocol.acts import KEPT_SECONDS, Act, ActKind
from appliance.protocol.values import BoothId, Epoch, Seconds, UnitId


class Store:
    """The database at ``path``, made where there is none. Unfit, Unavailable: see the file's laws.

    One hub at a time holds it; who only looks says ``alone=False``.
    """

    def __init__(self, path: Path, booth: BoothId, *, alone: bool = True) -> None:
        self._database = Database(path, booth, alone=alone)
        self._db = self._database.connection

    def commit(self, changes: StateDelta) -> None:
        """Store one batch, whole; it is on the disk when this returns. Unavailable where the disk is full."""
        with self._database.errors():
            with self._database.transaction():
                for door in changes.doors:
                    self._write_door(door)
                self._database.many(
                    "INSERT INTO live (unit, seen_at, code) VALUES (?, ?, ?)",
                    ((one.unit, one.seen_at, row_codec.code(one.vector)) for one in changes.live),
                )
                self._database.many(
                    "REPLACE INTO alert VALUES", (row_codec.alert_row(held) for held in changes.alerts)
                )
                self._database.many("DELETE FROM alert WHERE alert = ?", ((name,) for name in changes.gone))
                if changes.last_alert:
                    self._db.execute("UPDATE booth SET last_alert = ?", (changes.last_alert,))
                self._database.many(
                    "INSERT INTO daily VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number",
                    ((tally.day, tally.what, tally.number) for tally in changes.tallies),
                )
                self._write_counts(changes)
                self._write_acts(changes.acts)
                if changes.oldest_act:
                    self._forget_acts(changes.oldest_act)
                if changes.snapshot:
                    snapshot_rows.write(self._database, changes.snapshot)
                    self._db.execute("DELETE FROM live")
            if changes.snapshot or any(held.ended_at is not None for held in changes.alerts):
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _write_counts(self, changes: StateDelta) -> None:
        self._database.many(
            "INSERT INTO hourly VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
            "SET people = people + excluded.people, watched = watched + excluded.watched",
            ((one.day, one.hour, one.people, one.watched) for one in changes.hours),
        )
        if changes.oldest_day:
            self._db.execute("DELETE FROM hourly WHERE day < ?", (changes.oldest_day,))
        self._database.many(
            "INSERT INTO audited VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET people = people + excluded.people, "
            "flags = flags + excluded.flags, alerts = alerts + excluded.alerts",
            ((one.aspect, one.value, one.people, one.flags, one.alerts) for one in changes.audited),
        )
        for told in changes.trends:
            self._db.execute("DELETE FROM trend WHERE at = ?", (told.at,))
            rows = ((told.at, what, number) for what, number in told.rows)
            self._database.many("INSERT INTO trend VALUES", rows)
        self._database.many(
            "REPLACE INTO doubt VALUES",
            ((one.of.unit, one.of.attribute, one.of.word, one.faults, one.at) for one in changes.doubts),
        )
        self._database.many(
            "DELETE FROM imported WHERE digest = ?", ((digest,) for digest in changes.replaced)
        )
        self._database.many(
            "INSERT INTO imported VALUES",
            ((one.digest, one.booth, one.people, one.at) for one in changes.imported),
        )

    def _write_acts(self, acts: tuple[Act, ...]) -> None:
        if not acts:
            return
        last = self._db.execute("SELECT link FROM act ORDER BY n DESC LIMIT 1").fetchone()
        before = last[0] if last else BEGINNING
        for act in acts:
            before = link(before, act)
            row = (act.at, act.kind.value, act.who, act.of, act.mark, before)
            self._db.execute("INSERT INTO act (at, kind, who, of, mark, link) VALUES (?, ?, ?, ?, ?, ?)", row)

    def _forget_acts(self, oldest: int) -> None:
        # Only what came first goes, or the chain would have a hole; and nothing that the trigger would refuse.
        (limit,) = self._db.execute(f"SELECT min(?, {CLOCK} - {KEPT_SECONDS})", (oldest,)).fetchone()
        first = self._db.execute("SELECT n FROM act WHERE at > ? ORDER BY n LIMIT 1", (limit,)).fetchone()
        if first:
            self._db.execute("DELETE FROM act WHERE n < ?", first)
        else:
            self._db.execute("DELETE FROM act")

    def acts(self) -> list[tuple[Act, bytes]]:
        """All acts with their links, oldest first. Unfit where they cannot be read."""
        with self._database.errors():
            rows = self._db.execute("SELECT at, kind, who, of, mark, link FROM act ORDER BY n")
            return [
                (Act(at=at, kind=ActKind(kind), who=who, of=of, mark=mark), bytes(chained))
                for at, kind, who, of, mark, chained in rows
            ]

    def _write_door(self, door: UnitAdmissionState) -> None:
        self._db.execute(
            "REPLACE INTO door VALUES (?, ?, ?, ?, ?)",
            (door.unit, door.floor, door.admitted, door.repeated, door.missing_closed),
        )
        self._database.many(
            "REPLACE INTO refused VALUES", ((door.unit, rule, number) for rule, number in door.refused)
        )
        self._db.execute("DELETE FROM window WHERE unit = ? AND epoch < ?", (door.unit, door.floor))
        self._database.many(
            "REPLACE INTO window VALUES",
            (
                (
                    door.unit,
                    one.epoch,
                    one.lowest,
                    one.highest,
                    one.admitted,
                    one.gaps,
                    one.boot,
                    one.synced,
                )
                for one in door.windows
            ),
        )

    def load(self) -> HubState:
        """All that is stored. Unfit where it contradicts itself."""
        with self._database.errors():
            (last_alert,) = self._db.execute("SELECT last_alert FROM booth").fetchone()
            doors = self._doors()
            for door in doors:
                UnitAdmission.of(door)  # ValueError where its numbers contradict each other
            return HubState(
                doors=doors,
                snapshot=snapshot_rows.read(self._db),
                live=tuple(
                    PendingObservation(
                        unit=UnitId(unit), seen_at=Seconds(seen_at), vector=row_codec.vector(code)
                    )
                    for unit, seen_at, code in self._db.execute(
                        "SELECT unit, seen_at, code FROM live ORDER BY n"
                    )
                ),
                alerts=tuple(
                    row_codec.held_of(row)
                    for row in self._db.execute(
                        "SELECT * FROM alert ORDER BY raised_at, length(alert), alert"
                    )
                ),
                last_alert=last_alert,
                tallies=tuple(
                    DailyCount(day=day, what=what, number=number)
                    for day, what, number in self._db.execute("SELECT day, what, number FROM daily")
                ),
                hours=tuple(
                    HourCount(day=day, hour=hour, people=people, watched=watched)
                    for day, hour, people, watched in self._db.execute("SELECT * FROM hourly")
                ),
                doubts=tuple(
                    Doubt(
                        of=DoubtedWord(unit=UnitId(unit), attribute=attribute, word=word),
                        faults=faults,
                        at=Seconds(at),
                    )
                    for unit, attribute, word, faults, at in self._db.execute("SELECT * FROM doubt")
                ),
                trends=self._trends(),
                acts=tuple(act for act, _ in self.acts()),
            )

    def _trends(self) -> tuple[TrendRows, ...]:
        rows: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for at, what, number in self._db.execute("SELECT at, what, number FROM trend ORDER BY at"):
            rows[at].append((what, number))
        return tuple(TrendRows(at=at, rows=tuple(told)) for at, told in rows.items())

    def imported(self) -> frozenset[bytes]:
        """Digests of the baseline files that were taken in."""
        with self._database.errors():
            return frozenset(digest for (digest,) in self._db.execute("SELECT digest FROM imported"))

    def audited(self) -> tuple[AuditCount, ...]:
        """Every count that the audit reads."""
        with self._database.errors():
            return tuple(
                AuditCount(aspect=aspect, value=value, people=people, flags=flags, alerts=alerts)
                for aspect, value, people, flags, alerts in self._db.execute("SELECT * FROM audited")
            )

    def _doors(self) -> tuple[UnitAdmissionState, ...]:
        refused: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for unit, rule, number in self._db.execute("SELECT unit, rule, number FROM refused"):
            refused[unit].append((rule, number))
        windows: dict[str, list[WindowState]] = defaultdict(list)
        for unit, epoch, lowest, highest, admitted, gaps, boot, synced in self._db.execute(
            "SELECT * FROM window ORDER BY unit, epoch"
        ):
            windows[unit].append(
                WindowState(
                    epoch=Epoch(epoch),
                    lowest=lowest,
                    highest=highest,
                    admitted=admitted,
                    gaps=gaps,
                    boot=boot,
                    synced=bool(synced),
                )
            )
        return tuple(
            UnitAdmissionState(
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

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._database.close()
