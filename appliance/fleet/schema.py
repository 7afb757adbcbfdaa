"""Every table of the fleet, as SQL for PostgreSQL 13 and later, in numbered steps.

Invariants:
    * Each table has the booth in its primary key: Citus can spread all of them by ``booth``, and withdrawing a booth
      deletes whole rows. ``day_count`` has the day in its key too, so that TimescaleDB can make it a hypertable.
    * Nothing here can hold a vector, an outfit, a time of day at which somebody was seen, or a name of a person.
    * A released step never changes; a change is a new step.
"""

from __future__ import annotations

from typing import Final

REPORT_PARTS: Final = 8
"""Partitions of ``report``, by hash of the booth: workers that write for different booths meet less."""

_BOOTH: Final = (
    "CREATE TABLE booth (booth text PRIMARY KEY, public_key bytea NOT NULL, added_at timestamptz NOT NULL, "
    "withdrawn_at timestamptz)"
)
_REPORT: Final = (
    "CREATE TABLE report (booth text NOT NULL, epoch bigint NOT NULL, seq bigint NOT NULL, kind text NOT NULL, "
    "digest bytea NOT NULL, received_at timestamptz NOT NULL, PRIMARY KEY (booth, epoch, seq)) "
    "PARTITION BY HASH (booth)"
)
"""One row a report, so that each counts once and two holders of a key are noticed; kept for weeks."""
_REPORT_PART: Final = (
    "CREATE TABLE report_{0} PARTITION OF report FOR VALUES WITH (MODULUS {1}, REMAINDER {0})"
)
_DAY_COUNT: Final = (
    "CREATE TABLE day_count (booth text NOT NULL, day date NOT NULL, what text NOT NULL, number bigint NOT NULL, "
    "PRIMARY KEY (booth, day, what)) PARTITION BY RANGE (day)"
)
"""What a booth counted on a day; a partition a month is made when its first row comes."""
_BASELINE: Final = (
    "CREATE TABLE baseline (booth text PRIMARY KEY, epoch bigint NOT NULL, seq bigint NOT NULL, "
    "made_at timestamptz NOT NULL, people bigint NOT NULL, file bytea NOT NULL)"
)
"""The newest baseline of each booth, as it was signed."""
_MOMENT: Final = (
    "CREATE TABLE moment (booth text PRIMARY KEY, epoch bigint NOT NULL, seq bigint NOT NULL, "
    "made_at timestamptz NOT NULL, body jsonb NOT NULL)"
)
_REFUSED: Final = (
    "CREATE TABLE refused (booth text NOT NULL, rule integer NOT NULL, number bigint NOT NULL, "
    "PRIMARY KEY (booth, rule))"
)
_PARTS: Final = tuple(_REPORT_PART.format(part, REPORT_PARTS) for part in range(REPORT_PARTS))

MIGRATIONS: Final = ((_BOOTH, _REPORT, *_PARTS, _DAY_COUNT, _BASELINE, _MOMENT, _REFUSED),)
"""SQL that takes a database from the step of that index to the next."""

ADD_REPORT: Final = (
    "INSERT INTO report (booth, epoch, seq, kind, digest, received_at) VALUES (%s, %s, %s, %s, %s, now()) "
    "ON CONFLICT DO NOTHING"
)
DIGEST_OF: Final = "SELECT digest FROM report WHERE booth = %s AND epoch = %s AND seq = %s"
ADD_DAY: Final = (
    "INSERT INTO day_count (booth, day, what, number) VALUES (%s, %s, %s, %s) "
    "ON CONFLICT (booth, day, what) DO UPDATE SET number = GREATEST(day_count.number, EXCLUDED.number)"
)
"""A day's count never falls: the largest that was said is the newest, in whatever order reports come."""
ADD_BASELINE: Final = (
    "INSERT INTO baseline (booth, epoch, seq, made_at, people, file) "
    "VALUES (%s, %s, %s, to_timestamp(%s), %s, %s) "
    "ON CONFLICT (booth) DO UPDATE SET epoch = EXCLUDED.epoch, seq = EXCLUDED.seq, made_at = EXCLUDED.made_at, "
    "people = EXCLUDED.people, file = EXCLUDED.file "
    "WHERE (EXCLUDED.epoch, EXCLUDED.seq) > (baseline.epoch, baseline.seq)"
)
ADD_MOMENT: Final = (
    "INSERT INTO moment (booth, epoch, seq, made_at, body) VALUES (%s, %s, %s, to_timestamp(%s), %s) "
    "ON CONFLICT (booth) DO UPDATE SET epoch = EXCLUDED.epoch, seq = EXCLUDED.seq, made_at = EXCLUDED.made_at, "
    "body = EXCLUDED.body WHERE (EXCLUDED.epoch, EXCLUDED.seq) > (moment.epoch, moment.seq)"
)
ADD_REFUSED: Final = (
    "INSERT INTO refused (booth, rule, number) VALUES (%s, %s, %s) "
    "ON CONFLICT (booth, rule) DO UPDATE SET number = refused.number + EXCLUDED.number"
)
OF_BOOTH: Final = ("report", "day_count", "baseline", "moment", "refused")
"""Every table with rows of booths: withdrawing one empties them."""
