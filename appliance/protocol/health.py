"""How a unit is, in closed words and one small number: with ``values``, all that may leave the room.

Invariants:
    * A heartbeat carries no more than it must: a health is one integer below ``HEALTH_CAPACITY``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Final


@unique
class Accelerator(IntEnum):
    """What runs the models."""

    CPU = 0
    EDGE_TPU = 1
    CPU_FALLBACK = 2
    """An Edge TPU is wanted but away: slower, and said so."""


@unique
class SourceKind(IntEnum):
    """Where the unit's frames come from."""

    CAMERA = 0
    RECORDING = 1
    SIMULATED = 2
    """There are no frames: a simulated street, for demonstration only."""


@unique
class UnitState(IntEnum):
    """What the unit is doing."""

    WATCHING = 0
    PAUSED = 1
    AIMING = 2
    BLIND = 3
    """The camera gives no usable frames, or a black picture."""
    FROZEN = 4
    """It shows one picture again and again."""
    TOO_DARK = 5
    TOO_BRIGHT = 6
    COLOURLESS = 7
    """It gives no colour (a night mode): colours are not said."""
    BLURRED = 8
    """Nothing in its picture is sharp: dirt, rain on the glass, or the lens has turned."""
    MOVED = 9
    """It looks elsewhere than it did: somebody has knocked or turned it."""


FPS_LIMIT: Final = 64
"""Frame rates on the wire stay below this."""
STATE_ROOM: Final = 14
"""States that the code has room for: what comes before them keeps its place when a state is added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a unit is: closed words and one small number, so that a heartbeat carries no more than it must.

    ``boxed`` is False only for a developer's ``--unboxed`` run, and then every screen says so. ``fps`` is frames
    read per second, rounded, 0 to 63. ``locked``: aiming and the colour card are gone from this unit for good.
    ``card``: a colour card was read on it.
    """

    state: UnitState
    source: SourceKind
    accelerator: Accelerator
    boxed: bool
    fps: int
    locked: bool = False
    card: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.fps < FPS_LIMIT:
            raise ValueError(f"{self.fps} frames per second are out of range")

    @property
    def code(self) -> int:
        """The health as one integer in [0, HEALTH_CODES), mixed radix."""
        code = self.locked * 2 + self.card
        code = code * STATE_ROOM + self.state
        code = code * len(SourceKind) + self.source
        code = code * len(Accelerator) + self.accelerator
        code = code * 2 + self.boxed
        return code * FPS_LIMIT + self.fps

    @staticmethod
    def from_code(code: int) -> Health:
        """The one health with this code; ValueError where there is none."""
        rest, fps = divmod(code, FPS_LIMIT)
        rest, boxed = divmod(rest, 2)
        rest, accelerator = divmod(rest, len(Accelerator))
        rest, source = divmod(rest, len(SourceKind))
        rest, state = divmod(rest, STATE_ROOM)
        locked, card = divmod(rest, 2)
        if locked not in {0, 1}:
            raise ValueError(f"{code} is not the code of a health")
        return Health(
            state=UnitState(state),
            source=SourceKind(source),
            accelerator=Accelerator(accelerator),
            boxed=bool(boxed),
            fps=fps,
            locked=bool(locked),
            card=bool(card),
        )


HEALTH_CAPACITY: Final = 4 * len(UnitState) * len(SourceKind) * len(Accelerator) * 2 * FPS_LIMIT
"""How many different healths exist."""
HEALTH_CODES: Final = HEALTH_CAPACITY // len(UnitState) * STATE_ROOM
"""Their codes are below this; the codes of states that do not exist name nothing."""
