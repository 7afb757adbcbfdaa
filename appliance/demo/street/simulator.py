"""The simulated street of the demo: a process that is several units at once, each a real signing MQTT client.

Invariants:
    * Everything it says is labelled simulated: in the register, in every heartbeat, hence on every screen.
    * Nothing is backdated to deceive: the people of the first burst are those of the simulated street's last
      twenty hours, delivered late as after a long outage; whoever passes after it is seen now.
    * Seeded: the same seed gives the same people in the same order.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError, Unavailable
from appliance.base.systemd import log, stop_requested
from appliance.demo.street.outfits import WHIMSICAL_SHARE, Passer, Season, bustle, ordinary, whimsical
from appliance.demo.street.simulated_unit import SimulatedUnit
from appliance.enrol import UnitHome
from appliance.mqtt import Link, Will
from appliance.protocol import topics
from appliance.protocol.sign import Sealer
from appliance.protocol.values import Seconds
from appliance.settings import config
from appliance.settings.config import UnitConfig
from appliance.settings.epoch import next_epoch
from appliance.unit.grid import slot
from appliance.unit.relay import Status

PAST_HOURS: Final = 20
"""How far back the street's past reaches; less than a day, so that the hub does not take it for a stuck link."""
IN_FLIGHT: Final = 100
FIRST_WHIMSY: Final = 12
"""The first person dressed unlike the others comes after about so many, so that a demo need not wait for luck."""
WHIMSY_EVERY: Final = 60
"""And then one in so many, give or take ``SPREAD``: more than a real street has."""
SPREAD: Final = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Somebody passes: who, and when (seconds since the Unix epoch)."""

    passer: Passer
    seen_at: Seconds


def yesterday(dice: random.Random, people: int, until: Seconds) -> tuple[Passing, ...]:
    """``people`` of the street's last twenty hours, in order, more of them in busy hours."""
    season = Season.of(time.localtime(until).tm_mon)
    hours = [until - 3600 * back for back in range(PAST_HOURS, 0, -1)]
    weights = [bustle(time.localtime(hour).tm_hour) for hour in hours]
    instants = sorted(start + dice.random() * 3600 for start in dice.choices(hours, weights, k=people))
    kinds = (whimsical if dice.random() < WHIMSICAL_SHARE else ordinary for _ in instants)
    return tuple(
        Passing(passer=kind(dice, season), seen_at=Seconds(instant))
        for kind, instant in zip(kinds, instants, strict=True)
    )


def passers_by(dice: random.Random, season: Season) -> Iterator[Passer]:
    """Everybody who passes from now on, without end."""
    until_whimsy = FIRST_WHIMSY
    while True:
        until_whimsy -= 1
        if until_whimsy > 0:
            yield ordinary(dice, season)
            continue
        yield whimsical(dice, season)
        until_whimsy = round(dice.uniform(1 - SPREAD, 1 + SPREAD) * WHIMSY_EVERY)


class StreetClient:
    """One simulated unit and its link: hands over in order, a bounded number at a time."""

    def __init__(self, settings: UnitConfig, home: UnitHome, now: Seconds) -> None:
        key = (home.credentials / "signing.key").read_bytes()
        self.unit = SimulatedUnit(
            unit=settings.unit,
            sealer=Sealer(private_key=key, booth=settings.booth),
            epoch=next_epoch(home.credentials),
            booted_at=Seconds(now - 3600 * (PAST_HOURS + 1)),
        )
        self._topic = topics.observation(settings.booth, settings.unit)
        self._status = topics.unit_status(settings.booth, settings.unit)
        will = Will(topic=self._status, payload=Status.payload("offline", 0, 0))
        self.link = Link(address=settings.broker, name=settings.unit, will=will)
        self._waiting: deque[bytes] = deque()
        self._under_way: set[int] = set()
        self._held: list[Passing] = []
        self._slot = slot(time.monotonic())

    def __len__(self) -> int:
        return len(self._waiting) + len(self._under_way)

    def saw(self, passing: Passing) -> None:
        """Seal what passed before, and queue it."""
        self._waiting.append(self.unit.seal(self.unit.observation(passing.passer.vector, passing.seen_at)))

    def sees(self, passing: Passing) -> None:
        """Hold what passes for the next slot of the grid, as a real unit does."""
        self._held.append(passing)

    def turn(self, now: Seconds) -> None:
        """Say who we are where that is due, hand over what fits, take acknowledgements in."""
        if self.link.connected_again():
            self.link.publish(self._status, Status.payload("online", 0, 0), retain=True)
            self._slot = -1
        if slot(time.monotonic()) != self._slot:
            self._slot = slot(time.monotonic())
            random.SystemRandom().shuffle(self._held)
            for passing in self._held:
                self.saw(passing)
            self._held.clear()
            self._waiting.append(self.unit.seal(self.unit.heartbeat(now)))
        self._under_way.difference_update(self.link.published())
        while self._waiting and len(self._under_way) < IN_FLIGHT and self.link.up:
            try:
                self._under_way.add(self.link.publish(self._topic, self._waiting[0]))
            except Unavailable as away:
                log(f"street: {away}", level=4)
                return
            self._waiting.popleft()

    def stop(self) -> None:
        """Say goodbye."""
        if self.link.up:
            self.link.publish(self._status, Status.payload("offline", 0, 0), retain=True)
        self.link.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much happens: ``past`` people at once, then ``per_second`` on average; ``seed`` decides who and when."""

    past: int
    per_second: float
    seed: int


def live(clients: Sequence[StreetClient], pace: Pace, stop: threading.Event) -> None:
    """Bring the past in, then let people pass until ``stop``."""
    dice = random.Random(pace.seed)  # noqa: S311 - a simulation, not a secret
    for client in clients:
        client.link.start()
    for passing in yesterday(dice, pace.past, Seconds(time.time())):
        dice.choice(clients).saw(passing)
    started = time.monotonic()
    while not stop.wait(0.01) and any(len(client) for client in clients):
        _turn(clients)
    log(f"street: {pace.past} people of the last {PAST_HOURS} h sent in {time.monotonic() - started:.1f} s")
    people = passers_by(dice, Season.of(time.localtime().tm_mon))
    next_at = time.monotonic()
    while not stop.is_set():
        while next_at <= time.monotonic():
            dice.choice(clients).sees(Passing(passer=next(people), seen_at=Seconds(time.time())))
            next_at += dice.expovariate(pace.per_second)
        _turn(clients)
        stop.wait(min(0.05, max(0.005, next_at - time.monotonic())))


def _turn(clients: Sequence[StreetClient]) -> None:
    now = Seconds(time.time())
    for client in clients:
        client.turn(now)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the street until SIGTERM: one ``--config unit.toml`` for each of its units."""
    parser = argparse.ArgumentParser(prog="street", description="The simulated street of `leftfield demo`.")
    parser.add_argument("--config", type=Path, action="append", required=True, metavar="UNIT.TOML")
    parser.add_argument(
        "--past", type=int, default=2000, help="people of the last hours (default %(default)s)"
    )
    parser.add_argument("--per-second", type=float, default=3.0, help="people a second (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    stop = stop_requested()
    try:
        clients = [
            StreetClient(config.unit_config(path), UnitHome(directory=path.parent), Seconds(time.time()))
            for path in given.config
        ]
        live(clients, Pace(past=given.past, per_second=given.per_second, seed=given.seed), stop)
    except LeftfieldError as error:
        log(f"street: {error}", level=3)
        return error.exit_code
    for client in clients:
        client.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
