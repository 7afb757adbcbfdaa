from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from appliance.unit.vision.models.pose_estimator import standing
from appliance.unit.vision.regions import MOST_ROWS, Regions, headless, regions
from appliance.unit.vision.types import Box, Frame, Joint, Keypoint, Pose

HEAD = (250, 0, 250)
BOX = Box(left=100, top=40, right=180, bottom=240)


def picture(pose: Pose, height: int = 300, width: int = 300) -> Frame:
    """A grey picture in which the head and all above the shoulders is of a colour nothing else has."""
    pixels = np.full((height, width, 3), 128, np.uint8)
    shoulders = max(pose[Joint.LEFT_SHOULDER].y, pose[Joint.RIGHT_SHOULDER].y)
    box = pose.box
    pixels[: int(shoulders), int(box.left) : int(box.right)] = HEAD
    return Frame(pixels=pixels, at=0.0)


def with_joints(pose: Pose, **changes: Keypoint) -> Pose:
    points = list(pose.keypoints)
    for name, point in changes.items():
        points[Joint[name]] = point
    return dataclasses.replace(pose, keypoints=tuple(points))


def head_pixels(pixels: np.ndarray) -> int:
    return int((np.abs(pixels.astype(int) - HEAD).sum(axis=2) < 150).sum())


@pytest.mark.parametrize("lift", [-6.0, 0.0, 6.0])
@pytest.mark.parametrize("height", [80, 200, 460])
def test_no_head_pixel_is_left(height: int, lift: float) -> None:
    """Whatever the size and a sloping shoulder line, nothing above the shoulders is left in the crop."""
    box = Box(left=200, top=20, right=200 + 0.4 * height, bottom=20 + height)
    pose = standing(box)
    left = pose[Joint.LEFT_SHOULDER]
    pose = with_joints(pose, LEFT_SHOULDER=Keypoint(x=left.x, y=left.y + lift * height / 200, score=0.9))
    ys = np.arange(560)[:, np.newaxis]
    xs = np.arange(560)[np.newaxis]
    a, b = pose[Joint.RIGHT_SHOULDER], pose[Joint.LEFT_SHOULDER]
    line = a.y + (np.clip(xs, a.x, b.x) - a.x) * (b.y - a.y) / (b.x - a.x)
    pixels = np.where((ys < line)[..., np.newaxis], np.array(HEAD), 128).astype(np.uint8)
    person = headless(Frame(pixels=pixels, at=0.0), pose)
    assert person is not None
    assert person.pixels.shape[0] <= MOST_ROWS
    assert head_pixels(person.pixels) == 0
    assert not person.pixels[person.seen == 0].any()
    assert not person.joints[: Joint.LEFT_SHOULDER].any()


def test_a_bowed_head_is_blanked_below_the_shoulders() -> None:
    """A head that hangs below the shoulder line is blanked around its joints."""
    pose = standing(BOX)
    low = {
        name: Keypoint(x=140 + dx, y=90, score=0.8)
        for name, dx in (("NOSE", 0), ("LEFT_EYE", 3), ("RIGHT_EYE", -3))
    }
    frame = Frame(pixels=np.full((300, 300, 3), 128, np.uint8), at=0.0)
    frame.pixels[80:100, 130:150] = HEAD
    person = headless(frame, with_joints(pose, **low))
    assert person is not None
    assert head_pixels(person.pixels) == 0


def test_other_heads_in_the_crop_are_blanked() -> None:
    """The head of somebody who stands in front of the person's legs is blanked too, with all of them."""
    pose = standing(BOX)
    frame = picture(pose)
    other = Box(left=150, top=150, right=230, bottom=290)
    frame.pixels[150:184, 160:220] = HEAD
    person = headless(frame, pose, [other])
    assert person is not None
    assert head_pixels(person.pixels) == 0
    behind = Box(left=110, top=120, right=170, bottom=230)
    frame.pixels[150:184, 160:220] = 128
    frame.pixels[120:140, 120:160] = HEAD
    person = headless(frame, pose, [behind])
    assert person is not None
    assert head_pixels(person.pixels) == 0


def test_of_whoever_stands_nearer_only_the_swinging_arms_are_left() -> None:
    """Beside a nearer person's trunk and legs one's own cloth is still seen; beside their head it is not."""
    pose = standing(BOX)
    nearer = Box(left=150, top=90, right=250, bottom=290)
    person = headless(picture(pose), pose, [nearer])
    assert person is not None
    column = 155 - int(BOX.left - 0.06 * BOX.height)
    head, trunk = round((120 - BOX.top) * person.scale), round((190 - BOX.top) * person.scale)
    assert person.seen[head, round(column * person.scale)] == 0
    assert person.seen[trunk, round(column * person.scale)] == 255
    assert person.seen[trunk, round((column + 12) * person.scale)] == 0


def test_the_frame_stays_as_it_was() -> None:
    """Blanking happens in a copy: another person in the same frame is not harmed."""
    pose = standing(BOX)
    frame = picture(pose)
    before = frame.pixels.copy()
    headless(frame, pose)
    assert np.array_equal(frame.pixels, before)


@pytest.mark.parametrize(
    "change",
    [
        {"LEFT_SHOULDER": Keypoint(x=153, y=80, score=0.1)},
        {"RIGHT_HIP": Keypoint(x=132, y=140, score=0.1)},
        {"LEFT_HIP": Keypoint(x=153, y=60, score=0.9), "RIGHT_HIP": Keypoint(x=127, y=60, score=0.9)},
        {"LEFT_HIP": Keypoint(x=253, y=90, score=0.9), "RIGHT_HIP": Keypoint(x=227, y=90, score=0.9)},
        {"LEFT_SHOULDER": Keypoint(x=153, y=125, score=0.9)},
    ],
    ids=["unsure shoulder", "unsure hip", "upside down", "lying", "leaning far"],
)
def test_who_cannot_be_blanked_surely_is_not_looked_at(change: dict[str, Keypoint]) -> None:
    """Where shoulders or hips are unsure, or nobody stands upright, there is no crop at all."""
    pose = standing(BOX)
    assert headless(picture(pose), pose) is not None
    assert headless(picture(pose), with_joints(pose, **change)) is None


def test_small_people_are_not_looked_at() -> None:
    """A torso below fourteen pixels gives no crop."""
    pose = standing(Box(left=100, top=40, right=118, bottom=84))
    assert headless(picture(pose), pose) is None


def cut_of(box: Box = BOX) -> Regions:
    pose = standing(box)
    person = headless(picture(pose), pose)
    assert person is not None
    cut = regions(person)
    assert cut is not None
    return cut


def test_regions_lie_where_they_should() -> None:
    """Top above thighs above shins above feet, and no region overlaps the hands or forearms."""
    cut = cut_of()
    rows = {}
    for field in dataclasses.fields(cut):
        mask = getattr(cut, field.name)
        assert mask is not None, field.name
        rows[field.name] = np.flatnonzero(mask.any(axis=1)).mean()
        if field.name not in {"forearms", "hands"}:
            assert not (mask & cut.forearms).any()
            assert not (mask & cut.hands).any()
    assert rows["top"] < rows["hips"] < rows["thighs"] < rows["shins"] < rows["feet"]


def test_arms_before_the_body_are_cut_out_of_it() -> None:
    """Forearms and hands held before the body, bare or not, are no part of the top or the thighs."""
    folded = {
        "LEFT_WRIST": Keypoint(x=130, y=115, score=0.9),
        "RIGHT_WRIST": Keypoint(x=150, y=120, score=0.9),
    }
    pose = with_joints(standing(BOX), **folded)
    person = headless(picture(pose), pose)
    assert person is not None
    cut = regions(person)
    assert cut is not None
    assert cut.top is not None
    assert cut.forearms is not None
    assert cut.hands is not None
    assert not (cut.top & (cut.forearms | cut.hands)).any()


def test_nothing_is_cut_from_what_is_not_seen() -> None:
    """No region reaches into blanked pixels."""
    pose = standing(BOX)
    person = headless(picture(pose), pose, [Box(left=90, top=170, right=200, bottom=260)])
    assert person is not None
    cut = regions(person)
    assert cut is not None
    for field in dataclasses.fields(cut):
        mask = getattr(cut, field.name)
        assert mask is None or not (mask & ~person.seen).any()
    assert cut.shins is None


def test_who_is_mostly_hidden_is_not_read() -> None:
    """Somebody whose torso is mostly behind another gives no regions."""
    pose = standing(BOX)
    person = headless(picture(pose), pose, [Box(left=80, top=60, right=150, bottom=260)])
    assert person is not None
    assert regions(person) is None


def test_feet_of_the_distant_are_not_read() -> None:
    """Below 150 pixels of height there are no feet."""
    assert cut_of(Box(left=100, top=40, right=160, bottom=180)).feet is None
