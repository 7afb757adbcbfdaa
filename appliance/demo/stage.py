"""The demo's booth on disk: made by the same provisioning code as a real one, in a directory of its own.

Invariants:
    * Nothing here writes a certificate, a right, a password or a configuration file by itself.
    * A directory that was kept is taken up again: the baseline it learnt is still there.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance import enrol
from appliance.demo.places import LOCAL, Ports
from appliance.demo.source import is_live
from appliance.enrol import BoothDirectory, Listeners, UnitHome
from appliance.protocol.values import BoothId, Epoch, Seconds, TabletId, UnitId
from appliance.settings import config
from appliance.settings.epoch import next_epoch
from appliance.settings.notice import NoticeConfig

BOOTH: Final = BoothId("demo")
REAL_UNIT: Final = UnitId("corner-north")
REAL_PLACE: Final = "north corner"
SIMULATED_UNITS: Final = (
    (UnitId("sim-east"), "east corner"),
    (UnitId("sim-south"), "south corner"),
    (UnitId("sim-west"), "west corner"),
)
PAST_PEOPLE: Final = 2000
"""How many people of the simulated street's last hours the hub is told of at the start."""
TABLET: Final = TabletId("tablet-1")
"""The tablet of whoever watches the demo."""
ROOM: Final = TabletId("room-1")
"""The big screen."""
COUNTING_TABLET: Final = TabletId("demo-counter")
"""The tablet without a screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStage:
    """Everything the processes need; ``fresh`` is False where a kept directory was taken up again."""

    directory: Path
    booth: BoothDirectory
    ports: Ports
    network: str
    real: UnitHome
    epoch: Epoch
    spool: Path
    pipe: Path
    relay_pipe: Path
    relay_config: Path
    hub_config: Path
    street_configs: tuple[Path, ...]
    password: str
    counting_password: str
    room_password: str
    fresh: bool

    @property
    def local_link(self) -> str:
        """The tablet page for a browser on this machine."""
        return f"http://{LOCAL}:{self.ports.pages}/tablet#{TABLET}:{self.password}"

    @property
    def room_link(self) -> str:
        """The big screen's page for a browser on this machine."""
        return f"http://{LOCAL}:{self.ports.pages}/room#{ROOM}:{self.room_password}"

    @property
    def here_link(self) -> str:
        """The public page."""
        return f"http://{LOCAL}:{self.ports.pages}/here"

    @property
    def network_link(self) -> str:
        """The tablet page for a tablet on the network; empty where there is no network."""
        if not self.network:
            return ""
        return f"https://{self.network}:{self.ports.secure_pages}/tablet#{TABLET}:{self.password}"


def build(directory: Path, *, source: str, ports: Ports, network: str) -> DemoStage:
    """Make, or take up again, the booth in ``directory``. Unfit where that cannot be done."""
    booth, fresh = _booth(directory / "booth", ports, network)
    register = config.register(booth.register)
    password, counting_password = (
        enrol.add_tablet(booth, tablet, again=tablet in register.tablets)
        for tablet in (TABLET, COUNTING_TABLET)
    )
    room_password = enrol.add_tablet(booth, ROOM, again=ROOM in register.rooms, room=True)
    real = UnitHome(directory=directory / "units" / REAL_UNIT)
    pipe, relay_pipe, spool = directory / "pipe", directory / "pipe-to-relay", directory / "spool"
    for fifo in (pipe, relay_pipe):
        if not fifo.exists():
            os.mkfifo(fifo, 0o600)
    relay_config = real.config.with_name("relay.toml")
    _enrol(booth, real, REAL_UNIT, REAL_PLACE, source=source, pipe=pipe, spool=spool)
    _enrol(
        booth,
        real,
        REAL_UNIT,
        REAL_PLACE,
        source=source,
        pipe=relay_pipe,
        spool=spool,
        config_path=relay_config,
    )
    street = []
    for name, place in SIMULATED_UNITS:
        home = UnitHome(directory=directory / "units" / name)
        _enrol(booth, home, name, place, source="simulated")
        street.append(home.config)
    return DemoStage(
        directory=directory,
        booth=booth,
        ports=ports,
        network=network,
        real=real,
        epoch=next_epoch(real.credentials),
        spool=spool,
        pipe=pipe,
        relay_pipe=relay_pipe,
        relay_config=relay_config,
        hub_config=_hub(directory, booth),
        street_configs=tuple(street),
        password=password,
        counting_password=counting_password,
        room_password=room_password,
        fresh=fresh,
    )


def _booth(directory: Path, ports: Ports, network: str) -> tuple[BoothDirectory, bool]:
    """The booth with listeners on ``ports``, and whether it is a new one."""
    listeners = Listeners(
        mqtt_port=ports.mqtt,
        mqtt_address=LOCAL,
        ws_port=ports.websocket,
        ws_address="lo",  # mosquitto 2.0 takes interface names for WebSockets, and listens everywhere for addresses
        wss_port=ports.secure_websocket if network else 0,
    )
    hosts = (LOCAL, network) if network else (LOCAL,)
    if not (directory / "booth.toml").exists():
        return enrol.create_booth(directory, BOOTH, hosts, listeners=listeners), True
    return enrol.renew(enrol.open_booth(directory), hosts=hosts, listeners=listeners), False


def _enrol(
    booth: BoothDirectory,
    home: UnitHome,
    unit: UnitId,
    place: str,
    *,
    source: str,
    pipe: Path | None = None,
    spool: Path | None = None,
    config_path: Path | None = None,
) -> None:
    simulated = source == "simulated"
    home.directory.parent.mkdir(exist_ok=True)
    broker = enrol.enrol_unit(booth, home, unit, place=place, simulated=simulated)
    recorded = not simulated and not is_live(source)
    enrol.write_unit_config(
        config_path or home.config,
        config.UnitConfig(
            booth=booth.booth,
            unit=unit,
            broker=broker,
            camera=config.CameraConfig(source=source, repeat=recorded),
            pipe=config.PIPE_PATH if pipe is None else pipe,
            spool=config.STATE_DIRECTORY / "spool" if spool is None else spool,
            public_key=home.public_key(),
            hub_key=booth.hub_key(),
            prior=home.directory / "hub.prior",
            order=home.directory / "order",
            zones=home.directory / "camera.zones",
        ),
    )


def _hub(directory: Path, booth: BoothDirectory) -> Path:
    """The hub's configuration: more gifts, staff and alerts than a real booth has, so that there is more to see."""
    path = directory / "hub.toml"
    enrol.write_hub_config(
        path,
        config.HubConfig(
            booth=booth.booth,
            broker=booth.hub_broker,
            register=booth.register,
            database=directory / "hub.sqlite",
            signing_key=booth.signing_key,
            prior_key=booth.prior_key,
            pacing=config.PacingConfig(
                stock=1000, staff=4, service_seconds=Seconds(20.0), alert_seconds=Seconds(60.0), max_p=0.01
            ),
            notice=NoticeConfig(
                controller="Whoever runs this demo",
                contact="this machine",
                legal_basis="legitimate-interests",
                way_round="stop the demo with Ctrl-C",
                state=directory / "here.json",
            ),
        ),
    )
    return path


def command(*words: str | Path) -> list[str]:
    """The arguments that run ``leftfield WORDS`` with this very Python."""
    return [sys.executable, "-m", "appliance.cli", *map(str, words)]


def street_command(stage: DemoStage, *, seed: int, per_second: float) -> list[str]:
    """The arguments that run the simulated street; a booth that was taken up again has its past already."""
    words = [
        sys.executable,
        "-m",
        "appliance.demo.street.simulator",
        "--seed",
        str(seed),
        "--per-second",
        str(per_second),
    ]
    words += ["--past", str(PAST_PEOPLE if stage.fresh else 0)]
    for path in stage.street_configs:
        words += ["--config", str(path)]
    return words
