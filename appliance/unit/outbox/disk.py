"""The outbox's directory: its segments in order, and what was set aside or kept to look at.

Invariants:
    * Serials only grow; a file that is not ours, or cannot be read, never has its serials given out again.
    * What the disk refuses to remove is tried again at the next start. Only ``__init__`` and ``append`` raise.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.systemd import log
from appliance.unit.outbox.aside import Aside
from appliance.unit.outbox.number_file import NumberFile
from appliance.unit.outbox.segment import EMPTY, NAME, SEGMENT_RECORDS, Segment, unlinked
from appliance.unit.pipe.record import envelope_of, record_of

DAMAGED_LIMIT: Final = 4
"""Damaged segments kept to look at."""
DAMAGED_SECONDS: Final = 7 * 86400.0
"""How long they are kept."""
_DAMAGED: Final = "damaged-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One envelope and its serial number in this outbox."""

    serial: int
    envelope: bytes


class Disk:
    """The directory of an outbox of at most ``limit`` records. OSError where it cannot be made or listed."""

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._limit = limit
        self._capacity = max(1, min(SEGMENT_RECORDS, limit // 4))
        directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        names = sorted(os.listdir(directory))  # noqa: PTH208 - one system call, told apart from others
        self._settled = NumberFile(directory / "settled")
        self._dropped = NumberFile(directory / "dropped")
        self.aside = Aside(directory, names)
        self.damaged = 0
        """Records that were found damaged when the directory was read."""
        self._floor = 0
        self.segments = deque(self._load(names))
        self.settled, self.next = self._begin()
        self.tidy()

    @property
    def trouble(self) -> str:
        """Why the directory can only be read; empty where it can be written to."""
        return self._settled.trouble

    @property
    def dropped(self) -> int:
        """How many records were dropped since the outbox was made, as far as is known."""
        return self._dropped.value

    @dropped.setter
    def dropped(self, number: int) -> None:
        self._dropped.put(number)

    def _load(self, names: list[str]) -> list[Segment]:
        """The segments, oldest first; damaged ones are reported, those that cannot be opened set aside."""
        found: list[Segment] = []
        for name in names:
            path, form = self._directory / name, NAME.fullmatch(name)
            if name.endswith(".making"):
                unlinked(path)
            if not name.startswith("from-") or not name.endswith(".spool"):
                continue
            if not form or not 0 <= int(form[2]) - int(form[1]) < SEGMENT_RECORDS:
                log(f"spool: {path} is not a segment of this spool; left alone", level=4)
                continue
            if (
                int(form[1]) < self._floor
            ):  # trouble left a segment half full, and its rest could not be emptied
                self.aside.put(path)
                continue
            try:
                segment = Segment(path, int(form[1]), int(form[2]) + 1)
            except OSError as error:
                self._floor = int(form[2]) + 1
                self._put_aside(path, error.strerror or "cannot be opened")
                continue
            self._floor = segment.next
            if segment.damage:
                log(f"spool: {path.name} is damaged; its other records are sent", level=3)
                self.damaged += len(segment.damage)
                self._keep_damaged(segment)
            found.append(segment)
        return found

    def _begin(self) -> tuple[int, int]:
        """The serials of the first record that is not settled, and of the next one."""
        settled = self._settled.value
        if not self.segments:
            return settled, max(settled, self._floor)
        newest = self.segments[
            -1
        ]  # its erased slots count as used, or their serials would be given out again
        newest.used = max(newest.used, min(settled, newest.end) - newest.first)
        settled = max(self.segments[0].first, min(settled, newest.next))
        return settled, max(newest.next, self._floor)

    def waiting(self, handed: int) -> int:
        """How many good records have a serial of ``handed`` or above."""
        return sum(segment.waiting(handed) for segment in self.segments)

    def read(self, after: int, most: int) -> list[Waiting]:
        """Up to ``most`` of the oldest records with a serial of ``after`` or above, in order."""
        found: list[Waiting] = []
        for segment in self.segments:
            start = max(after, segment.first)
            while start < segment.next and len(found) < most:
                count = min(most - len(found), segment.next - start)
                unread = len(segment.unread)
                for serial, record in enumerate(segment.read(start, count), start):
                    envelope = envelope_of(record)
                    if envelope is not None:
                        found.append(Waiting(serial=serial, envelope=envelope))
                if len(segment.unread) > unread:
                    log(
                        f"spool: {segment.path.name}: {len(segment.unread)} records cannot be read; "
                        "set aside, tried again. Fix: replace the card",
                        level=3,
                    )
                start += count
        return found

    def append(self, loose: Sequence[Waiting]) -> int:
        """Make the first of ``loose`` durable, as many as fit one segment; how many. OSError where none were."""
        segment = self._open_segment(loose[0].serial)
        room = min(len(loose), segment.end - segment.next)
        segment.append([record_of(loose[at].envelope) for at in range(room)])
        return room

    def _open_segment(self, serial: int) -> Segment:
        """The segment that takes the record ``serial`` next, made where there is none; OSError where it cannot be."""
        last = self.segments[-1] if self.segments else None
        if last and last.writable and not last.unread and last.next == serial < last.end:
            return last
        if last and not last.used:  # it cannot be written to, and its place is needed
            self.segments.pop().close()
        elif last and last.next < last.end:
            last.blank_rest()
        fresh = Segment.create(self._directory, serial, self._capacity)
        self.segments.append(fresh)
        return fresh

    def excess(self) -> Segment | None:
        """The oldest segment where there is one too many, taken out; ``remove`` it when it is counted."""
        if len(self.segments) > 1 and sum(one.end - one.first for one in self.segments) > self._limit:
            return self.segments.popleft()
        return None

    def settle(self, serial: int) -> None:
        """Forget what lies below ``serial``; what cannot be read there is set aside."""
        self.settled = max(self.settled, serial)
        while self.segments and self._done(self.segments[0]):
            self.remove(self.segments.popleft())
        if self.segments:
            self.segments[0].erase(self.settled)
        holds = [self.aside.holds(), *(min(one.unread, default=None) for one in self.segments)]
        upto = min([self.settled, *(one for one in holds if one is not None)])
        if upto > self._settled.value:  # an old number only means that something is sent twice
            self._settled.put(upto)

    def blank(self, serials: Collection[int]) -> None:
        """Forget these records, whatever still waits before them."""
        least, most = min(serials), max(serials)
        for segment in self.segments:
            if segment.first <= most and least < segment.next:
                segment.blank(serials)

    def _done(self, segment: Segment) -> bool:
        # A segment that was left half full because of trouble will never reach its end.
        closed = len(self.segments) > 1 or bool(segment.unread)
        return segment.end <= self.settled or (closed and segment.next <= self.settled)

    def remove(self, segment: Segment) -> None:
        """Erase, close and delete a segment, or set it aside where some of it could not be read."""
        segment.erase(segment.next)
        segment.close()
        if segment.unread:
            self.aside.put(segment.path)
        else:
            unlinked(segment.path)

    def _put_aside(self, path: Path, why: str) -> None:
        log(
            f"spool: {path.name} cannot be read ({why}); set aside, tried again. Fix: replace the card",
            level=3,
        )
        self.aside.put(path)

    def _keep_damaged(self, segment: Segment) -> None:
        """Keep the damaged records of a segment to look at, and none of the others."""
        kept = self._directory / (_DAMAGED + segment.path.name)
        with suppress(OSError):
            if sum(name.startswith(_DAMAGED) for name in os.listdir(self._directory)) >= DAMAGED_LIMIT:  # noqa: PTH208
                return
            serials = range(segment.first, segment.end)
            kept.write_bytes(b"".join(segment.damage.get(serial, EMPTY) for serial in serials))

    def tidy(self) -> None:
        """Remove what was kept to look at for long enough."""
        with suppress(OSError):
            for name in os.listdir(self._directory):  # noqa: PTH208
                kept = self._directory / name
                if name.startswith(_DAMAGED) and time.time() - kept.stat().st_mtime > DAMAGED_SECONDS:
                    unlinked(kept)

    def close(self) -> None:
        """Sync what is settled and close; nothing is lost without this, only sent twice."""
        for number in (self._settled, self._dropped):
            number.close()
        for segment in self.segments:
            segment.close()
