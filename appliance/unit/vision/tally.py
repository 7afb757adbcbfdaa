"""What a pipeline counts of itself: where the time went, and how its tracks ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Cost:
    """Where the time went, in nanoseconds since the start; ``invoke`` is that inside the models' runtime."""

    frames: int = 0
    people: int = 0
    tracking: int = 0
    posing: int = 0
    reading: int = 0
    glances: int = 0
    found: int = 0


@dataclass(slots=True)
class Counts:
    """How many tracks were described, ended without one good glance, or never moved."""

    described: int = 0
    unread: int = 0
    still: int = 0
