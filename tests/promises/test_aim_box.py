"""Promise 4: aiming is no exception. The real SENSE is aimed at a real street, behind its walls, and says numbers."""

from __future__ import annotations

import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from appliance.protocol import aim
from appliance.protocol.aim import AimFigure, AimRecord, AimView, record_in
from appliance.protocol.health import UnitState
from appliance.protocol.values import Heartbeat, Statement
from appliance.unit.pipe.aim_writer import AimWriter
from appliance.unit.pipe.record import AIM_MARK, RECORD_BYTES, envelope_of
from appliance.unit.pipe.writer import PipeWriter
from tests.demo.running import street_video
from tests.promises.test_running_sense import writable_in
from tests.unit.test_sense import BOOTH, KEY, OPENER, UNIT

PATIENCE = 60.0
SECONDS = 3.0
"""How long a unit that is aimed is listened to."""


@dataclass
class Heard:
    """What came through the pipe: all bytes, the records and statements in them, and how long it took."""

    raw: bytes
    records: list[AimRecord]
    statements: list[Statement]
    seconds: float
    said: str
    inside: Path


def sealed_child(parent: int) -> Path | None:
    """The /proc folder of SENSE behind its walls."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for child in children:
        states = [path.read_text() for path in Path(f"/proc/{child}").glob("task/*/status")]
        if states and all("Seccomp:\t2" in state for state in states):
            return Path(f"/proc/{child}")
    return None


def aimed(path: Path, source: Path, seconds: float = SECONDS) -> Iterator[Heard]:
    """A unit that is aimed at a video, listened to for so long; it is still there while the test looks."""
    (path / "signing.key").write_bytes(KEY)
    (path / "epoch").write_text("7")
    os.mkfifo(path / "pipe")
    reader = os.open(path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    (path / "unit.toml").write_text(
        f'[unit]\nbooth = "{BOOTH}"\nunit = "{UNIT}"\n[camera]\nsource = "{source}"\nrepeat = true\n'
        '[models]\naccelerator = "cpu"\n[pipe]\npath = "pipe"\n[setup]\nzones = "camera.zones"\n'
        '[broker]\nhost = "h"\nca = "a"\ncertificate = "b"\nkey = "c"\n'
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance.cli", "aim", "run", "--config", str(path / "unit.toml")],
        env=os.environ | {"CREDENTIALS_DIRECTORY": str(path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    raw, began, until, inside = b"", 0.0, time.monotonic() + PATIENCE, None
    while time.monotonic() < until:
        if not select.select([reader], [], [], 0.05)[0]:
            continue
        raw += os.read(reader, 65536)
        if not began and raw:
            began, until = time.monotonic(), time.monotonic() + seconds
            inside = sealed_child(process.pid)
    assert process.poll() is None, process.communicate()
    assert inside is not None
    bodies = [envelope_of(raw[at : at + RECORD_BYTES]) or b"" for at in range(0, len(raw), RECORD_BYTES)]
    heard = Heard(
        raw=raw,
        records=[record_in(body.removeprefix(AIM_MARK)) for body in bodies if body.startswith(AIM_MARK)],
        statements=[OPENER.open(body) for body in bodies if not body.startswith(AIM_MARK)],
        seconds=time.monotonic() - began,
        said="",
        inside=inside,
    )
    yield heard
    process.send_signal(signal.SIGTERM)
    _, heard.said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, heard.said
    assert "Traceback" not in heard.said
    os.close(reader)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heard]:
    """The unit aimed at the sample street."""
    yield from aimed(tmp_path_factory.mktemp("aimed"), street_video())


def test_figures_are_said_and_nobody_is_observed(street: Heard) -> None:
    """Figures and views come, and signed heartbeats that say that the unit is aimed; no observation."""
    assert any(isinstance(record, AimFigure) for record in street.records)
    views = [record for record in street.records if isinstance(record, AimView)]
    assert any(view.people for view in views)
    assert street.statements
    for statement in street.statements:
        assert isinstance(statement, Heartbeat)
        assert statement.health.state is UnitState.AIMING
        assert not statement.health.locked


def test_no_more_bits_come_than_are_published(street: Heard) -> None:
    """All that came in so many seconds holds no more than the published bits a second, and one burst."""
    assert len(street.records) <= aim.RECORDS_PER_SECOND * street.seconds + aim.MOST_FIGURES + 1
    distinct = math.log2(aim.AIM_CAPACITY) * len(street.records)
    assert distinct <= aim.BITS_PER_SECOND * (street.seconds + 1)


def test_the_kernel_says_it_is_behind_senses_walls(street: Heard) -> None:
    """Filtered, powerless, without network, without a writable mount or file: as SENSE."""
    lines = (street.inside / "status").read_text().splitlines()
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert all(int(status[kind], 16) == 0 for kind in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"))
    devices = (street.inside / "net" / "dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]
    mounts = (street.inside / "mountinfo").read_text().splitlines()
    assert [mount for mount in mounts if "ro" not in mount.split()[5].split(",")] == []
    outlets = {
        target for target in writable_in(street.inside).values() if not target.startswith("anon_inode:[event")
    }
    assert len(outlets) == 3, outlets  # its one pipe, standard error's, and the buttons


def test_no_network_that_reads_clothes_is_in_its_memory(street: Heard) -> None:
    """The files of the networks for garments and patterns were never mapped, and no figure has a head."""
    maps = (street.inside / "maps").read_text()
    assert "garments" not in maps
    assert "pattern" not in maps
    assert all(len(record.points) == 12 for record in street.records if isinstance(record, AimFigure))


def test_there_is_no_way_to_say_an_observation() -> None:
    """The type that SENSE has in its hands while it is aimed has no such method."""
    assert hasattr(PipeWriter, "observe")
    assert not hasattr(AimWriter, "observe")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """A street in which every frame carries noise that nothing else holds, and pieces of that noise."""
    home = tmp_path_factory.mktemp("planted")
    path, rng, pieces = home / "noise.avi", np.random.default_rng(5), []
    with av.open(str(path), "w") as container, av.open(str(street_video())) as source:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 768, 576, "bgr0"
        for number, frame in enumerate(source.decode(video=0)):
            if number == 30:
                break
            pixels = frame.to_ndarray(format="rgb24").copy()
            noise = rng.integers(0, 256, (48, 768, 3), dtype=np.uint8)
            pixels[:48] = noise
            pieces += [noise.tobytes()[at : at + 8] for at in range(0, noise.size, 499)]
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path, pieces


def test_no_planted_pixel_leaves_a_unit_that_is_aimed(
    planted: tuple[Path, list[bytes]], tmp_path: Path
) -> None:
    """Of thousands of pieces of noise in the picture none is in anything that came through the pipe, or was said."""
    path, pieces = planted
    heard_of = None
    for heard in aimed(tmp_path, path, 2.0):
        heard_of = heard
        assert heard.records
    assert heard_of is not None
    everything = heard_of.raw + heard_of.said.encode()
    # The codes too, at every shift of bits within them: a record is thirteen bytes of a number.
    codes = b"".join(aim.spelled(record) for record in heard_of.records)
    number = int.from_bytes(codes, "big")
    shifted = [(number << shift).to_bytes(len(codes) + 1, "big") for shift in range(8)]
    found = [piece for piece in pieces if any(piece in part for part in (everything, *shifted))]
    assert len(pieces) > 5000
    assert found == []
    assert pieces[0] in b"xx" + pieces[0] + everything  # the search can find
