"""The card in a picture: read under perspective, blur, noise and tint, or the word that says why not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from appliance.unit.card import sight
from appliance.unit.card.drawing import page
from appliance.unit.card.patches import CELLS, MARKERS, PATCHES, REFERENCE_CELLS, asked
from appliance.unit.card.search import Search
from appliance.unit.card.sight import CardReading, look
from appliance.unit.card.words import CardWord
from appliance.unit.inputs.colour_matrix import CameraMatrix
from appliance.unit.vision.types import Frame
from tests import cards
from tests.cards import Camera

MARKERS_OF = sight.detector()
TRUE = np.array(list(asked().values()))


def seen(camera: Camera, corners: tuple[tuple[float, float], ...], seed: int = 0) -> CardReading | CardWord:
    return look(camera.sees(cards.scene(corners), np.random.default_rng(seed)), MARKERS_OF)


def test_the_markers_are_the_dictionarys() -> None:
    """The four black squares, written out in our own table, are those of OpenCV's dictionary of that name."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for marker in MARKERS:
        drawn = cv2.aruco.generateImageMarker(dictionary, marker.number, 6)[1:5, 1:5]
        assert marker.bits == tuple("".join("1" if white else "0" for white in row) for row in drawn)


def test_no_two_things_share_a_cell() -> None:
    """Each patch and each grey has a cell of its own, and none lies under a marker."""
    cells = [*CELLS.values(), *REFERENCE_CELLS]
    assert len(set(cells)) == len(cells) == 32
    assert set(CELLS) == set(PATCHES)
    for column, row in cells:
        assert 0 <= column < 8
        assert 0 <= row < 6
        assert not any(abs(m.x - column - 0.5) < 1 and abs(m.y - row - 0.5) < 1 for m in MARKERS)


@pytest.mark.parametrize(
    ("corners", "camera"),
    [
        (cards.STRAIGHT, Camera()),
        (cards.TILTED, Camera(noise=0.02, blur=1.0)),
        (cards.TILTED[2:] + cards.TILTED[:2], Camera(noise=0.01)),  # upside down
        (cards.STRAIGHT, Camera(noise=0.02, blur=2.0, fall=0.5)),
        (cards.STRAIGHT, Camera(exposure=0.08, noise=0.01)),
        (((560, 300), (700, 300), (700, 412), (560, 412)), Camera(noise=0.01)),  # all but too small
    ],
)
def test_patches_are_read_as_they_are(corners: tuple[tuple[float, float], ...], camera: Camera) -> None:
    """Each patch comes out in proportion to its true light, whatever way the card is held and the light falls."""
    reading = seen(camera, corners)
    assert isinstance(reading, CardReading), reading
    light = reading.light / np.median(reading.light / TRUE)
    assert np.abs(light - TRUE).max() < 0.04
    assert np.median(np.abs(light - TRUE) / (TRUE + 0.02)) < 0.03


def test_a_tint_is_read_as_it_is() -> None:
    """Under a warm lamp the patches come out warm: nothing is balanced here."""
    reading = seen(Camera(lamp=cards.TUNGSTEN, exposure=0.6), cards.TILTED)
    assert isinstance(reading, CardReading), reading
    lamp = np.median(reading.light / TRUE, axis=0)
    assert lamp / lamp[1] == pytest.approx(np.array(cards.TUNGSTEN), abs=0.03)


def shadowed(corners: tuple[tuple[float, float], ...]) -> np.ndarray:
    """A card of which a quarter lies in shadow."""
    light = cards.scene(corners)
    light[350:, 640:] *= 0.7  # between columns and rows: each patch by itself is even
    return Camera().sees(light, np.random.default_rng(0))


def covered() -> np.ndarray:
    """A thumb over half of a patch."""
    pixels = Camera().sees(cards.scene(cards.STRAIGHT), np.random.default_rng(0))
    column, row = CELLS["yellow"]
    left, top = 440 + 40 + 40 * column, 190 + round(32 / 40 * (40 + 40 * row))
    pixels[top : top + 32, left : left + 20] = (150, 100, 80)
    return pixels


def hidden() -> np.ndarray:
    pixels = Camera().sees(cards.scene(cards.STRAIGHT), np.random.default_rng(0))
    pixels[:330, :560] = 90
    return pixels


@pytest.mark.parametrize(
    ("word", "pixels"),
    [
        (CardWord.NO_CARD, np.full((720, 1280, 3), 120, np.uint8)),
        (CardWord.NO_CARD, np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)),
        (CardWord.PARTLY, hidden()),
        (CardWord.TOO_SMALL, Camera().sees(cards.scene(cards.FAR), np.random.default_rng(0))),
        (
            CardWord.TOO_DARK,
            Camera(exposure=0.01).sees(cards.scene(cards.STRAIGHT), np.random.default_rng(0)),
        ),
        (CardWord.CLIPPED, Camera(exposure=2.0).sees(cards.scene(cards.STRAIGHT), np.random.default_rng(0))),
        (CardWord.UNEVEN, shadowed(cards.STRAIGHT)),
        (CardWord.UNEVEN, covered()),
    ],
)
def test_a_card_that_cannot_be_read_is_said(word: CardWord, pixels: np.ndarray) -> None:
    """What is wrong has one word of the closed list."""
    assert look(pixels, MARKERS_OF) is word


def test_a_search_takes_its_time() -> None:
    """The matrix comes of eight readings a quarter of a second apart; a frame without the card starts anew."""
    pixels = Camera().sees(cards.scene(cards.STRAIGHT), np.random.default_rng(0))
    nothing = np.full_like(pixels, 120)
    search = Search(asked())
    for at in range(0, 150, 5):
        assert search.step(Frame(pixels=pixels, at=at / 100)) is CardWord.FOUND
    assert search.step(Frame(pixels=nothing, at=1.5)) is CardWord.NO_CARD
    said = [search.step(Frame(pixels=pixels, at=2 + at / 100)) for at in range(0, 180, 5)]
    assert said[:-1] == [CardWord.FOUND] * 35
    assert isinstance(said[-1], CameraMatrix)


def test_paper_that_is_cut_costs_the_paper_alone() -> None:
    """White paper beyond the sensor's white is left out as NaN; the rest is read."""
    reading = seen(Camera(exposure=1.15), cards.STRAIGHT)
    assert isinstance(reading, CardReading), reading
    lost = [name for name, light in zip(PATCHES, reading.light, strict=True) if np.isnan(light).any()]
    assert lost == ["paper"]


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_the_page_holds_every_patch_at_its_place(paper: str) -> None:
    """The SVG is as large as the paper, and asks the printer for each colour, with its name."""
    drawn = page(paper)
    width, height = {"a4": ("297mm", "210mm"), "letter": ("279.4mm", "215.9mm")}[paper]
    assert f'width="{width}" height="{height}"' in drawn
    for name, (red, green, blue) in PATCHES.items():
        assert f"#{red:02x}{green:02x}{blue:02x}" in drawn
        assert f">{name}</text>" in drawn
    assert drawn.count("<rect") == 1 + 32 + 4 + sum(bits.count("1") for m in MARKERS for bits in m.bits)
