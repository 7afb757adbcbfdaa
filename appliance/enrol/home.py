"""The unit's own side of enrolment: where its keys are born, and where they stay.

Invariants:
    * The signing key lives in ``credentials/`` with the epoch: for SENSE alone. The TLS key lives in ``link/``: for
      RELAY alone. Neither is ever printed, sent, or read by the other process.
    * Keys that exist are kept: asking again is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.enrol import authority, request
from appliance.enrol.names import check_booth, check_name
from appliance.protocol import sign
from appliance.protocol.values import BoothId, UnitId
from appliance.settings.config import BrokerAddress
from appliance.settings.epoch import CREDENTIALS, EPOCH

SIGNING_KEY: Final = "signing.key"
TLS_KEY: Final = "tls.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHome:
    """The directory of one unit (``/etc/leftfield`` on a real one): credentials, link, ``unit.toml``."""

    directory: Path

    @property
    def credentials(self) -> Path:
        """What SENSE gets (``CREDENTIALS_DIRECTORY``): ``signing.key`` (32 bytes) and ``epoch`` (ASCII decimal)."""
        return self.directory / CREDENTIALS

    @property
    def link(self) -> Path:
        """What RELAY proves itself with: ``tls.key``, ``unit.pem``, ``ca.pem``."""
        return self.directory / "link"

    @property
    def config(self) -> Path:
        """``unit.toml``."""
        return self.directory / "unit.toml"

    def public_key(self) -> bytes:
        """The public half of the signing key (32 bytes), for ``unit.toml``. Unfit where there is no signing key."""
        fix = "run `leftfield enrol request` on this unit first"
        signing_key = atomic_files.read(self.credentials / SIGNING_KEY, fix=fix)
        if len(signing_key) != sign.KEY_BYTES:
            where = str(self.credentials / SIGNING_KEY)
            raise Unfit(
                f"the signing key has {len(signing_key)} bytes", where=where, fix="enrol as a new unit"
            )
        return sign.public_key_of(signing_key)

    def broker(self, answer: request.EnrolmentAnswer, *, key: Path | None = None) -> BrokerAddress:
        """Where the broker is, and how this unit proves itself to it (with ``key`` where systemd hands it in)."""
        return BrokerAddress(
            host=answer.host,
            port=answer.port,
            ca=self.link / "ca.pem",
            certificate=self.link / "unit.pem",
            key=key or self.link / TLS_KEY,
        )


def make_keys(home: UnitHome) -> None:
    """Make this unit's keys where there are none yet: signing key with its epoch, and TLS key."""
    atomic_files.make_directory(home.directory, mode=atomic_files.PUBLIC_DIRECTORY)
    atomic_files.make_directory(home.credentials, mode=atomic_files.SECRET_DIRECTORY)
    atomic_files.make_directory(home.link, mode=atomic_files.PUBLIC_DIRECTORY)
    signing_key, epoch = home.credentials / SIGNING_KEY, home.credentials / EPOCH
    tls_key = home.link / TLS_KEY
    with atomic_files.alone(home.credentials):
        if not signing_key.exists():
            # The epoch first: a key without an epoch would be one that has nothing to count from.
            atomic_files.write_durably(epoch, b"0\n", mode=atomic_files.SECRET)
            atomic_files.write_durably(signing_key, sign.new_private_key(), mode=atomic_files.SECRET)
        if not tls_key.exists():
            new = authority.key_pem(authority.new_key())
            atomic_files.write_durably(tls_key, new, mode=atomic_files.SECRET)


def make_request(home: UnitHome, *, booth: BoothId, unit: UnitId) -> bytes:
    """Make this unit's keys where there are none yet, and the request that ``booth`` know them as ``unit``."""
    check_booth(booth)
    check_name(unit, what="unit")
    make_keys(home)
    fix = "give this account the right to read it, or choose another --directory"
    tls_key = home.link / TLS_KEY
    return request.request_bytes(
        booth=booth,
        unit=unit,
        signing_key=atomic_files.read(home.credentials / SIGNING_KEY, fix=fix),
        tls_key=authority.load_key(atomic_files.read(tls_key, fix=fix), where=str(tls_key)),
    )


def install_answer(home: UnitHome, untrusted_answer: bytes) -> request.EnrolmentAnswer:
    """Keep the booth's answer: ``unit.pem`` and ``ca.pem``. Unfit where it was not made for this unit's key."""
    answer = request.read_answer(untrusted_answer)
    tls_key = home.link / TLS_KEY
    key = authority.load_key(
        atomic_files.read(tls_key, fix="run `leftfield enrol request` on this unit first"),
        where=str(tls_key),
    )
    fix = "make a new request on this unit, and use the answer to that one"
    try:
        ca = x509.load_pem_x509_certificate(answer.ca.encode("utf-8"))
        certificate = x509.load_pem_x509_certificate(answer.certificate.encode("utf-8"))
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        raise Unfit("the certificates do not belong together", where="enrolment answer", fix=fix) from None
    if (
        certificate.public_key() != key.public_key()
        or certificate.subject.rfc4514_string() != f"CN={answer.unit}"
    ):
        raise Unfit("the certificate is for another unit or another key", where="enrolment answer", fix=fix)
    atomic_files.write_durably(home.link / "ca.pem", answer.ca.encode("ascii"), mode=atomic_files.PUBLIC)
    atomic_files.write_durably(
        home.link / "unit.pem", answer.certificate.encode("ascii"), mode=atomic_files.PUBLIC
    )
    return answer
