from __future__ import annotations

import json
import sqlite3
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
NOON = Seconds(1_760_000_000.0)


def act(number: int, kind: ActKind = ActKind.CLAIM, *, days: float = 0.0, mark: str = "") -> Act:
    return Act.now(kind, f"tablet-{number}", NOON + days * 86_400, mark=mark)


def test_what_tablets_do_is_told_to_the_lead_and_nothing_of_any_outfit() -> None:
    """Claim, end and forget are in the log by tablet and minute, once each; no alert, word or reason is."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    booth.handle_batch([asks("tablet-1", "claim", alert=name)], Seconds(HUBS_NOON + 7))
    outcome = asks("tablet-1", "outcome", alert=name, outcome="declined", why=None)
    booth.handle_batch([outcome, asks("tablet-2", "claim", alert=name)], Seconds(HUBS_NOON + 8))
    result = booth.handle_batch([asks("tablet-2", "forget", alert=name)], Seconds(HUBS_NOON + 9))
    minute = HUBS_NOON // 60 * 60
    assert [(act.at, act.who, act.kind) for act in result.changes.acts] == [(minute, "tablet-2", "forget")]
    (said,) = [one for one in booth.retained(Seconds(HUBS_NOON + 10)) if one.topic == topics.acts(BOOTH)]
    told = json.loads(said.payload)
    assert sorted(told) == ["acts", "at", "booth", "v"]
    assert told["acts"] == [
        [minute, "tablet-2", "forget", ""],
        [minute, "tablet-1", "declined", ""],
        [minute, "tablet-1", "claim", ""],
    ]


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


def test_what_is_older_than_a_quarter_goes_and_nothing_else(path: Path) -> None:
    """Acts leave in the order in which they came, ninety days later."""
    with closing(Store(path, CORNER)) as store:
        store.commit(StateDelta(acts=(act(5, days=60),)))
        store.commit(StateDelta(acts=(act(6, days=KEPT_SECONDS / 86_400 + 1),)))
        assert [one.who for one, _ in store.acts()] == ["tablet-5", "tablet-6"]


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
