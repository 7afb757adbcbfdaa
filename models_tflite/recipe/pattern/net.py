"""The pattern network: the first ten blocks of EfficientNet-Lite0 (trunk/), one convolution, mean and maximum.

Law: static shapes, no resize, no custom op; 96 x 96 x 3 in, four logits out; all operations in the Edge TPU's table.
Where the trunk is cut, by one logistic layer on each: after the fifth block (40 channels, 8 texels a cell) patterned
is told from plain by .02 to .05 of AUC less, after the fifteenth (192, 32 texels) by .01 to .03 less, at four times
the bytes. The eleventh block would make all models weigh more than 8 MB together, and is left out.
"""

from __future__ import annotations

from typing import Any, Final

from tensorflow import keras
from trunk.net import trunk

from appliance.unit.vision.models.pattern import KINDS, SIDE

Tensor = Any  # a Keras tensor
Model = Any  # a Keras model

layers = keras.layers
BLOCKS: Final = 10
HEAD: Final = 128


def network() -> Model:
    """Return the Keras model: input (n, 96, 96, 3) in -1..1, output (n, 4) logits in the order of KINDS."""
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(HEAD, 1, use_bias=False, name="head_conv")(trunk(picture, BLOCKS)[-1])
    x = layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9, name="head_bn")(x))
    # The mean tells how much of the cloth is so, the maximum that some of it surely is.
    side = x.shape[1]
    x = layers.Concatenate()([layers.AveragePooling2D(side)(x), layers.MaxPooling2D(side)(x)])
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(picture, layers.Dense(len(KINDS), name="head_dense")(x))
