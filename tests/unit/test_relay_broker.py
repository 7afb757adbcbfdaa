"""Why RELAY has no broker is in systemd's status, and once in the journal: a real RELAY, a real broker, real TLS."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from appliance.base.errors import Unavailable
from appliance.enrol import Listeners, UnitHome, create_booth, enrol_unit, revoke_unit
from appliance.enrol.authority import load_key
from appliance.enrol.layout import load_authority
from appliance.mqtt import LinkReport
from tests.systemd import ServiceSockets
from tests.unit.test_relay import UNIT, Scene, scene

__all__ = ["scene"]

pytestmark = pytest.mark.broker


class Service:
    """RELAY as a service of systemd: what its status says, and its journal when it has ended."""

    def __init__(self, scene: Scene, before: str = "") -> None:
        self._sockets = ServiceSockets(scene.directory)
        run = f"{before}\nfrom appliance.cli import main; import sys; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", run, "relay", "--config", str(scene.config)]
        self._process = subprocess.Popen(command, stderr=self._sockets.stderr, env=self._sockets.environment)

    def next(self) -> list[str]:
        """The next notification, line by line."""
        return self._sockets.notice()

    def status_with(self, words: str) -> str:
        """The first status from now on that has these words."""
        return self._sockets.notice_with(words)[-1]

    def end(self) -> str:
        """Stop it in order; give its journal."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0
        return self._sockets.journal()

    def close(self) -> None:
        """Whatever happened."""
        self._process.kill()
        self._process.wait()
        self._sockets.close()


@pytest.fixture
def start(scene: Scene) -> Iterator[Callable[[], Service]]:
    begun: list[Service] = []

    def begin() -> Service:
        begun.append(Service(scene))
        return begun[-1]

    yield begin
    for service in begun:
        service.close()


def end_broker(scene: Scene) -> None:
    assert scene.end(scene.broker, signal.SIGTERM) == 0


def nothing_listens(scene: Scene) -> None:
    end_broker(scene)


def unknown_name(scene: Scene) -> None:
    scene.config.write_text(re.sub(r'host = ".*"', 'host = "booth.invalid"', scene.config.read_text()))


def another_name(scene: Scene) -> None:
    """127.1 is another way to write 127.0.0.1, and not in the broker's certificate."""
    scene.config.write_text(re.sub(r'host = ".*"', 'host = "127.1"', scene.config.read_text()))


def another_authority(scene: Scene) -> None:
    other = create_booth(scene.directory / "other", "demo", listeners=Listeners(wss_port=0))
    home = UnitHome(directory=scene.directory / "guest")
    enrol_unit(other, home, UNIT, place="elsewhere")
    (scene.directory / "unit/link/ca.pem").write_bytes((home.link / "ca.pem").read_bytes())


def a_foreign_certificate(scene: Scene) -> None:
    other = create_booth(scene.directory / "other", "demo", listeners=Listeners(wss_port=0))
    home = UnitHome(directory=scene.directory / "guest")
    enrol_unit(other, home, UNIT, place="elsewhere")
    for name in ("unit.pem", "tls.key"):
        (scene.directory / "unit/link" / name).write_bytes((home.link / name).read_bytes())


def a_revoked_certificate(scene: Scene) -> None:
    end_broker(scene)
    revoke_unit(scene.booth, UNIT)
    scene.start_broker()


def an_ended_certificate(scene: Scene) -> None:
    """Of this booth, and of yesterday."""
    authority = load_authority(scene.booth)
    key = load_key((scene.directory / "unit/link/tls.key").read_bytes(), where="tls.key")
    begun = datetime.now(UTC) - timedelta(days=2)
    ended = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, UNIT)]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=1))
        .sign(authority.key, hashes.SHA256())
    )
    (scene.directory / "unit/link/unit.pem").write_bytes(ended.public_bytes(Encoding.PEM))


def no_tls(scene: Scene) -> None:
    """Something else than a broker listens there: here, mosquitto without TLS."""
    end_broker(scene)
    plain = scene.directory / "plain.conf"
    plain.write_text(f"listener {scene.booth.listeners.mqtt_port} 127.0.0.1\nallow_anonymous true\n")
    scene.start_broker(plain)


@pytest.mark.parametrize(
    ("broken", "why", "fix"),
    [
        (nothing_listens, "nothing listens on this port", "systemctl restart mosquitto"),
        (unknown_name, "host name not found: booth.invalid", "host under [broker]"),
        (another_name, "server certificate not valid for 127.1", "leftfield booth renew --host 127.1"),
        (another_authority, "not signed by this booth's CA", "leftfield enrol"),
        (a_foreign_certificate, "rejected by the broker (it is another booth's)", "in this booth"),
        (a_revoked_certificate, "rejected by the broker (it is revoked)", "leftfield enrol"),
        (an_ended_certificate, "rejected by the broker (it has ended)", "clock"),
        (no_tls, "closed by the broker before it was accepted", "journalctl -u mosquitto"),
    ],
)
def test_why_there_is_no_broker_is_said(
    scene: Scene, start: Callable[[], Service], broken: Callable[[Scene], None], why: str, fix: str
) -> None:
    """RELAY is ready all the same; its status and one line of its journal say why there is no broker, the journal also how to get one."""  # noqa: E501
    broken(scene)
    relay = start()
    assert relay.next() == ["READY=1"]
    assert "not connected: broker " in relay.status_with(why)
    lines = [line for line in relay.end().splitlines() if why in line]
    assert len(lines) == 1
    assert lines[0].startswith("relay: not connected: broker ")
    assert fix in lines[0].split("Fix: ")[1]


def test_a_broker_that_denies_the_right_to_publish_is_said(
    scene: Scene, start: Callable[[], Service]
) -> None:
    """Where the access list has no line for this unit, status and journal say so once, and the records wait."""
    end_broker(scene)
    (scene.booth.directory / "broker/units.acl").write_text("user hub\ntopic readwrite leftfield/#\n")
    scene.start_broker()
    relay = start()
    scene.say(0, 3)
    assert "waiting 3" in relay.status_with("publishing denied by the broker's ACL")
    assert relay.end().count("publishing denied by the broker's ACL") == 1


def test_a_broker_that_comes_is_said(scene: Scene, start: Callable[[], Service]) -> None:
    """When the broker comes, the status is clean again and the journal says that it is there."""
    end_broker(scene)
    relay = start()
    relay.status_with("nothing listens")
    scene.start_broker()
    while relay.status_with("STATUS=") != "STATUS=waiting 0, dropped 0":
        pass
    journal = relay.end().splitlines()
    assert [line for line in journal if "broker" in line][-1] == "relay: broker connected"


class Away:
    """A link that fails again and again."""

    connections = 0
    up = False
    alive = True
    trouble: Unavailable | None = None


def test_each_reason_is_said_once_until_the_link_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """However often the link fails, each reason is one line, and one line again after a link that stood."""
    link = Away()
    report = LinkReport(link, "relay")  # type: ignore[arg-type]
    assert report.status == "connecting"
    refused, unknown = (Unavailable(what, where="broker b:1", fix="f") for what in ("refused", "unknown"))
    for trouble in (refused, refused, unknown, refused, unknown):
        link.trouble = trouble
        report.take()
    assert report.status == "not connected: broker b:1: unknown"
    assert capsys.readouterr().err.count("\n") == 2
    link.connections, link.up, link.trouble = 1, True, None
    report.take()
    assert report.status == ""
    link.up, link.trouble = False, refused
    report.take()
    report.take()
    assert capsys.readouterr().err.splitlines() == [
        "relay: broker connected",
        "relay: not connected: broker b:1: refused. Fix: f",
    ]


KILLER = """
import ctypes, threading, time
def kill():
    while not (found := [one for one in threading.enumerate() if one.name.startswith("paho")]):
        time.sleep(0.05)
    time.sleep(0.5)
    while found[0].is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(found[0].ident), ctypes.py_object(SystemExit))
        time.sleep(0.05)
threading.Thread(target=kill, daemon=True).start()
"""
"""Ends the network thread of the process that it stands in."""


def test_a_dead_network_thread_starves_the_watchdog(scene: Scene) -> None:
    """The library's thread is ended: the status says so, no ping goes to the watchdog, the journal has one line."""
    relay = Service(scene, KILLER)
    try:
        assert relay.next() == ["READY=1"]
        notices = [relay.next()]
        while "network thread" not in notices[-1][-1]:
            assert notices[-1][0] == "WATCHDOG=1"
            notices.append(relay.next())
        assert notices[-1] == [notices[-1][-1]], "a status and no ping"
        assert relay.end().count("the network thread ended or hangs; the watchdog ends this service") == 1
    finally:
        relay.close()
