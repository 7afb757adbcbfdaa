"""Kinds of garments: the network's word weighed with what is seen by place."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from appliance.unit.vision.attributes.garment_kinds import TRUST, fused, kinds
from appliance.unit.vision.attributes.likelihood import CONSTANTS, ColourSample
from appliance.unit.vision.attributes.region_colours import RegionColours
from appliance.unit.vision.models.garments import HEADS, Worn

LOWER = dict(zip(("trousers", "shorts", "skirt_or_dress"), TRUST["lower.kind"].trained, strict=True))


def look(*middle: float) -> ColourSample:
    """A region all of one CIELAB colour."""
    lightness, a, b = middle
    return ColourSample(np.tile(np.array(middle, np.float32), (24, 1)), (lightness, a, b))


def worn(**sure: str) -> Worn:
    """What a network says that is sure of the levels given, and elsewhere answers as it was trained to."""
    found = []
    for name, levels in HEADS:
        word = sure.get(name.replace(".", "_"))
        trust = TRUST.get(name)
        prior = trust.trained if trust else (0.5, 0.5)
        found.append(tuple(float(level == word) for level in levels) if word else tuple(prior))
    return Worn(
        cells=np.zeros((64, 32, 7), np.float32),
        kinds=tuple(found),
        to_crop=np.eye(2, 3, dtype=np.float32),
        seen=np.zeros((4, 4), np.uint8),
    )


def test_an_answer_as_common_as_in_training_says_nothing() -> None:
    """A network that answers with the shares it was trained on makes no level likelier than another."""
    likelihood = fused("lower.kind", LOWER, None)
    assert likelihood is not None
    assert list(likelihood.values()) == pytest.approx([1.0, 1.0, 1.0])


def test_without_a_network_place_counts_in_full() -> None:
    """With no network the likelihood is the one by place; with neither there is none."""
    place = {"long": 0.9, "short": 0.1}
    assert fused("sleeves", None, place) == place
    assert fused("sleeves", None, None) is None


def test_both_sources_agreeing_are_surer_than_one() -> None:
    """Bare forearms make the network's short sleeves likelier still, and never rule the other level out."""
    seen, place = {"long": 0.3, "short": 0.7}, {"long": 0.1, "short": 0.9}
    alone, both = fused("sleeves", seen, None), fused("sleeves", seen, place)
    assert alone is not None
    assert both is not None
    assert both["short"] == 1.0
    assert 0 < both["long"] < alone["long"]


@pytest.mark.parametrize("name", sorted(TRUST))
def test_training_shares_are_a_distribution(name: str) -> None:
    """The shares a network was trained on have one entry per level and add up to one."""
    assert len(TRUST[name].trained) == len(ATTRIBUTES[INDEX[name]].levels)
    assert sum(TRUST[name].trained) == pytest.approx(1.0)


def test_the_network_speaks_where_place_is_silent() -> None:
    """Nobody's limbs are seen, and still the network's skirt and open coat are read."""
    found = dict(kinds(worn(lower_kind="skirt_or_dress", outer="open"), RegionColours(), 50.0, CONSTANTS))
    assert max(range(3), key=found["lower.kind"].__getitem__) == 2
    assert max(range(3), key=found["outer"].__getitem__) == 1


def test_one_piece_is_not_read() -> None:
    """Neither a network sure of one piece nor unlike cloth above and below makes a reading of it."""
    halves = RegionColours(cloth_above=look(50, 60, 40), cloth_below=look(30, 10, -50))
    found = dict(kinds(worn(one_piece="yes"), halves, 50.0, CONSTANTS))
    assert set(found) == {"lower.kind", "sleeves", "outer"}
    assert all(sum(shares) == pytest.approx(1) for shares in found.values())
