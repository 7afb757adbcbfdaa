"""The half of process SENSE outside its walls: it starts SENSE, speaks for it, and ends with it.

A process that has seen a frame could say it in an error message, a status or an exit code. So SENSE has none of these
once it is sealed. It has buttons, each a byte of a closed list, and this process says in words which was pressed.

Invariants:
    * Until SENSE is sealed no frame has been looked at; its lines are passed on. From then on they are not read.
    * A button says one fixed sentence, once for each start of SENSE; ``ALIVE`` may be pressed again and again, and is
      passed on to the watchdog on a grid of ``GRID`` seconds.
    * The exit status is one of five, whatever SENSE ended with. Ended here, SENSE is ended too.
    * A SENSE that gives no sign hangs, and is ended. Where the accelerator failed, systemd keeps a mark of it: the
      next SENSE does without it, until it is tried again (``comeback``).
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from appliance.base.systemd import Notifier, log
from appliance.unit.comeback import Comeback
from appliance.unit.sandbox import kernel
from appliance.unit.voice import FAULT, NOTIFY, SAID, Button, InnerVoice, Voice

GRID: Final = 5.0
"""Seconds between two pings of systemd's watchdog, at the least."""
BACKOFF: Final = 25.0
"""A fault of the program is waited out for so long: less than systemd's watchdog waits (30 s), so that it is said."""
HUNG: Final = 22.0
"""A sealed SENSE that gave no sign for so long hangs: less than systemd's watchdog waits, so that it is said."""
_AWAY: Final = 75
"""EX_TEMPFAIL: systemd starts SENSE again."""
EXITS: Final = frozenset({0, FAULT, 75, 78})


def guarded(
    inside: Callable[[Voice], int],
    stop: threading.Event,
    comeback: Comeback = Comeback(),  # noqa: B008 - frozen
) -> int:
    """Run ``inside`` in a process of its own, and speak for it; the exit status.

    ``comeback`` is what systemd has kept of an accelerator that failed.
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
    outside = _Outside(child, listener, reader, comeback)
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

    def __init__(self, child: int, listener: int, reader: int, comeback: Comeback) -> None:
        self._child = child
        self._comeback = comeback
        self._begun = self._signed_at = time.monotonic()
        self._failed_at = self._begun if comeback.without else None
        self._again = self._hung = False
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
            self._mind(time.monotonic())
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
            if line.startswith(NOTIFY):
                self._notifier.say(line.removeprefix(NOTIFY))
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
            self._signed_at = time.monotonic()
        elif button not in self._pressed:
            self._pressed.add(button)
            if button is Button.SEALED:
                self._seal()
            elif button is not Button.ACCELERATOR_USED:
                self._failed(button)
                level, said = SAID[button]
                log(f"sense: {said}", level=level)

    def _seal(self) -> None:
        """What was said before the seal is passed on to its last line; nothing is listened to afterwards."""
        while self._listener is not None and select.select([self._listener], [], [], 0)[0]:
            self._listen()
        if self._listener is not None:
            os.close(self._listener)
            self._listener = None
        self._sealed, self._signed_at = True, time.monotonic()
        self._notifier.say("READY=1")

    def _failed(self, button: Button) -> None:
        """An accelerator that is lost is tried again later; how often it was lost outlasts that start."""
        if button is Button.ACCELERATOR_LOST and self._failed_at is None:
            self._failed_at = time.monotonic()
            self._keep(self._comeback.failed(self._failed_at - self._begun, without=False))

    def _keep(self, comeback: Comeback) -> None:
        """Have systemd keep this and nothing else for the next start."""
        if self._comeback.failures:
            self._notifier.forget(self._comeback.mark)
        self._comeback = comeback
        self._notifier.keep(comeback.mark)

    def _mind(self, now: float) -> None:
        """End a SENSE that hangs, and one whose accelerator is to be tried again."""
        if self._sealed and not self._hung and now - self._signed_at > HUNG:
            self._hung, where = True, ""
            if Button.ACCELERATOR_USED in self._pressed and self._failed_at is None:
                where = " in its accelerator: the next start does without it"
                self._keep(self._comeback.failed(now - self._begun, without=True))
            log(f"sense: hangs{where}; it is ended and started again", level=3)
            os.kill(self._child, signal.SIGKILL)
        elif not self._again and self._failed_at is not None and now - self._failed_at > self._comeback.wait:
            self._again = True
            log("sense: ends to try the accelerator again", level=5)
            self._keep(self._comeback.again())
            os.kill(self._child, signal.SIGTERM)

    def _ping(self) -> None:
        now = time.monotonic()
        if self._alive and now - self._pinged_at >= GRID:
            self._alive, self._pinged_at = False, now
            self._notifier.say("WATCHDOG=1")

    def _ended(self, code: int, stop: threading.Event) -> int:
        """The exit status for what SENSE ended with; a fault is said and waited out."""
        if self._hung or (self._again and code == 0):
            return _AWAY
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
