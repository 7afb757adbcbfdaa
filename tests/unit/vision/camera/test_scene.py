"""Whether a camera still shows its street: each trouble is said after its time, and goes when the street is back."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from appliance.protocol.health import UnitState
from appliance.unit.vision.camera.scene import EVERY, Scene
from appliance.unit.vision.types import Pixels

NOISE = np.random.default_rng(11)


def street(seed: int = 3) -> Pixels:
    """A made-up street: walls, windows and doors of many colours, sharp edges."""
    draw = np.random.default_rng(seed)
    picture = np.full((360, 640, 3), 120, np.uint8)
    for _ in range(160):
        left, top = int(draw.integers(0, 620)), int(draw.integers(0, 340))
        right, bottom = left + int(draw.integers(8, 90)), top + int(draw.integers(8, 70))
        colour = tuple(int(value) for value in draw.integers(20, 235, 3))
        cv2.rectangle(picture, (left, top), (right, bottom), colour, -1)
    return picture


STREET = street()


def seen(picture: Pixels) -> Pixels:
    """The picture as a sensor gives it: with a little noise, anew each time."""
    return np.asarray(cv2.add(picture, NOISE.integers(0, 5, picture.shape, dtype=np.uint8)), np.uint8)


def after(scene: Scene, picture: Callable[[], Pixels], seconds: float, *, at: float) -> UnitState:
    """The state once ``picture`` has been shown for ``seconds`` from ``at`` on."""
    state = scene.state
    for number in range(round(seconds / EVERY)):
        state = scene.look(picture(), at + number * EVERY)
    return state


TROUBLES: dict[UnitState, tuple[Callable[[], Pixels], float]] = {
    UnitState.BLIND: (lambda: seen(np.zeros_like(STREET)), 4.0),
    UnitState.FROZEN: (lambda: STREET, 11.0),
    UnitState.TOO_DARK: (lambda: seen((STREET * 0.12).astype(np.uint8)), 21.0),
    UnitState.TOO_BRIGHT: (
        lambda: np.asarray(cv2.add(seen(STREET), np.full_like(STREET, 230)), np.uint8),
        21.0,
    ),
    UnitState.COLOURLESS: (
        lambda: np.asarray(
            cv2.cvtColor(cv2.cvtColor(seen(STREET), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8
        ),
        6.0,
    ),
    UnitState.BLURRED: (lambda: np.asarray(cv2.GaussianBlur(seen(STREET), (0, 0), 6), np.uint8), 21.0),
    UnitState.MOVED: (lambda: seen(np.roll(STREET, (30, 60), axis=(0, 1))), 16.0),
}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_a_trouble_is_said_after_its_time_and_goes_by_itself(trouble: UnitState) -> None:
    """Not at once, then until the street is back."""
    picture, holds = TROUBLES[trouble]
    scene = Scene()
    assert after(scene, lambda: seen(STREET), 40, at=0) is UnitState.WATCHING
    assert after(scene, picture, 2 * EVERY, at=40) is UnitState.WATCHING
    assert after(scene, picture, holds, at=41) is trouble
    assert after(scene, lambda: seen(STREET), 6, at=41 + holds) is UnitState.WATCHING


def test_a_quiet_street_in_changing_light_is_no_trouble() -> None:
    """Clouds: brightness between half and full over minutes."""
    scene = Scene()
    states = set()
    for number in range(600):
        light = 0.75 + 0.25 * np.sin(number / 40)
        states.add(scene.look(seen((STREET * light).astype(np.uint8)), number * EVERY))
    assert states == {UnitState.WATCHING}


def test_people_who_walk_by_are_no_trouble() -> None:
    """A tenth of the picture moves across it again and again."""
    scene = Scene()
    states = set()
    for number in range(400):
        picture = STREET.copy()
        for lane in range(3):
            left = (number * 23 + lane * 211) % 580
            cv2.rectangle(picture, (left, 140 + 20 * lane), (left + 50, 300), (30, 60, 90 * lane), -1)
        states.add(scene.look(seen(picture), number * EVERY))
    assert states == {UnitState.WATCHING}


def test_a_turned_camera_takes_its_new_view_for_the_usual_one_in_the_end() -> None:
    """After two minutes of "moved" it watches again, and would say so of the next knock."""
    scene = Scene()
    after(scene, lambda: seen(STREET), 40, at=0)
    turned, _ = TROUBLES[UnitState.MOVED]
    assert after(scene, turned, 30, at=40) is UnitState.MOVED
    assert after(scene, turned, 140, at=70) is UnitState.WATCHING
    assert after(scene, lambda: seen(STREET), 16, at=260) is UnitState.MOVED


def test_it_looks_a_few_times_a_second_only() -> None:
    """Pictures between two looks change nothing."""
    scene = Scene()
    for number in range(200):
        scene.look(np.zeros_like(STREET), number * 0.001)
    assert scene.state is UnitState.WATCHING
