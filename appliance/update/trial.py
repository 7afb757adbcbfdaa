"""Trial: whether a system that was just updated is kept, undone, or looked at for longer.

Invariants:
    * Pure: no I/O, no clock; the caller says what it saw and when.
    * The hub's word counts first: statements of this start that it has admitted prove the whole way.
    * A hub that is away is no fault of the new system: then what runs here is judged, and for longer.
    * Undone is only what is wrong here, or what a hub that can be reached does not take.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

PROOF: Final = 3
"""So many admitted statements of this start prove an update."""
PATIENCE: Final = 600.0
"""Seconds that something may be wrong without a break before the system is undone."""
ALONE: Final = 1800.0
"""Seconds of good health without a break that prove an update while the hub is away."""
RESTARTS: Final = 10
"""A service that was started again so often is broken, whatever it is at the moment."""


@unique
class HubSays(Enum):
    """What became of asking the hub."""

    AWAY = "the hub cannot be reached"
    SHUT = "this machine's own firewall keeps it from its hub"
    REFUSES = "this machine and its hub cannot prove themselves to each other"
    ANSWERS = "the hub answers"


@unique
class Verdict(Enum):
    """What follows."""

    KEEP = "keep"
    UNDO = "undo"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service as systemd has it: its name, its ``ActiveState``, its restarts, its status text."""

    name: str
    state: str
    restarts: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is to be seen at one moment: the hub, how much of this start it admitted, services, network devices."""

    hub: HubSays
    admitted: int
    services: tuple[Service, ...]
    links: int

    @property
    def fault(self) -> str:
        """What is wrong here or at a hub that is there; empty where nothing is."""
        for one in self.services:
            if one.restarts >= RESTARTS:
                return f"{one.name} was started again {one.restarts} times"
            if one.state != "active":
                return f"{one.name} is {one.state or 'unknown'}"
        if not self.links:
            return "there is no network device"
        if self.hub is HubSays.ANSWERS:
            return f"the hub answers, and has admitted {self.admitted} of {PROOF} statements"
        return "" if self.hub is HubSays.AWAY else self.hub.value

    @property
    def sees(self) -> bool:
        """Whether SENSE reads frames."""
        return any(one.status.startswith("watching") for one in self.services)

    @property
    def restarts(self) -> int:
        """Restarts of all services together."""
        return sum(one.restarts for one in self.services)


class Trial:
    """One trial, from the start of the machine to its verdict."""

    def __init__(self) -> None:
        self.reason = "nothing was seen yet"
        self._wrong_since: float | None = None
        self._well_since: float | None = None
        self._restarts = 0

    def see(self, sight: Sight, now: float) -> Verdict:
        """The verdict after ``sight`` at ``now`` (monotonic, seconds); ``reason`` then says why, in words."""
        if sight.admitted >= PROOF:
            self.reason = f"the hub has admitted {sight.admitted} statements of this start"
            return Verdict.KEEP
        self._remember(sight, now)
        if self._wrong_since is not None:
            self.reason = sight.fault
            return Verdict.UNDO if now - self._wrong_since >= PATIENCE else Verdict.WAIT
        if self._well_since is None:
            self.reason = "the hub cannot be reached, and no frame is read: neither proves anything"
            return Verdict.WAIT
        minutes = int(now - self._well_since) // 60
        self.reason = f"the hub cannot be reached; everything here has been well for {minutes} minutes"
        return Verdict.KEEP if now - self._well_since >= ALONE else Verdict.WAIT

    def _remember(self, sight: Sight, now: float) -> None:
        if not sight.fault:
            self._wrong_since = None
        elif self._wrong_since is None:
            self._wrong_since = now
        if sight.fault or not sight.sees or sight.restarts != self._restarts:
            self._well_since = None
        elif self._well_since is None:
            self._well_since = now
        self._restarts = sight.restarts
