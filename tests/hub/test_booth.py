from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import Rule, Unavailable
from appliance.hub.booth import Booth, Outcome
from appliance.hub.counts import FIVE
from appliance.hub.forecast import HourCount
from appliance.hub.localday import day_of
from appliance.hub.messages import Arrival
from appliance.hub.stored import Changes, Stored, Tally
from appliance.values import Epoch, Seconds, UnitId
from tests.hub.corner import (
    BOOTH,
    NOON,
    ODD,
    PLAIN,
    Camera,
    asks,
    hub_config,
    new_booth,
    register_of,
    store_at,
    told,
)


def teach(booth: Booth, camera: Camera, people: int = 400, now: float = NOON) -> Outcome:
    """Let ``people`` in plain clothes pass, ten a second."""
    return booth.take([camera.says(camera.observation(PLAIN, now)) for _ in range(people)], Seconds(now))


def raised(booth: Booth, camera: Camera, now: float = NOON + 5) -> str:
    """The name of the alert that somebody in odd clothes causes."""
    outcome = booth.take([camera.says(camera.observation(ODD, now))], Seconds(now))
    (alert,) = told(outcome, "alert")
    assert alert["state"] == "raised"
    return str(alert["id"])


def test_somebody_dressed_unlike_everybody_is_an_alert_with_a_reason_in_words() -> None:
    """Somebody dressed unlike everybody else becomes an alert that says where, how rare, why and what to look for."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    outcome = booth.take([camera.says(camera.observation(ODD, NOON + 1))], Seconds(NOON + 5))
    (alert,) = told(outcome, "alert")
    assert alert["place"] == "north corner"
    assert alert["unit"] == "north"
    assert alert["seen_ago"] == 5
    assert alert["look"] == {
        "top.colour": "yellow",
        "top.pattern": "checked",
        "bottom.colour": "purple",
        "bottom.pattern": "striped",
        "sleeves": "short",
    }
    assert alert["rarity"]["p"] <= 0.01
    assert alert["reasons"][0]["text"]
    (board,) = told(outcome, "hub")
    assert board["alerts"] == {"open": 1, "today": 1, "gifted": 0}
    assert board["people"] == {"today": 401, "total": 401}
    assert board["staff_free"] == 1


def test_nobody_is_flagged_while_the_baseline_is_young() -> None:
    """While too few people have been seen nobody is flagged, and the board says how many more are needed."""
    camera = Camera("north")
    booth = new_booth(camera, young=1000)
    (board,) = told(teach(booth, camera), "hub")
    assert (board["baseline"]["ready"], board["baseline"]["needs"]) == (False, 600)
    assert not told(booth.take([camera.says(camera.observation(ODD, NOON))], NOON), "alert")


def test_a_late_observation_teaches_but_alerts_nobody() -> None:
    """An observation that was spooled for ten minutes enters the baseline and sends nobody out."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    outcome = booth.take([camera.says(camera.observation(ODD, NOON))], Seconds(NOON + 600))
    assert not told(outcome, "alert")
    assert booth.baseline.people == 401


def test_the_same_outfit_does_not_alert_twice_within_minutes() -> None:
    """The same passer-by before a second camera is no second alert."""
    north, south = Camera("north"), Camera("south", seed=2)
    booth = new_booth(north, south)
    teach(booth, north)
    raised(booth, north)
    assert not told(booth.take([south.says(south.observation(ODD, NOON + 9))], Seconds(NOON + 9)), "alert")


def test_nobody_free_means_no_alert() -> None:
    """Where all staff are out, a flag is only counted."""
    camera = Camera("north")
    booth = new_booth(camera, staff=0)
    teach(booth, camera)
    outcome = booth.take([camera.says(camera.observation(ODD, NOON))], NOON)
    assert not told(outcome, "alert")
    assert told(booth.take([], Seconds(NOON + 2)), "hub")[0]["flags_today"] == 1


def test_the_first_claim_wins_and_the_second_is_told_who_has_it() -> None:
    """Of two claims for one alert the first is granted and the second refused, each with its own correlation."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    outcome = booth.take(
        [
            asks("tablet-1", "claim", b"one", alert=name),
            asks("tablet-2", "claim", b"two", alert=name),
        ],
        Seconds(NOON + 10),
    )
    first, second = told(outcome, "staff")
    assert (first["ok"], first["state"]) == (True, "claimed")
    assert (second["ok"], second["rule"], second["text"]) == (
        False,
        Rule.NOT_YOURS,
        "tablet-1 has it already",
    )
    answers = [telling for telling in outcome.tellings if telling.topic.endswith("/answer")]
    assert [(one.topic.split("/")[4], one.correlation) for one in answers] == [
        ("tablet-1", b"one"),
        ("tablet-2", b"two"),
    ]
    assert told(outcome, "alert")[0]["held_by"] == "tablet-1"


def test_an_ended_alert_says_nothing_of_the_person_and_is_cleared() -> None:
    """With its end an alert is told without look, reasons and rarity; a minute later it is wiped from the broker."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    booth.take([asks("tablet-1", "claim", alert=name)], Seconds(NOON + 10))
    ended = booth.take(
        [asks("tablet-1", "outcome", alert=name, outcome="gifted", why=None)], Seconds(NOON + 20)
    )
    (alert,) = told(ended, "alert")
    assert alert["state"] == "gifted"
    assert set(alert) == {"v", "id", "state", "raised_at", "expires_at", "held_by"}
    (board,) = told(ended, "hub")
    assert (board["alerts"]["gifted"], board["last_alert"], board["stock"]) == (1, None, 9999)
    assert told(booth.take([], Seconds(NOON + 81)), "alert") == [{}]


def test_forget_removes_at_once_and_everywhere() -> None:
    """Forgetting an alert leaves nothing of it in memory, in what is told, or on the disk."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    outcome = booth.take([asks("tablet-2", "forget", alert=name)], Seconds(NOON + 6))
    assert told(outcome, "alert")[0]["state"] == "forgotten"
    assert outcome.changes.alerts[0].alert.flag is None
    assert not booth._pacing._recent
    again = booth.take([asks("tablet-2", "forget", alert=name)], Seconds(NOON + 7))
    assert told(again, "staff")[0]["ok"]
    assert not told(again, "alert")


def test_a_retained_or_misplaced_message_is_refused() -> None:
    """What is retained, from a stranger, unsigned or on another's topic is refused, and nothing of it counts."""
    camera, other = Camera("north"), Camera("south", seed=2)
    booth = new_booth(camera, other)
    batch = [
        camera.says(camera.observation(ODD, NOON), retained=True),
        other.says(camera.observation(ODD, NOON)),
        camera.says(b"nonsense"),
        asks("tablet-9", "claim", alert="a1"),
        replace(asks("tablet-1", "claim", alert="a1"), retained=True),
        replace(asks("tablet-1", "claim", alert="a1"), untrusted_payload=b"\xff" * 300),
        replace(camera.says(b""), untrusted_topic="leftfield/1/other/unit/north/observation"),
        replace(camera.says(b"{}"), untrusted_topic=f"leftfield/1/{BOOTH}/unit/north/status"),
    ]
    outcome = booth.take(batch, NOON)
    assert [refusal.rule for refusal in outcome.refusals] == [
        Rule.REPLAYED,
        Rule.WRONG_TOPIC,
        Rule.MALFORMED,
        Rule.NOT_YOURS,
        Rule.MALFORMED_REQUEST,
        Rule.MALFORMED_REQUEST,
        Rule.WRONG_TOPIC,
        Rule.MALFORMED_REQUEST,
    ]
    assert booth.baseline.people == 0
    answers = [telling.topic for telling in outcome.tellings if telling.topic.endswith("/answer")]
    assert answers == [f"leftfield/1/{BOOTH}/staff/tablet-1/answer"] * 2


def test_a_tablet_that_asks_too_often_is_slowed_down() -> None:
    """A tablet that sends fifty requests at once gets twenty answers and then refusals by rule."""
    booth = new_booth(Camera("north"))
    outcome = booth.take([asks("tablet-1", "claim", alert="a1") for _ in range(50)], NOON)
    assert [answer["rule"] for answer in told(outcome, "staff")] == [Rule.NOT_YOURS] * 20 + [
        Rule.TOO_FAST
    ] * 30


def test_the_board_shows_each_unit_as_it_is() -> None:
    """The board shows a unit's state while it is heard of, silence afterwards, and a missing box."""
    camera = Camera("north")
    booth = new_booth(camera, Camera("south", seed=2))
    status = replace(
        camera.says(b'{"v":1,"state":"online","spooled":0,"dropped":0}', retained=True),
        untrusted_topic=f"leftfield/1/{BOOTH}/unit/north/status",
    )
    outcome = booth.take([status, camera.says(camera.heartbeat(NOON, boxed=False))], NOON)
    north, south = told(outcome, "hub")[0]["units"]
    assert (north["link"], north["state"], north["boxed"], north["fps"]) == ("online", "watching", False, 10)
    assert (south["link"], south["state"]) == ("offline", "silent")
    later = told(booth.take([], Seconds(NOON + 60)), "hub")[0]["units"][0]
    assert (later["state"], later["heard_ago"]) == ("silent", 60)


def test_a_revoked_unit_is_refused_from_the_next_message_on() -> None:
    """A register read anew takes effect at once."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera, 1)
    register = register_of(camera)
    booth.enrol(replace(register, units=(replace(camera.row, revoked=True),)))
    outcome = booth.take([camera.says(camera.observation(PLAIN, NOON))], NOON)
    assert [refusal.rule for refusal in outcome.refusals] == [Rule.REVOKED]


def test_a_hub_that_starts_again_says_its_open_alerts_again() -> None:
    """What should be retained can be said again at any time, with the life it has left."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera, NOON + 5)
    alert, board = booth.retained(Seconds(NOON + 65))
    assert alert.topic.endswith(name)
    assert alert.expires_after == 120
    assert board.topic.endswith("/hub/board")


@pytest.mark.parametrize("seed", range(6))
def test_a_hub_killed_anywhere_counts_everything_exactly_once(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed at random before the store, between store and acknowledgement, or after, the hub counts each once."""
    random_ = random.Random(seed)  # noqa: S311 - a test's chance
    camera = Camera("north")
    envelopes = [camera.says(camera.observation(PLAIN, NOON)) for _ in range(300)]
    store = store_at(tmp_path_factory.mktemp("hub"))
    booth = new_booth(camera, stored=store.load())
    now, repeated, waiting = NOON, 0, envelopes
    while waiting:
        now = Seconds(now + random_.choice((1.0, 40.0)))
        size = random_.randint(1, 20)
        outcome = booth.take(waiting[:size], now)
        killed = random_.choice(("no", "no", "before the store", "before the acknowledgement"))
        if killed != "before the store":
            store.commit(outcome.changes)
        if killed == "no":
            waiting = waiting[size:]
        else:
            repeated += size
            booth = new_booth(camera, stored=store.load(), now=now)
    assert repeated
    stored = new_booth(camera, stored=store.load(), now=now)
    assert stored.baseline.people == 300
    counts = stored._admission.counts("north")
    assert (counts.admitted, stored._admission.missing("north")) == (300, 0)
    assert counts.refused[Rule.REPLAYED] == counts.repeated
    assert stored._daybook.number("people") == 300
    store.close()


def test_a_hub_killed_and_taken_up_again_thinks_as_if_nothing_had_happened(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Made again from journal and rounded counts, what is usual is that of a hub that was never killed, nearly.

    Each of six restarts may round a count by half of five, and a histogram's tail by half a person.
    """
    camera = Camera("north")
    steady = new_booth(camera)
    store = store_at(tmp_path_factory.mktemp("hub"))
    shaken = new_booth(camera)
    for step in range(40):
        now = Seconds(NOON + 7 * step)
        vector = ODD if step % 9 == 0 else PLAIN
        batch = [camera.says(camera.observation(vector, now)) for _ in range(10)]
        steady.take(batch, now)
        store.commit(shaken.take(batch, now).changes)
        if step % 7 == 3:
            shaken = new_booth(camera, stored=store.load(), now=shaken._snapshot_at)
    sums = [one._rarity.bins().sum(axis=-1) for one in (steady, shaken)]
    assert np.abs(sums[0] - sums[1]).max() <= 6
    assert np.abs(steady.baseline.state().pairs - shaken.baseline.state().pairs).max() <= 6 * FIVE / 2 * 2
    assert steady.baseline.people == shaken.baseline.people
    store.close()


def test_nothing_to_store_is_nothing_to_write() -> None:
    """A batch that changed nothing asks nothing of the disk."""
    booth = new_booth(Camera("north"))
    assert booth.take([], NOON).changes == Changes()
    assert booth.take([], NOON).changes.empty


def test_forgotten_means_as_if_never_counted() -> None:
    """After a forget, counts, camera counts and score histograms are those of a hub that never saw the person."""
    camera, other = Camera("north"), Camera("north")
    booth, never = new_booth(camera), new_booth(other)
    teach(booth, camera)
    teach(never, other)
    name = raised(booth, camera)
    booth.take([asks("tablet-1", "forget", alert=name)], Seconds(NOON + 6))
    mine, theirs = booth.baseline.state(), never.baseline.state()
    assert (mine.pairs == theirs.pairs).all()
    assert (mine.known == theirs.known).all()
    assert mine.weight == theirs.weight
    assert (dict(mine.cameras)["north"] == dict(theirs.cameras)["north"]).all()
    tails = [np.cumsum(one._rarity.bins()[..., ::-1], -1) for one in (booth, never)]
    # A young memory fades faster: by one person in as many as twice the people there were.
    assert tails[0] == pytest.approx(tails[1], rel=2e-3)
    assert (booth._rarity.bins() > 0).sum() == (never._rarity.bins() > 0).sum()
    lately = [one._rarity._lately.state().pairs for one in (booth, never)]
    assert lately[0] == pytest.approx(lately[1], abs=1e-9)
    guards = [one._rarity.guard._cameras[UnitId("north")] for one in (booth, never)]
    assert (guards[0].counts == guards[1].counts).all()
    assert len(guards[0].waiting) == len(guards[1].waiting)


def test_forget_after_the_end_of_an_alert_purges_what_is_left_and_says_so() -> None:
    """Whoever declined and then asks to be forgotten leaves no count, no outfit in memory, no row."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    before = booth.baseline.state().pairs
    name = raised(booth, camera)
    booth.take([asks("tablet-1", "claim", alert=name)], Seconds(NOON + 7))
    declined = asks("tablet-1", "outcome", alert=name, outcome="declined", why=None)
    booth.take([declined], Seconds(NOON + 8))
    assert not booth._pacing._recent
    outcome = booth.take([asks("tablet-1", "forget", alert=name)], Seconds(NOON + 9))
    assert told(outcome, "staff")[0]["text"].endswith("Nothing of it is left here.")
    assert outcome.changes.snapshot
    assert (booth.baseline.state().pairs == before).all()


def test_a_booth_that_stops_ends_its_alerts() -> None:
    """With an orderly stop every open alert ends, its topic is cleared, and nothing of it is stored."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    outcome = booth.take([], Seconds(NOON + 9), last=True)
    assert [telling.payload for telling in outcome.tellings if telling.topic.endswith(f"/{name}")] == [b""]
    assert (outcome.changes.alerts, outcome.changes.gone) == ((), (name,))
    assert name not in booth._sightings


def test_an_alert_ended_by_a_stop_is_counted_as_expired(tmp_path: Path) -> None:
    """Alerts that a stop of the hub ends, claimed or not, are counted as expired, once, and so known the next day."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera, stored=store.load())
    teach(booth, camera)
    name = raised(booth, camera, NOON + 5)
    store.commit(booth.take([asks("tablet-1", "claim", alert=name)], Seconds(NOON + 7)).changes)
    store.commit(booth.take([], Seconds(NOON + 9), last=True).changes)
    again = new_booth(camera, stored=store.load(), now=Seconds(NOON + 20))
    again.take([], Seconds(NOON + 20))
    today = again._daybook.today()
    assert (again._daybook.number("expired"), today.ended, today.gifted) == (1, 1, 0)
    assert again._alerts.all() == ()
    store.close()


@pytest.mark.parametrize("now", [60.0, 946_684_800.0, NOON + 800 * 86_400, NOON - 401 * 86_400, 1e18])
def test_a_clock_that_cannot_be_right_touches_nothing(now: float) -> None:
    """A hub whose clock is before 2025, or more than 400 days from the last sighting, waits for a better one."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera, 100)
    before, doors = booth.baseline.state().pairs, booth._admission.counts("north").admitted
    with pytest.raises(Unavailable, match="clock"):
        booth.take([camera.says(camera.observation(PLAIN, NOON))], Seconds(now))
    assert (booth.baseline.state().pairs == before).all()
    assert booth._admission.counts("north").admitted == doors


def test_a_clock_that_once_ran_ahead_does_not_outweigh_the_street() -> None:
    """After a clock 120 days ahead is set right, the baseline is young, learns at once, and raises alerts again."""
    camera = Camera("north", synced=False)
    booth = new_booth(camera)
    teach(booth, camera)
    booth.take([camera.says(camera.observation(PLAIN, NOON))], Seconds(NOON + 120 * 86_400))
    outcome = teach(booth, camera, 40, NOON + 60)
    assert told(outcome, "hub")[0]["baseline"]["needs"] <= 60
    assert teach(booth, camera, 40, NOON + 120)
    assert booth.baseline.needs(60, Seconds(NOON + 120)) == 0


def test_whether_a_unit_is_boxed_is_known_from_the_newest_heartbeat_or_not_at_all() -> None:
    """Not heard yet is not boxed; a late heartbeat tells; an older one does not undo a newer."""
    camera = Camera("north")
    booth = new_booth(camera)

    def shown(now: float) -> object:
        return told(booth.take([], Seconds(now)), "hub")[0]["units"][0]["boxed"]

    assert shown(NOON) is None
    older, newer = camera.heartbeat(NOON - 300), camera.heartbeat(NOON - 120, boxed=False)
    booth.take([camera.says(newer)], Seconds(NOON + 2))
    assert shown(NOON + 4) is False
    booth.take([camera.says(older)], Seconds(NOON + 6))
    assert shown(NOON + 8) is False


def test_what_came_with_qos_0_is_refused_and_counted() -> None:
    """A message whose loss nobody would have noticed is refused, from units and tablets alike."""
    camera = Camera("north")
    booth = new_booth(camera)
    batch = [
        replace(camera.says(camera.observation(PLAIN, NOON)), unacknowledged=True),
        replace(asks("tablet-1", "claim", alert="a1"), unacknowledged=True),
    ]
    outcome = booth.take(batch, NOON)
    assert [refusal.rule for refusal in outcome.refusals] == [Rule.MALFORMED, Rule.MALFORMED_REQUEST]
    assert not told(outcome, "staff")
    assert booth._admission.counts("north").refused == {Rule.MALFORMED: 1}


def test_an_alert_the_broker_kept_without_us_is_cleared() -> None:
    """A retained alert that the hub does not know is wiped; its own are left alone."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    kept = [
        Arrival(untrusted_topic=f"leftfield/1/{BOOTH}/alert/{one}", untrusted_payload=b"{}", retained=True)
        for one in (name, "a77", "x/y")
    ]
    outcome = booth.take(kept, Seconds(NOON + 6))
    cleared = [
        telling.topic for telling in outcome.tellings if "/alert/" in telling.topic and not telling.payload
    ]
    assert cleared == [f"leftfield/1/{BOOTH}/alert/a77"]


def test_a_flood_of_garbage_is_not_a_flood_of_writes() -> None:
    """Refusals alone are written once in ten seconds, and none of their counts is lost."""
    camera = Camera("north")
    booth = new_booth(camera)
    writes = [booth.take([camera.says(b"x")], Seconds(NOON + n / 10)).changes for n in range(202)]
    assert sum(not one.empty for one in writes) == 2
    assert booth.take([], Seconds(NOON + 21), last=True).changes.doors[0].refused == ((Rule.MALFORMED, 202),)


def test_the_hub_notices_that_its_clock_was_set() -> None:
    """A wall clock that steps against the steady one moves the boot instants of units without a clock."""
    camera = Camera("north", synced=False)
    booth = new_booth(camera)
    booth.take([camera.says(camera.observation(PLAIN, NOON))], Seconds(NOON - 86_400), steady=100.0)
    booth.take([camera.says(camera.observation(PLAIN, NOON + 20))], Seconds(NOON + 20), steady=120.0)
    (door,) = booth._admission._doors.values()
    assert door.windows[Epoch(1)].boot == pytest.approx(NOON - 1000)


def test_staff_are_told_in_their_language() -> None:
    """Reasons and answers come in the language of the hub's configuration; the look keeps the vocabulary."""
    camera = Camera("north")
    config = replace(hub_config(), language="es")
    booth = Booth(config=config, register=register_of(camera), stored=Stored(), now=NOON)
    teach(booth, camera)
    outcome = booth.take([camera.says(camera.observation(ODD, NOON + 5))], Seconds(NOON + 5))
    (alert,) = told(outcome, "alert")
    assert "aquí" in alert["reasons"][0]["text"]
    assert alert["look"]["top.colour"] == "yellow"
    answer = booth.take([asks("tablet-1", "claim", alert=alert["id"])], Seconds(NOON + 6))
    assert told(answer, "staff")[0]["text"].startswith("Es para ti.")


def test_an_alert_knows_its_camera_to_the_end() -> None:
    """When what was seen has been emptied, an open alert still names its camera, and whether that is boxed."""
    camera = Camera("north")
    booth = new_booth(camera)
    booth.take([camera.says(camera.heartbeat(NOON, boxed=False))], NOON)
    teach(booth, camera)
    name = raised(booth, camera, NOON + 5)
    for late in (100, 250):
        booth.take([asks("tablet-1", "claim", alert=name)], Seconds(NOON + late))
    (alert,) = told(booth.take([], Seconds(NOON + 306)), "alert")
    assert (alert["state"], alert["look"], alert["unit"], alert["boxed"]) == ("claimed", {}, "north", False)


def test_acceptance_is_learnt_over_days() -> None:
    """Yesterday's answers make today's estimate, weighing less than today's own."""
    camera, yesterday = Camera("north"), day_of(Seconds(NOON - 86_400))
    tallies = tuple(Tally(day=yesterday, what=what, number=20) for what in ("gifted", "declined"))
    booth = new_booth(camera, stored=Stored(tallies=tallies))
    booth.take([], NOON)
    assert booth._daybook.today().acceptance == pytest.approx(0.5)
    refused = tuple(Tally(day=yesterday, what="declined", number=40) for _ in range(1))
    shy = new_booth(camera, stored=Stored(tallies=refused))
    shy.take([], NOON)
    assert shy._daybook.today().acceptance == pytest.approx(2 / 40)


def test_how_long_a_visit_takes_is_learnt() -> None:
    """Visits that take longer than configured are planned as longer, gradually."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera, NOON + 5)
    booth.take([asks("tablet-1", "claim", alert=name)], Seconds(NOON + 10))
    booth.take([asks("tablet-1", "outcome", alert=name, outcome="gifted", why=None)], Seconds(NOON + 365))
    assert booth._daybook.today().visit_seconds == pytest.approx(360.0)
    assert booth._daybook.number("visits") == 1


def test_hourly_counts_survive_a_kill_exactly_once(tmp_path: Path) -> None:
    """Hourly counts are stored with their batch: a hub taken up again forecasts from the same."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera, stored=store.load())
    for minute in range(12):
        now = Seconds(NOON + 60 * minute)
        batch = [camera.says(camera.observation(PLAIN, now)) for _ in range(10)]
        outcome = booth.take(batch, now)
        if minute % 5 == 4:  # killed before the store: the broker sends the batch again
            booth = new_booth(camera, stored=store.load(), now=now)
            outcome = booth.take(batch, now)
        store.commit(outcome.changes)
    hours = store.load().hours
    assert sum(one.people for one in hours) == 120
    assert 11 * 60 - 3 * 60 <= sum(one.watched for one in hours) <= 11 * 60
    store.close()


def test_old_hourly_counts_are_forgotten(tmp_path: Path) -> None:
    """Counts by the hour are deleted after nine weeks."""
    camera, store = Camera("north"), store_at(tmp_path)
    old = HourCount(day=day_of(Seconds(NOON - 70 * 86_400)), hour=9, people=5, watched=60)
    store.commit(Changes(hours=(old,)))
    booth = new_booth(camera, stored=store.load())
    store.commit(booth.take([camera.says(camera.observation(PLAIN, NOON))], NOON).changes)
    assert [one.people for one in store.load().hours] == [1]
    store.close()
