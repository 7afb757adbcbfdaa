"""Thousands of idle connections from one address, a real broker, real namespaces: who still gets in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.enrol import BoothDirectory, Listeners, UnitHome, create_booth, enrol_unit, mosquitto
from appliance.enrol.booth import add_tablet
from appliance.image import firewall
from tests.image.test_firewall import PATH, Cable, needs_root, run

pytestmark = pytest.mark.broker
MANY = 4300
HUB, STRANGER, UNIT, TABLET = "192.168.4.1", "192.168.4.2", "192.168.4.3", "192.168.4.4"
FLOOD = """
import resource, select, socket, sys, time
most = int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_NOFILE, (most + 100, most + 100))
held = []
for _ in range(most):
    one = socket.socket(); one.setblocking(False); one.bind((sys.argv[3], 0))
    one.connect_ex((sys.argv[1], int(sys.argv[2]))); held.append(one)
time.sleep(1.5)
def stands(one):
    try:
        one.getpeername()
    except OSError:
        return False
    watch = select.poll(); watch.register(one, select.POLLIN)
    return not watch.poll(0)
print(sum(map(stands, held)), flush=True)
sys.stdin.read()
"""
ENTER = """
import json, sys
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
given = json.load(sys.stdin)
version, name, by = CallbackAPIVersion.VERSION2, given['name'], given['by']
client = paho.Client(version, client_id=name, protocol=paho.MQTTv5, transport=by)
client.ws_set_options(path='/mqtt')
client.tls_set(given['ca'], given.get('certificate'), given.get('key'))
if 'password' in given:
    client.username_pw_set(given['name'], given['password'])
said = []
client.on_connect = lambda client, data, flags, reason, properties: said.append(str(reason))
client.connect_timeout = 3.0
try:
    client.connect(given['host'], given['port'], bind_address=given['from'])
    for _ in range(100):
        client.loop(0.05)
        if said: break
except OSError as error:
    said.append(type(error).__name__)
print(said[0] if said else 'nothing')
"""


class Hub:
    """A broker on one end of a cable; a stranger, a unit and a tablet with addresses of their own on the other."""

    def __init__(self, cable: Cable, directory: Path) -> None:
        self.cable = cable
        for address in (UNIT, TABLET):
            run("ip", "-n", cable.b, "address", "add", f"{address}/24", "dev", "lf0")
        self.booth: BoothDirectory = create_booth(
            directory / "booth", "corner", (HUB,), listeners=Listeners(mqtt_port=8883, wss_port=9443)
        )
        home = UnitHome(directory=directory / "unit")
        self.unit = enrol_unit(self.booth, home, "north", place="corner")
        self.password = add_tablet(self.booth, "tablet-1")
        words = ["ip", "netns", "exec", cable.a, str(mosquitto()), "-c", str(self.booth.broker_config)]
        log = (directory / "log").open("wb")
        self.broker = subprocess.Popen(words, stderr=log, env=os.environ | {"PATH": PATH})
        self.floods: list[subprocess.Popen[str]] = []

    def flood(self, port: int) -> int:
        """So many idle connections stand of those that a stranger tried."""
        words = [
            "ip",
            "netns",
            "exec",
            self.cable.b,
            sys.executable,
            "-c",
            FLOOD,
            HUB,
            str(port),
            STRANGER,
            str(MANY),
        ]
        one = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PATH": PATH}
        )
        self.floods.append(one)
        assert one.stdout
        return int(one.stdout.readline())

    def enter(self, **given: object) -> str:
        """What the broker answers to somebody who has a right."""
        words = ("ip", "netns", "exec", self.cable.b, sys.executable, "-c", ENTER)
        return run(*words, stdin=json.dumps({"host": HUB, **given})).strip()

    def enter_unit(self) -> str:
        unit = self.unit
        files = {"ca": str(unit.ca), "certificate": str(unit.certificate), "key": str(unit.key)}
        return self.enter(name="north", by="tcp", port=8883, **{"from": UNIT}, **files)

    def enter_tablet(self) -> str:
        ca = str(self.booth.ca)
        return self.enter(
            name="tablet-1", by="websockets", port=9443, ca=ca, password=self.password, **{"from": TABLET}
        )

    def close(self) -> None:
        for one in self.floods:
            one.kill()
            one.communicate()
        self.broker.kill()
        self.broker.wait()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    cable = Cable()
    one = Hub(cable, tmp_path)
    try:
        for _ in range(200):
            if one.enter_unit() == "Success":
                break
        yield one
    finally:
        one.close()
        cable.close()


@needs_root
def test_one_address_cannot_lock_units_and_tablets_out(hub: Hub) -> None:
    """With the rules 4,300 idle connections of one address leave its share standing; a unit and a tablet get in."""
    hub.cable.load(hub.cable.a, firewall.limit_rules())
    for port in (8883, 9443):
        assert hub.flood(port) <= firewall.CONNECTIONS
    assert hub.enter_unit() == "Success"
    assert hub.enter_tablet() == "Success"


@needs_root
def test_without_the_rules_one_address_does(hub: Hub) -> None:
    """The same without them: the broker is full, and that is what the rules are for."""
    assert hub.flood(8883) > firewall.CONNECTIONS
    assert hub.enter_unit() != "Success"
