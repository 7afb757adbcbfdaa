"""What the tests of the spool share: a spool that is left as a killed process leaves it holds nothing afterwards."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def let_go(tmp_path: Path) -> Iterator[None]:
    """Close what a test has left open below its folder: the kernel does so for a process that was killed."""
    yield
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith(str(tmp_path)):  # noqa: PTH115 - the kernel's words
                os.close(int(name))
