"""A disk image of the form that is flashed, small enough for a test."""

from __future__ import annotations

import hashlib
import json
import struct
import uuid
import zlib
from pathlib import Path

MEBI = 2**20
STATE = 8 * MEBI
STARTS = {"leftfield-unit_1.2.3": MEBI, "_empty": 2 * MEBI, "leftfield-state": 3 * MEBI}


def an_image(path: Path) -> Path:
    """A disk of three partitions, filled with bytes that differ everywhere."""
    size = 3 * MEBI + STATE + MEBI
    content = bytearray(hashlib.shake_128(b"image").digest(size))
    entries = bytearray(128 * 128)
    for number, (label, start) in enumerate(STARTS.items()):
        length = STATE if label == "leftfield-state" else MEBI
        struct.pack_into(
            "<16s16sQQQ72s", entries, 128 * number, uuid.uuid5(uuid.NAMESPACE_OID, "type").bytes_le,
            uuid.uuid5(uuid.NAMESPACE_OID, label).bytes_le, start // 512, (start + length) // 512 - 1, 0,
            label.encode("utf-16-le"),
        )  # fmt: skip
    header = bytearray(92)
    header[:8] = b"EFI PART"
    struct.pack_into("<IIII", header, 8, 0x10000, 92, 0, 0)
    struct.pack_into("<QIII", header, 72, 2, 128, 128, zlib.crc32(entries))
    struct.pack_into("<I", header, 16, zlib.crc32(header))
    content[512:604] = header
    content[1024 : 1024 + len(entries)] = entries
    path.write_bytes(content)
    about = {"sha256": hashlib.sha256(content).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(about))
    return path
