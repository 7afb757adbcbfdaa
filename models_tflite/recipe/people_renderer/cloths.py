"""The cloth that garments are cut from: procedural fabrics, and the middles of CC0 photos of real garments.

Law: no cloth comes from a photo of a person.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from fabrics.cloth import cloth
from fabrics.drape import drape
from fabrics.fields import dye

Random = np.random.Generator
Floats = npt.NDArray[np.float32]

SIDE: Final = 96
_KINDS: Final = ("plain", "striped", "checked", "figured")
_KIND_SHARES: Final = (0.62, 0.14, 0.1, 0.14)
_PARTS: Final = {  # share of the photo that is cloth nearly always: left, top, right, bottom
    "T-Shirt": (0.33, 0.3, 0.67, 0.75),
    "Longsleeve": (0.36, 0.3, 0.64, 0.72),
    "Shirt": (0.36, 0.3, 0.64, 0.75),
    "Polo": (0.35, 0.3, 0.65, 0.75),
    "Hoodie": (0.36, 0.35, 0.64, 0.72),
    "Outwear": (0.35, 0.3, 0.65, 0.75),
    "Blazer": (0.35, 0.3, 0.65, 0.75),
    "Dress": (0.36, 0.25, 0.64, 0.75),
    "Skirt": (0.33, 0.3, 0.67, 0.72),
    "Pants": (0.38, 0.22, 0.62, 0.4),
    "Shorts": (0.33, 0.3, 0.67, 0.5),
}
_OUTER: Final = ("Outwear", "Blazer")


class Wardrobe:
    """A pool of cloth (96, 96, 3) float 0..255: ``any_cloth`` and ``outer_cloth`` draw from it."""

    def __init__(
        self, rng: Random, clothing: Path | None, *, procedural: int = 260, photos: int = 1400
    ) -> None:
        self._made = [_made(rng) for _ in range(procedural)]
        self._worn: list[Floats] = []
        self._outer: list[Floats] = []
        if clothing is not None:
            self._read(rng, clothing, photos)

    def _read(self, rng: Random, clothing: Path, photos: int) -> None:
        with (clothing / "images.csv").open(encoding="utf-8") as lines:
            rows = [row for row in csv.DictReader(lines) if row["kind"] in _PARTS]
        for number in rng.permutation(len(rows))[:photos]:
            row = rows[number]
            stored = cv2.imread(str(clothing / "images" / f"{row['image']}.jpg"), cv2.IMREAD_COLOR)
            if stored is None:
                continue
            height, width = stored.shape[:2]
            left, top, right, bottom = _PARTS[row["kind"]]
            part = stored[
                int(top * height) : int(bottom * height), int(left * width) : int(right * width), ::-1
            ]
            piece = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
            (self._outer if row["kind"] in _OUTER else self._worn).append(piece)

    def any_cloth(self, rng: Random) -> Floats:
        """Cloth for anything."""
        return self._drawn(rng, self._worn)

    def outer_cloth(self, rng: Random) -> Floats:
        """Cloth for coats and jackets."""
        return self._drawn(rng, self._outer)

    def _drawn(self, rng: Random, photos: list[Floats]) -> Floats:
        fate = rng.random()
        if fate < 0.36:  # one colour, as most of the street: dark more often than not
            return _plain(rng)
        pool = photos if photos and fate < 0.72 else self._made
        piece = pool[int(rng.integers(len(pool)))]
        if rng.random() < 0.35:  # the same cloth, dyed
            grey = piece.mean(axis=2, keepdims=True)
            piece = grey / max(20.0, float(grey.mean())) * _plain(rng)[0, 0]
        if rng.random() < 0.5:
            piece = piece[:, ::-1]
        return np.clip(piece * np.float32(rng.uniform(0.85, 1.12)), 2, 255).astype(np.float32)


def _plain(rng: Random) -> Floats:
    fate = rng.random()
    if fate < 0.3:
        colour = np.full(3, rng.uniform(8, 60)) + rng.normal(0, 5, 3)
    elif fate < 0.42:
        colour = np.full(3, rng.uniform(190, 250)) + rng.normal(0, 5, 3)
    elif fate < 0.52:
        colour = np.full(3, rng.uniform(70, 180)) + rng.normal(0, 6, 3)
    elif fate < 0.64:  # denim and navy
        colour = np.array([0.5, 0.68, 1.0]) * rng.uniform(40, 190) + rng.normal(0, 6, 3)
    elif fate < 0.74:  # beige and brown, near some skin tones on purpose
        colour = np.array([1.0, 0.82, 0.64]) * rng.uniform(60, 240) + rng.normal(0, 8, 3)
    else:
        colour = np.asarray(dye(rng), np.float64) * 255
    return np.broadcast_to(np.clip(colour, 3, 252).astype(np.float32), (SIDE, SIDE, 3)).copy()


def _made(rng: Random) -> Floats:
    kind = str(rng.choice(_KINDS, p=_KIND_SHARES))
    piece = np.clip(drape(rng, cloth(rng, kind)), 0, 1) * 255
    return cv2.resize(piece, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
