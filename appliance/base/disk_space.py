"""Whether a disk is nearly full: said before it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

LEAST_BYTES: Final = 200 * 2**20
"""Less than this is nearly full: a day of a hub's counts and log, or a week of a unit's spool, fits in it."""
LEAST_SHARE: Final = 0.02
"""Of file nodes, and of a disk so small that ``LEAST_BYTES`` is more than a tenth of it."""


def nearly_full(directory: Path) -> bool:
    """Whether the file system of ``directory`` has little left; False where it cannot be asked."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return False
    least = min(LEAST_BYTES, found.f_blocks * found.f_frsize // 10)
    few_nodes = found.f_files > 0 and found.f_favail < found.f_files * LEAST_SHARE
    return found.f_bavail * found.f_frsize < least or few_nodes


def told(directory: Path) -> str:
    """One sentence for a journal: how much is left."""
    found = os.statvfs(directory)
    left = found.f_bavail * found.f_frsize // 2**20
    return f"the disk of {directory} is nearly full ({left} MB left). Fix: free space, or use a larger card"
