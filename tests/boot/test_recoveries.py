"""What goes away and comes back: broker, hung processes, camera. ``LEFTFIELD_TURNS=10`` for a figure."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import pytest

from tests.boot.booth import TURNS, Booth
from tests.boot.machines import until
from tests.demo.running import street_video

pytestmark = pytest.mark.boot
FAKE = Path(__file__).parents[1] / "fakes/v4l2_camera.c"
CAMERA = "/dev/video0"


def told(what: str, turn: int, took: float) -> None:
    """A figure, where turns are counted."""
    if TURNS > 1:
        print(f"{what}, turn {turn}: {took:.1f} s", flush=True)


@pytest.mark.parametrize("turn", range(TURNS))
def test_a_broker_that_was_away_costs_nothing(booth: Booth, turn: int) -> None:
    """While the broker is stopped the unit says so and keeps; when it is back, what waited is admitted."""
    booth.hub.shell("systemctl stop mosquitto")
    until(lambda: "broker" in booth.unit.show("leftfield-relay", "StatusText"), "RELAY saying why it waits")
    before = booth.admitted()
    booth.hub.shell("systemctl start mosquitto")
    took = until(lambda: booth.admitted() > before, f"statements after the broker is back, turn {turn}", 90)
    told("broker back, statements admitted", turn, took)
    assert booth.unit.show("leftfield-relay", "NRestarts") == "0"


@pytest.mark.parametrize("turn", range(TURNS))
def test_a_process_that_hangs_is_replaced_by_the_watchdog(booth: Booth, turn: int) -> None:
    """SENSE, RELAY and WATCH, stopped by SIGSTOP at once, run again without anybody's help, and observations flow."""
    hung = []
    for host, service in (
        (booth.unit, "leftfield-sense"),
        (booth.unit, "leftfield-relay"),
        (booth.hub, "leftfield-watch"),
    ):
        pid = host.show(service, "MainPID")
        host.shell(f"kill -STOP {pid}")
        hung.append((host, service, pid))

    def replaced() -> bool:
        return all(
            host.show(service, "MainPID") not in {pid, "0"} and host.show(service, "ActiveState") == "active"
            for host, service, pid in hung
        )

    try:
        took = until(replaced, f"three new processes, turn {turn}", 90)
    except AssertionError as error:
        for host, service, pid in hung:
            error.add_note(
                f"{service}, {pid} was stopped: {host.shell(f'systemctl status {service}', check=False)}"
            )
        raise
    told("three hung processes replaced", turn, took)
    before = booth.admitted()
    until(lambda: booth.admitted() > before, "statements after the restarts", 90)


@pytest.fixture(scope="module")
def plugged(booth: Booth) -> Iterator[Path]:
    """A camera at the unit's ``/dev/video0``, faked at the edge of the kernel's calls; the file that is its cable."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("a C compiler is needed for the fake camera: apt-get install gcc")
    there = booth.unit.tree / "usr/share/fake"
    there.mkdir()
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", there / "camera.so", FAKE, "-ldl"], check=True)
    pictures = []
    with av.open(str(street_video())) as video:
        for frame in video.decode(video=0):
            whole = cv2.imencode(".jpg", cv2.resize(frame.to_ndarray(format="bgr24"), (640, 360)))[
                1
            ].tobytes()
            pictures.append(struct.pack("<I", len(whole)) + whole)
            if len(pictures) == 40:
                break
    (there / "pictures").write_bytes(b"".join(pictures))
    (there / "cable").write_bytes(b"1" * 4096)
    told_so = {
        "LD_PRELOAD": "/usr/share/fake/camera.so", "FAKE_CAMERA": CAMERA, "FAKE_PICTURES": "/usr/share/fake/pictures",
        "FAKE_CABLE": "/usr/share/fake/cable", "FAKE_WIDTH": "640", "FAKE_HEIGHT": "360",
    }  # fmt: skip
    drop_in = booth.unit.tree / "etc/systemd/system/leftfield-sense.service.d/fake.conf"
    drop_in.parent.mkdir(parents=True)
    lines = "".join(f"Environment={name}={value}\n" for name, value in told_so.items())
    drop_in.write_text(f"[Service]\n{lines}")
    config = booth.unit.tree / "etc/leftfield/unit.toml"
    kept = config.read_text()
    config.write_text(kept.replace('source = "/usr/share/street.avi"', f'source = "{CAMERA}"'))
    booth.unit.shell(f"touch {CAMERA} && systemctl daemon-reload && systemctl restart leftfield-sense")
    try:
        until(lambda: _watches(booth), "SENSE watching the camera")
        yield there / "cable"
    finally:
        config.write_text(kept)
        shutil.rmtree(drop_in.parent)
        booth.unit.shell(f"rm -f {CAMERA}; systemctl daemon-reload; systemctl restart leftfield-sense")
        until(
            lambda: "street.avi" in booth.unit.show("leftfield-sense", "StatusText"),
            "SENSE watching the video",
        )


def _watches(booth: Booth) -> bool:
    return booth.unit.show("leftfield-sense", "StatusText") == f"watching {CAMERA}"


@pytest.mark.parametrize("turn", range(TURNS))
def test_a_camera_that_is_pulled_and_back_is_watched_again(booth: Booth, plugged: Path, turn: int) -> None:
    """The driver says ENODEV and its file goes: SENSE says so and waits; it comes back: SENSE watches, walls anew."""
    assert _watches(booth)
    booth.unit.shell(f"rm {CAMERA}")
    _turn(plugged, b"0")
    took = until(
        lambda: "no such camera" in booth.unit.show("leftfield-sense", "StatusText"), "SENSE waiting", 45
    )
    told("pulled, SENSE waits", turn, took)
    assert booth.unit.show("leftfield-sense", "ActiveState") == "active"
    _turn(plugged, b"1")
    # What the udev rule of the package runs when the kernel announces the device.
    booth.unit.shell(f"touch {CAMERA} && systemctl --no-block try-restart leftfield-sense.service")
    took = until(lambda: _watches(booth), "SENSE watching again", 45)
    before = booth.admitted()
    took += until(lambda: booth.admitted() > before, "statements of the camera", 90)
    told("back, statements admitted", turn, took)


def _turn(cable: Path, state: bytes) -> None:
    with cable.open("r+b") as file:
        file.write(state)
