"""Nothing flows into SENSE while it sees: the hub's prior is opened once, before the walls stand, and never again.

Seen from outside, by the kernel's own account of who opens what in the directory (inotify(7)).
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.protocol import prior, sign
from appliance.protocol.sign import public_key_of
from appliance.protocol.values import Heartbeat
from tests.priors import EVEN, LIFTS
from tests.unit.test_sense import BOOTH, Unit, film

HUB_KEY = sign.new_private_key()
IN_ACCESS, IN_OPEN = 0x1, 0x20
HEAD = struct.Struct("iIII")
PATIENCE = 60.0

__all__ = ["film"]


class Onlooker:
    """Notes which files of a directory are opened or read, by whomever."""

    def __init__(self, directory: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = int(libc.inotify_init1(os.O_NONBLOCK))
        watch = libc.inotify_add_watch(self._descriptor, os.fsencode(directory), IN_OPEN | IN_ACCESS)
        assert min(self._descriptor, watch) >= 0, os.strerror(ctypes.get_errno())

    def seen(self) -> list[tuple[str, int]]:
        """(name, what) of everything since the last call."""
        found = []
        while select.select([self._descriptor], [], [], 0)[0]:
            chunk, place = os.read(self._descriptor, 65536), 0
            while place < len(chunk):
                _, mask, _, length = HEAD.unpack_from(chunk, place)
                name = chunk[place + HEAD.size : place + HEAD.size + length].rstrip(b"\0").decode()
                found.append((name, mask))
                place += HEAD.size + length
        return found

    def close(self) -> None:
        """Look no longer."""
        os.close(self._descriptor)


def sealed(made_at: int, key: bytes = HUB_KEY) -> bytes:
    return prior.sealed_prior(
        booth=BOOTH, made_at=made_at, people=2000, shares=EVEN, lifts=LIFTS, private_key=key
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The directory that RELAY keeps the prior in."""
    directory = tmp_path / "shelf"
    directory.mkdir()
    return directory


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    made = Unit(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.communicate()
    os.close(made.reader)


def settings(video: Path, shelf: Path) -> str:
    return (
        f'source = "{video}"\nrepeat = true\n[prior]\npath = "{shelf / "hub.prior"}"\n'
        f'hub_key = "{public_key_of(HUB_KEY).hex()}"'
    )


def test_a_running_sense_never_comes_back_for_the_prior(unit: Unit, film: Path, shelf: Path) -> None:
    """SENSE opens the prior once, before it seals itself; what replaces it while it sees is opened by nobody."""
    now = int(time.time())
    (shelf / "hub.prior").write_bytes(sealed(now - 86_400))
    onlooker = Onlooker(shelf)
    unit.start(settings(film, shelf))
    statements = unit.statements()
    assert isinstance(next(statements), Heartbeat)  # it sees: the walls stand
    opened = [name for name, mask in onlooker.seen() if mask & IN_OPEN]
    assert opened == ["hub.prior"]
    for turn in range(1, 4):
        # Written beside and moved into its place, so that only a reader would be seen.
        fresh = unit.path / "fresh"
        fresh.write_bytes(sealed(now + turn))
        fresh.rename(shelf / "hub.prior")
    assert isinstance(next(statements), Heartbeat)
    assert unit.process is not None
    unit.process.send_signal(signal.SIGTERM)
    code, said = unit.outcome()
    assert onlooker.seen() == []
    onlooker.close()
    assert code == 0, said
    lines = said.splitlines()
    taken = [place for place, line in enumerate(lines) if "going by the hub's prior: 2,000 people" in line]
    walls = [place for place, line in enumerate(lines) if "sealed" in line]
    assert len(taken) == 1
    assert taken[0] < walls[0]


@pytest.mark.parametrize("untrusted", [sealed(1, sign.new_private_key()), b"\xff" * 5000, b""])
def test_a_prior_that_is_not_the_hubs_does_not_stop_sense(
    unit: Unit, film: Path, shelf: Path, untrusted: bytes
) -> None:
    """A forged or broken prior costs one line in the log; SENSE sees, by the shipped one."""
    (shelf / "hub.prior").write_bytes(untrusted)
    unit.start(settings(film, shelf).replace("repeat", "hurry"))
    assert any(isinstance(each, Heartbeat) for each in unit.statements())
    code, said = unit.outcome()
    assert code == 0, said
    assert said.count("going by the shipped prior") == 1
    assert "Traceback" not in said
