"""A booth for the tests: a booted hub and a booted unit from their packages, paired, on the sample video."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.pairing.tries import CodeOnUnit
from appliance.protocol.pairing_code import new_code
from tests.boot.machines import Machine, Network, base_tree, packages, until
from tests.demo.running import street_video

CACHE = Path(os.environ.get("LEFTFIELD_CACHE", Path(__file__).parents[2] / ".cache"))
TURNS = int(os.environ.get("LEFTFIELD_TURNS", "1"))
"""How often the recoveries are tried: more than once for a figure, once in the suite."""


class Booth:
    """A booted hub and a booted, enrolled unit."""

    def __init__(self, hub: Machine, unit: Machine, debs: dict[str, Path]) -> None:
        self.hub, self.unit, self.debs = hub, unit, debs

    def admitted(self) -> int:
        """How many statements of the unit the hub has admitted, as its database has it."""
        database = self.hub.tree / "var/lib/leftfield/hub/hub.sqlite"
        try:
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
                return int(db.execute("SELECT coalesce(sum(admitted), 0) FROM door").fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def pair(self, source: str) -> str:
        """Switch on a unit as flashing leaves it, and type its code on the hub; the hub's answer."""
        code = new_code()
        told = self.unit.tree / "etc/leftfield/pairing.toml"
        told.write_text(f'source = "{source}"\n')
        CodeOnUnit(told.parent).write(code)
        self.unit.shell("systemctl start leftfield-pair")
        until(lambda: code.number in self.hub.show("leftfield-desk", "StatusText"), "the unit at the desk")
        accept = f"leftfield pair accept {code} --name corner-north --place 'north corner' --looks east"
        return self.hub.shell(f"{accept} 2>&1")


@contextmanager
def booted() -> Iterator[Booth]:
    """Both machines, from nothing to the first observation."""
    video = street_video()
    base, debs = base_tree(CACHE), packages(CACHE, "0.9.0")
    network = Network(str(os.getpid() % 100_000))
    folder = CACHE / "boot" / f"run-{os.getpid()}"
    machines = [
        Machine(name, folder / name, base, network.names[name], hostname)
        for name, hostname in (("hub", "corner"), ("unit", "corner-north"))
    ]
    hub, unit = machines
    shutil.copy(video, unit.tree / "usr/share/street.avi")
    try:
        for machine in machines:
            machine.boot()
            machine.install(debs[machine.name])
        one = Booth(hub, unit, debs)
        assert "corner-north is paired" in one.pair("/usr/share/street.avi")
        until(lambda: unit.show("leftfield-sense", "StatusText").startswith("watching"), "SENSE watching")
        until(lambda: unit.show("leftfield-sense", "ActiveState") == "active", "SENSE sealed and ready")
        yield one
    finally:
        for machine in machines:
            machine.stop()
        network.close()
        shutil.rmtree(folder, ignore_errors=True)
