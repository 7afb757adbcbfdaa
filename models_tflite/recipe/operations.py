"""What a model is made of: `python operations.py [MODEL.tflite …]` prints operations, multiply-adds and weights.

Formula: a convolution of a (height, width, depth) result costs height x width x depth x kernel height x kernel width
x input depth multiply-adds, a depthwise one the same without the input depth, a fully connected layer inputs x
outputs. What is resized, added or moved is not counted.

Law: counted from the file that ships, by the runtime that runs it; not from the recipe.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Operations by name with their counts, multiply-adds of one frame, and weights (biases are not weights)."""

    operations: dict[str, int]
    multiply_adds: int
    weights: int


def work_of(model: Path) -> Work:
    """The work of one model file; ValueError where the runtime cannot read it."""
    interpreter = Interpreter(str(model))
    shapes = {one["index"]: [int(side) for side in one["shape"]] for one in interpreter.get_tensor_details()}
    operations: Counter[str] = Counter()
    multiply_adds = weights = 0
    for one in interpreter._get_ops_details():  # noqa: SLF001 - the runtime has no public list of operations
        operations[one["op_name"]] += 1
        if one["op_name"] in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}:
            cost, kept = _cost(one, shapes)
            multiply_adds, weights = multiply_adds + cost, weights + kept
    return Work(operations=dict(operations.most_common()), multiply_adds=multiply_adds, weights=weights)


def _cost(one: dict[str, Any], shapes: dict[int, list[int]]) -> tuple[int, int]:
    """(multiply-adds, weights) of one operation: weights are its second input, laid out as TFLite does."""
    kernel, result = shapes[one["inputs"][1]], shapes[one["outputs"][0]]
    weights = 1
    for side in kernel:
        weights *= side
    if one["op_name"] == "FULLY_CONNECTED":
        return weights, weights
    _, height, width, _ = result
    return height * width * weights, weights


def main() -> None:
    """Print one paragraph for each model named, or for each that ships."""
    named = [Path(name) for name in sys.argv[1:]]
    for model in named or sorted(Path(__file__).parents[1].glob("*.tflite")):
        work = work_of(model)
        print(
            f"{model.name}: {work.multiply_adds / 1e6:,.1f} M multiply-adds, {work.weights / 1e6:.2f} M weights"
        )
        print("  " + ", ".join(f"{name} {count}" for name, count in work.operations.items()))


if __name__ == "__main__":
    main()
