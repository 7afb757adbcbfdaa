"""Paints somebody in an outfit, in the order it is put on.

Law: a stroke paints and labels at once; where a whole garment from a photo is used, its own outline is the shape.
"""

from __future__ import annotations

import numpy as np

from people_renderer.below import accessory_colour, boot, half_width, legs, lower, trunk
from people_renderer.bodies import Body, Limb, Point, View
from people_renderer.canvas import Canvas
from people_renderer.cloths import Floats, Wardrobe
from people_renderer.outfits import BACKGROUND, BAG, LIMB, LOWER, OUTER, UPPER, Outfit
from people_renderer.wholes import Whole

Random = np.random.Generator


def dress(canvas: Canvas, rng: Random, who: Body, worn: Outfit, wardrobe: Wardrobe) -> None:
    """Paint the person in the outfit onto the canvas."""
    cloth_up = wardrobe.any_cloth(rng)
    cloth_low = cloth_up if worn.one_piece else wardrobe.any_cloth(rng)
    cloth_out = wardrobe.outer_cloth(rng)
    # A bent arm of somebody seen from behind is before the body, so behind it for the camera.
    hidden = {View.SIDE: [0], View.BACK: [0, 1]}.get(who.view, [])
    for side in hidden:
        _arm(canvas, rng, who, who.arms[side], worn, (cloth_up, cloth_out))
    shoe = legs(canvas, rng, who, worn)
    cloth_up = _indoors(canvas, rng, who, worn, (cloth_up, cloth_low), wardrobe)
    if worn.lower == "trousers" and worn.boots > 0 and worn.width < 0.3 and rng.random() < 0.6:
        for limb in who.legs:
            boot(canvas, who, limb, worn.boots, shoe)
    if (worn.one_piece or _tucked(worn)) and rng.random() < 0.35:
        _belt(canvas, rng, who, worn.waist)
    if worn.outer != "none":
        _outer(canvas, rng, who, worn, cloth_out)
    _bag(canvas, rng, who, worn, before=who.view is View.BACK)
    pocketed = rng.random() < 0.15
    for side in (0, 1):
        if side not in hidden:
            _arm(canvas, rng, who, who.arms[side], worn, (cloth_up, cloth_out), hand=not pocketed)
    _bag(canvas, rng, who, worn, before=False, hand=True)
    if rng.random() < 0.4:
        _hair(canvas, rng, who)


def _tucked(worn: Outfit) -> bool:
    return worn.top_hem <= worn.waist + 0.06


def _indoors(
    canvas: Canvas, rng: Random, who: Body, worn: Outfit, cloths: tuple[Floats, Floats], wardrobe: Wardrobe
) -> Floats:
    """What is worn under an outer layer; return the cloth of its sleeves."""
    gown = wardrobe.whole(rng, "Dress") if worn.one_piece and worn.lower == "skirt" else None
    if gown is not None and rng.random() < 0.6:
        return _gown(canvas, rng, who, worn, gown)
    if _tucked(worn):
        _upper(canvas, rng, who, worn, cloths[0])
    lower(canvas, rng, who, worn, cloths[1], wardrobe)
    if not _tucked(worn):
        _upper(canvas, rng, who, worn, cloths[0])
    return cloths[0]


def _gown(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cut: Whole) -> Floats:
    """A real dress: upper garment above the waist, lower below; return its cloth for the sleeves."""
    canvas.paint(canvas.polygon(trunk(who, 1.1, -0.01)), who.skin, LIMB)
    start = rng.uniform(-0.06, 0.1)
    waist = (0.62 - start) / (worn.hem - start)
    hips = (1.05 - start) / (worn.hem - start)
    half = max(
        (half_width(who, 0.62) + 0.01) / cut.across(waist), (half_width(who, 1.05) + 0.01) / cut.across(hips)
    )
    half = min(half * rng.uniform(1.0, 1.2), 0.75)
    shape = canvas.placed(cut.outline, -half, start, half, worn.hem)
    canvas.paint(shape, cut.pixels, UPPER, folds=rng.uniform(0, 0.14), depth=rng.uniform(0.15, 0.45))
    below = int(canvas.at((0, 0.8))[1])
    canvas.labels[below:][shape[below:] > 127] = LOWER
    rows, columns = cut.pixels.shape[:2]
    return cut.pixels[rows // 4 : rows * 3 // 4, columns // 3 : columns * 2 // 3]


def _belt(canvas: Canvas, rng: Random, who: Body, waist: float) -> None:
    w = half_width(who, waist) + 0.02
    band = canvas.polygon([(-w, waist), (w, waist), (w, waist + 0.07), (-w, waist + 0.07)])
    canvas.paint(band, accessory_colour(rng), LOWER)


def _upper(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cloth: Floats) -> None:
    canvas.paint(canvas.polygon(trunk(who, 1.1, -0.01)), who.skin, LIMB)
    strapless = worn.sleeve == 0 and rng.random() < 0.5
    start = rng.uniform(0.05, 0.3) if strapless else -0.06
    stop = 0.85 if worn.one_piece else worn.top_hem
    shape = canvas.polygon(trunk(who, stop, worn.ease, rng.uniform(-0.05, 0.2), start))
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
    whole = canvas.polygon(trunk(who, worn.outer_hem, ease, flare, -0.08))
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
                accessory_colour(rng),
                OUTER,
            )
    if rng.random() < 0.2:
        w = half_width(who, 0.7) + ease
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
    canvas: Canvas,
    rng: Random,
    who: Body,
    limb: Limb,
    worn: Outfit,
    cloths: tuple[Floats, Floats],
    *,
    hand: bool = True,
) -> None:
    g = who.girth
    bare = canvas.limb(limb.root, limb.bend, (0.095 * g, 0.075 * g))
    canvas.limb(limb.bend, limb.end, (0.075 * g, 0.05), bare)
    if hand:
        tip = limb.end + 0.3 * (limb.end - limb.bend)
        canvas.limb(limb.end, tip, (0.055, 0.05), bare)
    canvas.paint(bare, who.skin, LIMB)
    layers = [(worn.sleeve, cloths[0], UPPER, rng.uniform(0.0, 0.06))]
    if worn.outer != "none" and not worn.vest:
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
    leather, side = accessory_colour(rng), rng.choice([-1, 1])
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
