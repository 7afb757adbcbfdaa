"""Kept, undone, or looked at for longer: what a trial makes of the hub and of the machine itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.update.trial import ALONE, PATIENCE, RESTARTS, HubSays, Service, Sight, Trial, Verdict

SENSE = Service(name="sense", state="active", restarts=0, status="watching /dev/video0")
RELAY = Service(name="relay", state="active", restarts=0, status="waiting: broker")
ALONE_AND_WELL = Sight(hub=HubSays.AWAY, admitted=0, services=(SENSE, RELAY), links=1)


def after(seconds: float, sight: Sight, trial: Trial | None = None, start: float = 0.0) -> Verdict:
    """The verdict when ``sight`` lasts ``seconds``, looked at every five; the first that is no WAIT."""
    trial = trial or Trial()
    for step in range(int(seconds // 5) + 1):
        verdict = trial.see(sight, start + 5.0 * step)
        if verdict is not Verdict.WAIT:
            return verdict
    return verdict


def sense(**changed: object) -> Sight:
    return replace(ALONE_AND_WELL, services=(replace(SENSE, **changed), RELAY))  # type: ignore[arg-type]


def test_three_admitted_statements_are_enough_at_once() -> None:
    heard = replace(ALONE_AND_WELL, hub=HubSays.ANSWERS, admitted=3)
    assert Trial().see(heard, 0.0) is Verdict.KEEP


def test_a_hub_that_is_away_for_long_undoes_nothing() -> None:
    """Half an hour of good health keeps it; not a minute less, and no restart of the machine before."""
    assert after(ALONE - 5, ALONE_AND_WELL) is Verdict.WAIT
    assert after(ALONE, ALONE_AND_WELL) is Verdict.KEEP


def test_a_hub_and_a_camera_that_are_away_prove_nothing_either_way() -> None:
    assert after(86_400, sense(status="waiting: /dev/video0: there is no such camera")) is Verdict.WAIT


@pytest.mark.parametrize(
    "sight",
    [
        sense(state="failed"),
        sense(state="activating"),
        sense(state=""),
        sense(restarts=RESTARTS),
        replace(ALONE_AND_WELL, links=0),
        replace(ALONE_AND_WELL, hub=HubSays.SHUT),
        replace(ALONE_AND_WELL, hub=HubSays.REFUSES),
        replace(ALONE_AND_WELL, hub=HubSays.ANSWERS, admitted=2),
    ],
)
def test_what_is_wrong_here_or_at_a_hub_that_answers_is_undone_after_ten_minutes(sight: Sight) -> None:
    assert sight.fault
    assert after(PATIENCE - 5, sight) is Verdict.WAIT
    assert after(PATIENCE, sight) is Verdict.UNDO


def test_a_fault_that_passes_is_forgotten_and_the_good_half_hour_begins_again() -> None:
    trial = Trial()
    assert after(ALONE - 60, ALONE_AND_WELL, trial) is Verdict.WAIT
    assert after(PATIENCE - 5, sense(state="activating"), trial, ALONE) is Verdict.WAIT
    begun = ALONE + PATIENCE
    assert after(ALONE - 5, ALONE_AND_WELL, trial, begun) is Verdict.WAIT
    assert trial.see(ALONE_AND_WELL, begun + ALONE) is Verdict.KEEP


def test_a_service_that_was_started_again_begins_the_half_hour_anew() -> None:
    trial = Trial()
    after(ALONE - 60, ALONE_AND_WELL, trial)
    once_more = sense(restarts=1)
    assert after(ALONE - 60, once_more, trial, ALONE) is Verdict.WAIT
    assert after(ALONE, once_more, trial, 2 * ALONE) is Verdict.KEEP


def test_a_hub_that_comes_back_decides() -> None:
    trial = Trial()
    after(ALONE - 60, ALONE_AND_WELL, trial)
    assert trial.see(replace(ALONE_AND_WELL, hub=HubSays.ANSWERS, admitted=3), ALONE - 50) is Verdict.KEEP


def test_every_verdict_says_why() -> None:
    trial = Trial()
    assert trial.see(sense(state="failed"), 0.0) is Verdict.WAIT
    assert trial.reason == "sense is failed"
    after(120, ALONE_AND_WELL, trial, 5.0)
    assert trial.reason == "the hub cannot be reached; everything here has been well for 2 minutes"
