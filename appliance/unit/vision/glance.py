"""Whom to look at closely, and when: a pose costs half a frame, and the same view twice says nothing new. Pure.

Laws:
    * At most ``budget`` people a frame; nobody again before the view has changed; nobody after enough is known.
    * The one seen least comes first, so that nobody goes by unseen while somebody else is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.unit.vision.attributes.fusion import View
from appliance.unit.vision.tracking.boxes import shared
from appliance.unit.vision.tracking.track import Track
from appliance.unit.vision.types import AttributeReading, Box


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceRules:
    """How often to look.

    ``enough`` glances describe a person, ``most`` one who may wear something rare; ``budget`` poses a frame;
    ``rest`` seconds between two at one person, or a change of size by ``growth``; no more than ``tries`` at one
    person; nobody smaller than ``least`` pixels or hidden by more than ``hidden`` of the box.
    """

    enough: int = 6
    most: int = 12
    budget: int = 1
    rest: float = 0.4
    growth: float = 1.15
    tries: int = 24
    least: float = 56.0
    hidden: float = 0.40


@dataclass(slots=True)
class Glances:
    """What has been read of one track so far."""

    readings: list[tuple[AttributeReading, ...]] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    tried: int = 0
    tried_at: float = -1e9
    height: float = 0.0
    doubtful: bool = False
    """Whether what was read so far is worth more looks than ``enough``."""
    described: bool = False


def hidden_share(box: Box, others: Sequence[Box]) -> float:
    """Largest share of a box that one nearer person (whose feet are lower) covers."""
    area = box.width * box.height
    return max((shared(box, other) / area for other in others if other.bottom > box.bottom), default=0.0)


def choose(
    visible: Sequence[Track], known: dict[int, Glances], boxes: Sequence[Box], rules: GlanceRules
) -> list[Track]:
    """The tracks to look at in this frame, most urgent first. ``boxes`` are those of all detections."""
    wanted = []
    for track in visible:
        past = known[track.track]
        small = track.box.height < rules.least
        if past.described or past.tried >= rules.tries or small or not track.alone:
            continue
        rested = track.at - past.tried_at >= rules.rest
        if not rested and max(track.box.height, past.height) < rules.growth * min(
            track.box.height, past.height
        ):
            continue
        if hidden_share(track.box, [box for box in boxes if box is not track.box]) > rules.hidden:
            continue
        wanted.append((len(past.readings), -track.box.height, track.track, track))
    return [track for *_, track in sorted(wanted)[: rules.budget]]
