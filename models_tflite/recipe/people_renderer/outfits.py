"""What is worn, drawn as words before anything is painted: dressing.py paints it.

Law: the words are the labels; what the picture does not show (a skirt under a long coat) is left open in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

Random = np.random.Generator

BACKGROUND, UPPER, OUTER, LOWER, LIMB, FEET, BAG = range(7)
_HEM_OF: Final = {"mini": (1.35, 1.6), "knee": (1.6, 1.85), "midi": (1.85, 2.2), "maxi": (2.2, 2.55)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """What is worn.

    ``lower``: trousers, shorts, skirt; ``sleeve``: share of the arm covered, 0..2 (1 at the elbow);
    ``width``: -0.3 (skinny) to 1.3; ``outer``: none, open, closed; ``vest``: without sleeves;
    ``outer_hem``, ``hem``: where they end, in torso lengths below the shoulders.
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
    vest: bool
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
        width = float(rng.choice([-0.3, 0.0, 0.35, 0.95], p=[0.36, 0.24, 0.24, 0.16]) + rng.uniform(0, 0.35))
        hem = rng.uniform(2.0, 2.38) if rng.random() < 0.3 else 2.43
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
    top_hem = waist + 0.05 if tucked else rng.uniform(0.95, 1.4)
    if not tucked and lower != "skirt" and rng.random() < 0.22:  # a tunic, a long shirt
        top_hem = rng.uniform(1.25, 1.75)
    return Outfit(
        lower=lower,
        width=width,
        hem=hem,
        waist=waist,
        top_hem=top_hem,
        sleeve=sleeve,
        ease=abs(rng.normal(0, 0.06)),
        outer=outer,
        outer_hem=float(
            rng.choice(
                [rng.uniform(0.8, 1.2), rng.uniform(1.2, 1.7), rng.uniform(1.7, 2.3)], p=[0.42, 0.36, 0.22]
            )
        ),
        vest=bool(rng.random() < 0.08),
        one_piece=one_piece,
        hosiery=bool(rng.random() < 0.27),
        bag=str(rng.choice(["none", "hand", "cross", "back", "shoulder"], p=[0.52, 0.16, 0.14, 0.1, 0.08])),
        boots=float(rng.uniform(0.1, 0.75)) if rng.random() < 0.25 else 0.0,
    )
