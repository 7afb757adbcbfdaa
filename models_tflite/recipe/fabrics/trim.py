"""What makers add to cloth that is no pattern: metal, stitching, wear, gloss, deep creases.

Law: everything here happens to every kind of cloth alike, so that none of it tells plain from patterned.
"""

from __future__ import annotations

import cv2
import numpy as np

from fabrics.fields import COLUMNS, ROWS, SIDE, Floats, blend, chance, dye, lightness, noise

Random = np.random.Generator


def trimmed(rng: Random, canvas: Floats) -> Floats:
    """Add now and then metal, stitching, wear, gloss or creases."""
    out = canvas
    if chance(rng, 0.12):
        out = _creased(rng, out)
    if chance(rng, 0.10):
        out = _glossy(rng, out)
    if chance(rng, 0.10):
        out = _stitched(rng, out)
    if chance(rng, 0.06):
        out = _worn_out(rng, out)
    if chance(rng, 0.14):
        out = _metal(rng, out)
    return out


def _creased(rng: Random, canvas: Floats) -> Floats:
    """Deep creases that fan out from a place: a crotch, an elbow, a knot, gathered cloth; hard on one side."""
    x, y = rng.uniform(-0.2, 1.2, 2) * SIDE
    angle = np.arctan2(ROWS - y, COLUMNS - x) + 0.15 * noise(rng, 60)
    ridge = np.sin(angle * rng.uniform(6, 26) + 0.8 * noise(rng, 50))
    near = np.exp(-np.hypot(COLUMNS - x, ROWS - y) / rng.uniform(40, 140))
    shade = (np.clip(ridge, -0.2, 1) * near * rng.uniform(0.3, 0.9)).astype(np.float32)
    return canvas * np.clip(1 - shade, 0.2, 1.4)[..., np.newaxis]


def _glossy(rng: Random, canvas: Floats) -> Floats:
    """Leather, satin, down: small bright lights on crumples, the light's colour and not the cloth's."""
    crumple = noise(rng, rng.uniform(4, 18), rng.uniform(0.6, 3))
    light = np.clip(crumple - rng.uniform(0.4, 1.6), 0, 1.5) * rng.uniform(0.1, 0.5)
    dark = np.clip(-crumple - rng.uniform(0.2, 1.2), 0, 1) * rng.uniform(0, 0.35)
    return (canvas * (1 - dark)[..., np.newaxis] + light[..., np.newaxis]).astype(np.float32)


def _stitched(rng: Random, canvas: Floats) -> Floats:
    """Topstitching: one or two thin lines in a thread of another tone, straight or curved, some in pairs."""
    thread = np.clip(canvas.mean(axis=(0, 1)) * rng.uniform(0.4, 2.0) + rng.uniform(-0.1, 0.2), 0, 1)
    out = canvas
    for _ in range(int(rng.integers(1, 5))):
        turn = rng.normal(0, 0.3) + (np.pi / 2 if chance(rng, 0.35) else 0)
        across = np.cos(turn) * COLUMNS + np.sin(turn) * ROWS + 6 * noise(rng, 90)
        at = np.quantile(across, rng.uniform(0.05, 0.95))
        for aside in (0, rng.uniform(3, 6)) if chance(rng, 0.5) else (0,):
            line = np.exp(-(((across - at - aside) / 0.8) ** 2)) * rng.uniform(0.3, 0.9)
            out = blend(line.astype(np.float32), thread.astype(np.float32), out)
    return out


def _worn_out(rng: Random, canvas: Floats) -> Floats:
    """Faded and torn denim: pale fields, whiskers, a rip or two with something else behind."""
    pale = 1 / (1 + np.exp(-3 * (noise(rng, rng.uniform(30, 80), 1.6) - 0.6)))
    out = canvas * (1 + rng.uniform(0.1, 0.6) * pale)[..., np.newaxis]
    for _ in range(int(rng.integers(0, 3))):
        at = (int(rng.uniform(0, SIDE)), int(rng.uniform(0, SIDE)))
        out = np.ascontiguousarray(out.astype(np.float32))
        red, green, blue = (float(part) for part in dye(rng))
        axes = (int(rng.uniform(3, 14)), int(rng.uniform(1, 5)))
        cv2.ellipse(out, at, axes, rng.normal(0, 12), 0, 360, (red, green, blue), -1, cv2.LINE_AA)
    return out.astype(np.float32)


def _metal(rng: Random, canvas: Floats) -> Floats:
    """Zips, buckles, rivets, studs, a brooch: few, small, bright or dark, at the edges or along a line."""
    out = np.ascontiguousarray(canvas.copy())
    tone = rng.uniform(0.55, 1.0) if lightness(canvas.mean(axis=(0, 1))) < 0.6 else rng.uniform(0.05, 0.5)
    metal = (tone, tone * rng.uniform(0.8, 1), tone * rng.uniform(0.5, 1))
    for _ in range(int(rng.integers(0, 4))):  # zips
        start, turn = rng.uniform(0, SIDE, 2), rng.normal(np.pi / 2, 0.6)
        stop = start + rng.uniform(20, 110) * np.array([np.cos(turn), np.sin(turn)])
        ends = (int(start[0]), int(start[1])), (int(stop[0]), int(stop[1]))
        cv2.line(out, *ends, metal, int(rng.integers(1, 4)), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 8))):
        at = (int(rng.uniform(0, SIDE)), int(rng.uniform(0, SIDE)))
        cv2.circle(out, at, int(rng.integers(1, 5)), metal, -1, cv2.LINE_AA)
    return out
