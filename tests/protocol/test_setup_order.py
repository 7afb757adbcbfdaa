"""An order of the hub: for one unit, one key, one epoch and two minutes, or it is no order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.protocol import signed_document
from appliance.protocol.setup_order import Do, SetupOrder, check_now, order_in, sealed_order, zones_in
from appliance.protocol.sign import key_id, new_private_key, public_key_of
from appliance.protocol.values import BoothId, Epoch, UnitId

HUB, UNIT_KEY = new_private_key(), key_id(public_key_of(new_private_key()))
BOOTH, UNIT = BoothId("booth"), UnitId("north")
NOW = 1_790_000_000
ZONE = ((0, 0), (64, 0), (64, 10))
AIM = SetupOrder(unit=UNIT, key=UNIT_KEY, epoch=Epoch(7), made_at=NOW, do=Do.AIM, minutes=5)


def read(untrusted: bytes, **other: Any) -> SetupOrder:
    given: dict[str, Any] = {"public_key": public_key_of(HUB), "booth": BOOTH, "unit": UNIT, "key": UNIT_KEY}
    return order_in(untrusted, **(given | other))


@pytest.mark.parametrize(
    "order",
    [
        AIM,
        replace(AIM, do=Do.WATCH, minutes=0),
        replace(AIM, do=Do.ZONES, minutes=0, zones=(ZONE, ZONE)),
        replace(AIM, do=Do.ZONES, minutes=0),
        replace(AIM, do=Do.LOCK, minutes=0),
    ],
    ids=lambda order: order.do.value,
)
def test_an_order_comes_as_it_was_given(order: SetupOrder) -> None:
    """Every order survives its way."""
    assert read(sealed_order(order, booth=BOOTH, private_key=HUB)) == order


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ({"public_key": public_key_of(new_private_key())}, Rule.UNKNOWN_KEY),
        ({"booth": BoothId("other")}, Rule.FORGED),
        ({"unit": UnitId("south")}, Rule.FORGED),
        ({"key": bytes(8)}, Rule.FORGED),
    ],
)
def test_an_order_to_somebody_else_is_none(other: dict[str, Any], rule: Rule) -> None:
    """Another hub, booth, unit or key of the unit: refused."""
    with pytest.raises(Refused) as refusal:
        read(sealed_order(AIM, booth=BOOTH, private_key=HUB), **other)
    assert refusal.value.rule is rule


def test_a_document_of_another_kind_is_no_order() -> None:
    """What the hub signs as a receipt or a prior never passes as an order, and one changed bit is a forgery."""
    sealed = sealed_order(AIM, booth=BOOTH, private_key=HUB)
    document = signed_document.peek(sealed, where="test")
    with pytest.raises(Refused) as refusal:
        read(signed_document.seal(document, kind="receipt", private_key=HUB))
    assert refusal.value.rule is Rule.FORGED
    with pytest.raises(Refused):
        read(sealed.replace(b'"minutes":5', b'"minutes":9'))


@pytest.mark.parametrize(
    "change",
    [
        {"do": "aim", "minutes": 0}, {"minutes": 16}, {"minutes": -1}, {"minutes": True}, {"minutes": 5.0},
        {"do": "lock"}, {"do": "dance"}, {"zones": [[[0, 0], [1, 1], [2, 0]]]}, {"epoch": "7"}, {"more": 1},
        {"do": "zones", "minutes": 0, "zones": [[[0, 0], [1, 1]]]},
        {"do": "zones", "minutes": 0, "zones": [[[0, 0], [65, 1], [2, 0]]]},
        {"do": "zones", "minutes": 0, "zones": [[[0, 0], [6, 1], [2, 0]]] * 9},
        {"do": "zones", "minutes": 0, "zones": {"a": 1}}, {"form": 2},
    ],
)  # fmt: skip
def test_a_document_that_is_no_order_is_refused(change: dict[str, Any]) -> None:
    """Even under the hub's own key, what is not of the one form is refused."""
    document = signed_document.peek(sealed_order(AIM, booth=BOOTH, private_key=HUB), where="test")
    with pytest.raises(Refused):
        read(signed_document.seal(document | change, kind="setup", private_key=HUB))


@given(st.binary(max_size=300))
def test_garbage_is_refused(untrusted: bytes) -> None:
    """Any bytes are refused, never anything else."""
    with pytest.raises(Refused):
        read(untrusted)


@given(st.recursive(st.integers() | st.text() | st.none(), lambda inner: st.lists(inner, max_size=4)))
def test_zones_are_zones_or_an_error(untrusted: object) -> None:
    """Any nested lists give zones or ValueError."""
    try:
        zones = zones_in(untrusted)
    except ValueError:
        return
    assert all(3 <= len(zone) <= 8 for zone in zones)


@pytest.mark.parametrize(
    ("epoch", "now", "rule"),
    [
        (8, NOW, Rule.REPLAYED),
        (6, NOW, Rule.REPLAYED),
        (7, NOW + 121, Rule.EXPIRED),
        (7, NOW - 121, Rule.EXPIRED),
    ],
)
def test_an_order_is_for_now(epoch: int, now: int, rule: Rule) -> None:
    """An order of another epoch or another time is refused; where no clock is set, the epoch alone decides."""
    with pytest.raises(Refused) as refusal:
        check_now(AIM, epoch=epoch, now=now)
    assert refusal.value.rule is rule
    check_now(AIM, epoch=7, now=NOW + 119)
    check_now(AIM, epoch=7, now=None)
