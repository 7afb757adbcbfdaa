"""What lives and dies inside SENSE: frames, detections, poses, tracks, what a glance at a garment read.

Invariants:
    * Nothing here has an encoder, and nothing here is imported outside the pixel modules of the unit.
    * Coordinates are in frame pixels, x to the right, y down; time is monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Final, NewType

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An image: (height, width, 3) uint8, RGB, sRGB transfer."""

TrackId = NewType("TrackId", int)
"""Counter of tracks in this process. It never crosses the pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture in memory: ``pixels`` (height, width, 3) uint8 RGB, taken at ``at`` monotonic seconds."""

    pixels: Pixels
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An axis-parallel box in frame pixels; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels across; may be negative for a box that is none."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels down."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A person found in one frame; ``score`` in [0, 1]."""

    box: Box
    score: float


@unique
class Joint(IntEnum):
    """The seventeen keypoints in COCO order. Those of the head serve to blank it, and for nothing else."""

    NOSE = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    LEFT_EAR = 3
    RIGHT_EAR = 4
    LEFT_SHOULDER = 5
    RIGHT_SHOULDER = 6
    LEFT_ELBOW = 7
    RIGHT_ELBOW = 8
    LEFT_WRIST = 9
    RIGHT_WRIST = 10
    LEFT_HIP = 11
    RIGHT_HIP = 12
    LEFT_KNEE = 13
    RIGHT_KNEE = 14
    LEFT_ANKLE = 15
    RIGHT_ANKLE = 16


JOINTS: Final = len(Joint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keypoint:
    """One joint: place in frame pixels and score in [0, 1]."""

    x: float
    y: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """The joints of the person in ``box``: one keypoint per ``Joint``, in its order."""

    box: Box
    keypoints: tuple[Keypoint, ...]

    def __getitem__(self, joint: Joint) -> Keypoint:
        return self.keypoints[joint]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeReading:
    """What one glance at one attribute says: a likelihood per level (without ``unknown``), up to a factor.

    ``attribute`` is its position in the vocabulary; ``likelihood`` has one entry per level, each >= 0, at least
    one > 0; equal entries say nothing.
    """

    attribute: int
    likelihood: tuple[float, ...]
