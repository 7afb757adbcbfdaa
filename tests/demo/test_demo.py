"""The whole booth, end to end: real processes, real broker, real video."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.demo.running import PATIENCE, alone, children_of, start, street_video, until_started

pytestmark = pytest.mark.broker

DURATION = 35


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    with alone():
        yield


@pytest.fixture(scope="module")
def street() -> Path:
    """The sample street video that set-up fetches."""
    return street_video()


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
    until_started(demo, tmp_path)
    demo.send_signal(number)
    said, complained = demo.communicate(timeout=PATIENCE)
    assert "Traceback" not in said + complained
    assert "killed" not in said
    assert list(tmp_path.iterdir()) == []
    assert children_of(tmp_path) == {}


def test_a_process_that_dies_is_reported_and_ends_the_demo(tmp_path: Path, street: Path) -> None:
    """A broker that is killed is named in the summary; nothing is restarted and the demo fails."""
    demo = start(tmp_path, "--source", str(street))
    until_started(demo, tmp_path)
    broker = next(pid for words, pid in children_of(tmp_path).items() if "mosquitto.conf" in words)
    os.kill(broker, signal.SIGKILL)
    said, complained = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 1
    assert "broker ended with code -9" in said, complained
    assert "unexpected eof" not in said
    assert "run as root" not in said
    assert children_of(tmp_path) == {}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ([], "no video source was given"),
        (["--source", "/nowhere/street.avi"], "there is no video /nowhere/street.avi"),
        (["--source", "rtsp://10.0.0.2/stream"], "network camera"),
        (["--source", "/etc/passwd"], "/etc/passwd: cannot be decoded as video"),
        (["--source", "/dev/video97"], "/dev/video97: there is no such camera"),
    ],
)
def test_a_source_that_cannot_be_used_is_one_clear_line(tmp_path: Path, source: list[str], what: str) -> None:
    """Without a street, or with one that is missing, no video or on a network, one line says what to pass instead."""
    demo = start(tmp_path, *source)
    said, complained = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == (75 if "no such camera" in what else 78)
    assert said == ""
    assert what in complained
    assert len(complained.splitlines()) == 1
    assert "Fix: " in complained
    assert list(tmp_path.iterdir()) == []
