"""Starter: what starts one of a machine's two systems, behind one seam; here systemd-boot, on machines with UEFI.

Invariants:
    * ``put`` leaves what starts by itself as it is, until the new system has proved itself: a power cut at any
      instant leaves a machine that starts.
    * systemd-sysupdate writes roots and hashes for every kind of machine.
"""

from __future__ import annotations

import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from appliance.base.errors import Unfit
from appliance.update.release import Release

SYSUPDATE: Final = ("/usr/lib/systemd/systemd-sysupdate",)
COUNTED: Final = Path("/sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")
"""Set by systemd-boot while the kernel that it started is on trial (systemd.io/AUTOMATIC_BOOT_ASSESSMENT)."""
CONFIRMED: Final = Path("/run/leftfield-confirm/confirmed")


class Starter(Protocol):
    """What a machine's updates need of whatever starts it."""

    def on_trial(self) -> bool:
        """Whether what runs here has still to prove itself."""

    def put(self, release: Release, kept: dict[str, Path]) -> None:
        """Make the checked parts, by name, the other system. Unfit where they cannot be written."""

    def restart(self) -> None:
        """Start the other system, on trial."""

    def keep(self) -> None:
        """What runs here has proved itself, and starts by itself from now on."""

    def retry(self) -> bool:
        """At the start of the system before: whether the other one was started for its next try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemdBoot:
    """systemd-boot counts tries in a kernel's file name; systemd-bless-boot ends the count."""

    sysupdate: tuple[str, ...] = SYSUPDATE
    counted: Path = COUNTED
    confirmed: Path = CONFIRMED

    def on_trial(self) -> bool:
        """Whether the kernel that was started is still counted."""
        return self.counted.exists() and not self.confirmed.exists()

    def put(self, release: Release, kept: dict[str, Path]) -> None:
        """Hashes, root, then the kernel, under a name that counts three tries."""
        for name, part in kept.items():
            part.rename(part.with_name(part_name(release, name)))
        sysupdate(self.sysupdate, release)

    def restart(self) -> None:
        """A restart: systemd-boot starts the highest version that has tries left."""
        subprocess.run(["systemctl", "reboot"], check=False)

    def keep(self) -> None:
        """Nothing: systemd-bless-boot follows boot-complete.target."""

    def retry(self) -> bool:
        """Never: systemd-boot has tried before this system was started."""
        return False


def sysupdate(program: tuple[str, ...], release: Release) -> None:
    """Let systemd-sysupdate put ``release`` in place from the parts' folder. Unfit where it fails."""
    done = subprocess.run(
        [*program, "update", release.version], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-300:]
        fix = "what runs is untouched; try again, or flash the card anew"
        raise Unfit(f"systemd-sysupdate failed: {said}", where="update", fix=fix)


def part_name(release: Release, part: str) -> str:
    """A part's name for systemd-sysupdate: with the identifier that its partition will have."""
    stem = f"leftfield-{release.role}_{release.version}"
    if part == "kernel":
        return f"{stem}.efi"
    half = release.root_hash[:32] if part == "root" else release.root_hash[-32:]
    return f"{stem}_{uuid.UUID(half)}.{part}"
