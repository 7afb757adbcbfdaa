"""A broker whose store is damaged comes up without it: real mosquitto."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.enrol import mosquitto
from appliance.enrol.broker_store import DAMAGED, DAMAGED_SECONDS, DATABASE, mend
from tests.faults.real_booth import RealBooth, until

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The store of a broker that keeps things for a hub and retains others."""
    booth = RealBooth(tmp_path_factory.mktemp("booth"))
    booth.start("broker", "hub", "relay")
    until(lambda: "broker connected" in booth.log("relay"), "the unit's link")
    booth.say(30)
    until(lambda: booth.counted() == 30, "thirty admitted")
    booth.stop("broker")
    content = (booth.booth.broker_directory / "store" / DATABASE).read_bytes()
    booth.close()
    return content


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def zeros(content: bytes) -> bytes:
    return bytes(len(content))


def garbage(content: bytes) -> bytes:
    return random.Random(3).randbytes(len(content))  # noqa: S311 - seeded on purpose


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + b"\xff" * 64 + content[middle + 64 :]


def test_a_good_store_is_left_as_it_is(tmp_path: Path, written: bytes) -> None:
    """What the broker can load it finds again, byte for byte, and nothing else lies beside it."""
    (tmp_path / DATABASE).write_bytes(written)
    assert mend(tmp_path, mosquitto()) == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {DATABASE: written}


def test_no_store_is_no_damage(tmp_path: Path) -> None:
    """A booth that starts for the first time has none."""
    assert mend(tmp_path, mosquitto()) == ""


@pytest.mark.parametrize("harm", [cut, zeros, garbage, flipped])
def test_after_a_trial_the_broker_starts_whatever_lay_there(
    tmp_path: Path, written: bytes, harm: Callable[[bytes], bytes]
) -> None:
    """Zeros, half a file, noise, a burst of wrong bytes: set aside where it does not load, and the broker starts."""
    (tmp_path / DATABASE).write_bytes(harm(written))
    said = mend(tmp_path, mosquitto())
    assert bool(said) == (tmp_path / DAMAGED).exists() == (not (tmp_path / DATABASE).exists())
    if harm is not flipped:  # what is wrong inside one message the broker may load
        assert "is damaged; set aside" in said
    assert mend(tmp_path, mosquitto()) == ""


def test_a_damaged_store_is_kept_for_a_week(tmp_path: Path) -> None:
    """What may hold somebody's clothes is removed a week later."""
    (tmp_path / DATABASE).write_bytes(b"broken")
    mend(tmp_path, mosquitto())
    assert (tmp_path / DAMAGED).exists()
    os.utime(tmp_path / DAMAGED, (time.time() - DAMAGED_SECONDS - 1,) * 2)
    mend(tmp_path, mosquitto())
    assert list(tmp_path.iterdir()) == []


def test_a_booth_with_a_damaged_store_is_up_again_and_loses_nothing(tmp_path: Path) -> None:
    """The broker's store becomes zeros while it is down: everything is admitted once after it was set aside."""
    booth = RealBooth(tmp_path)
    booth.start("broker", "hub", "relay")
    until(lambda: "broker connected" in booth.log("relay"), "the unit's link")
    booth.say(40)
    until(lambda: booth.counted() > 0, "the first")
    booth.stop("broker")
    store = booth.booth.broker_directory / "store"
    (store / DATABASE).write_bytes(zeros((store / DATABASE).read_bytes()))
    booth.say(20)
    command = ["-m", "appliance.cli", "booth", "mend-store", "--store", str(store)]
    found = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    assert "set aside as damaged.db" in found.stdout
    booth.start("broker")
    until(lambda: booth.counted() == booth.sealed == 60, "all admitted")
    assert booth.refused().keys() <= {7}
    booth.close()
