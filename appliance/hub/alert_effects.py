"""Alert effects: what else changes when an alert changes, ends or is forgotten.

Invariants:
    * Counts, acceptance, doubts and pacing learn of an end here and nowhere else.
    * ``forgotten`` takes whoever is behind an alert out of every count that still knows them.
    * Pure: no I/O, no clock; ``now`` is the instant of the batch.
"""

from __future__ import annotations

from appliance.hub.alerts.alerts import TrackedAlert
from appliance.hub.alerts.erasure import ErasureIndex
from appliance.hub.pacing.pacing import Pacing
from appliance.hub.records.acts import Acts
from appliance.hub.records.daily_counts import BY_TABLET, DailyCounts
from appliance.hub.records.trends import Trends
from appliance.hub.snapshot_timer import SnapshotTimer
from appliance.hub.statistics import feedback
from appliance.hub.statistics.change.drift import Drift
from appliance.hub.statistics.layout import encode
from appliance.hub.statistics.leave_one_out import LeaveOneOutRarity
from appliance.protocol.acts import ActKind
from appliance.protocol.values import AlertId, AlertState, Dismissal, Flag, Seconds, TabletId


class AlertEffects:
    """Carries the effects of one batch after the other; ``changed`` are the alerts that this batch changed."""

    def __init__(
        self,
        *,
        counts: DailyCounts,
        rarity: LeaveOneOutRarity,
        drift: Drift,
        pacing: Pacing,
        doubts: feedback.Feedback,
        erasure: ErasureIndex,
        snapshots: SnapshotTimer,
        trends: Trends,
        acts: Acts,
    ) -> None:
        self._counts, self._rarity, self._drift = counts, rarity, drift
        self._pacing, self._doubts, self._erasure = pacing, doubts, erasure
        self._snapshots, self._trends, self._acts = snapshots, trends, acts
        self.changed: dict[AlertId, TrackedAlert] = {}

    def begin(self, now: Seconds) -> None:
        """A new batch at ``now`` (unix seconds): it has changed nothing yet."""
        self._now = now
        self.changed = {}

    def acted(self, kind: ActKind, who: str, *, of: str = "") -> None:
        """Somebody did something: it goes into the log of acts."""
        self._acts.add(kind, who, self._now, of=of)

    def alert_changed(self, held: TrackedAlert) -> None:
        """An alert was raised, claimed or ended: it is told, stored and counted."""
        alert, flag = held.alert, held.alert.flag
        self.changed[alert.alert] = held
        if alert.state is AlertState.RAISED and flag and alert.raised_at == self._now:
            self._trends.raised(
                alert.alert,
                alert.raised_at,
                seen_at=held.seen_at,
                bits=flag.bits,
                simulated=alert.simulated,
            )
        if held.ended_at == self._now and held.alert.state is not AlertState.RAISED:
            self._counts.count(alert.state.value)
            self._counts.visited(alert.raised_at)
            self._trends.ended(alert.raised_at, alert.state.value)
        behind = self._erasure.find(held.alert.alert)
        if behind and held.alert.state is AlertState.DECLINED:
            self._pacing.forget(behind.vector)

    def asked(self, tablet: TabletId, what: str) -> None:
        """One more of ``what`` (claims, dismissals, forgets; empty: nothing) by this tablet today."""
        if what:
            self._counts.count(f"{BY_TABLET}{tablet}/{what}")

    def alert_judged(self, held: TrackedAlert, flag: Flag | None, why: Dismissal | None) -> None:
        """Staff ended an alert that rested on ``flag``; ``why`` where they dismissed it as wrong."""
        if why:
            self._counts.count(f"dismissed_{why.value}")
        if not flag:
            return
        words = feedback.words_of(flag)
        if why:
            self._doubts.dismissed(words, why, self._now)
        elif held.alert.state is AlertState.GIFTED:
            self._doubts.gifted(words, self._now)

    def alert_forgotten(self, name: AlertId) -> None:
        """Purge whoever is behind an alert from counts, scores, journal and pacing."""
        known = self._erasure.drop(name)
        if known:
            self._pacing.forget(known.vector)
            self._rarity.forget(known.vector, known.unit, known.seen_at, known.counted)
            levels = known.counted.everything.one.fair if known.counted else encode(known.vector).fair
            self._trends.forget(name, levels, known.seen_at)
            if known.counted:
                self._drift.forget(encode(known.vector).sure)
        # What waits in the journal becomes counts now, and is deleted.
        self._snapshots.force()
