"""Branches taken in each room that thinks, from coverage's JSON: ``python -m tests.tools.branch_table FILE.json``.

Ends with 1 where a room is below the least share: statements, which coverage adds in, do not help it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

ROOMS: Final = (
    "appliance/protocol",
    "appliance/hub/admission",
    "appliance/hub/alerts",
    "appliance/hub/pacing",
    "appliance/hub/statistics",
    "appliance/unit/vision/tracking",
)
LEAST: Final = 0.95


def main(path: Path) -> int:
    """Print one row a room; 1 where one is below `LEAST`."""
    files = json.loads(path.read_text("utf-8"))["files"]
    low = False
    for room in ROOMS:
        rows = [one["summary"] for name, one in files.items() if name.startswith(f"{room}/")]
        taken = sum(row["covered_branches"] for row in rows)
        all_of = sum(row["num_branches"] for row in rows)
        low |= not rows or taken < LEAST * all_of
        print(f"{room:32} {taken:4} of {all_of:4} branches  {taken / max(1, all_of):6.1%}")
    return int(low)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
