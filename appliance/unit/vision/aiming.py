"""From frames to stick figures: what a unit that is aimed says of its view. It describes nobody.

Invariants:
    * No attribute network is loaded, and no pixel in anybody's box goes into what is told of the light: it is the
      scene's, outside the boxes of all who were found.
    * Whoever's feet are in a zone is not there, as while watching; only the light leaves out their box, too.
    * What leaves is ``protocol.aim``'s: figures on coarse grids, in the order of their places, without a number.
    * Heads are not told. Tracks serve to count who passed and how long they were in view.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from appliance.protocol import aim
from appliance.protocol.aim import AimFigure, AimRecord, AimView
from appliance.protocol.health import UnitState
from appliance.protocol.setup_order import Zone
from appliance.settings.config import UnitConfig
from appliance.unit.inputs.zones import in_any
from appliance.unit.vision.glance import GlanceRules, hidden_share
from appliance.unit.vision.hang import Stance, hang
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.person_detector import People
from appliance.unit.vision.models.pose_estimator import Poses
from appliance.unit.vision.models.runtime import Accelerator, choose_accelerator, load_model
from appliance.unit.vision.pipeline import LEAST_SCORE, WISHES, counted
from appliance.unit.vision.tracking.track import Track, TrackRules
from appliance.unit.vision.tracking.tracker import Tracker
from appliance.unit.vision.types import Box, Frame, Joint, Keypoint, Pixels, Pose

_SURE: Final = 0.25
_EDGE: Final = 0.01
"""Share of the picture within which a box touches its edge."""
_REMEMBERED: Final = 64
"""Passers-by that the medians rest on."""
_MARGIN: Final = 0.1
"""So much of its size a box is widened on each side, so that no pixel of a person counts as the scene."""
_STEP: Final = 4
"""Every fourth pixel of every fourth row is enough for a brightness."""
_PERIOD: Final = 1 / aim.PICTURES_PER_SECOND
_BODY: Final = tuple(joint for joint in Joint if joint >= Joint.LEFT_SHOULDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passed:
    """One passer-by: seconds in view, median height in pixels, mean place across (0 to 1), cut by an edge or not."""

    stay: float
    height: float
    across: float
    cut_top: bool
    cut_bottom: bool


class _Path:
    """What is remembered of a track while it lasts."""

    def __init__(self) -> None:
        self.heights: list[float] = []
        self.across: list[float] = []
        self.top = self.bottom = 0

    def add(self, box: Box, extent: tuple[int, int]) -> None:
        """Take in where it is now."""
        width, height = extent
        self.heights.append(box.height)
        self.across.append((box.left + box.right) / 2 / width)
        self.top += box.top <= _EDGE * height
        self.bottom += box.bottom >= (1 - _EDGE) * height

    def ended(self, track: Track) -> _Passed:
        """The passer-by it was."""
        half = len(self.heights) / 2
        return _Passed(
            stay=track.seen - track.born,
            height=median(self.heights),
            across=sum(self.across) / len(self.across),
            cut_top=self.top > half,
            cut_bottom=self.bottom > half,
        )


class Aiming:
    """Sees, and says twice a second how the view is and where people stand."""

    def __init__(
        self,
        people: People,
        poses: Poses,
        *,
        zones: tuple[Zone, ...] = (),
        card: bool = False,
        rules: TrackRules = TrackRules(),  # noqa: B008 - frozen
    ) -> None:
        self.people = people
        self._poses = poses
        self._zones = zones
        self._card = card
        self._rules = rules
        self._tracker = Tracker(rules)
        self._paths: dict[int, _Path] = {}
        self._passed: deque[_Passed] = deque(maxlen=_REMEMBERED)
        self._stances: deque[Stance] = deque(maxlen=8 * _REMEMBERED)
        self._tick = 0
        self._due_at = 0.0

    def warm_up(self) -> None:
        """Run both networks once, so that nothing is loaded inside the seal."""
        frame = Frame(pixels=np.full((240, 320, 3), 128, np.uint8), at=0.0)
        self.people.find(frame)
        self._poses.find(frame, Box(left=120, top=20, right=200, bottom=220))

    def see(self, frame: Frame, state: UnitState, fps: int) -> tuple[AimRecord, ...]:
        """Take in one frame; the records of a picture where one is due, the view first. Unavailable."""
        extent = (frame.pixels.shape[1], frame.pixels.shape[0])
        found = self.people.find(frame)
        step = self._tracker.step(counted(found, self._zones, frame), frame.at, extent)
        for track in step.visible:
            self._paths.setdefault(track.track, _Path()).add(track.box, extent)
        for track in step.ended:
            path = self._paths.pop(track.track, None)
            if path is not None and track.walked >= self._rules.min_displacement:
                self._passed.append(path.ended(track))
        if frame.at < self._due_at:
            return ()
        self._due_at = frame.at + _PERIOD
        self._tick = (self._tick + 1) % aim.TICKS
        boxes = [track.box for track in step.visible]
        self._stances += [stance for box in boxes if (stance := _stance(box, extent))]
        light = _light(frame.pixels, boxes, [one.box for one in found])
        view = aim.advised(self._view(light, boxes, extent, state, fps))
        return (view, *self._figures(frame, boxes, extent))

    def _figures(self, frame: Frame, boxes: Sequence[Box], extent: tuple[int, int]) -> tuple[AimFigure, ...]:
        """The largest few, in the order of their places: nobody is followed by a number or by an order."""
        nearest = sorted(boxes, key=lambda box: -box.height)[: aim.MOST_FIGURES]
        poses = [pose for box in nearest if (pose := self._poses.find(frame, box))]
        figures = [figure_of(pose, self._tick, extent, self._zones) for pose in poses]
        return tuple(sorted(figures, key=lambda figure: (figure.column, figure.row, figure.code)))

    def _view(
        self,
        light: tuple[int, int],
        boxes: Sequence[Box],
        extent: tuple[int, int],
        state: UnitState,
        fps: int,
    ) -> AimView:
        passed = self._passed
        height, tilt = hang(self._stances, extent)
        most = GlanceRules().max_hidden
        hidden = sum(hidden_share(box, [one for one in boxes if one is not box]) > most for box in boxes)
        return AimView(
            tick=self._tick,
            state=state,
            fps=fps,
            people=_count(len(boxes)),
            small=_count(sum(box.height < GlanceRules().min_height for box in boxes)),
            hidden=_count(hidden),
            passed=min(63, len(passed)),
            size=aim.size_of(median(one.height for one in passed)) if passed else 0,
            stay=aim.stay_of(median(one.stay for one in passed)) if passed else 0,
            left=_sixteenths([one.across < 0.25 for one in passed]),
            right=_sixteenths([one.across > 0.75 for one in passed]),
            cut_top=_sixteenths([one.cut_top for one in passed]),
            cut_bottom=_sixteenths([one.cut_bottom for one in passed]),
            light=light[0],
            against=light[1],
            height=height,
            tilt=tilt,
            card=self._card,
        )


def _count(number: int) -> int:
    return min(aim.COUNT - 1, number)


def _sixteenths(said: list[bool]) -> int:
    return round(16 * sum(said) / len(said)) if said else 0


def _stance(box: Box, extent: tuple[int, int]) -> Stance | None:
    """Where somebody stands and how high they are, if they are in the picture from head to foot."""
    height = extent[1]
    whole = box.top > _EDGE * height and box.bottom < (1 - _EDGE) * height and box.height > 1.6 * box.width
    return Stance(feet=box.bottom, height=box.height) if whole else None


def _light(pixels: Pixels, boxes: Sequence[Box], others: Sequence[Box]) -> tuple[int, int]:
    """How light the scene is, and how much lighter it is beside the upper halves of ``boxes``: 0 to 7 each.

    The scene is what no box covers, those of ``others`` included; half light where they cover all.
    """
    grey = pixels[::_STEP, ::_STEP].mean(axis=2)
    scene = np.ones(grey.shape, bool)
    for box in (*boxes, *others):
        scene[_cut(box, _MARGIN, _MARGIN, 1 + 2 * _MARGIN)] = False
    if not scene.any():
        return 4, 0
    light = float(grey[scene].mean())
    beside = []
    for box in boxes:
        around = _cut(box, 1.0, 0.0, 0.5)
        if scene[around].any():
            beside.append(float(grey[around][scene[around]].mean()))
    back = median(beside) if beside else light
    return min(7, int(light / 32)), min(7, max(0, int((back - light) / 20)))


def _cut(box: Box, aside: float, above: float, down: float) -> tuple[slice, slice]:
    """Rows and columns, every ``_STEP``-th, of a box widened by these shares of its width and height."""
    width, height = box.right - box.left, box.bottom - box.top
    left, right = box.left - aside * width, box.right + aside * width
    top = box.top - above * height
    edges = [max(0, int(edge / _STEP)) for edge in (top, top + down * height, left, right)]
    return slice(edges[0], edges[1] + 1), slice(edges[2], edges[3] + 1)


def figure_of(pose: Pose, tick: int, extent: tuple[int, int], zones: tuple[Zone, ...] = ()) -> AimFigure:
    """The stick figure of a pose in a picture of ``extent`` (width, height) pixels."""
    box, (width, height) = pose.box, extent
    feet = (box.left + box.right) / 2
    return AimFigure(
        tick=tick,
        column=_cell(feet * aim.COLUMNS / width, aim.COLUMNS),
        row=_cell(box.bottom * aim.ROWS / height, aim.ROWS),
        size=aim.share_class(box.height / height),
        zoned=in_any(zones, feet, box.bottom, extent),
        points=tuple(_point(pose[joint], box, feet) for joint in _BODY),
    )


def _cell(place: float, cells: int) -> int:
    return min(cells - 1, max(0, int(place)))


def _point(joint: Keypoint, box: Box, feet: float) -> int | None:
    """The cell of a joint in the figure's own grid; None where it was not seen."""
    if joint.score < _SURE:
        return None
    side = max(1.0, box.height) / aim.JOINT_ROWS
    column = _cell((joint.x - feet) / side + aim.JOINT_COLUMNS / 2, aim.JOINT_COLUMNS)
    return _cell((joint.y - box.top) / side, aim.JOINT_ROWS) * aim.JOINT_COLUMNS + column


def load(config: UnitConfig, zones: tuple[Zone, ...], *, card: bool) -> tuple[Aiming, Accelerator]:
    """The detector and the pose finder, and nothing that reads clothes. Unfit, Unavailable."""
    accelerator = choose_accelerator(wish=WISHES[config.accelerator], threads=config.threads)
    catalogue = read_catalogue(config.models or default_model_directory())
    people = People(load_model(catalogue.named("people"), accelerator), score=LEAST_SCORE, zooms=(1.0,))
    poses = Poses(load_model(catalogue.named("pose"), accelerator))
    return Aiming(people, poses, zones=zones, card=card), accelerator
