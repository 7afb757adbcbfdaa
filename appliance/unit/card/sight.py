"""Finds the card in one frame and reads its patches in linear light; or says in one word why it cannot.

Invariants:
    * Only the inside of the card's cells is looked at; of the frame nothing is kept but 24 mean colours.
    * A patch that is cut by the sensor's white is no colour and is left out; with too many of them nothing is read.
    * The light is evened out by the eight equal greys, as a plane of its logarithm; what a plane does not explain is
      a shadow or glare, and the card is not read.

Source of the markers: Garrido-Jurado et al. 2014 (ArUco), dictionary 4X4_50, found by OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.unit.card.patches import (
    CELLS,
    COLUMNS,
    INSET,
    MARKER,
    MARKERS,
    PATCHES,
    REFERENCE,
    REFERENCE_CELLS,
    ROWS,
    SAMPLED,
)
from appliance.unit.card.words import CardWord
from appliance.unit.vision.attributes.colours import Floats, linear
from appliance.unit.vision.types import Pixels

SMALLEST: Final = 12.0
"""Fewest pixels of a cell's side: six by six are looked at, and blur of two stays outside."""
_SHOWN: Final = 24
"""Side of a cell in the card laid flat, in pixels."""
_CUT: Final = 250
"""A byte from here on may have been cut by the sensor's white."""
_CUT_SHARE: Final = 0.05
_MOST_CUT: Final = 4
"""Most patches that may be left out."""
_DARKEST: Final = (40, 10)
"""Least of the reference grey's strongest and weakest channel, as a byte."""
_MOST_SLOPE: Final = 2.5
"""Most that the light may fall off over the card."""
_MOST_ROUGH: Final = 0.12
"""Most that one reference grey may stray from the plane (natural logarithm), in any channel."""
_MOST_MIXED: Final = 0.30
"""Most that the four quarters of a patch may differ (share of its light): more is a finger, a fold or glare."""
_LEAST_LIGHT: Final = 0.02
"""Added to a patch's light where its quarters are compared: in the dark, noise is no unevenness."""
_STRAY: Final = (0.06, 1.2)
"""Most that a marker's corner may lie off the flat card, in cells and in pixels, added: more is a bent card."""
_LINEAR: Final = linear(np.arange(256, dtype=np.uint8))


@dataclass(frozen=True, slots=True)
class CardReading:
    """One frame's patches: (24, 3) linear light of the camera, evened out, in the order of ``PATCHES``.

    A row of NaN where the sensor cut the patch.
    """

    light: Floats


def detector() -> cv2.aruco.ArucoDetector:
    """Finds the card's markers; made before the walls are sealed."""
    found = cv2.aruco.DetectorParameters()
    found.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    found.cornerRefinementWinSize = 3
    return cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), found)


def look(pixels: Pixels, markers: cv2.aruco.ArucoDetector) -> CardReading | CardWord:
    """The patches of the card in ``pixels`` ((h, w, 3) RGB), or the word that says why there are none."""
    laid = _laid(pixels, markers)
    if isinstance(laid, CardWord):
        return laid
    cells = {name: _cell(laid, cell) for name, cell in CELLS.items()}
    greys = [_cell(laid, cell) for cell in REFERENCE_CELLS]
    middle = np.median([np.median(grey, axis=(0, 1)) for grey in greys], axis=0)
    if middle.max() < _DARKEST[0] or middle.min() < _DARKEST[1]:
        return CardWord.TOO_DARK
    cut = {name for name, cell in cells.items() if _is_cut(cell)}
    if len(cut) > _MOST_CUT or any(_is_cut(grey) for grey in greys):
        return CardWord.CLIPPED
    plane = _plane([_mean(grey) for grey in greys])
    if plane is None or any(_is_mixed(cell) for name, cell in cells.items() if name not in cut):
        return CardWord.UNEVEN
    light = np.full((len(PATCHES), 3), np.nan, np.float32)
    for row, name in enumerate(PATCHES):
        if name not in cut:
            light[row] = _mean(cells[name]) / np.exp(_at(CELLS[name]) @ plane)
    return CardReading(light)


def _laid(pixels: Pixels, markers: cv2.aruco.ArucoDetector) -> Pixels | CardWord:
    """The card laid flat, ``_SHOWN`` pixels a cell; or why not."""
    seen = _seen(pixels, markers)
    if len(seen) < len(MARKERS):
        return CardWord.PARTLY if seen else CardWord.NO_CARD
    half = MARKER / 2
    flat = np.array(
        [
            (marker.x + x * half, marker.y + y * half)
            for marker in MARKERS
            for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
    )
    shown = np.concatenate([seen[marker.number] for marker in MARKERS])
    to_cells, _ = cv2.findHomography(shown, flat)
    if np.ndim(to_cells) != 2:  # None, where the points lie in a line
        return CardWord.PARTLY
    stray = np.abs(cv2.perspectiveTransform(shown[None], to_cells)[0] - flat).max()
    edges = np.array([[(0, 0), (COLUMNS, 0), (COLUMNS, ROWS), (0, ROWS)]], np.float64)
    outline = cv2.perspectiveTransform(edges, np.linalg.inv(to_cells))[0]
    side = float(np.sqrt(cv2.contourArea(outline.astype(np.float32)) / (COLUMNS * ROWS)))
    if side < SMALLEST:
        return CardWord.TOO_SMALL
    if stray > _STRAY[0] + _STRAY[1] / side or not cv2.isContourConvex(outline.astype(np.float32)):
        return CardWord.PARTLY
    # Half a pixel: the middle of the first pixel of the flat card is at half a pixel's width, not at 0.
    to_flat = np.array([[_SHOWN, 0, -0.5], [0, _SHOWN, -0.5], [0, 0, 1]]) @ to_cells
    size = (COLUMNS * _SHOWN, ROWS * _SHOWN)
    return np.asarray(cv2.warpPerspective(pixels, to_flat, size, flags=cv2.INTER_LINEAR), np.uint8)


def _seen(pixels: Pixels, markers: cv2.aruco.ArucoDetector) -> dict[int, NDArray[np.float64]]:
    """The card's markers by number, each with its corners (4, 2) from its upper left, clockwise.

    Looked for in linear light first: blur is symmetric there, and does not make white eat the markers' black border;
    then in the bytes as they are, where a card in the shade before a bright sky still has contrast.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    top = _LINEAR[int(np.percentile(grey[::4, ::4], 99.5))]
    found: dict[int, NDArray[np.float64]] = {}
    for shown in (np.minimum(255 * _LINEAR / max(top, 1e-3), 255).astype(np.uint8)[grey], grey):
        corners, numbers, _ = markers.detectMarkers(shown)
        each = [] if numbers is None else zip(np.ravel(numbers).tolist(), corners, strict=True)
        seen: dict[int, NDArray[np.float64]] = {
            int(number): np.asarray(places, np.float64).reshape(4, 2) for number, places in each
        }
        seen = {marker.number: seen[marker.number] for marker in MARKERS if marker.number in seen}
        found = max(found, seen, key=len)
        if len(found) == len(MARKERS):
            break
    return found


def _cell(laid: Pixels, cell: tuple[int, int]) -> Pixels:
    """The inside of a cell."""
    column, row = cell
    low, high = (round(edge * _SHOWN) for edge in SAMPLED)
    left, top = column * _SHOWN, row * _SHOWN
    return laid[top + low : top + high, left + low : left + high]


def _is_cut(cell: Pixels) -> bool:
    return float((cell >= _CUT).any(axis=2).mean()) > _CUT_SHARE


def _mean(cell: Pixels) -> Floats:
    """Linear light of a cell, the tenth that strays most on either side left out: a scratch is no colour."""
    light = np.sort(linear(cell).reshape(-1, 3), axis=0)
    tenth = len(light) // 10
    mean: Floats = light[tenth : len(light) - tenth].mean(axis=0)
    return mean


def _is_mixed(cell: Pixels) -> bool:
    half = cell.shape[0] // 2
    quarters = np.array(
        [linear(cell[y : y + half, x : x + half]).mean(axis=(0, 1)) for y in (0, half) for x in (0, half)]
    )
    apart = quarters.max(axis=0) - quarters.min(axis=0)
    return bool((apart / (quarters.mean(axis=0) + _LEAST_LIGHT) > _MOST_MIXED).any())


def _at(cell: tuple[int, int]) -> NDArray[np.float64]:
    """Where a cell stands from the card's middle, as the plane has it."""
    return np.array([cell[0] + 0.5 - COLUMNS / 2, cell[1] + 0.5 - ROWS / 2])


def _plane(greys: list[Floats]) -> NDArray[np.float64] | None:
    """Slopes of the logarithm of the light along columns and rows; None where the light is no gentle plane."""
    logs = np.log(np.maximum(np.array(greys, np.float64), 1e-4))
    places = np.array([_at(cell) for cell in REFERENCE_CELLS])
    design = np.column_stack([np.ones(len(places)), places])
    slopes: NDArray[np.float64] = np.linalg.lstsq(design, logs.mean(axis=1), rcond=None)[0][1:]
    left = logs - (places @ slopes)[:, None]
    rough = np.abs(left - np.median(left, axis=0)).max()
    fall = np.abs(slopes) @ np.array([COLUMNS, ROWS], np.float64)
    return None if rough > _MOST_ROUGH or fall > np.log(_MOST_SLOPE) else slopes


def picture(cell: int = 24, margin: int = 24) -> Pixels:
    """The card as it should look, ``cell`` pixels a cell, ``margin`` of paper about it: to warm up, and to test."""
    paper = np.full((ROWS * cell + 2 * margin, COLUMNS * cell + 2 * margin, 3), 255, np.uint8)
    places = [(place, PATCHES[name]) for name, place in CELLS.items()]
    for (column, row), colour in [(place, REFERENCE) for place in REFERENCE_CELLS] + places:
        left, right = (margin + round((column + edge) * cell) for edge in (INSET, 1 - INSET))
        top, bottom = (margin + round((row + edge) * cell) for edge in (INSET, 1 - INSET))
        paper[top:bottom, left:right] = colour
    for marker in MARKERS:
        edges = [round((step / 6 - 0.5) * MARKER * cell) for step in range(7)]
        x, y = (margin + round(middle * cell) for middle in (marker.x, marker.y))
        paper[y + edges[0] : y + edges[6], x + edges[0] : x + edges[6]] = 0
        for row, bits in enumerate(marker.bits, start=1):
            for column, bit in enumerate(bits, start=1):
                if bit == "1":
                    paper[y + edges[row] : y + edges[row + 1], x + edges[column] : x + edges[column + 1]] = (
                        255
                    )
    return paper
