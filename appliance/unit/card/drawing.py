"""Draws the card as an SVG page in millimetres, to be printed at its true size.

Invariants:
    * The page says what it is, how to print it, and that inks differ.
    * The card's version stands on it; nothing else tells one print from another: no number, no date, no booth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.unit.card.patches import (
    CELL,
    CELLS,
    COLUMNS,
    INSET,
    MARKER,
    MARKERS,
    PATCHES,
    REFERENCE,
    REFERENCE_CELLS,
    RGB,
    ROWS,
)

PAPERS: Final = {"a4": (297.0, 210.0), "letter": (279.4, 215.9)}
"""Width and height in millimetres; the card lies across the page."""
_WORDS: Final = (
    "Leftfield colour card 1. Print at 100 % without enhancement, on matt paper: black squares are then 51 mm wide.",
    "Hold it flat in the light that people walk in. The unit reads 24 colours off it; no picture is kept or sent.",
    "Printers' inks differ: colours measured on this very print can be given as a file (card read --patches).",
)


def page(paper: str) -> str:
    """The card in the middle of a page of ``PAPERS``, as SVG 1.1."""
    width, height = PAPERS[paper]
    left, top = (width - COLUMNS * CELL) / 2, (height - ROWS * CELL) / 2 - 5
    parts = [*_markers(), *_patches()]
    words = "".join(_names()) + "".join(
        f'<text x="{COLUMNS * CELL / 2:g}" y="{ROWS * CELL + 6 + 4 * line:g}">{text}</text>'
        for line, text in enumerate(_WORDS)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}" shape-rendering="crispEdges">\n'
        f"<title>Leftfield colour card 1</title>\n"
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>\n'
        f'<g transform="translate({left:g} {top:g})">\n' + "\n".join(parts) + "\n"
        f'<g font-family="sans-serif" font-size="3.2" text-anchor="middle" fill="#000000">{words}</g>\n'
        "</g>\n</svg>\n"
    )


def _square(x: float, y: float, side: float, colour: RGB) -> str:
    red, green, blue = colour
    return (
        f'<rect x="{x:.3f}" y="{y:.3f}" width="{side:.3f}" height="{side:.3f}" '
        f'fill="#{red:02x}{green:02x}{blue:02x}"/>'
    )


def _markers() -> Iterator[str]:
    """Black squares of six modules, with their white modules upon them."""
    module = MARKER * CELL / 6
    for marker in MARKERS:
        left, top = (middle * CELL - 3 * module for middle in (marker.x, marker.y))
        yield _square(left, top, 6 * module, (0, 0, 0))
        for row, bits in enumerate(marker.bits, start=1):
            for column, bit in enumerate(bits, start=1):
                if bit == "1":
                    yield _square(left + column * module, top + row * module, module, (255, 255, 255))


def _patches() -> Iterator[str]:
    """The greys that tell how even the light is, and the patches; each stands alone on paper."""
    cells = [(cell, REFERENCE) for cell in REFERENCE_CELLS]
    cells += [(cell, PATCHES[name]) for name, cell in CELLS.items()]
    for (column, row), colour in cells:
        yield _square((column + INSET) * CELL, (row + INSET) * CELL, (1 - 2 * INSET) * CELL, colour)


def _names() -> Iterator[str]:
    """Each patch's name below it, for whoever measures the print; too small for a camera to mind."""
    for name, (column, row) in CELLS.items():
        x, y = (column + 0.5) * CELL, (row + 1 - INSET) * CELL + 2.6
        yield f'<text x="{x:g}" y="{y:.2f}" font-size="2.4">{name}</text>'
