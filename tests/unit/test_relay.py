from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance import topics
from appliance.demo.places import free_port, listening
from appliance.enrol import Booth, Listeners, UnitHome, create_booth, enrol_unit, mosquitto, write_unit_config
from appliance.mqtt import Link, Message
from appliance.unit.pipe import record_of
from appliance.values import BoothId, UnitId

pytestmark = pytest.mark.broker

PATIENCE = 20.0
UNIT = UnitId("north")


def until(met: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < deadline, f"{what} did not come about in {PATIENCE:.0f} s"
        time.sleep(0.01)


class Scene:
    """A booth with a real broker, one unit's RELAY and a subscriber in the hub's place."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        listeners = Listeners(mqtt_port=free_port(set()), mqtt_address="127.0.0.1", wss_port=0)
        self.booth: Booth = create_booth(directory / "booth", "demo", listeners=listeners)
        home = UnitHome(directory=directory / "unit")
        address = enrol_unit(self.booth, home, UNIT, place="north corner")
        self.pipe = directory / "pipe"
        os.mkfifo(self.pipe)
        self.spool = directory / "spool"
        self.config = home.config
        write_unit_config(
            self.config,
            booth=BoothId("demo"),
            unit=UNIT,
            broker=address,
            source="none.avi",
            pipe=self.pipe,
            spool=self.spool,
        )
        self.writer = os.open(self.pipe, os.O_RDWR)
        self.received: list[bytes] = []
        self.statuses: list[dict[str, object]] = []
        self._children: list[subprocess.Popen[bytes]] = []
        self.broker = self.start_broker()
        self.hub = Link(
            address=self.booth.hub_broker,
            name="hub",
            lasting=True,
            subscriptions=(
                topics.observation(BoothId("demo"), UnitId("+")),
                topics.unit_status(BoothId("demo"), UnitId("+")),
            ),
        )
        self.hub.start()
        until(lambda: self.hub.up, "the hub's link")

    def start_broker(self) -> subprocess.Popen[bytes]:
        """A real mosquitto, listening."""
        broker = self._start([str(mosquitto()), "-c", str(self.booth.broker_config)])
        until(lambda: listening(self.booth.listeners.mqtt_port), "the broker")
        return broker

    def start_relay(self) -> subprocess.Popen[bytes]:
        """Process RELAY as systemd would run it, with the pipe opened by its path."""
        return self._start([sys.executable, "-m", "appliance.cli", "relay", "--config", str(self.config)])

    def _start(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(arguments, stderr=(self.directory / "log").open("ab"))
        self._children.append(child)
        return child

    def end(self, child: subprocess.Popen[bytes], number: signal.Signals) -> int:
        """Signal a child and wait; its exit code."""
        child.send_signal(number)
        return child.wait(PATIENCE)

    def say(self, start: int, count: int) -> None:
        """Write records into the pipe as SENSE does; blocks while nobody empties it."""
        for number in range(start, start + count):
            os.write(self.writer, record_of(b"%06d" % number))

    def heard(self) -> list[bytes]:
        """Everything that has reached the hub's place so far."""
        message: Message
        for message in self.hub.messages(wait=0.01):
            self.hub.acknowledge(message)
            if message.untrusted_topic.endswith("/status"):
                self.statuses.append(json.loads(message.untrusted_payload))
            else:
                self.received.append(message.untrusted_payload)
        return self.received

    def spooled(self) -> int:
        """How many segments hold records."""
        return sum(any(path.read_bytes()) for path in self.spool.glob("from-*"))

    def close(self) -> None:
        """End everything."""
        self.hub.stop()
        for child in self._children:
            if child.poll() is None:
                child.kill()
                child.wait()
        os.close(self.writer)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    stage = Scene(tmp_path)
    yield stage
    stage.close()


def numbers(count: int) -> list[bytes]:
    return [b"%06d" % number for number in range(count)]


def once(received: list[bytes]) -> list[bytes]:
    return list(dict.fromkeys(received))


def test_records_reach_the_broker_in_order_and_leave_the_spool(scene: Scene) -> None:
    """Every record is delivered once and in order; a birth and an orderly end are said."""
    relay = scene.start_relay()
    scene.say(0, 1000)
    until(lambda: len(scene.heard()) >= 1000, "1000 records")
    assert scene.received == numbers(1000)
    assert scene.end(relay, signal.SIGTERM) == 0
    until(lambda: scene.heard() and scene.statuses[-1]["state"] == "offline", "the farewell")
    assert scene.statuses[0]["state"] == "online"
    assert scene.statuses[-1] == {"v": 1, "state": "offline", "spooled": 0, "dropped": 0}


def test_a_broker_that_is_away_costs_nothing(scene: Scene) -> None:
    """What comes while the broker is away waits in the spool and is delivered when it is back."""
    scene.start_relay()
    scene.say(0, 100)
    until(lambda: len(scene.heard()) == 100, "the first hundred")
    assert scene.end(scene.broker, signal.SIGTERM) == 0
    scene.say(100, 700)
    until(lambda: scene.spooled() >= 2, "a second segment in the spool")
    scene.start_broker()
    until(lambda: len(once(scene.heard())) == 800, "all records")
    assert once(scene.received) == numbers(800)


def test_a_killed_relay_sends_again_what_nobody_acknowledged(scene: Scene) -> None:
    """A relay killed while the broker hangs loses nothing: its successor sends what was not acknowledged."""
    relay = scene.start_relay()
    scene.say(0, 50)
    until(lambda: len(scene.heard()) == 50, "the first fifty")
    scene.broker.send_signal(signal.SIGSTOP)
    scene.say(50, 300)
    until(
        lambda: b"000349" in b"".join(path.read_bytes() for path in scene.spool.glob("from-*")), "the spool"
    )
    scene.end(relay, signal.SIGKILL)
    scene.broker.send_signal(signal.SIGCONT)
    scene.start_relay()
    scene.say(350, 50)
    until(lambda: len(once(scene.heard())) == 400, "all records")
    assert sorted(once(scene.received)) == numbers(400)


def test_a_killed_relay_is_reported_offline_by_its_will(scene: Scene) -> None:
    """When RELAY vanishes the broker says so for it."""
    relay = scene.start_relay()
    until(lambda: bool(scene.heard() or scene.statuses), "the birth")
    scene.end(relay, signal.SIGKILL)
    until(lambda: bool(scene.heard() or scene.statuses[-1]["state"] == "offline"), "the will")


def test_a_hanging_network_does_not_hold_up_the_pipe(scene: Scene) -> None:
    """With a broker that hangs, the pipe is emptied all the same: 5000 records, ten times what a pipe holds."""
    scene.start_relay()
    scene.say(0, 1)
    until(lambda: len(scene.heard()) == 1, "the link")
    scene.broker.send_signal(signal.SIGSTOP)
    try:
        scene.say(1, 5000)  # would block for ever
        until(lambda: scene.spooled() >= 10, "ten segments")
    finally:
        scene.broker.send_signal(signal.SIGCONT)
    until(lambda: len(once(scene.heard())) == 5001, "all records")


def test_a_broker_without_a_hub_keeps_nothing_so_neither_do_we_forget(scene: Scene) -> None:
    """While no hub has ever subscribed, the broker gives observations to nobody: they wait, and the hub gets all."""
    scene.hub.stop()
    scene.end(scene.broker, signal.SIGTERM)
    shutil.rmtree(scene.booth.broker_directory / "store")
    (scene.booth.broker_directory / "store").mkdir()
    scene.start_broker()
    scene.start_relay()
    scene.say(0, 300)
    until(lambda: b"no hub" in (scene.directory / "log").read_bytes(), "the relay's complaint")
    scene.hub.start()
    until(lambda: len(once(scene.heard())) == 300, "all records")
    assert once(scene.received) == numbers(300)


def test_garbage_in_the_pipe_costs_no_record(scene: Scene) -> None:
    """Garbage between two records is passed over; both records arrive."""
    scene.start_relay()
    scene.say(0, 1)
    os.write(scene.writer, b"LF\xff garbage " * 17)
    scene.say(1, 1)
    until(lambda: len(scene.heard()) == 2, "both records")
    assert scene.received == numbers(2)


def test_relay_loads_neither_pixels_nor_the_signing_key() -> None:
    """Importing process RELAY loads no array, image, model or signing library."""
    code = (
        "import sys, appliance.unit.relay; "
        "print([m for m in ('numpy', 'cv2', 'av', 'ai_edge_litert', 'cryptography', 'appliance.sign',"
        " 'appliance.wire') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"
