"""The systemd units, judged by systemd's own tools with nothing started, and held against the table of rights."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from appliance import cli
from appliance.enrol.booth import create_booth
from appliance.enrol.broker import BrokerPlaces, Listeners, settings
from appliance.enrol.home import UnitHome
from appliance.enrol.layout import BoothDirectory
from appliance.protocol.values import BoothId
from appliance.settings.config import (
    CONFIG_DIRECTORY,
    MATRIX_PATH,
    ORDER_PATH,
    PIPE_PATH,
    STATE_DIRECTORY,
    ZONES_PATH,
    unit_config,
)
from appliance.unit.aim import carry_out
from appliance.unit.inputs import colour_matrix, lock, zones
from appliance.unit.inputs.prior_file import CREDENTIAL

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = tuple(sorted(path.name for path in UNITS.glob("*.service")))
BROKER_DROP_IN = "mosquitto.service.d/leftfield.conf"
CEILINGS = {
    "leftfield-sense.service": 1.0,
    "leftfield-card.service": 1.0,
    "leftfield-aim.service": 1.0,
    "leftfield-setup.service": 1.5,
    "leftfield-relay.service": 1.5,
    "leftfield-watch.service": 1.5,
    "leftfield-pages.service": 1.5,
    "leftfield-epoch.service": 1.5,
    "leftfield-pair.service": 2.0,
    "leftfield-desk.service": 2.0,
    "leftfield-offer.service": 1.5,
    "leftfield-metrics.service": 1.5,
    "leftfield-limits.service": 2.0,
    "leftfield-renew.service": 2.0,
    "leftfield-reload.service": 1.5,
    "leftfield-certificate.service": 1.5,
    "mosquitto.service": 1.5,
}
PACKAGED_BROKER = """[Unit]
Description=Stands for the service of the distribution's package
[Service]
Type=notify
ExecStart=/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf
ExecReload=/bin/kill -HUP $MAINPID
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine's tree: its own base units, ours beside them, and programs of the right names that do nothing."""
    if not shutil.which("systemd-analyze"):
        if os.environ.get("CI"):
            pytest.fail("systemd-analyze is missing: apt-get install systemd")
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    tree = tmp_path_factory.mktemp("root")
    base = tree / "usr/lib/systemd/system"
    shutil.copytree("/usr/lib/systemd/system", base, symlinks=True)
    shutil.copytree(UNITS, tree / "etc/systemd/system")
    (base / "mosquitto.service").write_text(PACKAGED_BROKER, encoding="ascii")
    (tree / "lib").symlink_to("usr/lib")
    for program in (
        "usr/bin/leftfield",
        "usr/bin/systemctl",
        "usr/sbin/mosquitto",
        "usr/sbin/nft",
        "bin/kill",
        "bin/sh",
    ):
        path = tree / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n", encoding="ascii")
        path.chmod(0o755)
    return tree


def _analyze(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", f"--root={root}", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )


def _settings(name: str) -> dict[str, list[str]]:
    """Every setting of a unit file with its values, words apart; an empty one clears what went before."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (UNITS / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key] = [*found[key], *value.split()] if value else []
    return found


@pytest.mark.parametrize("unit", [*SERVICES, "leftfield-pipe.socket", "mosquitto.service"])
def test_systemd_understands_every_line(root: Path, unit: str) -> None:
    """Verification says nothing at all: it would exit with 0 for a misspelled key, so silence is what counts."""
    done = _analyze(root, "verify", unit)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


def test_silence_is_worth_something(root: Path) -> None:
    """The same check on a unit with one misspelled key is not silent."""
    text = (UNITS / "leftfield-relay.service").read_text(encoding="utf-8")
    wrong = root / "etc/systemd/system/misspelled.service"
    wrong.write_text(text.replace("PrivateDevices=", "PrivateDevcies="), encoding="utf-8")
    assert "Unknown key 'PrivateDevcies'" in _analyze(root, "verify", "misspelled.service").stderr
    wrong.unlink()


@pytest.mark.parametrize(("unit", "ceiling"), CEILINGS.items())
def test_exposure_stays_below_its_ceiling(root: Path, unit: str, ceiling: float) -> None:
    """Exposure as systemd measures it (0 to 10) is at most the ceiling set for each process."""
    done = _analyze(root, "security", "--offline=true", f"--threshold={ceiling * 10:.0f}", unit)
    assert done.returncode == 0, done.stdout.splitlines()[-1:]


def test_every_service_has_a_ceiling() -> None:
    """No service is added without saying how exposed it may be."""
    assert set(SERVICES) < set(CEILINGS)


@pytest.mark.parametrize("name", [*SERVICES, BROKER_DROP_IN])
def test_nobody_has_what_looks_safe_and_is_not(name: str) -> None:
    """No DynamicUser (gives a writable /tmp), no NoExecPaths (opens mounts for writing), no hidden writable place.

    Memory reaches neither swap nor a core dump; /tmp, shared memory and message queues do not exist.
    """
    found = _settings(name)
    assert not {"DynamicUser", "NoExecPaths", "ExecPaths", "ReadWriteDirectories"} & set(found)
    assert {"/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"} <= set(found["InaccessiblePaths"])  # noqa: S108
    assert found["ProtectSystem"] == ["strict"]
    assert found["MemorySwapMax"] == found["LimitCORE"] == ["0"]
    rights = (
        ["CAP_NET_ADMIN"] if name == "leftfield-limits.service" else []
    )  # it loads rules, and that is all
    assert found["CapabilityBoundingSet"] == rights
    assert found["NoNewPrivileges"] == ["yes"]


def test_sense_has_no_network_and_no_writable_place() -> None:
    """SENSE reaches no network, may write nowhere, sees no secret but its key and epoch, and keeps no state."""
    found = _settings("leftfield-sense.service")
    assert found["PrivateNetwork"] == ["yes"]
    assert found["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert found["IPAddressDeny"] == ["any"]
    assert not {"StateDirectory", "RuntimeDirectory", "ReadWritePaths", "IPAddressAllow", "BindPaths"} & set(
        found
    )
    assert [word.split(":")[0] for word in found["LoadCredential"]] == [
        "signing.key",
        "epoch",
        CREDENTIAL,
        colour_matrix.CREDENTIAL,
        zones.CREDENTIAL,
        *lock.NOTHING_HANDED,
    ]
    assert f"-{STATE_DIRECTORY}" in found["InaccessiblePaths"]
    assert found["PrivateDevices"] == ["yes"]
    assert all(path.startswith("-/dev/") for path in found["BindReadOnlyPaths"])
    assert not {"char-usb_device", "/dev/bus/usb"} & set(found["DeviceAllow"])


def test_the_card_is_read_behind_the_walls_of_sense() -> None:
    """CARD has every setting of SENSE's walls, no credential, and one directory to write; never both run."""
    card, sense = _settings("leftfield-card.service"), _settings("leftfield-sense.service")
    assert card["LoadCredential"] == [f"lock:{LOCK}", f"lock-too:{LOCK}"]
    assert card["SetCredential"] == [f"{name}:{word}" for name, word in lock.NOTHING_HANDED.items()]
    own = {
        "LoadCredential",
        "SetCredential",
        "ExecStart",
        "Type",
        "Description",
        "Conflicts",
        "After",
        "OnSuccess",
        "OnFailure",
        "TimeoutStartSec",
    }
    assert set(sense) - set(card) == {
        "Requires", "ConditionPathExists", "NotifyAccess", "Restart", "RestartSec",
        "RestartPreventExitStatus", "WatchdogSec", "TimeoutAbortSec", "WantedBy", "FileDescriptorStoreMax",
    }  # fmt: skip
    assert card["StartLimitIntervalSec"] == ["0"]  # a start that is refused would leave SENSE stopped
    assert set(card) - set(sense) - own == {"StateDirectory", "StateDirectoryMode"}
    assert (card["StateDirectory"], card["UMask"]) == ([f"leftfield/{MATRIX_PATH.parent.name}"], ["0022"])
    assert card["RestrictAddressFamilies"] == ["none"]
    walls = set(card) - own - {"InaccessiblePaths", "UMask", "RestrictAddressFamilies", "TimeoutStopSec"}
    assert {name: card[name] for name in walls & set(sense)} == {
        name: sense[name] for name in walls & set(sense)
    }
    assert {
        "SystemCallFilter",
        "PrivateNetwork",
        "DeviceAllow",
        "CapabilityBoundingSet",
        "PrivateUsers",
    } <= walls
    hidden = set(sense["InaccessiblePaths"]) - set(card["InaccessiblePaths"])
    assert hidden == {f"-{STATE_DIRECTORY}"}
    states = {f"-{STATE_DIRECTORY}/{name}" for name in ("spool", "prior", "orders", "zones", "hub")}
    assert states <= set(card["InaccessiblePaths"])
    assert card["Conflicts"] == card["OnSuccess"] == card["OnFailure"] == ["leftfield-sense.service"]


LOCK = lock.path_beside(CONFIG_DIRECTORY / "unit.toml")


def test_a_unit_is_aimed_behind_the_walls_of_sense() -> None:
    """AIM has every wall of SENSE and nothing more; it takes its place, ends by itself, and SENSE comes back."""
    aim, sense = _settings("leftfield-aim.service"), _settings("leftfield-sense.service")
    own = {"Description", "ExecStart", "After", "LoadCredential", "SetCredential"}
    assert set(sense) - set(aim) == {
        "ConditionPathExists", "Restart", "RestartSec", "RestartPreventExitStatus", "WantedBy",
        "FileDescriptorStoreMax",
    }  # fmt: skip
    assert set(aim) - set(sense) == {"Conflicts", "OnSuccess", "OnFailure", "RuntimeMaxSec"}
    assert {name: aim[name] for name in set(sense) & set(aim) - own} == {
        name: sense[name] for name in set(sense) & set(aim) - own
    }
    assert aim["Conflicts"] == aim["OnSuccess"] == aim["OnFailure"] == ["leftfield-sense.service"]
    handed = {word.split(":")[0]: word.split(":")[1] for word in aim["LoadCredential"]}
    assert set(handed) == {"signing.key", "epoch", "minutes", "matrix", "zones", *lock.NOTHING_HANDED}
    assert handed["minutes"] == str(carry_out.MINUTES_PATH)


def test_zones_and_lock_come_to_whoever_sees_as_copies() -> None:
    """SENSE and AIM get both as they are kept by default; until there are any, the word none."""
    for name in ("leftfield-sense.service", "leftfield-aim.service"):
        found = _settings(name)
        assert {f"zones:{ZONES_PATH}", f"lock:{LOCK}", f"lock-too:{LOCK}"} <= set(found["LoadCredential"])
        assert {"zones:none", "lock:none", "lock-too:absent"} <= set(found["SetCredential"])


def test_orders_are_carried_out_without_network_device_or_pixel() -> None:
    """SETUP is root without a right of root: it gets RELAY's file as a copy, and starts with no lock there."""
    setup, path = _settings("leftfield-setup.service"), _settings("leftfield-setup.path")
    assert setup["LoadCredential"] == [f"order:{ORDER_PATH}"]
    assert path["PathChanged"] == [str(ORDER_PATH)]
    assert f"!{LOCK}" in setup["ConditionPathExists"]
    assert setup["ReadWritePaths"] == [str(LOCK.parent)]
    assert (setup["RestrictAddressFamilies"], setup["PrivateNetwork"]) == (["AF_UNIX"], ["yes"])
    assert setup["PrivateDevices"] == ["yes"]
    for name in ("leftfield-relay.service", "leftfield-watch.service"):
        assert (
            f"-{LOCK.parent}" in _settings(name)["InaccessiblePaths"]
        )  # nobody with a network can reach the lock


def test_sense_counts_each_start() -> None:
    """The epoch grows before every start of SENSE: it is required, comes before, and does not stay active."""
    sense, epoch = _settings("leftfield-sense.service"), _settings("leftfield-epoch.service")
    assert "leftfield-epoch.service" in sense["Requires"]
    assert "leftfield-epoch.service" in sense["After"]
    assert epoch["Type"] == ["oneshot"]
    assert "RemainAfterExit" not in epoch
    assert epoch["ReadWritePaths"] == [str(UnitHome(directory=CONFIG_DIRECTORY).credentials)]


def test_relay_has_no_device_and_no_signing_key() -> None:
    """RELAY reads the pipe, keeps its spool and knows its TLS key; the signing key is out of its sight."""
    found = _settings("leftfield-relay.service")
    assert found["LoadCredential"] == [f"tls.key:{UnitHome(directory=CONFIG_DIRECTORY).link}/tls.key"]
    assert f"-{UnitHome(directory=CONFIG_DIRECTORY).credentials}" in found["InaccessiblePaths"]
    assert found["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in found
    kept = [str((STATE_DIRECTORY / name).relative_to("/var/lib")) for name in ("spool", "prior", "orders")]
    assert found["StateDirectory"] == kept
    assert "any" in found["IPAddressDeny"]


def test_the_prior_goes_from_relay_to_sense_as_a_copy(tmp_path: Path) -> None:
    """SENSE gets, as it starts, a copy of the file that RELAY keeps by default; until there is one, the word none."""
    path = tmp_path / "unit.toml"
    path.write_text(
        '[unit]\nbooth = "b"\nunit = "north"\n[camera]\nsource = "picamera2"\n'
        '[broker]\nhost = "h"\nca = "c"\ncertificate = "c"\nkey = "k"\n',
        "utf-8",
    )
    found = _settings("leftfield-sense.service")
    assert f"{CREDENTIAL}:{unit_config(path).prior}" in found["LoadCredential"]
    assert f"{CREDENTIAL}:none" in found["SetCredential"]


def test_the_cameras_matrix_comes_to_sense_as_a_copy() -> None:
    """SENSE gets a copy of the file that ``card read`` writes by default; until there is one, the word none."""
    found = _settings("leftfield-sense.service")
    assert f"{colour_matrix.CREDENTIAL}:{MATRIX_PATH}" in found["LoadCredential"]
    assert f"{colour_matrix.CREDENTIAL}:none" in found["SetCredential"]


def test_watch_reaches_this_machine_only() -> None:
    """WATCH talks to localhost, keeps one database, and cannot see any unit's secret nor the authority's key."""
    found = _settings("leftfield-watch.service")
    assert (found["IPAddressDeny"], found["IPAddressAllow"]) == (["any"], ["localhost"])
    assert found["StateDirectory"] == ["leftfield/hub"]
    for secret in ("credentials", "link", "authority"):
        assert f"-{CONFIG_DIRECTORY}/{secret}" in found["InaccessiblePaths"]


def test_the_pipe_goes_one_way() -> None:
    """SENSE may only write the pipe, RELAY owns the read end, and nobody else may do either."""
    found = _settings("leftfield-pipe.socket")
    assert found["ListenFIFO"] == [str(PIPE_PATH)]
    assert found["SocketMode"] == ["0620"]
    assert found["SocketUser"] == _settings("leftfield-relay.service")["User"]
    assert found["SocketGroup"] == _settings("leftfield-sense.service")["Group"]
    assert found["Service"] == ["leftfield-relay.service"]


def test_broker_settings_and_drop_in_agree() -> None:
    """The keys the drop-in hands over are where the written settings look for them."""
    booth = BoothDirectory(
        directory=CONFIG_DIRECTORY,
        booth=BoothId("b"),
        hosts=(),
        listeners=Listeners(ws_port=9001),
        system=True,
    )
    written = settings(booth.listeners, BrokerPlaces.system(booth.broker_directory))
    found = _settings(BROKER_DROP_IN)
    assert found["ExecStart"] == ["/usr/sbin/mosquitto", "-c", str(booth.broker_config)]
    for credential in found["LoadCredential"]:
        name, _, path = credential.partition(":")
        assert f"keyfile /run/credentials/mosquitto.service/{name}\n" in written
        assert path == str(booth.broker_directory / name)
    assert written.count("keyfile ") == len(found["LoadCredential"])
    watch = _settings("leftfield-watch.service")["LoadCredential"]
    assert watch == [
        f"{booth.hub_broker.key.name}:{booth.directory}/hub/tls.key",
        f"prior.key:{booth.prior_key}",
    ]
    assert f"persistence_location /var/lib/{found['StateDirectory'][0]}/" in written


@pytest.mark.parametrize("name", SERVICES)
def test_the_command_line_understands_what_systemd_will_say(name: str) -> None:
    """Each service starts a command that exists, with options that it takes."""
    program, *words = _settings(name)["ExecStart"]
    if program == "/usr/bin/systemctl":  # what a changed file starts: no command of ours
        assert words[0] in {"reload-or-restart", "try-restart"}
        return
    if program == "/bin/sh":  # what a command of ours prints goes to another program
        program, *words = ["/usr/bin/leftfield", *" ".join(words).split(" > ")[0].split()[2:]]
    assert program == "/usr/bin/leftfield"
    said = [
        re.sub(r"\$\{LEFTFIELD_(\w+)\}", lambda known: {"BOOTH": "market"}.get(known[1], "9443"), word)
        for word in words
    ]
    assert callable(cli.parser(said).parse_args(said).run)


def test_the_page_server_is_told_its_booth(tmp_path: Path) -> None:
    """The file of variables that its service reads is written with the booth, in the words of its command line."""
    create_booth(tmp_path, "market", system=True)
    told = dict(line.split("=") for line in (tmp_path / "pages.env").read_text(encoding="ascii").splitlines())
    assert told == {"LEFTFIELD_BOOTH": "market", "LEFTFIELD_WSS_PORT": "9443"}
    found = _settings("leftfield-pages.service")
    assert found["EnvironmentFile"] == [f"{CONFIG_DIRECTORY}/pages.env"]
    assert {word for word in found["ExecStart"] if "LEFTFIELD" in word} == {f"${{{name}}}" for name in told}


def test_every_account_is_made(root: Path) -> None:
    """Each account and group that a unit names is made by sysusers.d, or belongs to the distribution."""
    if not shutil.which("systemd-sysusers"):
        pytest.skip("systemd-sysusers is missing: apt-get install systemd")
    done = subprocess.run(
        ["systemd-sysusers", f"--root={root}", "--dry-run", UNITS / "sysusers.d/leftfield.conf"],
        capture_output=True,
        text=True,
        check=True,
    )
    made = done.stdout + done.stderr
    for name in SERVICES:
        for account in {*_settings(name)["User"], *_settings(name)["SupplementaryGroups"]} - {"root"}:
            assert f"'{account}'" in made


def test_every_service_is_put_in_place(tmp_path: Path) -> None:
    """What a hub and a unit install are together all services there are."""
    for role in ("hub", "unit"):
        subprocess.run(
            ["sh", UNITS.parent / "provisioning/install.sh", role],
            env={**os.environ, "DESTDIR": str(tmp_path)},
            check=True,
            capture_output=True,
        )
    assert {path.name for path in (tmp_path / "etc/systemd/system").glob("*.service")} == set(SERVICES)


def test_whatever_is_plugged_in_later_starts_sense_again() -> None:
    """A camera, a Coral on PCIe and one on USB: a start where SENSE runs, whose closed /dev has room for them."""
    rules = [
        line
        for line in (UNITS / "udev/70-leftfield.rules").read_text("utf-8").splitlines()
        if line[:1] not in {"#", ""}
    ]
    assert [re.findall(r'SUBSYSTEM=="(\w+)"', rule) for rule in rules] == [["video4linux"], ["apex"], ["usb"]]
    for rule in rules:
        assert rule.startswith('ACTION=="add"')
        assert rule.endswith('RUN+="/usr/bin/systemctl --no-block try-restart leftfield-sense.service"')
    sense = (UNITS / "leftfield-sense.service").read_text("utf-8")
    assert "-/dev/video0" in sense
    assert "-/dev/v4l " in sense
    optional = (UNITS / "optional/edge-tpu.conf").read_text("utf-8")
    assert "-/dev/apex_0" in optional
