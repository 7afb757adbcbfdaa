"""A link to the broker that reconnects, hands over, and loses nothing.

Invariants:
    * MQTT 5 over mutual TLS; QoS 1 everywhere; acknowledged by us, after
      what was received is safely stored, never by the library before.
    * Nothing of the library leaves this file, and no callback does more than fill a queue or note why there is no
      broker: an error in a callback would kill the library's network thread, and a lock in one would stop it.
"""

from __future__ import annotations

import ssl
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, LogLevel
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.base.errors import Unavailable, Unfit
from appliance.mqtt import failures
from appliance.mqtt.message import Message, Will
from appliance.mqtt.pulse import Pulse
from appliance.settings.config import BrokerAddress

SESSION_SECONDS: Final = 7 * 24 * 3600
"""How long the broker keeps a lasting session while we are away."""
KEEP_ALIVE_SECONDS: Final = 15
WAITING: Final = 1000
"""Messages received and not yet acknowledged: more the broker does not send; of QoS 0 more are let fall."""
_AGAIN_SECONDS: Final = (1, 10)
"""Between two attempts to connect, at least and at most."""
_TAKEN_OVER: Final = 0x8E
_TAKEN_OVER_SECONDS: Final = (20, 60)
"""The same after somebody connected under our name: two that throw each other out must not do it every second. A
broker that is started again and again looks the same, so that the longest wait is a minute."""
_SHORT_SECONDS: Final = 10.0
_SHORT_MOST: Final = 3
"""So many links in a row that were let in and ended within ``_SHORT_SECONDS``, from a broker that always answers, are
a session that is taken over: mosquitto 2.0.11 hangs up before it has said so."""
IN_FLIGHT: Final = 20
"""Publishes under way at once; mosquitto's own default (max_inflight_messages)."""


class Link:
    """A link to the broker under one name.

    ``lasting`` keeps the session (and what is sent to us meanwhile) over our restarts; ``name`` is proved by the
    certificate. Unfit where certificate files cannot be used.
    """

    def __init__(
        self,
        *,
        address: BrokerAddress,
        name: str,
        will: Will | None = None,
        lasting: bool = False,
        subscriptions: tuple[str, ...] = (),
    ) -> None:
        self._address = address
        self._lasting = lasting
        self._subscriptions = subscriptions
        self._received: SimpleQueue[Message] = SimpleQueue()
        self._published: SimpleQueue[int] = SimpleQueue()
        self._untaken: SimpleQueue[int] = SimpleQueue()
        self._up = False
        self._trouble: Unavailable | None = None
        self._answered = False
        self._denied = False
        self._connections = 0
        self._births: SimpleQueue[str] = SimpleQueue()
        self._pulse = Pulse()
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5, manual_ack=True
        )
        try:
            client.tls_set(
                ca_certs=str(address.ca),
                certfile=str(address.certificate),
                keyfile=str(address.key),
                tls_version=ssl.PROTOCOL_TLS_CLIENT,
            )
        except (OSError, ValueError) as error:
            raise Unfit(
                f"cannot use the TLS files: {error}",
                where=f"{address.ca}, {address.certificate}, {address.key}",
                fix="enrol again (leftfield enrol --help), and check who may read them",
            ) from None
        if will:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.max_inflight_messages_set(IN_FLIGHT)
        client.max_queued_messages_set(0)
        client.reconnect_delay_set(*_AGAIN_SECONDS)
        self._hold_off = self._short = 0
        self._up_since = 0.0
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_log = self._on_log
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        self._client = client

    def start(self) -> None:
        """Connect in the background, and again whenever the link is lost."""
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_SECONDS if self._lasting else 0
        properties.ReceiveMaximum = WAITING
        self._client.connect_async(
            self._address.host,
            self._address.port,
            keepalive=KEEP_ALIVE_SECONDS,
            clean_start=False if self._lasting else paho.MQTT_CLEAN_START_FIRST_ONLY,
            properties=properties,
        )
        before = set(threading.enumerate())
        self._client.loop_start()
        self._pulse.started(before)

    def stop(self) -> None:
        """Say goodbye (the will is not spoken) and end the background thread."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def up(self) -> bool:
        """True while the broker has accepted us and not been lost."""
        return self._up

    @property
    def alive(self) -> bool:
        """Whether the network thread lives; where it does not, only a new process brings the link back."""
        return self._pulse.lives(time.monotonic())

    @property
    def trouble(self) -> Unavailable | None:
        """Why there is no broker; None while there is one, and until the first attempt has failed."""
        return self._trouble

    @property
    def connections(self) -> int:
        """How often the broker has accepted us."""
        return self._connections

    def connected_again(self) -> bool:
        """True once after each successful connect: time to say what is retained again."""
        fresh = False
        while True:
            try:
                self._births.get_nowait()
            except Empty:
                return fresh
            fresh = True

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expires_after: int = 0,
        correlation: bytes = b"",
    ) -> int:
        """Hand over for QoS 1; the ticket appears in ``published`` when the broker has it.

        ``expires_after`` is in seconds, 0 for never. Unavailable where the library's queue does not take it.
        """
        properties = _properties(PacketTypes.PUBLISH)
        if expires_after:
            properties.MessageExpiryInterval = expires_after
        if correlation:
            properties.CorrelationData = correlation
        ticket = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if ticket.rc not in {paho.MQTT_ERR_SUCCESS, paho.MQTT_ERR_NO_CONN}:
            raise Unavailable(f"cannot publish to the broker: {paho.error_string(ticket.rc)}")
        return ticket.mid

    def published(self, *, wait: float = 0.0) -> tuple[int, ...]:
        """Tickets the broker has answered since the last call; waits up to ``wait`` seconds for the first."""
        return tuple(_drain(self._published, wait))

    def untaken(self) -> frozenset[int]:
        """Those among the answered tickets whose message went to nobody: no right for the topic, or no subscriber.

        Ask after ``published``: whatever it has given is told here already. (What is retained is kept all the same.)
        """
        return frozenset(_drain(self._untaken, 0.0))

    @property
    def denied(self) -> bool:
        """Whether the last of those was not taken because we have no right to its topic (not: nobody subscribes)."""
        return self._denied

    def messages(self, *, wait: float = 0.0, most: int = 1000) -> tuple[Message, ...]:
        """What has been received; waits up to ``wait`` seconds for the first, and gives at most ``most``."""
        return tuple(_drain(self._received, wait, most))

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that ``message`` is stored: only now it forgets it.

        With QoS 0 there is nothing to tell: an acknowledgement of what was never numbered is a protocol error, and
        the broker would throw us off.
        """
        if message.qos:
            self._client.ack(message.ticket, message.qos)

    def _on_connect(
        self, client: paho.Client, _user: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._answered = True
        if reason.is_failure:
            self._trouble = failures.not_let_in(str(reason), self._address)
            return
        self._trouble = None
        for topic in self._subscriptions:
            client.subscribe(topic, qos=1)
        self._connections += 1
        self._up_since = time.monotonic()
        self._up = True
        self._births.put("connected")

    def _on_connect_fail(self, *_: object) -> None:
        # The library calls this where it handles the error, and does not hand it over.
        self._pulse.beat()
        self._short = 0
        self._trouble = failures.not_connected(sys.exc_info()[1], self._address)

    def _on_log(self, _client: paho.Client, _user: Any, level: int, _text: str) -> None:
        self._pulse.beat()  # the library logs every packet, its pings too
        # A broker that refuses our certificate says so after TLS 1.3's handshake, which the library logs and forgets.
        error = sys.exc_info()[1]
        if level == LogLevel.MQTT_LOG_ERR and isinstance(error, ssl.SSLError):
            self._answered = True
            self._trouble = failures.refused_in_tls(error, self._address)

    def _on_disconnect(
        self, _client: paho.Client, _user: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        self._pulse.beat()
        if self._up:
            short = time.monotonic() - self._up_since < _SHORT_SECONDS
            self._short = self._short + 1 if short else 0
            taken_over = reason.value == _TAKEN_OVER or self._short >= _SHORT_MOST
            self._trouble = self._stand_back() if taken_over else failures.lost(str(reason), self._address)
        elif not self._answered:
            self._trouble = failures.hung_up(self._address)
        self._up = self._answered = False

    def _stand_back(self) -> Unavailable:
        """Wait for twice as long each time; a link that held for long enough starts again with the least."""
        least, most = _TAKEN_OVER_SECONDS
        held = time.monotonic() - self._up_since > 2 * most
        self._hold_off = least if held or not self._hold_off else min(most, 2 * self._hold_off)
        self._client.reconnect_delay_set(self._hold_off, most)
        return failures.taken_over(self._address, self._hold_off)

    def _on_message(self, _client: paho.Client, _user: Any, message: paho.MQTTMessage) -> None:
        if not message.qos and self._received.qsize() >= WAITING:
            return
        properties = message.properties
        self._received.put(
            Message(
                untrusted_topic=message.topic,
                untrusted_payload=bytes(message.payload),
                untrusted_response_topic=str(getattr(properties, "ResponseTopic", "")),
                untrusted_correlation=bytes(getattr(properties, "CorrelationData", b"")),
                retained=bool(message.retain),
                qos=message.qos,
                ticket=message.mid,
            )
        )

    def _on_publish(self, _client: paho.Client, _user: Any, mid: int, reason: Any, _properties: Any) -> None:
        # MQTT 5 section 3.4.2.1: 0x10 is "no matching subscribers"; 0x80 and above are failures.
        if reason.value:
            self._denied = bool(reason.is_failure)
            self._untaken.put(mid)
        self._published.put(mid)


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]


def _drain(queue: SimpleQueue[Any], wait: float, most: int = 1_000_000) -> list[Any]:
    taken: list[Any] = []
    try:
        taken.append(queue.get(timeout=wait) if wait > 0 else queue.get_nowait())
        while len(taken) < most:
            taken.append(queue.get_nowait())
    except Empty:
        pass
    return taken
