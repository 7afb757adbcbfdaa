"""A plain file's first bytes, whatever else may stand in its place: neither followed nor waited for.

Invariants: never more than what was asked for; no link, pipe, socket or device is opened for reading.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def plain_bytes(path: Path, most: int) -> bytes | None:
    """The first ``most`` bytes of a plain file; None where there is no plain file to be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)
