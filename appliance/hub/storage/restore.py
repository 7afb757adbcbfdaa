"""What a hub had learnt, taken up again from what it stored."""

from __future__ import annotations

from dataclasses import replace

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import coarse, taken_up
from appliance.hub.statistics.conformal import whole
from appliance.hub.statistics.event_day import EventDayRarity
from appliance.hub.statistics.leave_one_out import MOST_CAMERAS, LeaveOneOutRarity
from appliance.hub.storage.state import HubState, Snapshot
from appliance.protocol.values import Seconds


def learnt(stored: HubState, now: Seconds | None = None) -> LeaveOneOutRarity:
    """Baseline and calibration as a hub that starts now would have them; on the clock of ``now`` where it is given.

    What waited in the journal is judged and counted again, in the order in which it came. Without what a camera of
    old said there may be nothing stored (schema 2): it then begins with everything that was known.
    """
    snapshot = stored.snapshot
    known = dict(snapshot.without) if snapshot else {}
    everything = _taken_up(snapshot, now, watches=True)
    # Cameras of which nothing is left are not left out any more.
    seen = [unit for unit, row in snapshot.baseline.cameras if row.any()] if snapshot else []
    without = {unit: _taken_up(known.get(unit, snapshot), now, watches=False) for unit in seen[:MOST_CAMERAS]}
    rarity = LeaveOneOutRarity(everything, without)
    for one in stored.live:
        rarity.judge_and_learn(one.vector, one.unit, one.seen_at)
    return rarity


def _taken_up(snapshot: Snapshot | None, now: Seconds | None, *, watches: bool) -> EventDayRarity:
    baseline = Baseline(taken_up(snapshot.baseline) if snapshot else None)
    if now is not None:
        baseline.follow_clock(now)
    rarity = EventDayRarity(baseline, snapshot.bins if snapshot else None, watches=watches)
    if snapshot and snapshot.changed_at:
        rarity.resume_change(Seconds(snapshot.changed_at))
    return rarity


def snapshot_of(rarity: LeaveOneOutRarity) -> Snapshot:
    """What of ``rarity`` is written down: counts in fives, histograms in whole numbers."""
    without = ((unit, _written(one)) for unit, one in sorted(rarity.without.items()))
    return replace(
        _written(rarity.everything),
        without=tuple(
            (unit, replace(one, baseline=replace(one.baseline, cameras=()))) for unit, one in without
        ),
    )


def _written(rarity: EventDayRarity) -> Snapshot:
    return Snapshot(
        baseline=coarse(rarity.baseline.state()),
        bins=whole(rarity.bins()),
        changed_at=rarity.changed_at,
    )
