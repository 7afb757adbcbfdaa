"""The looks of ``lenses`` at many rows of a table at once, and one more that a table can afford: the average.

Formula: *average* is the centred surprisal under averaged one-dependence estimators: with a the attributes known, P
is the mean over i of P(x_i) prod_j P(x_j | x_i), each attribute in turn the one that all others depend on (Webb,
Boughton and Wang 2005, Machine Learning 58: 5-24). With lifts in bits, -log2 P = sum of surprisals - log2 mean_i
2**(sum_j lift_ij); what is to be expected of the attributes known is subtracted. The tree of *whole* sees each
attribute's strongest tie only, the average all of them.

Invariants:
    * Unknown says nothing: it adds no bits and no lift.
    * Thinking only.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.hub.statistics.layout import FloatArray, Layout
from appliance.hub.statistics.lenses.score_tables import Tables

Rows = NDArray[np.int32]
"""(n, attributes) levels from 0; -1 where unknown."""
_Bits = NDArray[np.float32]

LOOKS: Final = 5
"""Single, deficit, clash, whole, average."""


def looks(rows: Rows, folded: Rows, layout: Layout, single: FloatArray, tables: Tables) -> FloatArray:
    """The looks' scores in bits, (n, ``LOOKS``).

    ``single`` is by the levels of ``rows`` and ``layout``; all else by those of ``folded`` and of ``tables``.
    """
    number, columns = rows.shape
    found = np.zeros((number, LOOKS))
    places = positions(folded, tables.layout)
    alone = places if folded is rows else positions(rows, layout)
    base = np.append(tables.surprisal, 0.0).astype(np.float32).take(places).sum(axis=0)
    found[:, 0] = np.append(single, 0.0).take(alone).max(axis=0, initial=0.0)
    # One position more than there are levels stands for unknown; its lifts are nought.
    levels = tables.layout.levels
    lifts = np.zeros((levels + 1, levels + 1), dtype=np.float32)
    lifts[:levels, :levels] = tables.lift
    flat, starts = lifts.reshape(-1), places * np.int32(levels + 1)
    deficit = np.zeros(number, dtype=np.float32)
    clash, star = (np.zeros((columns, number), dtype=np.float32) for _ in range(2))
    for column in range(1, columns):
        lift = flat.take(places[:column] + starts[column])
        star[column] += lift.sum(axis=0)
        star[:column] += lift
        np.minimum(lift, 0.0, out=lift)
        np.minimum(deficit, lift.min(axis=0), out=deficit)
        clash[column] += lift.sum(axis=0)
        clash[:column] += lift
    found[:, 1] = -deficit
    found[:, 2] = -clash.min(axis=0, initial=0.0)
    found[:, 3] = base
    whole = tables.whole
    for one, other in tables.edges:
        here, there = tables.layout.block(one), tables.layout.block(other)
        edge = np.zeros((tables.layout.sizes[one] + 1, tables.layout.sizes[other] + 1))
        edge[:-1, :-1] = whole[here, there]
        found[:, 3] += edge[folded[:, one], folded[:, other]]
    known = rows.T >= 0
    found[:, 4] = base - _mean(star, known) + _mean(tables.gain.astype(np.float32) @ known, known)
    return found


def _mean(bits: _Bits, known: NDArray[np.bool_]) -> _Bits:
    """log2 of the mean of 2**bits over the known attributes, (n,) of (attributes, n); 0 where none is."""
    shown = np.where(known, bits, np.float32(-np.inf))
    most = np.maximum(shown.max(axis=0, initial=-np.inf), np.float32(-1e6))
    total = np.exp2(shown - most).sum(axis=0)
    mean: _Bits = np.log2(np.maximum(total, np.float32(1e-30)) / np.maximum(1, known.sum(axis=0))) + most
    return np.where(known.any(axis=0), mean, np.float32(0.0))


def positions(rows: Rows, layout: Layout) -> Rows:
    """(attributes, n) positions; the number of levels where unknown."""
    found = rows.T + np.array(layout.offsets, dtype=np.int32)[:, None]
    found[rows.T < 0] = layout.levels
    return np.ascontiguousarray(found, dtype=np.int32)
