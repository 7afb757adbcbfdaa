"""Streets with dressed people, rendered by Blender's Cycles on the CPU: a picture, who is where, and every joint.

Invariants:
    * Streets are built here, out of boxes and noise: no photograph is in them, and no photograph of people anywhere.
    * One seed makes one scene. Every skin tone is dressed, posed and lit alike.
"""

from __future__ import annotations

import os

os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import bpy
import cv2
import numpy as np
import numpy.typing as npt
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from people_renderer.outfits import outfit

from bodies3d.clothes import Dressed, dressed
from bodies3d.meshes import Doubles
from bodies3d.people import Bodies, Figure
from bodies3d.streets import light, material, rough, street
from bodies3d.tailor import CLOTH, Piece, Wardrobe

Random = np.random.Generator
Thing = Any  # one of Blender's
WIDTH, HEIGHT = 832, 368
SAMPLES: Final = 5
TURNS: Final = 2
"""Pictures of one crowd, each time turned about."""
PLACES: Final = 10
"""Object numbers are 10 x (person + 1) + place."""
_JOINTS: Final = ("upperarm01", "lowerarm01", "wrist", "upperleg01", "lowerleg01", "foot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Somebody in a scene: how they are dressed, their joints in the picture (17, 2), and where the camera sees them.

    ``turned``: degrees between their chest and the camera, 0 facing it.
    """

    dressed: Dressed
    joints: Doubles
    turned: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """``pixels`` (h, w, 3) RGB, ``numbers`` (h, w) object numbers, and everybody in it."""

    pixels: npt.NDArray[np.uint8]
    numbers: npt.NDArray[np.uint16]
    people: list[Standing]


def scenes(rng: Random, bodies: Bodies, wardrobe: Wardrobe, count: int, scratch: Path) -> Iterator[Scene]:
    """Draw one street with ``count`` people, and render it ``TURNS`` times, the crowd turned about in between."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    stage = bpy.context.scene
    _settings(stage, scratch)
    light(rng, stage)
    street(rng)
    camera = _camera(rng, stage)
    crowd = bpy.data.objects.new("crowd", None)
    bpy.context.collection.objects.link(crowd)
    people: list[tuple[Dressed, Figure, Doubles, float]] = []
    for number, spot in enumerate(_spots(rng, count)):
        figure = bodies.draw(rng, walking=rng.random() < 0.65)
        worn = outfit(rng)
        if worn.lower == "skirt" and rng.random() < 0.25:
            worn = replace(
                worn, hem=float(rng.uniform(2.15, 2.45)), width=float(rng.uniform(0, 1.2)), boots=0.0
            )
        who = dressed(rng, bodies, wardrobe, figure, worn, tone=int(rng.integers(10)))
        yaw = float(rng.uniform(0, 360))
        ground = min(float(piece.mesh.vertices[:, 2].min()) for piece in who.pieces)
        at = np.array([spot[0], spot[1], -ground])
        for piece in who.pieces:
            _stand(rng, piece, PLACES * (number + 1) + piece.place, at, yaw, crowd)
        people.append((who, figure, at, yaw))
    for turn in np.arange(TURNS) * 360 / TURNS + rng.uniform(-50, 50, TURNS):
        crowd.rotation_euler = (0, 0, np.radians(turn))
        _camera(rng, stage, camera)
        bpy.ops.render.render(write_still=True)
        angle = np.radians(turn)
        about = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        standing = [
            Standing(
                dressed=who,
                joints=_seen(camera, figure, about @ at, yaw + turn),
                turned=_turned(camera, about @ at, yaw + turn),
            )
            for who, figure, at, yaw in people
        ]
        pixels, numbers = _stored(scratch)
        yield Scene(pixels=pixels, numbers=numbers, people=standing)


def _stored(scratch: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    pixels = cv2.imread(str(scratch / "street.png"), cv2.IMREAD_COLOR)
    numbers = cv2.imread(str(next(scratch.glob("number*.exr"))), cv2.IMREAD_UNCHANGED)
    if pixels is None or numbers is None:
        raise SystemExit(f"nothing was rendered in {scratch}: is there room on the disk?")
    flat = numbers if numbers.ndim == 2 else numbers[..., 0]
    return np.ascontiguousarray(pixels[..., ::-1], np.uint8), np.rint(flat).astype(np.uint16)


def _settings(stage: Thing, scratch: Path) -> None:
    stage.render.engine = "CYCLES"
    stage.cycles.device = "CPU"
    stage.cycles.samples = SAMPLES
    stage.cycles.use_denoising = True
    stage.cycles.max_bounces = 2
    stage.render.use_persistent_data = True
    stage.render.resolution_x, stage.render.resolution_y = WIDTH, HEIGHT
    stage.render.threads_mode, stage.render.threads = "FIXED", 1
    stage.view_settings.view_transform = "Standard"
    stage.render.image_settings.file_format = "PNG"
    stage.render.filepath = str(scratch / "street.png")
    bpy.context.view_layer.use_pass_object_index = True
    stage.use_nodes = True
    tree = stage.node_tree
    tree.nodes.clear()
    layers, out = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("CompositorNodeComposite")
    tree.links.new(layers.outputs["Image"], out.inputs["Image"])
    stored = tree.nodes.new("CompositorNodeOutputFile")
    stored.base_path, stored.format.file_format = str(scratch), "OPEN_EXR"
    stored.format.color_depth = "32"
    stored.file_slots[0].path = "number"
    tree.links.new(layers.outputs["IndexOB"], stored.inputs[0])


def _camera(rng: Random, stage: Thing, camera: Thing = None) -> Thing:
    """A new camera, or the same one elsewhere: a street camera's heights, everybody in the picture."""
    if camera is None:
        camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        bpy.context.collection.objects.link(camera)
    high, far = rng.uniform(1.3, 4.5), rng.uniform(9, 11)
    camera.location = (0, -far, high)
    camera.rotation_euler = (np.radians(90) - np.arctan2(high - 0.8, far), rng.normal(0, 0.01), 0)
    camera.data.lens = rng.uniform(33, 41)
    stage.camera = camera
    return camera


def _spots(rng: Random, count: int) -> list[tuple[float, float]]:
    """Where people stand, now and then close beside another."""
    found: list[tuple[float, float]] = []
    for _ in range(60 * count):
        if len(found) == count:
            break
        reach, way = 3.7 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        spot = (reach * np.cos(way), reach * np.sin(way))
        if found and rng.random() < 0.25:
            other = found[rng.integers(len(found))]
            spot = (
                other[0] + rng.choice([-1, 1]) * rng.uniform(0.42, 0.6),
                other[1] + rng.uniform(-0.3, 0.3),
            )
        if all(np.hypot(spot[0] - x, spot[1] - y) > 0.4 for x, y in found):
            found.append(spot)
    return found


def _stand(rng: Random, piece: Piece, number: int, at: Doubles, yaw: float, crowd: Thing) -> None:
    """Put one piece into the scene."""
    mesh = bpy.data.meshes.new("piece")
    mesh.from_pydata(piece.mesh.vertices.tolist(), [], piece.mesh.faces)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), np.bool_))
    made, tree, surface = material("cloth", piece.surface.mean(axis=(0, 1)), piece.shine)
    if float(piece.surface.std(axis=(0, 1)).max()) > 1e-3:
        layer = mesh.uv_layers.new(name="cloth")
        layer.data.foreach_set("uv", (piece.mesh.cloth / CLOTH).astype(np.float32).ravel())
        side = piece.surface.shape[0]
        picture = bpy.data.images.new("cloth", side, side)
        picture.pixels.foreach_set(
            np.dstack([piece.surface[::-1], np.ones((side, side, 1), np.float32)]).astype(np.float32).ravel()
        )
        shown = tree.nodes.new("ShaderNodeTexImage")
        shown.image, shown.extension = picture, "MIRROR"
        tree.links.new(shown.outputs["Color"], surface.inputs["Base Color"])
    if piece.creased:
        rough(rng, tree, surface, rng.uniform(5, 14), piece.creased * rng.uniform(0.4, 1.3))
    mesh.materials.append(made)
    mesh.update()
    thing = bpy.data.objects.new("piece", mesh)
    thing.location, thing.rotation_euler, thing.pass_index = at.tolist(), (0, 0, np.radians(yaw)), number
    thing.parent = crowd
    bpy.context.collection.objects.link(thing)


def _turned(camera: Thing, at: Doubles, yaw: float) -> float:
    """A body looks along -y, turned by its yaw."""
    angle = np.radians(yaw)
    looks = np.array([np.sin(angle), -np.cos(angle)])
    way = np.array(camera.location)[:2] - at[:2]
    return float(np.degrees(np.arccos(np.clip(looks @ way / np.linalg.norm(way), -1, 1))))


def _seen(camera: Thing, figure: Figure, at: Doubles, yaw: float) -> Doubles:
    """The seventeen joints (types.Joint) in pixels of the picture."""
    angle = np.radians(yaw)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    eyes = [figure.joints[f"eye.{side}"] for side in ("L", "R")]
    middle = (eyes[0] + eyes[1]) / 2
    nose = middle + np.array([0, -0.035, -0.04])
    ears = [middle + np.array([sign * 0.075, 0.08, -0.02]) for sign in (1, -1)]
    body = [figure.joints[f"{name}.{side}"] for name in _JOINTS for side in ("L", "R")]
    bpy.context.view_layer.update()
    found = []
    for point in [nose, *eyes, *ears, *body]:
        place = world_to_camera_view(bpy.context.scene, camera, Vector((turn @ point + at).tolist()))
        found.append((place.x * WIDTH, (1 - place.y) * HEIGHT))
    return np.array(found)
