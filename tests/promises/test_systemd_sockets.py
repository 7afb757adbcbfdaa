"""Promise 1 as systemd starts SENSE: standard error on a socket, a notify socket about, and every wall stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.protocol.values import Heartbeat
from tests.promises.test_sandbox import CHILD
from tests.systemd import ServiceSockets
from tests.unit.test_sense import Unit, film, unit

__all__ = ["film", "unit"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")


@pytest.fixture(params=["notify", "journal", "notify and journal"])
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceSockets]:
    """The sockets of a service: each alone, and both."""
    sockets = ServiceSockets(tmp_path, notify="notify" in request.param, journal="journal" in request.param)
    yield sockets
    sockets.close()


def test_the_walls_stand_with_the_sockets_of_systemd(given: ServiceSockets) -> None:
    """Sealed with standard error on a socket, what is said there arrives, and it takes plain, short writes alone.

    systemd's notify socket is not open in what is sealed, whether the service has one or not.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as answers:
        with os.fdopen(writing, "wb"):
            child = subprocess.Popen(
                [sys.executable, str(CHILD), "as systemd starts it", str(writing)],
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE if given.stderr is None else given.stderr,
                pass_fds=[writing],
                env=given.environment,
            )
        answer = json.loads(answers.readline() or b'{"no answer": true}')
    _, complaints = child.communicate(timeout=60)
    said = given.journal() if complaints is None else complaints.decode()
    assert "tried" in answer, (answer, said)
    wanted = {*answer["channels"]}
    assert set(answer["writable"]) == {str(fd) for fd in wanted}
    assert said == "the journal hears us\n"
    assert given.notices() == []
    assert len(wanted) == 2
    assert len(answer["tried"]) == 13 * (given.stderr is not None)
    assert {name: outcome for name, outcome in answer["tried"].items() if outcome != "EPERM"} == {}


def test_sense_starts_as_a_service(unit: Unit, film: Path, tmp_path: Path) -> None:
    """The whole process with both sockets: ready and watching once it is sealed, alive, stopping in order."""
    sockets = ServiceSockets(tmp_path)
    unit.start(f'source = "{film}"\nrepeat = true', service=sockets)
    assert isinstance(next(unit.statements()), Heartbeat), sockets.journal()
    assert unit.process is not None
    assert [sockets.notice(), sockets.notice()] == [[f"STATUS=watching {film}"], ["READY=1"]]
    assert sockets.notice() == ["WATCHDOG=1"]
    unit.process.send_signal(signal.SIGTERM)
    assert unit.process.wait(60) == 0
    assert sockets.notices()[-1] == ["STOPPING=1"]
    assert "sealed" in sockets.journal()
    sockets.close()


def test_sense_without_a_camera_is_a_service_that_waits(unit: Unit, tmp_path: Path) -> None:
    """Without its camera SENSE is ready, says in its status what it waits for, and stays alive for the watchdog."""
    sockets = ServiceSockets(tmp_path)
    unit.start('source = "/dev/video97"', service=sockets)
    first, second = sockets.notice(), sockets.notice()
    waiting = "STATUS=waiting: /dev/video97: there is no such camera"
    assert [first, second] == [["READY=1"], [waiting]]
    assert sockets.notice() == ["WATCHDOG=1"]
    assert unit.process is not None
    unit.process.terminate()
    assert unit.process.wait(60) == 0
    assert sockets.journal().count("there is no such camera") == 1
    sockets.close()
