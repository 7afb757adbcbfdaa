"""Trains the garments network on rendered shards: `python -m garments.train --shards DIR --output FILE --minutes N`.

Resumable: weights are stored after every pass and taken up again; new shards are read at the next pass.
Laws: real people's photos are no input; a label says which classes a pixel may have, so that what is not known costs
nothing.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from appliance.unit.garments import HEADS
from garments.labels import allowed
from garments.net import network

Tensor = Any  # a tf.Tensor, or what becomes one
BATCH = 32
_SMOOTHED = 0.99
_PEAK = 3e-3
_HEADS_WEIGH = 1.5


def read(folder: Path) -> tuple[npt.NDArray[Any], ...]:
    """All shards so far: pictures, places, kinds."""
    parts = [np.load(path) for path in sorted(folder.glob("*.npz")) if ".partial" not in path.name]
    return tuple(np.concatenate([part[name] for part in parts]) for name in ("pictures", "places", "kinds"))


def batch_of(
    rng: np.random.Generator, pictures: Tensor, places: Tensor, kinds: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror half of them, and change light and colour of each a little; black stays black."""
    x = pictures.astype(np.float32) / 255
    flip = rng.random(len(x)) < 0.5
    x[flip], places = x[flip, :, ::-1], places.copy()
    places[flip] = places[flip, :, ::-1]
    n = (len(x), 1, 1, 1)
    tint = (rng.uniform(0.8, 1.25, n) * rng.uniform(0.9, 1.1, (len(x), 1, 1, 3))).astype(np.float32)
    x = x ** rng.uniform(0.75, 1.35, n).astype(np.float32) * tint
    x = x + (x > 0) * rng.standard_normal(x.shape, np.float32) * rng.uniform(0, 0.03, n).astype(np.float32)
    for k in np.nonzero(rng.random(len(x)) < 0.3)[0]:  # unseen sides: boxes are narrow or wide
        x[k, :, : int(rng.integers(0, 9))] = 0
        x[k, :, 64 - int(rng.integers(0, 9)) :] = 0
    return (np.clip(x, 0, 1) * 2 - 1).astype(np.float32), places, kinds


def loss_of(net: Tensor, table: Tensor, x: Tensor, places: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
    """Map loss and head loss: minus log of the share given to what is not excluded."""
    maps, logits = net(x, training=True)
    open_to = tf.gather(table, tf.cast(places, tf.int32))
    share = tf.reduce_sum(tf.nn.softmax(maps) * open_to, -1)
    map_loss = -tf.reduce_mean(tf.math.log(share + 1e-6))
    head_loss, start = 0.0, 0
    for _, levels in HEADS:
        stop = start + len(levels)
        share = tf.reduce_sum(tf.nn.softmax(logits[:, start:stop]) * kinds[:, start:stop], -1)
        head_loss += -tf.reduce_mean(tf.math.log(share + 1e-4))
        start = stop
    return map_loss, head_loss / len(HEADS)


def main() -> None:
    """Train for the minutes given, learning rate falling to zero over them."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--shards", type=Path, required=True)
    asked.add_argument("--output", type=Path, required=True)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--peak", type=float, default=_PEAK)
    asked.add_argument("--seed", type=int, default=0)
    chosen = asked.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rng = np.random.default_rng(chosen.seed)
    net = network()
    if chosen.output.exists():
        net.load_weights(chosen.output, by_name=True, skip_mismatch=True)
    print(f"{net.count_params()} weights", flush=True)
    table = tf.constant(allowed())
    teacher = tf.keras.optimizers.Adam(chosen.peak)
    smooth = [tf.Variable(weight, trainable=False) for weight in net.trainable_variables]

    @tf.function
    def step(x: Tensor, places: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        with tf.GradientTape() as tape:
            map_loss, head_loss = loss_of(net, table, x, places, kinds)
            total = map_loss + _HEADS_WEIGH * head_loss
        teacher.apply_gradients(
            zip(tape.gradient(total, net.trainable_variables), net.trainable_variables, strict=True)
        )
        for kept, now in zip(smooth, net.trainable_variables, strict=True):
            kept.assign(_SMOOTHED * kept + (1 - _SMOOTHED) * now)
        return map_loss, head_loss

    started, steps, turn = time.monotonic(), 0, 0
    while (gone := (time.monotonic() - started) / 60 / chosen.minutes) < 1:
        pictures, places, kinds = read(chosen.shards)
        order, seen = rng.permutation(len(pictures)), []
        for first in range(0, len(order) - BATCH + 1, BATCH):
            gone = (time.monotonic() - started) / 60 / chosen.minutes
            if gone >= 1:
                break
            teacher.learning_rate = (
                chosen.peak * min(1.0, (steps + 1) / 100) * max(0.01, 0.5 + 0.5 * np.cos(np.pi * gone))
            )
            at = np.sort(order[first : first + BATCH])
            x, p, k = batch_of(rng, pictures[at], places[at], kinds[at])
            seen.append([float(part) for part in step(x, p, k.astype(np.float32))])
            steps += 1
        turn += 1
        mean = np.mean(seen, axis=0) if seen else (0.0, 0.0)
        print(
            f"pass {turn}: {len(pictures)} samples, {steps} steps, {gone:.2f}, loss {mean[0]:.3f} {mean[1]:.3f}",
            flush=True,
        )
        if steps > 300:
            _store(net, smooth, chosen.output)
        else:
            net.save_weights(chosen.output)
    _store(net, smooth, chosen.output) if steps > 300 else net.save_weights(chosen.output)


def _store(net: Tensor, smooth: list[Tensor], path: Path) -> None:
    """Write the smoothed weights, then go on with the sharp ones."""
    sharp = [weight.numpy() for weight in net.trainable_variables]
    for weight, kept in zip(net.trainable_variables, smooth, strict=True):
        weight.assign(kept)
    net.save_weights(path)
    for weight, kept in zip(net.trainable_variables, sharp, strict=True):
        weight.assign(kept)


if __name__ == "__main__":
    main()
