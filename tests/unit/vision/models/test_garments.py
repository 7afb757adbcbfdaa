"""From a headless person to where cloth is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from appliance.unit.vision.attributes.reading import pattern_masks
from appliance.unit.vision.models.catalogue import ModelFile, TensorSpec
from appliance.unit.vision.models.garments import (
    COLUMNS,
    HEADS,
    LOGITS,
    PLACES,
    ROWS,
    SHOULDER_ROW,
    TORSO_ROWS,
    Worn,
    alignment,
    one_cloth,
    place,
    refined,
    shown,
    worn,
)
from appliance.unit.vision.regions import Headless, regions
from appliance.unit.vision.types import JOINTS, Joint

CARD = ModelFile(
    name="garments",
    path=Path("garments.tflite"),
    sha256="0" * 64,
    size=1,
    input=TensorSpec(name="in", shape=(1, ROWS, COLUMNS, 3), dtype="uint8", scale=1 / 127.5, zero=127),
    outputs=(
        TensorSpec(name="places", shape=(1, 64, 32, len(PLACES)), dtype="uint8", scale=0.1, zero=128),
        TensorSpec(name="kinds", shape=(1, LOGITS), dtype="uint8", scale=0.1, zero=128),
    ),
    labels=PLACES,
    licence="-",
    source="-",
    recipe="-",
    accuracy="-",
    compiled=None,
)


def standing(scale: float = 1.0, aside: float = 0.0) -> Headless:
    """Somebody upright: shoulders at row 40, hips at row 90, times ``scale``, on red."""
    joints = np.zeros((JOINTS, 3), np.float32)
    rows = {
        Joint.LEFT_SHOULDER: (65, 40), Joint.RIGHT_SHOULDER: (35, 40), Joint.LEFT_ELBOW: (70, 66),
        Joint.RIGHT_ELBOW: (30, 66), Joint.LEFT_WRIST: (72, 88), Joint.RIGHT_WRIST: (28, 88),
        Joint.LEFT_HIP: (59, 90), Joint.RIGHT_HIP: (41, 90), Joint.LEFT_KNEE: (58, 126),
        Joint.RIGHT_KNEE: (42, 126), Joint.LEFT_ANKLE: (58, 160), Joint.RIGHT_ANKLE: (42, 160),
    }  # fmt: skip
    for joint, (x, y) in rows.items():
        joints[joint] = (x * scale + aside, y * scale, 0.9)
    height, width = round(180 * scale), round(100 * scale + 2 * aside)
    seen = np.full((height, width), 255, np.uint8)
    seen[: round(44 * scale)] = 0
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[seen > 0] = (200, 30, 30)
    return Headless(pixels=pixels, seen=seen, joints=joints, torso=50 * scale, height=180 * scale, scale=1.0)


def raws(name: str, rows: slice = slice(None)) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Raw outputs that are sure of ``name`` in the given rows of the map, and of background elsewhere."""
    places = np.zeros((64, 32, len(PLACES)), np.uint8)
    places[..., PLACES.index("background")] = 200
    places[rows, :, PLACES.index("background")] = 0
    places[rows, :, PLACES.index(name)] = 200
    kinds = np.full(LOGITS, 128, np.uint8)
    kinds[0] = 178
    return places, kinds


@pytest.mark.parametrize(("scale", "aside"), [(1.0, 0.0), (0.5, 4.0), (2.0, 11.0)])
def test_shoulders_and_hips_come_to_the_same_place(scale: float, aside: float) -> None:
    """Whatever the person's size and place in the crop, shoulders land on row 14 and hips 37 rows below."""
    person = standing(scale, aside)
    to_net = alignment(person.joints)
    middles = [
        person.joints[[first, first + 1], :2].mean(axis=0) for first in (Joint.LEFT_SHOULDER, Joint.LEFT_HIP)
    ]
    shoulders, hips = (to_net[:, :2] @ middle + to_net[:, 2] for middle in middles)
    assert shoulders == pytest.approx((COLUMNS / 2, SHOULDER_ROW), abs=0.01)
    assert hips == pytest.approx((COLUMNS / 2, SHOULDER_ROW + TORSO_ROWS), abs=0.01)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.0])
def test_what_is_blanked_stays_black_in_what_is_fed(scale: float) -> None:
    """Nothing of the blanked rows above the shoulders reaches the network's input."""
    fed = shown(standing(scale))
    assert fed.shape == (ROWS, COLUMNS, 3)
    assert fed.dtype == np.uint8
    assert not fed[: int(SHOULDER_ROW)].any()
    assert fed[30, COLUMNS // 2].tolist() == [200, 30, 30]


def test_what_is_blanked_is_never_cloth() -> None:
    """A network that calls everything a garment still gives no blanked pixel to any region."""
    person = standing()
    look = worn(CARD, [raws("upper")], person)
    mask = place(look, ("upper",))
    assert mask is not None
    assert not mask[person.seen == 0].any()
    assert mask[70, 50] == 255


def test_the_map_returns_to_the_pixels_it_came_from() -> None:
    """Cells from the hips' row of the map on come back as pixels from the hips on, to within two pixels."""
    person = standing()
    hip_cell = round((SHOULDER_ROW + TORSO_ROWS) / 2)
    look = worn(CARD, [raws("lower", slice(hip_cell, None))], person)
    mask = place(look, ("lower",))
    assert mask is not None
    assert abs(int(np.nonzero(mask.any(axis=1))[0][0]) - 90) <= 2


def test_the_mirror_image_is_turned_back() -> None:
    """A lower garment seen on the left, and in the mirror image on the right, is on the left and sure."""
    person = standing()
    places, kinds = raws("background")
    places[26:40, :16] = 0
    places[26:40, :16, PLACES.index("lower")] = 200
    once = worn(CARD, [(places, kinds)], person)
    both = worn(CARD, [(places, kinds), (places[:, ::-1], kinds)], person)
    assert np.allclose(once.cells, both.cells, atol=1e-5)
    assert all(np.allclose(*pair) for pair in zip(both.kinds, once.kinds, strict=True))


def test_shares_and_kinds_are_distributions() -> None:
    """Each head's levels add up to one, and so do the shares of a pixel that is seen."""
    look = worn(CARD, [raws("limb")], standing())
    assert [len(found) for found in look.kinds] == [len(levels) for _, levels in HEADS]
    assert all(sum(found) == pytest.approx(1, abs=1e-5) for found in look.kinds)
    assert look.share(PLACES)[100, 50] == pytest.approx(1, abs=1e-4)
    assert look.kind("lower.kind")["trousers"] > 0.95
    with pytest.raises(KeyError):
        look.kind("age")


def test_skin_is_not_handed_on_as_cloth() -> None:
    """Where the network sees limbs only, geometry's cloth regions are kept and none is made of skin."""
    person = standing()
    cut = regions(person)
    assert cut is not None
    look: Worn = worn(CARD, [raws("limb")], person)
    assert place(look, ("upper", "outer")) is None
    better = refined(cut, look)
    assert better.top is cut.top
    assert better.thighs is cut.thighs


def test_sure_cloth_replaces_geometry() -> None:
    """Where the network is sure of a lower garment, that is the region below."""
    person = standing()
    cut = regions(person)
    assert cut is not None
    look = worn(CARD, [raws("lower", slice(26, 40))], person)
    better = refined(cut, look)
    assert better.thighs is not None
    assert better.thighs is not cut.thighs
    assert better.top is cut.top


def test_of_two_garments_the_larger_one_is_taken_alone() -> None:
    """An open jacket over a shirt: the mask is the jacket, without the shirt and without what is blanked."""
    person = standing()
    places, kinds = raws("outer", slice(8, 26))
    places[8:26, 12:20] = raws("upper")[0][8:26, 12:20]
    look = worn(CARD, [(places, kinds)], person)
    alone, together = one_cloth(look, ("upper", "outer"), 0.6, 50), place(look, ("upper", "outer"))
    shirt = place(look, ("upper",))
    assert alone is not None
    assert together is not None
    assert shirt is not None
    assert not (alone & shirt).any()
    assert not alone[person.seen == 0].any()
    assert 0.5 < np.count_nonzero(alone) / np.count_nonzero(together) < 0.9


def test_a_garment_too_small_to_judge_is_none() -> None:
    """Fewer pixels than asked for are no garment by themselves."""
    look = worn(CARD, [raws("upper", slice(8, 26))], standing())
    found = one_cloth(look, ("upper", "outer"), 0.6, 1)
    assert found is not None
    pixels = int(np.count_nonzero(found))
    assert one_cloth(look, ("upper", "outer"), 0.6, pixels) is not None
    assert one_cloth(look, ("upper", "outer"), 0.6, pixels + 1) is None


@pytest.mark.parametrize(("share", "own"), [(0.95, True), (0.6, True), (0.3, False)])
def test_a_pattern_is_read_from_one_garment_or_from_all_cloth(share: float, *, own: bool) -> None:
    """A lower garment that is sure, or else likelier than not, is read by itself; else all cloth below, as it was."""
    person = standing()
    cut = regions(person)
    assert cut is not None
    cells = np.full((64, 32, len(PLACES)), (1 - share) / (len(PLACES) - 1), np.float32)
    cells[..., PLACES.index("lower")] = share
    look = replace(worn(CARD, [raws("lower")], person), cells=cells)
    _, bottom = pattern_masks(person, cut, look)
    assert (bottom is not cut.thighs) is own
    assert pattern_masks(person, cut, None) == (cut.top, cut.thighs)
