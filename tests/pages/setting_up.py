"""A booth of real processes for setting a camera up: broker, WATCH, RELAY, SENSE behind its walls, the page server.

What systemd does on a unit (count the epoch, hand credentials in, carry orders out, start the next) a thread does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.enrol import UnitHome, enrol_unit, write_unit_config
from appliance.enrol.files import write_hub_config
from appliance.pages.server import PageServer
from appliance.pages.visit import PagesConfig
from appliance.protocol.values import UnitId
from appliance.settings.config import CameraConfig, HubConfig, UnitConfig
from appliance.settings.notice import NoticeConfig
from tests.pages.stage import BOOTH, Broker

UNIT: Final = UnitId("corner-north")
LEFTFIELD: Final = (sys.executable, "-m", "appliance.cli")


class RealUnit:
    """One unit and its hub. ``source`` is the video that its camera sees, again and again."""

    def __init__(self, directory: Path, source: Path) -> None:
        self.directory = directory
        self.broker = Broker(directory)
        self.home = UnitHome(directory=directory / "unit")
        address = enrol_unit(self.broker.booth, self.home, UNIT, place="north corner")
        register = self.broker.booth.register
        register.write_text(
            register.read_text().replace(
                'place = "north corner"', 'place = "north corner"\nlooks = "north-east"'
            )
        )
        os.mkfifo(directory / "pipe")
        config = UnitConfig(
            booth=BOOTH,
            unit=UNIT,
            broker=address,
            camera=CameraConfig(source=str(source), repeat=True),
            accelerator="cpu",
            pipe=directory / "pipe",
            spool=directory / "spool",
            public_key=self.home.public_key(),
            hub_key=self.broker.booth.hub_key(),
            prior=directory / "hub.prior",
            matrix=directory / "camera.matrix",
            order=directory / "order",
            zones=directory / "camera.zones",
        )
        write_unit_config(self.home.config, config)
        self.config = config
        notice = NoticeConfig(
            controller="Us", contact="here", legal_basis="consent", state=directory / "public.json"
        )
        hub = HubConfig(
            booth=BOOTH,
            broker=self.broker.booth.hub_broker,
            register=self.broker.booth.register,
            database=directory / "hub.sqlite",
            prior_key=self.broker.booth.prior_key,
            notice=notice,
        )
        write_hub_config(directory / "hub.toml", hub)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.carried_out: list[dict[str, object]] = []
        self.next = "leftfield-sense.service"
        self._stop = threading.Event()
        self._systemd = threading.Thread(target=self._be_systemd, daemon=True)

    def start(self) -> None:
        """Everything."""
        self.broker.start()
        self._run("watch", "watch", "--config", str(self.directory / "hub.toml"))
        self._run("relay", "relay", "--config", str(self.home.config))
        self._systemd.start()
        self.pages = PageServer(
            PagesConfig(
                booth=BOOTH,
                host="127.0.0.1",
                port=0,
                ws_port=self.broker.ws_port,
                wss_port=self.broker.wss_port,
                hub_config=self.directory / "hub.toml",
            )
        )
        threading.Thread(target=self.pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _run(self, name: str, *words: str, **more: str) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen([*LEFTFIELD, *words], stderr=log, env=os.environ | more)

    def _be_systemd(self) -> None:
        """Orders are carried out as they come, and something sees at any time."""
        stamp = 0
        while not self._stop.is_set():
            fresh = self.config.order.stat().st_mtime_ns if self.config.order.exists() else 0
            if fresh != stamp:
                stamp = fresh
                self.carry_out(self.config.order)
            seeing = self.running.get("seeing")
            if seeing is None or seeing.poll() is not None:
                service, self.next = self.next, "leftfield-sense.service"
                self._see(service)
            time.sleep(0.05)

    def carry_out(self, order: Path) -> str:
        """As leftfield-setup.service does; what it said on standard error."""
        words = ["aim", "carry-out", "--config", str(self.home.config), "--order", str(order), "--no-systemd"]
        minutes = str(self.home.credentials / "minutes")
        done = subprocess.run(
            [*LEFTFIELD, *words, "--minutes-to", minutes, "--json"], capture_output=True, check=False
        )
        if done.returncode == 0:
            told = json.loads(done.stdout)
            self.carried_out.append(told)
            self.next = str(told["next"])
            self.running["seeing"].terminate()
        return done.stderr.decode()

    def _see(self, service: str) -> None:
        subprocess.run(
            [*LEFTFIELD, "epoch", "--directory", str(self.home.directory)], check=True, capture_output=True
        )
        words = ("aim", "run") if "aim" in service else ("sense",)
        self._run(
            "seeing",
            *words,
            "--config",
            str(self.home.config),
            CREDENTIALS_DIRECTORY=str(self.home.credentials),
        )

    def said(self, name: str) -> str:
        """What a process has said so far."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def public(self) -> dict[str, object]:
        """What WATCH tells the page server for everybody."""
        try:
            told: dict[str, object] = json.loads((self.directory / "public.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return told

    def session(self, tablet: str, page: str = "aim") -> str:
        """The link that signs a tablet in."""
        password = next(word for name, word in self.broker.passwords.items() if name == tablet)
        return f"{self.pages.url}/{page}#{tablet}:{password}"

    def close(self) -> None:
        """End everything that was started here."""
        self._stop.set()
        if self._systemd.is_alive():
            self._systemd.join()
        for child in self.running.values():
            child.terminate()
        for child in self.running.values():
            child.wait(20)
        if hasattr(self, "pages"):
            self.pages.shutdown()
            self.pages.server_close()
        self.broker.stop()


@contextmanager
def real_unit(directory: Path, source: Path) -> Iterator[RealUnit]:
    """A running one, ended with the block."""
    unit = RealUnit(directory, source)
    try:
        unit.start()
        yield unit
    finally:
        unit.close()
