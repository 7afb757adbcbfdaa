from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from appliance.protocol.values import BoothId, UnitId
from appliance.protocol.vocabulary import COLOURS, INDEX, Confidence
from appliance.settings.config import BrokerAddress, CameraConfig, UnitConfig
from appliance.unit.inputs.colour_matrix import CameraMatrix
from appliance.unit.inputs.start_inputs import StartInputs
from appliance.unit.vision import pipeline as eyes
from appliance.unit.vision.attributes.priors import CALIBRATION, SHIPPED, Usual
from appliance.unit.vision.camera.frame_source import open_source
from appliance.unit.vision.glance import GlanceRules, Glances, hidden_share, select_crops
from appliance.unit.vision.models.pose_estimator import standing
from appliance.unit.vision.models.runtime import Accelerator, Place, Wish, choose_accelerator
from appliance.unit.vision.pipeline import DescribedPerson, Pipeline, pipeline_on
from appliance.unit.vision.tracking.tracker import Tracker
from appliance.unit.vision.types import Box, Detection, Frame
from tests.unit.vision.models.test_people import figure

SIZE = (360, 640, 3)


class Scripted:
    """Finds whoever the test says is there, standing upright; counts how often poses were asked for."""

    def __init__(self, walkers: dict[float, list[Box]]) -> None:
        self.walkers = walkers
        self.poses: list[Box] = []
        self.model: Any = SimpleNamespace(invoked_ns=0)

    def find(self, frame: Frame, box: Box | None = None) -> Any:
        """Detections without a box, a pose with one."""
        if box is None:
            return tuple(Detection(box=each, score=0.9) for each in self.walkers.get(round(frame.at, 3), ()))
        self.poses.append(box)
        return standing(box)

    def shown_height(self, frame: Frame) -> float:
        """As the detector's picture of 416 by 320 would be in pixels of the frame."""
        return max(frame.pixels.shape[0], frame.pixels.shape[1] / 1.3)


def walk(
    *boxes_at: tuple[int, list[Box]], top: tuple[int, int, int] = (200, 30, 40), usual: Usual = SHIPPED
) -> tuple[list[DescribedPerson], Scripted, Pipeline]:
    """Everything sighted in frames a tenth of a second apart, in which people wear red, or ``top``, over blue."""
    scripted = Scripted({round(at / 10, 3): boxes for at, boxes in boxes_at})
    pipeline = Pipeline(scripted, scripted, usual=usual)  # type: ignore[arg-type]
    sighted: list[DescribedPerson] = []
    for at in range(max(at for at, _ in boxes_at) + 40):
        pixels = np.full(SIZE, 128, np.uint8)
        for box in scripted.walkers.get(round(at / 10, 3), ()):
            middle = int(box.top + 0.5 * box.height)
            columns = slice(int(box.left), int(box.right))
            pixels[int(box.top) : middle, columns] = top
            pixels[middle : int(box.bottom), columns] = (40, 60, 150)
        sighted += pipeline.see(Frame(pixels=pixels, at=at / 10))
    return sighted + list(pipeline.finish()), scripted, pipeline


def test_who_may_wear_something_rare_is_looked_at_longer() -> None:
    """Somebody in a colour that hardly anyone wears is looked at until it is SURE, and described only once."""
    path = [(at, [box(100 + 4 * at)]) for at in range(100)]
    shares = [list(constants.prior) for constants in CALIBRATION]
    shares[INDEX["top.colour"]] = [0.001 if colour == "purple" else 0.999 / 11 for colour in COLOURS]
    sighted, scripted, _ = walk(*path, top=(170, 90, 160), usual=Usual.of(shares))
    assert [one.vector.word("top.colour") for one in sighted] == ["purple"]
    assert sighted[0].vector.readings[INDEX["top.colour"]].confidence is Confidence.SURE
    rules = GlanceRules()
    assert rules.glances < len(scripted.poses) <= rules.max_glances


def box(x: float, height: float = 150.0, top: float = 60.0) -> Box:
    return Box(left=x, top=top, right=x + 0.4 * height, bottom=top + height)


def test_a_passer_by_is_described_once_while_in_view() -> None:
    """Somebody long in view is described as soon as enough is known, within four seconds, and never again."""
    sighted, scripted, pipeline = walk(*((at, [box(20 + 5 * at)]) for at in range(100)))
    assert len(sighted) == 1
    assert sighted[0].at < 4.0
    assert sighted[0].vector.word("top.colour") == "red"
    assert sighted[0].vector.word("bottom.colour") == "blue"
    assert len(scripted.poses) == GlanceRules().glances
    assert pipeline.counts.described == 1


def test_a_short_visit_is_described_at_its_end() -> None:
    """Somebody in view for a second and a half is described from what was seen, once the track ends."""
    sighted, scripted, _ = walk(*((at, [box(20 + 12 * at)]) for at in range(15)))
    assert len(sighted) == 1
    assert 0 < len(scripted.poses) < GlanceRules().glances
    assert sighted[0].vector.word("top.colour") == "red"


def test_things_that_never_move_are_nobody() -> None:
    """A poster is looked at, but never described; it is counted as still."""
    sighted, _, pipeline = walk(*((at, [box(200)]) for at in range(100)))
    assert sighted == []
    assert pipeline.counts.still == 1


def test_two_people_are_two() -> None:
    """Two people who walk apart are two sightings."""
    sighted, _, _ = walk(*((at, [box(20 + 4 * at), box(560 - 4 * at, top=100)]) for at in range(50)))
    assert len(sighted) == 2


def test_a_sighting_holds_values_only() -> None:
    """What leaves the pipeline is a vector and two times: no box, no track, no pixel."""
    assert [field.name for field in dataclasses.fields(DescribedPerson)] == ["vector", "at", "due"]


@pytest.mark.parametrize("frames", [120, 60, 40, 34])
def test_when_it_may_be_said_does_not_tell_who_was_looked_at_longer(frames: int) -> None:
    """Who may wear something rare is due at the same moment as others, and described before it, seen or lost."""
    path = [(at, [box(100 + 4 * at)]) for at in range(frames)]
    shares = [list(constants.prior) for constants in CALIBRATION]
    shares[INDEX["top.colour"]] = [0.001 if colour == "purple" else 0.999 / 11 for colour in COLOURS]
    poses, dues = [], []
    for usual in (SHIPPED, Usual.of(shares)):
        scripted = Scripted({round(at / 10, 3): boxes for at, boxes in path})
        pipeline = Pipeline(scripted, scripted, usual=usual)  # type: ignore[arg-type]
        for at in range(frames + 60):
            pixels = np.full(SIZE, 128, np.uint8)
            for one in scripted.walkers.get(round(at / 10, 3), ()):
                middle, columns = int(one.top + 0.5 * one.height), slice(int(one.left), int(one.right))
                pixels[int(one.top) : middle, columns] = (170, 90, 160)
                pixels[middle : int(one.bottom), columns] = (40, 60, 150)
            for said in pipeline.see(Frame(pixels=pixels, at=at / 10)):
                assert at / 10 <= said.due
                dues.append(said.due)
        poses.append(len(scripted.poses))
    assert poses[0] < poses[1]
    assert len(dues) == 2
    assert dues[0] == dues[1]


def test_poses_keep_to_the_budget() -> None:
    """With six people in view at most one pose a frame is computed, and everybody is described all the same."""
    crowd = [(at, [box(10 + 100 * n + 3 * at, 120, 40 + 20 * n) for n in range(5)]) for at in range(60)]
    sighted, scripted, pipeline = walk(*crowd)
    assert len(sighted) == 5
    assert len(scripted.poses) <= pipeline.cost.frames
    assert len(scripted.poses) <= 5 * GlanceRules().glances


def test_a_second_look_finds_whom_the_first_misses() -> None:
    """Somebody of the height the detector misses is found by the second look, and described; nobody twice."""
    tall = {round(at / 10, 3): [box(20 + 5 * at, 220)] for at in range(100)}
    blind, seeing = Scripted({}), Scripted(tall)
    pipeline = Pipeline(blind, seeing, nearer=seeing)  # type: ignore[arg-type]
    frames = [Frame(pixels=np.full(SIZE, 128, np.uint8), at=at / 10) for at in range(140)]
    assert sum(len(pipeline.see(frame)) for frame in frames) == 1
    both = Scripted(tall)
    pipeline = Pipeline(both, both, nearer=both)  # type: ignore[arg-type]
    assert sum(len(pipeline.see(frame)) for frame in frames) == 1
    assert pipeline.cost.found == 100


def tracks(*boxes: Box) -> list[Any]:
    tracker = Tracker()
    for at in range(6):
        step = tracker.step([Detection(box=each, score=0.9) for each in boxes], at / 10)
    return list(step.visible)


def test_the_one_seen_least_comes_first() -> None:
    """Whom to look at: first who was looked at least; not the described, the small or the hidden."""
    near, far = tracks(box(20, 200), box(300, 100))
    boxes = [near.box, far.box]
    known = {near.track: Glances(), far.track: Glances()}
    assert select_crops([near, far], known, boxes, GlanceRules()) == [near]
    known[near.track].readings.append(())
    assert select_crops([near, far], known, boxes, GlanceRules()) == [far]
    known[far.track].described = True
    known[near.track].tried_at = near.at - 0.1
    known[near.track].height = near.box.height
    assert select_crops([near, far], known, boxes, GlanceRules()) == []
    assert select_crops([near], {near.track: Glances()}, boxes, GlanceRules(min_height=300)) == []


def test_hidden_is_who_is_behind() -> None:
    """A nearer person hides a farther one, not the other way round."""
    behind, front = box(100, 100, 50), box(110, 150, 60)
    assert hidden_share(behind, [front]) > 0.6
    assert hidden_share(front, [behind]) == 0


def test_a_pose_is_not_asked_for_where_nobody_is() -> None:
    """An empty street costs no pose, and gives no sighting."""
    sighted, scripted, _ = walk((50, []))
    assert sighted == []
    assert scripted.poses == []


def test_real_models_find_nobody_in_an_empty_picture() -> None:
    """The real detector, warmed up, finds nobody in noise."""
    pipeline = pipeline_on(choose_accelerator(wish=Wish.CPU))
    pipeline.warm_up()
    rng = np.random.default_rng(5)
    for at in range(5):
        noise = rng.integers(90, 160, SIZE).astype(np.uint8)
        assert pipeline.see(Frame(pixels=noise, at=at / 10)) == ()
    assert pipeline.finish() == ()
    assert pipeline.invoked_ns > 0


def test_the_cameras_matrix_is_in_every_light() -> None:
    """What the card said of the camera is in the light that people are read in, and in that of a single picture."""
    matrix = CameraMatrix((716, 20, -10, 0, 1024, 0, 5, -102, 1638), 12)
    pipeline = pipeline_on(choose_accelerator(wish=Wish.CPU), given=StartInputs(None, matrix))
    assert pipeline._balance.light == pytest.approx(np.array(matrix.rows), abs=1e-6)
    pipeline.find_at_once(Frame(pixels=np.full(SIZE, 120, np.uint8), at=0.0))
    light, gains = pipeline._balance.light, pipeline._balance.gains
    assert light == pytest.approx(gains[:, None] * np.array(matrix.rows), abs=1e-6)
    assert gains[0] > 1 > gains[2]  # of corrected light: the matrix has made this grey picture blue


def test_a_poster_of_somebody_is_counted_as_a_thing() -> None:
    """A drawn person on a wall, whom the real detector believes in, is followed, not described, and counted still."""
    pipeline = pipeline_on(choose_accelerator(wish=Wish.CPU))
    poster = figure(150)
    rng = np.random.default_rng(8)
    sighted: list[DescribedPerson] = []
    for at in range(30):
        noisy = np.clip(poster + rng.normal(0, 3, poster.shape), 0, 255).astype(np.uint8)
        sighted += pipeline.see(Frame(pixels=noisy, at=at / 10))
    assert pipeline.cost.found >= 20
    sighted += pipeline.finish()
    assert sighted == []
    assert (pipeline.counts.still, pipeline.counts.described) == (1, 0)


def test_who_passes_a_poster_is_counted_beside_it() -> None:
    """Somebody who walks past in front of a poster is one passer-by, and the poster stays a thing."""
    still = box(300, 150, 60)
    sighted, _, pipeline = walk(
        *(
            (at, [walker] if hidden_share(still, [walker]) > 0.6 else [walker, still])
            for at, walker in passing()
        )
    )
    assert len(sighted) == 1
    assert (pipeline.counts.still, pipeline.counts.described) == (1, 1)


def passing() -> list[tuple[int, Box]]:
    return [(at, box(20 + 6 * at, 165, 80)) for at in range(90)]


def test_real_street_gives_true_observations() -> None:
    """In the first twenty seconds of the sample street five to eleven people pass, most in black or blue."""
    street = Path(os.environ.get("LEFTFIELD_STREET", ""))
    if not street.is_file():
        pytest.skip("the sample street video is not here: set LEFTFIELD_STREET, or run make setup")
    source = open_source(
        CameraConfig(source=str(street), width=1280, height=720, frame_rate=10, repeat=False, hurry=True)
    )
    pipeline = pipeline_on(choose_accelerator(wish=Wish.CPU))
    sighted: list[DescribedPerson] = []
    for number, frame in enumerate(source.frames()):
        sighted += pipeline.see(frame)
        if number == 200:
            break
    tops = [sighting.vector.word("top.colour") for sighting in sighted]
    assert 5 <= len(sighted) <= 11
    assert sum(top in {"black", "blue"} for top in tops) >= 0.7 * len(tops)
    assert not {"green", "yellow", "orange", "pink"} & set(tops)


def test_an_accelerator_that_is_wanted_and_away_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no Edge TPU here, and with one that hung at the last start: the processor, degraded, and why."""
    built: list[Accelerator] = []
    monkeypatch.setattr(eyes, "pipeline_on", lambda accelerator, *_: built.append(accelerator))
    camera = CameraConfig(source="x")
    broker = BrokerAddress(host="h", port=1, ca=Path(), certificate=Path(), key=Path())
    unit = UnitConfig(
        booth=BoothId("b"), unit=UnitId("u"), camera=camera, broker=broker, accelerator="edgetpu", threads=2
    )
    _, away = eyes.load(unit)
    assert (away.place, away.degraded, away.threads) == (Place.CPU, True, 2)
    assert "no Edge TPU" in away.why
    _, hung = eyes.load(unit, without=True)
    assert (hung.place, hung.degraded, hung.why) == (
        Place.CPU,
        True,
        "the accelerator hung at the last start",
    )
    _, plain = eyes.load(dataclasses.replace(unit, accelerator="auto"))
    assert (plain.place, plain.degraded) == (Place.CPU, False)
    assert built == [away, hung, plain]
