"""Rollout: which unit may take an update now, so that a bad one never reaches two.

Invariants:
    * Pure: no I/O; the caller says what time it is.
    * One unit at a time, until it says that it runs the new version and has proved itself.
    * One unit that undid a release stops it for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TURN_SECONDS: Final = 3600.0
"""A unit that has not come back confirmed by then has lost its turn; the next may try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a unit says of itself: its version, whether it is on trial, the number of the release it undid (or 0)."""

    version: str
    on_trial: bool
    failed: int


class Rollout:
    """Whose turn it is. ``number`` and ``version`` are those of the release that is offered."""

    def __init__(self, number: int, version: str) -> None:
        self.number, self.version = number, version
        self.stopped_by = ""
        self.confirmed: set[str] = set()
        self._turn = ""
        self._since = 0.0

    @property
    def turn(self) -> str:
        """The unit whose turn it is; empty where it is nobody's."""
        return self._turn

    def asked(self, unit: str, said: Said, now: float) -> bool:
        """Whether ``unit``, which has just said so much, may take the release; ``now`` is monotonic, in seconds."""
        if said.failed == self.number:
            self.stopped_by = unit
        if said.version == self.version:
            if not said.on_trial:
                self.confirmed.add(unit)
                if self._turn == unit:
                    self._turn = ""
            return False
        if self.stopped_by:
            return False
        if self._turn not in {"", unit} and now - self._since < TURN_SECONDS:
            return False
        if self._turn != unit:
            self._turn, self._since = unit, now
        return True
