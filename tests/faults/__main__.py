"""The fault matrix: ``python -m tests.faults [ROW …] [--quick] [--scale 1.0] [--json FILE] [--write FILE.md]``.

Every kind of trouble as often as its row says (times ``--scale``), one after the other, with a line of progress each;
then the table. Exit code 1 where anything was lost or doubled, or did not recover alone. Rows that need mounts and a
network of their own need root, and are left out without it; ROW is a part of a row's name.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.faults.outcome import Outcome, table
from tests.faults.rows import ROWS, Row, run_apart, run_row

_BEGIN: Final = "<!-- made by make faults -->\n"


def _inside(given: argparse.Namespace) -> int:
    if next(row for row in ROWS if row.name == given.inside).root:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print(json.dumps(run_row(given.inside, given.strikes, given.seed).json()))
    return 0


def _chosen(given: argparse.Namespace) -> list[tuple[Row, int]]:
    rows = [row for row in ROWS if not given.rows or any(part in row.name for part in given.rows)]
    counted = [(row, row.quick if given.quick else max(1, round(row.strikes * given.scale))) for row in rows]
    return [(row, strikes) for row, strikes in counted if strikes and (os.geteuid() == 0 or not row.root)]


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--strikes", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return _inside(given)
    chosen, told = _chosen(given), list[Outcome]()
    for number, (row, strikes) in enumerate(chosen, 1):
        print(f"{number} of {len(chosen)}: {row.name}, {strikes} …", file=sys.stderr, flush=True)
        begun = time.monotonic()
        told.append(run_apart(row, strikes, given.seed))
        print(f"   {told[-1]} in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        if given.json:
            given.json.write_text(json.dumps([one.json() for one in told], indent=1) + "\n", "utf-8")
    print(table(told))
    if given.write:
        before = given.write.read_text("utf-8").partition(_BEGIN)[0]
        given.write.write_text(before + _BEGIN + "\n" + table(told), "utf-8")
    return int(not all(one.kept for one in told))


if __name__ == "__main__":
    sys.exit(main())
