"""A segment of the outbox: one file of records, of which a power cut costs none that was synced.

A segment is a file of records, filled with zeros when made, so that an append overwrites one page in place: no
change of size or block map, hence no journal write, and a full disk can only show when a segment is made. Its name
tells what it may hold (``from-0000000512-to-0000001023.spool``).

Zeros over what was settled are not synced: the next append syncs the same page anyway, and in a quiet time the
kernel writes them within half a minute; a segment's last page of zeros is synced before its file is removed. (That is
as far as a file system reaches: a flash card may keep old copies of a page where no system call can read them.)

A slot that the disk does not give, asked three times, is *unread*: it is neither given nor overwritten, and its file
is not removed (``aside``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
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
    """One file of the outbox: room for the records with serials ``first`` to ``end`` - 1, ``used`` slots written.

    OSError where it cannot be opened. On a disk that can only be read it is read.
    """

    def __init__(self, path: Path, first: int, end: int, *, made: int | None = None) -> None:
        self.path = path
        self.first = first
        self.end = end
        self._descriptor, self.writable = opened(path) if made is None else (made, True)
        # What was just made need not be read, and a failing read must not shift its slots.
        records = slots(self._descriptor, 0, end - first) if made is None else []
        written = [slot for slot, record in enumerate(records) if record != EMPTY]
        good = {slot for slot in written if envelope_of(records[slot] or b"") is not None}
        self.used = 1 + max(written, default=-1)
        self.unread = {first + slot for slot in written if records[slot] is None}
        self.bad = {first + slot for slot in range(self.used) if slot not in good}
        last_good = first + max(good, default=self.used)
        # A bad slot behind the last record is what a power cut leaves of a write that nobody was promised; an empty
        # one before it was settled and erased.
        self.damage = {
            first + slot: records[slot] or b""
            for slot in written
            if slot not in good and first + slot < last_good and records[slot] is not None
        }
        self._erased = first
        self._dirty = False

    @staticmethod
    def create(directory: Path, first: int, capacity: int) -> Segment:
        """A new, empty segment; OSError where the disk does not take it, and then nothing is left behind."""
        path = directory / f"from-{first:010d}-to-{first + capacity - 1:010d}.spool"
        making = path.with_suffix(".making")
        descriptor = None
        try:
            descriptor = os.open(making, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
            zeros = memoryview(bytes(capacity * RECORD_BYTES))
            while zeros:
                zeros = zeros[os.write(descriptor, zeros) :]
            os.fsync(descriptor)
            os.rename(making, path)  # noqa: PTH104 - beside the other system calls
            atomic_files.sync_directory(directory)
        except OSError:
            if descriptor is not None:
                with suppress(OSError):
                    os.close(descriptor)
            for leftover in (making, path):
                unlinked(leftover)
            raise
        return Segment(path, first, first + capacity, made=descriptor)

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
        write_whole(self._descriptor, b"".join(records), self.used * RECORD_BYTES)
        os.fdatasync(self._descriptor)
        self.used += len(records)
        self._dirty = False

    def read(self, serial: int, count: int) -> list[bytes]:
        """The ``count`` slots from ``serial`` on; what the file does not hold, or is unread, is given as empty."""
        records = slots(self._descriptor, serial - self.first, count)
        missing = {serial + place for place, record in enumerate(records) if record is None}
        self.unread |= missing
        self.bad |= missing
        return [record or EMPTY for record in records]

    def erase(self, serial: int) -> None:
        """Overwrite what lies below ``serial`` with zeros; not synced, and a disk that refuses is no failure."""
        upto = min(serial, self.next)
        if upto <= self._erased:
            return
        with suppress(OSError):
            for start, end in runs(range(self._erased, upto), self.unread):
                write_whole(self._descriptor, bytes((end - start) * RECORD_BYTES), self._place(start))
            self._erased, self._dirty = upto, True

    def blank(self, serials: Collection[int]) -> None:
        """Overwrite these slots of ours with zeros: they no longer wait. A disk that refuses is no failure."""
        ours = range(self.first, self.next)
        inside = {serial for serial in serials if serial in ours} - self.unread
        self.bad |= inside
        with suppress(OSError):
            for start, end in runs(ours, set(ours) - inside):
                write_whole(self._descriptor, bytes((end - start) * RECORD_BYTES), self._place(start))
                self._dirty = True

    def blank_rest(self) -> None:
        """Overwrite what a failed append may have left behind the last record: it is kept elsewhere."""
        with suppress(OSError):
            write_whole(
                self._descriptor, bytes((self.end - self.next) * RECORD_BYTES), self._place(self.next)
            )
            self._dirty = True

    def _place(self, serial: int) -> int:
        return (serial - self.first) * RECORD_BYTES

    def close(self) -> None:
        """Sync what was erased and close; the file stays."""
        with suppress(OSError):
            if self._dirty:
                os.fdatasync(self._descriptor)
        with suppress(OSError):
            os.close(self._descriptor)


def opened(path: Path) -> tuple[int, bool]:
    """A descriptor for a file that is there, and whether it can be written to; OSError."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC), True
    except OSError:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC), False


def slots(descriptor: int, first: int, count: int) -> list[bytes | None]:
    """``count`` slots from number ``first`` on; empty where the file ends before, None where the disk fails.

    Asked for together, twice, then one by one: one bad sector costs no neighbours.
    """
    for _ in range(2):
        with suppress(OSError):
            content = os.pread(descriptor, count * RECORD_BYTES, first * RECORD_BYTES)
            content = content.ljust(count * RECORD_BYTES, b"\0")
            return [content[at : at + RECORD_BYTES] for at in range(0, len(content), RECORD_BYTES)]
    return [_slot(descriptor, number) for number in range(first, first + count)]


def _slot(descriptor: int, number: int) -> bytes | None:
    with suppress(OSError):
        return os.pread(descriptor, RECORD_BYTES, number * RECORD_BYTES).ljust(RECORD_BYTES, b"\0")
    return None


def write_whole(descriptor: int, content: bytes, place: int) -> None:
    """Write all of ``content`` at ``place``; OSError where the disk does not take it."""
    done = 0
    while done < len(content):
        done += os.pwrite(descriptor, content[done:], place + done)


def unlinked(path: Path) -> bool:
    """Remove a file; False where the disk refuses."""
    try:
        os.unlink(path)  # noqa: PTH108 - beside the other system calls
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def runs(serials: range, without: Collection[int]) -> Iterator[tuple[int, int]]:
    """The stretches (start, end) of ``serials`` that hold none of ``without``.

    >>> list(runs(range(3, 9), {5}))
    [(3, 5), (6, 9)]
    """
    start = serials.start
    for hole in sorted(one for one in without if one in serials):
        if hole > start:
            yield start, hole
        start = hole + 1
    if serials.stop > start:
        yield start, serials.stop
