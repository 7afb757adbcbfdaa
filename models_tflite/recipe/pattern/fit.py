"""Fits the scale of network and contrast together, and the temperature, on held-out samples.

Invariants:
    * Network and contrast count alike: each is divided by its own spread over plain cloth. A free fit would trust the
      network more than it deserves on people, because the windows it is fitted on are of the kind it was trained on.
    * Fitted on generated windows and on photos of senders the network never saw, half and half; never on people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from appliance.unit.vision.models.pattern import TRAINED_SHARES, PatternWindow, contrast, views
from pattern.net import network
from pattern.train import fed

Doubles = npt.NDArray[np.float64]


def logistic(columns: Doubles, positive: npt.NDArray[np.bool_], weight: Doubles) -> Doubles:
    """Return the coefficients of a logistic regression by Newton's method (Hastie et al., ESL, section 4.4.1)."""
    found = np.zeros(columns.shape[1])
    for _ in range(40):
        chance = 1 / (1 + np.exp(-columns @ found))
        slope = columns.T @ (weight * (positive - chance)) - 1e-3 * found
        bend = (columns * (weight * chance * (1 - chance))[:, np.newaxis]).T @ columns + 1e-3 * np.eye(
            len(found)
        )
        found = found + np.linalg.solve(bend, slope)
    return found


def temperature(logits: Doubles, kinds: npt.NDArray[np.int64]) -> float:
    """Return the temperature of least cross-entropy (Guo et al., ICML 2017, section 4.2), by search."""

    def loss(heat: float) -> float:
        scaled = logits / heat
        return float((np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(kinds)), kinds]).mean())

    return float(min(np.arange(0.5, 3.0, 0.05), key=loss))


def main() -> None:
    """Print the constants that pattern.py holds."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--weights", type=Path, required=True)
    arguments.add_argument("--held-out", type=Path, required=True)
    given = arguments.parse_args()
    net = network()
    net.load_weights(given.weights)
    held = np.load(given.held_out)
    cloths, kinds, real = held["cloth"], held["facts"][:, 0].astype(np.int64), held["facts"][:, 2]
    votes = [
        net.predict(np.stack(seen).astype(np.float32) / 127.5 - 1, batch_size=256, verbose=0)
        for seen in zip(*map(views, fed(cloths)), strict=True)
    ]
    logits = np.asarray(np.mean(votes, axis=0, dtype=np.float64))
    rough = [
        contrast(
            PatternWindow(
                pixels=np.ascontiguousarray(cloth[..., :3]), mask=np.ascontiguousarray(cloth[..., 3])
            )
        )
        for cloth in cloths
    ]
    odds = np.logaddexp.reduce(logits[:, 1:], axis=1) - logits[:, 0]
    log_rough = np.log(np.maximum(rough, 0.05))
    plain = kinds == 0
    both = odds / odds[plain].std() + log_rough / log_rough[plain].std()
    weight = np.where(real > 0, 0.5 / real.mean(), 0.5 / (1 - real.mean()))
    scale, offset = logistic(np.column_stack([both, np.ones(len(both))]), ~plain, weight)
    offset -= np.log((1 - TRAINED_SHARES[0]) / TRAINED_SHARES[0])
    by_net, by_contrast = scale / odds[plain].std(), scale / log_rough[plain].std()
    patterned = kinds > 0
    heat = temperature(logits[patterned][:, 1:], kinds[patterned] - 1)
    print(
        f"NETWORK_WEIGHT {by_net:.3f}  CONTRAST_WEIGHT {by_contrast:.3f}  OFFSET {offset:.3f}  TEMPERATURE {heat:.2f}"
    )


if __name__ == "__main__":
    main()
