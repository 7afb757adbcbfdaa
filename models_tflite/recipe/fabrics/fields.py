"""Random fields and colours that cloth is made of.

Invariants:
    * A canvas is 192 x 192 fine texels; 512 fine texels are one standing person, so one is 3.3 mm of cloth.
    * Colours are sRGB in 0..1; every draw comes from the generator handed in.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Colour = npt.NDArray[np.float32]

SIDE: Final = 192
BODY: Final = 512
ROWS, COLUMNS = (axis.astype(np.float32) for axis in np.mgrid[0:SIDE, 0:SIDE])


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from low..high, every factor equally likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Be true with the probability given."""
    return bool(rng.random() < probability)


def noise(rng: np.random.Generator, size: float, stretch: float = 1.0) -> Floats:
    """Return smooth noise of unit variance, features `size` texels across and `stretch` times that down."""
    rows = max(2, int(np.ceil(SIDE / (size * stretch))) + 2)
    columns = max(2, int(np.ceil(SIDE / size)) + 2)
    coarse = rng.standard_normal((rows, columns)).astype(np.float32)
    grown = np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)
    return grown / np.float32(grown.std() + 1e-6)


def turned(rng: np.random.Generator, *, upright: float = 0.85, jitter: float = 7.0) -> tuple[Floats, Floats]:
    """Return coordinates across and along a print, mostly at right angles to the body."""
    angle = 90.0 * rng.integers(2) if chance(rng, upright) else rng.uniform(0, 180)
    angle = np.deg2rad(angle + rng.normal(0, jitter))
    middle = SIDE / 2
    x, y = COLUMNS - middle, ROWS - middle
    across = np.cos(angle) * x + np.sin(angle) * y + rng.uniform(0, 200)
    along = -np.sin(angle) * x + np.cos(angle) * y + rng.uniform(0, 200)
    return across.astype(np.float32), along.astype(np.float32)


def lightness(colour: Colour) -> float:
    """Rough luma of a colour, 0..1."""
    return float(colour @ np.array([0.3, 0.59, 0.11], np.float32))


def dye(rng: np.random.Generator) -> Colour:
    """Draw a garment's colour: black, grey, white and navy are what streets wear."""
    kind = rng.random()
    if kind < 0.24:
        grey = rng.uniform(0.03, 0.22)
    elif kind < 0.38:
        grey = rng.uniform(0.25, 0.7)
    elif kind < 0.52:
        grey = rng.uniform(0.75, 0.97)
    else:
        hue, full, value = rng.uniform(0, 360), rng.uniform(0.12, 0.95), rng.uniform(0.12, 0.95)
        pixel = np.array([[[hue, full, value]]], np.float32)
        return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)
    return np.clip(grey + rng.normal(0, 0.015, 3), 0, 1).astype(np.float32)


def dyes(rng: np.random.Generator, count: int, apart: float = 0.22) -> list[Colour]:
    """Draw colours of which each can be told from the first."""
    found = [dye(rng)]
    for _ in range(200):
        if len(found) == count:
            break
        other = dye(rng)
        if float(np.abs(other - found[0]).max()) >= apart:
            found.append(other)
    while len(found) < count:
        found.append(np.float32(1) - found[0])
    return found


def flat(colour: Colour) -> Floats:
    """Return a canvas of one colour."""
    return np.tile(colour, (SIDE, SIDE, 1)).astype(np.float32)


def where(mask: npt.NDArray[np.bool_], colour: Colour, ground: Floats) -> Floats:
    """Return the ground with the colour where the mask is set."""
    return np.where(mask[..., np.newaxis], colour, ground).astype(np.float32)


def blend(share: Floats, colour: Colour, ground: Floats) -> Floats:
    """Return the ground mixed with a share (0..1) of the colour."""
    mixed: Floats = ground + share[..., np.newaxis] * (colour - ground)
    return mixed
