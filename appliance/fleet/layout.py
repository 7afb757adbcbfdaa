"""The fleet's directory: its authority, its broker's settings, and the letters with which booths come in.

A fleet stands to its booths as a booth to its units, and has the same authority and the same letters.

Invariants:
    * Every booth and every worker proves itself by certificate; its name is user name and client identifier. A booth
      may write its own reports and read nothing; a worker may read reports and write nothing.
    * Any MQTT 5 broker with shared subscriptions can stand in for this one: workers take an address.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.enrol import names, request
from appliance.enrol.authority import Authority, key_pem, load_certificate, load_key, new_key, serial_of
from appliance.enrol.broker import own_account
from appliance.enrol.files import toml
from appliance.enrol.layout import put_public, put_secret
from appliance.enrol.request import EnrolmentAnswer, EnrolmentRequest
from appliance.protocol.fleet_report import FLEET_ROOT
from appliance.protocol.values import BoothId
from appliance.settings.config import BrokerAddress

WORKER: Final = "worker-"
"""Names of workers begin so; no booth's does."""
MOST_WORKERS: Final = 16
SHARED: Final = f"$share/fleet/{FLEET_ROOT}/+/+"
"""What every worker subscribes to: the broker gives each report to one of them (MQTT 5.0, section 4.8.2)."""
_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
_PACKET_BYTES: Final = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDirectory:
    """A fleet that exists.

    ``host`` is what booths are told, ``port`` where its broker listens, ``workers`` how many there are.
    """

    directory: Path
    fleet: str
    host: str
    port: int
    workers: int

    @property
    def ca(self) -> Path:
        """The authority's certificate (PEM)."""
        return self.directory / "ca.pem"

    @property
    def broker_config(self) -> Path:
        """``mosquitto.conf`` of the fleet's broker."""
        return self.directory / "broker" / "mosquitto.conf"

    def broker(self, number: int, host: str = "127.0.0.1") -> BrokerAddress:
        """Where worker ``number`` (from 1) finds the broker, and how it proves itself."""
        own = self.directory / "workers" / f"{WORKER}{number}"
        return BrokerAddress(
            host=host,
            port=self.port,
            ca=self.ca,
            certificate=own.with_suffix(".pem"),
            key=own.with_suffix(".key"),
        )


def create_fleet(
    directory: Path, fleet: str, host: str, *, port: int = 8883, workers: int = 2
) -> FleetDirectory:
    """A new fleet in ``directory``. Unfit where there is one already, or a name or address cannot be used."""
    names.check_booth(fleet)
    names.host(host)
    if not 1 <= workers <= MOST_WORKERS:
        raise Unfit(f"{workers} workers", where="--workers", fix=f"choose 1 to {MOST_WORKERS}")
    made = FleetDirectory(directory=directory.absolute(), fleet=fleet, host=host, port=port, workers=workers)
    atomic_files.make_directory(made.directory, mode=atomic_files.PUBLIC_DIRECTORY)
    with atomic_files.alone(made.directory):
        if _about(made.directory).exists():
            raise Unfit("a fleet exists already", where=str(directory), fix="choose another --directory")
        for name in ("authority", "broker", "workers", "issued"):
            atomic_files.make_directory(made.directory / name, mode=atomic_files.SECRET_DIRECTORY)
        atomic_files.make_directory(made.directory / "broker" / "store", mode=atomic_files.SECRET_DIRECTORY)
        authority = Authority.create(BoothId(fleet))
        put_secret(made.directory / "authority" / "ca.key", key_pem(authority.key))
        put_public(made.ca, authority.pem)
        hosts = tuple(dict.fromkeys(names.host(text) for text in (*_ALWAYS, host)))
        key = new_key()
        put_secret(made.directory / "broker" / "broker.key", key_pem(key))
        put_public(
            made.directory / "broker" / "broker.pem", authority.server(names.BROKER, key.public_key(), hosts)
        )
        for number in range(1, workers + 1):
            key = new_key()
            address = made.broker(number)
            put_secret(address.key, key_pem(key))
            put_public(address.certificate, authority.client(f"{WORKER}{number}", key.public_key()))
        write_broker(made, authority, ())
        rows: dict[str, str | int] = {"fleet": fleet, "host": host, "port": port, "workers": workers}
        about = "".join(f"{key} = {toml(value)}\n" for key, value in rows.items())
        put_public(_about(made.directory), about.encode("utf-8"))  # last: from here on there is a fleet
    return made


def open_fleet(directory: Path) -> FleetDirectory:
    """The fleet in ``directory``. Unfit where there is none."""
    path = _about(directory.absolute())
    fix = "create it: leftfield fleet create --help"
    try:
        about = tomllib.loads(atomic_files.read(path, fix=fix).decode("utf-8"))
        return FleetDirectory(directory=directory.absolute(), **about)
    except (ValueError, TypeError):
        raise Unfit("the file describes no fleet", where=str(path), fix=fix) from None


def read_booth(fleet: FleetDirectory, untrusted_request: bytes) -> EnrolmentRequest:
    """A booth's request. Refused as ``request.read_request`` does; Unfit for a worker's name."""
    asked = request.read_request(untrusted_request, BoothId(fleet.fleet))
    if asked.unit.startswith(WORKER):
        raise Unfit(f"{asked.unit} is a worker's name", where="request", fix="give the booth another name")
    return asked


def answer_to(fleet: FleetDirectory, asked: EnrolmentRequest) -> bytes:
    """The fleet's answer: the certificate that lets the booth's bridge in."""
    authority = _authority(fleet)
    certificate = authority.client(asked.unit, asked.tls_key)
    serial = serial_of(certificate)
    put_public(fleet.directory / "issued" / f"{asked.unit}.{serial:x}.pem", certificate)
    return request.answer_bytes(
        EnrolmentAnswer(
            booth=BoothId(fleet.fleet),
            unit=asked.unit,
            certificate=certificate.decode("ascii"),
            ca=authority.pem.decode("ascii"),
            host=fleet.host,
            port=fleet.port,
            hub_key="",
        )
    )


def shut_out(fleet: FleetDirectory, withdrawn: tuple[str, ...]) -> None:
    """Revoke every certificate of the ``withdrawn`` booths; the broker reads it when it is reloaded (SIGHUP)."""
    write_broker(fleet, _authority(fleet), withdrawn)


def write_broker(fleet: FleetDirectory, authority: Authority, withdrawn: tuple[str, ...]) -> None:
    """The broker's settings, rights and revocations, whole."""
    issued = sorted((fleet.directory / "issued").glob("*.pem"))
    serials = tuple(
        int(path.name.split(".")[1], 16) for path in issued if path.name.split(".")[0] in withdrawn
    )
    for name, content in (
        ("crl.pem", authority.revocations(serials, datetime.now(UTC))),
        ("fleet.acl", acl(fleet.workers).encode("ascii")),
        ("mosquitto.conf", settings(fleet).encode("utf-8")),
    ):
        put_public(fleet.directory / "broker" / name, content)


def acl(workers: int) -> str:
    """Who may do what: a booth writes below its own name, a worker reads all of it."""
    rows = [f"user {WORKER}{number}\ntopic read {FLEET_ROOT}/#\n" for number in range(1, workers + 1)]
    return "".join(rows) + f"pattern write {FLEET_ROOT}/%u/+\n"


def settings(fleet: FleetDirectory) -> str:
    """``mosquitto.conf`` of the fleet's broker."""
    place = fleet.directory / "broker"
    return f"""# Written by leftfield (appliance/fleet/layout.py); changes here are lost.
user {own_account()}
persistence true
persistence_location {place}/store/
autosave_interval 30
max_queued_messages 1000000
max_inflight_messages 100
max_packet_size {_PACKET_BYTES}
sys_interval 0
log_dest stderr
log_type error
log_type warning
log_type notice

# Booths' bridges and workers: mutual TLS; the certificate's name is user name and client identifier.
listener {fleet.port}
protocol mqtt
allow_anonymous false
require_certificate true
use_identity_as_username true
use_username_as_clientid true
tls_version tlsv1.3
cafile {fleet.ca}
crlfile {place}/crl.pem
certfile {place}/broker.pem
keyfile {place}/broker.key
acl_file {place}/fleet.acl
"""


def _authority(fleet: FleetDirectory) -> Authority:
    path = fleet.directory / "authority" / "ca.key"
    fix = "run as the fleet's owner"
    return Authority(
        booth=BoothId(fleet.fleet),
        certificate=load_certificate(atomic_files.read(fleet.ca, fix=fix), where=str(fleet.ca)),
        key=load_key(atomic_files.read(path, fix=fix), where=str(path)),
    )


def _about(directory: Path) -> Path:
    return directory / "fleet.toml"
