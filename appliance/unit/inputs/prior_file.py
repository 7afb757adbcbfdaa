"""The one file that comes to a unit from its hub: the prior. RELAY puts it on the shelf, SENSE takes it at its start.

Invariants:
    * Both look alike at what they are given: it is the hub's, for this booth, in this vocabulary, or it is left.
    * Nothing older replaces what is kept. A file is the old one or the new one, whatever happens.
    * SENSE takes it once, before it is enclosed, and never comes back. Under systemd it cannot even see the shelf: it
      gets a copy, made as it started, as a credential.
    * No prior, or one that cannot be believed, costs accuracy and nothing else.
"""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Refused
from appliance.protocol.prior import MOST_BYTES, OLDEST, Prior, prior_in
from appliance.settings.config import UnitConfig

CREDENTIAL: Final = "prior"
"""Name of the copy that systemd hands to SENSE; ``none`` where RELAY has kept nothing yet."""
_NONE: Final = b"none"
_DAY: Final = 86_400
_CLOCK: Final = 1_735_689_600
"""2025-01-01: a clock that says less is not set, and can call nothing old."""


def put(settings: UnitConfig, untrusted: bytes, kept: Prior | None, now: float) -> Prior | None:
    """Put on the shelf what the hub sent at ``now`` (unix seconds); the prior, or None where ``kept`` is as new.

    A hub whose clock ran ahead must not silence all its later priors: by a clock that is set, what is of tomorrow is
    neither taken nor held against what comes.

    Refused as ``prior_in``; Unfit where the disk does not take it. ``settings`` must have a ``hub_key``.
    """
    prior = _believed(settings, untrusted, "what the hub sent")
    tomorrow = now + _DAY if now > _CLOCK else math.inf
    if prior.made_at > tomorrow or (kept is not None and prior.made_at <= kept.made_at <= tomorrow):
        return None
    atomic_files.write_durably(settings.prior, untrusted, mode=atomic_files.SECRET)
    return prior


def kept(settings: UnitConfig) -> Prior | None:
    """The prior on the shelf; None where there is none. Refused where it is not to be believed."""
    untrusted = _read(settings.prior) if settings.hub_key else None
    return None if untrusted is None else _believed(settings, untrusted, str(settings.prior))


def taken(settings: UnitConfig, now: float) -> tuple[Prior | None, str]:
    """What SENSE goes by from here on, and one line that says so; never an error. ``now`` is unix seconds.

    The credential where there is one, else the file where RELAY keeps it.
    """
    if settings.hub_key is None:
        return None, "no hub_key under [prior]: going by the shipped prior"
    handed = Path(os.environ.get("CREDENTIALS_DIRECTORY", os.devnull)) / CREDENTIAL
    untrusted = _read(handed)
    if untrusted is None:
        untrusted = _read(settings.prior)
    if untrusted is None or untrusted.strip() == _NONE:
        return None, "no prior has come from the hub yet: going by the shipped one"
    try:
        prior = _believed(settings, untrusted, "the hub's prior")
    except Refused as refused:
        return None, f"{refused}; going by the shipped prior"
    age = int(now - prior.made_at)
    if now > _CLOCK and age > OLDEST:
        return None, f"the hub's prior is {age // _DAY} days old: going by the shipped one"
    if now > _CLOCK and age < -_DAY:
        return None, f"the hub's prior is {-age // _DAY} days ahead of this clock: going by the shipped one"
    return prior, f"going by the hub's prior: {prior.people:,} people, {max(0, age) // _DAY} days old"


def _believed(settings: UnitConfig, untrusted: bytes, where: str) -> Prior:
    key = settings.hub_key
    if key is None:
        raise ValueError("without the hub's key no prior can be believed")
    return prior_in(untrusted, public_key=key, booth=settings.booth, where=where)


def _read(path: Path) -> bytes | None:
    """A plain file's first bytes, one more than any prior has; None where there is no plain file to be read."""
    try:
        # A link or a pipe in its place must neither be followed nor waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, MOST_BYTES + 1) if plain else None
    except OSError:
        return None
    finally:
        os.close(descriptor)
