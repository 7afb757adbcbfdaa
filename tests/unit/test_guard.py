"""The process outside the walls: what it passes on of SENSE, before the seal and after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.unit.comeback import Comeback, comeback_in
from appliance.unit.voice import Button
from tests.systemd import ServiceSockets

START = (
    "import os, sys, signal, threading, time\n"
    "from appliance.unit import guard\n"
    "from appliance.unit.comeback import Comeback\n"
    "from appliance.unit.guard import guarded\n"
    "from appliance.unit.voice import Button\n"
    "guard.GRID = 0.2\n"
    "stop = threading.Event()\n"
    "signal.signal(signal.SIGTERM, lambda *_: stop.set())\n"
    "guard.BACKOFF = 0.0\n"
)


def run(body: str, *, service: ServiceSockets | None = None, before: str = "") -> tuple[int, str]:
    """What a process says and ends with whose inside does ``body`` with its ``voice``; first it does ``before``."""
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    call = f"def inside(voice):\n{indented}sys.exit(guarded(inside, stop, comeback))\n"
    script = f"{START}comeback = Comeback()\n{before}\n{call}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=service.environment if service else os.environ,
        stderr=service.stderr if service else subprocess.PIPE,
        check=False,
        timeout=30,
        cwd=Path(__file__).parents[2],
    )
    return done.returncode, (done.stderr or b"").decode()


def test_lines_before_the_seal_are_passed_on_and_those_after_it_are_not() -> None:
    """Whatever is written to the old descriptor of standard error after SEALED goes nowhere."""
    code, said = run(
        "keep = os.dup(2)\n"
        "sys.stderr.write('walls go up\\n'); sys.stderr.flush()\n"
        "voice.press(Button.SEALED)\n"
        "for _ in range(100):\n"
        "    try: os.write(keep, b'pixels\\n' * 100)\n"
        "    except OSError: pass\n"
        "    time.sleep(0.001)\n"
        "return 0\n"
    )
    assert code == 0
    assert "walls go up" in said
    assert "pixels" not in said.replace("pixels\n" * 100, "", 1)  # what raced the seal is bounded by the pipe


def test_a_button_is_said_once_and_in_words_of_its_own() -> None:
    """A thousand presses are one line."""
    code, said = run(
        "voice.press(Button.SEALED)\nfor _ in range(1000):\n    voice.press(Button.CAMERA_LOST)\nreturn 75\n"
    )
    assert code == 75
    assert said.count("the camera went away") == 1


def test_a_byte_that_is_no_button_ends_sense() -> None:
    """Whoever makes up a word has taken the process over."""
    code, said = run(f"os.write(voice.buttons, bytes([{max(Button) + 1}]))\ntime.sleep(20)\nreturn 0\n")
    assert code == 70
    assert "pressed a button that there is not" in said


@pytest.mark.parametrize("ending", [*range(1, 16, 7), 71, 200, 255])
def test_an_exit_status_says_one_of_five_things(ending: int) -> None:
    """Any other status is a fault of the program."""
    code, said = run(f"voice.press(Button.SEALED)\nreturn {ending}\n")
    assert code == 70
    assert "fault of the program behind the walls" in said


def test_a_forbidden_call_is_said() -> None:
    """SIGSYS is the filter's verdict, and the journal names it."""
    code, said = run("voice.press(Button.SEALED)\nos.kill(os.getpid(), signal.SIGSYS)\nreturn 0\n")
    assert code == 70
    assert "ended by SIGSYS: it asked the kernel for what is forbidden" in said


def test_the_watchdog_hears_a_fixed_word_on_a_grid(tmp_path: Path) -> None:
    """However often SENSE says that it lives, systemd is told at most once in a grid's time."""
    service = ServiceSockets(tmp_path)
    run(
        "voice.press(Button.SEALED)\n"
        "end = time.monotonic() + 1.0\n"
        "while time.monotonic() < end:\n"
        "    voice.press(Button.ALIVE)\n"
        "    time.sleep(0.001)\n"
        "return 0\n",
        service=service,
    )
    notices = service.notices()
    service.close()
    assert notices[0] == ["READY=1"]
    pings = notices[1:]
    assert 2 <= len(pings) <= 6
    assert all(ping == ["WATCHDOG=1"] for ping in pings)


def test_sense_ends_with_whoever_speaks_for_it(tmp_path: Path) -> None:
    """Where the process outside is killed, the one inside is killed by the kernel."""
    mark = tmp_path / "pid"
    body = f"open({str(mark)!r}, 'w').write(str(os.getpid()))\nvoice.press(Button.SEALED)\ntime.sleep(60)\nreturn 0\n"
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    script = f"{START}def inside(voice):\n{indented}sys.exit(guarded(inside, stop))\n"
    outside = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    while not mark.exists() or not mark.read_text():
        assert outside.poll() is None
    inside = int(mark.read_text())
    outside.send_signal(signal.SIGKILL)
    outside.wait()
    while True:
        try:
            state = Path(f"/proc/{inside}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            break
        if state == "Z":
            break


HANG = "voice.press(Button.SEALED)\nvoice.press(Button.ALIVE)\ntime.sleep(60)\nreturn 0\n"


def test_a_sense_that_hangs_in_its_accelerator_is_ended_and_the_next_start_does_without(
    tmp_path: Path,
) -> None:
    """It gives no sign: killed, said, a mark kept by systemd, and started again; no ping is sent for it."""
    service = ServiceSockets(tmp_path)
    code, _ = run(f"voice.press(Button.ACCELERATOR_USED)\n{HANG}", service=service, before="guard.HUNG = 0.5")
    notices = service.notices()
    said = service.journal()
    service.close()
    assert code == 75
    assert "hangs in its accelerator: the next start does without it" in said
    assert ["FDSTORE=1", "FDNAME=accelerator-away-1"] in notices


def test_a_sense_that_hangs_elsewhere_is_ended_and_nothing_is_kept(tmp_path: Path) -> None:
    """No accelerator is blamed where none is used."""
    service = ServiceSockets(tmp_path)
    code, _ = run(HANG, service=service, before="guard.HUNG = 0.5")
    notices = service.notices()
    said = service.journal()
    service.close()
    assert code == 75
    assert "sense: hangs; it is ended and started again" in said
    assert not [lines for lines in notices if lines[0].startswith("FDSTORE")]


@pytest.mark.parametrize(
    ("before", "pressed"),
    [
        ("comeback = Comeback(failures=2, without=True)", ""),
        ("comeback = Comeback(failures=1)", "voice.press(Button.ACCELERATOR_LOST)\n"),
    ],
)
def test_an_accelerator_is_tried_again_by_a_new_process(tmp_path: Path, before: str, pressed: str) -> None:
    """After its wait SENSE is ended in order; the mark says how often, and that the next start tries it."""
    service = ServiceSockets(tmp_path)
    body = (
        "ended = threading.Event()\nsignal.signal(signal.SIGTERM, lambda *_: ended.set())\n"
        f"voice.press(Button.SEALED)\n{pressed}while not ended.wait(0.05):\n    voice.press(Button.ALIVE)\nreturn 0\n"
    )
    quick = "from appliance.unit import comeback as c\nc._WAITS = (0.5, 0.5)\n"
    code, _ = run(body, service=service, before=quick + before)
    notices = service.notices()
    said = service.journal()
    service.close()
    assert code == 75
    assert "ends to try the accelerator again" in said
    kept = [lines[1] for lines in notices if lines[0] == "FDSTORE=1"]
    assert kept[-1] == "FDNAME=accelerator-again-2"
    assert any(lines[0] == "FDSTOREREMOVE=1" for lines in notices)


def test_the_wait_doubles_and_an_hour_of_work_forgives() -> None:
    """Ten minutes, twenty, … two hours; a mark is read back as it was written, and another's name is none of ours."""
    found = Comeback()
    waits = []
    for _ in range(6):
        found = found.failed(10.0, without=True)
        waits.append(found.wait)
        assert comeback_in(["stored", found.mark]) == found
    assert waits == [600, 1200, 2400, 4800, 7200, 7200]
    assert found.failed(3600.0, without=False).failures == 1
    assert not found.again().without
    assert comeback_in(["accelerator-away-0", "accelerator-away-100", "x"]) == Comeback()
