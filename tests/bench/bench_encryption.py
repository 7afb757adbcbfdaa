"""What encryption to the hub costs: bytes, and processor time on both sides, with and without in turns.

Run: python -m tests.bench.bench_encryption
"""

from __future__ import annotations

import json
import statistics
import time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.hub.admission.admission import Admission
from appliance.protocol import encryption, sign, topics, wire
from appliance.protocol.encryption import Decryptor
from appliance.protocol.sign import Opener, Sealer, Signer
from appliance.protocol.values import (
    AttributeVector,
    BoothId,
    Epoch,
    Observation,
    PhenomenonTime,
    Seconds,
    Seq,
    Steps,
    UnitId,
)
from appliance.settings.config import EnrolledUnit, Register

BOOTH, UNIT = BoothId("bench"), UnitId("north")
COUNT, TURNS = 2000, 7
SIGNING = sign.new_private_key()
TOPIC = topics.observation(BOOTH, UNIT)


def main() -> None:
    """Print one JSON object; times are microseconds a message, medians of the turns."""
    sealer = Sealer(private_key=SIGNING, booth=BOOTH)
    vector = AttributeVector.of(top_colour="red", top_pattern="plain", sleeves="long")
    envelopes = [
        sealer.seal(
            Observation(
                unit=UNIT,
                epoch=Epoch(1),
                seq=Seq(number),
                seen=PhenomenonTime(uptime=Steps(number), wall=None),
                vector=vector,
            )
        )
        for number in range(COUNT)
    ]
    key = X25519PrivateKey.generate()
    public = encryption.public_key_of(key)
    signer = Signer(unit=UNIT, public_key=sign.public_key_of(SIGNING))
    relay = Opener(booth=BOOTH, signer_of=lambda _: signer)
    register = Register(
        units=(EnrolledUnit(unit=UNIT, public_key=signer.public_key, place="here"),), tablets=()
    )

    def admitted(messages: list[bytes]) -> None:
        door = Admission(booth=BOOTH, register=register)
        door.decryptor = Decryptor([key])
        for number, message in enumerate(messages):
            door.admit(TOPIC, message, Seconds(1e9 + 5 * number))

    found: dict[str, list[float]] = {"relay_checks": [], "relay_encrypts": [], "hub": [], "hub_clear": []}
    for _ in range(TURNS):
        start = time.thread_time()
        for one in envelopes:
            relay.open(one)
        found["relay_checks"].append(time.thread_time() - start)
        start = time.thread_time()
        messages = [encryption.encrypted(one, public_key=public, topic=TOPIC) for one in envelopes]
        found["relay_encrypts"].append(time.thread_time() - start)
        for name, batch in (("hub_clear", envelopes), ("hub", messages)):
            start = time.thread_time()
            admitted(batch)
            found[name].append(time.thread_time() - start)
    micro = {name: round(statistics.median(times) / COUNT * 1e6, 1) for name, times in found.items()}
    ratios = [one / other for one, other in zip(found["hub"], found["hub_clear"], strict=True)]
    print(
        json.dumps(
            {
                "bytes": {"clear, at most": wire.MAX_ENVELOPE, "encrypted": encryption.MESSAGE_BYTES},
                "microseconds": micro,
                "hub, encrypted / clear": [
                    round(min(ratios), 2), round(statistics.median(ratios), 2), round(max(ratios), 2),
                ],
            },
            indent=1,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
