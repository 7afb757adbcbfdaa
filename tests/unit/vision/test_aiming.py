"""Stick figures from poses, and how a camera hangs from people: coarse, without order, without a name."""

from __future__ import annotations

import math
import random
from dataclasses import fields
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from appliance.protocol import aim
from appliance.protocol.aim import AimFigure, AimView
from appliance.protocol.health import UnitState
from appliance.protocol.setup_order import Zone
from appliance.protocol.sign import Sealer, new_private_key
from appliance.protocol.values import BoothId, Epoch, UnitId
from appliance.unit.pipe.aim_writer import AimWriter
from appliance.unit.pipe.record import AIM_MARK, envelope_of
from appliance.unit.pipe.writer import PipeWriter
from appliance.unit.vision.aiming import Aiming, _light, figure_of
from appliance.unit.vision.hang import FIELD_OF_VIEW, PERSON_METRES, Stance, class_of, hang
from appliance.unit.vision.models.person_detector import People
from appliance.unit.vision.models.pose_estimator import Poses, standing
from appliance.unit.vision.pipeline import counted
from appliance.unit.vision.types import Box, Detection, Frame, Joint, Keypoint, Pose

EXTENT = (1280, 720)
BOX = Box(left=600, top=200, right=700, bottom=500)


def moved(pose: Pose, joint: Joint, x: float, y: float, score: float = 0.9) -> Pose:
    points = list(pose.keypoints)
    points[joint] = Keypoint(x=x, y=y, score=score)
    return Pose(box=pose.box, keypoints=tuple(points))


def test_a_figure_is_where_its_feet_are() -> None:
    """Feet on the picture's grid, height by class, twelve joints in its own grid."""
    figure = figure_of(standing(BOX), 3, EXTENT)
    assert (figure.tick, figure.column, figure.row) == (3, 32, 25)
    assert figure.size == aim.share_class(300 / 720)
    assert all(cell is not None for cell in figure.points)
    shoulders = [cell // aim.JOINT_COLUMNS for cell in figure.points[:2] if cell is not None]
    ankles = [cell // aim.JOINT_COLUMNS for cell in figure.points[-2:] if cell is not None]
    assert max(shoulders) < 3
    assert min(ankles) > 10


def test_the_head_changes_nothing() -> None:
    """Wherever nose, eyes and ears are, the figure is the same: nothing of them is told."""
    pose = standing(BOX)
    other = pose
    for joint in (Joint.NOSE, Joint.LEFT_EYE, Joint.RIGHT_EYE, Joint.LEFT_EAR, Joint.RIGHT_EAR):
        other = moved(other, joint, 10.0, 10.0)
    assert figure_of(other, 0, EXTENT) == figure_of(pose, 0, EXTENT)


def test_two_bodies_are_told_alike() -> None:
    """Limbs that differ by less than a cell, as people's do, give one figure in most poses: no body is measured."""
    chance, same = random.Random(3), 0  # noqa: S311 - a test's chance
    pose = standing(BOX)
    for _ in range(200):
        joint = chance.choice([one for one in Joint if one >= Joint.LEFT_SHOULDER])
        point = pose[joint]
        other = moved(pose, joint, point.x, point.y + chance.uniform(-0.02, 0.02) * BOX.height)
        same += figure_of(other, 0, EXTENT) == figure_of(pose, 0, EXTENT)
    assert same > 120


def test_coming_near_makes_nothing_finer() -> None:
    """Somebody three times as large is told on the same grid."""
    far = Box(left=640, top=200, right=673, bottom=300)
    near = Box(left=600, top=200, right=699, bottom=500)
    assert figure_of(standing(far), 0, EXTENT).points == figure_of(standing(near), 0, EXTENT).points


def test_a_joint_that_was_not_seen_is_not_told() -> None:
    """Below its score a joint is None; beyond the figure's grid it is at its edge."""
    pose = moved(standing(BOX), Joint.LEFT_WRIST, 650.0, 300.0, score=0.1)
    assert figure_of(pose, 0, EXTENT).points[4] is None
    far = figure_of(moved(standing(BOX), Joint.LEFT_WRIST, 5000.0, -300.0), 0, EXTENT).points[4]
    assert far == aim.JOINT_COLUMNS - 1


def test_a_figure_says_whether_it_counts() -> None:
    """Whoever stands in a zone is marked, for whoever draws zones; a pipeline that watches does not see them."""
    zone = ((0, 20), (64, 20), (64, 36), (0, 36))
    assert figure_of(standing(BOX), 0, EXTENT, (zone,)).zoned
    assert not figure_of(standing(BOX), 0, EXTENT).zoned
    frame = Frame(pixels=np.zeros((720, 1280, 3), np.uint8), at=0.0)
    above = Detection(box=Box(left=600, top=50, right=650, bottom=200), score=0.9)
    assert counted([above, Detection(box=BOX, score=0.9)], (zone,), frame) == (above,)
    assert len(counted([above, Detection(box=BOX, score=0.9)], (), frame)) == 2


def test_no_pixel_of_a_person_changes_the_light() -> None:
    """Whatever colour people have, from head to foot, the brightness that is told is the scene's."""
    scene = np.full((720, 1280, 3), 90, np.uint8)
    other = Box(left=100, top=300, right=180, bottom=560)
    told = set()
    for shade in (0, 60, 130, 255):
        pixels = scene.copy()
        for box in (BOX, other):
            pixels[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = shade
        told.add(_light(pixels, [BOX], [other]))
    assert told == {(90 // 32, 0)}
    assert _light(scene, [Box(left=0, top=0, right=1280, bottom=720)], []) == (4, 0)


def test_a_light_sky_behind_people_is_against_the_light() -> None:
    """Where it is lighter beside people's upper halves than elsewhere, that is told."""
    pixels = np.full((720, 1280, 3), 40, np.uint8)
    pixels[:360] = 255
    sky = _light(pixels, [Box(left=600, top=100, right=700, bottom=600)], [])
    ground = _light(pixels, [Box(left=600, top=400, right=700, bottom=700)], [])
    assert sky[1] >= 4
    assert ground[1] == 0


class _Eyes:
    """A detector that finds the same people, and a pose finder that stands them up."""

    def __init__(self, *boxes: Box) -> None:
        self._found = tuple(Detection(box=box, score=0.9) for box in boxes)

    def people(self) -> People:
        """Itself, as the detector."""
        return cast("People", SimpleNamespace(find=lambda _frame: self._found))

    def poses(self) -> Poses:
        """Itself, as the pose finder."""
        return cast("Poses", SimpleNamespace(find=lambda _frame, box: standing(box)))


@pytest.mark.parametrize(
    ("zones", "places"), [((), [9, 41]), ((((32, 0), (64, 0), (64, 36), (32, 36)),), [9])]
)
def test_whoever_stands_in_a_zone_is_not_there(zones: tuple[Zone, ...], places: list[int]) -> None:
    """Aiming leaves out whom watching leaves out: no figure, no count, no advice rests on them."""
    eyes = _Eyes(Box(left=150, top=200, right=230, bottom=500), Box(left=790, top=200, right=870, bottom=500))
    aiming = Aiming(eyes.people(), eyes.poses(), zones=zones)
    last: tuple[AimView | AimFigure, ...] = ()
    for tick in range(30):
        frame = Frame(pixels=np.full((720, 1280, 3), 90, np.uint8), at=tick / 10)
        last = aiming.see(frame, UnitState.AIMING, 10) or last
    view, *figures = last
    assert isinstance(view, AimView)
    assert view.people == len(places)
    assert [figure.column for figure in figures if isinstance(figure, AimFigure)] == places


@pytest.mark.parametrize(("metres", "degrees"), [(2.5, 5), (3.0, 12), (4.0, 20), (3.0, 0)])
def test_people_say_how_a_camera_hangs(metres: float, degrees: float) -> None:
    """People on level ground, through a known lens, give height and tilt to their class or the next."""
    chance = random.Random(1)  # noqa: S311 - a test's chance
    focal = EXTENT[0] / 2 / math.tan(FIELD_OF_VIEW / 2)
    tilt = math.radians(degrees)

    def row(above: float, away: float) -> float:
        down = math.atan2(metres - above, away)
        return EXTENT[1] / 2 + focal * math.tan(down - tilt)

    stances = []
    for _ in range(60):
        away = chance.uniform(8, 25)
        tall = PERSON_METRES * chance.uniform(0.93, 1.07)
        feet, head = row(0.0, away), row(tall, away)
        stances.append(Stance(feet=feet, height=feet - head))
    height, tilted = hang(stances, EXTENT)
    wanted = class_of(metres, degrees)
    assert abs(height - wanted[0]) <= 1
    assert abs(tilted - wanted[1]) <= 1


def test_without_enough_people_nothing_is_guessed() -> None:
    """Few people, or all at one distance, say nothing about the camera."""
    assert hang([Stance(400, 150)] * 5, EXTENT) == (0, 0)
    assert hang([Stance(400, 150)] * 50, EXTENT) == (0, 0)
    assert hang([Stance(300, 200)] * 20 + [Stance(500, 100)] * 20, EXTENT) == (0, 0)


def test_the_writer_has_a_rate_and_holds_nothing_up() -> None:
    """Beyond the rate, or where the pipe is full, a figure is gone: nothing waits, nothing is late."""
    sent: list[bytes] = []

    def write(record: bytes) -> int:
        if len(sent) >= 30:
            raise BlockingIOError
        sent.append(record)
        return len(record)

    sealer = Sealer(private_key=new_private_key(), booth=BoothId("b"))
    writer = PipeWriter(sealer=sealer, unit=UnitId("u"), epoch=Epoch(1), write=write, now=0.0)
    outlet = AimWriter(writer, write, 0.0)
    figure = figure_of(standing(BOX), 0, EXTENT)
    for tick in range(400):
        outlet.say((figure,) * 5, tick / 100)
    assert len(sent) == 30
    assert outlet.said == 30
    assert outlet.dropped == 400 * 5 - 30
    bodies = {envelope_of(record) for record in sent}
    assert bodies == {AIM_MARK + aim.spelled(figure)}
    sent.clear()
    for tick in range(100):
        outlet.say((figure,) * 5, 10 + tick / 100)
    assert len(sent) <= aim.RECORDS_PER_SECOND + aim.MOST_FIGURES + 1


def test_a_figure_has_no_field_for_anybody() -> None:
    """No number of a track, no time, no score is in it."""
    assert not {"track", "at", "score", "seen"} & {field.name for field in fields(AimFigure)}
