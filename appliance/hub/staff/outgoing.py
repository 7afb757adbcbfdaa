"""What the booth tells of itself: its alerts, its board and its big screen, as messages to publish.

Invariants:
    * What is told of an alert expires when the alert does; what ended is told for a minute, without the person.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from typing import Final

from appliance.hub.alerts.alerts import AFTERGLOW_SECONDS, Alerts, TrackedAlert
from appliance.hub.messages import OutgoingMessage
from appliance.hub.pacing.outlook import outlook
from appliance.hub.pacing.pacing import Pacing
from appliance.hub.records.daily_counts import BY_TABLET, DailyCounts
from appliance.hub.records.trends import STRIP_SECONDS, TrendRows, Trends
from appliance.hub.staff import home_assistant, messages, room
from appliance.hub.staff import status as boards
from appliance.hub.staff.lead import lead_telling
from appliance.hub.staff.notices import notices
from appliance.hub.staff.shift import Shift
from appliance.hub.staff.translations import CATALOGUES
from appliance.hub.staff.unit_status import UnitStatuses
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.change.drift import Drift
from appliance.protocol import topics
from appliance.protocol.values import AlertId, AlertState, Seconds
from appliance.settings.config import HubConfig

BOARD_SECONDS: Final = 1.0
LIVE_SECONDS: Final = 3.0
TRENDS_SECONDS: Final = 60.0
"""The board, the moment and the trends are told this often."""
_USUAL: Final = 3
"""Levels of each attribute that the board shows as usual."""


class StaffPublisher:
    """Tells for the booth of ``config``, in its language, what the others know at the time."""

    def __init__(
        self,
        config: HubConfig,
        alerts: Alerts,
        baseline: Baseline,
        drift: Drift,
        *,
        daybook: DailyCounts,
        pacing: Pacing,
        roster: UnitStatuses,
        trends: Trends,
        shift: Shift,
    ) -> None:
        self._config = config
        self._booth = config.booth
        self._catalogue = CATALOGUES[config.language]
        self._alerts = alerts
        self._baseline = baseline
        self._daybook = daybook
        self._pacing = pacing
        self._roster = roster
        self._drift = drift
        self._trends = trends
        self._shift = shift
        self.disk_low = False
        """Whether the hub's own disk is nearly full: whoever can see it says so."""
        self._told_at = dict.fromkeys((BOARD_SECONDS, LIVE_SECONDS, TRENDS_SECONDS), float("-inf"))
        self._to_store: tuple[TrendRows, ...] = ()
        self._described: tuple[OutgoingMessage, ...] = ()

    def due(self, now: Seconds, *, changed: bool, last: bool) -> tuple[OutgoingMessage, ...]:
        """What it is time to tell at ``now``; the board also where an alert ``changed``, all the ``last`` time."""
        due = {every for every, at in self._told_at.items() if last or abs(now - at) >= every}
        due |= {BOARD_SECONDS} if changed else set()
        if LIVE_SECONDS in due and self._trends.tick(now):
            due |= {TRENDS_SECONDS}  # a stretch is over: nobody waits a minute for it
        self._told_at |= dict.fromkeys(due, now)
        self._to_store = ()
        if TRENDS_SECONDS in due:
            self._trends.tick(now, last=last)
            self._to_store = self._trends.news()
        tell = {BOARD_SECONDS: self.board, LIVE_SECONDS: self.live, TRENDS_SECONDS: self.trends}
        described = self.descriptions(changed=True) if TRENDS_SECONDS in due else ()
        lead = (self.lead(now),) if LIVE_SECONDS in due else ()
        return (*(tell[every](now) for every in sorted(due)), *lead, *described)

    def descriptions(self, *, changed: bool = False) -> tuple[OutgoingMessage, ...]:
        """What Home Assistant is told of booth and units; ``changed``: only where that is new."""
        told = home_assistant.discovery(
            self._booth, self._roster.rows(), self._roster.revoked, enabled=self._config.home_assistant
        )
        before, self._described = self._described, told
        return () if changed and (told == before or not self._config.home_assistant) else told

    def trends_to_store(self) -> tuple[TrendRows, ...]:
        """What of the trends the last call of ``due`` found changed."""
        return self._to_store

    def retained(self, now: Seconds) -> tuple[OutgoingMessage, ...]:
        """All that the broker should hold of the booth but its alerts."""
        return self.board(now), self.live(now), self.lead(now), self.trends(now), *self.descriptions()

    def lead(self, now: Seconds) -> OutgoingMessage:
        """What needs the lead at ``now``."""
        acts = self._daybook.beginning_with(BY_TABLET)
        told = lead_telling(
            self._booth, self._roster.rows(), self._roster.strangers(), self._drift.changes(), acts, now
        )
        return OutgoingMessage(topic=topics.lead(self._booth), payload=told)

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
        today, rows = daybook.today(), self._roster.rows()
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
            staff=self._pacing.staff(today),
            staff_free=self._pacing.free(self._alerts.open, today),
            units=rows,
            usual=baseline.usual(most=_USUAL),
            last_alert=self._last(),
            notices=notices(config.language, rows, now, disk_low=self.disk_low),
            language=config.language,
            retention=config.retention_seconds,
            shift=self._shift.telling(now),
        )
        return OutgoingMessage(topic=topics.board(self._booth), payload=boards.telling(board))

    def trends(self, now: Seconds) -> OutgoingMessage:
        """The past hours at ``now``."""
        told = room.trends_telling(self._booth, self._trends, self._baseline, self._drift.changes(), now)
        return OutgoingMessage(topic=topics.trends(self._booth), payload=told)

    def live(self, now: Seconds) -> OutgoingMessage:
        """The moment at ``now``; the broker drops it when all its dots have left the strip."""
        daybook, pacing = self._daybook, self._pacing
        today, people = daybook.today(), daybook.number("people")
        stock = pacing.stock(today)
        moment = room.Moment(
            people_today=people,
            alerts_today=daybook.number("alerts"),
            alerts_open=self._alerts.open,
            claimed=sum(held.alert.state is AlertState.CLAIMED for held in self._alerts.all()),
            gifted=today.gifted,
            stock=stock,
            staff=pacing.staff(today),
            staff_free=pacing.free(self._alerts.open, today),
            weight=self._baseline.weight(now),
            needs=self._baseline.needs(self._config.warmup_people, now),
            outlook=outlook(
                pacing.forecast,
                hours=pacing.hours(today, now),
                people=people,
                gifted=today.gifted,
                stock=stock,
                now=now,
            ),
            units=self._roster.rows(),
            strangers=self._roster.strangers(),
        )
        return OutgoingMessage(
            topic=topics.live(self._booth),
            payload=room.live_telling(self._booth, self._trends, moment, now),
            expires_after=STRIP_SECONDS,
        )

    def public(self, now: Seconds) -> bytes:
        """How the booth is at ``now``, for everybody."""
        needs = self._baseline.needs(self._config.warmup_people, now)
        people = self._daybook.number("people")
        pacing = self._config.pacing
        running = {
            "retention": self._config.retention_seconds,
            "alert": pacing.alert_seconds,
            "service": pacing.service_seconds,
        }
        return room.public_telling(self._trends, self._roster.rows(), people, needs, now, running=running)

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
