"""The pattern network: plain convolutions, batch norm, ReLU; everything folds into ops the Edge TPU has.

Law: static shapes, no resize, no custom op; 96 x 96 x 3 in, four logits out.

Whole convolutions, not depthwise: they train 1.7 times as fast on a CPU and run well on the Edge TPU.
"""

from __future__ import annotations

from typing import Any, Final

from tensorflow import keras

from appliance.unit.vision.models.pattern import KINDS, SIDE

Tensor = Any  # a Keras tensor
Model = Any  # a Keras model

layers = keras.layers
WIDTHS: Final = (32, 64, 96)
FINE: Final = 16


def network(widths: tuple[int, int, int] = WIDTHS) -> Model:
    """Return the untrained Keras model: input (n, 96, 96, 3) in -1..1, output (n, 4) logits in the order of KINDS."""
    first, second, third = widths
    picture = keras.Input((SIDE, SIDE, 3))
    # At once to 24 x 24, which makes training cheap; beside it a thin way by 48 x 48 for what is two texels wide.
    x = _convolved(picture, first, side=7, stride=4)
    fine = _convolved(picture, FINE, side=5, stride=2)
    x = layers.Add()([x, _offered(fine, first, stride=2)])
    x = layers.Add()([x, _convolved(x, first)])
    x = _convolved(x, second, stride=2)  # 12 x 12
    x = layers.Add()([x, _convolved(x, second)])
    x = _convolved(x, third, stride=2)  # 6 x 6
    x = layers.Add()([x, _convolved(x, third)])
    x = layers.Add()([x, _offered(x, third)])
    # The mean tells how much of the cloth is so, the maximum that some of it surely is.
    x = layers.Concatenate()([layers.AveragePooling2D(6)(x), layers.MaxPooling2D(6)(x)])
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    return keras.Model(picture, layers.Dense(len(KINDS))(x))


def _convolved(x: Tensor, width: int, *, side: int = 3, stride: int = 1) -> Tensor:
    x = layers.Conv2D(width, side, stride, "same", use_bias=False)(x)
    return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))


def _offered(x: Tensor, width: int, *, stride: int = 1) -> Tensor:
    """A convolution that starts as nothing, so that it can be added to a network that is trained already."""
    x = layers.Conv2D(width, 3, stride, "same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, gamma_initializer="zeros")(x)
