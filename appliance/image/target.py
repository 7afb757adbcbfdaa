"""Flash target: the card that is written to, and everything that it must not be.

Invariants:
    * A partition, a disk in use, the system's own disk and a disk too small are refused before anything is written.
    * While it is written nobody can mount it: the kernel holds it for us alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from appliance.base.errors import Unfit

_BLKGETSIZE64: Final = 0x80081272
_BLKFLSBUF: Final = 0x1261
"""linux/fs.h"""
_BLOCKS: Final = Path("/sys/class/block")
_MOUNTS: Final = Path("/proc/self/mountinfo")
_SWAPS: Final = Path("/proc/swaps")


def refuse_what_is_in_use(target: Path) -> None:
    """Unfit unless ``target`` is a whole disk that nobody uses, or a plain file (or the name of a new one)."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        if str(target.resolve()).startswith("/dev/"):
            raise _unfit("there is no such device", target, "lsblk shows the cards") from None
        return
    if stat.S_ISREG(mode):
        return
    if not stat.S_ISBLK(mode):
        raise _unfit("it is neither a disk nor a file", target, "name a card's device, such as /dev/sdb")
    number = target.stat().st_rdev
    name = _name_of(number)
    if (_BLOCKS / name / "partition").exists():
        raise _unfit("it is a partition", target, "name the whole card, such as /dev/sdb or /dev/mmcblk0")
    used = {entry for entry in _with_parts(name) if _in_use(entry)}
    if used:
        raise _unfit(
            f"{', '.join(sorted(used))} is mounted, is swap, or is part of another device",
            target,
            "be sure that it is the card and not the disk of this system; umount it",
        )


def _name_of(number: int) -> str:
    return Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name


def _with_parts(name: str) -> list[str]:
    """A disk and its partitions."""
    return [name, *(path.name for path in (_BLOCKS / name).iterdir() if (path / "partition").exists())]


def _in_use(name: str) -> bool:
    """Whether a device is mounted anywhere, is swap, or is part of another (RAID, LVM, encryption, a loop)."""
    number = (_BLOCKS / name / "dev").read_text().strip()
    mounted = any(line.split()[2] == number for line in _MOUNTS.read_text().splitlines())
    swaps = any(Path(line.split()[0]).name == name for line in _SWAPS.read_text().splitlines()[1:])
    holders = _BLOCKS / name / "holders"
    return mounted or swaps or (holders.is_dir() and any(holders.iterdir()))


@contextlib.contextmanager
def opened(target: Path, size: int) -> Iterator[BinaryIO]:
    """``target`` open for writing, for us alone, with room for ``size`` bytes; a file is made as needed."""
    block = target.is_block_device()
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if block else os.O_CREAT)
    try:
        descriptor = os.open(target, flags, 0o600)
    except OSError as error:
        fix = "run it with sudo, and umount the card" if block else "name a place where you may write"
        raise _unfit(f"cannot open it: {error.strerror}", target, fix) from None
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        if block:
            room = int.from_bytes(fcntl.ioctl(file, _BLKGETSIZE64, bytes(8)), "little")
            if room < size:
                raise _unfit(
                    f"it holds {room:,} bytes, and {size:,} are needed", target, "take a larger card"
                )
        else:
            os.ftruncate(descriptor, size)
        yield file


def forget_cache(file: BinaryIO) -> None:
    """Let the next read come from the card and not from memory."""
    os.fsync(file.fileno())
    if stat.S_ISBLK(os.fstat(file.fileno()).st_mode):
        with contextlib.suppress(OSError):
            fcntl.ioctl(file, _BLKFLSBUF)
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _unfit(what: str, target: Path, fix: str) -> Unfit:
    return Unfit(what, where=str(target), fix=fix)
