"""From a frame to what may leave the room: people, tracks, glances, one attribute vector per passer-by.

Invariants:
    * A track is described once: as soon as there are enough glances, or when it ends. Never twice.
    * When a description may leave is fixed by the first glance, and by nothing that somebody wears.
    * A thing that never moved is no passer-by (a poster, a mannequin, a jacket on the grass) and is counted as still.
    * Only ``DescribedPerson`` leaves; it holds a vector and two times, no box, no track number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from appliance.base.errors import Unavailable
from appliance.protocol.setup_order import Zone
from appliance.protocol.values import AttributeVector
from appliance.settings.config import UnitConfig
from appliance.unit.inputs.start_inputs import NOTHING, StartInputs
from appliance.unit.inputs.zones import in_any
from appliance.unit.vision import glance
from appliance.unit.vision.attributes import fusion
from appliance.unit.vision.attributes import reading as attributes
from appliance.unit.vision.attributes.colours import Balance, Floats
from appliance.unit.vision.attributes.priors import SHIPPED, Usual, usual_by
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.garments import Garments
from appliance.unit.vision.models.pattern import Patterns
from appliance.unit.vision.models.person_detector import People
from appliance.unit.vision.models.pose_estimator import Poses, standing
from appliance.unit.vision.models.runtime import Accelerator, Place, Wish, choose_accelerator, load_model
from appliance.unit.vision.regions import Headless, headless
from appliance.unit.vision.steady import Steady
from appliance.unit.vision.tally import Cost, Counts
from appliance.unit.vision.tracking.boxes import iou
from appliance.unit.vision.tracking.track import Track, TrackRules
from appliance.unit.vision.tracking.tracker import Tracker
from appliance.unit.vision.types import AttributeReading, Box, Detection, Frame

LEAST_SCORE = 0.30
"""Detections below are not made at all; between this and the tracker's ``sure`` they only continue tracks."""
_LIGHT_EVERY = 15
_HOLE = (0.38, 0.66)
"""People this high (share of the detector's picture) are all but missed at full size, and found at three quarters."""
_HOLE_ZOOM = 0.75
_SEARCH_EVERY = 10
"""Frames between two searches of the hole while nobody is known to be in it; every other frame while somebody is."""
WISHES = {"auto": Wish.AUTO, "cpu": Wish.CPU, "edgetpu": Wish.EDGE_TPU}


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedPerson:
    """One passer-by: what they wore, when they were last seen, and from when on it may be said.

    Both are monotonic seconds of the frames.
    """

    vector: AttributeVector
    at: float
    due: float


class Pipeline:
    """All of the unit's seeing, from frames to sightings; one frame at a time."""

    def __init__(
        self,
        people: People,
        poses: Poses,
        *,
        networks: attributes.Networks = attributes.NO_NETWORKS,
        nearer: People | None = None,
        track_rules: TrackRules = TrackRules(),  # noqa: B008 - frozen
        glance_rules: glance.GlanceRules = glance.GlanceRules(),  # noqa: B008 - frozen
        usual: Usual = SHIPPED,
        matrix: Floats | None = None,
        zones: tuple[Zone, ...] = (),
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.people = people
        self.poses = poses
        self._networks = networks
        self._nearer = nearer
        self._usual = usual
        self._zones = zones
        self._in_hole = False
        self.cost = Cost()
        self.counts = Counts()
        self._track_rules = track_rules
        self._rules = glance_rules
        self._tracker = Tracker(track_rules)
        self._steady = Steady()
        self._balance = Balance(matrix)
        self._known: dict[int, glance.Glances] = {}
        self._clock = clock

    @property
    def invoked_ns(self) -> int:
        """Nanoseconds spent inside the models' runtime."""
        return self.people.model.invoked_ns + self.poses.model.invoked_ns + self._networks.invoked_ns

    def warm_up(self) -> None:
        """Run every part once on a blank picture, so that nothing is loaded or started later inside the seal."""
        frame = Frame(pixels=np.full((240, 320, 3), 128, np.uint8), at=0.0)
        self.people.find(frame)
        box = Box(left=120, top=20, right=200, bottom=220)
        self.poses.find(frame, box)
        person = headless(frame, standing(box))
        if person is not None:
            seen = attributes.read(person, self._balance.light, self._networks)
            fusion.describe([seen], self._usual)

    def see(self, frame: Frame) -> tuple[DescribedPerson, ...]:
        """Take in one frame; the passers-by who are described by it. Unavailable where the accelerator is."""
        clock, cost = self._clock, self.cost
        if cost.frames % _LIGHT_EVERY == 0:
            self._balance.look(frame.pixels)
        start = clock()
        everybody = self._find(frame)
        detections = counted(everybody, self._zones, frame)
        found = clock()
        self._hold_still(frame, everybody)
        step = self._tracker.step(detections, frame.at, (frame.pixels.shape[1], frame.pixels.shape[0]))
        for track in step.visible:
            self._known.setdefault(track.track, glance.Glances()).track = track
        boxes = [detection.box for detection in detections]
        wanted = glance.select_crops(step.visible, self._known, boxes, self._rules)
        followed = clock()
        for track in wanted:
            self._glance(frame, track, boxes)
        # The lost ones too: who may wear something rare is not waited for until the track ends.
        sightings = [
            self._described(past) for past in self._known.values() if self._is_enough(past, frame.at)
        ]
        sightings += [sighting for track in step.ended if (sighting := self._ended(track))]
        cost.frames += 1
        cost.found += len(detections)
        cost.people += found - start
        cost.tracking += followed - found
        return tuple(sightings)

    @property
    def shaken(self) -> bool:
        """Whether the camera sways."""
        return self._steady.shaken

    def _hold_still(self, frame: Frame, people: Sequence[Detection]) -> None:
        """Take the camera's own motion out of what is followed: a knock makes no mannequin walk."""
        motion = self._steady.look(frame.pixels, [detection.box for detection in people])
        if motion.jumped:
            self._tracker.walk_anew()
        elif not motion.still:
            self._tracker.carry(motion.right, motion.down)

    def find_at_once(self, frame: Frame) -> tuple[Detection, ...]:
        """Everybody in a picture that has no next one: found at either size, the light taken from it alone."""
        self._balance = self._balance.anew()
        self._balance.look(frame.pixels)
        found = list(self.people.find(frame))
        for near in self._nearer.find(frame) if self._nearer else ():
            same = [one for one in found if iou(near.box, one.box) > 0.5]
            if all(near.score > one.score for one in same):
                found = [one for one in found if one not in same] + [near]
        return tuple(sorted(found, key=lambda one: -one.score))

    def _find(self, frame: Frame) -> tuple[Detection, ...]:
        """Everybody in the frame; now and then with a second look at three quarters of the size.

        Alternating the two sizes instead would cost nothing, and every other frame of everybody far away: measured on
        the sample street, half as many identity switches again.
        """
        found = self.people.find(frame)
        if self._nearer is None or self.cost.frames % (2 if self._in_hole else _SEARCH_EVERY):
            return found
        low, high = (share * self._nearer.shown_height(frame) for share in _HOLE)
        near = [
            detection
            for detection in self._nearer.find(frame)
            if low < detection.box.height < high
            and not any(iou(detection.box, other.box) > 0.5 for other in found)
        ]
        self._in_hole = bool(near)
        return (*found, *near)

    def finish(self) -> tuple[DescribedPerson, ...]:
        """End all tracks, as when the recording ends or the unit stops; who was not yet described is now."""
        return tuple(sighting for track in self._tracker.end() if (sighting := self._ended(track)))

    def _glance(self, frame: Frame, track: Track, boxes: Sequence[Box]) -> None:
        """Look closely at one person once."""
        past = self._known[track.track]
        past.tried += 1
        past.first_at = min(past.first_at, track.at)
        past.tried_at, past.height = track.at, track.box.height
        readings = self.look(frame, track.box, [box for box in boxes if box is not track.box])
        if readings:
            past.readings.append(readings)
            past.views.append(fusion.View(at=track.at, height=max(1.0, track.box.height)))
            enough = self._rules.glances <= len(past.readings) < self._rules.max_glances
            past.undecided = enough and fusion.may_be_rare(past.readings, self._usual, past.views)

    def look(self, frame: Frame, box: Box, others: Sequence[Box]) -> tuple[AttributeReading, ...]:
        """What one glance at the person in ``box`` reads, the head blanked first; nothing where no pose fits."""
        person = self.person(frame, box, others)
        return () if person is None else self.read(person)

    def person(self, frame: Frame, box: Box, others: Sequence[Box]) -> Headless | None:
        """Whoever is in ``box``, without a head; None where no pose fits, with the others in sight or without."""
        start = self._clock()
        pose = self.poses.find(frame, box)
        person = None if pose is None else headless(frame, pose, others)
        if person is None and others:  # the joints may be a neighbour's
            pose = self.poses.find_without(frame, box, others)
            person = None if pose is None else headless(frame, pose, others)
        self.cost.glances += 1
        self.cost.posing += self._clock() - start
        return person

    def read(self, person: Headless) -> tuple[AttributeReading, ...]:
        """What is worn, under the light of the frames so far."""
        start = self._clock()
        readings = attributes.read(person, self._balance.light, self._networks)
        self.cost.reading += self._clock() - start
        return readings

    def palettes(self, person: Headless) -> tuple[attributes.Palettes, attributes.Palettes]:
        """The colours of the cloth as the picture has them, and as ``read`` names them, its light balanced."""
        as_is, light = np.ones(3, np.float32), self._balance.light
        pictured, balanced = (attributes.palettes(person, one, self._networks) for one in (as_is, light))
        return pictured, balanced

    def _is_enough(self, past: glance.Glances, now: float) -> bool:
        return (
            past.track is not None
            and not past.described
            and len(past.readings) >= self._rules.glances
            and (not past.undecided or now - past.first_at >= self._rules.longest_s)
            and past.track.walked >= self._track_rules.min_displacement
        )

    def _described(self, past: glance.Glances) -> DescribedPerson:
        assert past.track is not None  # noqa: S101 - looked at, so it was visible once
        past.described = True
        self.counts.described += 1
        vector = fusion.describe(past.readings, self._usual, past.views)
        past.readings, past.views = [], []
        return DescribedPerson(vector=vector, at=past.track.seen, due=past.first_at + self._rules.held_s)

    def _ended(self, track: Track) -> DescribedPerson | None:
        """The sighting of a track that ended, unless there was one already or there is nothing to say."""
        past = self._known.pop(track.track, glance.Glances())
        if past.described:
            return None
        if track.walked < self._track_rules.min_displacement:
            self.counts.still += 1
            return None
        if not past.readings:
            self.counts.unread += 1
            return None
        return self._described(past)


def counted(detections: Sequence[Detection], zones: tuple[Zone, ...], frame: Frame) -> tuple[Detection, ...]:
    """Those whose feet are in no zone: nobody else is there."""
    extent = (frame.pixels.shape[1], frame.pixels.shape[0])
    return tuple(
        one
        for one in detections
        if not in_any(zones, (one.box.left + one.box.right) / 2, one.box.bottom, extent)
    )


def load(
    config: UnitConfig, given: StartInputs = NOTHING, *, without: bool = False
) -> tuple[Pipeline, Accelerator]:
    """The pipeline with the configured models on the configured accelerator, degraded where that is away. Unfit.

    ``without``: it hung at the last start, and this one does without it.
    """
    why = "the accelerator hung at the last start" if without else ""
    try:
        wish = Wish.CPU if without else WISHES[config.accelerator]
        accelerator = choose_accelerator(wish=wish, threads=config.threads)
    except Unavailable as away:
        why = away.what
    if why:
        accelerator = Accelerator(place=Place.CPU, why=why, threads=config.threads, degraded=True)
    return pipeline_on(accelerator, config.models, given), accelerator


def pipeline_on(
    accelerator: Accelerator, directory: Path | None = None, given: StartInputs = NOTHING
) -> Pipeline:
    """A fresh pipeline with the models of ``directory`` (else the package's own) on ``accelerator``.

    It goes by the hub's prior and the camera's matrix where they are given, else by the shipped prior, or by none.
    """
    cv2.setNumThreads(1)  # small pictures: waking a second thread costs more than it saves
    catalogue = read_catalogue(directory or default_model_directory())
    model = load_model(catalogue.named("people"), accelerator)
    people, nearer = (People(model, score=LEAST_SCORE, zooms=(zoom,)) for zoom in (1.0, _HOLE_ZOOM))
    poses = Poses(load_model(catalogue.named("pose"), accelerator))
    networks = attributes.Networks(
        garments=Garments(load_model(catalogue.named("garments"), accelerator)),
        patterns=Patterns(load_model(catalogue.named("pattern"), accelerator)),
    )
    usual = usual_by(given.prior) if given.prior else SHIPPED
    matrix = np.array(given.matrix.rows, np.float32) if given.matrix else None
    return Pipeline(
        people, poses, networks=networks, nearer=nearer, usual=usual, matrix=matrix, zones=given.zones
    )
