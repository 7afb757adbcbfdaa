"""Hub and unit from their Debian packages, under a booted systemd, on a network of their own, on the sample video."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.doctor.processes import SERVICES
from appliance.enrol import open_booth
from appliance.enrol.authority import Authority, load_key, new_key
from appliance.enrol.layout import load_authority
from appliance.protocol.values import BoothId
from tests.boot.booth import Booth
from tests.boot.machines import Machine, until
from tests.boot.planted import HUB, UNIT, Planted
from tests.demo.running import street_video

pytestmark = pytest.mark.boot
ROOT = Path(__file__).parents[2]


def cli(*words: str) -> str:
    """What a command of this checkout prints."""
    done = [sys.executable, "-m", "appliance.cli", *words]
    return subprocess.run(
        done, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, cwd=ROOT
    ).stdout


def test_a_hub_is_running_once_its_package_is_installed(booth: Booth) -> None:
    """Broker, WATCH and page server run with the booth's settings; the stock broker's port is gone."""
    for service in ("mosquitto", "leftfield-watch", "leftfield-pages", "leftfield-desk"):
        assert booth.hub.show(service, "ActiveState") == "active"
    listening = booth.hub.shell("ss --tcp --listening --numeric --no-header")
    assert {port for port in ("1883", "8443", "8883", "8884", "9443") if f":{port}" in listening} == {
        "8443",
        "8883",
        "8884",
        "9443",
    }
    assert booth.hub.show("leftfield-watch", "StatusText") == "watching"


def test_a_unit_sees_under_systemd_with_every_wall(booth: Booth) -> None:
    """SENSE starts once under Type=notify with the journal's socket, seals with every wall, and keeps running."""
    assert booth.unit.show("leftfield-sense", "ActiveState") == "active"
    assert booth.unit.show("leftfield-sense", "NRestarts") == "0"
    said = booth.unit.shell("journalctl --unit leftfield-sense --no-pager --output cat")
    assert "sealed; every wall is up" in said
    assert (booth.unit.tree / "etc/leftfield/credentials/epoch").read_text() == "1\n"


def test_a_unit_is_paired_by_its_code_alone(booth: Booth) -> None:
    """The unit found the hub by its announcement, the code is used up, and no command was needed for the broker."""
    etc = booth.unit.tree / "etc/leftfield"
    assert not (etc / "pairing.code").exists()
    assert booth.unit.show("leftfield-pair", "ActiveState") == "inactive"
    said = booth.unit.shell("journalctl --unit leftfield-pair --no-pager --output cat")
    assert "paired as corner-north" in said
    assert "corner-north  north corner" in booth.hub.shell("leftfield booth show")
    listening = booth.unit.shell("ss --tcp --listening --numeric --no-header").splitlines()
    assert [line for line in listening if "127.0.0.1:" not in line and "[::1]:" not in line] == []


def test_observations_of_the_real_unit_are_admitted(booth: Booth) -> None:
    """What SENSE says of the people on the video goes the whole way into the hub's database."""
    before = booth.admitted()
    until(lambda: booth.admitted() >= before + 5, "five more statements admitted")


@pytest.mark.parametrize(
    ("machine", "service", "writable"),
    [
        ("unit", "leftfield-sense", r"$^"),
        ("unit", "leftfield-relay", r"/var/lib/(private/)?leftfield/(spool|prior|orders)$"),
        ("hub", "leftfield-watch", r"/var/lib/(private/)?leftfield/hub$|/run/leftfield-hub$"),
        ("hub", "leftfield-pages", r"$^"),
        ("hub", "leftfield-offer", r"$^"),
        ("hub", "leftfield-desk", r"/etc/leftfield$|/run/leftfield-desk$"),
    ],
)
def test_a_running_service_is_boxed_as_seen_from_inside(
    booth: Booth, machine: str, service: str, writable: str
) -> None:
    """Mounts, rights, filter, namespaces and sockets of each process, read from /proc of the booted machine."""
    host = getattr(booth, machine)
    pid = host.show(service, "MainPID")
    if service == "leftfield-sense":  # the process that sees; its parent speaks for it
        pid = host.shell(f"pgrep -P {pid}").strip()
    status = dict(
        line.split(":\t", 1) for line in host.shell(f"cat /proc/{pid}/status").splitlines() if ":\t" in line
    )
    assert (status["CapEff"], status["CapBnd"]) == ("0000000000000000",) * 2
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    mounts = [line.split() for line in host.shell(f"cat /proc/{pid}/mountinfo").splitlines()]
    open_ones = [
        one[4] for one in mounts if "rw" in one[5].split(",") and not one[4].startswith(("/proc", "/sys"))
    ]
    if service == "leftfield-sense":
        assert open_ones == []
    owner = f"--reuid={status['Uid'].split()[0]} --regid={status['Gid'].split()[0]} --clear-groups"
    tried = f"nsenter -t {pid} -m setpriv {owner} test -w"
    may_write = [path for path in open_ones if host.shell(f"{tried} '{path}' && echo yes", check=False)]
    assert [path for path in may_write if not re.fullmatch(writable, path)] == []
    for space in ("mnt", "user", "ipc"):
        own, first = host.shell(f"readlink /proc/{pid}/ns/{space} /proc/1/ns/{space}").split()
        assert own != first, space
    if service == "leftfield-sense":
        links = host.shell(f"nsenter -t {pid} -n cat /proc/net/dev").splitlines()[2:]
        assert [line.split(":")[0].strip() for line in links] == ["lo"]


def _port(address: str) -> str:
    return address.rsplit(":", 1)[1]


@pytest.mark.parametrize(
    ("machine", "service", "listens", "speaks_to"),
    [
        ("unit", "leftfield-sense", set(), set()),
        ("unit", "leftfield-relay", set(), {"8883"}),
        ("hub", "leftfield-watch", set(), {"8883"}),
        ("hub", "leftfield-pages", {"8443"}, set()),
        ("hub", "leftfield-offer", {"8885"}, set()),
        ("hub", "leftfield-desk", {"8884", "5353"}, {"8883"}),
        ("hub", "mosquitto", {"8883", "9443"}, set()),
    ],
)
def test_the_sockets_of_a_running_service_are_the_ones_it_needs(
    booth: Booth, machine: str, service: str, listens: set[str], speaks_to: set[str]
) -> None:
    """Every TCP and UDP socket of the process, in its own network namespace, as the kernel lists them."""
    host = getattr(booth, machine)
    main = host.show(service, "MainPID")
    for pid in [main, *host.shell(f"pgrep -P {main}", check=False).split()]:
        rows = host.shell(f"nsenter -t {pid} -n ss --tcp --udp --all --numeric --processes --no-header")
        own = [row.split() for row in rows.splitlines() if f"pid={pid}," in row]
        waiting = [one for one in own if one[1] in {"LISTEN", "UNCONN"}]
        assert {_port(one[4]) for one in waiting} == (listens if pid == main else set())
        ends = {
            _port(one[4]) for one in own
        }  # a pair of its own, by which a library wakes itself, leads nowhere
        spoken = {_port(one[5]) for one in own if one not in waiting and _port(one[4]) not in listens}
        left = spoken - ends
        assert left <= speaks_to


@pytest.mark.parametrize(
    ("machine", "service"),
    [
        ("unit", "leftfield-sense"),
        ("unit", "leftfield-relay"),
        ("hub", "leftfield-watch"),
        ("hub", "mosquitto"),
        ("hub", "leftfield-offer"),
    ],
)
def test_the_exposure_of_a_running_service_is_at_most_one(booth: Booth, machine: str, service: str) -> None:
    """Systemd's own assessment, of the loaded unit and not of a file."""
    said = getattr(booth, machine).shell(f"systemd-analyze security {service} --no-pager")
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", said)
    assert exposure, said
    assert float(exposure[1]) <= 1.0


LISTENER = """
import json, ssl, sys
import paho.mqtt.client as paho
ca, name, password, topic = sys.argv[1:]
client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5, transport="websockets")
client.ws_set_options(path="/mqtt")
client.tls_set(ca_certs=ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
client.username_pw_set(name, password)
client.on_connect = lambda *_: client.subscribe(topic, qos=1)

def heard(_client, _user, message):
    if message.payload:
        print(json.dumps(json.loads(message.payload)), flush=True)
        client.disconnect()

client.on_message = heard
client.connect("192.168.4.1", 9443)
client.loop_forever()
"""


def test_an_alert_reaches_a_subscribed_tablet(booth: Booth, tmp_path: Path) -> None:
    """A busy street beside the real unit; a tablet on the booth's network hears of somebody, with reasons."""
    street = tmp_path / "street"
    request = cli("enrol", "request", "street", "--booth", "corner", "--directory", str(street))
    accept = "cat > /root/street.json; leftfield enrol accept /root/street.json --place street --simulated"
    (tmp_path / "answer.json").write_text(booth.hub.shell(accept, stdin=request))
    cli(
        "enrol",
        "finish",
        str(tmp_path / "answer.json"),
        "--directory",
        str(street),
        "--source",
        str(street_video()),
    )
    settings = (street / "unit.toml").read_text()
    (street / "unit.toml").write_text(settings.replace('host = "corner.local"', 'host = "192.168.4.1"'))
    told = json.loads(booth.hub.shell("leftfield booth tablet ear --json"))
    inside = ["nsenter", f"--net=/run/netns/{booth.unit.namespace}", sys.executable]
    simulator = [
        "-m",
        "appliance.demo.street.simulator",
        "--config",
        str(street / "unit.toml"),
        "--per-second",
        "15",
    ]
    ca = booth.hub.tree / "etc/leftfield/broker/ca.pem"
    listener = ["-c", LISTENER, str(ca), "ear", told["password"], "leftfield/1/corner/alert/+"]
    with subprocess.Popen([*inside, *simulator], stderr=subprocess.DEVNULL, cwd=ROOT) as passing:
        try:
            heard = subprocess.run(
                [*inside, *listener], stdout=subprocess.PIPE, text=True, check=True, timeout=150
            ).stdout
        finally:
            passing.terminate()
    alert = json.loads(heard)
    assert alert["state"] == "raised"
    assert alert["reasons"]
    assert alert["place"] in {"street", "north corner"}


def test_a_unit_without_a_camera_waits_and_burns_no_epoch(booth: Booth) -> None:
    """No camera at start: READY, a status that names the camera, no restart, and the epoch counted once."""
    config = booth.unit.tree / "etc/leftfield/unit.toml"
    kept = config.read_text()
    epoch = booth.unit.tree / "etc/leftfield/credentials/epoch"
    before = int(epoch.read_text())
    try:
        config.write_text(kept.replace('source = "/usr/share/street.avi"', 'source = "/dev/video9"'))
        booth.unit.shell("systemctl restart leftfield-sense")
        until(
            lambda: "/dev/video9" in booth.unit.show("leftfield-sense", "StatusText"),
            "a status that names it",
        )
        assert booth.unit.show("leftfield-sense", "ActiveState") == "active"
        assert int(epoch.read_text()) == before + 1
    finally:
        config.write_text(kept)
        booth.unit.shell("systemctl restart leftfield-sense")


def test_the_hub_tells_its_units_the_time(booth: Booth) -> None:
    """Chrony runs on the hub and serves the booth's private networks."""
    assert booth.hub.shell("systemctl is-enabled chrony").strip() == "enabled"
    assert "allow 192.168.0.0/16" in (booth.hub.tree / "etc/chrony/conf.d/leftfield.conf").read_text()


def _ended_page(tree: Path) -> bytes:
    """A page's certificate of this hub that ended three weeks ago."""
    booth = open_booth(tree / "etc/leftfield")
    key = load_key((booth.broker_directory / "pages.key").read_bytes(), where="pages.key")
    begun = datetime.now(UTC) - timedelta(days=420)
    return load_authority(booth).server("pages", key.public_key(), ("localhost",), page_from=begun)


def _findings(host: Machine) -> tuple[int, list[dict[str, str]]]:
    """What the doctor on a booted machine says: its exit code, and all findings."""
    said = json.loads(host.shell("leftfield doctor --json", check=False))
    return said["exit_code"], said["findings"]


def _not_good(found: list[dict[str, str]]) -> list[str]:
    return [
        f"{one['check']}: {one['about']}: {one['what']}"
        for one in found
        if one["verdict"] in {"wrong", "unseen"}
    ]


@pytest.mark.parametrize(("name", "faults"), [("unit", UNIT), ("hub", HUB)])
def test_the_doctor_finds_every_planted_fault_and_calls_a_healthy_machine_healthy(
    booth: Booth, name: str, faults: tuple[Planted, ...]
) -> None:
    """A healthy machine has no finding; each planted fault is named with its fix; mended it is healthy again."""
    host: Machine = getattr(booth, name)
    other = Authority.create(BoothId("elsewhere"))
    (host.tree / "root/other.pem").write_bytes(other.client("corner-north", new_key().public_key()))
    if name == "hub":
        (host.tree / "root/ended.pem").write_bytes(_ended_page(host.tree))
    healthy = tuple(SERVICES[name])
    until(lambda: all(host.show(one, "ActiveState") == "active" for one in healthy), "every service")
    assert _not_good(_findings(host)[1]) == []
    bundle = host.shell("leftfield doctor --bundle -")
    assert set(json.loads(bundle)["services"]) == set(SERVICES[name])
    for fault in faults:
        host.shell(fault.plant)
    weakened = {"unit": "leftfield-sense", "hub": "leftfield-watch"}[name]
    until(lambda: host.show(weakened, "ActiveState") == "active", "the weakened service")
    code, found = _findings(host)
    assert code == 78
    wrong = [one for one in found if one["verdict"] == "wrong"]
    for fault in faults:
        named = [one for one in wrong if one["check"] == fault.check and fault.words in one["what"]]
        assert named, (fault, _not_good(found))
        assert all(one["fix"] and one["why"] for one in named)
    for fault in reversed(faults):  # SENSE refuses the changed model: it starts last
        host.shell(fault.mend)
    until(lambda: all(host.show(one, "ActiveState") == "active" for one in healthy), "every service again")
    seer = "pgrep -P $(systemctl show leftfield-sense --property MainPID --value)"
    until(lambda: name == "hub" or host.shell(seer, check=False), "SENSE behind its walls")
    assert _not_good(_findings(host)[1]) == []
    assert _findings(host)[0] == 0
