"""Keys and certificates: who may read them, whether they belong together, and how long they last."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance.doctor.findings import Finding, good, unseen, wrong
from appliance.doctor.machine import Machine, Unseen

_KEYS: Final = {
    "unit": ("credentials/signing.key", "credentials/epoch", "link/tls.key"),
    "hub": (
        "authority/ca.key", "hub/tls.key", "hub/signing.key", "hub/prior.key", "broker/broker.key",
        "broker/pages.key", "hub/desk.key", "hub/metrics.key", "broker/fleet.key",
    ),
}  # fmt: skip
_MAY_LACK: Final = frozenset({"hub/prior.key", "hub/desk.key", "hub/metrics.key", "broker/fleet.key"})
"""Keys that an older booth, or one in no fleet, has not."""
_SECRET_DIRECTORIES: Final = {"unit": ("credentials",), "hub": ("authority",)}
_PAIRS: Final = {
    "unit": (("link/unit.pem", "link/tls.key", "link/ca.pem"),),
    "hub": (
        ("hub/hub.pem", "hub/tls.key", "broker/ca.pem"),
        ("broker/broker.pem", "broker/broker.key", "broker/ca.pem"),
        ("broker/pages.pem", "broker/pages.key", "broker/ca.pem"),
    ),
}
NAMES: Final = tuple(
    sorted(
        {name for names in (*_KEYS.values(), *_SECRET_DIRECTORIES.values()) for name in names}
        | {name for pairs in _PAIRS.values() for pair in pairs for name in pair}
        | {"broker/passwords"}
    )
)
"""Every file that is looked at, below the directory of settings."""
_RENEWED_DAYS: Final = 55
"""The page's certificate is renewed by itself 60 days before its end: less is a timer that does not run."""
_ENROL: Final = "enrol this unit again (leftfield enrol request); keep no copy of the old key"
_RENEW: Final = "on the hub: leftfield booth renew"


def looked_at(machine: Machine, role: str, directory: Path, now: float) -> Iterator[Finding]:
    """Every key and certificate below ``directory`` at ``now`` (unix seconds)."""
    yield from _modes(machine, role, directory)
    for names in _PAIRS[role]:
        try:
            yield from _pair(machine, role, directory, names, now)
        except Unseen as why:
            yield unseen("keys.match", str(why), names[0])


def _modes(machine: Machine, role: str, directory: Path) -> Iterator[Finding]:
    clean = []
    rows = [(name, 0o600, False) for name in _KEYS[role]]
    rows += [(name, 0o700, True) for name in _SECRET_DIRECTORIES[role]]
    rows += [("broker/passwords", 0o640, False)] if role == "hub" else []
    for name, most, folder in rows:
        path = directory / name
        try:
            found = machine.stat(path)
        except Unseen as why:
            yield unseen("keys.modes", str(why), name)
            continue
        if found is None:
            if not folder and name not in _MAY_LACK:
                fix = _ENROL if role == "unit" else "restore it from a backup (leftfield restore)"
                yield wrong("keys.modes", f"there is no {path}", about=name, fix=fix)
            continue
        mode = stat.S_IMODE(found.st_mode)
        if mode & ~most or found.st_uid != 0:
            owner = "" if found.st_uid == 0 else f", of account {found.st_uid}"
            anew = _ENROL if role == "unit" else _RENEW
            fix = f"chown root {path}; chmod {most:o} {path}; if others use this machine: {anew}"
            yield wrong(
                "keys.modes", f"its mode is {mode:04o}{owner}, not {most:04o} of root", about=name, fix=fix
            )
        else:
            clean.append(name)
    if clean:
        yield good("keys.modes", f"root's alone: {', '.join(clean)}")


def _pair(
    machine: Machine, role: str, directory: Path, names: tuple[str, str, str], now: float
) -> Iterator[Finding]:
    """One certificate, its key, and the authority it must come from."""
    name = names[0]
    certificate, key, ca = (machine.bytes(directory / one) for one in names)
    fix = _RENEW if role == "hub" else _ENROL
    if certificate is None or ca is None:
        yield wrong(
            "certificate.authority",
            "the certificate, or that of its authority, is not there",
            about=name,
            fix=fix,
        )
        return
    try:
        own, issuer = x509.load_pem_x509_certificate(certificate), x509.load_pem_x509_certificate(ca)
    except ValueError:
        yield wrong("certificate.authority", "a certificate that cannot be read", about=name, fix=fix)
        return
    yield from lifetime_judged(name, own, now, fix)
    try:
        own.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        yield wrong("certificate.authority", "signed by another booth's authority", about=name, fix=fix)
    else:
        yield good("certificate.authority", "signed by this booth's authority", name)
    try:
        match = key is not None and load_pem_private_key(key, None).public_key() == own.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        match = False
    if match:
        yield good("keys.match", "key and certificate belong together", name)
    else:
        yield wrong("keys.match", "the key does not belong to the certificate", about=name, fix=fix)


def lifetime_judged(name: str, certificate: x509.Certificate, now: float, fix: str) -> Iterator[Finding]:
    """How long a certificate still lasts. Pure."""
    until, since = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    days = (until - datetime.fromtimestamp(now, UTC)).days
    if days < 0:
        yield wrong("certificate.lifetime", f"ended {-days} days ago", about=name, fix=fix)
    elif datetime.fromtimestamp(now, UTC) < since:
        yield wrong(
            "certificate.lifetime",
            "begins in the future: this clock is wrong",
            about=name,
            fix="set the clock",
        )
    elif days < _RENEWED_DAYS and name == "broker/pages.pem":
        more = f"{fix}; systemctl status leftfield-renew.timer says why it was not renewed by itself"
        yield wrong("certificate.lifetime", f"ends in {days} days", about=name, fix=more)
    else:
        yield good(
            "certificate.lifetime", f"lasts {days} days more" if days < 36_500 else "does not end", name
        )
