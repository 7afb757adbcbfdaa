"""What crosses a real broker in a booth at work is in the AsyncAPI document and of its form; and metrics."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance import enrol
from appliance.enrol.authority import key_pem, new_key
from appliance.enrol.desk_access import desk_broker
from appliance.enrol.layout import load_authority, put_public, put_secret
from appliance.mqtt import Link, Message
from appliance.protocol import topics
from appliance.protocol.aim import AimFigure, spelled
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.values import TIME_STEP, Epoch, Heartbeat, PhenomenonTime, Seq, Steps
from tests.asyncapi.test_document import DOCUMENT, form
from tests.hub.corner import ODD, PLAIN
from tests.hub.test_watch import BOOTH, PATIENCE, UNIT, Tablet, World, free_ports

pytestmark = pytest.mark.broker

CHANNELS = {
    key: re.compile(re.sub(r"\\\{\w+\\\}", "[a-z0-9-]+", re.escape(channel["address"])))
    for key, channel in DOCUMENT["channels"].items()
}


class Booth(World):
    """A booth with a listener who may hear all, a pairing desk, an exporter of metrics, and Home Assistant on."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.seen: list[Message] = []
        desk_broker(self.booth)  # an upgrade's first start: the desk's and the exporter's certificates
        self.ladder = enrol.add_tablet(self.booth, "ladder", installer=True)
        own = directory / "listener.key"
        put_secret(own, key_pem(key := new_key()))
        put_public(own.with_suffix(".pem"), load_authority(self.booth).client("listener", key.public_key()))
        rights = self.booth.broker_directory / "units.acl"
        rights.write_text(f"{rights.read_text()}\nuser listener\ntopic read #\n")
        self.broker.kill()  # it may not listen for a signal to read them yet
        self.broker.wait(PATIENCE)
        self.start_broker()
        home = f"{BOOTH}/{'0' * 16}"
        own_tables = f'[integrations]\nhome_assistant = true\n[fleet]\nhub = "{home}"\n'
        self.config.write_text(self.config.read_text() + own_tables)
        address = replace(self.booth.hub_broker, key=own, certificate=own.with_suffix(".pem"))
        self.listener = Link(address=address, name="listener", subscriptions=("#",))
        self.listener.start()
        deadline = time.monotonic() + PATIENCE
        while not self.listener.up:  # what is not retained must not be said before somebody listens
            assert time.monotonic() < deadline
            self.hear()
        self.metrics_port, desk_port = free_ports(2)
        leftfield = [sys.executable, "-m", "appliance.cli"]
        here = ["--directory", str(self.booth.directory)]
        self.others = [
            subprocess.Popen(
                [
                    *leftfield,
                    "pair",
                    "desk",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(desk_port),
                    "--no-announce",
                    *here,
                ]
            ),
            subprocess.Popen([*leftfield, "metrics", "--port", str(self.metrics_port), *here]),
        ]
        self.start_hub()

    def hear(self) -> None:
        """Take up what came since the last call."""
        for message in self.listener.messages(wait=0.1):
            self.listener.acknowledge(message)
            self.seen.append(message)

    def until_seen(self, key: str) -> None:
        """Until something was said on a topic of the document."""
        deadline = time.monotonic() + PATIENCE
        while not any(CHANNELS[key].fullmatch(one.untrusted_topic) for one in self.seen):
            assert time.monotonic() < deadline, f"nothing was ever said on {key}"
            self.hear()

    def metrics(self) -> dict[str, Any]:
        """The families that Prometheus would read now; empty before the exporter listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        return {family.name: family for family in text_string_to_metric_families(text)}

    def end(self) -> None:
        """Everything stops."""
        self.listener.stop()
        for child in self.others:
            child.terminate()
            assert child.wait(PATIENCE) == 0
        super().end()


@pytest.fixture(scope="module")
def booth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booth]:
    """A booth in which everything has happened once."""
    made = Booth(tmp_path_factory.mktemp("booth"))
    try:
        happen(made)
        yield made
    finally:
        made.end()


def happen(booth: Booth) -> None:
    """A crowd passes, somebody stands out, is claimed, gifted and forgotten; a camera is to be paired."""
    tablet = Tablet("tablet-1", booth.ws_port, booth.password)
    tablet.until("hub/status", state="online")
    status = {"v": 1, "state": "online", "spooled": 2, "dropped": 0}
    booth.unit.publish(topics.unit_status(BOOTH, UNIT), json.dumps(status).encode(), retain=True)
    booth.say(PLAIN, 220)
    _beat(booth)
    while tablet.until("hub/board")["people"]["total"] < 220:
        booth.hear()
    booth.say(ODD)
    name = tablet.until("alert", state="raised")["id"]
    gifted = {"outcome": "gifted", "why": None}
    for leaf, more in (("claim", {}), ("release", {}), ("claim", {}), ("outcome", gifted), ("forget", {})):
        tablet.ask(leaf, alert=name, **more)
        assert tablet.until("staff", ok=True)
    tablet.ask("shift", act="note", value="The box is empty.", size=None)
    assert tablet.until("staff", ok=True)["act"] == "note"
    tablet.ask("claim", alert="a999")
    assert not tablet.until("staff", ok=False)["ok"]
    ladder = Tablet("ladder", booth.ws_port, booth.ladder)
    ladder.until("hub/status", state="online")
    ladder.ask("pair", code="7K3M-9PQX-2HTD", unit="south", place="south corner", looks="", replaces="")
    assert ladder.until("staff", ok=False)
    _beat(booth)
    ladder.ask("setup", do="aim", unit=UNIT, minutes=5)
    assert ladder.until("staff", ok=True)["why"] == "aim"
    figure = AimFigure(tick=0, column=1, row=2, size=3, zoned=False, points=(None,) * 12)
    booth.unit.publish(topics.aim(BOOTH, UNIT), spelled(figure), expires_after=2)
    for key in CHANNELS:
        booth.until_seen(key)
    for one in (tablet, ladder):
        one.client.disconnect()
        one.client.loop_stop()


def _beat(booth: Booth) -> None:
    now = int(time.time()) // TIME_STEP
    health = Health(
        state=UnitState.WATCHING, source=SourceKind.CAMERA, accelerator=Accelerator.CPU, boxed=True, fps=12
    )
    seen = PhenomenonTime(uptime=Steps(now % 1_000_000 + booth.seq // 200), wall=Steps(now))
    beat = Heartbeat(unit=UNIT, epoch=Epoch(1), seq=Seq(booth.seq), seen=seen, health=health)
    booth.unit.publish(topics.observation(BOOTH, UNIT), booth.sealer.seal(beat))
    booth.seq += 1


def signed(key: str, sealed: bytes) -> Any:
    """What a COSE_Sign1 says, read by another library: JSON, or the numbers of a statement."""
    payload = cbor2.loads(sealed).value[2]
    if key != "observation":
        return json.loads(payload)
    *numbers, code = cbor2.loads(payload)
    return [*numbers, int.from_bytes(code, "big")]


def test_every_topic_that_is_seen_is_described_and_the_other_way_round(booth: Booth) -> None:
    """Nothing crosses the broker that the document does not name, and nothing is named that never crosses it."""
    found = {}
    for message in booth.seen:
        keys = [key for key, form_ in CHANNELS.items() if form_.fullmatch(message.untrusted_topic)]
        assert len(keys) == 1, message.untrusted_topic
        found.setdefault(keys[0], message)
    assert set(found) == set(CHANNELS)


def test_every_payload_that_is_seen_is_of_its_form(booth: Booth) -> None:
    """Each message of the run, signed ones decoded by another library, is valid by the schema of its topic."""
    checked = dict.fromkeys(CHANNELS, 0)
    for message in booth.seen:
        key = next(key for key, form_ in CHANNELS.items() if form_.fullmatch(message.untrusted_topic))
        if not message.untrusted_payload:  # a retained message that is taken back
            continue
        sealed = "x-signed" in DOCUMENT["components"]["messages"][key]
        told: Any = message.untrusted_payload.decode("latin-1")
        if DOCUMENT["components"]["messages"][key]["contentType"] != "application/octet-stream":
            told = signed(key, message.untrusted_payload) if sealed else json.loads(message.untrusted_payload)
        assert [error.message for error in form(key).iter_errors(told)] == [], (key, told)
        checked[key] += 1
    assert all(checked.values()), checked


def test_prometheus_reads_hub_units_and_broker_and_no_person(booth: Booth) -> None:
    """The exporter's own connection gives figures of all three, people in whole fives, and labels of closed words."""
    deadline = time.monotonic() + PATIENCE
    while not (found := booth.metrics()).keys() >= {"leftfield_broker_clients", "leftfield_people_today"} or (
        found["leftfield_broker_clients"].samples[0].value < 4  # the broker counts again every ten seconds
    ):
        assert time.monotonic() < deadline, sorted(found)
        booth.hear()
    assert found["leftfield_hub_up"].samples[0].value == 1
    assert found["leftfield_people_today"].samples[0].value == 220
    states = {sample.labels["state"]: sample.value for sample in found["leftfield_unit_state"].samples}
    assert states["watching"] + states["silent"] == sum(states.values()) == 1
    labels = {label for family in found.values() for sample in family.samples for label in sample.labels}
    assert labels <= {"booth", "unit", "state", "accelerator", "rule", "attribute", "word"}
    assert not any("admitted" in name for name in found)


def test_the_exporter_says_so_when_the_hub_is_gone(booth: Booth) -> None:
    """A hub that stops is 0, and its last figures are not told any more."""
    assert booth.stop_hub() == 0
    deadline = time.monotonic() + PATIENCE
    while (found := booth.metrics())["leftfield_hub_up"].samples[0].value:
        assert time.monotonic() < deadline
    assert "leftfield_people_today" not in found
    assert found["leftfield_broker_up"].samples[0].value == 1
