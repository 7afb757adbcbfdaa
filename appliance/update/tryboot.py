"""Tryboot: a Raspberry Pi's firmware starts one of two boot partitions; once, where it is asked, the other one.

Invariants:
    * ``autoboot.txt`` is one sector, rewritten in place with as many bytes: it is the old text or the new one.
    * The boot partition that starts by itself is never written.
    * A try is counted on the state partition before it begins: a machine that dies in it cannot try for ever.

The firmware's side, in our words: with the flag of ``reboot "0 tryboot"`` it reads the ``[tryboot]`` section of
``autoboot.txt`` once and forgets the flag; what it chose is in the device tree under ``chosen/bootloader``
(https://www.raspberrypi.com/documentation/computers/config_txt.html#autoboot-txt). The kernel has to hand the flag
on, which Raspberry Pi's own does. Not verified on hardware: docs/hardware.md.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.base.systemd import log
from appliance.update import machine
from appliance.update.release import Release
from appliance.update.starter import SYSUPDATE, part_name, sysupdate

PLACES: Final[Mapping[int, Path]] = {
    2: Path("/dev/disk/by-partlabel/leftfield-boot-a"),
    3: Path("/dev/disk/by-partlabel/leftfield-boot-b"),
}
"""The two boot partitions, by the number that the firmware has for each."""
AUTOBOOT: Final = Path("/boot/autoboot.txt")
CHOSEN: Final = Path("/proc/device-tree/chosen/bootloader")
TRIES: Final = 3
REBOOT: Final = ("systemctl", "reboot", "--reboot-argument=0 tryboot")
_CHUNK: Final = 2**20
_FORM: Final = re.compile(
    r"\[all\]\ntryboot_a_b=1\nboot_partition=([23])\n\[tryboot\]\nboot_partition=([23])\n", re.ASCII
)


def autoboot_text(first: int) -> str:
    """``autoboot.txt`` of a card that starts partition ``first`` by itself (2 or 3), and the other on a try.

    >>> autoboot_text(2).splitlines()[2:]
    ['boot_partition=2', '[tryboot]', 'boot_partition=3']
    """
    return f"[all]\ntryboot_a_b=1\nboot_partition={first}\n[tryboot]\nboot_partition={5 - first}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tryboot:
    """The firmware of one Raspberry Pi, and where its facts are."""

    state: Path = machine.STATE
    sysupdate: tuple[str, ...] = SYSUPDATE
    places: Mapping[int, Path] = field(default_factory=lambda: PLACES)
    autoboot: Path = AUTOBOOT
    chosen: Path = CHOSEN
    reboot: tuple[str, ...] = REBOOT

    def on_trial(self) -> bool:
        """Whether another system runs than the one that starts by itself."""
        return self.running() != self.first()

    def running(self) -> int:
        """The boot partition that was started. Unfit where the firmware does not say."""
        try:
            number = int.from_bytes((self.chosen / "partition").read_bytes(), "big")
        except OSError:
            number = 0
        if number not in self.places:
            fix = "flash the card anew; a Raspberry Pi 4 or 5 with a firmware of 2022 or later"
            raise Unfit(f"the firmware names boot partition {number}", where=str(self.chosen), fix=fix)
        return number

    def first(self) -> int:
        """The boot partition that starts by itself; the firmware takes the lower one where the text is unreadable."""
        try:
            found = _FORM.fullmatch(self.autoboot.read_text("ascii"))
        except (OSError, ValueError):
            found = None
        return int(found[1]) if found else min(self.places)

    def put(self, release: Release, kept: dict[str, Path]) -> None:
        """Hashes and root, then the other boot partition, read back; then three tries are granted."""
        running = self.running()
        if running != self.first():
            raise Unfit("this system is itself on trial", where="update", fix="wait until it is kept")
        boot = kept["kernel"]
        for name in ("verity", "root"):
            kept[name].rename(kept[name].with_name(part_name(release, name)))
        sysupdate(self.sysupdate, release)
        _copy(boot, self.places[5 - running])
        machine.grant_tries(TRIES, self.state)

    def restart(self) -> None:
        """Count a try, then ask the firmware for it."""
        machine.grant_tries(machine.tries_left(self.state) - 1, self.state)
        subprocess.run(self.reboot, check=False)

    def keep(self) -> None:
        """The system that runs starts by itself from now on; the other one is what a try would start."""
        running = self.running()
        if running != self.first():
            _overwrite(self.autoboot, autoboot_text(running).encode())
            log(f"update: kept: boot partition {running} starts from now on")
        machine.grant_tries(0, self.state)

    def retry(self) -> bool:
        """Start the other system once more, where it has tries left and something has undone its last one."""
        if self.on_trial() or not machine.tries_left(self.state):
            return False
        log(f"update: {machine.tries_left(self.state)} tries are left; the other system is started again")
        self.restart()
        return True


def _copy(source: Path, target: Path) -> None:
    """Copy a boot partition's bytes onto ``target``, and read them back. Unfit where they differ."""
    wanted = hashlib.sha256()
    try:
        with source.open("rb") as data, target.open("r+b", buffering=0) as out:
            while chunk := data.read(_CHUNK):
                wanted.update(chunk)
                out.write(chunk)
            os.fsync(out.fileno())
            os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            out.seek(0)
            found, left = hashlib.sha256(), source.stat().st_size
            while left and (chunk := out.read(min(_CHUNK, left))):
                found.update(chunk)
                left -= len(chunk)
    except OSError as error:
        fix = "what runs is untouched; try again, or take another card"
        raise Unfit(f"cannot write it: {error.strerror}", where=str(target), fix=fix) from None
    if found.digest() != wanted.digest():
        raise Unfit("it reads back otherwise than it was written", where=str(target), fix="take another card")


def _overwrite(path: Path, content: bytes) -> None:
    """Put ``content`` over as many bytes of ``path``, in one write. Unfit where that cannot be."""
    try:
        if not path.exists() or path.stat().st_size != len(content):
            path.write_bytes(bytes(len(content)))
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, content, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        fix = "the version before starts next time; take another card"
        raise Unfit(f"cannot write it: {error.strerror}", where=str(path), fix=fix) from None
