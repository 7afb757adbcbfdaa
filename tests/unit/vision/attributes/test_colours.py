from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocol.vocabulary import COLOURS
from appliance.unit.vision.attributes.colours import (
    Balance,
    balanced,
    hue,
    lab,
    lab_of_linear,
    linear,
    name_shares,
)

# CSS Color Module Level 4, section 6.1: names whose basic term nobody disputes.
NAMED = (
    ("black", "black", (0, 0, 0)), ("white", "white", (255, 255, 255)), ("whitesmoke", "white", (245, 245, 245)),
    ("grey", "grey", (128, 128, 128)), ("dimgrey", "grey", (105, 105, 105)), ("darkgrey", "grey", (169, 169, 169)),
    ("red", "red", (255, 0, 0)), ("crimson", "red", (220, 20, 60)), ("firebrick", "red", (178, 34, 34)),
    ("darkred", "red", (139, 0, 0)), ("orange", "orange", (255, 165, 0)), ("darkorange", "orange", (255, 140, 0)),
    ("saddlebrown", "brown", (139, 69, 19)), ("sienna", "brown", (160, 82, 45)), ("tan", "beige", (210, 180, 140)),
    ("wheat", "beige", (245, 222, 179)), ("beige", "beige", (245, 245, 220)), ("bisque", "beige", (255, 228, 196)),
    ("yellow", "yellow", (255, 255, 0)), ("gold", "yellow", (255, 215, 0)), ("khaki", "yellow", (240, 230, 140)),
    ("green", "green", (0, 128, 0)), ("lime", "green", (0, 255, 0)), ("seagreen", "green", (46, 139, 87)),
    ("darkgreen", "green", (0, 100, 0)), ("olivedrab", "green", (107, 142, 35)),
    ("darkolivegreen", "green", (85, 107, 47)), ("blue", "blue", (0, 0, 255)), ("navy", "blue", (0, 0, 128)),
    ("royalblue", "blue", (65, 105, 225)), ("steelblue", "blue", (70, 130, 180)),
    ("skyblue", "blue", (135, 206, 235)),
    ("midnightblue", "blue", (25, 25, 112)), ("purple", "purple", (128, 0, 128)), ("indigo", "purple", (75, 0, 130)),
    ("mediumpurple", "purple", (147, 112, 219)), ("rebeccapurple", "purple", (102, 51, 153)),
    ("pink", "pink", (255, 192, 203)), ("hotpink", "pink", (255, 105, 180)), ("lightpink", "pink", (255, 182, 193)),
    ("palevioletred", "pink", (219, 112, 147)),
)  # fmt: skip


def names_of(rgb: tuple[int, int, int], exposure: float = 1.0) -> dict[str, float]:
    light = np.minimum(linear(np.array([rgb], np.uint8)) * np.float32(exposure), np.float32(1))
    lightness, a, b = lab_of_linear(light)[0].tolist()
    return dict(zip(COLOURS, name_shares(lightness, a, b), strict=True))


@pytest.mark.parametrize(("css", "term", "rgb"), NAMED, ids=[row[0] for row in NAMED])
def test_css_colours_have_their_names(css: str, term: str, rgb: tuple[int, int, int]) -> None:
    """A CSS colour is called by the basic term its name says."""
    shares = names_of(rgb)
    assert max(shares, key=shares.__getitem__) == term, (css, shares)


def test_names_survive_a_change_of_exposure() -> None:
    """Under two thirds to four thirds of the light, at least nine in ten hued swatches keep their name."""
    hued = [row for row in NAMED if row[1] not in {"black", "grey", "white", "beige", "brown"}]
    kept = 0
    for _, term, rgb in hued:
        for exposure in (0.65, 1.35):
            shares = names_of(rgb, exposure)
            kept += max(shares, key=shares.__getitem__) == term
    assert kept >= 0.9 * 2 * len(hued)


def test_lab_agrees_with_another_library() -> None:
    """CIELAB is that of OpenCV to within rounding."""
    rgb = np.random.default_rng(1).integers(0, 256, (500, 3)).astype(np.uint8)
    theirs = cv2.cvtColor((rgb[np.newaxis] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)[0]
    assert np.abs(lab(rgb) - theirs).max() < 0.5


def test_hue_tells_blue_from_lilac() -> None:
    """Pure blue and lilac, one hue in CIELAB, are two."""
    blue, lilac = (hue(*lab(np.array([rgb], np.uint8))[0].tolist()) for rgb in ((0, 0, 255), (147, 112, 219)))
    assert abs(blue - 264) < 2
    assert lilac - blue > 25


@given(st.floats(0, 100), st.floats(-120, 120), st.floats(-120, 120))
def test_shares_add_up(lightness: float, a: float, b: float) -> None:
    """Whatever the colour, its shares are at least zero and add up to one."""
    shares = name_shares(lightness, a, b)
    assert min(shares) >= 0
    assert sum(shares) == pytest.approx(1)


def test_grey_world_goes_half_way() -> None:
    """A reddish scene is balanced against red, by half of its cast and never by more than a quarter."""
    balance = Balance()
    assert balance.gains == pytest.approx(np.ones(3))
    balance.look(np.full((64, 64, 3), (140, 128, 128), np.uint8))
    red, green, blue = balance.gains
    assert red < 1 < green == blue
    balance.look(np.full((64, 64, 3), (255, 10, 10), np.uint8), memory=0.0)
    assert balance.gains.max() / balance.gains.min() <= 1.25**2 + 1e-6


def test_without_a_card_nothing_has_changed() -> None:
    """Bit by bit, light under gains is the light times the gains, cut at white, as before there was a card."""
    rng = np.random.default_rng(0)
    balance = Balance()
    balance.look(rng.integers(0, 256, (64, 64, 3), np.uint8))
    light = linear(rng.integers(0, 256, (500, 3), np.uint8))
    assert (balance.light == balance.gains).all()
    before = np.minimum(light * balance.gains, np.float32(1.0))
    after = balanced(light, balance.light)
    assert after.dtype == np.float32
    assert after.tobytes() == before.tobytes()


def test_the_cards_matrix_comes_before_the_balance() -> None:
    """A scene that the matrix makes grey asks for no gain; what tint it leaves is balanced by a quarter."""
    matrix = np.array([[0.7, 0.1, 0.0], [0.0, 1.0, 0.0], [0.0, -0.1, 1.6]], np.float32)
    grey = np.linalg.solve(matrix.astype(np.float64), np.full(3, 0.2))
    scene = np.asarray(np.round(255 * (1.055 * grey ** (1 / 2.4) - 0.055)), np.uint8)
    balance = Balance(matrix)
    balance.look(np.tile(scene, (64, 64, 1)))
    assert balance.gains == pytest.approx(np.ones(3), abs=0.01)
    assert balanced(linear(scene[None]), balance.light) == pytest.approx(0.2, abs=0.01)
    tinted = Balance(np.eye(3, dtype=np.float32))
    tinted.look(np.tile(np.array([188, 137, 137], np.uint8), (64, 64, 1)))  # twice as much red
    assert tinted.gains[1] / tinted.gains[0] == pytest.approx(2**0.25, rel=0.01)
    assert (tinted.anew().gains == 1).all()


def test_the_identity_is_no_correction() -> None:
    """A matrix of ones and zeros leaves light as it is, however little the rest of the frame says."""
    light = linear(np.random.default_rng(0).integers(0, 256, (100, 3), np.uint8))
    assert balanced(light, Balance(np.eye(3, dtype=np.float32)).light) == pytest.approx(light, abs=1e-6)


def test_light_beyond_black_and_white_is_cut() -> None:
    """A matrix may lead out of what can be; colours stay between black and white."""
    matrix = np.array([[3, -1, 0], [-1, 3, 0], [0, 0, 3]], np.float32)
    mended = balanced(np.array([[0.9, 0.1, 0.5]], np.float32), matrix)
    assert mended.tolist() == [[1.0, 0.0, 1.0]]
