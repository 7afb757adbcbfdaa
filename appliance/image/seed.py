"""Seed of a card: its state partition, a fresh ext4 with what this one machine is told at the start.

Invariants:
    * The pairing code and a Wi-Fi password are on the card's state partition and on the label, nowhere else.
    * Nothing is mounted: e2fsprogs writes the file system into a file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.protocol.pairing_code import PairingCode

LABEL: Final = "leftfield-state"
_NAME: Final = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wifi:
    """A Wi-Fi network: name (1 to 32 bytes), password (8 to 63 printable ASCII characters), country (ISO 3166)."""

    ssid: bytes
    password: str
    country: str

    def settings(self) -> str:
        """``wpa_supplicant.conf``. Unfit for a network that cannot be (IEEE 802.11-2020, 9.4.2.2 and J.4)."""
        if not 1 <= len(self.ssid) <= 32:
            raise Unfit("a network's name has 1 to 32 bytes", where="--wifi-ssid", fix="say its exact name")
        printable = all(" " <= sign <= "~" for sign in self.password)
        if not 8 <= len(self.password) <= 63 or not printable:
            raise Unfit(
                "a password has 8 to 63 printable ASCII characters",
                where="--wifi-password-file",
                fix="write the password alone into the file",
            )
        if not _COUNTRY.fullmatch(self.country):
            raise Unfit("a country has two letters", where="--wifi-country", fix="say it as in DE or US")
        return (
            f"country={self.country}\nupdate_config=0\nnetwork={{\n  ssid={self.ssid.hex()}\n"
            f'  psk="{self.password}"\n  key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n  ieee80211w=1\n}}\n'
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """What one card is told: a host name, a pairing code (units), a network (None is wired).

    ``hub`` is its hub's address and ``source`` its camera, both found by the unit itself where they are empty.
    """

    name: str
    code: PairingCode | None = None
    hub: str = ""
    source: str = ""
    wifi: Wifi | None = None

    def files(self) -> dict[str, str]:
        """The files of the state partition's ``etc`` (which the machine has as ``/etc/leftfield``)."""
        if not _NAME.fullmatch(self.name):
            raise Unfit(
                f"{self.name!r} is no name: small letters, digits and hyphens, at most 20",
                where="--name",
                fix="say a name such as corner-north",
            )
        made = {"hostname": f"{self.name}\n"}
        if self.code is not None:
            made["pairing.code"] = f"{self.code}\n"
        told = {"hub": self.hub, "source": self.source}
        if self.code is not None and any(told.values()):
            made["pairing.toml"] = "".join(
                f"{key} = {json.dumps(value)}\n" for key, value in told.items() if value
            )
        if self.wifi is not None:
            made["wifi.conf"] = self.wifi.settings()
        return made


def state_file_system(seed: Seed, size: int, folder: Path) -> Path:
    """A file of ``size`` bytes in ``folder``: the state partition of this one card. Unfit without e2fsprogs."""
    files = seed.files()
    made = folder / "state.ext4"
    with tempfile.TemporaryDirectory(dir=folder) as content:
        root = Path(content)
        for name in ("etc", "lib", "mosquitto"):
            (root / name).mkdir(mode=0o755)
        for name, text in files.items():
            descriptor = os.open(root / "etc" / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
        (root / "etc/hostname").chmod(0o644)
        root.chmod(0o755)
        with made.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.truncate(size)
        _e2fs(
            "mke2fs",
            "-q",
            "-F",
            "-t",
            "ext4",
            "-m",
            "1",
            "-E",
            "root_owner=0:0",
            "-L",
            LABEL,
            "-d",
            content,
            str(made),
        )
    paths = ["/etc", "/lib", "/mosquitto", *(f"/etc/{name}" for name in files)]
    owned = "".join(f"set_inode_field {path} uid 0\nset_inode_field {path} gid 0\n" for path in paths)
    _e2fs("debugfs", "-w", "-f", "-", str(made), stdin=owned)
    return made


def _e2fs(*words: str, stdin: str = "") -> None:
    program = shutil.which(words[0], path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if program is None:
        raise Unfit(f"{words[0]} is not here", where="flash", fix="apt-get install e2fsprogs")
    done = subprocess.run([program, *words[1:]], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(
            f"{words[0]} failed: {done.stderr.strip()[-200:]}", where="flash", fix="is the disk full?"
        )
