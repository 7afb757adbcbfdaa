"""Process WATCH against a real broker."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance import enrol
from appliance.base.errors import Rule, Unfit
from appliance.enrol.home import UnitHome
from appliance.mqtt import Link, Message
from appliance.protocol import prior, topics
from appliance.protocol.sign import Sealer
from appliance.protocol.values import (
    TIME_STEP,
    AlertId,
    AttributeVector,
    BoothId,
    Epoch,
    Observation,
    PhenomenonTime,
    Seq,
    Steps,
    TabletId,
    UnitId,
)
from tests.hub.corner import ODD, PLAIN
from tests.systemd import ServiceSockets

pytestmark = pytest.mark.broker

BOOTH, UNIT = BoothId("watched"), UnitId("north")
PATIENCE = 30.0


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Tablet:
    """A staff page's connection: what it was told last, by topic, and its answers."""

    def __init__(self, name: str, port: int, password: str) -> None:
        self.name = name
        self.told: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5, transport="websockets"
        )
        self.client.ws_set_options(path="/mqtt")
        self.client.username_pw_set(name, password)
        self.client.on_message = lambda _c, _u, m: self.told.put((m.topic, json.loads(m.payload or b"{}")))
        self.client.on_connect = lambda client, *_: client.subscribe(
            [(topics.board(BOOTH), 1), (topics.hub_status(BOOTH), 1), (f"leftfield/1/{BOOTH}/alert/+", 1),
             (topics.staff(BOOTH, TabletId(name), "answer"), 1)]
        )  # fmt: skip
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()

    def until(self, group: str, **wanted: Any) -> dict[str, Any]:
        """The first message on a topic with ``group`` in it that has the ``wanted`` values."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                topic, message = self.told.get(timeout=1.0)
            except Empty:
                continue
            if f"/{group}" in topic and all(message.get(key) == value for key, value in wanted.items()):
                return dict(message)
        raise AssertionError(f"{self.name} was never told {wanted} on {group}")

    def ask(self, leaf: str, **body: Any) -> None:
        """Send a request."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = b"q1"
        self.client.publish(
            topics.staff(BOOTH, TabletId(self.name), leaf),
            json.dumps({"v": 1, **body}),
            qos=1,
            properties=properties,
        )


class World:
    """A booth with a real broker, a hub in a process of its own, one unit that signs, one tablet."""

    def __init__(self, directory: Path) -> None:
        mqtt_port, self.ws_port = free_ports(2)
        self.booth = enrol.create_booth(
            directory / "booth",
            BOOTH,
            listeners=enrol.Listeners(
                mqtt_port=mqtt_port, mqtt_address="127.0.0.1", wss_port=0, ws_port=self.ws_port
            ),
        )
        home = UnitHome(directory=directory / "unit")
        address = enrol.enrol_unit(self.booth, home, UNIT, place="north corner")
        self.password = enrol.add_tablet(self.booth, "tablet-1")
        self.sealer = Sealer(private_key=(home.credentials / "signing.key").read_bytes(), booth=BOOTH)
        self.database = directory / "hub.sqlite"
        self.config = directory / "hub.toml"
        self.config.write_text(_hub_toml(self.booth, self.database))
        self.start_broker()
        self.unit = Link(address=address, name=UNIT, subscriptions=(topics.prior(BOOTH),))
        self.unit.start()
        self.hub: subprocess.Popen[bytes] | None = None
        self.seq = 0

    def start_broker(self) -> None:
        """With whatever it has written down."""
        self.broker = subprocess.Popen(
            [enrol.mosquitto(), "-c", self.booth.broker_config], stderr=subprocess.DEVNULL
        )

    def told(self) -> list[Message]:
        """What the unit is told next; empty where nothing comes."""
        told: list[Message] = []
        deadline = time.monotonic() + PATIENCE
        while not told and time.monotonic() < deadline:
            told += self.unit.messages(wait=0.1)
        return told

    def start_hub(self, service: ServiceSockets | None = None) -> None:
        """In a process of its own, as a ``service`` of systemd where that is given."""
        code = "import sys, pathlib; from appliance.hub.watch import main; sys.exit(main(pathlib.Path(sys.argv[1])))"
        command = [sys.executable, "-c", code, str(self.config)]
        given = {"stderr": service.stderr, "env": service.environment} if service else {}
        self.hub = subprocess.Popen(command, **given)  # type: ignore[call-overload]

    def stop_hub(self, number: int = signal.SIGTERM) -> int:
        """By a signal; its exit status."""
        assert self.hub
        self.hub.send_signal(number)
        return self.hub.wait(PATIENCE)

    def say(self, vector: AttributeVector, times: int = 1, *, unit: UnitId = UNIT) -> None:
        """Seal and publish, without waiting; a crowd is spread over as many steps as one unit may fill."""
        now = int(time.time()) // TIME_STEP
        for _ in range(times):
            seen = PhenomenonTime(uptime=Steps(now % 1_000_000 + self.seq // 200), wall=Steps(now))
            statement = Observation(unit=unit, epoch=Epoch(1), seq=Seq(self.seq), seen=seen, vector=vector)
            self.unit.publish(topics.observation(BOOTH, unit), self.sealer.seal(statement))
            self.seq += 1

    def end(self) -> None:
        """Everything of this world stops."""
        self.unit.stop()
        for process in (self.hub, self.broker):
            if process and process.poll() is None:
                process.kill()
                process.wait(PATIENCE)


def _hub_toml(booth: enrol.BoothDirectory, database: Path) -> str:
    broker = booth.hub_broker
    return f"""
[hub]
booth = "{BOOTH}"
register = "{booth.register}"
prior_key = "{booth.prior_key}"
database = "{database}"
warmup_people = 100
[broker]
host = "{broker.host}"
port = {broker.port}
ca = "{broker.ca}"
certificate = "{broker.certificate}"
key = "{broker.key}"
[pacing]
max_p = 0.02
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    try:
        enrol.mosquitto()
    except Unfit as unfit:
        pytest.skip(str(unfit))
    world = World(tmp_path)
    yield world
    world.end()


def test_the_public_page_is_told_how_the_booth_is(world: World, tmp_path: Path) -> None:
    """A hub whose notice names a file writes its state there for everybody to read: crowds' numbers and no more."""
    state = tmp_path / "here.json"
    world.config.write_text(world.config.read_text() + f'[notice]\nstate = "{state}"\n')
    world.start_hub()
    Tablet("tablet-1", world.ws_port, world.password).until("hub/status", state="online")
    deadline = time.monotonic() + PATIENCE
    while not state.exists() and time.monotonic() < deadline:
        world.unit.messages(wait=0.1)
    told = json.loads(state.read_text())
    assert told.pop("at") > time.time() - 60
    assert told.pop("running") == {"retention": 300, "alert": 180, "service": 360}
    cameras = {"watching": 0, "units": 1, "aimed": 0, "locked": 0}
    assert told == {"v": 1, "state": "off", "people": 0, "share": None} | cameras
    assert state.stat().st_mode & 0o777 == 0o644


def test_units_are_told_the_prior_as_soon_as_there_is_one(world: World) -> None:
    """Once enough people were seen, the hub's signed shares reach every unit, and wait for those that come later."""
    world.start_hub()
    tablet = Tablet("tablet-1", world.ws_port, world.password)
    tablet.until("hub/status", state="online")
    world.say(PLAIN, 150)
    told = world.told()
    assert [one.untrusted_topic for one in told] == [topics.prior(BOOTH)]
    key = world.booth.hub_key()
    assert key is not None
    found = prior.prior_in(told[0].untrusted_payload, public_key=key, booth=BOOTH)
    assert found.people >= 100
    world.broker.kill()  # before it has written the retained prior down
    world.broker.wait(PATIENCE)
    world.start_broker()
    assert [one.untrusted_payload for one in world.told()] == [told[0].untrusted_payload]
    assert world.stop_hub() == 0


def test_from_a_sealed_observation_to_a_gift(world: World) -> None:
    """A signed exception reaches a tablet, is claimed and gifted, and leaves nothing behind but counts."""
    world.start_hub()
    tablet = Tablet("tablet-1", world.ws_port, world.password)
    tablet.until("hub/status", state="online")
    world.say(PLAIN, 150)
    while tablet.until("hub/board")["people"]["total"] < 150:
        pass
    world.say(ODD)
    alert = tablet.until("alert", state="raised")
    tablet.ask("claim", alert=alert["id"])
    assert tablet.until("staff", ok=True)["state"] == "claimed"
    tablet.ask("outcome", alert=alert["id"], outcome="gifted", why=None)
    assert "look" not in tablet.until("alert", state="gifted")
    assert world.stop_hub() == 0
    tablet.until("hub/status", state="offline")
    tablet.client.disconnect()
    tablet.client.loop_stop()
    with sqlite3.connect(world.database) as database:
        assert database.execute("SELECT count(*) FROM live").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM alert").fetchone() == (0,)


def test_a_hub_killed_amid_a_stream_counts_every_observation_exactly_once(world: World) -> None:
    """Killed three times while six hundred observations stream in, the hub has counted each once in the end."""
    world.start_hub()
    tablet = Tablet("tablet-1", world.ws_port, world.password)
    tablet.until("hub/status", state="online")
    for _ in range(3):
        world.say(PLAIN, 200)
        tablet.until("hub/board")
        world.stop_hub(signal.SIGKILL)
        world.start_hub()
        tablet.until("hub/status", state="online")
    board = tablet.until("hub/board")
    deadline = time.monotonic() + PATIENCE
    while board["people"]["total"] < 600 and time.monotonic() < deadline:
        board = tablet.until("hub/board")
    assert board["people"]["total"] == 600
    assert board["units"][0]["admitted"] == 600
    assert board["units"][0]["missing"] == 0
    tablet.client.disconnect()
    tablet.client.loop_stop()
    assert world.stop_hub() == 0


def test_a_message_of_qos_0_does_not_throw_the_hub_off(world: World) -> None:
    """A tablet that publishes with QoS 0 is refused, and the hub's link to the broker stays as it was."""
    world.start_hub()
    tablet = Tablet("tablet-1", world.ws_port, world.password)
    tablet.until("hub/status", state="online")
    for _ in range(5):
        tablet.client.publish(
            topics.staff(BOOTH, TabletId("tablet-1"), "claim"), b"x", qos=0
        ).wait_for_publish(5)
    tablet.ask("claim", alert="a1")
    assert tablet.until("staff", ok=False)["rule"] == Rule.NOT_YOURS
    assert world.stop_hub() == 0
    assert tablet.until("hub/status")["state"] == "offline"  # said once, at the end, and never before
    tablet.client.disconnect()
    tablet.client.loop_stop()


def test_a_unit_enrolled_while_the_hub_runs_is_let_in_at_once(world: World, tmp_path: Path) -> None:
    """Nobody tells the hub of a new unit, and yet nothing that it says is refused."""
    world.start_hub()
    tablet = Tablet("tablet-1", world.ws_port, world.password)
    tablet.until("hub/status", state="online")
    home, south = UnitHome(directory=tmp_path / "south"), UnitId("south")
    address = enrol.enrol_unit(world.booth, home, south, place="south corner")
    world.broker.send_signal(signal.SIGHUP)
    world.unit.stop()
    world.sealer = Sealer(private_key=(home.credentials / "signing.key").read_bytes(), booth=BOOTH)
    world.unit = Link(address=address, name=south)
    world.unit.start()
    world.say(PLAIN, 50, unit=south)
    while tablet.until("hub/board")["people"]["total"] < 50:
        pass
    board = tablet.until("hub/board")
    assert [(unit["admitted"], unit["refused"]) for unit in board["units"]] == [(0, 0), (50, 0)]
    tablet.client.disconnect()
    tablet.client.loop_stop()
    assert world.stop_hub() == 0


def test_an_alert_left_over_in_the_broker_is_wiped_when_the_hub_starts(world: World) -> None:
    """What a hub that vanished left retained is gone as soon as the next one is connected."""
    stale = topics.alert(BOOTH, AlertId("a77"))
    link = Link(address=world.booth.hub_broker, name="hub")
    link.start()
    ticket = link.publish(stale, b'{"look":{"top.colour":"purple"}}', retain=True)
    while ticket not in link.published(wait=1.0):
        pass
    link.stop()
    tablet = Tablet("tablet-1", world.ws_port, world.password)
    assert tablet.until("alert/a77")["look"]
    world.start_hub()
    assert tablet.until("alert/a77") == {}
    tablet.client.disconnect()
    tablet.client.loop_stop()
    assert world.stop_hub() == 0


def test_a_hub_without_its_files_says_what_to_mend(tmp_path: Path) -> None:
    """A hub that cannot be configured ends with status 2 and one line that names the file."""
    code = (
        "import sys, pathlib; from appliance.hub.watch import main; sys.exit(main(pathlib.Path(sys.argv[1])))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "hub.toml")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "JOURNAL_STREAM": "1:1"},
    )
    assert found.returncode == 78
    assert found.stderr.startswith("<3>")
    assert str(tmp_path / "hub.toml") in found.stderr


@pytest.mark.parametrize(
    ("broken", "why", "fix"),
    [
        ('host = "booth.invalid"', "host name not found", "host under [broker]"),
        ('host = "127.1"', "server certificate not valid for 127.1", "leftfield booth renew"),
        ("ca", "not signed by this booth's CA", "enrol again"),
        ("certificate", "rejected by the broker (it is another booth's)", "in this booth"),
    ],
)
def test_each_trouble_with_the_broker_has_a_line_and_a_status_of_its_own(
    world: World, tmp_path: Path, broken: str, why: str, fix: str
) -> None:
    """Unknown host, another name, wrong CA, another booth's certificate: WATCH says which, once, and the fix."""
    config = world.config
    if broken.startswith("host"):
        config.write_text(re.sub(r'host = ".*"', broken, config.read_text()))
    else:
        other = enrol.create_booth(tmp_path / "other", "elsewhere")
        text = (
            config.read_text().replace(str(world.booth.ca), str(other.ca))
            if broken == "ca"
            else config.read_text()
        )
        if broken == "certificate":
            for name in ("hub.pem", "tls.key"):
                text = text.replace(
                    str(world.booth.directory / "hub" / name), str(other.directory / "hub" / name)
                )
        config.write_text(text)
    service = ServiceSockets(tmp_path)
    world.start_hub(service)
    assert "STATUS=not connected: broker " in service.notice_with(why)[-1]
    assert world.stop_hub() == 0
    lines = [line for line in service.journal().splitlines() if why in line]
    assert len(lines) == 1
    assert fix in lines[0].split("Fix: ")[1]
    service.close()


def test_a_hub_without_its_broker_says_why(world: World, tmp_path: Path) -> None:
    """WATCH is ready without a broker; status and journal say why there is none, and that it came."""
    world.broker.terminate()
    world.broker.wait(PATIENCE)
    service = ServiceSockets(tmp_path)
    world.start_hub(service)
    assert service.notice() == ["READY=1"]
    assert "STATUS=not connected: broker " in service.notice_with("nothing listens on this port")[-1]
    world.start_broker()
    service.notice_with("STATUS=watching")
    assert world.stop_hub() == 0
    journal = service.journal().splitlines()
    assert len([line for line in journal if "nothing listens on this port" in line]) == 1
    assert "hub: broker connected" in journal
    service.close()
