"""The same outfits on ten Monk tones through the unit's own eyes to the hub's score: `bench_tones.py --streets DIR`.

Every outfit is drawn once per tone from the same numbers: body, cloth, street, camera and noise are the same, the
skin is not. Each is glanced at several times (a camera's noise each), read with the unit's networks, described, and
scored by a hub that has seen other rendered people. The pose is the renderer's, a little off, the same for all tones:
drawn people are no people to the pose network. Beside it: what another moment's noise alone changes on one tone.

`--streets` is the folder of Debian's OpenCV pictures (package opencv-doc, examples/data), `--clothing` the CC0
photos of garments; both are optional: without them streets are clutter and cloth is procedural.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models_tflite" / "recipe"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np
import numpy.typing as npt
from people_renderer.bodies import body
from people_renderer.canvas import COLUMNS, TORSO, Canvas
from people_renderer.cloths import Wardrobe
from people_renderer.dressing import dress
from people_renderer.outfits import outfit
from people_renderer.scenes import _pose, photographed
from people_renderer.streets import Streets, licensed_streets

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.rarity import Rarity
from appliance.protocol.values import AttributeVector, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.unit.vision.attributes import fusion
from appliance.unit.vision.attributes import reading as attributes
from appliance.unit.vision.attributes.colours import Balance
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.garments import Garments
from appliance.unit.vision.models.pattern import Patterns
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model
from appliance.unit.vision.regions import headless
from appliance.unit.vision.types import Frame

TONES = 10
NORTH = UnitId("north")
NOON = 1_790_000_000.0
FLAG = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """The unit's networks, and what people are drawn with."""

    networks: attributes.Networks
    wardrobe: Wardrobe
    streets: Streets
    glances: int

    def vector(self, seed: int, tone: int, moment: int = 0) -> AttributeVector:
        """What the unit says of outfit ``seed`` on ``tone``, seen at ``moment`` (which changes the noise alone)."""
        rng = np.random.default_rng(seed)
        canvas = Canvas(rng, self.streets.draw(rng))
        canvas.torso, canvas.origin = (
            TORSO,
            np.array([COLUMNS / 2 + rng.normal(0, 3), 52.0 + rng.normal(0, 3)]),
        )
        who, encode = body(rng, tone), outfit(rng)
        dress(canvas, rng, who, encode, self.wardrobe)
        balance, seen = Balance(), []
        for glance in range(self.glances):
            camera = np.random.default_rng((seed, moment, glance))
            pose = _pose(canvas, camera, who)
            pixels = photographed(camera, canvas.pixels)
            balance.look(pixels)
            person = headless(Frame(pixels=pixels, at=0.0), pose)
            if person is not None:
                seen.append(attributes.read(person, balance.gains, self.networks))
        return fusion.describe(seen)


def eyes(asked: argparse.Namespace) -> Eyes:
    """The unit's own networks, and a wardrobe of its own seed."""
    cv2.setNumThreads(1)
    accelerator = choose_accelerator(wish=Wish.CPU)
    catalogue = read_catalogue(default_model_directory())
    return Eyes(
        networks=attributes.Networks(
            garments=Garments(load_model(catalogue.named("garments"), accelerator)),
            patterns=Patterns(load_model(catalogue.named("pattern"), accelerator)),
        ),
        wardrobe=Wardrobe(np.random.default_rng(77_000), asked.clothing),
        streets=Streets(licensed_streets(asked.streets) if asked.streets else []),
        glances=asked.glances,
    )


def hub(sight: Eyes, crowd: int) -> Rarity:
    """A hub that has seen a crowd of other rendered people, tones in turn."""
    rarity = Rarity(Baseline())
    vectors = [sight.vector(900_000 + number, number % TONES) for number in range(crowd)]
    # The street is longer than the patience of who renders it: three times the same crowd, in another order.
    for place in np.random.default_rng(5).permutation(np.tile(np.arange(crowd), 3)).tolist():
        rarity.score_and_learn(vectors[place], NORTH, Seconds(NOON + 2.0 * rarity.baseline.people))
    return rarity


def levels(vector: AttributeVector) -> list[int]:
    """Its levels, 0 where unknown."""
    return [reading.level for reading in vector.readings]


def usual(rows: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """The most frequent level over the tones, of (tones, attributes); the lower where two are as frequent."""
    return np.array([np.bincount(column).argmax() for column in rows.T])


def slope(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean slope per tone of (outfits, tones), and how many standard errors it is from none (paired)."""
    tones = np.arange(TONES) - (TONES - 1) / 2
    each = values @ tones / (tones @ tones)
    error = each.std(ddof=1) / np.sqrt(len(each))
    return float(each.mean()), float(each.mean() / error) if error else 0.0


def options() -> argparse.Namespace:
    """What was asked for."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--streets", type=Path)
    asking.add_argument("--clothing", type=Path)
    asking.add_argument("--outfits", type=int, default=60)
    asking.add_argument("--glances", type=int, default=3)
    asking.add_argument("--crowd", type=int, default=300)
    return asking.parse_known_args()[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """(outfits, tones, attributes) levels, and which contradict or only differ from what most tones gave."""

    table: npt.NDArray[np.int_]
    both: npt.NDArray[np.bool_]
    contradicts: npt.NDArray[np.bool_]
    changed: npt.NDArray[np.bool_]
    bits: npt.NDArray[np.float64]
    flags: npt.NDArray[np.bool_]


def measure(said: list[list[AttributeVector]], rarity: Rarity) -> Measured:
    """Hold each tone's vector against what most tones gave, and score it."""
    scores = [[rarity.score(rarity.encode(vector, NORTH)) for vector in row] for row in said]
    table = np.array([[levels(vector) for vector in row] for row in said])
    common = np.array([usual(rows) for rows in table])[:, None]
    both, changed = (table > 0) & (common > 0), table != common
    return Measured(
        table=table,
        both=both,
        contradicts=both & changed,
        changed=changed,
        bits=np.array([[score.bits for score in row] for row in scores]),
        flags=np.array([[score.p <= FLAG for score in row] for row in scores]),
    )


def show(found: Measured) -> None:
    """Print by tone, by attribute, and trends."""
    print("tone  contradicts  changed   known   vector alike   bits  flagged")
    for tone in range(TONES):
        changed = found.changed[:, tone]
        print(
            f"{tone + 1:4} {found.contradicts[:, tone].sum() / found.both[:, tone].sum():11.4f}"
            f"  {changed.mean():7.4f}  {(found.table[:, tone] > 0).mean():6.3f}"
            f"  {(~changed.any(axis=1)).mean():12.3f}"
            f"  {found.bits[:, tone].mean():5.2f}  {found.flags[:, tone].mean():7.4f}"
        )
    trends = {
        "contradicted readings": found.contradicts.sum(axis=2).astype(np.float64),
        "changed readings": found.changed.sum(axis=2).astype(np.float64),
        "known readings": (found.table > 0).sum(axis=2).astype(np.float64),
        "bits": found.bits,
        "flagged": found.flags.astype(np.float64),
    }
    for name, values in trends.items():
        mean, errors = slope(values)
        print(f"trend of {name:24} {mean:+.4f} a tone, {errors:+.1f} standard errors")
    print("by attribute: contradicts, changed")
    for place, one in enumerate(ATTRIBUTES):
        mine = found.contradicts[:, :, place].sum() / max(1, found.both[:, :, place].sum())
        print(f"  {one.name:16} {mine:.4f}  {found.changed[:, :, place].mean():.4f}")


def main() -> None:
    """Render, read, score, print."""
    asked = options()
    sight = eyes(asked)
    rarity = hub(sight, asked.crowd)
    said = [[sight.vector(seed, tone) for tone in range(TONES)] for seed in range(asked.outfits)]
    found = measure(said, rarity)
    print(
        f"{asked.outfits} outfits on ten tones, {asked.glances} glances each; hub of {rarity.baseline.people}"
    )
    show(found)
    again = np.array([levels(sight.vector(seed, seed % TONES, moment=1)) for seed in range(asked.outfits)])
    first = found.table[np.arange(len(again)), np.arange(len(again)) % TONES]
    known = (again > 0) & (first > 0)
    contradicts = (known & (again != first)).sum() / known.sum()
    print(
        f"another moment's noise alone: contradicts {contradicts:.4f}, changed {(again != first).mean():.4f}"
    )


if __name__ == "__main__":
    main()
