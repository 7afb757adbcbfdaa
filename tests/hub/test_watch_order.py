"""The order in which WATCH does things, recorded: what may be lost at each instant depends on it."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.enrol.files import write_register
from appliance.hub import watch
from appliance.hub.storage.store import Store
from appliance.mqtt import Message
from appliance.protocol.values import TabletId
from appliance.settings.config import HubConfig, Register
from tests.hub.corner import BOOTH, NOON, NOWHERE, PLAIN, Camera, asks


class RecordingLink:
    """A broker link that gives one batch, then asks for the stop, and writes down what is asked of it."""

    def __init__(self, batch: tuple[Message, ...], stop: threading.Event, calls: list[str]) -> None:
        self._batch, self._stop, self._calls = batch, stop, calls
        self.up = True

    def __call__(self, **_: object) -> RecordingLink:
        return self

    def start(self) -> None:
        self._calls.append("start")

    def stop(self) -> None:
        self._calls.append("stop")

    def connected_again(self) -> bool:
        return False

    def messages(self, *, wait: float = 0.0) -> tuple[Message, ...]:
        del wait
        batch, self._batch = self._batch, ()
        if not batch:
            self._stop.set()
        return batch

    def publish(self, topic: str, payload: bytes, **_: object) -> int:
        del payload
        self._calls.append(f"publish {topic.rsplit('/', 1)[-1]}")
        return 1

    def acknowledge(self, message: Message) -> None:
        self._calls.append(f"acknowledge {message.untrusted_topic.rsplit('/', 1)[-1]}")

    def published(self, *, wait: float) -> list[int]:
        del wait
        return [1]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What WATCH did with a batch of one observation and one claim."""
    camera, stop = Camera("north"), threading.Event()
    found: list[str] = []
    write_register(tmp_path / "register.toml", Register(units=(camera.row,), tablets=(TabletId("tablet-1"),)))
    arrivals = [camera.says(camera.observation(PLAIN, NOON)), asks("tablet-1", "claim", alert="a1")]
    batch = tuple(
        Message(
            untrusted_topic=one.untrusted_topic,
            untrusted_payload=one.untrusted_payload,
            untrusted_response_topic="",
            untrusted_correlation=one.untrusted_correlation,
            retained=False,
            qos=1,
            ticket=number,
        )
        for number, one in enumerate(arrivals)
    )
    report = SimpleNamespace(take=lambda: None, status="", alive=())
    monkeypatch.setattr(watch, "Link", RecordingLink(batch, stop, found))
    monkeypatch.setattr(watch, "LinkReport", lambda *_: report)
    monkeypatch.setattr(watch, "stop_requested", lambda: stop)
    monkeypatch.setattr(watch.time, "time", lambda: float(NOON))
    commit = Store.commit

    def recorded(store: Store, changes: Any) -> None:
        commit(store, changes)
        found.append("commit")

    monkeypatch.setattr(Store, "commit", recorded)
    hub = watch.Watch(
        HubConfig(
            booth=BOOTH, broker=NOWHERE, register=tmp_path / "register.toml", database=tmp_path / "hub.sqlite"
        )
    )
    hub.run()
    hub.close()
    return found


def test_watch_commits_before_it_publishes_and_publishes_before_it_acknowledges(calls: list[str]) -> None:
    """Stored first, then told, then acknowledged: a kill at any instant loses and invents nothing."""
    committed = calls.index("commit")
    acknowledged = [place for place, call in enumerate(calls) if call.startswith("acknowledge")]
    answered = calls.index("publish answer")
    assert len(acknowledged) == 2
    assert committed < answered < min(acknowledged)
    told = [
        place for place, call in enumerate(calls) if call.startswith("publish") and place < acknowledged[0]
    ]
    assert committed < min(told)
