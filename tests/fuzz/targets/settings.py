"""What operators write, and small files of our own that a disk may have damaged."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from appliance.base.errors import Unfit
from appliance.image.seed import Seed
from appliance.pages.here import HereFacts
from appliance.pairing.plan import PLAN_FILE, told_plan
from appliance.pairing.tries import CODE_FILE, MOST_TRIES, TRIES_FILE, CodeOnUnit
from appliance.protocol.values import BoothId
from appliance.settings import config, epoch, this_image
from tests.fuzz.target import target

T = TypeVar("T")
_BROKER: Final = b'[broker]\nhost = "h"\nca = "a"\ncertificate = "b"\nkey = "c"\n'
_UNIT: Final = b"""[unit]
booth = "corner"
unit = "north"
[camera]
source = "/dev/video0"
width = 640
repeat = false
[spool]
records = 1000
[relay]
public_key = "%s"
[models]
threads = 2
""" % (b"ab" * 32)
_HUB: Final = b"""[hub]
booth = "corner"
register = "register.toml"
retention_seconds = 60.5
young = 80
[pacing]
stock = 30
max_p = 0.01
opens = "9:00"
closes = "18:30"
[notice]
controller = "We"
state = "state.json"
"""
_REGISTER: Final = b"""[units.north]
public_key = "%s"
place = "north corner"
looks = "east"
[tablets.tablet-1]
installer = true
[tablets.screen]
room = true
""" % (b"ab" * 32)


def _in_file(data: bytes, read: Callable[[Path], T], name: str = "file.toml") -> T:
    with tempfile.TemporaryDirectory() as place:
        (path := Path(place, name)).write_bytes(data)
        return read(path)


@target(lambda: [_UNIT + _BROKER], Unfit)
def unit_toml(data: bytes) -> None:
    """``unit.toml``."""
    found = _in_file(data, config.unit_config)
    assert "://" not in found.camera.source


@target(lambda: [_HUB + _BROKER], Unfit)
def hub_toml(data: bytes) -> None:
    """``hub.toml``."""
    found = _in_file(data, config.hub_config)
    assert 30.0 <= found.retention_seconds <= 900.0


@target(lambda: [_REGISTER], Unfit)
def register_toml(data: bytes) -> None:
    """``register.toml``."""
    found = _in_file(data, config.register)
    assert not set(found.rooms) & set(found.tablets)
    assert all(len(unit.public_key) == 32 for unit in found.units)


@target(lambda: [b'hub = "10.0.0.2"\nsource = "/dev/video0"\n'], Unfit)
def pairing_toml(data: bytes) -> None:
    """``pairing.toml``: what a card was told at flashing."""
    _in_file(data, lambda path: told_plan(path.parent), PLAN_FILE)


@target(
    lambda: [b'role = "unit"\narch = "arm64"\nversion = "1"\nmade = 5\nrelease_key = "00"\nssh = false\n'],
    Unfit,
)
def image_toml(data: bytes) -> None:
    """What an image says of itself."""
    found = _in_file(data, this_image.read)
    assert found is not None
    assert found.release_key is None or len(found.release_key) == 32


@target(lambda: [b"12", b"4294967293\n"], Unfit)
def epoch_file(data: bytes) -> None:
    """The epoch: as a credential, and as the file that counts."""
    with tempfile.TemporaryDirectory() as place:
        Path(place, epoch.EPOCH).write_bytes(data)
        counted = epoch.next_epoch(Path(place))
        assert epoch.epoch_in(Path(place, epoch.EPOCH).read_bytes()) == counted
    epoch.epoch_in(data)


@target(lambda: [b'{"at": 1760000000.0, "open": true}'])
def here_state(data: bytes) -> None:
    """What WATCH told the public page; nothing of it raises, and none of it is repeated in another form."""
    with tempfile.TemporaryDirectory() as place:
        (hub := Path(place, "hub.toml")).write_bytes(_HUB + _BROKER)
        Path(place, "register.toml").write_bytes(_REGISTER)
        Path(place, "state.json").write_bytes(data)
        facts = HereFacts(hub, BoothId("corner"))
        facts._read()
        assert facts._state(1_760_000_000.0) is None or isinstance(facts._state(1_760_000_000.0), dict)
        facts.json(1_760_000_000.0)


@target(lambda: [b"7K3M-9PQX-2HTD\n"], Unfit)
def code_file(data: bytes) -> None:
    """The file of a unit's pairing code and of the tries that are left."""
    with tempfile.TemporaryDirectory() as place:
        for name in (CODE_FILE, TRIES_FILE):
            Path(place, name).write_bytes(data)
        code = CodeOnUnit(Path(place))
        assert 0 <= code.left() <= MOST_TRIES
        code.read()


@target(lambda: [b"corner-north"], Unfit)
def card_name(data: bytes) -> None:
    """The name that somebody gives a card at flashing."""
    files = Seed(name=data.decode("utf-8", "replace")).files()
    assert files["hostname"].count("\n") == 1
