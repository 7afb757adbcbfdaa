"""The demo's processes: started, listened to, and stopped in order; none is restarted, none is left behind.

Invariants:
    * What a child says on stderr is kept (the last lines), so that its death can be explained; what the broker and
      the libraries say of themselves at every start is not.
    * A child ends when we end, however we end: by SIGTERM in order, or by the kernel when we are killed.
"""

from __future__ import annotations

import ctypes
import os
import re
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit

LINES_KEPT: Final = 12
STOP_SECONDS: Final = 6.0
_CHATTER: Final = re.compile(r"INFO: |[IW]\d{4} |\d+: Warning: Mosquitto should not be run as root")
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    """In the child, before exec: be terminated when the parent vanishes (prctl(2), PR_SET_PDEATHSIG)."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def age() -> float:
    """How long this process has been running already, in seconds (proc_pid_stat(5), field 22)."""
    try:
        fields = Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    return max(0.0, uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK"))


class Child:
    """One running process called ``name``; ``lines`` are the last it said."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._rest = b""
        try:
            self._running = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C is for us; we tell them in order
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl, its library loaded before the fork
            )
        except OSError as error:
            raise Unfit(
                f"cannot start {name}: {error.strerror}", where=arguments[0], fix="run `make setup` again"
            ) from None
        assert self._running.stdout is not None  # noqa: S101 - a pipe was asked for
        self.output = self._running.stdout
        os.set_blocking(self.output.fileno(), False)

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._running.pid

    @property
    def last_words(self) -> str:
        """The last line it said, without whose it is."""
        return self.lines[-1].removeprefix("leftfield: ").removeprefix(f"{self.name}: ") if self.lines else ""

    @property
    def ended(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self._running.poll()

    def listen(self) -> tuple[str, ...]:
        """The whole lines it has said since the last call."""
        while chunk := self.output.read(65536):
            self._rest += chunk
        *whole, self._rest = self._rest.split(b"\n")
        lines = (line.decode("utf-8", "replace").rstrip() for line in whole)
        said = tuple(line for line in lines if line and not _CHATTER.match(line))
        self.lines.extend(said)
        return said

    def stop(self) -> str:
        """End it, politely first; gives a complaint where that was not enough, or an empty text."""
        if self.ended is None:
            self._running.terminate()
        until = time.monotonic() + STOP_SECONDS
        while self.ended is None and time.monotonic() < until:
            self.listen()  # a child must not hang because nobody reads its farewell
            try:
                self._running.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        complaint = ""
        if self.ended is None:
            complaint = f"{self.name} did not stop within {STOP_SECONDS:.0f} s and was killed"
            os.killpg(self.pid, signal.SIGKILL)
            self._running.wait()
        self.listen()
        self.output.close()
        return complaint


class Children:
    """All processes of the demo, in the order they were started."""

    def __init__(self) -> None:
        self._all: list[Child] = []
        self._selector = selectors.DefaultSelector()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start one. Unfit where it cannot be started."""
        child = Child(name, arguments, environment)
        self._all.append(child)
        self._selector.register(child.output, selectors.EVENT_READ, child)
        return child

    def listen(self, *, wait: float) -> list[tuple[str, str]]:
        """(name, line) of everything said; waits up to ``wait`` seconds for the first."""
        said: list[tuple[str, str]] = []
        for key, _ in self._selector.select(wait):
            child: Child = key.data
            lines = child.listen()
            if not lines and child.ended is not None:
                self._selector.unregister(child.output)
            said.extend((child.name, line) for line in lines)
        return said

    def last_words(self, name: str) -> str:
        """The last line that the child called ``name`` said; empty where it said nothing."""
        return next((child.last_words for child in self._all if child.name == name), "")

    def dead(self) -> Child | None:
        """A child that has ended although nobody asked it to, or None."""
        for child in self._all:
            if child.ended is not None:
                child.listen()
                return child
        return None

    def stop(self, order: Sequence[str]) -> list[str]:
        """Stop all, those named in ``order`` first and in that order; gives complaints."""
        ranks = {name: rank for rank, name in enumerate(order)}
        self._all.sort(key=lambda child: ranks.get(child.name, len(ranks)))
        complaints = [child.stop() for child in self._all]
        self._selector.close()
        self._all.clear()
        return [complaint for complaint in complaints if complaint]
