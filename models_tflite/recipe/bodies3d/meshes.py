"""Meshes: read, fitted to a posed body, cut, unrolled. Metres, z up, a body looks along -y. Pure but for reading.

Source of the fit: MakeHuman's .mhclo, a garment vertex as a weighted mean of three body vertices and an offset; the
offset is carried in the frame of its triangle from the resting to the posed body.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Face = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mesh:
    """``vertices`` (n, 3), faces as their corners' numbers, and (corners, 2) metres of cloth, face after face."""

    vertices: Doubles
    faces: list[Face]
    cloth: Doubles


def groups(path: Path) -> dict[str, list[Face]]:
    """The faces of an .obj by the name of their group."""
    found: dict[str, list[Face]] = {}
    name = ""
    for line in path.read_text("utf-8").splitlines():
        part = line.split()
        if part[:1] == ["g"]:
            name = part[1]
        elif part[:1] == ["f"]:
            found.setdefault(name, []).append(tuple(int(one.split("/")[0]) - 1 for one in part[1:]))
    return found


@dataclass(frozen=True, slots=True)
class Fitted:
    """A garment that follows a body: each vertex hangs on three of the body's."""

    faces: list[Face]
    hangs_on: Whole
    weights: Doubles
    offsets: Doubles
    scales: tuple[tuple[int, int, float], ...]

    def on(self, rest: Doubles, posed: Doubles) -> Doubles:
        """The garment's vertices on a posed body whose resting shape is ``rest``."""
        long = [
            abs(rest[a, axis] - rest[b, axis]) * 10 / by
            for axis, (a, b, by) in zip((0, 2, 1), self.scales, strict=True)
        ]
        apart = self.offsets * np.array(long) * 0.1
        apart = np.stack(
            [apart[:, 0], -apart[:, 2], apart[:, 1]], axis=1
        )  # y up in decimetres to z up in metres
        base = np.einsum("nk,nkd->nd", self.weights, posed[self.hangs_on])
        turned = np.einsum("nij,nkj->nik", _frames(posed, self.hangs_on), _frames(rest, self.hangs_on))
        turned[self.hangs_on[:, 0] == self.hangs_on[:, 1]] = np.eye(3)
        return np.asarray(base + np.einsum("nij,nj->ni", turned, apart))

    def parts(self) -> list[list[Face]]:
        """The faces of each connected piece, largest first: an outfit's file holds several garments."""
        above = list(range(len(self.weights)))

        def root(one: int) -> int:
            while above[one] != one:
                above[one] = above[above[one]]
                one = above[one]
            return one

        for face in self.faces:
            for corner in face[1:]:
                above[root(face[0])] = root(corner)
        found: dict[int, list[Face]] = {}
        for face in self.faces:
            found.setdefault(root(face[0]), []).append(face)
        return sorted(found.values(), key=len, reverse=True)


def fitted(path: Path) -> Fitted:
    """Read a .mhclo and the .obj beside it."""
    rows: list[list[float]] = []
    scales: dict[str, tuple[int, int, float]] = {}
    reading = False
    for line in path.read_text("utf-8").splitlines():
        part = line.split()
        if not part or part[0].startswith("#"):
            continue
        if part[0] in {"verts", "delete_verts"}:
            reading = part[0] == "verts"
        elif reading and part[0].lstrip("-").isdigit():
            row = [float(one) for one in part]
            rows.append(row[:9] if len(row) >= 9 else [row[0]] * 3 + [1, 0, 0, 0, 0, 0])
        elif part[0] in {"x_scale", "y_scale", "z_scale"}:
            scales[part[0]] = (int(part[1]), int(part[2]), float(part[3]))
    table = np.array(rows)
    faces = [face for some in groups(path.with_suffix(".obj")).values() for face in some]
    return Fitted(
        faces, table[:, :3].astype(np.int64), table[:, 3:6], table[:, 6:9],
        (scales["x_scale"], scales["y_scale"], scales["z_scale"]),
    )  # fmt: skip


def _frames(vertices: Doubles, triangles: Whole) -> Doubles:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    along = _unit(b - a)
    up = _unit(np.cross(along, c - a))
    return np.stack([along, np.cross(up, along), up], axis=-1)


def _unit(rows: Doubles) -> Doubles:
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9))


def normals(vertices: Doubles, faces: list[Face]) -> Doubles:
    """Unit normals of vertices, outward where faces run counter-clockwise; zero where no face is."""
    corners = np.array([face[:3] for face in faces], np.int64)
    a, b, c = (vertices[corners[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(total, corners[:, k], across)
    for face, vector in zip(faces, across, strict=True):
        for corner in face[3:]:
            total[corner] += vector
    return _unit(total)


def kept(faces: list[Face], inside: Flags) -> list[Face]:
    """The faces all of whose corners are inside."""
    return [face for face in faces if all(inside[corner] for corner in face)]


def compact(vertices: Doubles, faces: list[Face], along: Doubles, round_: Doubles, girth: Doubles) -> Mesh:
    """Only the vertices in use, and the cloth unrolled: ``girth`` times the angle ``round_`` by length ``along``."""
    used = np.unique(np.concatenate([np.array(face) for face in faces])) if faces else np.zeros(0, np.int64)
    number = np.full(len(vertices), -1)
    number[used] = np.arange(len(used))
    cloth = []
    for face in faces:
        first = round_[face[0]]
        for corner in face:
            angle = first + (round_[corner] - first + np.pi) % (2 * np.pi) - np.pi
            cloth.append((girth[face[0]] * angle, along[corner]))
    moved = [tuple(int(number[corner]) for corner in face) for face in faces]
    return Mesh(vertices[used], moved, np.array(cloth).reshape(-1, 2))
