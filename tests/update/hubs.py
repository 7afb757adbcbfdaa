"""A hub that offers, with real certificates, over a loopback; and two units of it."""

from __future__ import annotations

import contextlib
import http.server
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance import enrol
from appliance.update import fetch, release
from appliance.update.fetch import Hub
from appliance.update.offer import OfferConfig, Server
from appliance.update.release import Machine
from tests.update.releases import NOW, PUBLIC

HERE = Machine(role="unit", arch="amd64", version="1.0")


@dataclass
class Booth:
    """A hub that offers, and two units of it."""

    directory: enrol.BoothDirectory
    settings: OfferConfig
    hubs: dict[str, Hub]

    def ask(self, unit: str, machine: Machine = HERE, *, on_trial: bool = False) -> release.Release | None:
        found = fetch.ask(self.hubs[unit], machine, on_trial=on_trial, public_key=PUBLIC, now=NOW)
        return found[1] if found else None


def serve(server: http.server.HTTPServer) -> Callable[[], None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


@contextlib.contextmanager
def booth_in(tmp_path: Path) -> Iterator[Booth]:
    directory = enrol.create_booth(tmp_path / "hub", "corner", ("127.0.0.1",))
    homes = {name: enrol.UnitHome(directory=tmp_path / name) for name in ("north", "south")}
    for name, home in homes.items():
        enrol.enrol_unit(directory, home, name, place=name)
    database = tmp_path / "hub.sqlite"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE window (unit TEXT, epoch INTEGER, admitted INTEGER)")
        rows = [("north/00", 1, 40), ("north/00", 2, 2), ("south/00", 9, 7), ("northern/00", 2, 100)]
        db.executemany("INSERT INTO window VALUES (?, ?, ?)", rows)
    keys = directory.broker_directory
    settings = OfferConfig(
        bundles=tmp_path / "bundles", register=directory.register, database=database, ca=directory.ca,
        certificate=keys / "broker.pem", key=keys / "broker.key", host="127.0.0.1", port=0,
    )  # fmt: skip
    server = Server(settings)
    stop = serve(server)
    port = int(server.server_address[1])
    hubs = {
        name: Hub(
            host="127.0.0.1", port=port, ca=home.link / "ca.pem", certificate=home.link / "unit.pem",
            key=home.link / "tls.key",
        )
        for name, home in homes.items()
    }  # fmt: skip
    try:
        yield Booth(directory, settings, hubs)
    finally:
        stop()
