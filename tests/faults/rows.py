"""The rows of the fault matrix: scenes of a whole booth, and programs that break one part at each place."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.demo.places import free_port
from appliance.protocol import wire
from appliance.unit.pipe.record import PipeReader
from tests.faults import broker_trouble, relay_kills, spool_faults, store_faults
from tests.faults.outcome import Outcome
from tests.faults.real_booth import until
from tests.faults.scenes import SCENES, Scene, play

STORE_CALLS: Final = ("openat", "pread64", "pwrite64", "fdatasync", "ftruncate", "unlink")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: its name, how often it strikes in ``make faults`` and in a quick sample, and what runs it.

    ``root``: it needs mounts and rules of its own network, which only root may make.
    """

    name: str
    strikes: int
    quick: int
    run: Callable[[Path, int, int], Outcome]
    root: bool = False


def _scene(scene: Scene, strikes: int, quick: int) -> Row:
    def run(place: Path, count: int, seed: int) -> Outcome:
        return play(scene, place, strikes=count, seed=seed)

    return Row(name=scene.name, strikes=strikes, quick=quick, run=run, root=True)


def _pipe_kills(place: Path, strikes: int, seed: int) -> Outcome:
    toll = relay_kills.kill_relay(place, strikes, seed)
    return Outcome(
        name="", strikes=toll.kills, sealed=toll.sealed, admitted=toll.sealed - toll.lost, lost=toll.lost,
        doubled=toll.doubled,
    )  # fmt: skip


_WRITER: Final = """
import sys, time
from appliance.protocol.sign import Sealer
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.values import AttributeVector, BoothId, Epoch, PhenomenonTime, Steps, UnitId
from appliance.unit.pipe.writer import PipeWriter
import os
pipe = int(sys.argv[1])
writer = PipeWriter(sealer=Sealer(private_key=bytes(range(32)), booth=BoothId("b")), unit=UnitId("north"),
                    epoch=Epoch(int(sys.argv[2])), write=lambda record: os.write(pipe, record), now=0.0)
at = 0.0
while True:
    at += 5.0
    seen = PhenomenonTime(uptime=Steps(1), wall=None)
    health = Health(state=UnitState(0), source=SourceKind(0), accelerator=Accelerator(0), boxed=True, fps=9)
    for _ in range(20):
        writer.observe(AttributeVector.of(top_colour="red"), seen, due=at)
    writer.leave(at, health, seen)
"""


def _sense_kills(place: Path, strikes: int, seed: int) -> Outcome:
    """SENSE's own end of the pipe, sealing as fast as it can: of what reached the pipe nothing is torn or missing."""
    del place
    dice, sealed, lost, doubled = random.Random(seed), 0, 0, 0  # noqa: S311 - seeded on purpose
    for epoch in range(1, strikes + 1):
        reader, end = os.pipe()
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(end), str(epoch)], pass_fds=[end]) as sense:
            os.close(end)
            stream = os.read(reader, 128)
            until_at = time.perf_counter() + dice.uniform(0, 0.02)
            while time.perf_counter() < until_at:
                stream += os.read(reader, dice.randrange(1, 4096))
            sense.send_signal(signal.SIGKILL)
            while piece := os.read(reader, 65_536):
                stream += piece
        os.close(reader)
        found, done = PipeReader().envelopes_in(stream)
        numbers = Counter(wire.number_in(one)[1] for one in found)
        sealed += len(numbers)
        lost += max(numbers, default=-1) + 1 - len(numbers) + (len(stream) != done)
        doubled += numbers.total() - len(numbers)
    return Outcome(
        name="", strikes=strikes, sealed=sealed + lost, admitted=sealed, lost=lost, doubled=doubled
    )


def _page_kills(place: Path, strikes: int, seed: int) -> Outcome:
    """The page server holds nothing: after each kill and start it answers again."""
    del place, seed
    port, slowest, answered = free_port(set()), 0.0, 0
    command = [sys.executable, "-m", "appliance.cli", "pages", "--host", "127.0.0.1", "--port", str(port),
               "--booth", "corner"]  # fmt: skip

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/tablet", timeout=5) as page:
                return bool(page.status == 200)
        except OSError:
            return False

    for _ in range(strikes):
        begun = time.monotonic()
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
            until(answers, "the page")
            slowest, answered = max(slowest, time.monotonic() - begun), answered + 1
            server.send_signal(signal.SIGKILL)
    return Outcome(name="", strikes=strikes, sealed=strikes, admitted=answered, seconds=round(slowest, 1))


def _spool_calls(place: Path, strikes: int, seed: int) -> Outcome:
    """``strikes`` of the kinds of call, each at each place, once, thrice and until mended."""
    del seed
    lives = [
        life
        for name in spool_faults.CALLS[:strikes]
        for times in (1, 3, spool_faults.STUCK)
        for life in spool_faults.each_place(place, name, times)
    ]
    sealed, lost = sum(len(one.sealed) for one in lives), 0
    for one in lives:
        lost += len(set(one.sealed) - set(one.delivered))
    repeated = sum(one.delivered.total() - len(one.delivered) for one in lives)
    return Outcome(
        name="", strikes=len(lives), sealed=sealed, admitted=sealed - lost, repeated=repeated, lost=lost
    )


def _store_calls(place: Path, strikes: int, seed: int) -> Outcome:
    """``strikes`` of the kinds of call on the hub's database, each failing once at each place."""
    del place, seed
    struck = promised = kept = 0
    alone = True
    for call in STORE_CALLS[:strikes]:
        at = 0
        while True:
            at += 1
            with tempfile.TemporaryDirectory() as folder:
                reached, code, said, stored = store_faults.strike(Path(folder), call, at, "EIO")
            if not reached:
                break
            struck, promised, kept = struck + 1, promised + said, kept + min(said, stored)
            alone &= code != 78 and stored >= 0
    return Outcome(name="", strikes=struck, sealed=promised, admitted=kept, lost=promised - kept, alone=alone)


def _trouble(kind: str, backlog: int, every: float) -> Callable[[Path, int, int], Outcome]:
    def run(place: Path, strikes: int, seed: int) -> Outcome:
        toll = broker_trouble.trouble(
            place, kind, seconds=strikes * every, backlog=min(backlog, 100 * strikes), seed=seed, every=every
        )
        return Outcome(
            name="", strikes=toll.troubles, sealed=toll.sealed, admitted=toll.admitted, repeated=toll.repeated,
            refused=toll.refused, lost=toll.lost - toll.refused, seconds=toll.seconds_to_recover,
        )  # fmt: skip

    return run


_OFTEN: Final = {"RELAY `kill -9`": 150, "broker `kill -9`": 150, "WATCH `kill -9`": 150}
ROWS: Final = (
    Row(name="SENSE's end of the pipe `kill -9`", strikes=150, quick=3, run=_sense_kills),
    Row(name="RELAY `kill -9` while it reads the pipe", strikes=150, quick=3, run=_pipe_kills),
    *(_scene(one, _OFTEN.get(one.name, 12), 2) for one in SCENES),
    Row(name="page server `kill -9`", strikes=150, quick=1, run=_page_kills),
    Row(name="outbox: each system call fails, at each place", strikes=11, quick=1, run=_spool_calls),
    Row(name="database: each system call fails, at each place", strikes=6, quick=0, run=_store_calls),
    Row(name="broker killed, hub stopped half of the time", strikes=60, quick=2,
        run=_trouble("crash", 6000, 1.5)),
    Row(name="link reset", strikes=30, quick=2, run=_trouble("reset", 3000, 2.0)),
    Row(name="hub away, broker killed meanwhile", strikes=10, quick=2, run=_trouble("hubs", 4000, 4.0)),
)  # fmt: skip


def run_row(name: str, strikes: int, seed: int) -> Outcome:
    """One row, in a directory of its own."""
    row = next(one for one in ROWS if one.name == name)
    with tempfile.TemporaryDirectory() as place:
        told = row.run(Path(place), strikes, seed)
    return Outcome(**{**told.json(), "name": name})


def run_apart(row: Row, strikes: int, seed: int) -> Outcome:
    """One row in a process, and where it needs them in namespaces, of its own. OSError where it gave no row."""
    apart = ["unshare", "--net", "--mount", "--"] if row.root else []
    command = [*apart, sys.executable, "-m", "tests.faults", "--inside", row.name, "--strikes", str(strikes)]
    done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{row.name}: {done.stderr.strip()[-2000:]}")
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))
