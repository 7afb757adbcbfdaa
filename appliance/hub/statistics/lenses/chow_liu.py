"""Which attributes depend on which: the Chow-Liu tree over those attributes that are known.

Formula: among all tree-shaped distributions the one over the maximum-weight spanning tree of the pairwise mutual
information is closest to the truth (Chow and Liu 1968, IEEE Trans. Inf. Theory 14: 462-467). Of a passer-by in whom
only some attributes are known, the edges between known ones count: a forest.

Invariants:
    * Pure: a function of the mutual information.
"""

from __future__ import annotations

from appliance.hub.statistics.layout import FloatArray

Edges = tuple[tuple[int, int], ...]


def chow_liu(information: FloatArray, attributes: tuple[int, ...]) -> Edges:
    """Edges of the tree, as places in ``attributes``; one fewer than there are attributes (none for none).

    ``information`` is the (attributes, attributes) matrix of mutual information. Prim's algorithm; ties go to the
    attribute named first, so equal inputs give equal trees.

    >>> import numpy as np
    >>> chow_liu(np.array([[0, 3, 1], [3, 0, 2], [1, 2, 0.0]]), (0, 1, 2))
    ((0, 1), (1, 2))
    """
    if not attributes:
        return ()
    rows = information.tolist()
    strength = [rows[attributes[0]][attribute] for attribute in attributes]
    parents = [0] * len(attributes)
    left = list(range(1, len(attributes)))
    edges: list[tuple[int, int]] = []
    while left:
        place = max(left, key=strength.__getitem__)
        left.remove(place)
        edges.append((parents[place], place))
        row = rows[attributes[place]]
        for other in left:
            if row[attributes[other]] > strength[other]:
                strength[other], parents[other] = row[attributes[other]], place
    return tuple(edges)
