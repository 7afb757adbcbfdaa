"""``leftfield measure``: the unit's own eyes on pictures and videos, for the bench. Not a process of a unit.

Invariants:
    * The code that reads is the unit's code, called with the unit's models; nothing is measured that does not ship.
    * Written are boxes, scores, levels, posteriors and colours of cloth: no pixel, nothing above the shoulders.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import av
import numpy as np

from appliance.base.errors import Unfit
from appliance.protocol.values import Reading
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings.progress import Progress
from appliance.unit.vision.attributes import fusion
from appliance.unit.vision.attributes.palette import Swatch
from appliance.unit.vision.attributes.priors import CALIBRATION
from appliance.unit.vision.camera.frame_source import upright
from appliance.unit.vision.models.runtime import Wish, choose_accelerator
from appliance.unit.vision.pipeline import Pipeline, pipeline_on
from appliance.unit.vision.regions import Headless
from appliance.unit.vision.types import AttributeReading, Box, Detection, Frame

PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
VIDEOS: Final = frozenset({".avi", ".mp4", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture to be measured: its file, the number of the frame in it, and the frame."""

    path: Path
    number: int
    frame: Frame


def main(paths: Sequence[Path], out: TextIO, *, every: int = 1, least_score: float = 0.4) -> int:
    """Measure each file below ``paths`` and write one line of JSON a picture; 0, or 65 where some were unreadable.

    ``every``: of a video, each so-many-th frame. Unfit where a path is not there or holds nothing to measure.
    """
    found = files(paths)
    pipeline = pipeline_on(choose_accelerator(wish=Wish.AUTO, threads=1))
    unreadable, read, progress = 0, 0, Progress("measure: pictures read")
    for path in found:
        try:
            for picture in pictures(path, every):
                out.write(json.dumps(measured(pipeline, picture, least_score)) + "\n")
                read += 1
                progress.step(read)
        except (av.FFmpegError, ValueError) as error:
            unreadable += 1
            out.write(json.dumps({"path": str(path), "unreadable": str(error)}) + "\n")
    progress.end()
    out.flush()
    sys.stderr.write(f"measure: {len(found)} files, {unreadable} unreadable\n")
    return 65 if unreadable else 0


def files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Every picture and video below ``paths``. Unfit where one is not there, or they hold nothing to measure."""
    found = tuple(_files(paths))
    if not found:
        raise Unfit(
            "no picture and no video",
            where=", ".join(map(str, paths)),
            fix=f"name files or folders of {', '.join(sorted(PICTURES | VIDEOS))}",
        )
    return found


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise Unfit("there is no such file or folder", where=str(path), fix="name an existing one")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (one for one in inside if one.is_file() and one.suffix.lower() in PICTURES | VIDEOS)


def pictures(path: Path, every: int) -> Iterator[Picture]:
    """The pictures of one file, upright as it says; ValueError where there is none."""
    found = False
    with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
        if not container.streams.video:
            raise ValueError("no picture in it")
        for number, decoded in enumerate(container.decode(video=0)):
            if number % every:
                continue
            found = True
            pixels = upright(np.ascontiguousarray(decoded.to_ndarray(format="rgb24"), np.uint8), decoded)
            yield Picture(path=path, number=number, frame=Frame(pixels=pixels, at=float(number)))
    if not found:
        raise ValueError("no picture in it")


def measured(pipeline: Pipeline, picture: Picture, least_score: float) -> dict[str, object]:
    """What is written of one picture."""
    frame = picture.frame
    found = [one for one in pipeline.find_at_once(frame) if one.score >= least_score]
    boxes = [one.box for one in found]
    return {
        "path": str(picture.path),
        "frame": picture.number,
        "width": frame.pixels.shape[1],
        "height": frame.pixels.shape[0],
        "people": [
            _told(
                pipeline, one, pipeline.person(frame, one.box, [box for box in boxes if box is not one.box])
            )
            for one in found
        ],
    }


def _told(pipeline: Pipeline, found: Detection, person: Headless | None) -> dict[str, object]:
    """One person: box, score, each attribute read, and the colours behind the names."""
    readings = () if person is None else pipeline.read(person)
    vector = fusion.describe([readings])
    line: dict[str, object] = {
        "box": [round(edge, 1) for edge in _edges(found.box)],
        "score": round(found.score, 4),
        "attributes": {
            ATTRIBUTES[one.attribute].name: _said(vector.readings[one.attribute], one) for one in readings
        },
    }
    if person is not None:
        pictured, balanced = pipeline.palettes(person)
        line["palettes"] = {"top": _swatches(pictured.top), "bottom": _swatches(pictured.bottom)}
        line["balanced"] = {"top": _swatches(balanced.top), "bottom": _swatches(balanced.bottom)}
    return line


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _swatches(palette: Sequence[Swatch]) -> list[dict[str, object]]:
    """CIELAB (D65) and the share of the garment."""
    return [
        {"lab": [round(one.lightness, 2), round(one.a, 2), round(one.b, 2)], "share": round(one.share, 3)}
        for one in palette
    ]


def _said(said: Reading, reading: AttributeReading) -> dict[str, object]:
    """Level and confidence as the unit would say them after this one glance, and the posterior."""
    attribute = ATTRIBUTES[reading.attribute]
    shares = fusion.posterior([reading], CALIBRATION[reading.attribute])
    return {
        "level": attribute.label(said.level),
        "confidence": None if said.confidence is None else said.confidence.name.lower(),
        "posterior": {word: round(share, 6) for word, share in zip(attribute.levels, shares, strict=True)},
    }
