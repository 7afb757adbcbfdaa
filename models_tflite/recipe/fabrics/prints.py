"""Figured cloth: whatever is dyed on that is neither stripes nor checks. Scale is in fine texels (3.3 mm)."""

from __future__ import annotations

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


def figured(rng: Random) -> Floats:
    """Everything else that is dyed on: flowers, dots, animal, camouflage, geometry, motifs, graphics, patchwork."""
    makers = (_flowers, _dots, _animal, _blotches, _tiles, _motifs, _graphic, _abstract, _patches, _sprinkled)
    shares = (0.19, 0.13, 0.11, 0.06, 0.11, 0.09, 0.16, 0.06, 0.05, 0.04)
    return makers[rng.choice(len(makers), p=shares)](rng)


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
    canvas = np.ascontiguousarray(flat(dye(rng)))
    middle = SIDE / 2 + rng.normal(0, 22, 2)
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


def _patches(rng: Random) -> Floats:
    """Blocks of a few dyes, as in patchwork, argyle and intarsia; now and then a block holds a fine print."""
    colours = dyes(rng, int(rng.integers(3, 6)), 0.2)
    places = rng.uniform(-10, SIDE + 10, (int(rng.integers(3, 14)), 2))
    stretch = rng.uniform(0.4, 1.0, 2)
    if chance(rng, 0.35):  # lozenges
        u, v = turned(rng, upright=1)
        period = log_uniform(rng, 24, 90)
        number = (np.floor((u + v) / period) + 2 * np.floor((u - v) / period)).astype(int)
    else:
        apart = [(COLUMNS - x) ** 2 * stretch[0] + (ROWS - y) ** 2 * stretch[1] for x, y in places]
        number = np.argmin(np.stack(apart), axis=0)
    canvas = np.stack(colours)[number % len(colours)]
    if chance(rng, 0.4):
        canvas = np.where((number % len(colours) == 1)[..., np.newaxis], _dots(rng), canvas)
    return np.asarray(canvas, np.float32)


def _sprinkled(rng: Random) -> Floats:
    """Small specks far apart, or crowded towards one side: embroidery, stars, a border of blossoms."""
    ground, *inks = dyes(rng, int(rng.integers(2, 5)), 0.3)
    canvas = np.ascontiguousarray(flat(ground))
    crowd = rng.uniform(0.4, 2.5)
    for _ in range(int(rng.integers(8, 90))):
        at = (int(rng.uniform(0, SIDE)), int(SIDE * rng.random() ** (1 / crowd)))
        axes = (int(rng.uniform(1, 6)), int(rng.uniform(1, 6)))
        ink = _rgb(inks[rng.integers(len(inks))])
        cv2.ellipse(canvas, at, axes, rng.uniform(0, 180), 0, 360, ink, -1, cv2.LINE_AA)
    return canvas
