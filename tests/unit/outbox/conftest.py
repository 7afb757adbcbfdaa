"""What the tests of the spool share: a spool that is left as a killed process leaves it holds nothing afterwards."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def let_go(tmp_path: Path) -> Iterator[None]:
    """Close the spool's files that a test has left open: the kernel does so for a process that was killed."""
    yield
    ours = ("settled", "dropped", ".spool", "receipt")
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}").removesuffix(" (deleted)")  # noqa: PTH115 - as it is
            if target.startswith(str(tmp_path.parent)) and target.endswith(ours):
                os.close(int(name))
