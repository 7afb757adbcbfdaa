"""Flat cloth of four kinds: plain, striped, checked, figured (prints.py). Scale is in fine texels (3.3 mm).

Law: knit, twill, fur, quilting, pleats and fading are plain; only dye makes a pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from fabrics.fields import (
    COLUMNS,
    ROWS,
    SIDE,
    Colour,
    Floats,
    blend,
    chance,
    dye,
    dyes,
    flat,
    log_uniform,
    noise,
    turned,
    where,
)
from fabrics.prints import figured

Random = np.random.Generator


def cloth(rng: Random, kind: str) -> Floats:
    """Return (192, 192, 3) sRGB 0..1 of the kind asked for."""
    return np.clip(_MAKERS[kind](rng), 0, 1).astype(np.float32)


# ---------------------------------------------------------------- plain


def plain(rng: Random) -> Floats:
    """One dye, any surface."""
    ground = flat(dye(rng))
    surface = _SURFACES[rng.choice(len(_SURFACES), p=_SURFACE_SHARES)]
    return ground * (1 + surface(rng))[..., np.newaxis]


def _smooth(rng: Random) -> Floats:
    return noise(rng, 2) * np.float32(rng.uniform(0, 0.02))


def _melange(rng: Random) -> Floats:
    return noise(rng, rng.uniform(1.2, 4)) * np.float32(rng.uniform(0.02, 0.09))


def _rib(rng: Random) -> Floats:
    across, along = turned(rng, upright=0.97, jitter=4)
    ridge = np.sin(across * (2 * np.pi / rng.uniform(3, 12)) + 0.4 * noise(rng, 40))
    if chance(rng, 0.4):  # cables and bobbles
        ridge = ridge * (0.6 + 0.4 * np.sin(along * (2 * np.pi / rng.uniform(5, 24))))
    return (ridge * rng.uniform(0.02, 0.11)).astype(np.float32)


def _twill(rng: Random) -> Floats:
    across, along = turned(rng, upright=1, jitter=2)
    twill = np.sin((across + along) * (2 * np.pi / rng.uniform(2, 4))) * rng.uniform(0.01, 0.05)
    faded = noise(rng, rng.uniform(20, 70), rng.uniform(1, 3)) * rng.uniform(0.02, 0.15)
    return (twill + faded + noise(rng, 2) * rng.uniform(0.01, 0.05)).astype(np.float32)


def _fur(rng: Random) -> Floats:
    hair = noise(rng, rng.uniform(2, 7), rng.uniform(1, 5)) * rng.uniform(0.03, 0.13)
    return (hair + noise(rng, rng.uniform(8, 24)) * rng.uniform(0, 0.08)).astype(np.float32)


def _quilt(rng: Random) -> Floats:
    """Puffer tubes: soft light from above, a dark seam; sometimes diamonds."""
    period = rng.uniform(14, 44)
    down = ROWS + 2.5 * noise(rng, 40) + rng.uniform(0, 60)
    if chance(rng, 0.3):
        down = down + COLUMNS
    phase = (down % period) / period
    tube = np.cos(np.pi * phase) * rng.uniform(0.05, 0.22)
    seam = np.exp(-(np.minimum(phase, 1 - phase) ** 2) / 0.003) * rng.uniform(0.05, 0.3)
    crumple = noise(rng, rng.uniform(4, 10), 1.5) * rng.uniform(0.01, 0.07)
    return (tube - seam + crumple).astype(np.float32)


def _pleats(rng: Random) -> Floats:
    period = log_uniform(rng, 5, 26)
    across = COLUMNS + 3 * noise(rng, 50, 3) + (ROWS - SIDE / 2) * rng.uniform(-0.1, 0.1)
    phase = (across % period) / period
    return ((phase - 0.5) * rng.uniform(0.04, 0.24)).astype(np.float32)


_SURFACES: Final = (_smooth, _melange, _rib, _twill, _fur, _quilt, _pleats)
_SURFACE_SHARES: Final = (0.42, 0.14, 0.13, 0.13, 0.06, 0.07, 0.05)


# ---------------------------------------------------------------- striped


def striped(rng: Random) -> Floats:
    """Parallel bands of two to five dyes, from shirt stripes (1 cm) to rugby bands (25 cm)."""
    # Bands across the body (sailor, rugby) are commoner than along it; diagonals are rare.
    across, along = turned(rng, upright=0.93, jitter=6)
    period = log_uniform(rng, 4, 74)
    across = across + rng.uniform(0, 1.2) * noise(rng, 40)
    colours = dyes(rng, int(rng.integers(2, 5)), rng.uniform(0.12, 0.4))
    style = rng.random()
    if style < 0.62:
        canvas = _bands(rng, across / period, colours[:2])
    elif style < 0.85:
        canvas = _many_bands(rng, across / (period * rng.uniform(1.2, 3)), colours)
    elif style < 0.93:  # a stripe with a fine companion
        canvas = _bands(rng, across / period, colours[:2])
        canvas = _bands(
            rng, across / period + 0.5, [colours[-1]], ground=canvas, duty=rng.uniform(0.06, 0.15)
        )
    else:
        canvas = _knitted_bands(rng, across / period, colours)
    if chance(rng, 0.12):  # a panel cut the other way: a yoke, a pocket, mitred halves
        turns = along / period if chance(rng, 0.6) else (across + rng.choice([-1, 1]) * along) / period
        side = along if chance(rng, 0.5) else across
        panel = side < np.quantile(side, rng.uniform(0.1, 0.6))
        canvas = np.where(panel[..., np.newaxis], _bands(rng, turns, colours[:2]), canvas)
    if chance(rng, 0.12):  # a plain yoke above the stripes
        canvas = where(along < np.quantile(along, rng.uniform(0.1, 0.3)), colours[0], canvas)
    if chance(rng, 0.15):
        canvas = canvas * (1 + _rib(rng))[..., np.newaxis]
    return canvas


def _bands(
    rng: Random,
    turns: Floats,
    colours: list[Colour],
    *,
    ground: Floats | None = None,
    duty: float | None = None,
) -> Floats:
    duty = rng.choice([rng.uniform(0.4, 0.6), rng.uniform(0.12, 0.4)]) if duty is None else duty
    ground = flat(colours[-1]) if ground is None else ground
    return where((turns % 1) < duty, colours[0], ground)


def _many_bands(rng: Random, turns: Floats, colours: list[Colour]) -> Floats:
    edges = np.sort(rng.uniform(0, 1, int(rng.integers(2, 7))))
    number = np.searchsorted(edges, (turns % 1).ravel()).reshape(turns.shape)
    order = rng.permutation(np.arange(len(edges) + 1) % len(colours))
    return np.stack(colours)[order[number]].astype(np.float32)


def _knitted_bands(rng: Random, turns: Floats, colours: list[Colour]) -> Floats:
    """Bands of uneven width that melt into each other: space-dyed and fair-isle knits."""
    count = int(rng.integers(6, 16))
    edges = np.cumsum(rng.uniform(0.15, 1.0, count))
    number = np.searchsorted(edges, (turns + 0.06 * noise(rng, 6)).ravel() % edges[-1]).reshape(turns.shape)
    order = rng.integers(0, len(colours), count + 1)
    canvas = np.stack(colours)[order[number]]
    return (canvas * (1 + _melange(rng))[..., np.newaxis]).astype(np.float32)


# ---------------------------------------------------------------- checked


def checked(rng: Random) -> Floats:
    """Bands crossing at right angles: gingham, tartan, window pane, tattersall, houndstooth."""
    u, v = turned(rng, upright=0.93, jitter=7)
    bend = rng.uniform(0, 1.2)
    u, v = u + bend * noise(rng, 45), v + bend * noise(rng, 45)
    makers = (_gingham, _tartan, _panes, _houndstooth)
    canvas = makers[rng.choice(4, p=(0.26, 0.46, 0.18, 0.10))](rng, u, v)
    if chance(rng, 0.2):  # woven of mixed yarn: tweed, boucle
        canvas = canvas * (1 + _melange(rng) + _fur(rng))[..., np.newaxis]
    return np.asarray(canvas, np.float32)


def _gingham(rng: Random, u: Floats, v: Floats) -> Floats:
    period = log_uniform(rng, 5, 34)
    one, other = dyes(rng, 2, 0.28)
    if chance(rng, 0.5):
        other = np.clip(np.float32(1) - rng.uniform(0, 0.1, 3), 0, 1).astype(np.float32)
    share = ((u / period % 1 < 0.5).astype(np.float32) + (v / period % 1 < 0.5).astype(np.float32)) / 2
    if chance(rng, 0.15):
        share = ((u / period % 1 < 0.5) ^ (v / period % 1 < 0.5)).astype(np.float32)  # a chessboard
    return blend(np.asarray(share, np.float32), one, flat(other))


def _tartan(rng: Random, u: Floats, v: Floats) -> Floats:
    """Warp and weft of the same sett, mixed half and half where they cross."""
    period = log_uniform(rng, 9, 80)
    square = rng.uniform(0.85, 1.2)
    colours = dyes(rng, int(rng.integers(2, 5)), rng.uniform(0.14, 0.35))
    edges = np.sort(rng.uniform(0, 1, int(rng.integers(2, 8))))
    order = np.concatenate([[0], rng.integers(0, len(colours), len(edges) - 1), [0]])
    order[len(order) // 2] = 1
    sett = np.stack(colours)[order]
    warp = sett[np.searchsorted(edges, (u / period % 1).ravel())].reshape(SIDE, SIDE, 3)
    weft = sett[np.searchsorted(edges, (v / (period * square) % 1).ravel())].reshape(SIDE, SIDE, 3)
    return ((warp + weft) / 2).astype(np.float32)


def _panes(rng: Random, u: Floats, v: Floats) -> Floats:
    period = log_uniform(rng, 8, 60)
    ground, *lines = dyes(rng, int(rng.integers(2, 4)), 0.2)
    canvas = flat(ground)
    for number, line in enumerate(lines):
        width = max(0.05, rng.uniform(1.0, 3.0) / period)
        shift = number / len(lines)
        on = ((u / period + shift) % 1 < width) | ((v / period + shift) % 1 < width)
        canvas = blend(on.astype(np.float32) * np.float32(rng.uniform(0.5, 1)), line, canvas)
    return canvas


def _houndstooth(rng: Random, u: Floats, v: Floats) -> Floats:
    period = log_uniform(rng, 6, 26)
    one, other = dyes(rng, 2, 0.3)
    pu, pv = u / period % 1, v / period % 1
    diagonal = (u + v) / period * 2 % 1 < 0.5
    return where(((pu < 0.5) & (pv < 0.5)) | ((pu < 0.5) ^ (pv < 0.5)) & diagonal, one, flat(other))


_MAKERS: Final[dict[str, Callable[[Random], Floats]]] = {
    "plain": plain,
    "striped": striped,
    "checked": checked,
    "figured": figured,
}
