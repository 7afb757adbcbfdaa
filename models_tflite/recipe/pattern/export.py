"""Turns trained weights into pattern.tflite: fully int8, uint8 in and out; beside it, on demand, the float twin.

Law: calibration pictures are generated windows, never people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from quantise import convert, write_model

from appliance.unit.vision.models.pattern import SIDE
from pattern.net import Tensor, network
from pattern.train import fed

CALIBRATION = 400


def main() -> None:
    """Convert."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--weights", type=Path, required=True)
    arguments.add_argument("--samples", type=Path, required=True, help="windows to calibrate with")
    arguments.add_argument("--output", type=Path, required=True)
    arguments.add_argument("--float", type=Path, help="where to write the float model for comparison")
    given = arguments.parse_args()
    net = network()
    net.load_weights(given.weights)

    def replayed(image: Tensor) -> dict[str, Tensor]:
        return {"logits": net(image, training=False)}

    cloths = np.load(given.samples)["cloth"]
    chosen = np.linspace(0, len(cloths) - 1, CALIBRATION).round().astype(int)
    write_model(given.output, convert(replayed, height=SIDE, width=SIDE, examples=list(fed(cloths[chosen]))))
    if given.float is not None:
        write_model(given.float, convert(replayed, height=SIDE, width=SIDE, examples=None))


if __name__ == "__main__":
    main()
