"""Progress of long commands: on standard error, after the first two seconds, in place on a terminal.

Invariants:
    * A command that ends within two seconds says nothing.
    * On a terminal one line is drawn anew four times a second; elsewhere a line is written every five seconds.
    * ``NO_COLOR`` changes nothing here: no colours are used.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

QUIET_SECONDS: Final = 2.0
TERMINAL_SECONDS: Final = 0.25
LINE_SECONDS: Final = 5.0


class Progress:
    """Says how far ``label`` is, of ``total`` steps (0 where nobody knows), to ``out``."""

    def __init__(
        self,
        label: str,
        total: int = 0,
        *,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label, self._total = label, total
        self._out = sys.stderr if out is None else out
        self._terminal = self._out.isatty()
        self._clock = clock
        self._due = clock() + QUIET_SECONDS
        self._drawn = False

    def step(self, done: int) -> None:
        """``done`` steps are done by now."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + (TERMINAL_SECONDS if self._terminal else LINE_SECONDS)
        line = f"{self._label}: {done:,} of {self._total:,}" if self._total else f"{self._label}: {done:,}"
        self._out.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        self._out.flush()
        self._drawn = True

    def end(self) -> None:
        """Remove the line that was drawn in place."""
        if self._drawn and self._terminal:
            self._out.write("\r\x1b[K")
            self._out.flush()
