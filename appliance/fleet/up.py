"""A whole fleet on one machine: broker, database, workers, page; started in order, restarted when they end.

Invariants:
    * Everything lies in the fleet's directory, and everything ends with this process, however it ends.
    * A part that ends is started again after ``AGAIN_SECONDS``; what was not acknowledged waits in the broker.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.base.errors import Unavailable, Unfit
from appliance.base.systemd import Notifier, log, stop_requested
from appliance.enrol.broker import mosquitto
from appliance.fleet import postgres
from appliance.fleet.layout import WORKER, FleetDirectory
from appliance.fleet.store import FleetStore

AGAIN_SECONDS: Final = 1.0
STOP_SECONDS: Final = 10.0
START_SECONDS: Final = 30.0
_TIED: Final = ("setpriv", "--pdeathsig", "TERM")
"""Each part is told to end by the kernel when we end (prctl(2), PR_SET_PDEATHSIG)."""


@dataclass(slots=True, kw_only=True)
class _Part:
    name: str
    arguments: list[str]
    environment: dict[str, str]
    running: subprocess.Popen[bytes] | None = None
    ended_at: float = field(default=float("-inf"))

    def keep(self, now: float) -> None:
        """Start it, or start it again."""
        if self.running is not None and self.running.poll() is None:
            return
        if self.running is not None:
            log(
                f"{self.name} ended ({self.running.returncode}); started again in {AGAIN_SECONDS:.0f} s",
                level=4,
            )
            self.running, self.ended_at = None, now
        if now - self.ended_at >= AGAIN_SECONDS:
            self.running = subprocess.Popen(
                [*_TIED, *self.arguments], env=self.environment, stdin=subprocess.DEVNULL
            )

    def stop(self) -> None:
        """End it."""
        if self.running is None:
            return
        self.running.terminate()
        try:
            self.running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()


class FleetUp:
    """The parts of ``fleet``; ``database`` is the address of a server, or empty for one of our own."""

    def __init__(
        self,
        fleet: FleetDirectory,
        *,
        database: str = "",
        page_host: str = "127.0.0.1",
        page_port: int = 8090,
    ) -> None:
        own = fleet.directory / "database"
        self._url = database or postgres.url(own)
        leftfield = [sys.executable, "-m", "appliance.cli", "fleet"]
        shared = ["--directory", str(fleet.directory), "--database", self._url]
        here = dict(os.environ)
        here.pop("NOTIFY_SOCKET", None)
        page = ["--page-host", page_host, "--page-port", str(page_port)]
        self._first = [_part("broker", [str(mosquitto()), "-c", str(fleet.broker_config)], here)]
        if not database:
            postgres.prepare(own)
            self._first.append(_part("database", postgres.command(own), postgres.environment()))
        self._then = [
            *(
                _part(f"{WORKER}{number}", [*leftfield, "worker", "--number", str(number), *shared], here)
                for number in range(1, fleet.workers + 1)
            ),
            _part("page", [*leftfield, "page", *page, *shared], here),
        ]

    def run(self, stopped: Callable[[float], bool]) -> None:
        """Until ``stopped(seconds)``, which waits so long, says so. Unavailable where the database does not start."""
        try:
            self._keep(self._first)
            self._await_database(stopped)
            while not stopped(0.2):
                self._keep([*self._first, *self._then])
        finally:
            for part in reversed([*self._first, *self._then]):
                part.stop()

    def _await_database(self, stopped: Callable[[float], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                FleetStore(self._url).close()
            except Unavailable:
                if time.monotonic() > deadline or stopped(0.1):
                    raise
                self._keep(self._first)
            else:
                return

    @staticmethod
    def _keep(parts: list[_Part]) -> None:
        for part in parts:
            part.keep(time.monotonic())


def _part(name: str, arguments: list[str], environment: dict[str, str]) -> _Part:
    return _Part(name=name, arguments=arguments, environment=environment)


def up(fleet: FleetDirectory, *, database: str, page_host: str, page_port: int) -> int:
    """Run the fleet until told to stop; 0. Unfit where a program lacks."""
    stop = stop_requested()
    notifier = Notifier()
    made = FleetUp(fleet, database=database, page_host=page_host, page_port=page_port)
    notifier.say("READY=1")
    log(
        f"fleet {fleet.fleet}: broker on port {fleet.port}, {fleet.workers} workers, page http://{page_host}:{page_port}/"
    )
    made.run(stop.wait)
    return 0


def own_database(directory: Path) -> str:
    """The address of the fleet's own server. Unfit where there is none."""
    place = directory / "database"
    if not (place / "data" / "PG_VERSION").exists():
        raise Unfit(
            "the fleet has no database of its own",
            where=str(place),
            fix="give --database, or start it once: leftfield fleet up",
        )
    return postgres.url(place)
