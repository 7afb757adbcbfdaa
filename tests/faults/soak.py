"""A long night: ``python -m tests.faults.soak [--seconds 7200] [--units 50] [--busy 8] [--rate 3.5] [--tablets 99]``.

A real broker and a real WATCH. All units say a heartbeat every ten seconds, ``--busy`` of them ``--rate``
observations a second (more than four a second of one unit the hub admits for a quarter of an hour only, decision 34).
Each tablet is a link of its own that hears board and alerts. Every ten seconds memory, descriptors and database are
looked at; the last lines are what was lost and how fast each of them grew, by least squares over the second half.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from appliance.demo.observers.headless_tablet import HeadlessTablet
from appliance.demo.places import free_port
from appliance.demo.street.simulated_unit import SimulatedUnit
from appliance.enrol import UnitHome, enrol_unit
from appliance.enrol.booth import add_tablet
from appliance.mqtt import Link
from appliance.protocol import topics
from appliance.protocol.sign import Sealer
from appliance.protocol.values import BoothId, Epoch, Seconds, TabletId, UnitId
from tests.faults.real_booth import BOOTH, RealBooth, until
from tests.hub.corner import Crowd

_LOOK_SECONDS: Final = 10.0
_BEAT_SECONDS: Final = 10.0
_ALL: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """At ``at`` seconds: memory (KiB) and descriptors of WATCH and broker, bytes of database and log."""

    at: float
    hub_kib: int
    hub_descriptors: int
    broker_kib: int
    broker_descriptors: int
    database: int


class Unit:
    """A unit whose link is in this process; what it said is counted."""

    def __init__(self, booth: Any, directory: Path, name: str) -> None:
        home = UnitHome(directory=directory / name)
        address = enrol_unit(booth, home, UnitId(name), place=f"{name} corner")
        key = (home.credentials / "signing.key").read_bytes()
        self._unit = SimulatedUnit(
            unit=UnitId(name), sealer=Sealer(private_key=key, booth=BOOTH), epoch=Epoch(1),
            booted_at=Seconds(time.time() - 3600),
        )  # fmt: skip
        self._topic = topics.observation(BoothId(BOOTH), UnitId(name))
        self.link = Link(address=address, name=name)
        self.said = 0

    def see(self, crowd: Crowd) -> None:
        """Somebody passes."""
        now = Seconds(time.time())
        self._say(self._unit.observation(crowd.person(), now))

    def beat(self) -> None:
        """A heartbeat."""
        self._say(self._unit.heartbeat(Seconds(time.time())))

    def _say(self, statement: Any) -> None:
        self.link.publish(self._topic, self._unit.seal(statement))
        self.said += 1


def look(booth: RealBooth, at: float) -> Look:
    """How the processes are now."""

    def of(name: str) -> tuple[int, int]:
        place = Path(f"/proc/{booth.running[name].pid}")
        kib = next(line for line in (place / "status").read_text().splitlines() if line.startswith("VmRSS"))
        return int(kib.split()[1]), len(list((place / "fd").iterdir()))

    files = [booth.database, Path(f"{booth.database}-wal")]
    (hub, hub_fds), (broker, broker_fds) = of("hub"), of("broker")
    return Look(
        at=at, hub_kib=hub, hub_descriptors=hub_fds, broker_kib=broker, broker_descriptors=broker_fds,
        database=sum(one.stat().st_size for one in files if one.exists()),
    )  # fmt: skip


def slopes(looks: list[Look]) -> dict[str, float]:
    """What each figure grew in an hour, over the second half."""
    half = [asdict(one) for one in looks[len(looks) // 2 :]]
    if len(half) < 3:
        return {}
    at = np.array([one["at"] for one in half]) / 3600.0
    return {
        key: round(float(np.polyfit(at, np.array([one[key] for one in half], dtype=float), 1)[0]), 1)
        for key in half[0]
        if key != "at"
    }


def soak(directory: Path, given: argparse.Namespace) -> dict[str, Any]:
    """The night, and what came of it."""
    port, ws_port = free_port(set()), free_port(set())
    booth = RealBooth(directory, port=port, ws_port=ws_port)
    units = [Unit(booth.booth, directory, f"unit-{number}") for number in range(given.units)]
    names = [f"tablet-{number}" for number in range(given.tablets)]
    passwords = {name: add_tablet(booth.booth, name) for name in names}
    booth.start("broker", "hub")
    until(lambda: "broker connected" in booth.log("hub"), "the hub's link")
    tablets = [
        HeadlessTablet(booth=BOOTH, name=TabletId(name), password=password, ws_port=ws_port)
        for name, password in passwords.items()
    ]
    for tablet in tablets:
        tablet.start()
    for one in units:
        one.link.start()
    until(lambda: all(one.link.up for one in units), "the units' links", 300.0)
    looks = _night(booth, units, tablets, given)
    said = sum(one.said for one in units)
    begun = time.monotonic()
    while _counted(booth, "admitted") < said and time.monotonic() < begun + _ALL:
        time.sleep(1.0)
    last, admitted = look(booth, given.seconds), _counted(booth, "admitted")
    refused = booth.refused()
    for one in units:
        one.link.stop()
    for tablet in tablets:
        tablet.stop()
    booth.stop("hub")
    booth.close()
    return {
        "seconds": given.seconds, "units": given.units, "tablets": given.tablets, "sealed": said,
        "admitted": admitted, "lost": said - admitted - sum(refused.values()), "refused": refused,
        "boards_heard": sum(one.board is not None for one in tablets), "first": asdict(looks[0]),
        "last": asdict(last), "an_hour": slopes(looks),
    }  # fmt: skip


def _night(
    booth: RealBooth, units: list[Unit], tablets: list[HeadlessTablet], given: argparse.Namespace
) -> list[Look]:
    crowd, dice, looks = Crowd(), random.Random(1), list[Look]()  # noqa: S311 - seeded on purpose
    begun = look_at = beat_at = time.monotonic()
    for number in itertools.count():
        now = time.monotonic()
        if now >= begun + given.seconds:
            return looks
        if now >= beat_at:
            beat_at += _BEAT_SECONDS
            for one in units:
                one.beat()
        if now >= look_at:
            look_at += _LOOK_SECONDS
            looks.append(look(booth, now - begun))
            print(json.dumps(asdict(looks[-1])), file=sys.stderr, flush=True)
            for tablet in tablets:
                tablet.turn(now)
        dice.choice(units[: given.busy]).see(crowd)
        time.sleep(max(0.0, begun + (number + 1) / (given.rate * given.busy) - time.monotonic()))
    return looks


def _counted(booth: RealBooth, what: str) -> int:
    return booth.counted(what, of="%")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=7200.0)
    parser.add_argument("--units", type=int, default=50)
    parser.add_argument("--busy", type=int, default=8)
    parser.add_argument("--rate", type=float, default=3.5)
    parser.add_argument("--tablets", type=int, default=100)
    with tempfile.TemporaryDirectory() as place:
        told = soak(Path(place), parser.parse_args())
    print(json.dumps(told, indent=1))
    sys.exit(int(told["lost"] != 0))
