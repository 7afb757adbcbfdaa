"""A day at the booth for the big screen: the hub's own mind, twelve hours in a moment, a street with its own taste.

Invariants: what is told is what the hub tells; only the clock is compressed.
"""

from __future__ import annotations

import random
import time
from bisect import bisect
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Any

from appliance.hub.messages import IncomingMessage, OutgoingMessage
from appliance.protocol.values import AttributeVector, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX
from tests.hub.corner import Camera, asks, new_booth, told
from tests.pages.stage import BOOTH

MINUTES = 12 * 60
_LATELY = 6
"""The last minutes are busier, so that the strip is full."""
_SHARES: dict[str, dict[str, float]] = {
    "top.colour": {
        "black": 34, "grey": 14, "white": 13, "red": 5, "orange": 1.5, "brown": 4,
        "yellow": 2, "green": 6, "blue": 15, "purple": 1.5, "pink": 2, "beige": 4,
    },
    "bottom.colour": {
        "black": 31, "grey": 12, "white": 3, "red": 1, "orange": 0.5, "brown": 4,
        "yellow": 0.5, "green": 3, "blue": 38, "purple": 0.5, "pink": 0.5, "beige": 6,
    },
    "top.pattern": {"plain": 82, "patterned": 2, "striped": 8, "checked": 5, "figured": 3},
    "bottom.pattern": {"plain": 95, "patterned": 2, "striped": 1, "checked": 1.5, "figured": 0.5},
    "lower.kind": {"trousers": 80, "shorts": 6, "skirt_or_dress": 14},
    "sleeves": {"long": 66, "short": 34},
    "outer": {"none": 50, "open": 28, "closed": 22},
    "feet.colour": {"dark": 60, "light": 30, "coloured": 10},
}  # fmt: skip


class Street:
    """Passers-by; the afternoon wears less black and more white, and fewer coats."""

    def __init__(self, seed: int = 7) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a test's chance

    def person(self, warmth: float) -> AttributeVector:
        """Somebody who passes when it is so warm, 0 to 1."""
        words: dict[str, Any] = {}
        for name, shares in _SHARES.items():
            if self._chance.random() < 0.12:
                continue
            weights = [self._warmed(name, word, share, warmth) for word, share in shares.items()]
            sums = list(accumulate(weights))
            place = bisect(sums, self._chance.random() * sums[-1])
            words[name.replace(".", "_")] = ATTRIBUTES[INDEX[name]].levels[min(place, len(sums) - 1)]
        return AttributeVector.of(**words)

    @staticmethod
    def _warmed(name: str, word: str, share: float, warmth: float) -> float:
        change = {
            ("top.colour", "black"): -0.45, ("top.colour", "white"): 1.2, ("top.colour", "red"): 0.6,
            ("outer", "closed"): -0.8, ("outer", "none"): 0.6, ("sleeves", "short"): 1.1,
            ("lower.kind", "shorts"): 1.4, ("bottom.colour", "blue"): -0.2, ("bottom.colour", "beige"): 1.0,
        }.get((name, word), 0.0)  # fmt: skip
        return share * (1.0 + change * warmth)


class Day:
    """A hub that watched for twelve hours until ``ends``; ``hub`` goes on."""

    def __init__(
        self,
        *,
        ends: float | None = None,
        per_minute: int = 12,
        minutes: int = MINUTES,
        names: tuple[str, ...] = ("north", "east"),
    ) -> None:
        self.ends = Seconds(float(int(ends or time.time())))
        self.cameras = [Camera(name, seed=at + 1, booted=self.ends - 90_000) for at, name in enumerate(names)]
        self.hub = new_booth(
            *self.cameras, now=self.ends - 60 * minutes, warmup_people=300, stock=40, staff=3, max_p=0.004
        )
        self._street = Street()
        self._chance = random.Random(3)  # noqa: S311 - a test's chance
        self._open: list[str] = []
        relays = [message for camera in self.cameras for message in [_online(camera)]]
        self.hub.handle_batch(relays, Seconds(self.ends - 60 * minutes))
        for minute in range(minutes):
            busy = per_minute * (5 if minutes - minute <= _LATELY else 1)
            self.pass_minute(self.ends - 60 * (minutes - minute), busy)

    def pass_minute(self, at: float, people: int) -> None:
        """A minute at the booth that begins at ``at``: people pass, alerts end."""
        warmth = max(0.0, min(1.0, (at - self.ends) / 21_600 + 1.0))
        batch = [
            camera.says(camera.observation(self._street.person(warmth), at + second))
            for second, camera in zip(range(0, 60, max(1, 60 // people)), self.cameras * people, strict=False)
        ]
        batch += [camera.says(camera.heartbeat(at + 55)) for camera in self.cameras]
        self._take(self.hub.handle_batch(batch, Seconds(at + 59)))

    def _take(self, result: Any) -> None:
        for alert in told(result, "alert"):
            if alert.get("state") == "raised":
                self._end(alert["id"])

    def _end(self, name: str) -> None:
        how = self._chance.choice(["gifted", "gifted", "gifted", "declined", "not_found", ""])
        now = Seconds(self.hub._now + 0.5)
        if how:
            self.hub.handle_batch([asks("tablet-1", "claim", alert=name)], now)
            self.hub.handle_batch(
                [asks("tablet-1", "outcome", alert=name, outcome=how, why=None)], Seconds(now + 0.2)
            )

    def retained(self, now: float | None = None) -> Iterator[OutgoingMessage]:
        """What the broker holds of it for the big screen."""
        for message in self.hub.retained(Seconds(now or self.ends)):
            if message.topic.rsplit("/", 1)[-1] in {"trends", "live"}:
                yield replace(message, topic=message.topic.replace("/corner/", f"/{BOOTH}/"))


def _online(camera: Camera) -> IncomingMessage:
    """A unit's RELAY says that it is there, and holds a little."""
    return IncomingMessage(
        untrusted_topic=camera.topic.replace("observation", "status"),
        untrusted_payload=b'{"v":1,"state":"online","spooled":3,"dropped":0}',
    )
