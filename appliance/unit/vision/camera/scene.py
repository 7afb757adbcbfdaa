"""Whether a camera still shows its street: black, frozen, blurred, knocked, too dark, too bright, or without colour.

Invariants:
    * Pure: pictures and their times come in, one word of the closed list goes out; no picture is kept but a grey
      one of 96 x 54 points, an average of many seconds, in memory.
    * A word is said only when it has held for its time, and goes away by itself when the street is back.
    * It reads a few pictures a second, each in well under a millisecond.

Focus is the variance of the Laplacian (Pech-Pacheco et al. 2000) over that of the picture, so that a dull wall is not
called blurred. A shift is found by phase correlation (Kuglin and Hines 1975).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from appliance.protocol.health import UnitState
from appliance.unit.vision.types import Pixels

EVERY: Final = 0.5
"""Seconds between two pictures that are looked at."""
_SIZE: Final = (96, 54)
_BLACK: Final = 10.0
_DARK: Final = 24.0
_GLARE: Final = 0.6
"""Share of points that are white to the last step."""
_CHROMA: Final = 1.5
"""Mean difference between the colour channels, of 255, below which there is no colour (a night mode)."""
_FOCUS: Final = 0.004
_CONTRAST: Final = 60.0
"""Least variance of a picture whose focus can be judged."""
_SHIFT: Final = 2.0
"""Points of the small picture: about a fortieth of its width."""
_RESPONSE: Final = 0.15
_HOLDS: Final = {
    UnitState.BLIND: 3.0,
    UnitState.FROZEN: 10.0,
    UnitState.TOO_DARK: 20.0,
    UnitState.TOO_BRIGHT: 20.0,
    UnitState.COLOURLESS: 5.0,
    UnitState.BLURRED: 20.0,
    UnitState.MOVED: 5.0,
}
"""Seconds that a trouble must hold before it is said; the gravest first."""
_REFERENCE_SECONDS: Final = 60.0
_MOVED_FOR: Final = 120.0
"""Seconds that "moved" is said before the new view counts as the usual one."""
_SMOOTH: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFigures:
    """What is measured of one picture: mean brightness, share of white, mean chroma, focus, contrast."""

    brightness: float
    white: float
    chroma: float
    focus: float
    contrast: float


def figures(pixels: Pixels) -> SceneFigures:
    """The figures of a picture (h, w, 3), RGB, 0 to 255."""
    step = max(1, pixels.shape[0] // 270)
    small = np.ascontiguousarray(pixels[::step, ::step])
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    red, green, blue = cv2.split(small)
    spread = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    mean, deviation = cv2.meanStdDev(grey)
    _, roughness = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    contrast = float(deviation[0, 0]) ** 2
    return SceneFigures(
        brightness=float(mean[0, 0]),
        white=cv2.countNonZero(cv2.inRange(grey, 253, 255)) / grey.size,
        chroma=float(cv2.mean(spread)[0]),
        focus=float(roughness[0, 0]) ** 2 / max(contrast, 1.0) / 16.0,
        contrast=contrast,
    )


class Scene:
    """What the camera's view is like; `state` is the gravest trouble that holds, else WATCHING."""

    def __init__(self) -> None:
        self.state = UnitState.WATCHING
        self._since: dict[UnitState, float] = {}
        self._looked_at = -EVERY
        self._print: bytes = b""
        self._usual: npt.NDArray[np.float32] | None = None
        self._now: npt.NDArray[np.float32] | None = None
        self._begun = 0.0
        self._moved_at: float | None = None

    def look(self, pixels: Pixels, at: float, *, shaken: bool = False) -> UnitState:
        """Take a picture (h, w, 3) seen at ``at`` (monotonic seconds); the state after it.

        ``shaken`` is whether the camera sways there and back, which a look twice a second cannot tell.
        """
        if at - self._looked_at < EVERY:
            return self.state
        self._looked_at = at
        troubles = self._troubles(pixels, at)
        if shaken:
            troubles.add(UnitState.MOVED)
        for trouble in _HOLDS:
            if trouble in troubles:
                self._since.setdefault(trouble, at)
            else:
                self._since.pop(trouble, None)
        held = [word for word, seconds in _HOLDS.items() if at - self._since.get(word, at) >= seconds]
        self.state = held[0] if held else UnitState.WATCHING
        return self.state

    def _troubles(self, pixels: Pixels, at: float) -> set[UnitState]:
        found = figures(pixels)
        troubles = set()
        if found.brightness < _BLACK and found.contrast < _CONTRAST:
            return {UnitState.BLIND}
        # Every sensor has noise: two pictures that are the same to the last bit are one picture shown twice.
        point = pixels[::4, ::4].tobytes()
        if point == self._print:
            troubles.add(UnitState.FROZEN)
        self._print = point
        if found.brightness < _DARK:
            troubles.add(UnitState.TOO_DARK)
        if found.white > _GLARE:
            troubles.add(UnitState.TOO_BRIGHT)
        if found.chroma < _CHROMA:
            troubles.add(UnitState.COLOURLESS)
        if found.contrast > _CONTRAST and found.focus < _FOCUS:
            troubles.add(UnitState.BLURRED)
        if not troubles and self._has_moved(pixels, at):
            troubles.add(UnitState.MOVED)
        return troubles

    def _has_moved(self, pixels: Pixels, at: float) -> bool:
        """Whether the view is shifted against the usual one."""
        grey = cv2.cvtColor(cv2.resize(pixels, _SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        fresh = grey.astype(np.float32)
        if self._usual is None or self._now is None:
            self._usual, self._now, self._begun = fresh.copy(), fresh, at
            return False
        self._now += _SMOOTH * (fresh - self._now)
        if at - self._begun < _REFERENCE_SECONDS / 2:  # the usual view is still being learnt
            self._usual += _SMOOTH * (fresh - self._usual)
            return False
        # Copies: OpenCV multiplies the window into what it is given where no padding is needed.
        usual, now = self._usual.copy(), self._now.copy()
        (across, down), response = cv2.phaseCorrelate(usual, now, _window())
        moved = response > _RESPONSE and max(abs(across), abs(down)) > _SHIFT
        if moved and self._moved_at is None:
            self._moved_at = at
        if moved and self._moved_at is not None and at - self._moved_at > _MOVED_FOR:
            self._usual, self._begun, self._moved_at = self._now.copy(), at, None
            return False
        if not moved:
            self._moved_at = None
            self._usual += EVERY / _REFERENCE_SECONDS * (fresh - self._usual)
        return moved


def _window() -> npt.NDArray[np.float32]:
    return np.asarray(cv2.createHanningWindow(_SIZE, cv2.CV_32F), np.float32)
