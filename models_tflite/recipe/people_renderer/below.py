"""What is painted from the waist down: legs, stockings, shoes, trousers, shorts, skirts; and shapes of the trunk.

Law: a stroke paints and labels at once; where a whole garment from a photo is used, its own outline is the shape.
"""

from __future__ import annotations

import numpy as np

from people_renderer.bodies import Body, Limb, View
from people_renderer.canvas import Canvas
from people_renderer.cloths import Floats, Wardrobe
from people_renderer.outfits import FEET, LIMB, LOWER, Outfit
from people_renderer.wholes import Legs, Whole

Random = np.random.Generator


def accessory_colour(rng: Random) -> Floats:
    """A belt, shoe or bag: mostly dark, tan or white."""
    fate = rng.random()
    if fate < 0.5:
        return (np.full(3, rng.uniform(10, 60)) + rng.normal(0, 4, 3)).astype(np.float32)
    if fate < 0.7:
        return (np.array([1.0, 0.72, 0.46]) * rng.uniform(70, 210)).astype(np.float32)
    return (np.full(3, rng.uniform(150, 250)) if fate < 0.85 else rng.uniform(10, 240, 3)).astype(np.float32)


def half_width(who: Body, down: float) -> float:
    """Half width of the bare trunk at a height, in torso lengths."""
    front = np.interp(
        down,
        [0, 0.15, 0.4, 0.7, 1.0, 1.2],
        [who.shoulder + 0.06, who.shoulder + 0.04, 0.265, 0.235, 0.31, 0.32],
    )
    wide = min(1.0, who.shoulder / 0.31)
    return float(who.girth * (wide * front + (1 - wide) * who.depth))


def trunk(who: Body, stop: float, ease: float, flare: float = 0.0, start: float = -0.05) -> Floats:
    """Outline of the trunk between two heights, widened by ``ease`` and below the waist by ``flare``."""
    downs = np.linspace(start, stop, 9)
    halves = np.array([half_width(who, min(d, 1.2)) + ease + flare * max(0.0, d - 0.7) for d in downs])
    halves[0] *= 0.72
    right, left = np.stack([halves, downs], 1), np.stack([-halves, downs], 1)
    return np.concatenate([right, left[::-1]]).astype(np.float32)


def legs(canvas: Canvas, rng: Random, who: Body, worn: Outfit) -> Floats:
    """Bare or stockinged legs and shoes; return the shoes' colour."""
    g = who.girth
    sheer = worn.hosiery and worn.lower != "trousers"
    skin, thin = who.skin, 0.0
    if sheer:
        thin = float(rng.choice([0.0, rng.uniform(0.1, 0.5)]))
        dyed = np.full(3, rng.uniform(8, 50)) if rng.random() < 0.88 else rng.uniform(20, 200, 3)
        skin = (dyed * (1 - thin) + who.skin * thin).astype(np.float32)
    shoe, sock = accessory_colour(rng), who.skin if rng.random() < 0.6 else accessory_colour(rng)
    toes = rng.uniform(0.1, 0.3)
    for limb, side in zip(who.legs, (-1, 1), strict=True):
        canvas.paint(canvas.limb(limb.root, limb.bend, (0.165 * g, 0.105 * g)), skin, LIMB)
        calf = limb.bend + 0.35 * (limb.end - limb.bend)
        shape = canvas.limb(limb.bend, calf, (0.1 * g, 0.105 * g))
        canvas.paint(canvas.limb(calf, limb.end, (0.105 * g, 0.055), shape), skin, LIMB)
        if thin:  # thin stockings let the skin through where the leg faces the camera
            core = canvas.limb(limb.root, limb.bend, (0.08 * g, 0.05 * g)) // 3
            core = np.maximum(core, canvas.limb(limb.bend, limb.end, (0.05 * g, 0.03)) // 3)
            canvas.paint(core, (skin * 0.4 + who.skin * 0.6).astype(np.float32), LIMB)
            canvas.labels[shape > 127] = LIMB
        if worn.lower != "trousers" and not sheer and rng.random() < 0.3:
            top = limb.bend + rng.uniform(0.3, 0.9) * (limb.end - limb.bend)
            canvas.paint(canvas.limb(top, limb.end, (0.085, 0.06)), sock, LIMB)
        along = side * rng.uniform(0, 0.1) if who.view is not View.SIDE else 0.26
        toe = limb.end + np.array([along, toes if who.view is not View.SIDE else 0.14])
        shape = canvas.limb(limb.end + np.array([0, 0.06]), toe, (0.075, 0.07))
        canvas.paint(shape, shoe, FEET)
        if worn.boots:
            boot(canvas, who, limb, worn.boots, shoe)
    return shoe


def boot(canvas: Canvas, who: Body, limb: Limb, high: float, shoe: Floats) -> None:
    """A shaft from the ankle to ``high`` of the way to the knee."""
    top = limb.end + high * (limb.bend - limb.end)
    canvas.paint(canvas.limb(limb.end, top, (0.085, 0.115 * who.girth)), shoe, FEET, folds=0.06)


def lower(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cloth: Floats, wardrobe: Wardrobe) -> None:
    """Trousers, shorts or a skirt: procedural, or half of them cut from photos."""
    folds = rng.uniform(0, 0.16)
    waist = 0.78 if worn.one_piece else worn.waist
    if worn.lower == "skirt":
        cut = None if worn.one_piece else wardrobe.whole(rng, "Skirt")
        if cut is not None and rng.random() < 0.5:
            _cut_skirt(canvas, rng, who, worn, cut, waist)
        else:
            _skirt(canvas, rng, who, worn, cloth, waist)
        return
    real = None if worn.one_piece else wardrobe.legs(rng, "Pants" if worn.lower == "trousers" else "Shorts")
    if real is None or rng.random() < 0.5:
        real = Legs(cloth, cloth, cloth)
    g, wide = who.girth, worn.width
    hips = canvas.polygon(trunk(who, 1.22, 0.01, start=waist))
    for number in (0, 1) if rng.random() < 0.5 else (1, 0):
        limb, shape = who.legs[number], canvas.blank()
        radius = (
            0.175 * g + 0.03 * wide, (0.114 + 0.02 * min(0, wide)) * g + 0.1 * max(0, wide),
            (0.074 + 0.04 * min(0, wide)) * g + 0.15 * max(0, wide),
        )  # fmt: skip
        if worn.lower == "trousers":
            share = np.clip((worn.hem - 1.74) / 0.69, 0.2, 1.0)
            stop = limb.bend + share * (limb.end - limb.bend) + np.array([0, 0.04 if share == 1 else 0.0])
            canvas.limb(limb.root, limb.bend, radius[:2], shape)
            canvas.limb(limb.bend, stop, radius[1:], shape)
        else:
            share = (worn.hem - 1.0) / 0.74
            stop = limb.root + min(1.0, share) * (limb.bend - limb.root)
            end = radius[0] + share * (radius[1] - radius[0]) + 0.03 * max(0, wide)
            canvas.limb(limb.root, stop, (radius[0], end), shape)
        canvas.paint(
            shape, real.left if number else real.right, LOWER, folds=folds, depth=rng.uniform(0.2, 0.5)
        )
    canvas.paint(hips, real.hips, LOWER, folds=folds * 0.6, depth=0.2)
    if rng.random() < 0.5:  # the fly and the creases beside it
        tone = np.asarray(real.hips.mean(axis=(0, 1)) * rng.uniform(0.35, 0.8), np.float32)
        canvas.paint(
            canvas.polygon([(-0.012, waist), (0.012, waist), (0.008, 1.3), (-0.008, 1.3)]) // 2, tone, LOWER
        )
        canvas.labels[hips > 127] = LOWER


def _cut_skirt(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cut: Whole, waist: float) -> None:
    """A real skirt with its own outline, wide enough for the hips."""
    hips = (1.05 - waist) / (worn.hem - waist)
    half = max(
        (half_width(who, waist) + 0.01) / cut.across(0.04), (half_width(who, 1.05) + 0.015) / cut.across(hips)
    )
    half *= rng.uniform(1.0, 1.12)
    middle = rng.normal(0, 0.015)
    shape = canvas.placed(cut.outline, middle - half, waist, middle + half, worn.hem)
    canvas.paint(shape, cut.pixels, LOWER, folds=rng.uniform(0, 0.14), depth=rng.uniform(0.15, 0.5))


def _skirt(canvas: Canvas, rng: Random, who: Body, worn: Outfit, cloth: Floats, waist: float) -> None:
    knees, ankles = sum(leg.bend[0] for leg in who.legs) / 2, sum(leg.end[0] for leg in who.legs) / 2
    middle = np.interp(worn.hem, [1.0, 1.74, 2.43], [0.0, knees, ankles])
    spread = max(abs(who.legs[0].bend[0] - who.legs[1].bend[0]) / 2, 0.05) + 0.12 * who.girth
    w0, w1 = half_width(who, waist) + 0.01, half_width(who, 1.05) + 0.02 + 0.05 * max(0.0, worn.width)
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
