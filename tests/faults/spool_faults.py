"""Every system call of the outbox fails, at each place where it is made, once, thrice or until the disk is mended.

``spool_faults()`` runs them all: nothing that was taken in may be lost.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from appliance.unit.outbox import spool as spool_module
from appliance.unit.outbox.spool import Spool

CALLS = (
    "open",
    "pread",
    "write",
    "pwrite",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
    "listdir",
    "mkdir",
    "close",
)
STUCK = 10**9
"""So many calls in a row fail: the disk stays broken until it is mended."""


class Faults:
    """The N-th call of one name fails, and so many after it."""

    def __init__(self, name: str, at: int, times: int, number: int) -> None:
        self.made = 0
        self.armed = True
        self._real: Callable[..., Any] = getattr(os, name)
        self._at, self._times, self._number = at, times, number

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Fail, or do what the system does."""
        self.made += self.armed
        if self.armed and self._at <= self.made < self._at + self._times:
            raise OSError(self._number, os.strerror(self._number))
        return self._real(*given, **named)

    @property
    def reached(self) -> bool:
        """Whether anything failed."""
        return self.made >= self._at


class Unit:
    """What RELAY does to its outbox, without a network: take in, hand over, restart."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.sealed: list[bytes] = []
        self.delivered: Counter[bytes] = Counter()
        self.spool = Spool(directory, 200)

    def take_in(self, count: int) -> None:
        """New records."""
        fresh = [b"%06d" % number for number in range(len(self.sealed), len(self.sealed) + count)]
        self.sealed += fresh
        self.spool.append(fresh)

    def hand_over(self, most: int) -> None:
        """To a broker that takes everything at once."""
        found = self.spool.waiting(-(10**10), most)
        self.delivered.update(one.envelope for one in found)
        if found:
            self.spool.settle(found[-1].serial + 1)

    def restart(self) -> None:
        """End (with what is in memory, where the disk took it) and begin again."""
        self.spool.persist()
        if self.spool.loose:
            return  # a relay that is killed now loses what no disk took: the bound that is stated
        self.spool.close()
        self.spool = Spool(self._directory, 200)

    def live(self) -> None:
        """Some of everything: segments of fifty fill, settle and go."""
        self.take_in(30)
        self.take_in(40)
        self.hand_over(20)
        self.restart()
        self.take_in(45)
        self.hand_over(60)
        self.restart()
        self.hand_over(10)
        self.take_in(20)
        self.restart()

    def end(self) -> None:
        """On a disk that works again: everything that is still there is handed over, after two restarts."""
        for _ in range(2):
            self.spool.persist()
            while self.spool.waiting(-(10**10), 1):
                self.hand_over(1000)
            self.restart()
        while self.spool.waiting(-(10**10), 1):
            self.hand_over(1000)


def survive(directory: Path, faults: Faults) -> Unit:
    """A unit's life with these faults, and its end on a disk that works again."""
    unit = Unit(directory)
    unit.live()
    faults.armed = False
    unit.end()
    unit.spool.close()
    return unit


def each_place(directory: Path, name: str, times: int) -> list[Unit]:
    """A life for every place where ``name`` is called, with it failing there ``times`` times: until none fails."""
    lives: list[Unit] = []
    with patch.object(spool_module, "RESCUE_SECONDS", 0.0):
        while True:
            at = len(lives) + 1
            other = errno.ENOSPC if "write" in name else errno.EROFS
            faults = Faults(name, at, times, errno.EIO if at % 2 else other)
            with patch.object(os, name, faults):
                lives.append(survive(directory / f"{name}-{times}-{at}", faults))
            if not faults.reached:
                return lives
