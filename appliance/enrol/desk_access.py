"""What the pairing desk needs of the booth: its own way to the broker, and who the hub proves to be.

Invariant: made where it is missing, so that a booth of an earlier version can pair too.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256

from appliance.base import atomic_files
from appliance.enrol import names
from appliance.enrol.authority import key_pem, new_key
from appliance.enrol.broker import staff_acl, units_acl
from appliance.enrol.layout import BoothDirectory, load_authority, put_public, put_secret, write_rights
from appliance.settings import config
from appliance.settings.config import BrokerAddress


def desk_broker(booth: BoothDirectory) -> BrokerAddress:
    """Where the desk finds the broker and how it proves itself. Unfit for who may not read the authority."""
    own = booth.directory / "hub"
    key, certificate = own / "desk.key", own / "desk.pem"
    with atomic_files.alone(booth.directory):
        authority, register = load_authority(booth), config.register(booth.register)
        # An upgrade may have brought new topics: the rights are those of this version from its first start on.
        written = booth.broker_directory / "units.acl", booth.broker_directory / "staff.acl"
        wanted = units_acl(booth.booth, register), staff_acl(booth.booth, register)
        if tuple(path.read_text("utf-8") for path in written) != wanted:
            write_rights(booth, authority, register)
        if not certificate.exists():
            new = new_key()
            put_secret(key, key_pem(new))
            put_public(certificate, authority.client(names.DESK, new.public_key()))
    return BrokerAddress(
        host="127.0.0.1", port=booth.listeners.mqtt_port, ca=booth.ca, certificate=certificate, key=key
    )


def authority_fingerprint(booth: BoothDirectory) -> bytes:
    """The SHA-256 of the authority's certificate (DER), 32 bytes."""
    return load_authority(booth).certificate.fingerprint(SHA256())
