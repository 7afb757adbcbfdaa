"""What is lost, and how often each observation is sent, while broker, hub or link fail again and again.

``python -m tests.faults.broker_trouble KIND [--seconds 180] [--backlog 20000]`` prints one line:

* ``crash``: the broker is killed every second or two; the hub is stopped half of the time (starved)
* ``reset``: the link between RELAY and broker is cut every 15 seconds
* ``relay``: RELAY is restarted in order every three seconds
* ``kill``: RELAY is killed every two seconds or so (what it had handed over is then not in ``sends_each``)
* ``hubs``: the hub is away for the first half, the broker restarted meanwhile
"""

from __future__ import annotations

import argparse
import random
import re
import select
import signal
import socket
import struct
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.demo.places import free_port
from tests.faults.real_booth import PATIENCE, RealBooth, until

KINDS: Final = ("crash", "reset", "relay", "kill", "hubs")
RATE: Final = 4
"""Observations sealed in a second while the trouble lasts: what the hub admits of one unit for long."""


class Wire:
    """Connections from one port to another, all cut (RST) when asked."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                near.close()
                continue
            self._ends += [near, far]
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        try:
            while True:
                for end in select.select([near, far], [], [], 1.0)[0]:
                    chunk = end.recv(65536)
                    if not chunk:
                        return
                    other[end].sendall(chunk)
        except (OSError, ValueError):
            return
        finally:
            near.close()
            far.close()

    def cut(self) -> None:
        """Reset every connection."""
        ends, self._ends = self._ends, []
        for end in ends:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What came of it: ``sent`` is how often RELAY handed a record to the link."""

    kind: str
    troubles: int
    sealed: int
    admitted: int
    lost: int
    repeated: int
    refused: int
    sends_each: float
    seconds_to_recover: float


def trouble(
    directory: Path, kind: str, *, seconds: float, backlog: int, seed: int, every: float = 0.0
) -> Toll:
    """Let it happen for ``seconds``, then let it recover, and count."""
    port = free_port(set())
    wire = Wire(port) if kind == "reset" else None
    booth = RealBooth(directory, via=wire.port if wire else None, port=port)
    dice, count = random.Random(seed), 0  # noqa: S311 - seeded on purpose
    if backlog:
        booth.spooled(backlog)
    booth.start("broker", "hub", "relay")
    until(lambda: "broker connected" in booth.log("hub"), "the hub's link")
    until(lambda: "broker connected" in booth.log("relay"), "the unit's link")
    begun = time.monotonic()
    said, next_at = 0, begun + (every or _pause(kind, dice))
    if kind == "hubs":
        booth.stop("hub")
    while (now := time.monotonic()) < begun + seconds:
        due = int((now - begun) * RATE) - said
        if due > 0:
            booth.say(due)
            said += due
        if now >= next_at:
            count += 1
            _strike(booth, wire, kind, count)
            next_at = time.monotonic() + (every or _pause(kind, dice))
        time.sleep(0.02)
    return _recover(booth, wire, kind, count)


def _pause(kind: str, dice: random.Random) -> float:
    return {
        "crash": dice.uniform(0.5, 2.0),
        "reset": 15.0,
        "relay": 3.0,
        "kill": dice.uniform(1.0, 3.0),
        "hubs": 5.0,
    }[kind]


def _strike(booth: RealBooth, wire: Wire | None, kind: str, count: int) -> None:
    if wire:
        wire.cut()
    elif kind in {"relay", "kill"}:
        booth.stop("relay", signal.SIGTERM if kind == "relay" else signal.SIGKILL)
        booth.start("relay")
    else:
        booth.stop("broker", signal.SIGKILL)
        if kind == "crash":
            booth.running["hub"].send_signal(signal.SIGSTOP if count % 2 else signal.SIGCONT)
        booth.start("broker")


def _recover(booth: RealBooth, wire: Wire | None, kind: str, count: int) -> Toll:
    if kind == "hubs":
        booth.start("hub")
    else:
        booth.running["hub"].send_signal(signal.SIGCONT)
    begun = time.monotonic()
    until(
        lambda: booth.counted() >= booth.sealed or time.monotonic() > begun + 5 * PATIENCE, "recovery", 1000
    )
    took = time.monotonic() - begun
    time.sleep(2.0)  # for the last receipt
    booth.stop("relay")
    booth.stop("hub")
    sent = sum(int(one) for one in re.findall(r"handed over (\d+)", booth.log("relay")))
    admitted, repeated = booth.counted(), booth.counted("repeated")
    refused = sum(booth.refused().values()) - repeated
    booth.close()
    if wire:
        wire.close()
    return Toll(
        kind=kind,
        troubles=count,
        sealed=booth.sealed,
        admitted=admitted,
        lost=booth.sealed - admitted,
        repeated=repeated,
        refused=refused,
        sends_each=round(sent / booth.sealed, 3),
        seconds_to_recover=round(took, 1),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--backlog", type=int, default=0)
    parser.add_argument("--every", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(
            trouble(
                Path(place), options.kind, seconds=options.seconds, backlog=options.backlog, seed=options.seed,
                every=options.every,
            )
        )  # fmt: skip
