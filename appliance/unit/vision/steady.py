"""How the camera itself moves: the shift of a picture against the view that it had, by wind, a lorry or a knock.

Invariants:
    * Pure: pictures in, shifts out; kept are two grey pictures of 160 x 90 points, in memory.
    * Registered against a key picture and not from one picture to the next: errors do not add up.
    * A camera that stands still gives a shift of exactly nothing, whoever walks through its picture: a shift is
      believed only where it explains the picture beside the people, too.

A shift is found by phase correlation (Kuglin and Hines 1975).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from appliance.unit.vision.types import Box, Pixels

_SIZE: Final = (160, 90)
_SURE: Final = 0.20
"""Response of the correlation (share of its energy near the peak) from which on a shift is believed."""
_STILL: Final = 0.35
"""Points of the small picture below which a shift is none."""
_FARTHEST: Final = 0.25
"""Share of the picture that may have left it before another key picture is taken."""
_SETTLED: Final = 5
"""Pictures in a row that must be registered before the loss of the view counts as a jump."""
_SHAKEN: Final = 0.012
"""Share of the picture's width by which a shift must vary within ``_SHAKEN_PICTURES`` to be called a shake."""
_SHAKEN_PICTURES: Final = 30
_QUIET: Final = 2.5
"""Difference (grey steps) below which two pictures show the same view: noise, leaves, a passing cloud."""
_OTHER: Final = 12.0
"""Difference from which on they show another."""
_EXPLAINED: Final = 0.6
"""A shift must take so much of the difference away, where nobody is, to be the camera's."""
_LEAST_FREE: Final = 0.2
"""Share of the picture without people that is needed to tell."""
Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraMotion:
    """What the camera did since the picture before: shifted by (right, down) pixels, or jumped where nobody knows."""

    right: float = 0.0
    down: float = 0.0
    jumped: bool = False

    @property
    def still(self) -> bool:
        """Whether it did nothing."""
        return not (self.right or self.down or self.jumped)


@dataclass(frozen=True, slots=True)
class _View:
    """A small grey picture, where nobody is in it, and where the view was (points from the first one)."""

    grey: Grey
    free: Mask
    at: tuple[float, float]


class Steady:
    """The camera's own motion, picture by picture."""

    def __init__(self) -> None:
        self._key: _View | None = None
        self._before: _View | None = None
        self._settled = 0
        self._lately: deque[tuple[float, float]] = deque(maxlen=_SHAKEN_PICTURES)
        self._window = np.asarray(cv2.createHanningWindow(_SIZE, cv2.CV_32F), np.float32)

    @property
    def shaken(self) -> bool:
        """Whether the view has swayed there and back by a hundredth of its width and more in the last seconds."""
        if len(self._lately) < _SHAKEN_PICTURES:
            return False
        spread = np.std(np.array(self._lately), axis=0)
        return float(spread.max()) > _SHAKEN * _SIZE[0]

    def look(self, pixels: Pixels, people: Sequence[Box] = ()) -> CameraMotion:
        """Take in the next picture (h, w, 3); what the camera did since the one before.

        ``people`` are boxes in it that say nothing of the camera, for they may move by themselves.
        """
        grey, free = _small(pixels), _free(pixels.shape, people)
        key, before = self._key, self._before
        if key is None or before is None:
            self._key = self._before = _View(grey, free, (0.0, 0.0))
            return CameraMotion()
        place = self._place(grey, free, key)
        held = place is not None and _farthest(place, key.at) < _FARTHEST
        if place is None:
            place = self._place(grey, free, before)
        if place is None:
            return self._unknown(_View(grey, free, before.at), before)
        fresh = _View(grey, free, place)
        self._before, self._key = fresh, key if held else fresh
        self._settled += 1
        self._lately.append(place)
        across, down = pixels.shape[1] / _SIZE[0], pixels.shape[0] / _SIZE[1]
        return CameraMotion(right=(place[0] - before.at[0]) * across, down=(place[1] - before.at[1]) * down)

    def _unknown(self, fresh: _View, before: _View) -> CameraMotion:
        """No earlier view fits: another one, where it differs by much; else people who stand before everything."""
        both = fresh.free & before.free
        free = bool(np.count_nonzero(both) >= _LEAST_FREE * both.size)
        other = free and _difference(fresh.grey, before.grey, both) > _OTHER
        jumped, self._settled = other and self._settled >= _SETTLED, 0
        self._before = fresh
        if other:
            self._key = fresh
            self._lately.clear()
        return CameraMotion(jumped=jumped)

    def _place(self, grey: Grey, free: Mask, view: _View) -> tuple[float, float] | None:
        """Where the camera looks, in points of the small picture, by an earlier view; None where it does not fit."""
        both = free & view.free
        if np.count_nonzero(both) < _LEAST_FREE * both.size:
            return None
        unmoved = _difference(grey, view.grey, both)
        if unmoved < _QUIET:
            return view.at
        # Copies: OpenCV multiplies the window into what it is given where no padding is needed.
        (right, down), response = cv2.phaseCorrelate(view.grey.copy(), grey.copy(), self._window)
        if response < _SURE:
            return None
        if max(abs(right), abs(down)) < _STILL:
            return view.at
        # What moved may have been a crowd before a bare wall: the shift must explain the rest of the picture.
        move = np.array([[1, 0, right], [0, 1, down]], np.float32)
        carried = cv2.warpAffine(view.grey, move, _SIZE, borderMode=cv2.BORDER_REPLICATE)
        if _difference(grey, np.asarray(carried, np.float32), both) > _EXPLAINED * unmoved:
            return None
        return view.at[0] + right, view.at[1] + down


def _farthest(place: tuple[float, float], other: tuple[float, float]) -> float:
    """How far two places are from each other, as a share of the picture."""
    return max(abs(place[axis] - other[axis]) / _SIZE[axis] for axis in (0, 1))


def _difference(fresh: Grey, reference: Grey, free: Mask) -> float:
    """Mean difference of two pictures where nobody is, in grey steps of 255; a change of light counts for nothing."""
    rest = (fresh - reference)[free]
    return float(np.abs(rest - rest.mean()).mean())


def _free(shape: tuple[int, ...], people: Sequence[Box]) -> Mask:
    """Where nobody is, in points of the small picture."""
    free = np.ones((_SIZE[1], _SIZE[0]), np.bool_)
    across, down = _SIZE[0] / shape[1], _SIZE[1] / shape[0]
    for box in people:
        left, right = max(0, int(box.left * across) - 1), max(0, int(box.right * across) + 2)
        top, bottom = max(0, int(box.top * down) - 1), max(0, int(box.bottom * down) + 2)
        free[top:bottom, left:right] = False
    return free


def _small(pixels: Pixels) -> Grey:
    """The picture in 160 x 90 points of grey; green stands for grey, every other point of it is enough."""
    green = np.ascontiguousarray(pixels[::2, ::2, 1])
    return np.asarray(cv2.resize(green, _SIZE, interpolation=cv2.INTER_AREA), np.float32)
