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
        self.shadow = float(rng.uniform(0.0, 0.5))

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

    def placed(self, outline: Shape, left: float, top: float, right: float, bottom: float) -> Shape:
        """An outline stretched to a box given in torso lengths."""
        (x0, y0), (x1, y1) = np.round(self.at([(left, top), (right, bottom)])).astype(int)
        size = (max(2, int(x1 - x0)), max(2, int(y1 - y0)))
        stretched = cv2.resize(outline, size, interpolation=cv2.INTER_AREA)
        shift = np.array([[1, 0, x0], [0, 1, y0]], np.float32)
        return cv2.warpAffine(stretched, shift, (COLUMNS, ROWS)).astype(np.uint8)

    def bent(self) -> None:
        """Bend picture and labels together a little: no outline of a person is straight."""
        rng, size = self.rng, (COLUMNS, ROWS)
        rows, columns = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
        for cells, reach in (((4, 6), 2.2), ((13, 18), 1.3)):
            noise = (
                rng.standard_normal((2, cells[1], cells[0])).astype(np.float32) * rng.uniform(0.3, 1) * reach
            )
            columns += cv2.resize(noise[0], size, interpolation=cv2.INTER_CUBIC)
            rows += cv2.resize(noise[1], size, interpolation=cv2.INTER_CUBIC)
        bent = cv2.remap(self.pixels, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        self.pixels = np.asarray(bent, np.float32)
        self.labels = cv2.remap(self.labels, columns, rows, cv2.INTER_NEAREST).astype(np.uint8)

    def paint(
        self, shape: Shape, cloth: Floats, label: int, *, folds: float = 0.0, depth: float = 0.3
    ) -> None:
        """Lay cloth (any size, 0..255) or a colour on a shape, with light, rounding and folds, and label it."""
        left, top, width, height = cv2.boundingRect(shape)
        if not width or not height:
            return
        if self.shadow:
            self._shade_below(shape, (left, top, width, height))
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

    def _shade_below(self, shape: Shape, box: tuple[int, int, int, int]) -> None:
        """What lies on top throws a soft shadow on what is painted already: people, not the street."""
        left, top, width, height = box
        reach = 6
        place = np.s_[
            max(0, top - reach) : min(ROWS, top + height + 2 * reach),
            max(0, left - reach) : min(COLUMNS, left + width + reach),
        ]
        soft = cv2.blur(shape[place], (reach, reach)).astype(np.float32) / np.float32(255)
        soft = np.roll(soft, 2, axis=0) * (self.labels[place] > 0)
        self.pixels[place] *= (1 - np.float32(self.shadow) * soft)[..., np.newaxis]

    def _folds(self, size: tuple[int, int]) -> Floats:
        """Soft ridges, mostly along the body."""
        rng = self.rng
        cells = (max(2, size[0] // int(rng.integers(4, 12))), max(2, size[1] // int(rng.integers(10, 40))))
        shear = np.array([[1, rng.normal(0, 0.25), 0], [0, 1, 0]], np.float32)
        field = self._noise(cells, size)
        field = np.asarray(cv2.warpAffine(field, shear, size, borderMode=cv2.BORDER_REFLECT), np.float32)
        if rng.random() < 0.5:  # creases across, bunched at one end or at a joint
            cells = (max(2, size[0] // int(rng.integers(9, 26))), max(2, size[1] // int(rng.integers(3, 8))))
            place = (
                np.linspace(0, 1, size[1], dtype=np.float32) - np.float32(rng.choice([0.0, 0.5, 1.0]))
            ) / 0.25
            field = field + self._noise(cells, size) * np.exp(-(place**2))[:, np.newaxis]
        return field.astype(np.float32)

    def _noise(self, cells: tuple[int, int], size: tuple[int, int]) -> Floats:
        coarse = self.rng.standard_normal((cells[1], cells[0])).astype(np.float32)
        return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
