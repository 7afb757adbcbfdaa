"""What is behind people: licensed pictures without people, streets drawn out of focus, clutter."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from people_renderer.canvas import COLUMNS, ROWS, Floats

Random = np.random.Generator


class Streets:
    """Backgrounds: licensed pictures without people, and clutter."""

    def __init__(self, pictures: list[npt.NDArray[np.uint8]]) -> None:
        self._pictures = pictures

    def draw(self, rng: Random) -> Floats:
        """(256, 192, 3) float 0..255."""
        if rng.random() < 0.5:
            out = _street(rng)
        elif self._pictures and rng.random() < 0.6:
            picture = self._pictures[int(rng.integers(len(self._pictures)))]
            height, width = picture.shape[:2]
            side = rng.uniform(0.25, 1.0)
            h = max(16, int(min(height, width * ROWS / COLUMNS) * side))
            w = max(12, min(width, int(h * COLUMNS / ROWS)))
            top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
            part = picture[top : top + h, left : left + w].astype(np.float32)
            out = cv2.resize(part, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR) * rng.uniform(0.6, 1.25)
        else:
            out = _clutter(rng)
        if rng.random() < 0.4:
            out = np.asarray(cv2.blur(out, (int(rng.integers(2, 9)), int(rng.integers(2, 9)))))
        return np.clip(out, 0, 255).astype(np.float32)


def _street(rng: Random) -> Floats:
    """A pavement in perspective before a wall, a hedge or a road with cars, mostly out of focus."""
    floor = int(rng.uniform(0.1, 0.75) * ROWS)
    out = np.empty((ROWS, COLUMNS, 3), np.float32)
    out[:floor] = _grey(rng, rng.uniform(20, 230), 12)
    for _ in range(int(rng.integers(3, 16))):  # windows, doors, cars, people far off
        x, y = int(rng.integers(-30, COLUMNS)), int(rng.integers(-30, max(1, floor)))
        far = (x + int(rng.integers(4, 80)), y + int(rng.integers(6, 90)))
        tone = _grey(rng, rng.uniform(5, 250), 10 if rng.random() < 0.7 else 60)
        cv2.rectangle(out[:floor], (x, y), far, tone.tolist(), -1)
    if rng.random() < 0.35:  # foliage
        leaves = cv2.resize(
            rng.random((floor // 5 + 2, COLUMNS // 5)).astype(np.float32), (COLUMNS, floor + 1)
        )
        tint = np.array([0.75, 1.0, 0.45]) * rng.uniform(60, 220)
        part = leaves[:floor, :, np.newaxis] ** 2
        out[:floor] = out[:floor] * (1 - part) + tint * part
    soft = rng.uniform(0, 4.5)
    if soft > 0.4 and floor > 4:
        out[:floor] = cv2.GaussianBlur(out[:floor], (0, 0), soft)
    out[floor:] = _pavement(rng, ROWS - floor)
    return out * np.float32(rng.uniform(0.75, 1.2))


def _grey(rng: Random, light: float, spread: float) -> npt.NDArray[np.float64]:
    return np.clip(light + rng.normal(0, spread, 3), 3, 252)


def _pavement(rng: Random, height: int) -> Floats:
    """Asphalt, slabs or cobbles seen from above the knee: rows narrow with the distance."""
    tone = _grey(rng, rng.uniform(60, 215), 7).astype(np.float32)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, np.newaxis]
    across = np.linspace(-1, 1, COLUMNS, dtype=np.float32)[np.newaxis]
    depth = 1 / (down + np.float32(rng.uniform(0.3, 1.2)))
    size = np.float32(rng.choice([0.0, rng.uniform(1.5, 4), rng.uniform(6, 14)]))
    joints = np.zeros((height, COLUMNS), np.float32)
    if size:
        line = np.abs(np.mod(depth * size * 2, 1) - 0.5) > 0.42
        joint = np.abs(np.mod(across * depth * size + np.floor(depth * size * 2) * 0.5, 1) - 0.5) > 0.44
        joints[:] = cv2.blur((line | joint).astype(np.float32), (3, 3))
    grain = rng.standard_normal((height, COLUMNS)).astype(np.float32) * np.float32(rng.uniform(0, 9))
    shade = 1 - joints * np.float32(rng.uniform(0.1, 0.5)) + (down - 0.5) * np.float32(rng.normal(0, 0.2))
    out: Floats = tone * shade[..., np.newaxis] + grain[..., np.newaxis]
    if rng.random() < 0.25:  # a kerb or a crossing's stripe
        y = int(rng.integers(0, max(1, height - 8)))
        out[y : y + int(rng.integers(3, 26))] = _grey(rng, rng.uniform(90, 250), 5)
    return out


def _clutter(rng: Random) -> Floats:
    top, bottom = rng.uniform(30, 240), rng.uniform(50, 230)
    tint = rng.uniform(0.85, 1.15, (2, 3))
    out = np.empty((ROWS, COLUMNS, 3), np.float32)
    floor = int(rng.uniform(0.35, 0.95) * ROWS)
    out[:floor], out[floor:] = top * tint[0], bottom * tint[1]
    for _ in range(int(rng.integers(2, 26))):
        x, y = int(rng.integers(-20, COLUMNS)), int(rng.integers(-20, ROWS))
        w, h = int(rng.integers(3, 90)), int(rng.integers(3, 120))
        grey = np.full(3, rng.uniform(5, 250)) if rng.random() < 0.65 else rng.uniform(5, 250, 3)
        if rng.random() < 0.7:
            cv2.rectangle(out, (x, y), (x + w, y + h), grey.tolist(), -1)
        else:
            cv2.ellipse(out, (x, y), (w, h), float(rng.uniform(0, 180)), 0, 360, grey.tolist(), -1)
    grain = rng.standard_normal((ROWS // 4, COLUMNS // 4, 1)).astype(np.float32) * rng.uniform(0, 18)
    return out + cv2.resize(grain, (COLUMNS, ROWS))[..., np.newaxis]


def licensed_streets(folder: Path) -> list[npt.NDArray[np.uint8]]:
    """Debian's OpenCV pictures without people, and the street video's median (where nobody stands)."""
    names = ("building", "home", "leuvenA", "leuvenB", "graf1", "graf3", "stuff", "fruits", "aero1", "aero3", "aloeL",
             "board", "left01", "rubberwhale1", "box_in_scene", "chicky_512", "butterfly")  # fmt: skip
    paths = [path for name in names for path in sorted(folder.glob(f"{name}.*"))]
    found = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths]
    pictures = [
        np.ascontiguousarray(picture[..., ::-1], np.uint8) for picture in found if picture is not None
    ]
    video = cv2.VideoCapture(str(folder / "vtest.avi"))
    frames = []
    for number in range(795):
        readable, frame = video.read()
        if not readable:
            break
        if number % 20 == 0:
            frames.append(frame[..., ::-1])
    if frames:
        pictures += [np.median(np.stack(frames), axis=0).astype(np.uint8)] * 6
    return pictures
