"""Turns a TensorFlow function into a fully int8 TFLite file (uint8 in, uint8 out, static shapes).

Law: the input tensor must end up meaning "pixel 0..255", so that the camera unit can hand over raw pixels; the export
stops if calibration gave it any other meaning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tensorflow as tf

Picture = npt.NDArray[np.uint8]

PIXEL_SCALE = 1 / 127.5  # the networks are fed pixel / 127.5 - 1
_VIDEO_STEP = 12  # every 12th frame of a calibration video
_PICTURES = {".jpg", ".jpeg", ".png"}
_VIDEOS = {".avi", ".mp4"}


def calibration_pictures(folder: Path) -> Iterator[Picture]:
    """Yield every picture and every 12th video frame under `folder` as RGB, in the order of their names."""
    found = False
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _PICTURES:
            stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if stored is not None:
                found = True
                yield _rgb(stored)
        elif path.suffix.lower() in _VIDEOS:
            for frame in _every_nth_frame(path):
                found = True
                yield frame
    if not found:
        raise SystemExit(
            f"no pictures (.jpg, .png) or videos (.avi, .mp4) under {folder}: pass --calibration FOLDER"
        )


def spread(pictures: Iterator[Picture], count: int) -> list[Picture]:
    """Return at most `count` of the pictures, evenly spread from first to last, so that no part of a folder rules."""
    kept = list(pictures)
    chosen = np.unique(np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(int))
    return [kept[index] for index in chosen]


def _every_nth_frame(path: Path) -> Iterator[Picture]:
    video = cv2.VideoCapture(str(path))
    number = 0
    while True:
        readable, frame = video.read()
        if not readable:
            return
        if number % _VIDEO_STEP == 0:
            yield _rgb(frame)
        number += 1


def _rgb(bgr: npt.NDArray[Any]) -> Picture:
    return np.ascontiguousarray(bgr[:, :, ::-1])


def network_input(picture: Picture) -> npt.NDArray[np.float32]:
    """Return a picture as the float batch the replayed networks expect: 1xHxWx3 in -1..1."""
    batch: npt.NDArray[np.float32] = (picture.astype(np.float32) * PIXEL_SCALE - 1)[np.newaxis]
    return batch


def convert(
    network: Callable[[Tensor], dict[str, Tensor]],
    *,
    height: int,
    width: int,
    examples: Iterable[Picture] | None,
) -> bytes:
    """Return the TFLite file of `network` (1 x height x width x 3 in -1..1); int8 with `examples`, float without."""
    signature = [tf.TensorSpec([1, height, width, 3], tf.float32, "image")]
    traced = tf.function(network, autograph=False, input_signature=signature)
    owner = tf.Module()
    owner.traced = traced  # keeps the function's constants alive during the conversion
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()], owner)
    if examples is not None:
        batches = [network_input(picture) for picture in examples]
        # One black and one white picture pin the input's range to exactly 0..255.
        batches += [np.full((1, height, width, 3), level, np.float32) for level in (-1.0, 1.0)]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([batch] for batch in batches)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    model: bytes = converter.convert()
    if examples is not None:
        _require_pixel_input(model)
    return model


def _require_pixel_input(model: bytes) -> None:
    interpreter = tf.lite.Interpreter(model_content=model)
    details = interpreter.get_input_details()[0]
    scale, zero = details["quantization"]
    if abs(scale - PIXEL_SCALE) > 1e-6 or zero not in (127, 128) or details["dtype"] is not np.uint8:
        raise SystemExit(f"the input means scale {scale}, zero {zero}; wanted {PIXEL_SCALE}, 127 or 128")


def write_model(path: Path, model: bytes) -> None:
    """Write the file whole or not at all, and print the line MODELS.toml wants."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(model)
    partial.replace(path)
    print(f"{path}: {len(model)} bytes, sha256 {hashlib.sha256(model).hexdigest()}", flush=True)


Tensor = Any  # a tf.Tensor
