"""What the booth tells of itself: its alerts and its board, as messages to publish.

Invariants:
    * What is told of an alert expires when the alert does; what ended is told for a minute, without the person.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from typing import Final

from appliance.hub.alerts.alerts import AFTERGLOW_SECONDS, Alerts, TrackedAlert
from appliance.hub.messages import OutgoingMessage
from appliance.hub.pacing.pacing import Pacing
from appliance.hub.records.daily_counts import DailyCounts
from appliance.hub.staff import messages
from appliance.hub.staff import status as boards
from appliance.hub.staff.translations import CATALOGUES
from appliance.hub.staff.unit_status import UnitStatuses
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.protocol import topics
from appliance.protocol.values import AlertId, Seconds
from appliance.settings.config import HubConfig

_USUAL: Final = 3
"""Levels of each attribute that the board shows as usual."""


class StaffPublisher:
    """Tells for the booth of ``config``, in its language, what the others know at the time."""

    def __init__(
        self,
        config: HubConfig,
        alerts: Alerts,
        baseline: Baseline,
        *,
        daybook: DailyCounts,
        pacing: Pacing,
        roster: UnitStatuses,
    ) -> None:
        self._config = config
        self._booth = config.booth
        self._catalogue = CATALOGUES[config.language]
        self._alerts = alerts
        self._baseline = baseline
        self._daybook = daybook
        self._pacing = pacing
        self._roster = roster

    def alert(self, held: TrackedAlert, now: Seconds) -> OutgoingMessage:
        """An alert as staff see it, with the life it has left."""
        alert = held.alert
        until = alert.expires_at if held.ended_at is None else held.ended_at + AFTERGLOW_SECONDS
        boxed = self._roster.row(held.unit).boxed
        return OutgoingMessage(
            topic=topics.alert(self._booth, alert.alert),
            payload=messages.alert_telling(held, boxed=boxed, catalogue=self._catalogue),
            expires_after=max(1, int(until - now)),
        )

    def cleared(self, name: AlertId) -> OutgoingMessage:
        """Nothing, retained, in the place of an alert that can no longer be read."""
        return OutgoingMessage(topic=topics.alert(self._booth, name), payload=b"")

    def board(self, now: Seconds) -> OutgoingMessage:
        """The board as it is at ``now``."""
        config, daybook, baseline = self._config, self._daybook, self._baseline
        today = daybook.today()
        board = boards.Board(
            booth=self._booth,
            at=now,
            people_today=daybook.number("people"),
            people_total=baseline.people,
            flags_today=daybook.number("flags"),
            alerts_open=self._alerts.open,
            alerts_today=daybook.number("alerts"),
            gifted_today=today.gifted,
            weight=baseline.weight(now),
            needs=baseline.needs(config.warmup_people, now),
            stock=self._pacing.stock(today),
            staff=config.pacing.staff,
            staff_free=self._pacing.free(self._alerts.open),
            units=self._roster.rows(),
            usual=baseline.usual(most=_USUAL),
            last_alert=self._last(),
        )
        return OutgoingMessage(topic=topics.board(self._booth), payload=boards.telling(board))

    def _last(self) -> boards.LastAlert | None:
        still = [held.alert for held in self._alerts.all() if held.ended_at is None and held.alert.flag]
        newest = still[-1] if still else None
        if not (newest and newest.flag):
            return None
        return boards.LastAlert(
            alert=newest.alert,
            text=messages.headline(newest.flag, self._catalogue),
            at=newest.raised_at,
        )
