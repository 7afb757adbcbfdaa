"""What the hub keeps: the values that go into its database with each batch, and those that come back from it.

Invariants:
    * Values only, no database: whoever thinks may know them without being able to write.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from appliance.hub.admission.unit_state import UnitAdmissionState
from appliance.hub.alerts.alerts import TrackedAlert
from appliance.hub.pacing.forecast import HourCount
from appliance.hub.records.audit import AuditCount
from appliance.hub.records.daily_counts import DailyCount
from appliance.hub.records.trends import TrendRows
from appliance.hub.statistics.baseline.state import BaselineState
from appliance.hub.statistics.feedback import Doubt
from appliance.hub.statistics.layout import FloatArray
from appliance.protocol.acts import Act
from appliance.protocol.values import AlertId, AttributeVector, BoothId, Seconds, UnitId


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingObservation:
    """An admitted observation that is not yet part of the stored baseline: all that is needed to count it again."""

    unit: UnitId
    seen_at: Seconds
    vector: AttributeVector


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The baseline and the (BANDS, HISTOGRAMS, BINS) score histograms as they are now.

    ``without`` has the same without what one camera said, for each camera. ``changed_at`` is when somebody was last
    seen on a day found to be unlike the weeks; 0 where today is none.
    """

    baseline: BaselineState
    bins: FloatArray
    without: tuple[tuple[UnitId, Snapshot], ...] = ()
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A baseline file that was taken in: the SHA-256 of the file, and whose it was."""

    digest: bytes
    booth: BoothId
    people: int
    at: Seconds


_ONLY_WITH_OTHERS: Final = frozenset({"last_alert", "oldest_day"})
"""Fields of ``StateDelta`` that are no change by themselves: they say how another field is to be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDelta:
    """What one batch changed. ``snapshot``, where given, contains ``live`` and all that waited before it.

    ``hours`` and ``audited`` are to be added to what is stored; hours of days before ``oldest_day`` are deleted.
    ``replaced`` are digests of imported files whose counts are no longer in the baseline.
    Acts up to the unix second ``oldest_act`` are deleted, where they came before all others.
    ``trends`` replace what is stored of their quarters.
    """

    doors: tuple[UnitAdmissionState, ...] = ()
    live: tuple[PendingObservation, ...] = ()
    alerts: tuple[TrackedAlert, ...] = ()
    gone: tuple[AlertId, ...] = ()
    last_alert: int = 0
    tallies: tuple[DailyCount, ...] = ()
    hours: tuple[HourCount, ...] = ()
    oldest_day: str = ""
    audited: tuple[AuditCount, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    imported: tuple[Imported, ...] = ()
    replaced: tuple[bytes, ...] = ()
    trends: tuple[TrendRows, ...] = ()
    acts: tuple[Act, ...] = ()
    oldest_act: int = 0
    snapshot: Snapshot | None = None

    @property
    def empty(self) -> bool:
        """True where there is nothing to store."""
        return all(
            getattr(self, field.name) == field.default
            for field in fields(self)
            if field.name not in _ONLY_WITH_OTHERS
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HubState:
    """All that was stored, as it was."""

    doors: tuple[UnitAdmissionState, ...] = ()
    snapshot: Snapshot | None = None
    live: tuple[PendingObservation, ...] = ()
    alerts: tuple[TrackedAlert, ...] = ()
    last_alert: int = 0
    tallies: tuple[DailyCount, ...] = ()
    hours: tuple[HourCount, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    trends: tuple[TrendRows, ...] = ()
    acts: tuple[Act, ...] = ()
