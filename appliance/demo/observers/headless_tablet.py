"""A tablet without a screen: subscribes as the staff page does, counts what reaches it, and claims some of it.

Invariants:
    * It has a tablet's rights and no others: its own password, the staff listener, the staff topics.
    * What it receives is parsed defensively and only shown; callbacks do no more than fill a queue.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.protocol import topics
from appliance.protocol.values import AlertId, BoothId, TabletId

CLAIM_EVERY: Final = 3
"""Every third alert is claimed, so that both fates are to be seen."""
VISIT_SECONDS: Final = 8.0
"""How long after its claim a gift is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownUnit:
    """What the board says of one unit."""

    unit: str
    place: str
    link: str
    state: str
    source: str
    boxed: bool
    simulated: bool
    fps: int
    admitted: int
    refused: int
    missing: int
    heard: bool
    """Whether it has said yet how it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBoard:
    """What the board says, as far as the terminal shows it."""

    people: int
    flags: int
    weight: float
    ready: bool
    needs: int
    alerts_today: int
    gifted: int
    units: tuple[ShownUnit, ...]

    def row(self, unit: str) -> ShownUnit | None:
        """The row of ``unit``, or None."""
        return next((row for row in self.units if row.unit == unit), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAlert:
    """An alert as it reached the tablet: who raised it, and the words to say aloud."""

    alert: str
    unit: str
    place: str
    simulated: bool
    text: str
    seen_ago: int


class HeadlessTablet:
    """The tablet called ``name``, over WebSocket on this machine. ``alerts`` are the different ones seen raised.

    ``latest_at`` is when the last of them came, monotonic.
    """

    def __init__(self, *, booth: BoothId, name: TabletId, password: str, ws_port: int) -> None:
        self._booth = booth
        self._name = name
        self._inbox: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        self._port = ws_port
        self.alerts: dict[str, SeenAlert] = {}
        self.latest_at = 0.0
        self.claims = 0
        self._asked = 0
        self._visits: deque[tuple[float, str]] = deque()
        self.board: ShownBoard | None = None
        self.hub_online = False
        self._answer = topics.staff(booth, name, "answer")
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5, transport="websockets"
        )
        client.ws_set_options(path="/mqtt")
        client.username_pw_set(name, password)
        client.reconnect_delay_set(1, 2)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        self._client = client

    def start(self) -> None:
        """Connect in the background."""
        self._client.connect_async("127.0.0.1", self._port, keepalive=15)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()

    def turn(self, now: float) -> None:
        """Take in what has come, claim what is due, report what was handed over. ``now`` is monotonic."""
        while True:
            try:
                topic, untrusted = self._inbox.get_nowait()
            except Empty:
                break
            self._take(topic, untrusted, now)
        while self._visits and now - self._visits[0][0] >= VISIT_SECONDS:
            _, alert = self._visits.popleft()
            self._ask("outcome", {"v": 1, "alert": alert, "outcome": "gifted", "why": None})

    def _take(self, topic: str, untrusted: bytes, now: float) -> None:
        try:
            said = json.loads(untrusted) if untrusted else {}
        except ValueError:
            return
        if not isinstance(said, Mapping):
            return
        if topic == topics.hub_status(self._booth):
            self.hub_online = said.get("state") == "online"
        elif topic == topics.board(self._booth):
            self.board = _board(said) or self.board
        elif topic == self._answer:
            if said.get("ok") is True and said.get("state") == "claimed":
                self._visits.append((now, str(said.get("alert", ""))))
        elif said.get("state") == "raised":
            self._raised(said, now)

    def _raised(self, said: Mapping[str, Any], now: float) -> None:
        alert = _alert(said)
        if alert is None or alert.alert in self.alerts:
            return
        self.alerts[alert.alert] = alert
        self.latest_at = now
        if len(self.alerts) % CLAIM_EVERY == 1:
            self.claims += 1
            self._ask("claim", {"v": 1, "alert": alert.alert})

    def _ask(self, leaf: str, request: Mapping[str, object]) -> None:
        """Publish a request; the hub answers on our own topic, with the correlation we give."""
        self._asked += 1
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = self._answer
        properties.CorrelationData = self._asked.to_bytes(4, "big")
        payload = json.dumps(request).encode()
        self._client.publish(
            topics.staff(self._booth, self._name, leaf), payload, qos=1, properties=properties
        )

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        for topic in (
            topics.alert(self._booth, AlertId("+")),
            topics.board(self._booth),
            topics.hub_status(self._booth),
            self._answer,
        ):
            client.subscribe(topic, qos=1)

    def _on_message(self, _client: paho.Client, _user: object, message: paho.MQTTMessage) -> None:
        self._inbox.put((message.topic, bytes(message.payload)))


def _alert(said: Mapping[str, Any]) -> SeenAlert | None:
    """The alert in a message of the form ALERT, or None where it has not that form."""
    try:
        return SeenAlert(
            alert=str(said["id"]),
            unit=str(said["unit"]),
            place=str(said["place"]),
            simulated=bool(said["simulated"]),
            text=str(said["reasons"][0]["text"]),
            seen_ago=int(said["seen_ago"]),
        )
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _board(said: Mapping[str, Any]) -> ShownBoard | None:
    """The board in a message of the form BOARD, or None where it has not that form."""
    try:
        return ShownBoard(
            people=int(said["people"]["total"]),
            flags=int(said["flags_today"]),
            weight=float(said["baseline"]["weight"]),
            ready=bool(said["baseline"]["ready"]),
            needs=int(said["baseline"]["needs"]),
            alerts_today=int(said["alerts"]["today"]),
            gifted=int(said["alerts"]["gifted"]),
            units=tuple(_row(row) for row in said["units"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _row(said: Mapping[str, Any]) -> ShownUnit:
    return ShownUnit(
        unit=str(said["unit"]),
        place=str(said["place"]),
        link=str(said["link"]),
        state=str(said["state"]),
        source=str(said["source"]),
        boxed=bool(said["boxed"]),
        simulated=bool(said["simulated"]),
        fps=int(said["fps"]),
        admitted=int(said["admitted"]),
        refused=int(said["refused"]),
        missing=int(said["missing"]),
        heard=said["heard_ago"] is not None,
    )
