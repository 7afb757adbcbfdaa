from __future__ import annotations

import numpy as np
import pytest

from appliance.protocol.values import Seconds, UnitId
from tests.hub.corner import (
    NOON,
    Camera,
    asks,
    new_booth,
    raised,
    teach,
    told,
)


def test_forget_removes_at_once_and_everywhere() -> None:
    """Forgetting an alert leaves nothing of it in memory, in what is told, or on the disk."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    outcome = booth.handle_batch([asks("tablet-2", "forget", alert=name)], Seconds(NOON + 6))
    assert told(outcome, "alert")[0]["state"] == "forgotten"
    assert outcome.changes.alerts[0].alert.flag is None
    assert not booth._pacing._recent
    again = booth.handle_batch([asks("tablet-2", "forget", alert=name)], Seconds(NOON + 7))
    assert told(again, "staff")[0]["ok"]
    assert not told(again, "alert")


def test_forgotten_means_as_if_never_counted() -> None:
    """After a forget, counts, camera counts and score histograms are those of a hub that never saw the person."""
    camera, other = Camera("north"), Camera("north")
    booth, never = new_booth(camera), new_booth(other)
    teach(booth, camera)
    teach(never, other)
    name = raised(booth, camera)
    booth.handle_batch([asks("tablet-1", "forget", alert=name)], Seconds(NOON + 6))
    mine, theirs = booth.baseline.state(), never.baseline.state()
    assert (mine.pairs == theirs.pairs).all()
    assert (mine.known == theirs.known).all()
    assert mine.weight == theirs.weight
    assert (dict(mine.cameras)["north"] == dict(theirs.cameras)["north"]).all()
    tails = [np.cumsum(one._rarity.everything.bins()[..., ::-1], -1) for one in (booth, never)]
    # A young memory fades faster: by one person in as many as twice the people there were.
    assert tails[0] == pytest.approx(tails[1], rel=2e-3)
    assert (booth._rarity.everything.bins() > 0).sum() == (never._rarity.everything.bins() > 0).sum()
    lately = [one._rarity.everything._short_term_baseline.state().pairs for one in (booth, never)]
    assert lately[0] == pytest.approx(lately[1], abs=1e-9)
    guards = [one._rarity.everything.guard._cameras[UnitId("north")] for one in (booth, never)]
    assert (guards[0].counts == guards[1].counts).all()
    assert len(guards[0].waiting) == len(guards[1].waiting)


def test_forget_after_the_end_of_an_alert_purges_what_is_left_and_says_so() -> None:
    """Whoever declined and then asks to be forgotten leaves no count, no outfit in memory, no row."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    before = booth.baseline.state().pairs
    name = raised(booth, camera)
    booth.handle_batch([asks("tablet-1", "claim", alert=name)], Seconds(NOON + 7))
    declined = asks("tablet-1", "outcome", alert=name, outcome="declined", why=None)
    booth.handle_batch([declined], Seconds(NOON + 8))
    assert not booth._pacing._recent
    outcome = booth.handle_batch([asks("tablet-1", "forget", alert=name)], Seconds(NOON + 9))
    assert told(outcome, "staff")[0]["text"].endswith("Nothing of it is left here.")
    assert outcome.changes.snapshot
    assert (booth.baseline.state().pairs == before).all()
