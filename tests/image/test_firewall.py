"""The firewall of units and hubs, loaded into network namespaces and tried with real connections."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import cli
from appliance.image import firewall
from appliance.image.firewall import Hub

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nft", path=PATH) or not shutil.which("ip", path=PATH),
    reason="needs root, nft and ip: rules are loaded into a kernel",
)
SERVER = """
import select, socket, sys
tcp = []
for port in map(int, sys.argv[1].split(',')):
    one = socket.create_server((sys.argv[2], port), backlog=64); tcp.append(one)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind((sys.argv[2], 123))
print('ready', flush=True)
held = []
while True:
    for one in select.select([*tcp, udp], [], [])[0]:
        if one is udp:
            _, who = udp.recvfrom(64); udp.sendto(b'time', who)
        else:
            held.append(one.accept()[0]); held[-1].send(b'hello')
"""
TRY = """
import socket, sys
kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
try:
    if kind == 'udp':
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); one.settimeout(.4)
        one.sendto(b'?', (host, port)); print(one.recv(64).decode())
    else:
        one = socket.create_connection((host, port), .4); one.settimeout(.4); print(one.recv(64).decode())
except OSError as error:
    print('no', error)
"""
BURST = """
import socket, sys, time
open_ones = []
for _ in range(int(sys.argv[3])):
    try:
        one = socket.create_connection((sys.argv[1], int(sys.argv[2])), .1); open_ones.append(one)
    except OSError:
        pass
    time.sleep(float(sys.argv[4]))
print(len(open_ones))
"""


class Cable:
    """Two namespaces: ``a`` is 192.168.4.1 and 203.0.113.1 (a public address), ``b`` is 192.168.4.2."""

    def __init__(self) -> None:
        tag = str(os.getpid() % 100_000)
        self.a, self.b = f"lf{tag}a", f"lf{tag}b"
        for name in (self.a, self.b):
            run("ip", "netns", "add", name)
        run(
            "ip",
            "link",
            "add",
            "lf0",
            "netns",
            self.a,
            "type",
            "veth",
            "peer",
            "name",
            "lf0",
            "netns",
            self.b,
        )
        addresses = {
            self.a: ("192.168.4.1/24", "203.0.113.1/24"),
            self.b: ("192.168.4.2/24", "203.0.113.2/24"),
        }
        for name, own in addresses.items():
            for address in own:
                run("ip", "-n", name, "address", "add", address, "dev", "lf0")
            for link in ("lo", "lf0"):
                run("ip", "-n", name, "link", "set", link, "up")
        self.servers: list[subprocess.Popen[str]] = []

    def serve(self, where: str, address: str, *ports: int) -> None:
        words = [
            "ip",
            "netns",
            "exec",
            where,
            sys.executable,
            "-c",
            SERVER,
            ",".join(map(str, ports)),
            address,
        ]
        one = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
        self.servers.append(one)

    def load(self, where: str, rules: str) -> None:
        run("ip", "netns", "exec", where, "nft", "--file", "-", stdin=rules)

    def ask(self, where: str, kind: str, host: str, port: int) -> str:
        return run("ip", "netns", "exec", where, sys.executable, "-c", TRY, kind, host, str(port)).strip()

    def burst(self, where: str, host: str, port: int, count: int, pause: float) -> int:
        words = (
            "ip",
            "netns",
            "exec",
            where,
            sys.executable,
            "-c",
            BURST,
            host,
            str(port),
            str(count),
            str(pause),
        )
        return int(run(*words))

    def close(self) -> None:
        for one in self.servers:
            one.kill()
            one.communicate()
        for name in (self.a, self.b):
            run("ip", "netns", "delete", name)


def run(*words: str, stdin: str | None = None) -> str:
    done = subprocess.run(
        words, input=stdin, capture_output=True, text=True, check=False, env=os.environ | {"PATH": PATH}
    )
    assert done.returncode == 0, f"{words[:4]}: {done.stderr}"
    return done.stdout


@pytest.fixture
def cable() -> Iterator[Cable]:
    one = Cable()
    try:
        yield one
    finally:
        one.close()


@needs_root
def test_a_paired_unit_reaches_its_hubs_ports_and_nothing_else(cable: Cable) -> None:
    """``b`` is a unit whose hub is 192.168.4.1: MQTT, updates and time go; every other port and address does not."""
    cable.serve(cable.a, "192.168.4.1", 8883, 8884, 8885, 8443, 80)
    cable.serve(cable.a, "203.0.113.1", 8883)
    assert cable.ask(cable.b, "tcp", "192.168.4.1", 80) == "hello"  # the network itself is fine
    cable.load(cable.b, firewall.unit_rules(Hub(addresses=("192.168.4.1",))))
    assert cable.ask(cable.b, "tcp", "192.168.4.1", 8883) == "hello"
    assert cable.ask(cable.b, "tcp", "192.168.4.1", 8885) == "hello"
    assert cable.ask(cable.b, "udp", "192.168.4.1", 123) == "time"
    for host, port in (("192.168.4.1", 80), ("192.168.4.1", 8443), ("203.0.113.1", 8883)):
        assert cable.ask(cable.b, "tcp", host, port).startswith("no"), (host, port)


@needs_root
def test_a_unit_answers_nobody(cable: Cable) -> None:
    """Whatever listens on a unit cannot be reached from outside, the hub's address included."""
    cable.serve(cable.b, "192.168.4.2", 22, 80, 8883)
    cable.load(cable.b, firewall.unit_rules(Hub(addresses=("192.168.4.1",))))
    for port in (22, 80, 8883):
        assert cable.ask(cable.a, "tcp", "192.168.4.2", port).startswith("no")
    assert cable.ask(cable.a, "udp", "192.168.4.2", 123).startswith("no")


@needs_root
def test_ssh_is_open_where_it_was_asked_for(cable: Cable) -> None:
    cable.serve(cable.b, "192.168.4.2", 22)
    cable.load(cable.b, firewall.unit_rules(Hub(), ssh=True))
    assert cable.ask(cable.a, "tcp", "192.168.4.2", 22) == "hello"


@needs_root
def test_a_unit_without_a_hub_looks_on_private_networks_only(cable: Cable) -> None:
    cable.serve(cable.a, "192.168.4.1", 8884)
    cable.serve(cable.a, "203.0.113.1", 8884)
    cable.load(cable.b, firewall.unit_rules(Hub()))
    assert cable.ask(cable.b, "tcp", "192.168.4.1", 8884) == "hello"
    assert cable.ask(cable.b, "tcp", "203.0.113.1", 8884).startswith("no")


@needs_root
def test_a_hub_opens_its_ports_to_private_addresses_only(cable: Cable) -> None:
    cable.serve(cable.a, "192.168.4.1", 8883, 80)
    cable.serve(cable.a, "203.0.113.1", 8883)
    cable.load(cable.a, firewall.hub_rules())
    assert cable.ask(cable.b, "tcp", "192.168.4.1", 8883) == "hello"
    assert cable.ask(cable.b, "udp", "192.168.4.1", 123) == "time"
    assert cable.ask(cable.b, "tcp", "192.168.4.1", 80).startswith("no")
    assert cable.ask(cable.b, "tcp", "203.0.113.1", 8883).startswith("no")


@needs_root
def test_one_address_cannot_take_all_of_a_hubs_connections(cable: Cable) -> None:
    """Fast knocking is cut to a rate, and slow knocking to a number of connections that are held."""
    cable.serve(cable.a, "192.168.4.1", 8883)
    cable.load(cable.a, firewall.hub_rules())
    begun = time.monotonic()
    held = cable.burst(cable.b, "192.168.4.1", 8883, 60, 0.0)
    allowed = 2 * firewall.NEW_A_SECOND + firewall.NEW_A_SECOND * (time.monotonic() - begun) + 2
    assert 1 <= held <= min(allowed, firewall.CONNECTIONS)


@needs_root
def test_until_it_is_known_who_a_machine_is_nothing_goes_in_or_out(cable: Cable) -> None:
    cable.serve(cable.a, "192.168.4.1", 8883)
    cable.load(cable.b, firewall.closed_rules())
    assert cable.ask(cable.b, "tcp", "192.168.4.1", 8883).startswith("no")
    cable.load(cable.b, firewall.unit_rules(Hub()))  # loading replaces what was there
    assert cable.ask(cable.b, "tcp", "192.168.4.1", 8883) == "hello"


def test_a_name_is_no_address() -> None:
    assert firewall.addresses_in("booth.local") == ()
    assert firewall.addresses_in("fd00::1") == ("fd00::1",)


def _printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["firewall", "--role", "unit", *words]) == 0
    return capsys.readouterr().out


def test_a_paired_unit_names_its_hub_and_has_the_time_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "unit.toml"
    told = ("--config", str(config))
    assert "192.168.0.0/16" in _printed(capsys, *told)
    assert "NTP=\n" in _printed(capsys, "--clock", *told)
    config.write_text('[broker]\nhost = "192.168.4.1"\n')
    rules = _printed(capsys, *told)
    assert "192.168.4.1" in rules
    assert "192.168.0.0/16" not in rules
    assert "NTP=192.168.4.1\n" in _printed(capsys, "--clock", *told)
    config.write_text(
        '[broker]\nhost = "corner.local"\n'
    )  # only TLS can tell it from another private address
    assert "192.168.0.0/16" in _printed(capsys, *told)


@pytest.mark.parametrize("damage", ["", "[broker", 'broker = "x"', "[broker]"])
def test_settings_that_cannot_be_read_open_nothing(tmp_path: Path, damage: str) -> None:
    (tmp_path / "unit.toml").write_text(damage)
    assert cli.main(["firewall", "--role", "unit", "--config", str(tmp_path / "unit.toml")]) == 78
