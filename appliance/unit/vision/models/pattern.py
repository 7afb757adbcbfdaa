"""What a piece of worn cloth is patterned with: plain, striped, checked or figured, as likelihoods.

Invariants:
    * Only pixels under the mask are seen: whatever lies outside it (and a blanked head) changes nothing.
    * The network sees cloth at a fixed number of texels per body: the distance of the camera is no input.
    * Too little cloth gives None, not a guess.

The one number beside the network, contrast, is untrained; both are weighed as training data said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.base.errors import Unfit
from appliance.unit.vision.models.runtime import Model
from appliance.unit.vision.types import Pixels

Mask = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE: Final = 96
"""Side of the network's square input, in texels."""
BODY: Final = 256
"""Texels a standing person is high after scaling: a texel is about 7 mm of cloth."""
KINDS: Final = ("plain", "striped", "checked", "figured")
"""Order of the network's outputs."""
FEWEST_PIXELS: Final = 120
TRAINED_SHARES: Final = np.array([0.40, 0.20, 0.20, 0.20])
"""Shares of the kinds in training: divided out of what the network says."""
TEMPERATURE: Final = 1.05
NETWORK_WEIGHT: Final = 0.801
CONTRAST_WEIGHT: Final = 2.0
OFFSET: Final = -1.602
"""Fitted on generated windows and held-out CC0 photos by recipe/pattern/fit.py; but contrast counts 2.0, not 1.355,
which finds .01 more patterned garments on the validation photos of odd number."""
STRETCH: Final = 1.673
SHIFT: Final = -0.308
"""Make the log odds honest on photos of people: two numbers, from the validation photos of odd number."""
_KIND_SHARES: Final = np.array([0.25, 0.15, 0.60])
"""Striped, checked and figured among patterned cloth."""
_FEWEST_INNER: Final = 60
_BAND: Final = (((5, 5), 0.8), ((11, 11), 2.0))
"""Blurs between which contrast is taken: sides and sigmas of two Gaussians, in texels."""
_SPREAD: Final = 15
"""Side of the box that spreads the cloth's colour beyond the mask, in texels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternWindow:
    """A square of cloth: ``pixels`` (96, 96, 3) uint8 RGB and ``mask`` (96, 96) uint8, 255 where cloth is seen."""

    pixels: Pixels
    mask: Mask


def window(pixels: Pixels, mask: Mask, height: float) -> PatternWindow | None:
    """Cut the square that holds most of the masked cloth, scaled so that the person would be 256 texels high.

    ``pixels`` (h, w, 3) uint8 RGB and ``mask`` (h, w) uint8 are a person's crop; ``height`` is the person's height in
    the pixels of that crop. None where fewer than 120 pixels are masked.
    """
    if not height > 0 or cv2.countNonZero(mask) < FEWEST_PIXELS:
        return None
    left, top, across, down = cv2.boundingRect(mask)
    scale = BODY / height
    patch, seen = pixels[top : top + down, left : left + across], mask[top : top + down, left : left + across]
    # The law: nothing outside the mask is even resampled. The middle colour stands there, so that no edge rings.
    middle = _middle(patch, seen).astype(np.uint8)
    patch = np.where(seen[..., np.newaxis] > 0, patch, middle)
    size = (max(1, round(across * scale)), max(1, round(down * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    grown = cv2.resize(patch, size, interpolation=how)
    whole = np.where(cv2.resize(seen, size, interpolation=cv2.INTER_AREA) >= 250, 255, 0).astype(np.uint8)
    pad = (max(0, SIDE - size[1]), max(0, SIDE - size[0]))
    edges = (pad[0] // 2, pad[0] - pad[0] // 2, pad[1] // 2, pad[1] - pad[1] // 2)
    cloth = np.asarray(cv2.copyMakeBorder(grown, *edges, cv2.BORDER_CONSTANT), np.uint8)
    clear = np.asarray(cv2.copyMakeBorder(whole, *edges, cv2.BORDER_CONSTANT), np.uint8)
    row, column = _fullest(clear)
    cut = np.s_[row : row + SIDE, column : column + SIDE]
    if not clear[cut].any():
        return None
    return PatternWindow(pixels=np.ascontiguousarray(cloth[cut]), mask=np.ascontiguousarray(clear[cut]))


def _middle(image: NDArray[np.uint8] | Floats, seen: Mask) -> Floats:
    """Median of each channel over at most some 500 masked pixels, evenly spread."""
    places = np.flatnonzero(seen)
    chosen = image.reshape(-1, 3)[places[:: max(1, len(places) // 400)]]
    return np.asarray(np.median(chosen, axis=0), np.float32)


def _fullest(seen: Mask) -> tuple[int, int]:
    """Row and column of the 96 x 96 square with most seen texels; of several, the one nearest the middle."""
    total = cv2.integral((seen > 0).astype(np.uint8))
    held = total[SIDE:, SIDE:] - total[:-SIDE, SIDE:] - total[SIDE:, :-SIDE] + total[:-SIDE, :-SIDE]
    rows, columns = np.nonzero(held >= held.max())
    off = np.hypot(rows - (held.shape[0] - 1) / 2, columns - (held.shape[1] - 1) / 2)
    best = int(off.argmin())
    return int(rows[best]), int(columns[best])


def _lab(cloth: PatternWindow) -> Floats:
    real = cloth.pixels.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(real, cv2.COLOR_RGB2Lab), np.float32)


def _shade_and_dye(middle: Floats) -> Floats:
    """The 3 x 3 matrix that splits a CIELAB difference from cloth of the ``middle`` colour into shade and dye.

    L* + 16, a* and b* are all proportional to the cube root of the light (CIE 15, 8.2.1): cloth in more or less
    light moves along one ray from (-16, 0, 0). The least rotation that lays that ray on the first axis leaves
    differences of dye on the other two, and shade on grey, navy and scarlet cloth alike: the first axis is scaled
    back to L*.
    """
    ray = middle + np.array([16, 0, 0], np.float32)
    first, second, third = (ray / np.linalg.norm(ray)).tolist()
    inner = 1 / (1 + first)
    return np.array(
        [
            [first * first, first * second, first * third],
            [-second, 1 - second * second * inner, -second * third * inner],
            [-third, -second * third * inner, 1 - third * third * inner],
        ],
        np.float32,
    )


def _split(cloth: PatternWindow) -> Floats:
    """(96, 96, 3) differences from the cloth's middle colour: shade, and two of dye; 0 outside the mask."""
    lab = _lab(cloth)
    middle = _middle(lab, cloth.mask)
    turn = _shade_and_dye(middle)
    apart = cv2.transform(lab, np.column_stack([turn, -turn @ middle]))
    return np.asarray(cv2.copyTo(apart, cloth.mask), np.float32)


def shown(cloth: PatternWindow) -> Pixels:
    """What the network is fed: (96, 96, 3) uint8 RGB, the cloth's colour continued smoothly beyond the mask.

    So the outline of a garment is no edge.
    """
    middle = _middle(cloth.pixels, cloth.mask)
    weight = (cloth.mask > 0).astype(np.float32)
    apart = np.asarray(cv2.copyTo(cloth.pixels.astype(np.float32) - middle, cloth.mask), np.float32)
    box = (_SPREAD, _SPREAD)
    near = cv2.blur(cv2.blur(apart, box), box)
    share = cv2.blur(cv2.blur(weight, box), box)
    apart += near * ((1 - weight) / np.maximum(share, np.float32(0.02)))[..., np.newaxis]
    raw: Pixels = np.clip(apart + middle, 0, 255).astype(np.uint8)
    return raw


def contrast(cloth: PatternWindow) -> float:
    """Mean length of the split CIELAB difference between a blur of 0.8 and one of 2 texels, inside the mask's edge.

    That band is where prints are and folds are not. Taken in texels of the body instead of pixels of the camera it
    finds nearly as much at 100 pixels' height as at 300.
    """
    split, mask = _split(cloth), cloth.mask
    inside = cv2.erode(mask, np.ones((5, 5), np.uint8))
    if cv2.countNonZero(inside) < _FEWEST_INNER:
        inside = mask
    weight = (mask > 0).astype(np.float32)
    fine, coarse = (
        cv2.divide(
            cv2.GaussianBlur(split, size, sigma), cv2.merge([cv2.GaussianBlur(weight, size, sigma)] * 3)
        )
        for size, sigma in _BAND
    )
    band = cv2.subtract(fine, coarse)
    length = cv2.sqrt(cv2.transform(cv2.multiply(band, band), np.ones((1, 3), np.float32)))
    return float(cv2.mean(length, inside)[0])


def views(picture: Pixels) -> tuple[Pixels, ...]:
    """The picture as it is, upside down, and turned about and moved by half a step of the network's first layer.

    No pattern changes its kind by that, and the errors differ.
    """
    return picture, picture[::-1], np.roll(picture[::-1, ::-1], 2, (0, 1))


class Patterns:
    """The pattern network: keeps its input buffer, so one per thread."""

    def __init__(self, model: Model) -> None:
        wanted = ((1, SIDE, SIDE, 3), (1, len(KINDS)))
        found = (model.card.input.shape, model.card.outputs[0].shape)
        if found != wanted:
            what = f"takes and gives {found}, not {wanted}"
            raise Unfit(what, where=str(model.card.path), fix="rebuild with `make models`")
        self.model = model
        self._output = model.card.outputs[0]
        self._seen = np.zeros(model.card.input.shape, np.uint8)

    def logits(self, picture: Pixels) -> Floats:
        """The mean of four logits over the views of what ``shown`` gave, in the order of ``KINDS``."""
        votes = [self._vote(view) for view in views(picture)]
        logits: Floats = np.mean(votes, axis=0, dtype=np.float32)
        return logits

    def _vote(self, view: Pixels) -> Floats:
        self._seen[0] = view
        (raw,) = self.model.invoke(self._seen)
        vote: Floats = (raw[0].astype(np.float32) - self._output.zero) * np.float32(self._output.scale)
        return vote

    def read(self, pixels: Pixels, mask: Mask, height: float) -> tuple[float, ...] | None:
        """Return a likelihood per level of the vocabulary's patterns, or None where too little cloth is seen.

        Arguments as of ``window``: a headless person's crop, the region's mask, the person's height in its pixels.
        """
        cloth = window(pixels, mask, height)
        if cloth is None:
            return None
        return likelihoods(self.logits(shown(cloth)), contrast(cloth))


def patterned_odds(logits: Floats, rough: float) -> float:
    """Log likelihood ratio of patterned against plain, from the four logits and the contrast together."""
    kinds = float(np.logaddexp.reduce(logits[1:]) - logits[0])
    raw = NETWORK_WEIGHT * kinds + CONTRAST_WEIGHT * math.log(max(rough, 0.05)) + OFFSET
    return STRETCH * raw + SHIFT


def likelihoods(logits: Floats, rough: float) -> tuple[float, ...]:
    """Turn four logits and the contrast into likelihoods of plain, patterned, striped, checked and figured.

    The highest is 1. Which kind it is, if any, is the network's word alone, at its temperature and over the shares it
    was trained with. Patterned, of a kind not told, is the mixture of its kinds in the shares streets have them.
    """
    kinds = logits[1:].astype(np.float64) / TEMPERATURE
    each = np.exp(kinds - kinds.max())
    each = each / (each @ _KIND_SHARES) * math.exp(max(-20.0, min(20.0, patterned_odds(logits, rough))))
    levels = [1.0, float(each @ _KIND_SHARES), *(float(value) for value in each)]
    highest = max(levels)
    return tuple(value / highest for value in levels)
