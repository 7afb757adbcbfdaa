"""What WATCH's journal is told of its work: refusals summed up, changes on the street, a disk that fills.

Invariants:
    * A flood of refusals is a few lines; a change and a full disk are one line each, when they begin.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Final

from appliance.base import disk_space
from appliance.base.errors import Refused, Rule
from appliance.base.systemd import log
from appliance.hub.engine import BatchResult, HubEngine

DISK_SECONDS: Final = 30.0
"""How often the free space of the database's disk is looked at."""
REPORT_SECONDS: Final = 10.0
"""Refusals are reported this often, summed up by rule: a flood must not become a flood of log lines."""


class WatchReport:
    """The journal of one hub whose database lies in ``place``."""

    def __init__(self, engine: HubEngine, place: Path) -> None:
        self._engine = engine
        self._place = place
        self._refused: Counter[str] = Counter()
        self._changed: frozenset[int] = frozenset()
        self.disk_low = False
        self._disk_seen_at = -DISK_SECONDS
        self._reported_at = time.monotonic()

    def look_at_disk(self, now: float) -> None:
        """See whether the disk is nearly full; ``now`` is monotonic seconds."""
        if now - self._disk_seen_at < DISK_SECONDS:
            return
        self._disk_seen_at = now
        before = self.disk_low
        self.disk_low = disk_space.nearly_full(self._place)
        self._engine.disk_is(low=self.disk_low)
        if self.disk_low and not before:
            log(f"hub: {disk_space.told(self._place)}", level=4)

    def changes(self) -> None:
        """Once for each attribute, when it changes: much that is flagged now may be the street, not the person."""
        changes = self._engine.changes()
        for change in changes:
            if change.attribute not in self._changed:
                since = time.strftime("%a %H h", time.localtime(change.since))  # no minute in a journal
                log(f"what people wear has changed since {since}: {change.words()}", level=5)
        self._changed = frozenset(change.attribute for change in changes)

    def refusals(self, outcome: BatchResult) -> None:
        """What was refused of a batch, with all that came before, every few seconds."""
        self._refused.update(_summary(refusal) for refusal in outcome.refusals)
        if self._refused and time.monotonic() - self._reported_at >= REPORT_SECONDS:
            for line, times in self._refused.most_common(20):
                log(f"{times} times {line}", level=4)
            self._refused.clear()
            self._reported_at = time.monotonic()


def _summary(refusal: Refused) -> str:
    line = f"R{refusal.rule:02d} {refusal.rule.name.lower()} at {refusal.where or 'the door'}"
    return f"{line}: {refusal.what}" if refusal.rule is Rule.ROLLED_BACK else line
