"""The hub offers and a unit fetches: real TLS with the booth's certificates, over a loopback."""

from __future__ import annotations

import http.server
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import enrol
from appliance.base.errors import Refused, Rule, Unavailable
from appliance.update import fetch, making, offer, release
from appliance.update.fetch import Hub
from tests.update.hubs import HERE, Booth, booth_in, serve
from tests.update.releases import NOW, PUBLIC, a_bundle, a_release


def quiet(_done: int) -> None:
    return None


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Booth]:
    with booth_in(tmp_path) as one:
        yield one


def test_a_unit_takes_what_its_hub_offers_whole(booth: Booth, tmp_path: Path) -> None:
    source = a_bundle(tmp_path)
    making.put(source, PUBLIC, booth.settings.bundles, quiet)
    found = booth.ask("north")
    assert found == a_release()
    target = tmp_path / "bundle"
    fetch.take(booth.hubs["north"], HERE, source.stat().st_size, target, quiet)
    assert target.read_bytes() == source.read_bytes()


def test_what_was_taken_before_a_break_is_kept(booth: Booth, tmp_path: Path) -> None:
    source = a_bundle(tmp_path)
    making.put(source, PUBLIC, booth.settings.bundles, quiet)
    booth.ask("north")
    target = tmp_path / "bundle"
    whole = source.read_bytes()
    (tmp_path / ".bundle.partial").write_bytes(whole[:1_000_000])
    heard: list[int] = []
    fetch.take(booth.hubs["north"], HERE, len(whole), target, heard.append)
    assert heard[0] > 1_000_000
    assert target.read_bytes() == whole


def test_the_second_unit_waits_for_the_first(booth: Booth, tmp_path: Path) -> None:
    making.put(a_bundle(tmp_path), PUBLIC, booth.settings.bundles, quiet)
    assert booth.ask("north")
    assert booth.ask("south") is None
    with pytest.raises(Unavailable):
        fetch.take(booth.hubs["south"], HERE, 10, tmp_path / "south-bundle", quiet)
    assert booth.ask("north", replace(HERE, version="1.1"), on_trial=True) is None
    assert booth.ask("south") is None
    assert booth.ask("north", replace(HERE, version="1.1")) is None
    assert booth.ask("south")


def test_nothing_is_offered_and_nothing_is_asked_for(booth: Booth) -> None:
    assert booth.ask("north") is None


def test_a_unit_is_told_how_much_of_its_own_epochs_was_admitted(booth: Booth) -> None:
    assert fetch.admitted(booth.hubs["north"], 1) == 42
    assert fetch.admitted(booth.hubs["north"], 2) == 2
    assert fetch.admitted(booth.hubs["north"], 3) == 0


def test_a_revoked_unit_is_answered_nothing(booth: Booth) -> None:
    enrol.revoke_unit(booth.directory, "north")
    with pytest.raises(Unavailable, match="403"):
        fetch.admitted(booth.hubs["north"], 1)
    assert fetch.admitted(booth.hubs["south"], 9) == 7


def test_a_unit_of_another_booth_is_not_let_in(booth: Booth, tmp_path: Path) -> None:
    other = enrol.create_booth(tmp_path / "other", "market", ("127.0.0.1",))
    home = enrol.UnitHome(directory=tmp_path / "stranger")
    enrol.enrol_unit(other, home, "north", place="north")
    own = booth.hubs["north"]
    with pytest.raises(Unavailable):
        fetch.admitted(replace(own, certificate=home.link / "unit.pem", key=home.link / "tls.key"), 1)
    with pytest.raises(Unavailable):  # nor does it believe a hub that its own authority does not vouch for
        fetch.admitted(replace(own, ca=home.link / "ca.pem"), 1)


def test_a_bundle_that_is_none_is_not_offered(booth: Booth, tmp_path: Path) -> None:
    path = a_bundle(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Refused):
        making.put(path, PUBLIC, booth.settings.bundles, quiet)
    assert list(booth.settings.bundles.iterdir()) == []


class Malicious(http.server.BaseHTTPRequestHandler):
    """A hub in an attacker's hands: it has the booth's certificate, and not the release key."""

    protocol_version = "HTTP/1.0"
    content = b""
    endless = False

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.content)
        try:
            while self.endless:
                self.wfile.write(bytes(65_536))
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def attacker(booth: Booth) -> Iterator[Callable[..., Hub]]:
    stops = []

    def started(content: bytes, *, endless: bool = False) -> Hub:
        handler = type("Malicious", (Malicious,), {"content": content, "endless": endless})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        context = offer.tls(booth.settings)
        context.verify_mode = ssl.CERT_OPTIONAL
        server.socket = context.wrap_socket(server.socket, server_side=True)
        stops.append(serve(server))
        return replace(booth.hubs["north"], port=int(server.server_address[1]))

    yield started
    for stop in stops:
        stop()


def test_endless_data_instead_of_a_document_is_cut_off(attacker: Callable[..., Hub]) -> None:
    hub = attacker(b"", endless=True)
    with pytest.raises(Refused) as told:
        fetch.ask(hub, HERE, on_trial=False, public_key=PUBLIC, now=NOW)
    assert told.value.rule == Rule.TOO_LONG


def test_endless_data_instead_of_a_bundle_is_cut_off_and_not_kept(
    attacker: Callable[..., Hub], tmp_path: Path
) -> None:
    hub = attacker(b"x" * 1000, endless=True)
    with pytest.raises(Refused) as told:
        fetch.take(hub, HERE, 300_000, tmp_path / "bundle", quiet)
    assert told.value.rule == Rule.TOO_LONG
    assert list(tmp_path.glob("*bundle*")) == []


def test_a_hub_that_signs_with_its_own_key_is_not_believed(attacker: Callable[..., Hub]) -> None:
    hub = attacker(release.sealed(a_release(), bytes(32)))
    with pytest.raises(Refused) as told:
        fetch.ask(hub, HERE, on_trial=False, public_key=PUBLIC, now=NOW)
    assert told.value.rule == Rule.UNKNOWN_KEY


def test_slow_retrieval_ends_and_what_came_is_kept(
    attacker: Callable[..., Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "SECONDS", -1.0)
    hub = attacker(bytes(600_000))
    with pytest.raises(Unavailable, match="too slowly"):
        fetch.take(hub, HERE, 600_000, tmp_path / "bundle", quiet)
    assert (tmp_path / ".bundle.partial").exists()
    assert not (tmp_path / "bundle").exists()


def test_a_hub_that_breaks_off_is_tried_again_later(attacker: Callable[..., Hub], tmp_path: Path) -> None:
    hub = attacker(bytes(100_000))
    with pytest.raises(Unavailable, match="100,000 of 600,000"):
        fetch.take(hub, HERE, 600_000, tmp_path / "bundle", quiet)
