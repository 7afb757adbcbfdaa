from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from appliance import cli
from appliance.base.errors import Unfit
from appliance.protocol.vocabulary import INDEX
from appliance.settings.config import CameraConfig
from appliance.unit.vision import measure
from appliance.unit.vision.attributes.palette import Swatch
from appliance.unit.vision.attributes.reading import Palettes
from appliance.unit.vision.camera.recording import Recording
from appliance.unit.vision.pipeline import Pipeline
from appliance.unit.vision.types import AttributeReading, Box, Detection, Frame


def film(path: Path, frames: int) -> Path:
    """A short film of noise: nobody is in it."""
    random = np.random.default_rng(5)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(frames):
            pixels = random.integers(0, 255, (240, 320, 3)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_each_measured_frame_is_one_line(tmp_path: Path) -> None:
    """Of a video every so-many-th frame is measured; a picture nobody is in has no people."""
    film(tmp_path / "noise.avi", 7)
    out = io.StringIO()
    assert measure.main([tmp_path], out, every=3) == 0
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["frame"] for line in lines] == [0, 3, 6]
    assert all(line["people"] == [] and (line["width"], line["height"]) == (320, 240) for line in lines)


def test_a_file_that_is_no_picture_is_told_and_the_rest_is_measured(tmp_path: Path) -> None:
    """An unreadable file is a line that says so and exit code 65; nothing else is lost."""
    (tmp_path / "broken.jpg").write_bytes(b"no frame")
    film(tmp_path / "noise.avi", 1)
    out = io.StringIO()
    assert measure.main([tmp_path], out) == 65
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert "unreadable" in lines[0]
    assert lines[1]["people"] == []


@pytest.mark.parametrize("name", ["", "missing"])
def test_nothing_to_measure_is_one_clear_error(tmp_path: Path, name: str) -> None:
    """A path without pictures, or none at all, is named."""
    with pytest.raises(Unfit, match=r"no picture|no such file"):
        measure.main([tmp_path / name], io.StringIO())


def test_a_person_is_told_with_levels_and_posteriors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a person box, score and colours are written, and of each attribute a level and a posterior that adds up."""
    found = Detection(box=Box(left=10, top=20, right=60, bottom=200), score=0.81)
    reading = AttributeReading(attribute=INDEX["sleeves"], likelihood=(0.99, 0.01))
    monkeypatch.setattr(Pipeline, "find_at_once", lambda *_: (found,))
    monkeypatch.setattr(Pipeline, "person", lambda *_: object())
    monkeypatch.setattr(Pipeline, "read", lambda *_: (reading,))
    grey = Swatch(lightness=50.0, a=0.0, b=0.0, share=1.0)
    seen = Palettes(top=(grey,), bottom=())
    monkeypatch.setattr(Pipeline, "palettes", lambda *_: (seen, Palettes(top=(), bottom=())))
    eyes = object.__new__(Pipeline)
    frame = Frame(pixels=np.zeros((240, 320, 3), np.uint8), at=0.0)
    told = measure.measured(eyes, measure.Picture(path=Path("a.png"), number=0, frame=frame), 0.4)
    person = json.loads(json.dumps(told))["people"][0]
    assert person["box"] == [10, 20, 60, 200]
    sleeves = person["attributes"]["sleeves"]
    assert sleeves["level"] == "long"
    assert sum(sleeves["posterior"].values()) == pytest.approx(1, abs=1e-3)
    assert person["palettes"] == {"top": [{"lab": [50.0, 0.0, 0.0], "share": 1.0}], "bottom": []}
    assert person["balanced"] == {"top": [], "bottom": []}


@pytest.mark.parametrize("wrong", [("--every", "0"), ("--every", "-3"), ("--score", "3"), ("--score", "nan")])
def test_a_wrong_number_is_refused_before_anything_is_written(tmp_path: Path, wrong: tuple[str, str]) -> None:
    """A step below one and a score that is no share end with exit code 2, and the last result stays."""
    last = tmp_path / "last.jsonl"
    last.write_text("kept")
    with pytest.raises(SystemExit) as ended:
        cli.main(["measure", str(tmp_path), "--jsonl", str(last), *wrong])
    assert (ended.value.code, last.read_text()) == (2, "kept")


def test_a_mistyped_path_does_not_empty_the_last_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is nothing to measure, or nowhere to write, one line says so and nothing is lost."""
    last = tmp_path / "last.jsonl"
    last.write_text("kept")
    assert cli.main(["measure", str(tmp_path / "missing"), "--jsonl", str(last)]) == 78
    assert last.read_text() == "kept"
    film(tmp_path / "noise.avi", 1)
    assert cli.main(["measure", str(tmp_path), "--jsonl", str(tmp_path / "no" / "where")]) == 78
    assert "give another --jsonl" in capsys.readouterr().err


def _lying(path: Path, rotation: int) -> Path:
    """A film whose upper half is white once it is turned as its metadata says; it lies on its side in the file."""
    upright = np.zeros((64, 32, 3), np.uint8)
    upright[:32] = 255
    lying = np.rot90(upright, k=-rotation // 90).copy()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = lying.shape[0], lying.shape[1], "yuv420p"
        stream.set_display_rotation(rotation)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(lying, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def _photo(path: Path) -> Path:
    """A JPEG that lies on its side, with the EXIF tag Orientation 6 (turn clockwise)."""
    lying = np.zeros((32, 64, 3), np.uint8)
    lying[:, :32] = 255
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuvj420p"
        picture = av.VideoFrame.from_ndarray(lying, format="rgb24").reformat(format="yuvj420p")
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    entry = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0) + bytes(4)
    exif = b"Exif\0\0MM\0*" + struct.pack(">I", 8) + entry
    path.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:])
    return path


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_measure_and_sense_turn_a_film_alike(tmp_path: Path, rotation: int) -> None:
    """Both readers heed the rotation in a film's metadata: what is above in life is above in the frame."""
    path = _lying(tmp_path / "film.mp4", rotation)
    seen = next(iter(Recording(CameraConfig(source=str(path), hurry=True)).frames())).pixels
    (picture, *_) = measure.pictures(path, 1)
    measured = picture.frame.pixels
    assert measured.shape == seen.shape
    half = len(measured) // 2
    assert min(measured[:half].mean(), seen[:half].mean()) > 200
    assert max(measured[half:].mean(), seen[half:].mean()) < 55


def test_a_photo_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    """A phone's photo that was taken upright is measured upright."""
    (picture,) = measure.pictures(_photo(tmp_path / "photo.jpg"), 1)
    pixels = picture.frame.pixels
    assert pixels.shape == (64, 32, 3)
    assert pixels[:32].mean() > 200
    assert pixels[32:].mean() < 55
