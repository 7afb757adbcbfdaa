"""One person who is followed: where they are, how fast, for how long; and the constants of following. Pure.

Invariants:
    * Geometry and time alone: nothing here knows what anybody looks like.
    * Nothing here has an encoder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from appliance.unit.vision.tracking.boxes import Axis, centre, shifted
from appliance.unit.vision.tracking.occlusion import Candidate
from appliance.unit.vision.types import Box, TrackId


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRules:
    """The tracker's constants; lengths are shares of a person's height, times are seconds.

    ``new_track_score``: least score that starts a track. ``high_score``: least score of the first matching round.
    ``low_score_max_gap_s``: how long unseen a track may be continued by less.
    ``min_hits`` and ``min_age_s``: detections and seconds until it is confirmed, unless unseen for
    ``max_unconfirmed_gap_s`` before.
    ``max_gap_s``: how long a confirmed track is looked for; ``max_gap_at_edge_s``: the same, for one within
    ``edge_margin`` of the picture's edge; ``max_gap_standing_s``: the same, for one that was slower than
    ``standing_speed`` heights a second.
    ``gate``: how far from its predicted centre it is looked for, growing by ``gate_growth`` per second.
    ``max_height_ratio``: most factor between its height and the box's.
    ``acceleration_density``: spectral density of the motion's noise.
    ``centre_std``: standard deviation of a box's centre; ``occluded_std``: the same, with somebody else in half
    the box. ``speed_decay_s``: time in which an unseen track loses its speed.
    ``cost_scale``: distance at which a pair costs 1. ``occlusion_cost``: what it costs to give a box to somebody
    expected behind somebody else, or unseen for ``stale_after_s``.
    ``max_cover``: share of a box inside a confirmed one's, or the other way round, beyond which no new track is
    confirmed. ``min_displacement``: how far somebody must have come to count as a passer-by.
    """

    new_track_score: float = 0.55
    high_score: float = 0.50
    low_score_max_gap_s: float = 0.7
    min_hits: int = 4
    min_age_s: float = 0.25
    max_unconfirmed_gap_s: float = 0.35
    max_gap_s: float = 4.0
    max_gap_at_edge_s: float = 0.8
    edge_margin: float = 0.05
    max_gap_standing_s: float = 8.0
    standing_speed: float = 0.25
    gate: float = 0.40
    gate_growth: float = 0.15
    max_height_ratio: float = 1.5
    acceleration_density: float = 0.2
    centre_std: float = 0.05
    occluded_std: float = 0.12
    speed_decay_s: float = 5.0
    cost_scale: float = 0.20
    occlusion_cost: float = 0.3
    stale_after_s: float = 0.5
    max_cover: float = 0.55
    min_displacement: float = 0.35


@unique
class TrackStage(Enum):
    """Where a track is in its life."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    ENDED = "ended"


_FIRST_SPEED: Final = 0.8
"""Standard deviation of an unknown speed, heights a second: 1.4 m/s over 1.7 m."""
_SHAPE_GAIN: Final = 0.3
"""How fast a track's width and height follow the boxes'."""


class Track:
    """One person followed. Read-only for everyone but the tracker.

    ``box`` is what was seen last, ``alone`` False where it held somebody else too; ``predicted`` is where they are
    expected; ``pace``: heights a second when last seen; ``walked``: heights from where they were first seen, at most.
    """

    __slots__ = (
        "_anew",
        "_birth",
        "_shape",
        "_x",
        "_y",
        "alone",
        "at",
        "born",
        "box",
        "hits",
        "pace",
        "predicted",
        "score",
        "seen",
        "stage",
        "track",
        "walked",
    )

    def __init__(self, track: TrackId, found: Candidate, at: float, rules: TrackRules) -> None:
        whole = found.whole
        spread = rules.centre_std * whole.height
        self.track = track
        self.stage = TrackStage.TENTATIVE
        self.born = self.seen = self.at = at
        self.hits = 1
        self.score = found.score
        self.box = found.seen
        self.alone = found.alone
        self.predicted = whole
        self.walked = self.pace = 0.0
        self._birth = centre(whole)
        self._anew = False
        self._shape = (whole.width, whole.height)
        self._x = Axis(self._birth[0], spread, _FIRST_SPEED * whole.height)
        self._y = Axis(self._birth[1], spread, _FIRST_SPEED * whole.height / 2)

    @property
    def visible(self) -> bool:
        """True where a detection of this very frame belongs to it."""
        return self.seen == self.at and self.stage is not TrackStage.ENDED

    def predict(self, at: float, rules: TrackRules) -> None:
        """Move on to time ``at``."""
        dt = max(0.0, at - self.at)
        density = rules.acceleration_density * self._shape[1] ** 2
        self._x.predict(dt, density)
        self._y.predict(dt, density / 4)  # people accelerate along the ground, seldom up the picture
        if self.seen < self.at:  # nobody walks on unseen at full speed for long
            fade = math.exp(-dt / rules.speed_decay_s)
            self._x.speed *= fade
            self._y.speed *= fade
        self.at = at
        (width, height), x, y = self._shape, self._x.place, self._y.place
        self.predicted = Box(
            left=x - width / 2, top=y - height / 2, right=x + width / 2, bottom=y + height / 2
        )

    def carry(self, right: float, down: float) -> None:
        """The camera moved and not this: all that is remembered of it moves with the picture, in pixels."""
        self._x.place += right
        self._y.place += down
        self._birth = (self._birth[0] + right, self._birth[1] + down)
        self.box, self.predicted = shifted(self.box, right, down), shifted(self.predicted, right, down)

    def walk_anew(self) -> None:
        """The camera jumped: how far this has walked counts from its next place on."""
        self.walked, self._anew = 0.0, True

    def update(self, found: Candidate, jitter: float) -> None:
        """Take in what belongs to it now, its centre trusted to ``jitter`` heights."""
        whole = found.whole
        x, y = centre(whole)
        self._x.update(x, jitter * whole.height)
        self._y.update(y, jitter * whole.height)
        width, height = self._shape
        self._shape = (
            width + _SHAPE_GAIN * (whole.width - width),
            height + _SHAPE_GAIN * (whole.height - height),
        )
        self.box, self.alone, self.seen, self.score = found.seen, found.alone, self.at, found.score
        self.hits += 1
        if self._anew:
            self._birth, self._anew = centre(whole), False
        self.pace = math.hypot(self._x.speed, self._y.speed) / whole.height
        away = math.hypot(self._x.place - self._birth[0], self._y.place - self._birth[1])
        self.walked = max(self.walked, away / self._shape[1])
