"""The booth's own certificate authority: who is who on the booth's network (X.509, RFC 5280; ECDSA P-256).

Invariants:
    * Certificates are backdated: a unit without a battery clock wakes in the past and must still find its hub.
    * What a tablet's browser sees lives no longer than browsers allow; everything else outlives the booth.
    * The authority can only vouch for private names and addresses (RFC 5280 section 4.2.1.10): a tablet that
      trusts it cannot be fooled about the rest of the world by whoever steals the booth.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.base.errors import Unfit
from appliance.enrol.names import Address
from appliance.protocol.values import BoothId

LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Start of every certificate that a unit must accept: before any clock such a unit can wake with."""
FAR_AWAY: Final = datetime(2060, 1, 1, tzinfo=UTC)
PAGE_DAYS: Final = 398
"""Most days browsers accept for a server certificate of a public authority; for one of our own they allow more."""

PRIVATE_DOMAINS: Final = ("localhost", "local", "lan", "internal", "home.arpa")
"""Names that mean something on one's own network only (RFC 6761, RFC 6762, RFC 8375)."""
PRIVATE_NETWORKS: Final = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip
"""RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 section 2.5."""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key: what OpenSSL, mosquitto and every browser accept."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PKCS #8 PEM, not encrypted: its file's mode protects it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load_key(pem: bytes, *, where: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key in a PEM file of our own; Unfit where it is not one."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Unfit(
            "the file holds no elliptic-curve key", where=where, fix="restore the file, or enrol anew"
        )
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The booth's certificate and its key. It issues; it keeps no list (the register does)."""

    booth: BoothId
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @staticmethod
    def create(booth: BoothId) -> Authority:
        """A new authority for ``booth``."""
        key = new_key()
        name = _name(f"Leftfield booth {booth}")
        certificate = (
            _builder(subject=name, issuer=name, public_key=key.public_key(), until=FAR_AWAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(_private_world(), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        return Authority(booth=booth, certificate=certificate, key=key)

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for everybody."""
        return self.certificate.public_bytes(Encoding.PEM)

    def client(self, name: str, public_key: ec.EllipticCurvePublicKey) -> bytes:
        """A certificate (PEM) that lets ``name`` prove itself to the broker."""
        builder = self._issued(name, public_key, until=FAR_AWAY)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._sign(builder.add_extension(usage, critical=False))

    def server(
        self,
        name: str,
        public_key: ec.EllipticCurvePublicKey,
        hosts: tuple[str | Address, ...],
        *,
        page_from: datetime | None = None,
    ) -> bytes:
        """A certificate (PEM) for a server under ``hosts``; with ``page_from`` one of a life that browsers allow.

        Unfit for a host that is not on a private network.
        """
        for host in hosts:
            _refuse_public(host)
        since, until = LONG_AGO, FAR_AWAY
        if page_from:
            since, until = page_from - timedelta(days=1), page_from + timedelta(days=PAGE_DAYS - 1)
        builder = self._issued(name, public_key, since=since, until=until)
        names = [x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return self._sign(builder.add_extension(usage, critical=False))

    def revocations(self, serials: tuple[int, ...], now: datetime) -> bytes:
        """The list (PEM, RFC 5280 section 5) of certificates nobody shall accept any more."""
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=self.certificate.subject, last_update=LONG_AGO, next_update=FAR_AWAY
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder(serial_number=serial, revocation_date=now).build()
            builder = builder.add_revoked_certificate(entry)
        builder = builder.add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        builder = builder.add_extension(self._issuer, critical=False)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)

    @property
    def _issuer(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())

    def _issued(
        self,
        name: str,
        public_key: ec.EllipticCurvePublicKey,
        *,
        until: datetime,
        since: datetime = LONG_AGO,
    ) -> x509.CertificateBuilder:
        builder = _builder(
            subject=_name(name),
            issuer=self.certificate.subject,
            public_key=public_key,
            since=since,
            until=until,
        )
        return (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(self._issuer, critical=False)
        )

    def _sign(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


def load_certificate(pem: bytes, *, where: str) -> x509.Certificate:
    """The certificate in a PEM file of our own; Unfit where it is not one."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise Unfit(
            "the file holds no certificate", where=where, fix="restore the file from its backup"
        ) from None


def serial_of(certificate_pem: bytes) -> int:
    """The serial number of a certificate of our own."""
    return x509.load_pem_x509_certificate(certificate_pem).serial_number


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    *,
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    until: datetime,
    since: datetime = LONG_AGO,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private_world() -> x509.NameConstraints:
    names: list[x509.GeneralName] = [x509.DNSName(domain) for domain in PRIVATE_DOMAINS]
    names += [x509.IPAddress(ipaddress.ip_network(network)) for network in PRIVATE_NETWORKS]
    return x509.NameConstraints(permitted_subtrees=names, excluded_subtrees=None)


def _refuse_public(host: str | Address) -> None:
    if isinstance(host, str):
        private = any(host == domain or host.endswith(f".{domain}") for domain in PRIVATE_DOMAINS)
    else:
        private = any(host in ipaddress.ip_network(network) for network in PRIVATE_NETWORKS)
    if not private:
        raise Unfit(
            f"{host} is not a private address; this authority certifies private addresses only",
            where="booth host",
            fix=f"use an address such as 192.168.1.20, or a name that ends with .{PRIVATE_DOMAINS[1]}",
        )
