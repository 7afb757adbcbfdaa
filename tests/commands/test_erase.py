"""``leftfield erase`` with a real booth at work: refused while it runs, and afterwards nothing of anybody is left."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.real_booth import RealBooth, until

LEFTFIELD = [sys.executable, "-m", "appliance.cli", "erase"]


def said(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LEFTFIELD, *map(str, words)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[RealBooth]:
    made = RealBooth(tmp_path)
    yield made
    made.close()


def bytes_below(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file())


def test_a_hub_forgets_everything_and_all_means_itself_too(booth: RealBooth, tmp_path: Path) -> None:
    """Counts, what waits at the broker; while hub or broker run it is refused with what to stop."""
    store = booth.booth.broker_directory / "store"
    words = ("hub", "--config", booth.hub_config, "--broker-store", store)
    booth.start("broker", "hub", "relay")
    booth.say(30)
    until(lambda: booth.counted() == 30, "thirty people")
    refused = said(*words, "--yes")
    assert (refused.returncode, "systemctl stop" in refused.stderr) == (75, True), refused.stderr
    assert booth.counted() == 30
    for name in ("relay", "hub"):
        booth.stop(name)
    refused = said(*words, "--yes")
    assert (refused.returncode, "mosquitto is at work" in refused.stderr) == (75, True), refused.stderr
    booth.stop("broker")
    assert (store / "mosquitto.db").exists()
    asked = said(*words)
    assert asked.returncode == 78
    assert booth.counted() == 30, "nobody said yes"
    assert (tmp_path / "encryption.keys").exists()
    for name in ("releases.json", "fleet-epoch"):
        (tmp_path / name).write_text("1")
    booth.booth.register.with_name("acts.jsonl").write_text("x")
    done = json.loads(said(*words, "--yes", "--json").stdout)
    assert not booth.booth.register.with_name("acts.jsonl").exists()
    assert str(booth.database) in done["erased"]
    assert not list(tmp_path.glob("hub.sqlite*"))
    left = {path.name for path in tmp_path.iterdir() if path.is_file() and not path.name.endswith(".log")}
    own = {"hub.toml", "hub.key", "hub.encryption"}  # settings, and the file of the unit in the same folder
    assert left <= own, "a key of the day, a ledger, an act"
    assert not list(store.iterdir())
    assert booth.booth.register.exists(), "who may speak stays"
    again = json.loads(said(*words, "--yes", "--json").stdout)
    assert again["erased"] == []
    booth.start("broker", "hub", "relay")
    booth.say(5)
    until(lambda: booth.counted() == 5, "five people, counted from nothing")


def test_a_unit_forgets_what_waits_and_all_means_its_keys_too(booth: RealBooth, tmp_path: Path) -> None:
    """The spool of a unit whose hub is away; with ``--all`` keys, epoch and settings."""
    words = ("unit", "--config", booth.unit_config)
    booth.start("relay")
    booth.spool.mkdir(exist_ok=True)
    booth.say(20)
    until(lambda: any(booth.spool.rglob("*")), "something in the spool")
    refused = said(*words, "--yes")
    assert (refused.returncode, "at work" in refused.stderr) == (75, True), refused.stderr
    booth.stop("relay")
    key = (booth.unit_config.parent / "credentials" / "signing.key").read_bytes()
    assert json.loads(said(*words, "--yes", "--json").stdout)["erased"] == [str(booth.spool)]
    assert key in bytes_below(booth.unit_config.parent)
    done = json.loads(said(*words, "--yes", "--all", "--json").stdout)
    assert done["erased"] == [str(booth.unit_config.parent)]
    assert not booth.unit_config.parent.exists()
    assert key not in bytes_below(tmp_path)
