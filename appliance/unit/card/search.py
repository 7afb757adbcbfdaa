"""Looks for the card frame by frame: readings are gathered until there are enough for a matrix.

Law: what is gathered is 24 colours of each of eight frames, some two seconds in all, so that a camera that still
settles its white is seen to; a frame without the card starts anew.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import cv2
import numpy as np

from appliance.unit.card.fit import FRAMES, fitted
from appliance.unit.card.patches import Linear, asked
from appliance.unit.card.sight import CardReading, detector, look, picture
from appliance.unit.card.words import CardWord
from appliance.unit.inputs.colour_matrix import CameraMatrix
from appliance.unit.vision.types import Frame

APART: Final = 0.25
"""Least seconds between two readings."""


class Search:
    """The search for one card whose patches truly are ``wanted`` (linear sRGB)."""

    def __init__(self, wanted: dict[str, Linear]) -> None:
        cv2.setNumThreads(1)
        self._wanted = wanted
        self._markers = detector()
        self._readings: deque[CardReading] = deque(maxlen=FRAMES)
        self._read_at = 0.0
        self._said = CardWord.FOUND

    def warm_up(self) -> None:
        """Run every part once on a drawn card, so that nothing is loaded or started later inside the seal."""
        drawn = np.ascontiguousarray(picture() // 2 + 20, np.uint8)
        seen = look(drawn, self._markers)
        if isinstance(seen, CardReading):
            fitted([seen] * FRAMES, asked())

    def step(self, frame: Frame) -> CardWord | CameraMatrix:
        """Take in one frame: the matrix, or how the search stands."""
        seen = look(frame.pixels, self._markers)
        if isinstance(seen, CardWord):
            self._readings.clear()
            return seen
        if self._readings and frame.at < self._read_at + APART:
            return self._said
        self._read_at = frame.at
        self._readings.append(seen)
        if len(self._readings) < FRAMES:
            self._said = CardWord.FOUND
            return self._said
        found = fitted(self._readings, self._wanted)
        if isinstance(found, CardWord):
            self._said = found
        return found
