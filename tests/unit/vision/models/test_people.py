"""From a frame to boxes of people."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from appliance.base.errors import Unfit
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.person_detector import (
    FILL,
    BoxDecoder,
    People,
    letterbox,
    lighten,
    suppress,
)
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model
from appliance.unit.vision.models.tiles import columns, merged
from appliance.unit.vision.types import Box, Detection, Frame

CARD = read_catalogue(default_model_directory()).named("people")
MODEL = load_model(CARD, choose_accelerator(wish=Wish.CPU))


def silent() -> list[npt.NDArray[np.uint8]]:
    """Raw outputs in which nobody is seen."""
    return [np.zeros(spec.shape, np.uint8) for spec in CARD.outputs]


def speak(
    outputs: list[npt.NDArray[np.uint8]], level: int, row: int, column: int, sides: tuple[int, ...], raw: int
) -> None:
    """Let one cell see a person whose sides lie `sides` strides away."""
    outputs[2 * level][0, row, column, 0] = raw
    bins = np.zeros((4, 11), np.uint8)
    bins[range(4), sides] = 255
    outputs[2 * level + 1][0, row, column] = bins.reshape(-1)


def figure(height: int) -> npt.NDArray[np.uint8]:
    """A drawn person of that height, feet apart, on a grey 640 x 480 street."""
    picture = np.full((480, 640, 3), (150, 152, 148), np.uint8)
    picture[:200] = (170, 185, 200)
    noise = np.random.default_rng(0).normal(0, 4, picture.shape)
    picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    unit, skin, coat, cloth = height / 8, (205, 160, 130), (40, 60, 120), (45, 45, 50)

    def place(x: float, y: float) -> tuple[int, int]:
        return int(320 + x * unit), int(60 + y * unit)

    def limb(
        start: tuple[float, float], end: tuple[float, float], colour: tuple[int, ...], width: float
    ) -> None:
        cv2.line(picture, place(*start), place(*end), colour, max(1, int(width * unit)), cv2.LINE_AA)

    for side in (-1, 1):
        limb((side * 0.45, 4), (side * 0.57, 7.5), cloth, 0.75)
        limb((side * 0.6, 7.75), (side * 0.85, 7.8), (20, 20, 20), 0.45)
        limb((side * 0.95, 1.8), (side * 1.25, 3.9), coat, 0.5)
        limb((side * 1.25, 4), (side * 1.25, 4.3), skin, 0.4)
    cv2.rectangle(picture, place(-0.85, 1.5), place(0.85, 4.2), coat, -1)
    limb((0, 1), (0, 1.5), skin, 0.5)
    cv2.ellipse(picture, place(0, 0.6), (int(0.42 * unit), int(0.6 * unit)), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(picture, place(0, 0.4), (int(0.45 * unit),) * 2, 0, 180, 360, (40, 30, 25), -1, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize("height", [90, 110, 150, 210, 280, 340])
def test_a_drawn_person_of_any_size_is_found_within_two_frames(height: int) -> None:
    """The real model finds a drawn figure at least once in two frames, also at the sizes it misses at one zoom."""
    people = People(MODEL)
    picture = figure(height)
    found = [one for at in (0.0, 0.1) for one in people.find(Frame(pixels=picture, at=at))]
    assert found
    assert max(one.score for one in found) > 0.5
    for one in found:
        assert one.box.top == pytest.approx(60, abs=0.08 * height)
        assert one.box.bottom == pytest.approx(60 + height, abs=0.08 * height)
        assert (one.box.left + one.box.right) / 2 == pytest.approx(320, abs=0.08 * height)


def test_an_empty_street_has_nobody() -> None:
    """The real model finds nobody in grey, black, white or noise."""
    noise = np.random.default_rng(2).integers(0, 256, (480, 640, 3), np.uint8)
    people = People(MODEL)
    for picture in (np.zeros_like(noise), np.full_like(noise, 255), np.full_like(noise, FILL), noise):
        assert people.find(Frame(pixels=picture, at=0.0)) == ()


def test_one_cell_becomes_its_box() -> None:
    """A cell at (row 10, column 20) of stride 8 with sides 1, 4, 2, 5 strides away is the box around its centre."""
    outputs = silent()
    speak(outputs, 0, 10, 20, (1, 4, 2, 5), 255)
    boxes, scores = BoxDecoder(CARD).boxes(outputs)
    assert boxes == pytest.approx(
        np.array([[(20.5 - 1) * 8, (10.5 - 4) * 8, (20.5 + 2) * 8, (10.5 + 5) * 8]]), abs=0.01
    )
    spec = CARD.outputs[0]
    assert scores == pytest.approx([1 / (1 + np.exp(-(255 - spec.zero) * spec.scale))])


def test_a_distance_is_the_mean_of_its_distribution() -> None:
    """Equal weight on two neighbouring bins puts the side half a stride between them."""
    outputs = silent()
    speak(outputs, 1, 5, 5, (3, 3, 3, 3), 255)
    outputs[3][0, 5, 5, 4] = 255  # the left side's bin 4, beside its bin 3
    boxes, _ = BoxDecoder(CARD).boxes(outputs)
    assert boxes[0, 0] == pytest.approx((5.5 - 3.5) * 16, abs=0.01)
    assert boxes[0, 1] == pytest.approx((5.5 - 3) * 16, abs=0.01)


@pytest.mark.parametrize("score", [0.2, 0.4, 0.6])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_threshold_on_raw_logits_is_the_threshold_on_scores(level: int, score: float) -> None:
    """Of all 256 raw values exactly those whose score reaches the threshold give a detection."""
    decoder, spec = BoxDecoder(CARD, score=score), CARD.outputs[2 * level]
    for raw in range(256):
        outputs = silent()
        speak(outputs, level, 3, 3, (2, 2, 2, 2), raw)
        expected = 1 / (1 + np.exp(-(raw - spec.zero) * spec.scale)) >= score
        assert (len(decoder.boxes(outputs)[0]) == 1) is bool(expected)


def test_two_cells_on_one_person_are_one_detection() -> None:
    """Of two nearly equal boxes only the surer one stays, of two distant ones both, surest first."""
    outputs = silent()
    speak(outputs, 0, 10, 20, (3, 5, 3, 5), 240)
    speak(outputs, 0, 11, 20, (3, 5, 3, 5), 255)
    speak(outputs, 0, 10, 40, (3, 5, 3, 5), 250)
    boxes, scores = BoxDecoder(CARD).boxes(outputs)
    assert boxes[:, 0].tolist() == pytest.approx([(20.5 - 3) * 8, (40.5 - 3) * 8], abs=0.01)
    assert scores[0] > scores[1]


def test_garbage_outputs_stay_bounded() -> None:
    """Whatever the network says, boxes are finite, ordered, and no more than the cap."""
    rng = np.random.default_rng(3)
    decoder = BoxDecoder(CARD, score=0.05)
    for _ in range(20):
        outputs = [rng.integers(0, 256, spec.shape, np.uint8) for spec in CARD.outputs]
        boxes, scores = decoder.boxes(outputs)
        assert len(boxes) == len(scores) <= 300
        assert np.isfinite(boxes).all()
        assert (boxes[:, 2:] >= boxes[:, :2]).all()
        assert (np.diff(scores) <= 0).all()


def test_suppression_agrees_with_the_definition() -> None:
    """The vectorised suppression keeps what the textbook loop keeps."""
    rng = np.random.default_rng(4)
    for _ in range(50):
        corners = rng.uniform(0, 100, (40, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(5, 60, (40, 2))], axis=1).astype(np.float32)
        kept: list[int] = []
        for index, box in enumerate(boxes.astype(float)):
            for other in boxes[kept].astype(float):
                across = min(box[2], other[2]) - max(box[0], other[0])
                down = min(box[3], other[3]) - max(box[1], other[1])
                both = max(across, 0) * max(down, 0)
                union = (
                    (box[2] - box[0]) * (box[3] - box[1])
                    + (other[2] - other[0]) * (other[3] - other[1])
                    - both
                )
                if both > 0.5 * union:
                    break
            else:
                kept.append(index)
        assert suppress(boxes, 0.5).tolist() == kept


@pytest.mark.parametrize(
    ("height", "width"), [(576, 768), (1080, 1920), (1920, 1080), (100, 60), (320, 416), (7, 900)]
)
@pytest.mark.parametrize("zoom", [1.0, 0.75])
def test_letterboxing_keeps_the_aspect_and_says_its_scale(height: int, width: int, zoom: float) -> None:
    """The picture's far corner lands where the scale says, everything beyond is the fill."""
    picture = np.full((height, width, 3), 200, np.uint8)
    out = np.zeros((320, 416, 3), np.uint8)
    scale = letterbox(picture, out, zoom=zoom)
    rows, columns = round(height * scale), round(width * scale)
    assert rows <= 320
    assert columns <= 416
    assert (out[: max(rows, 1), : max(columns, 1)] == 200).all()
    assert (out[max(rows, 1) :] == FILL).all()
    assert (out[:, max(columns, 1) :] == FILL).all()
    assert max(height * scale / 320, width * scale / 416) == pytest.approx(zoom)


def test_boxes_are_clipped_to_the_frame() -> None:
    """A person cut by the frame's edge gets a box that ends at the edge."""
    picture = figure(340)[:, 320:]
    for one in (
        one for at in (0.0, 0.1) for one in People(MODEL, score=0.2).find(Frame(pixels=picture, at=at))
    ):
        assert one.box.left >= 0
        assert one.box.right <= picture.shape[1]
        assert one.box.bottom <= picture.shape[0]


@pytest.mark.parametrize("score", [0.0, 1.0, -1.0])
def test_a_threshold_outside_its_range_is_unfit(score: float) -> None:
    """Score thresholds lie between 0 and 1."""
    with pytest.raises(Unfit, match="between 0 and 1"):
        BoxDecoder(CARD, score=score)


def test_zooms_outside_their_range_are_unfit() -> None:
    """A zoom enlarges nothing and is not zero."""
    for zooms in ((), (0.0,), (1.5,)):
        with pytest.raises(Unfit, match="zooms"):
            People(MODEL, zooms=zooms)


@pytest.mark.parametrize(
    ("width", "height"), [(1536, 576), (1920, 1080), (2560, 720), (3840, 1080), (3840, 2160), (1401, 300)]
)
def test_tiles_cover_a_wide_picture_and_overlap(width: int, height: int) -> None:
    """Tiles cover all columns, in order, each as wide as the detector's shape, neighbours sharing a quarter."""
    edges = columns(width, height, 1.3)
    assert edges[0][0] == 0
    assert edges[-1][1] == width
    assert len(edges) > 1
    for (left, right), (next_left, next_right) in itertools.pairwise(edges):
        assert right - left == round(1.3 * height)
        assert left < next_left < right < next_right
        assert right - next_left >= 0.24 * (right - left)


def test_a_picture_of_usual_width_is_one_tile() -> None:
    """Up to 1,400 pixels, and whatever is hardly wider than the detector's shape, costs one look."""
    for width, height in ((640, 360), (1280, 720), (1400, 300), (1600, 1200), (1080, 1920), (2000, 1500)):
        assert columns(width, height, 1.3) == ((0, width),)


def test_whoever_stands_on_a_seam_is_one() -> None:
    """Of two views of one person the whole one stays; a box that ends at a seam is let go."""
    whole = Detection(box=Box(left=600, top=100, right=660, bottom=280), score=0.7)
    again = Detection(box=Box(left=602, top=98, right=661, bottom=281), score=0.6)
    cut = Detection(box=Box(left=600, top=100, right=630, bottom=280), score=0.8)
    assert merged([[cut], [whole]], ((0, 632), (400, 1032)), 1032) == (whole,)
    assert merged([[whole], [again]], ((0, 800), (400, 1200)), 1200) == (whole,)


def test_in_a_wide_frame_people_are_found_in_tiles() -> None:
    """Three street pictures side by side: tiles find nine in ten of those found apart, one small look not half."""
    street = Path(os.environ.get("LEFTFIELD_STREET", ""))
    if not street.is_file():
        pytest.skip("the sample street video is not here: set LEFTFIELD_STREET, or run make setup")
    with av.open(str(street)) as container:
        decoded = itertools.islice(container.decode(video=0), 0, 161, 40)
        pictures = [np.asarray(one.to_ndarray(format="rgb24"), np.uint8) for one in decoded]
    tiled, squeezed, apart = (People(MODEL, zooms=(1.0,), widest=widest) for widest in (1400, 9999, 1400))
    found = [0, 0, 0]
    for trio in (pictures[:3], pictures[2:]):
        wide = Frame(pixels=np.hstack(trio), at=0.0)
        found[0] += len(tiled.find(wide))
        found[1] += len(squeezed.find(wide))
        found[2] += sum(len(apart.find(Frame(pixels=each, at=0.0))) for each in trio)
    assert found[0] >= 0.9 * found[2]
    assert found[0] <= 1.1 * found[2]
    assert found[1] <= 0.5 * found[2]


def test_a_dark_picture_is_lifted_and_no_other() -> None:
    """A dark picture becomes as bright as a usual one, in place; a usual one keeps every pixel; black stays black."""
    rng = np.random.default_rng(6)
    usual = rng.integers(20, 230, (60, 80, 3), np.uint8)
    kept = usual.copy()
    lighten(kept)
    assert (kept == usual).all()
    dark = (usual // 10).copy()
    lighten(dark)
    assert dark.mean() > 4 * (usual // 10).mean()
    black = np.zeros((60, 80, 3), np.uint8)
    lighten(black)
    assert not black.any()


def test_whoever_stands_in_the_dark_is_found() -> None:
    """The real model finds a drawn person at a fortieth of the level of light, under sensor noise."""
    rng = np.random.default_rng(7)
    dark = np.clip(figure(150) / 40 + rng.normal(0, 1.5, (480, 640, 3)), 0, 255).astype(np.uint8)
    found = People(MODEL, zooms=(1.0,)).find(Frame(pixels=dark, at=0.0))
    assert len(found) == 1
    assert found[0].box.height == pytest.approx(150, rel=0.1)
