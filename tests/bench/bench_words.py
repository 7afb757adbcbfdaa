"""Right words after six glances, by attribute and word, on drawn people and on photos: how well each can be said.

    python tests/bench/bench_words.py --photos FOLDER [--fit] [--choice]

Drawn people wear each colour equally often (tests/bench/words/drawn.py); the photos are the validation set with
garment masks (photos.py), a colour's truth is what the masks show. Three sets are kept apart: confusion was measured
on the drawn people of seed ``FITTED`` and the photos of odd number (``--fit`` does it, into confusion_tables.py),
the few constants beside it were chosen on seed ``CHOICE`` and the same photos (``--choice`` prints them), and printed
are seed ``REPORT`` and the photos of even number. Two minutes on one core, ``--fit`` four.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2

from appliance.unit.vision.attributes import confusion_tables
from appliance.unit.vision.attributes.reading import Networks
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue
from appliance.unit.vision.models.garments import Garments
from appliance.unit.vision.models.pattern import Patterns
from appliance.unit.vision.models.pose_estimator import Poses
from appliance.unit.vision.models.runtime import Wish, choose_accelerator, load_model
from tests.bench.words import drawn, fit, photos, report
from tests.bench.words.looked import Person, chosen

COMMAND = "python tests/bench/bench_words.py --photos FOLDER --fit"
FITTED, CHOICE, REPORT = 1, 4, 5
"""Seeds of the drawn people."""
FITTED_EACH = 250
"""Drawn people of each colour that confusion is measured on."""


def main() -> None:
    """Look at everybody asked for; print, or fit."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    asked.add_argument(
        "--photos", type=Path, help="folder with photos/, masks/ and labels.csv; without it only drawn"
    )
    asked.add_argument("--labels", type=Path, default=Path(__file__).with_name("street_val_kinds.csv"))
    asked.add_argument("--each", type=int, default=100, help="drawn people of each colour above the waist")
    asked.add_argument("--choice", action="store_true", help="print the people that constants were chosen on")
    asked.add_argument("--fit", action="store_true", help="measure the confusion and write its tables")
    given = asked.parse_args()
    if given.fit and given.photos is None:
        asked.error("--fit needs --photos: the kinds of garments are measured on them")
    cv2.setNumThreads(1)
    catalogue, place = read_catalogue(default_model_directory()), choose_accelerator(wish=Wish.CPU)
    garments = Garments(load_model(catalogue.named("garments"), place))
    choice = given.choice or given.fit
    seed, each = (FITTED, FITTED_EACH) if given.fit else (CHOICE if choice else REPORT, given.each)
    people = list(drawn.people(seed, each, Networks(garments=garments)))
    photographed: list[Person] = []
    if given.photos is not None:
        networks = Networks(
            garments=garments, patterns=Patterns(load_model(catalogue.named("pattern"), place))
        )
        poses = Poses(load_model(catalogue.named("pose"), place))
        for height in photos.HEIGHTS:
            photographed += photos.people(given.photos, given.labels, networks, poses, height)
        photographed = chosen(photographed, choice=choice)
    if given.fit:
        fit.write([*people, *photographed], Path(confusion_tables.__file__), COMMAND)
        return
    which = "choice" if choice else "report"
    for name, group in (("drawn", people), ("photos, each at four heights", photographed)):
        if group:
            print(f"{name} ({which}): {len(group)} people, six glances each")
            report.show(report.counted(group))


if __name__ == "__main__":
    main()
