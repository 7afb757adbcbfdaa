"""A V4L2 camera with a street's troubles, faked at the edge of the kernel's calls: what is damaged is skipped."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from appliance.settings.config import CameraConfig
from appliance.unit.vision.camera import frame_source
from appliance.unit.vision.camera.video_device import _ways

ROOT = next(parent for parent in Path(__file__).parents if (parent / "pyproject.toml").exists())
SOURCE = ROOT / "tests/fakes/v4l2_camera.c"
READER = """
import sys, av
av.logging.set_level(None)
from appliance.base.errors import LeftfieldError
from appliance.settings.config import CameraConfig
from appliance.unit.vision.camera import video_device
from appliance.unit.vision.camera.frame_source import open_source
video_device.PATIENCE = 0.5
camera = CameraConfig(source=sys.argv[1], width=int(sys.argv[2]), height=int(sys.argv[3]), frame_rate=15)
frames, shape, end = 0, (), "going on"
try:
    source = open_source(camera)
    for frame in source.frames():
        frames, shape = frames + 1, frame.pixels.shape
        if frames == 60:
            break
    end += f", {source.damaged} damaged"
except LeftfieldError as error:
    end = f"{type(error).__name__}: {error.what}"
print(frames, "x".join(map(str, shape[:2])), end, sep="|", flush=True)
import os
os._exit(0)
"""


@dataclass(frozen=True)
class Seen:
    """What a reader saw of the camera: frames, their size, and how it went on."""

    frames: int
    size: str
    end: str


class Bench:
    """A folder with the fake, its pictures, and a path that is the camera."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("a C compiler is needed for the fake camera: apt-get install gcc")
        self.library = folder / "camera.so"
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", self.library, SOURCE, "-ldl"], check=True, text=True
        )
        noise = np.random.default_rng(5)
        self.pictures: dict[str, Path] = {"MJPG": folder / "jpeg", "YUYV": folder / "raw"}
        jpegs, raws = [], []
        for number in range(8):
            picture = noise.integers(0, 255, (240, 320, 3), np.uint8)
            cv2.putText(picture, str(number), (20, 120), cv2.FONT_HERSHEY_SIMPLEX, 3, (255, 255, 255), 5)
            jpegs.append(cv2.imencode(".jpg", picture)[1].tobytes())
            yuyv = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuyv422")
            raws.append(bytes(yuyv.planes[0])[: 320 * 240 * 2])
        for path, pictures in zip(self.pictures.values(), (jpegs, raws), strict=True):
            path.write_bytes(b"".join(struct.pack("<I", len(picture)) + picture for picture in pictures))

    def read(
        self, trouble: str = "", *, form: str = "MJPG", asked: str = "320x240", name: str = "video97"
    ) -> Seen:
        """Read up to sixty frames of the camera."""
        path = f"/dev/{name}"  # need not be there: the fake answers for it
        width, _, height = asked.partition("x")
        environment = os.environ | {
            "LD_PRELOAD": str(self.library), "FAKE_CAMERA": path, "FAKE_PICTURES": str(self.pictures[form]),
            "FAKE_FORMAT": form, "FAKE_TROUBLE": trouble, "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        script = READER.replace(
            "import sys, av", "import sys, av, pathlib\npathlib.Path.exists = lambda _: True", 1
        )
        done = subprocess.run(
            [sys.executable, "-c", script, path, width, height],
            env=environment, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT,
        )  # fmt: skip
        assert done.stdout.count("|") == 2, done.stderr[-2000:]
        frames, size, end = done.stdout.strip().split("|")
        return Seen(int(frames), size, end)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("camera"))


def test_a_healthy_camera_is_read(bench: Bench) -> None:
    """Every picture comes, none is called damaged."""
    assert bench.read() == Seen(60, "240x320", "going on, 0 damaged")


@pytest.mark.parametrize("trouble", ["flagged:7", "empty:7", "garbage:7", "blink:7"])
def test_a_damaged_picture_costs_that_picture(bench: Bench, trouble: str) -> None:
    """Flagged by the driver, empty, no JPEG at all, or one failed call: it is skipped and counted."""
    seen = bench.read(trouble)
    assert seen.frames == 60
    assert int(seen.end.split()[2]) in range(8, 11)


@pytest.mark.parametrize("trouble", ["flagged:1", "garbage:1", "empty:1"])
def test_a_camera_that_gives_only_damaged_pictures_is_away(bench: Bench, trouble: str) -> None:
    """After seconds without a good one it ends with one clear line."""
    seen = bench.read(trouble)
    assert seen.frames <= 1
    assert "Unavailable: no good picture for" in seen.end


def test_a_camera_that_is_pulled_is_away_at_once(bench: Bench) -> None:
    """No patience with a device that is gone."""
    seen = bench.read("enodev:20")
    assert seen.frames == 20
    assert seen.end == "Unavailable: the camera went away (No such device)"


@pytest.mark.parametrize("asked", ["320x240", "1280x720", "160x120"])
def test_the_size_that_the_driver_chose_is_read(bench: Bench, asked: str) -> None:
    """A raw camera that answers another size than asked gives frames, shrunk to what was asked at most."""
    seen = bench.read(form="YUYV", asked=asked)
    assert (seen.frames, seen.end) == (60, "going on, 0 damaged")
    assert seen.size == ("120x160" if asked == "160x120" else "240x320")


def test_raw_pictures_cut_short_are_skipped(bench: Bench) -> None:
    """A raw picture with a third of its bytes is no picture."""
    seen = bench.read("short:9", form="YUYV")
    assert seen.frames == 60
    assert int(seen.end.split()[2]) > 0


@pytest.mark.parametrize(
    "name",
    [
        "video97",
        "v4l/by-id/usb-046d_HD_Pro_Webcam_C920_8A2B=FF+1-video-index0",
        "v4l/by-path/pci-0000:00:14.0-usb-0:3:1.0-video-index0",
    ],
)
def test_every_name_of_a_device_leads_to_it(bench: Bench, name: str) -> None:
    """By number, by its maker's name and by its place: colons, plus and equals signs are part of names."""
    assert frame_source.device_of(f"/dev/{name}") == f"/dev/{name}"
    assert bench.read(name=name).frames == 60


def test_mjpeg_is_asked_for_where_raw_is_too_slow_for_the_cable() -> None:
    """At 1280 x 720 and 15 frames a second raw pictures are more than USB 2.0 carries; at 640 x 480 they are not."""
    large = CameraConfig(source="0", width=1280, height=720, frame_rate=15)
    small = CameraConfig(source="0", width=640, height=480, frame_rate=15)
    assert next(_ways(large))["input_format"] == "mjpeg"
    assert all("input_format" not in way for way in _ways(small))
