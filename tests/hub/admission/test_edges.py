"""The edges of the door: what lies exactly on a limit, and one step beyond it. Mutants showed that nobody looked."""

from __future__ import annotations

import pytest

from appliance.base.errors import Refused, Rule
from appliance.hub.admission.admission import FRESH_SECONDS, OLD_SECONDS, Admission, Lateness
from appliance.hub.admission.replay_window import ReplayWindow, Verdict
from appliance.hub.admission.timing import FUTURE_SECONDS, check_time
from appliance.protocol import topics
from appliance.protocol.values import (
    TIME_STEP,
    Epoch,
    Observation,
    PhenomenonTime,
    Seconds,
    Seq,
    Steps,
    UnitId,
)
from tests.hub.corner import BOOTH, NOON, PLAIN, Camera, register_of


def test_a_statement_on_another_leaf_of_its_unit_is_on_the_wrong_topic() -> None:
    """A unit may write its status too; what is sealed is not taken from there."""
    camera = Camera("north")
    admission = Admission(booth=BOOTH, register=register_of(camera), doors=())
    with pytest.raises(Refused) as refusal:
        admission.admit(
            topics.unit_status(BOOTH, UnitId("north")), camera.observation(PLAIN, NOON), Seconds(NOON)
        )
    assert refusal.value.rule is Rule.WRONG_TOPIC


@pytest.mark.parametrize(("beyond", "passes"), [(0, True), (1, False)])
def test_an_uptime_may_be_ahead_by_twice_the_difference_of_two_clocks(beyond: int, *, passes: bool) -> None:
    """Once the clocks have agreed, what was seen two differences ahead passes, and one step later does not."""
    window = ReplayWindow(epoch=Epoch(1), lowest=0)
    window.agreed, window.boot = True, NOON - 1000.0
    uptime = int(1000 + 2 * FUTURE_SECONDS) // TIME_STEP + beyond
    seen = PhenomenonTime(uptime=Steps(uptime), wall=None)
    said = Observation(unit=UnitId("north"), epoch=Epoch(1), seq=Seq(0), seen=seen, vector=PLAIN)
    if passes:
        check_time(said, window, Seconds(NOON))
    else:
        with pytest.raises(Refused) as refusal:
            check_time(said, window, Seconds(NOON))
        assert refusal.value.rule is Rule.FUTURE


@pytest.mark.parametrize(
    ("age", "lateness"),
    [
        (FRESH_SECONDS, Lateness.FRESH),
        (FRESH_SECONDS + 1, Lateness.LATE),
        (OLD_SECONDS, Lateness.LATE),
        (OLD_SECONDS + 1, Lateness.OLD),
    ],
)
def test_lateness_changes_just_beyond_its_limits(age: float, lateness: Lateness) -> None:
    """A statement is fresh, late or old by its age; the limit itself still belongs to the better."""
    camera = Camera("north", booted=NOON - OLD_SECONDS - 5000)
    admission = Admission(booth=BOOTH, register=register_of(camera), doors=())
    seen = NOON // TIME_STEP * TIME_STEP
    admitted = admission.admit(camera.topic, camera.observation(PLAIN, seen), Seconds(seen + age))
    assert admitted.lateness is lateness


def test_a_gap_that_reaches_to_the_end_stays_a_gap() -> None:
    """What somebody else knows to be missing up to the very end is not taken as admitted."""
    window = ReplayWindow(epoch=Epoch(1), lowest=0)
    assert window.take_as_admitted(10, ((4, 10),))
    verdicts = [window.verdict(Seq(seq)) for seq in range(11)]
    assert verdicts == [Verdict.REPEATED] * 4 + [Verdict.FRESH] * 7
    assert window.missing == 6
