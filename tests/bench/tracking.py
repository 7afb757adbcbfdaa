"""How well walkers are followed: identity switches, IDF1 and HOTA from who was where and which track was where.

Identity switches by CLEAR MOT's rule (Bernardin and Stiefelhagen 2008): pairs of the frame before hold as long as
they can, the rest is assigned at once, one to one. IDF1 (Ristani et al. 2016) and HOTA (Luiten et al. 2020) come from
TrackEval where it is installed (`pip install -r tests/bench/requirements-peers.txt`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.unit.vision.tracking.hungarian import FORBIDDEN, assign

SAME = 0.5
"""Least similarity of a person and a track that are one."""


class Scores:
    """Takes in one frame after another of one scene; several scenes may follow one another."""

    def __init__(self, *, strict: bool) -> None:
        """``strict``: each track that is nobody counts as false; else only tracks paired with somebody are judged."""
        self._strict = strict
        self._last: dict[Hashable, int] = {}
        self._frames: list[tuple[list[Hashable], list[int], npt.NDArray[np.float64]]] = []
        self.switches = self.missed = self.total = self.false = 0
        self.log: list[tuple[int, Hashable, int, int]] = []

    def frame(self, likeness: Mapping[Hashable, Mapping[int, float]], tracks: list[int]) -> None:
        """One frame: how like each person in it is to each track, 0 to 1; ``tracks``: all in view."""
        pairs = {
            person: self._last[person]
            for person, row in likeness.items()
            if row.get(self._last.get(person, -1), 0.0) >= SAME
        }
        people = [person for person in likeness if person not in pairs]
        rest = [track for track in tracks if track not in pairs.values()]
        table = [
            [1 - like if (like := likeness[person].get(track, 0.0)) >= SAME else FORBIDDEN for track in rest]
            for person in people
        ]
        for person, column in zip(people, assign(table) if rest else [None] * len(people), strict=True):
            if column is not None:
                pairs[person] = rest[column]
        for person, track in pairs.items():
            if self._last.get(person, track) != track:
                self.switches += 1
                self.log.append((len(self._frames), person, self._last[person], track))
        self._last |= pairs
        self.total += len(likeness)
        self.missed += len(likeness) - len(pairs)
        self.false += len(tracks) - len(pairs)
        kept = tracks if self._strict else list(pairs.values())
        similarity = np.array([[row.get(track, 0.0) for track in kept] for row in likeness.values()])
        self._frames.append((list(likeness), kept, similarity.reshape(len(likeness), len(kept))))

    def figures(self) -> dict[str, Any]:
        """Switches and misses; with TrackEval also IDF1, HOTA and its association part."""
        figures: dict[str, Any] = {
            "people": len({person for people, _, _ in self._frames for person in people}),
            "places": self.total,
            "missed": self.missed,
            "identity_switches": self.switches,
        }
        if importlib.util.find_spec("trackeval") is None:
            return figures | {"idf1": "TrackEval is not installed"}
        return figures | self._trackeval()

    def _trackeval(self) -> dict[str, float]:
        from trackeval.metrics import HOTA, Identity  # noqa: PLC0415 - optional

        names = {
            each: n
            for n, each in enumerate(dict.fromkeys(p for people, _, _ in self._frames for p in people))
        }
        numbers = {
            each: n for n, each in enumerate(sorted({t for _, tracks, _ in self._frames for t in tracks}))
        }
        table = {
            "num_timesteps": len(self._frames),
            "num_gt_ids": len(names),
            "num_tracker_ids": len(numbers),
            "num_gt_dets": sum(len(people) for people, _, _ in self._frames),
            "num_tracker_dets": sum(len(tracks) for _, tracks, _ in self._frames),
            "gt_ids": [np.array([names[p] for p in people], int) for people, _, _ in self._frames],
            "tracker_ids": [np.array([numbers[t] for t in tracks], int) for _, tracks, _ in self._frames],
            "similarity_scores": [similarity for _, _, similarity in self._frames],
        }
        hota = HOTA().eval_sequence(table)
        identity = Identity({"PRINT_CONFIG": False}).eval_sequence(table)
        return {
            "idf1": round(float(identity["IDF1"]), 3),
            "hota": round(float(np.mean(hota["HOTA"])), 3),
            "association": round(float(np.mean(hota["AssA"])), 3),
        }
