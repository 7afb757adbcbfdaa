"""Where the demo listens: ports that are free, the address of this machine on its network, and the links to show.

Invariants:
    * Asking for a port means trying it; a port that is taken is replaced by a free one, and that is said.
    * A chosen port is claimed until this process ends, so that two demos that start together choose different ones.
    * Nothing is sent to find our own address: a UDP socket is connected, which sends nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.enrol.authority import PRIVATE_NETWORKS

LOCAL: Final = "127.0.0.1"
_LISTEN: Final = "0A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Chosen ports; ``moved`` says which were not the usual ones, in words."""

    mqtt: int
    websocket: int
    secure_websocket: int
    pages: int
    secure_pages: int
    moved: tuple[str, ...]


def choose_ports(pages: int) -> Ports:
    """The usual ports where they are free, others where they are not."""
    taken: set[int] = set()
    moved: list[str] = []

    def choose(usual: int, what: str) -> int:
        port = usual if usual not in taken and _free(usual) and _claim(usual) else free_port(taken)
        while port != usual and not _claim(port):
            port = free_port(taken | {port})
        if port != usual:
            moved.append(f"port {usual} is taken: {what} is on {port}")
        taken.add(port)
        return port

    return Ports(
        pages=choose(pages, "the tablet page"),
        mqtt=choose(8883, "the broker"),
        websocket=choose(9001, "the broker for this machine's browser"),
        secure_websocket=choose(9443, "the broker for tablets"),
        secure_pages=choose(8443, "the tablet page on the network"),
        moved=tuple(moved),
    )


_CLAIMS: Final[list[socket.socket]] = []
"""Sockets whose names claim ports; the kernel lets go of them when this process ends, however it ends."""


def _claim(port: int) -> bool:
    """Claim a port against other demos on this machine; False where one of them has it (unix(7), abstract names)."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0leftfield-demo-port-{port}")
    except OSError:
        claim.close()
        return False
    _CLAIMS.append(claim)
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def free_port(taken: set[int]) -> int:
    """A port that nobody listens on and that is not in ``taken``."""
    while True:
        with socket.socket() as probe:
            probe.bind(("", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def listening(port: int) -> bool:
    """Whether somebody listens on TCP ``port`` of this machine (proc(5), /proc/net/tcp).

    Looked up, not tried: the broker would complain of whoever connects and says nothing.
    """
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            rows = [line.split() for line in table.read_text("ascii").splitlines()[1:]]
        except OSError:
            continue  # no IPv6 here
        if any(row[1].endswith(f":{port:04X}") and row[3] == _LISTEN for row in rows):
            return True
    return False


def network_address() -> str:
    """The address of this machine on its private network, or an empty text where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))
        except OSError:
            return ""
        address = ipaddress.ip_address(probe.getsockname()[0])
    private = any(address in ipaddress.ip_network(network) for network in PRIVATE_NETWORKS)
    return str(address) if private and not address.is_loopback else ""
