"""Optimal assignment: who is who, at least total cost.

Invariants: pure; exact; cubic in the smaller side; a pair may be forbidden and then never happens.

Source: the Hungarian method with potentials (Kuhn 1955, Munkres 1957), as shortest augmenting paths
(Jonker and Volgenant, *A shortest augmenting path algorithm for dense and sparse linear assignment problems*,
Computing 38, 1987). The steps are written from the method's description.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

FORBIDDEN: Final = math.inf
"""Cost of a pair that cannot be."""
_LAST_RESORT: Final = 1e6
"""Finite stand-in for FORBIDDEN, far above any sum of real costs (which are at most about 1 each)."""


def assign(costs: Sequence[Sequence[float]]) -> list[int | None]:
    """The column given to each row: as many permitted pairs as can be, at least total cost; None for nobody.

    ``costs`` is a full table with entries in [0, 1000) or FORBIDDEN.

    >>> assign([[4.0, 1.0], [2.0, 0.5]])
    [1, 0]
    >>> assign([[FORBIDDEN], [0.2]])
    [None, 0]
    """
    rows, columns = len(costs), len(costs[0]) if costs else 0
    if not rows or not columns:
        return [None] * rows
    if rows > columns:
        partner: list[int | None] = [None] * rows
        for column, row in enumerate(assign(list(zip(*costs, strict=True)))):
            if row is not None:
                partner[row] = column
        return partner
    table = [[min(cost, _LAST_RESORT) for cost in row] for row in costs]
    owner: list[int] = [-1] * columns
    row_price, column_price = [0.0] * rows, [0.0] * columns
    for row in range(rows):
        _augment(table, row, owner, row_price, column_price)
    given: list[int | None] = [None] * rows
    for column, row in enumerate(owner):
        if row >= 0 and table[row][column] < _LAST_RESORT:
            given[row] = column
    return given


def _augment(
    table: list[list[float]], row: int, owner: list[int], row_price: list[float], column_price: list[float]
) -> None:
    """Give ``row`` a column along the cheapest chain of changes of owner (Dijkstra on reduced costs)."""
    columns = len(owner)
    distance = [math.inf] * columns
    came_from = [-1] * columns
    settled: list[int] = []
    done = [False] * columns
    current, reached, at = row, -1, 0.0
    while True:
        for column in range(columns):
            if not done[column]:
                through = at + table[current][column] - row_price[current] - column_price[column]
                if through < distance[column]:
                    distance[column], came_from[column] = through, reached
        reached = min((c for c in range(columns) if not done[c]), key=distance.__getitem__)
        at = distance[reached]
        done[reached] = True
        if owner[reached] < 0:
            break
        settled.append(reached)
        current = owner[reached]
    row_price[row] += at
    for column in settled:
        row_price[owner[column]] += at - distance[column]
        column_price[column] -= at - distance[column]
    while reached >= 0:
        before = came_from[reached]
        owner[reached] = owner[before] if before >= 0 else row
        reached = before
