"""The epoch: how often this unit has started, counted in one file before each start of SENSE.

Invariants:
    * It only ever grows, and is on disk before anybody uses it.
    * No library but the standard one is loaded: this runs before every start, on a small machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.protocol.values import COUNTER_LIMIT, Epoch

CREDENTIALS: Final = "credentials"
"""The folder of a unit's directory in which the file lies, beside the signing key."""
EPOCH: Final = "epoch"
"""The file: ASCII decimal."""


def next_epoch(credentials: Path) -> Epoch:
    """Raise the epoch in ``credentials`` by one, durably, and give it: SENSE's counter begins at 0 again.

    Unfit where the epoch is lost or used up: a unit that counted from 1 again would be refused as rolled back.
    """
    path = credentials / EPOCH
    fix = f"write a number larger than any this unit has used into {path} (the hub's log says it)"
    with atomic_files.alone(credentials):
        text = atomic_files.read(path, fix=fix)
        if not text.strip().isdigit() or len(text) > 12 or int(text) >= COUNTER_LIMIT - 1:
            raise Unfit(f"{text[:12]!r} is not an epoch below {COUNTER_LIMIT - 1}", where=str(path), fix=fix)
        epoch = Epoch(int(text) + 1)
        atomic_files.write_durably(path, b"%d\n" % epoch, mode=atomic_files.SECRET)
    return epoch


def epoch_in(untrusted: bytes) -> Epoch:
    """The boot counter in a credential of decimal digits. Unfit for anything else, and for 0."""
    text = untrusted.strip()
    if not text.isdigit() or len(text) > 10 or not 0 < int(text) < COUNTER_LIMIT:
        raise Unfit(
            "the epoch must be a whole number from 1 to 4294967295",
            where="credential epoch",
            fix="let the unit's start count it up (leftfield epoch), or enrol the unit again",
        )
    return Epoch(int(text))
