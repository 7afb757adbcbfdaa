"""From patches to a matrix, without pictures: what a simulated sensor made of the patches is undone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.unit.card.fit import FRAMES, fitted
from appliance.unit.card.patches import GREYS, PATCHES, asked
from appliance.unit.card.sight import CardReading
from appliance.unit.card.words import CardWord
from appliance.unit.inputs.colour_matrix import STEPS, CameraMatrix
from tests.cards import CROSSTALK, NO_CROSSTALK, SHADE, TUNGSTEN, Camera

TRUE = np.array(list(asked().values()))


def readings(camera: Camera, *, noise: float = 0.0, count: int = FRAMES, seed: int = 0) -> list[CardReading]:
    """What the camera makes of the patches; ``noise`` is a share of each channel, as left after averaging."""
    rng = np.random.default_rng(seed)
    light = TRUE @ camera.matrix.T * camera.exposure
    return [
        CardReading((light * (1 + rng.normal(0, noise, light.shape))).astype(np.float32))
        for _ in range(count)
    ]


def rows(found: CameraMatrix | CardWord) -> np.ndarray:
    assert isinstance(found, CameraMatrix), found
    return np.array(found.rows)


@pytest.mark.parametrize("lamp", [(1.0, 1.0, 1.0), TUNGSTEN, SHADE])
@pytest.mark.parametrize("crosstalk", [NO_CROSSTALK, CROSSTALK])
def test_a_known_camera_is_undone(
    lamp: tuple[float, float, float], crosstalk: tuple[tuple[float, float, float], ...]
) -> None:
    """Under noise the matrix times the camera's own is a multiple of the identity, to five hundredths."""
    camera = Camera(lamp=lamp, crosstalk=crosstalk, exposure=0.6)
    undone = rows(fitted(readings(camera, noise=0.01), asked())) @ camera.matrix
    assert undone / undone.sum(axis=1).mean() == pytest.approx(np.eye(3), abs=0.05)


def test_an_ideal_camera_gets_the_identity() -> None:
    """Where the patches are seen as they are, nothing is changed, and nothing is left over."""
    found = fitted(readings(Camera()), asked())
    assert rows(found) == pytest.approx(np.eye(3), abs=1.5 / STEPS)
    assert isinstance(found, CameraMatrix)
    assert found.residual == 0


def test_brightness_stays_the_cameras_own() -> None:
    """Exposure changes no entry; what a grey's luminance was, it stays."""
    dark, bright = (
        rows(fitted(readings(Camera(lamp=TUNGSTEN, exposure=exposure)), asked())) for exposure in (0.2, 0.9)
    )
    assert dark == pytest.approx(bright, abs=1.5 / STEPS)
    luminance = np.array([0.2126729, 0.7151522, 0.0721750])
    grey = np.array(TUNGSTEN)
    assert luminance @ (dark @ grey) == pytest.approx(luminance @ grey, rel=0.01)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(0.6, 1.8)] * 3))
def test_greys_come_out_grey(lamp: tuple[float, float, float]) -> None:
    """Under any lamp whose channels differ up to threefold, a grey patch leaves the matrix without a tint."""
    camera = Camera(lamp=lamp, crosstalk=CROSSTALK, exposure=0.5)
    grey = rows(fitted(readings(camera), asked())) @ camera.matrix @ np.ones(3)
    assert grey / grey.mean() == pytest.approx(np.ones(3), abs=0.01)


def test_a_lamp_beyond_what_a_matrix_holds_is_a_misfit() -> None:
    """Channels that differ three and a half times are said to fit no camera, not corrected half."""
    lamp = (1.8, 1.8, 0.5)
    assert fitted(readings(Camera(lamp=lamp, crosstalk=CROSSTALK, exposure=0.5)), asked()) is CardWord.MISFIT


def test_one_spoilt_patch_does_not_carry_the_rest() -> None:
    """A patch that faded (or was touched up) moves the matrix little: large residuals weigh less."""
    clean = rows(fitted(readings(Camera(crosstalk=CROSSTALK)), asked()))
    spoilt = readings(Camera(crosstalk=CROSSTALK))
    for reading in spoilt:
        reading.light[list(PATCHES).index("blue")] = (0.25, 0.2, 0.05)
    assert rows(fitted(spoilt, asked())) == pytest.approx(clean, abs=0.1)


def test_other_colours_than_the_cards_are_refused() -> None:
    """Patches in another order, as of some other card, give no matrix."""
    shuffled = [CardReading(reading.light[::-1].copy()) for reading in readings(Camera())]
    assert fitted(shuffled, asked()) is CardWord.MISFIT
    rng = np.random.default_rng(1)
    enhanced = {
        name: tuple(np.array(light) * np.exp(rng.normal(0, 0.45, 3))) for name, light in asked().items()
    }
    assert fitted(readings(Camera()), enhanced) is CardWord.MISFIT  # type: ignore[arg-type]


def test_a_lamp_without_blue_is_refused() -> None:
    """Under sodium light no matrix brings colours back, and none is made up."""
    camera = Camera(lamp=(1.6, 0.8, 0.02), crosstalk=CROSSTALK)
    assert fitted(readings(camera, noise=0.01), asked()) is CardWord.MISFIT


def test_a_camera_that_still_settles_is_waited_for() -> None:
    """Frames whose colours drift give no matrix; frames whose brightness alone drifts do."""
    drifting = [
        readings(Camera(lamp=(1.0 + 0.04 * number, 1.0, 1.0)), count=1)[0] for number in range(FRAMES)
    ]
    assert fitted(drifting, asked()) is CardWord.UNSTEADY
    brighter = [readings(Camera(exposure=0.3 + 0.05 * number), count=1)[0] for number in range(FRAMES)]
    assert isinstance(fitted(brighter, asked()), CameraMatrix)


def test_patches_cut_in_some_frames_are_left_out_of_all() -> None:
    """A patch at the sensor's edge, there in one frame and cut in the next, neither spoils nor stops the fit."""
    seen = readings(Camera(lamp=SHADE, crosstalk=CROSSTALK, exposure=0.8))
    for reading in seen[::2]:
        reading.light[list(PATCHES).index("paper")] = np.nan
    undone = rows(fitted(seen, asked())) @ Camera(lamp=SHADE, crosstalk=CROSSTALK).matrix
    assert undone / undone.sum(axis=1).mean() == pytest.approx(np.eye(3), abs=0.04)


def test_a_fit_stands_on_enough_greys() -> None:
    """With fewer than three greys left there is no white to preserve."""
    seen = readings(Camera())
    for reading in seen:
        for name in GREYS[:4]:
            reading.light[list(PATCHES).index(name)] = np.nan
    assert fitted(seen, asked()) is CardWord.CLIPPED


def test_a_measured_print_is_fitted_to_what_it_is() -> None:
    """Where the inks are off and were measured, greys included, the camera is undone all the same."""
    rng = np.random.default_rng(4)
    inks = {name: tuple(np.array(light) * np.exp(rng.normal(0, 0.08, 3))) for name, light in asked().items()}
    camera = Camera(lamp=TUNGSTEN, crosstalk=CROSSTALK, exposure=0.6)
    light = np.array(list(inks.values())) @ camera.matrix.T * camera.exposure
    undone = rows(fitted([CardReading(light.astype(np.float32))] * FRAMES, inks)) @ camera.matrix  # type: ignore[arg-type]
    assert undone / undone.sum(axis=1).mean() == pytest.approx(np.eye(3), abs=0.05)
