"""A picture and its labels, painted together: shaded cloth on shapes given in torso lengths.

Law: every painted pixel gets its label in the same stroke, so that labels cannot drift from the picture.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Random = np.random.Generator
Floats = npt.NDArray[np.float32]
Shape = npt.NDArray[np.uint8]

ROWS, COLUMNS = 256, 192
TORSO = 64.0


class Canvas:
    """``pixels`` (256, 192, 3) float 0..255 and ``labels`` (256, 192); ``origin`` is where the shoulders are."""

    def __init__(self, rng: Random, background: Floats, *, torso: float = TORSO) -> None:
        self.rng = rng
        self.pixels = background.astype(np.float32).copy()
        self.labels = np.zeros((ROWS, COLUMNS), np.uint8)
        self.origin = np.array([COLUMNS / 2, 56.0])
        self.torso = torso
        self.light = rng.uniform(-1, 1, 2) * np.array([1.0, 0.4])
        self.contrast = float(rng.uniform(0.1, 0.6))

    def at(self, points: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Torso lengths as pixels."""
        return (np.asarray(points, np.float64) * self.torso + self.origin).astype(np.float32)

    def blank(self) -> Shape:
        """An empty shape."""
        return np.zeros((ROWS, COLUMNS), np.uint8)

    def polygon(self, points: npt.ArrayLike, shape: Shape | None = None) -> Shape:
        """Fill a polygon given in torso lengths, with soft edges."""
        shape = self.blank() if shape is None else shape
        cv2.fillPoly(shape, [np.round(self.at(points) * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
        return shape

    def limb(
        self,
        start: npt.ArrayLike,
        stop: npt.ArrayLike,
        radii: tuple[float, float],
        shape: Shape | None = None,
    ) -> Shape:
        """Fill a tapered capsule; ``radii`` at both ends, in torso lengths."""
        shape = self.blank() if shape is None else shape
        turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        both = np.concatenate([np.asarray(start) + radii[0] * ring, np.asarray(stop) + radii[1] * ring])
        hull = cv2.convexHull(both.astype(np.float32))[:, 0]
        return self.polygon(hull, shape)

    def paint(
        self, shape: Shape, cloth: Floats, label: int, *, folds: float = 0.0, depth: float = 0.3
    ) -> None:
        """Lay cloth (any size, 0..255) or a colour on a shape, with light, rounding and folds, and label it."""
        left, top, width, height = cv2.boundingRect(shape)
        if not width or not height:
            return
        place = np.s_[top : top + height, left : left + width]
        soft = shape[place].astype(np.float32) / np.float32(255)
        size = (width, height)
        flat = cloth if cloth.ndim == 1 else cv2.resize(cloth, size, interpolation=cv2.INTER_AREA)
        wide = max(3, int(min(width, height) * 0.45) | 1)
        padded = cv2.copyMakeBorder(soft, wide, wide, wide, wide, cv2.BORDER_CONSTANT)
        near = cv2.blur(cv2.blur(padded, (wide, wide)), (wide, wide))
        inner = near[wide:-wide, wide:-wide]
        slope_x = cv2.Sobel(near, cv2.CV_32F, 1, 0, ksize=3)[wide:-wide, wide:-wide]
        slope_y = cv2.Sobel(near, cv2.CV_32F, 0, 1, ksize=3)[wide:-wide, wide:-wide]
        lit = (slope_x * self.light[0] + slope_y * self.light[1]) * wide * self.contrast
        shade = 1 - depth * (1 - inner) + np.clip(lit, -0.45, 0.35)
        if folds > 0:
            shade = shade + self._folds(size) * folds
        coloured = flat * np.clip(shade, 0.15, 1.7)[..., np.newaxis]
        alpha = soft[..., np.newaxis]
        self.pixels[place] = self.pixels[place] * (1 - alpha) + coloured * alpha
        self.labels[place][soft > 0.5] = label

    def _folds(self, size: tuple[int, int]) -> Floats:
        """Soft ridges, mostly along the body."""
        rng = self.rng
        cells = (max(2, size[0] // int(rng.integers(4, 12))), max(2, size[1] // int(rng.integers(10, 40))))
        coarse = rng.standard_normal((cells[1], cells[0])).astype(np.float32)
        shear = np.array([[1, rng.normal(0, 0.25), 0], [0, 1, 0]], np.float32)
        field = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        return cv2.warpAffine(field, shear, size, borderMode=cv2.BORDER_REFLECT)
