"""Changes rendered samples as they are fed: mirrored, other light, other cloth, unseen sides. Black stays black."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.unit.garments import PLACES, STEP

Random = np.random.Generator
Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8], npt.NDArray[Any]]
_DYED = [PLACES.index(name) for name in ("background", "upper", "outer", "lower", "feet", "bag")]


def batch_of(
    rng: Random, pictures: npt.NDArray[np.uint8], places: npt.NDArray[np.uint8], kinds: npt.NDArray[Any]
) -> Batch:
    """Pictures (n, 128, 64, 3) uint8 to -1..1, with their places (n, 64, 32) and kinds (n, 12)."""
    count = len(pictures)
    x = pictures.astype(np.float32) * np.float32(1 / 255)
    flip = rng.random(count) < 0.5
    x[flip], places = x[flip, :, ::-1], places.copy()
    places[flip] = places[flip, :, ::-1]
    n = (count, 1, 1, 1)
    tint = (rng.uniform(0.8, 1.25, n) * rng.uniform(0.9, 1.1, (count, 1, 1, 3))).astype(np.float32)
    # A square root or a square now and then is as good as any gamma, and ten times cheaper.
    bend = rng.uniform(-0.35, 0.35, n).astype(np.float32)
    x = x * (1 + bend * (1 - x)) * tint
    _dye(rng, x, places)
    grain = rng.standard_normal((count, *x.shape[1:3], 1), np.float32)
    x = x + (x > 0) * grain * rng.uniform(0, 0.03, n).astype(np.float32)
    for k in np.nonzero(rng.random(count) < 0.3)[0]:  # unseen sides: boxes are narrow or wide
        x[k, :, : int(rng.integers(0, 9))] = 0
        x[k, :, 64 - int(rng.integers(0, 9)) :] = 0
    return np.clip(x, 0, 1) * 2 - 1, places, kinds


def _dye(rng: Random, x: npt.NDArray[np.float32], places: npt.NDArray[np.uint8]) -> None:
    """Give one garment, or what is behind, of every third picture another brightness or hue."""
    for k in np.nonzero(rng.random(len(x)) < 0.35)[0]:
        which = _DYED[int(rng.integers(len(_DYED)))]
        mask = np.repeat(np.repeat(places[k] == which, STEP, axis=0), STEP, axis=1)
        gain = rng.uniform(0.45, 1.6) * rng.uniform(0.7, 1.3, 3)
        x[k][mask] *= gain.astype(np.float32)
