"""The audit of a simulated day as text and picture: three cameras, one of which looks into the sun.

Run: ``python -m tests.bench.bench_audit [--people 9000] [--plot FILE.png]``.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from appliance.hub.pacing.local_day import local_day
from appliance.hub.records import audit
from appliance.hub.records.audit import AuditRow
from appliance.protocol.values import AttributeVector, Reading, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX, Confidence
from tests.hub.corner import NOON, Camera, Crowd, new_booth, store_at

FAULTY = "south"
FAULT_SHARE = 0.05
BATCH = 30


def with_glare(vector: AttributeVector, chance: random.Random) -> AttributeVector:
    """The vector as a camera reads it that looks into the sun: its colours are anything."""
    readings = list(vector.readings)
    for name in ("top.colour", "top.accent", "bottom.colour", "bottom.accent"):
        attribute = ATTRIBUTES[INDEX[name]]
        readings[INDEX[name]] = Reading(
            level=1 + chance.randrange(len(attribute.levels)), confidence=Confidence.SURE
        )
    return AttributeVector(readings=tuple(readings))


def audited(people: int) -> tuple[AuditRow, ...]:
    """The report of a booth that ``people`` passed between 10 and 20 h."""
    chance, crowd = random.Random(3), Crowd(3, sight=(0.3, 0.6, 0.95))  # noqa: S311 - a bench's chance
    opens = local_day(NOON).midnight + 10 * 3600
    cameras = [
        Camera(name, seed=number + 1, booted=opens - 1000)
        for number, name in enumerate(("east", "north", FAULTY))
    ]
    with tempfile.TemporaryDirectory() as directory:
        store = store_at(Path(directory))
        booth = new_booth(*cameras, stored=store.load(), now=opens, warmup_people=300)
        begun = time.process_time()
        for start in range(0, people, BATCH):
            now = Seconds(opens + start * 36_000 / people)
            batch = []
            for _ in range(BATCH):
                camera, person = chance.choice(cameras), crowd.person()
                if camera.name == FAULTY and chance.random() < FAULT_SHARE:
                    person = with_glare(person, chance)
                batch.append(camera.says(camera.observation(person, now)))
            store.commit(booth.handle_batch(batch, now).changes)
        print(f"{people} people in {time.process_time() - begun:.1f} s of CPU, sealing and disk included\n")
        rows = audit.report(store.audited())
        store.close()
    return rows


def plot(rows: tuple[AuditRow, ...], path: Path) -> None:
    """Flag rates with intervals by camera, hour, visibility and one garment attribute."""
    import matplotlib as mpl  # noqa: PLC0415 - only where a picture is wanted

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    aspects = (audit.CAMERA, audit.HOUR, audit.VISIBILITY, "top.colour")
    figure, axes = plt.subplots(1, len(aspects), figsize=(13, 3.6), sharey=True, constrained_layout=True)
    for axis, aspect in zip(axes, aspects, strict=True):
        chosen = [row for row in rows if row.count.aspect == aspect]
        for place, row in enumerate(chosen):
            colour = "#d1495b" if row.stands_out else "#2e86ab"
            axis.plot([place, place], [100 * row.low, 100 * row.high], color=colour, lw=2)
            axis.plot(place, 100 * row.rate, "o", color=colour)
        axis.set_xticks(range(len(chosen)), [row.count.value for row in chosen], rotation=30, ha="right")
        axis.set_title(f"by {aspect}")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yscale("log")
    axes[0].set_yticks([0.5, 1, 2, 5, 10, 20, 50, 100], ["0.5", "1", "2", "5", "10", "20", "50", "100"])
    axes[0].set_ylabel("flagged, % (95 % interval)")
    figure.suptitle("Audit of a simulated day; red stands out (a camera that looks into the sun)")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print the report, draw it where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=9000)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--video", help=argparse.SUPPRESS)
    given = parser.parse_args()
    rows = audited(given.people)
    print(audit.text(rows, "corner"))
    if given.plot:
        plot(rows, given.plot)


if __name__ == "__main__":
    main()
