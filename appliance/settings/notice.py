"""The public notice's part of ``hub.toml``: who answers for the booth, and how long each store keeps what.

Invariants:
    * Nobody's name, address or legal basis is made up: what is not given is missing, and said to be.
    * Times of stores that other rooms own stand here too, because a notice must be made without those rooms; a test
      holds them against the rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.settings.toml_table import Table

LEGAL_BASES: Final = (
    "consent", "contract", "legal-obligation", "vital-interests", "public-task", "legitimate-interests",
)  # fmt: skip
"""The legal bases of article 6(1) of the General Data Protection Regulation, (a) to (f)."""
STATE_PATH: Final = Path("/run/leftfield-hub/here.json")
"""Where WATCH tells the page server how the booth is."""
LONGEST: Final = 200
"""No text of a notice is longer, in characters."""
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeConfig:
    """Who answers for the booth. Texts are shown as they are; empty ones are missing.

    ``controller`` is a name, ``contact`` how to reach it, ``legal_basis`` one of ``LEGAL_BASES``, ``way_round`` where
    somebody can pass without being seen (may stay empty). WATCH tells in the file ``state`` how the booth is.
    """

    controller: str = ""
    contact: str = ""
    legal_basis: str = ""
    way_round: str = ""
    state: Path | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys without which the public page stays closed."""
        needed = ("controller", "contact", "legal_basis")
        return tuple(key for key in needed if not getattr(self, key))


def notice_config(table: Table) -> NoticeConfig:
    """The table ``[notice]``. Unfit where it cannot be used."""
    texts = {key: table.get(key, str, "") for key in ("controller", "contact", "legal_basis", "way_round")}
    for key, text in texts.items():
        if len(text) > LONGEST or not text.isprintable():
            raise table.unfit(key, f"must be one line of at most {LONGEST} characters")
    if texts["legal_basis"] and texts["legal_basis"] not in LEGAL_BASES:
        raise table.unfit(
            "legal_basis", f"must be one of {', '.join(LEGAL_BASES)}, not {texts['legal_basis']!r}"
        )
    state = table.path("state", Path())
    table.end()
    return NoticeConfig(**texts, state=None if state == Path() else state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One place where something is kept: ``name`` has words on the page; ``seconds`` at most, None without an end."""

    name: str
    seconds: int | None


def stores(*, retention_seconds: float, alert_seconds: float, service_seconds: float) -> tuple[Store, ...]:
    """Every store of a booth whose hub is set so, from the camera to the journals."""
    held = int(retention_seconds)
    kept: dict[str, int | None] = {
        "frames": 0,
        "tracks": 0,
        "spool": 2,
        "damaged": 7 * _DAY,
        "queue": 30,
        "journal": min(60, held // 2),
        "alert": min(held, int(alert_seconds)),
        "claimed": int(max(alert_seconds, service_seconds)),
        "look": held,
        "broker": 30,
        "ended": 60,
        "set_aside": 7 * _DAY,
        "forget": held,
        "strip": 300,
        "trends": 12 * 3600,
        "hourly": 63 * _DAY,
        "baseline": None,
        "days": None,
        "daily": None,
        "audit": None,
        "doubts": None,
        "prior": 60 * _DAY,
        "acts": 90 * _DAY,
        "journals": 7 * _DAY,
    }
    return tuple(Store(name=name, seconds=seconds) for name, seconds in kept.items())
