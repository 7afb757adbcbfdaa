"""The commands of booth and unit: each prints what the next one needs, and says whose fault it is."""

from __future__ import annotations

import errno
import json
import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance import cli
from appliance.base import landlock
from appliance.base.errors import Unfit
from appliance.enrol import start
from appliance.protocol import sign
from appliance.protocol.values import UnitId
from appliance.settings import config

NORTH = UnitId("corner-north")


def run(*words: str) -> int:
    return cli.main(words)


def test_hours_and_language_are_set_when_the_booth_is_created(tmp_path: Path) -> None:
    """What ``booth create`` is told of hours and language is in the hub's configuration; else its defaults hold."""
    chosen, plain = tmp_path / "chosen", tmp_path / "plain"
    words = ("--opens", "9:30", "--closes", "18:00", "--language", "fr")
    assert run("booth", "create", "corner", *words, "--directory", str(chosen)) == 0
    assert run("booth", "create", "corner", "--directory", str(plain)) == 0
    hub = config.hub_config(chosen / "hub.toml")
    assert (hub.pacing.opens, hub.pacing.closes, hub.language) == (34_200.0, 64_800.0, "fr")
    hub = config.hub_config(plain / "hub.toml")
    assert (hub.pacing.opens, hub.pacing.closes, hub.language) == (None, None, "en")


@pytest.mark.parametrize(
    "words",
    [("--opens", "9:00"), ("--closes", "18:00"), ("--opens", "18:00", "--closes", "9:00")],
)
def test_hours_that_cannot_be_make_no_booth(
    tmp_path: Path, words: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """Hours of which one is missing, or that end before they begin, are said so before anything is made."""
    assert run("booth", "create", "corner", *words, "--directory", str(tmp_path / "booth")) == Unfit.exit_code
    assert "--opens 10:00 --closes 18:30" in capfd.readouterr().err
    assert not (tmp_path / "booth").exists()


def test_the_commands_lead_from_nothing_to_an_enrolled_unit(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Create, request, accept, finish, tablet, epoch, revoke: each prints what the next one needs."""
    booth, unit = ("--directory", str(tmp_path / "booth")), ("--directory", str(tmp_path / "unit"))
    assert run("booth", "create", "corner", "--host", "booth.local", *booth) == 0
    assert config.hub_config(tmp_path / "booth/hub.toml").booth == "corner"
    capfdbinary.readouterr()
    for words, letter in (
        (("enrol", "request", NORTH, "--booth", "corner", *unit), "request.json"),
        (("enrol", "accept", str(tmp_path / "request.json"), "--place", "north", *booth), "answer.json"),
    ):
        assert run(*words) == 0
        (tmp_path / letter).write_bytes(capfdbinary.readouterr().out)
    answer = str(tmp_path / "answer.json")
    assert run("enrol", "finish", answer, "--source", "/dev/video0", "--systemd", *unit) == 0
    written = config.unit_config(tmp_path / "unit/unit.toml")
    assert (written.broker.host, written.broker.port) == ("booth.local", 8883)
    assert str(written.broker.key) == "/run/credentials/leftfield-relay.service/tls.key"
    signing_key = (tmp_path / "unit/credentials/signing.key").read_bytes()
    assert written.public_key == sign.public_key_of(signing_key)
    assert written.walls in {"required", "every"}  # as this kernel is
    assert run("enrol", "finish", answer, "--source", "/dev/video0", "--walls", "every", *unit) == 0
    assert config.unit_config(tmp_path / "unit/unit.toml").walls == "every"
    capfdbinary.readouterr()
    assert run("booth", "tablet", "tablet-1", "--json", *booth) == 0
    assert len(json.loads(capfdbinary.readouterr().out)["password"]) == 24
    assert cli.main(["epoch", "--json", *unit]) == 0
    assert json.loads(capfdbinary.readouterr().out) == {"epoch": 1}
    assert run("booth", "revoke", NORTH, *booth) == 78  # nobody is there to be asked
    assert run("booth", "revoke", NORTH, "--yes", *booth) == 0
    capfdbinary.readouterr()
    assert run("booth", "show", "--json", *booth) == 0
    assert json.loads(capfdbinary.readouterr().out)["units"][0]["revoked"] is True
    assert run("booth", "tablet", "tablet-1", "--remove", "--yes", *booth) == 0
    assert config.register(tmp_path / "booth/register.toml").tablets == ()


def test_exit_codes_say_whose_fault_it_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """65 for a refused request, 78 for a wrong set-up; the message says how to fix it."""
    booth = ("--directory", str(tmp_path / "booth"))
    assert run("booth", "show", *booth) == 78
    assert "leftfield booth create" in capfd.readouterr().err
    assert run("booth", "create", "corner", *booth) == 0
    (tmp_path / "request.json").write_bytes(b"{}")
    assert run("enrol", "accept", str(tmp_path / "request.json"), "--place", "north", *booth) == 65
    assert "refused R13" in capfd.readouterr().err
    assert run("enrol", "finish", "nowhere", "--source", "rtsp://camera", *booth) == 78
    assert "network camera" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("given", "written", "doubt"),
    [
        ("97", "/dev/video97", "there is no camera /dev/video97"),
        ("/nowhere/street.avi", "/nowhere/street.avi", "there is no video /nowhere/street.avi"),
        (__file__, __file__, ""),
        ("picamera2", "picamera2", ""),
    ],
)
def test_a_source_that_is_not_there_is_doubted(given: str, written: str, doubt: str) -> None:
    """A number is a camera as in the demo; a camera or file that is not there is kept, and said."""
    source, said = start.source_of(given)
    assert source == written
    assert said.startswith(doubt)
    assert bool(said) == bool(doubt)


def test_finish_prints_what_starts_the_unit(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Where systemd is not asked for, the commands printed make pipe and epoch, and RELAY starts with them."""
    booth, unit = ("--directory", str(tmp_path / "booth")), ("--directory", str(tmp_path / "a unit"))
    assert run("booth", "create", "corner", "--host", "booth.local", *booth) == 0
    capfdbinary.readouterr()
    assert run("enrol", "request", NORTH, "--booth", "corner", *unit) == 0
    (tmp_path / "request").write_bytes(capfdbinary.readouterr().out)
    assert run("enrol", "accept", str(tmp_path / "request"), "--place", "north", *booth) == 0
    (tmp_path / "answer").write_bytes(capfdbinary.readouterr().out)
    assert run("enrol", "finish", str(tmp_path / "answer"), "--source", "0", *unit) == 0
    lines = capfdbinary.readouterr().err.decode().split("now start it:\n")[1].splitlines()
    home = tmp_path / "a unit"
    assert shlex.split(lines[1]) == ["leftfield", "relay", "--config", str(home / "unit.toml"), "&"]
    assert f"CREDENTIALS_DIRECTORY={home / 'credentials'}" in shlex.split(lines[2])
    subprocess.run(["/bin/sh", "-c", lines[0]], check=True)
    written = config.unit_config(home / "unit.toml")
    assert written.pipe.is_fifo()
    assert written.spool == home / "spool"
    assert written.camera.source == "/dev/video0"


@pytest.mark.parametrize(
    "words", [("booth", "create"), ("booth", "tablet"), ("enrol", "request"), ("enrol", "accept")]
)
def test_help_has_an_example(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command's help shows one example and the exit codes."""
    with pytest.raises(SystemExit) as end:
        run(*words, "--help")
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert "example:\n  leftfield " in text
    assert "exit codes (sysexits.h): " in text


def test_every_wall_is_asked_for_where_the_kernel_has_landlock(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which walls a new unit requires goes by the kernel's own answer to Landlock's call, whatever is mounted."""
    monkeypatch.setattr(start.os, "uname", lambda: SimpleNamespace(release="6.12.1-rpi"))
    monkeypatch.setattr(landlock, "version", lambda: 1)
    assert start.walls_of_this_kernel() == "every"

    def switched_off() -> int:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(landlock, "version", switched_off)
    assert start.walls_of_this_kernel() == "required"
    assert "lacks Landlock:" in capsys.readouterr().err


def test_the_kernel_says_whether_it_has_landlock() -> None:
    """The call gives a version from 1, or says that there is none (ENOSYS) or that it is off (EOPNOTSUPP)."""
    try:
        answer = landlock.version()
    except OSError as refusal:
        answer = -(refusal.errno or 0)
    assert answer >= 1 or answer in {-errno.ENOSYS, -errno.EOPNOTSUPP}
