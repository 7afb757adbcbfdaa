"""A whole fleet: real brokers, bridges, workers and PostgreSQL; kills in the middle; a real WATCH that reports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.demo.places import free_port
from appliance.enrol import bridge
from appliance.enrol.layout import load_authority, write_rights
from appliance.fleet import layout
from appliance.fleet.store import FleetStore
from appliance.hub.exchange import baseline_file
from appliance.protocol.values import BoothId
from appliance.settings import config
from tests.faults import real_booth
from tests.fleet import kills
from tests.fleet.real_fleet import Processes, RealBooth, RealFleet, until

LEFTFIELD = [sys.executable, "-m", "appliance.cli"]


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory with a short path: a socket lies in it."""
    made = Path(tempfile.mkdtemp(prefix="lf-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_kills_of_workers_bridges_and_database_lose_and_double_nothing(short: Path) -> None:
    """Three booths, two workers: at the end every count and the merged baseline equal the truth."""
    outcome = kills.run(short, kills=6, seed=3, rounds=1)
    assert sum(outcome.kills.values()) == 6
    assert outcome.wrong == {}


def test_a_real_hub_reports_through_its_broker_to_the_fleet(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SENSE's sealed words, RELAY, broker, WATCH, bridge, fleet's broker, worker, PostgreSQL: sixty people arrive."""
    processes = Processes(short)
    fleet = RealFleet(short / "fleet", processes, workers=1)
    monkeypatch.setattr(real_booth, "BOOTH", BoothId("market"))
    booth = real_booth.RealBooth(short / "booth")
    try:
        fleet.start()
        place, name = booth.booth.broker_directory, real_booth.BOOTH
        asked = layout.read_booth(
            fleet.fleet, bridge.ask(place, name, "city", booth.booth.prior_key.read_bytes())
        )
        store = FleetStore(fleet.url)
        store.add_booth(BoothId(asked.unit), asked.public_key)
        bridge.join(place, name, layout.answer_to(fleet.fleet, asked))
        write_rights(booth.booth, load_authority(booth.booth), config.register(booth.booth.register))
        booth.hub_config.write_text(booth.hub_config.read_text() + f'[fleet]\nhub = "{name}/{"0" * 16}"\n')
        booth.start("broker", "hub", "relay")
        booth.say(60)
        until(lambda: booth.counted() == 60, "the hub's count")
        until(lambda: store.rows()[0].moment is not None, "a first report")
        booth.stop("hub")
        booth.start("hub")
        until(lambda: store.rows()[0].people == 60, "the baseline of sixty")
        until(
            lambda: sum(day["people"] for day in store.rows()[0].counts.values()) == 60, "the count of sixty"
        )
        row = store.rows()[0]
        assert row.refused == 0
        found = baseline_file.inspect(row.baseline, where="fleet")
        assert [span.hub for span in found.state.lineage] == [f"{name}/{'0' * 16}"]
        store.close()
    finally:
        booth.close()
        processes.close()


def said(*words: str) -> str:
    done = subprocess.run(
        [*LEFTFIELD, *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_command_runs_a_fleet_and_the_others_speak_with_it(short: Path) -> None:
    """create, up, add, show, page, withdraw, as they are typed; then everything ends with the one process."""
    place, port, page = short / "city", free_port(set()), free_port(set())
    here = ["--directory", str(place)]
    said("fleet", "create", "city", "--host", "127.0.0.1", "--mqtt-port", str(port), *here)
    up = subprocess.Popen(
        [*LEFTFIELD, "fleet", "up", "--page-port", str(page), *here], stderr=subprocess.PIPE
    )
    processes = Processes(short)
    try:
        until(lambda: b"Fleet city" in _page(page), "the page")
        booth = RealBooth(short / "corner", "corner", processes)
        request, answer = short / "request.json", short / "answer.json"
        request.write_text(
            said("booth", "fleet", "request", "--fleet", "city", "--directory", str(booth.booth.directory))
        )
        answer.write_text(said("fleet", "add", str(request), *here))
        shown = json.loads(said("fleet", "show", "--json", *here))
        assert [(one["booth"], one["state"]) for one in shown["booths"]] == [("corner", "silent")]
        bridge.join(booth.booth.broker_directory, booth.name, answer.read_bytes())
        until(lambda: b"corner" in _page(page), "the booth on the page")
        gone = json.loads(said("fleet", "withdraw", "corner", "--yes", "--json", *here))
        assert gone["booth"] == "corner"
        shown = json.loads(said("fleet", "show", "--json", *here))
        assert [one["state"] for one in shown["booths"]] == ["withdrawn"]
    finally:
        processes.close()
        up.terminate()
        assert up.wait(30) == 0
    assert up.stderr is not None
    up.stderr.close()
    until(lambda: not _running(place), "the end of every part")


def _page(port: int) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return bytes(answer.read())
    except OSError:
        return b""


def _running(place: Path) -> list[str]:
    """Processes that still name ``place`` on their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(place).encode() in words:
            found.append(process.name)
    return found


def test_a_worker_whose_database_is_away_says_so_and_ends_with_75(tmp_path: Path) -> None:
    layout.create_fleet(tmp_path / "city", "city", "127.0.0.1", port=free_port(set()), workers=1)
    words = ["fleet", "worker", "--directory", str(tmp_path / "city"), "--database", "host=/nowhere"]
    began = time.monotonic()
    done = subprocess.run([*LEFTFIELD, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 75, time.monotonic() - began
    assert "fleet database: cannot connect" in done.stderr
    assert "Fix: " in done.stderr
