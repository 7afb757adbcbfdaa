"""EfficientNet-Lite0 up to a stage, in Keras, with its published weights.

Law: only convolutions, depthwise convolutions, ADD and ReLU6: the operations it was made of for int8 accelerators.
Source: Tan and Le, EfficientNet (ICML 2019), in the variant without squeeze and excitation that its authors published
for small devices (github.com/tensorflow/tpu, efficientnet/lite); inputs are pixel / 127.5 - 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from tensorflow import keras

from trunk.stored import tensors

Tensor = Any  # a Keras tensor
Model = Any  # a Keras model, or a layer of one
layers = keras.layers
STAGES: Final = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
)
"""Of each stage: blocks, side of the depthwise convolution, first stride, expansion, width."""
_EPSILON: Final = 1e-3
_OURS: Final = "trunk."
"""Before the published names of layers: Keras wants no name to begin with an underscore."""


def trunk(picture: Tensor, blocks: int) -> list[Tensor]:
    """The network on a tensor of pictures in -1..1, up to a number of blocks (1 to 15); the result of each block."""
    x = _normal(layers.Conv2D(32, 3, 2, "same", use_bias=False, name=f"{_OURS}_conv_stem")(picture), "_bn0")
    found: list[Tensor] = []
    number = 0
    for repeats, side, stride, expansion, width in STAGES:
        for repeat in range(repeats):
            if number == blocks:
                return found
            x = _block(x, f"_blocks.{number}", side, stride if repeat == 0 else 1, expansion, width)
            found.append(x)
            number += 1
    return found


def _normal(x: Tensor, name: str, *, bent: bool = True) -> Tensor:
    x = layers.BatchNormalization(momentum=0.99, epsilon=_EPSILON, name=f"{_OURS}{name}")(x)
    return layers.ReLU(6.0)(x) if bent else x


def _block(x: Tensor, name: str, side: int, stride: int, expansion: int, width: int) -> Tensor:
    before, y = x.shape[-1], x
    if expansion > 1:
        y = layers.Conv2D(before * expansion, 1, use_bias=False, name=f"{_OURS}{name}._expand_conv")(y)
        y = _normal(y, f"{name}._bn0")
    y = layers.DepthwiseConv2D(side, stride, "same", use_bias=False, name=f"{_OURS}{name}._depthwise_conv")(y)
    y = _normal(y, f"{name}._bn1")
    y = layers.Conv2D(width, 1, use_bias=False, name=f"{_OURS}{name}._project_conv")(y)
    y = _normal(y, f"{name}._bn2", bent=False)
    return layers.Add()([x, y]) if stride == 1 and before == width else y


def start(model: Model, weights: Path) -> None:
    """Give a model's trunk its published weights; SystemExit where the file holds others."""
    stored = tensors(weights)
    for layer in model.layers:
        if layer.name.startswith(_OURS):
            layer.set_weights(_weights_of(layer, stored))


def _weights_of(layer: Model, stored: dict[str, Any]) -> list[Any]:
    published = layer.name.removeprefix(_OURS)
    if isinstance(layer, layers.BatchNormalization):
        names = ("weight", "bias", "running_mean", "running_var")
        return [stored[f"{published}.{name}"] for name in names]
    kernel = stored[f"{published}.weight"]  # out, in, rows, columns
    turned = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
    return [np.ascontiguousarray(kernel.transpose(turned))]
