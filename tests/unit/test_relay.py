from __future__ import annotations

import fcntl
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
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.demo.places import free_port, listening
from appliance.enrol import (
    BoothDirectory,
    Listeners,
    UnitHome,
    create_booth,
    enrol_unit,
    mosquitto,
    write_unit_config,
)
from appliance.mqtt import Link, Message
from appliance.protocol import encryption, prior, topics
from appliance.protocol.encryption import EncryptionKey
from appliance.protocol.sign import Sealer, new_private_key
from appliance.protocol.values import (
    AttributeVector,
    BoothId,
    Epoch,
    Observation,
    PhenomenonTime,
    Seq,
    Steps,
    UnitId,
)
from appliance.settings import config
from appliance.settings.config import CameraConfig, UnitConfig
from appliance.unit.grid import LAG, slot
from appliance.unit.outbox import timed_keeping
from appliance.unit.outbox.publisher import Publisher
from appliance.unit.outbox.spool import Spool
from appliance.unit.pipe.record import record_of
from tests.priors import EVEN, LIFTS

pytestmark = pytest.mark.broker

PATIENCE = 20.0
BOOTH, UNIT = BoothId("demo"), UnitId("north")
PIPE_BYTES = 4096
"""Room for 32 records: a pipe that is not read is soon full."""


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
        self.booth: BoothDirectory = create_booth(directory / "booth", "demo", listeners=listeners)
        home = UnitHome(directory=directory / "unit")
        address = enrol_unit(self.booth, home, UNIT, place="north corner")
        self.pipe = directory / "pipe"
        os.mkfifo(self.pipe)
        self.spool = directory / "spool"
        self.config = home.config
        write_unit_config(
            self.config,
            UnitConfig(
                booth=BOOTH,
                unit=UNIT,
                broker=address,
                camera=CameraConfig(source="none.avi"),
                pipe=self.pipe,
                spool=self.spool,
                public_key=home.public_key(),
                hub_key=self.booth.hub_key(),
                prior=directory / "hub.prior",
            ),
        )
        self._sealer = Sealer(private_key=(home.credentials / "signing.key").read_bytes(), booth=BOOTH)
        self.writer = os.open(self.pipe, os.O_RDWR)
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.received: list[bytes] = []
        self.statuses: list[dict[str, object]] = []
        self._children: list[subprocess.Popen[bytes]] = []
        self.broker = self.start_broker()
        self.hub = Link(
            address=self.booth.hub_broker,
            name="hub",
            lasting=True,
            subscriptions=(
                topics.observation(BOOTH, UnitId("+")),
                topics.unit_status(BOOTH, UnitId("+")),
            ),
        )
        self.hub.start()
        until(lambda: self.hub.up, "the hub's link")

    def start_broker(self, settings: Path | None = None) -> subprocess.Popen[bytes]:
        """A real mosquitto, listening, with the booth's ``settings`` or others."""
        broker = self._start([str(mosquitto()), "-c", str(settings or self.booth.broker_config)])
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

    def sealed(self, number: int) -> bytes:
        """The statement ``number`` of this unit, sealed; always the same bytes (Ed25519 is deterministic)."""
        seen = PhenomenonTime(uptime=Steps(1), wall=None)
        vector = AttributeVector.of(top_colour="red")
        return self._sealer.seal(
            Observation(unit=UNIT, epoch=Epoch(1), seq=Seq(number), seen=seen, vector=vector)
        )

    def numbers(self, count: int) -> list[bytes]:
        """The first ``count`` statements."""
        return [self.sealed(number) for number in range(count)]

    def say(self, start: int, count: int) -> None:
        """Write records into the pipe as SENSE does; blocks while nobody empties it."""
        for number in range(start, start + count):
            os.write(self.writer, record_of(self.sealed(number)))

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

    def spooled(self, number: int) -> bool:
        """Whether the statement ``number`` is on the disk."""
        return any(self.sealed(number) in path.read_bytes() for path in self.spool.glob("from-*"))

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


def once(received: list[bytes]) -> list[bytes]:
    return list(dict.fromkeys(received))


def test_records_reach_the_broker_in_order_and_leave_the_spool(scene: Scene) -> None:
    """Every record is delivered once and in order; a birth and an orderly end are said."""
    relay = scene.start_relay()
    scene.say(0, 150)
    until(lambda: len(scene.heard()) >= 150, "150 records")
    assert scene.received == scene.numbers(150)
    assert scene.end(relay, signal.SIGTERM) == 0
    until(lambda: bool(scene.heard()) and scene.statuses[-1]["state"] == "offline", "the farewell")
    assert scene.statuses[0]["state"] == "online"
    assert scene.statuses[-1] == {"v": 1, "state": "offline", "spooled": 0, "dropped": 0}


def test_a_broker_that_is_away_costs_nothing(scene: Scene) -> None:
    """What comes while the broker is away waits in the spool and is delivered when it is back."""
    scene.start_relay()
    scene.say(0, 20)
    until(lambda: len(scene.heard()) == 20, "the first twenty")
    assert scene.end(scene.broker, signal.SIGTERM) == 0
    scene.say(20, 100)
    until(lambda: scene.spooled(119), "the last record in the spool")
    scene.start_broker()
    until(lambda: len(once(scene.heard())) == 120, "all records")
    assert once(scene.received) == scene.numbers(120)


def test_a_broker_that_loses_its_memory_costs_nothing(scene: Scene) -> None:
    """What the broker acknowledged and had not written down at a power cut is sent again, and only then forgotten."""
    scene.start_relay()
    scene.say(0, 60)
    until(
        lambda: scene.hub._received.qsize() >= 60, "the broker's answer"
    )  # received, not yet stored by the hub
    scene.say(60, 1)  # ... and acknowledged to RELAY: the next round of its loop has come
    until(lambda: scene.hub._received.qsize() >= 61, "one more round")
    assert scene.end(scene.broker, signal.SIGKILL) != 0
    scene.hub.messages()  # the hub's machine went dark with it: what it held in memory is gone too
    scene.start_broker()
    until(lambda: len(once(scene.heard())) == 61, "all records, again")
    assert set(scene.received) == set(scene.numbers(61))


def test_what_the_broker_has_had_for_long_enough_is_forgotten(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was acknowledged no longer waits, is kept for a while, and is then overwritten, with the link still up."""
    monkeypatch.setattr(timed_keeping, "KEPT_SECONDS", 3.0)
    monkeypatch.setattr(timed_keeping, "GRAIN_SECONDS", 0.1)
    spool = Spool(scene.spool, 1000)
    address = config.unit_config(scene.config).broker
    link = Link(address=address, name=UNIT)
    link.start()
    out = Publisher(spool, link, topics.observation(BOOTH, UNIT))
    spool.append(scene.numbers(20))
    assert len(spool) == 20

    def turn() -> None:
        out.send()
        out.settle(wait=0.01)

    until(lambda: turn() or not len(spool), "the broker's answer")
    assert scene.spooled(0)
    assert len(spool.waiting(0, 100)) == 20
    until(lambda: turn() or not spool.waiting(0, 100), "the end of the time it is kept")
    assert not scene.spooled(0)
    link.stop()
    spool.close()


def test_a_killed_relay_sends_again_what_nobody_acknowledged(scene: Scene) -> None:
    """A relay killed while the broker hangs loses nothing: its successor sends what was not acknowledged."""
    relay = scene.start_relay()
    scene.say(0, 20)
    until(lambda: len(scene.heard()) == 20, "the first twenty")
    scene.broker.send_signal(signal.SIGSTOP)
    scene.say(20, 60)
    until(lambda: scene.spooled(79), "the spool")
    scene.end(relay, signal.SIGKILL)
    scene.broker.send_signal(signal.SIGCONT)
    scene.start_relay()
    scene.say(80, 20)
    until(lambda: len(once(scene.heard())) == 100, "all records")
    assert set(scene.received) == set(scene.numbers(100))


def test_a_killed_relay_is_reported_offline_by_its_will(scene: Scene) -> None:
    """When RELAY vanishes the broker says so for it."""
    relay = scene.start_relay()
    until(lambda: bool(scene.heard() or scene.statuses), "the birth")
    scene.end(relay, signal.SIGKILL)
    until(lambda: bool(scene.heard() or scene.statuses[-1]["state"] == "offline"), "the will")


def test_a_hanging_network_does_not_hold_up_the_pipe(scene: Scene) -> None:
    """With a broker that hangs, the pipe is read all the same: 160 records, five times what this pipe holds."""
    scene.start_relay()
    scene.say(0, 1)
    until(lambda: len(scene.heard()) == 1, "the link")
    scene.broker.send_signal(signal.SIGSTOP)
    try:
        scene.say(1, 160)  # would block for ever
        until(lambda: scene.spooled(160), "all in the spool")
    finally:
        scene.broker.send_signal(signal.SIGCONT)
    until(lambda: len(once(scene.heard())) == 161, "all records")


def test_a_broker_without_a_hub_keeps_nothing_so_neither_do_we_forget(scene: Scene) -> None:
    """While no hub has ever subscribed, the broker gives observations to nobody: they wait, and the hub gets all."""
    scene.hub.stop()
    scene.end(scene.broker, signal.SIGTERM)
    shutil.rmtree(scene.booth.broker_directory / "store")
    (scene.booth.broker_directory / "store").mkdir()
    scene.start_broker()
    scene.start_relay()
    scene.say(0, 60)
    until(lambda: b"hub not subscribed" in (scene.directory / "log").read_bytes(), "the relay's complaint")
    scene.hub.start()
    until(lambda: len(once(scene.heard())) == 60, "all records")
    assert once(scene.received) == scene.numbers(60)


def test_garbage_in_the_pipe_costs_no_record(scene: Scene) -> None:
    """Garbage between two records is passed over; both records arrive."""
    scene.start_relay()
    scene.say(0, 1)
    os.write(scene.writer, b"LF\xff garbage " * 17)
    scene.say(1, 1)
    until(lambda: len(scene.heard()) == 2, "both records")
    assert scene.received == scene.numbers(2)


def sealed_prior(scene: Scene, made_at: int, *, key: bytes | None = None) -> bytes:
    private_key = key or scene.booth.prior_key.read_bytes()
    return prior.sealed_prior(
        booth=BOOTH, made_at=made_at, people=1000, shares=EVEN, lifts=LIFTS, private_key=private_key
    )


def test_the_hubs_prior_is_kept_and_no_other(scene: Scene) -> None:
    """What the hub retained reaches a later relay and its disk; a forged, torn or older one changes nothing."""
    first, second = sealed_prior(scene, 1000), sealed_prior(scene, 2000)
    scene.hub.publish(topics.prior(BOOTH), first, retain=True)
    scene.start_relay()
    kept = scene.directory / "hub.prior"
    until(lambda: kept.exists() and kept.read_bytes() == first, "the prior")
    assert kept.stat().st_mode & 0o777 == 0o600
    for wrong in (
        sealed_prior(scene, 3000, key=new_private_key()),
        second[:-1],
        b"",
        sealed_prior(scene, 500),
    ):
        scene.hub.publish(topics.prior(BOOTH), wrong)
    scene.say(0, 30)
    until(lambda: len(scene.heard()) == 30, "thirty records")
    until(lambda: b"was not stored" in (scene.directory / "log").read_bytes(), "the relay's complaint")
    assert kept.read_bytes() == first
    scene.hub.publish(topics.prior(BOOTH), second)
    until(lambda: kept.read_bytes() == second, "the newer prior")


def test_relay_loads_neither_pixels_nor_the_signing_key() -> None:
    """Importing process RELAY loads no array, image or model library, and no room where private keys are handled."""
    code = (
        "import sys, appliance.unit.relay; "
        "print([m for m in ('numpy', 'cv2', 'av', 'ai_edge_litert', 'appliance.enrol',"
        " 'appliance.unit.pipe.writer') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_what_leaves_in_a_slot_was_said_before_it(scene: Scene) -> None:
    """Whenever SENSE says something, it reaches the broker in a later slot of the grid, and in none of its own."""
    scene.start_relay()
    scene.say(0, 1)
    until(lambda: len(scene.heard()) == 1, "the first one")  # the link stands, and a slot has begun
    said, arrived, begun = {}, {}, slot(time.monotonic(), LAG)
    number = 1
    while slot(time.monotonic(), LAG) < begun + 2:
        if slot(time.monotonic(), LAG) < begun + 1 or number < 10:
            scene.say(number, 1)
            said[scene.sealed(number)] = slot(time.monotonic(), LAG)
            number += 1
        for one in scene.heard():
            arrived.setdefault(one, slot(time.monotonic(), LAG))
        time.sleep(0.1)  # spread over the slots
    until(lambda: set(said) <= set(scene.heard()), "all of them")
    assert set(said) & set(arrived)
    assert all(arrived[one] > when for one, when in said.items() if one in arrived)


def test_a_recorder_on_the_broker_learns_nothing_but_times_and_numbers(scene: Scene) -> None:
    """Once the hub has said its key, whatever a unit says is opaque bytes of one length for all but the hub."""
    key = X25519PrivateKey.generate()
    made = EncryptionKey(made_at=int(time.time()), key=encryption.public_key_of(key))
    document = encryption.sealed_key(made, booth=BOOTH, private_key=scene.booth.prior_key.read_bytes())
    scene.hub.publish(topics.encryption(BOOTH), document, retain=True)
    scene.start_relay()
    scene.say(0, 20)
    until(lambda: len(scene.heard()) == 20, "twenty messages")
    assert {len(one) for one in scene.received} == {encryption.MESSAGE_BYTES}
    assert scene.sealed(0)[:12] not in b"".join(scene.received)  # the unit's key identifier
    topic = topics.observation(BOOTH, UNIT)
    assert [encryption.Decryptor([key]).envelope_in(one, topic) for one in scene.received] == scene.numbers(
        20
    )
