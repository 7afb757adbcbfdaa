"""Reads a TensorFlow.js graph model and replays a part of it as TensorFlow operations.

Invariants: nothing is executed that the caller did not ask for (only nodes above the wanted outputs); an operation or
attribute this file does not know stops the export instead of being guessed.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Tensor = Any  # a tf.Tensor, or a numpy array as long as the value is constant
Attribute = int | float | bool | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | None
Operation = Callable[["Node", Sequence[Tensor]], Tensor]


class UnknownGraphError(ValueError):
    """The graph holds something this reader was not written for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation of the graph: `sources` are node names (control inputs are left out)."""

    name: str
    operation: str
    sources: tuple[str, ...]
    attributes: Mapping[str, Attribute]

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a list attribute of integers; an absent one is empty."""
        value = self.attributes.get(name)
        return tuple(int(item) for item in value) if isinstance(value, tuple) else ()

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list attribute of strings; an absent one is empty."""
        value = self.attributes.get(name)
        return tuple(str(item) for item in value) if isinstance(value, tuple) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes and constant values (float32, int32 or bool arrays) by node name."""

    nodes: Mapping[str, Node]
    constants: Mapping[str, npt.NDArray[Any]]

    def constant_above(self, name: str, position: int) -> npt.NDArray[Any]:
        """Return the constant that is input number `position` of node `name`."""
        return self.constants[self.nodes[name].sources[position]]

    def with_constants(self, changed: Mapping[str, npt.NDArray[Any]]) -> Graph:
        """Return the same graph with some constants replaced."""
        return Graph(nodes=self.nodes, constants={**self.constants, **changed})

    def replay(
        self, *, given: Mapping[str, Tensor], wanted: Iterable[str], operations: Mapping[str, Operation]
    ) -> list[Tensor]:
        """Compute the nodes `wanted` from the nodes `given`, using one Python function per kind of operation."""
        values: dict[str, Tensor] = {**self.constants, **given}
        for name in wanted:
            pending = [name]
            while pending:
                node = self.nodes[pending[-1]]
                missing = [source for source in node.sources if source not in values]
                if node.name in values or not missing:
                    pending.pop()
                    if node.name not in values:
                        values[node.name] = self._apply(node, values, operations)
                else:
                    pending.extend(missing)
        return [values[name] for name in wanted]

    @staticmethod
    def _apply(node: Node, values: Mapping[str, Tensor], operations: Mapping[str, Operation]) -> Tensor:
        if node.operation not in operations:
            raise UnknownGraphError(f"no replay for operation {node.operation!r} (node {node.name!r})")
        return operations[node.operation](node, [values[source] for source in node.sources])


def read_graph(description: Path) -> Graph:
    """Read `<model>.json` and the weight files it names (float16 weights become float32)."""
    document = json.loads(description.read_text("utf-8"))
    nodes = [_node(untyped) for untyped in document["modelTopology"]["node"]]
    constants: dict[str, npt.NDArray[Any]] = {}
    for group in document["weightsManifest"]:
        stored = b"".join((description.parent / path).read_bytes() for path in group["paths"])
        constants.update(_weights(group["weights"], stored))
    return Graph(nodes={node.name: node for node in nodes}, constants=constants)


def _weights(entries: Iterable[Mapping[str, Any]], stored: bytes) -> dict[str, npt.NDArray[Any]]:
    weights: dict[str, npt.NDArray[Any]] = {}
    offset = 0
    for entry in entries:
        quantisation = entry.get("quantization", {})
        kind = np.dtype(quantisation.get("dtype", entry["dtype"]))
        if kind not in (np.float32, np.float16, np.int32, np.bool_):
            raise UnknownGraphError(
                f"weight {entry['name']!r} is stored as {kind}, which this reader does not know"
            )
        count = math.prod(entry["shape"])
        values = np.frombuffer(stored, kind, count, offset).astype(np.dtype(entry["dtype"]))
        weights[str(entry["name"])] = values.reshape(entry["shape"])
        offset += count * kind.itemsize
    if offset != len(stored):
        raise UnknownGraphError(f"the weight file holds {len(stored)} bytes, its description only {offset}")
    return weights


def _node(untyped: Mapping[str, Any]) -> Node:
    sources = tuple(name.partition(":")[0] for name in untyped.get("input", ()) if not name.startswith("^"))
    return Node(
        name=str(untyped["name"]),
        operation=str(untyped["op"]),
        sources=sources,
        attributes={key: _attribute(value) for key, value in untyped.get("attr", {}).items()},
    )


def _attribute(value: Mapping[str, Any]) -> Attribute:
    """Unwrap protobuf's JSON form of an attribute value; types and shapes are not needed here and become None."""
    match value:
        case {"list": {"i": numbers}}:
            return tuple(int(number) for number in numbers)
        case {"list": {"s": words}}:
            return tuple(base64.b64decode(word).decode() for word in words)
        case {"i": number}:
            return int(number)
        case {"f": number}:
            return float(number)
        case {"b": flag}:
            return bool(flag)
        case {"s": word}:
            return base64.b64decode(word).decode()
        case _:
            return None
