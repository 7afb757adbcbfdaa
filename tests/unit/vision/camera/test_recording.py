"""Recordings as people have them: joined, cut, lapsed, interlaced, too large for the machine, with covers, in HDR."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.stream import VideoStream

from appliance.base.errors import Unfit
from appliance.settings.config import CameraConfig
from appliance.unit.vision.camera.frame_source import one_field, open_source
from appliance.unit.vision.camera.recording import Recording
from appliance.unit.vision.types import Pixels

SIZE = (96, 128)


def film(
    path: Path, stamps: list[float], *, codec: str = "mpeg4", interlaced: bool = False, transfer: int = 0
) -> Path:
    """A video with a picture at each of ``stamps`` (seconds)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if codec == "mpeg4":
            stream.codec_context.time_base = Fraction(1, 100)
        if codec == "mpeg2video":
            stream.codec_context.time_base = Fraction(1, 25)
        if interlaced:
            stream.codec_context.options = {"flags": "+ilme+ildct"}
        if transfer:
            stream.codec_context.color_trc = transfer
        for number, stamp in enumerate(stamps):
            picture = av.VideoFrame.from_ndarray(
                np.full((*SIZE, 3), number * 7 % 250, np.uint8), format="rgb24"
            )
            picture.pts = round(stamp / stream.codec_context.time_base)
            picture.time_base = stream.codec_context.time_base
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def times(path: Path, **settings: object) -> list[float]:
    """When each frame of a recording comes, in its own time, from the first on."""
    camera = CameraConfig(source=str(path), hurry=True, frame_rate=25, **settings)  # type: ignore[arg-type]
    source = open_source(camera)
    try:
        at = [frame.at for frame in source.frames()]
    finally:
        source.close()
    return [when - at[0] for when in at]


def even(count: int, step: float = 0.04) -> list[float]:
    """Evenly spaced times."""
    return [number * step for number in range(count)]


def test_files_joined_together_are_read_to_their_end(tmp_path: Path) -> None:
    """The second file's clock falls back to its own beginning; none of its pictures is lost."""
    first = film(tmp_path / "a.ts", even(25), codec="mpeg2video")
    second = film(tmp_path / "b.ts", even(25), codec="mpeg2video")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    found = times(joined)
    assert len(found) >= 48
    assert np.diff(found).min() > 0.02
    assert found[-1] == pytest.approx(49 * 0.04, abs=0.15)


def test_a_gap_is_cut_to_a_step(tmp_path: Path) -> None:
    """Ten minutes without a picture are no dead cable, and nobody waits for them."""
    found = times(film(tmp_path / "gap.mkv", [*even(10), *(600 + stamp for stamp in even(10))]))
    assert len(found) == 20
    assert found[-1] < 1.5


def test_a_time_lapse_is_read(tmp_path: Path) -> None:
    """A picture every ten seconds comes as a picture a second at the latest."""
    found = times(film(tmp_path / "lapse.mkv", even(8, 10.0)))
    assert len(found) == 8
    assert np.diff(found).max() <= 1.01


def test_a_slow_camera_is_no_gap(tmp_path: Path) -> None:
    """A picture a second keeps its time."""
    found = times(film(tmp_path / "slow.mkv", even(5, 1.0)))
    assert found == pytest.approx(even(5, 1.0), abs=0.1)


def test_a_machine_too_slow_gets_every_nth_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where decoding takes longer than the recording's own time, pictures still come, and their times rise."""
    path = film(tmp_path / "heavy.mkv", even(60))
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    source = Recording(CameraConfig(source=str(path), frame_rate=25), wait=lambda _: None)
    decoded = source._decoded

    def slowly() -> Iterator[av.VideoFrame]:
        for picture in decoded():
            clock[0] += 0.2
            yield picture

    monkeypatch.setattr(source, "_decoded", slowly)
    at = [frame.at for frame in source.frames()]
    source.close()
    assert len(at) >= 60 * 0.2 / 0.8
    assert all(later > earlier for earlier, later in pairwise(at))


def test_an_interlaced_picture_is_one_field(tmp_path: Path) -> None:
    """What moves between the two fields leaves no comb."""
    combed = np.zeros((64, 64, 3), np.uint8)
    combed[::2, 10:20] = 255
    combed[1::2, 30:40] = 255
    field = one_field(combed)
    assert field[:, 30:40].max() == 0
    assert field[1:-1, 12:18].min() == 255
    path = film(tmp_path / "fields.mpg", even(12), codec="mpeg2video", interlaced=True)
    with av.open(str(path)) as container:
        if not any(picture.interlaced_frame for picture in container.decode(video=0)):
            pytest.fail("the encoder made no interlaced pictures: the test shows nothing")
    seen: list[int] = []

    def counted(pixels: Pixels) -> Pixels:
        seen.append(1)
        return one_field(pixels)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("appliance.unit.vision.camera.frame_source.one_field", counted)
        times(path)
    assert seen


def test_a_high_dynamic_range_recording_is_one_clear_line(tmp_path: Path) -> None:
    """Its colours would be read wrongly, so it is refused with the way to convert it."""
    path = film(tmp_path / "hdr.mkv", even(5), codec="ffv1", transfer=16)
    with pytest.raises(Unfit, match=r"high dynamic range recording \(PQ\).*Fix: convert it"):
        open_source(CameraConfig(source=str(path)))


def test_a_cover_picture_is_not_the_film(tmp_path: Path) -> None:
    """Of two streams the one that is a cover is passed over."""
    path = tmp_path / "cover.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        moving = container.add_stream("mpeg4", rate=25)
        moving.height, moving.width, moving.pix_fmt = *SIZE, "yuv420p"
        container.mux(
            cover.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24"))
        )
        container.mux(cover.encode())
        for number in range(10):
            picture = np.full((*SIZE, 3), number * 20, np.uint8)
            container.mux(moving.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(moving.encode())
    source = open_source(CameraConfig(source=str(path), hurry=True, frame_rate=25))
    shapes = {frame.pixels.shape for frame in source.frames()}
    source.close()
    assert shapes == {(*SIZE, 3)}


def test_a_name_that_is_no_utf8_is_read(tmp_path: Path) -> None:
    """A file from an old camera, with a name in another code."""
    path = film(tmp_path / "plain.mkv", even(3))
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/stra\xdfe.mkv")
    path.rename(odd)
    assert len(times(Path(odd))) == 3
