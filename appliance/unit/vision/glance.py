"""Whom to look at closely, and when: a pose costs half a frame, and the same view twice says nothing new. Pure.

Invariants:
    * At most ``budget`` people a frame; nobody again before the view has changed; nobody after enough is known.
    * The one seen least comes first, so that nobody goes by unseen while somebody else is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.unit.vision.attributes.fusion import View
from appliance.unit.vision.tracking.boxes import intersection_area
from appliance.unit.vision.tracking.track import Track
from appliance.unit.vision.types import AttributeReading, Box


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceRules:
    """How often to look.

    ``glances`` describe a person, ``max_glances`` one who may wear something rare; ``poses_per_frame`` at most;
    ``min_interval_s`` seconds between two glances at one person, or a change of size by ``min_scale_change``; no
    more than ``max_attempts`` at one person; nobody smaller than ``min_height`` pixels, or hidden by more than
    ``max_hidden`` of the box.
    ``longest_s``: seconds after the first glance at somebody within which who may wear something rare is looked at
    longer; ``held_s``: seconds after it before which nothing is said of them, whoever they are. The second is larger
    by more than a frame lasts, so that when something is said never tells who was looked at longer.
    """

    glances: int = 6
    max_glances: int = 24
    poses_per_frame: int = 1
    min_interval_s: float = 0.4
    min_scale_change: float = 1.15
    max_attempts: int = 40
    min_height: float = 56.0
    max_hidden: float = 0.40
    longest_s: float = 9.0
    held_s: float = 10.0


@dataclass(slots=True)
class Glances:
    """What has been read of one track so far."""

    readings: list[tuple[AttributeReading, ...]] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    track: Track | None = None
    """Whose they are, seen or lost."""
    first_at: float = math.inf
    """When the first one was tried."""
    tried: int = 0
    tried_at: float = -1e9
    height: float = 0.0
    undecided: bool = False
    """Whether what was read so far is worth more looks than ``GlanceRules.glances``."""
    described: bool = False


def hidden_share(box: Box, others: Sequence[Box]) -> float:
    """Largest share of a box that one nearer person (whose feet are lower) covers."""
    area = box.width * box.height
    return max(
        (intersection_area(box, other) / area for other in others if other.bottom > box.bottom), default=0.0
    )


def select_crops(
    visible: Sequence[Track], known: dict[int, Glances], boxes: Sequence[Box], rules: GlanceRules
) -> list[Track]:
    """The tracks to look at in this frame, most urgent first. ``boxes`` are those of all detections."""
    wanted = []
    for track in visible:
        past = known[track.track]
        small = track.box.height < rules.min_height
        if past.described or past.tried >= rules.max_attempts or small or not track.alone:
            continue
        rested = track.at - past.tried_at >= rules.min_interval_s
        if not rested and max(track.box.height, past.height) < rules.min_scale_change * min(
            track.box.height, past.height
        ):
            continue
        if hidden_share(track.box, [box for box in boxes if box is not track.box]) > rules.max_hidden:
            continue
        wanted.append((len(past.readings), -track.box.height, track.track, track))
    return [track for *_, track in sorted(wanted)[: rules.poses_per_frame]]
