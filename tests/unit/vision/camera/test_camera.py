from __future__ import annotations

import importlib.util
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from appliance.base.errors import Unavailable, Unfit
from appliance.protocol.health import SourceKind
from appliance.settings.config import CameraConfig
from appliance.unit.vision.camera import frame_source, read_ahead, recording
from appliance.unit.vision.types import Frame


def configured(source: str | Path, **changes: object) -> CameraConfig:
    fields = {"width": 1280, "height": 720, "frame_rate": 30, "repeat": False, "hurry": True}
    return CameraConfig(source=str(source), **{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of 10 frames each; frame n is grey level 8 n, with a red left half."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(30):
            pixels = np.full((48, 64, 3), 8 * number, np.uint8)
            pixels[:, :32] = (220, 10, 10)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_a_recording_gives_all_its_frames_in_rgb(film: Path) -> None:
    """A file in a hurry gives every frame once, as RGB, a tenth of a second apart on its own clock."""
    source = frame_source.open_source(configured(film))
    frames = list(source.frames())
    source.close()
    assert source.kind is SourceKind.RECORDING
    assert len(frames) == 30
    assert frames[0].pixels.shape == (48, 64, 3)
    assert frames[0].pixels.dtype == np.uint8
    assert frames[5].pixels[20, 10] == pytest.approx((220, 10, 10), abs=12)
    assert frames[20].pixels[20, 60] == pytest.approx((160, 160, 160), abs=6)
    assert np.diff([frame.at for frame in frames]) == pytest.approx(0.1, abs=0.01)


def test_frame_rate_drops_frames(film: Path) -> None:
    """At five frames a second every other frame of a ten-frame file comes."""
    frames = list(frame_source.open_source(configured(film, frame_rate=5)).frames())
    assert len(frames) == 15
    assert np.diff([frame.at for frame in frames]) == pytest.approx(0.2, abs=0.01)


def test_repeat_goes_on_with_time(film: Path) -> None:
    """A repeated file starts again, and its time goes on."""
    frames = frame_source.open_source(configured(film, repeat=True)).frames()
    ats = [next(frames).at for _ in range(75)]
    assert np.diff(ats) == pytest.approx(0.1, abs=0.01)


def test_a_recording_waits_for_its_time(film: Path) -> None:
    """Not in a hurry, a file's frames are waited for until they are due."""
    waited: list[float] = []
    source = frame_source.open_source(configured(film, hurry=False), wait=waited.append)
    count = sum(1 for _ in source.frames())
    assert count == 30
    assert sum(waited) > 2.5


def test_large_pictures_are_shrunk_to_the_configured_size(film: Path) -> None:
    """A picture larger than configured keeps its shape and shrinks into it; a smaller one is left alone."""
    frame = next(frame_source.open_source(configured(film, width=32, height=32)).frames())
    assert frame.pixels.shape == (24, 32, 3)


def test_a_missing_file_is_unfit(tmp_path: Path) -> None:
    """A file that is not there is our configuration's fault, and the error says what to pass."""
    with pytest.raises(Unfit, match=r"no such video file.*SOURCE="):
        frame_source.open_source(configured(tmp_path / "none.mp4"))


@pytest.mark.parametrize(
    "content", [b"", b"not a film at all" * 99, b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n"]
)
def test_what_is_no_video_is_unfit(tmp_path: Path, content: bytes) -> None:
    """Garbage, nothing and a playlist are no video, and the error says so."""
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(Unfit, match="cannot be decoded"):
        list(frame_source.open_source(configured(path)).frames())


def test_a_truncated_film_ends_early(film: Path, tmp_path: Path) -> None:
    """A file cut off in the middle gives the frames it has."""
    path = tmp_path / "cut.avi"
    path.write_bytes(film.read_bytes()[:9000])
    assert 3 < len(list(frame_source.open_source(configured(path)).frames())) < 30


@pytest.mark.parametrize("source", ["rtsp://camera/1", "http://10.0.0.1/film.mp4", "tcp://10.0.0.1:99"])
def test_network_cameras_are_refused(source: str) -> None:
    """An address on a network is refused, with the reason."""
    with pytest.raises(Unfit, match="promise 1"):
        frame_source.open_source(configured(source))


@pytest.mark.parametrize("formats", [recording._FORMATS, f"{recording._FORMATS},concat"])
def test_a_playlist_cannot_reach_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, formats: str
) -> None:
    """FFmpeg may not follow a file to a network address: playlists are no format, and the network no protocol."""
    monkeypatch.setattr(recording, "_FORMATS", formats)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        path = tmp_path / "list.ffconcat"
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}?timeout=300000"
        path.write_text(f"ffconcat version 1.0\noption safe 0\nfile {address}\n")
        with pytest.raises(Unfit):
            list(frame_source.open_source(configured(path)).frames())
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_camera_that_is_not_there_is_unavailable() -> None:
    """A V4L2 device that does not exist is away, not wrong: trying again is right."""
    assert frame_source.device_of("97") == "/dev/video97"
    with pytest.raises(Unavailable, match="no such camera"):
        frame_source.open_source(configured("97"))


def test_what_is_no_camera_is_unavailable() -> None:
    """A device that is no camera does not open."""
    with pytest.raises(Unavailable, match="does not open"):
        frame_source.open_source(configured("/dev/null"))


def test_a_missing_picamera2_says_how_to_install_it() -> None:
    """Where the system's picamera2 is missing, the error names the package."""
    if importlib.util.find_spec("picamera2"):
        pytest.skip("picamera2 is installed here")
    with pytest.raises(Unfit, match="apt-get install python3-picamera2"):
        frame_source.open_source(configured("picamera2"))


class Scripted:
    """A source that does what a test says."""

    kind = SourceKind.CAMERA

    def __init__(self, script: Iterator[Frame]) -> None:
        self.script = script
        self.closed = False

    def frames(self) -> Iterator[Frame]:
        """As scripted."""
        yield from self.script

    def close(self) -> None:
        """Noted."""
        self.closed = True


def blank(at: float) -> Frame:
    return Frame(pixels=np.zeros((2, 2, 3), np.uint8), at=at)


def test_reading_ahead_changes_nothing() -> None:
    """Frames read ahead come once each, in order, and the source is closed."""
    source = Scripted(iter([blank(at) for at in range(50)]))
    reader = read_ahead.ReadAhead(source)
    assert [frame.at for frame in reader.frames()] == list(range(50))
    reader.close()
    assert source.closed


def test_reading_ahead_is_one_frame_ahead() -> None:
    """No more than one frame is read that nobody asked for, beside the one in hand."""
    read: list[int] = []

    def script() -> Iterator[Frame]:
        for at in range(20):
            read.append(at)
            yield blank(at)

    reader = read_ahead.ReadAhead(Scripted(script()))
    frames = reader.frames()
    for at in range(10):
        assert next(frames).at == at
        assert len(read) <= at + 3
    reader.close()


def test_errors_of_the_source_are_raised_to_the_reader() -> None:
    """What goes wrong in the reading thread goes wrong for whoever reads."""

    def script() -> Iterator[Frame]:
        yield blank(0)
        raise Unavailable("gone")

    frames = read_ahead.ReadAhead(Scripted(script())).frames()
    next(frames)
    with pytest.raises(Unavailable, match="gone"):
        next(frames)


def test_a_hanging_camera_is_unavailable() -> None:
    """A camera that gives nothing, and does not even fail, is noticed."""
    forever = threading.Event()

    def script() -> Iterator[Frame]:
        forever.wait()
        yield blank(time.monotonic())

    reader = read_ahead.ReadAhead(Scripted(script()), patience=0.05)
    with pytest.raises(Unavailable, match="no frame"):
        next(reader.frames())
    forever.set()
    reader.close()
