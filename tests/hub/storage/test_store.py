from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.base.errors import Unavailable, Unfit
from appliance.hub.statistics import confidence
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import FIVE, coarse
from appliance.hub.statistics.conformal import whole
from appliance.hub.statistics.layout import LEVELS
from appliance.hub.storage import schema
from appliance.hub.storage.database import Database
from appliance.hub.storage.row_codec import blob
from appliance.hub.storage.state import PendingObservation, StateDelta
from appliance.hub.storage.store import Store
from appliance.protocol.values import AttributeVector, BoothId, Epoch, Seconds, UnitId
from appliance.protocol.vocabulary import CODE_BYTES
from tests.hub.corner import BOOTH, NOON, ODD, PLAIN, Camera, Crowd, asks, new_booth, store_at, told


def columns_of(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return [
            (table, row[1]) for table in tables for row in database.execute(f"PRAGMA table_xinfo({table})")
        ]


def test_every_stored_column_is_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every column of a real database, printed, is one of the published list with a reason, and no other is there."""
    store_at(tmp_path).close()
    found = columns_of(tmp_path / "hub.sqlite")
    with capsys.disabled():
        print()
        for column in schema.STORED_COLUMNS:
            held = " (held for minutes)" if column.held else ""
            print(f"  {column.table}.{column.name}: {column.why}{held}")
    assert sorted(found) == sorted((column.table, column.name) for column in schema.STORED_COLUMNS)
    assert all(column.why for column in schema.STORED_COLUMNS)


def test_nothing_but_the_schema_is_in_the_database(tmp_path: Path) -> None:
    """There is no view, trigger or index besides the tables' own, and every table is strict about its types."""
    store_at(tmp_path).close()
    with sqlite3.connect(tmp_path / "hub.sqlite") as database:
        kinds = database.execute(
            "SELECT DISTINCT type FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()
        strict = database.execute(
            "SELECT DISTINCT strict FROM pragma_table_list WHERE name NOT LIKE 'sqlite_%'"
        )
        assert kinds == [("table",), ("trigger",)]  # the triggers keep the acts
        assert strict.fetchall() == [(1,)]


def test_a_database_of_the_first_schema_still_opens(tmp_path: Path) -> None:
    """What an earlier release stored is taken up, with every column of today's list and nothing lost."""
    path = tmp_path / "hub.sqlite"
    shipped = Path(__file__).parents[2] / "shipped" / "hub_schema_1.sql"
    with sqlite3.connect(path) as database:
        database.executescript(shipped.read_text("utf-8"))
    store = store_at(tmp_path)
    stored = store.load()
    assert [(tally.what, tally.number) for tally in stored.tallies] == [("people", 7)]
    assert stored.last_alert == 3
    assert sorted(columns_of(path)) == sorted((column.table, column.name) for column in schema.STORED_COLUMNS)
    store.close()


def test_a_migrated_database_is_the_same_as_a_new_one(tmp_path: Path) -> None:
    """The steps from one schema to the next make the tables that a new database has, types and keys included."""
    store_at(tmp_path).close()
    with sqlite3.connect(tmp_path / "hub.sqlite") as database:
        new = dict(database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))
    made = [statement for statement in schema.MIGRATIONS[1] if statement.startswith("CREATE TABLE")]
    assert len(made) == 4
    assert all(statement == new[statement.split()[2]] for statement in made)


def bytes_on_disk(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir()))


@pytest.mark.parametrize("how", ["forget", "expire"])
def test_what_was_seen_is_gone_from_the_disk(tmp_path: Path, how: str) -> None:
    """Forgotten at once, or an end and a minute later, no outfit can be found in any file of the database."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera, stored=store.load())
    for number in range(40):
        batch = [camera.says(camera.observation(PLAIN, NOON)) for _ in range(10)]
        store.commit(booth.handle_batch(batch, Seconds(NOON + number / 10)).changes)
    outcome = booth.handle_batch([camera.says(camera.observation(ODD, NOON))], Seconds(NOON + 5))
    store.commit(outcome.changes)
    (alert,) = told(outcome, "alert")
    codes = [vector.code.to_bytes(CODE_BYTES, "big") for vector in (ODD, PLAIN)]
    assert all(code in bytes_on_disk(tmp_path) for code in codes)
    if how == "forget":
        batch, now = [asks("tablet-1", "forget", alert=alert["id"])], NOON + 6
    else:
        batch, now = [], NOON + 5 + 180
    store.commit(booth.handle_batch(batch, Seconds(now)).changes)
    assert not any(code in bytes_on_disk(tmp_path) for code in codes)
    assert booth.baseline.people == 401
    store.close()


RARE = (
    AttributeVector.of(top_colour="purple", top_pattern="figured", bottom_colour="orange", bottom_pattern="striped"),
    AttributeVector.of(top_colour="pink", top_pattern="checked", bottom_colour="green", bottom_pattern="figured"),
)  # fmt: skip


@pytest.mark.parametrize("forgotten", [False, True])
def test_no_outfit_minute_or_camera_can_be_read_from_the_file(tmp_path: Path, *, forgotten: bool) -> None:
    """Whatever one rare passer-by wore, by which camera and when: the stored counts are the same to the last bit."""
    files = []
    for which, (vector, at) in enumerate(((RARE[0], 200), (RARE[1], 350))):
        directory = tmp_path / str(which)
        directory.mkdir()
        cameras, store = (Camera("north"), Camera("south", seed=2)), store_at(directory)
        booth = new_booth(*cameras)
        for number in range(400):
            camera = cameras[number % 2 if number != at else which]
            encode = vector if number == at else PLAIN
            now = Seconds(NOON + 20 * number)
            outcome = booth.handle_batch([camera.says(camera.observation(encode, now))], now)
            store.commit(outcome.changes)
            if forgotten and number == at:
                (alert,) = told(outcome, "alert")
                store.commit(booth.handle_batch([asks("tablet-1", "forget", alert=alert["id"])], now).changes)
        store.commit(booth.handle_batch([], now, last=True).changes)
        store.close()
        with sqlite3.connect(directory / "hub.sqlite") as database:
            files.append(
                [
                    database.execute(one).fetchall()
                    for one in ("SELECT * FROM baseline", "SELECT * FROM camera", "SELECT * FROM audited")
                ]
            )
    assert files[0] == files[1]


def test_stored_counts_are_whole_fives_and_no_claim_grows_bold_by_a_restart(tmp_path: Path) -> None:
    """In the file every count is a multiple of five people; taken up again, no upper bound has halved."""
    camera, store, crowd = Camera("north"), store_at(tmp_path), Crowd(9)
    booth = new_booth(camera)
    for number in range(600):
        now = Seconds(NOON + number * 600)
        store.commit(booth.handle_batch([camera.says(camera.observation(crowd.person(), now))], now).changes)
    store.commit(booth.handle_batch([], now, last=True).changes)
    again = new_booth(camera, stored=store.load(), now=now)
    state = store.load().snapshot.baseline  # type: ignore[union-attr]
    fives = state.pairs / Baseline(state)._growth(state.latest) / FIVE
    assert np.abs(fives - np.rint(fives)).max() < 1e-9
    before, after = (
        confidence.share_upper(*one.baseline.among(np.arange(LEVELS), now))
        * (one.baseline.among(np.arange(LEVELS), now)[1] > 50)
        for one in (booth, again)
    )
    rare = before > 0
    assert (after[rare] / before[rare]).min() > 0.5
    store.close()


def test_everything_stored_comes_back(tmp_path: Path) -> None:
    """Alerts, windows, counts, baseline and histograms are after a restart what they were before."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera, stored=store.load())
    plain = [camera.says(camera.observation(PLAIN, NOON)) for _ in range(400)]
    store.commit(booth.handle_batch(plain, NOON).changes)
    odd = booth.handle_batch([camera.says(camera.observation(ODD, NOON))], NOON)
    store.commit(odd.changes)
    store.commit(booth.handle_batch([], NOON, last=True).changes)
    store.close()
    store = store_at(tmp_path)
    stored = store.load()
    assert stored.alerts == booth.alerts.all()
    assert stored.last_alert == 1
    assert stored.live == ()
    (name,) = (door.unit for door in stored.doors)
    assert (name.split("/")[0], stored.doors[0].admitted) == ("north", 401)
    assert stored.doors[0].windows[0] == booth._admission._doors[name].windows[Epoch(1)].state()
    assert stored.snapshot
    assert (stored.snapshot.baseline.pairs == coarse(booth.baseline.state()).pairs).all()
    assert (stored.snapshot.bins == whole(booth._rarity.everything.bins())).all()
    store.close()


def test_a_batch_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    """A batch that fails half way leaves nothing behind."""
    camera, store = Camera("north"), store_at(tmp_path)
    changes = new_booth(camera).handle_batch([camera.says(camera.observation(PLAIN, NOON))], NOON).changes
    broken = PendingObservation(unit=UnitId("north"), seen_at=Seconds(float("nan")), vector=PLAIN)
    with pytest.raises((Unfit, Unavailable)):
        store.commit(replace(changes, live=(*changes.live, broken)))
    assert store.load().live == ()
    assert store.load().doors == ()
    store.commit(changes)
    assert len(store.load().live) == 1
    store.close()


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5000:9000] = b"\x5a" * 4000
    path.write_bytes(bytes(content))


def test_a_damaged_database_stops_the_hub_loudly(tmp_path: Path) -> None:
    """Of a database with torn pages, or that is none, nothing is loaded: the hub is unfit and names the file."""
    path = tmp_path / "hub.sqlite"
    store_at(tmp_path).close()
    damage(path)
    with pytest.raises(Unfit, match=r"hub\.sqlite: it is damaged"):
        store_at(tmp_path).load()
    path.write_bytes(b"this is no database at all, but long enough to be one" * 40)
    with pytest.raises(Unfit, match="damaged"):
        store_at(tmp_path)


@pytest.mark.parametrize("pairs", [b"\0", blob(np.full((LEVELS, LEVELS), -1.0)), blob(np.zeros(3))])
def test_a_count_that_cannot_be_is_unfit(tmp_path: Path, pairs: bytes) -> None:
    """A stored count that is torn, negative or of another size is never repaired in silence."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera)
    store.commit(booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], NOON, last=True).changes)
    with sqlite3.connect(tmp_path / "hub.sqlite") as database:
        database.execute("UPDATE baseline SET pairs = ?", (pairs,))
    with pytest.raises(Unfit, match="damaged"):
        store.load()
    store.close()


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("PRAGMA user_version = 99", "newer"),
        ("PRAGMA application_id = 7", "not a database of this program"),
        ("UPDATE booth SET booth = 'other'", "belongs to booth other"),
    ],
)
def test_a_database_of_somebody_else_is_not_opened(tmp_path: Path, statement: str, complaint: str) -> None:
    """A database of a later version, another program or another booth is refused, and says so."""
    store_at(tmp_path).close()
    with sqlite3.connect(tmp_path / "hub.sqlite") as database:
        database.execute(statement)
    with pytest.raises(Unfit, match=complaint):
        Store(tmp_path / "hub.sqlite", BOOTH)


def test_a_database_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    """Where the directory is missing the hub says so, to be started again when it is there."""
    with pytest.raises(Unavailable, match="missing directory"):
        Store(tmp_path / "nowhere" / "hub.sqlite", BoothId("corner"))


def test_a_second_hub_cannot_write(tmp_path: Path) -> None:
    """While another holds the database a commit is unavailable, not lost in silence."""
    store = store_at(tmp_path)
    other = sqlite3.connect(tmp_path / "hub.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store._db.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(Unavailable, match="cannot use the database"):
        store.commit(
            StateDelta(last_alert=1, live=(PendingObservation(unit=UnitId("n"), seen_at=NOON, vector=PLAIN),))
        )
    other.close()
    store.close()


def test_what_looks_damaged_once_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One failing read while it is opened does not stop the hub for good; real damage still does."""
    path = tmp_path / "hub.sqlite"
    Store(path, BoothId("corner")).close()
    real, calls = Database._check, []

    def once(database: Database) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise sqlite3.DatabaseError("file is not a database")
        real(database)

    monkeypatch.setattr(Database, "_check", once)
    Store(path, BoothId("corner")).close()
    assert len(calls) == 2
    path.write_bytes(b"x" * 8192)
    with pytest.raises(Unfit, match="damaged"):
        Store(path, BoothId("corner"))
