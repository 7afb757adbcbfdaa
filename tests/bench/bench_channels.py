"""What is left of the ways out of a sealed, taken-over SENSE: bits a second that an observer on the machine reads.

``python tests/bench/bench_channels.py``: the size of its memory in /proc/PID/statm, for an observer who may see /proc
of another account (no service of ours may: ``ProtectProc=invisible``).
"""

from __future__ import annotations

import mmap
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from appliance.unit.sandbox import stages  # noqa: E402  the path comes first
from appliance.unit.sandbox.plan import SealPlan  # noqa: E402

SECONDS = 2.0
LEVELS = 256


def child(outlet: int) -> None:
    """Seal, then hold as many pages as the next byte says, and one page more or less as a clock."""
    plan = SealPlan(outlet=outlet, readable=(0,))
    stages.seal_or_refuse(plan, stages.enclose(plan))
    os.write(outlet, b"g")
    secret = random.Random(3)  # noqa: S311 - to be recognised
    end, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        byte, number = secret.randrange(LEVELS), number + 1
        held = mmap.mmap(-1, mmap.PAGESIZE * (1 + byte + LEVELS * (number % 2)))
        time.sleep(50e-6)
        held.close()
    os._exit(0)


def main() -> None:
    """Print one line for each channel."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, __file__, "child", str(writing)],
        stdin=subprocess.PIPE,
        pass_fds=[writing],
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    os.read(reading, 1)
    seen, last = [], -1
    with Path(f"/proc/{process.pid}/statm").open("rb", buffering=0) as statm:
        while process.poll() is None:
            pages = int((os.pread(statm.fileno(), 64, 0).split() or [b"0"])[0])
            if pages != last:
                last = pages
                seen.append(pages)
    base = min((page for page in seen if page), default=0)
    got = [page - base - 1 for page in seen if page > base]
    # Bytes in order: how many of what was sent were seen, as a longest run of matches.
    secret = random.Random(3)  # noqa: S311 - to be recognised
    sent = [secret.randrange(LEVELS) for _ in range(200_000)]
    at = matched = 0
    for page in got:
        for step in range(8):
            if at + step < len(sent) and sent[at + step] == page % LEVELS:
                matched, at = matched + 1, at + step + 1
                break
    print(
        f"memory size: {matched * 8 / SECONDS / 1000:.1f} kbit/s read right ({matched} bytes in {SECONDS:g} s)"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(int(sys.argv[2]))
    else:
        main()
