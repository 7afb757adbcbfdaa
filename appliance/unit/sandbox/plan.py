"""What the sandbox is asked for and what it answers: the walls by name, the plan, the report.

Invariants:
    * A wall either stands or says why not; nothing is reported as standing that was not asked of the kernel.
    * Required walls are those every Linux we support can build without root; the others are a second line,
      and a provisioned unit names them in ``SealPlan.required`` too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

_PIPE_BUF: Final = 4096


@unique
class Wall(Enum):
    """One wall around process SENSE; the value is its name in reports."""

    DESCRIPTORS = "descriptors"
    """Nothing writable is open, or mapped and shared, but the outlet, the complaints and the buttons."""
    DUMP = "dump"
    """No core dump and no other process may look in (PR_SET_DUMPABLE 0, RLIMIT_CORE 0)."""
    LIMITS = "limits"
    """No file can grow by a byte (RLIMIT_FSIZE 0)."""
    CAPABILITIES = "capabilities"
    """No capability in any set, on any thread."""
    NO_NEW_PRIVS = "no new privileges"
    """Nothing executed could gain any."""
    SECCOMP = "system calls"
    """The allow-list of system calls, on every thread."""
    NAMESPACES = "namespaces"
    """A network with only a loopback that is down, and a view of the disk where every mount is read-only."""
    LANDLOCK = "landlock"
    """No right to write, make, remove or execute any file, nor to use TCP."""
    NO_NEW_CODE = "no new code"
    """Memory that was writable can never become executable (PR_SET_MDWE; Linux 6.3)."""
    ARGUMENTS = "arguments"
    """Its command line and environment cannot be seen, so nothing can be written into them (PR_SET_MM_MAP)."""
    SHUT = "nothing new"
    """Nothing is opened, evicted, pinned or started any more, and errors are told no more."""
    SWAP = "swap"
    """Memory cannot be swapped out: no swap is on, or the control group has none, or the pages are locked."""


REQUIRED: Final = frozenset(
    {
        Wall.DESCRIPTORS,
        Wall.DUMP,
        Wall.LIMITS,
        Wall.CAPABILITIES,
        Wall.NO_NEW_PRIVS,
        Wall.SECCOMP,
        Wall.SHUT,
    }
)
"""Walls without which SENSE refuses to open its eyes anywhere, a developer's laptop and a container included."""

EVERY_WALL: Final = frozenset(Wall)
"""What a provisioned unit may require: ``walls = "every"`` under [sense] in unit.toml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPlan:
    """What process SENSE keeps when everything else is taken away."""

    outlet: int
    """The write end of the one-way pipe."""
    outlet_limit: int = _PIPE_BUF
    """Most bytes one write to the outlet may carry; a record of PIPE_BUF or less is atomic (pipe(7))."""
    complaints: int = 2
    """Where errors are told until the last filter: a pipe, a terminal or the journal's socket, never a file."""
    buttons: int | None = None
    """A pipe that takes single bytes, each a word of a closed list (``unit/guard.py``), after the last filter too."""
    readable: tuple[int, ...] = ()
    """Descriptors kept for reading only: a recorded video, a command pipe, standard input."""
    devices: tuple[int, ...] = ()
    """Descriptors of cameras or accelerators that are open already; never writable with write(2)."""
    device_paths: tuple[str, ...] = ()
    """Device nodes (or directories of them) that may be opened between ``enclose`` and ``seal``."""
    namespaces: bool = True
    """Whether namespaces may be tried."""
    required: frozenset[Wall] = REQUIRED
    """Walls that must stand; anything missing from ``REQUIRED`` is required all the same."""
    look_around: bool = False
    """For tests only: leave the last filter away, so that the sealed process can look at itself."""
    left_out: frozenset[Wall] = frozenset()
    """For tests only: walls not to build, to see that the probes get through and SENSE refuses."""

    @property
    def kept(self) -> frozenset[int]:
        """Every descriptor that survives ``enclose``."""
        buttons = () if self.buttons is None else (self.buttons,)
        return frozenset((self.outlet, self.complaints, *buttons, *self.readable, *self.devices))


@dataclass(frozen=True, slots=True, kw_only=True)
class WallState:
    """Whether one wall stands, and what it is made of or why it does not."""

    wall: Wall
    stands: bool
    why: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A probe that got through a wall."""

    wall: Wall
    what: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealReport:
    """What was built, and how long it took."""

    walls: tuple[WallState, ...]
    filter_steps: int
    """Instructions of the system-call filter; 0 if there is none."""
    milliseconds: float

    def state(self, wall: Wall) -> WallState:
        """Return the state of one wall."""
        for candidate in self.walls:
            if candidate.wall is wall:
                return candidate
        return WallState(wall=wall, stands=False, why="never built")

    def lines(self) -> tuple[str, ...]:
        """One line per wall, for the log and the doctor's page."""
        return tuple(
            f"{state.wall.value}: {'yes' if state.stands else 'no'}, {state.why}"
            + (f". Fix: {state.fix}" if state.fix else "")
            for state in self.walls
        )
