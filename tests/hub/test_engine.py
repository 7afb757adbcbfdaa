from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from appliance.base.errors import Rule
from appliance.hub.engine import HubEngine
from appliance.hub.messages import IncomingMessage
from appliance.hub.statistics.baseline.state import FIVE
from appliance.hub.storage.state import HubState, StateDelta
from appliance.protocol.values import AlertId, Seconds
from tests.hub.corner import (
    BOOTH,
    NOON,
    ODD,
    PLAIN,
    Camera,
    asks,
    hub_config,
    new_booth,
    raised,
    register_of,
    store_at,
    teach,
    told,
)


def test_somebody_dressed_unlike_everybody_is_an_alert_with_a_reason_in_words() -> None:
    """Somebody dressed unlike everybody else becomes an alert that says where, how rare, why and what to look for."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    outcome = booth.handle_batch([camera.says(camera.observation(ODD, NOON + 1))], Seconds(NOON + 5))
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
    booth = new_booth(camera, warmup_people=1000)
    (board,) = told(teach(booth, camera), "hub")
    assert (board["baseline"]["ready"], board["baseline"]["needs"]) == (False, 600)
    assert not told(booth.handle_batch([camera.says(camera.observation(ODD, NOON))], NOON), "alert")


def test_a_late_observation_teaches_but_alerts_nobody() -> None:
    """An observation that was spooled for ten minutes enters the baseline and sends nobody out."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    outcome = booth.handle_batch([camera.says(camera.observation(ODD, NOON))], Seconds(NOON + 600))
    assert not told(outcome, "alert")
    assert booth.baseline.people == 401


def test_the_same_outfit_does_not_alert_twice_within_minutes() -> None:
    """The same passer-by before a second camera is no second alert."""
    north, south = Camera("north"), Camera("south", seed=2)
    booth = new_booth(north, south)
    teach(booth, north)
    raised(booth, north)
    assert not told(
        booth.handle_batch([south.says(south.observation(ODD, NOON + 9))], Seconds(NOON + 9)), "alert"
    )


def test_nobody_free_means_no_alert() -> None:
    """Where all staff are out, a flag is only counted."""
    camera = Camera("north")
    booth = new_booth(camera, staff=0)
    teach(booth, camera)
    outcome = booth.handle_batch([camera.says(camera.observation(ODD, NOON))], NOON)
    assert not told(outcome, "alert")
    assert told(booth.handle_batch([], Seconds(NOON + 2)), "hub")[0]["flags_today"] == 1


def test_the_first_claim_wins_and_the_second_is_told_who_has_it() -> None:
    """Of two claims for one alert the first is granted and the second refused, each with its own correlation."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    outcome = booth.handle_batch(
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
    answers = [telling for telling in outcome.outgoing if telling.topic.endswith("/answer")]
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
    booth.handle_batch([asks("tablet-1", "claim", alert=name)], Seconds(NOON + 10))
    ended = booth.handle_batch(
        [asks("tablet-1", "outcome", alert=name, outcome="gifted", why=None)], Seconds(NOON + 20)
    )
    (alert,) = told(ended, "alert")
    assert alert["state"] == "gifted"
    assert set(alert) == {"v", "id", "state", "raised_at", "expires_at", "held_by"}
    (board,) = told(ended, "hub")
    assert (board["alerts"]["gifted"], board["last_alert"], board["stock"]) == (1, None, 9999)
    assert told(booth.handle_batch([], Seconds(NOON + 81)), "alert") == [{}]


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
    outcome = booth.handle_batch(batch, NOON)
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
    answers = [telling.topic for telling in outcome.outgoing if telling.topic.endswith("/answer")]
    assert answers == [f"leftfield/1/{BOOTH}/staff/tablet-1/answer"] * 2


def test_a_tablet_that_asks_too_often_is_slowed_down() -> None:
    """A tablet that sends fifty requests at once gets twenty answers and then refusals by rule."""
    booth = new_booth(Camera("north"))
    outcome = booth.handle_batch([asks("tablet-1", "claim", alert="a1") for _ in range(50)], NOON)
    assert [answer["rule"] for answer in told(outcome, "staff")] == [Rule.NOT_YOURS] * 20 + [
        Rule.TOO_FAST
    ] * 30


def test_a_hub_that_starts_again_says_its_open_alerts_again() -> None:
    """What should be retained can be said again at any time, with the life it has left."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera, NOON + 5)
    alert, board, *_ = booth.retained(Seconds(NOON + 65))
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
        outcome = booth.handle_batch(waiting[:size], now)
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
    assert stored.daily_counts.number("people") == 300
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
        steady.handle_batch(batch, now)
        store.commit(shaken.handle_batch(batch, now).changes)
        if step % 7 == 3:
            shaken = new_booth(camera, stored=store.load(), now=shaken._snapshots.written_at)
    sums = [one._rarity.everything.bins().sum(axis=-1) for one in (steady, shaken)]
    assert np.abs(sums[0] - sums[1]).max() <= 6
    assert np.abs(steady.baseline.state().pairs - shaken.baseline.state().pairs).max() <= 6 * FIVE / 2 * 2
    assert steady.baseline.people == shaken.baseline.people
    store.close()


def test_nothing_to_store_is_nothing_to_write() -> None:
    """A batch that changed nothing asks nothing of the disk."""
    booth = new_booth(Camera("north"))
    assert booth.handle_batch([], NOON).changes == StateDelta()
    assert booth.handle_batch([], NOON).changes.empty


def test_a_booth_that_stops_ends_its_alerts() -> None:
    """With an orderly stop every open alert ends, its topic is cleared, and nothing of it is stored."""
    camera = Camera("north")
    booth = new_booth(camera)
    teach(booth, camera)
    name = raised(booth, camera)
    outcome = booth.handle_batch([], Seconds(NOON + 9), last=True)
    assert [telling.payload for telling in outcome.outgoing if telling.topic.endswith(f"/{name}")] == [b""]
    assert (outcome.changes.alerts, outcome.changes.gone) == ((), (name,))
    assert AlertId(name) not in booth._erasure


def test_what_came_with_qos_0_is_refused_and_counted() -> None:
    """A message whose loss nobody would have noticed is refused, from units and tablets alike."""
    camera = Camera("north")
    booth = new_booth(camera)
    batch = [
        replace(camera.says(camera.observation(PLAIN, NOON)), unacknowledged=True),
        replace(asks("tablet-1", "claim", alert="a1"), unacknowledged=True),
    ]
    outcome = booth.handle_batch(batch, NOON)
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
        IncomingMessage(
            untrusted_topic=f"leftfield/1/{BOOTH}/alert/{one}", untrusted_payload=b"{}", retained=True
        )
        for one in (name, "a77", "x/y")
    ]
    outcome = booth.handle_batch(kept, Seconds(NOON + 6))
    cleared = [
        telling.topic for telling in outcome.outgoing if "/alert/" in telling.topic and not telling.payload
    ]
    assert cleared == [f"leftfield/1/{BOOTH}/alert/a77"]


def test_a_flood_of_garbage_is_not_a_flood_of_writes() -> None:
    """Refusals alone are written once in ten seconds, and none of their counts is lost."""
    camera = Camera("north")
    booth = new_booth(camera)
    writes = [booth.handle_batch([camera.says(b"x")], Seconds(NOON + n / 10)).changes for n in range(202)]
    assert sum(not one.empty for one in writes) == 2
    assert booth.handle_batch([], Seconds(NOON + 21), last=True).changes.doors[0].refused == (
        (Rule.MALFORMED, 202),
    )


def test_staff_are_told_in_their_language() -> None:
    """Reasons and answers come in the language of the hub's configuration; the look keeps the vocabulary."""
    camera = Camera("north")
    config = replace(hub_config(), language="es")
    booth = HubEngine(config=config, register=register_of(camera), stored=HubState(), now=NOON)
    teach(booth, camera)
    outcome = booth.handle_batch([camera.says(camera.observation(ODD, NOON + 5))], Seconds(NOON + 5))
    (alert,) = told(outcome, "alert")
    assert "aquí" in alert["reasons"][0]["text"]
    assert alert["look"]["top.colour"] == "yellow"
    answer = booth.handle_batch([asks("tablet-1", "claim", alert=alert["id"])], Seconds(NOON + 6))
    assert told(answer, "staff")[0]["text"].startswith("Es para ti.")
