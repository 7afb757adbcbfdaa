"""Which outbox wears the flash least: measured on a file system of its own, so that every byte written is counted.

Run as root (it loop-mounts an ext4 image): ``pytest -s tests/bench/bench_spool.py``. Counted are the
sectors written to the loop device, journal and metadata included. Every record is also settled (removed) once.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.unit.outbox.spool import Spool
from appliance.unit.pipe.record import record_of

RECORDS = 2000
ENVELOPE = bytes(range(1, 116))


def segment_spool(directory: Path, batch: int) -> Iterator[None]:
    spool = Spool(directory / "spool", 200_000)
    for start in range(0, RECORDS, batch):
        yield
        spool.append([ENVELOPE] * batch)
        spool.settle(start + batch)
    spool.close()


def growing_file(directory: Path, batch: int) -> Iterator[None]:
    with (directory / "log").open("ab", buffering=0) as file:
        for _ in range(0, RECORDS, batch):
            yield
            file.write(record_of(ENVELOPE) * batch)
            os.fdatasync(file.fileno())


def file_per_record(directory: Path, batch: int) -> Iterator[None]:
    (directory / "outbox").mkdir()
    top = os.open(directory / "outbox", os.O_RDONLY)
    for start in range(0, RECORDS, batch):
        yield
        names = [directory / "outbox" / f"{number:08d}" for number in range(start, start + batch)]
        for name in names:
            with name.with_suffix(".new").open("wb") as file:
                file.write(ENVELOPE)
                file.flush()
                os.fsync(file.fileno())
            name.with_suffix(".new").rename(name)
        os.fsync(top)
        for name in names:
            name.unlink()
    os.close(top)


def sqlite_wal(directory: Path, batch: int) -> Iterator[None]:
    base = sqlite3.connect(directory / "outbox.sqlite", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE outbox (serial INTEGER PRIMARY KEY, envelope BLOB)")
    for start in range(0, RECORDS, batch):
        yield
        base.execute("BEGIN")
        base.executemany("INSERT INTO outbox VALUES (?, ?)", [(start + n, ENVELOPE) for n in range(batch)])
        base.execute("COMMIT")
        base.execute("PRAGMA synchronous=OFF")  # as generous as ours: a lost removal only sends twice
        base.execute("DELETE FROM outbox WHERE serial < ?", (start + batch,))
        base.execute("PRAGMA synchronous=FULL")
    base.close()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], int]]]:
    """A mounted ext4 of its own, and a function that unmounts it and says how many bytes it was written."""
    if os.geteuid():
        pytest.skip("needs root for a loop mount")
    image, mount = tmp_path / "image", tmp_path / "mount"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(
        ["mkfs.ext4", "-q", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image)],
        check=True,
    )
    subprocess.run(["mount", "-o", "loop,noatime", str(image), str(mount)], check=True)
    source = subprocess.run(
        ["findmnt", "-no", "SOURCE", str(mount)], check=True, capture_output=True, text=True
    ).stdout.strip()
    statistics = Path("/sys/block") / Path(source).name / "stat"

    def written() -> int:
        return int(statistics.read_text().split()[6]) * 512

    yield mount, written
    subprocess.run(["umount", str(mount)], check=True)


@pytest.mark.parametrize("batch", [1, 20])
@pytest.mark.parametrize("outbox", [segment_spool, growing_file, file_per_record, sqlite_wal])
def test_bytes_written_and_time_for_an_observation(
    outbox: Callable[[Path, int], Iterator[None]], batch: int, device: tuple[Path, Callable[[], int]]
) -> None:
    """Prints bytes written to the device, and time, per observation."""
    mount, written = device
    os.sync()
    before, took = written(), []
    rounds = outbox(mount, batch)
    next(rounds)
    while True:
        start = time.perf_counter()
        try:
            next(rounds)
        except StopIteration:
            break
        took.append(time.perf_counter() - start)
    os.sync()
    took.sort()
    print(
        f"\n{outbox.__name__:16} batch {batch:2}: {(written() - before) / RECORDS:8.0f} B/observation, "
        f"commit p50 {took[len(took) // 2] * 1e3:6.2f} ms, p99 {took[len(took) * 99 // 100] * 1e3:6.2f} ms"
    )
