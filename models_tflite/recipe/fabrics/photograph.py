"""Worn cloth becomes a picture of a person some hundred pixels high: light, optics, sensor, sharpening, JPEG.

Law: the picture is made at the camera's own resolution; nothing is added after it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fabrics.fields import BODY, SIDE, Floats, chance

Random = np.random.Generator


def photograph(rng: Random, canvas: Floats, height: float) -> npt.NDArray[np.uint8]:
    """Return the canvas as uint8 RGB, as many pixels wide as it has on a person `height` pixels high."""
    side = max(12, round(SIDE * height / BODY))
    small = cv2.resize(np.clip(canvas, 0, 1.2), (side, side), interpolation=cv2.INTER_AREA)
    blur = abs(rng.normal(0, 0.45))
    if blur > 0.15:
        small = cv2.GaussianBlur(small, (0, 0), blur)
    if chance(rng, 0.12):
        small = _moved(rng, np.asarray(small, np.float32))
    dim = chance(rng, 0.2)
    gain = rng.uniform(0.25, 0.7) if dim else rng.uniform(0.7, 1.2)
    small = small * np.float32(gain) * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    if chance(rng, 0.3):  # haze, flare, lifted blacks
        small = small * np.float32(0.9) + np.float32(rng.uniform(0, 0.12))
    if chance(rng, 0.35):
        small = small + (small - cv2.GaussianBlur(small, (0, 0), 1.2)) * np.float32(rng.uniform(0.2, 1.0))
    sensor = abs(rng.normal(0, 0.009)) + (0.012 if dim else 0.002)
    grain = rng.standard_normal(small.shape).astype(np.float32)
    if chance(rng, 0.4):
        grain = cv2.GaussianBlur(grain, (0, 0), 0.7) * np.float32(2.0)
    pixels = np.clip((small + grain * np.float32(sensor)) * 255, 0, 255).astype(np.uint8)
    if chance(rng, 0.75):
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(45, 97))]
        coded = cv2.imencode(".jpg", pixels[..., ::-1], quality)[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(pixels)


def _moved(rng: Random, small: Floats) -> Floats:
    length = int(rng.integers(2, 4))
    line = np.zeros((5, 5), np.float32)
    if chance(rng, 0.7):
        line[2, 2 : 2 + length] = 1
    else:
        line[2 : 2 + length, 2] = 1
    return np.asarray(cv2.filter2D(small, -1, line / line.sum()), np.float32)
