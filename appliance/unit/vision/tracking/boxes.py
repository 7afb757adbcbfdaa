"""Boxes and how they move: areas, overlaps, and a filter for one axis. Pure.

Source: white-noise acceleration, Bar-Shalom, Li, Kirubarajan, *Estimation with Applications to Tracking and
Navigation*, 2001, section 6.2.2.
"""

from __future__ import annotations

from appliance.unit.vision.types import Box


class Axis:
    """Place and speed along one axis, with their covariance: a two-state Kalman filter."""

    __slots__ = ("place", "pp", "pv", "speed", "vv")

    def __init__(self, place: float, spread: float, speed_spread: float) -> None:
        self.place = place
        self.speed = 0.0
        self.pp = spread * spread
        self.pv = 0.0
        self.vv = speed_spread * speed_spread

    def predict(self, dt: float, density: float) -> None:
        """Let ``dt`` seconds pass."""
        self.place += self.speed * dt
        self.pp += dt * (2 * self.pv + dt * self.vv) + density * dt**3 / 3
        self.pv += dt * self.vv + density * dt**2 / 2
        self.vv += density * dt

    def update(self, seen: float, spread: float) -> None:
        """Take in a measured place."""
        surprise = seen - self.place
        total = self.pp + spread * spread
        gain, speed_gain = self.pp / total, self.pv / total
        self.place += gain * surprise
        self.speed += speed_gain * surprise
        self.vv -= speed_gain * self.pv
        self.pv *= 1 - gain
        self.pp *= 1 - gain


def centre(box: Box) -> tuple[float, float]:
    """The middle of a box."""
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def intersection_area(a: Box, b: Box) -> float:
    """Area two boxes share, in square pixels."""
    width = min(a.right, b.right) - max(a.left, b.left)
    if width <= 0:
        return 0.0
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    return width * height if height > 0 else 0.0


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    both = intersection_area(a, b)
    return both / (a.width * a.height + b.width * b.height - both) if both else 0.0


def union_box(a: Box, b: Box) -> Box:
    """The smallest box around two."""
    return Box(
        left=min(a.left, b.left),
        top=min(a.top, b.top),
        right=max(a.right, b.right),
        bottom=max(a.bottom, b.bottom),
    )


def shifted(box: Box, right: float, down: float) -> Box:
    """The box moved by (right, down) pixels."""
    return Box(left=box.left + right, top=box.top + down, right=box.right + right, bottom=box.bottom + down)
