"""Trouble for a booth of real processes: mosquitto, WATCH, RELAY, and a SENSE that is played.

Each scene runs for some seconds in namespaces of its own (mounts and network: nothing of it reaches the machine, and
nothing is left), is mended, and waits until all that was sealed is accounted for. A process that ends is started
again after a second, as systemd does; one that ends with 78 is not, and then the scene was not survived alone.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.protocol.values import AttributeVector
from appliance.unit.outbox.spool import Spool
from appliance.unit.pipe.record import record_of
from tests.faults.outcome import Outcome
from tests.faults.real_booth import RealBooth, until

RATE: Final = 4
PATIENCE: Final = 240.0
_ODD: Final = AttributeVector.of(top_colour="yellow", sleeves="short")
_SMALL_DISK: Final = "12m"


@dataclass(slots=True, kw_only=True)
class Stage:
    """A booth in trouble. ``used`` counts what else than the booth's own SENSE said was sealed."""

    booth: RealBooth
    dice: random.Random
    strikes: int = 0
    alone: bool = True
    on: bool = False
    """For trouble that is switched on and off."""

    def supervise(self) -> None:
        """Start again what has ended, but not what ended with 78."""
        for name, child in tuple(self.booth.running.items()):
            code = child.poll()
            if code is None:
                continue
            del self.booth.running[name]
            self.alone &= code != 78
            if code != 78:
                time.sleep(1.0)
                self.booth.start(name)

    def kill(self, name: str) -> None:
        """``kill -9``, and a start."""
        self.booth.stop(name, signal.SIGKILL)
        self.booth.start(name)

    def rules(self, *rules: str) -> None:
        """Replace the network's rules: packets of the broker's port that are let fall without a word."""
        made = "".join(f"add rule inet trouble away {rule} drop\n" for rule in rules)
        text = (
            "table inet trouble\ndelete table inet trouble\nadd table inet trouble\n"
            "add chain inet trouble away { type filter hook input priority 0; }\n" + made
        )
        subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)

    def fill(self, disk: Path) -> None:
        """Leave no byte on a disk."""
        with suppress(OSError), (disk / "ballast").open("ab", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def free(self, disk: Path) -> None:
        """Give the room back."""
        (disk / "ballast").unlink(missing_ok=True)


def _mounted(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK}", "tmpfs", str(path)], check=True)
    return path


def _read_only(path: Path, *, yes: bool) -> None:
    subprocess.run(["mount", "-o", f"remount,{'ro' if yes else 'rw'}", str(path)], check=True)


Strike = Callable[[Stage], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What strikes every ``pause`` seconds (between the two), and what mends it in the end."""

    name: str
    strike: Strike
    pause: tuple[float, float] = (1.0, 2.0)
    mend: Strike = lambda _: None
    disk: str = ""
    """What gets a small disk of its own: spool or hub."""


def _toggled(on: Strike, off: Strike) -> Strike:
    def strike(stage: Stage) -> None:
        stage.on = not stage.on
        (on if stage.on else off)(stage)

    return strike


def _port(stage: Stage, direction: str) -> str:
    return f"tcp {direction} {stage.booth.port}"


def _disk(stage: Stage) -> Path:
    return stage.booth.directory / "small"


def _wrong_clock(stage: Stage, ahead: int) -> None:
    """Statements of a unit whose wall clock is wrong; how long it runs it knows all the same."""
    for _ in range(3):
        envelope = stage.booth.envelope(stage.booth.sealed, ahead=ahead)
        with suppress(BlockingIOError):
            os.write(stage.booth.pipe_end, record_of(envelope))
            stage.booth.sealed += 1


def _clone(stage: Stage) -> None:
    """The same key says something else under numbers that were used: what a copied card does.

    Only what is admitted is used: of two statements that wait for the same slot of the grid, lot decides.
    """
    until(lambda: stage.booth.counted() >= stage.booth.sealed, "everything so far")
    first = max(0, stage.booth.sealed - 5)
    for number in range(first, stage.booth.sealed):
        with suppress(BlockingIOError):
            os.write(stage.booth.pipe_end, record_of(stage.booth.envelope(number, vector=_ODD)))
            stage.booth.cloned += 1


SCENES: Final = (
    Scene(name="RELAY `kill -9`", strike=lambda stage: stage.kill("relay")),
    Scene(name="broker `kill -9`", strike=lambda stage: stage.kill("broker"), pause=(0.5, 1.5)),
    Scene(name="WATCH `kill -9`", strike=lambda stage: stage.kill("hub"), pause=(1.0, 3.0)),
    Scene(
        name="network parted, both ways",
        strike=_toggled(
            lambda stage: stage.rules(_port(stage, "dport"), _port(stage, "sport")),
            lambda stage: stage.rules(),
        ),
        mend=lambda stage: stage.rules(),
        pause=(3.0, 8.0),
    ),
    Scene(
        name="link half open: nothing comes back",
        strike=_toggled(lambda stage: stage.rules(_port(stage, "sport")), lambda stage: stage.rules()),
        mend=lambda stage: stage.rules(),
        pause=(3.0, 8.0),
    ),
    Scene(
        name="unit's disk full",
        strike=_toggled(lambda stage: stage.fill(_disk(stage)), lambda stage: stage.free(_disk(stage))),
        mend=lambda stage: stage.free(_disk(stage)),
        pause=(3.0, 5.0),
        disk="spool",
    ),
    Scene(
        name="unit's disk read-only, RELAY started on it",
        strike=_toggled(
            lambda stage: _read_only(_disk(stage), yes=True) if _sealed_off(stage) else None,
            lambda stage: (_read_only(_disk(stage), yes=False), stage.booth.start("relay"))[0],
        ),
        mend=lambda stage: _read_only(_disk(stage), yes=False),
        pause=(2.0, 4.0),
        disk="spool",
    ),
    Scene(
        name="hub's disk full",
        strike=_toggled(lambda stage: stage.fill(_disk(stage)), lambda stage: stage.free(_disk(stage))),
        mend=lambda stage: stage.free(_disk(stage)),
        pause=(3.0, 5.0),
        disk="hub",
    ),
    Scene(name="unit's clock 200 s behind", strike=lambda stage: _wrong_clock(stage, -200)),
    Scene(name="unit's clock 2 h ahead", strike=lambda stage: _wrong_clock(stage, 7200)),
    Scene(name="card copied: other words under used numbers", strike=_clone),
)
"""Every scene, by the order of the table."""


def _sealed_off(stage: Stage) -> bool:
    """End RELAY in order, so that the disk can be made read-only."""
    if "relay" in stage.booth.running:
        stage.booth.stop("relay")
    return True


def play(scene: Scene, directory: Path, *, strikes: int, seed: int) -> Outcome:
    """Let the scene strike so often, mend it, wait until all is accounted for; the row."""
    if not scene.disk:
        return _played(scene, directory, strikes, seed)
    disk = _mounted(directory / "small")
    try:
        return _played(scene, directory, strikes, seed)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _played(scene: Scene, directory: Path, strikes: int, seed: int) -> Outcome:
    booth = RealBooth(directory, spool=directory / "small" / "spool" if scene.disk == "spool" else None,
                      database=directory / "small" / "hub.sqlite" if scene.disk == "hub" else None)  # fmt: skip
    stage = Stage(booth=booth, dice=random.Random(seed))  # noqa: S311 - seeded on purpose
    booth.start("broker", "hub", "relay")
    until(lambda: "broker connected" in booth.log("hub"), "the hub's link")
    until(lambda: "broker connected" in booth.log("relay"), "the unit's link")
    begun, said, due_at = time.monotonic(), 0, time.monotonic() + stage.dice.uniform(*scene.pause)
    while stage.strikes < strikes:
        now = time.monotonic()
        due = int((now - begun) * RATE) - said
        booth.say(due)
        said += due
        if now >= due_at:
            scene.strike(stage)
            stage.strikes += 1
            due_at = time.monotonic() + stage.dice.uniform(*scene.pause)
        stage.supervise()
        time.sleep(0.02)
    scene.mend(stage)
    return _settled(scene, stage)


def _settled(scene: Scene, stage: Stage) -> Outcome:
    booth, mended = stage.booth, time.monotonic()
    if "relay" not in booth.running:
        booth.start("relay")

    def accounted() -> bool:
        stage.supervise()
        refused = sum(booth.refused().values()) - booth.counted("repeated") - booth.cloned
        return booth.counted() + refused >= booth.sealed

    with suppress(AssertionError):
        until(accounted, "recovery", PATIENCE)
    seconds = time.monotonic() - mended
    time.sleep(2.0)  # for what comes twice, and for the last receipt
    for name in ("relay", "hub"):
        if name in booth.running:
            booth.stop(name)
    spool = Spool(booth.spool, 200_000)
    dropped, repeated, admitted = spool.dropped, booth.counted("repeated"), booth.counted()
    spool.close()
    refused, people = sum(booth.refused().values()) - repeated, _people(booth.database)
    booth.close()
    return Outcome(
        name=scene.name,
        strikes=stage.strikes,
        sealed=booth.sealed + booth.cloned,
        admitted=admitted,
        repeated=repeated,
        refused=refused,
        dropped=dropped,
        lost=max(0, booth.sealed + booth.cloned - admitted - refused - dropped) + max(0, admitted - people),
        doubled=max(0, people - admitted) + max(0, admitted - booth.sealed),
        alone=stage.alone,
        seconds=round(seconds, 1),
    )


def _people(database: Path) -> int:
    """How many people the hub's days hold: whoever was admitted, once."""
    with closing(sqlite3.connect(database)) as store:
        return int(
            store.execute("SELECT coalesce(sum(number), 0) FROM daily WHERE what = 'people'").fetchone()[0]
        )
