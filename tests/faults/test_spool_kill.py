from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from appliance.unit.outbox.spool import Spool

KILLS = 60

WRITER = """
import os, sys
from pathlib import Path
from appliance.unit.outbox.spool import Spool
spool = Spool(Path(sys.argv[1]), 100_000)
number = int(sys.argv[2])
while True:
    batch = [b"%08d" % n for n in range(number, number + 1 + number % 7)]
    spool.append(batch)
    number += len(batch)
    os.write(1, b"%08d\\n" % number)  # everything below is promised
    if number % 5 == 0:
        head = spool.waiting(0, 40)
        os.write(1, b"s%07d\\n" % int(head[-1].envelope))  # may be settled from here on
        spool.settle(head[-1].serial + 1)
"""


def test_kill_at_any_instant_loses_nothing_and_tears_nothing(tmp_path: Path) -> None:
    """A writer killed sixty times at random instants loses no promised record, tears none, and keeps the order."""
    dice = random.Random(20)  # noqa: S311 - seeded on purpose
    promised, settled = 0, -1
    total = 0
    for _ in range(KILLS):
        waiting = [int(w.envelope) for w in _all(tmp_path)]
        start = max([promised, *(number + 1 for number in waiting)])
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(start)],
            stdout=subprocess.PIPE,
            env={**os.environ},
        )
        assert writer.stdout
        select.select([writer.stdout], [], [], 30)
        deadline = time.monotonic() + dice.uniform(0, 0.03)
        while time.monotonic() < deadline:  # a busy wait hits finer instants than a timer does
            pass
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout.read().split(b"\n"):
            if line.startswith(b"s") and len(line) == 8:
                settled = max(settled, int(line[1:]))
            elif len(line) == 8:
                promised = int(line)
        writer.wait()
        writer.stdout.close()
        waiting = [int(w.envelope) for w in _all(tmp_path)]
        assert waiting == sorted(set(waiting))
        missing = set(range(settled + 1, promised)) - set(waiting)
        assert not missing, f"lost {sorted(missing)[:5]}…"
        total += 1
    assert total == KILLS
    assert promised > KILLS
    assert Spool(tmp_path, 100_000).dropped == 0


def _all(directory: Path) -> tuple[object, ...]:
    spool = Spool(directory, 100_000)
    try:
        return spool.waiting(0, 1_000_000)
    finally:
        spool.close()
