"""A machine on trial looks around: at a real TLS server, at what systemctl prints, at its network devices."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.base.errors import Unfit
from appliance.image.firewall import closed_rules
from appliance.update import confirm, trial
from appliance.update.confirm import Watch
from appliance.update.trial import HubSays
from tests.update.hubs import Booth, booth_in

ROOT = Path(__file__).parents[2]
WELL = "ActiveState=active\nNRestarts=0\nStatusText=watching /dev/video0\n"


def systemctl(folder: Path, said: str) -> tuple[str, ...]:
    (folder / "said").write_text(said)
    return ("sh", "-c", f"cat '{folder / 'said'}'")


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Booth]:
    with booth_in(tmp_path) as one:
        yield one


@pytest.fixture
def listening() -> Iterator[int]:
    """A broker's port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def watch(booth: Booth, tmp_path: Path, listening: int) -> Watch:
    links = tmp_path / "net"
    (links / "eth0/device").mkdir(parents=True)
    (links / "lo").mkdir()
    return Watch(
        hub=booth.hubs["north"], broker_port=listening, epoch=1, systemctl=systemctl(tmp_path, WELL), links=links,
        confirmed=tmp_path / "run/confirmed", poll_seconds=0.0,
    )  # fmt: skip


def test_what_the_hub_has_admitted_keeps_the_system(watch: Watch) -> None:
    confirm.confirm(watch)
    assert watch.confirmed.exists()


def test_everything_that_is_looked_at(watch: Watch) -> None:
    seen = confirm.sight(watch)
    assert (seen.hub, seen.admitted, seen.links, seen.sees, seen.fault) == (
        HubSays.ANSWERS, 42, 1, True, "the hub answers, and has admitted 42 of 3 statements",
    )  # fmt: skip
    assert {one.name for one in seen.services} == set(confirm.SERVICES)


def test_a_hub_that_is_off_is_away_and_one_without_a_broker_too(watch: Watch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    assert confirm.sight(replace(watch, hub=replace(watch.hub, port=free))).hub is HubSays.AWAY
    assert confirm.sight(replace(watch, hub=replace(watch.hub, host="nowhere.invalid"))).hub is HubSays.AWAY
    assert confirm.sight(replace(watch, epoch=9, broker_port=free)).hub is HubSays.AWAY
    assert confirm.sight(replace(watch, epoch=9)).hub is HubSays.ANSWERS


def test_a_hub_that_refuses_or_cannot_prove_itself_is_not_away(
    watch: Watch, booth: Booth, tmp_path: Path
) -> None:
    stranger = replace(watch.hub, ca=tmp_path / "other.pem")
    stranger.ca.write_bytes(booth.hubs["south"].certificate.read_bytes())
    assert confirm.sight(replace(watch, hub=stranger)).hub is HubSays.REFUSES
    (tmp_path / "hub" / "register.toml").write_text("")
    assert confirm.sight(watch).hub is HubSays.REFUSES


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError(errno.ENOENT, "its own TLS key"), HubSays.REFUSES),
        (OSError(errno.EHOSTUNREACH, "No route to host"), HubSays.AWAY),
        (TimeoutError("timed out"), HubSays.AWAY),
        (ssl.SSLCertVerificationError("self-signed"), HubSays.REFUSES),
        (None, HubSays.REFUSES),
    ],
)
def test_the_kind_of_an_error_says_whose_fault_it_is(error: BaseException | None, kind: HubSays) -> None:
    assert confirm.kind_of(error) is kind


SEEN_FROM_INSIDE = """
import sys
from pathlib import Path
from appliance.update import confirm, fetch
fetch.ANSWER_SECONDS = 0.2
ca, certificate, key = map(Path, sys.argv[1:])
hub = fetch.Hub(host="192.168.4.1", port=8885, ca=ca, certificate=certificate, key=key)
watch = confirm.Watch(hub=hub, broker_port=8883, epoch=1, systemctl=("true",))
print(confirm.sight(watch).hub.name)
"""


def test_a_firewall_of_our_own_that_is_shut_is_a_fault(booth: Booth, tmp_path: Path) -> None:
    """In a network of its own, first without rules, then with those that an image has until it knows its hub."""
    if os.geteuid() != 0 or not shutil.which("nft"):
        pytest.skip("needs root and nft: a namespace with rules of its own")
    rules = tmp_path / "closed.nft"
    rules.write_text(closed_rules())
    hub = booth.hubs["north"]
    inside = (
        "ip link add v0 type veth peer name v1; ip address add 192.168.4.2/24 dev v0; ip link set v0 up; "
        'ip link set v1 up; nft=$1; shift; "$@"; nft --file "$nft"; "$@"'
    )
    asked = [sys.executable, "-c", SEEN_FROM_INSIDE, str(hub.ca), str(hub.certificate), str(hub.key)]
    words = ["unshare", "--net", "sh", "-ec", inside, "sh", str(rules), *asked]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.split() == ["AWAY", "SHUT"], done.stderr


def test_a_hub_that_stays_away_keeps_a_healthy_system_and_undoes_a_broken_one(
    watch: Watch, tmp_path: Path
) -> None:
    clock = iter(range(0, 10**6, 60))
    with socket.create_server(("127.0.0.1", 0)) as server:
        off = server.getsockname()[1]
    away = replace(watch, hub=replace(watch.hub, port=off), now=lambda: float(next(clock)))
    confirm.confirm(away)
    assert watch.confirmed.exists()
    assert next(clock) * 1.0 >= trial.ALONE
    broken = replace(away, systemctl=systemctl(tmp_path, WELL.replace("=active", "=failed")))
    with pytest.raises(Unfit, match="leftfield-sense is failed"):
        confirm.confirm(broken)
