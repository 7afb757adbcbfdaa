"""Promise 1: pictures planted before the camera are looked for everywhere but in SENSE, and found in no form."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from appliance.demo.places import listening
from tests.demo.running import PATIENCE, alone, children_of, start, street_video, until
from tests.pages.stage import open_browser
from tests.promises.leaks import Search, film, leaked, needles

MINUTES = float(os.environ.get("LEFTFIELD_LEAK_MINUTES", "0"))
"""How long to go on looking (make leak-test); at least one round is looked at."""
FORMS = [*needles(), "PNG", "JPEG 95", "JPEG 75", "JPEG 50", "JPEG 20"]


@pytest.mark.parametrize("form", FORMS)
def test_a_deliberate_leak_in_this_form_is_found(form: str, tmp_path: Path) -> None:
    """A file with other bytes around the plant in each of the forms is found out; those bytes alone are not."""
    own, held = tmp_path / "own", tmp_path / "held"
    own.mkdir()
    search = Search(own)
    noise = os.urandom(5000)
    held.write_bytes(noise)
    assert search.in_file(held) == set()
    held.write_bytes(noise + leaked(form) + noise)
    assert ("JPEG" if form.startswith("JPEG") else form) in search.in_file(held)


def test_a_deliberate_leak_in_another_process_is_found(tmp_path: Path) -> None:
    """What a process holds in its memory is found there."""
    held = leaked("bgr") + leaked("base64 of luminance, 1/2") + leaked("JPEG 75")
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin
    assert child.stdout
    child.stdin.write(held)
    child.stdin.close()
    assert child.stdout.readline() == b"x\n"
    found = Search(tmp_path).in_memory(child.pid)
    child.kill()
    child.wait()
    child.stdout.close()
    assert {"bgr", "base64 of luminance, 1/2", "JPEG"} <= found


_HOLDER = "import sys, time; held = sys.stdin.buffer.read(); print('x', flush=True); time.sleep(60)"
_WORDS = (" sense ", " relay ", " watch ", "mosquitto", "street", " pages ")


def processes(directory: Path) -> dict[str, int]:
    """Everything that runs for the demo, by what it is; SENSE behind its walls is ``sense``."""
    found = {}
    for words, number in children_of(directory).items():
        name = next((one.strip() for one in _WORDS if one in words), words)
        if name == "sense":
            (inside,) = Path(f"/proc/{number}/task/{number}/children").read_text().split()
            found |= {"guard": number, "sense": int(inside)}
        else:
            found[name] = number
    return found


@pytest.mark.broker
def test_no_planted_picture_is_anywhere_but_in_sense(tmp_path: Path) -> None:
    """While a demo watches the plant it is in SENSE's memory, and in no other process, file, log or shared memory."""
    own, booth = tmp_path / "own", tmp_path / "booth"
    own.mkdir()
    booth.mkdir()
    search, since = Search(own), time.time()
    seen = film(street_video(), own / "planted.mkv")
    with alone(), ExitStack() as at_the_end:
        demo = start(booth, "--source", str(seen))
        until(demo, lambda: bool(list(booth.rglob("*.spool"))), "RELAY has kept nothing")
        if MINUTES:
            browser = open_browser(booth / "browser")
            at_the_end.callback(browser.quit)
            link = _tablet_link(demo)
            until(demo, lambda: listening(urlsplit(link).port or 0), "no page server")
            browser.get(link)
        ends = time.monotonic() + 60 * MINUTES
        while True:
            _look_at_processes(search, booth, demo.pid)
            assert {
                str(path): forms for path in _files(booth, since) if (forms := search.in_file(path))
            } == {}
            if time.monotonic() >= ends:
                break
        at_the_end.close()
        demo.send_signal(signal.SIGTERM)
        said, complained = demo.communicate(timeout=PATIENCE)
    log = own / "log"
    log.write_text(said + complained)
    assert search.in_file(log) == set()


def _tablet_link(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout
    for line in demo.stdout:
        if "tablet on this machine:" in line:
            return line.split()[-1]
    raise AssertionError("the demo told no link for a tablet")


def _look_at_processes(search: Search, booth: Path, supervisor: int) -> None:
    running = processes(booth) | {"supervisor": supervisor}
    assert {"sense", "guard", "relay", "watch", "mosquitto"} <= set(running)
    found = {name: search.in_memory(number) for name, number in running.items()}
    assert found.pop("sense") & {"rgb", "bgr"}, "the search finds nothing where it must"
    assert {name: forms for name, forms in found.items() if forms} == {}


def _files(booth: Path, since: float) -> list[Path]:
    """Spool, broker's store, database with its log, keys, pages, logs, a browser's storage; shared memory."""
    shared = [path for path in _SHARED.rglob("*") if path.stat().st_mtime >= since]
    return [path for path in (*booth.rglob("*"), *shared) if path.is_file()]


_SHARED = Path("/dev/shm")  # noqa: S108 - it is looked at
