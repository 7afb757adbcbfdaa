"""Two that connect under one name: a real broker throws one out, which says so and stands back."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.mqtt import Link
from appliance.mqtt import link as link_module
from appliance.settings import config
from tests.faults.real_booth import UNIT, RealBooth, until

pytestmark = pytest.mark.broker


def test_a_link_whose_session_is_taken_over_says_so_and_backs_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of a card connects: the first is told what happened and what to do, and waits, longer each time."""
    monkeypatch.setattr(link_module, "_TAKEN_OVER_SECONDS", (2, 300))
    booth = RealBooth(tmp_path)
    booth.start("broker")
    address = config.unit_config(booth.unit_config).broker
    first, copy = (Link(address=address, name=UNIT) for _ in range(2))
    first.start()
    until(lambda: first.up, "the first link")
    copy.start()
    pair = (first, copy)
    until(lambda: any("taken over" in str(one.trouble) for one in pair), "the news")
    told = next(one for one in pair if "taken over" in str(one.trouble)).trouble
    assert told is not None
    assert "another device connects under this name; next try in 2 s" in str(told)
    assert "revoke this unit and enrol anew" in told.fix
    until(lambda: any("next try in 4 s" in str(one.trouble) for one in pair), "a longer wait")
    assert first.connections + copy.connections < 12
    first.stop()
    copy.stop()
    booth.close()
