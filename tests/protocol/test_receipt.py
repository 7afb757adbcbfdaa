"""The hub's receipt: round trip, against an independent reader, and with garbage."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.protocol import sign, signed_document
from appliance.protocol.receipt import (
    KIND,
    MOST_BYTES,
    MOST_GAPS,
    AdmissionReceipt,
    EpochReceipt,
    receipt_in,
    sealed_receipt,
    told,
)
from appliance.protocol.values import BoothId, UnitId

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
PUBLIC = sign.public_key_of(KEY)
BOOTH, UNIT, UNIT_KEY = BoothId("corner"), UnitId("north"), bytes(8)
RECEIPT = AdmissionReceipt(
    unit=UNIT,
    key=UNIT_KEY,
    admitted=96,
    floor=3,
    epochs=(EpochReceipt(epoch=5, end=10, gaps=((4, 7),)), EpochReceipt(epoch=4, end=100, gaps=())),
)


def opened(untrusted: bytes, **other: Any) -> AdmissionReceipt:
    return receipt_in(
        untrusted, **{"public_key": PUBLIC, "booth": BOOTH, "unit": UNIT, "key": UNIT_KEY} | other
    )


def test_a_receipt_comes_out_as_it_went_in() -> None:
    """What the hub says is what the unit reads."""
    assert opened(sealed_receipt(RECEIPT, booth=BOOTH, private_key=KEY)) == RECEIPT


def test_a_receipt_covers_what_is_admitted_and_what_never_can_be() -> None:
    """Covered is what lies below the end and in no gap, and every epoch that is closed; nothing else."""
    covered = [(5, 3), (5, 7), (5, 9), (4, 99), (2, 500)]
    open_ones = [(5, 4), (5, 6), (5, 10), (4, 100), (6, 0), (3, 0)]
    assert all(RECEIPT.covers(*number) for number in covered)
    assert not any(RECEIPT.covers(*number) for number in open_ones)


@given(st.sets(st.integers(0, 3000)), st.integers(0, 3000))
def test_a_receipt_that_is_cut_short_tells_less_and_never_more(missing: set[int], end: int) -> None:
    """However many gaps there are, what is told as covered is not missing."""
    gaps = [(one, one + 1) for one in sorted(missing) if one + 1 not in missing and one < end]
    one = told(1, end, gaps)
    assert len(one.gaps) <= MOST_GAPS
    assert not any(one.covers(first) for first, _ in gaps)
    many = replace(RECEIPT, epochs=tuple(told(epoch, end, gaps) for epoch in range(1, 65)))
    sealed = sealed_receipt(many, booth=BOOTH, private_key=KEY)
    assert len(sealed) <= MOST_BYTES
    assert all(
        many.covers(known.epoch, known.end - 1)
        for known in opened(sealed).epochs
        if known.covers(known.end - 1)
    )


def test_an_independent_reader_finds_the_same() -> None:
    """cbor2, json and a bare Ed25519 open a receipt as RFC 9052 has it."""
    tag = cbor2.loads(sealed_receipt(RECEIPT, booth=BOOTH, private_key=KEY))
    protected, unprotected, payload, signature = tag.value
    assert (tag.tag, unprotected) == (18, {})
    signed = cbor2.dumps(["Signature1", protected, b"leftfield/1/receipt", payload])
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(signature, signed)
    assert json.loads(payload) == {
        "form": 1, "booth": "corner", "unit": "north", "key": "00" * 8, "admitted": 96, "floor": 3,
        "epochs": [[5, 10, [[4, 7]]], [4, 100, []]],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ({"public_key": sign.public_key_of(OTHER)}, Rule.UNKNOWN_KEY),
        ({"booth": BoothId("market")}, Rule.FORGED),
        ({"unit": UnitId("south")}, Rule.FORGED),
        ({"key": bytes(7) + b"1"}, Rule.FORGED),
    ],
)
def test_only_this_hubs_receipt_for_this_unit_is_believed(other: dict[str, Any], rule: Rule) -> None:
    """Another hub's, booth's, unit's or key's receipt is refused."""
    with pytest.raises(Refused) as refused:
        opened(sealed_receipt(RECEIPT, booth=BOOTH, private_key=KEY), **other)
    assert refused.value.rule is rule


@given(
    st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=4))
)
def test_no_signed_garbage_is_taken_for_a_receipt(epochs: object) -> None:
    """Whatever stands in the place of the epochs is a receipt or refused, never an error."""
    document = {
        "form": 1, "booth": BOOTH, "unit": UNIT, "key": UNIT_KEY.hex(), "admitted": 0, "floor": 1, "epochs": epochs,
    }  # fmt: skip
    with suppress(Refused):
        assert opened(signed_document.seal(document, kind=KIND, private_key=KEY)).floor == 1


@given(st.binary(max_size=300))
def test_no_garbage_is_taken_for_a_receipt(untrusted: bytes) -> None:
    """Bytes of any kind are refused."""
    with pytest.raises(Refused):
        opened(untrusted)
