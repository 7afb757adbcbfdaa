from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Unfit
from appliance.protocol.sign import Sealer, public_key_of
from appliance.protocol.values import (
    AttributeVector,
    BoothId,
    Epoch,
    Observation,
    PhenomenonTime,
    Seq,
    Steps,
    UnitId,
)
from appliance.settings import config
from appliance.unit.outbox import seal_check as gate_module
from appliance.unit.outbox.intake import Intake
from appliance.unit.outbox.seal_check import BURST, RATE, SealCheck, gate_of
from appliance.unit.outbox.spool import Spool
from appliance.unit.pipe.record import ENVELOPE_LIMIT, RECORD_BYTES, record_of
from appliance.unit.pipe.writer import RATE as SENSE_RATE

BOOTH, UNIT = BoothId("corner"), UnitId("north")
KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))


def sealed(number: int = 0, *, key: bytes = KEY, booth: str = BOOTH) -> bytes:
    seen = PhenomenonTime(uptime=Steps(7), wall=None)
    vector = AttributeVector.of(top_colour="red")
    statement = Observation(unit=UNIT, epoch=Epoch(1), seq=Seq(number), seen=seen, vector=vector)
    return Sealer(private_key=key, booth=BoothId(booth)).seal(statement)


def gate_at(now: float = 0.0) -> SealCheck:
    return SealCheck(booth=BOOTH, unit=UNIT, public_key=public_key_of(KEY), now=now)


def flipped(envelope: bytes, place: int) -> bytes:
    return bytes(byte ^ (at == place) for at, byte in enumerate(envelope))


def test_what_this_unit_sealed_goes_through() -> None:
    """Sealed statements of this unit pass unchanged and in order."""
    envelopes = tuple(sealed(number) for number in range(5))
    gate = gate_at()
    assert gate.let_through(envelopes) == envelopes
    assert gate.refused == 0


@given(st.binary(min_size=1, max_size=ENVELOPE_LIMIT))
def test_no_other_bytes_go_through(untrusted: bytes) -> None:
    """Bytes of any kind that are no sealed statement are dropped and counted."""
    gate = gate_at()
    assert gate.let_through([untrusted, sealed(), untrusted]) == (sealed(),)
    assert gate.refused == 2


def test_another_key_another_booth_or_a_changed_bit_is_no_seal_of_ours() -> None:
    """A statement under another key, for another booth, or with one bit changed anywhere is dropped."""
    own = sealed()
    foreign = [sealed(key=OTHER_KEY), sealed(booth="market"), *(flipped(own, at) for at in range(len(own)))]
    assert gate_at().let_through(foreign) == ()


def test_the_pipe_is_read_no_faster_than_the_rate() -> None:
    """Over a minute no more is read than the rate and one burst allow, garbage included; SENSE's own rate fits in."""
    gate, taken = gate_at(), 0
    for tick in range(60 * 100):
        allowed = gate.readable(tick / 100)
        gate.spend(allowed)
        taken += allowed
    assert taken <= (BURST + 60 * RATE) * RECORD_BYTES
    assert taken >= 60 * SENSE_RATE * RECORD_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A pipe with its reader, its spool and its writer."""

    intake: Intake
    spool: Spool
    writer: int
    directory: Path


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    now = [0.0]
    monkeypatch.setattr("appliance.unit.outbox.intake.time.monotonic", lambda: now[0])
    monkeypatch.setattr(
        "appliance.unit.outbox.intake.time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds)
    )
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    spool = Spool(tmp_path, 10_000)
    yield Line(intake=Intake(reader, spool, gate_at()), spool=spool, writer=writer, directory=tmp_path)
    spool.close()
    os.close(reader)
    os.close(writer)


def test_a_picture_in_the_pipe_reaches_neither_disk_nor_network(
    line: Line, capfd: pytest.CaptureFixture[str]
) -> None:
    """Raw bytes in records of the right form and check sum are dropped before the spool, and that is said."""
    picture = os.urandom(ENVELOPE_LIMIT * 20)
    for at in range(0, len(picture), ENVELOPE_LIMIT):
        os.write(line.writer, record_of(picture[at : at + ENVELOPE_LIMIT]))
    os.write(line.writer, record_of(sealed()))
    assert line.intake.take(wait=0.0)
    assert [waiting.envelope for waiting in line.spool.waiting(0, 100)] == [sealed()]
    kept = b"".join(path.read_bytes() for path in line.directory.iterdir())
    assert not any(picture[at : at + 16] in kept for at in range(0, len(picture), 16))
    assert "20 records that this unit's key did not seal" in capfd.readouterr().err


def test_what_is_dropped_is_said_once_in_ten_seconds(line: Line, capfd: pytest.CaptureFixture[str]) -> None:
    """However much is dropped, there is one line about it in ten seconds, with the count so far."""
    for _ in range(120):
        os.write(line.writer, record_of(b"pixels"))
        line.intake.take(wait=0.25)
    said = capfd.readouterr().err.splitlines()
    assert 1 <= len(said) <= 4


def test_a_flood_is_late_and_not_lost(line: Line) -> None:
    """More sealed statements at once than the burst allows wait in the pipe; each arrives, in order."""
    envelopes = [sealed(number) for number in range(200)]
    for envelope in envelopes:
        os.write(line.writer, record_of(envelope))
    assert line.intake.take(wait=0.0)
    assert line.intake.received == BURST
    begun = time.monotonic()
    while line.intake.received < 200:
        line.intake.take(wait=0.5)
    assert [waiting.envelope for waiting in line.spool.waiting(0, 300)] == envelopes
    assert time.monotonic() - begun > (200 - BURST) / RATE - 0.5  # a busy machine only takes longer


UNIT_TOML = """
[unit]
booth = "corner"
unit = "north"
[camera]
source = "0"
[broker]
host = "h"
ca = "a"
certificate = "b"
key = "c"
"""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "public_key is missing"),
        (f'[relay]\npublic_key = "{"00" * 32}"', "relay.public_key is not a valid key"),
    ],
)
def test_a_relay_without_the_public_key_does_not_start(tmp_path: Path, text: str, what: str) -> None:
    """A public key that is missing, or that no register would take, is unfit and says where to find the right one."""
    path = tmp_path / "unit.toml"
    path.write_text(UNIT_TOML + text)
    with pytest.raises(Unfit, match=what) as unfit:
        gate_of(config.unit_config(path), path, 0.0)
    assert str(path) in str(unfit.value)
    assert "register.toml" in unfit.value.fix


def test_the_gate_holds_no_private_key() -> None:
    """The gate's room names nothing that makes, holds or uses a private key."""
    assert not {name for name in vars(gate_module) if "Sealer" in name or "rivate" in name}
