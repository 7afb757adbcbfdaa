"""Street photos with garment masks (validation only): what the masks say is worn, and six glances at each person."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from appliance.protocol.vocabulary import COLOURS
from appliance.unit.vision.attributes.colours import Balance, lab, name_shares
from appliance.unit.vision.attributes.palette import Swatch, palette
from appliance.unit.vision.attributes.reading import Networks, measure
from appliance.unit.vision.models.pose_estimator import Poses
from appliance.unit.vision.regions import headless
from appliance.unit.vision.types import Box, Frame, Joint
from tests.bench.words.looked import CLEAR, GLANCES, MOST_SECOND, SECOND, Person

HEIGHTS = (300, 200, 150, 100)
KINDS = {"lower.kind": "lower", "sleeves": "sleeves", "outer": "outer", "one_piece": "one_piece"}
_UPPER = frozenset(
    {
        *(
            "blazer",
            "blouse",
            "bodysuit",
            "bra",
            "cape",
            "cardigan",
            "coat",
            "hoodie",
            "intimate",
            "jacket",
            "jumper",
        ),
        *("shirt", "sweater", "sweatshirt", "t-shirt", "top", "vest"),
    }
)
_LOWER = frozenset(["jeans", "leggings", "pants", "shorts", "skirt"])
_WHOLE = frozenset(["dress", "romper", "suit"])
_FEET = frozenset(
    ["boots", "clogs", "flats", "heels", "loafers", "pumps", "sandals", "shoes", "sneakers", "wedges"]
)
_ALONE = 0.08
"""A cloth whose second colour covers less than this has none."""
Pixels = npt.NDArray[np.uint8]


def people(
    photos: Path, labels: Path, networks: Networks, poses: Poses, height: int, only: slice = slice(None)
) -> Iterator[Person]:
    """Everybody whom the unit itself finds a pose of, at one height."""
    with labels.open() as lines:
        words = {row["photo"]: row for row in csv.DictReader(lines)}
    with (photos / "labels.csv").open() as lines:
        names = {int(row["value"]): row["name"] for row in csv.DictReader(lines)}
    for path in sorted((photos / "photos").iterdir())[only]:
        photo = path.stem[:4]
        picture = np.ascontiguousarray(_read(path, cv2.IMREAD_COLOR)[..., ::-1])
        mask = _read(photos / "masks" / f"{photo}.png", cv2.IMREAD_GRAYSCALE)
        person = Person(source="photo", name=photo, height=height, truth={})
        _glances(person, picture, mask, networks, poses)
        hip = float(person.truth.pop("hip", "nan"))
        if len(person.glances) < GLANCES // 2:
            continue
        person.truth.update(cloths(picture, mask, names, hip))
        person.truth.update(
            {name: words[photo][key] for name, key in KINDS.items() if words.get(photo, {}).get(key)}
        )
        yield person


def _read(path: Path, how: int) -> Pixels:
    stored = cv2.imread(str(path), how)
    if stored is None:
        raise SystemExit(
            f"{path} is no picture: point --photos at a folder with photos/, masks/ and labels.csv"
        )
    return stored.astype(np.uint8)


def _glances(person: Person, picture: Pixels, mask: Pixels, networks: Networks, poses: Poses) -> None:
    """Six glances: the size, the box and the noise differ; light and pose are the photo's. Notes the hips' height."""
    rng = np.random.default_rng((int(person.name), person.height))
    rows, columns = np.nonzero(mask)
    (top, bottom), (left, right) = np.percentile(rows, [0.1, 99.9]), np.percentile(columns, [0.3, 99.7])
    for _ in range(GLANCES):
        scale = person.height / (bottom - top) * rng.uniform(0.93, 1.07)
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        small = small * rng.uniform(0.95, 1.05) + rng.standard_normal(small.shape).astype(np.float32) * 2.5
        frame = Frame(pixels=np.clip(small, 1, 255).astype(np.uint8), at=0.0)
        off = rng.normal(0, 0.015, 4) * person.height
        box = Box(
            left=max(0.0, left * scale + off[0]),
            top=max(0.0, top * scale + off[1]),
            right=min(size[0], right * scale + off[2]),
            bottom=min(size[1], bottom * scale + off[3]),
        )
        pose = poses.find(frame, box)
        seen = None if pose is None else headless(frame, pose)
        if pose is None or seen is None:
            continue
        balance = Balance()
        balance.look(frame.pixels)
        person.glances.append(measure(seen, balance.light, networks))
        person.truth["hip"] = str((pose[Joint.LEFT_HIP].y + pose[Joint.RIGHT_HIP].y) / 2 / scale)


def cloths(picture: Pixels, mask: Pixels, names: dict[int, str], hip: float) -> dict[str, str]:
    """Main and second colour above and below the hips, and the colour at the feet, by the masks."""
    above = (np.arange(mask.shape[0]) < hip)[:, np.newaxis]

    def of(kinds: frozenset[str]) -> npt.NDArray[np.bool_]:
        return np.isin(mask, [value for value, name in names.items() if name in kinds])

    truth: dict[str, str] = {}
    for where, region in (
        ("top", of(_UPPER) | (of(_WHOLE) & above)),
        ("bottom", of(_LOWER) | (of(_WHOLE) & ~above)),
    ):
        if region.sum() >= 0.02 * (mask > 0).sum():
            truth.update(colours(where, palette(lab(picture[region]))))
    shoes = of(_FEET)
    if shoes.sum() >= 0.01 * (mask > 0).sum():
        truth["feet.colour"] = _feet(np.median(lab(picture[shoes]), axis=0).tolist())
    return {name: word for name, word in truth.items() if word}


def _feet(middle: list[float]) -> str:
    """By the unit's own borders; empty near them."""
    chroma = float(np.hypot(middle[1], middle[2]))
    if abs(chroma - 24) < 5 or (chroma < 24 and abs(middle[0] - 52) < 6):
        return ""
    return "coloured" if chroma > 24 else "light" if middle[0] > 52 else "dark"


def colours(where: str, swatches: tuple[Swatch, ...]) -> dict[str, str]:
    """The clear words of a true palette; nothing where its main colour lies between two names."""
    if not swatches:
        return {}
    shares = [name_shares(one.lightness, one.a, one.b) for one in swatches]
    named = [COLOURS[int(np.argmax(one))] for one in shares]
    truth: dict[str, str] = {}
    first_clear = max(shares[0]) >= CLEAR
    if first_clear and (len(swatches) == 1 or swatches[1].share < MOST_SECOND):
        truth[f"{where}.colour"] = named[0]
    if len(swatches) == 1 or swatches[1].share < _ALONE:
        truth[f"{where}.accent"] = "none"
    elif first_clear and swatches[1].share >= SECOND and max(shares[1]) >= CLEAR and named[1] != named[0]:
        truth[f"{where}.accent"] = named[1]
    return truth
