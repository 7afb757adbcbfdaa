"""A street corner in memory for the hub's tests: units that really sign, tablets, and a clock that is told."""

from __future__ import annotations

import json
import random
from bisect import bisect
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from appliance.hub.engine import BatchResult, HubEngine
from appliance.hub.messages import IncomingMessage
from appliance.hub.storage.state import HubState
from appliance.hub.storage.store import Store
from appliance.protocol import topics
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.sign import Sealer, public_key_of
from appliance.protocol.values import (
    TIME_STEP,
    UNKNOWN,
    AttributeVector,
    BoothId,
    Epoch,
    Heartbeat,
    Observation,
    PhenomenonTime,
    Reading,
    Seconds,
    Seq,
    Steps,
    TabletId,
    UnitId,
)
from appliance.protocol.vocabulary import ATTRIBUTES, Confidence
from appliance.settings.config import BrokerAddress, EnrolledUnit, HubConfig, PacingConfig, Register

BOOTH = BoothId("corner")
NOON = Seconds(1_760_000_000.0)
NOWHERE = BrokerAddress(host="localhost", port=1, ca=Path(), certificate=Path(), key=Path())


def hub_config(
    *,
    warmup_people: int = 60,
    stock: int = 10_000,
    staff: int = 2,
    max_p: float = 0.02,
    collect: bool = False,
) -> HubConfig:
    return HubConfig(
        booth=BOOTH,
        broker=NOWHERE,
        register=Path("register.toml"),
        database=Path("hub.sqlite"),
        warmup_people=warmup_people,
        collect=collect,
        retention_seconds=Seconds(300.0),
        pacing=PacingConfig(
            stock=stock,
            staff=staff,
            service_seconds=Seconds(360.0),
            alert_seconds=Seconds(180.0),
            max_p=max_p,
        ),
    )


@dataclass
class Camera:
    """A unit that signs; ``epoch`` and ``seq`` move as they would on one."""

    name: str
    seed: int = 1
    epoch: int = 1
    seq: int = 0
    booted: float = NOON - 1000
    synced: bool = True
    sealer: Sealer = field(init=False)
    row: EnrolledUnit = field(init=False)

    def __post_init__(self) -> None:
        key = self.seed.to_bytes(32, "big")
        self.sealer = Sealer(private_key=key, booth=BOOTH)
        self.row = EnrolledUnit(
            unit=UnitId(self.name), public_key=public_key_of(key), place=f"{self.name} corner"
        )

    def seen(self, at: float) -> PhenomenonTime:
        """``at`` on the unit's clocks."""
        return PhenomenonTime(
            uptime=Steps(int(at - self.booted) // TIME_STEP),
            wall=Steps(int(at) // TIME_STEP) if self.synced else None,
        )

    def observation(self, vector: AttributeVector, at: float) -> bytes:
        """A sealed observation with the next number."""
        self.seq += 1
        return self.sealer.seal(
            Observation(
                unit=UnitId(self.name),
                epoch=Epoch(self.epoch),
                seq=Seq(self.seq - 1),
                seen=self.seen(at),
                vector=vector,
            )
        )

    def heartbeat(self, at: float, *, boxed: bool = True) -> bytes:
        """A sealed heartbeat with the next number."""
        self.seq += 1
        return self.sealer.seal(
            Heartbeat(
                unit=UnitId(self.name),
                epoch=Epoch(self.epoch),
                seq=Seq(self.seq - 1),
                seen=self.seen(at),
                health=Health(
                    state=UnitState.WATCHING,
                    source=SourceKind.CAMERA,
                    accelerator=Accelerator.CPU,
                    boxed=boxed,
                    fps=10,
                ),
            )
        )

    @property
    def topic(self) -> str:
        """Where it speaks."""
        return topics.observation(BOOTH, UnitId(self.name))

    def says(self, envelope: bytes, *, retained: bool = False) -> IncomingMessage:
        """``envelope`` as it arrives on the unit's own topic."""
        return IncomingMessage(untrusted_topic=self.topic, untrusted_payload=envelope, retained=retained)


def register_of(*cameras: Camera) -> Register:
    return Register(
        units=tuple(camera.row for camera in cameras), tablets=(TabletId("tablet-1"), TabletId("tablet-2"))
    )


def asks(tablet: str, leaf: str, correlation: bytes = b"c1", **body: Any) -> IncomingMessage:
    return IncomingMessage(
        untrusted_topic=topics.staff(BOOTH, TabletId(tablet), leaf),
        untrusted_payload=json.dumps({"v": 1, **body}).encode(),
        untrusted_correlation=correlation,
    )


def told(outcome: BatchResult, group: str) -> list[dict[str, Any]]:
    """What was told on topics of ``group`` (alert, staff; hub: the board); an empty payload is ``{}``."""
    return [
        json.loads(telling.payload or b"{}")
        for telling in outcome.outgoing
        if telling.topic.split("/")[3] == group
        and telling.topic.rsplit("/", 1)[-1] not in {"live", "trends", "lead", "acts", "setup"}
    ]


def new_booth(
    *cameras: Camera, stored: HubState | None = None, now: float = NOON, **config: Any
) -> HubEngine:
    return HubEngine(
        config=hub_config(**config),
        register=register_of(*cameras),
        stored=stored or HubState(),
        now=Seconds(now),
    )


def store_at(directory: Path) -> Store:
    return Store(directory / "hub.sqlite", BOOTH)


class Crowd:
    """Passers-by of a street with a taste of its own: outfits drawn from seeded shares, seen more or less well."""

    def __init__(self, seed: int = 7, *, sight: tuple[float, ...] = (0.4, 0.7, 0.95)) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a test's chance
        self._sight = sight
        taste = np.random.default_rng(seed)
        self.shares = [taste.dirichlet(np.full(len(one.levels), 0.6)).tolist() for one in ATTRIBUTES]
        self._sums = [list(accumulate(shares)) for shares in self.shares]

    def person(self, *, sight: float | None = None) -> AttributeVector:
        """The next passer-by; ``sight`` is the chance that an attribute can be told."""
        seen = self._chance.choice(self._sight) if sight is None else sight
        return AttributeVector(readings=tuple(self._reading(sums, seen) for sums in self._sums))

    def _reading(self, sums: list[float], seen: float) -> Reading:
        if self._chance.random() > seen:
            return UNKNOWN
        level = 1 + min(len(sums) - 1, bisect(sums, self._chance.random()))
        return Reading(level=level, confidence=Confidence(bisect((0.05, 0.2), self._chance.random())))


PLAIN = AttributeVector.of(
    top_colour="black", top_pattern="plain", bottom_colour="blue", bottom_pattern="plain", sleeves="long"
)
ODD = AttributeVector.of(
    top_colour="yellow",
    top_pattern="checked",
    bottom_colour="purple",
    bottom_pattern="striped",
    sleeves="short",
)


def teach(booth: HubEngine, camera: Camera, people: int = 400, now: float = NOON) -> BatchResult:
    """Let ``people`` in plain clothes pass, ten a second."""
    return booth.handle_batch(
        [camera.says(camera.observation(PLAIN, now)) for _ in range(people)], Seconds(now)
    )


def raised(booth: HubEngine, camera: Camera, now: float = NOON + 5) -> str:
    """The name of the alert that somebody in odd clothes causes."""
    outcome = booth.handle_batch([camera.says(camera.observation(ODD, now))], Seconds(now))
    (alert,) = told(outcome, "alert")
    assert alert["state"] == "raised"
    return str(alert["id"])
