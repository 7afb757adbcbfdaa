"""A booth and a unit that waits, both as they are on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.enrol import BoothDirectory, create_booth
from appliance.pairing.tries import CodeOnUnit
from appliance.protocol.pairing_code import PairingCode, parse

CODE = parse("7K3M-9PQX-2HTD")


@pytest.fixture
def booth(tmp_path: Path) -> BoothDirectory:
    """A booth called corner."""
    return create_booth(tmp_path / "hub", "corner", ("127.0.0.1",))


@pytest.fixture
def unit_directory(tmp_path: Path) -> Path:
    """The directory of a unit that was just flashed with `CODE`."""
    directory = tmp_path / "unit"
    directory.mkdir()
    CodeOnUnit(directory).write(CODE)
    return directory


@pytest.fixture
def code() -> PairingCode:
    """The code on its label."""
    return CODE
