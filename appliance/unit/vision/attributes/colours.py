"""From pixels to named colours: light correction, CIELAB, soft shares of twelve names.

Invariants:
    * Pure and deterministic; small arrays in, small arrays out.
    * A colour between two names is both, in shares that add up to one: soft names hardly move when light does.
    * Only cloth comes here: heads are blanked and bare limbs left out before (regions.py).

Sources: sRGB (IEC 61966-2-1) to CIE XYZ and CIELAB under D65 (CIE 15:2018, clause 8.2.1). Lightness and chroma are
read in CIELAB; hue in Oklab (Ottosson 2020), because CIELAB's hue bends in blue (pure blue and lilac share one).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.protocol.vocabulary import COLOURS
from appliance.unit.vision.types import Pixels

Floats = NDArray[np.float32]

_STEPS: Final = np.arange(256) / 255.0
_LINEAR: Final = np.where(_STEPS <= 0.04045, _STEPS / 12.92, ((_STEPS + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
_XYZ: Final = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ],
    np.float32,
)
_TO_XYZ: Final = (_XYZ / _XYZ.sum(axis=1, keepdims=True)).T.copy()  # relative to white
_FROM_XYZ: Final = np.linalg.inv(_XYZ.astype(np.float64) / _XYZ.sum(axis=1, keepdims=True)).tolist()
_EPSILON: Final = 216 / 24389
_KAPPA: Final = 24389 / 27
_OKLAB_LMS: Final = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_OKLAB_AB: Final = ((1.9779984951, -2.4285922050, 0.4505937099), (0.0259040371, 0.7827717662, -0.8086757660))

GREY_WORLD: Final = 0.5
"""How far the mean of a scene is pulled to grey: a street is not grey, so half way (measured: partial correction)."""
GREY_WORLD_BEHIND_A_CARD: Final = 0.25
"""The same where a card has said what the camera sees: less is left to fix, and half way would undo the card's work.

Measured (docs/colours.md, warm lamp, crosstalk): .25 leaves 1.5 of CIEDE2000 on cloth, .5 leaves 3.0, no card 6.7;
where the card was read by daylight and the lamp is another since, 5.7, 4.5 and 6.7.
"""
_GAIN_LIMIT: Final = 1.25
_STRIDE: Final = 16


def linear(pixels: Pixels) -> Floats:
    """(…, 3) sRGB bytes as linear light in [0, 1]."""
    light: Floats = _LINEAR[pixels]
    return light


def lab_of_linear(light: Floats) -> Floats:
    """(…, 3) linear sRGB as CIELAB: L in [0, 100], a and b around zero."""
    relative = light @ _TO_XYZ
    root = np.where(relative > _EPSILON, np.cbrt(relative), (_KAPPA * relative + 16) / 116)
    lab: Floats = np.empty_like(root)
    lab[..., 0] = 116 * root[..., 1] - 16
    lab[..., 1] = 500 * (root[..., 0] - root[..., 1])
    lab[..., 2] = 200 * (root[..., 1] - root[..., 2])
    return lab


def lab(pixels: Pixels) -> Floats:
    """(…, 3) sRGB bytes as CIELAB."""
    return lab_of_linear(linear(pixels))


def hue(lightness: float, a: float, b: float) -> float:
    """Oklab hue of a CIELAB colour, in degrees [0, 360); colours no screen shows are clipped first."""
    middle = (lightness + 16) / 116
    relative = [_cubed(root) for root in (middle + a / 500, middle, middle - b / 200)]
    light = [
        min(1.0, max(0.0, row[0] * relative[0] + row[1] * relative[1] + row[2] * relative[2]))
        for row in _FROM_XYZ
    ]
    cone = [(row[0] * light[0] + row[1] * light[1] + row[2] * light[2]) ** (1 / 3) for row in _OKLAB_LMS]
    green_red, blue_yellow = (row[0] * cone[0] + row[1] * cone[1] + row[2] * cone[2] for row in _OKLAB_AB)
    return math.degrees(math.atan2(blue_yellow, green_red)) % 360


def _cubed(root: float) -> float:
    """Inverse of CIELAB's compression."""
    cube: float = root * root * root
    return cube if cube > _EPSILON else (116 * root - 16) / _KAPPA


class Balance:
    """A slow partial grey-world estimate of the light: the gains that pull the scene's mean half way to grey.

    Where the camera has a ``matrix`` (3 x 3, from the colour card), the mean is that of corrected light: what the
    card has mended is not mended twice, and the gains follow only what changed since.

    Source: the grey-world hypothesis (Buchsbaum 1980), applied in linear light per channel.
    """

    def __init__(self, matrix: Floats | None = None) -> None:
        self._matrix = matrix
        self._mean: Floats | None = None

    def anew(self) -> Balance:
        """The same camera's balance before its first frame."""
        return Balance(self._matrix)

    def look(self, pixels: Pixels, *, memory: float = 0.9) -> None:
        """Take in a frame; ``memory`` in [0, 1) is the weight of what was known before."""
        mean = linear(pixels[::_STRIDE, ::_STRIDE]).reshape(-1, 3).mean(axis=0)
        if self._matrix is not None:
            mean = np.maximum(self._matrix @ mean, np.float32(0))
        self._mean = mean if self._mean is None else memory * self._mean + (1 - memory) * mean

    @property
    def gains(self) -> Floats:
        """Three factors for linear light, mean 1, each within a quarter of 1."""
        if self._mean is None:
            return np.ones(3, np.float32)
        strength = GREY_WORLD if self._matrix is None else GREY_WORLD_BEHIND_A_CARD
        gains = (self._mean.mean() / np.maximum(self._mean, 1e-3)) ** strength
        gains = np.clip(gains, 1 / _GAIN_LIMIT, _GAIN_LIMIT)
        balanced: Floats = (gains / gains.mean()).astype(np.float32)
        return balanced

    @property
    def light(self) -> Floats:
        """What ``balanced`` takes: the gains, or the matrix (3, 3) with each row weighted by its gain."""
        return self.gains if self._matrix is None else self.gains[:, None] * self._matrix


def balanced(light: Floats, by: Floats) -> Floats:
    """(n, 3) linear light under ``by``: three gains, or a matrix (3, 3); what is beyond white or black is cut."""
    if by.ndim == 1:
        gained: Floats = np.minimum(light * by, np.float32(1.0))
        return gained
    mended: Floats = np.clip(light @ by.T, np.float32(0.0), np.float32(1.0))
    return mended


def name_shares(lightness: float, a: float, b: float) -> tuple[float, ...]:
    """A CIELAB colour as shares of the twelve names of ``vocabulary.COLOURS``; they add up to 1.

    Rules on lightness, chroma and hue with soft borders. The borders are our reading of where the basic colour
    terms of Berlin and Kay (1969) meet, held against the CSS colour names by the tests. Plain numbers, not arrays:
    there are at most three swatches.
    """
    chroma = math.hypot(a, b)
    h = hue(lightness, a, b)
    # Dark cloth needs more chroma before anybody names its hue.
    colourless = _soft(9.0 + 9.0 * _soft(20.0 - lightness, 4.0) - chroma, 2.0)
    black, white = _soft(29.0 - lightness, 3.5), _soft(lightness - 80.0, 4.0)
    share = dict.fromkeys(COLOURS, 0.0)
    share["black"], share["white"] = colourless * black, colourless * white
    share["grey"] = colourless * (1 - black) * (1 - white)
    reds, oranges, yellows, greens, blues, purples = (
        (1 - colourless) * band for band in _bands(h, (345.0, 42.0, 80.0, 118.0, 194.0, 284.0))
    )
    _reds(share, reds, lightness, chroma, h)
    _warm(share, oranges, yellows, lightness, chroma, h)
    share["green"] += greens
    share["blue"] += blues
    to_pink = max(
        _soft(lightness - 66.0, 5.0) * _soft(h - 318.0, 6.0),
        _soft(h - 341.0, 4.0),
        _soft(chroma - 90.0, 8.0) * _soft(h - 320.0, 5.0),
    )
    share["pink"] += purples * to_pink
    share["purple"] += purples * (1 - to_pink)
    total = sum(share.values())
    return tuple(part / total for part in share.values())


def _soft(margin: float, width: float) -> float:
    """0 far below zero margin, 1 far above, one half on the border."""
    return 1 / (1 + math.exp(max(-30.0, min(30.0, -margin / width))))


def _bands(h: float, starts: tuple[float, ...], width: float = 5.0) -> list[float]:
    """Shares of neighbouring hue bands, each from its start to the next one's; they add up to 1."""
    found = []
    for start, end in zip(starts, (*starts[1:], starts[0]), strict=True):
        span = (end - start) % 360
        off = (h - start - span / 2 + 180) % 360 - 180
        found.append(_soft(span / 2 - abs(off), width))
    total = sum(found)
    return [share / total for share in found]


def _reds(share: dict[str, float], band: float, lightness: float, chroma: float, h: float) -> None:
    """Split the reds: pale or bluish is pink, dull and dark is brown, pale and dull is beige."""
    bluish = _soft(12.0 - (h + 30.0) % 360 + 30.0, 4.0)
    to_pink = _soft(lightness - 0.2 * (chroma - 40.0) - (61.0 - 14.0 * bluish), 3.5)
    to_brown = (1 - to_pink) * _soft(40.0 - chroma, 5.0) * _soft(48.0 - lightness, 5.0)
    to_beige = to_pink * _soft(17.0 - chroma, 3.0) * _soft(h - 25.0, 6.0) * (1 - bluish)
    share["beige"] += band * to_beige
    share["pink"] += band * (to_pink - to_beige)
    share["brown"] += band * to_brown
    share["red"] += band * (1 - to_pink - to_brown)


def _warm(
    share: dict[str, float], orange: float, yellow: float, lightness: float, chroma: float, h: float
) -> None:
    """Split orange and yellow: pale and dull is beige, dark is brown, dark and greenish is green."""
    to_beige = _soft(lightness - 62.0, 4.0) * _soft(37.0 - chroma, 3.5)
    vivid = _soft(chroma - 46.0, 5.0) * _soft(lightness - 57.0, 4.0)
    share["beige"] += (orange + yellow) * to_beige
    share["orange"] += orange * (1 - to_beige) * vivid
    share["brown"] += orange * (1 - to_beige) * (1 - vivid)
    dark = _soft(63.0 - lightness, 4.0)
    greenish = _soft(h - 98.0, 4.0)
    share["yellow"] += yellow * (1 - to_beige) * (1 - dark)
    share["green"] += yellow * (1 - to_beige) * dark * greenish
    share["brown"] += yellow * (1 - to_beige) * dark * (1 - greenish)
