"""The card itself: where its markers and patches lie, which colours they have, and a file of measured ones.

Invariants:
    * One layout, version 1: eight by six cells of 30 mm, markers in the corners, eight cells of one grey to tell how
      even the light is, 24 patches: six greys and the colours that clothes have.
    * A colour is what the card asks a printer for; what a printer made of it only a measured file knows.
    * No pixel library: whoever prints a card needs none.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Unfit

COLUMNS: Final = 8
ROWS: Final = 6
CELL: Final = 30.0
"""Millimetres."""
INSET: Final = 0.07
"""Share of a cell left as paper on each side of a patch."""
SAMPLED: Final = (0.25, 0.75)
"""The part of a cell that is looked at, from edge to edge: print, blur and a wrong pixel stay outside."""
MARKER: Final = 1.7
"""Side of a marker in cells; it stands in the middle of two by two cells."""

RGB = tuple[int, int, int]
Lab = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """One of the four: number in the dictionary DICT_4X4_50, its black and white (1) modules, its middle in cells."""

    number: int
    bits: tuple[str, str, str, str]
    x: float
    y: float


MARKERS: Final = (
    Marker(number=7, bits=("1100", "0100", "1111", "0010"), x=1.0, y=1.0),
    Marker(number=18, bits=("0110", "1100", "0101", "1110"), x=7.0, y=1.0),
    Marker(number=29, bits=("0011", "0100", "0110", "1111"), x=7.0, y=5.0),
    Marker(number=40, bits=("0001", "0111", "0001", "1000"), x=1.0, y=5.0),
)

PATCHES: Final[dict[str, RGB]] = {
    "paper": (255, 255, 255), "pale grey": (206, 206, 206), "light grey": (166, 166, 166),
    "grey": (126, 126, 126), "dark grey": (88, 88, 88), "charcoal": (54, 54, 54),
    "red": (178, 46, 52), "wine": (108, 36, 52), "pink": (224, 152, 168), "orange": (216, 120, 50),
    "brown": (112, 76, 52), "beige": (208, 188, 154), "yellow": (228, 192, 60), "mustard": (178, 140, 48),
    "olive": (104, 108, 56), "green": (60, 128, 78), "bottle green": (34, 76, 60), "teal": (42, 128, 136),
    "sky": (130, 178, 210), "blue": (46, 92, 162), "navy": (38, 50, 90), "denim": (88, 110, 146),
    "purple": (104, 66, 130), "lilac": (180, 156, 202),
}  # fmt: skip
"""What each patch is asked to be, in sRGB. Chosen inside what common inks can do, over the colours of clothes."""
REFERENCE: Final[RGB] = (166, 166, 166)
"""The grey of the cells that tell how even the light is; only their likeness matters, not their value."""
REFERENCE_CELLS: Final = ((2, 0), (5, 0), (2, 5), (5, 5), (0, 3), (7, 2), (3, 2), (4, 3))
"""(column, row): the ends of the cross and its middle."""
GREYS: Final = ("paper", "pale grey", "light grey", "grey", "dark grey", "charcoal")


def _places() -> dict[str, tuple[int, int]]:
    """Patches fill the free cells row by row, every fifth name in turn: neighbours differ, greys are spread."""
    free = [
        (column, row)
        for row in range(ROWS)
        for column in range(COLUMNS)
        if not ((column < 2 or column > 5) and (row < 2 or row > 3)) and (column, row) not in REFERENCE_CELLS
    ]
    names = list(PATCHES)
    return {names[(5 * place) % len(names)]: cell for place, cell in enumerate(free)}


CELLS: Final = _places()
"""(column, row) of each patch."""

_XYZ_D50: Final = (0.96422, 1.0, 0.82521)
_SRGB_FROM_D50: Final = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)
"""CIE XYZ under D50 to linear sRGB, adapted to D65 by Bradford (ICC.1:2022 annex E; Lindbloom's table)."""
Linear = tuple[float, float, float]


def asked() -> dict[str, Linear]:
    """Each patch as the card asks for it, in linear sRGB (IEC 61966-2-1), 0 to 1."""
    return {name: (_linear(r), _linear(g), _linear(b)) for name, (r, g, b) in PATCHES.items()}


def _linear(byte: int) -> float:
    step = byte / 255
    return step / 12.92 if step <= 0.04045 else float(((step + 0.055) / 1.055) ** 2.4)


def linear_of_d50(lab: Lab) -> Linear:
    """A CIELAB colour under D50, as instruments measure print, in linear sRGB (D65); may lie a little outside [0, 1].

    Source: CIE 15:2018 clause 8.2.1, inverted.
    """
    middle = (lab[0] + 16) / 116
    x, y, z = (
        white * (root**3 if root > 6 / 29 else 3 * (6 / 29) ** 2 * (root - 4 / 29))
        for white, root in zip(_XYZ_D50, (middle + lab[1] / 500, middle, middle - lab[2] / 200), strict=True)
    )
    red, green, blue = (row[0] * x + row[1] * y + row[2] * z for row in _SRGB_FROM_D50)
    return red, green, blue


def measured(path: Path) -> dict[str, Linear]:
    """Each patch as an instrument found it, from a CSV of ``patch,L,a,b`` (CIELAB, D50), in linear sRGB.

    Unfit where the file cannot be read, or a patch is missing, twice there, unknown, or no colour of a print.
    """
    fix = f"write one line `patch,L,a,b` for each of: {', '.join(PATCHES)}"
    raw = atomic_files.read(path, fix="name an existing file with --patches")
    found: dict[str, Linear] = {}
    text = raw[:65_536].decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        raise Unfit("not a CSV file", where=str(path), fix=fix) from None
    if not rows or [word.strip() for word in rows[0]] != ["patch", "L", "a", "b"]:
        raise Unfit("the first line is not patch,L,a,b", where=str(path), fix=fix)
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        name = row[0].strip()
        if name not in PATCHES or name in found:
            what = "is there twice" if name in found else "is no patch of this card"
            raise Unfit(f"line {number}: {name[:30]!r} {what}", where=str(path), fix=fix)
        found[name] = linear_of_d50(_lab(row[1:], f"{path}, line {number}", fix))
    missing = [name for name in PATCHES if name not in found]
    if missing:
        raise Unfit(f"{', '.join(missing)}: not measured", where=str(path), fix=fix)
    return found


def _lab(words: list[str], where: str, fix: str) -> Lab:
    try:
        lightness, a, b = (float(word) for word in words)
    except ValueError:
        raise Unfit("three numbers must follow the patch", where=where, fix=fix) from None
    if not (0 <= lightness <= 100 and abs(a) <= 128 and abs(b) <= 128):
        raise Unfit("L must lie between 0 and 100, a and b between -128 and 128", where=where, fix=fix)
    return lightness, a, b
