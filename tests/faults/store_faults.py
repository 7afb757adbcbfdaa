"""Every system call on the hub's database fails once, at each place where it is made: what was committed stays.

``python -m tests.faults.store_faults`` needs strace, whose fault injection it uses. It prints one line for each call:
how often it was made, how often the hub went on, stopped to be started again (75) or for good (78), how many
committed batches were lost (0), and how many databases could not be opened afterwards (0).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError
from appliance.hub.admission.unit_state import UnitAdmission
from appliance.hub.storage.state import StateDelta
from appliance.hub.storage.store import Store
from appliance.protocol.values import BoothId

CALLS: Final = (
    "openat",
    "pread64",
    "pwrite64",
    "fdatasync",
    "fsync",
    "ftruncate",
    "unlink",
    "newfstatat",
    "fcntl",
)
BATCHES: Final = 12
BOOTH: Final = BoothId("corner")


def live(path: Path) -> int:
    """Commit batches as a hub does, saying each when it is promised; an error ends it as it ends WATCH."""
    try:
        store = Store(path, BOOTH)
        door = UnitAdmission().state("north/0123456789abcdef")
        for number in range(1, BATCHES + 1):
            store.commit(StateDelta(doors=(replace(door, admitted=number),)))
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()
        store.close()
    except LeftfieldError as error:
        return error.exit_code
    return 0


def stored(path: Path) -> int:
    """The number of the last batch in the database; -1 where it cannot be opened."""
    if not path.exists():
        return 0
    try:
        store = Store(path, BOOTH)
        doors = store.load().doors
        store.close()
    except LeftfieldError:
        return -1
    return max((door.admitted for door in doors), default=0)


def strike(directory: Path, call: str, at: int, error: str) -> tuple[bool, int, int, int]:
    """One life with the ``at``-th ``call`` failing: whether any did, exit code, last promised, last stored."""
    path, trace = directory / "hub.sqlite", directory / "trace"
    paths: list[str] = [
        word for suffix in ("", "-wal", "-shm", "-journal", ".lock") for word in ("-P", f"{path}{suffix}")
    ]
    command: list[str] = [
        "strace",
        "-f",
        "-o",
        str(trace),
        *paths,
        "-P",
        str(directory),
        "-e",
        f"inject={call}:error={error}:when={at}",
    ]
    child = [sys.executable, "-m", "tests.faults.store_faults", "--live", str(path)]
    done = subprocess.run(command + child, capture_output=True, text=True, check=False)
    promised = int(done.stdout.split()[-1]) if done.stdout.split() else 0
    return "(INJECTED)" in trace.read_text(errors="replace"), done.returncode, promised, stored(path)


def main(calls: tuple[str, ...], error: str) -> int:
    """Strike each call at each place; 1 where anything committed was lost."""
    if shutil.which("strace") is None:
        sys.stderr.write("strace is needed: apt-get install strace\n")
        return 78
    worst = 0
    for call in calls:
        ends: Counter[int] = Counter()
        lost = unopened = at = 0
        while True:
            at += 1
            with tempfile.TemporaryDirectory() as place:
                struck, code, promised, kept = strike(Path(place), call, at, error)
            if not struck:
                break
            ends[code] += 1
            unopened += kept < 0
            lost += 0 <= kept < promised
        worst |= bool(lost or unopened)
        other = at - 1 - ends[0] - ends[75] - ends[78]
        print(
            f"{call:11} made {at - 1:3}  went on {ends[0]:3}  75: {ends[75]:3}  78: {ends[78]:3}  other: {other}",
            end="",
        )
        print(f"  lost {lost}  unopened {unopened}", flush=True)
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--live", type=Path)
    parser.add_argument("--error", default="EIO")
    parser.add_argument("calls", nargs="*", default=CALLS)
    options = parser.parse_args()
    sys.exit(live(options.live) if options.live else main(tuple(options.calls), options.error))
