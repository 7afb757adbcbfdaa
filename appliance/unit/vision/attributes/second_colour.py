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
from appliance.unit.vision.attributes.palette import LIGHTNESS_WEIGHT, Swatch, swatch

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


def second(parts: Sequence[Floats]) -> Second | None:
    """The likeliest second colour among clusters of samples (largest first); None where all is one colour.

    It is the one of which most is seen farthest from the first colour and least like it in name. It is named by its
    farther half: what lies nearer is mixed with the first colour, at borders and by the lens.
    """
    found = _merged(parts)
    if len(found) < 2:
        return None
    total = sum(map(len, found))
    first = swatch(found[0], total)
    ours = name_shares(first.lightness, first.a, first.b)
    best: tuple[float, Swatch, float, tuple[float, ...]] | None = None
    for part in found[1:]:
        other = swatch(part, total)
        if other.share < LEAST_SHARE:
            continue
        far = _far_half(part, first)
        names = name_shares(far.lightness, far.a, far.b)
        unlike = 1 - sum(map(float.__mul__, ours, names))
        worth = min(other.share, _MOST_SHARE) * far.apart(first) * unlike
        if best is None or worth > best[0]:
            best = worth, other, unlike, names
    if best is None:
        return None
    _, other, unlike, names = best
    return Second(features=_features(first, other, unlike), names=names)


def _merged(parts: Sequence[Floats]) -> list[Floats]:
    """Clusters nearer than ``APART`` to a larger one laid together with it; largest first."""
    kept: list[Floats] = []
    for part in parts:
        middle = swatch(part, len(part))
        for place, other in enumerate(kept):
            if middle.apart(swatch(other, len(other))) < APART:
                kept[place] = np.concatenate([other, part])
                break
        else:
            kept.append(part)
    return sorted(kept, key=len, reverse=True)


def _far_half(part: Floats, first: Swatch) -> Swatch:
    """The colour of the half of the samples that is farther from ``first``."""
    off = (part - np.array([first.lightness, first.a, first.b], np.float32)) * LIGHTNESS_WEIGHT
    far = np.einsum("ij,ij->i", off, off)
    return swatch(part[far >= np.median(far)], len(part))


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
