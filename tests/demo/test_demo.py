"""The whole booth, end to end: real processes, real broker, real video."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.demo.places import free_port

pytestmark = pytest.mark.broker

DURATION = 35
PATIENCE = 60.0
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def street() -> Path:
    """The sample street video that set-up fetches."""
    named = Path(os.environ.get("LEFTFIELD_STREET", PROJECT / ".cache" / "street.avi"))
    if not named.is_file():
        what = f"no street video at {named}: run `make setup-test`, or set LEFTFIELD_STREET to one"
        if os.environ.get("CI") == "true":
            pytest.fail(what)
        pytest.skip(what)
    return named


def start(directory: Path, *options: str) -> subprocess.Popen[str]:
    """The demo, with its booth in a new directory below ``directory``."""
    environment = {**os.environ, "TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "appliance.cli", "demo", "--headless", "--port", str(free_port(set()))]
    return subprocess.Popen(
        [*command, "--host", "127.0.0.1", *options],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children_of(directory: Path) -> dict[str, int]:
    """The processes that have to do with ``directory``, by their words."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
        except OSError:
            continue
        if str(directory) in words:
            found[words] = int(entry.name)
    return found


def until(met: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_booth_in_a_box_does_what_it_promises(tmp_path: Path, street: Path) -> None:
    """From pixels to a staff alert: the boxed unit's observations are admitted and an alert reaches a tablet."""
    demo = start(tmp_path, "--json", "--duration", str(DURATION), "--source", str(street))
    said, complained = demo.communicate(timeout=DURATION + PATIENCE)
    summary: dict[str, Any] = json.loads(said.splitlines()[-1])
    assert demo.returncode == 0, (summary, complained)
    assert summary["well"] is True
    assert summary["real_boxed"] is True
    assert summary["real_observations"] >= 1
    assert summary["alerts"] >= 1
    assert summary["people"] >= 2000
    assert summary["refused"] == 0
    assert summary["missing"] == 0
    assert summary["troubles"] == []
    assert set(json.loads(summary["example"])) == {"unit", "epoch", "seq", "seen", "wears"}
    assert summary["example_bytes"] <= 115
    assert list(tmp_path.iterdir()) == []
    assert children_of(tmp_path) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_no_process_and_no_file(tmp_path: Path, street: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM stop every process in order and remove the booth."""
    demo = start(tmp_path, "--source", str(street))
    until(lambda: any("street" in words for words in children_of(tmp_path)), "the street did not start")
    demo.send_signal(number)
    said, complained = demo.communicate(timeout=PATIENCE)
    assert "Traceback" not in said + complained
    assert "killed" not in said
    assert list(tmp_path.iterdir()) == []
    assert children_of(tmp_path) == {}


def test_a_process_that_dies_is_reported_and_ends_the_demo(tmp_path: Path, street: Path) -> None:
    """A broker that is killed is named in the summary; nothing is restarted and the demo fails."""
    demo = start(tmp_path, "--source", str(street))
    until(lambda: any("street" in words for words in children_of(tmp_path)), "the street did not start")
    broker = next(pid for words, pid in children_of(tmp_path).items() if "mosquitto.conf" in words)
    os.kill(broker, signal.SIGKILL)
    said, complained = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 1
    assert "broker ended with code -9" in said, complained
    assert children_of(tmp_path) == {}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ([], "no street to look at"),
        (["--source", "/nowhere/street.avi"], "there is no video /nowhere/street.avi"),
        (["--source", "rtsp://10.0.0.2/stream"], "network camera"),
    ],
)
def test_a_source_that_cannot_be_used_is_one_clear_line(tmp_path: Path, source: list[str], what: str) -> None:
    """Without a street, with a missing one, or with a network camera, one line says what to pass instead."""
    demo = start(tmp_path, *source)
    said, complained = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 78
    assert said == ""
    assert what in complained
    assert len(complained.splitlines()) == 1
    assert "Mend: " in complained
    assert list(tmp_path.iterdir()) == []
