"""Worse copies of a good picture: night, moving people, sun behind them, rain. Seeded, for evaluation only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from appliance.unit.vision.types import Pixels

_GAMMA: Final = 2.2
_WELL: Final = 4000.0
"""Electrons of a full pixel of a small sensor; the noise of fewer is their square root."""
_READ: Final = 6.0


def _linear(pixels: Pixels) -> npt.NDArray[np.float32]:
    return (pixels.astype(np.float32) / 255) ** _GAMMA


def _shown(light: npt.NDArray[np.float32]) -> Pixels:
    return np.clip(255 * np.clip(light, 0, 1) ** (1 / _GAMMA), 0, 255).round().astype(np.uint8)


def darker(pixels: Pixels, rng: np.random.Generator, share: float) -> Pixels:
    """The same scene with that share of the light, with the noise of so few electrons."""
    electrons = _linear(pixels) * share * _WELL
    noisy = rng.normal(electrons, np.sqrt(electrons + _READ**2)) / _WELL
    return _shown(noisy.astype(np.float32))


def lifted(pixels: Pixels, rng: np.random.Generator, share: float) -> Pixels:
    """The same, brought back by the camera's gain: bright, and its noise as well."""
    electrons = _linear(pixels) * share * _WELL
    noisy = rng.normal(electrons, np.sqrt(electrons + _READ**2)) / _WELL / share
    return _shown(noisy.astype(np.float32))


def moving(pixels: Pixels, length: int) -> Pixels:
    """Blurred along the street by that many pixels."""
    kernel = np.full((1, length), 1 / length, np.float32)
    return np.asarray(cv2.filter2D(pixels, -1, kernel), np.uint8)


def against_the_light(pixels: Pixels) -> Pixels:
    """A low sun behind: the scene at a quarter of its light under a veil that is brightest in the top middle."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot((x / width - 0.5) * 1.4, y / height)
    veil = 0.75 * np.exp(-2.5 * far)[..., np.newaxis]
    return _shown((_linear(pixels) * 0.25 + veil).astype(np.float32))


def in_rain(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Less contrast, a soft lens, and 900 bright streaks."""
    height, width = pixels.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    for x, y, length in zip(
        rng.integers(0, width, 900), rng.integers(0, height, 900), rng.integers(8, 30, 900), strict=True
    ):
        cv2.line(streaks, (int(x), int(y)), (int(x + length // 6), int(y + length)), 255, 1)
    soft = cv2.GaussianBlur(pixels, (0, 0), 1.2).astype(np.float32) * 0.6 + 70
    wet = soft + 0.35 * cv2.GaussianBlur(streaks, (0, 0), 0.7)[..., np.newaxis].astype(np.float32)
    return np.clip(wet, 0, 255).astype(np.uint8)


WEATHERS: Final[dict[str, Callable[[Pixels, np.random.Generator], Pixels]]] = {
    "as it is": lambda pixels, _: pixels,
    "dusk, 1/8 of the light": lambda pixels, rng: darker(pixels, rng, 1 / 8),
    "night, 1/30": lambda pixels, rng: darker(pixels, rng, 1 / 30),
    "night, 1/100": lambda pixels, rng: darker(pixels, rng, 1 / 100),
    "night, 1/30, camera gain": lambda pixels, rng: lifted(pixels, rng, 1 / 30),
    "motion blur of 9 px": lambda pixels, _: moving(pixels, 9),
    "motion blur of 17 px": lambda pixels, _: moving(pixels, 17),
    "against the light": lambda pixels, _: against_the_light(pixels),
    "rain": in_rain,
}
