"""The fleet's database: each report counts once, in whatever order and through however many hands it comes."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from appliance.base.errors import Refused, Rule, Unavailable, Unfit
from appliance.fleet import schema
from appliance.fleet.ingest import BoothKey, CheckedReport, checked
from appliance.fleet.store import FleetStore
from appliance.hub.fleet_publisher import FleetPublisher
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.protocol import sign
from appliance.protocol.fleet_report import ReportKind, topic
from appliance.protocol.values import AttributeVector, BoothId, Seconds, UnitId
from tests.fleet.real_fleet import view_of

NOW = Seconds(1_790_000_000.0)
DAY = "2026-09-21"


def key_of(booth: str) -> bytes:
    return sum(booth.encode()).to_bytes(32, "big")


def publisher(booth: str, epoch: int = 1) -> FleetPublisher:
    return FleetPublisher(
        booth=BoothId(booth), home=f"{booth}/{'0' * 16}", private_key=key_of(booth), epoch=epoch
    )


def report(
    made: FleetPublisher,
    booth: str,
    kind: ReportKind,
    *,
    people: int = 100,
    gifted: int = 3,
    day: str = DAY,
    now: Seconds = NOW,
) -> CheckedReport:
    baseline = Baseline()
    for number in range(people):
        colour = "red" if number % 2 else "blue"
        baseline.update(AttributeVector.of(top_colour=colour), UnitId("north"), now)
    days = {day: {"people": people, "gifted": gifted}}
    told = made.telling(kind, view_of(baseline, days), now)
    keys = {BoothId(booth): BoothKey(public_key=sign.public_key_of(key_of(booth)), withdrawn=False)}
    return checked(topic(BoothId(booth), kind), told.payload, keys, now)


def enrolled(store: FleetStore, *booths: str) -> None:
    for booth in booths:
        store.add_booth(BoothId(booth), sign.public_key_of(key_of(booth)))


def counts(store: FleetStore, booth: str, day: str = DAY) -> dict[str, int]:
    return next(row.counts.get(day, {}) for row in store.rows(days=4000) if row.booth == booth)


def test_a_report_counts_once_however_often_it_comes(store: FleetStore) -> None:
    enrolled(store, "corner")
    made = publisher("corner")
    one = report(made, "corner", ReportKind.DAYS)
    assert store.admit([one]).new == 1
    assert store.admit([one, one]).repeated == 2
    assert counts(store, "corner") == {"people": 100, "gifted": 3}


def test_the_order_of_reports_does_not_matter(store: FleetStore, url: str) -> None:
    enrolled(store, "corner")
    made = publisher("corner")
    reports = [report(made, "corner", ReportKind.DAYS, people=5 * n, gifted=n) for n in range(1, 9)]
    reports += [report(made, "corner", ReportKind.BASELINE, people=20 * n) for n in range(1, 4)]
    reports += [report(publisher("corner", epoch=2), "corner", ReportKind.BASELINE, people=10)]
    mixed = reports * 2
    random.Random(7).shuffle(mixed)  # noqa: S311 - repeatable
    for one in mixed:
        store.admit([one])
    assert counts(store, "corner") == {"people": 40, "gifted": 8}
    (row,) = store.rows()
    assert row.people == 10, "the later start of the hub is the newer, whatever its number"
    again = FleetStore(url)
    assert again.admit(mixed).new == 0
    again.close()


def test_workers_at_once_lose_nothing_and_count_nothing_twice(store: FleetStore, url: str) -> None:
    """Four connections store the same reports in different orders at the same time."""
    booths = ("corner", "market", "harbour")
    enrolled(store, *booths)
    starts = {(booth, epoch): publisher(booth, epoch) for booth in booths for epoch in range(1, 6)}
    reports = [
        report(
            starts[booth, epoch], booth, kind, people=5 * epoch + place, gifted=epoch, day=f"2026-09-{month}"
        )
        for place, booth in enumerate(booths)
        for epoch in range(1, 6)
        for kind, month in (
            (ReportKind.DAYS, f"{epoch + 14}"),
            (ReportKind.DAYS, "20"),
            (ReportKind.BASELINE, "20"),
        )
    ]

    def work(seed: int) -> int:
        own, mine = FleetStore(url), list(reports)
        random.Random(seed).shuffle(mine)  # noqa: S311 - repeatable
        new = sum(own.admit(mine[start : start + 7]).new for start in range(0, len(mine), 7))
        own.close()
        return new

    with ThreadPoolExecutor(4) as pool:
        new = sum(pool.map(work, range(4)))
    assert new == len(reports)
    for booth in booths:
        assert counts(store, booth, "2026-09-20")["gifted"] == 5
        assert counts(store, booth, "2026-09-17")["gifted"] == 3


def test_another_report_under_a_used_number_shows_two_holders_of_a_key(store: FleetStore) -> None:
    enrolled(store, "corner")
    store.admit([report(publisher("corner"), "corner", ReportKind.DAYS)])
    found = store.admit([report(publisher("corner"), "corner", ReportKind.DAYS, people=900)])
    assert [one.rule for one in found.refused] == [Rule.TWO_HOLDERS]
    assert counts(store, "corner") == {"people": 100, "gifted": 3}
    assert store.rows()[0].refused == 1


def test_a_withdrawn_booth_leaves_nothing_and_the_others_everything(store: FleetStore, url: str) -> None:
    enrolled(store, "corner", "market")
    for booth in ("corner", "market"):
        made = publisher(booth)
        store.admit([report(made, booth, kind) for kind in ReportKind])
    before = counts(store, "market")
    gone = store.withdraw(BoothId("corner"))
    assert gone == {"report": 3, "day_count": 2, "baseline": 1, "moment": 1, "refused": 0}
    late = report(publisher("corner", epoch=9), "corner", ReportKind.DAYS)
    assert store.admit([late]).refused[0].rule is Rule.REVOKED
    with psycopg.connect(url) as connection:
        for table in schema.OF_BOOTH:
            rows = connection.execute(f"SELECT count(*) FROM {table} WHERE booth = 'corner'").fetchone()  # noqa: S608 - our own tables
            assert rows == (0,), table
    assert counts(store, "market") == before
    with pytest.raises(Unfit, match="no such booth"):
        store.withdraw(BoothId("corner"))
    with pytest.raises(Refused, match="withdrawn"):
        enrolled(store, "corner")


def test_a_name_is_given_once(store: FleetStore) -> None:
    enrolled(store, "corner")
    with pytest.raises(Refused) as refused:
        store.add_booth(BoothId("corner"), bytes(32))
    assert refused.value.rule is Rule.NAME_TAKEN


def test_what_the_database_refuses_costs_one_report_and_no_worker(store: FleetStore) -> None:
    """A form that passed and that a column does not take: the others of the batch are stored, and it is counted."""
    enrolled(store, "corner", "market")
    bad = report(publisher("corner"), "corner", ReportKind.MOMENT)
    bad.report.body["units"] = [["north\0", "watching", "online"]]
    good = report(publisher("market"), "market", ReportKind.DAYS)
    found = store.admit([bad, good])
    assert ([one.rule for one in found.refused], found.new) == ([Rule.MALFORMED], 1)
    assert counts(store, "market") == {"people": 100, "gifted": 3}
    assert store.rows()[0].refused == 1


def test_reports_dated_far_ahead_or_back_are_refused() -> None:
    for now, rule in ((NOW + 63 * 86_400, Rule.EXPIRED), (NOW - 2 * 86_400, Rule.FUTURE)):
        told = publisher("corner").telling(ReportKind.DAYS, view_of(Baseline(), {}), NOW)
        keys = {BoothId("corner"): BoothKey(public_key=sign.public_key_of(key_of("corner")), withdrawn=False)}
        with pytest.raises(Refused) as refused:
            checked(topic(BoothId("corner"), ReportKind.DAYS), told.payload, keys, Seconds(now))
        assert refused.value.rule is rule


def test_a_connection_that_is_lost_is_said(store: FleetStore, url: str) -> None:
    """The server ends every connection of ours: each question is Unavailable, no traceback."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for asked in (store.keys, store.rows, store.prune):
        with pytest.raises(Unavailable, match="connection is lost"):
            asked()


def test_what_is_old_is_pruned(store: FleetStore, url: str) -> None:
    enrolled(store, "corner")
    then = Seconds(1_620_000_000.0)  # 2021-05-03
    store.admit([report(publisher("corner"), "corner", ReportKind.DAYS, day="2021-05-01", now=then)])
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE report SET received_at = now() - interval '36 days'")
    assert store.prune() == 3
    assert counts(store, "corner", "2021-05-01") == {}


def test_no_column_can_hold_a_person(url: str) -> None:
    """Every column of the real database, as published: a new one must be looked at here."""
    FleetStore(url).close()
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND table_name !~ '_[0-9]+$'"
        ).fetchall()
    by_table: dict[str, set[str]] = {}
    for table, column in rows:
        by_table.setdefault(table, set()).add(column)
    assert by_table == {
        "schema_step": {"step"},
        "booth": {"booth", "public_key", "added_at", "withdrawn_at"},
        "report": {"booth", "epoch", "seq", "kind", "digest", "received_at"},
        "day_count": {"booth", "day", "what", "number"},
        "baseline": {"booth", "epoch", "seq", "made_at", "people", "file"},
        "moment": {"booth", "epoch", "seq", "made_at", "body"},
        "refused": {"booth", "rule", "number"},
    }


def test_a_database_that_is_away_or_newer_is_said(url: str) -> None:
    FleetStore(url).close()
    with pytest.raises(Unavailable, match="cannot connect"):
        FleetStore("host=/nowhere user=fleet dbname=postgres")
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO schema_step (step) VALUES (99)")
    with pytest.raises(Unfit, match="step 99"):
        FleetStore(url)
