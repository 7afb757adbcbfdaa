"""The form of what crosses the one-way pipe from SENSE to RELAY: records of one fixed size.

Invariants:
    * A record is smaller than ``PIPE_BUF``, so that a write is whole or not at all (pipe(7)).
    * A bad record is dropped and counted; no input raises, and the reader holds no input back.
    * What a record holds is not judged here: RELAY's gate (gate.py) opens it before it goes anywhere.

A record is ``4C 46 | length | envelope | zeros | CRC-32 of all before it`` (big-endian). The spool keeps records as
they came, so the check sum serves the pipe and the disk.
"""

from __future__ import annotations

import zlib
from typing import Final

RECORD_BYTES: Final = 128
"""Size of every record; a divisor of a flash page, so that a record never lies across two."""

AIM_MARK: Final = b"\xa1"
"""How the body of a record begins that is no envelope but a stick figure or a view (``protocol/aim.py``)."""
_MARK: Final = b"LF"
_CHECK_BYTES: Final = 4
_HEAD_BYTES: Final = len(_MARK) + 1

ENVELOPE_LIMIT: Final = RECORD_BYTES - _HEAD_BYTES - _CHECK_BYTES
"""Longest envelope a record can hold, in bytes."""


def record_of(envelope: bytes) -> bytes:
    """The record that carries ``envelope`` (1 to ``ENVELOPE_LIMIT`` bytes); ValueError for any other length.

    >>> len(record_of(b"sealed")), envelope_of(record_of(b"sealed"))
    (128, b'sealed')
    """
    if not 0 < len(envelope) <= ENVELOPE_LIMIT:
        raise ValueError(f"an envelope of {len(envelope)} bytes does not fit a record ({ENVELOPE_LIMIT})")
    body = (_MARK + bytes((len(envelope),)) + envelope).ljust(RECORD_BYTES - _CHECK_BYTES, b"\0")
    return body + zlib.crc32(body).to_bytes(_CHECK_BYTES, "big")


def envelope_of(untrusted_record: bytes) -> bytes | None:
    """The envelope in a record, or None where the bytes are no record."""
    body, check = untrusted_record[:-_CHECK_BYTES], untrusted_record[-_CHECK_BYTES:]
    if len(untrusted_record) != RECORD_BYTES or body[: len(_MARK)] != _MARK:
        return None
    end = _HEAD_BYTES + body[len(_MARK)]
    if end == _HEAD_BYTES or any(body[end:]) or end > len(body):
        return None
    if zlib.crc32(body).to_bytes(_CHECK_BYTES, "big") != check:
        return None
    return body[_HEAD_BYTES:end]


class PipeReader:
    """Cuts a stream of bytes into records, and finds the next record after garbage.

    It keeps no bytes: what it has not finished with is to be shown again. ``bad`` counts the stretches of garbage
    passed over since the start.
    """

    def __init__(self) -> None:
        self.bad = 0
        self._astray = False

    def envelopes_in(self, untrusted_stream: bytes) -> tuple[tuple[bytes, ...], int]:
        """The envelopes in ``untrusted_stream``, in order, and how many of its bytes are done with. Never raises.

        What is left, less than a record, comes first in the stream that is shown next.
        """
        found = []
        at = 0
        while len(untrusted_stream) - at >= RECORD_BYTES:
            envelope = envelope_of(untrusted_stream[at : at + RECORD_BYTES])
            if envelope is not None:
                found.append(envelope)
                self._astray = False
                at += RECORD_BYTES
                continue
            if not self._astray:
                self.bad += 1
                self._astray = True
            mark = untrusted_stream.find(_MARK, at + 1)
            # Without a mark in sight, the last byte may still be the first half of one.
            at = mark if mark >= 0 else len(untrusted_stream) - 1
        return tuple(found), at
