"""Confirm: looks at a machine on trial until it is kept or undone; what it saw goes to the journal.

Invariants:
    * It asks: the hub for one number, systemd for two services, the kernel for its network devices. It changes
      nothing but one file that says "kept"; systemd-bless-boot and a restart are systemd's to do.
    * A hub that cannot be reached and one that refuses are told apart by the kind of the error, not by its words.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError, Unfit
from appliance.base.systemd import log
from appliance.update import fetch
from appliance.update.fetch import Hub
from appliance.update.starter import CONFIRMED
from appliance.update.trial import PROOF, HubSays, Service, Sight, Trial, Verdict

SERVICES: Final = ("leftfield-sense", "leftfield-relay")
POLL_SECONDS: Final = 5.0
_KNOCK_SECONDS: Final = 5.0
_CLOCK_PORT: Final = 123
_CLOCK_REQUEST: Final = b"\x23" + bytes(47)
"""What any client of a clock asks (RFC 5905 section 7.3: version 4, mode 3)."""
_LINKS: Final = Path("/sys/class/net")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is looked at: the hub, the broker's port there, this start's epoch, this machine."""

    hub: Hub
    broker_port: int
    epoch: int
    systemctl: tuple[str, ...] = ("systemctl",)
    links: Path = _LINKS
    confirmed: Path = CONFIRMED
    poll_seconds: float = POLL_SECONDS
    now: Callable[[], float] = field(default=time.monotonic)


def confirm(watch: Watch) -> None:
    """Return when this system is kept. Unfit when it is to be undone: the machine then starts again."""
    trial, said = Trial(), ""
    while True:
        verdict = trial.see(sight(watch), watch.now())
        if verdict is Verdict.KEEP:
            watch.confirmed.parent.mkdir(parents=True, exist_ok=True)
            watch.confirmed.touch()
            log(f"update: kept: {trial.reason}")
            return
        if verdict is Verdict.UNDO:
            raise Unfit(
                f"not kept: {trial.reason}",
                where="update",
                fix="nothing: the machine starts again, and after three tries the version before runs",
            )
        if trial.reason != said:
            said = trial.reason
            log(f"update: on trial: {said}")
        time.sleep(watch.poll_seconds)


def sight(watch: Watch) -> Sight:
    """What is to be seen now."""
    says, admitted = _hub(watch)
    links = sum(1 for link in watch.links.iterdir() if (link / "device").exists())
    return Sight(hub=says, admitted=admitted, services=_services(watch.systemctl), links=links)


def _hub(watch: Watch) -> tuple[HubSays, int]:
    says, admitted = HubSays.ANSWERS, 0
    try:
        admitted = fetch.admitted(watch.hub, watch.epoch)
        if admitted < PROOF:  # its update server is there; is its broker?
            address = (watch.hub.host, watch.broker_port)
            socket.create_connection(address, _KNOCK_SECONDS).close()
    except LeftfieldError as error:
        says = kind_of(error.__context__)
    except OSError as error:
        says = kind_of(error)
    if says is HubSays.AWAY and shut(watch.hub.host):
        says = HubSays.SHUT
    return says, admitted


def kind_of(error: BaseException | None) -> HubSays:
    """What an error of a connection says of the hub; no such error is an answer that refuses."""
    if not isinstance(error, OSError) or isinstance(error, ssl.SSLError):
        return HubSays.REFUSES
    own_files = {errno.ENOENT, errno.EACCES}
    return HubSays.REFUSES if error.errno in own_files else HubSays.AWAY


def shut(host: str) -> bool:
    """Whether our own firewall drops what goes to the hub's clock, to which a unit may always speak.

    The kernel says EPERM at once for a datagram that a rule drops; for a connection it says nothing.
    """
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.settimeout(_KNOCK_SECONDS)
        try:
            out.sendto(_CLOCK_REQUEST, (host, _CLOCK_PORT))
        except PermissionError:
            return True
    return False


def _services(systemctl: tuple[str, ...]) -> tuple[Service, ...]:
    keys = ("ActiveState", "NRestarts", "StatusText")
    words = [*systemctl, "show", *(f"--property={key}" for key in keys)]
    found = []
    for name in SERVICES:
        done = subprocess.run([*words, name], capture_output=True, text=True, check=False)
        said = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        restarts = said.get("NRestarts", "0")
        found.append(
            Service(
                name=name, state=said.get("ActiveState", ""), status=said.get("StatusText", ""),
                restarts=int(restarts) if restarts.isdigit() else 0,
            )
        )  # fmt: skip
    return tuple(found)
