"""Measures the garments network on rendered people by Monk skin tone: `bench_garment_tones.py --shards DIR`.

The shards must not be those the network was trained on. Equal within noise over the ten tones is the aim.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from bench_garments import card_of

from appliance.unit.vision.models.catalogue import default_model_directory
from appliance.unit.vision.models.garments import HEADS, PLACES
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model


def main() -> None:
    """Print, for each tone, the right share of cloth pixels, of limb pixels, the leak, and each head's accuracy."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--shards", type=Path, required=True)
    asked.add_argument("--model", type=Path, default=default_model_directory() / "garments.tflite")
    chosen = asked.parse_args()
    parts = [
        np.load(path) for path in sorted(chosen.shards.glob("people-*.npz")) if ".partial" not in path.name
    ]
    pictures, places, kinds, tones = (
        np.concatenate([part[name] for part in parts]) for name in ("pictures", "places", "kinds", "tones")
    )
    model = load_model(card_of(chosen.model), choose_accelerator(wish=Wish.CPU))
    pairs = [model.invoke(picture[np.newaxis]) for picture in pictures]
    maps = np.concatenate([pair[0] for pair in pairs]).argmax(axis=-1)
    logits = np.concatenate([pair[1] for pair in pairs]).astype(np.float32)
    cloth = [PLACES.index(name) for name in ("upper", "outer", "lower")]
    limb = PLACES.index("limb")
    heads = " ".join(f"{name:>10}" for name, _ in HEADS)
    print(f"tone    n  cloth found  limb found  limb in cloth {heads}")
    for tone in (*range(10), -1):
        mine = tones == tone if tone >= 0 else np.ones(len(tones), bool)
        said, true = maps[mine], places[mine]
        is_cloth, called_cloth = np.isin(true, cloth), np.isin(said, cloth)
        found = (called_cloth & is_cloth).sum() / is_cloth.sum()
        limbs = ((said == limb) & (true == limb)).sum() / (true == limb).sum()
        leak = (called_cloth & (true == limb)).sum() / (called_cloth & (true < len(PLACES))).sum()
        right, start = [], 0
        for _, levels in HEADS:
            group = slice(start, start + len(levels))
            flags = kinds[mine][:, group]
            known = flags.sum(axis=1) == 1
            right.append((logits[mine][known, group].argmax(axis=1) == flags[known].argmax(axis=1)).mean())
            start += len(levels)
        row = " ".join(f"{share:10.3f}" for share in right)
        print(
            f"{tone + 1 if tone >= 0 else 'all':>4} {mine.sum():4} {found:12.3f} {limbs:11.3f} {leak:14.3f} {row}"
        )


if __name__ == "__main__":
    main()
