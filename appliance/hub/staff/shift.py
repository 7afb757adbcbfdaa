"""The shift: what staff and lead say of the day itself. Pause, staff present, stock by size, a note, the day's end.

Invariants:
    * It holds for today: tomorrow begins as configured. It survives a restart of the hub, but for the note.
    * The note is in memory only, never in the database; the broker holds what the retained board tells of it.
    * Anybody may pause, go on and leave a note; the rest is the lead's, where the booth has a lead's tablet.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Final

from appliance.hub.alerts.alerts import AlertRefused
from appliance.hub.records.daily_counts import (
    CLOSED,
    PAUSED_UNTIL,
    STAFF_CHANGE,
    STOCK_CHANGE,
    DailyCounts,
)
from appliance.protocol.values import Seconds, TabletId
from appliance.settings.config import PacingConfig

MOST_MINUTES: Final = 240
"""No pause is longer."""
MOST_STAFF: Final = 100
MOST_STOCK: Final = 100_000
LONGEST_NOTE: Final = 120
NOTE_SECONDS: Final = 24 * 3600.0
"""A note goes after a day."""
GIFTED_SIZE: Final = "gifted_"
"""Gifts of today by size: the name of the count is this and the size."""
_SIZE_CHANGE: Final = f"{STOCK_CHANGE}_"


@unique
class Act(Enum):
    """What can be said of a shift."""

    PAUSE = "pause"
    RESUME = "resume"
    STAFF = "staff"
    STOCK = "stock"
    NOTE = "note"
    CLOSE = "close"
    OPEN = "open"


FOR_ANYBODY: Final = frozenset({Act.PAUSE, Act.RESUME, Act.NOTE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftAct:
    """A tablet says something of the shift.

    ``number`` is minutes of a pause, staff, or gifts left (of ``size``, or of all); ``text`` is a note's.
    """

    tablet: TabletId
    act: Act
    number: int = 0
    size: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What one shift leaves to the next."""

    text: str
    by: TabletId
    at: Seconds


class Shift:
    """Today's shift in a booth paced by ``config``, kept among ``counts``."""

    def __init__(self, config: PacingConfig, counts: DailyCounts) -> None:
        self._config = config
        self._counts = counts
        self._leads: frozenset[TabletId] = frozenset()
        self._note: Note | None = None

    def enrol(self, leads: Iterable[TabletId]) -> None:
        """These are the lead's tablets from now on; where there is none, every tablet is."""
        self._leads = frozenset(leads)

    def carry_out(self, request: ShiftAct, now: Seconds) -> bool:
        """Do what is asked; True where open alerts are to end now. Refused: NOT_YOURS."""
        if self._leads and request.tablet not in self._leads and request.act not in FOR_ANYBODY:
            raise AlertRefused("forbidden", "only the lead's tablet may do that", where=request.tablet)
        match request.act:
            case Act.PAUSE:
                self._counts.put(PAUSED_UNTIL, int(now) + 60 * request.number)
            case Act.RESUME:
                self._counts.put(PAUSED_UNTIL, 0)
            case Act.STAFF:
                self._counts.put(STAFF_CHANGE, request.number - self._config.staff)
            case Act.STOCK:
                self._put_stock(request)
            case Act.NOTE:
                note = Note(text=request.text, by=request.tablet, at=now)
                self._note = note if request.text else None
            case Act.CLOSE:
                self._counts.put(CLOSED, 1)
            case Act.OPEN:
                self._counts.put(CLOSED, 0)
        return request.act is Act.CLOSE

    def _put_stock(self, request: ShiftAct) -> None:
        """So many gifts are left: of one size, or of each."""
        sizes = dict(self.sizes())
        if request.size is not None and request.size not in sizes:
            raise AlertRefused("forbidden", "no gift has this size", where=request.tablet)
        if sizes:
            named = sizes if request.size is None else {request.size: sizes[request.size]}
            for size, left in named.items():
                change = self._counts.number(f"{_SIZE_CHANGE}{size}") + request.number - left
                self._counts.put(f"{_SIZE_CHANGE}{size}", change)
            change = sum(self._counts.number(f"{_SIZE_CHANGE}{size}") for size in sizes)
            self._counts.put(STOCK_CHANGE, change)
        else:
            self._counts.put(
                STOCK_CHANGE, request.number + self._counts.number("gifted") - self._config.stock
            )

    def gifted(self, size: str | None) -> None:
        """A gift of this size was given."""
        if size is not None and size in dict(self._config.sizes):
            self._counts.count(f"{GIFTED_SIZE}{size}")

    def sizes(self) -> tuple[tuple[str, int], ...]:
        """What is left of each size."""
        count = self._counts.number
        return tuple(
            (size, max(0, number + count(f"{_SIZE_CHANGE}{size}") - count(f"{GIFTED_SIZE}{size}")))
            for size, number in self._config.sizes
        )

    def telling(self, now: Seconds) -> dict[str, Any]:
        """How the shift stands, as the board says it."""
        paused_until, note = self._counts.number(PAUSED_UNTIL), self._note
        if note and abs(now - note.at) >= NOTE_SECONDS:
            note = self._note = None
        return {
            "paused_until": paused_until if paused_until > now else None,
            "closed": bool(self._counts.number(CLOSED)),
            "sizes": [{"size": size, "left": left} for size, left in self.sizes()],
            "note": {"text": note.text, "by": note.by, "at": int(note.at)} if note else None,
        }
