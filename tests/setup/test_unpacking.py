"""Taking things out of packages, and the launcher that starts the broker."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from setup import broker, street, system
from setup.apt import take_file, unpack
from setup.places import Places
from setup.voice import SetupError, capture, megabytes

ROOT = Path(__file__).resolve().parents[2]
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no Debian: dpkg-deb is not there")


def deb(folder: Path, name: str, content: bytes) -> Path:
    """Build a real package that holds one file under usr/share/doc."""
    root = folder / "package"
    file = root / "usr" / "share" / "doc" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        "Package: sample\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: a sample\n"
    )
    subprocess.run(
        ["dpkg-deb", "--build", "-Znone", root, folder / "sample.deb"], check=True, capture_output=True
    )
    return folder / "sample.deb"


@needs_dpkg
@pytest.mark.parametrize("packed", [False, True])
def test_the_video_is_taken_out_of_the_package(tmp_path: Path, *, packed: bool) -> None:
    """The one file is copied as it is, or decompressed where the release compresses it."""
    content = b"RIFF" + bytes(range(256))
    package = deb(
        tmp_path, "vtest.avi.gz" if packed else "vtest.avi", gzip.compress(content) if packed else content
    )

    assert take_file(package, "vtest.avi", tmp_path / "street.avi")
    assert (tmp_path / "street.avi").read_bytes() == content


@needs_dpkg
def test_a_package_without_the_video_leaves_no_file(tmp_path: Path) -> None:
    """A release that dropped the sample is told apart from one that has it."""
    assert not take_file(deb(tmp_path, "other.avi", b"x"), "vtest.avi", tmp_path / "street.avi")
    assert not (tmp_path / "street.avi").exists()


@needs_dpkg
def test_a_damaged_package_leaves_nothing_unpacked(tmp_path: Path) -> None:
    """A half-unpacked directory never stands where a whole one is looked for."""
    package = deb(tmp_path, "file", b"x")
    package.write_bytes(package.read_bytes()[:80])

    with pytest.raises(SetupError, match="dpkg"):
        unpack((package,), tmp_path / "broker")
    assert not (tmp_path / "broker").exists()


def test_without_the_video_the_message_says_what_to_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the sample cannot be fetched, a file, a camera and a place are offered in one message."""
    monkeypatch.setenv("PATH", "")
    where = Places(checkout=tmp_path, venv=tmp_path / "v", cache=tmp_path / "c")

    with pytest.raises(SetupError) as refusal:
        street.provide(where)
    for offer in ("SOURCE=/path/to/street.mp4", "SOURCE=0", str(where.street)):
        assert offer in str(refusal.value)


def test_the_launcher_gives_the_broker_its_libraries_wherever_the_cache_lies(tmp_path: Path) -> None:
    """The launcher finds the broker beside itself, so a checkout may be moved, and passes its words on."""
    home = tmp_path / "a cache"
    root = home / "broker"
    (root / "usr/lib/x").mkdir(parents=True)
    (root / "usr/lib/x/libsample.so.1").touch()
    (root / "usr/sbin").mkdir(parents=True)
    program = root / "usr/sbin/mosquitto"
    program.write_text('#!/bin/sh\necho "$LD_LIBRARY_PATH" "$@"\n')
    program.chmod(0o755)
    (home / "bin").mkdir()
    launcher = home / "bin" / "mosquitto"
    launcher.write_text(broker.launcher_of_unpacked(root))
    launcher.chmod(0o755)

    moved = home.rename(tmp_path / "moved")
    path, *words = capture([str(moved / "bin/mosquitto"), "-c", "x.conf"]).split()

    assert Path(path).resolve() == (moved / "broker/usr/lib/x").resolve()
    assert words == ["-c", "x.conf"]
    assert broker.launched(moved / "bin/mosquitto") == moved / "broker/usr/sbin/mosquitto"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("mosquitto version 2.0.11\n\nmosquitto is an MQTT broker.", (2, 0, 11)),
        ("mosquitto version 1.6.9", (1, 6, 9)),
        ("no such thing", None),
    ],
)
def test_the_brokers_version_is_read_from_its_help(said: str, version: tuple[int, ...] | None) -> None:
    """An old broker, or another program of that name, is recognised."""
    assert broker.reported_version(said) == version


@pytest.mark.broker
def test_the_broker_set_up_here_serves_tcp_and_websockets() -> None:
    """The launcher the tests run with starts a real broker whose two listeners answer."""
    launcher = Path(os.environ.get("LEFTFIELD_MOSQUITTO") or ROOT / ".cache" / "bin" / "mosquitto")
    if not launcher.exists():
        pytest.fail(f"{launcher} is missing: run `make setup`")

    assert broker.trial(launcher) is None


def test_a_broker_that_stops_at_once_is_told_with_its_own_words(tmp_path: Path) -> None:
    """What a broken broker said is what the person reads."""
    launcher = tmp_path / "mosquitto"
    launcher.write_text("#!/bin/sh\necho 'Error: no websockets in this build'\nexit 3\n")
    launcher.chmod(0o755)

    assert "no websockets in this build" in (broker.trial(launcher) or "")


def test_the_system_step_names_only_what_lacks() -> None:
    """A machine that has the programs is not asked for them again."""
    here = system.Need(why="a", programs=(("sh", "bash"),), choices=(("dash",),))
    gone = system.Need(why="b", programs=(("sh",), ("no-such-program-at-all",)), choices=(("nothing",),))

    assert system.lacking((here, gone)) == (gone,)


def test_set_up_refuses_a_purpose_it_does_not_know() -> None:
    """A mistyped purpose is answered with the usage and exit code 2, before anything is done."""
    done = subprocess.run(
        [sys.executable, "-m", "setup", "demmo"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr.startswith("usage:")


def test_sizes_are_said_for_people() -> None:
    """A size is in megabytes, with a decimal where that matters."""
    assert [megabytes(size) for size in (64_000, 1_717_296, 95_715_012)] == ["0.1 MB", "1.7 MB", "96 MB"]
