"""A street that never was: seeded walkers, things they walk behind, and a detector that errs as the real one does.

Invariants: pure; one seed is one street, for ever; who is who is known exactly.

Walkers keep to a ground seen from above (height in the picture falls with the distance), walk alone or two by two,
stop now and then to talk, and pass behind posts, signs and vans. The detector's errors are those measured on the
sample street (`tests/bench/vtest_walkers.csv`): edges off by 2 % of a height, scores of .58 to .83 for the unhidden,
missed runs of one to four frames, two people close behind one another in one box (suppression at an iou of .6,
and sometimes a box around both), and half-believed things that are nobody.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.unit.vision.tracking.boxes import iou
from appliance.unit.vision.types import Box, Detection

WIDTH, HEIGHT = 1280.0, 720.0
FPS = 10.0
_HORIZON = 60.0  # no feet above this row
_NEAREST = 700.0  # no feet below this row
_METRES = 1.72  # height of a person
_COUNTS = 1 / 3
_SAME = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Where a person truly is in one frame: the whole box, and the share of it that is in view."""

    person: int
    box: Box
    shown: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One frame of the street: what is true, and what the detector says."""

    at: float
    people: tuple[Seen, ...]
    detections: tuple[Detection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occluder:
    """Something that hides what is behind it: its box, and the row of the ground it stands on."""

    box: Box
    ground: float


@dataclass(slots=True)
class _Walker:
    number: int
    x: float
    y: float
    vx: float  # pixels a second at its own distance
    vy: float
    born: float
    pause: tuple[float, float]
    swing: float
    gap: int = 0


def _height(y: float) -> float:
    """Height in pixels of a person whose feet are in row ``y``."""
    return 45 + 175 * (y - _HORIZON) / (_NEAREST - _HORIZON)


def _box(x: float, y: float, width: float = 0.38) -> Box:
    height = _height(y)
    return Box(left=x - width / 2 * height, top=y - height, right=x + width / 2 * height, bottom=y)


class Street:
    """A street with ``people`` walkers a minute, for ``seconds``; ``seed`` decides everything."""

    def __init__(self, seed: int, *, seconds: float = 60.0, people: float = 15.0, occluders: int = 4) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - not a secret
        self.occluders = tuple(self._occluder() for _ in range(occluders))
        self._ghosts = [self._ghost() for _ in range(3)]
        self._seconds = seconds
        self._walkers: list[_Walker] = []
        at = 0.0
        while at < seconds - 8:
            self._enter(at)
            at += self._rng.expovariate(people / 60 * 0.75)
        self.visits = len(self._walkers)

    def moments(self) -> Iterator[Moment]:
        """Every frame in order. Call once."""
        for frame in range(round(self._seconds * FPS)):
            at = frame / FPS
            for walker in self._walkers:
                self._walk(walker, at)
            present = [each for each in self._walkers if each.born <= at and -60 < each.x < WIDTH + 60]
            people = self._truth(present)
            yield Moment(at=at, people=people, detections=self._detected(people, present))

    def _enter(self, at: float) -> None:
        """One walker, or one time in three two who walk together."""
        rng = self._rng
        right = rng.random() < 0.5
        y = rng.uniform(180, 640)
        speed = rng.uniform(0.9, 1.7)
        pause = (0.0, 0.0)
        if rng.random() < 0.25:
            begin = at + rng.uniform(2, 6)
            pause = (begin, begin + rng.uniform(2, 12))
        for each in range(2 if rng.random() < 1 / 3 else 1):
            feet = min(_NEAREST, y + each * rng.uniform(-12, 12))
            metre = _height(feet) / _METRES
            away = each * rng.uniform(0.35, 0.9) * metre
            self._walkers.append(
                _Walker(
                    number=len(self._walkers),
                    x=-30 - away if right else WIDTH + 30 + away,
                    y=feet,
                    vx=(speed if right else -speed) * metre,
                    vy=rng.uniform(-0.12, 0.12) * metre if not each else self._walkers[-1].vy,
                    born=at,
                    pause=pause,
                    swing=rng.uniform(0, math.tau)
                    if not each
                    else self._walkers[-1].swing + rng.uniform(-0.1, 0.1),
                )
            )

    def _walk(self, walker: _Walker, at: float) -> None:
        """Let a frame pass for one walker; people do not walk like trains."""
        if walker.born > at:
            return
        standing = walker.pause[0] <= at < walker.pause[1]
        pace = 0.04 if standing else 1 + 0.18 * math.sin(at * 0.9 + walker.swing)
        sway = 0.25 * math.sin(at * 0.6 + walker.swing) * abs(walker.vx) * (not standing)
        walker.x += walker.vx * pace / FPS
        walker.y = min(_NEAREST, max(_HORIZON + 40, walker.y + (walker.vy * pace + 0.25 * sway) / FPS))

    def _truth(self, walkers: list[_Walker]) -> tuple[Seen, ...]:
        """Where everybody is and how much of them the camera can see, counted on a grid of the box."""
        boxes = {each.number: _box(each.x, each.y) for each in walkers}
        seen = []
        for each in walkers:
            box = boxes[each.number]
            hiding = [one.box for one in self.occluders if one.ground > each.y]
            hiding += [
                _inner(boxes[other.number])
                for other in walkers
                if (other.y, other.number) > (each.y, each.number)
            ]
            seen.append(Seen(person=each.number, box=box, shown=_shown(box, hiding)))
        return tuple(seen)

    def _detected(self, people: tuple[Seen, ...], walkers: list[_Walker]) -> tuple[Detection, ...]:
        """What the detector says: boxes off by a little, some missing, some around two, some around nobody."""
        rng = self._rng
        found: list[Detection] = []
        for seen, walker in zip(people, walkers, strict=True):
            if walker.gap > 0:
                walker.gap -= 1
                continue
            if seen.shown < 0.3 or rng.random() > min(1.0, 0.35 + seen.shown):
                continue
            if rng.random() < 0.012:
                walker.gap = rng.choice((0, 0, 1, 1, 2, 3))
                continue
            score = rng.gauss(0.76, 0.05) - 0.5 * max(0.0, 0.85 - seen.shown) + rng.gauss(0, 0.02)
            if score >= 0.3:
                found.append(Detection(box=self._jittered(seen.box, 1.0), score=min(0.85, score)))
        found += self._pairs(people)
        kept: list[Detection] = []
        for each in sorted(found, key=lambda one: -one.score):
            if not any(iou(each.box, other.box) > 0.6 for other in kept):
                kept.append(each)
        kept.extend(
            Detection(box=self._jittered(ghost, 1.5), score=rng.uniform(0.30, 0.48))
            for ghost in self._ghosts
            if rng.random() < 0.12
        )
        return tuple(_clipped(each) for each in kept if each.box.right > 4 and each.box.left < WIDTH - 4)

    def _pairs(self, people: tuple[Seen, ...]) -> list[Detection]:
        """Boxes around two people who overlap much; now and then one beats the two true ones."""
        rng, found = self._rng, []
        for number, one in enumerate(people):
            for other in people[number + 1 :]:
                if iou(one.box, other.box) > 0.25 and rng.random() < 0.35:
                    union = Box(
                        left=min(one.box.left, other.box.left),
                        top=min(one.box.top, other.box.top),
                        right=max(one.box.right, other.box.right),
                        bottom=max(one.box.bottom, other.box.bottom),
                    )
                    found.append(Detection(box=self._jittered(union, 1.0), score=rng.gauss(0.62, 0.1)))
        return [each for each in found if 0.3 <= each.score < 1]

    def _jittered(self, box: Box, factor: float) -> Box:
        """The box with its edges off as the real detector's are."""
        rng, height = self._rng, box.height * factor
        return Box(
            left=box.left + rng.gauss(0, 0.022) * height,
            top=box.top + rng.gauss(0, 0.016) * height,
            right=box.right + rng.gauss(0, 0.022) * height,
            bottom=box.bottom + rng.gauss(0, 0.016) * height,
        )

    def _occluder(self) -> Occluder:
        """A post, a sign at the height of the chest, or a van."""
        rng = self._rng
        ground = rng.uniform(250, 690)
        x, unit = rng.uniform(150, WIDTH - 150), _height(ground)
        width, low, high = rng.choice(
            ((0.08, 0.0, 2.2), (0.45, 0.35, 1.0), (0.5, 0.0, 1.3), (1.6, 0.0, 1.15))
        )
        return Occluder(
            box=Box(
                left=x - width * unit / 2,
                top=ground - high * unit,
                right=x + width * unit / 2,
                bottom=ground - low * unit,
            ),
            ground=ground,
        )

    def _ghost(self) -> Box:
        """A thing that the detector half believes in."""
        return _box(self._rng.uniform(50, WIDTH - 50), self._rng.uniform(200, 600), 0.35)


def _inner(box: Box) -> Box:
    """What of a person's box truly hides somebody: not the air beside the legs."""
    margin = 0.15 * box.width
    return Box(left=box.left + margin, top=box.top, right=box.right - margin, bottom=box.bottom)


def _shown(box: Box, hiding: list[Box]) -> float:
    """Share of a box that is inside the picture and behind nothing, on a grid of 6 by 10."""
    near = [
        other
        for other in hiding
        if other.left < box.right
        and other.right > box.left
        and other.top < box.bottom
        and other.bottom > box.top
    ]
    seen = 0
    for column in range(6):
        x = box.left + (column + 0.5) / 6 * box.width
        if not 0 <= x < WIDTH:
            continue
        for row in range(10):
            y = box.top + (row + 0.5) / 10 * box.height
            seen += not any(o.left <= x < o.right and o.top <= y < o.bottom for o in near)
    return seen / 60


def _clipped(found: Detection) -> Detection:
    box = found.box
    return Detection(
        box=Box(
            left=max(0.0, box.left),
            top=max(0.0, box.top),
            right=min(WIDTH, box.right),
            bottom=min(HEIGHT, box.bottom),
        ),
        score=found.score,
    )


def switches(moments: Sequence[tuple[Moment, Mapping[Any, Box]]]) -> int:
    """Identity switches by CLEAR MOT's rule: pairs of the frame before hold as long as they can.

    ``moments``: each frame with the box of every track in view. People shown by less than a third do not count.
    """
    last: dict[int, int] = {}
    count = 0
    for moment, tracks in moments:
        people = {seen.person: seen.box for seen in moment.people if seen.shown > _COUNTS}
        kept = {
            person: last[person]
            for person, box in people.items()
            if last.get(person) in tracks and iou(box, tracks[last[person]]) >= _SAME
        }
        fits = sorted(
            (-iou(box, tracks[track]), person, track)
            for person, box in people.items()
            for track in tracks
            if person not in kept and iou(box, tracks[track]) >= _SAME
        )
        taken = set(kept.values())
        for _, person, track in fits:
            if person in kept or track in taken:
                continue
            count += last.get(person, track) != track
            kept[person] = track
            taken.add(track)
        last |= kept
    return count
