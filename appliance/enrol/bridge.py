"""The booth's way to its fleet: what its broker passes on, to where, and how it proves itself.

The booth asks to be let in as a unit asks a booth (``request``): here the fleet is the booth, and the booth the unit.

Invariants:
    * The bridge has one topic pattern, outwards: reports to the fleet. Observations, alerts and requests match it in
      no way, and nothing comes back.
    * What waits for a fleet that is away is kept by the broker, on its disk.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.enrol import names, request
from appliance.enrol.authority import key_pem, load_key, new_key
from appliance.enrol.broker import BrokerPlaces
from appliance.enrol.files import toml
from appliance.protocol import sign, topics
from appliance.protocol.fleet_report import FLEET_ROOT
from appliance.protocol.values import NAME_FORM, BoothId, UnitId

ADDRESS_FILE: Final = "fleet.toml"
"""In the broker's directory: the fleet's name, host and port. Its presence turns the bridge on."""
KEY: Final = "fleet.key"
CERTIFICATE: Final = "fleet.pem"
CA: Final = "fleet-ca.pem"
_JOIN: Final = "join again: leftfield booth fleet join ANSWER"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetAddress:
    """Where the fleet's broker listens, and what the fleet is called."""

    fleet: str
    host: str
    port: int


def bridge_settings(booth: BoothId, fleet: FleetAddress, places: BrokerPlaces) -> str:
    """The lines of ``mosquitto.conf`` that pass reports on to ``fleet``."""
    local, remote = topics.fleet(booth, ""), f"{FLEET_ROOT}/{booth}/"
    return f"""
# Reports of crowds to the fleet {fleet.fleet}, and nothing else; while it is away they wait here.
connection fleet
address {fleet.host}:{fleet.port}
bridge_protocol_version mqttv50
bridge_cafile {places.directory}/{CA}
bridge_certfile {places.directory}/{CERTIFICATE}
bridge_keyfile {places.keys}/{KEY}
bridge_tls_version tlsv1.3
remote_clientid {booth}
local_clientid fleet-bridge
cleansession false
notifications false
try_private false
bridge_outgoing_retain false
keepalive_interval 30
restart_timeout 2 60
topic + out 1 {local} {remote}
"""


def fleet_in(directory: Path) -> FleetAddress | None:
    """The fleet that a broker's ``directory`` is joined to. Unfit where the file cannot be used."""
    path = directory / ADDRESS_FILE
    if not path.exists():
        return None
    try:
        found = tomllib.loads(atomic_files.read(path, fix=_JOIN).decode("utf-8"))
        return FleetAddress(fleet=str(found["fleet"]), host=str(found["host"]), port=int(found["port"]))
    except (ValueError, KeyError, TypeError):
        raise Unfit("the file does not say where a fleet is", where=str(path), fix=_JOIN) from None


def ask(directory: Path, booth: BoothId, fleet: str, signing_key: bytes) -> bytes:
    """The booth's request to the fleet called ``fleet``; its key for the bridge is made where there is none."""
    if not NAME_FORM.fullmatch(fleet):
        raise Unfit(
            f"{fleet[:40]!r} is no name of a fleet", where="--fleet", fix="ask whoever runs the fleet"
        )
    names.check_name(booth, what="this booth's name, which is a unit's to the fleet")
    path = directory / KEY
    if not path.exists():
        atomic_files.write_durably(path, key_pem(new_key()), mode=atomic_files.SECRET)
    key = load_key(atomic_files.read(path, fix="run as the booth's owner (root)"), where=str(path))
    return request.request_bytes(
        booth=BoothId(fleet), unit=UnitId(booth), signing_key=signing_key, tls_key=key
    )


def join(directory: Path, booth: BoothId, untrusted_answer: bytes) -> FleetAddress:
    """Take the fleet's answer; ``layout.write_rights`` then turns the bridge on.

    Unfit where it is another booth's.
    """
    answer = request.read_answer(untrusted_answer)
    if str(answer.unit) != booth:
        raise Unfit(
            f"the answer is for booth {answer.unit[:40]}", where="answer", fix="ask with this booth's request"
        )
    names.host(answer.host)
    for name, text in ((CA, answer.ca), (CERTIFICATE, answer.certificate)):
        atomic_files.write_durably(directory / name, text.encode("ascii"), mode=atomic_files.PUBLIC)
    rows: dict[str, str | int] = {"fleet": answer.booth, "host": answer.host, "port": answer.port}
    text = "".join(f"{key} = {toml(value)}\n" for key, value in rows.items())
    atomic_files.write_durably(directory / ADDRESS_FILE, text.encode("utf-8"), mode=atomic_files.PUBLIC)
    return FleetAddress(fleet=answer.booth, host=answer.host, port=answer.port)


def leave(directory: Path) -> None:
    """Forget the fleet; ``layout.write_rights`` then turns the bridge off. What waits is never passed on."""
    for name in (ADDRESS_FILE, CERTIFICATE, CA, KEY):
        (directory / name).unlink(missing_ok=True)
    atomic_files.sync_directory(directory)


def home_name(booth: BoothId, public_key: bytes) -> str:
    """What the hub is called in a lineage: its booth, and the identifier of the key it signs baselines with."""
    return f"{booth}/{sign.key_id(public_key).hex()}"
