"""What of the people who caused an alert must be known to forget them: in memory only, and no longer than the alert.

Invariants:
    * A sighting is kept from the alert's raising until it can no longer be read, ``retention_seconds`` at most.
    * After a restart only what an open alert still holds is known; how it was counted is not.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.hub.alerts.alerts import TrackedAlert
from appliance.hub.statistics.leave_one_out import JudgementReceipt
from appliance.protocol.values import AlertId, AttributeVector, Seconds, UnitId


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Who was counted: as what, by which camera, when; ``counted`` is how."""

    vector: AttributeVector
    unit: UnitId
    seen_at: Seconds
    until: Seconds
    counted: JudgementReceipt | None = None


class ErasureIndex:
    """The sightings behind the alerts of ``held`` and of those raised since, each kept for ``retention_seconds``."""

    def __init__(self, retention_seconds: Seconds, held: Iterable[TrackedAlert] = ()) -> None:
        self._retention_seconds = retention_seconds
        self._known: dict[AlertId, Sighting] = {}
        for one in held:
            self.keep(one)

    def __contains__(self, name: AlertId) -> bool:
        return name in self._known

    def keep(self, held: TrackedAlert, counted: JudgementReceipt | None = None) -> None:
        """Keep what is behind an alert that has just been raised."""
        flag = held.alert.flag
        if flag:
            self._known[held.alert.alert] = Sighting(
                vector=flag.observation.vector,
                unit=flag.observation.unit,
                seen_at=held.seen_at,
                until=Seconds(held.alert.raised_at + self._retention_seconds),
                counted=counted,
            )

    def find(self, name: AlertId) -> Sighting | None:
        """What is behind the alert called ``name``, if it is still known."""
        return self._known.get(name)

    def drop(self, name: AlertId) -> Sighting | None:
        """The same, and no longer known from now on."""
        return self._known.pop(name, None)

    def tick(self, now: Seconds, gone: Iterable[AlertId]) -> None:
        """Let time pass: what is too old, or behind an alert that is ``gone``, is dropped."""
        for name in gone:
            self._known.pop(name, None)
        for name in [name for name, one in self._known.items() if now >= one.until]:
            del self._known[name]
