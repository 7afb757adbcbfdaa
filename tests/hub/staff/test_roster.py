from __future__ import annotations

from dataclasses import replace

from appliance.base.errors import Rule
from appliance.protocol.values import Seconds
from tests.hub.corner import (
    BOOTH,
    NOON,
    PLAIN,
    Camera,
    asks,
    new_booth,
    raised,
    register_of,
    teach,
    told,
)


def test_the_board_shows_each_unit_as_it_is() -> None:
    """The board shows a unit's state while it is heard of, silence afterwards, and a missing box."""
    camera = Camera("north")
    booth = new_booth(camera, Camera("south", seed=2))
    status = replace(
        camera.says(b'{"v":1,"state":"online","spooled":0,"dropped":0}', retained=True),
        untrusted_topic=f"leftfield/1/{BOOTH}/unit/north/status",
    )
    outcome = booth.handle_batch([status, camera.says(camera.heartbeat(NOON, boxed=False))], NOON)
    north, south = told(outcome, "hub")[0]["units"]
    assert (north["link"], north["state"], north["boxed"], north["fps"]) == ("online", "watching", False, 10)
    assert (south["link"], south["state"]) == ("offline", "silent")
    later = told(booth.handle_batch([], Seconds(NOON + 60)), "hub")[0]["units"][0]
    assert (later["state"], later["heard_ago"]) == ("silent", 60)


def test_a_unit_whose_clock_is_not_yet_believed_is_heard_at_once() -> None:
    """Until a unit's boot instant has held nobody is sent out for it, but how it is stands on the board."""
    camera = Camera("north", synced=False)
    booth = new_booth(camera)
    outcome = booth.handle_batch([camera.says(camera.heartbeat(NOON))], NOON)
    row = told(outcome, "hub")[0]["units"][0]
    assert (row["state"], row["boxed"], row["heard_ago"]) == ("watching", True, 0)


def test_a_revoked_unit_is_refused_from_the_next_message_on() -> None:
    """A register read anew takes effect at once."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera, 1)
    register = register_of(camera)
    booth.enrol(replace(register, units=(replace(camera.row, revoked=True),)))
    outcome = booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], NOON)
    assert [refusal.rule for refusal in outcome.refusals] == [Rule.REVOKED]


def test_whether_a_unit_is_boxed_is_known_from_the_newest_heartbeat_or_not_at_all() -> None:
    """Not heard yet is not boxed; a late heartbeat tells; an older one does not undo a newer."""
    camera = Camera("north")
    booth = new_booth(camera)

    def shown(now: float) -> object:
        return told(booth.handle_batch([], Seconds(now)), "hub")[0]["units"][0]["boxed"]

    assert shown(NOON) is None
    older, newer = camera.heartbeat(NOON - 300), camera.heartbeat(NOON - 120, boxed=False)
    booth.handle_batch([camera.says(newer)], Seconds(NOON + 2))
    assert shown(NOON + 4) is False
    booth.handle_batch([camera.says(older)], Seconds(NOON + 6))
    assert shown(NOON + 8) is False


def test_an_alert_knows_its_camera_to_the_end() -> None:
    """When what was seen has been emptied, an open alert still names its camera, and whether that is boxed."""
    camera = Camera("north")
    booth = new_booth(camera)
    booth.handle_batch([camera.says(camera.heartbeat(NOON, boxed=False))], NOON)
    teach(booth, camera)
    name = raised(booth, camera, NOON + 5)
    for late in (100, 250):
        booth.handle_batch([asks("tablet-1", "claim", alert=name)], Seconds(NOON + late))
    (alert,) = told(booth.handle_batch([], Seconds(NOON + 306)), "alert")
    assert (alert["state"], alert["look"], alert["unit"], alert["boxed"]) == ("claimed", {}, "north", False)
