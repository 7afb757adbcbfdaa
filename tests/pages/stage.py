"""A booth for browser tests: a real broker as enrolment writes it, a hub's voice, the page server, a real Chromium.

Invariants: every wait is for a condition; what was started here is stopped here, by its own process.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from appliance.enrol import Listeners, add_tablet, create_booth, mosquitto
from appliance.pages.server import PageServer
from appliance.pages.visit import PagesConfig
from appliance.protocol import topics
from appliance.protocol.values import AlertId, BoothId, TabletId

BOOTH = BoothId("demo")
TABLETS = (TabletId("tablet-1"), TabletId("tablet-2"))
LEAD = TabletId("lead")
"""The lead's tablet."""
ROOM = TabletId("room-1")
"""A big screen."""
INSTALLER = TabletId("ladder")
"""A tablet that may pair cameras."""
PATIENCE = 20.0
"""Seconds until a condition that has not come true is a failure; generous, for slow shared machines."""

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--force-color-profile=srgb", "--lang=en",
)  # fmt: skip


def browser_programs() -> tuple[str, str] | None:
    """Chromium and its driver, or None where one of them is missing."""
    chromium = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    return (chromium, driver) if chromium and driver else None


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return once ``condition`` holds; AssertionError after ``PATIENCE`` seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"still waiting: {what}")
        threading.Event().wait(0.02)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Broker:
    """The real mosquitto with the settings enrolment writes, and two tablets let in."""

    def __init__(self, directory: Path) -> None:
        self.mqtt_port, self.ws_port, self.wss_port = free_ports(3)
        listeners = Listeners(
            mqtt_port=self.mqtt_port, mqtt_address="127.0.0.1", wss_port=self.wss_port, wss_address="127.0.0.1",
            ws_port=self.ws_port,
        )  # fmt: skip
        self.booth = create_booth(directory / "booth", BOOTH, listeners=listeners)
        self.passwords = {tablet: add_tablet(self.booth, tablet) for tablet in TABLETS}
        self.passwords[INSTALLER] = add_tablet(self.booth, INSTALLER, installer=True)
        self.passwords[LEAD] = add_tablet(self.booth, LEAD, lead=True)
        self.passwords[ROOM] = add_tablet(self.booth, ROOM, room=True)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Return when its listeners are open."""
        self._process = subprocess.Popen(
            [mosquitto(), "-c", self.booth.broker_config],
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stderr
        lines = []
        for line in self._process.stderr:
            lines.append(line)
            if "running" in line:
                break
        else:
            raise AssertionError(f"mosquitto did not start: {''.join(lines)}")
        threading.Thread(target=self._process.stderr.read, daemon=True).start()  # its pipe must not fill up

    def reload(self) -> None:
        """Let it read its rights anew, as systemd does when they change."""
        assert self._process
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Return when it is gone."""
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The broker neither answers nor goes away: the worst kind of network."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@dataclass(frozen=True)
class Request:
    """What a tablet asked, as the hub received it."""

    leaf: str
    body: dict[str, Any]
    answer_topic: str
    correlation: bytes
    expiry: int


class Hub:
    """The hub's voice: says boards and alerts, hears requests."""

    def __init__(self, broker: Broker) -> None:
        self.requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._alerts: set[str] = set()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="hub", protocol=paho.MQTTv5)
        address = broker.booth.hub_broker
        client.tls_set(
            ca_certs=str(address.ca), certfile=str(address.certificate), keyfile=str(address.key),
            tls_version=ssl.PROTOCOL_TLS_CLIENT,
        )  # fmt: skip
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda *_: client.subscribe(topics.staff(BOOTH, TabletId("+"), "+"), qos=1)
        client.on_message = self._on_message
        client.connect(address.host, address.port)
        client.loop_start()
        wait_until(client.is_connected, "the hub's link")
        self.client = client

    def close(self) -> None:
        """Say goodbye."""
        self.client.disconnect()
        self.client.loop_stop()

    def _on_message(self, _client: object, _user: object, message: paho.MQTTMessage) -> None:
        properties = message.properties
        self.requests.put(
            Request(
                leaf=message.topic.rsplit("/", 1)[1],
                body=json.loads(message.payload),
                answer_topic=getattr(properties, "ResponseTopic", ""),
                correlation=getattr(properties, "CorrelationData", b""),
                expiry=getattr(properties, "MessageExpiryInterval", 0),
            )
        )

    def publish(
        self,
        topic: str,
        payload: bytes | dict[str, Any],
        *,
        retain: bool = True,
        expiry: int = 0,
        correlation: bytes = b"",
    ) -> None:
        """Return when the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expiry:
            properties.MessageExpiryInterval = expiry
        if correlation:
            properties.CorrelationData = correlation
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        self.client.publish(topic, body, qos=1, retain=retain, properties=properties).wait_for_publish(
            PATIENCE
        )

    def status(self, state: str) -> None:
        """Online or offline."""
        self.publish(topics.hub_status(BOOTH), {"v": 1, "state": state})

    def board(self, **changes: object) -> None:
        """Say the board."""
        self.publish(topics.board(BOOTH), board(**changes))

    def alert(self, message: dict[str, Any], *, expiry: int = 180) -> None:
        """Say an alert."""
        self._alerts.add(message["id"])
        self.publish(topics.alert(BOOTH, AlertId(message["id"])), message, expiry=expiry)

    def clear(self) -> None:
        """Take all alerts back and go to the state of a quiet booth."""
        for name in self._alerts:
            self.publish(topics.alert(BOOTH, AlertId(name)), b"")
        self._alerts.clear()
        while not self.requests.empty():
            self.requests.get_nowait()
        self.status("online")
        self.board()

    def request(self) -> Request:
        """The next request a tablet makes."""
        return self.requests.get(timeout=PATIENCE)

    def answer(self, request: Request, **body: object) -> None:
        """Answer a request."""
        self.publish(request.answer_topic, {"v": 1, **body}, retain=False, correlation=request.correlation)


USUAL = {
    "top.colour": {"black": 0.34, "blue": 0.19, "grey": 0.14},
    "top.pattern": {"plain": 0.83, "patterned": 0.07, "striped": 0.06},
    "bottom.colour": {"blue": 0.38, "black": 0.31, "grey": 0.12},
    "bottom.pattern": {"plain": 0.95, "patterned": 0.03, "checked": 0.01},
    "lower.kind": {"trousers": 0.81, "skirt_or_dress": 0.11, "shorts": 0.08},
    "sleeves": {"long": 0.64, "short": 0.36},
    "outer": {"none": 0.57, "open": 0.24, "closed": 0.19},
    "feet.colour": {"dark": 0.61, "light": 0.31, "coloured": 0.08},
}


def unit(name: str, place: str, **changes: object) -> dict[str, Any]:
    """One row of the board's units."""
    row = {
        "unit": name, "place": place, "link": "online", "state": "watching", "source": "camera",
        "accelerator": "edge_tpu",
        "boxed": True, "simulated": False, "fps": 15, "heard_ago": 1, "admitted": 1204, "refused": 0, "missing": 0,
    }  # fmt: skip
    return {**row, **changes}


def board(**changes: object) -> dict[str, Any]:
    """What the hub shows its staff: a booth that runs well, with ``changes``."""
    said: dict[str, Any] = {
        "v": 1, "booth": BOOTH, "at": int(time.time()), "simulated": False,
        "people": {"today": 1893, "total": 48211}, "flags_today": 9, "alerts": {"open": 0, "today": 7, "gifted": 4},
        "baseline": {"weight": 41250.5, "ready": True, "needs": 0}, "stock": 33, "staff": 2, "staff_free": 1,
        "units": [
            unit("corner-north", "north corner"),
            unit("tram-stop", "tram stop", source="recording", accelerator="cpu", fps=12),
        ],
        "usual": [
            {"attribute": attribute, "word": word, "share": share}
            for attribute, words in USUAL.items()
            for word, share in words.items()
        ],
        "last_alert": None, "language": "en", "retention": 300, "notices": [], "shift": shift(),
    }  # fmt: skip
    return {**said, **changes}


def shift(**changes: object) -> dict[str, Any]:
    """How the shift stands, as the board says it."""
    return {"paused_until": None, "closed": False, "sizes": [], "note": None, **changes}


def alert(name: str = "a17", **changes: object) -> dict[str, Any]:
    """An alert as the hub raises it: checked trousers, a yellow top."""
    now = int(time.time())
    said: dict[str, Any] = {
        "v": 1, "id": name, "state": "raised", "raised_at": now, "expires_at": now + 180, "seen_ago": 10,
        "unit": "corner-north", "place": "north corner", "simulated": False, "boxed": True,
        "rarity": {"p": 0.0012, "bits": 9.7, "one_in": 640},
        "reasons": [
            {
                "lens": "single", "attributes": {"bottom.pattern": "checked"}, "one_in": 640,
                "text": "checked trousers: 1 in 640 people here or fewer",
            }
        ],
        "look": {
            "top.colour": "yellow", "top.accent": "none", "top.pattern": "plain", "bottom.colour": "red",
            "bottom.accent": "green",
            "bottom.pattern": "checked", "lower.kind": "trousers", "sleeves": "long", "outer": "none",
            "one_piece": "no",
            "feet.colour": "light", "bag": "yes",
        },
        "held_by": None,
    }  # fmt: skip
    return {**said, **changes}


def ended(name: str, state: str, held_by: str | None = None) -> dict[str, Any]:
    """An alert at its end: nothing of the person is left in it."""
    now = int(time.time())
    return {
        "v": 1,
        "id": name,
        "state": state,
        "raised_at": now - 20,
        "expires_at": now + 160,
        "held_by": held_by,
    }


@dataclass
class Stage:
    """Everything that runs."""

    broker: Broker
    hub: Hub
    pages: PageServer

    @staticmethod
    @contextmanager
    def set_up(directory: Path) -> Iterator[Stage]:
        """A running booth, torn down at the end."""
        broker = Broker(directory)
        broker.start()
        try:
            hub = Hub(broker)
            pages = PageServer(
                PagesConfig(
                    host="127.0.0.1", port=0, booth=BOOTH, ws_port=broker.ws_port, wss_port=broker.wss_port
                )
            )
            thread = threading.Thread(target=pages.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            try:
                yield Stage(broker=broker, hub=hub, pages=pages)
            finally:
                pages.shutdown()
                pages.server_close()
                thread.join()
                hub.close()
        finally:
            broker.stop()

    def session(
        self, tablet: TabletId = TABLETS[0], password: str | None = None, *, page: str = "tablet"
    ) -> str:
        """The link that opens a tablet's page."""
        return f"{self.pages.url}/{page}#{tablet}:{password or self.broker.passwords[tablet]}"


def open_browser(directory: Path) -> webdriver.Chrome:
    """A fresh Chromium that keeps its logs of console and network."""
    programs = browser_programs()
    assert programs
    options = Options()
    options.binary_location = programs[0]
    for flag in (*_FLAGS, f"--user-data-dir={directory}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # The test talks to the driver on this very machine: no proxy of the surroundings may stand between.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
    return webdriver.Chrome(options=options, service=Service(programs[1]))


def resize(
    browser: webdriver.Chrome, width: int, height: int, *, dark: bool = False, touch: bool = False
) -> None:
    """Show the page at a size in CSS pixels, light or dark."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch},
    )
    features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def screenshot(browser: webdriver.Chrome, path: Path, *, whole: bool = False) -> None:
    """Write what is seen (or, with ``whole``, all there is to scroll) as PNG."""
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole}
    )
    path.write_bytes(base64.b64decode(shot["data"]))
