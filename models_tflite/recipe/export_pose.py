"""Exports the pose network: MoveNet Lightning, 192 x 192, its four head maps, fully int8.

Law: the graph is cut before its argmax and gather tail, which the unit does in numpy; raw RGB pixels go in.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from quantise import Picture, calibration_pictures, convert, spread, write_model
from tfjs_graph import Graph, Node, Operation, Tensor, UnknownGraphError, read_graph

from appliance.unit.vision.models.catalogue import read_catalogue, read_model
from appliance.unit.vision.models.person_detector import People
from appliance.unit.vision.models.pose_estimator import crop_square, square_around
from appliance.unit.vision.models.runtime import Accelerator, Model, Place
from appliance.unit.vision.types import Frame

SIDE = 192
_SCOPE = "StatefulPartitionedCall/"
_PIXELS = _SCOPE + "sub_1"  # the picture after the graph's own x / 127.5 - 1
# The maps before the graph's argmax and gather tail; the names sort in the order the unit reads them.
_HEADS = {
    "out0_centre": _SCOPE + "center_0/conv2d_4/BiasAdd",
    "out1_regression": _SCOPE + "kpt_regress_0/conv2d_6/BiasAdd",
    "out2_heat": _SCOPE + "kpt_heatmap_0/conv2d_5/BiasAdd",
    "out3_offset": _SCOPE + "kpt_offset_0/conv2d_7/BiasAdd",
}
_SMALLEST_PERSON = 60  # pixels high: below, a crop teaches little
_FEWEST_CROPS = 20


def _activated(node: Node, features: Tensor, x: Sequence[Tensor]) -> Tensor:
    for fused in node.words("fused_ops"):
        match fused:
            case "BiasAdd":
                features = tf.nn.bias_add(features, x[2])
            case "Relu":
                features = tf.nn.relu(features)
            case "Relu6":
                features = tf.nn.relu6(features)
            case _:
                raise UnknownGraphError(f"{node.name}: fused {fused!r}")
    return features


def _padding(node: Node) -> str:
    padding = node.attributes.get("padding")
    if padding not in ("SAME", "VALID"):
        raise UnknownGraphError(f"{node.name}: padding {padding!r}")
    return str(padding)


def _convolution(node: Node, x: Sequence[Tensor]) -> Tensor:
    return _activated(node, tf.nn.conv2d(x[0], x[1], node.integers("strides"), _padding(node)), x)


def _depthwise(node: Node, x: Sequence[Tensor]) -> Tensor:
    return _activated(node, tf.nn.depthwise_conv2d(x[0], x[1], node.integers("strides"), _padding(node)), x)


def _resize(_node: Node, x: Sequence[Tensor]) -> Tensor:
    size = x[1].tolist()
    return tf.raw_ops.ResizeBilinear(images=x[0], size=size, align_corners=False, half_pixel_centers=True)


OPERATIONS: Mapping[str, Operation] = {
    "_FusedConv2D": _convolution,
    "FusedDepthwiseConv2dNative": _depthwise,
    "DepthwiseConv2dNative": _depthwise,
    "AddV2": lambda _node, x: x[0] + x[1],
    "ResizeBilinear": _resize,
}


def pose_network(graph: Graph) -> Callable[[Tensor], dict[str, Tensor]]:
    """Return the function image -> person centre, joint regression, joint heat (logits), sub-cell offset."""

    def network(image: Tensor) -> dict[str, Tensor]:
        maps = graph.replay(given={_PIXELS: image}, wanted=_HEADS.values(), operations=OPERATIONS)
        return dict(zip(_HEADS, maps, strict=True))

    return network


def person_crops(models: Path, folder: Path) -> Iterator[Picture]:
    """Yield crops of the people whom the people model (already exported) finds in the calibration folder."""
    card = read_catalogue(models).named("people")
    interpreter: Any = tf.lite.Interpreter(model_content=read_model(card))
    interpreter.allocate_tensors()
    model = Model(card, Accelerator(place=Place.CPU, why="recipe"), interpreter)
    people = People(model, score=0.5, zooms=(1.0,))  # fixed here: the unit's defaults may move
    for picture in calibration_pictures(folder):
        for person in people.find(Frame(pixels=picture, at=0.0)):
            if person.box.height >= _SMALLEST_PERSON:
                crop = np.empty((SIDE, SIDE, 3), np.uint8)
                crop_square(picture, square_around(person.box), crop)
                yield crop


def main() -> None:
    """Export one file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--weights", type=Path, required=True, help="folder with movenet-lightning.json and .bin"
    )
    arguments.add_argument(
        "--models", type=Path, required=True, help="folder with MODELS.toml and the people model"
    )
    arguments.add_argument("--calibration", type=Path, required=True, help="folder of pictures and videos")
    arguments.add_argument("--count", type=int, default=160, help="most calibration crops used")
    arguments.add_argument(
        "--float", action="store_true", help="no quantisation: the reference to compare with"
    )
    arguments.add_argument("--output", type=Path, required=True)
    chosen = arguments.parse_args()
    network = pose_network(read_graph(chosen.weights / "movenet-lightning.json"))
    crops = None if chosen.float else spread(person_crops(chosen.models, chosen.calibration), chosen.count)
    if crops is not None and len(crops) < _FEWEST_CROPS:
        raise SystemExit(
            f"only {len(crops)} people found under {chosen.calibration}: pass --calibration FOLDER"
        )
    write_model(chosen.output, convert(network, height=SIDE, width=SIDE, examples=crops))


if __name__ == "__main__":
    main()
