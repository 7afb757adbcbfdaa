"""Configuration: TOML files read into frozen values, with one clear error for each way they can be wrong.

Invariants:
    * Every key has a type and a range; an unknown or missing key is ``Unfit`` and names the file and the key.
    * Defaults stand here and nowhere else.
    * A network camera cannot be configured: frames on a network break the first promise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.protocol.values import BoothId, Seconds, TabletId, UnitId
from appliance.settings.fleet import FleetConfig, fleet_config
from appliance.settings.notice import NoticeConfig, notice_config
from appliance.settings.toml_table import Table, load

CONFIG_DIRECTORY: Final = Path("/etc/leftfield")
PIPE_PATH: Final = Path("/run/leftfield/pipe")
_NETWORK_PROTOCOLS: Final = """
amqp async bluray cache concat concatf crypto data dtls ffrtmpcrypt ffrtmphttp ftp ftps gopher gophers hls http
httpproxy https icecast ipfs ipfs_gateway ipns libsmbclient libsrt libssh libzmq mmsh mmst prompeg rist rtmp rtmpe
rtmps rtmpt rtmpte rtmpts rtp rtsp rtsps sap sctp sftp smb srt srtp subfile tcp tee tls udp udplite unix ws wss zmq
"""
# FFmpeg's protocols that reach a network, or wrap another one (ffmpeg-protocols(1)).
STATE_DIRECTORY: Final = Path("/var/lib/leftfield")
MATRIX_PATH: Final = STATE_DIRECTORY / "matrix" / "camera.matrix"
ORDER_PATH: Final = STATE_DIRECTORY / "orders" / "order"
ZONES_PATH: Final = STATE_DIRECTORY / "zones" / "camera.zones"
LANGUAGES: Final = ("en", "es", "fr", "zh-Hans")
"""Languages (BCP 47) in which staff can be told; the first is the default."""
SIZE_FORM: Final = re.compile(r"[A-Za-z0-9]{1,8}")
"""What a size of gifts may be called."""
MOST_SIZES: Final = 12
_SERVICE_SECONDS: Final = Seconds(360.0)
_ALERT_SECONDS: Final = Seconds(180.0)
_RETENTION_SECONDS: Final = Seconds(300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker is and how to prove who we are: mutual TLS, always.

    ``ca``, ``certificate`` and ``key`` are PEM files.
    """

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """Where frames come from: ``source`` is a V4L2 device, ``picamera2``, or a video file (``repeat`` it or not).

    ``frame_rate`` is the most frames read per second; a file is read in its own time unless ``hurry``.
    """

    source: str
    width: int = 1280
    height: int = 720
    frame_rate: int = 15
    repeat: bool = False
    hurry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitConfig:
    """All that a camera unit's two processes need; each reads only its own part."""

    booth: BoothId
    unit: UnitId
    camera: CameraConfig
    broker: BrokerAddress
    models: Path | None = None
    accelerator: str = "auto"
    threads: int = 1
    pipe: Path = PIPE_PATH
    spool: Path = STATE_DIRECTORY / "spool"
    spool_records: int = 200_000
    walls: str = "required"
    """``every``: SENSE refuses to see where any wall is missing; ``required``: where one of the first line is."""
    public_key: bytes | None = None
    encryption_required: bool = False
    """Whether nothing may be sent before the hub's encryption key is known; else what is sent until then is in clear.
    """
    """This unit's own public key (32 bytes), by which RELAY checks every seal; a secret to nobody."""
    prior: Path = STATE_DIRECTORY / "prior" / "hub.prior"
    """Where RELAY keeps the hub's prior, and SENSE looks for it at its start."""
    matrix: Path = MATRIX_PATH
    """Where ``leftfield card read`` keeps the camera's colour matrix, and SENSE looks for it at its start."""
    hub_key: bytes | None = None
    """The hub's public key (32 bytes), under which a prior is believed; without it the shipped one is used."""
    order: Path = ORDER_PATH
    """Where RELAY puts what the hub orders while this unit is set up; root checks it again and carries it out."""
    zones: Path = ZONES_PATH
    """Where the zones are kept in which nobody counts, and SENSE looks for them at its start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingConfig:
    """What gifts and staff can serve.

    ``stock`` gifts are left for the day, ``staff`` people each need ``service_seconds`` for one visit; an alert
    lives ``alert_seconds``; no observation with a tail probability above ``max_p`` is ever an alert; None: as rare
    as empties the box by closing time (``hub.pacing.pacing``). ``people`` are expected that day, where somebody
    knows better than the weeks before. The booth serves from
    ``opens`` to ``closes``, seconds since midnight where it stands; where they are None, for ten hours
    from the first person seen.
    """

    stock: int = 40
    staff: int = 2
    service_seconds: Seconds = _SERVICE_SECONDS
    alert_seconds: Seconds = _ALERT_SECONDS
    max_p: float | None = None
    people: int | None = None
    opens: Seconds | None = None
    closes: Seconds | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    """Gifts by size, such as (("M", 20), ("L", 10)); then ``stock`` is their sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """All that process WATCH needs.

    ``warmup_people`` must have been seen before anybody is flagged; an observation is kept for
    ``retention_seconds`` at most. ``language`` is what staff are told in. ``signing_key`` is the file of the key (32
    bytes) that baselines are signed with, ``prior_key`` of that for the units' prior.
    """

    booth: BoothId
    broker: BrokerAddress
    register: Path
    database: Path = STATE_DIRECTORY / "hub.sqlite"
    pacing: PacingConfig = PacingConfig()
    warmup_people: int = 300
    retention_seconds: Seconds = _RETENTION_SECONDS
    signing_key: Path = STATE_DIRECTORY / "hub-signing.key"
    prior_key: Path = STATE_DIRECTORY / "hub-prior.key"
    collect: bool = False
    """Weeks are collected: everybody is counted, nobody is flagged, no alert is raised; no staff is needed."""
    language: str = LANGUAGES[0]
    notice: NoticeConfig = field(default_factory=NoticeConfig)
    home_assistant: bool = False
    """Whether Home Assistant is told which figures there are (``hub/staff/home_assistant.py``)."""
    fleet: FleetConfig = field(default_factory=FleetConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledUnit:
    """One row of the register: a unit, its public key (32 bytes), what staff call its place, and where it looks."""

    unit: UnitId
    public_key: bytes
    place: str
    simulated: bool = False
    revoked: bool = False
    looks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Who may speak in this booth: units by public key, tablets by name; ``installers`` are tablets that may pair.

    ``rooms`` are big screens: they are no tablets, and may only look.
    """

    units: tuple[EnrolledUnit, ...]
    tablets: tuple[TabletId, ...]
    installers: tuple[TabletId, ...] = ()
    rooms: tuple[TabletId, ...] = ()
    leads: tuple[TabletId, ...] = ()
    """Tablets of the lead, who may also set stock and staff, close the day, and see who did what."""


def _broker(table: Table) -> BrokerAddress:
    broker = BrokerAddress(
        host=table.get("host", str),
        port=table.number("port", 1, 65535, 8883, kind=int),
        ca=table.path("ca"),
        certificate=table.path("certificate"),
        key=table.path("key"),
    )
    table.end()
    return broker


def refuse_network_source(source: str, where: str) -> None:
    """Unfit where the video library could take ``source`` for an address on a network.

    It needs no slashes for that (``http:host``), and has protocols that wrap others (``cache:http:host``). So what
    stands before the first colon must be ``file``, part of a path, or of the name of a file that exists.
    """
    scheme, colon, _ = source.partition(":")
    if not colon or "/" in scheme or scheme.lower() == "file":
        return
    if scheme.lower() in _NETWORK_PROTOCOLS.split() or "://" in source or not Path(source).exists():
        raise Unfit(
            f"{scheme}: is a network camera, or no file, and frames on a network break promise 1 "
            "(no frame leaves memory)",
            where=where,
            fix="use a camera on the unit itself (/dev/video0, picamera2) or a recorded file "
            f"(one with a colon in its name: ./{source})",
        )


def _camera(table: Table) -> CameraConfig:
    source = table.get("source", str)
    try:
        refuse_network_source(source, "camera.source")
    except Unfit as refusal:
        raise Unfit(refusal.what, where=table.unfit("source", "").where, fix=refusal.fix) from None
    camera = CameraConfig(
        source=source,
        width=table.number("width", 160, 4096, 1280, kind=int),
        height=table.number("height", 120, 4096, 720, kind=int),
        frame_rate=table.number("frame_rate", 1, 60, 15, kind=int),
        repeat=table.get("repeat", bool, default=False),
        hurry=table.get("hurry", bool, default=False),
    )
    table.end()
    return camera


def _public_key(table: Table, digits: str, key: str = "public_key") -> bytes:
    """The 32 bytes of a table's ``key``."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
        raise table.unfit(key, "must be 64 hexadecimal digits")
    return bytes.fromhex(digits)


def unit_config(path: Path) -> UnitConfig:
    """The unit's configuration (``unit.toml``). Unfit where it cannot be used."""
    root = load(path)
    names, models, pipe, spool, relay, sense, prior, card, setup = (
        root.table(key, optional=key != "unit")
        for key in ("unit", "models", "pipe", "spool", "relay", "sense", "prior", "card", "setup")
    )
    walls = sense.get("walls", str, "required")
    if walls not in {"required", "every"}:
        raise sense.unfit("walls", f"must be required or every, not {walls!r}")
    digits, hub_digits = relay.get("public_key", str, ""), prior.get("hub_key", str, "")
    models_directory = models.get("directory", str, "")
    accelerator = models.get("accelerator", str, "auto")
    if accelerator not in {"auto", "cpu", "edgetpu"}:
        raise models.unfit("accelerator", f"must be auto, cpu or edgetpu, not {accelerator!r}")
    config = UnitConfig(
        booth=BoothId(names.name("booth")),
        unit=UnitId(names.name("unit")),
        camera=_camera(root.table("camera")),
        models=path.parent / models_directory if models_directory else None,
        accelerator=accelerator,
        threads=models.number("threads", 1, 8, 1, kind=int),
        pipe=pipe.path("path", PIPE_PATH),
        broker=_broker(root.table("broker")),
        spool=spool.path("directory", STATE_DIRECTORY / "spool"),
        spool_records=spool.number("records", 100, 10_000_000, 200_000, kind=int),
        walls=walls,
        public_key=_public_key(relay, digits) if digits else None,
        encryption_required=relay.get("encryption_required", bool, default=False),
        prior=prior.path("path", STATE_DIRECTORY / "prior" / "hub.prior"),
        matrix=card.path("matrix", MATRIX_PATH),
        hub_key=_public_key(prior, hub_digits, "hub_key") if hub_digits else None,
        order=setup.path("order", ORDER_PATH),
        zones=setup.path("zones", ZONES_PATH),
    )
    for table in (names, models, pipe, spool, relay, sense, prior, card, setup, root):
        table.end()
    return config


def _sizes(table: Table) -> tuple[tuple[str, int], ...]:
    """Gifts by size, in the order of the file."""
    found = tuple((key, table.number(key, 0, 100_000, 0, kind=int)) for key in table.keys_left())
    if len(found) > MOST_SIZES or not all(SIZE_FORM.fullmatch(size) for size, _ in found):
        raise table.unfit("", f"holds at most {MOST_SIZES} sizes, each of 1 to 8 letters or digits")
    table.end()
    return found


def _pacing(table: Table, sizes: tuple[tuple[str, int], ...]) -> PacingConfig:
    table.renamed({"floor": "max_p"})
    opens, closes = table.time_of_day("opens"), table.time_of_day("closes")
    if (opens is None) != (closes is None):
        raise table.unfit("opens", "and closes belong together")
    if opens is not None and closes is not None and closes <= opens:
        raise table.unfit("closes", "must be later than opens, on the same day")
    pacing = PacingConfig(
        stock=sum(number for _, number in sizes)
        if sizes
        else table.number("stock", 0, 100_000, 40, kind=int),
        sizes=sizes,
        staff=table.number("staff", 0, 100, 2, kind=int),
        service_seconds=Seconds(table.number("service_seconds", 10.0, 3600.0, 360.0, kind=float)),
        alert_seconds=Seconds(table.number("alert_seconds", 10.0, 900.0, 180.0, kind=float)),
        max_p=table.number("max_p", 0.0, 0.05, 0.0, kind=float) or None,
        people=table.number("people", 0, 10_000_000, 0, kind=int) or None,
        opens=opens,
        closes=closes,
    )
    table.end()
    return pacing


def hub_config(path: Path) -> HubConfig:
    """The hub's configuration (``hub.toml``). Unfit where it cannot be used."""
    root = load(path)
    hub = root.table("hub")
    hub.renamed({"young": "warmup_people", "hold_seconds": "retention_seconds"})
    language = hub.get("language", str, LANGUAGES[0])
    if language not in LANGUAGES:
        raise hub.unfit("language", f"must be one of {', '.join(LANGUAGES)}, not {language!r}")
    database = hub.path("database", STATE_DIRECTORY / "hub.sqlite")
    integrations = root.table("integrations", optional=True)
    config = HubConfig(
        booth=BoothId(hub.name("booth")),
        broker=_broker(root.table("broker")),
        register=hub.path("register"),
        database=database,
        signing_key=hub.path("signing_key", database.parent / "hub-signing.key"),
        prior_key=hub.path("prior_key", database.parent / "hub-prior.key"),
        warmup_people=hub.number("warmup_people", 50, 100_000, 300, kind=int),
        retention_seconds=Seconds(hub.number("retention_seconds", 30.0, 900.0, 300.0, kind=float)),
        pacing=_pacing(root.table("pacing", optional=True), _sizes(root.table("sizes", optional=True))),
        collect=hub.get("collect", bool, default=False),
        language=language,
        notice=notice_config(root.table("notice", optional=True)),
        home_assistant=integrations.get("home_assistant", bool, default=False),
        fleet=fleet_config(root.table("fleet", optional=True)),
    )
    for table in (hub, integrations, root):
        table.end()
    return config


def register(path: Path) -> Register:
    """The register of enrolled units and tablets (``register.toml``). Unfit where it cannot be used."""
    root = load(path)
    units = []
    for name, row in root.table("units", optional=True).tables():
        units.append(
            EnrolledUnit(
                unit=UnitId(name),
                public_key=_public_key(row, row.get("public_key", str)),
                place=row.get("place", str),
                simulated=row.get("simulated", bool, default=False),
                revoked=row.get("revoked", bool, default=False),
                looks=row.get("looks", str, default=""),
            )
        )
        row.end()
    tablets: list[TabletId] = []
    installers: list[TabletId] = []
    rooms: list[TabletId] = []
    leads: list[TabletId] = []
    for name, row in root.table("tablets", optional=True).tables():
        installer, room, lead = (row.get(key, bool, default=False) for key in ("installer", "room", "lead"))
        if room and (installer or lead):
            raise row.unfit(
                "room", "is a screen that only looks: it cannot be an installer's or a lead's too"
            )
        (rooms if room else tablets).append(TabletId(name))
        if installer:
            installers.append(TabletId(name))
        if lead:
            leads.append(TabletId(name))
        row.end()
    root.end()
    return Register(
        units=tuple(units),
        tablets=tuple(tablets),
        installers=tuple(installers),
        rooms=tuple(rooms),
        leads=tuple(leads),
    )
