"""Numbers as levels, to set the hub's statistics beside detectors of numeric outliers. For the bench only.

Each column is cut into bins of equal width, at three widths, each at five shifts (averaged shifted histograms, Scott
1985, Annals of Statistics 13: 1024-1040); the score is the mean pooled surprisal over these. One setting for all
sets: more than ``COLUMNS`` columns are dealt into seeded hands of at most so many, ``HANDS`` hands at most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.hub.batch.stream import Stream
from appliance.hub.statistics.layout import Layout
from appliance.protocol.values import Seconds, UnitId

WIDTHS = (6, 8, 11)
SHIFTS = (0.1, 0.3, 0.5, 0.7, 0.9)
COLUMNS, HANDS = 24, 8
_CHUNK = 2048


def scores(learn: NDArray[np.float64], rows: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """How odd each of ``rows`` is, from unlabelled ``learn``; columns in [0, 1]."""
    columns = learn.shape[1]
    order = np.random.default_rng(seed).permutation(columns)
    hands = (
        np.array_split(order, -(-columns // COLUMNS))[:HANDS] if columns > COLUMNS else [np.arange(columns)]
    )
    total = np.zeros(len(rows))
    for hand in hands:
        for width in WIDTHS:
            for shift in SHIFTS:
                total += _whole(learn[:, hand], rows[:, hand], width, shift)
    return total / (len(hands) * len(WIDTHS) * len(SHIFTS))


def _whole(
    learn: NDArray[np.float64], rows: NDArray[np.float64], width: int, shift: float
) -> NDArray[np.float64]:
    edges = (np.arange(width + 1) + shift - 0.5) / width
    edges = np.concatenate(([-1e-9], edges[(edges > 0) & (edges < 1)], [1 + 1e-9]))
    stream = Stream(Layout.of([len(edges) + 1] * learn.shape[1]))
    levels = np.searchsorted(edges, learn, "right").astype(np.int32)
    for place in range(0, len(levels), _CHUNK):
        stream.baseline.count_rows(levels[place : place + _CHUNK], UnitId("set"), Seconds(0.0))
    return stream.pooled(np.searchsorted(edges, rows, "right").astype(np.int32))
