"""Pictures planted before the camera, and the search for them: in memory, in files, in any of many forms.

A plant is a square of cells of eight pixels, each of one colour drawn by lot, laid into a real street video that is
stored without loss. Eight pixels are a block of JPEG and divide by 2, 4 and 8: so the same colours come in the same
order from any halving, and nearly from any JPEG.

Looked for are the pixels as they lie in memory (three or four channels in either order, planes of one channel,
luminance), halved up to three times, each also as hexadecimal digits and base64; and every JPEG and PNG file that can
be carved out and decoded and shows the plant.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np

CELL: Final = 8
CELLS: Final = 24
SIDE: Final = CELL * CELLS
PLACE: Final = (16, 24)
"""Column and row of the plant in the frame, in pixels: multiples of eight, away from the walkers."""
_SEED: Final = 20261129
_ROWS: Final = 3
"""Rows of cells that are looked for: one would do."""
_LEAST: Final = 24
"""Bytes of a needle: 24 drawn by lot do not come about by chance."""
_MOST_CARVED: Final = 2_000
_PICTURE_BYTES: Final = 400_000
_ALIKE: Final = 0.9
"""Correlation of a carved picture's cells with the plant's from which on it is the plant."""

Pixels = Any


def cells() -> Pixels:
    """The plant's colours, ``CELLS`` by ``CELLS`` by RGB; never 0, 10 or 13, which are ends of lines and texts."""
    return np.random.default_rng(_SEED).integers(24, 240, (CELLS, CELLS, 3), np.uint8)


def plant(scale: int = 1) -> Pixels:
    """The plant, each cell ``CELL / scale`` pixels wide."""
    return cells().repeat(CELL // scale, 0).repeat(CELL // scale, 1)


def film(street: Path, path: Path, frames: int = 60) -> Path:
    """The first ``frames`` of ``street`` with the plant in the corner, without loss, at ``path``."""
    column, row = PLACE
    with av.open(str(street)) as source, av.open(str(path), "w") as made:
        stream = made.add_stream("ffv1", rate=10)
        for number, picture in enumerate(source.decode(video=0)):
            if number == frames:
                break
            pixels = picture.to_ndarray(format="rgb24")
            pixels[row : row + SIDE, column : column + SIDE] = plant()
            if not number:
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "bgr0"
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="bgr0")
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return path


def _forms(scale: int) -> Iterator[tuple[str, Pixels]]:
    """The plant at ``scale``, as pixels lie in memory: name, and rows of bytes."""
    rgb = plant(scale)
    bgr = rgb[..., ::-1]
    opaque = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    yield "rgb", rgb
    yield "bgr", bgr
    for order, three in (("rgba", rgb), ("bgra", bgr)):
        yield order, np.concatenate([three, opaque], 2)
    for name, channel in zip("rgb", np.moveaxis(rgb, 2, 0), strict=True):
        yield f"plane {name}", channel
    yield "luminance", cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420) if rgb.shape[0] % 2 == 0 else None
    if yuv is not None:
        yield "yuv's luminance", yuv[: rgb.shape[0]]
    yield "floats", rgb.astype(np.float32) / np.float32(255)


def needles() -> dict[str, list[bytes]]:
    """What to look for, by the name of its form."""
    found: dict[str, list[bytes]] = {}
    for scale in (1, 2, 4, 8):
        for name, pixels in _forms(scale):
            step = CELL // scale
            size = "" if scale == 1 else f", 1/{scale}"
            for row in range(_ROWS):
                line = np.ascontiguousarray(pixels[(4 + 5 * row) * step]).tobytes()
                width = max(_LEAST, len(line) // 3)
                piece = line[len(line) // 3 :][:width]
                if not {0, 10, 13} & set(piece) or name in {"rgba", "bgra", "floats"}:
                    found.setdefault(name + size, []).append(piece)
                if name not in {"rgb", "bgr", "luminance"}:
                    continue
                found.setdefault(f"hexadecimal of {name}{size}", []).append(piece.hex().encode())
                found[f"hexadecimal of {name}{size}"].append(piece.hex().upper().encode())
                for shift in range(3):
                    digits = base64.b64encode(piece[shift:])[: (len(piece) - shift) // 3 * 4]
                    found.setdefault(f"base64 of {name}{size}", []).append(digits)
    return found


@dataclass(frozen=True)
class Search:
    """What is looked for; ``directory`` is for its own files, and is not looked at."""

    directory: Path

    def in_file(self, path: Path) -> set[str]:
        """The forms in which the plant lies in a file."""
        found = self._exact(path)
        return found | _carved(path)

    def in_memory(self, process: int) -> set[str]:
        """The same for all that a process can read of its own memory; nothing where it has ended."""
        copy = self.directory / f"memory-{process}"
        try:
            _copy_memory(process, copy)
            return self.in_file(copy)
        finally:
            copy.unlink(missing_ok=True)

    def _exact(self, path: Path) -> set[str]:
        wanted = needles()
        patterns = self.directory / "patterns"
        if not patterns.exists():
            whole = {one for many in wanted.values() for one in many if not {0, 10, 13} & set(one)}
            patterns.write_bytes(b"\n".join(sorted(whole)))
        found = subprocess.run(
            ["grep", "-aohF", "-f", patterns, path],
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
            capture_output=True,
            check=False,
        )
        assert found.returncode in {0, 1}, found.stderr
        seen = set(found.stdout.split(b"\n"))
        exact = {name for name, many in wanted.items() if seen & set(many)}
        rest = {name: many for name, many in wanted.items() if any({0, 10, 13} & set(one) for one in many)}
        held = path.read_bytes() if rest else b""
        return exact | {name for name, many in rest.items() if any(one in held for one in many)}


def _copy_memory(process: int, copy: Path) -> None:
    with copy.open("wb") as out, suppress(OSError, ProcessLookupError):
        maps = Path(f"/proc/{process}/maps").read_text().splitlines()
        memory = os.open(f"/proc/{process}/mem", os.O_RDONLY)
        try:
            for line in maps:
                span, rights, *_, place = [*line.split(None, 5), ""][:6]
                # Programs and libraries are files, and what is not there yet cannot be read.
                if rights[0] != "r" or (rights[1] != "w" and place) or place in {"[vvar]", "[vsyscall]"}:
                    continue
                start, end = (int(edge, 16) for edge in span.split("-"))
                with suppress(OSError):
                    for at in range(start, end, 1 << 24):
                        out.write(os.pread(memory, min(1 << 24, end - at), at))
        finally:
            os.close(memory)


def _carved(path: Path) -> set[str]:
    """JPEG and PNG files that lie in ``path`` and show the plant."""
    if not path.stat().st_size:
        return set()
    content = path.read_bytes()
    found = set()
    for name, mark in (("JPEG", b"\xff\xd8\xff"), ("PNG", b"\x89PNG\r\n")):
        at = content.find(mark)
        for _ in range(_MOST_CARVED):
            if at < 0 or name in found:
                break
            if _shows(content[at : at + _PICTURE_BYTES]):
                found.add(name)
            at = content.find(mark, at + 1)
    return found


def _shows(untrusted: bytes) -> bool:
    """Whether these bytes begin with a picture that shows the plant, whole or in the frame's corner."""
    picture = cv2.imdecode(np.frombuffer(untrusted, np.uint8), cv2.IMREAD_COLOR)
    if picture is None or min(picture.shape[:2]) < CELLS:
        return False
    column, row = PLACE
    wanted = cells()[..., ::-1].astype(np.float64)
    whole = [picture]
    for scale in (1, 2, 4):
        top, left, side = row // scale, column // scale, SIDE // scale
        if picture.shape[0] >= top + side and picture.shape[1] >= left + side:
            whole.append(picture[top : top + side, left : left + side])
    for one in whole:
        small = cv2.resize(one, (CELLS, CELLS), interpolation=cv2.INTER_AREA).astype(np.float64)
        if np.corrcoef(small.ravel(), wanted.ravel())[0, 1] > _ALIKE:
            return True
    return False


def leaked(form: str) -> bytes:
    """What a deliberate leak in ``form`` writes; forms are those of ``needles``, and ``JPEG q`` and ``PNG``."""
    if form == "PNG":
        return bytes(cv2.imencode(".png", plant()[..., ::-1])[1])
    if form.startswith("JPEG"):
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(form.split()[1])]
        return bytes(cv2.imencode(".jpg", plant()[..., ::-1], quality)[1])
    prefix, _, name = form.rpartition(" of ")
    name, _, size = name.partition(", 1/")
    pixels = np.ascontiguousarray(dict(_forms(int(size or 1)))[name]).tobytes()
    if prefix == "hexadecimal":
        return pixels.hex().encode()
    return base64.b64encode(pixels) if prefix == "base64" else pixels
