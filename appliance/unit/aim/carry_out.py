"""Root's part of setting a unit up: what RELAY put down is checked once more, by itself, and carried out.

May touch: the order (a copy), the unit's epoch, signing key and lock, the count of minutes aimed, the zones, one file
of minutes, and systemd's socket. No network, no device, no pixel.

Invariants:
    * RELAY is not believed: the hub's signature, the unit, its key, its epoch and, by a clock that is set, the time
      are checked here.
    * Minutes of aiming are counted before one begins: an hour a day at most (``allowance``).
    * A locked unit carries nothing out, whoever signed it; that is asked before the order is read.
    * What is carried out starts SENSE anew, and with it the epoch: an order can be carried out once.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unavailable, Unfit
from appliance.base.systemd import log
from appliance.protocol.setup_order import MOST_BYTES, Do, SetupOrder, check_now, order_in
from appliance.protocol.sign import KEY_BYTES, key_id
from appliance.protocol.values import Epoch
from appliance.settings.config import UnitConfig, unit_config
from appliance.settings.epoch import CREDENTIALS, EPOCH, epoch_in
from appliance.unit.aim import allowance
from appliance.unit.clocks import is_synchronised
from appliance.unit.inputs import lock, zones
from appliance.unit.inputs.plain_file import plain_bytes

MINUTES_PATH: Final = Path("/run/leftfield-setup/minutes")
"""How long the next aiming lasts, for systemd to hand in."""
SENSE, AIM = "leftfield-sense.service", "leftfield-aim.service"
_SYSTEMCTL: Final = "/usr/bin/systemctl"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """What was done, and which service runs next."""

    order: SetupOrder
    next_service: str


def order_now(config_path: Path, untrusted: bytes, *, now: float | None) -> tuple[UnitConfig, SetupOrder]:
    """The order in ``untrusted`` where it may be carried out at ``now`` (unix seconds; None: the clock is not set).

    Refused as ``order_in`` and ``check_now``; Refused (NOT_YOURS) where the unit is locked; Unfit without keys.
    """
    if lock.is_locked(config_path):
        fix = "a lock is for good; to set this unit up anew, flash its card"
        raise Refused(Rule.NOT_YOURS, "this unit is locked: it takes no orders", where="setup order", fix=fix)
    config = unit_config(config_path)
    if config.hub_key is None or config.public_key is None:
        fix = "enrol this unit again (leftfield enrol finish)"
        raise Unfit("the hub's key or this unit's is missing", where=str(config_path), fix=fix)
    order = order_in(
        untrusted,
        public_key=config.hub_key,
        booth=config.booth,
        unit=config.unit,
        key=key_id(config.public_key),
    )
    check_now(order, epoch=_epoch(config_path), now=now)
    return config, order


def carry_out(config_path: Path, untrusted: bytes, *, minutes: Path = MINUTES_PATH) -> CarriedOut:
    """Check the order and do what it says, all but starting the next service. Refused, Unfit."""
    now = time.time() if is_synchronised() else None
    config, order = order_now(config_path, untrusted, now=now)
    aimed = _credentials(config_path) / allowance.FILE
    if order.do is Do.AIM:
        allowance.take(aimed, order.minutes, now=time.time())
        atomic_files.write_durably(minutes, b"%d\n" % order.minutes, mode=atomic_files.PUBLIC)
        log(f"setup: the hub orders {order.minutes} minutes of aiming")
        return CarriedOut(order=order, next_service=AIM)
    allowance.end(aimed, now=time.time())
    if order.do is Do.ZONES:
        zones.kept_at(config.zones, order.zones)
        log(f"setup: {len(order.zones)} zones are kept in which nobody counts")
    if order.do is Do.LOCK:
        lock_here(config_path, config)
    return CarriedOut(order=order, next_service=SENSE)


def lock_here(config_path: Path, config: UnitConfig) -> None:
    """Lock this unit, in the epoch that it is in. Unfit where its key cannot be read or the record not written."""
    key = plain_bytes(_credentials(config_path) / "signing.key", KEY_BYTES + 1) or b""
    if len(key) != KEY_BYTES:
        raise Unfit("this unit's signing key cannot be read", where="signing.key", fix="run it as root")
    lock.lock(config_path, booth=config.booth, unit=config.unit, epoch=_epoch(config_path), private_key=key)
    log("setup: LOCKED for good: this unit is never aimed again and reads no colour card", level=5)


def _epoch(config_path: Path) -> Epoch:
    return epoch_in(atomic_files.read(_credentials(config_path) / EPOCH, fix="enrol this unit again"))


def _credentials(config_path: Path) -> Path:
    return config_path.absolute().parent / CREDENTIALS


def read_order(path: Path) -> bytes:
    """An order's bytes. Unavailable where there is none."""
    untrusted = plain_bytes(path, MOST_BYTES + 1)
    if not untrusted:
        raise Unavailable("the hub has ordered nothing", where=str(path), fix="ask on an installer's tablet")
    return untrusted


def start(service: str) -> None:
    """Let systemd start a service anew, and wait for nothing. Unavailable where it does not answer."""
    try:
        words = [_SYSTEMCTL, "--no-block", "restart", service]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(
            f"systemd did not start {service}", where="setup", fix=f"systemctl restart {service}"
        ) from error
