"""The few colours of a piece of cloth."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.unit.vision.attributes.palette import merged, palette, split, swatches


def cloth(rng: np.random.Generator, middle: tuple[float, float, float], count: int) -> np.ndarray:
    """CIELAB samples of a folded cloth: lightness spreads more than hue."""
    return (np.array(middle) + rng.normal(0, 1, (count, 3)) * (5, 1.5, 1.5)).astype(np.float32)


def test_one_cloth_is_one_colour() -> None:
    """Folds do not make a second colour."""
    swatches = palette(cloth(np.random.default_rng(2), (45, 30, 20), 400))
    assert len(swatches) == 1
    assert swatches[0].share == pytest.approx(1)
    assert swatches[0].lightness == pytest.approx(45, abs=2)


def test_two_cloths_are_two_colours() -> None:
    """A third of another cloth is found with its share."""
    rng = np.random.default_rng(3)
    both = np.concatenate([cloth(rng, (20, 0, 0), 400), cloth(rng, (70, 40, 30), 200)])
    first, second = palette(rng.permutation(both))
    assert first.lightness == pytest.approx(20, abs=3)
    assert second.share == pytest.approx(1 / 3, abs=0.06)


def test_a_palette_is_a_function_of_its_samples() -> None:
    """The same samples give the same palette every time."""
    samples = np.random.default_rng(4).uniform(0, 80, (500, 3)).astype(np.float32)
    assert palette(samples) == palette(samples.copy())


def test_nothing_has_no_palette() -> None:
    """Too few samples give no colour."""
    assert palette(np.zeros((0, 3), np.float32)) == ()


def test_merged_swatches_spread_as_their_samples_do() -> None:
    """Two clusters taken together have the share, middle and spread that all their samples have."""
    samples = np.random.default_rng(5).uniform(30, 60, (400, 3)).astype(np.float32)
    (together,) = merged(swatches(split(samples)), 1e9)
    assert together.share == pytest.approx(1)
    assert (together.lightness, together.a, together.b) == pytest.approx(
        samples.mean(axis=0).tolist(), rel=1e-4
    )
    assert together.spread == pytest.approx(float(samples[:, 0].std()), rel=1e-4)
