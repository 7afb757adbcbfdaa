"""The broker lets each say its words and hear its own news, and nothing else: real mosquitto, real connections."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Literal

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance import enrol
from appliance.base.errors import Unfit
from appliance.protocol import topics
from appliance.protocol.values import AlertId, BoothId, TabletId, UnitId
from appliance.settings.config import BrokerAddress

pytestmark = pytest.mark.broker

BOOTH = BoothId("test")
NORTH, SOUTH = UnitId("corner-north"), UnitId("corner-south")
ONE, TWO = TabletId("tablet-1"), TabletId("tablet-2")
SCREEN = TabletId("room-1")
LEAD = TabletId("lead")
LADDER = TabletId("ladder")
"""An installer's tablet."""
ANY_ALERT = topics.alert(BOOTH, AlertId("a1"))
WAIT_SECONDS = 20.0
NOT_AUTHORISED = 0x87


class Closed(Exception):
    """The broker did not let us in."""


class Peer:
    """One MQTT 5 client whose every step waits for the broker's answer."""

    def __init__(self, name: str, *, transport: Literal["tcp", "websockets"] = "tcp") -> None:
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5, transport=transport
        )
        self.heard: Queue[tuple[str, bytes]] = Queue()
        self.answers: Queue[int] = Queue()
        self.ended: Queue[int] = Queue()
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.answers.put(reason.value)
        self.client.on_publish = lambda _c, _u, _m, reason, _p: self.answers.put(reason.value)
        self.client.on_subscribe = lambda _c, _u, _m, reasons, _p: self.answers.put(reasons[0].value)
        self.client.on_disconnect = lambda _c, _u, _f, reason, _p: self.ended.put(reason.value)
        self.client.on_message = lambda _c, _u, message: self.heard.put(
            (message.topic, bytes(message.payload))
        )

    def connect(self, port: int, *, session_seconds: int = 0) -> Peer:
        """Connect, or Closed; ``session_seconds`` keeps what is sent to us while we are away."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = session_seconds
        try:
            self.client.connect("127.0.0.1", port, clean_start=not session_seconds, properties=properties)
        except (OSError, ssl.SSLError) as error:
            raise Closed(str(error)) from error
        self.client.loop_start()
        # TLS 1.3 tells a client that its certificate was refused only after its own handshake: by hanging up.
        code = self._first(self.answers, self.ended)
        if code:
            self.leave()
            raise Closed(f"reason {code:#x}")
        return self

    @staticmethod
    def _first(good: Queue[int], bad: Queue[int]) -> int:
        for _ in range(int(WAIT_SECONDS * 50)):
            for queue, otherwise in ((good, 0), (bad, 0x80)):
                try:
                    return queue.get(timeout=0.01) or otherwise
                except Empty:
                    continue
        raise TimeoutError

    def say(self, topic: str, payload: bytes = b"word", *, retain: bool = False) -> int:
        """Publish with QoS 1 and give the broker's reason code."""
        self.client.publish(topic, payload, qos=1, retain=retain)
        return self.answers.get(timeout=WAIT_SECONDS)

    def listen(self, topic: str) -> Peer:
        """Subscribe with QoS 1; the broker grants every subscription and judges each message."""
        self.client.subscribe(topic, options=SubscribeOptions(qos=1))
        self.answers.get(timeout=WAIT_SECONDS)
        return self

    def hear(self) -> tuple[str, bytes]:
        """The next message: topic and payload."""
        return self.heard.get(timeout=WAIT_SECONDS)

    def heard_until_now(self) -> list[tuple[str, bytes]]:
        """All that came before the broker's answer to a question asked now: it answers in order."""
        self.listen("leftfield/question")
        heard = []
        while not self.heard.empty():
            heard.append(self.heard.get())
        return heard

    def leave(self) -> None:
        """Say goodbye."""
        self.client.disconnect()
        self.client.loop_stop()


class World:
    """A booth with a real broker, and everybody's way in."""

    def __init__(self, directory: Path) -> None:
        ports = _free_ports(3)
        listeners = enrol.Listeners(
            mqtt_port=ports[0],
            mqtt_address="127.0.0.1",
            wss_port=ports[1],
            wss_address="127.0.0.1",
            ws_port=ports[2],
        )
        self.directory = directory
        self.booth = enrol.create_booth(directory / "booth", BOOTH, listeners=listeners)
        self.units = {unit: self.enrol(unit) for unit in (NORTH, SOUTH)}
        self.passwords = {tablet: enrol.add_tablet(self.booth, tablet) for tablet in (ONE, TWO)}
        self.passwords[LEAD] = enrol.add_tablet(self.booth, LEAD, lead=True)
        self.passwords[SCREEN] = enrol.add_tablet(self.booth, SCREEN, room=True)
        self.passwords[LADDER] = enrol.add_tablet(self.booth, LADDER, installer=True)
        self._peers: list[Peer] = []
        self.start()

    def enrol(self, unit: str, booth: enrol.BoothDirectory | None = None) -> BrokerAddress:
        """Let a unit in, as its own machine and the booth would; give its way to the broker."""
        home = enrol.UnitHome(
            directory=self.directory / (booth or self.booth).directory.name / f"home-{unit}"
        )
        return enrol.enrol_unit(booth or self.booth, home, unit, place=f"at {unit}")

    def start(self) -> None:
        """Start the broker and wait until it listens."""
        self.process = subprocess.Popen(
            [enrol.mosquitto(), "-c", self.booth.broker_config], stderr=subprocess.PIPE, text=True
        )
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._drain, args=(self.process.stderr, self._lines), daemon=True).start()
        self.startup = self._read_until("running")

    @staticmethod
    def _drain(stream: IO[str], lines: Queue[str]) -> None:
        with stream:
            for line in stream:
                lines.put(line)
        lines.put("the broker ended")

    def _read_until(self, word: str) -> list[str]:
        seen: list[str] = []
        while not seen or word not in seen[-1]:
            seen.append(self._lines.get(timeout=WAIT_SECONDS))
            assert "the broker ended" not in seen[-1], "".join(seen)
        return seen

    def reload(self) -> None:
        """What ``systemctl reload mosquitto`` does; what is asked after the broker says so is answered after it."""
        self.process.send_signal(signal.SIGHUP)
        self._read_until("Reloading config")

    def stop(self) -> None:
        """End the broker as systemd would."""
        self.process.terminate()
        self.process.wait(timeout=WAIT_SECONDS)

    def by_certificate(
        self, address: BrokerAddress, *, says: str = "anything", session_seconds: int = 0
    ) -> Peer:
        """A peer on the units' listener, with the certificate of ``address``, that calls itself ``says``."""
        peer = Peer(says)
        peer.client.tls_set(
            ca_certs=str(address.ca), certfile=str(address.certificate), keyfile=str(address.key)
        )
        return self._keep(peer.connect(self.booth.listeners.mqtt_port, session_seconds=session_seconds))

    def unit(self, unit: str, *, says: str = "anything") -> Peer:
        """A unit of this booth."""
        return self.by_certificate(self.units[UnitId(unit)], says=says)

    def hub(self, *, session_seconds: int = 0) -> Peer:
        """The hub of this booth."""
        return self.by_certificate(self.booth.hub_broker, says="hub", session_seconds=session_seconds)

    def by_password(self, name: str | None, password: str | None, *, tls: bool = False) -> Peer:
        """A peer on a tablets' listener."""
        peer = Peer("anything", transport="websockets")
        if tls:
            peer.client.tls_set(ca_certs=str(self.booth.ca))
        if name is not None:
            peer.client.username_pw_set(name, password)
        listeners = self.booth.listeners
        return self._keep(peer.connect(listeners.wss_port if tls else listeners.ws_port))

    def tablet(self, tablet: str, *, tls: bool = False) -> Peer:
        """A tablet of this booth."""
        return self.by_password(tablet, self.passwords[TabletId(tablet)], tls=tls)

    def _keep(self, peer: Peer) -> Peer:
        self._peers.append(peer)
        return peer

    def everybody_leaves(self) -> None:
        """Nobody stays for the next test."""
        while self._peers:
            self._peers.pop().leave()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def booth_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    try:
        enrol.mosquitto()
    except Unfit as lack:
        if os.environ.get("CI"):
            pytest.fail(str(lack))
        pytest.skip(str(lack))
    world = World(tmp_path_factory.mktemp("broker"))
    yield world
    world.stop()


@pytest.fixture
def world(booth_world: World) -> Iterator[World]:
    yield booth_world
    booth_world.everybody_leaves()


def test_a_units_own_words_reach_the_hub(world: World) -> None:
    """A unit writes its observation and its status, and the hub reads both."""
    hub = (
        world.hub()
        .listen(topics.observation(BOOTH, UnitId("+")))
        .listen(topics.unit_status(BOOTH, UnitId("+")))
    )
    unit = world.unit(NORTH)
    assert unit.say(topics.observation(BOOTH, NORTH), b"sealed") == 0
    assert unit.say(topics.unit_status(BOOTH, NORTH), b"online") == 0
    assert hub.hear() == (topics.observation(BOOTH, NORTH), b"sealed")
    assert hub.hear() == (topics.unit_status(BOOTH, NORTH), b"online")


@pytest.mark.parametrize(
    "topic",
    [
        topics.observation(BOOTH, SOUTH),
        topics.unit_status(BOOTH, SOUTH),
        topics.board(BOOTH),
        topics.hub_status(BOOTH),
        topics.prior(BOOTH),
        ANY_ALERT,
        *(topics.staff(BOOTH, ONE, leaf) for leaf in (*topics.STAFF_LEAVES, "answer")),
        topics.observation(BoothId("other"), NORTH),
        "leftfield/1/test/unit/corner-north/frame",
        "$SYS/broker/version",
        "anything",
    ],
)
def test_a_unit_says_nothing_else(world: World, topic: str) -> None:
    """A unit that publishes anywhere but on its own two topics is told that it may not, and nobody hears it."""
    hub = world.hub().listen("#")
    assert world.unit(NORTH).say(topic) == NOT_AUTHORISED
    assert hub.heard_until_now() == []


@pytest.mark.parametrize(
    "wanted", ["#", "$SYS/#", topics.observation(BOOTH, UnitId("+")), topics.board(BOOTH)]
)
def test_a_unit_hears_nothing(world: World, wanted: str) -> None:
    """Whatever a unit subscribes to, not the board, nor an alert, nor another unit's words are sent to it."""
    unit, tablet = world.unit(NORTH).listen(wanted), world.tablet(ONE).listen("#")
    world.unit(SOUTH).say(topics.observation(BOOTH, SOUTH))
    hub = world.hub()
    for topic in (topics.board(BOOTH), ANY_ALERT):
        hub.say(topic)
        assert tablet.hear() == (topic, b"word")
    assert unit.heard_until_now() == []


def test_a_unit_hears_the_prior_and_nobody_else_may_say_it(world: World) -> None:
    """What the hub says to its units reaches them, also later; a tablet neither hears nor says it."""
    hub, tablet = world.hub(), world.tablet(ONE).listen("#")
    hub.say(topics.prior(BOOTH), b"signed", retain=True)
    assert tablet.say(topics.prior(BOOTH), b"forged", retain=True) == NOT_AUTHORISED
    assert world.unit(NORTH).listen("#").hear() == (topics.prior(BOOTH), b"signed")
    assert tablet.heard_until_now() == []
    hub.say(topics.prior(BOOTH), b"", retain=True)


def test_a_unit_hears_its_own_receipts_and_whether_the_hub_is_there(world: World) -> None:
    """The hub's receipt reaches the unit it is for and no other; no unit can say one, not even its own."""
    hub, north, south = world.hub(), world.unit(NORTH), world.unit(SOUTH)
    for unit in (north, south):
        unit.listen(topics.receipt(BOOTH, NORTH)).listen(topics.hub_status(BOOTH))
    assert hub.say(topics.receipt(BOOTH, NORTH), b"have it", retain=True) in {0, 0x10}
    assert north.say(topics.receipt(BOOTH, NORTH), b"false") == NOT_AUTHORISED
    assert south.say(topics.receipt(BOOTH, NORTH), b"false") == NOT_AUTHORISED
    hub.say(topics.hub_status(BOOTH), b"online", retain=True)
    assert north.hear() == (topics.receipt(BOOTH, NORTH), b"have it")
    assert north.hear() == (topics.hub_status(BOOTH), b"online")
    assert south.hear() == (topics.hub_status(BOOTH), b"online")
    assert south.heard_until_now() == []
    for topic in (topics.receipt(BOOTH, NORTH), topics.hub_status(BOOTH)):
        hub.say(topic, b"", retain=True)


def test_stick_figures_reach_installers_alone(world: World) -> None:
    """A unit says its own figures; an installer's tablet hears them, and neither staff, screens nor the hub do."""
    figures = topics.aim(BOOTH, NORTH)
    unit, ladder = world.unit(NORTH), world.tablet(LADDER).listen(figures)
    deaf = [
        peer.listen(figures)
        for peer in (world.tablet(ONE), world.tablet(SCREEN), world.hub(), world.unit(SOUTH))
    ]
    assert unit.say(figures) == 0
    assert ladder.hear() == (figures, b"word")
    assert [peer.heard_until_now() for peer in deaf] == [[]] * len(deaf)
    for peer in (world.unit(SOUTH), ladder, world.tablet(ONE)):
        assert peer.say(figures) == NOT_AUTHORISED


def test_orders_are_the_hubs_and_go_to_one_unit(world: World) -> None:
    """The hub alone orders a unit, and it alone hears that; installers ask the hub, other staff may not."""
    order, asked = topics.setup(BOOTH, NORTH), topics.staff(BOOTH, LADDER, topics.SETUP_LEAF)
    hub, ladder = world.hub().listen(asked), world.tablet(LADDER).listen(topics.setups(BOOTH))
    unit, other, staff = (
        peer.listen(order) for peer in (world.unit(NORTH), world.unit(SOUTH), world.tablet(ONE))
    )
    assert hub.say(order) == 0
    assert unit.hear() == (order, b"word")
    assert other.heard_until_now() == staff.heard_until_now() == []
    for peer in (unit, ladder, staff):
        assert peer.say(order) == NOT_AUTHORISED
    assert ladder.say(asked) == hub.say(topics.setups(BOOTH)) == 0
    assert (hub.hear(), ladder.hear()) == ((asked, b"word"), (topics.setups(BOOTH), b"word"))
    assert staff.say(topics.staff(BOOTH, ONE, topics.SETUP_LEAF)) == NOT_AUTHORISED


def test_nobody_throws_the_hub_out(world: World) -> None:
    """A unit or tablet that calls itself hub is known by its own name, and the hub stays connected."""
    hub = world.hub().listen(topics.observation(BOOTH, NORTH))
    unit = world.unit(NORTH, says="hub")
    world.by_password(ONE, world.passwords[ONE])
    assert unit.say(topics.board(BOOTH)) == NOT_AUTHORISED
    assert unit.say(topics.observation(BOOTH, NORTH)) == 0
    assert hub.hear()[1] == b"word"
    assert hub.ended.empty()


def test_a_big_screen_hears_crowds_and_no_outfit(world: World) -> None:
    """A screen hears trends, the moment and the hub's status; no alert, no answer, no board (it has words)."""
    hub, screen = world.hub(), world.tablet(SCREEN).listen("#")
    for topic in (
        ANY_ALERT, topics.board(BOOTH), topics.pairing(BOOTH), topics.staff(BOOTH, SCREEN, "answer"),
        topics.staff(BOOTH, ONE, "answer"), topics.prior(BOOTH),
    ):  # fmt: skip
        hub.say(topic)
    assert screen.heard_until_now() == []
    for topic in (topics.trends(BOOTH), topics.live(BOOTH), topics.hub_status(BOOTH)):
        assert hub.say(topic) == 0
        assert screen.hear() == (topic, b"word")


@pytest.mark.parametrize(
    "topic",
    [
        *(topics.staff(BOOTH, SCREEN, leaf) for leaf in (*topics.STAFF_LEAVES, topics.PAIR_LEAF, "answer")),
        topics.trends(BOOTH),
        topics.live(BOOTH),
        topics.hub_status(BOOTH),
        ANY_ALERT,
    ],
)
def test_a_big_screen_says_nothing(world: World, topic: str) -> None:
    """Whatever a screen publishes, the broker refuses it."""
    assert world.tablet(SCREEN).say(topic) == NOT_AUTHORISED


def test_only_the_leads_tablet_hears_what_is_for_the_lead(world: World) -> None:
    """Counts by tablet and what is wrong reach the lead's tablet, and no other tablet or screen."""
    hub, lead = world.hub(), world.tablet(LEAD).listen(topics.lead(BOOTH))
    others = [world.tablet(name).listen("#") for name in (ONE, SCREEN)]
    assert hub.say(topics.lead(BOOTH)) == 0
    assert lead.hear() == (topics.lead(BOOTH), b"word")
    assert [other.heard_until_now() for other in others] == [[], []]
    assert world.tablet(TWO).say(topics.lead(BOOTH)) == NOT_AUTHORISED


@pytest.mark.parametrize("tls", [False, True])
def test_a_tablet_sees_alerts_and_is_answered(world: World, tls: bool) -> None:
    """A tablet reads alerts, board, hub status and its own answers; its three requests reach the hub."""
    hub, tablet = world.hub(), world.tablet(ONE, tls=tls).listen("leftfield/1/test/#")
    for topic in (
        ANY_ALERT,
        topics.board(BOOTH),
        topics.hub_status(BOOTH),
        topics.staff(BOOTH, ONE, "answer"),
    ):
        assert hub.say(topic) == 0
        assert tablet.hear() == (topic, b"word")
    for leaf in topics.STAFF_LEAVES:
        hub.listen(topics.staff(BOOTH, TabletId("+"), leaf))
        assert tablet.say(topics.staff(BOOTH, ONE, leaf)) == 0
        assert hub.hear() == (topics.staff(BOOTH, ONE, leaf), b"word")


@pytest.mark.parametrize(
    "topic",
    [
        ANY_ALERT,
        topics.board(BOOTH),
        topics.hub_status(BOOTH),
        topics.staff(BOOTH, ONE, "answer"),
        *(topics.staff(BOOTH, TWO, leaf) for leaf in (*topics.STAFF_LEAVES, "answer")),
        topics.observation(BOOTH, NORTH),
        topics.observation(BOOTH, UnitId(ONE)),
        topics.unit_status(BOOTH, NORTH),
    ],
)
def test_a_tablet_says_nothing_else(world: World, topic: str) -> None:
    """A tablet cannot raise an alert, speak for the hub, a unit or another tablet, nor answer itself."""
    hub, other = world.hub().listen("#"), world.tablet(TWO).listen("#")
    assert world.tablet(ONE).say(topic) == NOT_AUTHORISED
    assert hub.heard_until_now() == other.heard_until_now() == []


def test_a_tablet_hears_no_unit_and_no_other_tablet(world: World) -> None:
    """Observations, unit status, and what another tablet asks or is answered are not sent to a tablet."""
    tablet, other = world.tablet(ONE).listen("#").listen("$SYS/#"), world.tablet(TWO).listen("#")
    unit, hub = world.unit(NORTH), world.hub()
    assert unit.say(topics.observation(BOOTH, NORTH)) == unit.say(topics.unit_status(BOOTH, NORTH)) == 0
    assert other.say(topics.staff(BOOTH, TWO, "claim")) == hub.say(topics.staff(BOOTH, TWO, "answer")) == 0
    assert other.hear() == (topics.staff(BOOTH, TWO, "answer"), b"word")
    assert tablet.heard_until_now() == []


def test_without_a_certificate_there_is_no_connection(world: World) -> None:
    """The units' listener talks to nobody without a certificate of this booth, whatever password is offered."""
    peer = Peer("anything")
    peer.client.tls_set(ca_certs=str(world.booth.ca))
    peer.client.username_pw_set(ONE, world.passwords[ONE])
    with pytest.raises(Closed):
        peer.connect(world.booth.listeners.mqtt_port)
    plain = Peer("anything")
    with pytest.raises(Closed):
        plain.connect(world.booth.listeners.mqtt_port)


def test_another_booths_certificate_is_refused(world: World) -> None:
    """A unit of the same name, certified by another booth, does not get in."""
    stranger = enrol.create_booth(world.directory / "stranger", BOOTH)
    address = world.enrol(NORTH, stranger)
    with pytest.raises(Closed):
        world.by_certificate(replace(address, ca=world.booth.ca))


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("name", "password"),
    [(ONE, "wrong"), (ONE, ""), (ONE, None), ("nobody", "wrong"), ("hub", ""), (NORTH, ""), (None, None)],
)
def test_a_wrong_password_is_refused(world: World, name: str | None, password: str | None, tls: bool) -> None:
    """No tablet gets in without its own password, and nobody anonymous; hub and units have none to guess."""
    with pytest.raises(Closed):
        world.by_password(name, password, tls=tls)


def test_a_message_longer_than_any_of_ours_ends_the_connection(world: World) -> None:
    """The broker hangs up on who sends a packet of 32 KiB, before it is stored or passed on."""
    hub, unit = world.hub().listen("#"), world.unit(NORTH)
    unit.client.publish(topics.observation(BOOTH, NORTH), bytes(32 * 1024), qos=1)
    unit.ended.get(timeout=WAIT_SECONDS)
    unit.client.loop_stop()
    assert hub.heard_until_now() == []


def test_a_revoked_unit_is_out_at_once(world: World) -> None:
    """After the broker has reloaded, a revoked unit that is still connected is not heard, and cannot come back."""
    address = world.enrol("corner-west")
    world.reload()
    unit, hub = world.by_certificate(address), world.hub().listen("#")
    topic = topics.observation(BOOTH, UnitId("corner-west"))
    assert unit.say(topic) == 0
    assert hub.hear() == (topic, b"word")
    enrol.revoke_unit(world.booth, "corner-west")
    world.reload()
    assert unit.say(topic) == NOT_AUTHORISED
    assert hub.heard_until_now() == []
    with pytest.raises(Closed):
        world.by_certificate(address)


def test_a_new_unit_and_a_new_tablet_get_in_while_the_hub_stays(world: World) -> None:
    """Enrolment needs a reload of the broker only: nobody is disconnected by it."""
    hub = world.hub().listen("#")
    address, password = world.enrol("corner-east"), enrol.add_tablet(world.booth, "tablet-3")
    world.reload()
    unit, tablet = world.by_certificate(address), world.by_password("tablet-3", password)
    assert unit.say(topics.observation(BOOTH, UnitId("corner-east"))) == 0
    assert tablet.say(topics.staff(BOOTH, TabletId("tablet-3"), "claim")) == 0
    assert {hub.hear()[0], hub.hear()[0]} == {
        topics.observation(BOOTH, UnitId("corner-east")),
        topics.staff(BOOTH, TabletId("tablet-3"), "claim"),
    }
    assert hub.ended.empty()


def test_what_an_absent_hub_has_not_heard_outlives_the_broker(world: World) -> None:
    """Observations that came while the hub was away are kept over a restart of the broker, then heard, in order."""
    world.hub(session_seconds=600).listen(topics.observation(BOOTH, UnitId("+"))).leave()
    unit, words = world.unit(NORTH), [b"%d" % number for number in range(50)]
    assert [unit.say(topics.observation(BOOTH, NORTH), word) for word in words] == [0] * 50
    world.everybody_leaves()
    world.stop()
    world.start()
    unit = world.unit(NORTH)
    assert unit.say(topics.observation(BOOTH, NORTH), b"after") == 0
    hub = world.hub(session_seconds=600)
    assert [hub.hear()[1] for _ in range(51)] == [*words, b"after"]
    world.everybody_leaves()
    world.hub()  # a clean start ends the lasting session


def test_the_broker_writes_no_warning_but_about_root(world: World) -> None:
    """Mosquitto takes the settings without a complaint."""
    complaints = [line for line in world.startup if "arning" in line or "rror" in line or "recommend" in line]
    assert [line for line in complaints if "should not be run as root" not in line] == []
