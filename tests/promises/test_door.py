"""Promise 5: what is forged, replayed, rolled back, malformed, from the future or from a revoked unit is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.base.errors import Refused, Rule
from appliance.protocol import sign, wire
from tests.street import Street

ATTACKS: list[tuple[Rule, Callable[[Street], Refused | None]]] = [
    (Rule.TOO_LONG, Street.too_long),
    (Rule.MALFORMED, Street.garbage),
    (Rule.UNKNOWN_KEY, Street.from_a_stranger),
    (Rule.FORGED, Street.forge),
    (Rule.FORGED, Street.from_other_booth),
    (Rule.WRONG_TOPIC, Street.on_another_units_topic),
    (Rule.WRONG_TOPIC, Street.other_booths_topic),
    (Rule.REVOKED, Street.from_a_revoked_unit),
    (Rule.REPLAYED, Street.replay),
    (Rule.REPLAYED, Street.record),
    (Rule.ROLLED_BACK, Street.roll_back),
    (Rule.FUTURE, Street.from_the_future),
    (Rule.OTHER_VERSION, Street.other_version),
    (Rule.OUTSIDE_VOCABULARY, Street.smuggle),
]


@pytest.mark.parametrize(
    ("rule", "attack"),
    ATTACKS,
    ids=[f"{attack.__name__}_refused_{rule.name.lower()}" for rule, attack in ATTACKS],
)
def test_each_attack_is_refused_by_its_rule(rule: Rule, attack: Callable[[Street], Refused | None]) -> None:
    """An attack at the door is refused by its own numbered rule."""
    refusal = attack(Street())
    assert refusal is not None
    assert refusal.rule is rule


@pytest.mark.parametrize(
    "attack", [attack for _, attack in ATTACKS], ids=[attack.__name__ for _, attack in ATTACKS]
)
def test_an_attack_teaches_nothing_and_stops_nobody(attack: Callable[[Street], Refused | None]) -> None:
    """After a refused attack the hub knows nobody more, alerts nobody, and an honest unit is still let in."""
    street = Street()
    before = street.booth.baseline.people
    attack(street)
    honest_sightings = {"replay": 1, "roll_back": 33, "from_the_future": 1}.get(attack.__name__, 0)
    assert street.booth.baseline.people == before + honest_sightings
    assert street.alerts() == []
    assert street.passes(corner=street.corners["south"]) is None


def test_a_flipped_bit_anywhere_is_refused() -> None:
    """An envelope with one bit flipped, in whichever byte, is refused and never an observation."""
    street = Street()
    for at in range(wire.MAX_ENVELOPE):
        refusal = street.alter(at)
        assert refusal is not None, f"byte {at}"
        assert refusal.rule in {Rule.MALFORMED, Rule.UNKNOWN_KEY, Rule.FORGED, Rule.TOO_LONG}


def test_garbage_of_any_length_is_refused() -> None:
    """Random bytes of every length up to twice an envelope are refused and never stop the hub."""
    street = Street()
    for length in range(2 * wire.MAX_ENVELOPE):
        refusal = street.garbage(length)
        assert refusal is not None
        assert refusal.rule in {Rule.TOO_LONG, Rule.MALFORMED, Rule.UNREADABLE}


@pytest.mark.parametrize(
    "weak_key",
    [bytes(32), b"\x01" + bytes(31), (2**255 - 19).to_bytes(32, "little"), b"\xff" * 32, bytes(31)],
    ids=["order_4", "identity", "order_4_not_reduced", "not_reduced", "short"],
)
def test_a_weak_key_is_refused_at_enrolment(weak_key: bytes) -> None:
    """A public key of low order, not reduced, or of another length never enters a register."""
    with pytest.raises(Refused) as refused:
        sign.check_public_key(weak_key)
    assert refused.value.rule is Rule.WEAK_KEY


def test_what_was_late_and_out_of_order_is_admitted_exactly_once() -> None:
    """Observations delivered in any order and twice over are counted once each."""
    street = Street()
    envelopes = [street.sighting() for _ in range(200)]
    shuffled = envelopes + envelopes
    street.dice.shuffle(shuffled)
    refusals = [street.deliver(street.topic(street.any_corner), envelope) for envelope in shuffled]
    assert sum(refusal is None for refusal in refusals) == 200
    assert {refusal.rule for refusal in refusals if refusal} == {Rule.REPLAYED}
    assert street.booth.baseline.people == 200


def test_somebody_dressed_unlike_the_others_is_announced_in_words() -> None:
    """In a street that has become usual, somebody dressed unlike the others is an alert with a reason, claimable."""
    street = Street(seed=5)
    street.crowd(800)
    for _ in range(6):
        street.wait(5.0)
        street.passes(street.whimsical())
    raised = [alert for alert in street.alerts() if alert["state"] == "raised"]
    assert raised
    assert "here" in raised[-1]["reasons"][0]["text"]
    answer = street.asks("claim", alert=raised[-1]["id"])
    assert answer["ok"] is True
    assert answer["state"] == "claimed"
