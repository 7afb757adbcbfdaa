from __future__ import annotations

import os
from pathlib import Path

from appliance.demo.observers.tap import Tap
from appliance.unit.pipe.record import RECORD_BYTES


def test_what_comes_in_goes_out_and_is_shown(tmp_path: Path) -> None:
    """Every record is carried once, in order, even when more comes than the way out can hold at a time."""
    source, sink = tmp_path / "in", tmp_path / "out"
    os.mkfifo(source)
    os.mkfifo(sink)
    tap = Tap(source, sink)
    writer = os.open(source, os.O_WRONLY | os.O_NONBLOCK)
    reader = os.open(sink, os.O_RDONLY | os.O_NONBLOCK)
    records = [number.to_bytes(2, "big") * (RECORD_BYTES // 2) for number in range(1500)]
    shown: list[bytes] = []
    for record in records:
        os.write(writer, record)
        shown += tap.turn()
    arrived = b""
    while len(arrived) < len(records) * RECORD_BYTES:
        arrived += os.read(reader, 1 << 20)
        assert tap.turn() == ()
    assert shown == records
    assert arrived == b"".join(records)
    for descriptor in (writer, reader):
        os.close(descriptor)
    tap.close()
