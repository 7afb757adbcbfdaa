"""Every system call of the outbox fails once, at each place where it is made: nothing that was taken in is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from appliance.base.errors import Unfit
from appliance.unit.outbox import spool as spool_module
from appliance.unit.outbox.spool import Spool
from tests.faults.spool_faults import CALLS, STUCK, each_place


@pytest.mark.parametrize("times", [1, 3, STUCK], ids=["once", "thrice", "until mended"])
@pytest.mark.parametrize("name", CALLS)
def test_no_failure_of_one_call_loses_a_record(tmp_path: Path, name: str, times: int) -> None:
    """The N-th call fails, once, thrice or for good, for every N until none is left to fail: nothing is lost."""
    lives = each_place(tmp_path, name, times)
    for unit in lives:
        lost = set(unit.sealed) - set(unit.delivered)
        assert not lost, f"{len(lost)} lost: {sorted(lost)[:5]}"
        assert unit.spool.dropped == 0
    assert len(lives) > 1 or name in {"fsync", "mkdir"}


def disk_that_fails(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, name, fail)


def test_one_failing_read_costs_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 150 that wait, a slot that cannot be read delays its own record and no other; it is sent when it can be."""
    monkeypatch.setattr(spool_module, "RESCUE_SECONDS", 0.0)
    spool = Spool(tmp_path, 10_000)
    spool.append([b"%03d" % number for number in range(150)])
    real = os.pread

    def bad_sector(descriptor: int, count: int, place: int) -> bytes:
        if place <= 70 * 128 < place + count:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, count, place)

    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", bad_sector)
        found = spool.waiting(0, 1000)
        assert [one.envelope for one in found] == [b"%03d" % number for number in range(150) if number != 70]
        assert spool.aside == 1
        spool.settle(found[-1].serial + 1)
        assert [path.name for path in tmp_path.glob("aside-*")] == [
            "aside-from-0000000000-to-0000000511.spool"
        ]
    spool.persist()
    assert [one.envelope for one in spool.waiting(0, 1000)] == [b"070"]
    assert (spool.dropped, spool.aside, list(tmp_path.glob("aside-*"))) == (0, 0, [])
    spool.close()


def test_a_kill_while_a_slot_is_unread_does_not_lose_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was settled around an unread slot is forgotten; the slot itself is sent by the successor."""
    spool = Spool(tmp_path, 10_000)
    spool.append([b"%03d" % number for number in range(20)])
    real = os.pread

    def bad_sector(descriptor: int, count: int, place: int) -> bytes:
        if place <= 7 * 128 < place + count:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, count, place)

    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", bad_sector)
        spool.waiting(0, 100)
        spool.settle(12)
    again = Spool(tmp_path, 10_000)
    assert {one.envelope for one in again.waiting(0, 100)} >= {
        b"007",
        *(b"%03d" % one for one in range(12, 20)),
    }


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ENOSPC])
def test_a_disk_that_is_broken_at_the_start_is_a_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A directory that cannot be read keeps records in memory, which are sent, and come behind what lay there."""
    Spool(tmp_path / "spool", 1000).append([b"before"])
    with monkeypatch.context() as broken:
        disk_that_fails(broken, "listdir", number)
        spool = Spool(tmp_path / "spool", 1000)
        assert spool.trouble == os.strerror(number)
        spool.append([b"now", b"then"])
        first = spool.waiting(-(10**10), 10)
        assert [one.envelope for one in first] == [b"now", b"then"]
        spool.settle(first[0].serial + 1)
    spool.append([b"later"])
    assert spool.trouble == ""
    assert spool.renumbered == 1
    spool.settle(first[1].serial + 1)  # an old serial settles nothing that has a new one
    assert [one.envelope for one in spool.waiting(0, 10)] == [b"before", b"then", b"later"]
    assert [one.envelope for one in Spool(tmp_path / "spool", 1000).waiting(0, 10)] == [
        b"before",
        b"then",
        b"later",
    ]


def test_on_a_read_only_disk_what_waits_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that only reads any more gives what lies on it; what is new waits in memory."""
    Spool(tmp_path, 1000).append([b"before"])
    real = os.open

    def read_only(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", read_only)
    spool = Spool(tmp_path, 1000)
    spool.append([b"now"])
    assert spool.trouble == os.strerror(errno.EROFS)
    assert [one.envelope for one in spool.waiting(0, 10)] == [b"before", b"now"]
    monkeypatch.undo()
    spool.persist()
    assert [one.envelope for one in Spool(tmp_path, 1000).waiting(0, 10)] == [b"before", b"now"]


def test_a_place_that_may_not_be_written_is_unfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of somebody else is no broken disk: the relay stops and says what to mend."""
    disk_that_fails(monkeypatch, "mkdir", errno.EACCES)
    with pytest.raises(Unfit, match="make the directory writable"):
        Spool(tmp_path / "spool", 1000)
