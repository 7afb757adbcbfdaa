"""What only the lead's tablets are told: what needs them, and how often each tablet claimed, dismissed and forgot.

Invariants:
    * Numbers, states and words of the street; nothing about a passer-by.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from appliance.hub.staff.messages import VERSION, json_of
from appliance.hub.staff.status import UnitRow
from appliance.hub.statistics.change.drift import Change
from appliance.protocol.values import BoothId, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES

ACTS = ("claims", "dismissals", "forgets")
"""What is counted of each tablet."""


def lead_telling(
    booth: BoothId,
    units: Iterable[UnitRow],
    strangers: Counter[int],
    changes: Iterable[Change],
    acts: Mapping[str, int],
    now: Seconds,
) -> bytes:
    """``hub/lead`` at ``now``; ``acts`` are counts by tablet and what it did, such as ``tablet-1/claims``."""
    tablets: dict[str, dict[str, Any]] = {}
    for name, number in acts.items():
        tablet, _, what = name.partition("/")
        if what in ACTS:
            row = tablets.setdefault(tablet, {"tablet": tablet, **dict.fromkeys(ACTS, 0)})
            row[what] = number
    return json_of(
        {
            "v": VERSION,
            "booth": booth,
            "at": int(now),
            "units": [
                {
                    "place": row.place,
                    "missing": row.missing,
                    "dropped": row.dropped,
                    "clock": row.synced,
                    "refused": [list(one) for one in row.rules],
                }
                for row in units
            ],
            "strangers": sorted([rule, number] for rule, number in strangers.items() if number),
            "changes": [
                {
                    "attribute": ATTRIBUTES[one.attribute].name,
                    "word": ATTRIBUTES[one.attribute].label(one.level),
                    "now": round(100 * one.now),
                    "usual": round(100 * one.usual),
                }
                for one in changes
            ],
            "tablets": list(tablets.values()),
        }
    )
