"""The board: what the booth shows its staff about itself, once a second.

Invariants:
    * Counts and states only: nothing on the board is about one passer-by but the words of the last alert, and these
      go when it ends.
    * A unit nobody has heard of for ``SILENT_SECONDS`` is silent, whatever it said last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.hub.staff.messages import VERSION, json_of
from appliance.hub.staff.notices import Notice
from appliance.hub.statistics.baseline.baseline import UsualWord
from appliance.protocol.health import Health, SourceKind
from appliance.protocol.values import BoothId, Seconds, UnitId

SILENT_SECONDS: Final = 30.0
_RETENTION: Final = Seconds(300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """One camera unit. ``health`` and ``heard_at`` are None until it has said how it is."""

    unit: UnitId
    place: str
    enrolled_simulated: bool
    online: bool
    health: Health | None
    heard_at: Seconds | None
    boxed: bool | None
    """Whether it runs behind its walls; None until it has said so."""
    admitted: int
    refused: int
    repeated: int
    """Sent again though it was admitted: how a lost link or a kill shows, and no harm."""
    missing: int
    spooled: int = 0
    """Statements that its RELAY still holds,"""
    dropped: int = 0
    """and those it had no room for."""
    rules: tuple[tuple[int, int], ...] = ()
    """Refusals by number of the rule."""
    synced: bool | None = None
    """Whether its clock is set; None until it has said something."""
    two_holders_at: Seconds | None = None
    """When two devices last spoke under its key."""
    disk_low: bool = False
    tested: bool = False
    """Whether a walk test is under way: what it says counts for nothing."""

    @property
    def simulated(self) -> bool:
        """True where there is no camera behind it."""
        return self.enrolled_simulated or (
            self.health is not None and self.health.source is SourceKind.SIMULATED
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAlert:
    """The alert raised last, while it is open."""

    alert: str
    text: str
    at: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything on the board at ``at``."""

    booth: BoothId
    at: Seconds
    people_today: int
    people_total: int
    flags_today: int
    alerts_open: int
    alerts_today: int
    gifted_today: int
    weight: float
    needs: int
    stock: int
    staff: int
    staff_free: int
    units: tuple[UnitRow, ...]
    usual: tuple[UsualWord, ...]
    last_alert: LastAlert | None
    notices: tuple[Notice, ...] = ()
    language: str = "en"
    retention: Seconds = _RETENTION
    shift: Mapping[str, object] | None = None


def telling(board: Board) -> bytes:
    """The board as staff pages read it."""
    last = board.last_alert
    return json_of(
        {
            "v": VERSION,
            "booth": board.booth,
            "at": int(board.at),
            "simulated": any(row.simulated for row in board.units),
            "people": {"today": board.people_today, "total": board.people_total},
            "flags_today": board.flags_today,
            "alerts": {
                "open": board.alerts_open,
                "today": board.alerts_today,
                "gifted": board.gifted_today,
            },
            "baseline": {
                "weight": round(board.weight, 1),
                "ready": not board.needs,
                "needs": board.needs,
            },
            "stock": board.stock,
            "staff": board.staff,
            "staff_free": board.staff_free,
            "units": [unit_row(row, board.at) for row in board.units],
            "usual": [
                {"attribute": one.attribute, "word": one.word, "share": round(one.share, 3)}
                for one in board.usual
            ],
            "notices": [
                {
                    "condition": one.condition.value,
                    "place": one.place,
                    "title": one.title,
                    "todo": one.todo,
                }
                for one in board.notices
            ],
            "language": board.language,
            "retention": int(board.retention),
            "shift": dict(board.shift or {}),
            "last_alert": {"id": last.alert, "text": last.text, "at": int(last.at)} if last else None,
        }
    )


def unit_row(row: UnitRow, now: Seconds) -> dict[str, object]:
    """One unit as pages read it."""
    health = row.health
    heard_ago = None if row.heard_at is None else max(0, int(now - row.heard_at))
    silent = health is None or heard_ago is None or heard_ago > SILENT_SECONDS
    return {
        "unit": row.unit,
        "place": row.place,
        "link": "online" if row.online else "offline",
        "state": "silent"
        if silent or health is None
        else "tested"
        if row.tested
        else health.state.name.lower(),
        "source": health.source.name.lower() if health else "simulated" if row.simulated else "camera",
        "accelerator": health.accelerator.name.lower() if health else "cpu",
        "boxed": row.boxed,
        "simulated": row.simulated,
        "fps": health.fps if health and not silent else 0,
        "heard_ago": heard_ago,
        "admitted": row.admitted,
        "refused": row.refused,
        "repeated": row.repeated,
        "missing": row.missing,
        "locked": health is not None and health.locked,
    }
