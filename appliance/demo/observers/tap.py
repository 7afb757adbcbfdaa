"""The demo listens at the pipe: what SENSE says passes through the supervisor on its way to RELAY, and is shown.

Invariants:
    * What comes in goes out, in order, byte for byte; a slow RELAY makes it wait here, never SENSE fail.
    * A real unit has no such place: there the pipe leads from SENSE to RELAY, and what was sent is erased.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from appliance.unit.pipe.record import RECORD_BYTES

_MOST_WAITING: Final = 4096 * RECORD_BYTES
"""Bytes held back at most; beyond that nothing is read, and it waits in the pipe."""


class Tap:
    """Carries records from one FIFO to another; holds both open, as systemd does for services that restart."""

    def __init__(self, source: Path, sink: Path) -> None:
        self._source = os.open(source, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._sink = os.open(sink, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._waiting = b""

    def turn(self) -> tuple[bytes, ...]:
        """Carry what can be carried now; the untrusted records that were new."""
        fresh = b""
        while len(self._waiting) + len(fresh) < _MOST_WAITING:
            try:
                fresh += os.read(self._source, 64 * RECORD_BYTES)
            except BlockingIOError:
                break
        self._waiting += fresh
        while self._waiting:
            try:
                written = os.write(self._sink, self._waiting[: 16 * RECORD_BYTES])
            except BlockingIOError:
                break
            self._waiting = self._waiting[written:]
        return tuple(fresh[at : at + RECORD_BYTES] for at in range(0, len(fresh), RECORD_BYTES))

    def close(self) -> None:
        """Let both go."""
        os.close(self._source)
        os.close(self._sink)
