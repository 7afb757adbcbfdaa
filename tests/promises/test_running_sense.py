"""Promise 1, seen from outside: SENSE as the demo really runs it, through the kernel's own account of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.running import PATIENCE, alone, children_of, start, street_video, until

pytestmark = pytest.mark.broker


def _sealed(directory: Path) -> Path | None:
    """The /proc folder of the demo's SENSE, once every thread of it carries the filter."""
    for words, guard in children_of(directory).items():
        if " sense " not in words:
            continue
        inside = Path(f"/proc/{guard}/task/{guard}/children").read_text().split()
        if len(inside) != 1:
            continue
        process = Path("/proc") / inside[0]
        states = [path.read_text() for path in process.glob("task/*/status")]
        if states and all("Seccomp:\t2" in state for state in states):
            return process
    return None


@pytest.fixture(scope="module")
def sense(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The /proc folder of SENSE while it reads the real street video in the demo."""
    directory = tmp_path_factory.mktemp("demo")
    with alone():
        demo = start(directory, "--source", str(street_video()))
        until(demo, lambda: _sealed(directory) is not None, "SENSE did not seal itself")
        process = _sealed(directory)
        assert process is not None
        yield process
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=PATIENCE)


def _status(process: Path) -> dict[str, str]:
    lines = (process / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_the_kernel_says_sense_is_filtered_and_powerless(sense: Path) -> None:
    """Every thread is under seccomp, may gain nothing by exec, and holds no capability, not even one to inherit."""
    status = _status(sense)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    for kind in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, kind


def test_sense_has_no_network_and_no_writable_mount(sense: Path) -> None:
    """Its network holds the loopback and nothing else, and it can see no mount that may be written."""
    devices = (sense / "net" / "dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]
    mounts = (sense / "mountinfo").read_text().splitlines()
    assert mounts
    assert [mount for mount in mounts if "ro" not in mount.split()[5].split(",")] == []


def writable_in(sense: Path) -> dict[int, str]:
    """Open descriptors that can be written, with what they lead to; one closed while it is looked at is not open."""
    writable = {}
    for entry in (sense / "fd").iterdir():
        try:
            lines, target = (sense / "fdinfo" / entry.name).read_text().splitlines(), str(entry.readlink())
        except FileNotFoundError:
            continue
        flags = next(int(line.split()[1], 8) for line in lines if line.startswith("flags"))
        if flags & os.O_ACCMODE != os.O_RDONLY:
            writable[int(entry.name)] = target
    return writable


def test_sense_can_write_to_its_pipe_and_its_complaints_only(sense: Path) -> None:
    """Of its open descriptors only the one pipe, stderr's, the buttons' and event counters can be written."""
    writable = writable_in(sense)
    outlets = {
        number: target for number, target in writable.items() if not target.startswith("anon_inode:[event")
    }
    assert all(Path(target).name == "pipe" or target.startswith("pipe:") for target in outlets.values()), (
        outlets
    )
    assert len(set(outlets.values())) == 3, outlets


def test_sense_can_leave_no_file_and_no_core_behind(sense: Path) -> None:
    """The kernel lets it grow no file and dump no core."""
    limits = {
        line[:26].strip(): line[26:].split()[:2] for line in (sense / "limits").read_text().splitlines()
    }
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
