"""Whether the library's network thread lives: without it a link is dead, and nothing else would show it.

Invariants:
    * A thread that ended is dead at once; one that hangs, when it has done nothing that it does every few seconds.
    * ``beat`` is called from the library's callbacks: it only notes a time.
"""

from __future__ import annotations

import threading
import time
from typing import Final

SILENT_SECONDS: Final = 180.0
"""A thread that neither pings the broker (every 15 s) nor tries to reach it for so long hangs. Between two tries it
waits for a minute at most, and a name server may take another."""


class Pulse:
    """The pulse of one network thread."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._beat_at = 0.0

    def started(self, before: set[threading.Thread]) -> None:
        """The thread was started just now; ``before`` are those that ran before it."""
        self._beat_at = time.monotonic()
        self._thread = next((one for one in threading.enumerate() if one not in before), None)

    def beat(self) -> None:
        """Something of the library's was called: by the network thread it is a sign of life."""
        if self._thread is not None and threading.get_ident() == self._thread.ident:
            self._beat_at = time.monotonic()

    def lives(self, now: float) -> bool:
        """Whether it does at ``now`` (monotonic seconds); True before it was started."""
        if self._thread is None:
            return True
        return self._thread.is_alive() and now - self._beat_at < SILENT_SECONDS
