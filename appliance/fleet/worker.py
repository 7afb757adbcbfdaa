"""A worker of the fleet: takes its share of the reports from the broker, stores them, then acknowledges.

Invariants:
    * Store, then acknowledge: a worker that is killed at any point loses nothing, for the broker gives what was not
      acknowledged again, to it or to another; and nothing counts twice, for the database knows each report.
    * Several run at once, each under its own certificate; none knows of the others.
    * A database that is away ends the worker with 75; whoever runs it starts it again. The broker waits.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from appliance.base.errors import Refused
from appliance.base.systemd import Notifier, log, stop_requested
from appliance.fleet.ingest import CheckedReport, checked
from appliance.fleet.layout import SHARED
from appliance.fleet.store import FleetStore
from appliance.mqtt import Link, LinkReport, Message
from appliance.protocol.values import Seconds
from appliance.settings.config import BrokerAddress

WAIT_SECONDS: Final = 0.5
MOST: Final = 200
"""Reports in one transaction."""
KEYS_SECONDS: Final = 5.0
"""The register of booths is read this often."""
PRUNE_SECONDS: Final = 3600.0
REPORT_SECONDS: Final = 10.0


class Worker:
    """One worker called ``name`` (that of its certificate). Unavailable or Unfit where it cannot begin."""

    def __init__(self, *, name: str, broker: BrokerAddress, database: str) -> None:
        self._name = name
        self._notifier = Notifier()
        self._stop = stop_requested()
        self._store = FleetStore(database)
        self._keys = self._store.keys()
        self._keys_at = self._pruned_at = self._told_at = time.monotonic()
        self._link = Link(address=broker, name=name, lasting=True, subscriptions=(SHARED,))
        self._report = LinkReport(self._link, name)
        self._refused: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        """New and repeated reports since the start."""

    def run(self) -> None:
        """Until a stop is asked for. Unavailable where the database fails."""
        self._link.start()
        self._notifier.say("READY=1")
        log(f"{self._name}: taking reports")
        while not self._stop.is_set():
            self._settle(self._link.messages(wait=WAIT_SECONDS, most=MOST))
            self._report.take()
            self._notifier.say("WATCHDOG=1", f"STATUS={self._report.status or 'taking reports'}")
        self._notifier.say("STOPPING=1")
        log(f"{self._name}: stopped after {self.taken['new']} reports, {self.taken['repeated']} repeats")

    def _settle(self, messages: tuple[Message, ...]) -> None:
        now = time.monotonic()
        if now - self._keys_at >= KEYS_SECONDS:
            self._keys, self._keys_at = self._store.keys(), now
        if now - self._pruned_at >= PRUNE_SECONDS:
            self._store.prune()
            self._pruned_at = now
        if messages:
            self._take(messages)
        if self._refused and now - self._told_at >= REPORT_SECONDS:
            for line, times in self._refused.most_common(20):
                log(f"{self._name}: {times} times {line}", level=4)
            self._refused.clear()
            self._told_at = now

    def _take(self, messages: tuple[Message, ...]) -> None:
        good: list[CheckedReport] = []
        refusals: list[tuple[str, Refused]] = []
        for message in messages:
            try:
                good.append(self._checked(message))
            except Refused as refused:
                self._refused[str(refused)] += 1
                if refused.where in self._keys:  # strangers are said, not stored
                    refusals.append((refused.where, refused))
        admitted = self._store.admit(good, refusals)
        self.taken.update(new=admitted.new, repeated=admitted.repeated)
        self._refused.update(str(one) for one in admitted.refused)
        for message in messages:
            self._link.acknowledge(message)

    def _checked(self, message: Message) -> CheckedReport:
        now = Seconds(time.time())
        return checked(message.untrusted_topic, message.untrusted_payload, self._keys, now)

    def close(self) -> None:
        """End the link and the connection."""
        self._link.stop()
        self._store.close()


def run_worker(*, name: str, broker: BrokerAddress, database: str) -> None:
    """Run one until told to stop. Unavailable or Unfit where it cannot go on."""
    worker = Worker(name=name, broker=broker, database=database)
    try:
        worker.run()
    finally:
        worker.close()
