"""The cloth that garments are cut from: procedural fabrics, parts of CC0 photos of real garments, whole ones.

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

from people_renderer.wholes import Legs, Whole, legs, whole

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
_FRONT: Final = (0.29, 0.13, 0.71, 0.92)
"""A whole front: collar, buttons, lapels, hem and all."""
_OUTER: Final = ("Outwear", "Blazer")
_WHOLE: Final = {"Skirt": 155, "Dress": 260, "Pants": 260, "Shorts": 170}


class Wardrobe:
    """A pool of cloth (96, 96, 3) float 0..255: ``any_cloth`` and ``outer_cloth`` draw from it."""

    def __init__(
        self, rng: Random, clothing: Path | None, *, procedural: int = 260, photos: int = 1400
    ) -> None:
        self._made = [_made(rng) for _ in range(procedural)]
        self._worn: list[Floats] = []
        self._outer: list[Floats] = []
        self._wholes: dict[str, list[Whole]] = {"Skirt": [], "Dress": []}
        self._legs: dict[str, list[Legs]] = {"Pants": [], "Shorts": []}
        if clothing is not None:
            self._read(rng, clothing, photos)

    def _read(self, rng: Random, clothing: Path, photos: int) -> None:
        with (clothing / "images.csv").open(encoding="utf-8") as lines:
            rows = [row for row in csv.DictReader(lines) if row["kind"] in _PARTS]
        left_of = dict(_WHOLE)
        for number, row in enumerate(rows[k] for k in rng.permutation(len(rows))):
            kind = row["kind"]
            if number >= photos and left_of.get(kind, 0) <= 0:
                continue
            stored = cv2.imread(str(clothing / "images" / f"{row['image']}.jpg"), cv2.IMREAD_COLOR)
            if stored is None:
                continue
            photo = np.ascontiguousarray(stored[..., ::-1]).astype(np.uint8)
            if number < photos:
                front = kind not in _WHOLE and rng.random() < 0.5
                part = _part(photo, _FRONT if front else _PARTS[kind])
                (self._outer if kind in _OUTER else self._worn).append(part)
            if left_of.get(kind, 0) > 0:
                left_of[kind] -= 1
                self._keep(kind, photo)

    def _keep(self, kind: str, photo: npt.NDArray[np.uint8]) -> None:
        cut = whole(photo, solid=kind != "Pants")
        if cut is None:
            return
        if kind in self._wholes:
            self._wholes[kind].append(cut)
        elif (pair := legs(cut)) is not None:
            self._legs[kind].append(pair)

    def whole(self, rng: Random, kind: str) -> Whole | None:
        """A whole "Skirt" or "Dress", perhaps dyed; None without photos."""
        pool = self._wholes[kind]
        if not pool:
            return None
        one = pool[int(rng.integers(len(pool)))]
        dyed = _dyed(rng, one.pixels)[0]
        return Whole(dyed[:, ::-1], one.outline[:, ::-1]) if rng.random() < 0.5 else Whole(dyed, one.outline)

    def legs(self, rng: Random, kind: str) -> Legs | None:
        """The cloth of "Pants" or "Shorts", perhaps dyed; None without photos."""
        pool = self._legs[kind]
        if not pool:
            return None
        one = pool[int(rng.integers(len(pool)))]
        hips, left, right = _dyed(rng, one.hips, one.left, one.right)
        return Legs(hips, left, right)

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
        if rng.random() < 0.5:
            piece = piece[:, ::-1]
        return _dyed(rng, piece)[0]


def _part(photo: npt.NDArray[np.uint8], shares: tuple[float, float, float, float]) -> Floats:
    height, width = photo.shape[:2]
    left, top, right, bottom = shares
    part = photo[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)


def _dyed(rng: Random, *pieces: Floats) -> list[Floats]:
    """The same cloth in another light, and now and then in another colour, blended so that its print lives on."""
    if rng.random() < 0.4:
        middle = max(20.0, float(np.median(pieces[0])))
        colour = _plain(rng)[0, 0]
        pieces = tuple(piece.mean(axis=2, keepdims=True) / middle * colour for piece in pieces)
    light = np.float32(rng.uniform(0.75, 1.15))
    return [np.clip(piece * light, 2, 255).astype(np.float32) for piece in pieces]


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
