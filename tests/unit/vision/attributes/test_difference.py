"""CIEDE2000 against the test data published with its formula."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.unit.vision.attributes.ciede2000 import ciede2000

PAIRS = (
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.0200), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
)
"""Sharma, Wu and Dalal 2005, table 1."""


@pytest.mark.parametrize(("first", "second", "apart"), PAIRS)
def test_the_published_differences_come_out(
    first: tuple[float, ...], second: tuple[float, ...], apart: float
) -> None:
    """Each pair of the published table is as far apart as it says, both ways round."""
    assert ciede2000(np.array(first), np.array(second)) == pytest.approx(apart, abs=5e-5)
    assert ciede2000(np.array(second), np.array(first)) == pytest.approx(apart, abs=5e-5)


def test_many_pairs_are_judged_at_once() -> None:
    """Arrays of colours give arrays of differences; a colour is not apart from itself, grey neither."""
    first, second, apart = (np.array(column) for column in zip(*PAIRS, strict=True))
    assert ciede2000(first, second) == pytest.approx(apart, abs=5e-5)
    assert ciede2000(first, first) == pytest.approx(np.zeros(len(PAIRS)))
    assert ciede2000(np.array([50.0, 0, 0]), np.array([50.0, 0, 0])) == 0
