"""How much the colour card lowers the error of cloth colours under tinted light, against the grey world alone.

    python tests/bench/bench_card.py --video street.avi

Rendered: cloth with folds in a colour drawn from all of CIELAB that clothes have, a street's real frames as the scene
that the balance sees, both through one simulated camera (lamp, crosstalk, noise, bytes); the card is photographed by
the same camera and read by the unit's own code. The error is CIEDE2000 between the main swatch as the unit finds it
and that of the same cloth under daylight without crosstalk and noise, at the camera's own exposure.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from appliance.unit.card import fit, sight
from appliance.unit.card.patches import PATCHES, Linear, asked
from appliance.unit.card.words import CardWord
from appliance.unit.vision.attributes.ciede2000 import ciede2000
from appliance.unit.vision.attributes.colours import Balance, Floats, balanced, lab_of_linear, linear
from appliance.unit.vision.attributes.palette import palette
from tests import cards
from tests.cards import Camera

Doubles = NDArray[np.float64]
LAMPS = {
    "daylight": (1.0, 1.0, 1.0),
    "warm lamp": cards.TUNGSTEN,
    "shade": cards.SHADE,
    "greenish lamp": (0.9, 1.12, 0.85),
}
FILTERS = {"ideal filters": cards.NO_CROSSTALK, "crosstalk": cards.CROSSTALK}
EXPOSURE, NOISE = 0.8, 0.02


def cloths(count: int, rng: np.random.Generator) -> Doubles:
    """(count, 3) linear sRGB, drawn evenly from CIELAB with L 15 to 90 and chroma up to 60, inside sRGB."""
    found: list[Doubles] = []
    while len(found) < count:
        light = rng.random(3) ** 2.2
        lightness, a, b = lab_of_linear(light.astype(np.float32)).tolist()
        # Evenly: what linear light draws too often is kept less often.
        if 15 < lightness < 90 and np.hypot(a, b) < 60 and rng.random() < light.mean() + 0.15:
            found.append(light)
    return np.array(found)


def folded(cloth: Doubles, rng: np.random.Generator) -> Doubles:
    """(24, 24, 3): a piece of cloth whose folds shade it."""
    waves = 0.85 + 0.15 * np.sin(np.linspace(0, rng.uniform(4, 12), 24) + rng.uniform(0, 6))
    return cloth * waves[None, :, None] * np.ones((24, 1, 1))


def main_swatch(light: Floats) -> Doubles:
    """The unit's own reading: the largest swatch of a palette."""
    swatch = palette(lab_of_linear(light))[0]
    return np.array([swatch.lightness, swatch.a, swatch.b])


def printed(rng: np.random.Generator, spread: float) -> dict[str, Linear]:
    """What a printer makes of the patches: each channel off by some share."""
    return {
        name: tuple(np.minimum(np.array(light) * np.exp(rng.normal(0, spread, 3)), 1.0).tolist())
        for name, light in asked().items()
    }


def matrix_of(camera: Camera, print_: dict[str, Linear], wanted: dict[str, Linear]) -> Floats | None:
    """The card's matrix by the unit's own code, from eight pictures of one print."""
    rng = np.random.default_rng(7)
    drawn = sight.picture(cell=40, margin=40)
    for name in PATCHES:
        drawn[(drawn == PATCHES[name]).all(axis=2)] = cards.encoded(np.array(print_[name]))
    drawn[drawn.max(axis=2) == 255] = 255
    card, markers = cards.scene(cards.TILTED, card=drawn), sight.detector()
    readings = [sight.look(camera.sees(card, rng), markers) for _ in range(fit.FRAMES)]
    if any(isinstance(reading, CardWord) for reading in readings):
        return None
    found = fit.fitted([reading for reading in readings if isinstance(reading, sight.CardReading)], wanted)
    return None if isinstance(found, CardWord) else np.array(found.rows, np.float32)


def errors(
    camera: Camera, matrix: Floats | None, frames: list[Doubles], colours: Doubles
) -> dict[str, list[float]]:
    """CIEDE2000 of every cloth in front of every scene, by how its light was mended."""
    rng = np.random.default_rng(3)
    found: dict[str, list[float]] = {"as it is": [], "grey world": [], "card": [], "card and grey world": []}
    as_is = np.ones(3, np.float32)
    for frame in frames:
        alone, behind = Balance(), Balance(matrix)
        seen = camera.sees(frame, rng)
        alone.look(seen)
        behind.look(seen)
        ways = {"as it is": as_is, "grey world": alone.light, "card": as_is if matrix is None else matrix}
        ways["card and grey world"] = behind.light
        for cloth in colours:
            piece = folded(cloth, rng)
            true = main_swatch((piece * EXPOSURE).reshape(-1, 3).astype(np.float32))
            pixels = linear(camera.sees(piece, rng)).reshape(-1, 3)
            for way, by in ways.items():
                found[way].append(float(ciede2000(main_swatch(balanced(pixels, by)), true)))
    return found


def scenes(video: Path, count: int) -> list[Doubles]:
    """Frames evenly through the video, as true linear light."""
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [
        linear(frames[at]).astype(np.float64)[::4, ::4]
        for at in np.linspace(0, len(frames) - 1, count, dtype=int)
    ]


def main() -> None:
    """Print one line for each lamp and camera: medians, and for prints whose inks are off."""
    asking = argparse.ArgumentParser()
    asking.add_argument("--video", type=Path, required=True)
    asking.add_argument("--cloths", type=int, default=120)
    given = asking.parse_args()
    frames = scenes(given.video, 4)
    colours = cloths(given.cloths, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    prints = {
        "true print": (asked(), asked()),
        "inks off by 10 %": (printed(rng, 0.10), asked()),
    }
    off = prints["inks off by 10 %"][0]
    prints["the same, measured"] = (off, off)
    for (lamp, colour), (filters, crosstalk) in product(LAMPS.items(), FILTERS.items()):
        camera = Camera(lamp=colour, crosstalk=crosstalk, exposure=EXPOSURE, noise=NOISE)
        for name, (print_, wanted) in prints.items():
            matrix = matrix_of(camera, print_, wanted)
            found = errors(camera, matrix, frames, colours)
            told = ", ".join(f"{way} {np.median(apart):.1f}" for way, apart in found.items())
            print(f"{lamp}, {filters}, {name}: {told if matrix is not None else 'refused'}")
    noon = matrix_of(Camera(crosstalk=cards.CROSSTALK, exposure=EXPOSURE, noise=NOISE), asked(), asked())
    for lamp in ("warm lamp", "shade"):
        camera = Camera(lamp=LAMPS[lamp], crosstalk=cards.CROSSTALK, exposure=EXPOSURE, noise=NOISE)
        found = errors(camera, noon, frames, colours)
        told = ", ".join(f"{way} {np.median(apart):.1f}" for way, apart in found.items())
        print(f"{lamp}, crosstalk, the card was read by daylight: {told}")


if __name__ == "__main__":
    main()
