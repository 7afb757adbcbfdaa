"""Flat cloth of four kinds: plain, striped, checked, figured. Print scale is in fine texels (3.3 mm).

Law: knit, twill, fur, quilting, pleats and fading are plain; only dye makes a pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
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
    lightness,
    log_uniform,
    noise,
    turned,
    where,
)

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
    else:  # a stripe with a fine companion
        canvas = _bands(rng, across / period, colours[:2])
        canvas = _bands(
            rng, across / period + 0.5, [colours[-1]], ground=canvas, duty=rng.uniform(0.06, 0.15)
        )
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


# ---------------------------------------------------------------- checked


def checked(rng: Random) -> Floats:
    """Bands crossing at right angles: gingham, tartan, window pane, tattersall, houndstooth."""
    u, v = turned(rng, upright=0.93, jitter=7)
    bend = rng.uniform(0, 1.2)
    u, v = u + bend * noise(rng, 45), v + bend * noise(rng, 45)
    makers = (_gingham, _tartan, _panes, _houndstooth)
    return makers[rng.choice(4, p=(0.26, 0.46, 0.18, 0.10))](rng, u, v)


def _gingham(rng: Random, u: Floats, v: Floats) -> Floats:
    period = log_uniform(rng, 5, 34)
    one, other = dyes(rng, 2, 0.28)
    if chance(rng, 0.5):
        other = np.clip(np.float32(1) - rng.uniform(0, 0.1, 3), 0, 1).astype(np.float32)
    share = ((u / period % 1 < 0.5).astype(np.float32) + (v / period % 1 < 0.5).astype(np.float32)) / 2
    if chance(rng, 0.15):
        share = ((u / period % 1 < 0.5) ^ (v / period % 1 < 0.5)).astype(np.float32)  # a chessboard
    return blend(share, one, flat(other))


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


# ---------------------------------------------------------------- figured


def figured(rng: Random) -> Floats:
    """Everything else that is dyed on: flowers, dots, animal, camouflage, geometry, rows of motifs, graphics."""
    makers = (_flowers, _dots, _animal, _blotches, _tiles, _motifs, _graphic, _abstract)
    return makers[rng.choice(8, p=(0.22, 0.13, 0.12, 0.08, 0.12, 0.10, 0.17, 0.06))](rng)


def _rgb(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = (float(part) for part in colour)
    return red, green, blue


def _flowers(rng: Random) -> Floats:
    ground, *petals = dyes(rng, int(rng.integers(3, 6)), 0.2)
    leaf = np.array([rng.uniform(0, 0.4), rng.uniform(0.2, 0.6), rng.uniform(0, 0.4)], np.float32)
    canvas = np.ascontiguousarray(flat(ground))
    radius = log_uniform(rng, 3.5, 26)
    count = min(300, int(rng.uniform(0.25, 1.0) * SIDE * SIDE / (4 * radius * radius)) + 2)
    for x, y in rng.uniform(-5, SIDE + 5, (count, 2)):
        size, spin, flower = (
            radius * rng.uniform(0.6, 1.2),
            rng.uniform(0, 360),
            petals[rng.integers(len(petals))],
        )
        if chance(rng, 0.5):
            at = (int(x + rng.uniform(-1, 1) * size), int(y + rng.uniform(-1, 1) * size))
            cv2.ellipse(
                canvas, at, (max(1, int(size)), max(1, int(size * 0.3))), spin, 0, 360, _rgb(leaf), -1
            )
        for petal in range(int(rng.integers(3, 7))):
            turn = np.deg2rad(spin + 65 * petal)
            at = (int(x + 0.55 * size * np.cos(turn)), int(y + 0.55 * size * np.sin(turn)))
            axes = (max(1, int(size * 0.5)), max(1, int(size * 0.32)))
            tint = np.clip(flower * rng.uniform(0.8, 1.15), 0, 1)
            cv2.ellipse(canvas, at, axes, float(np.rad2deg(turn)), 0, 360, _rgb(tint), -1)
        cv2.circle(canvas, (int(x), int(y)), max(1, int(size * 0.22)), _rgb(petals[0]), -1)
    return canvas


def _dots(rng: Random) -> Floats:
    u, v = turned(rng, upright=0.7)
    period = log_uniform(rng, 6, 46)
    one, ground = dyes(rng, 2, 0.3)
    staggered = (np.floor(v / period) % 2) * (period / 2) * chance(rng, 0.7)
    off = np.hypot((u + staggered) % period - period / 2, v % period - period / 2)
    return where(off < period * rng.uniform(0.16, 0.36), one, flat(ground))


def _animal(rng: Random) -> Floats:
    ground, dark = dyes(rng, 2, 0.35)
    if chance(rng, 0.6):
        tan = rng.uniform(0.45, 0.9)
        ground = np.array([tan, tan * rng.uniform(0.7, 0.95), tan * rng.uniform(0.35, 0.85)], np.float32)
        dark = ground * np.float32(rng.uniform(0.05, 0.35))
    size = log_uniform(rng, 4, 22)
    if chance(rng, 0.65):  # rosettes: rings of a noise level
        field = noise(rng, size)
        low, high = np.quantile(field, [rng.uniform(0.55, 0.72), 0.93])
        return where((field > low) & (field < high), dark, flat(ground))
    across, _ = turned(rng, upright=0.8)
    wave = np.sin(across * (np.pi / size) + rng.uniform(1.4, 2.6) * noise(rng, size * 2))
    return where(wave > rng.uniform(-0.2, 0.5), dark, flat(ground))


def _blotches(rng: Random) -> Floats:
    ground, *others = dyes(rng, int(rng.integers(3, 5)), 0.14)
    canvas, size = flat(ground), log_uniform(rng, 7, 36)
    for other in others:
        field = noise(rng, size, rng.uniform(0.5, 1)) + 0.5 * noise(rng, size / 2)
        canvas = where(field > np.quantile(field, rng.uniform(0.55, 0.8)), other, canvas)
    return canvas


def _tiles(rng: Random) -> Floats:
    """Lozenges, chevrons, rings in a lattice; ikat and fair isle when squeezed."""
    u, v = turned(rng, upright=0.9)
    period = log_uniform(rng, 8, 56)
    ground, *others = dyes(rng, int(rng.integers(2, 5)), 0.2)
    canvas = flat(ground)
    pu, pv = u % period - period / 2, v % period - period / 2
    stretch = rng.uniform(0.5, 1.8)
    round_tile = chance(rng, 0.3)
    for other in others:
        off = np.hypot(pu * stretch, pv) if round_tile else np.abs(pu) * stretch + np.abs(pv)
        inner = rng.uniform(0, 0.5) * period
        canvas = where((off > inner) & (off < inner + rng.uniform(0.12, 0.35) * period), other, canvas)
    if chance(rng, 0.25):  # chevron
        zigzag = np.abs(pu) * rng.uniform(0.6, 1.5)
        canvas = where(
            (v + zigzag) % (period * 0.8) < period * rng.uniform(0.25, 0.5), others[0], flat(ground)
        )
    return canvas


def _motifs(rng: Random) -> Floats:
    """One small drawing, scattered."""
    ground, one, other = dyes(rng, 3, 0.25)
    canvas, period = np.ascontiguousarray(flat(ground)), log_uniform(rng, 9, 48)
    outline = rng.uniform(-0.45, 0.45, (int(rng.integers(4, 10)), 2)) * period
    for row in np.arange(-period, SIDE + period, period):
        for column in np.arange(-period, SIDE + period, period):
            turn = rng.uniform(0, 2 * np.pi)
            spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            at = outline @ spin + [column + rng.uniform(0, 0.4) * period, row + rng.uniform(0, 0.4) * period]
            colour = one if chance(rng, 0.7) else other
            cv2.fillPoly(canvas, [at.astype(np.int32)], _rgb(colour))
    return canvas


def _graphic(rng: Random) -> Floats:
    """A plain ground with one large placed drawing or lettering in the middle."""
    canvas = np.ascontiguousarray(plain(rng))
    middle = SIDE / 2 + rng.normal(0, 14, 2)
    ink = dyes(rng, int(rng.integers(2, 5)), 0.3)
    if abs(lightness(ink[0]) - float(canvas.mean())) < 0.3:
        ink[0] = np.full(3, 0.95 if canvas.mean() < 0.5 else 0.05, np.float32)
    if chance(rng, 0.65):
        for _ in range(int(rng.integers(3, 12))):
            at = tuple(int(part) for part in middle + rng.normal(0, 20, 2))
            axes = (int(rng.uniform(3, 34)), int(rng.uniform(3, 26)))
            colour = _rgb(ink[rng.integers(len(ink))])
            cv2.ellipse(canvas, at, axes, rng.uniform(0, 180), 0, 360, colour, -1 if chance(rng, 0.7) else 3)
    if chance(rng, 0.6):
        size = rng.uniform(0.6, 2.4)
        for line in range(int(rng.integers(1, 5))):
            letters = "".join(chr(code) for code in rng.integers(65, 91, int(rng.integers(3, 9))))
            left = int(middle[0] - 10 * size * len(letters) * rng.uniform(0.8, 1.1))
            at = (left, int(middle[1] + (line - 1) * 26 * size))
            font = int(rng.choice([0, 2, 3, 4]))
            stencil = np.zeros((SIDE, SIDE), np.uint8)
            cv2.putText(stencil, letters, at, font, size, 255, int(rng.integers(2, 7)))
            canvas = np.ascontiguousarray(where(stencil > 0, ink[0], canvas))
    else:
        cv2.circle(canvas, tuple(int(part) for part in middle), int(rng.uniform(12, 38)), _rgb(ink[0]), -1)
    return canvas


def _abstract(rng: Random) -> Floats:
    ground, one, other = dyes(rng, 3, 0.3)
    sharp = rng.uniform(2, 8)
    first = 1 / (1 + np.exp(-sharp * noise(rng, rng.uniform(12, 50))))
    second = 1 / (1 + np.exp(-sharp * noise(rng, rng.uniform(8, 40))))
    return blend(second, other, blend(first, one, flat(ground)))


_MAKERS: Final[dict[str, Callable[[Random], Floats]]] = {
    "plain": plain,
    "striped": striped,
    "checked": checked,
    "figured": figured,
}
