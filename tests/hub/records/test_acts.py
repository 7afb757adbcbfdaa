from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import cli
from appliance.enrol import Listeners, create_booth
from appliance.enrol.broker import staff_acl, units_acl
from appliance.hub.records.acts import TOLD, Acts
from appliance.hub.storage.state import StateDelta
from appliance.hub.storage.store import Store
from appliance.protocol import topics
from appliance.protocol.acts import KEPT_SECONDS, Act, ActKind
from appliance.protocol.values import BoothId, Seconds, TabletId
from appliance.settings import acts_file
from appliance.settings.config import Register
from tests.hub.corner import BOOTH, Camera, asks, new_booth, raised, teach
from tests.hub.corner import NOON as HUBS_NOON

CORNER = BoothId("corner")
NOON = Seconds(time.time() - 3600)
"""The database asks the machine's clock how old an act is."""


def act(number: int, kind: ActKind = ActKind.CLAIM, *, days: float = 0.0, mark: str = "") -> Act:
    return Act.now(kind, f"tablet-{number}", NOON + days * 86_400, mark=mark)


def test_what_tablets_do_is_told_to_the_lead_and_nothing_of_any_outfit() -> None:
    """Claim, end and forget are in the log by tablet and day, once each; no minute, alert, word or reason is."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    booth.handle_batch([asks("tablet-1", "claim", alert=name)], Seconds(HUBS_NOON + 7))
    outcome = asks("tablet-1", "outcome", alert=name, outcome="declined", why=None)
    booth.handle_batch([outcome, asks("tablet-2", "claim", alert=name)], Seconds(HUBS_NOON + 8))
    result = booth.handle_batch([asks("tablet-2", "forget", alert=name)], Seconds(HUBS_NOON + 9))
    day = HUBS_NOON // 86_400 * 86_400
    assert [(act.at, act.who, act.kind) for act in result.changes.acts] == [(day, "tablet-2", "forget")]
    (said,) = [one for one in booth.retained(Seconds(HUBS_NOON + 10)) if one.topic == topics.acts(BOOTH)]
    told = json.loads(said.payload)
    assert sorted(told) == ["acts", "at", "booth", "v"]
    assert told["at"] == day  # the broker keeps it: it must not say when either
    assert told["acts"] == [
        [day, "tablet-2", "forget", ""],
        [day, "tablet-1", "declined", ""],
        [day, "tablet-1", "claim", ""],
    ]


@pytest.mark.parametrize("kind", ActKind)
def test_no_minute_is_kept_of_what_is_done_with_an_alert(kind: ActKind) -> None:
    """A shop's camera and a minute would find who was singled out; of all else a lead needs the minute."""
    alerts = {"claim", "release", "gifted", "declined", "not_found", "dismissed", "forget"}
    step = 86_400 if kind.value in alerts else 60
    assert Act.now(kind, "tablet-1", NOON + 61).at == (NOON + 61) // step * step


def test_the_newest_are_told_and_again_only_where_there_is_news() -> None:
    """At most a hundred, newest first; said again when asked for, as after a lost link."""
    log = Acts(CORNER)
    for number in range(TOLD + 5):
        log.add(ActKind.CLAIM, f"tablet-{number}", NOON)
    (said,) = log.telling(NOON)
    assert said.retain
    rows = json.loads(said.payload)["acts"]
    assert (len(rows), rows[0][1]) == (TOLD, f"tablet-{TOLD + 4}")
    assert len(said.payload) < 8192
    assert log.telling(NOON) == ()
    assert len(log.telling(NOON, again=True)) == 1
    assert len(log.news()) == TOLD + 5
    assert log.news() == ()


def test_what_a_command_wrote_down_is_taken_once(tmp_path: Path) -> None:
    """However often the file is read, before and after a restart, each line is one act."""
    acts_file.note(tmp_path, ActKind.BACKUP, who="root")
    acts_file.note(tmp_path, ActKind.REVOKE, of="north", who="ann")
    noted = acts_file.noted(tmp_path)
    log = Acts(CORNER)
    log.take(noted)
    log.take(noted)
    stored = log.news()
    assert [(one.kind, one.who, one.of) for one in stored] == [
        (ActKind.BACKUP, "root", ""),
        (ActKind.REVOKE, "ann", "north"),
    ]
    again = Acts(CORNER, stored)
    again.take(noted)
    assert again.news() == ()


@given(st.one_of(st.binary(max_size=200), st.sampled_from([b"[1,2,3,4,5]", b'["a",1,"b","claim",7]', b"[]"])))
def test_lines_that_are_no_acts_are_passed_over(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes
) -> None:
    """Whatever stands in the file, the acts in it are read and nothing raises."""
    directory = tmp_path_factory.mktemp("acts")
    (directory / acts_file.FILE).write_bytes(garbage.replace(b"\n", b"") + b"\n")
    acts_file.note(directory, ActKind.RENEW, who="root")
    assert [one.kind for one in acts_file.noted(directory)] == [ActKind.RENEW]


def test_a_full_disk_does_not_stop_what_was_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the act cannot be written, that is said."""
    acts_file.note(tmp_path / "nowhere", ActKind.RENEW, who="root")
    assert "renew is not written down" in capsys.readouterr().err


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with five acts."""
    made = tmp_path / "hub.sqlite"
    with closing(Store(made, CORNER)) as store:
        store.commit(StateDelta(acts=tuple(act(number) for number in range(3))))
        store.commit(StateDelta(acts=(act(3, ActKind.FORGET), act(4, ActKind.BACKUP, mark="m"))))
    return made


@pytest.mark.parametrize(
    "statement", ["UPDATE act SET who = 'x'", "DELETE FROM act WHERE n = 2", "DELETE FROM act"]
)
def test_the_database_refuses_to_change_or_delete_an_act(path: Path, statement: str) -> None:
    """Not even SQL on the file itself can, while it leaves the triggers alone."""
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute(statement)


@pytest.mark.parametrize("ahead", [10**30, -(10**10), -(10**30), 86_400])
def test_a_line_of_an_impossible_time_is_told_of_and_harms_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ahead: int
) -> None:
    """Neither does it stop the hub's write to the disk, nor let everything else go; the next act takes it out."""
    at = int(NOON) + ahead
    row = ["m", at, "root", "claim", ""]
    (tmp_path / acts_file.FILE).write_text(
        json.dumps(row) + "\n" + json.dumps(["n", int(NOON), *row[2:]]) + "\n"
    )
    noted = acts_file.noted(tmp_path)
    assert [one.mark for one in noted] == ["n"]
    assert "impossible times in acts.jsonl, lines not read: 1; check the clock" in capsys.readouterr().err
    with closing(Store(tmp_path / "hub.sqlite", CORNER)) as store:
        store.commit(StateDelta(acts=noted))
    acts_file.note(tmp_path, ActKind.RENEW, who="root")
    assert str(at) not in (tmp_path / acts_file.FILE).read_text().replace(str(int(NOON)), "")


def test_the_file_of_commands_forgets_too(tmp_path: Path) -> None:
    """A line of more than ninety days ago is not read, or it would come again; the next act takes it out."""
    old = ["old", int(time.time()) - KEPT_SECONDS - 60, "ann", "renew", ""]
    (tmp_path / acts_file.FILE).write_text(json.dumps(old) + "\n")
    assert acts_file.noted(tmp_path) == ()
    acts_file.note(tmp_path, ActKind.RENEW, who="root")
    assert "ann" not in (tmp_path / acts_file.FILE).read_text()


def test_what_is_older_than_a_quarter_goes_and_nothing_else(tmp_path: Path) -> None:
    """Acts leave in the order in which they came, by the clock; also where nothing new happens, and all may go."""
    acts = tuple(act(number, ActKind.RENEW, days=days) for number, days in enumerate([-95, -91, -30, -95]))
    path, now = tmp_path / "hub.sqlite", Seconds(time.time())
    log = Acts(CORNER, acts)
    assert log.telling(now)
    with closing(Store(path, CORNER)) as store:
        store.commit(StateDelta(acts=acts))
        assert len(store.acts()) == 4
        limit = log.forget(now)
        store.commit(StateDelta(oldest_act=limit))
        assert [one.who for one, _ in store.acts()] == ["tablet-2", "tablet-3"]
        (said,) = log.telling(now)  # what the broker keeps forgets as well
        assert [row[1] for row in json.loads(said.payload)["acts"]] == ["tablet-3", "tablet-2"]
        assert log.forget(now) == 0
        later = log.forget(Seconds(now + KEPT_SECONDS))
        # A clock that is ahead of the machine's deletes nothing more.
        store.commit(StateDelta(oldest_act=later))
        assert [one.who for one, _ in store.acts()] == ["tablet-2", "tablet-3"]
    with closing(Store(tmp_path / "old.sqlite", CORNER)) as store:
        store.commit(StateDelta(acts=acts[:2]))
        store.commit(StateDelta(oldest_act=limit))
        assert store.acts() == []


def test_an_act_of_the_future_lets_no_other_go(path: Path) -> None:
    """The age is counted from the machine's clock, not from the newest act."""
    with closing(Store(path, CORNER)) as store:
        store.commit(StateDelta(acts=(act(9, days=400),), oldest_act=int(NOON) + 300 * 86_400))
        assert len(store.acts()) == 6
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("DELETE FROM act WHERE n = 1")


def test_a_hub_without_news_forgets_acts() -> None:
    """An hour in which nobody does anything still stores that what is old goes."""
    camera = Camera("north")
    booth = new_booth(camera)
    booth.acted([Act.now(ActKind.RENEW, "root", HUBS_NOON, mark="m")])
    booth.handle_batch([], Seconds(HUBS_NOON + 1))
    assert booth.handle_batch([], Seconds(HUBS_NOON + 2)).changes.oldest_act == 0
    changes = booth.handle_batch([], Seconds(HUBS_NOON + KEPT_SECONDS + 60)).changes
    assert changes.oldest_act == int(HUBS_NOON) + 60
    assert not changes.empty


def hub_of(directory: Path, database: Path) -> Path:
    """A hub's configuration with ``database``."""
    listeners = Listeners(mqtt_port=1883, mqtt_address="127.0.0.1", wss_port=0)
    made = create_booth(directory / "booth", CORNER, listeners=listeners)
    broker = made.hub_broker
    config = directory / "hub.toml"
    config.write_text(
        f'[hub]\nbooth = "{CORNER}"\nregister = "{made.register}"\ndatabase = "{database}"\n'
        f'[broker]\nhost = "h"\nca = "{broker.ca}"\ncertificate = "{broker.certificate}"\nkey = "{broker.key}"\n'
    )
    return config


def test_the_command_shows_all_acts_and_a_broken_chain(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints a line an act; where somebody changed one past the triggers it says so and ends with 65."""
    config = hub_of(tmp_path, path)
    assert cli.main(["acts", "--json", "--config", str(config)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["kind"] for one in lines] == ["claim", "claim", "claim", "forget", "backup"]
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TRIGGER act_stays")
        db.execute("UPDATE act SET who = 'tablet-9' WHERE n = 3")
    assert cli.main(["acts", "--config", str(config)]) == 65
    told = capsys.readouterr()
    assert "chain of acts is broken" in told.err
    assert "tablet-9" in told.out


def test_the_leads_tablets_alone_may_read_acts() -> None:
    """The broker's rights: the hub writes them, the lead's tablets read them, nobody else."""
    one, lead, room = TabletId("one"), TabletId("lead"), TabletId("room")
    register = Register(units=(), tablets=(one, lead), installers=(one,), rooms=(room,), leads=(lead,))
    rights = dict(block.split("\n", 1) for block in staff_acl(CORNER, register).split("user ")[1:])
    topic = topics.acts(CORNER)
    assert {name for name, lines in rights.items() if topic in lines} == {"lead"}
    assert f"topic read {topic}" in rights["lead"]
    assert f"topic write {topic}" in units_acl(CORNER, register)
