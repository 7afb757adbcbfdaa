"""Trains the garments network on rendered shards: `python -m garments.train --shards DIR… --output FILE --minutes N`.

Resumable: weights are stored after every pass and taken up again; new shards are read at the next pass.
Rules: no photo of the validation set is an input; a label says which classes a pixel may have, so that what is not
known costs nothing; what is stored are smoothed weights with the batch statistics that belong to them.
"""

from __future__ import annotations

import argparse
import queue
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from appliance.unit.vision.models.garments import HEADS
from garments.augment import batch_of
from garments.labels import allowed
from garments.net import network

Tensor = Any  # a tf.Tensor, or what becomes one
BATCH = 32
_SMOOTHED = 0.998
_PEAK = 2.5e-3
_HEADS_WEIGH = 1.0
_REAL_TIMES = 3
_AHEAD = 6
_PASS = 300
"""Steps before new shards are looked for."""


class Shards:
    """All shards of some folders in memory; ``freshen`` reads those that have come since."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._known: dict[Path, int] = {}
        self._parts: list[tuple[npt.NDArray[np.uint8], ...]] = []
        self._index = np.zeros((0, 2), np.int64)

    def freshen(self) -> None:
        """Read new shards; real silhouettes count several times, for there are few."""
        for path in (path for folder in self._folders for path in sorted(folder.glob("*.npz"))):
            if path in self._known or ".partial" in path.name:
                continue
            with np.load(path) as stored:
                part = tuple(stored[name] for name in ("pictures", "places", "kinds"))
            self._known[path] = len(self._parts)
            rows = np.stack([np.full(len(part[0]), len(self._parts)), np.arange(len(part[0]))], axis=1)
            times = _REAL_TIMES if path.name.startswith("real") else 1
            self._index = np.concatenate([self._index, *[rows] * times])
            self._parts.append(part)

    def __len__(self) -> int:
        return len(self._index)

    def batches(self, rng: np.random.Generator, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Every sample once, in any order, augmented."""
        order = rng.permutation(self._index)
        for first in range(0, len(order) - size + 1, size):
            rows = order[first : first + size]
            picked = [np.stack([self._parts[part][k][row] for part, row in rows]) for k in range(3)]
            yield batch_of(rng, *picked)


def read(folder: Path) -> tuple[npt.NDArray[Any], ...]:
    """All shards of one folder: pictures, places, kinds."""
    parts = [np.load(path) for path in sorted(folder.glob("*.npz")) if ".partial" not in path.name]
    return tuple(np.concatenate([part[name] for part in parts]) for name in ("pictures", "places", "kinds"))


def ahead(source: Iterator[Any]) -> Iterator[Any]:
    """The same items, made a few ahead in another thread."""
    waiting: queue.Queue[Any] = queue.Queue(_AHEAD)
    end, stopped = object(), threading.Event()

    def fill() -> None:
        for item in source:
            if stopped.is_set():
                return
            waiting.put(item)
        waiting.put(end)

    threading.Thread(target=fill, daemon=True).start()
    try:
        while (item := waiting.get()) is not end:
            yield item
    finally:
        stopped.set()
        while not waiting.empty():
            waiting.get_nowait()


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
        head_loss += -tf.reduce_mean(tf.math.log(share + 1e-3))
        start = stop
    return map_loss, head_loss / len(HEADS)


class Trainer:
    """The network, its optimiser and its smoothed weights."""

    def __init__(self, output: Path) -> None:
        self.net = network()
        self.output = output
        if output.exists():
            self.net.load_weights(output, by_name=True, skip_mismatch=True)
        self.optimiser = tf.keras.optimizers.AdamW(_PEAK, weight_decay=1e-3)
        self._table = tf.constant(allowed())
        self._smooth = [tf.Variable(weight, trainable=False) for weight in self.net.trainable_variables]
        self.step = tf.function(self._step)

    def _step(self, x: Tensor, places: Tensor, kinds: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            map_loss, head_loss = loss_of(self.net, self._table, x, places, kinds)
            total = map_loss + _HEADS_WEIGH * head_loss
        slopes = tape.gradient(total, self.net.trainable_variables)
        self.optimiser.apply_gradients(zip(slopes, self.net.trainable_variables, strict=True))
        for kept, now in zip(self._smooth, self.net.trainable_variables, strict=True):
            kept.assign(_SMOOTHED * kept + (1 - _SMOOTHED) * now)
        return tf.stack([map_loss, head_loss])

    def store(self, pictures: Iterator[Tensor] | None) -> None:
        """Write the weights: smoothed, with batch statistics measured on ``pictures``; without them, as they are."""
        if pictures is None:
            self.net.save_weights(self.output)
            return
        sharp = self.net.get_weights()
        for weight, kept in zip(self.net.trainable_variables, self._smooth, strict=True):
            weight.assign(kept)
        run = tf.function(lambda x: self.net(x, training=True))
        for x in pictures:
            run(tf.constant(x))
        self.net.save_weights(self.output)
        self.net.set_weights(sharp)


def main() -> None:
    """Train for the minutes given, learning rate falling to zero over them."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--shards", type=Path, nargs="+", required=True)
    asked.add_argument("--output", type=Path, required=True)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--peak", type=float, default=_PEAK)
    asked.add_argument("--seed", type=int, default=0)
    chosen = asked.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rng = np.random.default_rng(chosen.seed)
    trainer, shards = Trainer(chosen.output), Shards(chosen.shards)
    print(f"{trainer.net.count_params()} weights", flush=True)
    started, steps, gone = time.monotonic(), 0, 0.0
    while gone < 1:
        shards.freshen()
        seen = []
        for x, places, kinds in ahead(islice(shards.batches(rng, BATCH), _PASS)):
            gone = (time.monotonic() - started) / 60 / chosen.minutes
            if gone >= 1:
                break
            falling = max(0.004, 0.5 + 0.5 * np.cos(np.pi * gone))
            trainer.optimiser.learning_rate = chosen.peak * min(1.0, (steps + 1) / 200) * falling
            seen.append(trainer.step(x, places, kinds.astype(np.float32)).numpy())
            steps += 1
        _tell(f"step {steps}", shards, gone, seen)
        trainer.store(
            (x for x, _, _ in islice(shards.batches(rng, 128), 24)) if gone >= 1 and steps > 900 else None
        )


def _tell(where: str, shards: Shards, gone: float, seen: list[Tensor]) -> None:
    mean = np.mean(seen[-250:], axis=0) if seen else (0.0, 0.0)
    print(f"{where}: {len(shards)} samples, {gone:.2f}, loss {mean[0]:.3f} {mean[1]:.3f}", flush=True)


if __name__ == "__main__":
    main()
