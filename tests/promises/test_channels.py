"""Promise 1 against a SENSE that was taken over: whatever it tries, an observer outside sees nothing of it."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.promises import channel_child
from tests.promises.channel_child import CHANNELS, DEADLY, SECRET

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
LIBC = ctypes.CDLL(None, use_errno=True)
SEEN = (
    "SigBlk",
    "SigIgn",
    "SigCgt",
    "SigPnd",
    "ShdPnd",
    "Cpus_allowed",
    "VmLck",
    "VmPin",
    "Threads",
    "Name",
    "Umask",
)
"""Lines of /proc/PID/status that anybody may read and that a process might change."""


class Watched:
    """A sealed process that tries one channel, and everything anybody outside could see of it meanwhile."""

    def __init__(self, channel: str) -> None:
        reading, writing = os.pipe()
        self._inotify = LIBC.inotify_init1(os.O_NONBLOCK)
        for path in sorted(Path(os.environ["CHANNEL_FILES"]).iterdir()):
            LIBC.inotify_add_watch(self._inotify, str(path).encode(), 0x20 | 0x1)  # IN_OPEN, IN_ACCESS
        self._process = subprocess.Popen(
            [sys.executable, channel_child.__file__, channel, str(writing)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[writing],
        )  # fmt: skip
        os.close(writing)
        self._outlet = reading
        self.said = os.read(reading, 4096)
        if self.said != b"ready":
            pytest.fail(f"{self.said!r}: {self._process.communicate(timeout=20)[1].decode()[-1000:]}")
        self.before = self._status()
        self.changes: set[str] = set()
        self.cmdlines: set[bytes] = set()
        self._drain()

    def _drain(self) -> int:
        total = 0
        while True:
            try:
                total += len(os.read(self._inotify, 65536))
            except BlockingIOError:
                return total

    def _proc(self, name: str) -> bytes:
        try:
            return Path(f"/proc/{self._process.pid}/{name}").read_bytes()
        except OSError:
            return b""

    def _status(self) -> dict[str, str]:
        lines = self._proc("status").decode(errors="replace").splitlines()
        found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        # Field 19 of /proc/PID/stat is the priority (proc(5)).
        stat = self._proc("stat").rpartition(b")")[2].split()
        return {name: found.get(name, "") for name in SEEN} | {"nice": stat[16].decode() if stat else ""}

    def run(self) -> Watched:
        """Let it try, and watch until it is done."""
        assert self._process.stdin
        self._process.stdin.write(b"g")
        self._process.stdin.flush()
        said = b""
        while not said.endswith(b"done"):
            if select.select([self._outlet], [], [], 0)[0]:
                more = os.read(self._outlet, 4096)
                if not more:
                    break
                said += more
            self.cmdlines |= {self._proc("cmdline"), self._proc("comm")}
            status = self._status()
            self.changes |= {name for name, value in status.items() if value and value != self.before[name]}
        self.said = said
        self.opened = self._drain()
        _, self.complaints = self._process.communicate(timeout=30)
        os.close(self._outlet)
        os.close(self._inotify)
        self.code = self._process.returncode
        return self


@pytest.fixture(autouse=True)
def readable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file for each byte: opened, it says that byte."""
    for number in range(256):
        (tmp_path / str(number)).write_bytes(b"x")
    monkeypatch.setenv("CHANNEL_FILES", str(tmp_path))


@pytest.mark.parametrize("channel", ["arguments", *CHANNELS])
def test_nothing_of_the_secret_is_seen(channel: str) -> None:
    """Its status, command line, name, opens and complaints are the same as if it had kept still."""
    seen = Watched(channel).run()
    assert seen.said == b"done", (seen.said, seen.complaints)
    assert seen.changes == set()
    assert seen.opened == 0
    assert seen.complaints == b""
    assert all(SECRET[:4] not in line for line in seen.cmdlines)
    assert seen.code == 0


@pytest.mark.parametrize("call", DEADLY)
def test_what_only_an_intruder_asks_for_ends_it(call: str) -> None:
    """The kernel ends the process at the call itself."""
    seen = Watched(call).run()
    assert seen.said == b""
    assert seen.code == -signal.SIGSYS


def test_the_search_can_find(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same observer sees a process without the last filter open files, and block signals."""
    monkeypatch.setenv("LOOK_AROUND", "1")
    assert Watched("opens").run().opened > 0
    assert "SigBlk" in Watched("signal mask").run().changes
    assert "Threads" in Watched("threads").run().changes
    assert Watched("complaints").run().complaints != b""
