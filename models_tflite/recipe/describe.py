"""Writes the measured half of MODELS.toml (hash, bytes, tensors) from the model files; the prose half is kept.

Law: the file is a pure function of the model files and its own prose fields, so a rebuild that changes nothing leaves
it byte for byte the same.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_HEAD = """\
# The models a camera unit may run. A file whose sha256 is not here is refused (unit/vision/models/catalogue.py).
# Hash, bytes and tensors are written by recipe/describe.py; labels, licence, source, recipe and accuracy by hand.
# `outputs` stand in the order the unit reads them; real value = scale x (stored - zero).
# A build for the Edge TPU may be added by provisioning as [models.NAME.edge_tpu] with `file` and `sha256`.
"""
_PROSE = ("licence", "source", "recipe", "accuracy")


def catalogue_text(directory: Path) -> str:
    """Return the whole of MODELS.toml for the files its present text names."""
    document = tomllib.loads((directory / "MODELS.toml").read_text("utf-8"))
    return _HEAD + "".join(_model(directory, name, table) for name, table in document["models"].items())


def _model(directory: Path, name: str, table: Mapping[str, Any]) -> str:
    stored = (directory / table["file"]).read_bytes()
    interpreter = tf.lite.Interpreter(model_content=stored)
    lines = [
        "",
        f"[models.{name}]",
        f"file = {json.dumps(table['file'])}",
        f'sha256 = "{hashlib.sha256(stored).hexdigest()}"',
        f"bytes = {len(stored)}",
        f"labels = {json.dumps(table['labels'])}",
        *(f"{key} = {json.dumps(table[key], ensure_ascii=False)}" for key in _PROSE),
        f"input = {_tensor(interpreter.get_input_details()[0])}",
        "outputs = [",
        *(f"  {_tensor(output)}," for output in sorted(interpreter.get_output_details(), key=_order)),
        "]",
        "",
    ]
    if "edge_tpu" in table:
        built = table["edge_tpu"]
        lines += [
            f"[models.{name}.edge_tpu]",
            f'file = "{built["file"]}"',
            f'sha256 = "{built["sha256"]}"',
            "",
        ]
    return "\n".join(lines)


def _order(details: Mapping[str, Any]) -> int:
    """Outputs are called `...:0`, `...:1`, in the order the recipe named them; a single one `Identity`."""
    number = str(details["name"]).rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def _tensor(details: Mapping[str, Any]) -> str:
    scale, zero = details["quantization"]
    shape = [int(side) for side in details["shape"]]
    dtype = np.dtype(details["dtype"]).name
    return (
        f'{{ name = "{details["name"]}", shape = {shape}, dtype = "{dtype}", '
        f"scale = {float(np.float32(scale))!r}, zero = {int(zero)} }}"
    )


def main() -> None:
    """Rewrite MODELS.toml in the directory given."""
    directory = Path(sys.argv[1])
    text = catalogue_text(directory)
    (directory / "MODELS.toml").write_text(text, "utf-8")
    print(f"{directory / 'MODELS.toml'} written")


if __name__ == "__main__":
    main()
