"""Exports the trained network to int8: `python -m garments.export` with weights, shards and an output file.

Calibrated on rendered people, so that no real person's photo shapes even the rounding.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from quantise import convert, write_model

from appliance.unit.vision.models.garments import COLUMNS, ROWS
from garments.net import network
from garments.train import read

Tensor = Any  # a tf.Tensor


def main() -> None:
    """Convert with post-training quantisation, or to float for comparison."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--weights", type=Path, required=True)
    asked.add_argument("--shards", type=Path, required=True)
    asked.add_argument("--output", type=Path, required=True)
    asked.add_argument("--examples", type=int, default=300)
    asked.add_argument("--float", action="store_true")
    chosen = asked.parse_args()
    net = network()
    net.load_weights(chosen.weights)

    def run(picture: Tensor) -> dict[str, Tensor]:
        places, kinds = net(picture, training=False)
        return {"a_places": places, "b_kinds": kinds}

    pictures = read(chosen.shards)[0]
    examples = pictures[np.linspace(0, len(pictures) - 1, chosen.examples).astype(int)]
    model = convert(run, height=ROWS, width=COLUMNS, examples=None if chosen.float else list(examples))
    write_model(chosen.output, model)


if __name__ == "__main__":
    main()
