"""Mutation testing: ``python -m tests.mutants [--room hub/admission] [--since REV] [--sample 100] [--seed 1]``.

One process imports a room and its tests, sees once which test runs which line, and forks for every mutant: the child
changes one function in place and runs the tests of that line, quickest first, until one fails. Results are kept in
``LEFTFIELD_CACHE/mutants`` by the function's source: a mutant that was killed is not run again until its
function changes, one that survived until any test of the room does. Exit code 1 where a room is below ``LEAST``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.mutators import Mutant, mutants
from tests.mutants.nursery import Nursery
from tests.mutants.rooms import ROOMS

LEAST: Final = 0.90
CACHE: Final = Path(os.environ.get("LEFTFIELD_CACHE", ".cache")) / "mutants"
KNOWN: Final = Path(__file__).parent / "survivors.txt"
"""Survivors that were looked at: a title without its line, and why no test need kill it."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of a room's mutants; ``excused`` survive for a reason that is written down."""

    killed: int = 0
    survived: int = 0
    excused: int = 0
    unrun: int = 0

    @property
    def share(self) -> float:
        """Killed among those that could be."""
        return self.killed / max(1, self.killed + self.survived)

    def bounds(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share (Wilson 1927, JASA 22: 209-212)."""
        n, z = max(1, self.killed + self.survived), 1.96
        middle = (self.share + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(self.share * (1 - self.share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def _all(room: str) -> list[Mutant]:
    files = sorted(Path("appliance", room).rglob("*.py"))
    return [one for file in files for one in mutants(str(file), file.read_text("utf-8"))]


def _touched(since: str) -> frozenset[tuple[str, int]]:
    """File and line of everything that changed since a revision."""
    found, file = set(), ""
    told = subprocess.run(
        ["git", "diff", "--unified=0", since, "--", "appliance"], capture_output=True, text=True, check=True
    )
    for line in told.stdout.splitlines():
        if line.startswith("+++ b/"):
            file = line[6:]
        elif line.startswith("@@"):
            first, _, count = line.split("+")[1].split(" ")[0].partition(",")
            found |= {(file, int(first) + place) for place in range(int(count or 1))}
    return frozenset(found)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


def _tests_digest(room: str) -> str:
    paths = [path for place in ROOMS[room] for path in sorted(Path(place).rglob("*.py") or [Path(place)])]
    return _digest(
        *(path.read_text("utf-8") for path in paths),
        *(Path(one).read_text("utf-8") for one in ROOMS[room] if one.endswith(".py")),
    )


def excuses() -> dict[str, str]:
    """Title without line, and reason."""
    lines = [line for line in KNOWN.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return {title.strip(): why.strip() for title, _, why in (line.partition(" | ") for line in lines)}


def plain(one: Mutant) -> str:
    """The title without the line, which moves."""
    return f"{one.file} {one.name}: {one.what}"


def judge(room: str, chosen: Iterable[Mutant], kept: dict[str, str]) -> Tally:
    """Run what is not known yet; one line for each survivor."""
    tally, known, tests = Tally(), excuses(), _tests_digest(room)
    nursery: Nursery | None = None
    for one in chosen:
        key = _digest(one.file, one.name, one.what, one.function)
        fate = kept.get(key, "")
        if not fate or (fate.startswith("survived") and fate != f"survived {tests}"):
            nursery = nursery or Nursery(room)
            fate = nursery.fate(one)
            kept[key] = f"survived {tests}" if fate == "survived" else fate
        if fate.startswith("survived") and plain(one) in known:
            tally.excused += 1
        elif fate.startswith("survived"):
            tally.survived += 1
            print(f"   survived: {one.title}", flush=True)
        elif fate == "killed":
            tally.killed += 1
        else:
            tally.unrun += 1
    return tally


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--room", action="append", choices=ROOMS)
    parser.add_argument("--since", default="")
    parser.add_argument("--sample", type=int, default=0, help="a seeded sample of so many a room; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    touched, low = _touched(given.since) if given.since else None, False
    CACHE.mkdir(parents=True, exist_ok=True)
    for room in given.room or ROOMS:
        file = CACHE / f"{room.replace('/', '-')}.json"
        kept: dict[str, str] = json.loads(file.read_text("ascii")) if file.exists() else {}
        every = _all(room)
        chosen = [one for one in every if touched is None or (one.file, one.line) in touched]
        if given.sample and len(chosen) > given.sample:
            chosen = random.Random(f"{given.seed}{room}").sample(chosen, given.sample)  # noqa: S311 - seeded on purpose
        try:
            tally = judge(room, chosen, kept)
        finally:
            file.write_text(json.dumps(kept), "ascii")
        least, most = tally.bounds()
        counts = f"killed {tally.killed:4}  survived {tally.survived:3}  excused {tally.excused:2}"
        share = f"{tally.share:5.1%} ({least:.0%} to {most:.0%})"
        print(
            f"{room:22} {len(chosen):4} of {len(every):4} mutants  {counts}  not run {tally.unrun:2}  {share}",
            flush=True,
        )
        low |= tally.share < LEAST and tally.killed + tally.survived > 0
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
