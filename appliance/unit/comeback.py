"""When an accelerator that failed is tried again: after ten minutes, then after twice as long, two hours at most.

A sealed SENSE cannot open a device. So it is ended in order and started again: a new process, sealed anew, finds
the device or does without it. What must outlast the start is one mark, which systemd keeps (its file-descriptor
store); no file is written.

Invariants:
    * Pure: marks in, times and marks out. A mark says how often it was tried and whether the next start does without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_WAITS: Final = (600.0, 7200.0)
"""Seconds until the first try, and at most."""
_MARK: Final = re.compile(r"accelerator-(away|again)-([1-9][0-9]?)", re.ASCII)
_MOST: Final = 99
HELD_SECONDS: Final = 3600.0
"""An accelerator that has worked for so long starts again with the shortest wait when it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comeback:
    """How often the accelerator has failed, and whether SENSE is to start without it now."""

    failures: int = 0
    without: bool = False

    @property
    def mark(self) -> str:
        """The name under which systemd keeps it.

        >>> Comeback(failures=2, without=True).mark
        'accelerator-away-2'
        """
        return f"accelerator-{'away' if self.without else 'again'}-{self.failures}"

    @property
    def wait(self) -> float:
        """Seconds until the accelerator is tried again."""
        first, most = _WAITS
        return float(min(most, first * 2 ** (max(1, self.failures) - 1)))

    def failed(self, after: float, *, without: bool) -> Comeback:
        """It has failed ``after`` so many seconds of work."""
        before = 0 if after >= HELD_SECONDS else self.failures
        return Comeback(failures=min(_MOST, before + 1), without=without)

    def again(self) -> Comeback:
        """The next start tries it."""
        return Comeback(failures=self.failures, without=False)


def comeback_in(marks: Iterable[str]) -> Comeback:
    """What the marks say that systemd has kept; nothing where there is none of ours."""
    for mark in marks:
        if found := _MARK.fullmatch(mark):
            return Comeback(failures=int(found[2]), without=found[1] == "away")
    return Comeback()
