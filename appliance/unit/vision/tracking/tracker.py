"""Follows people from frame to frame, so that each is counted once. Pure: boxes and times in, tracks out.

Invariants:
    * Geometry alone decides: no look, no face, no re-identification. Whoever leaves and returns is somebody new.
    * Time comes with the frame. A track is tentative, confirmed, lost, ended; an ended track never returns.
    * Nothing here has an encoder.

Sources: motion is a Kalman filter (motion.py); boxes with low scores continue tracks but never start one (Zhang et
al., *ByteTrack*, arXiv 2110.06864, section 3); the cost of a pair is the exponent of a Gaussian, so squared: with
plain distances two people whose predictions err alike could be swapped at no cost; assignment is in assign.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.unit.vision.tracking.boxes import centre, intersection_area
from appliance.unit.vision.tracking.hungarian import FORBIDDEN, assign
from appliance.unit.vision.tracking.occlusion import Candidate, candidates, hidden
from appliance.unit.vision.tracking.track import Track, TrackRules, TrackStage
from appliance.unit.vision.types import Box, Detection, TrackId

_RECENT: Final = 1.0
"""Seconds for which somebody unseen still counts as being there when boxes are read."""
_WORST: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one frame did: confirmed tracks that are ``visible`` in it, and confirmed ones that have ``ended``."""

    visible: tuple[Track, ...]
    ended: tuple[Track, ...]


class Tracker:
    """Follows everybody in view."""

    def __init__(self, rules: TrackRules = TrackRules()) -> None:  # noqa: B008 - frozen
        self._rules = rules
        self._alive: list[Track] = []
        self._reluctance: dict[Track, float] = {}
        self._born = 0
        self._at = -math.inf

    def step(self, detections: Sequence[Detection], at: float, extent: tuple[int, int] | None = None) -> Step:
        """Advance to the frame at ``at`` seconds (never falling) with what was found in it."""
        rules = self._rules
        for track in self._alive:
            track.predict(at, rules)
        known = [track for track in self._alive if track.stage is not TrackStage.TENTATIVE]
        self._reluctance = self._reluctances(known, at, self._at)
        self._at = at
        recent = [track.predicted for track in known if at - track.seen < _RECENT]
        found = candidates(detections, recent, extent)
        sure = [each for each in found if each.score >= rules.high_score]
        unsure = [each for each in found if each.score < rules.high_score]
        left, spare = self._match(known, sure)
        _, faint = self._match(
            [track for track in left if at - track.seen < rules.low_score_max_gap_s], unsure
        )
        young, spare = self._match(
            [track for track in self._alive if track.stage is TrackStage.TENTATIVE], spare
        )
        self._match(young, faint)
        for each in spare:
            if each.score >= rules.new_track_score:
                self._born += 1
                self._alive.append(Track(TrackId(self._born), each, at, rules))
        return self._judged(at, extent)

    def carry(self, right: float, down: float) -> None:
        """The camera moved by itself: what is followed moves with the picture, in pixels. Call before ``step``."""
        for track in self._alive:
            track.carry(right, down)

    def walk_anew(self) -> None:
        """The camera jumped: nobody has walked yet, for a thing that stands may have been taken for another."""
        for track in self._alive:
            track.walk_anew()

    def _reluctances(self, known: Sequence[Track], at: float, before: float) -> dict[Track, float]:
        """What it costs each track to be given a box, by how likely it is to have none.

        Where two people share one box, it belongs to the nearer, and to the one who had a box just before.
        """
        rules, seen = self._rules, [track for track in known if at - track.seen < self._rules.stale_after_s]
        return {
            track: rules.occlusion_cost
            * (
                hidden(track.predicted, (other.predicted for other in seen if other is not track))
                + min(1.0, max(0.0, before - track.seen) / rules.stale_after_s)
            )
            for track in known
        }

    def _crush(self, track: Track, box: Box, at: float) -> float:
        """How far the centre of a box is to be trusted: less where somebody else is expected in it."""
        most = max(
            (
                intersection_area(box, other.predicted)
                for other in self._reluctance
                if other is not track
                and other.predicted.left < box.right
                and other.predicted.right > box.left
                and at - other.seen < _RECENT
            ),
            default=0.0,
        )
        share = min(1.0, 2 * most / (box.width * box.height))
        return self._rules.centre_std + (self._rules.occluded_std - self._rules.centre_std) * share

    def end(self) -> tuple[Track, ...]:
        """End every track, as at the end of a recording; those that were confirmed."""
        ended = tuple(track for track in self._alive if track.stage is not TrackStage.TENTATIVE)
        for track in self._alive:
            track.stage = TrackStage.ENDED
        self._alive = []
        return ended

    def _match(
        self, tracks: Sequence[Track], detections: Sequence[Candidate]
    ) -> tuple[list[Track], list[Candidate]]:
        """Give tracks their detections; what is left of both."""
        if not tracks or not detections:
            return list(tracks), list(detections)
        costs = [[self._cost(track, detection) for detection in detections] for track in tracks]
        partner = assign(costs)
        for track, column in zip(tracks, partner, strict=True):
            if column is not None:
                found = detections[column]
                track.update(found, self._crush(track, found.whole, track.at))
        taken = set(partner)
        return (
            [track for track, column in zip(tracks, partner, strict=True) if column is None],
            [detection for column, detection in enumerate(detections) if column not in taken],
        )

    def _cost(self, track: Track, found: Candidate) -> float:
        """How badly a candidate fits a track, from 0; FORBIDDEN where it cannot be."""
        rules, guess, box = self._rules, track.predicted, found.whole
        aside = abs(guess.left + guess.right - box.left - box.right) / 2
        low, size = sorted((guess.bottom - guess.top, box.bottom - box.top))
        reach = (rules.gate + rules.gate_growth * (track.at - track.seen)) * size
        if aside >= reach or size > rules.max_height_ratio * low:
            return FORBIDDEN
        # Feet and head move together: a box that jumps up or down is rather cut off than gone.
        top, bottom = abs(guess.top - box.top), abs(guess.bottom - box.bottom)
        middle = abs(guess.top + guess.bottom - box.top - box.bottom) / 2
        if math.hypot(aside, min(top, middle, bottom)) >= reach:
            return FORBIDDEN
        # Whose feet it is says more than whose head, for heads are level where people are one behind another.
        squares = aside**2 + (min(top, bottom) ** 2 + bottom**2) / 2
        return min(_WORST, squares / (rules.cost_scale * size) ** 2) + self._reluctance.get(track, 0.0)

    def _judged(self, at: float, extent: tuple[int, int] | None) -> Step:
        """Confirm, lose and end tracks."""
        rules = self._rules
        confirmed = [track for track in self._alive if track.stage is not TrackStage.TENTATIVE]
        ended: list[Track] = []
        for track in self._alive:
            if track.stage is TrackStage.TENTATIVE:
                if at - track.seen > rules.max_unconfirmed_gap_s:
                    track.stage = TrackStage.ENDED
                elif (
                    track.hits >= rules.min_hits
                    and at - track.born >= rules.min_age_s
                    and not self._covered(track, confirmed)
                ):
                    track.stage = TrackStage.CONFIRMED
                    confirmed.append(track)
            elif track.visible:
                track.stage = TrackStage.CONFIRMED
            elif at - track.seen > self._patience(track, extent):
                track.stage = TrackStage.ENDED
                ended.append(track)
            else:
                track.stage = TrackStage.LOST
        self._alive = [track for track in self._alive if track.stage is not TrackStage.ENDED]
        return Step(
            visible=tuple(
                track for track in self._alive if track.visible and track.stage is TrackStage.CONFIRMED
            ),
            ended=tuple(ended),
        )

    def _patience(self, track: Track, extent: tuple[int, int] | None) -> float:
        """How long a track is looked for: not long where it has walked out of the frame."""
        if extent is None:
            return self._rules.max_gap_s
        guess, margin = track.predicted, self._rules.edge_margin * track.box.height
        x, _ = centre(guess)
        out = (
            x < margin
            or x > extent[0] - margin
            or track.box.left < margin
            or track.box.right > extent[0] - margin
            or track.box.top > extent[1] - track.box.height / 2
        )
        if out:
            return self._rules.max_gap_at_edge_s
        # Somebody who stood in the middle of the picture and is gone is behind something, and not far.
        return (
            self._rules.max_gap_standing_s
            if track.pace < self._rules.standing_speed
            else self._rules.max_gap_s
        )

    def _covered(self, track: Track, others: Sequence[Track]) -> bool:
        """True where it shares most of its box, or of theirs, with somebody followed: a part of them, or a pair."""
        area = track.box.width * track.box.height
        return any(
            other.stage is TrackStage.CONFIRMED
            and intersection_area(track.box, other.box)
            > self._rules.max_cover * min(area, other.box.width * other.box.height)
            for other in others
        )
