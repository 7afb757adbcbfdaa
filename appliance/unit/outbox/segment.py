"""A segment of the outbox: one file of records, of which a power cut costs none that was synced.

A segment is a file of records, filled with zeros when made, so that an append overwrites one page in place: no
change of size or block map, hence no journal write, and a full disk can only show when a segment is made. Its name
tells what it may hold (``from-0000000512-to-0000001023.spool``).

Zeros over what was settled are not synced: the next append syncs the same page anyway, and in a quiet time the
kernel writes them within half a minute; a segment's last page of zeros is synced before its file is removed. (That is
as far as a file system reaches: a flash card may keep old copies of a page where no system call can read them.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.unit.pipe.record import RECORD_BYTES, envelope_of

SEGMENT_RECORDS: Final = 512
"""Records in a segment: 64 KiB, sixteen pages."""
NAME: Final = re.compile(r"from-(\d{10})-to-(\d{10})\.spool")
EMPTY: Final = bytes(RECORD_BYTES)


class Segment:
    """One file of the outbox: room for the records with serials ``first`` to ``end`` - 1, ``used`` slots written."""

    def __init__(self, path: Path, first: int, end: int) -> None:
        self.path = path
        self.first = first
        self.end = end
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        records = self.read(first, end - first)
        written = [slot for slot, record in enumerate(records) if record != EMPTY]
        good = {slot for slot in written if envelope_of(records[slot]) is not None}
        self.used = 1 + max(written, default=-1)
        self.bad = frozenset(first + slot for slot in range(self.used) if slot not in good)
        last_good = first + max(good, default=self.used)
        # A bad slot behind the last record is what a power cut leaves of a write that nobody was promised; an empty
        # one before it was settled and erased.
        self.damage = frozenset(
            first + slot for slot in written if slot not in good and first + slot < last_good
        )
        self._erased = first
        self._dirty = False

    @staticmethod
    def create(directory: Path, first: int, capacity: int) -> Segment:
        """A new, empty segment; OSError where the disk does not take it, and then nothing is left behind."""
        path = directory / f"from-{first:010d}-to-{first + capacity - 1:010d}.spool"
        making = path.with_suffix(".making")
        try:
            with making.open("wb") as file:
                file.write(bytes(capacity * RECORD_BYTES))
                file.flush()
                os.fsync(file.fileno())
            making.rename(path)
            atomic_files.sync_directory(directory)
            return Segment(path, first, first + capacity)
        except OSError:
            for leftover in (making, path):
                leftover.unlink(missing_ok=True)
            raise

    @property
    def next(self) -> int:
        """The serial of the next record."""
        return self.first + self.used

    def waiting(self, settled: int) -> int:
        """How many good records have a serial of ``settled`` or above."""
        start = max(settled, self.first)
        return max(self.next - start, 0) - sum(serial >= start for serial in self.bad)

    def append(self, records: Sequence[bytes]) -> None:
        """Write behind what is there (the caller knows that it fits) and sync; OSError where it did not."""
        content = b"".join(records)
        if os.pwrite(self._descriptor, content, self.used * RECORD_BYTES) != len(content):
            raise OSError(5, "short write", str(self.path))
        os.fdatasync(self._descriptor)
        self.used += len(records)
        self._dirty = False

    def read(self, serial: int, count: int) -> list[bytes]:
        """The ``count`` slots from ``serial`` on; what the file does not hold is read as empty."""
        at = (serial - self.first) * RECORD_BYTES
        content = os.pread(self._descriptor, count * RECORD_BYTES, at).ljust(count * RECORD_BYTES, b"\0")
        return [content[at : at + RECORD_BYTES] for at in range(0, len(content), RECORD_BYTES)]

    def erase(self, serial: int) -> None:
        """Overwrite what lies below ``serial`` with zeros; not synced, and a disk that refuses is no failure."""
        upto = min(serial, self.next)
        if upto <= self._erased:
            return
        zeros = bytes((upto - self._erased) * RECORD_BYTES)
        with suppress(OSError):
            os.pwrite(self._descriptor, zeros, (self._erased - self.first) * RECORD_BYTES)
            self._erased, self._dirty = upto, True

    def remove(self) -> None:
        """Erase, close and delete."""
        self.erase(self.next)
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Sync what was erased and close; the file stays."""
        if self._dirty:
            with suppress(OSError):
                os.fdatasync(self._descriptor)
        os.close(self._descriptor)
