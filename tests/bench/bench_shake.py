"""A camera that shakes: passers-by told on the street video when every frame is moved, and what that costs.

python tests/bench/bench_shake.py --video STREET [--frames 400]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from appliance.settings.config import CameraConfig
from appliance.unit.vision import pipeline
from appliance.unit.vision.camera.frame_source import open_source
from appliance.unit.vision.models.runtime import Wish, choose_accelerator
from appliance.unit.vision.steady import Steady
from appliance.unit.vision.types import Frame

AMPLITUDE = 20.0


def still(_number: int, _random: np.random.Generator) -> tuple[float, float]:
    return 0.0, 0.0


def jitter(_number: int, random: np.random.Generator) -> tuple[float, float]:
    """Somewhere else in each frame."""
    right, down = random.uniform(-AMPLITUDE, AMPLITUDE, 2)
    return float(right), float(down)


def sway(number: int, _random: np.random.Generator) -> tuple[float, float]:
    """A mast in the wind: about once a second."""
    return AMPLITUDE * math.sin(number * 0.7), AMPLITUDE / 2 * math.sin(number * 0.43)


def frames(
    video: str, shake: Callable[[int, np.random.Generator], tuple[float, float]], most: int
) -> Iterator[Frame]:
    random = np.random.default_rng(1)
    source = open_source(CameraConfig(source=video, hurry=True, frame_rate=60), wait=lambda _: None)
    for number, frame in enumerate(source.frames()):
        if number >= most:
            return
        right, down = shake(number, random)
        height, width = frame.pixels.shape[:2]
        move = np.array([[1, 0, right], [0, 1, down]], np.float32)
        pixels = cv2.warpAffine(frame.pixels, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        yield Frame(pixels=np.asarray(pixels, np.uint8), at=frame.at)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--video", required=True)
    asked.add_argument("--frames", type=int, default=100_000)
    given = asked.parse_args()
    for shake in (still, jitter, sway):
        for held in (True, False):
            eyes = pipeline.pipeline_on(choose_accelerator(wish=Wish.CPU, threads=1))
            if not held:
                eyes._hold_still = lambda _frame, _people: None  # type: ignore[method-assign]
            told = sum(len(eyes.see(frame)) for frame in frames(given.video, shake, given.frames))
            told += len(eyes.finish())
            print(
                f"{shake.__name__:7} {'held' if held else 'as it is':9} {told:4} told, {eyes.counts.still} still, "
                f"{eyes.counts.unread} unread, shaken {eyes.shaken}"
            )
    cv2.setNumThreads(1)
    steady, spent = Steady(), 0.0
    for frame in frames(given.video, jitter, 200):
        begun = time.thread_time()
        steady.look(frame.pixels)
        spent += time.thread_time() - begun
    print(f"cost {spent / 200 * 1000:.2f} ms a frame")


if __name__ == "__main__":
    main()
