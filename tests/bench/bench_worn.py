"""Measures all that ``attributes.read`` says, on street photos with garment masks: `bench_worn.py --photos DIR`.

Per person height: every attribute that has a truth, how often it is said and how often it is right then, beside the
answer that is always the commonest; and how often a colour keeps its name when the camera's light changes. One glance
a person, the unit's own code from the pose to the posterior. The photos are for validation only; none is written.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from bench_garments import HEIGHTS, Case, auc, card_of, cases, dominant

from appliance.protocol.vocabulary import ATTRIBUTES, COLOURS, INDEX
from appliance.unit.vision.attributes import fusion
from appliance.unit.vision.attributes.colours import Balance, name_shares
from appliance.unit.vision.attributes.priors import CALIBRATION
from appliance.unit.vision.attributes.reading import Networks, read
from appliance.unit.vision.models.catalogue import default_model_directory
from appliance.unit.vision.models.garments import Garments
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model

Gains = npt.NDArray[np.float32]
_WORDS = {"lower.kind": "lower", "sleeves": "sleeves", "outer": "outer", "one_piece": "one_piece"}
_BAG_SHARE = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One attribute after one glance: posterior per level, and the word the unit would say ("unknown")."""

    shares: tuple[float, ...]
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was told of one person's attribute, None where it was not read at all, and the truth."""

    told: Told | None
    truth: str


def balanced(light: npt.NDArray[np.float64]) -> Gains:
    """The unit's gains for a scene whose mean linear light is this."""
    picture = (np.clip(light, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8).reshape(1, 1, 3)
    balance = Balance()
    balance.look(picture)
    return balance.gains


def posteriors(case: Case, networks: Networks, gains: Gains) -> dict[str, Told]:
    """Posterior and word of each attribute that one glance says something about."""
    readings = read(case.person, gains, networks)
    vector = fusion.describe([readings])
    return {
        ATTRIBUTES[one.attribute].name: Told(
            shares=fusion.posterior([one], CALIBRATION[one.attribute]),
            word=ATTRIBUTES[one.attribute].label(vector.readings[one.attribute].level),
        )
        for one in readings
    }


def truths(case: Case) -> dict[str, str]:
    """What the masks and the words beside the photo say."""
    found = {name: case.words[key] for name, key in _WORDS.items() if case.words.get(key)}
    for region, name in (("top", "top.colour"), ("bottom", "bottom.colour")):
        if cv2.countNonZero(case.truth[region]) < 0.02 * case.person.seen.size:
            continue
        colour = dominant(case.person.pixels, case.truth[region] & case.person.seen)
        if colour is not None:
            found[name] = COLOURS[int(np.argmax(name_shares(*colour)))]
    carried = cv2.countNonZero(case.truth["bag"]) / cv2.countNonZero(case.person.seen)
    if carried > _BAG_SHARE or carried == 0:
        found["bag"] = "yes" if carried else "no"
    return found


def told(every: list[Case], read_of: list[dict[str, Told]]) -> None:
    """Print, per height and attribute, coverage and accuracy."""
    print("height attribute       n  commonest  likeliest  said  right when said   AUC")
    for height in HEIGHTS:
        rows: dict[str, list[Said]] = defaultdict(list)
        for case, known in zip(every, read_of, strict=True):
            if case.height == height:
                for name, truth in truths(case).items():
                    rows[name].append(Said(told=known.get(name), truth=truth))
        for name in (one.name for one in ATTRIBUTES if one.name in rows):
            _row(height, name, rows[name])


def _row(height: int, name: str, rows: list[Said]) -> None:
    levels = ATTRIBUTES[INDEX[name]].levels
    commonest = Counter(one.truth for one in rows).most_common(1)[0][1] / len(rows)
    spoken = [(one.told, one.truth) for one in rows if one.told is not None]
    right = [levels[int(np.argmax(one.shares))] == truth for one, truth in spoken]
    said = [one.word == truth for one, truth in spoken if one.word != "unknown"]
    base = levels[0]
    area = auc(
        [1 - one.shares[0] for one, truth in spoken if truth != base],
        [1 - one.shares[0] for one, truth in spoken if truth == base],
    )
    print(
        f"{height:6} {name:14} {len(rows):4} {commonest:10.3f} {np.mean(right) if right else 0:10.3f} "
        f"{len(said) / len(rows):5.3f} {np.mean(said) if said else 0:16.3f} {area:5.3f}"
    )
    if name == "lower.kind":
        skirt = [(one.shares[2] > 0.5) == (truth == "skirt_or_dress") for one, truth in spoken]
        print(f"{height:6} trouser-like or skirt: {np.mean(skirt):.3f}")


def steadiness(every: list[Case], networks: Networks) -> None:
    """Print how often the colour's name stays under exposure within 35 % and white balance within 14 %."""
    rng = np.random.default_rng(7)
    kept: dict[tuple[int, str], list[bool]] = defaultdict(list)
    said: dict[tuple[int, str], list[bool]] = defaultdict(list)
    for case in every:
        gain = rng.uniform(0.65, 1.35) * rng.uniform(0.86, 1.14, 3)
        linear = (case.person.pixels / 255.0) ** 2.2 * gain
        changed = (np.clip(linear, 0, 1) ** (1 / 2.2) * 255).round().astype(np.uint8)
        changed[case.person.seen == 0] = 0
        other = replace(case, person=replace(case.person, pixels=changed))
        before = posteriors(case, networks, balanced(case.light))
        after = posteriors(other, networks, balanced(case.light * gain))
        for name in ("top.colour", "bottom.colour"):
            if name in before and name in after:
                same = int(np.argmax(before[name].shares)) == int(np.argmax(after[name].shares))
                kept[case.height, name].append(same)
                words = before[name].word, after[name].word
                if "unknown" not in words:
                    said[case.height, name].append(words[0] == words[1])
    print("\nheight attribute      same name  said both times  same then")
    for key, stayed in sorted(kept.items(), key=lambda item: (-item[0][0], item[0][1])):
        both = said[key]
        print(
            f"{key[0]:6} {key[1]:14} {np.mean(stayed):10.3f} {len(both) / len(stayed):16.3f} {np.mean(both):10.3f}"
        )


def main() -> None:
    """Print both tables and the time a glance takes."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--photos", type=Path, required=True)
    asked.add_argument("--model", type=Path, default=default_model_directory() / "garments.tflite")
    asked.add_argument("--labels", type=Path, default=Path(__file__).with_name("street_val_kinds.csv"))
    chosen = asked.parse_args()
    every = cases(chosen.photos, chosen.labels)
    model = load_model(card_of(chosen.model), choose_accelerator(wish=Wish.CPU))
    networks = Networks(garments=Garments(model))
    started = time.perf_counter()
    read_of = [posteriors(case, networks, balanced(case.light)) for case in every]
    spent = time.perf_counter() - started
    told(every, read_of)
    print(f"{spent / len(every) * 1000:.2f} ms a glance")
    steadiness(every, networks)


if __name__ == "__main__":
    main()
