"""Draws which room imports which, as an SVG: python tests/tools/draw_rooms.py --out docs/pictures/rooms-after.svg.

A room is a package two levels down (`appliance.unit.vision`), or a module beside rooms. Imports are read by
grimp, the library below import-linter. Importers stand above what they import; an arrow that goes up is red, and so
is every room on a circle.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import grimp

WIDTH, HEIGHT, GAP_X, GAP_Y = 132, 30, 16, 62


def room_of(module: str, packages: set[str]) -> str:
    """The room of a module: its package down to the third name; a module beside rooms is a room of its own."""
    parts = module.split(".")
    for size in (3, 2):
        name = ".".join(parts[:size])
        if len(parts) > size and name in packages:
            return name
    return ".".join(parts[:3])


def rooms(graph: grimp.ImportGraph) -> dict[str, set[str]]:
    """Each room with the rooms it imports."""
    packages = {module for module in graph.modules if graph.find_children(module)}
    found: dict[str, set[str]] = {
        room_of(module, packages): set() for module in graph.modules if "." in module
    }
    for importer in graph.modules:
        if "." not in importer:
            continue
        here = room_of(importer, packages)
        for imported in graph.find_modules_directly_imported_by(importer):
            there = room_of(imported, packages)
            if "." in imported and there != here and not here.startswith(f"{there}."):
                found[here].add(there)
    return found


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Sets of rooms that reach one another (strongly connected components of two and more; Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(room: str) -> None:
        index[room] = low[room] = len(index)
        stack.append(room)
        for other in arrows.get(room, ()):
            if other not in index:
                visit(other)
                low[room] = min(low[room], low[other])
            elif other in stack:
                low[room] = min(low[room], index[other])
        if low[room] == index[room]:
            part = set(stack[stack.index(room) :])
            del stack[stack.index(room) :]
            if len(part) > 1:
                found.append(part)

    for room in arrows:
        if room not in index:
            visit(room)
    return found


def layers(arrows: dict[str, set[str]]) -> dict[str, int]:
    """The layer of each room, 0 at the bottom: one above the highest that it imports; circles are cut."""
    depth: dict[str, int] = {}

    def visit(room: str, path: frozenset[str]) -> int:
        if room not in depth:
            below = [visit(other, path | {room}) for other in arrows.get(room, ()) if other not in path]
            depth[room] = 1 + max(below, default=-1)
        return depth[room]

    for room in sorted(arrows):
        visit(room, frozenset({room}))
    return depth


def draw(arrows: dict[str, set[str]]) -> str:
    """The SVG."""
    depth, on_circle = layers(arrows), {room for part in circles(arrows) for room in part}
    rows: dict[int, list[str]] = defaultdict(list)
    for room in sorted(arrows):
        rows[depth[room]].append(room)
    most = max(map(len, rows.values()))
    width, height = most * (WIDTH + GAP_X) + GAP_X, (max(rows) + 1) * (HEIGHT + GAP_Y)
    place = {}
    for level, names in rows.items():
        left = (width - len(names) * (WIDTH + GAP_X)) / 2 + GAP_X / 2
        top = height - (level + 1) * (HEIGHT + GAP_Y) + GAP_Y / 2
        for number, room in enumerate(names):
            place[room] = (left + number * (WIDTH + GAP_X), top)
    box = f'viewBox="0 0 {width:.0f} {height + 40:.0f}" font-family="sans-serif" font-size="12"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        '<rect width="100%" height="100%" fill="#fbfaf7"/>',
    ]
    for room, others in arrows.items():
        lines += [_arrow(place[room], place[other], up=depth[other] >= depth[room]) for other in others]
    for room, (x, y) in place.items():
        fill = "#f5c6c0" if room in on_circle else "#ffffff"
        size = f'width="{WIDTH}" height="{HEIGHT}" rx="6"'
        lines.append(f'<rect x="{x:.0f}" y="{y:.0f}" {size} fill="{fill}" stroke="#30343b"/>')
        middle = f'x="{x + WIDTH / 2:.0f}" y="{y + 19:.0f}" text-anchor="middle"'
        lines.append(f'<text {middle} fill="#15181d">{room.removeprefix("appliance.")}</text>')
    lines.append(f'<text x="{GAP_X}" y="{height + 26:.0f}" fill="#15181d">{summary(arrows)}</text></svg>')
    return "\n".join(lines) + "\n"


def _arrow(start: tuple[float, float], end: tuple[float, float], *, up: bool) -> str:
    x, y, u, v = start[0] + WIDTH / 2, start[1] + HEIGHT, end[0] + WIDTH / 2, end[1]
    curve = f"M{x:.0f} {y:.0f} C{x:.0f} {y + 26:.0f} {u:.0f} {v - 26:.0f} {u:.0f} {v:.0f}"
    colour = "#c0392b" if up else "#8a8f98"
    return f'<path d="{curve}" fill="none" stroke="{colour}" stroke-width="1" opacity="0.55"/>'


def summary(arrows: dict[str, set[str]]) -> str:
    """Rooms, arrows and circles in words."""
    loops = circles(arrows)
    return (
        f"{len(arrows)} rooms, {sum(map(len, arrows.values()))} arrows, {len(loops)} circles"
        f"{' of ' + ', '.join(str(len(part)) for part in loops) + ' rooms' if loops else ''}"
    )


def main() -> None:
    """Draw."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--out", type=Path, required=True)
    given = asked.parse_args()
    arrows = rooms(grimp.build_graph("appliance"))
    given.out.write_text(draw(arrows), encoding="utf-8")
    print(summary(arrows))


if __name__ == "__main__":
    main()
