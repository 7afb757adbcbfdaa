"""What lies beyond the bounds of the protocol is refused, or cannot be made at all."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.base.errors import Refused, Rule, Unfit
from appliance.protocol import prior, sign, signed_document, wire
from appliance.protocol.health import FPS_LIMIT, Accelerator, Health, SourceKind, UnitState
from appliance.protocol.values import COUNTER_LIMIT, BoothId, PhenomenonTime, Steps
from appliance.protocol.vocabulary import ATTRIBUTES
from tests.priors import EVEN, LIFTS

KEY = bytes(range(32))
PUBLIC = sign.public_key_of(KEY)
BOOTH = BoothId("corner")


def _document() -> dict[str, Any]:
    file = prior.sealed_prior(booth=BOOTH, made_at=1, people=500, shares=EVEN, lifts=LIFTS, private_key=KEY)
    return signed_document.peek(file, where="prior")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"shares": []}, Rule.MALFORMED),
        ({"people": -1}, Rule.MALFORMED),
        ({"made_at": True}, Rule.MALFORMED),
        ({"shares": {}}, Rule.OUTSIDE_VOCABULARY),
        ({"shares": {one.name: [500] for one in ATTRIBUTES}}, Rule.OUTSIDE_VOCABULARY),
        ({"shares": {one.name: [0] * len(one.levels) for one in ATTRIBUTES}}, Rule.OUTSIDE_VOCABULARY),
        ({"lifts": "no base64!"}, Rule.MALFORMED),
        ({"lifts": 7}, Rule.MALFORMED),
        ({"lifts": base64.b64encode(b"short").decode()}, Rule.MALFORMED),
    ],
)
def test_a_signed_prior_that_does_not_fit_the_vocabulary_is_refused(
    change: dict[str, Any], rule: Rule
) -> None:
    """A hub's signature alone does not make a prior: every table and number is checked."""
    file = signed_document.seal(_document() | change, kind=prior.KIND, private_key=KEY)
    with pytest.raises(Refused) as refusal:
        prior.prior_in(file, public_key=PUBLIC, booth=BOOTH)
    assert refusal.value.rule is rule


@pytest.mark.parametrize("payload", [b"no json", b"[1]", b'{"a": 1}', b'{"b":1,"a":2}', b"[" * 100_000])
def test_a_payload_of_another_spelling_is_refused_though_it_is_signed(payload: bytes) -> None:
    """A signed payload is canonical JSON of one object, or nothing."""
    protected = wire.protected_of(sign.key_id(PUBLIC))
    signed = wire.to_be_signed(protected, b"leftfield/1/test", payload)
    signature = Ed25519PrivateKey.from_private_bytes(KEY).sign(signed)
    file = wire.envelope_of(protected=protected, payload=payload, signature=signature)
    with pytest.raises(Refused, match="not JSON of the one form") as refusal:
        signed_document.open_sealed(file, kind="test", public_key=PUBLIC, where="file")
    assert refusal.value.rule is Rule.MALFORMED


@pytest.mark.parametrize(("key_id", "signature"), [(b"\0" * 7, b"\0" * 64), (b"\0" * 8, b"\0" * 63)])
def test_key_identifier_and_signature_have_one_length(key_id: bytes, signature: bytes) -> None:
    """An envelope whose key identifier or signature is a byte short is malformed, whatever else it holds."""
    file = wire.envelope_of(protected=wire.protected_of(key_id), payload=b"\0", signature=signature)
    with pytest.raises(Refused) as refusal:
        wire.untrusted_parts(file)
    assert refusal.value.rule is Rule.MALFORMED


@pytest.mark.parametrize(
    "make",
    [
        lambda: PhenomenonTime(uptime=Steps(-1), wall=None),
        lambda: PhenomenonTime(uptime=Steps(COUNTER_LIMIT), wall=None),
        lambda: PhenomenonTime(uptime=Steps(0), wall=Steps(0)),
        lambda: PhenomenonTime(uptime=Steps(0), wall=Steps(COUNTER_LIMIT)),
        lambda: Health(
            state=UnitState.WATCHING,
            source=SourceKind.CAMERA,
            accelerator=Accelerator.CPU,
            boxed=True,
            fps=FPS_LIMIT,
        ),
    ],
)
def test_a_value_out_of_its_range_cannot_be_made(make: Callable[[], object]) -> None:
    """Times and rates that the wire cannot carry are a ValueError where they are made."""
    with pytest.raises(ValueError, match="out of range"):
        make()


def test_a_level_below_nothing_has_no_word() -> None:
    """A negative level is no way round the end of the list of words."""
    with pytest.raises(IndexError):
        ATTRIBUTES[0].label(-1)


def test_a_signing_key_of_another_length_seals_nothing() -> None:
    """A key file that was cut is said at the start, not at the first observation."""
    with pytest.raises(Unfit, match="31 bytes"):
        sign.Sealer(private_key=KEY[:31], booth=BOOTH)
