"""Every table and column the hub stores, and why each may be there.

Invariants:
    * This list is what is published (promise 7). A test prints every column of a real database and compares.
    * Counts are written as whole multiples of five people, rounded, of whole days (``counts.coarse``): what one
      person wore, when and before which camera cannot be read from them, nor found by subtraction.
    * Nothing here can hold a picture, a name of a person, a track or a free text about one.
    * What could single somebody out is marked ``held``: it is emptied or deleted within ``retention_seconds``.
    * The broker's own store is no part of this list, and holds more: alerts that are open, as staff see them, until
      they end (at the latest when the hub stops or starts again) and up to 30 s more, until it writes its file anew;
      and sealed observations that the hub has not fetched yet, for as long as the hub is away.
    * A released schema never changes; a change is a new ``SCHEMA`` with a step in ``MIGRATIONS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCHEMA: Final = 8
LEDGER_SINCE: Final = 8
"""From this schema on a database without a ledger of releases beside it is a copy."""
APPLICATION_ID: Final = 0x4C454654
"""``LEFT`` in ASCII, in the database's header: a database of something else is not opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One stored column: its SQL type, why it is stored, and whether it is held for minutes only."""

    table: str
    name: str
    kind: str
    why: str
    held: bool = False


def _table(table: str, *columns: tuple[str, str, str] | tuple[str, str, str, bool]) -> tuple[Column, ...]:
    return tuple(
        Column(table=table, name=column[0], kind=column[1], why=column[2], held=len(column) == 4)
        for column in columns
    )


_HELD: Final = True

STORED_COLUMNS: Final = (
    *_table(
        "booth",
        ("booth", "TEXT PRIMARY KEY", "whose database this is"),
        ("last_alert", "INTEGER NOT NULL", "alerts are numbered; no number is used twice"),
    ),
    *_table(
        "door",
        (
            "unit",
            "TEXT PRIMARY KEY",
            "one row per camera unit and key (name/key id); the empty name stands for strangers",
        ),
        ("floor", "INTEGER NOT NULL", "epochs below are closed: no roll-back"),
        ("admitted", "INTEGER NOT NULL", "count"),
        ("repeated", "INTEGER NOT NULL", "count of redeliveries"),
        ("missing_closed", "INTEGER NOT NULL", "count of statements that never came"),
    ),
    *_table(
        "refused",
        ("unit", "TEXT NOT NULL", "whose topic the refused came on"),
        ("rule", "INTEGER NOT NULL", "number of the rule that was broken"),
        ("number", "INTEGER NOT NULL", "count"),
    ),
    *_table(
        "window",
        ("unit", "TEXT NOT NULL", "whose statements"),
        ("epoch", "INTEGER NOT NULL", "boot counter"),
        ("lowest", "INTEGER NOT NULL", "first number to be expected"),
        ("highest", "INTEGER NOT NULL", "highest number admitted"),
        ("admitted", "INTEGER NOT NULL", "count, so that gaps can be told"),
        ("gaps", "BLOB NOT NULL", "which numbers were not admitted: no replay, and nothing lost"),
        ("boot", "REAL NOT NULL", "when the epoch began, for units without a clock"),
        ("synced", "INTEGER NOT NULL", "whether the unit's own clock said so"),
    ),
    *_table(
        "baseline",
        ("id", "INTEGER PRIMARY KEY", "one row"),
        ("anchor", "REAL NOT NULL", "day that the counts refer to"),
        ("latest", "REAL NOT NULL", "day on which the last person counted was seen"),
        ("people", "INTEGER NOT NULL", "count"),
        ("weight", "REAL NOT NULL", "the same, the older ones counting less"),
        ("pairs", "BLOB NOT NULL", "how often each thing, and each two things, are worn: counts in fives"),
        (
            "known",
            "BLOB NOT NULL",
            "in how many people each attribute, and each two, could be told: counts in fives",
        ),
    ),
    *_table(
        "camera",
        ("unit", "TEXT PRIMARY KEY", "which camera"),
        ("counts", "BLOB NOT NULL", "how often each thing was seen by this camera: counts in fives"),
    ),
    *_table(
        "score",
        ("band", "INTEGER NOT NULL", "how completely people were seen"),
        ("lens", "INTEGER NOT NULL", "which score"),
        ("bins", "BLOB NOT NULL", "histogram of the scores of late: whole counts"),
    ),
    *_table(
        "left_out",
        ("unit", "TEXT PRIMARY KEY", "the baseline without this camera: none alone decides what is rare"),
        ("anchor", "REAL NOT NULL", "as in baseline"),
        ("latest", "REAL NOT NULL", "as in baseline"),
        ("people", "INTEGER NOT NULL", "count of people that other cameras saw"),
        ("weight", "REAL NOT NULL", "the same, the older ones counting less"),
        ("pairs", "BLOB NOT NULL", "counts in fives, as in baseline"),
        ("known", "BLOB NOT NULL", "counts in fives, as in baseline"),
    ),
    *_table(
        "left_out_score",
        ("unit", "TEXT NOT NULL", "the camera that is left out"),
        ("band", "INTEGER NOT NULL", "how completely people were seen"),
        ("lens", "INTEGER NOT NULL", "which score"),
        ("bins", "BLOB NOT NULL", "histogram of the scores of late: whole counts"),
    ),
    *_table(
        "changed",
        ("unit", "TEXT PRIMARY KEY", "the camera left out; empty for all cameras"),
        ("at", "REAL NOT NULL", "on a day unlike the weeks: when the last person was seen, to the hour"),
    ),
    *_table(
        "lineage",
        ("hub", "TEXT NOT NULL", "whose people the counts hold; empty for this hub's own"),
        ("unit", "TEXT NOT NULL", "which of its cameras saw them"),
        ("first", "INTEGER NOT NULL", "from which day"),
        ("last", "INTEGER NOT NULL", "to which day: nobody is counted twice"),
    ),
    *_table(
        "live",
        ("n", "INTEGER PRIMARY KEY", "order of arrival since the baseline was last written"),
        ("unit", "TEXT NOT NULL", "which camera", _HELD),
        ("seen_at", "REAL NOT NULL", "when, coarse", _HELD),
        ("code", "BLOB NOT NULL", "what was worn; deleted as soon as it is part of the counts", _HELD),
    ),
    *_table(
        "alert",
        ("alert", "TEXT PRIMARY KEY", "running number; the row is deleted a minute after the end"),
        ("state", "TEXT NOT NULL", "raised, claimed, or how it ended"),
        ("raised_at", "REAL NOT NULL", "when"),
        ("expires_at", "REAL NOT NULL", "until when"),
        ("ended_at", "REAL", "when it ended"),
        ("place", "TEXT NOT NULL", "what staff call the camera's place"),
        ("simulated", "INTEGER NOT NULL", "whether the street is simulated"),
        ("held_by", "TEXT", "which tablet claimed it"),
        ("seen_at", "REAL NOT NULL", "when the person was seen, coarse"),
        ("unit", "TEXT", "which camera; the row is deleted a minute after the end"),
        ("epoch", "INTEGER", "boot counter; emptied at the end", _HELD),
        ("seq", "INTEGER", "number in it; emptied at the end", _HELD),
        ("uptime", "INTEGER", "the unit's time; emptied at the end", _HELD),
        ("wall", "INTEGER", "the same as time of day; emptied at the end", _HELD),
        ("code", "BLOB", "what was worn; emptied at the end", _HELD),
        ("p", "REAL", "how rare; emptied at the end", _HELD),
        ("reasons", "TEXT", "why, as numbers of attributes and levels; emptied at the end", _HELD),
    ),
    *_table(
        "daily",
        ("day", "TEXT NOT NULL", "which day"),
        (
            "what",
            "TEXT NOT NULL",
            "what was counted: people, flags, alerts, how they ended, seconds they took",
        ),
        ("number", "INTEGER NOT NULL", "count"),
    ),
    *_table(
        "hourly",
        ("day", "TEXT NOT NULL", "which day; rows older than nine weeks are deleted"),
        ("hour", "INTEGER NOT NULL", "which hour of it"),
        ("people", "INTEGER NOT NULL", "count of passers-by, for the forecast"),
        ("watched", "INTEGER NOT NULL", "for how many seconds of the hour the hub was there to count"),
    ),
    *_table(
        "trend",
        ("at", "INTEGER NOT NULL", "quarter of an hour; rows older than twelve hours are deleted"),
        (
            "what",
            "TEXT NOT NULL",
            "people, a word of the vocabulary, how many quarters are told together, or how alerts ended",
        ),
        (
            "number",
            "INTEGER NOT NULL",
            "count: of people in whole fives, none below twenty; of alerts as it is",
        ),
    ),
    *_table(
        "audited",
        ("aspect", "TEXT NOT NULL", "camera, hour, visibility band, or an attribute"),
        ("value", "TEXT NOT NULL", "which camera, hour, band, or word of the vocabulary"),
        ("people", "INTEGER NOT NULL", "count of people seen so, in fives"),
        ("flags", "INTEGER NOT NULL", "count of those flagged, in fives"),
        ("alerts", "INTEGER NOT NULL", "count of those of whom staff were told, in fives"),
    ),
    *_table(
        "doubt",
        ("unit", "TEXT NOT NULL", "which camera"),
        ("attribute", "TEXT NOT NULL", "which attribute of the vocabulary"),
        ("word", "TEXT NOT NULL", "which of its words staff found wrong there"),
        ("faults", "REAL NOT NULL", "count of such dismissals, the older ones counting less"),
        ("at", "REAL NOT NULL", "day that the count refers to"),
    ),
    *_table(
        "act",
        ("n", "INTEGER PRIMARY KEY", "order"),
        (
            "at",
            "INTEGER NOT NULL",
            "when, to the minute, of acts on alerts to the day; rows older than ninety days are deleted",
        ),
        ("kind", "TEXT NOT NULL", "what was done with the booth; nothing of any outfit or alert"),
        ("who", "TEXT NOT NULL", "which tablet, or which account on the hub"),
        ("of", "TEXT NOT NULL", "which unit or tablet it was about; else empty"),
        ("mark", "TEXT NOT NULL", "identifier of what a command wrote down: nothing is taken in twice"),
        ("link", "BLOB NOT NULL", "hash of this row and the link before: a change shows"),
    ),
    *_table(
        "imported",
        ("digest", "BLOB PRIMARY KEY", "hash of a baseline file that was taken in: none is taken in twice"),
        ("booth", "TEXT NOT NULL", "whose baseline it was"),
        ("people", "INTEGER NOT NULL", "count of people in it"),
        ("at", "REAL NOT NULL", "when it was taken in"),
    ),
)
"""Everything that is stored, table by table."""

_KEYS: Final = {
    "refused": "PRIMARY KEY (unit, rule)",
    "window": "PRIMARY KEY (unit, epoch)",
    "score": "PRIMARY KEY (band, lens)",
    "lineage": "PRIMARY KEY (hub, unit, first)",
    "left_out_score": "PRIMARY KEY (unit, band, lens)",
    "daily": "PRIMARY KEY (day, what)",
    "hourly": "PRIMARY KEY (day, hour)",
    "trend": "PRIMARY KEY (at, what)",
    "audited": "PRIMARY KEY (aspect, value)",
    "doubt": "PRIMARY KEY (unit, attribute, word)",
}


CLOCK: Final = "CAST(strftime('%s', 'now') AS INTEGER)"
"""The machine's clock in SQL, in unix seconds."""
ACTS_STAY: Final = (
    "CREATE TRIGGER act_stays BEFORE UPDATE ON act BEGIN SELECT raise(ABORT, 'acts are only added'); END",
    (
        f"CREATE TRIGGER act_lasts BEFORE DELETE ON act WHEN old.at > {CLOCK} - 7776000 "
        "BEGIN SELECT raise(ABORT, 'acts are kept for ninety days'); END"
    ),
)
"""Acts can be added, and forgotten with age; the database refuses everything else."""


def create_statements() -> tuple[str, ...]:
    """The SQL that makes an empty database of this schema."""
    tables = dict.fromkeys(column.table for column in STORED_COLUMNS)
    statements = []
    for table in tables:
        rows = [f"{column.name} {column.kind}" for column in STORED_COLUMNS if column.table == table]
        if table in _KEYS:
            rows.append(_KEYS[table])
        statements.append(f"CREATE TABLE {table} ({', '.join(rows)}) STRICT")
    return (*statements, *ACTS_STAY)


MIGRATIONS: Final[dict[int, tuple[str, ...]]] = {
    1: (
        # The histograms of schema 1 have another form; they are learnt anew within a few hundred people.
        "DELETE FROM score",
        (
            "CREATE TABLE hourly (day TEXT NOT NULL, hour INTEGER NOT NULL, people INTEGER NOT NULL, "
            "watched INTEGER NOT NULL, PRIMARY KEY (day, hour)) STRICT"
        ),
        (
            "CREATE TABLE audited (aspect TEXT NOT NULL, value TEXT NOT NULL, people INTEGER NOT NULL, "
            "flags INTEGER NOT NULL, alerts INTEGER NOT NULL, PRIMARY KEY (aspect, value)) STRICT"
        ),
        (
            "CREATE TABLE doubt (unit TEXT NOT NULL, attribute TEXT NOT NULL, word TEXT NOT NULL, "
            "faults REAL NOT NULL, at REAL NOT NULL, PRIMARY KEY (unit, attribute, word)) STRICT"
        ),
        (
            "CREATE TABLE imported (digest BLOB PRIMARY KEY, booth TEXT NOT NULL, people INTEGER NOT NULL, "
            "at REAL NOT NULL) STRICT"
        ),
    ),
    2: (
        (
            "CREATE TABLE left_out (unit TEXT PRIMARY KEY, anchor REAL NOT NULL, latest REAL NOT NULL, "
            "people INTEGER NOT NULL, weight REAL NOT NULL, pairs BLOB NOT NULL, known BLOB NOT NULL) STRICT"
        ),
        (
            "CREATE TABLE left_out_score (unit TEXT NOT NULL, band INTEGER NOT NULL, lens INTEGER NOT NULL, "
            "bins BLOB NOT NULL, PRIMARY KEY (unit, band, lens)) STRICT"
        ),
        (
            "CREATE TABLE lineage (hub TEXT NOT NULL, unit TEXT NOT NULL, first INTEGER NOT NULL, "
            "last INTEGER NOT NULL, PRIMARY KEY (hub, unit, first)) STRICT"
        ),
        # Since when its own cameras count was not kept; of an imported file not even which cameras they were.
        "INSERT INTO lineage SELECT '', unit, 0, CAST(latest / 86400 AS INTEGER) FROM camera, baseline",
        (
            "INSERT INTO lineage SELECT booth || '/*', '*', 0, CAST(max(at) / 86400 AS INTEGER) "
            "FROM imported GROUP BY booth"
        ),
    ),
    3: (
        (
            "CREATE TABLE trend (at INTEGER NOT NULL, what TEXT NOT NULL, number INTEGER NOT NULL, "
            "PRIMARY KEY (at, what)) STRICT"
        ),
    ),
    # What is in it keeps the form of a bitmap until it next changes (replay_window.gaps_of).
    4: ("ALTER TABLE window RENAME COLUMN bitmap TO gaps",),
    5: ("CREATE TABLE changed (unit TEXT PRIMARY KEY, at REAL NOT NULL) STRICT",),
    6: (
        (
            "CREATE TABLE act (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, "
            "of TEXT NOT NULL, mark TEXT NOT NULL, link BLOB NOT NULL) STRICT"
        ),
        *ACTS_STAY,
    ),
    # The age of an act was told by the newest one: one of the far future would have let all others go.
    7: ("DROP TRIGGER act_lasts", ACTS_STAY[1]),
}
"""SQL that takes a database from the schema of that number to the next."""
