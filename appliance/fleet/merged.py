"""All booths' baselines as one signed file, which any hub may import: whose people are in it is named, hub by hub.

Invariants:
    * The fleet signs with a key of its own, made when it is first needed; it sees nobody, so it adds no people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.fleet.layout import FleetDirectory
from appliance.fleet.store import BoothRow
from appliance.fleet.view import baselines, merged_baseline
from appliance.hub.exchange import baseline_file
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.protocol import sign
from appliance.protocol.values import BoothId, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedBaseline:
    """A signed file, what is in it, and the public key (32 bytes) it is believed under."""

    content: bytes
    people: int
    booths: int
    left_out: tuple[tuple[BoothId, str], ...]
    public_key: bytes


def signed_baseline(fleet: FleetDirectory, rows: Sequence[BoothRow], now: Seconds) -> MergedBaseline:
    """The sum of what the booths last said. Unfit where no booth has sent a baseline."""
    whole, left_out = merged_baseline(rows)
    if not whole.people:
        raise Unfit(
            "no booth has sent a baseline yet", where=fleet.fleet, fix="wait an hour after booths joined"
        )
    path = fleet.directory / "authority" / "signing.key"
    if not path.exists():
        atomic_files.write_durably(path, sign.new_private_key(), mode=atomic_files.SECRET)
    key = atomic_files.read(path, fix="run as the fleet's owner")
    one = BaselineFile(booth=BoothId(fleet.fleet), made_at=int(now), state=whole)
    return MergedBaseline(
        content=baseline_file.encode(one, key),
        people=whole.people,
        booths=len(baselines(rows)[0]),
        left_out=left_out,
        public_key=sign.public_key_of(key),
    )
