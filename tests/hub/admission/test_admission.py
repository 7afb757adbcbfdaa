from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.hub.admission.admission import Admission, Admitted, Lateness
from appliance.hub.admission.replay_window import GAPS, ReplayWindow, Verdict
from appliance.hub.admission.timing import BLOCK_MOST, STEP_MOST
from appliance.hub.admission.unit_state import MOST_BACKLOG, OPEN_EPOCHS, UnitAdmissionState
from appliance.protocol.values import Epoch, Heartbeat, Observation, Seconds, Seq
from tests.hub.corner import BOOTH, NOON, ODD, PLAIN, Camera, register_of


def door(*cameras: Camera, doors: tuple[UnitAdmissionState, ...] = ()) -> Admission:
    return Admission(booth=BOOTH, register=register_of(*cameras), doors=doors)


def passes(admission: Admission, camera: Camera, envelope: bytes, now: float = NOON) -> Admitted:
    return admission.admit(camera.topic, envelope, Seconds(now))


def refused(admission: Admission, camera: Camera, envelope: bytes, now: float = NOON) -> Rule:
    with pytest.raises(Refused) as refusal:
        passes(admission, camera, envelope, now)
    return refusal.value.rule


@given(st.lists(st.one_of(st.integers(0, 40), st.integers(0, 100_000)), max_size=200))
def test_the_window_agrees_with_a_set_of_all_numbers_ever_seen(seqs: list[int]) -> None:
    """The window admits a number just when a set of all admitted numbers lacks it, however far behind it is."""
    window, seen = ReplayWindow(epoch=Epoch(1), lowest=0), set[int]()
    for seq in seqs:
        verdict = window.verdict(Seq(seq))
        assert verdict is (Verdict.REPEATED if seq in seen else Verdict.FRESH)
        if verdict is Verdict.FRESH:
            window.mark(Seq(seq))
            seen.add(seq)
        window = ReplayWindow.of(window.state()) if seen else window
        assert window.missing == (max(seen) + 1 - len(seen) if seen else 0)


def test_an_observation_and_a_heartbeat_are_admitted_once() -> None:
    """What a unit signs is admitted, observation and heartbeat alike, and the same bytes only once."""
    camera = Camera("north")
    admission = door(camera)
    observation, heartbeat = camera.observation(PLAIN, NOON - 7), camera.heartbeat(NOON)
    admitted = passes(admission, camera, observation)
    assert isinstance(admitted.statement, Observation)
    assert admitted.statement.vector == PLAIN
    assert (admitted.seen_at, admitted.lateness) == (NOON - 10, Lateness.FRESH)
    assert isinstance(passes(admission, camera, heartbeat).statement, Heartbeat)
    assert refused(admission, camera, observation) is Rule.REPLAYED
    assert admission.counts("north").repeated == 1


def test_a_backlog_of_a_day_gets_in_behind_what_is_new() -> None:
    """What is new is admitted first; the numbers far behind it still are, each once, and none is too old."""
    camera = Camera("north")
    admission = door(camera)
    backlog = [camera.observation(PLAIN, NOON - 600) for _ in range(50)]
    camera.seq = 1_728_000
    passes(admission, camera, camera.observation(PLAIN, NOON))
    for envelope in backlog:
        passes(admission, camera, envelope)
    assert {refused(admission, camera, envelope) for envelope in backlog} == {Rule.REPLAYED}
    counts = admission.counts("north")
    assert (counts.admitted, counts.repeated, sum(counts.refused.values())) == (51, 50, 50)


def test_more_gaps_than_are_remembered_cost_the_oldest_and_admit_nothing_twice() -> None:
    """A window torn into more gaps than it remembers closes the oldest: refused, and not taken for a redelivery."""
    window = ReplayWindow(epoch=Epoch(1), lowest=0)
    for seq in range(1, 2 * GAPS + 4, 2):
        window.mark(Seq(seq))
    assert [window.verdict(Seq(seq)) for seq in (0, 1, 2, 3, 4, 5)] == [
        Verdict.TOO_OLD, Verdict.TOO_OLD, Verdict.TOO_OLD, Verdict.REPEATED, Verdict.FRESH, Verdict.REPEATED,
    ]  # fmt: skip


def test_gaps_are_counted_and_closed_by_late_arrivals() -> None:
    """Numbers that did not come are missing until they come."""
    camera = Camera("north")
    admission = door(camera)
    first, second, third = (camera.observation(PLAIN, NOON) for _ in range(3))
    passes(admission, camera, first)
    passes(admission, camera, third)
    assert admission.missing("north") == 1
    passes(admission, camera, second)
    assert admission.missing("north") == 0


def test_a_unit_met_in_the_middle_of_its_life_is_missing_nothing() -> None:
    """A new hub does not count what it was never to get; of the next epoch it misses every number."""
    camera = Camera("north", seq=5000)
    admission = door(camera)
    passes(admission, camera, camera.observation(PLAIN, NOON))
    assert admission.missing("north") == 0
    camera.epoch, camera.seq = 2, 3
    passes(admission, camera, camera.observation(PLAIN, NOON))
    assert admission.missing("north") == 3


def test_what_was_spooled_before_a_power_cut_still_gets_in() -> None:
    """After a restart the previous epochs stay open, up to thirty-two of them; a closed one is a roll-back."""
    camera = Camera("north")
    admission = door(camera)
    spooled = camera.observation(PLAIN, NOON)
    for epoch in range(2, OPEN_EPOCHS + 1):
        camera.epoch, camera.seq = epoch, 0
        passes(admission, camera, camera.observation(PLAIN, NOON))
    passes(admission, camera, spooled)
    camera.epoch, camera.seq = OPEN_EPOCHS + 1, 0
    passes(admission, camera, camera.observation(PLAIN, NOON))
    camera.epoch, camera.seq = 1, 1
    assert refused(admission, camera, camera.observation(PLAIN, NOON)) is Rule.ROLLED_BACK


def test_the_future_is_refused() -> None:
    """Once a unit's clock has agreed with the hub's, what its uptime puts minutes ahead is refused."""
    camera = Camera("north")
    admission = door(camera)
    passes(admission, camera, camera.observation(PLAIN, NOON))
    envelope = camera.observation(PLAIN, NOON + 200)
    assert refused(admission, camera, envelope) is Rule.FUTURE
    assert passes(admission, camera, envelope, NOON + 200).seen_at == NOON + 200


def test_a_hub_whose_clock_is_behind_loses_nothing_and_trusts_no_wall_clock() -> None:
    """With the hub's clock 30 days behind every observation is admitted, by arrival, and the first alert nobody."""
    camera = Camera("north")
    admission = door(camera)
    behind = NOON - 30 * 86_400
    found = [
        passes(admission, camera, camera.observation(PLAIN, NOON + n * 5), behind + n * 5) for n in range(100)
    ]
    assert [one.seen_at for one in found] == [behind + n * 5 for n in range(100)]
    assert [one.lateness for one in found[:4]] == [Lateness.LATE] * 2 + [Lateness.FRESH] * 2


def test_a_backlog_without_a_clock_alerts_nobody_until_it_has_drained() -> None:
    """While a backlog of a unit without a clock drains, its time is not known: nothing of it is fresh."""
    camera = Camera("north", synced=False, booted=NOON - 5000)
    admission = door(camera)
    backlog = [camera.observation(PLAIN, NOON - 3600 + n * 5) for n in range(720)]
    found = [passes(admission, camera, one, NOON + n / 100) for n, one in enumerate(backlog)]
    assert {one.lateness for one in found} == {Lateness.LATE}
    passes(admission, camera, camera.heartbeat(NOON + 10), NOON + 10)
    live = passes(admission, camera, camera.observation(PLAIN, NOON + 20), NOON + 20)
    assert live.lateness is Lateness.FRESH


def test_a_step_of_the_hubs_clock_moves_what_was_told_by_it() -> None:
    """After the hub's clock was set, a unit without one is timed by the clock as it is now."""
    camera = Camera("north", synced=False)
    admission, wrong = door(camera), NOON - 100_000
    passes(admission, camera, camera.observation(PLAIN, NOON), wrong)
    admission.clock_stepped(100_010.0)
    admitted = passes(admission, camera, camera.observation(PLAIN, NOON + 20), NOON + 30)
    assert (admitted.seen_at, admitted.lateness) == (NOON + 30, Lateness.FRESH)


def test_a_unit_cannot_say_more_than_a_street_holds() -> None:
    """More statements in one step of a unit's time than people can pass are refused; an hour's backlog is not."""
    camera = Camera("north")
    admission = door(camera)
    for _ in range(STEP_MOST):
        passes(admission, camera, camera.observation(PLAIN, NOON))
    assert refused(admission, camera, camera.observation(PLAIN, NOON)) is Rule.TOO_FAST
    for number in range(2000):
        passes(admission, camera, camera.observation(PLAIN, NOON + 5 + 2 * number), NOON + 5000)


def test_what_arrives_of_a_unit_is_bounded_by_the_hubs_clock() -> None:
    """At one instant no more of a unit is admitted than an hour's backlog, whatever times it claims for it."""
    camera = Camera("north", synced=False, booted=NOON - 90_000)
    admission, admitted = door(camera), 0
    for number in range(int(MOST_BACKLOG) + 500):
        with suppress(Refused):
            passes(admission, camera, camera.observation(PLAIN, NOON - 80_000 + 5 * number))
            admitted += 1
    assert admitted == MOST_BACKLOG
    assert admission.counts("north").refused[Rule.TOO_FAST] == 500
    assert refused(admission, camera, camera.observation(PLAIN, NOON)) is Rule.TOO_FAST
    passes(admission, camera, camera.observation(PLAIN, NOON + 1), NOON + 1)


def test_a_made_up_backlog_of_a_minute_is_refused() -> None:
    """Five thousand statements of one minute of a unit's time are refused but for the first few hundred."""
    camera, admitted = Camera("north"), 0
    admission = door(camera)
    for number in range(5000):
        with suppress(Refused):
            passes(admission, camera, camera.observation(PLAIN, NOON - 60 + number / 100))
            admitted += 1
    assert admitted <= BLOCK_MOST
    assert admission.counts("north").refused[Rule.TOO_FAST] == 5000 - admitted


@pytest.mark.parametrize("synced", [True, False])
def test_a_unit_that_was_away_for_an_hour_loses_nothing(synced: bool) -> None:
    """After an hour of a busy street without a broker, all that was spooled is admitted at once, and what follows."""
    camera = Camera("north", synced=synced)
    admission = door(camera)
    for number in range(7200):  # two people a second
        passes(admission, camera, camera.observation(PLAIN, NOON + number / 2), NOON + 3600)
    for number in range(600):
        at = NOON + 3600 + number / 2
        passes(admission, camera, camera.observation(PLAIN, at), at)
    assert admission.counts("north").admitted == 7800


def test_uptime_that_cannot_be_is_refused() -> None:
    """A unit that says it has run for centuries, or for hours less than before, is refused."""
    camera = Camera("north", booted=NOON - 10_000)
    admission = door(camera)
    passes(admission, camera, camera.observation(PLAIN, NOON))
    assert refused(admission, camera, camera.observation(PLAIN, NOON - 4000)) is Rule.ROLLED_BACK
    camera.booted = NOON - 11 * 365 * 86_400
    assert refused(admission, camera, camera.observation(PLAIN, NOON)) is Rule.FUTURE


def test_a_leap_of_epochs_is_refused_and_a_new_key_starts_anew() -> None:
    """Nobody can use up a unit's epochs; and whoever is enrolled anew under an old name has a door of its own."""
    camera = Camera("north")
    admission = door(camera)
    camera.epoch = 2**32 - 1
    assert refused(admission, camera, camera.observation(PLAIN, NOON)) is Rule.FUTURE
    for epoch in range(100, 100 + OPEN_EPOCHS):
        camera.epoch = epoch
        passes(admission, camera, camera.observation(PLAIN, NOON))
    camera.epoch = 99
    assert refused(admission, camera, camera.observation(PLAIN, NOON)) is Rule.ROLLED_BACK
    anew = Camera("north", seed=9)
    admission.enrol(register_of(anew))
    passes(admission, anew, anew.observation(PLAIN, NOON))
    again = door(anew, doors=admission.changed())
    assert (again.counts("north").admitted, again.missing("north")) == (1, 0)


def test_a_unit_without_a_clock_is_timed_by_its_least_delayed_message() -> None:
    """Of a unit whose clock is not set the hub takes the boot instant from whatever came with the least delay."""
    camera = Camera("north", synced=False, booted=NOON - 1000)
    admission = door(camera)
    late = passes(admission, camera, camera.observation(PLAIN, NOON - 100), NOON)
    assert late.seen_at == NOON
    prompt = passes(admission, camera, camera.observation(PLAIN, NOON), NOON)
    assert prompt.seen_at == NOON
    again = passes(admission, camera, camera.observation(PLAIN, NOON - 100), NOON)
    assert (again.seen_at, again.lateness) == (NOON - 100, Lateness.LATE)


def test_lateness_is_classed() -> None:
    """A phenomenon is fresh for a minute, late for a day, and old from then on."""
    camera = Camera("north", booted=NOON - 200_000)
    admission = door(camera)
    ages = [90_000, 120, 55, 0]
    found = [passes(admission, camera, camera.observation(PLAIN, NOON - age)).lateness for age in ages]
    assert found == [Lateness.OLD, Lateness.LATE, Lateness.FRESH, Lateness.FRESH]


def test_another_units_topic_is_refused() -> None:
    """A unit cannot speak on another's topic, even with a valid signature of its own."""
    north, south = Camera("north"), Camera("south", seed=2)
    admission = door(north, south)
    with pytest.raises(Refused) as refusal:
        admission.admit(south.topic, north.observation(PLAIN, NOON), NOON)
    assert refusal.value.rule is Rule.WRONG_TOPIC
    assert admission.counts("south").refused == {Rule.WRONG_TOPIC: 1}


def test_a_forged_or_unknown_sender_is_refused_and_strangers_share_one_count() -> None:
    """Wrong keys are refused; names that nobody enrolled cannot make the hub remember them."""
    north = Camera("north")
    admission = door(north)
    assert refused(admission, north, Camera("north", seed=9).observation(PLAIN, NOON)) is Rule.UNKNOWN_KEY
    torn = bytearray(north.observation(PLAIN, NOON))
    torn[-1] ^= 1
    assert refused(admission, north, bytes(torn)) is Rule.FORGED
    for number in range(20):
        stranger = Camera(f"stranger-{number}", seed=3 + number)
        assert refused(admission, stranger, stranger.observation(PLAIN, NOON)) is Rule.UNKNOWN_KEY
    assert admission.counts("").refused == {Rule.UNKNOWN_KEY: 20}
    assert {state.unit.split("/")[0] for state in admission.changed()} == {"", "north"}


def test_a_revoked_unit_is_refused() -> None:
    """A unit that was revoked is refused though its signature verifies."""
    north = Camera("north")
    north.row = replace(north.row, revoked=True)
    assert refused(door(north), north, north.observation(PLAIN, NOON)) is Rule.REVOKED


def test_the_door_taken_up_from_its_state_remembers_everything() -> None:
    """A door made anew from what was stored refuses the same replays and keeps its counts."""
    camera = Camera("north")
    admission = door(camera)
    envelopes = [camera.observation(PLAIN, NOON) for _ in range(50)]
    for envelope in envelopes[::2]:
        passes(admission, camera, envelope)
    again = door(camera, doors=admission.changed())
    assert all(refused(again, camera, envelope) is Rule.REPLAYED for envelope in envelopes[::2])
    for envelope in envelopes[1::2]:
        passes(again, camera, envelope)
    assert (again.counts("north").admitted, again.missing("north")) == (50, 0)


@given(
    topic=st.one_of(st.text(max_size=80), st.just(Camera("north").topic)),
    garbage=st.binary(max_size=200),
    now=st.floats(0, 4e9),
)
def test_garbage_is_refused_and_nothing_else_happens(topic: str, garbage: bytes, now: float) -> None:
    """Whatever bytes come on whatever topic, the door answers with a refusal."""
    admission = door(Camera("north"))
    with pytest.raises(Refused):
        admission.admit(topic, garbage, Seconds(now))
    assert sum(sum(admission.counts(name).refused.values()) for name in ("", "north")) == 1


def test_another_statement_under_a_used_number_proves_two_holders_of_a_key() -> None:
    """A copy of a unit's card says something else under a number that was admitted: a rule of its own."""
    camera, copy = Camera("north"), Camera("north")
    admission = door(camera)
    first = camera.observation(PLAIN, NOON)
    passes(admission, camera, first)
    assert admission.two_holders_at("north") is None
    assert refused(admission, camera, copy.observation(ODD, NOON)) is Rule.TWO_HOLDERS
    assert admission.two_holders_at("north") == NOON
    assert refused(admission, camera, first) is Rule.REPLAYED
    counts = admission.counts("north")
    assert (counts.admitted, counts.repeated) == (1, 1)


def test_an_epoch_that_outlives_the_next_is_a_copy() -> None:
    """Once a later start of SENSE has spoken, an earlier one that goes on for minutes is another device."""
    camera, copy = Camera("north", epoch=1), Camera("north", epoch=2)
    admission = door(camera)
    passes(admission, camera, camera.observation(PLAIN, NOON))
    passes(admission, camera, copy.observation(PLAIN, NOON + 10), NOON + 10)
    passes(admission, camera, camera.observation(PLAIN, NOON + 200), NOON + 200)
    assert admission.two_holders_at("north") is None
    passes(admission, camera, camera.observation(PLAIN, NOON + 400), NOON + 400)
    assert admission.two_holders_at("north") == NOON + 400
