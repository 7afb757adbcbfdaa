"""From a person's box to joints."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from appliance.base.errors import Unfit
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.pose_estimator import (
    PoseDecoder,
    Poses,
    Square,
    belongs,
    covered,
    crop_square,
    square_around,
)
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model
from appliance.unit.vision.types import JOINTS, Box, Frame, Joint

CARD = read_catalogue(default_model_directory()).named("pose")
BOX = Box(left=100, top=50, right=180, bottom=250)


def store(value: float, output: int) -> int:
    """The raw value that comes nearest to a real one."""
    spec = CARD.outputs[output]
    return int(np.clip(round(value / spec.scale) + spec.zero, 0, 255))


def real(raw: int, output: int) -> float:
    spec = CARD.outputs[output]
    return (raw - spec.zero) * spec.scale


def silent() -> list[npt.NDArray[np.uint8]]:
    """Raw outputs with no person, no heat and no offset."""
    raws = (0, store(0, 1), 0, store(0, 3))
    return [np.full(spec.shape, raw, np.uint8) for spec, raw in zip(CARD.outputs, raws, strict=True)]


def standing() -> npt.NDArray[np.float32]:
    """Seventeen sure joints of somebody who stands in BOX."""
    joints = np.zeros((JOINTS, 3), np.float32)
    joints[:, 0] = 140
    joints[:, 1] = 60
    for pair, y in ((5, 85), (7, 115), (9, 145), (11, 145), (13, 195), (15, 240)):
        joints[pair : pair + 2, 1] = y
        joints[pair : pair + 2, 0] = (125, 155)
    joints[:, 2] = 0.7
    return joints


def test_joints_are_the_warmest_cells_near_the_regressed_places() -> None:
    """Heat at a joint's regressed cell wins over hotter heat far away, and the offset moves it within the cell."""
    outputs = silent()
    row, column = 21, 29
    outputs[0][0, row, column] = 255
    for joint in range(JOINTS):
        outputs[1][0, row, column, 2 * joint : 2 * joint + 2] = store(3, 1), store(-5, 1)
        outputs[2][0, row + 3, column - 5, joint] = 250
        outputs[2][0, 2, 46, joint] = 255
        outputs[2][0, row, column, joint] = 255
        outputs[3][0, row + 3, column - 5, 2 * joint : 2 * joint + 2] = store(0.5, 3), store(0.25, 3)
    joints = PoseDecoder(CARD).joints(outputs)
    across, down = real(store(0.25, 3), 3), real(store(0.5, 3), 3)
    assert joints[:, 0] == pytest.approx(np.full(JOINTS, 4 * (column - 5 + across)), abs=1e-3)
    assert joints[:, 1] == pytest.approx(np.full(JOINTS, 4 * (row + 3 + down)), abs=1e-3)
    assert joints[:, 2] == pytest.approx(np.full(JOINTS, 1 / (1 + np.exp(-real(250, 2)))), abs=1e-5)


def test_the_person_nearest_the_middle_is_the_one_asked_for() -> None:
    """Of two equally sure people in the crop the middle one's joints are read."""
    outputs = silent()
    outputs[0][0, 24, 8] = 255
    outputs[0][0, 24, 26] = 255
    joints = PoseDecoder(CARD).joints(outputs)
    assert abs(float(joints[:, 0].mean()) - 4 * 26) < 4 * 4


def test_garbage_outputs_give_seventeen_finite_joints() -> None:
    """Whatever the network says, there are 17 finite joints with scores from 0 to 1."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        outputs = [rng.integers(0, 256, spec.shape, np.uint8) for spec in CARD.outputs]
        joints = PoseDecoder(CARD).joints(outputs)
        assert joints.shape == (JOINTS, 3)
        assert np.isfinite(joints).all()
        assert ((joints[:, 2] >= 0) & (joints[:, 2] <= 1)).all()


def test_the_crop_is_a_quarter_larger_than_the_box_and_has_its_centre() -> None:
    """A box 80 x 200 gives the square of side 250 around the same centre."""
    assert square_around(BOX) == Square(left=15, top=25, side=250)


@pytest.mark.parametrize(("left", "top"), [(0, 0), (-50, -30), (60, 80), (-150, 10), (500, 500)])
def test_the_crop_shows_what_is_in_the_square_and_black_beyond_the_frame(left: int, top: int) -> None:
    """Each pixel of the crop has the colour of its place in the frame."""
    rows, columns = np.mgrid[0:120, 0:140]
    picture = np.stack([rows + 60, columns + 60, np.full_like(rows, 200)], axis=2).astype(np.uint8)
    out = np.full((192, 192, 3), 7, np.uint8)
    crop_square(picture, Square(left=left, top=top, side=96), out)
    for y, x in ((1, 1), (95, 95), (100, 31), (190, 190), (20, 170)):
        row, column = top + (y + 0.5) / 2 - 0.5, left + (x + 0.5) / 2 - 0.5
        if 0 <= row < 119 and 0 <= column < 139:
            assert out[y, x] == pytest.approx((row + 60, column + 60, 200), abs=1.1)
        elif not (-1 < row < 120 and -1 < column < 140):
            assert out[y, x].tolist() == [0, 0, 0]


def test_somebody_standing_in_the_box_belongs_to_it() -> None:
    """Joints spread over the box are this person's."""
    assert belongs(standing(), BOX)


def test_joints_that_jumped_to_the_neighbour_do_not_belong() -> None:
    """Joints a person's width to the side are the neighbour's."""
    joints = standing()
    joints[:, 0] += 80
    assert not belongs(joints, BOX)


def test_joints_of_somebody_small_behind_do_not_belong() -> None:
    """Joints that span less than half of the box's height are somebody else's."""
    joints = standing()
    joints[:, 1] = 100 + (joints[:, 1] - 60) * 0.4
    assert not belongs(joints, BOX)


def test_limbs_all_over_the_crop_do_not_belong() -> None:
    """With a third of the sure joints far outside, the pose is refused although the torso fits."""
    joints = standing()
    joints[[Joint.LEFT_WRIST, Joint.RIGHT_WRIST, Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE, 13, 14], 0] = 300
    assert not belongs(joints, BOX)


def test_guesses_do_not_make_a_pose() -> None:
    """Fewer than six sure joints are no pose."""
    joints = standing()
    joints[:, 2] = 0.1
    joints[[Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.LEFT_HIP, Joint.LEFT_ANKLE, Joint.NOSE], 2] = 0.7
    assert not belongs(joints, BOX)
    joints[Joint.RIGHT_HIP, 2] = 0.7
    assert belongs(joints, BOX)


def test_a_torso_beside_the_box_does_not_belong() -> None:
    """A torso just outside the box is somebody else's, though the widened box would still hold its joints."""
    joints = standing()
    joints[:, 0] = 175
    joints[[5, 6, 11, 12], 0] = 185
    assert not belongs(joints, BOX)


def test_unsure_joints_may_lie_anywhere() -> None:
    """A joint below the score threshold is not asked where it lies."""
    joints = standing()
    joints[[9, 10, 15, 16]] = (900, 900, 0.05)
    assert belongs(joints, BOX)


def test_where_nobody_is_there_is_no_pose() -> None:
    """The real model on a grey frame gives no pose, also for boxes beyond the frame."""
    poses = Poses(load_model(CARD, choose_accelerator(wish=Wish.CPU)))
    frame = Frame(pixels=np.full((300, 300, 3), 120, np.uint8), at=0.0)
    for box in (
        BOX,
        Box(left=-50, top=-80, right=10, bottom=60),
        Box(left=800, top=800, right=900, bottom=990),
    ):
        assert poses.find(frame, box) is None
        assert poses.find_without(frame, box, [BOX]) is None


def test_a_model_with_other_outputs_is_unfit() -> None:
    """The people model is not mistaken for a pose model."""
    with pytest.raises(Unfit, match="outputs are"):
        PoseDecoder(read_catalogue(default_model_directory()).named("people"))


@pytest.mark.parametrize(("left", "painted"), [(150.0, slice(60, 86)), (50.0, slice(14, 40))])
def test_a_neighbour_is_painted_over_up_to_half_way(left: float, painted: slice) -> None:
    """On either side, from half-way between the two people to the neighbour's far edge, and nothing of the person."""
    shown = np.zeros((100, 100, 3), np.uint8)
    box, other = (
        Box(left=100, top=50, right=180, bottom=250),
        Box(left=left, top=90, right=left + 80, bottom=250),
    )
    assert covered(shown, Square(left=15, top=25, side=250), box, other)
    columns = np.flatnonzero(shown.any(axis=(0, 2)))
    assert (columns[0], columns[-1] + 1) == pytest.approx((painted.start, painted.stop), abs=1)
    assert not shown[:24].any()
    assert shown[26:89, columns].all()


def test_whoever_stands_behind_is_not_painted_over() -> None:
    """No line tells people with the same middle apart; somebody outside the crop leaves it as it is."""
    shown = np.zeros((100, 100, 3), np.uint8)
    for other in (Box(left=105, top=60, right=185, bottom=240), Box(left=700, top=60, right=780, bottom=240)):
        assert not covered(shown, square_around(BOX), BOX, other)
    assert not shown.any()
