from __future__ import annotations

import pytest

from appliance.hub.statistics.reasons import LEAST_SAID, is_worth_a_walk
from appliance.protocol.values import (
    AttributeVector,
    Epoch,
    Flag,
    Lens,
    Observation,
    PhenomenonTime,
    Reason,
    Seq,
    Steps,
    UnitId,
)


def flag(one_in: int | None, vector: AttributeVector) -> Flag:
    observation = Observation(
        unit=UnitId("north"),
        epoch=Epoch(1),
        seq=Seq(1),
        seen=PhenomenonTime(uptime=Steps(1), wall=None),
        vector=vector,
    )
    reason = Reason(lens=Lens.SINGLE, attributes=((0, 1),), one_in=one_in)
    return Flag(observation=observation, p=0.001, bits=10.0, reasons=(reason,))


@pytest.mark.parametrize(
    ("one_in", "worth"), [(LEAST_SAID - 1, False), (LEAST_SAID, True), (2300, True), (None, True)]
)
def test_nobody_walks_for_what_does_not_sound_rare(one_in: int | None, worth: bool) -> None:
    """A reason commoner than 1 in 100 is counted as a flag and fetches nobody; coarse words do."""
    assert is_worth_a_walk(flag(one_in, AttributeVector.of(top_colour="purple"))) is worth


def test_nobody_walks_for_whom_they_cannot_find() -> None:
    """Without a main colour above or below the waist there is nobody to look for."""
    assert not is_worth_a_walk(flag(2300, AttributeVector.of(feet_colour="light", top_accent="beige")))
    assert is_worth_a_walk(flag(2300, AttributeVector.of(bottom_colour="red")))
