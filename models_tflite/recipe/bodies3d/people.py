"""Bodies: shapes, ages and skin drawn evenly, standing or in any phase of a walk; where each vertex is on a body.

Source of the body: anny (Apache-2.0), which poses the MakeHuman base mesh (CC0).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anny
import numpy as np
import torch

from bodies3d.meshes import Doubles, Face, Flags, groups

Random = np.random.Generator
VERTICES: Final = 19_158
_HEMS: Final = (0.0, 1.0, 1.75, 2.43)
"""Shoulder, hip, knee and ankle in the torso lengths that outfits are drawn in (people_renderer/outfits.py)."""
_BEND: Final = {"x": (1, 2), "y": (0, 2), "z": (0, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One posed body: resting and posed vertices, and joints by name in metres."""

    rest: Doubles
    posed: Doubles
    joints: dict[str, Doubles]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where each vertex of the base mesh is on a body, whatever its shape.

    ``hem``: height in torso lengths below the shoulders. ``sleeve``: 0 at the shoulder, 1 elbow, 2 wrist; -1 off the
    arms. ``leg``: 0 none, 1 left, 2 right. ``head``, ``hand``, ``foot``: which it belongs to.
    ``round_``, ``along``, ``girth``: cloth unrolled about the trunk or the limb.
    """

    hem: Doubles
    sleeve: Doubles
    leg: Doubles
    head: Flags
    hand: Flags
    foot: Flags
    front: Doubles
    round_: Doubles
    along: Doubles
    girth: Doubles


class Bodies:
    """The body model, loaded once."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._model: Any = anny.Anny(topology="makehuman-full").to(dtype=torch.float32)
        self._labels = list(self._model.bone_labels)
        base = Path(anny.__file__).parent / "data" / "mpfb2" / "3dobjs" / "base.obj"
        stored = groups(base)
        self.skin: list[Face] = stored["body"]
        self.tights: list[Face] = stored["helper-tights"]
        self.skirt: list[Face] = stored["helper-skirt"]
        self.neutral = self._figure(dict.fromkeys(self._model.phenotype_labels, 0.5) | {"age": 0.7}, None)
        self.places = self._places()

    def draw(self, rng: Random, *, walking: bool) -> Figure:
        """Draw a body of any sex, age from six years on, weight and build, and pose it."""
        age = rng.uniform(0.2, 0.45) if rng.random() < 0.1 else rng.uniform(0.5, 1.0)
        shape = {
            "gender": float(np.clip(rng.choice([0.0, 1.0]) + rng.normal(0, 0.12), 0, 1)), "age": float(age),
            "muscle": float(rng.uniform(0.25, 0.8)), "weight": float(rng.uniform(0.2, 0.95)),
            "height": float(rng.uniform(0.2, 0.8)), "proportions": float(rng.uniform(0.3, 0.8)),
        }  # fmt: skip
        return self._figure(shape, self._pose(rng, walking=walking))

    def _figure(self, shape: dict[str, float], pose: Doubles | None) -> Figure:
        still = np.tile(np.eye(4), (len(self._labels), 1, 1))
        rest, posed = (self._posed(shape, one) for one in (still, still if pose is None else pose))
        places = {label: posed[1][k] for k, label in enumerate(self._labels)}
        return Figure(rest=rest[0], posed=posed[0], joints=places)

    def _posed(self, shape: dict[str, float], pose: Doubles) -> tuple[Doubles, Doubles]:
        given = torch.tensor(pose, dtype=torch.float32)[None]
        with torch.no_grad():
            made = self._model(pose_parameters=given, phenotype_kwargs=shape)
        return made["vertices"][0].numpy().astype(np.float64), made["bone_poses"][0, :, :3, 3].numpy().astype(
            np.float64
        )

    def _pose(self, rng: Random, *, walking: bool) -> Doubles:
        pose = np.tile(np.eye(4), (len(self._labels), 1, 1))

        def bend(bone: str, axis: str, degrees: float) -> None:
            pose[self._labels.index(bone)] = pose[self._labels.index(bone)] @ _turn(axis, degrees)

        phase, stride = rng.uniform(0, 2 * np.pi), rng.uniform(14, 30) if walking else rng.uniform(0, 5)
        hanging = rng.uniform(36, 47)
        for side, sign in (("L", 1), ("R", -1)):
            swing = stride * np.sin(phase) * sign
            bend(f"upperleg01.{side}", "x", -swing)
            bend(f"lowerleg01.{side}", "x", max(0.0, (1.3 * stride if walking else 4) * np.cos(phase) * sign))
            bend(f"upperarm01.{side}", "x", swing * 0.8)
            bend(f"upperarm01.{side}", "y", sign * (hanging + rng.normal(0, 3)))
            elbow = rng.uniform(4, 22) if rng.random() < 0.75 else rng.uniform(40, 110)
            lower = pose[self._labels.index(f"lowerarm01.{side}")]
            lower[:3, :3] = _about_axis(self._hinge(side), elbow)
        bend("spine03", "x", rng.normal(2, 3))
        bend("head", "z", rng.normal(0, 14))
        return pose

    def _hinge(self, side: str) -> Doubles:
        """The axis about which a forearm of the resting body swings forwards."""
        joints = self.neutral.joints
        down = joints[f"wrist.{side}"] - joints[f"lowerarm01.{side}"]
        axis = np.cross(down, np.array([0.0, -1.0, 0.0]))
        return np.asarray(axis / np.linalg.norm(axis))

    def _places(self) -> Places:
        rest, joints = self.neutral.rest, self.neutral.joints
        model = self._model
        strongest = model.vertex_bone_weights.argmax(dim=1, keepdim=True)
        bone = model.vertex_bone_indices.gather(1, strongest)[:, 0].numpy()
        names = np.array(self._labels)[bone]
        arm = np.array([one.startswith(("upperarm", "lowerarm")) for one in names])
        hand = np.array([one.startswith(("wrist", "finger", "metacarpal")) for one in names])
        leg = np.array([one.startswith(("upperleg", "lowerleg")) for one in names])
        knots = [joints[name][2] for name in ("upperarm01.L", "upperleg01.L", "lowerleg01.L", "foot.L")]
        hem = np.interp(-rest[:, 2], [-z for z in knots], _HEMS)
        hem = np.where(rest[:, 2] > knots[0], (knots[0] - rest[:, 2]) / (knots[0] - knots[1]), hem)
        hem = np.where(rest[:, 2] < knots[3], 2.43 + (knots[3] - rest[:, 2]) / (knots[0] - knots[1]), hem)
        sleeve = np.full(len(rest), -1.0)
        round_ = np.arctan2(rest[:, 0], -rest[:, 1])
        along, girth = rest[:, 2].copy(), np.full(len(rest), 0.15)
        for side, sign in (("L", 1), ("R", -1)):
            here = (arm | hand) & (np.sign(rest[:, 0]) == sign)
            points = [joints[f"{name}.{side}"] for name in ("upperarm01", "lowerarm01", "wrist")]
            share, length, angle = _about(rest[here], points)
            sleeve[here], along[here], round_[here], girth[here] = share, length, angle, 0.05
            here = leg & (np.sign(rest[:, 0]) == sign)
            points = [joints[f"{name}.{side}"] for name in ("upperleg01", "lowerleg01", "foot")]
            _, _, angle = _about(rest[here], points)
            round_[here], girth[here] = angle, 0.08
        return Places(
            hem=hem, sleeve=sleeve, leg=np.where(leg, np.where(rest[:, 0] > 0, 1.0, 2.0), 0.0),
            head=np.array([one.startswith(("neck", "head", "eye")) for one in names]), hand=hand,
            foot=np.array([one.startswith(("foot", "toe")) for one in names]),
            front=np.arctan2(rest[:, 0], -rest[:, 1]), round_=round_, along=along, girth=girth,
        )  # fmt: skip


def _turn(axis: str, degrees: float) -> Doubles:
    angle, turn = np.radians(degrees), np.eye(4)
    first, second = _BEND[axis]
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
    if axis == "y":
        turn[first, second], turn[second, first] = np.sin(angle), -np.sin(angle)
    return turn


def _about_axis(axis: Doubles, degrees: float) -> Doubles:
    """Rodrigues' rotation."""
    angle = np.radians(degrees)
    x, y, z = axis
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * across @ across)


def _about(points: Doubles, bones: list[Doubles]) -> tuple[Doubles, Doubles, Doubles]:
    """Of points near a limb of two bones: share of the way (0, 1, 2 at its joints), metres along, angle about it."""
    first, second = np.array(bones[1] - bones[0]), np.array(bones[2] - bones[1])
    lengths = np.linalg.norm(first), np.linalg.norm(second)
    one = (points - bones[0]) @ first / lengths[0] ** 2
    two = (points - bones[1]) @ second / lengths[1] ** 2
    share = np.where(two > 0, 1 + two, np.minimum(one, 1))
    on_axis = np.where(
        (share < 1)[:, None], bones[0] + np.outer(share, first), bones[1] + np.outer(share - 1, second)
    )
    apart = points - on_axis
    sideways = np.cross(first / lengths[0], np.array([0.0, 1.0, 0.0]))
    angle = np.arctan2(apart @ (sideways / np.linalg.norm(sideways)), -apart[:, 1])
    length = np.where(share < 1, share * lengths[0], lengths[0] + (share - 1) * lengths[1])
    return share, -length, angle
