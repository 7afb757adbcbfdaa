"""Cloth becomes worn: folds that bend and shade it, seams, buttons, a second garment, skin, straps, cast shadows.

Law: everything here happens to every kind of cloth alike, so that none of it tells plain from patterned.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fabrics.fields import COLUMNS, ROWS, SIDE, Colour, Floats, chance, dye, noise

Random = np.random.Generator
Mask = npt.NDArray[np.uint8]


def folds(rng: Random) -> Floats:
    """Return a height field: a few families of long soft ridges, and fine crumples."""
    height = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        angle = rng.normal(0, 0.5) if chance(rng, 0.65) else rng.uniform(0, np.pi)
        across = np.cos(angle) * COLUMNS + np.sin(angle) * ROWS + rng.uniform(4, 20) * noise(rng, 70)
        line = rng.standard_normal(64).astype(np.float32)
        step = rng.uniform(5, 30)
        profile = np.interp((across / step).ravel() % 63, np.arange(64), line).reshape(SIDE, SIDE)
        where = 1 / (1 + np.exp(-2 * noise(rng, rng.uniform(40, 90))))
        height += (cv2.GaussianBlur(profile.astype(np.float32), (0, 0), 2.0) * where * step / 12).astype(
            np.float32
        )
    if chance(rng, 0.5):
        height += noise(rng, rng.uniform(5, 14)) * np.float32(rng.uniform(0.1, 0.6))
    return height


def drape(rng: Random, canvas: Floats) -> Floats:
    """Bend the cloth over random folds, light it from one side, give it sheen or none."""
    height = folds(rng)
    slope_x = np.asarray(cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) / 8, np.float32)
    slope_y = np.asarray(cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) / 8, np.float32)
    bend = rng.uniform(0, 9)
    shear, wide, tall = rng.normal(0, 0.06), rng.uniform(0.85, 1.15), rng.uniform(0.85, 1.15)
    x = (COLUMNS - SIDE / 2) * wide + shear * (ROWS - SIDE / 2) + SIDE / 2 + bend * slope_x
    y = (ROWS - SIDE / 2) * tall + SIDE / 2 + bend * slope_y
    if chance(rng, 0.5):  # a body is round: the print narrows towards its sides
        curve = np.clip((COLUMNS - SIDE / 2) / (SIDE * rng.uniform(0.55, 0.9)), -0.95, 0.95)
        x = x + np.arcsin(curve) * SIDE * 0.12
    at = (x.astype(np.float32), y.astype(np.float32))
    bent = cv2.remap(canvas, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return lit(rng, np.asarray(bent, np.float32), slope_x, slope_y)


def lit(rng: Random, canvas: Floats, slope_x: Floats, slope_y: Floats) -> Floats:
    """Shade by the slope towards a light, add a slow gradient, and a sheen on satin and leather."""
    angle = rng.uniform(0, 2 * np.pi)
    facing = np.cos(angle) * slope_x + np.sin(angle) * slope_y
    facing = facing / np.float32(facing.std() + 1e-3)
    strength = abs(rng.normal(0, 0.17 if chance(rng, 0.2) else 0.09)) + 0.015  # some are in hard sun
    shade = 1 + strength * np.tanh(facing / 2) * 2
    slow = (COLUMNS - SIDE / 2) * rng.normal(0, 0.16) + (ROWS - SIDE / 2) * rng.normal(0, 0.16)
    shade = shade * (1 + slow / SIDE)
    out = canvas * np.clip(shade, 0.25, 1.9)[..., np.newaxis].astype(np.float32)
    if chance(rng, 0.18):
        shine = np.clip(facing - rng.uniform(0.5, 1.5), 0, 2) * rng.uniform(0.05, 0.28)
        out = out + shine[..., np.newaxis].astype(np.float32)
    return out.astype(np.float32)


def skin(rng: Random) -> Colour:
    """Draw a skin colour from very dark to very light, every depth equally likely."""
    depth = rng.uniform(0, 1)
    dark, light = np.array([0.16, 0.10, 0.08]), np.array([0.97, 0.87, 0.80])
    warm = np.array([0.06, 0.0, -0.05]) * np.sin(np.pi * depth)
    return np.clip(dark + depth * (light - dark) + warm + rng.normal(0, 0.015, 3), 0, 1).astype(np.float32)


def tailor(rng: Random, canvas: Floats, other: Floats) -> Floats:
    """Add what tailors add: seams, placket with buttons, zip, pocket, belt; and now and then a second garment."""
    out = canvas
    if chance(rng, 0.5):
        out = _seams(rng, out)
    if chance(rng, 0.22):
        out = _placket(rng, out)
    if chance(rng, 0.15):
        out = _pocket(rng, out)
    if chance(rng, 0.16):
        out = _second(rng, out, other)
    if chance(rng, 0.14):  # bag strap, lanyard, scarf end, strand of hair
        along = COLUMNS * np.float32(rng.uniform(0.5, 1)) + ROWS * np.float32(rng.uniform(-0.9, 0.9))
        at = np.quantile(along, rng.uniform(0.15, 0.85))
        strap = np.abs(along - at) < log_uniform_width(rng)
        out = np.where(strap[..., np.newaxis], dye(rng), out)
    return np.asarray(out, np.float32)


def log_uniform_width(rng: Random) -> float:
    """Half a strap's width in fine texels."""
    return float(np.exp(rng.uniform(np.log(1.0), np.log(7.0))))


def _seams(rng: Random, canvas: Floats) -> Floats:
    for _ in range(int(rng.integers(1, 4))):
        angle = rng.normal(0, 0.12) + (np.pi / 2 if chance(rng, 0.3) else 0)
        across = np.cos(angle) * COLUMNS + np.sin(angle) * ROWS + 4 * noise(rng, 80)
        off = across - np.quantile(across, rng.uniform(0.05, 0.95))
        line = np.exp(-((off / rng.uniform(0.7, 1.8)) ** 2)) * rng.uniform(0.1, 0.5)
        pucker = np.exp(-((off / 6) ** 2)) * np.sin(ROWS / rng.uniform(1.5, 4)) * rng.uniform(0, 0.08)
        canvas = canvas * (1 - line + pucker)[..., np.newaxis].astype(np.float32)
    return canvas


def _placket(rng: Random, canvas: Floats) -> Floats:
    out = np.ascontiguousarray(canvas)
    left = int(rng.uniform(0.25, 0.75) * SIDE)
    out[:, left : left + 2] *= np.float32(rng.uniform(0.55, 0.9))
    button = dye(rng)
    if chance(rng, 0.3):  # a zip
        out[:, left : left + int(rng.integers(2, 5))] = button * np.float32(0.8)
        return out
    step, radius = rng.uniform(18, 40), int(rng.integers(1, 5))
    rgb = tuple(float(part) for part in button)
    for row in np.arange(rng.uniform(0, step), SIDE, step):
        for column in (left + 6,) if chance(rng, 0.8) else (left + 6, left - 18):
            cv2.circle(out, (column, int(row)), radius, rgb, -1, cv2.LINE_AA)
    return out


def _pocket(rng: Random, canvas: Floats) -> Floats:
    out = np.ascontiguousarray(canvas)
    x, y = (int(part) for part in rng.uniform(20, SIDE - 60, 2))
    w, h = int(rng.uniform(18, 50)), int(rng.uniform(3, 50))
    tone = float(out[y, x].mean()) * rng.uniform(0.4, 0.8)
    cv2.rectangle(out, (x, y), (x + w, y + h), (tone, tone, tone), 1, cv2.LINE_AA)
    out[y + h + 1 : y + h + 3, x : x + w] *= np.float32(0.8)
    return out


def _second(rng: Random, canvas: Floats, other: Floats) -> Floats:
    """An open jacket over a shirt, a hem over trousers, a neck opening: a border between two cloths or skin."""
    kind = rng.random()
    under = other if chance(rng, 0.65) else np.broadcast_to(skin(rng), canvas.shape)
    x, y = COLUMNS / SIDE, ROWS / SIDE
    if kind < 0.4:  # lapels: a wedge, open above
        half = np.clip(rng.uniform(0.03, 0.28) - (y - 0.3) * rng.uniform(0, 0.3), 0, 1)
        inside = np.abs(x - rng.uniform(0.3, 0.7)) < half
    elif kind < 0.7:  # hem
        edge = rng.uniform(0.6, 0.95) if chance(rng, 0.5) else rng.uniform(0.05, 0.4)
        inside = (y > edge + 0.02 * noise(rng, 60)) == (edge > 0.5)
    elif kind < 0.85:  # one side
        inside = x + rng.normal(0, 0.15) * y < rng.uniform(0.05, 0.4)
    else:  # neck
        inside = np.hypot(x - rng.uniform(0.4, 0.6), y * rng.uniform(0.6, 1.4)) < rng.uniform(0.1, 0.3)
    share = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.8)[..., np.newaxis]
    rim = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 3.0)[..., np.newaxis]
    shadow = 1 - rng.uniform(0, 0.5) * 4 * rim * (1 - rim) * (1 - share)
    return (canvas * shadow * (1 - share) + under * share).astype(np.float32)


def shadow(rng: Random, canvas: Floats) -> Floats:
    """Cast a shadow with a sharp or soft edge: an arm, a sign, leaves, sunlight through a fence."""
    kind = rng.random()
    if kind < 0.7:
        across = (
            np.cos(turn := rng.uniform(0, 2 * np.pi)) * COLUMNS + np.sin(turn) * ROWS + 8 * noise(rng, 50)
        )
        dark = (across < np.quantile(across, rng.uniform(0.15, 0.85))).astype(np.float32)
    else:
        field = noise(rng, rng.uniform(18, 60))
        dark = (field > np.quantile(field, rng.uniform(0.4, 0.8))).astype(np.float32)
    dark = cv2.GaussianBlur(dark, (0, 0), float(np.exp(rng.uniform(np.log(0.8), np.log(10)))))
    return (canvas * (1 - rng.uniform(0.12, 0.6) * dark)[..., np.newaxis]).astype(np.float32)


def outline(rng: Random) -> Mask:
    """Return where the cloth is: a trunk, two legs, a whole garment, two open panels; 255 inside."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    kind, middle = rng.random(), SIDE / 2 + rng.normal(0, 6)
    top, bottom = rng.uniform(-20, 50), rng.uniform(SIDE - 60, SIDE + 20)
    if kind < 0.42:
        upper, lower = rng.uniform(34, 92), rng.uniform(34, 92)
        corners = [
            (middle - upper, top),
            (middle + upper, top),
            (middle + lower, bottom),
            (middle - lower, bottom),
        ]
        cv2.fillPoly(mask, [np.array(corners).astype(np.int32)], 255)
    elif kind < 0.62:
        width, gap = int(rng.uniform(26, 60)), rng.uniform(14, 50)
        for side in (-1, 1):
            foot = middle + side * (gap + rng.uniform(-8, 25))
            ends = ((int(middle + side * gap), int(top)), (int(foot), int(bottom)))
            cv2.line(mask, *ends, 255, width)
    elif kind < 0.86:
        mask[:] = 255
    else:
        inner, outer = rng.uniform(4, 34), rng.uniform(52, 96)
        for side in (-1, 1):
            corners = [(inner, top), (outer, top), (outer, bottom), (inner + rng.uniform(0, 20), bottom)]
            polygon = [(middle + side * x, y) for x, y in corners]
            cv2.fillPoly(mask, [np.array(polygon).astype(np.int32)], 255)
    for _ in range(int(rng.choice(3, p=(0.6, 0.28, 0.12)))):  # hands, bags, gaps of a segmentation
        at = tuple(int(part) for part in rng.uniform(0, SIDE, 2))
        cv2.ellipse(mask, at, (int(rng.uniform(5, 35)), int(rng.uniform(5, 35))), 0, 0, 360, 0, -1)
    return mask
