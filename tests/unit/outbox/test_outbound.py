from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.unit.outbox import publisher
from appliance.unit.outbox.publisher import Publisher
from appliance.unit.outbox.spool import Spool
from appliance.unit.outbox.timed_keeping import MOST_KEPT_SECONDS


class Radio:
    """A link that acknowledges at once and is lost whenever the test says so."""

    def __init__(self) -> None:
        self.up, self.connections = True, 1
        self._answered: list[int] = []
        self._tickets = 0

    def publish(self, topic: str, payload: bytes) -> int:
        """Taken and answered."""
        del topic, payload
        self._tickets += 1
        self._answered.append(self._tickets)
        return self._tickets

    def published(self, *, wait: float) -> list[int]:
        """What was answered since."""
        del wait
        answered, self._answered = self._answered, []
        return answered

    denied = False

    def untaken(self) -> frozenset[int]:
        """Nobody was missing."""
        return frozenset()


def test_a_link_lost_again_and_again_does_not_make_a_unit_remember(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a link that never holds for long, what was acknowledged is still gone ten minutes of link later."""
    clock = [1000.0]
    monkeypatch.setattr(publisher, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    radio: Any = Radio()
    spool = Spool(tmp_path, limit=10_000)
    out = Publisher(spool, radio, "somewhere")
    for second in range(1500):
        clock[0] += 1.0
        spool.append([b"%d" % second])
        if second % 60 == 59:
            radio.connections += 1
        out.send()
        out.settle(wait=0.0)
    oldest = min(int(record.envelope) for record in spool.waiting(0, 10_000))
    spool.close()
    assert 1500 - MOST_KEPT_SECONDS - 60 < oldest <= 1500 - MOST_KEPT_SECONDS + 60
