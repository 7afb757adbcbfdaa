"""The half of process SENSE outside its walls: it starts SENSE, speaks for it, and ends with it.

A process that has seen a frame could say it in an error message, a status or an exit code. So SENSE has none of these
once it is sealed. It has buttons, each a byte of a closed list, and this process says in words which was pressed.

Invariants:
    * Until SENSE is sealed no frame has been looked at; its lines are passed on. From then on they are not read.
    * A button says one fixed sentence, once for each start of SENSE; ``ALIVE`` may be pressed again and again, and is
      passed on to the watchdog on a grid of ``GRID`` seconds.
    * The exit status is one of five, whatever SENSE ended with. Ended here, SENSE is ended too.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from enum import IntEnum, unique
from typing import Final, Protocol

from appliance.base.systemd import Notifier, log
from appliance.unit.sandbox import kernel

GRID: Final = 5.0
"""Seconds between two pings of systemd's watchdog, at the least."""
BACKOFF: Final = 25.0
"""A fault of the program is waited out for so long: less than systemd's watchdog waits (30 s), so that it is said."""
FAULT: Final = 70
"""EX_SOFTWARE of sysexits.h."""
EXITS: Final = frozenset({0, FAULT, 75, 78})
_NOTIFY: Final = "\x01"
"""A line of SENSE that begins so is for systemd; only before the seal."""


@unique
class Button(IntEnum):
    """What SENSE can say once it is sealed, besides its sealed statements; the value is the byte."""

    ALIVE = 1
    SEALED = 2
    ACCELERATOR_LOST = 3
    CAMERA_LOST = 4
    ENDED = 5


_SAID: Final = {
    Button.ACCELERATOR_LOST: (
        4,
        "degraded: the accelerator stopped answering; the models run on the processor",
    ),
    Button.CAMERA_LOST: (3, "the camera went away, or gave no frame for 10 s. Fix: check it and its cable"),
    Button.ENDED: (6, "ended"),
}


class Voice(Protocol):
    """How SENSE speaks of itself: lines and statuses until it is sealed, buttons afterwards."""

    @property
    def buttons(self) -> int | None:
        """The descriptor that buttons are pressed on; None where there is none."""

    def notify(self, *lines: str) -> None:
        """Tell systemd, before the seal (sd_notify(3))."""

    def press(self, button: Button) -> None:
        """Say one word of the closed list."""


class OpenVoice:
    """The voice of a process without walls (``--unboxed``): it says everything itself."""

    buttons: Final = None

    def __init__(self) -> None:
        self._notifier = Notifier()

    def notify(self, *lines: str) -> None:
        """Tell systemd."""
        self._notifier.say(*lines)

    def press(self, button: Button) -> None:
        """The same words as those of the process outside the walls."""
        if button is Button.ALIVE:
            self._notifier.say("WATCHDOG=1")
        elif button is Button.SEALED:
            self._notifier.say("READY=1")
        else:
            level, said = _SAID[button]
            log(f"sense: {said}", level=level)


class InnerVoice:
    """The voice of SENSE behind its walls: lines to whoever listens outside, then bytes."""

    def __init__(self, buttons: int) -> None:
        self.buttons: int = buttons

    def notify(self, *lines: str) -> None:
        """Hand lines over for systemd, before the seal."""
        sys.stderr.write("".join(f"{_NOTIFY}{line}\n" for line in lines))
        sys.stderr.flush()

    def press(self, button: Button) -> None:
        """One byte; where nobody is outside any more this process is about to end."""
        if button is Button.SEALED:
            sys.stderr = _Nowhere()
        try:
            os.write(self.buttons, bytes([button]))
        except OSError:
            os._exit(FAULT)


class _Nowhere:
    """Standard error of a sealed process: the last filter lets nothing through, and nothing need fail for it."""

    def write(self, text: str) -> int:
        """Take it and drop it."""
        return len(text)

    def flush(self) -> None:
        """Nothing is held."""


def guarded(inside: Callable[[Voice], int], stop: threading.Event) -> int:
    """Run ``inside`` in a process of its own, and speak for it; the exit status.

    ``stop`` is set by this process's signals; it ends the other one. Call with one thread, before anything that sees
    pixels is imported.
    """
    listener, complaints = os.pipe()
    reader, buttons = os.pipe()
    child = os.fork()
    if child == 0:
        _be_inside(inside, complaints, buttons, (listener, reader))
    os.close(complaints)
    os.close(buttons)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    outside = _Outside(child, listener, reader)
    return outside.run(stop)


def _be_inside(inside: Callable[[Voice], int], complaints: int, buttons: int, ends: tuple[int, int]) -> None:
    """The forked process, which never returns."""
    code = FAULT
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.environ.pop("NOTIFY_SOCKET", None)
        os.dup2(complaints, 2)
        for end in (*ends, complaints):
            os.close(end)
        code = inside(InnerVoice(buttons))
    finally:
        os._exit(code)


class _Outside:
    """The process outside: two pipes in, journal and watchdog out."""

    def __init__(self, child: int, listener: int, reader: int) -> None:
        self._child = child
        self._listener: int | None = listener
        self._reader: int | None = reader
        self._notifier = Notifier()
        self._rest = b""
        self._sealed = False
        self._alive = False
        self._pinged_at = -GRID
        self._pressed: set[Button] = set()

    def run(self, stop: threading.Event) -> int:
        """Until SENSE has ended; the exit status."""
        asked = False
        while self._listener is not None or self._reader is not None:
            if stop.is_set() and not asked:
                asked = True
                self._notifier.say("STOPPING=1")
                os.kill(self._child, signal.SIGTERM)
            ends = [end for end in (self._listener, self._reader) if end is not None]
            ready, _, _ = select.select(ends, [], [], 0.25)
            if self._listener in ready:
                self._listen()
            if self._reader in ready:
                self._take_buttons()
            self._ping()
        _, status = os.waitpid(self._child, 0)
        return self._ended(os.waitstatus_to_exitcode(status), stop)

    def _listen(self) -> None:
        """Pass lines on; those for systemd as they are."""
        assert self._listener is not None  # noqa: S101 - it was ready
        untrusted = os.read(self._listener, 65536)
        if not untrusted:
            os.close(self._listener)
            self._listener = None
        *lines, self._rest = (self._rest + untrusted).split(b"\n")
        told = [line.decode("utf-8", "replace") for line in lines]
        for line in told:
            if line.startswith(_NOTIFY):
                self._notifier.say(line.removeprefix(_NOTIFY))
            elif line:
                sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def _take_buttons(self) -> None:
        assert self._reader is not None  # noqa: S101 - it was ready
        pressed = os.read(self._reader, 64)
        if not pressed:
            os.close(self._reader)
            self._reader = None
        for byte in pressed:
            try:
                self._take(Button(byte))
            except ValueError:
                log("sense: pressed a button that there is not", level=3)
                os.kill(self._child, signal.SIGKILL)
                return

    def _take(self, button: Button) -> None:
        if button is Button.ALIVE:
            self._alive = True
        elif button not in self._pressed:
            self._pressed.add(button)
            if button is Button.SEALED:
                self._seal()
            else:
                level, said = _SAID[button]
                log(f"sense: {said}", level=level)

    def _seal(self) -> None:
        """What was said before the seal is passed on to its last line; nothing is listened to afterwards."""
        while self._listener is not None and select.select([self._listener], [], [], 0)[0]:
            self._listen()
        if self._listener is not None:
            os.close(self._listener)
            self._listener = None
        self._sealed = True
        self._notifier.say("READY=1")

    def _ping(self) -> None:
        now = time.monotonic()
        if self._alive and now - self._pinged_at >= GRID:
            self._alive, self._pinged_at = False, now
            self._notifier.say("WATCHDOG=1")

    def _ended(self, code: int, stop: threading.Event) -> int:
        """The exit status for what SENSE ended with; a fault is said and waited out."""
        if code in EXITS and code != FAULT:
            return code
        said = "fault of the program"
        if -code == signal.SIGSYS:
            said = "was ended by SIGSYS: it asked the kernel for what is forbidden"
        elif -code == signal.SIGKILL:
            said = "was killed (too much memory, or by somebody)"
        where = " behind the walls; run it on a recording with --unboxed to see where" if self._sealed else ""
        log(f"sense: {said}{where}; ends in {BACKOFF:g} s. Fix: report this line", level=3)
        stop.wait(BACKOFF)
        return FAULT
