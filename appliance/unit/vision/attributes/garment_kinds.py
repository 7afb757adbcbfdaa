"""Kinds of garments from one glance: what the network says, weighed with what limbs and cloth look like by place.

Invariants:
    * A network's answer counts relative to how common the answer was where it was trained: it is a likelihood.
    * Each source is trusted as far as it was measured to be right (``TRUST``), and what beats no constant answer is
      not said at all.
    * Bare limbs are told by comparing a limb with the same person's cloth and hands, never with a colour of skin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from appliance.unit.vision.attributes.confusion import normal
from appliance.unit.vision.attributes.likelihood import FLOOR, ColourSample, Constants, soft
from appliance.unit.vision.attributes.region_colours import RegionColours
from appliance.unit.vision.models.garments import Worn


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How far an attribute's sources count: exponents of the network's likelihood and of that by place.

    ``trained``: how common each level was among the drawn people.
    """

    trained: tuple[float, ...]
    network: float
    place: float


TRUST: Final = {
    "lower.kind": Trust(trained=(0.46, 0.18, 0.36), network=0.9, place=1.0),
    "sleeves": Trust(trained=(0.66, 0.34), network=1.0, place=0.7),
    "outer": Trust(trained=(0.63, 0.14, 0.23), network=0.8, place=0.0),
}
"""Measured with tests/bench/bench_worn.py."""


def kinds(
    worn: Worn | None, looks: RegionColours, torso: float, constants: Constants
) -> list[tuple[str, tuple[float, ...]]]:
    """How far it looks like each level of ``lower.kind``, ``sleeves``, ``outer``; silent where no source speaks.

    ``torso`` is in crop pixels.
    """
    by_place = {
        "lower.kind": _lower(looks, torso, constants),
        "sleeves": _sleeves(looks, torso, constants),
        "outer": None,
    }
    found = []
    for name, place in by_place.items():
        likelihood = fused(name, None if worn is None else worn.kind(name), place)
        if likelihood is not None:
            levels = ATTRIBUTES[INDEX[name]].levels
            found.append((name, normal([likelihood[level] for level in levels])))
    return found


def fused(
    name: str, seen: dict[str, float] | None, place: dict[str, float] | None
) -> dict[str, float] | None:
    """One likelihood, its largest entry 1; without a network that by place counts in full. None: nothing is known."""
    trust = TRUST[name]
    if seen is None or not trust.network:
        return place
    levels = ATTRIBUTES[INDEX[name]].levels
    found = {
        level: (max(seen[level], FLOOR) / common) ** trust.network
        for level, common in zip(levels, trust.trained, strict=True)
    }
    if place is not None:
        found = {level: share * max(place[level], FLOOR) ** trust.place for level, share in found.items()}
    most = max(found.values())
    return {level: share / most for level, share in found.items()}


def _bare(limb: ColourSample, cloth: ColourSample, hands: ColourSample, constants: Constants) -> float | None:
    """How surely a limb is bare, 0 to 1; None where that cannot be told.

    Bare is like the same person's hands and unlike their cloth; both or neither tells nothing.
    No colour of skin is known here: the hands are the measure, whatever their tone.
    """
    like_hands = soft(constants.skin_like - limb.apart(hands), constants.limb_width)
    like_cloth = soft(constants.unlike - limb.apart(cloth), constants.limb_width)
    return like_hands / (like_hands + like_cloth) if abs(like_hands - like_cloth) > 0.3 else None


def _sleeves(looks: RegionColours, torso: float, constants: Constants) -> dict[str, float] | None:
    """Short where the forearm is bare; silent where hands are too small, or cloth looks like them."""
    cloth = looks.sleeves or looks.cloth_above
    if cloth is None or looks.forearms is None or looks.hands is None or torso < constants.limb_torso:
        return None
    if cloth.apart(looks.hands) < constants.unlike:
        return None
    bare = _bare(looks.forearms, cloth, looks.hands, constants)
    return None if bare is None else {"long": 0.9 - 0.8 * bare, "short": 0.1 + 0.8 * bare}


# P(seen | trousers, shorts, skirt or dress), from 172 photos: shin, thigh and hip alike; shin like the hands.
_ALIKE: Final = (0.78, 0.12, 0.22)
_LIKE_HANDS: Final = (0.25, 0.65, 0.35)


def _lower(looks: RegionColours, torso: float, constants: Constants) -> dict[str, float] | None:
    """Trousers where shin, thigh and hip are alike; else, and where shins are like the hands, rather bare legs."""
    hips, thighs, shins = looks.hips, looks.thighs, looks.shins
    if hips is None or thighs is None or shins is None:
        return None
    farthest = max(hips.apart(shins), thighs.apart(shins))
    alike = soft(constants.same_cloth - farthest, constants.limb_width)
    likelihood = [alike * seen + (1 - alike) * (1 - seen) for seen in _ALIKE]
    if looks.hands is not None and torso >= constants.limb_torso:
        like = soft(constants.skin_like - shins.apart(looks.hands), constants.limb_width)
        likelihood = [
            so_far * (like * seen + (1 - like) * (1 - seen))
            for so_far, seen in zip(likelihood, _LIKE_HANDS, strict=True)
        ]
    levels = ATTRIBUTES[INDEX["lower.kind"]].levels
    return dict(zip(levels, likelihood, strict=True))
