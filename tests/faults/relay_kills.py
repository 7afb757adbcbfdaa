"""RELAY killed again and again while records stream in: what is lost, what is kept twice.

A real RELAY, a real pipe that outlives it (as under systemd), no broker: all that crossed the pipe must be in the
spool, once. ``python -m tests.faults.relay_kills --kills 150`` prints the figures.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.demo.places import free_port
from appliance.enrol import Listeners, UnitHome, create_booth, enrol_unit, write_unit_config
from appliance.protocol.sign import Sealer
from appliance.protocol.values import (
    AttributeVector,
    BoothId,
    Epoch,
    Observation,
    PhenomenonTime,
    Seq,
    Steps,
    UnitId,
)
from appliance.settings.config import CameraConfig, UnitConfig
from appliance.unit.outbox.spool import Spool
from appliance.unit.pipe.record import PipeReader, record_of

BOOTH, UNIT = BoothId("demo"), UnitId("north")
SPREAD_SECONDS: Final = 0.04
"""A kill comes so long after RELAY is ready at most: reading, checking and syncing the first records takes half."""
PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What came of it."""

    kills: int
    sealed: int
    spooled: int
    lost: int
    doubled: int


class Line:
    """One unit's pipe and RELAY in ``directory``; its broker is away."""

    def __init__(self, directory: Path) -> None:
        listeners = Listeners(mqtt_port=free_port(set()), mqtt_address="127.0.0.1", wss_port=0)
        booth = create_booth(directory / "booth", BOOTH, listeners=listeners)
        home = UnitHome(directory=directory / "unit")
        address = enrol_unit(booth, home, UNIT, place="north corner")
        self.spool, pipe, self._config = directory / "spool", directory / "pipe", home.config
        os.mkfifo(pipe)
        settings = UnitConfig(
            booth=BOOTH,
            unit=UNIT,
            broker=address,
            camera=CameraConfig(source="none.avi"),
            pipe=pipe,
            spool=self.spool,
            public_key=home.public_key(),
        )
        write_unit_config(home.config, settings)
        self._sealer = Sealer(private_key=(home.credentials / "signing.key").read_bytes(), booth=BOOTH)
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self.sealed = 0

    def fill(self) -> None:
        """As many records into the pipe as it takes."""
        seen = PhenomenonTime(uptime=Steps(1), wall=None)
        vector = AttributeVector.of(top_colour="red")
        with suppress(BlockingIOError):
            while True:
                one = Observation(unit=UNIT, epoch=Epoch(1), seq=Seq(self.sealed), seen=seen, vector=vector)
                os.write(self._pipe, record_of(self._sealer.seal(one)))
                self.sealed += 1

    def live(self, *before: str) -> subprocess.Popen[str]:
        """A RELAY that has just begun to read, started by the command ``before``."""
        command = [*before, sys.executable, "-m", "appliance.cli", "relay", "--config", str(self._config)]
        relay = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert relay.stderr
        for line in relay.stderr:
            if "pipe open" in line:
                return relay
        raise AssertionError("RELAY did not start")

    def left(self) -> list[bytes]:
        """The envelopes that still lie in the pipe; taken out."""
        stream = b""
        with suppress(BlockingIOError):
            while True:
                stream += os.read(self._pipe, 65536)
        return list(PipeReader().envelopes_in(stream)[0])

    def kept(self) -> list[bytes]:
        """The envelopes in the spool."""
        spool = Spool(self.spool, 1_000_000)
        found = [one.envelope for one in spool.waiting(0, 1_000_000)]
        spool.close()
        return found

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._pipe)


def kill_relay(directory: Path, kills: int, seed: int) -> Toll:
    """Kill RELAY ``kills`` times, let the last one end in order, and count."""
    line, dice = Line(directory), random.Random(seed)  # noqa: S311 - seeded on purpose
    for life in range(kills + 1):
        line.fill()
        relay = line.live()
        until = time.perf_counter() + dice.uniform(0, SPREAD_SECONDS)
        while time.perf_counter() < until:  # a busy wait hits finer instants than a timer does
            pass
        relay.send_signal(signal.SIGKILL if life < kills else signal.SIGTERM)
        relay.communicate(timeout=PATIENCE)
    found = Counter([*line.kept(), *line.left()])
    spooled = len(line.kept())
    line.close()
    return Toll(
        kills=kills,
        sealed=line.sealed,
        spooled=spooled,
        lost=line.sealed - len(found),
        doubled=found.total() - len(found),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(kill_relay(Path(place), options.kills, options.seed))
