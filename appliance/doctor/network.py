"""The network: what listens, what the firewall lets in, and who may log in.

Invariants:
    * `firewall_judged`, `listening` and `ssh_setting` are pure: the kernel's own words in, findings out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from appliance.doctor.findings import Finding, good, note, unseen, wrong
from appliance.doctor.machine import Machine, Unseen
from appliance.image.firewall import HUB_PORTS
from appliance.settings.this_image import ThisImage

_LISTENS: Final = "0A"
_TABLE: Final = "leftfield"
_NO_TABLE: Final = "no table of ours that drops the rest in all three directions"
_LOAD: Final = "systemctl restart leftfield-firewall; nft list table inet leftfield shows it"
_UDP: Final = {"hub": frozenset({123, 323, 5353, 68, 546}), "unit": frozenset({5353, 68, 546, 123, 323})}
"""Time, names, an address by DHCP: chrony, mDNS, and the network's own."""


def listening(table: str, *, udp: bool = False) -> set[tuple[str, int]]:
    r"""Addresses and ports that listen, of /proc/net/tcp or udp (or their kin of IPv6), the loopback left out.

    >>> row = "  0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1"
    >>> listening("heading\n" + row)
    {('00000000', 22)}
    """
    found = set()
    for line in table.splitlines()[1:]:
        parts = line.split()
        address, _, port = parts[1].partition(":")
        loopback = (
            address.endswith("7F") and len(address) == 8
        ) or address == "00000000000000000000000001000000"
        state = "07" if udp else _LISTENS
        if parts[3] == state and not loopback and not address.endswith("0100007F"):
            found.add((address, int(port, 16)))
    return found


def accepted_ports(ruleset: dict[str, Any]) -> set[int] | None:
    """Ports of TCP that our input chain accepts, by ``nft --json``; None where a chain does not drop the rest.

    A rule that accepts without naming a port, an interface, an address or a state accepts everything: port 0.
    """
    chains, ports = {}, set()
    for entry in ruleset.get("nftables", ()):
        chain, rule = entry.get("chain"), entry.get("rule")
        if chain and chain.get("table") == _TABLE:
            chains[chain["name"]] = chain.get("policy")
        if rule and rule.get("table") == _TABLE and rule.get("chain") == "input":
            ports |= set(_opened(rule.get("expr", ())))
    dropped = {"input", "forward", "output"} <= chains.keys() and set(chains.values()) == {"drop"}
    return ports if dropped else None


def _opened(expressions: Iterable[dict[str, Any]]) -> Iterator[int]:
    """Ports of one rule that accepts."""
    steps = list(expressions)
    if not any("accept" in step for step in steps):
        return
    named = False
    for step in steps:
        match = step.get("match")
        if not match:
            continue
        named = True
        field = match.get("left", {}).get("payload", {})
        if field.get("protocol") == "tcp" and field.get("field") == "dport":
            right = match["right"]
            for port in right.get("set", ()) if isinstance(right, dict) else (right,):
                yield port if isinstance(port, int) else 0
    if not named:
        yield 0


def firewall_judged(text: str, role: str, *, ssh: bool) -> Finding:
    """What is to be said of the rules that the kernel has, as ``nft --json list ruleset`` tells them. Pure."""
    try:
        ports = accepted_ports(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        return unseen("network.firewall", "nft says what cannot be read")
    if ports is None:
        return wrong("network.firewall", _NO_TABLE, fix=_LOAD)
    allowed = {*(HUB_PORTS if role == "hub" else ()), *((22,) if ssh else ())}
    beyond = sorted(ports - allowed)
    if beyond:
        named = ", ".join("everything" if port == 0 else str(port) for port in beyond)
        return wrong("network.firewall", f"lets in {named}, which nobody here serves", fix=_LOAD)
    return good(
        "network.firewall",
        f"drops what is not named; lets in {', '.join(map(str, sorted(ports))) or 'nothing'}",
    )


def ssh_setting(text: str, key: str, default: str) -> str:
    r"""A setting of sshd: the first line that names it counts (sshd_config(5)).

    >>> ssh_setting("PasswordAuthentication no\npasswordauthentication yes\n", "PasswordAuthentication", "yes")
    'no'
    """
    found = re.search(rf"^\s*{key}\s+(\S+)", text, re.MULTILINE | re.IGNORECASE)
    return found[1].lower() if found else default


def looked_at(machine: Machine, role: str, image: ThisImage | None) -> Iterator[Finding]:
    """Firewall, listening ports, ssh."""
    try:
        ports = {
            port for name in ("tcp", "tcp6") for _, port in listening(machine.text(f"/proc/net/{name}") or "")
        }
        yield from _doors(machine, role, ports, image)
    except Unseen as why:
        yield unseen("network.listening", str(why))
    yield _firewall(machine, role, image)


def _firewall(machine: Machine, role: str, image: ThisImage | None) -> Finding:
    try:
        text = machine.run("nft", "--json", "list", "ruleset")
    except Unseen as why:
        told = str(why)
    else:
        found = firewall_judged(text, role, ssh=bool(image and image.ssh))
        if image or found.what != _NO_TABLE:
            return found
        told = "nft knows no table of ours"
    if image:
        return unseen("network.firewall", told)
    return note(
        "network.firewall", f"none of ours: this machine was set up from packages ({told})",
        fix="load the rules that `leftfield firewall` prints, or use a card image",
    )  # fmt: skip


def _doors(machine: Machine, role: str, ports: set[int], image: ThisImage | None) -> Iterator[Finding]:
    expected = set(HUB_PORTS) if role == "hub" else set()
    strange = sorted(ports - expected - {22})
    if strange:
        yield wrong(
            "network.listening", f"TCP ports {', '.join(map(str, strange))} listen",
            fix="ss --tcp --listening --processes shows whose they are; stop or remove that",
        )  # fmt: skip
    else:
        yield good("network.listening", f"TCP ports {', '.join(map(str, sorted(ports))) or 'none'} listen")
    if 22 not in ports:
        yield good("network.ssh", "no ssh")
        return
    drop_ins = [name for name in machine.names("/etc/ssh/sshd_config.d") if name.endswith(".conf")]
    texts = [machine.text(f"/etc/ssh/sshd_config.d/{name}") or "" for name in drop_ins]
    text = "\n".join([*texts, machine.text("/etc/ssh/sshd_config") or ""])
    passwords = ssh_setting(text, "PasswordAuthentication", "yes") != "no"
    spoken = ssh_setting(text, "KbdInteractiveAuthentication", "yes") != "no"
    if passwords or spoken:
        yield wrong(
            "network.ssh", "ssh takes passwords",
            fix="write PasswordAuthentication no and KbdInteractiveAuthentication no to "
            "/etc/ssh/sshd_config.d/0-leftfield.conf; systemctl restart ssh",
        )  # fmt: skip
    elif image is None or not image.ssh:
        yield note("network.ssh", "ssh with keys alone; whoever has one may have root")
    else:
        yield note("network.ssh", "ssh with the key that was named when the image was made")
