"""A booth of real processes to break: mosquitto, WATCH, one unit's RELAY, and a SENSE that the test plays."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.demo.places import free_port, listening
from appliance.enrol import Listeners, UnitHome, create_booth, enrol_unit, mosquitto, write_unit_config
from appliance.protocol.sign import Sealer
from appliance.protocol.values import (
    TIME_STEP,
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
from appliance.unit.pipe.record import record_of

PATIENCE: Final = 40.0
BOOTH, UNIT = BoothId("booth"), UnitId("north")
PLAIN = AttributeVector.of(top_colour="red")


def until(met: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return once ``met``."""
    deadline = time.monotonic() + patience
    while not met():
        assert time.monotonic() < deadline, f"{what} did not come about in {patience:.0f} s"
        time.sleep(0.02)


class RealBooth:
    """Everything in ``directory``; nothing runs until it is started. ``via`` is a port RELAY goes by instead."""

    def __init__(
        self,
        directory: Path,
        *,
        via: int | None = None,
        port: int = 0,
        spool: Path | None = None,
        database: Path | None = None,
        ws_port: int = 0,
    ) -> None:
        self.directory = directory
        self.port = port or free_port(set())
        listeners = Listeners(mqtt_port=self.port, mqtt_address="127.0.0.1", wss_port=0, ws_port=ws_port)
        self.booth = create_booth(directory / "booth", BOOTH, listeners=listeners)
        home = UnitHome(directory=directory / "unit")
        self.unit_broker = address = enrol_unit(self.booth, home, UNIT, place="north corner")
        self.pipe, self.spool, self.unit_config = (
            directory / "pipe",
            spool or directory / "spool",
            home.config,
        )
        os.mkfifo(self.pipe)
        settings = UnitConfig(
            booth=BOOTH,
            unit=UNIT,
            broker=replace(address, port=via or address.port),
            camera=CameraConfig(source="none.avi"),
            pipe=self.pipe,
            spool=self.spool,
            public_key=home.public_key(),
            hub_key=self.booth.hub_key(),
            prior=directory / "hub.prior",
        )
        write_unit_config(self.unit_config, settings)
        self._sealer = Sealer(private_key=(home.credentials / "signing.key").read_bytes(), booth=BOOTH)
        self.pipe_end = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        self.database = database or directory / "hub.sqlite"
        self.hub_config = directory / "hub.toml"
        self.hub_config.write_text(self._hub_toml())
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._booted = int(time.time() - 20 * 86_400) // TIME_STEP
        self.sealed = 0
        self.cloned = 0
        """Sealed by another holder of the key, under numbers that were used."""

    def _hub_toml(self) -> str:
        broker = self.booth.hub_broker
        return f"""
[hub]
booth = "{BOOTH}"
register = "{self.booth.register}"
prior_key = "{self.booth.prior_key}"
signing_key = "{self.directory / "hub.key"}"
database = "{self.database}"
[broker]
host = "{broker.host}"
port = {broker.port}
ca = "{broker.ca}"
certificate = "{broker.certificate}"
key = "{broker.key}"
"""

    def start(self, *names: str) -> None:
        """Start ``broker``, ``hub`` or ``relay``."""
        leftfield = [sys.executable, "-m", "appliance.cli"]
        commands = {
            "broker": [str(mosquitto()), "-c", str(self.booth.broker_config)],
            "hub": [*leftfield, "watch", "--config", str(self.hub_config)],
            "relay": [*leftfield, "relay", "--config", str(self.unit_config)],
        }
        for name in names:
            with (self.directory / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(commands[name], stderr=log)
            if name == "broker":
                until(lambda: listening(self.port), "the broker")

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """End one; its exit code."""
        child = self.running.pop(name)
        child.send_signal(number)
        return child.wait(PATIENCE)

    def log(self, name: str) -> str:
        """What a process has said so far."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def envelope(
        self,
        number: int,
        *,
        epoch: int = 1,
        vector: AttributeVector = PLAIN,
        ago: float = 0.0,
        ahead: int = 0,
    ) -> bytes:
        """The sealed statement ``number`` of what was seen ``ago`` seconds ago; its wall clock ``ahead``."""
        wall = int(time.time() - ago) // TIME_STEP
        seen = PhenomenonTime(uptime=Steps(wall - self._booted), wall=Steps(wall + ahead // TIME_STEP))
        one = Observation(unit=UNIT, epoch=Epoch(epoch), seq=Seq(number), seen=seen, vector=vector)
        return self._sealer.seal(one)

    def say(self, count: int) -> None:
        """So many more statements into the pipe; what does not fit is not sealed."""
        with suppress(BlockingIOError):
            for _ in range(count):
                os.write(self.pipe_end, record_of(self.envelope(self.sealed)))
                self.sealed += 1

    def spooled(self, count: int) -> None:
        """So many more statements into the spool, while RELAY does not run: four a second, until now."""
        spool = Spool(self.spool, 200_000)
        spool.append(
            [self.envelope(self.sealed + number, ago=(count - number) / 4) for number in range(count)]
        )
        spool.close()
        self.sealed += count

    def waiting(self) -> int:
        """How many records are on the unit's disk; only while RELAY does not run."""
        spool = Spool(self.spool, 200_000)
        try:
            return len(spool)
        finally:
            spool.close()

    def counted(self, what: str = "admitted", *, of: str = f"{UNIT}/%") -> int:
        """A count of the hub's door for this unit (or those like ``of``), as stored: admitted or repeated."""
        if not self.database.exists():
            return 0
        with closing(sqlite3.connect(self.database, timeout=10)) as database, suppress(sqlite3.Error):
            rows = database.execute(f"SELECT {what} FROM door WHERE unit LIKE ?", (of,)).fetchall()  # noqa: S608 - our own words
            return sum(number for (number,) in rows)
        return 0

    def refused(self) -> dict[int, int]:
        """What the hub refused, by rule."""
        with closing(sqlite3.connect(self.database, timeout=10)) as database:
            return dict(database.execute("SELECT rule, sum(number) FROM refused GROUP BY rule").fetchall())

    def close(self) -> None:
        """End everything."""
        for child in self.running.values():
            child.kill()
            child.wait()
        os.close(self.pipe_end)
