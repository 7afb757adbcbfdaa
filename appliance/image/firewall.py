"""Firewall: the rules of nftables that a unit and a hub run behind, as text.

Invariants:
    * Pure: no I/O. What is not written in the rules is dropped, in both directions.
    * A unit accepts no connection at all. It asks for an address and the hub's name, and calls its hub's ports.
    * A hub accepts its own ports only, from private networks only, and each address has a share of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MQTT_PORT: Final = 8883
"""Units and WATCH: MQTT over mutual TLS."""
PAIRING_PORT: Final = 8884
"""Units that were just flashed prove their code here."""
UPDATE_PORT: Final = 8885
"""Units ask for updates here: HTTPS with their certificate."""
HUB_PORTS: Final = (MQTT_PORT, PAIRING_PORT, UPDATE_PORT, 8443, 9443)
UNIT_PORTS: Final = (MQTT_PORT, PAIRING_PORT, UPDATE_PORT)
PRIVATE_4: Final = ("10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
"""RFC 1918 and RFC 3927: where a booth can be."""
PRIVATE_6: Final = ("fc00::/7", "fe80::/10")
"""RFC 4193 and RFC 4291."""
CONNECTIONS: Final = 32
"""Most connections of one address that a hub holds at once."""
NEW_A_SECOND: Final = 10
"""New connections of one address a second; so many more at once after a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Where a unit's hub is: its addresses, or none where they are not known (then any private one may be it)."""

    addresses: tuple[str, ...] = ()


def unit_rules(hub: Hub, *, ssh: bool = False) -> str:
    """The rules of a unit; loading them replaces what was there. ``ssh`` opens port 22 to private networks."""
    four, six = _families(hub.addresses)
    known = bool(four or six)
    ports = ", ".join(map(str, UNIT_PORTS))
    output = []
    for family, addresses in (("ip", four if known else PRIVATE_4), ("ip6", six if known else PRIVATE_6)):
        if addresses:
            output.append(f"{family} daddr {{ {', '.join(addresses)} }} tcp dport {{ {ports} }} accept")
            output.append(f"{family} daddr {{ {', '.join(addresses)} }} udp dport 123 accept")
    return _table(_ssh() if ssh else [], output)


def hub_rules(*, ssh: bool = False) -> str:
    """The rules of a hub; loading them replaces what was there."""
    ports = ", ".join(map(str, HUB_PORTS))
    opened = []
    for family, private in (("ip", PRIVATE_4), ("ip6", PRIVATE_6)):
        here = f"{family} saddr {{ {', '.join(private)} }}"
        new = f"{here} tcp dport {{ {ports} }} ct state new"
        opened += [*_shares(family, new), f"{new} accept", f"{here} udp dport 123 accept"]
    # Its own clock may come from outside; nothing else leaves.
    output = ["udp dport { 53, 123 } accept", "tcp dport 53 accept"]
    return _table([*opened, *(_ssh() if ssh else [])], output, sets=_SETS)


def limit_rules() -> str:
    """Of a hub's rules only the shares of each address, for a machine that has a firewall of its own, or none.

    They drop what is too much of the hub's ports and open nothing.
    """
    new = f"tcp dport {{ {', '.join(map(str, HUB_PORTS))} }} ct state new"
    rules = [*_shares("ip", f"meta nfproto ipv4 {new}"), *_shares("ip6", f"meta nfproto ipv6 {new}")]
    table = "table inet leftfield_limits"
    return "\n".join(
        [
            "#!/usr/sbin/nft -f",
            "# Written by leftfield (appliance/image/firewall.py).",
            table,
            f"delete {table}",
            f"{table} {{",
            *(f"  {one}" for one in _SETS),
            "  chain input {",
            "    type filter hook input priority filter - 5; policy accept;",
            '    iifname "lo" accept',
            *(f"    {one}" for one in rules),
            "  }",
            "}\n",
        ]
    )


def _shares(family: str, new: str) -> list[str]:
    """Drop what one address has of ``new`` connections beyond its share: held at once, and begun a second."""
    tag = family.removeprefix("ip") or "4"
    rate = f"limit rate over {NEW_A_SECOND}/second burst {2 * NEW_A_SECOND} packets"
    return [
        f"{new} add @held{tag} {{ {family} saddr ct count over {CONNECTIONS} }} drop",
        f"{new} add @fast{tag} {{ {family} saddr {rate} }} drop",
    ]


_SETS: Final = tuple(
    line
    for tag, kind in (("4", "ipv4_addr"), ("6", "ipv6_addr"))
    for line in (
        f"set held{tag} {{ type {kind}; flags dynamic; size 4096; }}",
        f"set fast{tag} {{ type {kind}; flags dynamic,timeout; timeout 1m; size 4096; }}",
    )
)


def closed_rules() -> str:
    """The rules until it is known who this machine is: an address by DHCP, and nothing else."""
    return _table([], [], names=False)


def clock_settings(host: str) -> str:
    """A unit's ``timesyncd.conf``: the time comes from its hub and nowhere else; empty before it knows one.

    >>> print(clock_settings("192.168.4.1"), end="")
    [Time]
    NTP=192.168.4.1
    FallbackNTP=
    """
    return f"[Time]\nNTP={host}\nFallbackNTP=\n"


def _table(
    opened: Iterable[str], output: Iterable[str], *, sets: Iterable[str] = (), names: bool = True
) -> str:
    both = [
        "ct state established,related accept",
        "ct state invalid drop",
        "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
    ]
    found = ["ip daddr 224.0.0.251 udp dport 5353 accept", "ip6 daddr ff02::fb udp dport 5353 accept"]
    joins = "ip protocol igmp accept"
    chains = {
        "input": [
            'iifname "lo" accept', *both, "udp sport 67 udp dport 68 accept", *(found if names else []), *opened,
        ],
        "forward": [],
        "output": [
            'oifname "lo" accept', *both, "udp sport 68 udp dport 67 accept",
            *([*found, joins] if names else []), *output,
        ],
    }  # fmt: skip
    lines = [
        "#!/usr/sbin/nft -f",
        "# Written by leftfield (appliance/image/firewall.py).",
        "table inet leftfield",
    ]
    lines += ["delete table inet leftfield", "table inet leftfield {"]
    lines += [f"  {one}" for one in sets]
    for name, rules in chains.items():
        lines += [f"  chain {name} {{", f"    type filter hook {name} priority filter; policy drop;"]
        lines += [f"    {rule}" for rule in rules]
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _ssh() -> list[str]:
    return [
        f"ip saddr {{ {', '.join(PRIVATE_4)} }} tcp dport 22 ct state new limit rate 6/minute accept",
        f"ip6 saddr {{ {', '.join(PRIVATE_6)} }} tcp dport 22 ct state new limit rate 6/minute accept",
    ]


def _families(addresses: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parsed = [ipaddress.ip_address(address) for address in addresses]
    return (
        tuple(str(one) for one in parsed if one.version == 4),
        tuple(str(one) for one in parsed if one.version == 6),
    )


def addresses_in(host: str) -> tuple[str, ...]:
    """The address that ``host`` is; none where it is a name, which only the booth's network can resolve.

    >>> addresses_in("192.168.4.1"), addresses_in("booth.local")
    (('192.168.4.1',), ())
    """
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return ()
