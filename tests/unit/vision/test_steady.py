"""A camera that shakes or is knocked: made views with a known shift, a mannequin that stands, a person who walks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from appliance.protocol.health import UnitState
from appliance.unit.vision.camera.scene import Scene
from appliance.unit.vision.steady import Steady
from appliance.unit.vision.tracking.boxes import shifted
from appliance.unit.vision.tracking.track import Track, TrackRules
from appliance.unit.vision.tracking.tracker import Tracker
from appliance.unit.vision.types import Box, Detection, Pixels

WIDTH, HEIGHT, MARGIN = 640, 360, 160
WALKED = TrackRules().min_displacement


def wall(seed: int = 0) -> Pixels:
    """A larger view than the camera has: houses, windows, noise."""
    random = np.random.default_rng(seed)
    view = np.full((HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, 3), 120, np.uint8)
    for _ in range(150):
        left, top = random.integers(0, WIDTH + MARGIN), random.integers(0, HEIGHT + MARGIN)
        wide, high = random.integers(10, 120, 2)
        colour = tuple(int(one) for one in random.integers(20, 230, 3))
        cv2.rectangle(view, (int(left), int(top)), (int(left + wide), int(top + high)), colour, -1)
    return np.clip(view + random.normal(0, 3, view.shape), 0, 255).astype(np.uint8)


WALL = wall()


def seen(right: float, down: float, people: tuple[Box, ...] = (), view: Pixels = WALL) -> Pixels:
    """What the camera shows when its picture is shifted; people are grey blocks at their place in it."""
    left, top = MARGIN - round(right), MARGIN - round(down)
    picture = view[top : top + HEIGHT, left : left + WIDTH].copy()
    for box in people:
        cv2.rectangle(
            picture, (int(box.left), int(box.top)), (int(box.right), int(box.bottom)), (90, 40, 40), -1
        )
    return picture


def person(x: float, y: float = 200.0) -> Box:
    return Box(left=x - 20, top=y - 60, right=x + 20, bottom=y + 60)


def test_a_shaken_view_is_registered_within_two_pixels_and_no_error_adds_up() -> None:
    """Two hundred pictures at random places up to 20 px away: the sum of all motions is the place, every time."""
    random, steady = np.random.default_rng(2), Steady()
    steady.look(seen(0, 0))
    place, worst = np.zeros(2), 0.0
    for _ in range(200):
        true = np.round(random.uniform(-20, 20, 2))
        motion = steady.look(seen(*true))
        place += (motion.right, motion.down)
        worst = max(worst, float(np.abs(place - true).max()))
    assert worst < 2.0
    assert steady.shaken


def test_a_camera_that_stands_still_is_exactly_still_whoever_walks_by() -> None:
    """A crowd crosses the picture: no shift at all, and it is not called shaken."""
    steady = Steady()
    for step in range(100):
        crowd = tuple(person(40 + step * 6 + 90 * number) for number in range(-6, 6))
        assert steady.look(seen(0, 0, crowd), crowd).still
    assert not steady.shaken


def test_a_crowd_before_a_bare_wall_is_not_taken_for_the_camera() -> None:
    """All that has an edge in the picture walks the same way: still, and no jump."""
    steady, bare = Steady(), np.full_like(WALL, 120)
    for step in range(100):
        crowd = tuple(person(40 + step * 6 + 90 * number) for number in range(-6, 6))
        assert steady.look(seen(0, 0, crowd, bare), crowd).still


def _followed(shifts: list[tuple[float, float]], walker: bool) -> tuple[list[Track], bool]:
    """Tracks of a mannequin and perhaps of a walker under a camera that is shifted so, and whether it jumped."""
    steady, tracker = Steady(), Tracker()
    tracks: dict[int, Track] = {}
    jumped = False
    for number, (right, down) in enumerate(shifts):
        boxes = [person(320)] + ([person(80 + 3 * number, 230)] if walker else [])
        people = tuple(shifted(box, right, down) for box in boxes)
        motion = steady.look(seen(right, down, people), people)
        jumped = jumped or motion.jumped
        if not motion.still:
            tracker.carry(motion.right, motion.down)
        found = [Detection(box=box, score=0.9) for box in people]
        for track in tracker.step(found, number / 10, (WIDTH, HEIGHT)).visible:
            tracks[track.track] = track
    return list(tracks.values()), jumped


def _shake(kind: str) -> list[tuple[float, float]]:
    random = np.random.default_rng(3)
    if kind == "jitter":
        return [(float(right), float(down)) for right, down in np.round(random.uniform(-20, 20, (60, 2)))]
    if kind == "sway":
        return [(round(20 * np.sin(number * 0.7)), round(10 * np.sin(number * 0.4))) for number in range(60)]
    return [(0.0, 0.0) if number < 30 else (45.0, -25.0) for number in range(60)]


@pytest.mark.parametrize("kind", ["jitter", "sway", "knock"])
def test_a_mannequin_never_walks_because_the_camera_does(kind: str) -> None:
    """It stands under a shake of 20 px and a knock of 45 px; somebody who walks by is one track, and has walked."""
    tracks, jumped = _followed(_shake(kind), walker=True)
    assert not jumped
    walked = sorted(track.walked for track in tracks)
    assert len(tracks) == 2
    assert walked[0] < WALKED / 3
    assert walked[1] > WALKED
    (alone,), _ = _followed(_shake(kind), walker=False)
    assert alone.walked < WALKED / 3


def test_a_jump_to_another_view_makes_everybody_walk_anew() -> None:
    """Turned to where nothing is known: said once, and what was followed has not walked."""
    steady, tracker = Steady(), Tracker()
    jumps = []
    for number in range(40):
        picture = seen(0, 0, (), WALL if number < 20 else wall(9))
        motion = steady.look(picture)
        if motion.jumped:
            jumps.append(number)
            tracker.walk_anew()
        box = person(100 + 8 * number if number < 20 else 420)
        step = tracker.step([Detection(box=box, score=0.9)], number / 10, (WIDTH, HEIGHT))
        if number == 19:
            assert step.visible[0].walked > WALKED
    assert jumps == [20]
    assert max(track.walked for track in step.visible) < WALKED


def test_a_shaken_camera_is_said_to_have_moved() -> None:
    """The staff's word for it comes after five seconds of shaking, and goes with it."""
    scene = Scene()
    states = [scene.look(seen(0, 0), number / 2, shaken=number < 20) for number in range(40)]
    assert states[12] is UnitState.MOVED
    assert states[-1] is UnitState.WATCHING or states[-1] is UnitState.FROZEN
