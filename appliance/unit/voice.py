"""How SENSE speaks of itself: lines until it is sealed, then buttons of a closed list.

Invariants:
    * After the seal a press is one byte, and its words stand here.
"""

from __future__ import annotations

import os
import sys
from enum import IntEnum, unique
from typing import Final, Protocol

from appliance.base.systemd import Notifier, log

NOTIFY: Final = "\x01"
"""A line of SENSE that begins so is for systemd; only before the seal."""
FAULT: Final = 70
"""EX_SOFTWARE of sysexits.h."""


@unique
class Button(IntEnum):
    """What SENSE can say once it is sealed, besides its sealed statements; the value is the byte."""

    ALIVE = 1
    SEALED = 2
    ACCELERATOR_LOST = 3
    CAMERA_LOST = 4
    ENDED = 5
    ACCELERATOR_USED = 6


SAID: Final = {
    Button.ACCELERATOR_LOST: (
        4,
        "degraded: the accelerator does not answer; the models run on the processor until it is tried again",
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
        elif button in SAID:
            level, said = SAID[button]
            log(f"sense: {said}", level=level)


class InnerVoice:
    """The voice of SENSE behind its walls: lines to whoever listens outside, then bytes."""

    def __init__(self, buttons: int) -> None:
        self.buttons: int = buttons

    def notify(self, *lines: str) -> None:
        """Hand lines over for systemd, before the seal."""
        sys.stderr.write("".join(f"{NOTIFY}{line}\n" for line in lines))
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
