"""Jointed bodies in torso lengths: shoulders at (0, 0), hips at (0, 1), x to the right of the picture, y down.

Law: proportions and poses are drawn alike for every skin tone and garment.
Proportions: those that the pose network reports on upright people (its joints lie inside the anatomical ones).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

Random = np.random.Generator
Point = npt.NDArray[np.float64]

MONK = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")
"""The ten tones of the Monk scale (sRGB), each drawn equally often."""


class View(Enum):
    """Which side of the body the camera sees."""

    FRONT = "front"
    BACK = "back"
    SIDE = "side"


@dataclass(frozen=True, slots=True)
class Limb:
    """Three points of an arm or leg: root, bend, end."""

    root: Point
    bend: Point
    end: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A posed body; ``girth`` scales every width, ``shoulder`` and ``hip`` are half widths seen."""

    view: View
    girth: float
    shoulder: float
    hip: float
    depth: float
    arms: tuple[Limb, Limb]
    legs: tuple[Limb, Limb]
    tone: int
    skin: npt.NDArray[np.float32]


def _swung(start: Point, length: float, degrees: float) -> Point:
    angle = np.radians(degrees)
    return start + length * np.array([np.sin(angle), np.cos(angle)])


def body(rng: Random, tone: int) -> Body:
    """Draw a body of Monk tone 0..9, standing or walking."""
    view = View(rng.choice(["front", "back", "side"], p=[0.58, 0.22, 0.20]))
    girth = float(np.clip(rng.normal(1.05, 0.16), 0.75, 1.6))
    facing = rng.uniform(0.05, 0.45) if view is View.SIDE else rng.uniform(0.78, 1.0)
    shoulder, hip = 0.31 * facing * rng.uniform(0.9, 1.1), 0.185 * facing * rng.uniform(0.85, 1.15)
    walking = rng.random() < 0.5
    arms = tuple(_arm(rng, view, side, shoulder, walking) for side in (-1, 1))
    seen = rng.uniform(0.78, 1) if rng.random() < 0.3 else 1.0  # a camera above shortens the legs
    legs = tuple(_leg(rng, view, side, hip, walking=walking, seen=seen) for side in (-1, 1))
    code = MONK[tone]
    skin = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32)
    skin = skin * np.float32(rng.uniform(0.82, 1.02)) * rng.uniform(0.95, 1.05, 3).astype(np.float32)
    return Body(
        view=view,
        girth=girth,
        shoulder=shoulder,
        hip=hip,
        depth=0.20 * girth,
        arms=(arms[0], arms[1]),
        legs=(legs[0], legs[1]),
        tone=tone,
        skin=np.clip(skin, 8, 252),
    )


def _arm(rng: Random, view: View, side: int, shoulder: float, walking: bool) -> Limb:
    root = np.array([side * shoulder, rng.normal(0, 0.02)])
    upper, fore = 0.53 * rng.uniform(0.88, 1.05), 0.47 * rng.uniform(0.8, 1.05)
    if view is View.SIDE:
        first = rng.normal(0, 22 if walking else 8)
        second = first + abs(rng.normal(10, 20)) * rng.choice([-1, 1])
    elif rng.random() < 0.62:  # hanging
        first = side * rng.normal(11, 7)
        second = first - side * rng.normal(6, 12)
        fore *= rng.uniform(0.7, 1) if walking else 1.0
    elif rng.random() < 0.35:  # hand on the hip
        first, second = side * rng.uniform(25, 45), -side * rng.uniform(25, 60)
    else:  # bent before the body: phone, bag, crossed arms
        first = side * rng.normal(10, 9)
        second = -side * rng.uniform(20, 165)
        fore *= rng.uniform(0.6, 1.0)
    bend = _swung(root, upper, first)
    return Limb(root, bend, _swung(bend, fore, second))


def _leg(rng: Random, view: View, side: int, hip: float, *, walking: bool, seen: float) -> Limb:
    root = np.array([side * hip, 1.0])
    thigh, shin = 0.74 * seen * rng.uniform(0.95, 1.05), 0.70 * seen * rng.uniform(0.95, 1.05)
    if view is View.SIDE:
        first = rng.normal(0, 20) if walking else rng.normal(0, 5)
        second = first - abs(rng.normal(14, 14)) * (1 if walking else 0.3)
    else:
        first = side * rng.normal(0, 5)
        second = first + side * rng.normal(0, 6)
        if walking and rng.random() < 0.5:
            shin *= rng.uniform(0.62, 0.98)
            first -= side * rng.uniform(0, 7)
        elif rng.random() < 0.16:  # crossed
            first -= side * rng.uniform(6, 13)
    bend = _swung(root, thigh, first)
    return Limb(root, bend, _swung(bend, shin, second))
