"""The demo as a test runs it: started in a directory of its own, watched from outside."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.demo.places import free_port

PATIENCE = 60.0
PROJECT = Path(__file__).parents[2]


def street_video() -> Path:
    """The sample street video that set-up fetches; the test skips without it, or fails in CI."""
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


@contextmanager
def alone() -> Iterator[None]:
    """Hold the machine's usual ports while a demo of the suite runs: two that choose at once choose the same."""
    with Path(tempfile.gettempdir(), f"leftfield-demo-tests-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def until(demo: subprocess.Popen[str], met: Callable[[], bool], what: str) -> None:
    """Return once ``met``; a demo that ends before, or does not get there, fails with what it said."""
    deadline = time.monotonic() + PATIENCE
    while not met():
        late = time.monotonic() >= deadline
        if late or demo.poll() is not None:
            demo.terminate()
            said, complained = demo.communicate(timeout=PATIENCE)
            why = f"took over {PATIENCE:.0f} s" if late else f"ended with {demo.returncode}"
            pytest.fail(f"{what}: the demo {why}\n{said}\n{complained}")
        time.sleep(0.02)


def until_started(demo: subprocess.Popen[str], directory: Path) -> None:
    """Return when the simulated street runs: everything before it has come up."""
    until(
        demo, lambda: any("street" in words for words in children_of(directory)), "the street did not start"
    )
