"""The exchange by itself: who knows the code gets through, whoever is between does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.pairing.exchange import HubExchange, HubIdentity, Sealed, UnitExchange, UnitIdentity

HUB = HubIdentity(booth="corner", authority=b"a" * 32, hub_key=b"h" * 32)
UNIT = UnitIdentity(number="7K3M", signing_key=b"s" * 32, tls_key=b"t" * 32)
SECRET = "9PQX2HTD"


def exchanged(
    *, hub_secret: str = SECRET, seen_hub: HubIdentity = HUB, seen_unit: UnitIdentity = UNIT
) -> tuple[Sealed, Sealed]:
    """Both ends of a pairing; ``seen_…`` is what the other side was told."""
    hub = HubExchange(secret=hub_secret, hub=HUB, unit=seen_unit)
    unit = UnitExchange(secret=SECRET, hub=seen_hub, unit=UNIT, untrusted_share=hub.share)
    proof, at_unit = unit.prove(hub.prove(unit.share))
    return hub.check(proof), at_unit


def test_two_who_know_the_code_can_speak_sealed() -> None:
    """Messages go both ways, each opens on the other side."""
    at_hub, at_unit = exchanged()
    assert at_unit.open(at_hub.seal(b"name")) == b"name"
    assert at_hub.open(at_unit.seal(b"letter")) == b"letter"
    assert at_unit.open(at_hub.seal(b"answer")) == b"answer"


def test_a_rogue_hub_that_guesses_is_refused_by_the_unit() -> None:
    """One wrong sign of the secret, and the hub's proof does not hold."""
    with pytest.raises(Refused) as refusal:
        exchanged(hub_secret="9PQX2HTE")
    assert refusal.value.rule is Rule.WRONG_CODE


def test_a_rogue_unit_that_guesses_is_refused_by_the_hub() -> None:
    """It has the hub's share and proof, and cannot make its own."""
    for turn in range(3):
        hub = HubExchange(secret=SECRET, hub=HUB, unit=UNIT)
        rogue = UnitExchange(secret="00000000", hub=HUB, unit=UNIT, untrusted_share=hub.share)
        proof = hub.prove(rogue.share)
        with pytest.raises(Refused) as refusal:
            hub.check((proof, bytes(32), rogue._proof(1))[turn])
        assert refusal.value.rule is Rule.WRONG_CODE


@pytest.mark.parametrize(
    ("hub", "unit"),
    [
        (replace(HUB, booth="other"), UNIT),
        (replace(HUB, authority=b"x" * 32), UNIT),
        (replace(HUB, hub_key=b"x" * 32), UNIT),
        (HUB, replace(UNIT, number="0000")),
        (HUB, replace(UNIT, signing_key=b"x" * 32)),
        (HUB, replace(UNIT, tls_key=b"x" * 32)),
        (replace(HUB, booth="corne", authority=b"r" + b"a" * 32), UNIT),
    ],
)
def test_a_key_or_name_that_was_swapped_on_its_way_breaks_the_exchange(
    hub: HubIdentity, unit: UnitIdentity
) -> None:
    """Somebody between who puts his own keys in cannot make the proofs hold, though both sides know the code."""
    with pytest.raises(Refused) as refusal:
        exchanged(seen_hub=hub, seen_unit=unit)
    assert refusal.value.rule is Rule.WRONG_CODE


def test_a_recorded_exchange_is_worth_nothing_the_next_time() -> None:
    """The hub's share and proof of one pairing do not convince the same unit again."""
    hub = HubExchange(secret=SECRET, hub=HUB, unit=UNIT)
    unit = UnitExchange(secret=SECRET, hub=HUB, unit=UNIT, untrusted_share=hub.share)
    recorded = hub.prove(unit.share)
    unit.prove(recorded)
    again = UnitExchange(secret=SECRET, hub=HUB, unit=UNIT, untrusted_share=hub.share)
    with pytest.raises(Refused):
        again.prove(recorded)


def test_a_sealed_message_opens_once_in_order_and_on_one_side_only() -> None:
    """Repeated, left out, sent back or changed: refused."""
    at_hub, at_unit = exchanged()
    first, second = at_hub.seal(b"1"), at_hub.seal(b"2")
    with pytest.raises(Refused):
        at_unit.open(second)
    with pytest.raises(Refused):
        at_hub.open(first)
    assert at_unit.open(first) == b"1"
    for bad in (first, second[:-1] + bytes([second[-1] ^ 1]), b""):
        with pytest.raises(Refused):
            at_unit.open(bad)
    assert at_unit.open(second) == b"2"


@given(st.binary(max_size=40) | st.binary(min_size=33, max_size=33))
def test_any_bytes_are_a_share_or_refused(share: bytes) -> None:
    """Points off the curve, of low order, reflected or of another length never raise anything else."""
    for prefix in (b"", b"A", b"B"):
        rule: Rule | None = None
        try:
            UnitExchange(secret=SECRET, hub=HUB, unit=UNIT, untrusted_share=(prefix + share)[:33])
        except Refused as refusal:
            rule = refusal.rule
        assert rule in {None, Rule.MALFORMED_REQUEST}
