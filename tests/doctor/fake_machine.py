"""A machine in a folder: files below a root, and what its tools would say."""

from __future__ import annotations

import json
from pathlib import Path

from appliance.doctor.machine import Machine, Unseen
from appliance.image.firewall import hub_rules, unit_rules

PID = "400"
NFT_DROPS = [
    {"chain": {"family": "inet", "table": "leftfield", "name": name, "policy": "drop"}}
    for name in ("input", "forward", "output")
]


class Tools:
    """The tools of a fake machine: ``properties`` of services, and what ``nft`` says (None: there is none)."""

    def __init__(self) -> None:
        self.properties: dict[str, dict[str, str]] = {}
        self.nft: str | None = json.dumps({"nftables": NFT_DROPS})

    def __call__(self, words: tuple[str, ...]) -> str:
        if words[:2] == ("systemctl", "show"):
            return "".join(f"{key}={value}\n" for key, value in self.properties.get(words[2], {}).items())
        if words[0] == "systemctl":
            return "systemd 252 (252.1)\n"
        if words[0] == "nft" and self.nft is not None:
            return self.nft
        raise Unseen(f"there is no program {words[0]}")


def put(root: Path, path: str, content: str | bytes, mode: int = 0o644) -> Path:
    """Write a file of the fake machine."""
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    place.chmod(mode)
    return place


def bare(root: Path) -> tuple[Machine, Tools]:
    """A machine without any service of ours."""
    tools = Tools()
    put(root, "/proc/swaps", "Filename Type Size Used Priority\n")
    put(root, "/proc/sys/kernel/core_pattern", "core\n")
    put(root, "/proc/meminfo", "MemTotal: 1024000 kB\n")
    put(root, "/proc/uptime", "7200.5 1.0\n")
    put(root, "/proc/net/tcp", "  sl  local_address rem_address   st\n")
    put(root, "/usr/lib/systemd/journald.conf.d/leftfield.conf", _journal())
    return Machine(root, tools), tools


def _journal() -> str:
    return (Path(__file__).parents[2] / "systemd/journald.conf.d/leftfield.conf").read_text()


__all__ = ["NFT_DROPS", "PID", "Tools", "bare", "hub_rules", "put", "unit_rules"]
