"""Zones where nobody counts: geometry, one spelling, and a unit that would rather not see than see there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.base.errors import Unfit
from appliance.protocol.setup_order import check_zones, covered, within
from appliance.unit.inputs.zones import in_any, kept_at, spelled, taken, zones_in
from tests.unit.inputs.test_lock import unit_at

SQUARE = ((8, 8), (16, 8), (16, 16), (8, 16))
BAY = ((0, 0), (20, 0), (20, 20), (10, 4), (0, 20))
"""A polygon with a bay from below: its middle is outside."""


@pytest.mark.parametrize(
    ("zone", "x", "y", "inside"),
    [
        (SQUARE, 12, 12, True), (SQUARE, 8.1, 8.1, True), (SQUARE, 7.9, 12, False), (SQUARE, 12, 16.1, False),
        (SQUARE, 99, 12, False), (BAY, 10, 2, True), (BAY, 10, 12, False), (BAY, 1, 15, True), (BAY, 19, 15, True),
    ],
)  # fmt: skip
def test_a_point_is_inside_or_not(
    zone: tuple[tuple[int, int], ...], x: float, y: float, inside: bool
) -> None:
    """The even-odd rule holds for squares and for polygons with a bay; where the drawing begins does not matter."""
    assert within(zone, x, y) is inside
    assert within(zone[::-1], x, y) is inside
    assert within((*zone[2:], *zone[:2]), x, y) is inside


def test_feet_at_the_pictures_edge_stand_in_a_zone_that_reaches_there() -> None:
    """A zone to the lower edge holds whoever's feet are cut off by it."""
    floor = ((0, 30), (64, 30), (64, 36), (0, 36))
    assert in_any((floor,), 640.0, 720.0, (1280, 720))
    assert not in_any((floor,), 640.0, 500.0, (1280, 720))
    assert not in_any((), 640.0, 720.0, (1280, 720))


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 64), st.integers(0, 36)), min_size=3, max_size=8), max_size=8)
)
def test_zones_survive_their_file(zones: list[list[tuple[int, int]]]) -> None:
    """What is written is read, byte for byte."""
    kept = tuple(map(tuple, zones))
    assume(covered(kept) <= 0.8)
    assert zones_in(spelled(kept), "here") == kept


@pytest.mark.parametrize(
    "untrusted",
    [
        b"", b"leftfield zones 2\n", b"leftfield zones 1", b"leftfield zones 1\n0,0 1,1\n", b"\xff" * 40,
        b"leftfield zones 1\n0,0 1,1 65,0\n", b"leftfield zones 1\n0,0 1,1 02,0\n", b"x" * 5000,
        b"leftfield zones 1\n" + b"0,0 9,0 0,9\n" * 9, b"leftfield zones 1\n0,0 1,1 2,0 \n",
    ],
)  # fmt: skip
def test_a_file_that_is_none_stops_the_unit(untrusted: bytes) -> None:
    """To count where somebody said that nobody counts would break their word: Unfit, with what to do."""
    with pytest.raises(Unfit, match="zones"):
        zones_in(untrusted, "here")


def test_zones_that_leave_out_nearly_everybody_are_refused() -> None:
    """More than 80 % of the picture, all zones together, is no camera any more; what overlaps counts once."""
    most, all_of_it = ((0, 0), (64, 0), (64, 28), (0, 28)), ((0, 0), (64, 0), (64, 36), (0, 36))
    check_zones((most, most))
    with pytest.raises(ValueError, match="80 %"):
        check_zones((all_of_it,))
    with pytest.raises(Unfit, match="80 %"):
        zones_in(spelled((most, ((0, 28), (64, 28), (64, 36), (0, 36)))), "here")


def test_sense_takes_the_credential_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under systemd the credential counts, ``none`` too; by hand the file."""
    unit = unit_at(tmp_path)
    assert taken(unit.config) == ((), "everybody in the picture counts")
    kept_at(unit.config.zones, (SQUARE,))
    assert taken(unit.config)[0] == (SQUARE,)
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / "zones").write_bytes(b"none")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    assert taken(unit.config)[0] == ()
