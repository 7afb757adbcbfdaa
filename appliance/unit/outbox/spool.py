"""The unit's durable, bounded outbox: what crossed the pipe waits here until the broker has it.

Invariants:
    * What is in a segment survives a power cut, and leaves only by ``settle`` or by the drop policy.
    * First in, first out. When the outbox is full its oldest segment is dropped, counted and logged.
    * A broken disk never raises, at the start neither: records wait in memory (bounded), ``trouble`` says why, and
      they move to the disk as soon as it takes them. Only a place that can never be used is ``Unfit``.
    * What cannot be read is set aside and tried again, never erased (``aside``). Damage to a segment costs the
      damaged records only; these are kept to look at for a week, in a file ``damaged-…``.
    * What was settled is overwritten with zeros: a stolen unit's outbox tells what still waits, and what was handed
      over in the last minute or two (``publisher``), not what was seen.

The file ``settled`` holds the serial number below which nothing need be sent again; it is not synced, because an old
number only means that something is sent twice. The records are in segments (``segment``), a form chosen by
measurement (tests/bench/bench_spool.py) against one file per record and against SQLite.
"""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.base.systemd import log
from appliance.unit.outbox.disk import Disk, Waiting

LOOSE_LIMIT: Final = 4096
"""Records kept in memory at most while the disk takes none (512 KiB)."""
RESCUE_SECONDS: Final = 60.0
"""What cannot be read is tried again after this time, then after twice as long, up to ``_TIDY_SECONDS``."""
_TIDY_SECONDS: Final = 3600.0
_NEVER_HERE: Final = frozenset(
    {errno.ENOTDIR, errno.EEXIST, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG}
)
"""What no disk gets over by itself: the place is wrong."""
_UNNUMBERED: Final = -(10**9)
"""First serial while the directory could not be read: below all that may lie in it."""

__all__ = ["LOOSE_LIMIT", "RESCUE_SECONDS", "Spool", "Waiting"]


class Spool:
    """The outbox in ``directory``, of at most ``limit`` records. Unfit where the directory can never be used.

    ``dropped`` counts records lost to the drop policy or to damage since the outbox was first made; ``trouble`` is
    the reason why the disk takes nothing at the moment, or empty. ``renumbered`` counts how often what waits got
    other serials: whoever remembers some forgets them then.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory, self._limit = directory, limit
        self._loose: deque[Waiting] = deque()
        self._disk: Disk | None = None
        self._next = self._settled = self._handed = _UNNUMBERED
        self.trouble = ""
        self.dropped = self.renumbered = 0
        self._tidied_at = -_TIDY_SECONDS
        self._rescued_at, self._rescue_after = -_TIDY_SECONDS, RESCUE_SECONDS
        try:
            self._take_up()
        except OSError as error:
            self._say_trouble(error.strerror or "unknown disk error")
            return
        self.persist()

    def _take_up(self) -> None:
        """Read the directory; OSError where it cannot be read now."""
        try:
            self._disk = disk = Disk(self._directory, self._limit)
        except OSError as error:
            if error.errno not in _NEVER_HERE:
                raise
            raise Unfit(
                f"cannot use the spool: {error.strerror}",
                where=str(self._directory),
                fix="make the directory writable for the relay (see systemd/), or name another as spool.directory",
            ) from None
        self._settled = self._handed = disk.settled
        self._next = disk.next
        memory, self._loose = self._loose, deque()
        self._add([waiting.envelope for waiting in memory])
        self.renumbered += bool(memory)
        self.dropped += disk.dropped
        self._count_dropped(disk.damaged, "damaged on the disk")
        disk.settle(self._settled)

    def __len__(self) -> int:
        on_disk = self._disk.waiting(self._handed) if self._disk else 0
        return on_disk + sum(one.serial >= self._handed for one in self._loose)

    @property
    def next(self) -> int:
        """The serial of the next record."""
        return self._next

    @property
    def loose(self) -> int:
        """How many records are in memory only."""
        return len(self._loose)

    @property
    def aside(self) -> int:
        """How many files hold records that cannot be read at the moment."""
        if self._disk is None:
            return 0
        return len(self._disk.aside) + sum(bool(segment.unread) for segment in self._disk.segments)

    def append(self, envelopes: Sequence[bytes]) -> None:
        """Take envelopes (each 1 to ``ENVELOPE_LIMIT`` bytes) in; durable on return unless ``trouble`` says why not.

        One sync serves all of them.
        """
        self._add(envelopes)
        self.persist()
        excess = len(self._loose) - LOOSE_LIMIT
        if excess > 0:
            fallen = [self._loose.popleft().serial for _ in range(excess)]
            lost = sum(serial >= self._handed for serial in fallen)
            self._count_dropped(lost, "the disk takes nothing and memory is full")

    def _add(self, envelopes: Sequence[bytes]) -> None:
        for envelope in envelopes:
            self._loose.append(Waiting(serial=self._next, envelope=envelope))
            self._next += 1

    def persist(self) -> None:
        """Move what waits in memory to the disk; call now and then, above all while there is ``trouble``."""
        now = time.monotonic()
        try:
            if self._disk is None:
                self._take_up()
            rescued = self._rescue(now)
            self._write_loose()
        except OSError as error:
            self._say_trouble(error.strerror or "unknown disk error")
            return
        disk = self._disk
        if disk is not None:
            if rescued:
                disk.aside.forget()
            if now - self._tidied_at >= _TIDY_SECONDS:
                self._tidied_at = now
                disk.tidy()
        if self.trouble:
            log("spool: writing to disk again", level=5)
        self.trouble = ""

    def _write_loose(self) -> None:
        disk = self._disk
        while self._loose and disk is not None:
            for _ in range(disk.append(self._loose)):
                self._loose.popleft()
            while oldest := disk.excess():
                self._count_dropped(
                    oldest.waiting(self._handed), "the outbox is full: the oldest are dropped"
                )
                disk.remove(oldest)
                self._settled = max(self._settled, oldest.next)
                self._handed = max(self._handed, self._settled)

    def _rescue(self, now: float) -> bool:
        """Take in again what was set aside and can be read now; True where it was tried."""
        disk = self._disk
        if disk is None or not len(disk.aside) or now - self._rescued_at < self._rescue_after:
            return False
        self._rescued_at, self._rescue_after = now, min(2 * self._rescue_after, _TIDY_SECONDS)
        self._count_dropped(disk.aside.excess(), "too many files could not be read: the oldest is removed")
        envelopes = disk.aside.rescue()
        if envelopes:
            log(f"spool: {len(envelopes)} records that could not be read are read now", level=5)
        self._add(envelopes)
        return True

    def _say_trouble(self, why: str) -> None:
        if not self.trouble:
            log(
                f"spool: cannot use the disk ({why}); records wait in memory. Fix: free space or replace the card",
                level=3,
            )
        self.trouble = why

    def newest(self, most: int) -> tuple[bytes, ...]:
        """Up to ``most`` of the newest envelopes that are not settled, in order."""
        return tuple(one.envelope for one in self.waiting(self._next - most, most))

    def waiting(self, after: int, most: int) -> tuple[Waiting, ...]:
        """Up to ``most`` of the oldest records with a serial of ``after`` or above, in order.

        What is not yet durable is given too: better sent than lost.
        """
        found = self._disk.read(max(after, self._settled), most) if self._disk else []
        loose = (waiting for waiting in self._loose if waiting.serial >= after)
        found.extend(islice(loose, most - len(found)))
        return tuple(found)

    def mark_published(self, serial: int) -> None:
        """Everything with a serial below ``serial`` has been taken: it no longer waits, but is not forgotten yet."""
        self._handed = max(self._handed, serial)

    def rewind(self) -> int:
        """Whatever was handed over and not settled waits again, from the serial that is given."""
        self._handed = self._settled
        return self._settled

    def settle(self, serial: int) -> None:
        """Everything with a serial below ``serial`` is where it should be: forget it."""
        if serial <= self._settled:
            return
        self._settled, self._handed = serial, max(self._handed, serial)
        while self._loose and self._loose[0].serial < serial:
            self._loose.popleft()
        if self._disk is not None:
            self._disk.settle(serial)

    def blank(self, serials: Collection[int]) -> None:
        """These are where they should be, though others before them are not: forget them alone."""
        gone = frozenset(serials)
        if not gone:
            return
        self._loose = deque(one for one in self._loose if one.serial not in gone)
        if self._disk is not None:
            self._disk.blank(gone)

    def give_up(self, count: int, why: str) -> None:
        """Count records that are settled although nobody has them."""
        self._count_dropped(count, why)

    def close(self) -> None:
        """Sync what is settled and close; nothing is lost without this, only sent twice."""
        if self._disk is not None:
            self._disk.close()

    def _count_dropped(self, count: int, why: str) -> None:
        if not count:
            return
        self.dropped += count
        log(f"spool: {count} observations lost ({self.dropped} in all): {why}", level=3)
        if self._disk is not None:  # the count is told in the status as well
            self._disk.dropped = self.dropped
