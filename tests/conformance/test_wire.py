"""The wire form against its RFCs, an independent CBOR library, an independent COSE library, and garbage."""

from __future__ import annotations

import cbor2
import pytest
from cwt import COSE, COSEKey
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Rule
from appliance.protocol import sign, vocabulary, wire
from appliance.protocol.health import (
    FPS_LIMIT,
    HEALTH_CAPACITY,
    HEALTH_CODES,
    STATE_ROOM,
    Accelerator,
    Health,
    SourceKind,
    UnitState,
)
from appliance.protocol.values import (
    COUNTER_LIMIT,
    AttributeVector,
    BoothId,
    Epoch,
    Heartbeat,
    Observation,
    PhenomenonTime,
    Seq,
    Statement,
    Steps,
    UnitId,
)

UNIT = UnitId("corner-north")
BOOTH = BoothId("plaza")
PRIVATE = bytes(range(32))
PUBLIC = sign.public_key_of(PRIVATE)

counters = st.integers(0, COUNTER_LIMIT - 1)
times = st.builds(
    PhenomenonTime,
    uptime=counters.map(Steps),
    wall=st.none() | st.integers(1, COUNTER_LIMIT - 1).map(Steps),
)
vectors = st.integers(0, vocabulary.CAPACITY - 1).map(AttributeVector.from_code)
healths = st.builds(
    Health,
    state=st.sampled_from(UnitState),
    source=st.sampled_from(SourceKind),
    accelerator=st.sampled_from(Accelerator),
    boxed=st.booleans(),
    fps=st.integers(0, FPS_LIMIT - 1),
)
names = {
    "unit": st.just(UNIT),
    "epoch": st.integers(1, COUNTER_LIMIT - 1).map(Epoch),
    "seq": counters.map(Seq),
}
statements: st.SearchStrategy[Statement] = st.builds(
    Observation, **names, seen=times, vector=vectors
) | st.builds(Heartbeat, **names, seen=times, health=healths)


def opener(booth: BoothId = BOOTH) -> sign.Opener:
    signer = sign.Signer(unit=UNIT, public_key=PUBLIC)
    return sign.Opener(booth=booth, signer_of={sign.key_id(PUBLIC): signer}.get)


def seal(statement: Statement) -> bytes:
    return sign.Sealer(private_key=PRIVATE, booth=BOOTH).seal(statement)


def example() -> Observation:
    return Observation(
        unit=UNIT,
        epoch=Epoch(3),
        seq=Seq(70_000),
        seen=PhenomenonTime(uptime=Steps(1000), wall=Steps(352_000_000)),
        vector=AttributeVector.of(top_colour="yellow", bottom_colour="purple", bottom_pattern="checked"),
    )


@given(statements)
def test_what_is_sealed_opens_as_the_same_statement(statement: Statement) -> None:
    """What is sealed opens as the same statement, and no envelope is longer than the stated bound."""
    envelope = seal(statement)
    assert opener().open(envelope) == statement
    assert len(envelope) <= wire.MAX_ENVELOPE


def test_the_longest_envelope_is_as_long_as_stated() -> None:
    """The bound is reached: it is the length of the longest envelope, not a guess above it."""
    limit = COUNTER_LIMIT - 1
    longest = Observation(
        unit=UNIT,
        epoch=Epoch(limit),
        seq=Seq(limit),
        seen=PhenomenonTime(uptime=Steps(limit), wall=Steps(limit)),
        vector=AttributeVector.from_code(vocabulary.CAPACITY - 1),
    )
    assert len(seal(longest)) == wire.MAX_ENVELOPE


@given(statements)
def test_an_independent_cbor_library_reads_the_same_numbers(statement: Statement) -> None:
    """cbor2 decodes our envelope to the structure of RFC 9052, and writes the same bytes in canonical mode."""
    envelope = seal(statement)
    tag = cbor2.loads(envelope)
    protected, unprotected, payload, signature = tag.value
    assert (tag.tag, dict(unprotected), len(signature)) == (18, {}, 64)
    assert cbor2.loads(protected) == {1: -8, 4: sign.key_id(PUBLIC)}
    fields = cbor2.loads(payload)
    assert list(fields[2:4]) == [statement.epoch, statement.seq]
    assert cbor2.dumps(fields, canonical=True) == payload
    assert cbor2.dumps(cbor2.loads(protected), canonical=True) == protected
    assert cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]), canonical=True) == envelope


def test_an_independent_cose_library_verifies_our_signature() -> None:
    """An independent COSE library verifies what we seal, under the same external data."""
    key = COSEKey.new({1: 1, 2: sign.key_id(PUBLIC), 3: -8, -1: 6, -2: PUBLIC})
    payload = COSE.new().decode(seal(example()), key, external_aad=sign.external_aad(BOOTH))
    assert payload == wire.payload_of(example())


def test_we_open_what_an_independent_cose_library_seals() -> None:
    """An envelope made by an independent COSE library has our very bytes, and opens."""
    key = COSEKey.new({1: 1, 2: sign.key_id(PUBLIC), 3: -8, -1: 6, -2: PUBLIC, -4: PRIVATE})
    made = COSE.new().encode_and_sign(
        wire.payload_of(example()),
        key,
        protected={1: -8, 4: sign.key_id(PUBLIC)},
        external_aad=sign.external_aad(BOOTH),
    )
    assert made == seal(example())
    assert opener().open(made) == example()


@given(st.binary(max_size=2 * wire.MAX_ENVELOPE))
def test_garbage_is_refused_and_nothing_else(garbage: bytes) -> None:
    """Whatever the bytes, opening them gives a statement or Refused, never another error."""
    with pytest.raises(Refused):
        opener().open(garbage)


@given(statements, st.data())
def test_no_changed_byte_is_believed(statement: Statement, chosen: st.DataObject) -> None:
    """One changed byte anywhere in an envelope is refused."""
    envelope = bytearray(seal(statement))
    position = chosen.draw(st.integers(0, len(envelope) - 1))
    envelope[position] ^= chosen.draw(st.integers(1, 255))
    with pytest.raises(Refused):
        opener().open(bytes(envelope))


@given(st.binary(max_size=2 * wire.MAX_PAYLOAD))
def test_a_signed_garbage_payload_is_refused_too(garbage: bytes) -> None:
    """A payload that only an enrolled but broken unit could sign gives a statement or Refused; one spelling each."""
    try:
        statement = wire.statement_in(garbage, UNIT)
    except Refused:
        return
    assert wire.payload_of(statement) == garbage


@pytest.mark.parametrize(
    ("untrusted", "rule"),
    [
        (b"\x00" * (wire.MAX_ENVELOPE + 1), Rule.TOO_LONG),
        (b"", Rule.MALFORMED),
        (seal(example()) + b"\x00", Rule.MALFORMED),
        (seal(example())[:-1], Rule.MALFORMED),
        (seal(example())[1:], Rule.MALFORMED),
    ],
)
def test_each_way_of_being_misformed_has_its_rule(untrusted: bytes, rule: Rule) -> None:
    """Length and form are refused by their own numbered rules."""
    with pytest.raises(Refused) as refusal:
        opener().open(untrusted)
    assert refusal.value.rule is rule


@pytest.mark.parametrize(
    ("payload", "rule"),
    [
        (b"\x87\x01\x18\x01\x03\x00\x00\x00\x46" + bytes(6), Rule.MALFORMED),  # version 1 in two bytes
        (b"\x87\x01\x02\x03\x00\x00\x00\x46" + bytes(6), Rule.OTHER_VERSION),
        (b"\x87\x07\x01\x03\x00\x00\x00\x46" + bytes(6), Rule.OTHER_VERSION),
        (b"\x87\x01\x01\x00\x00\x00\x00\x46" + bytes(6), Rule.MALFORMED),  # epoch 0
        (b"\x87\x01\x01\x03\x00\x00\x00\x45" + bytes(5), Rule.MALFORMED),  # code too short
        (b"\x87\x01\x01\x03\x00\x00\x00\x46" + b"\xff" * 6, Rule.OUTSIDE_VOCABULARY),
        (b"\x87\x02\x01\x03\x00\x00\x00\x42" + b"\xff" * 2, Rule.OUTSIDE_VOCABULARY),
        (b"\x87\x01\x01\x1b" + bytes(7) + b"\x03\x00\x00\x00\x46" + bytes(6), Rule.MALFORMED),
    ],
)
def test_each_payload_outside_the_form_has_its_rule(payload: bytes, rule: Rule) -> None:
    """Non-shortest numbers, other versions and codes outside the vocabulary are refused, each by its rule."""
    with pytest.raises(Refused) as refusal:
        wire.statement_in(payload, UNIT)
    assert refusal.value.rule is rule


def test_an_envelope_of_another_booth_does_not_open_here() -> None:
    """The external data binds an envelope to its booth (RFC 9052 section 4.3)."""
    with pytest.raises(Refused) as refusal:
        opener(BoothId("market")).open(seal(example()))
    assert refusal.value.rule is Rule.FORGED


@given(st.integers(0, vocabulary.CAPACITY - 1))
def test_every_number_below_the_capacity_is_one_vector(code: int) -> None:
    """Codes and attribute vectors are the same set: there is no second spelling and no room beside it."""
    assert AttributeVector.from_code(code).code == code


def _health(code: int) -> Health | None:
    try:
        return Health.from_code(code)
    except ValueError:
        return None


def test_codes_and_healths_are_the_same_set() -> None:
    """Each health has one code, as many as the capacity says; the codes of states that do not exist name nothing."""
    named = {code: health for code in range(HEALTH_CODES) if (health := _health(code))}
    assert len(named) == len(set(named.values())) == HEALTH_CAPACITY
    assert all(health.code == code for code, health in named.items())
    assert _health(HEALTH_CODES) is None
    assert len(UnitState) <= STATE_ROOM


def test_a_unit_that_is_not_locked_says_what_it_always_said() -> None:
    """The codes of healths without lock and card are those of the first version."""
    said = Health(
        state=UnitState.BLIND,
        source=SourceKind.RECORDING,
        accelerator=Accelerator.EDGE_TPU,
        boxed=True,
        fps=9,
    )
    assert said.code == (((3 * 3 + 1) * 3 + 1) * 2 + 1) * 64 + 9


@pytest.mark.parametrize("code", [-1, vocabulary.CAPACITY])
def test_a_number_outside_the_capacity_is_no_vector(code: int) -> None:
    """The numbers just outside the vocabulary name nothing."""
    with pytest.raises(ValueError, match="not the code"):
        AttributeVector.from_code(code)
