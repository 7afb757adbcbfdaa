"""One booth for all tests of this folder: booting it is what takes the time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.boot.booth import Booth, booted


@pytest.fixture(scope="package")
def booth() -> Iterator[Booth]:
    """Both machines, from nothing to the first observation."""
    if os.geteuid() != 0 or not shutil.which("systemd-nspawn") or not shutil.which("mmdebstrap"):
        pytest.skip("needs root, systemd-nspawn and mmdebstrap: booting a machine")
    with booted() as one:
        yield one
