"""The fleet's part of ``hub.toml``: whether the hub reports to one, and under which name.

Invariants:
    * Without it nothing is reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from appliance.settings.toml_table import Table

_HUB: Final = re.compile(r"[a-z][a-z0-9-]{0,23}/[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetConfig:
    """``hub`` is the hub's name in a lineage, ``booth/key identifier``; empty where the booth is in no fleet."""

    hub: str = ""


def fleet_config(table: Table) -> FleetConfig:
    """The table ``[fleet]``. Unfit where it cannot be used."""
    hub = table.get("hub", str, "")
    if hub and not _HUB.fullmatch(hub):
        raise table.unfit("hub", f"must be a booth and the identifier of its key, not {hub[:40]!r}")
    table.end()
    return FleetConfig(hub=hub)
