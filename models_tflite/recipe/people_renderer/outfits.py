"""Garments as shapes on a body: what is worn is drawn first as words, then painted in the order it is put on.

Law: the words are the labels; what the picture does not show (a skirt under a long coat) is left open in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from people_renderer.bodies import Body, Limb, Point, View
from people_renderer.canvas import Canvas
from people_renderer.cloths import Floats, Wardrobe

Random = np.random.Generator

BACKGROUND, UPPER, OUTER, LOWER, LIMB, FEET, BAG = range(7)
_HEM_OF: Final = {"mini": (1.35, 1.6), "knee": (1.6, 1.85), "midi": (1.85, 2.2), "maxi": (2.2, 2.55)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """What is worn.

    ``lower``: trousers, shorts, skirt; ``sleeve``: share of the arm covered, 0..2 (1 at the elbow);
    ``outer``: none, open, closed; ``outer_hem``, ``hem``: where they end, in torso lengths below the shoulders.
    """

    lower: str
    width: float
    hem: float
    waist: float
    top_hem: float
    sleeve: float
    ease: float
    outer: str
    outer_hem: float
    one_piece: bool
    hosiery: bool
    bag: str
    boots: float


def outfit(rng: Random) -> Outfit:
    """Draw an outfit; every level of every head is common enough to learn from."""
    lower = str(rng.choice(["trousers", "shorts", "skirt"], p=[0.46, 0.18, 0.36]))
    one_piece = bool((lower == "skirt" and rng.random() < 0.55) or (lower != "skirt" and rng.random() < 0.06))
    outer = str(rng.choice(["none", "open", "closed"], p=[0.5, 0.27, 0.23]))
    if lower == "trousers":
        width, hem = float(rng.choice([0.0, 0.35, 1.0], p=[0.45, 0.4, 0.15]) + rng.uniform(0, 0.35)), 2.43
        if rng.random() < 0.2:
            hem = rng.uniform(2.05, 2.35)
    elif lower == "shorts":
        width, hem = rng.uniform(0.1, 1.1), rng.uniform(1.28, 1.78)
    else:
        low, high = _HEM_OF[str(rng.choice(list(_HEM_OF), p=[0.35, 0.35, 0.18, 0.12]))]
        width, hem = (
            rng.uniform(-0.1, 1.0) ** 2 if rng.random() < 0.7 else rng.uniform(0.8, 1.6),
            rng.uniform(low, high),
        )
    waist = float(rng.uniform(0.68, 1.0))
    tucked = one_piece or rng.random() < 0.45
    sleeve = float(rng.choice([0.0, rng.uniform(0.35, 0.95), rng.uniform(1.0, 1.4), rng.uniform(1.7, 2.0)],
                              p=[0.16, 0.34, 0.08, 0.42]))  # fmt: skip
    return Outfit(
        lower=lower,
        width=width,
        hem=hem,
        waist=waist,
        top_hem=waist + 0.05 if tucked else rng.uniform(0.95, 1.4),
        sleeve=sleeve,
        ease=abs(rng.normal(0, 0.06)),
        outer=outer,
        outer_hem=float(
            rng.choice(
                [rng.uniform(0.8, 1.2), rng.uniform(1.2, 1.7), rng.uniform(1.7, 2.2)], p=[0.4, 0.42, 0.18]
            )
        ),
        one_piece=one_piece,
        hosiery=bool(rng.random() < 0.3),
        bag=str(rng.choice(["none", "hand", "cross", "back", "shoulder"], p=[0.52, 0.16, 0.14, 0.1, 0.08])),
        boots=float(rng.uniform(0.1, 0.75)) if rng.random() < 0.25 else 0.0,
    )


def dress(canvas: Canvas, rng: Random, who: Body, worn: Outfit, wardrobe: Wardrobe) -> None:
    """Paint the person in the outfit onto the canvas."""
    cloth_up = wardrobe.any_cloth(rng)
    cloth_low = cloth_up if worn.one_piece else wardrobe.any_cloth(rng)
    cloth_out = wardrobe.outer_cloth(rng)
    # A bent arm of somebody seen from behind is before the body, so behind it for the camera.
    far = 0 if who.view is View.SIDE else None
    hidden = [far] if far is not None else ([0, 1] if who.view is View.BACK else [])
    for side in hidden:
        _arm(canvas, rng, who, who.arms[side], worn, (cloth_up, cloth_out))
    _legs(canvas, rng, who, worn)
    top_first = worn.top_hem <= worn.waist + 0.06
    if top_first:
        _upper(canvas, rng, who, worn, cloth_up)
    _lower(canvas, rng, who, worn, cloth_low)
    if not top_first:
        _upper(canvas, rng, who, worn, cloth_up)
    if (worn.one_piece or top_first) and rng.random() < 0.35:
        belt = _colour(rng)
        w = _half(who, worn.waist) + 0.02
        canvas.paint(
            canvas.polygon(
                [(-w, worn.waist), (w, worn.waist), (w, worn.waist + 0.07), (-w, worn.waist + 0.07)]
            ),
            belt,
            LOWER,
        )
    if worn.outer != "none":
        _outer(canvas, rng, who, worn, cloth_out)
    _bag(canvas, rng, who, worn, before=who.view is View.BACK)
    for side in (0, 1):
        if side not in hidden:
            _arm(canvas, rng, who, who.arms[side], worn, (cloth_up, cloth_out))
    _bag(canvas, rng, who, worn, before=False, hand=True)
    if rng.random() < 0.4:
        _hair(canvas, rng, who)


def _colour(rng: Random) -> Floats:
    """A belt, shoe or bag: mostly dark, tan or white."""
    fate = rng.random()
    if fate < 0.5:
        return (np.full(3, rng.uniform(10, 60)) + rng.normal(0, 4, 3)).astype(np.float32)
    if fate < 0.7:
        return (np.array([1.0, 0.72, 0.46]) * rng.uniform(70, 210)).astype(np.float32)
    return (np.full(3, rng.uniform(150, 250)) if fate < 0.85 else rng.uniform(10, 240, 3)).astype(np.float32)


def _half(who: Body, down: float) -> float:
    """Half width of the bare trunk at a height, in torso lengths."""
    front = np.interp(
        down,
        [0, 0.15, 0.4, 0.7, 1.0, 1.2],
        [who.shoulder + 0.06, who.shoulder + 0.04, 0.265, 0.235, 0.31, 0.32],
    )
    wide = min(1.0, who.shoulder / 0.31)
    return float(who.girth * (wide * front + (1 - wide) * who.depth))


def _trunk(who: Body, stop: float, ease: float, flare: float = 0.0, start: float = -0.05) -> Floats:
    downs = np.linspace(start, stop, 9)
    halves = np.array([_half(who, min(d, 1.2)) + ease + flare * max(0.0, d - 0.7) for d in downs])
    halves[0] *= 0.72
    right, left = np.stack([halves, downs], 1), np.stack([-halves, downs], 1)
    return np.concatenate([right, left[::-1]]).astype(np.float32)


def _legs(canvas: Canvas, rng: Random, who: Body, worn: Outfit) -> None:
    g = who.girth
    sheer = worn.hosiery and worn.lower != "trousers"
    skin = (
        np.full(3, rng.uniform(8, 60), np.float32) * np.array([1, 0.97, 1], np.float32) if sheer else who.skin
    )
    if sheer and rng.random() < 0.25:
        skin = rng.uniform(20, 230, 3).astype(np.float32)
    shoe, sock = _colour(rng), who.skin if rng.random() < 0.6 else _colour(rng)
    toes = rng.uniform(0.1, 0.3)
    for limb, side in zip(who.legs, (-1, 1), strict=True):
        canvas.paint(canvas.limb(limb.root, limb.bend, (0.165 * g, 0.105 * g)), skin, LIMB)
        calf = limb.bend + 0.35 * (limb.end - limb.bend)
        shape = canvas.limb(limb.bend, calf, (0.1 * g, 0.105 * g))
        canvas.paint(canvas.limb(calf, limb.end, (0.105 * g, 0.055), shape), skin, LIMB)
        if worn.lower != "trousers" and not sheer and rng.random() < 0.3:
            canvas.paint(
                canvas.limb(
                    limb.bend + rng.uniform(0.3, 0.9) * (limb.end - limb.bend), limb.end, (0.085, 0.06)
                ),
                sock,
                LIMB,
            )
        along = side * rng.uniform(0, 0.1) if who.view is not View.SIDE else 0.26
        toe = limb.end + np.array([along, toes if who.view is not View.SIDE else 0.14])
        shape = canvas.limb(limb.end + np.array([0, 0.06]), toe, (0.075, 0.07))
        if worn.boots:
            canvas.limb(limb.end + worn.boots * (limb.bend - limb.end), limb.end, (0.115 * g, 0.08), shape)
        canvas.paint(shape, shoe, FEET)


def _lower(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cloth: Floats) -> None:
    folds = rng.uniform(0, 0.16)
    waist = 0.78 if worn.one_piece else worn.waist
    if worn.lower == "skirt":
        _skirt(canvas, rng, who, worn, cloth, waist)
        return
    g = who.girth
    hips = canvas.polygon(_trunk(who, 1.22, 0.01, start=waist))
    order = (0, 1) if rng.random() < 0.5 else (1, 0)
    for number in order:
        limb = who.legs[number]
        shape = canvas.blank()
        radius = (0.18 * g + 0.03 * worn.width, 0.12 * g + 0.1 * worn.width, 0.075 * g + 0.15 * worn.width)
        if worn.lower == "trousers":
            share = np.clip((worn.hem - 1.74) / 0.69, 0.2, 1.0)
            stop = limb.bend + share * (limb.end - limb.bend) + np.array([0, 0.04 if share == 1 else 0.0])
            canvas.limb(limb.root, limb.bend, radius[:2], shape)
            canvas.limb(limb.bend, stop, radius[1:], shape)
        else:
            share = (worn.hem - 1.0) / 0.74
            stop = limb.root + min(1.0, share) * (limb.bend - limb.root)
            end = radius[0] + share * (radius[1] - radius[0])
            canvas.limb(limb.root, stop, (radius[0], end), shape)
        canvas.paint(shape, cloth, LOWER, folds=folds, depth=rng.uniform(0.25, 0.55))
    canvas.paint(hips, cloth, LOWER, folds=folds * 0.6, depth=0.2)


def _skirt(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cloth: Floats, waist: float) -> None:
    knees, ankles = sum(leg.bend[0] for leg in who.legs) / 2, sum(leg.end[0] for leg in who.legs) / 2
    middle = np.interp(worn.hem, [1.0, 1.74, 2.43], [0.0, knees, ankles])
    spread = max(abs(who.legs[0].bend[0] - who.legs[1].bend[0]) / 2, 0.05) + 0.12 * who.girth
    w0, w1 = _half(who, waist) + 0.01, _half(who, 1.05) + 0.02 + 0.05 * max(0.0, worn.width)
    hem = max(spread, w1 * (0.85 + 0.5 * worn.width * (worn.hem - 1.0)))
    wave = rng.normal(0, 0.02, 6)
    base = [
        (middle + hem * (1 - 2 * k / 5), worn.hem + wave[k] + 0.03 * (1 - abs(1 - 2 * k / 5)))
        for k in range(6)
    ]
    shape = canvas.polygon([(-w0, waist), (w0, waist), (w1, 1.05), *base, (-w1, 1.05)])
    canvas.paint(
        shape, cloth, LOWER, folds=rng.uniform(0, 0.2) + 0.06 * worn.width, depth=rng.uniform(0.2, 0.5)
    )


def _upper(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cloth: Floats) -> None:
    canvas.paint(canvas.polygon(_trunk(who, 1.1, -0.01)), who.skin, LIMB)
    strapless = worn.sleeve == 0 and rng.random() < 0.5
    start = rng.uniform(0.05, 0.3) if strapless else -0.06
    stop = 0.85 if worn.one_piece else worn.top_hem
    shape = canvas.polygon(_trunk(who, stop, worn.ease, rng.uniform(-0.05, 0.2), start))
    canvas.paint(shape, cloth, UPPER, folds=rng.uniform(0, 0.14), depth=rng.uniform(0.15, 0.45))
    if who.view is View.FRONT and rng.random() < 0.6:  # the neck's opening
        deep, wide = rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.16)
        canvas.paint(
            canvas.polygon([(-wide, -0.08), (wide, -0.08), (wide * 0.4, deep * 0.7), (0, deep)]),
            who.skin,
            LIMB,
        )
    if who.view is View.FRONT and rng.random() < 0.3:  # a placket
        line = canvas.polygon([(-0.012, 0.1), (0.012, 0.1), (0.012, stop), (-0.012, stop)]) // 2
        canvas.paint(line, np.asarray(cloth.mean(axis=(0, 1)) * rng.uniform(0.5, 1.2), np.float32), UPPER)


def _outer(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cloth: Floats) -> None:
    ease, flare = rng.uniform(0.02, 0.12), rng.uniform(-0.05, 0.22)
    whole = canvas.polygon(_trunk(who, worn.outer_hem, ease, flare, -0.08))
    shift = 0.0 if who.view is View.FRONT else who.shoulder * rng.choice([-1.0, 1.0]) * 1.2
    folds, depth = rng.uniform(0, 0.16), rng.uniform(0.15, 0.45)
    if worn.outer == "open" and who.view is not View.BACK:
        upper, lower = rng.uniform(0.03, 0.17), rng.uniform(0.06, 0.34)
        waist = 0.5 * (upper + lower) * rng.uniform(0.5, 1.0)
        stop = worn.outer_hem + 0.1
        lean = rng.normal(0, 0.05)
        gap = [
            (-upper, -0.2),
            (upper, -0.2),
            (waist + lean, 0.6),
            (lower + lean, stop),
            (-lower + lean, stop),
            (-waist + lean, 0.6),
        ]
        whole = np.minimum(whole, 255 - canvas.polygon([(x + shift, y) for x, y in gap]))
        canvas.paint(whole, cloth, OUTER, folds=folds, depth=depth)
        return
    if who.view is View.FRONT and rng.random() < 0.75:  # lapels show what is under
        deep, wide = rng.uniform(0.1, 0.55), rng.uniform(0.05, 0.16)
        whole = np.minimum(whole, 255 - canvas.polygon([(-wide, -0.2), (wide, -0.2), (0.0, deep)]))
    canvas.paint(whole, cloth, OUTER, folds=folds, depth=depth)
    tone = np.asarray(cloth.mean(axis=(0, 1)), np.float32)
    if who.view is View.FRONT:
        x = rng.normal(0, 0.05)
        seam = canvas.polygon(
            [(x - 0.014, 0.2), (x + 0.014, 0.2), (x + 0.014, worn.outer_hem), (x - 0.014, worn.outer_hem)]
        )
        canvas.paint(seam, tone * np.float32(rng.uniform(0.4, 0.8)), OUTER)
        for side in (-1, 1) if rng.random() < 0.5 else ():
            pocket = canvas.polygon(
                [(side * 0.1, 0.75), (side * 0.24, 0.72), (side * 0.24, 0.78), (side * 0.1, 0.81)]
            )
            canvas.paint(pocket, tone * np.float32(0.75), OUTER)
        for k in range(int(rng.integers(0, 6))):
            canvas.paint(
                canvas.limb((x + 0.04, 0.3 + 0.14 * k), (x + 0.04, 0.3 + 0.14 * k), (0.02, 0.02)),
                _colour(rng),
                OUTER,
            )
    if rng.random() < 0.2:
        w = _half(who, 0.7) + ease
        canvas.paint(
            canvas.polygon([(-w, 0.66), (w, 0.66), (w, 0.74), (-w, 0.74)]),
            tone * np.float32(rng.uniform(0.5, 1.2)),
            OUTER,
        )


def _part(limb: Limb, share: float) -> Point:
    return (
        limb.root + share * (limb.bend - limb.root)
        if share <= 1
        else limb.bend + (share - 1) * (limb.end - limb.bend)
    )


def _arm(
    canvas: Canvas, rng: Random, who: Body, limb: Limb, worn: Outfit, cloths: tuple[Floats, Floats]
) -> None:
    g = who.girth
    bare = canvas.limb(limb.root, limb.bend, (0.095 * g, 0.075 * g))
    canvas.limb(limb.bend, limb.end, (0.075 * g, 0.05), bare)
    tip = limb.end + 0.3 * (limb.end - limb.bend)
    canvas.paint(canvas.limb(limb.end, tip, (0.055, 0.05), bare), who.skin, LIMB)
    layers = [(worn.sleeve, cloths[0], UPPER, rng.uniform(0.0, 0.06))]
    if worn.outer != "none":
        layers = [(1.95, cloths[1], OUTER, rng.uniform(0.01, 0.06))]
    for share, cloth, label, ease in layers:
        if share <= 0:
            continue
        radius = 0.11 * g + ease
        shape = canvas.limb(limb.root, _part(limb, min(1.0, share)), (radius, radius * 0.92))
        if share > 1:
            canvas.limb(limb.bend, _part(limb, share), (radius * 0.92, radius * 0.7), shape)
        canvas.paint(shape, cloth, label, folds=rng.uniform(0, 0.14), depth=rng.uniform(0.2, 0.5))


def _bag(canvas: Canvas, rng: Random, who: Body, worn: Outfit, *, before: bool, hand: bool = False) -> None:
    """Bags on the body first, and those in a hand last; a backpack is seen whole from behind only."""
    if worn.bag == "none" or hand != (worn.bag in ("hand", "shoulder")):
        return
    leather, side = _colour(rng), rng.choice([-1, 1])
    wide, tall = rng.uniform(0.12, 0.3), rng.uniform(0.2, 0.5)
    if worn.bag == "back":
        if before:
            canvas.paint(
                canvas.polygon([(-wide, 0.05), (wide, 0.05), (wide * 1.1, 0.85), (-wide * 1.1, 0.85)]),
                leather,
                BAG,
                folds=0.1,
            )
        else:
            for s in (-1, 1):
                canvas.paint(
                    canvas.polygon([(s * 0.16, -0.05), (s * 0.22, -0.05), (s * 0.25, 0.5), (s * 0.2, 0.5)]),
                    leather,
                    BAG,
                )
        return
    if worn.bag == "cross":
        x, y = side * (who.shoulder + 0.05), rng.uniform(0.8, 1.2)
        canvas.paint(
            canvas.polygon([(-x * 0.7, -0.1), (-x * 0.7 + 0.05, -0.1), (x + 0.03, y), (x - 0.03, y)]),
            leather,
            BAG,
        )
    elif worn.bag == "hand":
        arm = who.arms[0 if side < 0 else 1]
        x, y = arm.end[0], arm.end[1] + 0.15
    else:
        x, y = side * (who.shoulder + 0.12), rng.uniform(0.5, 0.9)
        canvas.paint(
            canvas.polygon([(x * 0.7, -0.05), (x * 0.8, -0.05), (x, y), (x - 0.05, y)]), leather, BAG
        )
    skew = rng.normal(0, 0.05)
    corners = [(x - wide + skew, y), (x + wide + skew, y), (x + wide, y + tall), (x - wide, y + tall)]
    canvas.paint(canvas.polygon(corners), leather, BAG, folds=0.08)


def _hair(canvas: Canvas, rng: Random, who: Body) -> None:
    """Hair below the shoulders is no cloth."""
    colour = np.array([1.0, rng.uniform(0.6, 0.85), rng.uniform(0.35, 0.7)]) * rng.uniform(15, 200)
    down, wide = rng.uniform(0.05, 0.5), rng.uniform(0.1, 0.22)
    for side in (-1, 1):
        if who.view is View.BACK and side > 0:
            return
        inner = -wide if who.view is View.BACK else side * 0.07
        outer = wide if who.view is View.BACK else side * (0.1 + wide * 0.6)
        shape = canvas.polygon(
            [
                (inner, -0.4),
                (outer, -0.4),
                (outer * 0.95, down),
                ((inner + outer) / 2, down + 0.06),
                (inner, down),
            ]
        )
        canvas.paint(shape, colour.astype(np.float32), BACKGROUND, folds=0.15)
