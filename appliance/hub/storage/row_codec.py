"""Values as the database's columns spell them, and back.

Invariants:
    * What comes back is checked as strictly as what comes in: a row that cannot be is a ValueError, never a guess.
"""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import numpy as np

from appliance.hub.alerts.alerts import TrackedAlert
from appliance.hub.statistics.layout import FloatArray
from appliance.protocol.values import (
    Alert,
    AlertId,
    AlertState,
    AttributeVector,
    Epoch,
    Flag,
    Lens,
    Observation,
    PhenomenonTime,
    Reason,
    Seconds,
    Seq,
    Steps,
    TabletId,
    UnitId,
)
from appliance.protocol.vocabulary import CODE_BYTES


def blob(array: FloatArray) -> bytes:
    """An array of counts as stored: doubles, little-endian, compressed."""
    return zlib.compress(array.astype("<f8").tobytes(), 1)


def array(blob: bytes, *shape: int) -> FloatArray:
    """The array of ``shape`` in a stored blob; ValueError where it cannot be one of counts."""
    size = 8 * math.prod(shape)
    raw = zlib.decompressobj().decompress(
        blob, size + 1
    )  # no more than it can be, whatever the row would unpack to
    found: FloatArray = np.frombuffer(raw, dtype="<f8").astype(np.float64).reshape(shape)
    if not np.isfinite(found).all() or (found < 0).any():
        raise ValueError("a count is negative or not a number")
    return found


def code(vector: AttributeVector) -> bytes:
    """A vector as stored: its code on the wire."""
    return vector.code.to_bytes(CODE_BYTES, "big")


def vector(code: bytes) -> AttributeVector:
    """The vector of a stored code; ValueError where it names none."""
    return AttributeVector.from_code(int.from_bytes(code, "big"))


def alert_row(held: TrackedAlert) -> tuple[Any, ...]:
    """An alert as a row of table ``alert``, in the schema's order."""
    alert = held.alert
    row = (
        alert.alert, alert.state.value, alert.raised_at, alert.expires_at, held.ended_at, alert.place,
        alert.simulated, alert.held_by, held.seen_at, held.unit,
    )  # fmt: skip
    flag = alert.flag
    if flag is None:
        return (*row, *(None,) * 7)
    one = flag.observation
    reasons = json.dumps([[reason.lens.value, reason.attributes, reason.one_in] for reason in flag.reasons])
    return (
        *row, one.epoch, one.seq, one.seen.uptime, one.seen.wall, code(one.vector), flag.p, reasons,
    )  # fmt: skip


def held_of(row: tuple[Any, ...]) -> TrackedAlert:
    """The alert in a row of table ``alert``; ValueError where it cannot be one."""
    try:
        return _held_of(row)
    except (TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise ValueError(f"an alert that cannot be: {error}") from None


def _held_of(row: tuple[Any, ...]) -> TrackedAlert:
    name, state, raised_at, expires_at, ended_at, place, simulated, held_by, seen_at, unit, *rest = row
    return TrackedAlert(
        alert=Alert(
            alert=AlertId(name),
            state=AlertState(state),
            raised_at=Seconds(raised_at),
            expires_at=Seconds(expires_at),
            place=place,
            simulated=bool(simulated),
            flag=_flag_of(UnitId(unit), *rest) if rest[-1] is not None else None,
            held_by=None if held_by is None else TabletId(held_by),
        ),
        # Schema 1 emptied the camera at the end; no alert of it outlives its first minute here.
        unit=UnitId(unit or "unknown"),
        seen_at=Seconds(seen_at),
        ended_at=None if ended_at is None else Seconds(ended_at),
    )


def _flag_of(
    unit: UnitId, epoch: int, seq: int, uptime: int, wall: int | None, code: bytes, p: float, reasons: str
) -> Flag:
    if not 0.0 < p <= 1.0:
        raise ValueError(f"no tail probability: {p}")
    return Flag(
        observation=Observation(
            unit=unit,
            epoch=Epoch(epoch),
            seq=Seq(seq),
            seen=PhenomenonTime(uptime=Steps(uptime), wall=None if wall is None else Steps(wall)),
            vector=vector(code),
        ),
        p=p,
        bits=-float(np.log2(p)),
        reasons=tuple(
            Reason(lens=Lens(lens), attributes=tuple((place, level) for place, level in pairs), one_in=number)
            for lens, pairs, number in json.loads(reasons)
        ),
    )
