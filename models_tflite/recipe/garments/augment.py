"""Changes rendered samples as they are fed: mirrored, other light, lens and cloth, unseen sides. Black stays black.

Measured on validation photos at the network's size, by which the strengths were set: mean |Laplacian| 19 of 255 where
renderings had 9, saturation 21 (31), black 31 % (19), for the boxes of photos are tight.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from appliance.unit.vision.models.garments import PLACES, STEP

Random = np.random.Generator
Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Batch = tuple[Floats, Bytes, npt.NDArray[Any]]
_DYED = [PLACES.index(name) for name in ("background", "upper", "outer", "lower", "feet", "bag")]
_UNSEEN = 255


def batch_of(rng: Random, pictures: Bytes, places: Bytes, kinds: npt.NDArray[Any]) -> Batch:
    """Pictures (n, 128, 64, 3) uint8 to -1..1, with their places (n, 64, 32) and kinds (n, 12)."""
    count = len(pictures)
    flip = rng.random(count) < 0.5
    pictures, places = pictures.copy(), places.copy()
    pictures[flip], places[flip] = pictures[flip, :, ::-1], places[flip, :, ::-1]
    for k in np.nonzero(rng.random(count) < 0.6)[0]:
        pictures[k], places[k] = _slimmed(float(rng.uniform(0.78, 1.05)), pictures[k], places[k])
    x = pictures.astype(np.float32) * np.float32(1 / 255)
    seen = pictures.max(axis=3, keepdims=True) > 0
    n = (count, 1, 1, 1)
    _dye(rng, x, places)
    grey = x.mean(axis=3, keepdims=True)
    x = grey + (x - grey) * rng.uniform(0.35, 1.1, n).astype(np.float32)
    tint = (rng.uniform(0.85, 1.3, n) * rng.uniform(0.92, 1.08, (count, 1, 1, 3))).astype(np.float32)
    x = x * (1 + rng.uniform(-0.35, 0.35, n).astype(np.float32) * (1 - x)) * tint
    for row in range(count):
        if rng.random() < 0.85:
            x[row] = _textured(rng, x[row], seen[row])
        if rng.random() < 0.8:
            _tighten(rng, seen[row], places[row])
    return np.clip(x, 0.004, 1) * seen * 2 - 1, places, kinds


def _slimmed(scale: float, picture: Bytes, places: Bytes) -> tuple[Bytes, Bytes]:
    """Narrower or wider about the middle; what comes in at the sides is unseen."""
    found = []
    for one, flags, fill in ((picture, cv2.INTER_LINEAR, 0), (places, cv2.INTER_NEAREST, _UNSEEN)):
        rows, columns = one.shape[:2]
        shift = np.array([[scale, 0, (1 - scale) * (columns - 1) / 2], [0, 1, 0]], np.float32)
        found.append(cv2.warpAffine(one, shift, (columns, rows), flags=flags, borderValue=(fill,) * 3))
    return found[0].astype(np.uint8), found[1].astype(np.uint8)


def _dye(rng: Random, x: Floats, places: Bytes) -> None:
    """Give one garment, or what is behind, of every third picture another brightness or hue."""
    for k in np.nonzero(rng.random(len(x)) < 0.35)[0]:
        which = _DYED[int(rng.integers(len(_DYED)))]
        mask = np.repeat(np.repeat(places[k] == which, STEP, axis=0), STEP, axis=1)
        gain = rng.uniform(0.45, 1.6) * rng.uniform(0.7, 1.3, 3)
        x[k][mask] *= gain.astype(np.float32)


def _textured(rng: Random, x: Floats, seen: npt.NDArray[np.bool_]) -> Floats:
    """Weave, creases and grain of two sizes, then the sharpening of a camera (unsharp mask within what is seen)."""
    rows, columns = x.shape[:2]
    fine = rng.standard_normal((rows, columns)).astype(np.float32) * np.float32(rng.uniform(0, 0.02))
    cells = (int(rng.integers(14, 40)), int(rng.integers(24, 80)))
    coarse = rng.standard_normal((cells[1], cells[0])).astype(np.float32) * np.float32(rng.uniform(0, 0.08))
    grain = fine + cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR)
    x = x * (1 + grain[..., np.newaxis]) + grain[..., np.newaxis] * np.float32(0.05)
    inside = seen.astype(np.float32)
    near = cv2.blur(x * inside, (3, 3)) / np.maximum(cv2.blur(inside[..., 0], (3, 3))[..., np.newaxis], 0.1)
    return (x + np.float32(rng.uniform(0.2, 1.5)) * (x - near)).astype(np.float32)


def _tighten(rng: Random, seen: npt.NDArray[np.bool_], places: Bytes) -> None:
    """A box as tight as a detector's: nothing is seen far beside or below the person."""
    person = (places > 0) & (places != _UNSEEN)
    columns, rows = np.nonzero(person.any(axis=0))[0], np.nonzero(person.any(axis=1))[0]
    if len(columns) < 2:
        return
    left, right, bottom = (STEP * int(edge) for edge in (columns[0], columns[-1] + 1, rows[-1] + 1))
    left, right, bottom = (int(side) for side in (left, seen.shape[1] - right, bottom))
    left = max(0, left - int(rng.integers(-2, 9)))
    right = max(0, right - int(rng.integers(-2, 9)))
    seen[:, :left] = False
    seen[:, seen.shape[1] - right :] = False
    seen[bottom + int(rng.integers(0, 12)) :] = False
    places[:, : left // STEP] = _UNSEEN
    places[:, places.shape[1] - right // STEP :] = _UNSEEN
