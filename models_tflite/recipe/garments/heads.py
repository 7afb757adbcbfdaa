"""Fits the two last layers of the kinds on a finished map network: `python -m garments.heads`.

Their input is computed once for some augmented copies of every sample, so that hundreds of passes cost minutes.
Law: the shards it is judged on are not those it is fitted on, and neither hold a photo of a real person with kinds.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from appliance.unit.vision.models.garments import HEADS
from garments.augment import batch_of
from garments.net import network
from garments.train import read

Tensor = Any  # a tf.Tensor
Floats = npt.NDArray[np.float32]
_CHUNK = 200


def gathered(net: Tensor, folder: Path, copies: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """What the last layers see, and the levels not excluded, for samples whose kinds are known."""
    pictures, places, kinds = read(folder)
    known = kinds.min(axis=1) == 0
    pictures, places, kinds = pictures[known], places[known], kinds[known]
    inner = tf.keras.Model(net.input, net.get_layer("gathering").output)
    features, levels = [], []
    for copy in range(max(1, copies)):
        for first in range(0, len(pictures), _CHUNK):
            part = slice(first, first + _CHUNK)
            if copies:
                x, _, flags = batch_of(rng, pictures[part], places[part], kinds[part])
            else:
                x, flags = pictures[part].astype(np.float32) / 127.5 - 1, kinds[part]
            features.append(inner(tf.constant(x), training=False).numpy())
            levels.append(flags.astype(np.float32))
        print(f"copy {copy + 1}: {len(pictures)} samples", flush=True)
    return np.concatenate(features), np.concatenate(levels)


def head_losses(logits: Tensor, flags: Tensor) -> Tensor:
    """Mean over the heads of minus log of the share given to what is not excluded."""
    total, start = 0.0, 0
    for _, levels in HEADS:
        stop = start + len(levels)
        share = tf.reduce_sum(tf.nn.softmax(logits[:, start:stop]) * flags[:, start:stop], -1)
        total += -tf.reduce_mean(tf.math.log(share + 1e-4))
        start = stop
    return total / len(HEADS)


def accuracy(logits: Floats, flags: Floats) -> list[float]:
    """Share right per head, where one level is left."""
    found, start = [], 0
    for _, levels in HEADS:
        group = slice(start, start + len(levels))
        sure = flags[:, group].sum(axis=1) == 1
        found.append(float((logits[sure, group].argmax(1) == flags[sure, group].argmax(1)).mean()))
        start += len(levels)
    return found


def main() -> None:
    """Fit, print the held-out accuracy of each head, and store the weights."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--weights", type=Path, required=True)
    asked.add_argument("--shards", type=Path, required=True)
    asked.add_argument("--held", type=Path, required=True)
    asked.add_argument("--output", type=Path, required=True)
    asked.add_argument("--copies", type=int, default=4)
    asked.add_argument("--passes", type=int, default=30)
    chosen = asked.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(2)
    rng = np.random.default_rng(5)
    tf.random.set_seed(5)
    net = network()
    net.load_weights(chosen.weights)
    x, flags = gathered(net, chosen.shards, chosen.copies, rng)
    held, held_flags = gathered(net, chosen.held, 0, rng)
    hidden, last = net.get_layer("gathered"), net.get_layer("kinds")
    head = tf.keras.Sequential(
        [
            tf.keras.layers.Input((x.shape[1],)),
            tf.keras.layers.Dropout(0.25),
            tf.keras.layers.Dense(hidden.units, "relu"),
            tf.keras.layers.Dropout(0.25),
            tf.keras.layers.Dense(last.units),
        ]
    )
    rate = tf.keras.optimizers.schedules.CosineDecay(2e-3, chosen.passes * (len(x) // 256))
    head.compile(
        tf.keras.optimizers.AdamW(rate, weight_decay=2e-3), loss=lambda true, said: head_losses(said, true)
    )
    for turn in range(chosen.passes):
        head.fit(x, flags, batch_size=256, verbose=0)
        if turn % 5 == 4:
            right = accuracy(head.predict(held, verbose=0), held_flags)
            print(f"pass {turn + 1}:", " ".join(f"{share:.3f}" for share in right), flush=True)
    hidden.set_weights(head.layers[1].get_weights())
    last.set_weights(head.layers[3].get_weights())
    net.save_weights(chosen.output)


if __name__ == "__main__":
    main()
