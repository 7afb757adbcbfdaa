"""Streets without anybody: weather, pavement, fronts with windows, cars, posts, bins; materials for all things."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

Random = np.random.Generator
Thing = Any  # one of Blender's


def light(rng: Random, stage: Thing) -> None:
    """Sun, clouds, dusk or lamps."""
    world = bpy.data.worlds.new("sky")
    stage.world, world.use_nodes = world, True
    sky = world.node_tree.nodes["Background"]
    weather = rng.random()
    strength = rng.uniform(0.7, 1.3) if weather < 0.85 else rng.uniform(0.15, 0.4)
    tint = (
        np.array([0.75, 0.85, 1.0])
        if weather < 0.5
        else np.array([1, 1, 1]) * rng.uniform(0.9, 1)
        if weather < 0.85
        else np.array([1, 0.8, 0.6])
    )
    sky.inputs["Color"].default_value = (*tint.tolist(), 1)
    sky.inputs["Strength"].default_value = strength
    if weather < 0.55 or weather > 0.9:
        sun = bpy.data.lights.new("sun", "SUN")
        sun.energy, sun.angle = (
            (rng.uniform(1.0, 3.5), 0.05) if weather < 0.55 else (rng.uniform(0.5, 1.5), 0.5)
        )
        thing = bpy.data.objects.new("sun", sun)
        thing.rotation_euler = (rng.uniform(0.3, 1.15), rng.uniform(-0.3, 0.3), rng.uniform(0, 6.3))
        bpy.context.collection.objects.link(thing)


def material(name: str, colour: npt.NDArray[Any], shine: float = 0.0) -> tuple[Thing, Thing, Thing]:
    """A material of one sRGB colour, its node tree and its surface."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    tree = made.node_tree
    surface = tree.nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = 0.9 - 0.6 * shine
    surface.inputs["Base Color"].default_value = (*(np.clip(colour, 0, 1) ** 2.2).tolist(), 1)
    return made, tree, surface


def rough(rng: Random, tree: Thing, surface: Thing, scale: float, strength: float) -> None:
    """Creases: noise in the surface's normals."""
    noise, bump, where = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("TexNoise", "Bump", "TexCoord"))
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = scale, 2
    noise.inputs["Distortion"].default_value = rng.uniform(0.3, 1.5)
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = strength, 0.04
    tree.links.new(where.outputs["Object"], noise.inputs["Vector"])
    tree.links.new(noise.outputs["Fac"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], surface.inputs["Normal"])


def street(rng: Random) -> None:
    """Pavement, road, fronts with windows, and things that stand about."""
    grey = rng.uniform(0.2, 0.65)
    _slab(rng, (0, 0, -0.05), (40, 14, 0.1), np.array([1, 1, 1]) * grey, 0.6)
    _slab(rng, (0, 9, -0.04), (40, 7, 0.1), np.array([1, 1, 1]) * rng.uniform(0.12, 0.4), 0.5)
    x = -16.0
    while x < 16:
        wide = rng.uniform(3, 8)
        colour = rng.uniform(0.15, 0.85) * np.clip(rng.normal(1, 0.15, 3), 0.5, 1.3)
        depth = 13 + rng.uniform(-1, 3) if rng.random() < 0.85 else 30
        _slab(rng, (x + wide / 2, depth, 4), (wide, 3, rng.uniform(5, 11)), colour, 0.3)
        for row in range(3):
            for step in np.arange(0.7, wide - 0.7, rng.uniform(1.2, 2.2)):
                _slab(
                    rng,
                    (x + step, depth - 1.5, 1.3 + 2.6 * row),
                    (0.9, 0.1, 1.6),
                    rng.uniform(0.02, 0.8) * np.ones(3),
                    0,
                    0.8,
                )
        x += wide
    for _ in range(int(rng.integers(1, 6))):
        kind, at = rng.random(), (rng.uniform(-8, 8), rng.uniform(3.2, 9))
        colour = rng.uniform(0.05, 0.9, 3) if rng.random() < 0.5 else rng.uniform(0.1, 0.6) * np.ones(3)
        if kind < 0.4:  # a car
            _slab(rng, (*at, 0.55), (4.2, 1.7, 0.7), colour, 0, 0.7)
            _slab(rng, (*at, 1.15), (2.3, 1.5, 0.6), np.ones(3) * 0.06, 0, 0.9)
        elif kind < 0.7:  # a post
            _slab(rng, (*at, 1.5), (0.12, 0.12, 3), colour, 0)
        else:  # a bin, a planter, a sign
            _slab(rng, (*at, 0.5), (rng.uniform(0.3, 1.5), 0.5, rng.uniform(0.6, 1.8)), colour, 0.3)


def _slab(
    rng: Random,
    at: tuple[float, float, float],
    size: tuple[float, float, float],
    colour: npt.NDArray[Any],
    rough: float,
    shine: float = 0.0,
) -> None:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * np.array(size) / 2
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (1, 5, 7, 3), (0, 2, 6, 4)]
    mesh = bpy.data.meshes.new("slab")
    mesh.from_pydata(corners.tolist(), [], faces)
    made, tree, surface = material("slab", colour, shine)
    if rough:
        noise, mixed = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeValToRGB")
        noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = rng.uniform(2, 25), 2
        for stop, share in ((0, 1 - rough), (1, 1 + rough)):
            mixed.color_ramp.elements[stop].color = (*(np.clip(colour * share, 0, 1) ** 2.2).tolist(), 1)
        where = tree.nodes.new("ShaderNodeTexCoord")
        tree.links.new(where.outputs["Object"], noise.inputs["Vector"])
        tree.links.new(noise.outputs["Fac"], mixed.inputs["Fac"])
        tree.links.new(mixed.outputs["Color"], surface.inputs["Base Color"])
    mesh.materials.append(made)
    thing = bpy.data.objects.new("slab", mesh)
    thing.location = at
    bpy.context.collection.objects.link(thing)
