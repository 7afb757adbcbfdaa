"""The world in memory: street, people, signing units, a broker without a network, the hub's mind, and a clock.

Invariants:
    * Seeded and clockless: the same seed and the same calls give the same world.
    * Units sign for real, the door is the real one; only the network and the disk are left out.
    * An attack is a method that makes what an attacker would send and delivers it; it gives the door's refusal.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.base.errors import Refused
from appliance.demo.street.outfits import Season, ordinary, whimsical
from appliance.demo.street.simulated_unit import SimulatedUnit
from appliance.hub.engine import BatchResult, HubEngine, IncomingMessage
from appliance.hub.storage.state import HubState
from appliance.protocol import sign, topics, wire
from appliance.protocol.sign import Sealer
from appliance.protocol.values import AttributeVector, BoothId, Epoch, Seconds, TabletId, UnitId
from appliance.settings.config import BrokerAddress, EnrolledUnit, HubConfig, PacingConfig, Register

NOON = Seconds(1_760_000_000.0)
_NOWHERE = BrokerAddress(host="localhost", port=1, ca=Path(), certificate=Path(), key=Path())


class Broker:
    """Topics in memory: what is retained, and everything that was ever published, in order."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.published: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """As MQTT 5 section 3.3.1.3: an empty retained payload clears."""
        self.published.append((topic, payload))
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)


class Corner(SimulatedUnit):
    """A unit of the street and the row by which the booth knows it."""

    def __init__(
        self, name: str, key: bytes, booth: BoothId, *, epoch: int = 1, booted_at: float = NOON
    ) -> None:
        super().__init__(
            unit=UnitId(name),
            sealer=Sealer(private_key=key, booth=booth),
            epoch=Epoch(epoch),
            booted_at=Seconds(booted_at - 3600),
        )
        self.key = key
        self.row = EnrolledUnit(unit=UnitId(name), public_key=sign.public_key_of(key), place=f"{name} corner")


class Street:
    """A booth with ``corners``, one tablet, and nobody in the street yet."""

    def __init__(
        self,
        seed: int = 1,
        *,
        corners: tuple[str, ...] = ("north", "south"),
        warmup_people: int = 60,
        max_p: float = 0.02,
    ) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - seeded on purpose
        self.now = NOON
        self.booth_id = BoothId("corner")
        self.broker = Broker()
        self.season = Season.COLD
        self.corners = {name: self._corner(name) for name in corners}
        self.config = HubConfig(
            booth=self.booth_id,
            broker=_NOWHERE,
            register=Path("register.toml"),
            database=Path("hub.sqlite"),
            warmup_people=warmup_people,
            retention_seconds=Seconds(300.0),
            pacing=PacingConfig(
                stock=10_000,
                staff=4,
                service_seconds=Seconds(60.0),
                alert_seconds=Seconds(180.0),
                max_p=max_p,
            ),
        )
        self.booth = HubEngine(config=self.config, register=self.register, stored=HubState(), now=self.now)
        self.people = 0

    def _corner(self, name: str) -> Corner:
        return Corner(name, self.dice.randbytes(32), self.booth_id)

    @property
    def register(self) -> Register:
        """Who may speak."""
        return Register(
            units=tuple(corner.row for corner in self.corners.values()), tablets=(TabletId("tablet-1"),)
        )

    @property
    def any_corner(self) -> Corner:
        """The first corner."""
        return next(iter(self.corners.values()))

    # The ordinary life of the street

    def wait(self, seconds: float) -> None:
        """Time passes; the hub may let alerts expire and say its board."""
        self.now = Seconds(self.now + seconds)
        self._settle(self.booth.handle_batch((), self.now))

    def deliver(
        self, topic: str, payload: bytes, *, retained: bool = False, correlation: bytes = b""
    ) -> Refused | None:
        """The hub gets one message; its refusal, or None where it took it."""
        arrival = IncomingMessage(
            untrusted_topic=topic,
            untrusted_payload=payload,
            untrusted_correlation=correlation,
            retained=retained,
        )
        outcome = self.booth.handle_batch((arrival,), self.now)
        self._settle(outcome)
        return outcome.refusals[0] if outcome.refusals else None

    def _settle(self, outcome: BatchResult) -> None:
        for telling in outcome.outgoing:
            self.broker.publish(telling.topic, telling.payload, retain=telling.retain)

    def topic(self, corner: Corner) -> str:
        """Where a corner speaks."""
        return topics.observation(self.booth_id, corner.unit)

    def sighting(self, vector: AttributeVector | None = None, *, corner: Corner | None = None) -> bytes:
        """The sealed observation of somebody who passes now; not yet delivered."""
        unit = corner or self.any_corner
        return unit.seal(unit.observation(vector or ordinary(self.dice, self.season).vector, self.now))

    def passes(
        self, vector: AttributeVector | None = None, *, corner: Corner | None = None
    ) -> Refused | None:
        """Somebody passes, and the hub hears of it."""
        unit = corner or self.dice.choice(tuple(self.corners.values()))
        self.people += 1
        return self.deliver(self.topic(unit), self.sighting(vector, corner=unit))

    def crowd(self, count: int, *, every: float = 2.0) -> None:
        """``count`` people dressed like the others pass, one every ``every`` seconds."""
        for _ in range(count):
            self.wait(every)
            assert self.passes() is None

    def whimsical(self) -> AttributeVector:
        """What somebody wears who is dressed unlike the others."""
        return whimsical(self.dice, self.season).vector

    # What staff see and do

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts a tablet sees now."""
        prefix = topics.alert(self.booth_id, "")  # type: ignore[arg-type]
        return [
            json.loads(payload) for topic, payload in self.broker.retained.items() if topic.startswith(prefix)
        ]

    def board(self) -> dict[str, Any]:
        """The board as the tablets see it now."""
        self.wait(2.0)
        found: dict[str, Any] = json.loads(self.broker.retained[topics.board(self.booth_id)])
        return found

    def asks(self, leaf: str, **request: Any) -> dict[str, Any]:
        """The tablet asks; the hub's answer."""
        tablet = TabletId("tablet-1")
        payload = json.dumps({"v": 1, **request}).encode()
        self.deliver(topics.staff(self.booth_id, tablet, leaf), payload, correlation=b"1")
        answers = [
            payload
            for topic, payload in self.broker.published
            if topic == topics.staff(self.booth_id, tablet, "answer")
        ]
        found: dict[str, Any] = json.loads(answers[-1])
        return found

    # Attacks. Each gives the refusal, or None where the door let it in.

    def forge(self) -> Refused | None:
        """A statement of an enrolled unit with a signature by another key."""
        parts = wire.untrusted_parts(self.sighting())
        forged = wire.envelope_of(
            protected=parts.untrusted_protected,
            payload=parts.untrusted_payload,
            signature=wire.untrusted_parts(self.sighting(corner=self._corner("thief"))).untrusted_signature,
        )
        return self.deliver(self.topic(self.any_corner), forged)

    def alter(self, at: int) -> Refused | None:
        """A good envelope with one bit of byte ``at`` flipped on its way."""
        envelope = bytearray(self.sighting())
        envelope[at % len(envelope)] ^= 1
        return self.deliver(self.topic(self.any_corner), bytes(envelope))

    def replay(self) -> Refused | None:
        """The same good envelope a second time, an hour later."""
        envelope = self.sighting()
        assert self.deliver(self.topic(self.any_corner), envelope) is None
        self.wait(3600.0)
        return self.deliver(self.topic(self.any_corner), envelope)

    def record(self) -> Refused | None:
        """A good envelope, never seen before, that somebody left retained on the topic."""
        return self.deliver(self.topic(self.any_corner), self.sighting(), retained=True)

    def roll_back(self) -> Refused | None:
        """A unit restored from an old copy: it counts from an epoch that is long closed."""
        key, name = self.any_corner.key, self.any_corner.unit
        for epoch in range(2, 35):
            newer = Corner(name, key, self.booth_id, epoch=epoch, booted_at=self.now)
            assert self.deliver(self.topic(newer), self.sighting(corner=newer)) is None
        return self.deliver(self.topic(self.any_corner), self.sighting())

    def from_other_booth(self) -> Refused | None:
        """The same unit's statement, sealed for another booth."""
        moved = Corner(self.any_corner.unit, self.any_corner.key, BoothId("elsewhere"))
        return self.deliver(self.topic(moved), self.sighting(corner=moved))

    def other_booths_topic(self) -> Refused | None:
        """A good envelope on a topic of another booth."""
        return self.deliver(topics.observation(BoothId("elsewhere"), self.any_corner.unit), self.sighting())

    def from_the_future(self, ahead: float = 3600.0) -> Refused | None:
        """A statement of something that is to be seen in an hour."""
        unit = self.any_corner
        # Its clock agrees with the hub's: from now on its uptime tells what it cannot have seen yet.
        assert self.deliver(self.topic(unit), self.sighting()) is None
        statement = unit.observation(ordinary(self.dice, self.season).vector, Seconds(self.now + ahead))
        return self.deliver(self.topic(unit), unit.seal(statement))

    def from_a_stranger(self) -> Refused | None:
        """A well-made statement by a unit that nobody enrolled."""
        stranger = self._corner("north")
        return self.deliver(self.topic(stranger), self.sighting(corner=stranger))

    def on_another_units_topic(self) -> Refused | None:
        """A good envelope of one unit on the topic of another."""
        first, second, *_ = self.corners.values()
        return self.deliver(self.topic(second), self.sighting(corner=first))

    def from_a_revoked_unit(self) -> Refused | None:
        """A good envelope of a unit that was put out."""
        unit = self.any_corner
        unit.row = replace(unit.row, revoked=True)
        self.booth.enrol(self.register)
        return self.deliver(self.topic(unit), self.sighting())

    def garbage(self, length: int = 100) -> Refused | None:
        """Bytes without a meaning."""
        return self.deliver(self.topic(self.any_corner), self.dice.randbytes(length))

    def too_long(self) -> Refused | None:
        """A good envelope with a picture behind it."""
        return self.deliver(self.topic(self.any_corner), self.sighting() + self.dice.randbytes(40_000))

    def sealed(self, payload: bytes) -> Refused | None:
        """Any payload, properly signed by an enrolled unit that has been taken over."""
        unit = self.any_corner
        protected = wire.protected_of(sign.key_id(unit.row.public_key))
        aad = sign.external_aad(self.booth_id)
        signature = sign.Ed25519PrivateKey.from_private_bytes(unit.key).sign(
            wire.to_be_signed(protected, aad, payload)
        )
        envelope = wire.envelope_of(protected=protected, payload=payload, signature=signature)
        return self.deliver(self.topic(unit), envelope)

    def smuggle(self) -> Refused | None:
        """A taken-over unit says a number that names no outfit: an escape from the vocabulary."""
        payload = bytearray(wire.untrusted_parts(self.sighting()).untrusted_payload)
        payload[-wire.vocabulary.CODE_BYTES :] = b"\xff" * wire.vocabulary.CODE_BYTES
        return self.sealed(bytes(payload))

    def other_version(self) -> Refused | None:
        """A taken-over unit speaks a vocabulary that this hub does not know."""
        payload = bytearray(wire.untrusted_parts(self.sighting()).untrusted_payload)
        payload[2] = 23
        return self.sealed(bytes(payload))
