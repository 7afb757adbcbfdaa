"""What the real unit has said, as it passed the demo on its way from SENSE to RELAY.

Invariants:
    * Listens only. No right of the broker is widened for the demo: the hub alone reads observations there.
    * Believes nothing: every envelope is opened with the register's public key, or passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from appliance.base.errors import Refused
from appliance.protocol.sign import Opener, Signer, key_id
from appliance.protocol.values import TIME_STEP, BoothId, Epoch, Observation, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings import config
from appliance.unit.pipe.record import envelope_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One observation of the real unit and the size of its envelope in bytes."""

    observation: Observation
    size: int


class Ledger:
    """The observations that the unit called ``unit`` has sealed in ``epoch``, by number."""

    def __init__(self, *, booth: BoothId, unit: UnitId, epoch: Epoch, register: Path) -> None:
        self._epoch = epoch
        self._signers = {
            key_id(row.public_key): Signer(unit=row.unit, public_key=row.public_key)
            for row in config.register(register).units
            if row.unit == unit
        }
        self._opener = Opener(booth=booth, signer_of=self._signers.get)
        self._observations: dict[int, Said] = {}

    def note(self, untrusted_record: bytes) -> None:
        """Take in one record of the pipe."""
        envelope = envelope_of(untrusted_record)
        if envelope is None:
            return
        try:
            statement = self._opener.open(envelope)
        except Refused:
            return
        if isinstance(statement, Observation) and statement.epoch == self._epoch:
            self._observations[statement.seq] = Said(observation=statement, size=len(envelope))

    def admitted(self, statements: int) -> list[Said]:
        """The observations among the first ``statements`` numbers: what a hub has that misses none of them."""
        return [said for seq, said in sorted(self._observations.items()) if seq < statements]


def as_json(observation: Observation) -> str:
    """An observation spelled out, for people: all that a unit says of somebody."""
    readings = zip(ATTRIBUTES, observation.vector.readings, strict=True)
    wall = observation.seen.wall
    spelled = {
        "unit": observation.unit,
        "epoch": observation.epoch,
        "seq": observation.seq,
        "seen": {
            "uptime": observation.seen.uptime * TIME_STEP,
            "wall": None if wall is None else wall * TIME_STEP,
            "step": TIME_STEP,
        },
        "wears": {
            attribute.name: [attribute.label(reading.level), reading.confidence.name.lower()]
            for attribute, reading in readings
            if reading.confidence is not None
        },
    }
    return json.dumps(spelled)
