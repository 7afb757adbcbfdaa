"""A fleet of real processes to break: PostgreSQL, the fleet's mosquitto, workers, and booths with a broker each."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from appliance.base.errors import Unavailable
from appliance.demo.places import free_port, listening
from appliance.enrol import Listeners, create_booth, mosquitto
from appliance.enrol import bridge as bridges
from appliance.enrol.layout import load_authority, write_rights
from appliance.fleet import layout, postgres
from appliance.fleet.store import FleetStore
from appliance.hub.fleet_publisher import FleetPublisher, FleetView
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.mqtt import Link
from appliance.protocol import sign
from appliance.protocol.fleet_report import ReportKind
from appliance.protocol.values import AttributeVector, BoothId, Seconds, UnitId
from appliance.settings import config
from tests.faults.real_booth import until

PATIENCE: Final = 60.0
COLOURS: Final = ("red", "blue", "black", "white")


def view_of(baseline: Baseline, days: dict[str, dict[str, int]], needs: int = 0) -> FleetView:
    """What a hub with this baseline and these counts would report."""
    return FleetView(
        baseline=baseline.state(),
        days=days,
        units=(),
        changes=(),
        needs=needs,
    )


class Processes:
    """Named processes with a log each, to be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, tuple[list[str], dict[str, str] | None]] = {}

    def start(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        """Start one, whose command is kept for ``again``."""
        self._commands[name] = command, environment
        with (self.directory / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def again(self, name: str) -> None:
        """Start one that has ended, as before."""
        self.start(name, *self._commands[name])

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one and wait for its end."""
        child = self.running[name]
        child.send_signal(number)
        child.wait(PATIENCE)

    def close(self) -> None:
        """End all."""
        for child in self.running.values():
            child.kill()
        for child in self.running.values():
            child.wait()


class RealBooth:
    """One booth's broker, joined to a fleet, and the hub's client, which reports what the test makes up."""

    def __init__(self, directory: Path, name: str, processes: Processes) -> None:
        self.name = BoothId(name)
        self.port = free_port(set())
        listeners = Listeners(mqtt_port=self.port, mqtt_address="127.0.0.1", wss_port=0)
        self.booth = create_booth(directory, name, listeners=listeners)
        self.key = self.booth.prior_key.read_bytes()
        self._processes = processes
        self.baseline = Baseline()
        self.days: dict[str, dict[str, int]] = {}
        self._epoch = 0
        self.restart_hub()

    @property
    def process(self) -> str:
        """What its broker is called among the processes."""
        return f"broker-{self.name}"

    def join(self, fleet: layout.FleetDirectory, store: FleetStore) -> None:
        """Ask, be answered, join, and start the broker."""
        place = self.booth.broker_directory
        asked = layout.read_booth(fleet, bridges.ask(place, self.name, fleet.fleet, self.key))
        store.add_booth(BoothId(asked.unit), asked.public_key)
        bridges.join(place, self.name, layout.answer_to(fleet, asked))
        write_rights(self.booth, load_authority(self.booth), config.register(self.booth.register))
        self._processes.start(self.process, [str(mosquitto()), "-c", str(self.booth.broker_config)])
        until(lambda: listening(self.port), "the booth's broker")

    def link(self) -> Link:
        """The hub's connection to its broker."""
        link = Link(address=self.booth.hub_broker, name="hub")
        link.start()
        return link

    def restart_hub(self) -> None:
        """A new start of the hub: its reports count from 0 again."""
        self._epoch += 1
        signing = sign.public_key_of(self.booth.signing_key.read_bytes())
        self.publisher = FleetPublisher(
            booth=self.name,
            home=bridges.home_name(self.name, signing),
            private_key=self.key,
            epoch=self._epoch,
        )

    def passes(self, people: int, day: str, now: Seconds, *, colour: str = "red") -> None:
        """So many people more, a third of whom is flagged and gets a gift."""
        vector = AttributeVector.of(top_colour=colour)
        for _ in range(people):
            self.baseline.update(vector, UnitId("north"), now)
        counts = self.days.setdefault(day, {})
        for what, number in (("people", people), ("alerts", people // 3), ("gifted", people // 3)):
            counts[what] = counts.get(what, 0) + number

    def report(self, link: Link, kind: ReportKind, now: Seconds) -> int:
        """Publish one report; its ticket."""
        told = self.publisher.telling(kind, view_of(self.baseline, self.days), now)
        return link.publish(told.topic, told.payload, retain=False)


class RealFleet:
    """The fleet's own processes in ``directory``; ``workers`` of them are started by ``start``."""

    def __init__(self, directory: Path, processes: Processes, *, workers: int = 2) -> None:
        self.processes = processes
        port = free_port(set())
        self.fleet = layout.create_fleet(directory, "city", "127.0.0.1", port=port, workers=workers)
        self.database = directory / "database"
        postgres.prepare(self.database)
        self.url = postgres.url(self.database)

    def start(self) -> None:
        """Start everything, in order."""
        self.processes.start("database", postgres.command(self.database), postgres.environment())
        self.processes.start("broker", [str(mosquitto()), "-c", str(self.fleet.broker_config)])
        until(lambda: listening(self.fleet.port), "the fleet's broker")
        until(self.answers, "the database")
        for number in range(1, self.fleet.workers + 1):
            self.processes.start(f"worker-{number}", self.worker(number))

    def worker(self, number: int) -> list[str]:
        """A worker's command line, in a loop as systemd would have it."""
        words = [sys.executable, "-m", "appliance.cli", "fleet", "worker", "--number", str(number)]
        return [*words, "--directory", str(self.fleet.directory), "--database", self.url]

    def answers(self) -> bool:
        """Whether the database lets us in."""
        try:
            FleetStore(self.url).close()
        except Unavailable:  # away, starting, or mended after a kill
            return False
        return True
