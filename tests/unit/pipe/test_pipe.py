from __future__ import annotations

import random
import select

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocol import wire
from appliance.unit.pipe.record import ENVELOPE_LIMIT, RECORD_BYTES, PipeReader, envelope_of, record_of

ENVELOPES = st.binary(min_size=1, max_size=ENVELOPE_LIMIT)


class Stream:
    """A reader, and what it is not done with yet."""

    def __init__(self) -> None:
        self.reader = PipeReader()
        self.rest = b""

    def show(self, piece: bytes) -> tuple[bytes, ...]:
        """What one more piece brings."""
        self.rest += piece
        found, done = self.reader.envelopes_in(self.rest)
        self.rest = self.rest[done:]
        return found


def test_every_envelope_of_the_wire_form_fits_a_record() -> None:
    """A record holds the longest envelope that the wire form allows, and is written whole or not at all."""
    assert wire.MAX_ENVELOPE <= ENVELOPE_LIMIT
    assert RECORD_BYTES <= select.PIPE_BUF


@given(st.lists(ENVELOPES), st.data())
def test_envelopes_come_out_as_they_went_in_however_the_stream_is_cut(
    envelopes: list[bytes], chosen: st.DataObject
) -> None:
    """Records cut at any place give the same envelopes in the same order, and nothing bad."""
    stream = b"".join(record_of(envelope) for envelope in envelopes)
    cuts = sorted(chosen.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    shown = Stream()
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found.extend(shown.show(stream[start:end]))
    assert found == envelopes
    assert (shown.reader.bad, shown.rest) == (0, b"")


@given(st.lists(st.one_of(ENVELOPES.map(record_of), st.binary(max_size=300)), max_size=12))
def test_garbage_between_records_costs_no_record(pieces: list[bytes]) -> None:
    """Garbage of any length is passed over and counted; every whole record behind it is found."""
    shown = Stream()
    found = [envelope for piece in [*pieces, bytes(RECORD_BYTES)] for envelope in shown.show(piece)]
    whole = [envelope for piece in pieces if (envelope := envelope_of(piece)) is not None]
    assert [record_of(envelope) for envelope in found] == [record_of(envelope) for envelope in whole]
    assert shown.reader.bad >= 1


def test_one_flipped_bit_anywhere_makes_a_record_bad() -> None:
    """A record with any one bit flipped is dropped, whichever bit it is."""
    record = record_of(bytes(range(100)))
    for bit in range(RECORD_BYTES * 8):
        torn = bytearray(record)
        torn[bit // 8] ^= 1 << bit % 8
        assert envelope_of(bytes(torn)) is None


def test_a_stretch_of_garbage_is_counted_once() -> None:
    """Ten thousand bytes of garbage are one bad stretch, and the reader keeps less than a record of them."""
    shown = Stream()
    garbage = random.Random(7).randbytes(10_000)  # noqa: S311 - seeded on purpose
    for at in range(0, len(garbage), 100):
        assert shown.show(garbage[at : at + 100]) == ()
        assert len(shown.rest) < RECORD_BYTES
    assert shown.show(record_of(b"after it")) == (b"after it",)
    assert shown.reader.bad == 1


@pytest.mark.parametrize("length", [0, ENVELOPE_LIMIT + 1])
def test_what_fits_no_record_is_an_error_of_the_writer(length: int) -> None:
    """An empty or overlong envelope is a ValueError where it is written, not a bad record where it is read."""
    with pytest.raises(ValueError, match="does not fit"):
        record_of(bytes(length))
