"""What the hub costs: the one door against pure Ed25519, a vector's score and update, and a batch to the disk.

Run: ``make bench`` or ``python -m tests.bench.bench_hub``.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable
from itertools import repeat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.hub.admission.admission import Admission
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.event_day import EventDayRarity
from appliance.hub.statistics.layout import encode
from appliance.hub.statistics.leave_one_out import LeaveOneOutRarity
from appliance.hub.statistics.lenses.score_tables import tables_of
from appliance.hub.statistics.rarity import Rarity
from appliance.hub.storage.state import Snapshot
from appliance.protocol import sign, wire
from appliance.protocol.values import Seconds, UnitId
from tests.hub.corner import BOOTH, NOON, Camera, Crowd, new_booth, register_of, store_at

MESSAGES = 2000
ROUNDS = 7
NORTH = UnitId("north")


def best(*calls: Callable[[], object]) -> list[float]:
    """The least CPU seconds of each call over some rounds, the calls taking turns: a noisy machine hits all alike."""
    least = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for place, call in enumerate(calls):
            begun = time.process_time()
            call()
            least[place] = min(least[place], time.process_time() - begun)
    return least


def bench_the_door() -> None:
    """The whole ingest of a sealed message against the pure signature check, side by side in one run."""
    camera, crowd = Camera("north"), Crowd()
    envelopes = [camera.observation(crowd.person(), NOON - 900 + number / 4) for number in range(MESSAGES)]
    key, aad = Ed25519PublicKey.from_public_bytes(camera.row.public_key), sign.external_aad(BOOTH)
    parts = [wire.untrusted_parts(envelope) for envelope in envelopes]
    signed = [
        (one.untrusted_signature, wire.to_be_signed(one.untrusted_protected, aad, one.untrusted_payload))
        for one in parts
    ]
    signer = sign.Signer(unit=NORTH, public_key=camera.row.public_key)
    opener = sign.Opener(booth=BOOTH, signer_of={sign.key_id(signer.public_key): signer}.get)

    def verify() -> None:
        for signature, content in signed:
            key.verify(signature, content)

    def unseal() -> None:
        for envelope in envelopes:
            opener.open(envelope)

    def admit() -> None:
        door = Admission(booth=BOOTH, register=register_of(camera))
        for envelope in envelopes:
            door.admit(camera.topic, envelope, NOON)

    pure, opened, admitted = best(verify, unseal, admit)
    print(f"\nverify alone   {MESSAGES / pure:8.0f} /s   {pure / MESSAGES * 1e6:6.1f} us")
    print(f"sign.Opener    {MESSAGES / opened:8.0f} /s   {pure / opened:6.1%} of the verify rate")
    print(f"the whole door {MESSAGES / admitted:8.0f} /s   {pure / admitted:6.1%} of the verify rate")


def bench_update_and_score() -> None:
    """One vector scored and counted, one by one, in plain numpy, on a street seen for a day."""
    crowd, rarity = Crowd(sight=(0.95,)), Rarity(Baseline())
    vectors = [crowd.person() for _ in range(MESSAGES)]
    for number in range(3):
        for vector in vectors:
            rarity.score_and_learn(vector, NORTH, Seconds(NOON + number))
    laid_out = [encode(vector) for vector in vectors]

    baseline = rarity.baseline
    calls: tuple[Callable[[], object], ...] = (
        lambda: [rarity.score_and_learn(vector, NORTH, NOON) for vector in vectors],
        lambda: [encode(vector) for vector in vectors],
        lambda: [rarity.score(one) for one in laid_out],
        lambda: deque(map(baseline.count, laid_out, repeat(NORTH), repeat(NOON)), maxlen=0),
        lambda: tables_of(baseline, NOON),
    )
    whole, layout, scored, counted, tabled = best(*calls)
    for what, seconds in (
        ("score and update", whole), ("  of this: lay out", layout), ("  score", scored), ("  count", counted),
    ):  # fmt: skip
        print(f"{what:22s} {seconds / MESSAGES * 1e6:6.1f} us a vector")
    print(f"{'tables':22s} {tabled * 1e6:6.0f} us, once for 128 people")
    state = baseline.state()
    size = state.pairs.nbytes + state.known.nbytes + sum(row.nbytes for _, row in state.cameras)
    print(f"{'state in memory':22s} {(size + rarity.bins().nbytes) / 1e3:6.0f} kB")


def bench_cameras() -> None:
    """One person judged and counted by the whole hub's statistics: with everything, and without each other camera."""
    crowd = Crowd(sight=(0.95,))
    vectors = [crowd.person() for _ in range(MESSAGES)]
    for cameras in (1, 2, 4):
        units, rarity = (
            [UnitId(f"camera-{place}") for place in range(cameras)],
            LeaveOneOutRarity(EventDayRarity(Baseline())),
        )
        for number in range(2):
            begun = time.process_time()
            for place, vector in enumerate(vectors):
                rarity.judge_and_learn(vector, units[place % cameras], Seconds(NOON + number))
            taken = time.process_time() - begun
        print(f"{cameras} cameras: {taken / MESSAGES * 1e6:6.1f} us of CPU a person")


def bench_a_batch_to_the_disk() -> None:
    """Batches of twenty, what the broker keeps in flight, thought about and stored; and a snapshot."""
    camera, crowd = Camera("north"), Crowd()
    batches = [
        [camera.says(camera.observation(crowd.person(), NOON - 900 + batch)) for _ in range(20)]
        for batch in range(100)
    ]
    with tempfile.TemporaryDirectory() as directory:
        store = store_at(Path(directory))
        booth = new_booth(camera, stored=store.load())
        begun = time.perf_counter()
        for batch in batches:
            store.commit(booth.handle_batch(batch, NOON).changes)
        taken = time.perf_counter() - begun
        begun = time.perf_counter()
        changes = booth.handle_batch([], NOON, last=True).changes
        store.commit(changes)
        written = time.perf_counter() - begun
        assert isinstance(changes.snapshot, Snapshot)
        store.close()
        size = (Path(directory) / "hub.sqlite").stat().st_size
    print(f"{'batches of 20':22s} {2000 / taken:6.0f} messages a second, wall clock, to the disk")
    print(f"{'snapshot':22s} {written * 1e3:6.1f} ms, database {size / 1e3:.0f} kB")


def test_what_the_hub_costs() -> None:
    """Prints what the hub costs; ingest is at least 80 % of the pure verify rate."""
    bench_the_door()
    bench_update_and_score()
    bench_cameras()
    bench_a_batch_to_the_disk()


if __name__ == "__main__":
    test_what_the_hub_costs()
