"""From a piece of worn cloth to likelihoods of its pattern."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from appliance.base.errors import Unfit
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.pattern import (
    KINDS,
    SIDE,
    Patterns,
    contrast,
    likelihoods,
    patterned_odds,
    shown,
    window,
)
from appliance.unit.vision.models.runtime import Model, Wish, choose_accelerator, load_model

LEVELS = ATTRIBUTES[INDEX["top.pattern"]].levels
PERSON = 200
NAVY, CREAM, RED = (20, 30, 70), (235, 230, 215), (180, 30, 40)


def person(cloth: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A crop of somebody 200 pixels high before a grey street, with a little sensor noise, and the top's mask."""
    pixels = np.full((PERSON, 90, 3), 128, np.uint8)
    pixels[40:104, 15:75] = cloth
    mask = np.zeros((PERSON, 90), np.uint8)
    mask[42:102, 17:73] = 255
    grain = np.random.default_rng(4).normal(0, 2, pixels.shape)
    soft = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 0.5)
    return np.clip(soft + grain, 0, 255).astype(np.uint8), mask


def doubled(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.repeat(np.repeat(image, 2, axis=0), 2, axis=1), np.uint8)


def dyed(rgb: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    return np.full((64, 60, 3), rgb, np.uint8)


def sailor() -> npt.NDArray[np.uint8]:
    cloth = dyed(CREAM)
    cloth[np.arange(64) % 8 < 4] = NAVY
    return cloth


def gingham() -> npt.NDArray[np.uint8]:
    rows, columns = np.arange(64)[:, np.newaxis] % 10 < 5, np.arange(60) % 10 < 5
    share = (rows.astype(np.float32) + columns) / 2
    mixed = share[..., np.newaxis] * np.array(RED) + (1 - share[..., np.newaxis]) * np.array(CREAM)
    return np.asarray(mixed, np.uint8)


def blossoms() -> npt.NDArray[np.uint8]:
    cloth, rng = dyed(NAVY), np.random.default_rng(8)
    for x, y in rng.integers(0, 62, (26, 2)).tolist():
        cv2.circle(cloth, (x, y), 4, RED, -1)
        cv2.ellipse(cloth, (x + 4, y + 3), (4, 2), float(x * 7), 0, 360, CREAM, -1)
    return cloth


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(
        read_catalogue(default_model_directory()).named("pattern"), choose_accelerator(wish=Wish.CPU)
    )


def test_nothing_outside_the_mask_is_seen() -> None:
    """Whatever lies beside the cloth, a head for instance, the network is fed the same bytes."""
    pixels, mask = person(sailor())
    cv2.circle(mask, (45, 70), 12, 0, -1)  # a hand
    other = np.where(mask[..., np.newaxis] > 0, pixels, np.uint8(7))
    one, two = window(pixels, mask, PERSON), window(other, mask, PERSON)
    assert one is not None
    assert two is not None
    assert np.array_equal(shown(one), shown(two))


def test_the_camera_s_distance_is_no_input() -> None:
    """The same cloth on a person twice as many pixels high fills the same texels."""
    pixels, mask = person(dyed(RED))
    near, far = window(doubled(pixels), doubled(mask), 2 * PERSON), window(pixels, mask, PERSON)
    assert near is not None
    assert far is not None
    assert near.mask.shape == far.mask.shape == (SIDE, SIDE)
    assert np.count_nonzero(near.mask != far.mask) < 0.03 * SIDE * SIDE


@pytest.mark.parametrize("colour", [NAVY, CREAM, RED])
def test_plain_cloth_is_fed_without_an_edge(colour: tuple[int, int, int]) -> None:
    """Plain cloth of any colour fills the whole picture, without an edge where it ends."""
    pixels, mask = person(dyed(colour))
    cloth = window(np.where(mask[..., np.newaxis] > 0, np.array(colour, np.uint8), pixels), mask, PERSON)
    assert cloth is not None
    assert np.abs(shown(cloth).astype(int) - colour).max() <= 1


@pytest.mark.parametrize("colour", [(200, 30, 40), (20, 60, 200), (240, 160, 20)])
def test_the_edge_of_a_shadow_has_as_much_contrast_on_any_dye(colour: tuple[int, int, int]) -> None:
    """A third less light below a line is no more contrast on vivid cloth than on grey cloth as light as it."""

    def shaded(rgb: npt.NDArray[np.float64]) -> float:
        cloth = np.full((64, 60, 3), 0.0)
        cloth[:] = (rgb / 255) ** 2.2
        cloth[36:] *= 0.66
        pixels, mask = person(np.rint(255 * cloth ** (1 / 2.2)).astype(np.uint8))
        seen = window(pixels, mask, PERSON)
        assert seen is not None
        return contrast(seen)

    lab = cv2.cvtColor(np.array([[colour]], np.uint8), cv2.COLOR_RGB2Lab)
    lab[..., 1:] = 128
    grey = np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)[0, 0], np.float64)
    assert shaded(np.array(colour, np.float64)) < 1.6 * shaded(grey)


def test_the_outline_of_a_garment_is_no_edge() -> None:
    """Just beyond the mask stands the colour of the cloth beside it, not its middle colour."""
    halves = dyed(CREAM)
    halves[:, :24] = NAVY
    pixels, mask = person(halves)
    cloth = window(pixels, mask, PERSON)
    assert cloth is not None
    light = shown(cloth)[SIDE // 2, :, 0].astype(int)
    first = int(np.flatnonzero(cloth.mask[SIDE // 2])[0])
    assert light[first + 4] < 100
    assert abs(light[first - 2] - light[first + 4]) < 20


@pytest.mark.parametrize("height", [0.0, -3.0, float("nan")])
def test_a_person_without_height_gives_no_window(height: float) -> None:
    """A height that is none gives None."""
    pixels, mask = person(sailor())
    assert window(pixels, mask, height) is None


def test_too_little_cloth_gives_no_window() -> None:
    """Below 120 masked pixels nothing is guessed; scattered pixels that fill no texel give nothing."""
    pixels, mask = person(sailor())
    little = np.zeros_like(mask)
    little[50:60, 20:31] = 255
    assert window(pixels, little, PERSON) is None
    scattered = np.where(np.indices(mask.shape).sum(axis=0) % 2 == 0, 255, 0).astype(np.uint8)
    assert window(pixels, scattered, 2000) is None


def test_a_large_garment_is_cut_where_it_is_fullest() -> None:
    """Of a garment larger than the window the square with most cloth is taken."""
    pixels, mask = np.full((300, 150, 3), 90, np.uint8), np.zeros((300, 150), np.uint8)
    mask[20:280, 60:64] = 255
    mask[150:280, 20:140] = 255
    cloth = window(pixels, mask, 256)
    assert cloth is not None
    assert cloth.mask.all()


def test_noise_in_gives_a_picture_out() -> None:
    """Any pixels under any mask give a 96 x 96 picture or None, never an error."""
    rng = np.random.default_rng(6)
    for _ in range(40):
        rows, columns = rng.integers(1, 160, 2)
        pixels = rng.integers(0, 256, (rows, columns, 3), np.uint8)
        mask = np.where(rng.random((rows, columns)) < rng.random(), 255, 0).astype(np.uint8)
        cloth = window(pixels, mask, float(rng.uniform(20, 900)))
        assert cloth is None or shown(cloth).shape == (SIDE, SIDE, 3)


def test_flat_cloth_has_no_contrast_and_stripes_have_much() -> None:
    """The contrast of evenly dyed cloth is 0; that of navy stripes on cream is three times that of sensor noise."""
    _, mask = person(sailor())
    flat = window(np.full((PERSON, 90, 3), 77, np.uint8), mask, PERSON)
    grain, stripes = window(*person(dyed(RED)), PERSON), window(*person(sailor()), PERSON)
    assert flat is not None
    assert grain is not None
    assert stripes is not None
    assert contrast(flat) == pytest.approx(0, abs=1e-3)
    assert contrast(stripes) > 3 * contrast(grain)


def test_contrast_is_taken_in_texels_of_the_body() -> None:
    """Stripes keep their contrast within a quarter when the person is half as many pixels high."""
    pixels, mask = person(sailor())
    near = window(doubled(pixels), doubled(mask), 2 * PERSON)
    far = window(pixels, mask, PERSON)
    assert near is not None
    assert far is not None
    assert contrast(far) == pytest.approx(contrast(near), rel=0.25)


def test_more_contrast_makes_a_pattern_likelier() -> None:
    """With the same word from the network, rough cloth is rather patterned than smooth cloth."""
    logits = np.zeros(4, np.float32)
    assert patterned_odds(logits, 4.0) > patterned_odds(logits, 1.0) > patterned_odds(logits, 0.0)


def test_a_kind_not_told_is_patterned() -> None:
    """Where the kinds are equally likely, so is patterned; where one is sure, it is above patterned."""
    unsure = dict(zip(LEVELS, likelihoods(np.array([-9, 2, 2, 2], np.float32), 3.0), strict=True))
    assert unsure["patterned"] == pytest.approx(unsure["striped"])
    assert unsure["plain"] < 0.05
    sure = dict(zip(LEVELS, likelihoods(np.array([-4, 6, -4, -4], np.float32), 3.0), strict=True))
    assert sure["striped"] == 1
    assert 0 < sure["patterned"] < 0.5


def test_patterned_against_plain_is_what_the_odds_say() -> None:
    """The likelihood of patterned over that of plain is the exponential of the joint log odds, whatever the kinds."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        logits, rough = rng.normal(0, 3, 4).astype(np.float32), float(rng.uniform(0.2, 6))
        level = dict(zip(LEVELS, likelihoods(logits, rough), strict=True))
        odds = max(-20.0, min(20.0, patterned_odds(logits, rough)))
        assert level["patterned"] / level["plain"] == pytest.approx(np.exp(odds), rel=1e-6)
        assert max(level.values()) == 1


@pytest.mark.parametrize(
    ("cloth", "kind"),
    [(dyed(NAVY), "plain"), (sailor(), "striped"), (gingham(), "checked"), (blossoms(), "figured")],
)
def test_the_shipped_network_tells_textbook_cloth(
    model: Model, cloth: npt.NDArray[np.uint8], kind: str
) -> None:
    """Sailor stripes are striped, gingham is checked, blossoms are figured, and navy is plain."""
    likelihood = Patterns(model).read(*person(cloth), PERSON)
    assert likelihood is not None
    assert len(likelihood) == len(LEVELS)
    assert LEVELS[int(np.argmax(likelihood))] == kind


def test_cloth_turned_about_is_the_same_cloth(model: Model) -> None:
    """Upside down or turned about, sailor stripes give nearly the same logits, because the views are voted over."""
    patterns, seen = Patterns(model), window(*person(sailor()), PERSON)
    assert seen is not None
    picture = shown(seen)
    upright = patterns.logits(picture)
    for turned in (picture[::-1], picture[::-1, ::-1]):
        assert np.abs(patterns.logits(np.ascontiguousarray(turned)) - upright).max() < 0.25


def test_reading_twice_gives_the_same(model: Model) -> None:
    """The reused input buffer leaves nothing behind."""
    patterns = Patterns(model)
    first = patterns.read(*person(sailor()), PERSON)
    patterns.read(*person(blossoms()), PERSON)
    assert patterns.read(*person(sailor()), PERSON) == first


def test_a_network_of_another_shape_is_refused(model: Model) -> None:
    """A model whose tensors are not a 96 x 96 picture and four logits is unfit."""
    wrong = replace(model.card, input=replace(model.card.input, shape=(1, 64, 64, 3)))
    model_of_other_shape = object.__new__(Model)
    model_of_other_shape.card = wrong
    with pytest.raises(Unfit, match="64"):
        Patterns(model_of_other_shape)


def test_the_catalogue_names_the_kinds_in_order(model: Model) -> None:
    """MODELS.toml's labels are the order of the network's outputs."""
    assert model.card.labels == KINDS
