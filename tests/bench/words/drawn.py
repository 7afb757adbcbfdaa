"""Drawn people in cloth of chosen colours, as often of one name as of another, with and without a second colour.

The renderer is the one that the garment network was trained with; cloth, people, streets and cameras have other
seeds.
A dye counts by the name that ``colours.name_shares`` gives it under daylight, with ``CLEAR`` of its shares at least.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "models_tflite" / "recipe"))

import cv2
import numpy as np
import numpy.typing as npt
from fabrics.cloth import plain
from fabrics.drape import drape
from people_renderer.bodies import body
from people_renderer.canvas import COLUMNS, TORSO, Canvas
from people_renderer.dressing import dress
from people_renderer.outfits import LOWER, OUTER, UPPER, Outfit, outfit
from people_renderer.scenes import _pose
from people_renderer.streets import Streets

from appliance.protocol.vocabulary import COLOURS
from appliance.unit.vision.attributes.colours import Balance, lab, name_shares
from appliance.unit.vision.attributes.reading import Networks, measure
from appliance.unit.vision.regions import headless
from appliance.unit.vision.types import Box, Frame, Keypoint, Pose
from tests.bench.words.looked import CLEAR, GLANCES, MOST_SECOND, SECOND, Person

Random = np.random.Generator
Floats = npt.NDArray[np.float32]
DRAWN_HEIGHT = 222.0
"""Pixels of a drawn person's box before the camera."""
HEIGHTS = (200, 150, 100)
_SIDE = 96
NO_SECOND = 0.05
"""A second colour that covers less is none."""
NARROWEST = 3.0
GARMENT = 70.0
"""About as many pixels is a garment of the drawing wide and high."""
HIDDEN = 0.08
"""Cloth down to here (torso lengths below the shoulders) is blanked with the head and counts for nothing."""
SHADE = 0.5
"""The renderer draws shade deep, to train by; by half of it plain cloth spreads as in the validation photos."""
FEWEST = 400
"""Pixels of a garment, of the drawing, from which on it counts."""
_UNLIKE = 30.0
"""Two dyes nearer than this (CIELAB, lightness at half weight) are not two colours for anybody."""


@dataclass(frozen=True, slots=True)
class Dye:
    """A colour of cloth: sRGB 0..255 and its name."""

    rgb: Floats
    lab: tuple[float, float, float]
    name: str


def dyes(rng: Random, each: int) -> dict[str, list[Dye]]:
    """``each`` dyes of every name, evenly over the part of CIELAB that the name clearly covers, dull more often."""
    found: dict[str, list[Dye]] = defaultdict(list)
    while min(len(found[name]) for name in COLOURS) < each:
        rgb = rng.integers(8, 250, (4000, 3)).astype(np.uint8)
        grey = rng.random(4000) < 0.3
        rgb[grey] = np.clip(rng.integers(8, 250, (4000, 1)) + rng.normal(0, 4, (4000, 3)), 8, 250).astype(
            np.uint8
        )[grey]
        for colour, place in zip(rgb, lab(rgb).tolist(), strict=True):
            if rng.random() < min(0.9, math.hypot(place[1], place[2]) / 110):  # clothes are rarely vivid
                continue
            shares = name_shares(*place)
            name = COLOURS[int(np.argmax(shares))]
            if max(shares) >= CLEAR and len(found[name]) < each:
                found[name].append(Dye(colour.astype(np.float32), (place[0], place[1], place[2]), name))
    return found


class Chosen:
    """A wardrobe of three cloths: above, below, over; everything it is asked for is cut from these."""

    def __init__(self, above: Floats, below: Floats, over: Floats) -> None:
        self._next = [above, below]
        self._over = over

    def any_cloth(self, rng: Random) -> Floats:
        """Above first, then below."""
        del rng
        return self._next.pop(0)

    def outer_cloth(self, rng: Random) -> Floats:
        """Cloth over all."""
        del rng
        return self._over

    def whole(self, rng: Random, kind: str) -> None:
        """No whole garments."""
        del rng, kind

    legs = whole


def surfaces(rng: Random, count: int) -> list[Floats]:
    """Weave, knit and folds without a colour: (96, 96, 1) factors around 1."""
    made = [
        cv2.resize(drape(rng, plain(rng)), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for _ in range(count)
    ]
    grey = [one.mean(axis=2, keepdims=True) for one in made]
    return [np.clip(one / np.median(one), 0.4, 1.7).astype(np.float32) for one in grey]


def cloth(rng: Random, surface: Floats, dyed: list[Dye], share: float, height: int) -> Floats:
    """Cloth of one dye, or of two in blocks, bands or checks, the second on ``share`` of it.

    No band is narrower than ``NARROWEST`` pixels where the person is ``height`` pixels high: a camera mixes such.
    """
    colour = np.broadcast_to(dyed[0].rgb, (_SIDE, _SIDE, 3)).copy()
    if len(dyed) > 1:
        rows, columns = np.mgrid[:_SIDE, :_SIDE] / _SIDE
        most = max(2, math.floor(share * GARMENT * height / DRAWN_HEIGHT / NARROWEST))
        style = rng.random()
        if style < 0.4:  # bands across
            where = (rows * rng.integers(1, most + 1) + rng.random()) % 1 < share
        elif style < 0.6:  # bands along
            where = (columns * rng.integers(1, most + 1) + rng.random()) % 1 < share
        elif style < 0.8:  # large checks: both ways
            half, times = 1 - math.sqrt(1 - share), rng.integers(1, max(2, most // 2 + 1))
            where = ((rows * times) % 1 < half) | ((columns * times) % 1 < half)
        else:  # a block: yoke, panel, half
            where = rows < share if rng.random() < 0.5 else rows > 1 - share
        colour[where] = dyed[1].rgb
    return np.maximum(colour * surface, 2).astype(np.float32)


def people(seed: int, count: int, networks: Networks) -> Iterator[Person]:
    """``count`` people for each name of a colour: that name above, another in its turn below."""
    rng = np.random.default_rng(seed)
    pool, weave = dyes(rng, 60), surfaces(rng, 60)
    streets = Streets([])
    for number in range(count * len(COLOURS)):
        name, other = COLOURS[number % 12], COLOURS[(number // 12 * 5 + number + 3) % 12]
        yield _person(
            np.random.default_rng((seed, number)), number, (name, other), pool, weave, streets, networks
        )


def _person(
    rng: Random,
    number: int,
    names: tuple[str, str],
    pool: dict[str, list[Dye]],
    weave: list[Floats],
    streets: Streets,
    networks: Networks,
) -> Person:
    height = HEIGHTS[number % 3]
    worn = _simple(rng, outfit(rng))
    second_above = rng.random() < 0.5
    made, said = [], []
    for name, two in zip(names, (second_above and worn.outer != "open", rng.random() < 0.35), strict=True):
        dyed = [_one(rng, pool[name])]
        dyed += [_unlike(rng, pool, dyed[0])] if two else []
        made.append(cloth(rng, weave[rng.integers(len(weave))], dyed, float(rng.uniform(0.3, 0.45)), height))
        said.append(dyed)
    # A closed coat is all that is seen above the waist; an open one and what is under it are two colours.
    over = _unlike(rng, pool, said[0][0]) if worn.outer == "open" else said[0][0]
    outer = cloth(rng, weave[rng.integers(len(weave))], [over], 0.0, height)
    canvas = Canvas(rng, streets.draw(rng))
    empty = canvas.pixels.copy()
    canvas.torso, canvas.origin = TORSO, np.array([COLUMNS / 2 + rng.normal(0, 3), 52.0 + rng.normal(0, 3)])
    who = body(rng, number % 10)
    dress(canvas, rng, who, worn, Chosen(made[0], made[1], outer))  # type: ignore[arg-type]
    covered = _lit_evenly(canvas, {UPPER: said[0], OUTER: [over], LOWER: said[1]})
    person = Person(source="drawn", name=str(number), height=height, truth=_truths(worn, said, over, covered))
    light = Light(rng)
    balance = Balance()
    balance.look(light.photographed(rng, empty, 0.5))
    for _ in range(GLANCES):
        scale = height / DRAWN_HEIGHT * rng.uniform(0.93, 1.07)
        pose = scaled(_pose(canvas, rng, who), scale)
        seen = headless(Frame(pixels=light.photographed(rng, canvas.pixels, scale), at=0.0), pose)
        if seen is not None:
            person.glances.append(measure(seen, balance.light, networks))
    return person


def _simple(rng: Random, worn: Outfit) -> Outfit:
    """No dress whose cloth would be drawn twice, and no long coat that hides what is below."""
    outer = worn.outer if rng.random() < 0.5 else "none"
    return replace(
        worn, one_piece=False, outer=outer, outer_hem=min(worn.outer_hem, 1.2), top_hem=min(worn.top_hem, 1.2)
    )


def _one(rng: Random, among: list[Dye]) -> Dye:
    return among[int(rng.integers(len(among)))]


def _unlike(rng: Random, pool: dict[str, list[Dye]], dye: Dye) -> Dye:
    """A dye of another name that nobody would take for this one."""
    while True:
        other = _one(rng, pool[COLOURS[int(rng.integers(12))]])
        if other.name != dye.name and _apart(dye.lab, other.lab) >= _UNLIKE:
            return other


def _lit_evenly(canvas: Canvas, garments: dict[int, list[Dye]]) -> dict[int, list[int]]:
    """Bring each garment to the light in which its middle has the dye's colour; how many pixels each dye covers.

    The renderer's folds and shade stay, by ``SHADE`` of their depth; how dark it drew the whole garment is taken out.
    Counted is what the unit may see, below the blanked head.
    """
    covered = {}
    shown = np.arange(canvas.labels.shape[0])[:, np.newaxis] >= canvas.origin[1] + HIDDEN * canvas.torso
    for label, dyed in garments.items():
        where = canvas.labels == label
        pixels, shown_of = canvas.pixels[where], np.broadcast_to(shown, where.shape)[where]
        lights = np.stack([np.clip(pixels @ dye.rgb / (dye.rgb @ dye.rgb), 0.2, 1.8) for dye in dyed])
        left = np.stack(
            [
                np.linalg.norm(pixels - light[:, np.newaxis] * dye.rgb, axis=1)
                for light, dye in zip(lights, dyed, strict=True)
            ]
        )
        which = np.argmin(left + 25 * np.abs(np.log(lights)), axis=0)
        covered[label] = [int((which == number)[shown_of].sum()) for number in range(len(dyed))]
        if len(pixels):
            light = lights[which, np.arange(len(pixels))]
            softer = (light / np.median(light)) ** SHADE
            canvas.pixels[where] = pixels / light[:, np.newaxis] * softer[:, np.newaxis]
    return covered


def _truths(worn: Outfit, said: list[list[Dye]], over: Dye, covered: dict[int, list[int]]) -> dict[str, str]:
    """The words of cloth: of two dyes the one on more pixels is the main colour."""
    above, below = said
    top = list(zip(covered[UPPER], above, strict=True))
    if worn.outer == "closed":
        top = [(covered[OUTER][0], over)]
    elif worn.outer == "open":
        top.append((covered[OUTER][0], over))
    truth = {}
    for where, parts in (("top", top), ("bottom", list(zip(covered[LOWER], below, strict=True)))):
        total = sum(count for count, _ in parts)
        if total < FEWEST:
            continue
        parts.sort(key=lambda part: -part[0])
        share = parts[1][0] / total if len(parts) > 1 else 0.0
        if share < MOST_SECOND:
            truth[f"{where}.colour"] = parts[0][1].name
        if share < NO_SECOND:
            truth[f"{where}.accent"] = "none"
        elif SECOND <= share < MOST_SECOND:
            truth[f"{where}.accent"] = parts[1][1].name
    return truth


def _apart(
    one: list[float] | tuple[float, float, float], other: list[float] | tuple[float, float, float]
) -> float:
    return math.hypot(0.5 * (one[0] - other[0]), one[1] - other[1], one[2] - other[2])


class Light:
    """What camera and light are while one person goes by: exposure, white balance, sharpness."""

    def __init__(self, rng: Random) -> None:
        self.gain = rng.uniform(0.75, 1.35) * rng.uniform(0.9, 1.1, 3)
        self.blur = rng.uniform(0.0, 0.8)
        self.noise = rng.uniform(0.005, 0.025)
        self.quality = int(rng.integers(60, 96))

    def photographed(self, rng: Random, clean: Floats, scale: float) -> npt.NDArray[np.uint8]:
        """A frame at ``scale`` of the drawing."""
        size = (round(clean.shape[1] * scale), round(clean.shape[0] * scale))
        out = cv2.resize(clean, size, interpolation=cv2.INTER_AREA) / 255
        out = (np.clip(out, 0, 1) ** 2.2 * self.gain * rng.uniform(0.95, 1.05)) ** (1 / 2.2)
        if self.blur > 0.3:
            out = cv2.GaussianBlur(out, (0, 0), self.blur)
        out = out + rng.standard_normal(out.shape) * self.noise
        raw = np.clip(out * 255, 1, 255).astype(np.uint8)
        coded = cv2.imencode(".jpg", raw, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
        return np.maximum(cv2.imdecode(coded, cv2.IMREAD_COLOR), 1).astype(np.uint8)


def scaled(pose: Pose, scale: float) -> Pose:
    """The same pose in a frame of another size."""
    box = pose.box
    return Pose(
        box=Box(
            left=box.left * scale, top=box.top * scale, right=box.right * scale, bottom=box.bottom * scale
        ),
        keypoints=tuple(
            Keypoint(x=one.x * scale, y=one.y * scale, score=one.score) for one in pose.keypoints
        ),
    )
