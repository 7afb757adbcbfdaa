"""A number on the disk, as one record; not synced, and a disk that refuses it is no failure."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.unit.outbox.segment import write_whole
from appliance.unit.pipe.record import RECORD_BYTES, envelope_of, record_of

_MOST_DIGITS: Final = 10
"""A serial that no name of a segment could hold is none."""
_MODE: Final = 0o640


class NumberFile:
    """The number in the file at ``path``; 0 where it holds none or cannot be read.

    OSError where the file can neither be made nor read; one that can only be read is read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.trouble = ""
        """Why it cannot be written to."""
        try:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        except OSError as error:
            self.trouble = error.strerror or "cannot be written to"
            self._descriptor = None
        self.value = self._read()

    def _read(self) -> int:
        descriptor = self._descriptor
        if descriptor is None:
            with suppress(FileNotFoundError):
                descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        if descriptor is None:
            return 0
        number = b""
        for _ in range(2):
            with suppress(OSError):
                number = envelope_of(os.pread(descriptor, RECORD_BYTES, 0)) or b""
                break
        if descriptor != self._descriptor:
            os.close(descriptor)
        return int(number) if number.isdigit() and len(number) <= _MOST_DIGITS else 0

    def put(self, number: int) -> None:
        """Write ``number`` down, where the disk takes it."""
        self.value = number
        with suppress(OSError):
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
            write_whole(self._descriptor, record_of(b"%d" % number), 0)

    def close(self) -> None:
        """Sync and close."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.fdatasync(self._descriptor)
            with suppress(OSError):
                os.close(self._descriptor)
