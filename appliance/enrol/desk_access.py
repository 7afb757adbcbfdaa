"""What the pairing desk and the exporter of metrics need of the booth: their ways to the broker, who the hub is.

Invariants:
    * Made where it is missing, so that a booth of an earlier version has it too.
    * Only who may read the authority makes a certificate; the exporter finds its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.enrol import names
from appliance.enrol.authority import Authority, key_pem, new_key
from appliance.enrol.broker import staff_acl, units_acl
from appliance.enrol.layout import BoothDirectory, load_authority, put_public, put_secret, write_rights
from appliance.settings import config
from appliance.settings.config import BrokerAddress


def desk_broker(booth: BoothDirectory) -> BrokerAddress:
    """Where the desk finds the broker and how it proves itself. Unfit for who may not read the authority."""
    _bring_up_to_date(booth)
    return _address(booth, names.DESK, booth.directory / "hub" / f"{names.DESK}.key")


def metrics_broker(booth: BoothDirectory) -> BrokerAddress:
    """The same for the exporter of metrics; its key is a credential where systemd hands it in. Unfit without one."""
    own = booth.directory / "hub" / f"{names.METRICS}.key"
    handed = Path(os.environ.get("CREDENTIALS_DIRECTORY", os.devnull)) / own.name
    key = handed if handed.is_file() else own
    if not own.with_suffix(".pem").exists():
        if booth.system:
            raise Unfit(
                "the exporter of metrics has no certificate yet",
                where=str(own.with_suffix(".pem")),
                fix="systemctl restart leftfield-desk, which makes it",
            )
        _bring_up_to_date(booth)
    return _address(booth, names.METRICS, key)


def _bring_up_to_date(booth: BoothDirectory) -> None:
    with atomic_files.alone(booth.directory):
        authority, register = load_authority(booth), config.register(booth.register)
        # An upgrade may have brought new topics: the rights are those of this version from its first start on.
        written = booth.broker_directory / "units.acl", booth.broker_directory / "staff.acl"
        wanted = units_acl(booth.booth, register), staff_acl(booth.booth, register)
        if tuple(path.read_text("utf-8") for path in written) != wanted:
            write_rights(booth, authority, register)
        for name in (names.DESK, names.METRICS):
            _certify(booth, authority, name)


def _certify(booth: BoothDirectory, authority: Authority, name: str) -> None:
    certificate = booth.directory / "hub" / f"{name}.pem"
    if not certificate.exists():
        new = new_key()
        put_secret(certificate.with_suffix(".key"), key_pem(new))
        put_public(certificate, authority.client(name, new.public_key()))


def _address(booth: BoothDirectory, name: str, key: Path) -> BrokerAddress:
    certificate = booth.directory / "hub" / f"{name}.pem"
    port = booth.listeners.mqtt_port
    return BrokerAddress(host="127.0.0.1", port=port, ca=booth.ca, certificate=certificate, key=key)


def authority_fingerprint(booth: BoothDirectory) -> bytes:
    """The SHA-256 of the authority's certificate (DER), 32 bytes."""
    return load_authority(booth).certificate.fingerprint(SHA256())
