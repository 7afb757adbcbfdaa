"""Follows people from frame to frame, so that each is counted once. Pure: boxes and times in, tracks out.

Laws:
    * Geometry alone decides: no look, no face, no re-identification. Whoever leaves and returns is somebody new.
    * Time comes with the frame. A track is tentative, confirmed, lost, ended; an ended track never returns.
    * Nothing here has an encoder.

Sources: motion is a Kalman filter with white-noise acceleration (Bar-Shalom, Li, Kirubarajan, *Estimation with
Applications to Tracking and Navigation*, 2001, section 6.2.2); boxes with low scores continue tracks but never start
one (Zhang et al., *ByteTrack*, arXiv 2110.06864, section 3); assignment is in assign.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from appliance.unit.assign import FORBIDDEN, assign
from appliance.unit.sight import Box, Detection, TrackId


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRules:
    """The tracker's constants; lengths are shares of a person's height, times are seconds.

    ``birth``: least score that starts a track. ``sure``: least score of the first matching round.
    ``hits`` and ``age``: detections and seconds until it is confirmed, unless unseen for ``doubt`` before.
    ``patience``: how long a confirmed track is looked for; ``leaving``: the same, for one within ``edge`` of the
    picture's. ``reach``: how far from its predicted centre it is looked for, growing by ``drift`` per second.
    ``stretch``: most factor between its height and the box's. ``acceleration``: spectral density of the motion's
    noise. ``jitter``: standard deviation of a box's centre. ``fade``: time in which an unseen track loses its speed.
    ``closeness``: weight of the distance in the cost; the rest is overlap. ``covered``: share of a box inside a
    confirmed one's, or the other way round, beyond which no new track is confirmed. ``walk``: how far somebody must
    have come to count as a passer-by.
    """

    birth: float = 0.55
    sure: float = 0.50
    hits: int = 4
    age: float = 0.25
    doubt: float = 0.35
    patience: float = 2.0
    reach: float = 0.40
    drift: float = 0.15
    stretch: float = 1.5
    acceleration: float = 0.2
    jitter: float = 0.08
    covered: float = 0.55
    walk: float = 0.35
    closeness: float = 0.4
    fade: float = 5.0
    leaving: float = 0.8
    edge: float = 0.05


@unique
class Stage(Enum):
    """Where a track is in its life."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    ENDED = "ended"


class _Axis:
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


_FIRST_SPEED: Final = 0.8
"""Standard deviation of an unknown speed, heights a second: 1.4 m/s over 1.7 m."""
_SHAPE_GAIN: Final = 0.3
"""How fast a track's width and height follow the boxes'."""


class Track:
    """One person followed. Read-only for everyone but the tracker."""

    __slots__ = (
        "_birth",
        "_shape",
        "_x",
        "_y",
        "at",
        "born",
        "box",
        "hits",
        "predicted",
        "score",
        "seen",
        "stage",
        "track",
        "walked",
    )

    def __init__(self, track: TrackId, detection: Detection, at: float, rules: TrackRules) -> None:
        box = detection.box
        spread = rules.jitter * box.height
        self.track = track
        self.stage = Stage.TENTATIVE
        self.born = self.seen = self.at = at
        self.hits = 1
        self.score = detection.score
        self.box = self.predicted = box
        self.walked = 0.0
        self._birth = centre(box)
        self._shape = (box.width, box.height)
        self._x = _Axis(self._birth[0], spread, _FIRST_SPEED * box.height)
        self._y = _Axis(self._birth[1], spread, _FIRST_SPEED * box.height / 2)

    @property
    def visible(self) -> bool:
        """True where a detection of this very frame belongs to it."""
        return self.seen == self.at and self.stage is not Stage.ENDED

    def predict(self, at: float, rules: TrackRules) -> None:
        """Move on to time ``at``."""
        dt = max(0.0, at - self.at)
        density = rules.acceleration * self._shape[1] ** 2
        self._x.predict(dt, density)
        self._y.predict(dt, density / 4)  # people accelerate along the ground, seldom up the picture
        if self.seen < self.at:  # nobody walks on unseen at full speed for long
            fade = math.exp(-dt / rules.fade)
            self._x.speed *= fade
            self._y.speed *= fade
        self.at = at
        (width, height), x, y = self._shape, self._x.place, self._y.place
        self.predicted = Box(
            left=x - width / 2, top=y - height / 2, right=x + width / 2, bottom=y + height / 2
        )

    def update(self, detection: Detection, rules: TrackRules) -> None:
        """Take in the detection that belongs to it now."""
        box = detection.box
        spread = rules.jitter * box.height
        x, y = centre(box)
        self._x.update(x, spread)
        self._y.update(y, spread)
        width, height = self._shape
        self._shape = (
            width + _SHAPE_GAIN * (box.width - width),
            height + _SHAPE_GAIN * (box.height - height),
        )
        self.box, self.seen, self.score = box, self.at, detection.score
        self.hits += 1
        away = math.hypot(self._x.place - self._birth[0], self._y.place - self._birth[1])
        self.walked = max(self.walked, away / self._shape[1])


def centre(box: Box) -> tuple[float, float]:
    """The middle of a box."""
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def shared(a: Box, b: Box) -> float:
    """Area two boxes share, in square pixels."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    return width * height if width > 0 and height > 0 else 0.0


def overlap(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    both = shared(a, b)
    return both / (a.width * a.height + b.width * b.height - both) if both else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one frame did: confirmed tracks that are ``visible`` in it, and confirmed ones that have ``ended``."""

    visible: tuple[Track, ...]
    ended: tuple[Track, ...]


class Tracker:
    """Follows everybody in view."""

    def __init__(self, rules: TrackRules = TrackRules()) -> None:
        self._rules = rules
        self._alive: list[Track] = []
        self._born = 0

    def step(self, detections: Sequence[Detection], at: float, extent: tuple[int, int] | None = None) -> Step:
        """Advance to the frame at ``at`` seconds (never falling) with what was found in it."""
        rules = self._rules
        for track in self._alive:
            track.predict(at, rules)
        sure = [found for found in detections if found.score >= rules.sure]
        unsure = [found for found in detections if found.score < rules.sure]
        known = [track for track in self._alive if track.stage is not Stage.TENTATIVE]
        left, spare = self._match(known, sure)
        _, faint = self._match([track for track in left if at - track.seen < rules.patience / 2], unsure)
        young, spare = self._match([track for track in self._alive if track.stage is Stage.TENTATIVE], spare)
        self._match(young, faint)
        for detection in spare:
            if detection.score >= rules.birth:
                self._born += 1
                self._alive.append(Track(TrackId(self._born), detection, at, rules))
        return self._judged(at, extent)

    def end(self) -> tuple[Track, ...]:
        """End every track, as at the end of a recording; those that were confirmed."""
        ended = tuple(track for track in self._alive if track.stage is not Stage.TENTATIVE)
        for track in self._alive:
            track.stage = Stage.ENDED
        self._alive = []
        return ended

    def _match(
        self, tracks: Sequence[Track], detections: Sequence[Detection]
    ) -> tuple[list[Track], list[Detection]]:
        """Give tracks their detections; what is left of both."""
        if not tracks or not detections:
            return list(tracks), list(detections)
        costs = [[self._cost(track, detection) for detection in detections] for track in tracks]
        partner = assign(costs)
        for track, column in zip(tracks, partner, strict=True):
            if column is not None:
                track.update(detections[column], self._rules)
        taken = set(partner)
        return (
            [track for track, column in zip(tracks, partner, strict=True) if column is None],
            [detection for column, detection in enumerate(detections) if column not in taken],
        )

    def _cost(self, track: Track, detection: Detection) -> float:
        """How badly a detection fits a track, 0 to 1; FORBIDDEN where it cannot be."""
        rules, guess, box = self._rules, track.predicted, detection.box
        height, seen_height = guess.bottom - guess.top, box.bottom - box.top
        size = max(height, seen_height)
        reach = (rules.reach + rules.drift * (track.at - track.seen)) * size
        aside = abs(guess.left + guess.right - box.left - box.right) / 2
        if aside >= reach or size > rules.stretch * min(height, seen_height):
            return FORBIDDEN
        # Feet and head move together: a box that jumps up or down is rather cut off than gone.
        top, bottom = abs(guess.top - box.top), abs(guess.bottom - box.bottom)
        middle = abs(guess.top + guess.bottom - box.top - box.bottom) / 2
        away = math.hypot(aside, min(top, middle, bottom)) / reach
        if away >= 1:
            return FORBIDDEN
        return (1 - rules.closeness) * (1 - overlap(guess, box)) + rules.closeness * away

    def _judged(self, at: float, extent: tuple[int, int] | None) -> Step:
        """Confirm, lose and end tracks."""
        rules = self._rules
        confirmed = [track for track in self._alive if track.stage is not Stage.TENTATIVE]
        ended: list[Track] = []
        for track in self._alive:
            if track.stage is Stage.TENTATIVE:
                if at - track.seen > rules.doubt:
                    track.stage = Stage.ENDED
                elif (
                    track.hits >= rules.hits
                    and at - track.born >= rules.age
                    and not self._covered(track, confirmed)
                ):
                    track.stage = Stage.CONFIRMED
                    confirmed.append(track)
            elif track.visible:
                track.stage = Stage.CONFIRMED
            elif at - track.seen > self._patience(track, extent):
                track.stage = Stage.ENDED
                ended.append(track)
            else:
                track.stage = Stage.LOST
        self._alive = [track for track in self._alive if track.stage is not Stage.ENDED]
        return Step(
            visible=tuple(track for track in self._alive if track.visible and track.stage is Stage.CONFIRMED),
            ended=tuple(ended),
        )

    def _patience(self, track: Track, extent: tuple[int, int] | None) -> float:
        """How long a track is looked for: not long where it has walked out of the frame."""
        if extent is None:
            return self._rules.patience
        guess, margin = track.predicted, self._rules.edge * track.box.height
        x, _ = centre(guess)
        out = (
            x < margin
            or x > extent[0] - margin
            or track.box.left < margin
            or track.box.right > extent[0] - margin
            or track.box.top > extent[1] - track.box.height / 2
        )
        return self._rules.leaving if out else self._rules.patience

    def _covered(self, track: Track, others: Sequence[Track]) -> bool:
        """True where it shares most of its box, or of theirs, with somebody followed: a part of them, or a pair."""
        area = track.box.width * track.box.height
        return any(
            other.stage is Stage.CONFIRMED
            and shared(track.box, other.box)
            > self._rules.covered * min(area, other.box.width * other.box.height)
            for other in others
        )
