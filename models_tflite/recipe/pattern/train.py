"""Trains the pattern network on samples written by samples.py, from the published weights of its trunk; resumable.

Invariants:
    * The trunk's first blocks and all its statistics stay as published: what everyday photographs taught is kept.
    * Nothing is chosen by looking at people: the stopping point is fixed, the held-out senders only report.
    * Samples are varied anew each epoch: mirrored, turned by a right angle, light, contrast and dyes changed, noise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow import keras
from trunk.net import start as begin

from appliance.unit.vision.models.pattern import KINDS, PatternWindow, shown
from pattern.net import Model, Tensor, network

Pictures = npt.NDArray[np.uint8]
SMOOTHING = 0.05
FIRST_TRAINED = 3
"""First block of the trunk that is trained."""


def fed(cloths: npt.NDArray[np.uint8]) -> Pictures:
    """Return what the unit would feed for (n, 96, 96, 4) windows of pixels and mask."""
    cv2.setNumThreads(1)
    return np.stack(
        [shown(PatternWindow(pixels=np.ascontiguousarray(c[..., :3]), mask=c[..., 3])) for c in cloths]
    )


def _varied(pictures: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
    """Vary a batch of (n, 96, 96, 3) uint8 pictures; return them in -1..1 with their smoothed labels."""
    x = tf.cast(pictures, tf.float32) / 127.5 - 1
    count = tf.shape(x)[0]

    def any_(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return tf.random.uniform((count, *shape), low, high)

    # Half of the batch is mirrored, some is turned: prints run either way, but a region is mostly upright.
    x = tf.where(any_(1, 1, 1) < 0.5, x[:, :, ::-1], x)
    x = tf.where(any_(1, 1, 1) < 0.5, x[:, ::-1], x)
    x = tf.where(any_(1, 1, 1) < 0.15, tf.transpose(x, (0, 2, 1, 3)), x)
    middle = tf.reduce_mean(x, (1, 2), keepdims=True)
    x = middle + (x - middle) * any_(1, 1, 1, low=0.8, high=1.25)
    grey = tf.reduce_mean(x, 3, keepdims=True)
    x = grey + (x - grey) * any_(1, 1, 1, low=0.4, high=1.3)
    x = x * any_(1, 1, 1, low=0.85, high=1.15) + any_(1, 1, 3, low=-0.12, high=0.12)
    x += any_(1, 1, 1, low=-0.2, high=0.2)
    x = tf.where(any_(1, 1, 1) < 0.3, x[..., ::-1], x)  # blue for red
    x = tf.where(any_(1, 1, 1) < 0.1, -x, x)  # light for dark
    x = tf.roll(x, tf.random.uniform((2,), -10, 11, tf.int32), (1, 2))
    x += tf.random.normal(tf.shape(x)) * any_(1, 1, 1, high=0.03)
    labels = tf.one_hot(kinds, len(KINDS)) * (1 - SMOOTHING) + SMOOTHING / len(KINDS)
    return tf.clip_by_value(x, -1, 1), labels


def _frozen(net: Model) -> None:
    """The trunk's first blocks and all of its batch statistics are not trained."""
    for layer in net.layers:
        if layer.name.startswith("trunk."):
            number = int(layer.name.split(".")[2]) if "_blocks" in layer.name else -1
            still = isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = number >= FIRST_TRAINED and not still


def train(
    pictures: Pictures,
    kinds: npt.NDArray[np.int64],
    *,
    epochs: int,
    rate: float,
    trunk: Path,
    start: Path | None,
    output: Path,
) -> Model:
    """Return the trained network."""
    net = network()
    begin(net, trunk)
    _frozen(net)
    if start is not None:
        net.load_weights(start)
    batch = 64
    steps = -(-len(pictures) // batch)
    stream = (
        tf.data.Dataset.from_tensor_slices((pictures, kinds))
        .shuffle(len(pictures))
        .batch(batch, drop_remainder=True)
        .map(_varied, num_parallel_calls=1)
        .prefetch(2)
    )
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * steps, alpha=0.01)
    net.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-4),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    kept = keras.callbacks.ModelCheckpoint(str(output), save_weights_only=True)
    net.fit(stream, epochs=epochs, verbose=2, callbacks=[kept])
    return net


def main() -> None:
    """Train and save weights; print the accuracy on held-out senders."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--samples", type=Path, nargs="+", required=True)
    arguments.add_argument("--held-out", type=Path, required=True)
    arguments.add_argument("--epochs", type=int, default=4)
    arguments.add_argument("--rate", type=float, default=3e-4)
    arguments.add_argument("--trunk", type=Path, required=True, help="the published weights (trunk/)")
    arguments.add_argument("--start", type=Path)
    arguments.add_argument("--output", type=Path, required=True)
    given = arguments.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    keras.utils.set_random_seed(1)
    stored = [np.load(path) for path in given.samples]
    pictures = np.concatenate([fed(part["cloth"]) for part in stored])
    kinds = np.concatenate([part["facts"][:, 0] for part in stored]).astype(np.int64)
    net = train(
        pictures,
        kinds,
        epochs=given.epochs,
        rate=given.rate,
        trunk=given.trunk,
        start=given.start,
        output=given.output,
    )
    held = np.load(given.held_out)
    logits = net.predict(fed(held["cloth"]).astype(np.float32) / 127.5 - 1, batch_size=256, verbose=0)
    right = logits.argmax(1) == held["facts"][:, 0]
    for real in (0, 1):
        print(
            f"held out, {'photos' if real else 'procedural'}: {right[held['facts'][:, 2] == real].mean():.3f}"
        )


if __name__ == "__main__":
    main()
