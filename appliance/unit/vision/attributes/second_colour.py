"""Whether cloth has a second colour at all, and what it looks like: asked before which word it is.

Invariants:
    * Present or not is one number, the log likelihood ratio of what is measured of the likeliest second colour:
      logistic regression (Cox, *J. Royal Statistical Society B* 20, 1958) on people whose cloth is known, as many
      with as without, so that no prior is in it.
    * Shade is no second colour: cloth in more or less light moves along one ray from (-16, 0, 0) in CIELAB (CIE 15,
      8.2.1), so how far two swatches are off one ray counts beside how far apart they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.unit.vision.attributes.colours import Floats, name_shares
from appliance.unit.vision.attributes.palette import LIGHTNESS_WEIGHT, Swatch

APART: Final = 10.0
"""Clusters nearer than this (CIELAB, lightness at half weight) are one colour even where a second one is sought."""
LEAST_SHARE: Final = 0.17
"""A second colour covers this share at least: less may be a bag, skin or the background. Without it, where none is
worn one is said twice as often (choice people)."""
_BLACK: Final = 16.0
_MOST_SHARE, _MOST_OFF, _MOST_LIGHTER, _MOST_RATIO = 0.35, 40.0, 60.0, 3.0
"""Beyond these more says no more."""
FEATURES: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The likeliest second colour: what is measured of it beside the first, and its soft names."""

    features: tuple[float, ...]
    names: tuple[float, ...]


def second(parts: Sequence[Floats], colours: Sequence[Swatch]) -> Second | None:
    """The likeliest second colour among clusters of samples (largest first) of these colours; None: there is none.

    It is the one of which most is seen farthest from the first colour and least like it in name. It is named by its
    farther half: what lies nearer is mixed with the first colour, at borders and by the lens.
    """
    (first, _), *others = _merged(colours)
    ours = name_shares(first.lightness, first.a, first.b)
    best: tuple[float, Swatch, float, tuple[float, ...]] | None = None
    for other, places in others:
        if other.share < LEAST_SHARE:
            continue
        lightness, a, b = _far_half([parts[place] for place in places], first)
        names = name_shares(lightness, a, b)
        unlike = 1 - sum(map(float.__mul__, ours, names))
        worth = min(other.share, _MOST_SHARE) * first.apart(Swatch(lightness, a, b, other.share)) * unlike
        if best is None or worth > best[0]:
            best = worth, other, unlike, names
    if best is None:
        return None
    _, other, unlike, names = best
    return Second(features=_features(first, other, unlike), names=names)


def _merged(colours: Sequence[Swatch]) -> list[tuple[Swatch, tuple[int, ...]]]:
    """Colours nearer than ``APART`` to a larger one laid together with it, and which they are; largest first."""
    kept: list[tuple[Swatch, tuple[int, ...]]] = []
    for number, one in enumerate(colours):
        for place, (other, those) in enumerate(kept):
            if one.apart(other) < APART:
                kept[place] = other.with_more(one), (*those, number)
                break
        else:
            kept.append((one, (number,)))
    return sorted(kept, key=lambda found: -found[0].share)


def _far_half(parts: Sequence[Floats], first: Swatch) -> tuple[float, float, float]:
    """Mean CIELAB of the half of the samples that is farther from ``first``."""
    samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
    off = (samples - np.array([first.lightness, first.a, first.b], np.float32)) * LIGHTNESS_WEIGHT
    far = (off * off).sum(axis=1)
    lightness, a, b = samples[np.argpartition(far, len(far) // 2)[len(far) // 2 :]].mean(axis=0).tolist()
    return lightness, a, b


def _features(first: Swatch, other: Swatch, unlike: float) -> tuple[float, ...]:
    """1; share; unlike in name; the share's products with off-ray distance, unlikeness, lightness, ratio; spreads."""
    long, short = (
        math.hypot(first.lightness + _BLACK, first.a, first.b),
        math.hypot(other.lightness + _BLACK, other.a, other.b),
    )
    dot = (first.lightness + _BLACK) * (other.lightness + _BLACK) + first.a * other.a + first.b * other.b
    off = math.sqrt(max(0.0, long * short - dot * dot / (long * short)))
    ratio = max(long, short) / min(long, short)
    share = 3 * min(other.share, _MOST_SHARE)
    return (
        1.0,
        share,
        unlike,
        share * min(off, _MOST_OFF) / 20,
        share * unlike,
        share * min(abs(first.lightness - other.lightness), _MOST_LIGHTER) / 30,
        share * min(ratio - 1, _MOST_RATIO - 1),
        first.spread / 10,
        other.spread / 10,
    )
