"""Measures garments on street photos with garment masks: `bench_garments.py --photos DIR [--model FILE]`.

Per person height: dominant colour of top and bottom against the masks' (CIEDE2000, same name), skin leak, kinds
against street_val_kinds.csv with coverage, and geometry's regions beside the network's. The photos are for validation
only: no picture is written unless a sheet is asked for, and that never into the checkout.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import statistics
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from appliance.unit.vision.attributes.ciede2000 import ciede2000
from appliance.unit.vision.attributes.colours import lab, linear, name_shares
from appliance.unit.vision.attributes.palette import palette
from appliance.unit.vision.models.catalogue import (
    ModelFile,
    TensorSpec,
    default_model_directory,
    read_catalogue,
)
from appliance.unit.vision.models.garments import (
    COLUMNS,
    HEADS,
    PLACES,
    ROWS,
    Worn,
    place,
    shown,
    views,
    worn,
)
from appliance.unit.vision.models.pose_estimator import Poses
from appliance.unit.vision.models.runtime import Wish, _runtime, choose_accelerator, load_model
from appliance.unit.vision.regions import Headless, Mask, headless, regions
from appliance.unit.vision.types import Box, Frame, Joint

HEIGHTS = (300, 200, 150, 100)
_UPPER = {
    "blazer",
    "blouse",
    "bodysuit",
    "bra",
    "cape",
    "cardigan",
    "coat",
    "hoodie",
    "jacket",
    "jumper",
    "shirt",
}
_UPPER |= {"sweater", "sweatshirt", "t-shirt", "top", "vest", "intimate"}
_LOWER = {"jeans", "leggings", "pants", "shorts", "skirt"}
_WHOLE = {"dress", "romper", "suit"}
_LIMB = {"skin", "stockings", "tights", "socks"}
_SURE = {"lower.kind": 0.6, "sleeves": 0.7, "outer": 0.6, "one_piece": 0.7}
Floats = npt.NDArray[np.float64]


def card_of(path: Path) -> ModelFile:
    """Describe a model file that MODELS.toml may not know yet."""
    stored = path.read_bytes()
    made = _runtime().Interpreter(model_content=stored)

    def spec(found: dict[str, object]) -> TensorSpec:
        scale, zero = cast("tuple[float, int]", found["quantization"])
        shape = tuple(int(side) for side in found["shape"])  # type: ignore[attr-defined]
        dtype = found["dtype"].__name__  # type: ignore[attr-defined]
        return TensorSpec(name=str(found["name"]), shape=shape, dtype=dtype, scale=scale, zero=zero)

    outputs = sorted((spec(found) for found in made.get_output_details()), key=lambda one: -len(one.shape))
    return ModelFile(
        name="garments", path=path, sha256=hashlib.sha256(stored).hexdigest(), size=len(stored),
        input=spec(made.get_input_details()[0]), outputs=tuple(outputs), labels=PLACES, licence="-", source="-",
        recipe="-", accuracy="-", compiled=None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One photo at one height: the headless person, truth masks in its pixels, and the words beside it.

    ``light`` is the frame's mean linear light (3,), by which the unit balances colours.
    """

    photo: str
    height: int
    person: Headless
    truth: dict[str, Mask]
    words: dict[str, str]
    light: npt.NDArray[np.float64]


@dataclass(slots=True)
class Tally:
    """Figures of one height and one way to find regions."""

    apart: list[float] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    leak: list[float] = field(default_factory=list)


def dominant(pixels: npt.NDArray[np.uint8], mask: Mask) -> Floats | None:
    """The largest swatch of the masked pixels, as the unit finds it."""
    places = np.flatnonzero(mask)
    if len(places) < 24:
        return None
    found = palette(lab(pixels.reshape(-1, 3)[places]))
    return np.array([found[0].lightness, found[0].a, found[0].b]) if found else None


def cases(photos: Path, labels: Path) -> list[Case]:
    """Every photo at every height in which the unit itself finds a pose and blanks a head."""
    with labels.open() as lines:
        words = {row["photo"]: row for row in csv.DictReader(lines)}
    with (photos / "labels.csv").open() as lines:
        names = {int(row["value"]): row["name"] for row in csv.DictReader(lines)}
    catalogue = read_catalogue(default_model_directory())
    poses = Poses(load_model(catalogue.named("pose"), choose_accelerator(wish=Wish.CPU)))
    rng, found = np.random.default_rng(0), []
    for path in sorted((photos / "photos").iterdir()):
        photo = path.stem[:4]
        picture = _read(path, cv2.IMREAD_COLOR)[..., ::-1]
        mask = _read(photos / "masks" / f"{photo}.png", cv2.IMREAD_GRAYSCALE)
        rows, columns = np.nonzero(mask)
        (top, bottom), (left, right) = np.percentile(rows, [0.1, 99.9]), np.percentile(columns, [0.3, 99.7])
        for height in HEIGHTS:
            scale = height / (bottom - top)
            frame_size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
            frame = _resized(np.ascontiguousarray(picture), frame_size, cv2.INTER_AREA)
            small = _resized(mask, frame_size, cv2.INTER_NEAREST)
            off = rng.normal(0, 0.015, 4) * height
            box = Box(
                left=max(0.0, left * scale + off[0]), top=max(0.0, top * scale + off[1]),
                right=min(frame.shape[1], right * scale + off[2]),
                bottom=min(frame.shape[0], bottom * scale + off[3]),
            )  # fmt: skip
            pose = poses.find(Frame(pixels=frame, at=0.0), box)
            person = None if pose is None else headless(Frame(pixels=frame, at=0.0), pose)
            if pose is None or person is None:
                continue
            hip = (pose[Joint.LEFT_HIP].y + pose[Joint.RIGHT_HIP].y) / 2
            truth = _truth(small, names, hip)
            margin = 0.06 * box.height
            x0, y0 = max(0, int(np.floor(box.left - margin))), max(0, int(np.floor(box.top)))
            x1, y1 = (
                min(frame.shape[1], int(np.ceil(box.right + margin))),
                min(frame.shape[0], int(np.ceil(box.bottom + margin))),
            )
            size = (person.seen.shape[1], person.seen.shape[0])
            cut = {k: _resized(m[y0:y1, x0:x1], size, cv2.INTER_NEAREST) for k, m in truth.items()}
            found.append(
                Case(
                    photo=photo,
                    height=height,
                    person=person,
                    truth=cut,
                    words=words.get(photo, {}),
                    light=linear(frame[::16, ::16]).reshape(-1, 3).mean(axis=0).astype(np.float64),
                )
            )
    return found


def _read(path: Path, how: int) -> npt.NDArray[np.uint8]:
    stored = cv2.imread(str(path), how)
    if stored is None:
        raise SystemExit(
            f"{path} is no picture: point --photos at a folder with photos/, masks/ and labels.csv"
        )
    return stored.astype(np.uint8)


def _resized(picture: npt.NDArray[np.uint8], size: tuple[int, int], how: int) -> npt.NDArray[np.uint8]:
    return cv2.resize(picture, size, interpolation=how).astype(np.uint8)


def _truth(mask: Mask, names: dict[int, str], hip: float) -> dict[str, Mask]:
    above = (np.arange(mask.shape[0]) < hip)[:, np.newaxis]

    def of(kinds: set[str]) -> npt.NDArray[np.bool_]:
        return np.isin(mask, [value for value, name in names.items() if name in kinds])

    top, bottom = of(_UPPER) | (of(_WHOLE) & above), of(_LOWER) | (of(_WHOLE) & ~above)
    every = {
        "top": top,
        "bottom": bottom,
        "limb": of(_LIMB),
        "bag": of({"bag", "purse", "wallet"}),
        "hair": of({"hair", "hat", "glasses", "sunglasses"}),
    }
    return {name: part.astype(np.uint8) * np.uint8(255) for name, part in every.items()}


def looks(card: ModelFile, people: list[Headless]) -> list[Worn]:
    """Run the model, whole-number or float, on every person."""
    model = load_model(card, choose_accelerator(wish=Wish.CPU))
    # A float model's values mean themselves.
    card = replace(card, outputs=tuple(replace(one, scale=one.scale or 1.0) for one in card.outputs))
    found = []
    for person in people:
        pair = []
        for view in views(shown(person)):
            fed = view[np.newaxis]
            assert fed.shape == (1, ROWS, COLUMNS, 3)
            real = card.input.dtype != "uint8"
            places, kinds = model.invoke(fed.astype(np.float32) / 127.5 - 1 if real else fed)  # type: ignore[arg-type]
            pair.append((places[0], kinds[0]))
        found.append(worn(card, pair, person))
    return found


def colours(every: list[Case], seen: list[Worn]) -> None:
    """Print the colour table: the network's regions, geometry's beside them."""
    tallies: dict[tuple[int, str, str], Tally] = defaultdict(Tally)
    could: dict[tuple[int, str], int] = defaultdict(int)
    for case, look in zip(every, seen, strict=True):
        cut = regions(case.person)
        ways = {
            "net": {"top": place(look, ("upper", "outer")), "bottom": place(look, ("lower",))},
            "geometry": {"top": cut.top if cut else None, "bottom": cut.thighs if cut else None},
        }
        for region in ("top", "bottom"):
            if cv2.countNonZero(case.truth[region]) < 0.02 * case.person.seen.size:
                continue
            could[case.height, region] += 1
            wanted = dominant(case.person.pixels, case.truth[region] & case.person.seen)
            if wanted is None:
                continue
            for way, masks in ways.items():
                mask = masks[region]
                got = None if mask is None else dominant(case.person.pixels, mask)
                if mask is None or got is None:
                    continue
                tally = tallies[case.height, way, region]
                tally.apart.append(float(ciede2000(wanted, got)))
                tally.named.append(int(np.argmax(name_shares(*wanted))) == int(np.argmax(name_shares(*got))))
                tally.leak.append(cv2.countNonZero(mask & case.truth["limb"]) / cv2.countNonZero(mask))
    print("height region way       n coverage  dE2000  same name  skin leak mean  > 10 %")
    for (height, way, region), t in sorted(
        tallies.items(), key=lambda item: (-item[0][0], item[0][2], item[0][1])
    ):
        print(
            f"{height:6} {region:6} {way:8} {len(t.apart):4} {len(t.apart) / could[height, region]:8.3f} "
            f"{statistics.median(t.apart):7.2f} {np.mean(t.named):10.3f} {np.mean(t.leak):15.3f} "
            f"{np.mean(np.array(t.leak) > 0.1):7.3f}"
        )


def auc(positive: list[float], negative: list[float]) -> float:
    """Share of pairs in the right order (Mann-Whitney)."""
    p, n = np.array(positive)[:, np.newaxis], np.array(negative)
    return float(((p > n) + 0.5 * (p == n)).mean()) if len(positive) and len(negative) else float("nan")


def kinds(every: list[Case], seen: list[Worn]) -> None:
    """Print accuracy of each head: of all, and of those said at all with their share (coverage)."""
    print("\nheight head          n  accuracy  balanced  said: coverage accuracy    AUC")
    for height in HEIGHTS:
        for head, levels in HEADS:
            key = head.split(".")[0]
            pairs = [
                (look.kind(head), case.words[key])
                for case, look in zip(every, seen, strict=True)
                if case.height == height and case.words.get(key)
            ]
            if not pairs:
                continue
            right = [max(p, key=lambda level: p[level]) == true for p, true in pairs]
            each = [
                np.mean([r for r, (_, true) in zip(right, pairs, strict=True) if true == level])
                for level in levels
            ]
            said = [
                r for r, (p, _) in zip(right, pairs, strict=True) if max(p.values()) >= _SURE.get(head, 0.6)
            ]
            base = levels[0]
            area = auc(
                [1 - p[base] for p, t in pairs if t != base], [1 - p[base] for p, t in pairs if t == base]
            )
            print(
                f"{height:6} {head:11} {len(pairs):4} {np.mean(right):9.3f} {np.mean(each):9.3f} "
                f"{len(said) / len(pairs):15.3f} {np.mean(said):8.3f} {area:6.3f}"
            )
        pairs = [(look.kind("lower.kind"), c.words["lower"]) for c, look in zip(every, seen, strict=True)
                 if c.height == height and c.words.get("lower")]  # fmt: skip
        skirt = [(p["skirt_or_dress"] > 0.5) == (true == "skirt_or_dress") for p, true in pairs]
        print(f"{height:6} trouser-like / skirt: {np.mean(skirt):.3f}")


def sheet(every: list[Case], seen: list[Worn], path: Path) -> None:
    """Write a contact sheet of what the network sees, for eyes here only."""
    tints = np.array(
        [
            [0, 0, 0],
            [220, 60, 60],
            [230, 200, 40],
            [60, 90, 230],
            [240, 170, 140],
            [60, 200, 60],
            [180, 60, 220],
        ]
    )
    tiles: list[npt.NDArray[np.uint8]] = []
    for case, look in zip(every, seen, strict=True):
        if case.height != 200 or len(tiles) == 120:
            continue
        flat = tints[np.stack([look.share((name,)) for name in PLACES]).argmax(axis=0)].astype(np.uint8)
        pair = np.hstack([case.person.pixels, flat])
        words = "/".join(max(look.kind(h), key=look.kind(h).get)[:2] for h, _ in HEADS[:4])  # type: ignore[arg-type]
        tile = np.zeros((210, 190, 3), np.uint8)
        tile[: pair.shape[0], : min(190, pair.shape[1])] = pair[:210, :190]
        cv2.putText(tile, f"{case.photo} {words}", (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 12)
    rows = [np.hstack(tiles[k : k + 12]) for k in range(0, len(tiles), 12)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def main() -> None:
    """Print both tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--photos", type=Path, required=True)
    asked.add_argument("--model", type=Path, default=default_model_directory() / "garments.tflite")
    asked.add_argument("--labels", type=Path, default=Path(__file__).with_name("street_val_kinds.csv"))
    asked.add_argument("--sheet", type=Path)
    chosen = asked.parse_args()
    every = cases(chosen.photos, chosen.labels)
    seen = looks(card_of(chosen.model), [case.person for case in every])
    colours(every, seen)
    kinds(every, seen)
    if chosen.sheet:
        sheet(every, seen, chosen.sheet)


if __name__ == "__main__":
    main()
