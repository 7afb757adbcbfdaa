"""Many units on one hub, with a real broker, a real WATCH and a connection for each unit.

    python -m tests.bench.bench_mall [--units 200] [--seconds 60] [--people 10]

Each unit says ``--people`` observations a minute and a heartbeat every five seconds. Told: whether all of it was
admitted, how far the hub was behind at the end, and what hub and broker cost.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from appliance.enrol import UnitHome, enrol_unit
from appliance.mqtt import Link
from appliance.protocol import topics
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.sign import Sealer
from appliance.protocol.values import (
    TIME_STEP,
    AttributeVector,
    Epoch,
    Heartbeat,
    Observation,
    PhenomenonTime,
    Seq,
    Steps,
    UnitId,
)
from tests.faults.real_booth import BOOTH, RealBooth, until
from tests.hub.corner import Crowd

BEAT = 5.0
TICKS = os.sysconf("SC_CLK_TCK")
HEALTH = Health(
    state=UnitState.WATCHING, source=SourceKind.CAMERA, accelerator=Accelerator.CPU, boxed=True, fps=12
)


@dataclass
class Unit:
    """One unit that seals and publishes by itself."""

    name: UnitId
    sealer: Sealer
    link: Link
    booted: int
    seq: int = 0
    waiting: int = 0

    def say(self, vector: AttributeVector | None) -> None:
        """An observation, or a heartbeat."""
        wall = int(time.time()) // TIME_STEP
        seen = PhenomenonTime(uptime=Steps(wall - self.booted), wall=Steps(wall))
        number = {"unit": self.name, "epoch": Epoch(1), "seq": Seq(self.seq), "seen": seen}
        one = Heartbeat(**number, health=HEALTH) if vector is None else Observation(**number, vector=vector)
        self.link.publish(topics.observation(BOOTH, self.name), self.sealer.seal(one), retain=False)
        self.seq += 1


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(int(one) for one in fields[11:13]) / TICKS


def _memory(pid: int) -> float:
    """Resident memory in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _admitted(booth: RealBooth) -> int:
    with closing(sqlite3.connect(booth.database, timeout=10)) as database:
        return sum(number for (number,) in database.execute("SELECT admitted FROM door"))


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--people", type=float, default=10.0, help="observations a minute and unit")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lf-mall-") as folder:
        booth = RealBooth(Path(folder))
        homes = [UnitHome(directory=Path(folder) / f"u{n}") for n in range(given.units)]
        addresses = [
            enrol_unit(booth.booth, home, f"u{n}", place=f"place {n}") for n, home in enumerate(homes)
        ]
        booted = int(time.time() - 20 * 86_400) // TIME_STEP
        booth.start("broker", "hub")
        units = [
            Unit(
                name=UnitId(f"u{n}"),
                sealer=Sealer(private_key=(home.credentials / "signing.key").read_bytes(), booth=BOOTH),
                link=Link(address=address, name=f"u{n}"),
                booted=booted,
            )
            for n, (home, address) in enumerate(zip(homes, addresses, strict=True))
        ]
        for unit in units:
            unit.link.start()
        until(lambda: all(unit.link.up for unit in units), "every unit's link", 120)
        _run(booth, units, given)
        for unit in units:
            unit.link.stop()
        booth.close()


def _run(booth: RealBooth, units: list[Unit], given: argparse.Namespace) -> None:
    crowd = Crowd()
    hub, broker = booth.running["hub"].pid, booth.running["broker"].pid
    began, before = time.monotonic(), (_cpu(hub), _cpu(broker))
    beats = [began + BEAT * place / len(units) for place in range(len(units))]
    every = 60.0 / given.people
    people = [began + every * place / len(units) for place in range(len(units))]
    while (now := time.monotonic()) < began + given.seconds:
        for place, unit in enumerate(units):
            if now >= beats[place]:
                unit.say(None)
                beats[place] += BEAT
            if now >= people[place]:
                unit.say(crowd.person())
                people[place] += every
        time.sleep(0.02)
    said, seconds = sum(unit.seq for unit in units), time.monotonic() - began
    used = _cpu(hub) - before[0], _cpu(broker) - before[1]
    until(lambda: _admitted(booth) >= said, "the last statement", 120)
    behind = time.monotonic() - began - seconds
    print(
        json.dumps(
            {
                "units": len(units),
                "statements_per_second": round(said / seconds, 1),
                "said": said,
                "admitted": _admitted(booth),
                "hub_behind_at_the_end_s": round(behind, 1),
                "hub_share_of_a_core": round(used[0] / seconds, 3),
                "broker_share_of_a_core": round(used[1] / seconds, 3),
                "hub_MiB": round(_memory(hub)),
                "broker_MiB": round(_memory(broker)),
            }
        )
    )


if __name__ == "__main__":
    main()
