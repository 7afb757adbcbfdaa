"""This machine's own addresses on private networks."""

from __future__ import annotations

import ipaddress
from typing import Final

import ifaddr

_PRIVATE: Final = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def own_addresses() -> tuple[str, ...]:
    """The private IPv4 addresses of this machine (RFC 1918), each once, none of a loopback or link-local.

    What stands in a certificate or an announcement must still be true tomorrow; a link-local address need not be.
    """
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                address = ipaddress.IPv4Address(ip.ip)
                if any(address in network for network in _PRIVATE):
                    found.append(str(address))
    return tuple(dict.fromkeys(found))
