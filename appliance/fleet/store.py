"""The fleet's database: booths, their reports, what came of them. PostgreSQL through psycopg.

Invariants:
    * A batch of reports is one transaction: after ``admit`` returns, it is on the disk, whole.
    * Each report counts once, by (booth, epoch, seq), whichever worker and however often it comes.
    * A booth that is withdrawn leaves no row but its name, and nothing of it comes in again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import errors, sql

from appliance.base.errors import Refused, Rule, Unavailable, Unfit
from appliance.fleet import schema
from appliance.fleet.ingest import BoothKey, CheckedReport
from appliance.protocol.fleet_report import ReportKind
from appliance.protocol.values import BoothId

KEPT_REPORTS_DAYS: Final = 35
"""Numbers of reports are kept for so long; an older repeat changes nothing, for counts never fall."""
KEPT_DAYS: Final = 3 * 366
"""Counts by day are kept for three years."""
_TRIES: Final = 3
_LOCK: Final = 0x4C454654


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """How many reports of a batch were new, how many repeats, and which were refused."""

    new: int
    repeated: int
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothRow:
    """What the fleet has of one booth; ``moment`` is None until it has said how it is."""

    booth: BoothId
    withdrawn: bool
    moment: dict[str, object] | None
    moment_at: float
    baseline: bytes
    """The signed file, believed under ``public_key`` (32 bytes)."""
    public_key: bytes
    people: int
    counts: dict[str, dict[str, int]]
    """By day (YYYY-MM-DD) and name."""
    refused: int


@contextmanager
def _reached() -> Iterator[None]:
    """Unavailable where the server goes away while something is asked of it."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        text = str(error).strip() or type(error).__name__
        raise Unavailable(
            f"the connection is lost: {text.splitlines()[-1]}",
            where="fleet database",
            fix="check that PostgreSQL runs",
        ) from None


class FleetStore:
    """One connection to the fleet's database at ``url``; its tables are made, or brought up to date, here.

    Unavailable where the server is away; Unfit where it refuses us.
    """

    def __init__(self, url: str) -> None:
        try:
            self._db = psycopg.connect(url, connect_timeout=5, application_name="leftfield-fleet")
        except psycopg.OperationalError as error:
            raise Unavailable(
                f"cannot connect: {str(error).strip().splitlines()[-1]}",
                where="fleet database",
                fix="check the address (--database) and that PostgreSQL runs",
            ) from None
        self._months: set[str] = set()
        with _reached():
            self._migrate()

    def _migrate(self) -> None:
        with self._db.transaction(), self._db.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute("CREATE TABLE IF NOT EXISTS schema_step (step integer NOT NULL)")
            row = cursor.execute("SELECT max(step) FROM schema_step").fetchone()
            step = row[0] if row and row[0] is not None else 0
            if step > len(schema.MIGRATIONS):
                raise Unfit(
                    f"the database has step {step}, this program knows {len(schema.MIGRATIONS)}",
                    where="fleet database",
                    fix="update this machine's leftfield",
                )
            for number, statements in enumerate(schema.MIGRATIONS[step:], start=step + 1):
                for statement in statements:
                    cursor.execute(statement)
                cursor.execute("INSERT INTO schema_step (step) VALUES (%s)", (number,))

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """One transaction. Unavailable where the server is away."""
        with _reached(), self._db.transaction():
            yield

    def close(self) -> None:
        """End the connection."""
        self._db.close()

    # Booths.

    def add_booth(self, booth: BoothId, public_key: bytes) -> None:
        """Let a booth in. Refused (NAME_TAKEN) where the name has another key; REVOKED where it is withdrawn."""
        with self._at_work():
            self._db.execute(
                "INSERT INTO booth (booth, public_key, added_at) VALUES (%s, %s, now()) ON CONFLICT DO NOTHING",
                (booth, public_key),
            )
            row = self._db.execute(
                "SELECT public_key, withdrawn_at FROM booth WHERE booth = %s", (booth,)
            ).fetchone()
        if row is None or bytes(row[0]) != public_key:
            raise Refused(
                Rule.NAME_TAKEN, "another booth has this name", where=booth, fix="choose another name"
            )
        if row[1] is not None:
            raise Refused(
                Rule.REVOKED, "the booth was withdrawn", where=booth, fix="let it in under another name"
            )

    def keys(self) -> dict[BoothId, BoothKey]:
        """Every booth that was ever let in."""
        with self._at_work():
            rows = self._db.execute("SELECT booth, public_key, withdrawn_at FROM booth").fetchall()
        return {
            BoothId(booth): BoothKey(public_key=bytes(key), withdrawn=withdrawn is not None)
            for booth, key, withdrawn in rows
        }

    def withdraw(self, booth: BoothId) -> dict[str, int]:
        """Delete all that came of a booth, for good; how many rows of each table. Unfit where there is none."""
        with self._at_work():
            done = self._db.execute(
                "UPDATE booth SET withdrawn_at = now() WHERE booth = %s AND withdrawn_at IS NULL", (booth,)
            )
            if not done.rowcount:
                raise Unfit("no such booth is in the fleet", where=booth, fix="leftfield fleet show")
            return {
                table: self._db.execute(
                    sql.SQL("DELETE FROM {} WHERE booth = %s").format(sql.Identifier(table)), (booth,)
                ).rowcount
                for table in schema.OF_BOOTH
            }

    def prune(self) -> int:
        """Delete what is older than it may be; how many rows."""
        with self._at_work():
            old = (
                (
                    "DELETE FROM report WHERE received_at < now() - make_interval(days => %s)",
                    KEPT_REPORTS_DAYS,
                ),
                ("DELETE FROM day_count WHERE day < current_date - %s", KEPT_DAYS),
            )
            return sum(self._db.execute(statement, (days,)).rowcount for statement, days in old)

    # Reports.

    def admit(
        self, reports: Sequence[CheckedReport], refusals: Iterable[tuple[str, Refused]] = ()
    ) -> Admitted:
        """Store a batch, in one transaction; ``refusals`` (booth, why) are counted with it.

        Unavailable where the database is away: nothing is stored then, and all may come again.
        """
        ordered = sorted(reports, key=lambda one: one.order)
        refused = Counter((booth, int(why.rule)) for booth, why in refusals)
        try:
            self._ensure_months(ordered)
            return self._tried(ordered, refused)
        except psycopg.OperationalError as error:
            text = str(error).strip() or type(error).__name__
            raise Unavailable(
                f"cannot store: {text.splitlines()[-1]}",
                where="fleet database",
                fix="check that PostgreSQL runs",
            ) from None

    def _tried(self, ordered: Sequence[CheckedReport], refused: Counter[tuple[str, int]]) -> Admitted:
        for tried in range(_TRIES):
            try:
                with self._db.transaction():
                    return self._admit(ordered, refused)
            except (errors.DeadlockDetected, errors.SerializationFailure):
                if tried == _TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    def _admit(self, ordered: Sequence[CheckedReport], refused: Counter[tuple[str, int]]) -> Admitted:
        new = repeated = 0
        found: list[Refused] = []
        booths = sorted({one.report.booth for one in ordered})
        # Whoever withdraws a booth waits until this batch is stored, and deletes it then.
        rows = self._db.execute(
            "SELECT booth FROM booth WHERE booth = ANY(%s) AND withdrawn_at IS NULL ORDER BY booth FOR SHARE",
            (booths,),
        ).fetchall()
        live = {booth for (booth,) in rows}
        for one in ordered:
            report = one.report
            if report.booth not in live:
                found.append(Refused(Rule.REVOKED, "the booth is withdrawn", where=report.booth))
                continue
            number = (report.booth, report.epoch, report.seq)
            try:
                with self._db.transaction():  # a savepoint: what the database refuses costs this report alone
                    fresh = self._db.execute(
                        schema.ADD_REPORT, (*number, report.kind.value, one.digest)
                    ).rowcount
                    if fresh:
                        self._apply(one)
            except psycopg.DataError as error:
                found.append(Refused(Rule.MALFORMED, str(error).splitlines()[0], where=report.booth))
                refused[report.booth, int(Rule.MALFORMED)] += 1
                continue
            if fresh:
                new += 1
                continue
            row = self._db.execute(schema.DIGEST_OF, number).fetchone()
            if row is not None and bytes(row[0]) == one.digest:
                repeated += 1
                continue
            what = "another report has this number: two hubs hold the booth's key"
            fix = f"find out which is the right one, then: leftfield fleet withdraw {report.booth}"
            found.append(Refused(Rule.TWO_HOLDERS, what, where=report.booth, fix=fix))
            refused[report.booth, int(Rule.TWO_HOLDERS)] += 1
        for (booth, rule), count in sorted(refused.items()):
            self._db.execute(schema.ADD_REFUSED, (booth, rule, count))
        return Admitted(new=new, repeated=repeated, refused=tuple(found))

    def _apply(self, one: CheckedReport) -> None:
        report = one.report
        number = (report.booth, report.epoch, report.seq, report.made_at)
        match report.kind:
            case ReportKind.DAYS:
                for day, counts in sorted(report.body.items()):
                    for what, count in sorted(counts.items()):
                        self._db.execute(schema.ADD_DAY, (report.booth, day, what, count))
            case ReportKind.BASELINE:
                self._db.execute(schema.ADD_BASELINE, (*number, one.people, one.file))
            case ReportKind.MOMENT:
                self._db.execute(schema.ADD_MOMENT, (*number, json.dumps(report.body)))

    def _ensure_months(self, ordered: Sequence[CheckedReport]) -> None:
        """The partitions that the counts of ``ordered`` fall into, made in a transaction of their own."""
        days = {day for one in ordered if one.report.kind is ReportKind.DAYS for day in one.report.body}
        for month in sorted({day[:7] for day in days} - self._months):
            year, number = int(month[:4]), int(month[5:])
            name = f"day_count_{month.replace('-', '_')}"
            with self._db.transaction():
                # One at a time: two workers that make it at once would wait for each other.
                self._db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                self._db.execute(
                    sql.SQL(
                        "CREATE TABLE IF NOT EXISTS {} PARTITION OF day_count FOR VALUES FROM ({}) TO ({})"
                    ).format(
                        sql.Identifier(name),
                        sql.Literal(f"{month}-01"),
                        sql.Literal(f"{year + number // 12}-{number % 12 + 1:02d}-01"),
                    )
                )
            self._months.add(month)

    # What pages and commands read.

    def rows(self, *, days: int = 30) -> tuple[BoothRow, ...]:
        """Every booth with what it said, and its counts of the last ``days`` days, by name."""
        with self._at_work():
            booths = self._db.execute(
                "SELECT booth.booth, withdrawn_at IS NOT NULL, body, extract(epoch FROM moment.made_at), file, "
                "public_key, people FROM booth LEFT JOIN moment USING (booth) LEFT JOIN baseline USING (booth) "
                "ORDER BY booth"
            ).fetchall()
            counts = self._db.execute(
                "SELECT booth, day::text, what, number FROM day_count WHERE day > current_date - %s", (days,)
            ).fetchall()
            refused = self._db.execute("SELECT booth, sum(number) FROM refused GROUP BY booth").fetchall()
        by_booth: dict[str, dict[str, dict[str, int]]] = {}
        for booth, day, what, number in counts:
            by_booth.setdefault(booth, {}).setdefault(day, {})[what] = number
        refusals = {booth: int(number) for booth, number in refused}
        return tuple(
            BoothRow(
                booth=BoothId(booth),
                withdrawn=withdrawn,
                moment=body,
                moment_at=float(at or 0.0),
                baseline=bytes(file or b""),
                public_key=bytes(key),
                people=people or 0,
                counts=by_booth.get(booth, {}),
                refused=refusals.get(booth, 0),
            )
            for booth, withdrawn, body, at, file, key, people in booths
        )
