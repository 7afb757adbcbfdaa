"""Seats: how many visitors the page server takes at once, and how many of them may come from one place.

Invariants:
    * One visitor cannot keep the others out: an address has a few seats only.
"""

from __future__ import annotations

import threading
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

VISITORS: Final = 48
"""Connections at once; more are closed at once."""
SEATS: Final = 6
"""Connections of one address at once: what a browser opens."""
LOOPBACK_SEATS: Final = 24
"""Those of this machine itself, where a demo's browser and its tests may all sit."""


def seat_of(untrusted_address: str) -> str:
    """What counts as one visitor: an IPv4 address, or an IPv6 network of 64 bits (one machine has all of it)."""
    address = ip_address(untrusted_address.partition("%")[0])
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((address, 64), strict=False).network_address)
    return str(address)


def seats_of(seat: str) -> int:
    """How many connections may come from ``seat`` at once."""
    return LOOPBACK_SEATS if seat in {"127.0.0.1", "::"} else SEATS


class Seats:
    """Who sits; many threads may ask at once."""

    def __init__(self) -> None:
        self._seated: Counter[str] = Counter()
        self._seating = threading.Lock()

    def take(self, seat: str) -> bool:
        """Sit down at ``seat``; False where all seats, or all of its own, are taken."""
        with self._seating:
            free = self._seated.total() < VISITORS and self._seated[seat] < seats_of(seat)
            if free:
                self._seated[seat] += 1
            return free

    def stand_up(self, seat: str) -> None:
        """A visitor at ``seat`` is gone."""
        with self._seating:
            self._seated[seat] -= 1
            self._seated += Counter()  # forgets who has none
