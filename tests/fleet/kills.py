"""Kills workers, bridges and the database of a fleet at work, again and again: ``python -m tests.fleet.kills``.

Three booths count people and report; two workers store what comes. At the end the database must hold, of every
booth, day and name, exactly what the booth counted, and the merged baseline exactly the sum of the booths'.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError
from appliance.demo.places import listening
from appliance.fleet.store import FleetStore
from appliance.fleet.view import merged_baseline
from appliance.hub.statistics.baseline.state import coarse, merged
from appliance.mqtt import Link
from appliance.protocol.fleet_report import ReportKind
from appliance.protocol.values import Seconds
from tests.fleet.real_fleet import COLOURS, Processes, RealBooth, RealFleet, until

BOOTHS: Final = ("corner", "market", "harbour")
VICTIMS: Final = ("worker-1", "worker-2", "database", "broker", "broker-corner", "broker-market", "hub")
_FIVES: Final = ("people", "flags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did and what was wrong at its end: cells of counts that differ from the truth, by booth."""

    kills: dict[str, int]
    reports: int
    people: int
    wrong: dict[str, str]
    seconds: float


class Run:
    """One run in ``directory``; ``seed`` decides who is killed when."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.processes = Processes(directory)
        self.fleet = RealFleet(directory / "fleet", self.processes)
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.booths = {name: RealBooth(directory / name, name, self.processes) for name in BOOTHS}
        self.links: dict[str, Link] = {}
        self.reports = 0
        self.kills: dict[str, int] = {}
        self.now = Seconds(float(int(time.time()) // 86_400 * 86_400))

    def start(self) -> None:
        """Start everything and let the booths in."""
        self.fleet.start()
        store = FleetStore(self.fleet.url)
        for name, booth in self.booths.items():
            booth.join(self.fleet.fleet, store)
            self.links[name] = booth.link()
        store.close()

    def work(self, day: str) -> None:
        """Some people more at every booth, and a report of each kind."""
        for name, booth in self.booths.items():
            booth.passes(self.random.randrange(5, 40), day, self.now, colour=self.random.choice(COLOURS))
            if self.links[name].up:
                for kind in ReportKind:
                    booth.report(self.links[name], kind, self.now)
                    self.reports += 1

    def kill(self) -> None:
        """Kill one process and start it again; a hub's start is a new epoch."""
        victim = self.random.choice(VICTIMS)
        self.kills[victim] = self.kills.get(victim, 0) + 1
        if victim == "hub":
            self.random.choice(list(self.booths.values())).restart_hub()
            return
        self.processes.kill(victim)
        self.processes.again(victim)

    def mend(self) -> None:
        """Start workers again that ended because the database was away, as systemd does."""
        for name, child in list(self.processes.running.items()):
            if name.startswith(("worker", "database")) and child.poll() is not None:
                self.processes.again(name)

    def settle(self) -> dict[str, str]:
        """Let the booths say all once more; what still differs from the truth after a while."""
        until(lambda: all(listening(booth.port) for booth in self.booths.values()), "the booths' brokers")
        until(lambda: all(link.up for link in self.links.values()), "the hubs' links")
        deadline, wrong = time.monotonic() + 60, {"all": "nothing has come"}
        while wrong and time.monotonic() < deadline:
            self.mend()
            for name, booth in self.booths.items():
                for kind in ReportKind:
                    booth.report(self.links[name], kind, self.now)
                    self.reports += 1
            end = time.monotonic() + 2.0
            while wrong and time.monotonic() < end:
                self.mend()
                with suppress(LeftfieldError):
                    wrong = self.wrong()
                time.sleep(0.05)
        return wrong

    def wrong(self) -> dict[str, str]:
        """What the database holds otherwise than the booths counted."""
        store = FleetStore(self.fleet.url)
        try:
            rows = store.rows(days=4000)
        finally:
            store.close()
        found: dict[str, str] = {}
        for row in rows:
            truth = {
                (day, what): number // 5 * 5 if what in _FIVES else number
                for day, counts in self.booths[row.booth].days.items()
                for what, number in counts.items()
            }
            held = {(day, what): n for day, counts in row.counts.items() for what, n in counts.items()}
            if truth != held:
                found[row.booth] = f"{held} instead of {truth}"
        whole, left_out = merged_baseline(rows)
        truths = [coarse(booth.baseline.state()) for booth in self.booths.values()]
        sums = merged(merged(truths[0], truths[1]), truths[2])
        if left_out or whole.people != sums.people or (whole.pairs != sums.pairs).any():
            found["baseline"] = f"{whole.people} people instead of {sums.people}, left out {left_out}"
        return found

    def close(self) -> None:
        """End everything."""
        for link in self.links.values():
            link.stop()
        self.processes.close()


def run(directory: Path, *, kills: int, seed: int, rounds: int = 2, progress: bool = False) -> Outcome:
    """``kills`` kills, ``rounds`` rounds of work between two of them."""
    began, made = time.monotonic(), Run(directory, seed)
    try:
        made.start()
        day = time.strftime("%Y-%m-%d", time.gmtime(made.now))
        for number in range(kills):
            for _ in range(rounds):
                made.work(day)
                made.mend()
                time.sleep(0.05)
            made.kill()
            if progress:
                sys.stderr.write(f"\r{number + 1} of {kills} kills, {made.reports} reports ")
        wrong = made.settle()
        people = sum(counts["people"] for booth in made.booths.values() for counts in booth.days.values())
    finally:
        made.close()
    return Outcome(
        kills=made.kills, reports=made.reports, people=people, wrong=wrong, seconds=time.monotonic() - began
    )


def main() -> int:
    """Run from the command line; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="lf-fleet-"))
    try:
        outcome = run(directory, kills=given.kills, seed=given.seed, progress=True)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(json.dumps(asdict(outcome), indent=1))
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
