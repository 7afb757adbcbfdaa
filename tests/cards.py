"""A simulated camera that photographs the colour card: lamp, crosstalk, uneven light, blur, noise, film."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.unit.card import sight
from appliance.unit.vision.attributes.colours import linear
from appliance.unit.vision.types import Pixels

Doubles = NDArray[np.float64]

NO_CROSSTALK = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
CROSSTALK = ((0.78, 0.17, 0.05), (0.12, 0.76, 0.12), (0.04, 0.20, 0.76))
"""Filters that let neighbours' light through, as a camera without its maker's matrix has them; rows add up to one."""
TUNGSTEN = (1.35, 1.0, 0.62)
"""What a half-hearted white balance leaves of a warm lamp."""
SHADE = (0.82, 1.0, 1.22)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """``lamp``: its colour; ``exposure``: linear factor; ``fall``: light lost across the picture's width (share)."""

    lamp: tuple[float, float, float] = (1.0, 1.0, 1.0)
    crosstalk: tuple[tuple[float, float, float], ...] = NO_CROSSTALK
    exposure: float = 0.9
    fall: float = 0.0
    blur: float = 0.0
    noise: float = 0.0

    @property
    def matrix(self) -> Doubles:
        """What turns true linear light into this camera's, exposure apart."""
        return np.array(self.crosstalk) @ np.diag(self.lamp)

    def sees(self, light: Doubles, rng: np.random.Generator) -> Pixels:
        """A scene of (h, w, 3) true linear light as bytes."""
        ramp = np.linspace(1.0, 1.0 - self.fall, light.shape[1])[None, :, None]
        sensor = light @ self.matrix.T * self.exposure * ramp
        if self.blur:
            sensor = cv2.GaussianBlur(sensor, (0, 0), self.blur)
        sensor = sensor + rng.normal(0, 1, sensor.shape) * self.noise * np.sqrt(np.clip(sensor, 0, 1) + 0.005)
        return encoded(sensor)


def encoded(light: Doubles) -> Pixels:
    """Linear light as sRGB bytes, cut at white."""
    light = np.clip(light, 0, 1)
    return np.asarray(
        np.round(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)),
        np.uint8,
    )


def scene(
    corners: Iterable[tuple[float, float]], *, size: tuple[int, int] = (1280, 720), card: Pixels | None = None
) -> Doubles:
    """True linear light of a dim wall with the card on it, its corners there (from its upper left, clockwise)."""
    drawn = sight.picture(cell=40, margin=40) if card is None else card
    height, width = drawn.shape[:2]
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    # Painted at twice the size and averaged, so that edges fall between pixels as they do on a sensor.
    to_scene = cv2.getPerspectiveTransform(flat, 2 * np.array(list(corners), np.float32))
    double = (2 * size[0], 2 * size[1])
    wall = np.full((double[1], double[0], 3), (0.16, 0.14, 0.12))
    cv2.warpPerspective(
        linear(drawn).astype(np.float64),
        to_scene,
        double,
        dst=wall,
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_TRANSPARENT,
    )
    return np.asarray(cv2.resize(wall, size, interpolation=cv2.INTER_AREA), np.float64)


STRAIGHT = ((440, 190), (840, 190), (840, 510), (440, 510))
"""400 pixels wide."""
TILTED = ((430, 200), (800, 150), (850, 520), (400, 470))
FAR = ((600, 300), (670, 300), (670, 356), (600, 356))


def filmed(path: Path, frames: Iterable[Pixels]) -> Path:
    """A recording of the frames, ten a second, all but without loss."""
    with av.open(str(path), "w") as container:
        stream = None
        for pixels in frames:
            if stream is None:
                stream = container.add_stream("mjpeg", rate=10, options={"qmin": "1", "qmax": "2"})
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuvj444p"
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        if stream is not None:
            for packet in stream.encode():
                container.mux(packet)
    return path
