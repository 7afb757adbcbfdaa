"""The peers: PyOD's detectors with their own defaults, and River's half-space trees. Installed apart."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = ("ECOD", "COPOD", "HBOS", "IForest", "kNN", "LOF", "HST")
Rows = NDArray[np.float64]


def scores(name: str, learn: Rows, rows: Rows, seed: int) -> NDArray[np.float64]:
    """How odd each of ``rows`` is for the peer called ``name``, from unlabelled ``learn``."""
    warnings.filterwarnings("ignore")
    if name == "HST":
        return _half_space_trees(learn, rows, seed)
    detector = _pyod()[name](seed)
    detector.fit(learn)
    found: NDArray[np.float64] = np.nan_to_num(detector.decision_function(rows), posinf=1e30, neginf=-1e30)
    return found


def _pyod() -> dict[str, Callable[[int], Any]]:
    from pyod.models.copod import COPOD  # noqa: PLC0415 - installed only for this bench
    from pyod.models.ecod import ECOD  # noqa: PLC0415
    from pyod.models.hbos import HBOS  # noqa: PLC0415
    from pyod.models.iforest import IForest  # noqa: PLC0415
    from pyod.models.knn import KNN  # noqa: PLC0415
    from pyod.models.lof import LOF  # noqa: PLC0415

    return {
        "ECOD": lambda _: ECOD(),
        "COPOD": lambda _: COPOD(),
        "HBOS": lambda _: HBOS(),
        "IForest": lambda seed: IForest(random_state=seed),
        "kNN": lambda _: KNN(),
        "LOF": lambda _: LOF(),
    }


def half_space_trees(seed: int) -> Any:
    """River's detector with its defaults; learns and scores one dict at a time."""
    from river.anomaly import HalfSpaceTrees  # noqa: PLC0415

    return HalfSpaceTrees(seed=seed)


def _half_space_trees(learn: Rows, rows: Rows, seed: int) -> NDArray[np.float64]:
    trees = half_space_trees(seed)
    for row in learn.tolist():
        trees.learn_one(dict(enumerate(row)))
    return np.array([trees.score_one(dict(enumerate(row))) for row in rows.tolist()])


def one_hot(rows: NDArray[np.int32], sizes: tuple[int, ...]) -> Rows:
    """Levels as numbers for those who need them: one column a level; unknown is all noughts."""
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    found = np.zeros((len(rows), sum(sizes)))
    people, attributes = np.nonzero(rows >= 0)
    found[people, starts[attributes] + rows[people, attributes]] = 1.0
    return found
