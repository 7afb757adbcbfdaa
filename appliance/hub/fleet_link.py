"""WATCH's reports to the fleet: which start of the hub this is, and what it is time to say.

Invariants:
    * A start has a higher number than every earlier one, even where its file was lost or the database restored:
      unix seconds are the least it can be.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from appliance.base.atomic_files import SECRET, write_durably
from appliance.base.errors import Unfit
from appliance.base.systemd import log
from appliance.hub.engine import HubEngine
from appliance.hub.fleet_publisher import FleetPublisher
from appliance.hub.messages import OutgoingMessage
from appliance.protocol.values import COUNTER_LIMIT, Seconds
from appliance.settings.config import HubConfig

EPOCH_FILE: Final = "fleet-epoch"
"""Beside the hub's database: the number of its last start, ASCII decimal."""


class FleetLink:
    """The fleet's side of one run of WATCH. Says nothing where the booth is in no fleet, or has no key."""

    def __init__(self, config: HubConfig, key: bytes | None, now: Seconds) -> None:
        self._publisher: FleetPublisher | None = None
        if not config.fleet.hub:
            return
        if key is None:
            log(
                "the fleet is told nothing: there is no key to sign with. Fix: name prior_key in hub.toml",
                level=4,
            )
            return
        self._publisher = FleetPublisher(
            booth=config.booth,
            home=config.fleet.hub,
            private_key=key,
            epoch=next_start(config.database.with_name(EPOCH_FILE), now),
        )

    def tellings(self, booth: HubEngine, now: Seconds) -> tuple[OutgoingMessage, ...]:
        """What it is time to say at ``now``; at most one report a call, so that a batch waits for no other."""
        if self._publisher is None:
            return ()
        kinds = self._publisher.due(now)[:1]
        return tuple(self._publisher.telling(kind, booth.fleet_view(now), now) for kind in kinds)


def next_start(path: Path, now: Seconds) -> int:
    """A number above that in ``path`` and not below ``now`` in unix seconds; written there if that can be done."""
    last = 0
    with contextlib.suppress(OSError, ValueError):
        last = int(path.read_text("ascii"))
    number = min(max(last + 1, int(now)), COUNTER_LIMIT - 1)
    try:
        write_durably(path, b"%d\n" % number, mode=SECRET)
    except Unfit as unfit:
        log(f"the fleet's start number is not kept, the clock's is used: {unfit}", level=4)
    return number
