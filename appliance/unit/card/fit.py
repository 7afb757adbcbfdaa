"""From the patches as the camera saw them to the one matrix that brings them nearest to their true colours.

Formula: M = W D. D: three gains under which the greys come out as they are (medians of their ratios). W: rows that
add up to one, so that what D made grey stays grey; it minimises, over patches p in linear light,

    sum_p w_p |W d_p - t_p|^2 / sum_p w_p  +  RIDGE |W - I|^2,   w_p = min(1, k / |residual|) / (t_Y + 0.05),

by iteratively reweighted least squares (Huber 1964), k 1.5 times the median residual. M is scaled so that the grey
keeps its luminance: brightness stays the camera's own business.

Sources: white-point preserving least squares, Finlayson and Drew 1997; ridge, Hoerl and Kennard 1970.

Invariants:
    * Pure: arrays in, a matrix or a word out. No prior knowledge of the camera; an ideal one gets the identity.
    * Refused are patches that no matrix brings near their colours, and matrices that no camera could need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.unit.card.patches import GREYS, PATCHES, Linear
from appliance.unit.card.sight import CardReading
from appliance.unit.card.words import CardWord
from appliance.unit.inputs.colour_matrix import STEPS, CameraMatrix
from appliance.unit.vision.attributes.ciede2000 import ciede2000
from appliance.unit.vision.attributes.colours import lab_of_linear

Doubles = NDArray[np.float64]

FRAMES: Final = 8
"""Readings that are put together."""
_STEADY: Final = 0.04
"""Most that the patches' light may stray from frame to frame (median over patches), brightness apart."""
_RIDGE: Final = 0.0001
"""Measured: noise of a dim frame moves no corrected cloth by more than .5 (CIEDE2000); crosstalk is still undone."""
_ROUNDS: Final = 6
_TURNS: Final = 4
"""Times that D and W are found in turn: one is enough for greys without a tint, a measured print's have one."""
_LEAST: Final = 18
"""Fewest patches, and of greys three, that a fit may stand on."""
_DARK: Final = 0.05
_LUMINANCE: Final = np.array([0.2126729, 0.7151522, 0.0721750])
_WAYS: Final = np.array([(1.0, 1.0), (-1.0, 1.0), (0.0, -2.0)]) / np.sqrt([2.0, 6.0])
"""The two ways (orthonormal) in which a row of W may move while it adds up to one."""


def fitted(readings: Sequence[CardReading], wanted: dict[str, Linear]) -> CameraMatrix | CardWord:
    """The camera's matrix from ``readings`` of a card whose patches truly are ``wanted`` (linear sRGB).

    UNSTEADY where the readings differ, CLIPPED where few patches are left, MISFIT where no matrix brings them near.
    """
    seen = together(readings)
    if seen is None:
        return CardWord.UNSTEADY
    kept = np.isfinite(seen).all(axis=1)
    greys = np.array([name in GREYS for name in PATCHES]) & kept
    if kept.sum() < _LEAST or greys.sum() < 3:
        return CardWord.CLIPPED
    true = np.array([wanted[name] for name in PATCHES], np.float64)
    weights = 1 / (true[kept] @ _LUMINANCE + _DARK)
    gains, rows = np.ones(3), np.eye(3)
    for _ in range(_TURNS):
        gains *= np.median(true[greys] / np.maximum((seen[greys] * gains) @ rows.T, 1e-4), axis=0)
        rows = _rows(seen[kept] * gains, true[kept], weights)
    residual = float(ciede2000(_lab((seen[kept] * gains) @ rows.T), _lab(true[kept])).mean())
    return _quantised(rows * gains * ((1 / gains) @ _LUMINANCE), residual)


def together(readings: Sequence[CardReading]) -> Doubles | None:
    """(24, 3) medians over the frames, each brought to one brightness; None where they do not agree.

    A patch that any frame left out is left out.
    """
    light = np.array([reading.light for reading in readings], np.float64)
    kept = np.isfinite(light).all(axis=(0, 2))
    if not kept.any():
        return None
    level = np.median(light[:, kept, 1], axis=1)[:, None, None]
    light = light / level * np.median(level)
    middle: Doubles = np.median(light, axis=0)
    stray = np.abs(light - middle)[:, kept].max(axis=(0, 2)) / (middle[kept].max(axis=1) + 0.02)
    return None if np.median(stray) > _STEADY else middle


def _rows(seen: Doubles, true: Doubles, weights: Doubles) -> Doubles:
    """W, row by row two unknowns, reweighted until it stands."""
    rows, robust = np.eye(3), np.ones(len(seen))
    moved = seen @ _WAYS
    for _ in range(_ROUNDS):
        share = weights * robust
        share = share / share.sum()
        square = moved.T @ (moved * share[:, None]) + _RIDGE * np.eye(2)
        rows = np.eye(3) + (_WAYS @ np.linalg.solve(square, moved.T @ ((true - seen) * share[:, None]))).T
        left = np.linalg.norm((seen @ rows.T - true) * np.sqrt(weights)[:, None], axis=1)
        robust = np.minimum(1.0, 1.5 * np.median(left) / np.maximum(left, 1e-9))
    return rows


def _lab(light: Doubles) -> Doubles:
    """CIELAB of linear light, cut at what a screen shows."""
    return lab_of_linear(np.clip(light, 0, 1).astype(np.float32)).astype(np.float64)


def _quantised(matrix: Doubles, residual: float) -> CameraMatrix | CardWord:
    """MISFIT for a residual, or a matrix, beyond what ``CameraMatrix`` takes."""
    try:
        entries = tuple(round(entry * STEPS) for entry in matrix.ravel().tolist())
        return CameraMatrix(entries, round(residual * 10))
    except (ValueError, OverflowError):
        return CardWord.MISFIT
