"""Whose turn it is: one unit at a time, and a release that one unit undid goes to no other."""

from __future__ import annotations

from appliance.update.rollout import TURN_SECONDS, Rollout, Said

OLD = Said(version="1.0", on_trial=False, failed=0)
TRYING = Said(version="1.1", on_trial=True, failed=0)
NEW = Said(version="1.1", on_trial=False, failed=0)
UNDONE = Said(version="1.0", on_trial=False, failed=7)


def test_one_unit_at_a_time_until_it_has_proved_itself() -> None:
    rollout = Rollout(7, "1.1")
    assert rollout.asked("north", OLD, 0.0)
    assert rollout.asked("north", OLD, 10.0)  # it asks again: still its turn
    assert not rollout.asked("south", OLD, 20.0)
    assert not rollout.asked("north", TRYING, 30.0)
    assert not rollout.asked("south", OLD, 40.0)
    assert not rollout.asked("north", NEW, 50.0)
    assert rollout.confirmed == {"north"}
    assert rollout.asked("south", OLD, 60.0)


def test_a_unit_that_undid_it_stops_it_for_all() -> None:
    rollout = Rollout(7, "1.1")
    assert rollout.asked("north", OLD, 0.0)
    assert not rollout.asked("north", UNDONE, 100.0)
    assert rollout.stopped_by == "north"
    assert not rollout.asked("south", OLD, 10 * TURN_SECONDS)


def test_a_unit_that_undid_another_release_may_take_this_one() -> None:
    rollout = Rollout(8, "1.1")
    assert rollout.asked("north", UNDONE, 0.0)


def test_a_unit_that_never_came_back_loses_its_turn() -> None:
    rollout = Rollout(7, "1.1")
    assert rollout.asked("north", OLD, 0.0)
    assert not rollout.asked("south", OLD, TURN_SECONDS - 1)
    assert rollout.asked("south", OLD, TURN_SECONDS)
    assert not rollout.asked("north", OLD, TURN_SECONDS + 1)


def test_a_unit_that_runs_it_already_needs_no_turn() -> None:
    rollout = Rollout(7, "1.1")
    assert not rollout.asked("north", NEW, 0.0)
    assert rollout.turn == ""
