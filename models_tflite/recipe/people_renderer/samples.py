"""Renders shards of samples: `python -m people_renderer.samples --clothing DIR --streets DIR --output DIR`.

Resumable: a shard that is there is not rendered again; each has its own seed, tones 0..9 in turn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from people_renderer.cloths import Wardrobe
from people_renderer.scenes import sample
from people_renderer.streets import Streets, licensed_streets

SHARD = 500


def main() -> None:
    """Render the shards from ``--first`` on, ``--step`` apart, so that several can run side by side."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--clothing", type=Path, help="the CC0 clothing photos: images.csv and images/")
    asked.add_argument("--streets", type=Path, required=True, help="Debian's OpenCV sample pictures")
    asked.add_argument("--output", type=Path, required=True)
    asked.add_argument("--shards", type=int, default=40)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--step", type=int, default=1)
    chosen = asked.parse_args()
    cv2.setNumThreads(1)
    chosen.output.mkdir(parents=True, exist_ok=True)
    wardrobe: Wardrobe | None = None
    streets = Streets(licensed_streets(chosen.streets))
    for number in range(chosen.first, chosen.shards, chosen.step):
        path = chosen.output / f"people-{number:03d}.npz"
        if path.exists():
            continue
        if wardrobe is None:
            wardrobe = Wardrobe(np.random.default_rng(1000 + chosen.first), chosen.clothing)
        rng = np.random.default_rng(number)
        made = [one for k in range(SHARD) if (one := sample(rng, wardrobe, streets, k % 10)) is not None]
        partial = path.with_suffix(".partial.npz")
        np.savez_compressed(
            partial,
            pictures=np.stack([one.picture for one in made]),
            places=np.stack([one.places for one in made]),
            kinds=np.stack([one.kinds for one in made]),
            tones=np.array([one.tone for one in made], np.uint8),
        )
        partial.replace(path)
        print(f"shard {number}: {len(made)} samples", flush=True)


if __name__ == "__main__":
    main()
