"""Whole garments cut out of the CC0 photos: skirts and dresses with their outlines, trousers as straightened legs.

Law: photos of garments laid flat or hung; never of a person.
Source of the cut: GrabCut (Rother, Kolmogorov and Blake 2004), begun from an ellipse; doubtful outlines are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Shape = npt.NDArray[np.uint8]
_SIDE: Final = 128
_MARGIN: Final = 3
_CUT: Final = 96


@dataclass(frozen=True, slots=True)
class Whole:
    """A garment within its bounding box: ``pixels`` (h, w, 3) float 0..255 RGB, ``outline`` (h, w) 0 or 255."""

    pixels: Floats
    outline: Shape

    def across(self, share: float) -> float:
        """Width at a share of its height, as a share of its widest."""
        row = int(np.clip(share, 0, 1) * (len(self.outline) - 1))
        return max(0.2, float((self.outline[row] > 0).mean()))


@dataclass(frozen=True, slots=True)
class Legs:
    """Trousers or shorts: cloth of the hips and of either leg, each stretched to a rectangle."""

    hips: Floats
    left: Floats
    right: Floats


def whole(photo: npt.NDArray[np.uint8], *, solid: bool) -> Whole | None:
    """Cut the garment out of an RGB photo; None where the outline is doubtful. ``solid``: no gap in its middle."""
    scale = _SIDE / max(photo.shape[:2])
    size = (max(16, int(photo.shape[1] * scale)), max(16, int(photo.shape[0] * scale)))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    width, height = size
    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    middle, axes = (width // 2, height // 2), (int(width * 0.42), int(height * 0.46))
    cv2.ellipse(mask, middle, axes, 0, 0, 360, (cv2.GC_PR_FGD,), -1)
    edge = np.ones((height, width), bool)
    edge[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = False
    mask[edge] = cv2.GC_BGD
    core = np.s_[int(height * 0.3) : int(height * 0.6), int(width * 0.44) : int(width * 0.56)]
    mask[core] = cv2.GC_FGD if solid else cv2.GC_PR_FGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(small), mask, (0, 0, 0, 0), *models, 2, cv2.GC_INIT_WITH_MASK)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    outlines, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    largest = max(outlines, key=cv2.contourArea)
    left, top, w, h = cv2.boundingRect(largest)
    area, around = cv2.contourArea(largest), cv2.arcLength(largest, closed=True)
    touching = found[edge].sum() + (found[_MARGIN] + found[-_MARGIN - 1]).sum()
    clear = 0.12 < area / (width * height) < 0.8 and around / (w + h) < 3.4 and touching / (w + h) < 0.12
    if not clear:
        return None
    outline = np.zeros((height, width), np.uint8)
    cv2.drawContours(outline, [largest], -1, (255,), -1)
    outline[found == 0] = 0
    box = np.s_[top : top + h, left : left + w]
    return Whole(small[box].astype(np.float32), outline[box])


def legs(cut: Whole) -> Legs | None:
    """Straighten both legs; None where the garment does not end in two."""
    height, width = cut.outline.shape
    middle = cut.outline[:, int(width * 0.4) : int(width * 0.6)].min(axis=1) == 0
    gaps = np.nonzero(middle[int(height * 0.2) : int(height * 0.9)])[0]
    crotch = int(height * 0.2) + int(gaps[0]) if len(gaps) else int(height * 0.4)
    half = width // 2
    parts = (
        straightened(cut.pixels[:crotch], cut.outline[:crotch]),
        straightened(cut.pixels[crotch:, :half], cut.outline[crotch:, :half]),
        straightened(cut.pixels[crotch:, half:], cut.outline[crotch:, half:]),
    )
    hips, left, right = parts
    return Legs(hips, left, right) if hips is not None and left is not None and right is not None else None


def straightened(pixels: Floats, outline: Shape) -> Floats | None:
    """Each row's cloth stretched to (rows, 96, 3); None with fewer than eight rows of cloth."""
    rows = []
    for line, inside in zip(pixels, outline, strict=True):
        places = np.nonzero(inside)[0]
        if len(places) >= 4:
            run = line[places[0] + 1 : places[-1]][np.newaxis]
            rows.append(cv2.resize(run, (_CUT, 1), interpolation=cv2.INTER_LINEAR)[0])
    return np.stack(rows).astype(np.float32) if len(rows) >= 8 else None
