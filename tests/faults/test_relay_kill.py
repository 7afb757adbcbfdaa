from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.base.errors import Unfit
from appliance.protocol import sign
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
from appliance.unit.outbox.intake import Intake
from appliance.unit.outbox.seal_check import SealCheck
from appliance.unit.outbox.spool import Spool
from appliance.unit.pipe.peek import PipePeek
from appliance.unit.pipe.record import RECORD_BYTES, record_of
from tests.faults.relay_kills import Line, kill_relay

KEY = bytes(range(32))


class Killed(Exception):
    """Stands for a kill at this very place."""


def test_a_relay_killed_twenty_times_loses_no_record_and_keeps_none_twice(tmp_path: Path) -> None:
    """Whatever crossed the pipe is in the spool exactly once, or still in the pipe, after twenty kills."""
    toll = kill_relay(tmp_path, kills=20, seed=3)
    assert (toll.lost, toll.doubled) == (0, 0)
    assert toll.spooled > 20


def test_a_relay_on_a_disk_that_takes_nothing_lives_from_memory_and_says_so_at_its_end(
    tmp_path: Path,
) -> None:
    """With a disk that takes nothing RELAY runs; what it cannot leave on a disk makes its exit code 75, never 78."""
    line = Line(tmp_path)
    line.fill()
    relay = line.live("prlimit", "--fsize=0")
    assert relay.stderr
    said = next(one for one in relay.stderr if "spool" in one)
    relay.send_signal(signal.SIGTERM)
    _, last = relay.communicate(timeout=30)
    line.close()
    assert "cannot use the disk (File too large); records wait in memory" in said
    assert "were only in memory and are lost: File too large" in last
    assert relay.returncode == 75


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def sealed(number: int) -> bytes:
    seen = PhenomenonTime(uptime=Steps(1), wall=None)
    one = Observation(
        unit=UnitId("north"),
        epoch=Epoch(1),
        seq=Seq(number),
        seen=seen,
        vector=AttributeVector.of(top_colour="red"),
    )
    return sign.Sealer(private_key=KEY, booth=BoothId("corner")).seal(one)


def intake(reader: int, directory: Path) -> tuple[Intake, Spool]:
    gate = SealCheck(
        booth=BoothId("corner"), unit=UnitId("north"), public_key=sign.public_key_of(KEY), now=0.0
    )
    spool = Spool(directory, 10_000)
    return Intake(reader, spool, gate), spool


@pytest.mark.parametrize(("place", "kept"), [((Spool, "append"), 0), ((PipePeek, "take"), 10)])
def test_a_kill_before_or_after_the_sync_leaves_each_record_once(
    tmp_path: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, place: tuple[type, str], kept: int
) -> None:
    """Killed before it syncs the pipe has all; killed after it, the successor keeps none a second time."""
    reader, writer = pipe
    for number in range(10):
        os.write(writer, record_of(sealed(number)))
    first, spool = intake(reader, tmp_path)

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(*place, kill)
        with pytest.raises(Killed):
            first.take(wait=0.0)
    assert len(Spool(tmp_path, 10_000)) == kept
    first.close()
    second, spool = intake(reader, tmp_path)
    os.write(writer, record_of(sealed(10)))
    assert second.take(wait=0.0)
    assert [one.envelope for one in spool.waiting(0, 100)] == [sealed(number) for number in range(11)]
    assert not second.take(wait=0.0)
    second.close()


def test_a_look_takes_nothing_and_a_take_what_was_seen(pipe: tuple[int, int]) -> None:
    """What is looked at stays in the pipe until it is taken; what came meanwhile is there as well."""
    reader, writer = pipe
    peek = PipePeek(reader)
    with pytest.raises(BlockingIOError):
        peek.look(100)
    os.write(writer, b"one two")
    assert peek.look(3) == b"one"
    os.write(writer, b" three")
    assert peek.look(100) == b"one two three"
    peek.take(4)
    assert peek.look(100) == b"two three"
    big = os.urandom(40_000)
    os.write(writer, big)
    assert peek.look(RECORD_BYTES * 64) == (b"two three" + big)[: RECORD_BYTES * 64]
    peek.close()


def test_what_is_no_pipe_is_unfit(tmp_path: Path) -> None:
    """A descriptor of something else is one clear error at the start, not records that are never read."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(Unfit, match="no pipe"):
        PipePeek(descriptor)
    os.close(descriptor)
