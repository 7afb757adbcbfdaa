"""What staff are told of the booth itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from appliance.hub.staff.notices import TWO_HOLDERS_SECONDS, Condition, notice, notices
from appliance.protocol.values import Seconds
from appliance.settings.config import LANGUAGES
from tests.hub.corner import BOOTH, NOON, ODD, PLAIN, Camera, new_booth, told


@dataclass(frozen=True)
class Row:
    """What is asked of a unit's row."""

    place: str
    two_holders_at: Seconds | None
    disk_low: bool


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("condition", Condition)
def test_every_condition_has_words_and_what_to_do_in_every_language(
    language: str, condition: Condition
) -> None:
    """Title and advice are there, short enough for a screen, and name the place where there is one."""
    found = notice(language, condition, "north corner")
    assert 5 < len(found.title) <= 200
    assert 10 < len(found.todo) <= 400
    assert ("north corner" in found.title) == (condition is not Condition.HUB_DISK_LOW)


def test_notices_say_what_is_so_and_for_how_long() -> None:
    """The hub's disk comes first, then each camera; two holders are told for twelve hours."""
    rows = (Row("north", Seconds(100.0), disk_low=True), Row("south", None, disk_low=False))
    now = [one.condition for one in notices("en", rows, Seconds(200.0), disk_low=True)]
    assert now == [Condition.HUB_DISK_LOW, Condition.TWO_HOLDERS, Condition.UNIT_DISK_LOW]
    later = notices("en", rows, Seconds(101.0 + TWO_HOLDERS_SECONDS), disk_low=False)
    assert [one.condition for one in later] == [Condition.UNIT_DISK_LOW]


def test_a_copied_card_and_full_disks_are_on_the_board_in_words() -> None:
    """Two holders of a key, a unit's status and the hub's own disk become notices with what to do."""
    camera, copy = Camera("north"), Camera("north")
    booth = new_booth(camera)
    status = replace(
        camera.says(b'{"v":1,"state":"online","spooled":0,"dropped":0,"disk":"low"}', retained=True),
        untrusted_topic=f"leftfield/1/{BOOTH}/unit/north/status",
    )
    quiet = told(booth.handle_batch([camera.says(camera.observation(PLAIN, NOON))], NOON), "hub")[0]
    assert quiet["notices"] == []
    booth.disk_is(low=True)
    messages = [status, copy.says(copy.observation(ODD, NOON))]
    board = told(booth.handle_batch(messages, Seconds(NOON + 2)), "hub")[0]
    assert [one["condition"] for one in board["notices"]] == ["hub_disk_low", "two_holders", "unit_disk_low"]
    assert "enrol it anew" in board["notices"][1]["todo"]
    assert (board["units"][0]["refused"], board["units"][0]["repeated"]) == (1, 0)
