"""Which readings of which camera are not to be believed at present: a camera's fault is no fashion.

Formula: let a share p of people usually show a level (the larger of what this camera and what all cameras usually
see, by upper bounds). Each person seen adds to the camera's evidence against the level log2(q / p) bits where they
show it and log2((1 - q) / (1 - p)) where not, q = p + ``EXCESS``; below 0 it starts anew (the cumulative sum of Page
1954, Biometrika 41: 100-115, fastest of all tests to tell a change from p to q: Moustakides 1986, Annals of
Statistics 14: 1379-1387). A smaller, lasting excess shows in the last ``MEMORY`` or so people, of whom k show it:
z = (k - n p) / sqrt(n p (1 - p) + 1/4) (a control chart, Shewhart 1931, with a fading window, Roberts 1959).

More than ``CUSUM_LIMIT`` bits, or z above ``TOO_MANY``, makes a level suspect on this camera. Whether the camera is
wrong or the street has changed, the other cameras decide: they see the same street. Since the evidence began, this
camera has shown the level at a rate r, and the others k times in n readings; the log-likelihood ratio of "the others
show it at r too" against "at the usual share p" is k log2(r / p) + (n - k) log2((1 - r) / (1 - p)) (Wald 1945, Annals
of Mathematical Statistics 16: 117-186). At ``OTHERS_BITS`` or less the others contradict, and the level is set aside
on this camera, until there are less than half the bits and z is below ``ENOUGH`` again.

Invariants:
    * What is set aside counts as unknown: it scores nobody and teaches the baseline nothing, for ``MASK_PEOPLE`` of
      the camera's people at most. What lasts longer is how things are at this camera: it is believed again.
    * Without other cameras that contradict, nothing is set aside: an only camera never masks what it reads.
    * The first reading of a fault cannot be told from a rare thing; of what is hardly ever seen, the third can.
    * Counts only, of a few hundred people, in memory only.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.hub.statistics import confidence
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.layout import EncodedVector, FloatArray, IntArray
from appliance.protocol.values import Seconds, UnitId

MEMORY: Final = 200.0
TOO_MANY: Final = 4.0
ENOUGH: Final = 2.0
EXCESS: Final = 0.08
CUSUM_LIMIT: Final = 10.0
_MOST_BITS: Final = 15.0
"""Evidence is capped, so that a mended camera is believed again."""
OTHERS_BITS: Final = -4.0
"""The other cameras contradict where it is sixteen times likelier that they show the level as usual."""
MASK_PEOPLE: Final = 200
"""A mask ends after so many people of its camera: minutes of a busy street, some hours of a quiet one."""
_LOOK: Final = 8
"""A camera is looked at after so many of its people."""
_YOUNG: Final = 100.0
_FADE: Final = 1.0 - 1.0 / MEMORY
_DUST: Final = 1e-9
_NOBODY: Final[frozenset[int]] = frozenset()


class _Camera:
    __slots__ = (
        "accepted",
        "added",
        "counts",
        "cusum",
        "gain",
        "looked",
        "loss",
        "masked",
        "masked_from",
        "others_read",
        "others_shown",
        "read",
        "shown",
        "usual",
        "usual_due",
        "waiting",
        "weight",
        "z",
    )  # fmt: skip

    def __init__(self, levels: int) -> None:
        self.counts = np.zeros(levels)
        self.weight = 0.0
        self.added = self.looked = 0
        self.waiting: list[EncodedVector] = []
        self.masked = _NOBODY
        self.masked_from: dict[int, int] = {}
        """By masked level: how many people the camera had seen when it was set aside."""
        self.accepted = _NOBODY
        """Levels whose mask has run out; believed until their evidence is gone."""
        # Since the evidence against each level began: readings of its attribute, and how many showed it.
        self.read, self.shown = np.zeros(levels), np.zeros(levels)
        self.others_read, self.others_shown = np.zeros(levels), np.zeros(levels)
        self.z, self.cusum = np.zeros(levels), np.zeros(levels)
        self.gain, self.loss = np.zeros(levels), np.zeros(levels)
        self.usual: FloatArray | None = None
        self.usual_due = 0


def _read(one: EncodedVector) -> IntArray:
    """The positions that were read, believed or not; each at most once."""
    return np.append(one.known, one.suppressed).astype(np.intp) if one.suppressed else one.known


class CameraFaultDetector:
    """The readings not to be believed, by camera; ``baseline`` says what is usual."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self._cameras: dict[UnitId, _Camera] = {}

    def masked(self, unit: UnitId) -> frozenset[int]:
        """The positions set aside on ``unit``."""
        camera = self._cameras.get(unit)
        return _NOBODY if camera is None else camera.masked

    def count(self, one: EncodedVector, unit: UnitId) -> int:
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

    def forget(self, one: EncodedVector, unit: UnitId, number: int) -> None:
        """Take out again what ``count`` gave ``number``; what is usual is looked up anew by every camera."""
        same = np.isin(self._baseline.layout.attribute_of, self._baseline.layout.attribute_of[_read(one)])
        for camera in self._cameras.values():
            camera.usual = None
            # Who is in these cannot be told any more: what the cameras say of each other begins anew.
            for since_onset in (camera.read, camera.shown, camera.others_read, camera.others_shown):
                since_onset[same] = 0.0
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
        fresh = np.bincount(np.concatenate([_read(one) for one in waiting]), minlength=len(camera.counts))
        camera.counts += fresh
        if self._baseline.people < _YOUNG:
            return
        if camera.usual is None or self._baseline.people >= camera.usual_due:
            camera.usual = self._usual(unit)
            camera.usual_due = self._baseline.people + 128
            more = np.minimum(camera.usual + EXCESS, 0.5 * (camera.usual + 1.0))
            camera.gain = np.log2(more / camera.usual)
            camera.loss = np.log2((1.0 - more + _DUST) / (1.0 - camera.usual + _DUST))
        layout = self._baseline.layout
        read = np.add.reduceat(fresh, layout.offsets)[layout.attribute_of]
        self._note_since_onset(camera, fresh, read)
        camera.cusum += fresh * (camera.gain - camera.loss) + read * camera.loss
        np.clip(camera.cusum, 0.0, _MOST_BITS, out=camera.cusum)
        seen = np.add.reduceat(camera.counts, layout.offsets)[layout.attribute_of]
        expected = camera.usual * seen
        camera.z = (camera.counts - expected) / np.sqrt(expected * (1.0 - camera.usual) + 0.25)
        quiet = (camera.cusum == 0.0) & (camera.z < ENOUGH)
        for since_onset in (camera.read, camera.shown, camera.others_read, camera.others_shown):
            since_onset[quiet] = 0.0
        if camera.masked or camera.accepted or camera.z.max() > TOO_MANY or camera.cusum.max() > CUSUM_LIMIT:
            self._set_aside(camera)

    def _note_since_onset(self, camera: _Camera, fresh: IntArray, read: IntArray) -> None:
        """Add readings to this camera's since its own evidence began, and to what all others know of theirs."""
        camera.read += read
        camera.shown += fresh
        for other in self._cameras.values():
            if other is not camera:
                other.others_read += read
                other.others_shown += fresh

    def _usual(self, unit: UnitId) -> FloatArray:
        """The upper bound of each level's usual share, here or at all cameras, whichever is more."""
        layout, now = self._baseline.layout, Seconds(self._baseline.latest)
        own = self._baseline.camera(unit, now)
        seen = np.add.reduceat(own, layout.offsets)[layout.attribute_of]
        everywhere = confidence.share_upper(*self._baseline.singles(now))
        here = np.where(seen > _YOUNG, confidence.share_upper(own, seen), 0.0)
        return np.maximum(everywhere, here)

    def _contradicted(self, camera: _Camera) -> NDArray[np.bool_]:
        """Where the other cameras, since the evidence began, show a level as usual and not as this camera does."""
        usual = np.zeros(len(camera.z)) if camera.usual is None else camera.usual
        p = np.clip(usual, _DUST, 1.0 - _DUST)
        r = np.maximum((camera.shown + 0.5) / (camera.read + 1.0), p + _DUST)
        r = np.clip(r, _DUST, 1.0 - _DUST)
        k, n = camera.others_shown, camera.others_read
        bits = k * np.log2(r / p) + (n - k) * np.log2((1.0 - r) / (1.0 - p))
        found: NDArray[np.bool_] = bits <= OTHERS_BITS
        return found

    def _set_aside(self, camera: _Camera) -> None:
        contradicted = self._contradicted(camera)
        suspect = ((camera.z > TOO_MANY) | (camera.cusum > CUSUM_LIMIT)) & contradicted
        still = ((camera.z > ENOUGH) | (camera.cusum > CUSUM_LIMIT / 2.0)) & contradicted
        over = {
            place
            for place in camera.masked
            if still[place] and camera.added - camera.masked_from[place] >= MASK_PEOPLE
        }
        # An accepted level is believed until nothing is left of the evidence against it.
        gone = (camera.cusum == 0.0) & (camera.z < ENOUGH)
        camera.accepted = frozenset(place for place in camera.accepted | over if not gone[place])
        kept = {place for place in camera.masked if still[place]}
        masked = (kept | set(np.flatnonzero(suspect).tolist())) - camera.accepted
        camera.masked_from = {place: camera.masked_from.get(place, camera.added) for place in masked}
        camera.masked = frozenset(masked)
