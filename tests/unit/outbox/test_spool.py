from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.base.errors import Unfit
from appliance.unit.outbox.disk import DAMAGED_SECONDS
from appliance.unit.outbox.segment import Segment
from appliance.unit.outbox.spool import LOOSE_LIMIT, Spool
from appliance.unit.pipe.record import RECORD_BYTES


def envelopes(start: int, count: int) -> list[bytes]:
    return [b"%06d" % number for number in range(start, start + count)]


def all_in(spool: Spool) -> list[bytes]:
    return [waiting.envelope for waiting in spool.waiting(0, 1_000_000)]


def kept_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.iterdir())


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("from-*.spool"))


def test_what_was_appended_waits_in_order_over_a_restart(tmp_path: Path) -> None:
    """Every appended envelope is there after a restart, in the order it came, with the same serial."""
    first = Spool(tmp_path, 10_000)
    first.append(envelopes(0, 1300))
    before = first.waiting(0, 5000)
    again = Spool(tmp_path, 10_000)
    assert all_in(again) == envelopes(0, 1300)
    assert again.waiting(0, 5000) == before
    assert len(again) == 1300


def test_ls_shows_what_waits(tmp_path: Path) -> None:
    """The names in the directory say which serials each segment may hold, and settled segments are gone."""
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 600))
    assert [path.name for path in segments(tmp_path)] == [
        "from-0000000000-to-0000000511.spool",
        "from-0000000512-to-0000001023.spool",
    ]
    spool.settle(512)
    assert [path.name for path in segments(tmp_path)] == ["from-0000000512-to-0000001023.spool"]


def test_settled_records_are_not_given_again(tmp_path: Path) -> None:
    """What was settled is neither given nor counted again, here or after a restart."""
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 700))
    spool.settle(650)
    spool.close()
    again = Spool(tmp_path, 10_000)
    assert all_in(again) == envelopes(650, 50)
    assert len(again) == 50


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(1, 40), st.just(-1), st.just(0)), max_size=30), st.integers(0, 999))
def test_an_outbox_is_a_queue(tmp_path_factory: pytest.TempPathFactory, moves: list[int], seed: int) -> None:
    """Any order of appending, settling and restarting gives what a plain queue would give."""
    directory = tmp_path_factory.mktemp(f"queue-{seed}")
    spool, queue, serial = Spool(directory, 40), [], 0
    for move in moves:
        if move > 0 and len(queue) + move <= 25:
            spool.append(envelopes(serial, move))
            queue.extend(envelopes(serial, move))
            serial += move
        elif move == 0:
            spool.close()
            spool = Spool(directory, 40)
        elif queue:
            head = spool.waiting(0, len(queue) // 2 + 1)
            spool.settle(head[-1].serial + 1)
            del queue[: len(head)]
        assert all_in(spool) == queue
        assert len(spool) == len(queue)
    assert spool.dropped == 0


def test_a_full_outbox_drops_its_oldest_and_counts_them(tmp_path: Path) -> None:
    """A full outbox stays within its limit, loses the oldest records first, and remembers how many."""
    spool = Spool(tmp_path, 400)
    for start in range(0, 1000, 50):
        spool.append(envelopes(start, 50))
    assert all_in(spool) == envelopes(600, 400)
    assert spool.dropped == 600
    assert Spool(tmp_path, 400).dropped == 600
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 400 * RECORD_BYTES


def test_a_full_disk_is_a_state_and_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk takes nothing records wait in memory, can be sent, and reach the disk when it takes them."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spool = Spool(tmp_path, 10_000)
    with monkeypatch.context() as broken:
        broken.setattr(Segment, "create", full)
        spool.append(envelopes(0, 10))
        assert spool.trouble == os.strerror(errno.ENOSPC)
        assert all_in(spool) == envelopes(0, 10)
        spool.settle(4)
        spool.append(envelopes(10, 5))
        assert all_in(spool) == envelopes(4, 11)
    spool.persist()
    assert spool.trouble == ""
    assert all_in(Spool(tmp_path, 10_000)) == envelopes(4, 11)


def test_a_gap_left_by_trouble_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment left half full by trouble and the one begun after it are both read after a restart."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 10))
    with monkeypatch.context() as broken:
        broken.setattr(Segment, "append", full)
        for start in range(10, LOOSE_LIMIT + 20, 10):
            spool.append(envelopes(start, 10))
    spool.persist()
    assert spool.dropped == 14
    again = Spool(tmp_path, 10_000)
    assert all_in(again) == envelopes(0, 10) + envelopes(24, LOOSE_LIMIT)
    again.append(envelopes(LOOSE_LIMIT + 24, 1))
    assert all_in(again)[-1] == b"%06d" % (LOOSE_LIMIT + 24)


def test_append_returns_only_after_the_disk_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sync per batch, after the write: what a power cut may take is only what was never reported as kept."""
    order: list[str] = []
    write, sync = os.pwrite, os.fdatasync
    monkeypatch.setattr(os, "pwrite", lambda *given: (order.append("write"), write(*given))[1])
    monkeypatch.setattr(os, "fdatasync", lambda *given: (order.append("sync"), sync(*given))[1])
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 40))
    spool.append(envelopes(40, 1))
    assert order == ["write", "sync", "write", "sync"]


def test_a_real_full_disk_leaves_no_half_segment(tmp_path: Path) -> None:
    """Where the kernel refuses the zeros of a new segment, nothing of it is left, and the records wait in memory."""
    import resource  # noqa: PLC0415 - only here
    import signal  # noqa: PLC0415

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    spool = Spool(tmp_path, 10_000)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        spool.append(envelopes(0, 3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert spool.trouble == os.strerror(errno.EFBIG)
    assert {path.name for path in tmp_path.iterdir()} == {"settled", "dropped"}
    spool.persist()
    assert all_in(Spool(tmp_path, 10_000)) == envelopes(0, 3)


def test_memory_is_bounded_while_the_disk_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that never recovers costs the oldest records, counted, never more memory."""

    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Segment, "create", broken)
    spool = Spool(tmp_path, 10_000)
    for start in range(0, LOOSE_LIMIT + 500, 100):
        spool.append(envelopes(start, 100))
    assert len(spool) == LOOSE_LIMIT
    assert spool.dropped >= 404
    assert all_in(spool)[-1] == b"004599"


def test_damage_costs_the_damaged_record_only(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A damaged record is counted and reported, its segment is kept to look at, and all others are given."""
    Spool(tmp_path, 10_000).append(envelopes(0, 600))
    with segments(tmp_path)[0].open("r+b") as file:
        file.seek(7 * RECORD_BYTES + 5)
        file.write(b"\xff")
    spool = Spool(tmp_path, 10_000)
    assert all_in(spool) == envelopes(0, 7) + envelopes(8, 592)
    assert len(spool) == 599
    assert spool.dropped == 1
    assert "is damaged" in capfd.readouterr().err
    assert [path.name for path in tmp_path.glob("damaged-*")] == [
        "damaged-from-0000000000-to-0000000511.spool"
    ]


def test_what_was_delivered_is_not_on_the_disk(tmp_path: Path) -> None:
    """No byte of a settled record can be read from the outbox's directory; what waits is untouched."""
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 300))
    spool.settle(290)
    assert not any(one in kept_in(tmp_path) for one in envelopes(0, 290))
    assert all_in(spool) == envelopes(290, 10)
    spool.settle(300)
    spool.close()
    again = Spool(tmp_path, 10_000)
    assert (all_in(again), len(again), again.dropped) == ([], 0, 0)
    assert not any(one in kept_in(tmp_path) for one in envelopes(0, 300))


def test_a_settled_segment_is_erased_before_it_is_removed(tmp_path: Path) -> None:
    """A segment's file holds zeros only by the time its name goes away: a link to it shows no record."""
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 600))
    os.link(segments(tmp_path)[0], tmp_path / "thief")
    spool.settle(550)
    assert len(segments(tmp_path)) == 1
    assert not any((tmp_path / "thief").read_bytes())


def test_erased_serials_are_not_given_out_again(tmp_path: Path) -> None:
    """After everything was settled and erased, what is appended next over two restarts is kept."""
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 300))
    spool.settle(300)
    spool.close()
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(300, 5))
    spool.close()
    again = Spool(tmp_path, 10_000)
    assert all_in(again) == envelopes(300, 5)
    assert [waiting.serial for waiting in again.waiting(0, 10)] == [300, 301, 302, 303, 304]


@pytest.mark.parametrize("known", [0, 100, 200])
def test_erased_records_are_no_damage_though_a_power_cut_forgot_them(tmp_path: Path, known: int) -> None:
    """Where the zeros reached the disk and the newest ``settled`` did not, nothing is counted as lost."""
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 300))
    spool.settle(known)
    before = (tmp_path / "settled").read_bytes()
    spool.settle(250)
    spool.close()
    (tmp_path / "settled").write_bytes(before)
    again = Spool(tmp_path, 10_000)
    assert all_in(again) == envelopes(250, 50)
    assert (len(again), again.dropped, list(tmp_path.glob("damaged-*"))) == (50, 0, [])


def test_what_is_kept_to_look_at_is_the_damage_and_goes_in_a_week(tmp_path: Path) -> None:
    """The kept file holds the damaged record and no other, and is removed a week later."""
    Spool(tmp_path, 10_000).append(envelopes(0, 600))
    with segments(tmp_path)[0].open("r+b") as file:
        file.seek(7 * RECORD_BYTES + 5)
        file.write(b"\xff")
    Spool(tmp_path, 10_000).close()
    (kept,) = tmp_path.glob("damaged-*")
    content = kept.read_bytes()
    assert any(content[7 * RECORD_BYTES : 8 * RECORD_BYTES])
    assert not any(content[: 7 * RECORD_BYTES] + content[8 * RECORD_BYTES :])
    os.utime(kept, (kept.stat().st_mtime - DAMAGED_SECONDS - 1,) * 2)
    with segments(tmp_path)[0].open("r+b") as file:  # mended, so that it is not found and kept again
        file.seek(7 * RECORD_BYTES)
        file.write(bytes(RECORD_BYTES))
    Spool(tmp_path, 10_000)
    assert list(tmp_path.glob("damaged-*")) == []


def test_a_torn_last_write_is_no_damage(tmp_path: Path) -> None:
    """Half a record behind the last one is what a power cut leaves: passed over, not counted, and room goes on."""
    Spool(tmp_path, 10_000).append(envelopes(0, 5))
    with segments(tmp_path)[0].open("r+b") as file:
        file.seek(5 * RECORD_BYTES)
        file.write(b"LF\x06torn")
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(5, 2))
    assert all_in(spool) == envelopes(0, 7)
    assert spool.dropped == 0


def test_strange_files_are_left_alone(tmp_path: Path) -> None:
    """A file that is no segment of this outbox is neither read nor removed, and stops nothing."""
    (tmp_path / "from-here-to-there.spool").write_bytes(b"x")
    (tmp_path / "from-0000000000-to-0000000511.making").write_bytes(b"x")
    (tmp_path / "settled").write_bytes(b"\xff" * 300)
    spool = Spool(tmp_path, 10_000)
    spool.append(envelopes(0, 1))
    assert all_in(spool) == envelopes(0, 1)
    assert (tmp_path / "from-here-to-there.spool").exists()
    assert not list(tmp_path.glob("*.making"))


def test_a_directory_that_cannot_be_used_is_unfit(tmp_path: Path) -> None:
    """An outbox that can be made nowhere stops the relay with one sentence on how to fix it."""
    (tmp_path / "file").touch()
    with pytest.raises(Unfit, match=r"spool.*Fix: make the directory writable"):
        Spool(tmp_path / "file" / "spool", 1000)


def test_what_was_handed_over_can_be_taken_back_until_it_is_settled(tmp_path: Path) -> None:
    """Handed over is no longer waiting and not yet forgotten: taken back, or after a restart, it waits again."""
    spool = Spool(tmp_path, 1000)
    spool.append([b"%d" % number for number in range(1, 11)])
    spool.mark_published(6)
    assert (len(spool), len(spool.waiting(0, 100))) == (4, 10)
    assert (spool.rewind(), len(spool)) == (0, 10)
    spool.mark_published(8)
    spool.settle(3)
    assert (len(spool), spool.waiting(0, 1)[0].serial) == (2, 3)
    spool.close()
    again = Spool(tmp_path, 1000)
    assert (len(again), again.waiting(0, 1)[0].serial, again.dropped) == (7, 3, 0)
    again.close()


def test_what_was_handed_over_is_not_counted_as_lost(tmp_path: Path) -> None:
    """When a full outbox drops its oldest segment, only what nobody has taken counts as lost."""
    spool = Spool(tmp_path, 40)  # four segments of ten
    spool.append([b"%d" % number for number in range(1, 41)])
    spool.mark_published(6)
    spool.append([b"more"])
    assert spool.dropped == 4
    spool.close()
