"""Which readings of which camera are not to be believed at present: a camera's fault is no fashion.

Formula: of the last ``MEMORY`` or so people that a camera saw, k show a level that a share p of people usually do
(the larger of what this camera and what all cameras usually see, by upper bounds); z = (k - n p) / sqrt(n p (1 - p) +
1/4). A z above ``TOO_MANY`` while the other cameras have none sets the level aside on this camera, until z is below
``ENOUGH`` again. It is a control chart (Shewhart 1931, Economic Control of Quality of Manufactured Product) with a
fading window (Roberts 1959, Technometrics 1: 239-250).

Laws:
    * What is set aside counts as unknown: it scores nobody and teaches the baseline nothing.
    * Where all cameras see the same, it is the street that changed, not a camera: nothing is set aside.
    * Counts only, of a few hundred people, in memory only.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from appliance.hub import bounds
from appliance.hub.baseline import Baseline
from appliance.hub.levels import FloatArray, IntArray, Worn
from appliance.values import Seconds, UnitId

MEMORY: Final = 200.0
TOO_MANY: Final = 4.0
ENOUGH: Final = 2.0
_LOOK: Final = 16
"""A camera is looked at after so many of its people."""
_YOUNG: Final = 100.0
_FADE: Final = 1.0 - 1.0 / MEMORY
_DUST: Final = 1e-9
_NOBODY: Final[frozenset[int]] = frozenset()


class _Camera:
    __slots__ = ("added", "counts", "doubtful", "looked", "usual", "usual_due", "waiting", "weight", "z")

    def __init__(self, levels: int) -> None:
        self.counts = np.zeros(levels)
        self.weight = 0.0
        self.added = self.looked = 0
        self.waiting: list[Worn] = []
        self.doubtful = _NOBODY
        self.z = np.zeros(levels)
        self.usual: FloatArray | None = None
        self.usual_due = 0


def _read(one: Worn) -> IntArray:
    """The positions that were read, believed or not; each at most once."""
    return np.append(one.known, one.doubted).astype(np.intp) if one.doubted else one.known


class Guard:
    """The readings not to be believed, by camera; ``baseline`` says what is usual."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self._cameras: dict[UnitId, _Camera] = {}

    def doubtful(self, unit: UnitId) -> frozenset[int]:
        """The positions set aside on ``unit``."""
        camera = self._cameras.get(unit)
        return _NOBODY if camera is None else camera.doubtful

    def count(self, one: Worn, unit: UnitId) -> int:
        """Count what ``unit`` read, believed or not; the number by which ``forget`` finds it again."""
        camera = self._cameras.get(unit)
        if camera is None:
            camera = self._cameras[unit] = _Camera(self._baseline.layout.levels)
        camera.waiting.append(one)
        camera.added += 1
        number = camera.added
        if camera.added - camera.looked >= _LOOK:
            self._look(camera, unit)
        return number

    def forget(self, one: Worn, unit: UnitId, number: int) -> None:
        """Take out again what ``count`` gave ``number``; what is usual is looked up anew by every camera."""
        for camera in self._cameras.values():
            camera.usual = None
        camera = self._cameras[unit]
        if number > camera.looked:
            camera.waiting = [other for other in camera.waiting if other is not one]
            return
        # Looks come after every _LOOK people; what was counted at one has faded since by all who came later.
        at = -(-number // _LOOK) * _LOOK
        weight = _FADE ** (camera.looked - at)
        camera.counts[_read(one)] -= weight
        np.maximum(camera.counts, 0.0, out=camera.counts)
        camera.counts[camera.counts < _DUST] = 0.0
        camera.weight = max(0.0, camera.weight - weight)

    def _look(self, camera: _Camera, unit: UnitId) -> None:
        waiting, camera.waiting = camera.waiting, []
        fade = _FADE ** (camera.added - camera.looked)
        camera.looked = camera.added
        camera.counts *= fade
        camera.weight = camera.weight * fade + len(waiting)
        for one in waiting:
            camera.counts[_read(one)] += 1.0
        if self._baseline.people < _YOUNG:
            return
        if camera.usual is None or self._baseline.people >= camera.usual_due:
            camera.usual = self._usual(unit)
            camera.usual_due = self._baseline.people + 128
        layout = self._baseline.layout
        seen = np.add.reduceat(camera.counts, layout.offsets)[layout.attribute_of]
        expected = camera.usual * seen
        camera.z = (camera.counts - expected) / np.sqrt(expected * (1.0 - camera.usual) + 0.25)
        if camera.doubtful or camera.z.max() > TOO_MANY:
            self._set_aside(camera)

    def _usual(self, unit: UnitId) -> FloatArray:
        """The upper bound of each level's usual share, here or at all cameras, whichever is more."""
        layout, now = self._baseline.layout, Seconds(self._baseline.latest)
        own = self._baseline.camera(unit, now)
        seen = np.add.reduceat(own, layout.offsets)[layout.attribute_of]
        everywhere = bounds.share_upper(*self._baseline.singles(now))
        here = np.where(seen > _YOUNG, bounds.share_upper(own, seen), 0.0)
        return np.maximum(everywhere, here)

    def _set_aside(self, camera: _Camera) -> None:
        others = [one.z for one in self._cameras.values() if one is not camera and one.weight > MEMORY / 8]
        elsewhere = np.max(others, axis=0) > ENOUGH if others else np.zeros(len(camera.z), dtype=np.bool_)
        kept = [place for place in camera.doubtful if camera.z[place] > ENOUGH and not elsewhere[place]]
        found = np.flatnonzero((camera.z > TOO_MANY) & ~elsewhere).tolist()
        camera.doubtful = frozenset(kept + found)
