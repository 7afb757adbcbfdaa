"""Where cloth is on a headless person, and what kind it is: one small network on a crop aligned by the torso.

Invariants:
    * Only a ``Headless`` crop comes in: the head is zero before this file sees a pixel.
    * The crop is aligned by shoulders and hips, so the size and place of a box change nothing.
    * The network's skin and hosiery pixels are never handed on as cloth.
    * Heads give likelihoods, not verdicts; what is not sure stays unsaid by whoever weighs them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.base.errors import Unfit
from appliance.unit.vision.regions import Headless, Mask, Points, Regions
from appliance.unit.vision.types import Joint, Pixels

if TYPE_CHECKING:
    from appliance.unit.vision.models.catalogue import ModelFile, TensorSpec
    from appliance.unit.vision.models.runtime import Model

Floats = NDArray[np.float32]

ROWS: Final = 128
COLUMNS: Final = 64
STEP: Final = 2
"""Pixels of the input per cell of the maps."""
SHOULDER_ROW: Final = 14.0
TORSO_ROWS: Final = 37.0
"""After alignment the shoulders' middle lies on row 14 and the hips' middle 37 rows below it."""
PLACES: Final = ("background", "upper", "outer", "lower", "limb", "feet", "bag")
"""Channels of the map, in order; ``limb`` is bare skin and hosiery."""
HEADS: Final = (
    ("lower.kind", ("trousers", "shorts", "skirt_or_dress")),
    ("sleeves", ("long", "short")),
    ("outer", ("none", "open", "closed")),
    ("one_piece", ("no", "yes")),
    ("bag", ("no", "yes")),
)
"""Groups of the second output, in order."""
LOGITS: Final = sum(len(levels) for _, levels in HEADS)
_SURE: Final = 0.65
_UNSURE: Final = 0.45
"""Share above which a pixel counts as cloth: borders stay out of colour; and the one where that finds none."""
_FEWEST: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """What one look says: ``cells`` (64, 32, 7) shares, ``kinds`` one distribution per head.

    ``to_crop`` is the 2 x 3 affine map from cells to the pixels of the crop, ``seen`` its mask.
    """

    cells: Floats
    kinds: tuple[tuple[float, ...], ...]
    to_crop: Floats
    seen: Mask

    def share(self, names: Sequence[str]) -> Floats:
        """Share of the named places together at every pixel of the crop (h, w); 0 where nothing is seen."""
        height, width = self.seen.shape
        together = self.cells[..., [PLACES.index(name) for name in names]].sum(axis=-1)
        spread: Floats = _mapped(together, self.to_crop, (width, height))
        spread[self.seen == 0] = 0
        return spread

    def kind(self, name: str) -> dict[str, float]:
        """Probability of each level of the head called ``name``."""
        for (head, levels), found in zip(HEADS, self.kinds, strict=True):
            if head == name:
                return dict(zip(levels, found, strict=True))
        raise KeyError(name)


def alignment(joints: Points) -> Floats:
    """The 2 x 3 affine map from a crop's pixels to the network's 128 x 64, from (17, 3) joints."""
    shoulders = joints[[Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER], :2].mean(axis=0)
    hips = joints[[Joint.LEFT_HIP, Joint.RIGHT_HIP], :2].mean(axis=0)
    scale = TORSO_ROWS / max(1.0, float(np.hypot(*(hips - shoulders))))
    middle = (shoulders + hips) / 2
    across = COLUMNS / 2 - scale * float(middle[0])
    down = SHOULDER_ROW - scale * float(shoulders[1])
    return np.array([[scale, 0, across], [0, scale, down]], np.float32)


def shown(person: Headless) -> Pixels:
    """What the network is fed: (128, 64, 3) uint8 RGB, zero where nothing may be or is seen."""
    to_net = alignment(person.joints)
    pixels, scale = person.pixels, float(to_net[0, 0])
    if scale < 1:  # average before the map skips pixels
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        factors = (size[0] / pixels.shape[1], size[1] / pixels.shape[0])
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        to_net = (to_net / np.array([factors[0], factors[1], 1])).astype(np.float32)
    return _mapped(pixels, to_net, (COLUMNS, ROWS)).astype(np.uint8)


class Garments:
    """The reader of garments: keeps nothing between looks but its model."""

    def __init__(self, model: Model) -> None:
        wanted = ((1, ROWS // STEP, COLUMNS // STEP, len(PLACES)), (1, LOGITS))
        card = model.card
        found = tuple(output.shape for output in card.outputs)
        if found != wanted or card.input.shape != (1, ROWS, COLUMNS, 3):
            raise Unfit(
                f"tensors are {card.input.shape}, {found}", where=str(card.path), fix="run `make models`"
            )
        self.model = model

    def look(self, person: Headless) -> Worn:
        """Run the network on the person and on the mirror image; `Unavailable` without the accelerator's answer."""
        picture = shown(person)
        pair = [self.model.invoke(view[np.newaxis]) for view in views(picture)]
        return worn(self.model.card, [(places[0], kinds[0]) for places, kinds in pair], person)


def views(picture: Pixels) -> tuple[Pixels, Pixels]:
    """The picture and its mirror image: their errors differ, and what people wear is as likely on either side."""
    return picture, np.ascontiguousarray(picture[:, ::-1])


def worn(
    card: ModelFile, raws: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]], person: Headless
) -> Worn:
    """Read the raw outputs for the picture and, where there is a second, its mirror image. Pure.

    Logits are averaged over the views, so that neither alone can be sure.
    """
    maps, heads = card.outputs
    turned = [places[:, ::-1] if number else places for number, (places, _) in enumerate(raws)]
    places = _mean([_real(one, maps) for one in turned])
    kinds = _mean([_real(one, heads) for _, one in raws])
    back = cv2.invertAffineTransform(alignment(person.joints))
    # Cell i of the map is centred on pixel 2 i + 0.5 of the input.
    back[:, 2] += back[:, :2] @ np.full(2, (STEP - 1) / 2)
    back[:, :2] *= STEP
    return Worn(
        cells=_softmax(places),
        kinds=_heads(kinds.tolist()),
        to_crop=back.astype(np.float32),
        seen=person.seen,
    )


def _mapped(picture: NDArray[Any], affine: Floats, size: tuple[int, int]) -> NDArray[Any]:
    """``picture`` under a 2 x 3 affine map, in a canvas of ``size`` (columns, rows); zero where it has nothing."""
    return cv2.warpAffine(picture, affine, size, flags=cv2.INTER_LINEAR)


def _heads(logits: list[float]) -> tuple[tuple[float, ...], ...]:
    """A distribution per head. Plain numbers: an array of three costs more than three numbers."""
    found, start = [], 0
    for _, levels in HEADS:
        group = logits[start : start + len(levels)]
        raised = [math.exp(one - max(group)) for one in group]
        found.append(tuple(one / sum(raised) for one in raised))
        start += len(levels)
    return tuple(found)


def _real(raw: NDArray[np.uint8], spec: TensorSpec) -> Floats:
    real: Floats = (raw.astype(np.float32) - spec.zero) * np.float32(spec.scale)
    return real


def _mean(parts: list[Floats]) -> Floats:
    """Mean of few arrays; adding them costs less than stacking them."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    mean: Floats = total * np.float32(1 / len(parts))
    return mean


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def place(look: Worn, names: Sequence[str], sure: float = _SURE, fewest: int = _FEWEST) -> Mask | None:
    """Where the named places together are surer than ``sure``; None for fewer than ``fewest`` pixels."""
    mask = (look.share(names) > sure).astype(np.uint8) * np.uint8(255)
    return mask if cv2.countNonZero(mask) >= fewest else None


def _cloth(look: Worn, names: Sequence[str]) -> Mask | None:
    sure = place(look, names)
    return place(look, names, _UNSURE) if sure is None else sure


def refined(cut: Regions, look: Worn) -> Regions:
    """Geometry's regions with the network's cloth: same fields, so that attributes.py needs no other change.

    ``top`` becomes all cloth above the waist, ``hips`` and ``thighs`` lose what is no lower garment, and the feet
    become the shoes. Where the network is not sure of enough cloth, geometry's region stays.
    """
    top, lower = _cloth(look, ("upper", "outer")), _cloth(look, ("lower",))
    feet = None if cut.feet is None else place(look, ("feet",), fewest=12)
    return Regions(
        top=cut.top if top is None else top,
        sleeves=cut.sleeves,
        forearms=cut.forearms,
        hands=cut.hands,
        hips=cut.hips,
        thighs=cut.thighs if lower is None else lower,
        shins=cut.shins,
        feet=cut.feet if feet is None else feet,
    )


def one_cloth(look: Worn, names: Sequence[str], sure: float, fewest: int) -> Mask | None:
    """Where the one garment is that covers most of what is surer than ``sure`` to be any of ``names``.

    A pixel belongs to the likeliest of the names. None where that garment has fewer than ``fewest`` pixels: the edge
    between two garments is no pattern of either, so neither pattern is read across it.
    """
    shares = [look.share((name,)) for name in names]
    likeliest = np.argmax(shares, axis=0)
    likeliest[sum(shares) <= sure] = -1
    masks = [(likeliest == place).astype(np.uint8) * np.uint8(255) for place in range(len(names))]
    largest = max(masks, key=cv2.countNonZero)
    return largest if cv2.countNonZero(largest) >= fewest else None
