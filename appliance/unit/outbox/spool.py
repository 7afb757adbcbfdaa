"""The unit's durable, bounded outbox: what crossed the pipe waits here until the broker has it.

Invariants:
    * What is in a segment survives a power cut, and leaves only by ``settle`` or by the drop policy.
    * First in, first out. When the outbox is full its oldest segment is dropped, counted and logged.
    * A broken disk never raises: records wait in memory (bounded), ``trouble`` says why, and they move to the disk
      as soon as it takes them.
    * Damage to a segment costs the damaged records only; the damaged ones are kept to look at for a week, in a file
      ``damaged-…``.
    * What was settled is overwritten with zeros: a stolen unit's outbox tells what still waits, and what was handed
      over in the last minute or two (``outbound``), not what was seen.

The file ``settled`` holds the serial number below which nothing need be sent again; it is not synced, because an old
number only means that something is sent twice. The records are in segments (``segment``), a form chosen by
measurement (tests/bench/bench_spool.py) against one file per record and against SQLite.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.base.systemd import log
from appliance.unit.outbox.segment import EMPTY, NAME, SEGMENT_RECORDS, Segment
from appliance.unit.pipe.record import RECORD_BYTES, envelope_of, record_of

LOOSE_LIMIT: Final = 4096
"""Records kept in memory at most while the disk takes none (512 KiB)."""
DAMAGED_LIMIT: Final = 4
"""Damaged segments kept to look at."""
DAMAGED_SECONDS: Final = 7 * 86400.0
"""How long they are kept."""
_TIDY_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One envelope and its serial number in this outbox."""

    serial: int
    envelope: bytes


class Spool:
    """The outbox in ``directory``, of at most ``limit`` records. Unfit where the directory cannot be used.

    ``dropped`` counts records lost to the drop policy or to damage since the outbox was first made; ``trouble`` is
    the reason why the disk takes nothing at the moment, or empty.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._capacity = max(1, min(SEGMENT_RECORDS, limit // 4))
        self._limit = limit
        self._loose: deque[Waiting] = deque()
        self.trouble = ""
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._settled_file = os.open(directory / "settled", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            self._dropped_file = os.open(directory / "dropped", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            self.dropped = _number_in(self._dropped_file)
            self._segments = deque(self._load())
        except OSError as error:
            raise Unfit(
                f"cannot use the spool: {error.strerror}",
                where=str(directory),
                fix="make the directory writable for the relay (see systemd/), or name another as spool.directory",
            ) from None
        self._settled = self._handed = _number_in(self._settled_file)
        if self._segments:
            newest = self._segments[
                -1
            ]  # its erased slots count as used, or their serials would be given out again
            newest.used = max(newest.used, min(self._settled, newest.end) - newest.first)
            self._settled = max(self._segments[0].first, min(self._settled, newest.next))
            self._handed = self._settled
        self._next = self._segments[-1].next if self._segments else self._settled
        self._remove_settled()
        self._tidied_at = -_TIDY_SECONDS
        self._tidy(time.monotonic())

    def __len__(self) -> int:
        return sum(segment.waiting(self._handed) for segment in self._segments) + sum(
            one.serial >= self._handed for one in self._loose
        )

    def append(self, envelopes: Sequence[bytes]) -> None:
        """Take envelopes (each 1 to ``ENVELOPE_LIMIT`` bytes) in; durable on return unless ``trouble`` says why not.

        One sync serves all of them.
        """
        for envelope in envelopes:
            self._loose.append(Waiting(serial=self._next, envelope=envelope))
            self._next += 1
        self.persist()
        excess = len(self._loose) - LOOSE_LIMIT
        if excess > 0:
            fallen = [self._loose.popleft().serial for _ in range(excess)]
            lost = sum(serial >= self._handed for serial in fallen)
            self._count_dropped(lost, "the disk takes nothing and memory is full")

    def persist(self) -> None:
        """Move what waits in memory to the disk; call now and then, above all while there is ``trouble``."""
        self._tidy(time.monotonic())
        try:
            while self._loose:
                segment = self._open_segment(self._loose[0].serial)
                room = min(len(self._loose), segment.end - segment.next)
                segment.append([record_of(self._loose[at].envelope) for at in range(room)])
                for _ in range(room):
                    self._loose.popleft()
        except OSError as error:
            if not self.trouble:
                log(
                    f"spool: cannot write to disk ({error.strerror}); records wait in memory. "
                    "Fix: free space or replace the card",
                    level=3,
                )
            self.trouble = error.strerror or "unknown disk error"
            return
        if self.trouble:
            log("spool: writing to disk again", level=5)
        self.trouble = ""

    def waiting(self, after: int, most: int) -> tuple[Waiting, ...]:
        """Up to ``most`` of the oldest records with a serial of ``after`` or above, in order.

        What is not yet durable is given too: better sent than lost.
        """
        found: list[Waiting] = []
        for segment in tuple(self._segments):
            start = max(after, self._settled, segment.first)
            count = min(most - len(found), segment.next - start)
            if count <= 0:
                continue
            try:
                records = segment.read(start, count)
            except OSError as error:
                self._quarantine(segment, error.strerror or "cannot be read")
                continue
            for serial, record in enumerate(records, start):
                envelope = envelope_of(record)
                if envelope is not None:
                    found.append(Waiting(serial=serial, envelope=envelope))
        room = most - len(found)
        found.extend([waiting for waiting in self._loose if waiting.serial >= after][:room])
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
        with suppress(OSError):  # an old number only means that something is sent twice
            os.pwrite(self._settled_file, record_of(b"%d" % serial), 0)
        self._remove_settled()

    def close(self) -> None:
        """Sync what is settled and close; nothing is lost without this, only sent twice."""
        with suppress(OSError):
            os.fdatasync(self._settled_file)
        for descriptor in (self._settled_file, self._dropped_file):
            os.close(descriptor)
        for segment in self._segments:
            segment.close()

    def _load(self) -> Iterator[Segment]:
        """The segments on the disk, oldest first; the damaged ones are reported."""
        for leftover in self._directory.glob("*.making"):
            leftover.unlink()
        end = 0
        for path in sorted(self._directory.glob("from-*.spool")):
            name = NAME.fullmatch(path.name)
            if not name or int(name[1]) < end or int(name[2]) < int(name[1]):
                log(f"spool: {path} is not a segment of this spool; left alone", level=4)
                continue
            segment = Segment(path, int(name[1]), int(name[2]) + 1)
            end = segment.next
            if segment.damage:
                self._keep_damaged(segment)
                self._count_dropped(
                    len(segment.damage), f"{path.name} is damaged; its other records are sent"
                )
            yield segment

    def _open_segment(self, serial: int) -> Segment:
        """The segment that takes the record ``serial`` next, made where there is none; OSError where it cannot be."""
        if self._segments and self._segments[-1].next == serial < self._segments[-1].end:
            return self._segments[-1]
        fresh = Segment.create(self._directory, serial, self._capacity)
        self._segments.append(fresh)
        while len(self._segments) > 1 and sum(s.end - s.first for s in self._segments) > self._limit:
            oldest = self._segments.popleft()
            self._count_dropped(oldest.waiting(self._handed), "the outbox is full: the oldest are dropped")
            self._settled = max(self._settled, oldest.next)
            self._handed = max(self._handed, self._settled)
            oldest.remove()
        return fresh

    def _remove_settled(self) -> None:
        while self._segments and self._segments[0].end <= self._settled:
            self._segments.popleft().remove()
        # A segment that was left half full because of trouble will never reach its end.
        while len(self._segments) > 1 and self._segments[0].next <= self._settled:
            self._segments.popleft().remove()
        if self._segments:
            self._segments[0].erase(self._settled)

    def _quarantine(self, segment: Segment, why: str) -> None:
        """Take a segment that cannot be read out of the way; the others go on."""
        self._segments.remove(segment)
        self._count_dropped(segment.waiting(self._handed), f"{segment.path.name}: {why}")
        segment.remove()

    def _keep_damaged(self, segment: Segment) -> None:
        """Keep the damaged records of a segment to look at, and none of the others."""
        kept = self._directory / f"damaged-{segment.path.name}"
        if len(list(self._directory.glob("damaged-*"))) >= DAMAGED_LIMIT:
            return
        slots = segment.read(segment.first, segment.end - segment.first)
        with suppress(OSError):
            kept.write_bytes(
                b"".join(
                    record if segment.first + slot in segment.damage else EMPTY
                    for slot, record in enumerate(slots)
                )
            )

    def _tidy(self, now: float) -> None:
        """Remove, now and then, what was kept to look at for long enough. ``now`` is monotonic."""
        if now - self._tidied_at < _TIDY_SECONDS:
            return
        self._tidied_at = now
        for kept in self._directory.glob("damaged-*"):
            with suppress(OSError):
                if time.time() - kept.stat().st_mtime > DAMAGED_SECONDS:
                    kept.unlink()

    def _count_dropped(self, count: int, why: str) -> None:
        if not count:
            return
        self.dropped += count
        log(f"spool: {count} observations lost ({self.dropped} in all): {why}", level=3)
        with suppress(OSError):  # the count is told in the status as well
            os.pwrite(self._dropped_file, record_of(b"%d" % self.dropped), 0)


def _number_in(descriptor: int) -> int:
    """The number that an open file holds as one record; 0 where it holds none."""
    number = envelope_of(os.pread(descriptor, RECORD_BYTES, 0)) or b""
    return int(number) if number.isdigit() else 0
