"""The booth's directory: what lies where, and the files the broker reads, written out from the register.

Invariants:
    * Rights, revocations and settings are derived: written whole from the register, never edited.
    * Only the authority's directory and the keys are secret; everything else may be read by every process.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.enrol import files, home, names
from appliance.enrol.authority import Authority, key_pem, load_certificate, load_key, new_key
from appliance.enrol.bridge import bridge_settings, fleet_in
from appliance.enrol.broker import BrokerPlaces, Listeners, settings, staff_acl, units_acl
from appliance.protocol import sign
from appliance.protocol.values import BoothId
from appliance.settings.config import BrokerAddress, Register

_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoothDirectory:
    """A booth that exists: its directory (``/etc/leftfield`` on a real one), name, addresses and listeners.

    ``hosts`` are the names and addresses of the hub on the booth's network, the first the one units are told.
    ``system`` is whether systemd runs it (keys handed in as credentials) or whoever calls (everything in place).
    """

    directory: Path
    booth: BoothId
    hosts: tuple[str, ...]
    listeners: Listeners
    system: bool = False

    @property
    def register(self) -> Path:
        """``register.toml``: the hub reads it."""
        return self.directory / "register.toml"

    @property
    def ca(self) -> Path:
        """The authority's certificate (PEM), for everybody."""
        return self.broker_directory / "ca.pem"

    @property
    def broker_directory(self) -> Path:
        """What mosquitto reads."""
        return self.directory / "broker"

    @property
    def broker_config(self) -> Path:
        """``mosquitto.conf``: start it with ``mosquitto -c`` this."""
        return self.broker_directory / "mosquitto.conf"

    @property
    def page_certificate(self) -> tuple[Path, Path]:
        """Certificate and key (PEM) of a server that browsers open."""
        return self.broker_directory / "pages.pem", self.broker_directory / "pages.key"

    @property
    def signing_key(self) -> Path:
        """What the operator signs baselines with for other hubs (32 bytes), secret; no process holds it."""
        return self.directory / "hub" / home.SIGNING_KEY

    @property
    def prior_key(self) -> Path:
        """What WATCH signs the units' prior with (32 bytes), secret; nothing else is believed under it."""
        return self.directory / "hub" / "prior.key"

    def hub_key(self) -> bytes | None:
        """The public half of the prior's key, for units; None in an older booth. Unfit for who may not read it."""
        if not self.prior_key.exists():
            return None
        return sign.public_key_of(atomic_files.read(self.prior_key, fix="run as the booth's owner (root)"))

    @property
    def hub_broker(self) -> BrokerAddress:
        """Where WATCH finds the broker, and how it proves itself."""
        own = self.directory / "hub"
        key = Path("/run/credentials/leftfield-watch.service/tls.key") if self.system else own / home.TLS_KEY
        return BrokerAddress(
            host="127.0.0.1",
            port=self.listeners.mqtt_port,
            ca=self.ca,
            certificate=own / "hub.pem",
            key=key,
        )


def about_path(directory: Path) -> Path:
    """Where the booth describes itself; it exists once the booth does."""
    return directory / "booth.toml"


def authority_directory(booth: BoothDirectory) -> Path:
    """The authority's own directory, for nobody else."""
    return booth.directory / "authority"


def issued_directory(booth: BoothDirectory) -> Path:
    """Every certificate ever given to a unit, so that all of them can be revoked."""
    return authority_directory(booth) / "issued"


def put_secret(path: Path, content: bytes) -> None:
    """Write a file for its owner only."""
    atomic_files.write_durably(path, content, mode=atomic_files.SECRET)


def put_public(path: Path, content: bytes) -> None:
    """Write a file for everybody to read."""
    atomic_files.write_durably(path, content, mode=atomic_files.PUBLIC)


def make_directories(booth: BoothDirectory) -> None:
    """Make the booth's directories."""
    for path, mode in (
        (authority_directory(booth), atomic_files.SECRET_DIRECTORY),
        (issued_directory(booth), atomic_files.SECRET_DIRECTORY),
        (booth.directory / "hub", atomic_files.PUBLIC_DIRECTORY),
        (booth.broker_directory, atomic_files.PUBLIC_DIRECTORY),
        (booth.broker_directory / "store", atomic_files.SECRET_DIRECTORY),
    ):
        atomic_files.make_directory(path, mode=mode)


def load_authority(booth: BoothDirectory) -> Authority:
    """The authority with its key. Unfit for who may not read it."""
    path = authority_directory(booth) / "ca.key"
    fix = "run as the booth's owner (root); a lost authority means a new booth"
    return Authority(
        booth=booth.booth,
        certificate=load_certificate(atomic_files.read(booth.ca, fix=fix), where=str(booth.ca)),
        key=load_key(atomic_files.read(path, fix=fix), where=str(path)),
    )


def write_servers(booth: BoothDirectory, authority: Authority) -> None:
    """Fresh keys and certificates for broker and page server."""
    hosts = tuple(dict.fromkeys(names.host(text) for text in (*_ALWAYS, *booth.hosts)))
    now = datetime.now(UTC)
    for name, page_from in ((names.BROKER, None), (names.PAGES, now)):
        key = new_key()
        certificate = authority.server(name, key.public_key(), hosts, page_from=page_from)
        put_secret(booth.broker_directory / f"{name}.key", key_pem(key))
        put_public(booth.broker_directory / f"{name}.pem", certificate)


def days_left(booth: BoothDirectory, now: datetime) -> int:
    """Whole days that the page certificate still lasts at ``now``; negative once it has ended."""
    path = booth.page_certificate[0]
    pem = atomic_files.read(path, fix="make a new one: leftfield booth renew")
    return (load_certificate(pem, where=str(path)).not_valid_after_utc - now).days


def write_all(booth: BoothDirectory, authority: Authority, register: Register) -> None:
    """The register, and everything that is derived from it."""
    files.write_register(booth.register, register)
    write_rights(booth, authority, register)


def write_rights(booth: BoothDirectory, authority: Authority, register: Register) -> None:
    """Everything the broker derives from the register, and its settings."""
    revoked = {unit.unit for unit in register.units if unit.revoked}
    issued = sorted(issued_directory(booth).glob("*.pem"))
    serials = tuple(int(path.name.split(".")[1], 16) for path in issued if path.name.split(".")[0] in revoked)
    put_public(booth.broker_directory / "crl.pem", authority.revocations(serials, datetime.now(UTC)))
    for name, text in broker_texts(booth, register, booth.broker_directory).items():
        put_public(booth.broker_directory / name, text.encode("utf-8"))


def broker_texts(booth: BoothDirectory, register: Register, found_in: Path) -> dict[str, str]:
    """The broker's rights and settings as this version writes them; ``found_in``: its directory as seen from here."""
    places = (BrokerPlaces.system if booth.system else BrokerPlaces.beside)(booth.broker_directory)
    fleet = fleet_in(found_in)
    bridge = bridge_settings(booth.booth, fleet, places) if fleet else ""
    return {
        "units.acl": units_acl(booth.booth, register),
        "staff.acl": staff_acl(booth.booth, register),
        "mosquitto.conf": settings(booth.listeners, places) + bridge,
    }


def write_about(booth: BoothDirectory) -> None:
    """``booth.toml``, and for a real booth what the page server is told."""
    hosts = ", ".join(files.toml(host) for host in booth.hosts)
    lines = [
        f"booth = {files.toml(booth.booth)}",
        f"hosts = [{hosts}]",
        f"system = {files.toml(booth.system)}",
    ]
    lines += ["", "[listeners]"]
    values = asdict(booth.listeners)
    lines += [f"{field.name} = {files.toml(values[field.name])}" for field in fields(Listeners)]
    if booth.system:
        pages = f"LEFTFIELD_BOOTH={booth.booth}\nLEFTFIELD_WSS_PORT={booth.listeners.wss_port}\n"
        put_public(
            booth.directory / "pages.env", pages.encode("ascii")
        )  # systemd/leftfield-pages.service reads it
    put_public(about_path(booth.directory), "".join(f"{line}\n" for line in lines).encode("utf-8"))
