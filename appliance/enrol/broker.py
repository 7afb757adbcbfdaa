"""The broker's settings, rights and passwords, written for mosquitto 2.0.11 and later: one source for every booth.

Invariants:
    * Nobody anonymous. Units and the hub prove themselves by certificate on one listener, tablets by password on
      others; each listener has rights of its own, so a tablet can never be taken for a unit.
    * Rights are written out name by name from the register and the table of topics: who is not in the register, or
      is revoked there, has none.
    * The name is the client identifier too: nobody can throw another one out.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.enrol.names import DESK, HUB, METRICS
from appliance.protocol import topics
from appliance.protocol.fleet_report import ReportKind
from appliance.protocol.values import AlertId, BoothId, TabletId, UnitId
from appliance.settings.config import Register

MOSQUITTO_VARIABLE: Final = "LEFTFIELD_MOSQUITTO"

PACKET_BYTES: Final = 32 * 1024
"""Most bytes of one MQTT packet: an envelope has about 140, the board a few thousand."""
MOST_UNIT_LINKS: Final = 1024
MOST_TABLET_LINKS: Final = 512
"""Far above what a booth has: one address holds 32 at most (``leftfield firewall --limits``), so that many addresses
are needed to fill them. A link that says nothing is closed by the broker after a minute and a half."""
QUEUED_MESSAGES: Final = 1_000_000
"""Kept for a hub that is away: an hour of 160 observations a second, and half as much again."""
AUTOSAVE_SECONDS: Final = 30
"""The broker writes down what it holds so often; units keep what it acknowledged for three times as long. Once a
second would wear a card out, and a broker that holds a million messages for an absent hub would do nothing else."""
PASSWORD_ROUNDS: Final = 1000
"""Passwords are 144 random bits, which no rounds make stronger; more would let strangers keep the broker busy."""
_SALT_BYTES: Final = 12
_HASH_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Where the broker listens. Port 0 is off; an empty address is every interface.

    ``mqtt_port``: units and hub, mutual TLS. ``wss_port``: tablets, TLS and password. ``ws_port``: tablets without
    TLS, for pages on this very machine.
    """

    mqtt_port: int = 8883
    mqtt_address: str = ""
    wss_port: int = 9443
    wss_address: str = ""
    ws_port: int = 0
    ws_address: str = "lo"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlaces:
    """The files the broker works with. ``user`` is the account it takes where it is started as root."""

    directory: Path
    keys: Path
    store: Path
    user: str

    @staticmethod
    def beside(directory: Path) -> BrokerPlaces:
        """Everything in one directory, under whoever starts it: a demo, a test."""
        return BrokerPlaces(
            directory=directory, keys=directory, store=directory / "store", user=own_account()
        )

    @staticmethod
    def system(directory: Path) -> BrokerPlaces:
        """As the systemd drop-in sets it up: keys handed in as credentials, the store where Debian has it."""
        return BrokerPlaces(
            directory=directory,
            keys=Path("/run/credentials/mosquitto.service"),
            store=Path("/var/lib/mosquitto"),
            user="mosquitto",
        )


def settings(listeners: Listeners, places: BrokerPlaces) -> str:
    """``mosquitto.conf``. It always has the TCP listener: mosquitto 2.0.11 refuses to start with WebSockets only."""
    parts = [_general(places), _units_listener(listeners, places)]
    if listeners.wss_port:
        parts.append(_staff_listener(listeners.wss_port, listeners.wss_address, places, encrypted=True))
    if listeners.ws_port:
        parts.append(_staff_listener(listeners.ws_port, listeners.ws_address, places, encrypted=False))
    return "\n".join(parts)


def _general(places: BrokerPlaces) -> str:
    return f"""# Written by leftfield (appliance/enrol/broker.py); changes here are lost.
per_listener_settings true
user {places.user}

persistence true
persistence_location {places.store}/
# What was not yet written down at a power cut, units send again (appliance/unit/outbox/publisher.py).
autosave_interval {AUTOSAVE_SECONDS}
max_queued_messages {QUEUED_MESSAGES}
max_inflight_messages 20
max_packet_size {PACKET_BYTES}
queue_qos0_messages false
# Figures of the broker itself, which the exporter of metrics alone may read.
sys_interval 10

log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
"""


def _units_listener(listeners: Listeners, places: BrokerPlaces) -> str:
    return f"""# Units and the hub: mutual TLS; the certificate's name is user name and client identifier.
{_listener(listeners.mqtt_port, listeners.mqtt_address)}
protocol mqtt
allow_anonymous false
require_certificate true
use_identity_as_username true
use_username_as_clientid true
tls_version tlsv1.3
cafile {places.directory}/ca.pem
crlfile {places.directory}/crl.pem
certfile {places.directory}/broker.pem
keyfile {places.keys}/broker.key
acl_file {places.directory}/units.acl
max_connections {MOST_UNIT_LINKS}
"""


def _listener(port: int, address: str) -> str:
    return f"listener {port} {address}".rstrip()


def _staff_listener(port: int, address: str, places: BrokerPlaces, *, encrypted: bool) -> str:
    lines = [
        "# Tablets: a password each" + ("." if encrypted else ", in the clear: pages on this machine only."),
        _listener(port, address),
        "protocol websockets",
        "allow_anonymous false",
        "use_username_as_clientid true",
        f"password_file {places.directory}/passwords",
        f"acl_file {places.directory}/staff.acl",
        f"max_connections {MOST_TABLET_LINKS}",
    ]
    if encrypted:
        lines += [f"certfile {places.directory}/pages.pem", f"keyfile {places.keys}/pages.key"]
    return "\n".join(lines) + "\n"


def units_acl(booth: BoothId, register: Register) -> str:
    """Rights on the listener of units and hub."""
    any_unit, any_tablet, any_alert = UnitId("+"), TabletId("+"), AlertId("+")
    reads = [topics.observation(booth, any_unit), topics.unit_status(booth, any_unit)]
    reads += [topics.staff(booth, any_tablet, leaf) for leaf in (*topics.STAFF_LEAVES, topics.SETUP_LEAF)]
    writes = [
        topics.board(booth),
        topics.trends(booth),
        topics.live(booth),
        topics.lead(booth),
        topics.hub_status(booth),
        topics.alert(booth, any_alert),
        topics.prior(booth),
        topics.encryption(booth),
        topics.acts(booth),
        topics.receipt(booth, any_unit),
        topics.home_assistant(booth),
        *(topics.home_assistant(booth, unit.unit) for unit in register.units),
        *(topics.fleet(booth, kind.value) for kind in ReportKind),
        topics.setup(booth, any_unit),
        topics.setups(booth),
    ]
    writes.append(topics.staff(booth, any_tablet, "answer"))
    reads.append(topics.alert(booth, any_alert))  # to clear what is left of alerts that ended without it
    reads.append(
        topics.receipt(booth, any_unit)
    )  # what it said before its database was restored from an old copy
    blocks = [_rights(HUB, reads=reads, writes=writes)]
    desk_writes = [topics.pairing(booth), topics.staff(booth, any_tablet, "answer")]
    blocks.append(
        _rights(DESK, reads=[topics.staff(booth, any_tablet, topics.PAIR_LEAF)], writes=desk_writes)
    )
    figures = [topics.trends(booth), topics.live(booth), topics.hub_status(booth), "$SYS/broker/#"]
    blocks.append(_rights(METRICS, reads=figures, writes=[]))
    for unit in register.units:
        if not unit.revoked:
            own = [topics.observation(booth, unit.unit), topics.unit_status(booth, unit.unit)]
            own.append(topics.aim(booth, unit.unit))
            hubs = [topics.prior(booth), topics.hub_status(booth), topics.receipt(booth, unit.unit)]
            hubs.append(topics.encryption(booth))
            hubs.append(topics.setup(booth, unit.unit))
            blocks.append(_rights(unit.unit, reads=hubs, writes=own))
    return "\n".join(blocks)


def staff_acl(booth: BoothId, register: Register) -> str:
    """Rights on the listeners of tablets."""
    blocks = ["# Nobody has a right that is not written here.\n"]
    for tablet in register.tablets:
        reads = [topics.alert(booth, AlertId("+")), topics.board(booth), topics.hub_status(booth)]
        reads.append(topics.staff(booth, tablet, "answer"))
        writes = [topics.staff(booth, tablet, leaf) for leaf in topics.STAFF_LEAVES]
        if tablet in register.leads:
            reads += [topics.acts(booth), topics.lead(booth)]
        if tablet in register.installers:
            reads += [topics.pairing(booth), topics.setups(booth), topics.aim(booth, UnitId("+"))]
            writes += [topics.staff(booth, tablet, leaf) for leaf in (topics.PAIR_LEAF, topics.SETUP_LEAF)]
        blocks.append(_rights(tablet, reads=reads, writes=writes))
    for screen in register.rooms:  # not the board: it has the last alert's words
        reads = [topics.trends(booth), topics.live(booth), topics.hub_status(booth)]
        reads.append(topics.home_assistant(booth))  # whoever may see the figures may see what they are called
        reads += [topics.home_assistant(booth, unit.unit) for unit in register.units]
        blocks.append(_rights(screen, reads=reads, writes=[]))
    return "\n".join(blocks)


def _rights(name: str, *, reads: list[str], writes: list[str]) -> str:
    lines = [
        f"user {name}",
        *(f"topic read {topic}" for topic in reads),
        *(f"topic write {topic}" for topic in writes),
    ]
    return "\n".join(lines) + "\n"


def password_line(name: str, password: str, salt: bytes) -> str:
    """One line of mosquitto's password file: PBKDF2 (RFC 8018 section 5.2) with HMAC-SHA-512, its form ``$7$``.

    ``salt`` has 12 bytes: mosquitto 2.0.11 reads no other length.
    """
    if len(salt) != _SALT_BYTES:
        raise ValueError(f"the salt has {len(salt)} bytes, not {_SALT_BYTES}")
    digest = hashlib.pbkdf2_hmac("sha512", password.encode("utf-8"), salt, PASSWORD_ROUNDS, _HASH_BYTES)
    spelled = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return f"{name}:$7${PASSWORD_ROUNDS}${'$'.join(spelled)}"


def mosquitto() -> Path:
    """The broker's program: ``$LEFTFIELD_MOSQUITTO`` where that is set, else on the PATH or where Debian keeps it.

    Unfit where there is none; a program that is named but missing is not replaced by another one.
    """
    named = os.environ.get(MOSQUITTO_VARIABLE, "")
    if named and not shutil.which(named):
        fix = f"set {MOSQUITTO_VARIABLE} to the program, or unset it"
        raise Unfit(f"there is no program {named}", where=MOSQUITTO_VARIABLE, fix=fix)
    search = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin:/sbin"
    found = shutil.which(named or "mosquitto", path=None if named else search)
    if found is None:
        raise Unfit(
            "no mosquitto was found",
            where="broker",
            fix=f"apt-get install mosquitto, or set {MOSQUITTO_VARIABLE}",
        )
    return Path(found)


def own_account() -> str:
    """The name of the account that this process has."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return "nobody"  # never looked up: only root changes its account, and root has a name
