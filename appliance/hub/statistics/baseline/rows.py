"""Many rows of a table counted at once: how many have each level, and each two together.

Invariants:
    * The counts are whole numbers, exact: they stay below 2**24 where a product of floats is taken.
    * Pure: a function of the rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.hub.statistics.layout import FloatArray, Layout

_PRODUCT: Final = 20.0
_CALL: Final = 2000.0
"""Counting rows pair of columns by pair of columns costs ``_PRODUCT`` multiplications a row and pair, and each call
as much as so many rows: for narrow columns one product is less."""


def counted_together(levels: NDArray[np.int32], known: NDArray[np.bool_], layout: Layout) -> FloatArray:
    """How many rows have each two levels, (levels, levels), singles on the diagonal.

    ``levels`` is (n, attributes), from 0; it is looked at where ``known``, of the same shape, is true.

    >>> rows = np.array([[0, 1], [0, 0], [2, 1]], dtype=np.int32)
    >>> counted_together(rows, rows >= 0, Layout.of((3, 2))).astype(int).tolist()[0]
    [2, 0, 0, 1, 1]
    """
    number, size = len(levels), layout.levels
    if number * size * size <= _PRODUCT * layout.attributes**2 * (number + _CALL):
        hot = np.zeros((number, size), dtype=np.float32)
        rows, attributes = np.nonzero(known)
        hot[rows, np.array(layout.offsets)[attributes] + levels[rows, attributes]] = 1.0
        return (hot.T @ hot).astype(np.float64)
    counts = np.zeros((size, size))
    places = list(zip(layout.offsets, layout.sizes, strict=True))
    complete = bool(known.all())
    for first, (start, height) in enumerate(places):
        here, column = slice(start, start + height), levels[:, first]
        told = column if complete else column[known[:, first]]
        counts[here, here] = np.diag(_counts(told, height))
        for second in range(first):
            begin, width = places[second]
            cell = column * np.int32(width) + levels[:, second]
            if not complete:
                cell = cell[known[:, first] & known[:, second]]
            block = _counts(cell, height * width).reshape(height, width)
            counts[here, begin : begin + width] = block
            counts[begin : begin + width, here] = block.T
    return counts


def _counts(cells: NDArray[np.int32], size: int) -> FloatArray:
    return np.bincount(cells, minlength=size).astype(np.float64)
