"""What the hub tells its fleet, when it is due: counts by day, the baseline, how the booth is.

The reports go to the booth's own broker, which keeps them while the fleet is away and passes them on (a bridge).

Invariants:
    * From counts that may be stored: the coarse baseline, the daybook, words of the board. No vector, no alert.
    * Each report says all of its kind, so that none needs to be sent again.
    * Pure: no file, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from appliance.hub.exchange import baseline_file
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.hub.messages import OutgoingMessage
from appliance.hub.staff.status import UnitRow, unit_row
from appliance.hub.statistics.baseline.state import BaselineState, coarse
from appliance.hub.statistics.change.drift import Change
from appliance.protocol import topics
from appliance.protocol.fleet_report import (
    FleetReport,
    ReportKind,
    baseline_body,
    days_body,
    sealed_report,
)
from appliance.protocol.values import BoothId, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES

EVERY: Final = {ReportKind.MOMENT: 60.0, ReportKind.DAYS: 3600.0, ReportKind.BASELINE: 3600.0}
"""Seconds between two reports of a kind. What became of alerts is told by the hour: no minute of one can be read."""
MOMENT_SECONDS: Final = 900
"""How a booth is says nothing after this long: a fleet that was away is not told of it."""
_MOST_UNITS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """What a report is made from: ``days`` are counts by day and name, ``needs`` people until the hub is mature."""

    baseline: BaselineState
    days: Mapping[str, Mapping[str, int]]
    units: tuple[UnitRow, ...]
    changes: tuple[Change, ...]
    needs: int


class FleetPublisher:
    """Reports of ``booth`` in its start number ``epoch``; ``home`` is the hub's name in a lineage."""

    def __init__(self, *, booth: BoothId, home: str, private_key: bytes, epoch: int) -> None:
        self._booth = booth
        self._home = home
        self._private_key = private_key
        self._epoch = epoch
        self._seq = 0
        self._told_at = dict.fromkeys(EVERY, float("-inf"))

    def due(self, now: Seconds) -> tuple[ReportKind, ...]:
        """Which kinds it is time for; a clock that was set makes all of them due."""
        return tuple(kind for kind, every in EVERY.items() if abs(now - self._told_at[kind]) >= every)

    def telling(self, kind: ReportKind, view: FleetView, now: Seconds) -> OutgoingMessage:
        """The report of one kind at ``now``."""
        self._told_at[kind] = now
        bodies = {
            ReportKind.DAYS: self._days,
            ReportKind.BASELINE: self._baseline,
            ReportKind.MOMENT: _moment,
        }
        report = FleetReport(
            booth=self._booth,
            kind=kind,
            epoch=self._epoch,
            seq=self._seq,
            made_at=int(now),
            body=bodies[kind](view, now),
        )
        self._seq += 1
        return OutgoingMessage(
            topic=topics.fleet(self._booth, kind.value),
            payload=sealed_report(report, private_key=self._private_key),
            retain=False,
            expires_after=MOMENT_SECONDS if kind is ReportKind.MOMENT else 0,
        )

    def _days(self, view: FleetView, _now: Seconds) -> dict[str, Any]:
        return days_body(view.days)

    def _baseline(self, view: FleetView, now: Seconds) -> dict[str, Any]:
        one = BaselineFile(booth=self._booth, made_at=int(now), state=coarse(view.baseline))
        return baseline_body(baseline_file.encode(one, self._private_key, home=self._home))


def _moment(view: FleetView, now: Seconds) -> dict[str, Any]:
    rows = view.units[:_MOST_UNITS]
    return {
        "people": view.baseline.people // 5 * 5,
        "needs": view.needs,
        "refused": sum(row.refused for row in view.units),
        "units": [[row.unit, unit_row(row, now)["state"], unit_row(row, now)["link"]] for row in rows],
        "changes": [
            [
                ATTRIBUTES[one.attribute].name,
                ATTRIBUTES[one.attribute].label(one.level),
                round(100 * one.now),
                round(100 * one.usual),
            ]
            for one in view.changes
        ],
    }
