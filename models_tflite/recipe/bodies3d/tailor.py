"""Cuts pieces of cloth for one figure: out of the base mesh's helpers, and from MakeHuman's garments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from fabrics.fields import SIDE, Floats

from bodies3d.meshes import Doubles, Face, Fitted, Flags, Mesh, compact, fitted, normals
from bodies3d.people import Bodies, Figure

Random = np.random.Generator
HEAD: Final = 7
"""The place of heads and hair, beside those of people_renderer/outfits.py."""
CLOTH: Final = SIDE * 1.7 / 512
"""Metres of cloth on one fabric picture (fabrics/fields.py: a person is 512 texels high)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One mesh of one material: its place in the maps, and a picture of its cloth or of one colour."""

    mesh: Mesh
    place: int
    surface: Floats
    shine: float = 0.0
    creased: float = 0.0


class Wardrobe:
    """MakeHuman's garments by what they are."""

    def __init__(self, folder: Path) -> None:
        def read(name: str) -> Fitted:
            return fitted(next(folder.glob(f"*/{name}/{name}.mhclo")))

        self.shirts = [
            (one := read(name), one.parts()[0]) for name in ("female_casualsuit01", "male_casualsuit04")
        ]
        self.shirts.append((one := read("female_casualsuit02"), one.parts()[1]))
        self.trousers = [
            (one := read(name), one.parts()[1]) for name in ("female_casualsuit01", "male_casualsuit02")
        ]
        self.shoes = [fitted(path) for path in sorted(folder.glob("clothes/shoes*/*.mhclo"))]
        self.hair = [fitted(path) for path in sorted(folder.glob("hair/*/*.mhclo"))]


class Tailor:
    """Cuts the pieces of one outfit for one figure."""

    def __init__(self, rng: Random, bodies: Bodies, wardrobe: Wardrobe, figure: Figure) -> None:
        self._rng, self._bodies, self._wardrobe, self.figure = rng, bodies, wardrobe, figure
        self.places = bodies.places
        self._out = normals(figure.posed, bodies.tights)
        self._waves = _waves(rng, figure.rest)
        self._axis = _leg_axes(figure, self.places.leg, self.places.hem)

    def piece(
        self, faces: list[Face], at: Doubles, place: int, surface: Floats, creased: float = 0.25
    ) -> Piece | None:
        """A piece of the base mesh's faces with its vertices moved to ``at``; None without faces."""
        places = self.places
        if not faces:
            return None
        mesh = compact(at, faces, places.along, places.round_, places.girth)
        return Piece(mesh=mesh, place=place, surface=surface, creased=creased)

    def off(self, metres: float, folds: float) -> Doubles:
        """The base mesh's vertices moved outwards by this, and in folds of that height."""
        return np.asarray(self.figure.posed + self._out * (metres + folds * self._waves)[:, None])

    def above(self, hem: float, sleeve: float, neck: float) -> Flags:
        """Vertices of a garment that ends at ``hem`` and covers the arms down to ``sleeve``."""
        places = self.places
        trunk = (places.sleeve < 0) & (places.leg == 0) & (places.hem > neck) & ~places.hand & ~places.head
        legs = (places.leg > 0) & (places.hem < hem)
        arms = (places.sleeve >= 0) & (places.sleeve < sleeve)
        return np.asarray((trunk & (places.hem < hem)) | legs | arms)

    def skirt(
        self, top: float, hem: float, *, flare: float, pleats: int, off: float
    ) -> tuple[Flags, Doubles]:
        """Vertices of the helper's skirt between two heights, and where a wider or pleated one has them."""
        places, posed = self.places, self.figure.posed
        inside = np.zeros(len(posed), np.bool_)
        used = np.unique(np.array([corner for face in self._bodies.skirt for corner in face]))
        inside[used] = (places.hem[used] >= top - 0.12) & (places.hem[used] <= hem + 0.06)
        at = posed.copy()
        down = np.clip((places.hem - 0.85) / 1.6, 0, 1)
        rows = np.round(places.hem, 1)
        for row in np.unique(rows[used]):
            ring = used[rows[used] == row]
            middle = posed[ring].mean(axis=0)
            apart = posed[ring] - middle
            folds = 1 + 0.09 * down[ring] ** 0.5 * np.cos(
                pleats * places.front[ring] + self._rng.uniform(0, 0.2)
            )
            wide = (1 + flare * down[ring]) * (folds if pleats else 1) + off / 0.15
            at[ring] = middle + apart * np.stack([wide, wide, np.ones_like(wide)], axis=1)
        return inside, at

    def trousers(self, hem: float, width: float, waist: float, off: float) -> tuple[Flags, Doubles]:
        """Vertices of trousers or shorts down to ``hem``, wider by ``width`` the farther down."""
        places = self.places
        inside = (places.leg > 0) & (places.hem < hem) | (
            (places.leg == 0) & (places.sleeve < 0) & (places.hem > waist) & (places.hem < 1.4) & ~places.hand
        )
        at = self.off(off, 0.004 + 0.006 * max(0.0, width))
        down = np.clip((places.hem - 1.0) / 1.43, 0, 1)[:, None]
        apart = at - self._axis
        apart[:, 2] = 0
        more = np.where((places.leg > 0)[:, None], max(-0.1, width) * down * 0.65, 0)
        return np.asarray(inside), np.asarray(at + apart * more)

    def fitted(
        self, one: Fitted, faces: list[Face], place: int, surface: Floats, creased: float = 0.3
    ) -> Piece:
        """One of MakeHuman's garments, unrolled about the upright axis."""
        figure = self.figure
        at, still = one.on(figure.rest, figure.posed), one.on(figure.rest, figure.rest)
        round_ = np.arctan2(still[:, 0], -still[:, 1])
        mesh = compact(at, faces, still[:, 2], round_, np.full(len(at), 0.15))
        return Piece(mesh=mesh, place=place, surface=surface, creased=creased)


def _waves(rng: Random, rest: Doubles) -> Doubles:
    """Folds: a few waves through the resting body, -1..1."""
    total = np.zeros(len(rest))
    for _ in range(5):
        direction = rng.normal(0, 1, 3) * np.array([1, 1, 0.8])
        direction *= 2 * np.pi / (rng.uniform(0.05, 0.16) * np.linalg.norm(direction))
        total += np.sin(rest @ direction + rng.uniform(0, 6.3))
    return total / 3


def _leg_axes(figure: Figure, leg: Doubles, hem: Doubles) -> Doubles:
    """Of every vertex the point of its leg's axis at its height; itself where it is on no leg."""
    axis = figure.posed.copy()
    for number, side in ((1, "L"), (2, "R")):
        joints = [figure.joints[f"{name}.{side}"] for name in ("upperleg01", "lowerleg01", "foot")]
        here = leg == number
        axis[here] = np.stack(
            [np.interp(hem[here], (1.0, 1.75, 2.43), [joint[k] for joint in joints]) for k in range(3)],
            axis=1,
        )
    return axis
