"""The booth's bridge: reports of crowds leave, nothing else does, nothing comes back, and what waits is kept."""

from __future__ import annotations

import time
from dataclasses import fields
from pathlib import Path

import pytest

from appliance.base.errors import Unfit
from appliance.demo.places import free_port, listening
from appliance.enrol import bridge, files, mosquitto
from appliance.enrol.broker import BrokerPlaces
from appliance.enrol.fleet_commands import drop_in, set_home
from appliance.fleet import layout
from appliance.mqtt import Link
from appliance.protocol import topics
from appliance.protocol.fleet_report import FLEET_ROOT, ReportKind, topic
from appliance.protocol.values import AlertId, BoothId, Seconds, TabletId, UnitId
from appliance.settings import config
from tests.fleet.real_fleet import Processes, RealBooth, until

BOOTH = BoothId("corner")
NOW = Seconds(1_790_000_000.0)


class FakeStore:
    """The register of a fleet without a database."""

    def add_booth(self, booth: BoothId, public_key: bytes) -> None:
        assert len(public_key) == 32, booth


@pytest.fixture
def fleet(tmp_path: Path) -> layout.FleetDirectory:
    return layout.create_fleet(tmp_path / "fleet", "city", "127.0.0.1", port=free_port(set()), workers=2)


def start_broker(fleet: layout.FleetDirectory, processes: Processes) -> None:
    processes.start("broker", [str(mosquitto()), "-c", str(fleet.broker_config)])
    until(lambda: listening(fleet.port), "the fleet's broker")


def worker(fleet: layout.FleetDirectory, *, number: int = 1, subscription: str = "#") -> Link:
    link = Link(
        address=fleet.broker(number), name=f"worker-{number}", lasting=True, subscriptions=(subscription,)
    )
    link.start()
    until(lambda: link.up, "a worker's link")
    return link


def heard(link: Link, last: str, patience: float = 20.0) -> set[str]:
    """Topics of everything that came until ``last`` did."""
    found: set[str] = set()
    deadline = time.monotonic() + patience
    while last not in found and time.monotonic() < deadline:
        for message in link.messages(wait=0.2):
            found.add(message.untrusted_topic)
            link.acknowledge(message)
    return found


def every_topic() -> list[str]:
    """Each topic of the booth's table but the fleet's."""
    unit, tablet = UnitId("north"), TabletId("tablet-1")
    return [
        topics.observation(BOOTH, unit),
        topics.unit_status(BOOTH, unit),
        topics.receipt(BOOTH, unit),
        topics.board(BOOTH),
        topics.trends(BOOTH),
        topics.live(BOOTH),
        topics.hub_status(BOOTH),
        topics.prior(BOOTH),
        topics.pairing(BOOTH),
        topics.alert(BOOTH, AlertId("a1")),
        topics.staff(BOOTH, tablet, "claim"),
        topics.staff(BOOTH, tablet, "answer"),
    ]


def test_reports_leave_and_nothing_else_does(
    fleet: layout.FleetDirectory, processes: Processes, tmp_path: Path
) -> None:
    """Everything is published on the booth's broker by whoever may; the fleet hears the three kinds alone."""
    start_broker(fleet, processes)
    booth = RealBooth(tmp_path / "corner", BOOTH, processes)
    booth.join(fleet, FakeStore())  # type: ignore[arg-type]
    # The broker is made to let the hub write anywhere, so that the bridge alone decides.
    (booth.booth.broker_directory / "units.acl").write_text("user hub\ntopic readwrite #\n")
    processes.kill(booth.process)
    processes.again(booth.process)
    until(lambda: listening(booth.port), "the booth's broker")
    listener, hub = worker(fleet), booth.link()
    until(lambda: hub.up, "the hub's link")
    for place in every_topic():
        hub.publish(place, b"a vector", retain=False)
    hub.publish(f"leftfield/1/{BOOTH}/fleet/days/deeper", b"a vector", retain=False)
    for kind in (ReportKind.DAYS, ReportKind.BASELINE, ReportKind.MOMENT):
        booth.report(hub, kind, NOW)
    found = heard(listener, topic(BOOTH, ReportKind.MOMENT))
    assert found == {topic(BOOTH, kind) for kind in ReportKind}
    for link in (listener, hub):
        link.stop()


def test_what_a_fleet_that_is_away_misses_waits_in_the_booth(
    fleet: layout.FleetDirectory, processes: Processes, tmp_path: Path
) -> None:
    """Reports said while the fleet's broker does not exist come when it does."""
    booth = RealBooth(tmp_path / "corner", BOOTH, processes)
    booth.join(fleet, FakeStore())  # type: ignore[arg-type]
    hub = booth.link()
    until(lambda: hub.up, "the hub's link")
    tickets = {booth.report(hub, ReportKind.DAYS, NOW) for _ in range(3)}
    until(
        lambda: not tickets.difference_update(hub.published(wait=0.1)) and not tickets,
        "the booth's broker has them",
    )
    start_broker(fleet, processes)
    listener = worker(fleet)
    assert heard(listener, topic(BOOTH, ReportKind.DAYS)) == {topic(BOOTH, ReportKind.DAYS)}
    for link in (listener, hub):
        link.stop()


def test_a_booth_writes_below_its_own_name_and_reads_nothing(
    fleet: layout.FleetDirectory, processes: Processes, tmp_path: Path
) -> None:
    """A booth's certificate, used by hand: other names are denied, reading gives nothing."""
    start_broker(fleet, processes)
    booth = RealBooth(tmp_path / "corner", BOOTH, processes)
    place = booth.booth.broker_directory
    asked = layout.read_booth(fleet, bridge.ask(place, BOOTH, fleet.fleet, booth.key))
    bridge.join(place, BOOTH, layout.answer_to(fleet, asked))
    address = config.BrokerAddress(
        host="127.0.0.1",
        port=fleet.port,
        ca=place / bridge.CA,
        certificate=place / bridge.CERTIFICATE,
        key=place / bridge.KEY,
    )
    thief = Link(address=address, name=BOOTH, subscriptions=("#", layout.SHARED))
    listener = worker(fleet)
    thief.start()
    until(lambda: thief.up, "the booth's link")
    thief.publish(f"{FLEET_ROOT}/market/days", b"not mine", retain=False)
    thief.publish(topic(BOOTH, ReportKind.DAYS), b"mine", retain=False)
    assert heard(listener, topic(BOOTH, ReportKind.DAYS)) == {topic(BOOTH, ReportKind.DAYS)}
    assert thief.messages(wait=0.5) == ()
    for link in (listener, thief):
        link.stop()


def test_a_withdrawn_booth_is_shut_out_by_its_certificate(
    fleet: layout.FleetDirectory, processes: Processes, tmp_path: Path
) -> None:
    """After ``shut_out`` and a new start of the broker its bridge is not let in."""
    booth = RealBooth(tmp_path / "corner", BOOTH, processes)
    place = booth.booth.broker_directory
    asked = layout.read_booth(fleet, bridge.ask(place, BOOTH, fleet.fleet, booth.key))
    bridge.join(place, BOOTH, layout.answer_to(fleet, asked))
    layout.shut_out(fleet, ("corner",))
    start_broker(fleet, processes)
    address = config.BrokerAddress(
        host="127.0.0.1",
        port=fleet.port,
        ca=place / bridge.CA,
        certificate=place / bridge.CERTIFICATE,
        key=place / bridge.KEY,
    )
    link = Link(address=address, name=BOOTH)
    link.start()
    until(lambda: link.trouble is not None, "a refusal")
    assert not link.up
    link.stop()


def test_the_settings_have_one_outward_pattern() -> None:
    """One topic line, out, below the fleet's own folder; no line that lets anything in."""
    address = bridge.FleetAddress(fleet="city", host="fleet.local", port=8883)
    text = bridge.bridge_settings(BOOTH, address, BrokerPlaces.beside(Path("/b")))
    rows = [line for line in text.splitlines() if line.startswith("topic ")]
    assert rows == ["topic + out 1 leftfield/1/corner/fleet/ leftfield-fleet/1/corner/"]


def test_joining_and_leaving_change_hub_toml_and_nothing_else_in_it(tmp_path: Path) -> None:
    """A hub.toml with somebody's own lines keeps them; a bad name leaves the file as it was."""
    processes = Processes(tmp_path)
    booth = RealBooth(tmp_path / "corner", BOOTH, processes).booth
    path = tmp_path / "hub.toml"
    settings = config.HubConfig(
        booth=BOOTH, broker=booth.hub_broker, register=booth.register, database=tmp_path / "hub.sqlite"
    )
    files.write_hub_config(path, settings)
    before = path.read_text() + "\n# somebody's own\n[pacing]\nstaff = 3\n"
    path.write_text(before)
    set_home(path, f"corner/{'0' * 16}")
    assert config.hub_config(path).fleet.hub == f"corner/{'0' * 16}"
    assert "# somebody's own\n[pacing]\nstaff = 3" in path.read_text()
    set_home(path, f"corner/{'1' * 16}")
    assert path.read_text().count("[fleet]") == 1
    joined = path.read_text()
    with pytest.raises(Unfit):
        set_home(path, "no name")
    assert path.read_text() == joined
    set_home(path, "")
    assert path.read_text().strip() == before.strip()
    assert {field.name for field in fields(config.hub_config(path).fleet)} == {"hub"}


def test_a_letter_for_another_booth_and_a_workers_name_are_refused(
    fleet: layout.FleetDirectory, tmp_path: Path
) -> None:
    corner, market = tmp_path / "corner", tmp_path / "market"
    for place in (corner, market):
        place.mkdir()
    key = (5).to_bytes(32, "big")
    asked = layout.read_booth(fleet, bridge.ask(corner, BOOTH, "city", key))
    with pytest.raises(Unfit, match="for booth corner"):
        bridge.join(market, BoothId("market"), layout.answer_to(fleet, asked))
    with pytest.raises(Unfit, match="worker's name"):
        layout.read_booth(fleet, bridge.ask(market, BoothId("worker-1"), "city", key))
    bridge.join(corner, BOOTH, layout.answer_to(fleet, asked))
    assert bridge.fleet_in(corner) == bridge.FleetAddress(fleet="city", host="127.0.0.1", port=fleet.port)
    bridge.leave(corner)
    assert bridge.fleet_in(corner) is None
    assert list(corner.iterdir()) == []


def test_the_drop_in_hands_over_the_key_and_opens_one_address(tmp_path: Path) -> None:
    booth = RealBooth(tmp_path / "corner", BOOTH, Processes(tmp_path)).booth
    address = bridge.FleetAddress(fleet="city", host="192.0.2.7", port=8883)
    assert drop_in(booth, address).splitlines()[1:] == [
        f"LoadCredential=fleet.key:{booth.broker_directory / 'fleet.key'}",
        "IPAddressAllow=192.0.2.7",
    ]
    assert "IPAddressAllow=A" in drop_in(booth, bridge.FleetAddress(fleet="city", host="fleet.local", port=1))
