"""Set-up is no exception: the colour card is read inside SENSE's walls, and words and one matrix come out of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.protocol.values import Heartbeat
from appliance.settings.config import unit_config
from appliance.unit.card.words import RECORD
from appliance.unit.inputs.colour_matrix import CameraMatrix, kept_at, matrix_in, spelled
from appliance.unit.sandbox import box
from appliance.unit.sandbox.plan import EVERY_WALL, REQUIRED
from tests import cards
from tests.cards import Camera
from tests.promises.test_prior import IN_OPEN, Onlooker
from tests.promises.test_running_sense import writable_in
from tests.unit.test_sense import Unit

MATRIX = CameraMatrix((1024, 0, 0, 0, 1024, 0, 0, 0, 1024), 12)
CAMERA = Camera(lamp=cards.TUNGSTEN, crosstalk=cards.CROSSTALK, exposure=0.7, noise=0.01, blur=0.7)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty wall, then somebody's card before it: three seconds, through a camera that sees wrongly."""
    rng = np.random.default_rng(1)
    size = (960, 540)
    wall = CAMERA.sees(np.full((size[1], size[0], 3), 0.15), rng)
    corners = tuple((0.75 * x, 0.75 * y) for x, y in cards.TILTED)
    card = cards.scene(corners, size=size)
    frames = [wall] * 3 + [CAMERA.sees(card, rng) for _ in range(27)]
    return cards.filmed(tmp_path_factory.mktemp("film") / "card.avi", frames)


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Path]:
    def written(source: Path, *, more: str = "", camera: str = "hurry = true") -> Path:
        path = tmp_path / "unit.toml"
        path.write_text(
            f'[unit]\nbooth = "b"\nunit = "north"\n[camera]\nsource = "{source}"\n{camera}\n'
            '[models]\naccelerator = "cpu"\n[card]\nmatrix = "state/camera.matrix"\n'
            f'[broker]\nhost = "h"\nca = "c"\ncertificate = "c"\nkey = "k"\n{more}'
        )
        return path

    return written


def command(path: Path, *more: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "appliance.cli", "card", "read", "--config", str(path), *more]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def box_of(parent: int) -> Path | None:
    """The /proc folder of the command's one child, once every thread of it carries the filter."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for child in children:
        states = [path.read_text() for path in Path(f"/proc/{child}").glob("task/*/status")]
        if states and all("Seccomp:\t2" in state for state in states):
            return Path(f"/proc/{child}")
    return None


def test_the_card_gives_the_cameras_matrix(settings: Callable[..., Path], film: Path, tmp_path: Path) -> None:
    """From a video of the card, through the real box, comes the matrix that undoes the camera, in its file."""
    process = command(settings(film))
    out, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert out == ""
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["camera.matrix"]
    found = matrix_in((tmp_path / "state" / "camera.matrix").read_bytes(), "here")
    undone = np.array(found.rows) @ CAMERA.matrix
    assert undone / undone.sum(axis=1).mean() == pytest.approx(np.eye(3), abs=0.06)
    lines = said.splitlines()
    sealed = next(number for number, line in enumerate(lines) if "sealed" in line)
    told = [number for number, line in enumerate(lines) if "card found" in line or "card: read" in line]
    assert told
    assert min(told) > sealed
    assert "Traceback" not in said


def test_a_video_without_the_card_gives_nothing(
    settings: Callable[..., Path], film: Path, tmp_path: Path
) -> None:
    """Where the time is up without a card, one line says what was seen, and no file is made."""
    empty = cards.filmed(tmp_path / "empty.avi", [np.full((240, 320, 3), 90, np.uint8)] * 5)
    process = command(settings(film), "--source", str(empty), "--seconds", "5")
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 75
    assert "no card seen" in said.splitlines()[-1]
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("source", "code"), [("/nowhere/street.avi", 78), ("/dev/video97", 75)])
def test_a_camera_that_is_not_there_is_one_line(
    settings: Callable[..., Path], source: str, code: int
) -> None:
    """What is wrong with the source comes out of the box as the usual line and exit code."""
    process = command(settings(Path(source)))
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "Fix: " in said
    assert ("is SENSE stopped?" in said) is (code == 75)
    assert "Traceback" not in said


@pytest.fixture
def looking(settings: Callable[..., Path], tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The command at work on a video that never shows the card: its process, and the /proc folder of its box."""
    empty = cards.filmed(tmp_path / "empty.avi", [np.full((240, 320, 3), 90, np.uint8)] * 5)
    process = command(settings(empty, camera="repeat = true"))
    until = time.monotonic() + PATIENCE
    while box_of(process.pid) is None:
        assert time.monotonic() < until, "the box did not seal itself"
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    found = box_of(process.pid)
    assert found is not None
    yield process.pid, found
    if found.exists():
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode in {130, 143}
    assert not found.exists()


def test_the_kernel_says_the_box_is_senses(looking: tuple[int, Path]) -> None:
    """Seen from outside the reader is filtered, powerless, without network, without a writable mount or file."""
    _, inside = looking
    lines = (inside / "status").read_text().splitlines()
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    for kind in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    devices = (inside / "net" / "dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]
    mounts = (inside / "mountinfo").read_text().splitlines()
    assert [mount for mount in mounts if "ro" not in mount.split()[5].split(",")] == []
    limits = (inside / "limits").read_text().splitlines()
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits}
    assert rows["Max file size"] == rows["Max core file size"] == ["0", "0"]
    leads = {target for target in writable_in(inside).values() if not target.startswith("anon_inode:[event")}
    assert len(leads) == 2  # its one pipe, and standard error's
    assert all(target.startswith("pipe:") for target in leads)


def test_the_one_outside_sees_nothing(looking: tuple[int, Path]) -> None:
    """The process that writes the file has neither the video open nor a pixel library loaded."""
    outside, _ = looking
    maps = Path(f"/proc/{outside}/maps").read_text()
    assert "cv2" not in maps
    assert "numpy" not in maps
    targets = [str(entry.readlink()) for entry in Path(f"/proc/{outside}/fd").iterdir()]
    assert not any(target.endswith(".avi") for target in targets)


@pytest.mark.parametrize("walls", ["required", "every"])
def test_the_walls_are_those_of_sense(settings: Callable[..., Path], film: Path, walls: str) -> None:
    """SENSE and the reader ask for one plan, made in one place; ``every`` asks for all walls of both."""
    config = unit_config(settings(film, more=f'[sense]\nwalls = "{walls}"\n'))
    plan = box.plan_for(config, outlet=7, record=RECORD)
    assert plan.required == (EVERY_WALL if walls == "every" else REQUIRED)
    assert (plan.outlet_limit, plan.left_out, plan.readable, plan.namespaces) == (
        RECORD,
        frozenset(),
        (),
        True,
    )


def test_a_command_that_is_told_to_stop_takes_its_box_along(looking: tuple[int, Path]) -> None:
    """SIGTERM, too, ends the box: the camera is free again."""
    outside, inside = looking
    os.kill(outside, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while inside.exists():
        assert time.monotonic() < until, "the box outlived the command"
        time.sleep(0.02)


@pytest.fixture
def sense(tmp_path: Path) -> Iterator[Unit]:
    made = Unit(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.communicate()
    os.close(made.reader)


def test_a_running_sense_never_comes_back_for_the_matrix(sense: Unit, film: Path, tmp_path: Path) -> None:
    """SENSE opens the matrix once, before it seals itself; what replaces it while it sees is opened by nobody."""
    shelf = tmp_path / "state"
    kept_at(shelf / "camera.matrix", MATRIX)
    onlooker = Onlooker(shelf)
    sense.start(f'source = "{film}"\nrepeat = true\n[card]\nmatrix = "state/camera.matrix"')
    statements = sense.statements()
    assert isinstance(next(statements), Heartbeat)  # it sees: the walls stand
    assert [name for name, mask in onlooker.seen() if mask & IN_OPEN] == ["camera.matrix"]
    fresh = tmp_path / "fresh"
    fresh.write_bytes(spelled(MATRIX))
    fresh.rename(shelf / "camera.matrix")
    assert isinstance(next(statements), Heartbeat)
    assert sense.process is not None
    sense.process.send_signal(signal.SIGTERM)
    code, said = sense.outcome()
    assert onlooker.seen() == []
    onlooker.close()
    assert code == 0, said
    lines = said.splitlines()
    taken = next(place for place, line in enumerate(lines) if "colours by the card" in line)
    assert taken < next(place for place, line in enumerate(lines) if "sealed" in line)


def test_a_nonsense_matrix_stops_sense_before_it_sees(sense: Unit, film: Path, tmp_path: Path) -> None:
    """A matrix that cannot be right is one line, with its place and how to fix it, and exit code 78."""
    kept_at(tmp_path / "state" / "camera.matrix", MATRIX)
    (tmp_path / "state" / "camera.matrix").write_bytes(spelled(MATRIX).replace(b"1024 0 0", b"1024 9 9", 2))
    sense.start(f'source = "{film}"\n[card]\nmatrix = "state/camera.matrix"')
    assert list(sense.statements()) != []  # 1024 9 9 could be right
    assert sense.outcome()[0] == 0
    (tmp_path / "state" / "camera.matrix").write_bytes(spelled(MATRIX).replace(b"1024 0 0", b"9999 0 0"))
    sense.start(f'source = "{film}"\n[card]\nmatrix = "state/camera.matrix"')
    assert list(sense.statements()) == []
    code, said = sense.outcome()
    assert code == 78
    assert "camera.matrix: " in said.splitlines()[-1]
    assert "Fix: " in said.splitlines()[-1]
    assert "sealed" not in said
