"""Finds people in a frame: NanoDet-g's picture in, its boxes out.

Invariants:
    * Pure numpy around one `Model.invoke`.
    * The threshold acts on the raw uint8 logits, so that only the few cells that matter are ever decoded.
    * Boxes come back in pixels of the frame that was given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from appliance.base.errors import Unfit
from appliance.unit.vision.models.tiles import WIDEST, columns, merged
from appliance.unit.vision.types import Box, Detection, Frame, Pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from appliance.unit.vision.models.catalogue import ModelFile, TensorSpec
    from appliance.unit.vision.models.runtime import Model

FILL = 114  # the grey around a letterboxed picture
STRIDES = (8, 16, 32)
DEFAULT_SCORE = 0.40
DEFAULT_OVERLAP = 0.60
# The network all but misses people about half as high as its input (140 to 185 of 320 pixels: the handover between
# its strides). Shown at three quarters, the hole lies elsewhere: looking at 1 and 3/4 in turn closes it at no cost.
DEFAULT_ZOOMS = (1.0, 0.75)
_BINS = 11  # a distance is the mean of a distribution over 0..10 strides
_MOST_CANDIDATES = 300
_LINEAR_FROM = 0.5
_SPARSE = 16  # every so-many-th pixel tells whether a picture is dark
_DARK = 72.0  # mean level of a dark picture
_BRIGHT, _LEAST_BRIGHT = (
    235.0,
    8.0,
)  # the level the brightest hundredth is lifted to; what is never taken for light
_SOFT = 0.7  # pixels of the network's picture


def letterbox(picture: npt.NDArray[np.uint8], out: npt.NDArray[np.uint8], *, zoom: float = 1.0) -> float:
    """Shrink or enlarge `picture` into the top left of `out` (both H x W x 3), fill the rest with grey.

    With `zoom` below 1 the picture is shown that much smaller than it would fit.
    Return the scale: a point of the picture times the scale is the point of `out`.
    """
    height, width = out.shape[:2]
    scale: float = min(width / picture.shape[1], height / picture.shape[0]) * zoom
    shown_width = min(width, max(1, round(picture.shape[1] * scale)))
    shown_height = min(height, max(1, round(picture.shape[0] * scale)))
    # Linear interpolation would skip pixels below a half; exact halving first is four times cheaper than averaging.
    halved, left = picture, scale
    while left < _LINEAR_FROM and min(halved.shape[:2]) > 1:
        height, width = halved.shape[0] // 2, halved.shape[1] // 2
        half = cv2.resize(halved[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
        halved = np.asarray(half, np.uint8)
        left *= 2
    shown = out[:shown_height, :shown_width]
    cv2.resize(halved, (shown_width, shown_height), dst=shown, interpolation=cv2.INTER_LINEAR)
    out[shown_height:] = FILL
    out[:shown_height, shown_width:] = FILL
    return scale


def lighten(picture: npt.NDArray[np.uint8]) -> None:
    """Make a dark picture (H x W x 3) bright in place, and soften the noise that grows with it; no other is touched.

    The sample street with a hundredth of its light: recall .53 without, .85 with (models_tflite/people.md).
    """
    if picture[::_SPARSE, ::_SPARSE].mean() >= _DARK:
        return
    bright = max(float(np.percentile(picture[::4, ::4], 99)), _LEAST_BRIGHT)
    table = np.clip(np.arange(256) * (_BRIGHT / bright), 0, 255).astype(np.uint8)
    cv2.GaussianBlur(cv2.LUT(picture, table), (0, 0), _SOFT, dst=picture)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """One stride of the network: where its cells are and how its two outputs are read."""

    stride: int
    columns: int
    first_raw: int  # the lowest raw logit that reaches the wanted score
    score_of_raw: npt.NDArray[np.float32]  # 256 scores
    weight_of_raw: npt.NDArray[np.float32]  # 256 unnormalised softmax weights


class BoxDecoder:
    """Reads the six raw outputs of the network. Pure: the same outputs give the same boxes."""

    def __init__(
        self, card: ModelFile, *, score: float = DEFAULT_SCORE, overlap: float = DEFAULT_OVERLAP
    ) -> None:
        if not 0 < score < 1 or not 0 < overlap < 1:
            raise Unfit(
                f"score {score} or overlap {overlap} is no number between 0 and 1",
                where="people",
                fix="give both above 0 and below 1",
            )
        self._overlap = overlap
        pairs = zip(card.outputs[0::2], card.outputs[1::2], strict=True)
        self._levels = tuple(
            _level(stride, person, distances, card, score)
            for stride, (person, distances) in zip(STRIDES, pairs, strict=True)
        )

    def boxes(
        self, outputs: Sequence[npt.NDArray[np.uint8]]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return n x 4 (left, top, right, bottom) in pixels of the network's input and n scores, best first."""
        corners: list[npt.NDArray[np.float32]] = []
        scores: list[npt.NDArray[np.float32]] = []
        for number, level in enumerate(self._levels):
            logits = outputs[2 * number].reshape(-1)
            cells = np.flatnonzero(logits >= level.first_raw)
            if cells.size:
                scores.append(level.score_of_raw[logits[cells]])
                corners.append(_corners(level, cells, outputs[2 * number + 1].reshape(-1, 4 * _BINS)[cells]))
        if not corners:
            return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        found, sure = np.concatenate(corners), np.concatenate(scores)
        order = np.argsort(-sure, kind="stable")[:_MOST_CANDIDATES]
        found, sure = found[order], sure[order]
        kept = suppress(found, self._overlap)
        return found[kept], sure[kept]


def _level(stride: int, person: TensorSpec, distances: TensorSpec, card: ModelFile, score: float) -> _Level:
    rows, columns = card.input.shape[1] // stride, card.input.shape[2] // stride
    if person.shape != (1, rows, columns, 1) or distances.shape != (1, rows, columns, 4 * _BINS):
        what = f"outputs {person.shape} and {distances.shape} are not those of stride {stride}"
        raise Unfit(what, where=str(card.path), fix="rebuild with `make models`")
    raw = np.arange(256)
    logits = (raw - person.zero) * person.scale
    wanted = math.log(score / (1 - score))
    return _Level(
        stride=stride,
        columns=columns,
        first_raw=math.ceil(wanted / person.scale + person.zero),
        score_of_raw=(1 / (1 + np.exp(-logits))).astype(np.float32),
        weight_of_raw=np.exp((raw - 255) * distances.scale).astype(np.float32),
    )


def _corners(
    level: _Level, cells: npt.NDArray[np.intp], raw: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Integrate each side's distribution (generalised focal loss, Li et al. 2020, section 3.2) and add the cell."""
    weights = level.weight_of_raw[raw].reshape(-1, 4, _BINS)
    sides = weights @ np.arange(_BINS, dtype=np.float32) / weights.sum(axis=2)
    rows, columns = np.divmod(cells, level.columns)
    centres = np.stack([columns + 0.5, rows + 0.5], axis=1).astype(np.float32)
    corners: npt.NDArray[np.float32] = np.concatenate(
        [centres - sides[:, :2], centres + sides[:, 2:]], axis=1
    )
    return corners * np.float32(level.stride)


def suppress(boxes: npt.NDArray[np.float32], overlap: float) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression of n x 4 boxes, best first: indices of those that no better box covers.

    Two boxes are one person when their intersection over union is above `overlap`.
    """
    spans = boxes[:, 2:] - boxes[:, :2]
    areas = spans[:, 0] * spans[:, 1]
    top_left = np.maximum(boxes[:, np.newaxis, :2], boxes[np.newaxis, :, :2])
    bottom_right = np.minimum(boxes[:, np.newaxis, 2:], boxes[np.newaxis, :, 2:])
    shared = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    covers = shared > overlap * (areas[:, np.newaxis] + areas[np.newaxis] - shared)
    alive = np.ones(len(boxes), np.bool_)
    for index in range(len(boxes)):
        if alive[index]:
            covered = covers[index]
            covered[: index + 1] = False
            alive[covered] = False
    return np.flatnonzero(alive)


class People:
    """The detector: keeps its input buffer, so one per thread.

    Frame by frame it goes through `zooms` (shares of the fitting size), so a person of an unlucky size is found in
    every other frame; a tracker has to bridge one missed frame anyway. Frames wider than `widest` pixels are looked
    at in tiles (tiles.py).
    """

    def __init__(
        self,
        model: Model,
        *,
        score: float = DEFAULT_SCORE,
        overlap: float = DEFAULT_OVERLAP,
        zooms: tuple[float, ...] = DEFAULT_ZOOMS,
        widest: int = WIDEST,
    ) -> None:
        if not zooms or not all(0 < zoom <= 1 for zoom in zooms):
            raise Unfit(
                f"zooms {zooms} must lie between 0 and 1", where="people", fix="set 1.0, or 1.0 and 0.75"
            )
        self._zooms = zooms
        self._widest = widest
        _, rows, cells, _ = model.card.input.shape
        self._aspect = cells / rows
        self._looks = 0
        self.model = model
        self._decoder = BoxDecoder(model.card, score=score, overlap=overlap)
        self._shown = np.full(model.card.input.shape, FILL, np.uint8)

    def find(self, frame: Frame) -> tuple[Detection, ...]:
        """Return the people in the frame, surest first, clipped to the frame; a wide one costs a look per tile."""
        zoom = self._zooms[self._looks % len(self._zooms)]
        self._looks += 1
        height, width = frame.pixels.shape[:2]
        edges = columns(width, height, self._aspect, self._widest)
        found = [self._look(frame.pixels[:, left:right], left, zoom) for left, right in edges]
        return found[0] if len(found) == 1 else merged(found, edges, width)

    def shown_height(self, frame: Frame) -> float:
        """Height of the network's picture in pixels of the frame, at the full size."""
        height, width = frame.pixels.shape[:2]
        left, right = columns(width, height, self._aspect, self._widest)[0]
        return max((right - left) / self._aspect, float(height))

    def _look(self, pixels: Pixels, left: int, zoom: float) -> tuple[Detection, ...]:
        """Who is in one tile that begins at column ``left``, in pixels of the whole picture."""
        scale = letterbox(pixels, self._shown[0], zoom=zoom)
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        lighten(self._shown[0, :height, :width])
        boxes, scores = self._decoder.boxes(self.model.invoke(self._shown))
        limits = np.array([pixels.shape[1], pixels.shape[0]] * 2, np.float32)
        placed = np.clip(boxes / np.float32(scale), 0, limits) + np.array([left, 0, left, 0], np.float32)
        return tuple(
            Detection(box=Box(left=start, top=top, right=right, bottom=bottom), score=score)
            for (start, top, right, bottom), score in zip(placed.tolist(), scores.tolist(), strict=True)
            if right > start and bottom > top
        )
