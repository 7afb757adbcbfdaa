"""Acts: what people did with a booth, who and when; never an outfit, never why an alert was raised, never which one.

Invariants:
    * What an act says is a closed list; ``who`` and ``of`` are names of tablets, accounts and units, nothing else.
    * What is done with an alert is told by its day (UTC) alone: a minute, beside a camera of the
      street, finds a person. All else is told to the minute, as a lead needs it.
    * Pure: no I/O, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

KEPT_SECONDS: Final = 90 * 86_400
"""How long an act is kept: a quarter, so that what was noticed late can still be looked up."""
_MINUTE: Final = 60
_DAY: Final = 86_400
MOST_NAME: Final = 64


@unique
class ActKind(StrEnum):
    """What was done."""

    CLAIM = "claim"
    RELEASE = "release"
    GIFTED = "gifted"
    DECLINED = "declined"
    NOT_FOUND = "not_found"
    DISMISSED = "dismissed"
    FORGET = "forget"
    PAUSE = "pause"
    RESUME = "resume"
    SET = "set"
    """Stock or staff."""
    CLOSE = "close"
    OPEN = "open"
    """The day was ended, or begun again."""
    PAIR = "pair"
    AIM = "aim"
    ZONES = "zones"
    WALK = "walk"
    LOCK = "lock"
    """A camera was aimed, told where nobody counts, tested by somebody who walked past, locked for good."""
    ENROL = "enrol"
    REVOKE = "revoke"
    TABLET = "tablet"
    TABLET_OUT = "tablet_out"
    UPDATE = "update"
    EXPORT = "export"
    IMPORT = "import"
    BACKUP = "backup"
    RESTORE = "restore"
    RENEW = "renew"
    CREATE = "create"
    START = "start"
    STOP = "stop"


BY_DAY: Final = frozenset(
    {
        ActKind.CLAIM,
        ActKind.RELEASE,
        ActKind.GIFTED,
        ActKind.DECLINED,
        ActKind.NOT_FOUND,
        ActKind.DISMISSED,
        ActKind.FORGET,
    }
)
"""What is done with an alert, and so with somebody in front of a camera: no minute of it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """``who`` did ``kind`` in the minute, or on the day (``BY_DAY``), that begins at unix second ``at``.

    ``of`` is a unit or tablet, or empty.

    ``mark`` is the identifier of a line of the file; empty for what the hub saw itself.
    """

    at: int
    kind: ActKind
    who: str
    of: str = ""
    mark: str = ""

    @staticmethod
    def now(kind: ActKind, who: str, now: float, *, of: str = "", mark: str = "") -> Act:
        """An act of this minute, or day (UTC); names are cut to a length."""
        step = _DAY if kind in BY_DAY else _MINUTE
        at = int(now) // step * step
        return Act(at=at, kind=kind, who=who[:MOST_NAME], of=of[:MOST_NAME], mark=mark)

    @property
    def row(self) -> list[str | int]:
        """As it is told: when, who, what, of whom."""
        return [self.at, self.who, self.kind.value, self.of]
