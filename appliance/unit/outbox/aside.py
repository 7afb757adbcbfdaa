"""What the outbox could not read is set aside, never erased: tried again, and sent as soon as the disk gives it.

Invariants:
    * A file set aside is removed when every slot of it was read and is safe elsewhere, or when more than
      ``ASIDE_LIMIT`` lie there; then the oldest goes, and that is counted.
    * Nothing raises; what the disk refuses is tried again later.
    * A record is given at most once while RELAY runs. After a restart one may be given again: the hub knows it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.unit.outbox.segment import EMPTY, NAME, opened, slots, unlinked, write_whole
from appliance.unit.pipe.record import RECORD_BYTES, envelope_of

PREFIX: Final = "aside-"
ASIDE_LIMIT: Final = 64
"""Files set aside at most (4 MiB)."""


@dataclass(slots=True)
class _File:
    """One file: what was given of it, and whether all could be read."""

    path: Path
    given: set[int] = field(default_factory=set)
    whole: bool = False


class Aside:
    """The files set aside in ``directory``; ``names`` are all names in it."""

    def __init__(self, directory: Path, names: Iterable[str] = ()) -> None:
        self._directory = directory
        self._files = [_File(directory / name) for name in sorted(names) if name.startswith(PREFIX)]
        self._untaken: list[Path] = []
        """To be set aside as soon as the disk lets us rename."""

    def __len__(self) -> int:
        return len(self._files) + len(self._untaken)

    def put(self, path: Path) -> bool:
        """Set the segment's file at ``path`` aside; False where the disk refuses: it is tried again."""
        try:
            os.rename(path, aside := self._directory / (PREFIX + path.name))  # noqa: PTH104 - a system call
        except OSError:
            if path not in self._untaken:
                self._untaken.append(path)
            return False
        self._files.append(_File(aside))
        return True

    def holds(self) -> int | None:
        """The lowest serial in files that keep their old name; None where there are none."""
        firsts = [int(name[1]) for path in self._untaken if (name := NAME.fullmatch(path.name))]
        return min(firsts, default=None)

    def excess(self) -> int:
        """Remove what is beyond the limit, the oldest first; how many records that may have been."""
        lost = 0
        while len(self._files) > ASIDE_LIMIT:
            oldest = self._files.pop(0)
            name = NAME.fullmatch(oldest.path.name.removeprefix(PREFIX))
            lost += int(name[2]) - int(name[1]) + 1 - len(oldest.given) if name else 1
            unlinked(oldest.path)
        return lost

    def rescue(self) -> list[bytes]:
        """The envelopes that can be read now and were not given yet; ``forget`` them when they are safe."""
        for path in tuple(self._untaken):
            self._untaken.remove(path)
            self.put(path)
        return [envelope for file in self._files for envelope in _readable(file)]

    def forget(self) -> None:
        """What was given is safe elsewhere: erase it here, and remove what is done with."""
        for file in tuple(self._files):
            with suppress(OSError):
                _erase(file)
            if file.whole and unlinked(file.path):
                self._files.remove(file)


def _readable(file: _File) -> list[bytes]:
    try:
        descriptor, _ = opened(file.path)
    except OSError:
        return []
    try:
        size = os.fstat(descriptor).st_size // RECORD_BYTES
        records = slots(descriptor, 0, size)
    except OSError:
        return []
    finally:
        with suppress(OSError):
            os.close(descriptor)
    file.whole = None not in records
    found = []
    for number, record in enumerate(records):
        envelope = envelope_of(record or EMPTY)
        if envelope is not None and number not in file.given:
            file.given.add(number)
            found.append(envelope)
    return found


def _erase(file: _File) -> None:
    descriptor, _ = opened(file.path)
    try:
        for number in file.given:
            write_whole(descriptor, EMPTY, number * RECORD_BYTES)
    finally:
        os.close(descriptor)
