"""The network: an inverted-residual encoder, a light decoder for the map, a dense head for the kinds.

Law: only operations of the Edge TPU's published table: convolutions, depthwise convolutions, ADD, bilinear doubling,
RESHAPE, FULLY_CONNECTED; static shapes; ReLU6.
Source of the block: inverted residuals (Sandler et al. 2018); of the decoder: feature pyramids (Lin et al. 2017).
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from appliance.unit.vision.models.garments import COLUMNS, LOGITS, PLACES, ROWS

layers = tf.keras.layers
Tensor = Any  # a Keras tensor


def _conv(x: Tensor, width: int, size: int = 1, stride: int = 1, *, act: bool = True) -> Tensor:
    x = layers.Conv2D(width, size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU(6.0)(x) if act else x


def _depthwise(x: Tensor, stride: int = 1, size: int = 3) -> Tensor:
    x = layers.DepthwiseConv2D(size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU(6.0)(x)


def _block(x: Tensor, width: int, stride: int = 1) -> Tensor:
    before = x.shape[-1]
    y = _conv(_depthwise(_conv(x, 3 * before), stride), width, act=False)
    return layers.Add()([x, y]) if stride == 1 and before == width else y


def _up(x: Tensor, skip: Tensor, width: int) -> Tensor:
    x = layers.UpSampling2D(2, interpolation="bilinear")(_conv(x, width, act=False))
    x = layers.Add()([x, _conv(skip, width, act=False)])
    return _conv(_depthwise(layers.ReLU(6.0)(x)), width)


def network() -> tf.keras.Model:
    """Return the float network: (128, 64, 3) in -1..1 to a (64, 32, 7) map of logits and 12 logits."""
    picture = layers.Input((ROWS, COLUMNS, 3))
    fine = _conv(_depthwise(_conv(picture, 16, 3, 2)), 24)
    half = _block(_block(fine, 32, 2), 32)
    quarter = _block(_block(_block(half, 56, 2), 56), 56)
    deep = _block(_block(_block(quarter, 96, 2), 96), 96)
    y = _up(deep, quarter, 64)
    y = _up(y, half, 48)
    y = _up(y, fine, 24)
    places = layers.Conv2D(len(PLACES), 1, name="places")(_conv(_depthwise(y), 32))
    # Aligned by the torso: where something is tells as much as what, so the head keeps the grids of both.
    coarse = layers.AveragePooling2D(4)(layers.ReLU(6.0)(places))
    z = layers.Concatenate(name="gathering")([layers.Flatten()(coarse), layers.Flatten()(_conv(deep, 16))])
    z = layers.Dense(64, activation="relu", name="gathered")(layers.Dropout(0.15)(z))
    z = layers.Dropout(0.15)(z)
    kinds = layers.Dense(LOGITS, name="kinds")(z)
    return tf.keras.Model(picture, [places, kinds])
