"""Dresses a figure in an outfit: pieces of cloth with their places, skin, hosiery, shoes, hair, bags.

Law: the words of the outfit are the labels (people_renderer/outfits.py); cloth is the recipe's own (fabrics), at its
true scale. Own garments are cut out of the base mesh's helpers, which follow every pose; MakeHuman's garments beside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from fabrics.cloth import cloth
from fabrics.fields import Floats, dye, flat
from people_renderer.bodies import MONK
from people_renderer.outfits import LIMB, LOWER, OUTER, UPPER, Outfit

from bodies3d.carried import bag, ends
from bodies3d.meshes import Doubles, Face, kept
from bodies3d.people import Bodies, Figure
from bodies3d.tailor import HEAD, Piece, Random, Tailor, Wardrobe

KINDS: Final = ("plain", "striped", "checked", "figured")
_SHARES: Final = (0.55, 0.15, 0.13, 0.17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dressed:
    """Somebody dressed: pieces, the words, the pattern of upper, outer and lower cloth ("" where two share it)."""

    pieces: list[Piece]
    worn: Outfit
    patterns: dict[int, str]
    tone: int


def dressed(
    rng: Random, bodies: Bodies, wardrobe: Wardrobe, figure: Figure, worn: Outfit, tone: int
) -> Dressed:
    """Everything somebody has on, over a body that is left out where it is covered."""
    tailor = Tailor(rng, bodies, wardrobe, figure)
    worn = replace(worn, vest=False) if worn.outer == "closed" else worn
    patterns = {place: str(rng.choice(KINDS, p=_SHARES)) for place in (UPPER, OUTER, LOWER)}
    if worn.outer != "none" and rng.random() < 0.6:
        patterns[OUTER] = "plain"
    if worn.one_piece:
        patterns[LOWER] = patterns[UPPER]
    cloths = {place: cloth(rng, kind) for place, kind in patterns.items()}
    if worn.one_piece:
        cloths[LOWER] = cloths[UPPER]
    pieces = [
        *_lower(rng, tailor, bodies, wardrobe, worn, cloths[LOWER]),
        *_upper(rng, tailor, bodies, wardrobe, worn, cloths[UPPER], patterns),
    ]
    if worn.outer != "none":
        pieces += _outer(rng, tailor, bodies, worn, cloths[OUTER])
    pieces += _skin(rng, tailor, bodies, worn, tone)
    pieces += ends(rng, tailor, bodies, wardrobe, worn)
    pieces += bag(rng, figure, worn)
    seen = {place: kind for place, kind in patterns.items() if place != OUTER or worn.outer != "none"}
    return Dressed(pieces=[one for one in pieces if one is not None], worn=worn, patterns=seen, tone=tone)


def _lower(
    rng: Random, tailor: Tailor, bodies: Bodies, wardrobe: Wardrobe, worn: Outfit, surface: Floats
) -> list[Piece | None]:
    tucked = worn.top_hem <= worn.waist + 0.06
    if worn.lower == "skirt":
        pleats = int(rng.choice([0, 6, 9, 12], p=[0.5, 0.15, 0.2, 0.15]))
        inside, at = tailor.skirt(
            worn.waist, worn.hem, flare=worn.width * 0.55, pleats=pleats, off=0.012 if tucked else 0.004
        )
        return [tailor.piece(kept(bodies.skirt, inside), at, LOWER, surface, 0.3)]
    if worn.lower == "trousers" and worn.hem > 2.4 and abs(worn.width) < 0.3 and rng.random() < 0.4:
        return [tailor.fitted(*wardrobe.trousers[rng.integers(len(wardrobe.trousers))], LOWER, surface)]
    inside, at = tailor.trousers(worn.hem, worn.width, worn.waist, 0.014 if tucked else 0.006)
    return [tailor.piece(kept(bodies.tights, inside), at, LOWER, surface, 0.35)]


def _upper(
    rng: Random,
    tailor: Tailor,
    bodies: Bodies,
    wardrobe: Wardrobe,
    worn: Outfit,
    surface: Floats,
    patterns: dict[int, str],
) -> list[Piece | None]:
    neck = -0.14 + (0.12 if rng.random() < 0.3 else 0.0)
    if 0.3 < worn.sleeve < 1 and not worn.one_piece and worn.outer == "none" and rng.random() < 0.3:
        return [tailor.fitted(*wardrobe.shirts[rng.integers(len(wardrobe.shirts))], UPPER, surface)]
    hem = worn.waist + 0.1 if worn.one_piece else worn.top_hem
    loose = 0.004 + worn.ease * 0.12
    at = tailor.off(loose if hem < worn.waist + 0.12 else 0.012 + loose, 0.003 + worn.ease * 0.06)
    inside = tailor.above(min(hem, 1.02), worn.sleeve, neck)
    faces = kept(bodies.tights, inside)
    found = [] if rng.random() > 0.12 or worn.one_piece else _blocked(rng, tailor, faces, at, patterns)
    if not found:
        found = [tailor.piece(faces, at, UPPER, surface, 0.3)]
    if hem > 1.0:  # worn over the lower garment, down over the hips
        below, where = tailor.skirt(0.85, hem, flare=0.05 + worn.ease, pleats=0, off=0.02 + loose)
        found.append(tailor.piece(kept(bodies.skirt, below), where, UPPER, surface, 0.3))
    return found


def _blocked(
    rng: Random, tailor: Tailor, faces: list[Face], at: Doubles, patterns: dict[int, str]
) -> list[Piece | None]:
    """Colour blocking: sleeves, or all above a line, of another colour."""
    places = tailor.places
    line = rng.uniform(0.3, 0.6)
    first = places.sleeve >= 0 if rng.random() < 0.5 else places.hem < line
    one, two = (flat(dye(rng)) for _ in range(2))
    patterns[UPPER] = ""
    above = [face for face in faces if first[face[0]]]
    below = [face for face in faces if not first[face[0]]]
    return [tailor.piece(above, at, UPPER, one), tailor.piece(below, at, UPPER, two)]


def _outer(rng: Random, tailor: Tailor, bodies: Bodies, worn: Outfit, surface: Floats) -> list[Piece | None]:
    places = tailor.places
    off = 0.026 + rng.uniform(0, 0.02)
    gap = rng.uniform(0.25, 0.6) if worn.outer == "open" else 0.0
    widening = rng.uniform(0, 0.35) if worn.outer == "open" else 0.0
    shut = np.abs(places.front) > gap + widening * np.clip(places.hem, 0, 2.4)
    shut |= places.sleeve >= 0
    sleeve = 0.05 if worn.vest else rng.uniform(1.75, 2.0)
    inside = tailor.above(min(worn.outer_hem, 1.02), sleeve, -0.12) & shut
    pieces = [tailor.piece(kept(bodies.tights, inside), tailor.off(off, 0.006), OUTER, surface, 0.35)]
    if worn.outer_hem > 1.0:
        below, at = tailor.skirt(0.85, worn.outer_hem, flare=rng.uniform(0, 0.35), pleats=0, off=off + 0.012)
        pieces.append(tailor.piece(kept(bodies.skirt, below & shut), at, OUTER, surface, 0.35))
    return pieces


def _skin(rng: Random, tailor: Tailor, bodies: Bodies, worn: Outfit, tone: int) -> list[Piece | None]:
    """Skin and hosiery where nothing covers them."""
    places = tailor.places
    bare = np.array([int(MONK[tone][k : k + 2], 16) / 255 for k in (0, 2, 4)], np.float32)
    covered = (places.sleeve >= 0) & (places.sleeve < worn.sleeve - 0.15) & ~places.hand
    covered |= (
        (places.sleeve < 0)
        & (places.leg == 0)
        & (places.hem > 0.0)
        & (places.hem < 1.3)
        & ~places.hand
        & ~places.foot
    )
    covered |= (places.leg > 0) & (places.hem < (worn.hem if worn.lower != "skirt" else 0.0) - 0.12)
    at = tailor.figure.posed
    seen = [face for face in bodies.skin if not all(covered[corner] for corner in face)]
    legs = [face for face in seen if places.leg[face[0]] > 0 and not places.foot[face[0]]]
    head = [face for face in seen if places.head[face[0]]]
    rest = [
        face
        for face in seen
        if not places.head[face[0]] and (places.leg[face[0]] == 0 or places.foot[face[0]])
    ]
    hose = dye(rng) * 0.6 if worn.hosiery and rng.random() < 0.5 else bare * rng.uniform(0.15, 0.8)
    hosiery = np.asarray(hose if worn.hosiery else bare, np.float32)
    return [
        tailor.piece(head, at, HEAD, flat(bare), 0), tailor.piece(rest, at, LIMB, flat(bare), 0),
        tailor.piece(legs, at, LIMB, flat(hosiery), 0),
    ]  # fmt: skip
