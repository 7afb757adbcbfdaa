"""Finds the 17 joints of one detected person: MoveNet Lightning on a square crop.

Invariants:
    * Pure numpy around one `Model.invoke`.
    * A pose that does not belong to the box it was sought in is no pose (the network jumps to neighbours in a crowd).
    * Joints of the head exist only so that the head can be blanked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from appliance.base.errors import Unfit
from appliance.unit.vision.types import JOINTS, Box, Frame, Joint, Keypoint, Pose

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from appliance.unit.vision.models.catalogue import ModelFile, TensorSpec
    from appliance.unit.vision.models.runtime import Model

CELL = 4  # pixels of the crop per cell of the network's maps
MARGIN = 1.25  # side of the crop over the longer side of the box
DEFAULT_SURE = 0.20  # a joint below this score is a guess and is not asked whether it belongs to the box
_CENTRE_REACH = 1.8  # cells: softens both distance weights, as in the published network's tail
_TORSO = (Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.LEFT_HIP, Joint.RIGHT_HIP)
_OUTSIDE = 0.15  # share of the box by which a joint may lie outside it
_BELONGING = 0.75  # share of sure joints that must lie in the widened box
_FEWEST_SURE = 6
_APART = 0.25  # of the box's width: nearer centres cannot be told apart by a line between them
_PAINT = 114
_LEAST_EXTENT = 0.5  # of the box's height, from highest to lowest sure joint


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A square in whole frame pixels; it may reach beyond the frame."""

    left: int
    top: int
    side: int


def square_around(box: Box) -> Square:
    """Return the square with the box's centre and 1.25 times its longer side."""
    side = max(2, round(MARGIN * max(box.width, box.height)))
    left = round((box.left + box.right - side) / 2)
    top = round((box.top + box.bottom - side) / 2)
    return Square(left=left, top=top, side=side)


def crop_square(picture: npt.NDArray[np.uint8], square: Square, out: npt.NDArray[np.uint8]) -> None:
    """Resize the square of `picture` (H x W x 3) into `out` (N x N x 3); what lies beyond the frame is black."""
    size = out.shape[0]
    left, right = max(square.left, 0), min(square.left + square.side, picture.shape[1])
    top, bottom = max(square.top, 0), min(square.top + square.side, picture.shape[0])
    out[:] = 0
    if right <= left or bottom <= top:
        return
    scale = size / square.side
    columns = slice(round((left - square.left) * scale), max(1, round((right - square.left) * scale)))
    rows = slice(round((top - square.top) * scale), max(1, round((bottom - square.top) * scale)))
    target = out[rows, columns]
    if target.size == 0:
        return
    # Averaging when shrinking: linear interpolation would skip pixels of a near, large person.
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cv2.resize(
        picture[top:bottom, left:right],
        (target.shape[1], target.shape[0]),
        dst=target,
        interpolation=interpolation,
    )


class PoseDecoder:
    """Reads the four raw outputs: person centre, joint regression, joint heat, sub-cell offset. Pure."""

    def __init__(self, card: ModelFile) -> None:
        cells = card.input.shape[1] // CELL
        shapes = tuple(output.shape for output in card.outputs)
        wanted = tuple((1, cells, cells, channels) for channels in (1, 2 * JOINTS, JOINTS, 2 * JOINTS))
        if shapes != wanted:
            raise Unfit(
                f"outputs are {shapes}, not {wanted}", where=str(card.path), fix="rebuild with `make models`"
            )
        centre, self._regression, heat, self._offset = card.outputs
        self._centre_of_raw = _score_of_raw(centre)
        self._heat_of_raw = _score_of_raw(heat)
        self._cells = cells
        self._axis = np.arange(cells, dtype=np.float32)
        from_middle = self._axis - cells // 2
        self._centre_weight = 1 / (np.hypot(from_middle[:, np.newaxis], from_middle) + _CENTRE_REACH)

    def joints(self, outputs: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """Return 17 x 3: x and y in pixels of the crop, score 0..1.

        The tail of the published network: take the centre cell of the person nearest the middle, add its regressed
        joint places, and near each of those the warmest cell of the joint's heat, moved by its offset.
        """
        centre, regression, heat, offset = (output[0] for output in outputs)
        cells = self._cells
        person = int(np.argmax(self._centre_of_raw[centre[..., 0]] * self._centre_weight))
        row, column = divmod(person, cells)
        guess = _real(regression[row, column], self._regression).reshape(JOINTS, 2)
        down = (self._axis[:, np.newaxis] - (row + guess[:, 0])) ** 2  # cells x joints
        across = (self._axis[:, np.newaxis] - (column + guess[:, 1])) ** 2
        distance = np.sqrt(down[:, np.newaxis] + across[np.newaxis]) + np.float32(_CENTRE_REACH)
        warmth = self._heat_of_raw[heat]
        best = np.argmax((warmth / distance).reshape(-1, JOINTS), axis=0)
        rows, columns = np.divmod(best, cells)
        numbers = np.arange(JOINTS)
        moved = _real(offset[rows, columns], self._offset).reshape(JOINTS, JOINTS, 2)[numbers, numbers]
        found = np.empty((JOINTS, 3), np.float32)
        found[:, 0] = (columns + moved[:, 1]) * CELL
        found[:, 1] = (rows + moved[:, 0]) * CELL
        found[:, 2] = warmth[rows, columns, numbers]
        return found


def _real(raw: npt.NDArray[np.uint8], spec: TensorSpec) -> npt.NDArray[np.float32]:
    real: npt.NDArray[np.float32] = (raw.astype(np.float32) - spec.zero) * np.float32(spec.scale)
    return real


def _score_of_raw(spec: TensorSpec) -> npt.NDArray[np.float32]:
    """Return the logistic function of each of the 256 stored logits."""
    logits = _real(np.arange(256, dtype=np.uint8), spec)
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def belongs(joints: npt.NDArray[np.float32], box: Box, *, sure: float = DEFAULT_SURE) -> bool:
    """Tell whether 17 x 3 joints in frame pixels are those of the person in the box.

    Enough sure joints; most of them in the box widened by 15 %; the middle of the sure torso joints inside the box;
    and they span at least half of its height (so that it is not somebody smaller behind).
    """
    certain = joints[:, 2] >= sure
    if int(certain.sum()) < _FEWEST_SURE:
        return False
    torso = joints[list(_TORSO)][certain[list(_TORSO)]]
    if len(torso) == 0 or not box.left <= float(torso[:, 0].mean()) <= box.right:
        return False
    x, y = joints[certain, 0], joints[certain, 1]
    aside, above = _OUTSIDE * box.width, _OUTSIDE * box.height
    inside = (
        (x >= box.left - aside)
        & (x <= box.right + aside)
        & (y >= box.top - above)
        & (y <= box.bottom + above)
    )
    return float(inside.mean()) >= _BELONGING and float(y.max() - y.min()) >= _LEAST_EXTENT * box.height


def standing(box: Box) -> Pose:
    """The pose of an upright figure that fills a box: for warming up and for tests."""
    places = (
        (0.5, 0.08), (0.53, 0.07), (0.47, 0.07), (0.56, 0.08), (0.44, 0.08), (0.66, 0.2), (0.34, 0.2), (0.72, 0.35),
        (0.28, 0.35), (0.75, 0.48), (0.25, 0.48), (0.6, 0.5), (0.4, 0.5), (0.6, 0.72), (0.4, 0.72), (0.6, 0.93),
        (0.4, 0.93),
    )  # fmt: skip
    return Pose(
        box=box,
        keypoints=tuple(
            Keypoint(x=box.left + x * box.width, y=box.top + y * box.height, score=0.9) for x, y in places
        ),
    )


def covered(shown: npt.NDArray[np.uint8], square: Square, box: Box, other: Box) -> bool:
    """Paint over somebody else in a square crop, up to half-way between the two; tell whether there was anything."""
    mine, theirs = (box.left + box.right) / 2, (other.left + other.right) / 2
    if abs(theirs - mine) < _APART * box.width:
        return False
    border = (mine + theirs) / 2
    left, right = (
        (max(other.left, border), other.right) if theirs > mine else (other.left, min(other.right, border))
    )
    scale = shown.shape[0] / square.side
    columns = [min(max(round((x - square.left) * scale), 0), shown.shape[1]) for x in (left, right)]
    rows = [min(max(round((y - square.top) * scale), 0), shown.shape[0]) for y in (other.top, other.bottom)]
    part = shown[rows[0] : rows[1], columns[0] : columns[1]]
    if part.size == 0:
        return False
    part[:] = _PAINT
    return True


class Poses:
    """The pose finder: keeps its input buffer, so one per thread."""

    def __init__(self, model: Model, *, sure: float = DEFAULT_SURE) -> None:
        self.model = model
        self._sure = sure
        self._decoder = PoseDecoder(model.card)
        self._shown = np.zeros(model.card.input.shape, np.uint8)

    def find(self, frame: Frame, box: Box) -> Pose | None:
        """Return the pose of the person in `box`, or None when the joints found are not this person's."""
        square = square_around(box)
        crop_square(frame.pixels, square, self._shown[0])
        return self._found(square, box)

    def find_without(self, frame: Frame, box: Box, beside: Sequence[Box]) -> Pose | None:
        """The same with the people in the boxes `beside` painted over; None, and no look, where none is near."""
        square = square_around(box)
        crop_square(frame.pixels, square, self._shown[0])
        near = [covered(self._shown[0], square, box, other) for other in beside]
        return self._found(square, box) if any(near) else None

    def _found(self, square: Square, box: Box) -> Pose | None:
        joints = self._decoder.joints(self.model.invoke(self._shown))
        joints[:, :2] *= np.float32(square.side / self._shown.shape[1])
        joints[:, 0] += square.left
        joints[:, 1] += square.top
        if not belongs(joints, box, sure=self._sure):
            return None
        return Pose(
            box=box, keypoints=tuple(Keypoint(x=x, y=y, score=score) for x, y, score in joints.tolist())
        )
