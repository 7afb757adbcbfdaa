"""What is worn at the ends and carried: shoes, boots, hair, rucksacks and bags with their straps."""

from __future__ import annotations

import numpy as np
from fabrics.fields import Floats, dye, flat
from people_renderer.outfits import BAG, FEET, Outfit

from bodies3d.meshes import Doubles, Face, Mesh, kept
from bodies3d.people import Bodies, Figure
from bodies3d.tailor import HEAD, Piece, Random, Tailor, Wardrobe


def ends(rng: Random, tailor: Tailor, bodies: Bodies, wardrobe: Wardrobe, worn: Outfit) -> list[Piece | None]:
    """Shoes, boots, hair."""
    shoe = flat(np.asarray(dye(rng) * (0.35 if rng.random() < 0.6 else 1), np.float32))
    model = wardrobe.shoes[rng.integers(len(wardrobe.shoes))]
    found: list[Piece | None] = [tailor.fitted(model, model.faces, FEET, shoe, 0)]
    if worn.boots:
        places = tailor.places
        shaft = (places.leg > 0) & (places.hem > 2.43 - worn.boots) & (places.hem < 2.5)
        found.append(
            tailor.piece(kept(bodies.tights, np.asarray(shaft)), tailor.off(0.008, 0.002), FEET, shoe, 0.1)
        )
    if rng.random() < 0.95:
        hair = wardrobe.hair[rng.integers(len(wardrobe.hair))]
        colour = (
            rng.uniform(0.03, 0.5) * np.array([1, 0.8, 0.6])
            if rng.random() < 0.85
            else rng.uniform(0.2, 0.8, 3)
        )
        found.append(tailor.fitted(hair, hair.faces, HEAD, flat(np.asarray(colour, np.float32)), 0.5))
    return found


def bag(rng: Random, figure: Figure, worn: Outfit) -> list[Piece | None]:
    """The bag the outfit asks for, if any."""
    joints, surface = figure.joints, flat(dye(rng))
    hips = (joints["upperleg01.L"] + joints["upperleg01.R"]) / 2
    shoulders = (joints["upperarm01.L"] + joints["upperarm01.R"]) / 2
    side = rng.choice(["L", "R"])
    if worn.bag == "back":
        middle = (0.35 * hips + 0.65 * shoulders) + np.array([0, 0.2, 0])
        return [
            _box(middle, (rng.uniform(0.26, 0.36), rng.uniform(0.12, 0.2), rng.uniform(0.36, 0.52)), surface)
        ]
    if worn.bag == "hand":
        low = joints[f"wrist.{side}"] + np.array([0, 0, -rng.uniform(0.22, 0.32)])
        return [
            _box(low, (rng.uniform(0.08, 0.14), rng.uniform(0.2, 0.38), rng.uniform(0.18, 0.36)), surface)
        ]
    if worn.bag in {"cross", "shoulder"}:
        way = np.array([0.2 if side == "L" else -0.2, 0, rng.uniform(-0.06, 0.12)])
        bag = _box(hips + way, (0.08, rng.uniform(0.2, 0.34), rng.uniform(0.16, 0.3)), surface)
        opposite = "R" if (side == "L") == (worn.bag == "cross") else "L"
        return [bag, *_strap(joints[f"upperarm01.{opposite}"], hips + way, surface)]
    return []


def _strap(shoulder: Doubles, bag: Doubles, surface: Floats) -> list[Piece]:
    """A strap before the body and one behind it."""
    top = shoulder + np.array([0, 0, 0.07])
    found = []
    for depth in (-0.15, 0.13):
        steps = [
            top + (bag - top) * share + np.array([0, depth * np.sin(np.pi * min(1, share + 0.25)), 0])
            for share in np.linspace(0, 1, 8)
        ]
        edge = np.array([[0, 0, 0.018], [0, 0, -0.018]])
        vertices = np.concatenate([step + edge for step in steps])
        faces: list[Face] = [(2 * k, 2 * k + 2, 2 * k + 3, 2 * k + 1) for k in range(7)]
        found.append(Piece(mesh=Mesh(vertices, faces, np.zeros((28, 2))), place=BAG, surface=surface))
    return found


def _box(middle: Doubles, size: tuple[float, float, float], surface: Floats) -> Piece:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * np.array(size) / 2
    corners[[1, 3, 5, 7], :2] *= 0.8
    faces: list[Face] = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (1, 5, 7, 3), (0, 2, 6, 4)]
    return Piece(mesh=Mesh(corners + middle, faces, np.zeros((24, 2))), place=BAG, surface=surface)
