"""Exports the people detector: NanoDet-g, person channel only, 320 x 416, fully int8.

Rule: the graph is replayed channels-last with every layout transpose dropped; raw RGB pixels go in (the network's own
BGR mean and deviation are folded into its first convolution).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from quantise import Picture, calibration_pictures, convert, spread, write_model
from tfjs_graph import Graph, Node, Operation, Tensor, UnknownGraphError, read_graph

from appliance.unit.vision.models.person_detector import letterbox

HEIGHT, WIDTH = 320, 416
_TRAINED_SIDE = 416  # the packaged graph's own square input
_SLOPE = 0.1
_SCOPE = "PartitionedCall/"
# The last feature map of each stride and the 1x1 convolution (and its bias) that reads classes and distances from it.
_HEADS = (
    ("onnx_tf_prefix_LeakyRelu_151", "convolution_29", "Add_29"),
    ("onnx_tf_prefix_LeakyRelu_162", "convolution_31", "Add_33"),
    ("onnx_tf_prefix_LeakyRelu_173", "convolution_33", "Add_37"),
)
_PERSON, _CLASSES, _BINS = 0, 80, 4 * 11
# Per-channel statistics of NanoDet's published configuration, in its BGR order.
_BGR_MEAN = np.array([103.53, 116.28, 123.675])
_BGR_DEVIATION = np.array([57.375, 57.12, 58.395])
_NCHW_TO_NHWC, _NHWC_TO_NCHW = [0, 2, 3, 1], [0, 3, 1, 2]


def leaky_relu(features: Tensor) -> Tensor:
    """max(x, 0.1 x) as one LEAKY_RELU operation: XNNPACK runs it in int8, the Edge TPU's table lacks it."""
    return tf.nn.leaky_relu(features, _SLOPE)


def leaky_maximum(features: Tensor) -> Tensor:
    """max(x, 0.1 x) as MUL and MAXIMUM."""
    return tf.maximum(features, features * tf.constant(_SLOPE))


def leaky_prelu(features: Tensor) -> Tensor:
    """max(x, 0.1 x) as relu(x) - 0.1 relu(-x), the form the converter turns into one PRELU with per-channel slope."""
    slope = tf.constant(-_SLOPE, shape=[1, 1, features.shape[-1]])
    return tf.nn.relu(features) + slope * tf.nn.relu(-features)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "leaky": leaky_relu,
    "maximum": leaky_maximum,
    "prelu": leaky_prelu,
}


def fold_pixel_statistics(graph: Graph) -> Graph:
    """Return the graph whose first convolution reads RGB in -1..1 instead of BGR minus mean over deviation.

    With p = 127.5 (x + 1):  w (p - m) / d  =  (w 127.5 / d) x  +  w (127.5 - m) / d.
    """
    kernel_name = graph.nodes[f"{_SCOPE}convolution"].sources[1]
    bias_name = graph.nodes[f"{_SCOPE}Add"].sources[1]
    kernel = graph.constants[kernel_name].astype(np.float64)
    bias = graph.constants[bias_name].astype(np.float64)
    shift = np.einsum("hwco,c->o", kernel, (127.5 - _BGR_MEAN) / _BGR_DEVIATION)
    scaled = (kernel * (127.5 / _BGR_DEVIATION)[:, np.newaxis])[:, :, ::-1, :]
    return graph.with_constants(
        {
            kernel_name: scaled.astype(np.float32),
            bias_name: (bias + shift.reshape(bias.shape)).astype(np.float32),
        }
    )


class Replay:
    """NanoDet's operations, channels-last. A pad waits in `pads` until the convolution or pool that consumes it."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        self._activation = activation
        self._pads: dict[int, Tensor] = {}  # id of the marker tensor -> the tensor before padding

    def operations(self) -> dict[str, Operation]:
        """Return one function for each operation the network's trunk uses."""
        return {
            "Transpose": self._transpose,
            "Pad": self._pad,
            "PadV2": self._pad,
            "Conv2D": self._convolution,
            "MaxPool": lambda _node, x: tf.nn.max_pool2d(x[0], 3, 2, "VALID"),
            "Add": self._add,
            "LeakyRelu": lambda _node, x: self._activation(x[0]),
            "ConcatV2": lambda _node, x: tf.concat(x[:-1], axis=3),
            "ResizeBilinear": self._resize,
        }

    @staticmethod
    def _transpose(node: Node, x: Sequence[Tensor]) -> Tensor:
        if x[1].tolist() not in (_NCHW_TO_NHWC, _NHWC_TO_NCHW):
            raise UnknownGraphError(f"{node.name}: transpose {x[1].tolist()} is no layout change")
        return x[0]

    def _pad(self, node: Node, x: Sequence[Tensor]) -> Tensor:
        """Pad one pixel all round with zero.

        The pool's own padding is minus infinity, which int8 cannot hold and the Edge TPU's PAD cannot write; zero
        differs only in a border cell whose whole window is negative.
        """
        if x[1].tolist() != [[0, 0], [0, 0], [1, 1], [1, 1]]:
            raise UnknownGraphError(f"{node.name}: padding {x[1].tolist()} is not one pixel all round")
        padded = tf.pad(x[0], [[0, 0], [1, 1], [1, 1], [0, 0]])
        self._pads[id(padded)] = x[0]
        return padded

    def _convolution(self, node: Node, x: Sequence[Tensor]) -> Tensor:
        """Convolve; one pixel of padding before a stride of one is the SAME padding and costs no PAD."""
        stride = node.integers("strides")[1]
        unpadded = self._pads.get(id(x[0]))
        if stride == 1 and unpadded is not None:
            return tf.nn.conv2d(unpadded, x[1], 1, "SAME")
        return tf.nn.conv2d(x[0], x[1], stride, "VALID")

    @staticmethod
    def _add(_node: Node, x: Sequence[Tensor]) -> Tensor:
        return tf.nn.bias_add(x[0], x[1].reshape(-1)) if isinstance(x[1], np.ndarray) else x[0] + x[1]

    @staticmethod
    def _resize(node: Node, x: Sequence[Tensor]) -> Tensor:
        """Resize by two; halving with half-pixel centres is exactly the mean of 2 x 2, so it becomes a pool."""
        rows = int(x[1][0]) * HEIGHT // _TRAINED_SIDE
        columns = int(x[1][1]) * WIDTH // _TRAINED_SIDE
        if (2 * rows, 2 * columns) == tuple(x[0].shape[1:3]):
            return tf.nn.avg_pool2d(x[0], 2, 2, "VALID")
        if (rows, columns) != tuple(2 * side for side in x[0].shape[1:3]):
            raise UnknownGraphError(f"{node.name}: resize to {rows} x {columns} is not by two")
        return tf.raw_ops.ResizeBilinear(
            images=x[0], size=[rows, columns], align_corners=False, half_pixel_centers=True
        )


def people_network(
    graph: Graph, activation: Callable[[Tensor], Tensor]
) -> Callable[[Tensor], dict[str, Tensor]]:
    """Return the function image -> person logit and 44 distance logits of strides 8, 16 and 32."""
    folded = fold_pixel_statistics(graph)

    def network(image: Tensor) -> dict[str, Tensor]:
        features = folded.replay(
            given={"input_1": image},
            wanted=[_SCOPE + head[0] for head in _HEADS],
            operations=Replay(activation).operations(),
        )
        outputs: dict[str, Tensor] = {}
        for number, (feature, (_, kernel_at, bias_at)) in enumerate(zip(features, _HEADS, strict=True)):
            kernel = folded.constant_above(_SCOPE + kernel_at, 1)
            bias = folded.constant_above(_SCOPE + bias_at, 1).reshape(-1)
            person = slice(_PERSON, _PERSON + 1)
            distances = slice(_CLASSES, _CLASSES + _BINS)
            # Output names sort in the order the unit reads them.
            outputs[f"out{2 * number}_person"] = _head(feature, kernel, bias, person)
            outputs[f"out{2 * number + 1}_distances"] = _head(feature, kernel, bias, distances)
        return outputs

    return network


def _head(feature: Tensor, kernel: npt.NDArray[Any], bias: npt.NDArray[Any], channels: slice) -> Tensor:
    return tf.nn.bias_add(tf.nn.conv2d(feature, kernel[..., channels], 1, "VALID"), bias[channels])


def examples(folder: Path) -> Iterator[Picture]:
    """Yield the calibration pictures as the unit would show them to the network."""
    for picture in calibration_pictures(folder):
        shown = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        letterbox(picture, shown)
        yield shown


def main() -> None:
    """Export one file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--weights", type=Path, required=True, help="folder with nanodet.json and nanodet.bin"
    )
    arguments.add_argument("--calibration", type=Path, required=True, help="folder of pictures and videos")
    arguments.add_argument("--count", type=int, default=120, help="most calibration pictures used")
    arguments.add_argument("--activation", choices=sorted(ACTIVATIONS), default="leaky")
    arguments.add_argument(
        "--float", action="store_true", help="no quantisation: the reference to compare with"
    )
    arguments.add_argument("--output", type=Path, required=True)
    chosen = arguments.parse_args()
    network = people_network(read_graph(chosen.weights / "nanodet.json"), ACTIVATIONS[chosen.activation])
    pictures = None if chosen.float else spread(examples(chosen.calibration), chosen.count)
    write_model(chosen.output, convert(network, height=HEIGHT, width=WIDTH, examples=pictures))


if __name__ == "__main__":
    main()
