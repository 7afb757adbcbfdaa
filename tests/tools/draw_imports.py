"""Draws which room imports which: ``python -m tests.tools.draw_imports [--root DIRECTORY] [--out FILE.svg]``.

A room is a folder or file directly in the package, in its ``unit`` or in its ``hub``. The imports are read by grimp,
the graph behind import-linter. Only arrows that no longer way explains are drawn (transitive reduction); all are
counted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

import grimp

PACKAGE: Final = "appliance"
_OPENED: Final = (PACKAGE, f"{PACKAGE}.unit", f"{PACKAGE}.hub")
"""What is drawn as its parts; any other folder is one room."""
_SEES: Final = ("unit.sense", "unit.vision", "unit.card", "unit.inputs", "unit.pipe", "unit.sandbox")
_COLOURS: Final = {"sees": "#f6d9c4", "unit": "#dbe8f7", "hub": "#dcefdc", "shared": "#eeeeee"}
_LEGEND: Final = {
    "sees": "rooms of SENSE: no network library",
    "unit": "the rest of the unit",
    "hub": "hub",
    "shared": "shared, pages, command line",
}
_ROW, _HEIGHT, _LETTER, _GAP, _WIDTH = 74, 26, 6.6, 10, 1180
_SWEEPS: Final = 12

Arrows = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """``arrows``: for each room those it imports. ``files`` is how many files lie in the fullest folder."""

    arrows: Arrows
    files: int

    @property
    def number(self) -> int:
        """How many arrows there are."""
        return sum(len(ends) for ends in self.arrows.values())

    @property
    def circles(self) -> int:
        """How many groups of rooms import one another in a circle."""
        reach = {room: _reached(self.arrows, room) for room in self.arrows}
        groups = {
            frozenset(other for other in reach[room] if room in reach[other])
            for room in self.arrows
            if room in reach[room]
        }
        return len(groups)


def _room(module: str) -> str | None:
    """The room that ``module`` is in; None for the opened packages' own ``__init__``."""
    container = max((name for name in _OPENED if module.startswith(f"{name}.")), key=len, default=None)
    if container is None or module in _OPENED:
        return None
    part = module.removeprefix(f"{container}.").split(".")[0]
    return f"{container}.{part}".removeprefix(f"{PACKAGE}.")


def rooms(root: Path) -> Rooms:
    """The rooms of the package in ``root``."""
    sys.path.insert(0, str(root))
    try:
        graph = grimp.build_graph(PACKAGE, cache_dir=None)
    finally:
        sys.path.remove(str(root))
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        room = _room(module)
        if room is None:
            continue
        ends = found.setdefault(room, set())
        for imported in graph.find_modules_directly_imported_by(module):
            other = _room(imported)
            if other and other != room:
                ends.add(other)
    folders = {path.parent for path in (root / PACKAGE).rglob("*.py")}
    files = max(sum(path.name != "__init__.py" for path in folder.glob("*.py")) for folder in folders)
    return Rooms(arrows={room: frozenset(ends) for room, ends in found.items()}, files=files)


def _reached(arrows: Arrows, start: str) -> set[str]:
    """Every room that ``start`` reaches by one arrow or more."""
    seen: set[str] = set()
    waiting = list(arrows.get(start, ()))
    while waiting:
        room = waiting.pop()
        if room not in seen:
            seen.add(room)
            waiting += arrows.get(room, ())
    return seen


def reduced(arrows: Arrows) -> dict[str, list[str]]:
    """Only the arrows that no longer way explains.

    >>> reduced({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()})
    {'a': ['b'], 'b': ['c'], 'c': []}
    """
    return {
        room: sorted(
            end for end in ends if not any(end in _reached(arrows, other) for other in ends if other != end)
        )
        for room, ends in arrows.items()
    }


def _levels(arrows: Arrows) -> dict[str, int]:
    """How high each room stands: one above the highest it imports. A circle is cut where it is met."""
    heights: dict[str, int] = {}

    def height(room: str, above: frozenset[str]) -> int:
        if room not in heights:
            ends = [end for end in arrows[room] if end not in above]
            heights[room] = 1 + max((height(end, above | {room}) for end in ends), default=-1)
        return heights[room]

    for room in sorted(arrows):
        height(room, frozenset({room}))
    return heights


def _rows(heights: Mapping[str, int], drawn: Mapping[str, list[str]]) -> list[list[str]]:
    """The rooms of each level from the top, each near those it is tied to (barycentre method)."""
    order = [
        sorted(room for room in heights if heights[room] == level)
        for level in range(max(heights.values()), -1, -1)
    ]
    tied: dict[str, set[str]] = {room: set(ends) for room, ends in drawn.items()}
    for room, ends in drawn.items():
        for end in ends:
            tied[end].add(room)
    for _ in range(_SWEEPS):
        at = {room: (place + 0.5) / len(row) for row in order for place, room in enumerate(row)}
        for row in order:
            row.sort(key=lambda room: sum(at[other] for other in tied[room]) / max(1, len(tied[room])))
    return order


def _wrapped(rows: list[list[str]]) -> list[list[str]]:
    """Rows that are no wider than the picture."""
    lines: list[list[str]] = []
    for row in rows:
        line: list[str] = []
        for room in row:
            if line and sum(_width(one) + _GAP for one in [*line, room]) > _WIDTH - 2 * _GAP:
                lines.append(line)
                line = []
            line.append(room)
        lines.append(line)
    return lines


def _width(room: str) -> float:
    return len(room) * _LETTER + 14


def _kind(room: str) -> str:
    area = room.split(".", maxsplit=1)[0]
    return "sees" if room in _SEES else area if area in _COLOURS else "shared"


def drawing(found: Rooms, title: str) -> str:
    """The rooms as SVG."""
    drawn = reduced(found.arrows)
    rows = _wrapped(_rows(_levels(found.arrows), drawn))
    place: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        free = (_WIDTH - sum(_width(room) for room in row)) / (len(row) + 1)
        left = free
        for room in row:
            place[room] = (left + _width(room) / 2, 62 + number * _ROW)
            left += _width(room) + free
    height = 62 + len(rows) * _ROW + 24
    caption = f"{title}: {len(found.arrows)} rooms, {found.number} arrows, {found.circles} circles"
    view = f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="11"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
        f"<title>{escape(caption)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" font-weight="bold">{escape(caption)}</text>',
    ]
    for room, ends in sorted(drawn.items()):
        for end in ends:
            (x, y), (to, below) = place[room], place[end]
            lines.append(
                f'<path d="M{x:.0f} {y + _HEIGHT} C{x:.0f} {(y + _HEIGHT + below) / 2:.0f} {to:.0f} '
                f'{(y + _HEIGHT + below) / 2:.0f} {to:.0f} {below}" fill="none" stroke="#8a97a6" stroke-width="1"/>'
            )
    for room, (x, y) in sorted(place.items()):
        wide = _width(room)
        lines.append(
            f'<rect x="{x - wide / 2:.0f}" y="{y}" width="{wide:.0f}" height="{_HEIGHT}" rx="5" '
            f'fill="{_COLOURS[_kind(room)]}" stroke="#5c6b7a"/>'
            f'<text x="{x:.0f}" y="{y + 17}" text-anchor="middle">{escape(room)}</text>'
        )
    for number, (kind, words) in enumerate(_LEGEND.items()):
        left = 16 + number * 300
        lines.append(
            f'<rect x="{left}" y="{height - 28}" width="14" height="14" fill="{_COLOURS[kind]}" stroke="#5c6b7a"/>'
            f'<text x="{left + 20}" y="{height - 17}">{escape(words)}</text>'
        )
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    """Draw, and say the counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).parents[2], help="a checkout (default: this one)"
    )
    parser.add_argument(
        "--title", default="Rooms of Leftfield, top imports below", help="(default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, help="the picture; without it only the counts are said")
    chosen = parser.parse_args()
    found = rooms(chosen.root)
    if chosen.out:
        chosen.out.write_text(drawing(found, chosen.title), "utf-8")
    print(
        f"{len(found.arrows)} rooms, {found.number} arrows, {found.circles} circles; "
        f"fullest folder {found.files} files"
    )


if __name__ == "__main__":
    main()
