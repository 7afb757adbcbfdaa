"""Whether colours could carry finer names: `bench_finer_names.py --photos DIR`.

Eight of the twelve names are split by lightness into dark, middle and light (navy, sky, wine, olive, tan), which
makes some twenty-five. Printed per person height, for both lists: how often the cloth as the unit finds it has the
name of the cloth as the masks have it, and how often the name stays when exposure changes by up to 35 % with white
balance by up to 14 %, without any balance. The photos are for validation only.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bench_garments import cases, dominant

from appliance.protocol.vocabulary import COLOURS
from appliance.unit.vision.attributes.colours import lab_of_linear, linear, name_shares
from appliance.unit.vision.attributes.palette import palette
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.garments import Garments, refined
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model
from appliance.unit.vision.regions import Mask, regions

SPLITS = {
    "blue": (32, 58), "grey": (45, 65), "green": (35, 60), "brown": (30, 50), "red": (35, 100), "pink": (55, 100),
    "beige": (0, 75), "purple": (35, 60),
}  # fmt: skip
"""CIELAB lightness below which a name is dark, and above which it is light."""
Names = tuple[str, str]


def names(lightness: float, a: float, b: float) -> Names:
    """The colour's name of twelve, and its finer one."""
    name = COLOURS[int(np.argmax(name_shares(lightness, a, b)))]
    dark, light = SPLITS.get(name, (0, 100))
    return name, f"dark {name}" if lightness < dark else f"light {name}" if lightness > light else name


def seen_as(pixels: npt.NDArray[np.uint8], mask: Mask, gains: npt.NDArray[np.float64]) -> Names | None:
    """Names of the main swatch of the masked pixels under another light."""
    light = linear(pixels.reshape(-1, 3)[np.flatnonzero(mask)]) * gains
    found = palette(lab_of_linear(np.minimum(light, 1).astype(np.float32)))
    return names(found[0].lightness, found[0].a, found[0].b) if found else None


def main() -> None:
    """Print one row per height."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    asked.add_argument("--photos", type=Path, required=True)
    given = asked.parse_args()
    model = load_model(
        read_catalogue(default_model_directory()).named("garments"), choose_accelerator(wish=Wish.CPU)
    )
    reader, rng = Garments(model), np.random.default_rng(1)
    same: dict[int, list[tuple[bool, bool]]] = defaultdict(list)
    kept: dict[int, list[tuple[bool, bool]]] = defaultdict(list)
    for case in cases(given.photos, Path(__file__).with_name("street_val_kinds.csv")):
        cut = regions(case.person)
        if cut is None:
            continue
        cloth = refined(cut, reader.look(case.person))
        for region, mask in (("top", cloth.top), ("bottom", cloth.thighs)):
            truth = None if mask is None else dominant(case.person.pixels, case.truth[region])
            if mask is None or truth is None:
                continue
            true = names(float(truth[0]), float(truth[1]), float(truth[2]))
            gains = rng.uniform(0.65, 1.35) * rng.uniform(0.86, 1.14, 3)
            before = seen_as(case.person.pixels, mask, np.ones(3))
            after = seen_as(case.person.pixels, mask, gains)
            if before is not None and after is not None:
                same[case.height].append((before[0] == true[0], before[1] == true[1]))
                kept[case.height].append((before[0] == after[0], before[1] == after[1]))
    print("height   n  as the masks: twelve, finer  kept under other light: twelve, finer")
    for height, rows in same.items():
        (basic, finer), (steady, steady_finer) = np.mean(rows, axis=0), np.mean(kept[height], axis=0)
        print(f"{height:6} {len(rows):3} {basic:22.3f} {finer:6.3f} {steady:31.3f} {steady_finer:6.3f}")


if __name__ == "__main__":
    main()
