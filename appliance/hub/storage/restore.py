"""What a hub had learnt, taken up again from what it stored."""

from __future__ import annotations

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import taken_up
from appliance.hub.statistics.event_day import EventDayRarity
from appliance.hub.storage.state import HubState
from appliance.protocol.values import Seconds


def learnt(stored: HubState, now: Seconds | None = None) -> EventDayRarity:
    """Baseline and calibration as a hub that starts now would have them; on the clock of ``now`` where it is given.

    What waited in the journal is judged and counted again, in the order in which it came.
    """
    snapshot = stored.snapshot
    baseline = Baseline(taken_up(snapshot.baseline) if snapshot else None)
    if now is not None:
        baseline.follow_clock(now)
    rarity = EventDayRarity(baseline, snapshot.bins if snapshot else None)
    for one in stored.live:
        rarity.score_and_learn(one.vector, one.unit, one.seen_at)
    return rarity
