"""Partition table: where a named partition of an image lies (UEFI specification 2.10, section 5.3).

Invariants:
    * Reads only; bytes that are no such table are Unfit, never guessed at.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from appliance.base.errors import Unfit

SECTOR: Final = 512
_MOST_ENTRIES: Final = 256
_MOST_SECTORS: Final = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition: its label, its first byte, its length in bytes, and its identifier as the table has it."""

    label: str
    start: int
    size: int
    identifier: bytes


def partitions(image: BinaryIO, where: str) -> tuple[Partition, ...]:
    """The partitions of ``image`` in the table's order. Unfit where it has no table that is whole."""
    image.seek(SECTOR)
    header = image.read(92)
    if len(header) < 92 or header[:8] != b"EFI PART":
        raise _unfit("it has no GUID partition table", where)
    (stored,) = struct.unpack_from("<I", header, 16)
    if zlib.crc32(header[:16] + bytes(4) + header[20:92]) != stored:
        raise _unfit("its partition table's head is damaged", where)
    first, count, length, check = struct.unpack_from("<QIII", header, 72)
    if not 0 < count <= _MOST_ENTRIES or length != 128 or first > _MOST_SECTORS:
        raise _unfit("its partition table has another form", where)
    image.seek(first * SECTOR)
    entries = image.read(count * length)
    if len(entries) != count * length or zlib.crc32(entries) != check:
        raise _unfit("its partition table is damaged", where)
    found = []
    for at in range(0, len(entries), length):
        entry = entries[at : at + length]
        if entry[:16] != bytes(16):
            start, end = struct.unpack_from("<QQ", entry, 32)
            if end < start:
                raise _unfit("a partition ends before it begins", where)
            found.append(
                Partition(
                    label=entry[56:128].decode("utf-16-le", "replace").rstrip("\0"),
                    start=start * SECTOR, size=(end - start + 1) * SECTOR, identifier=entry[16:32],
                )
            )  # fmt: skip
    return tuple(found)


def _unfit(what: str, where: str) -> Unfit:
    return Unfit(what, where=where, fix="name the .raw file that leftfield image made")
