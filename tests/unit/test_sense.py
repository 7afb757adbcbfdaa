from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from appliance.base.errors import Unavailable, Unfit
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.sign import Opener, Sealer, Signer, new_private_key, public_key_of
from appliance.protocol.values import (
    AttributeVector,
    BoothId,
    Epoch,
    Heartbeat,
    Observation,
    Statement,
    UnitId,
)
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings.epoch import epoch_in
from appliance.unit import clocks, grid, sense
from appliance.unit.inputs.start_inputs import StartInputs
from appliance.unit.pipe.record import RECORD_BYTES, envelope_of
from appliance.unit.pipe.writer import RATE, PipeWriter, open_pipe
from appliance.unit.vision.pipeline import DescribedPerson
from appliance.unit.vision.types import Frame
from appliance.unit.voice import FAULT, OpenVoice
from tests.systemd import ServiceSockets

KEY = new_private_key()
BOOTH, UNIT = BoothId("booth"), UnitId("corner-north")
OPENER = Opener(booth=BOOTH, signer_of=lambda _: Signer(unit=UNIT, public_key=public_key_of(KEY)))
VECTOR = AttributeVector.of(top_colour="red")
HEALTH = Health(
    state=UnitState.WATCHING, source=SourceKind.RECORDING, accelerator=Accelerator.CPU, boxed=True, fps=10
)


def opened(record: bytes) -> Statement:
    envelope = envelope_of(record)
    assert envelope is not None
    return OPENER.open(envelope)


class Sink:
    """The pipe: takes records until told to be full."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.full = False

    def write(self, record: bytes) -> int:
        """Take a record, or be full."""
        if self.full:
            raise BlockingIOError
        self.records.append(record)
        return len(record)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def outlet(sink: Sink) -> PipeWriter:
    sealer = Sealer(private_key=KEY, booth=BOOTH)
    return PipeWriter(sealer=sealer, unit=UNIT, epoch=Epoch(7), write=sink.write, now=0.0)


def leave(outlet: PipeWriter, now: float, *, everything: bool = False) -> None:
    outlet.leave(now, HEALTH, clocks.phenomenon_time(0.0), everything=everything)


def test_statements_are_sealed_and_counted(outlet: PipeWriter, sink: Sink) -> None:
    """Observations and heartbeats leave as sealed records of one size, in one sequence from zero."""
    outlet.observe(VECTOR, clocks.phenomenon_time(time.monotonic()), due=0.0)
    leave(outlet, 5.0)
    first, second = (opened(record) for record in sink.records)
    assert {len(record) for record in sink.records} == {RECORD_BYTES}
    assert isinstance(first, Observation)
    assert isinstance(second, Heartbeat)
    assert (first.vector, second.health) == (VECTOR, HEALTH)
    assert [(each.epoch, each.seq) for each in (first, second)] == [(7, 0), (7, 1)]
    assert outlet.last == first


def test_a_full_pipe_holds_nothing_up(outlet: PipeWriter, sink: Sink) -> None:
    """While the pipe is full records wait, and leave in order when it is not."""
    sink.full = True
    for _ in range(3):
        leave(outlet, 0.0)
    assert outlet.waiting == 3
    sink.full = False
    outlet.flush()
    assert [opened(record).seq for record in sink.records] == [0, 1, 2]


def test_what_is_dropped_leaves_a_gap(outlet: PipeWriter, sink: Sink) -> None:
    """Beyond its bound the queue drops the oldest, counts it, and the sequence shows the gap."""
    sink.full = True
    for _ in range(2050):
        leave(outlet, 0.0)
    sink.full = False
    outlet.flush()
    assert outlet.tally.dropped == 2
    assert opened(sink.records[0]).seq == 2
    assert len(sink.records) == 2048


def test_observations_have_a_highest_rate(outlet: PipeWriter) -> None:
    """Over a minute no more observations leave than the rate allows, and what was too much is counted."""
    for tick in range(60 * 100):
        outlet.observe(VECTOR, clocks.phenomenon_time(0.0), due=tick / 100)
        if outlet.new_slot(tick / 100):
            leave(outlet, tick / 100)
    leave(outlet, 60.0, everything=True)
    assert 0 < outlet.tally.observations <= RATE * 60
    assert outlet.tally.too_many == 6000 - outlet.tally.observations


def test_nothing_leaves_between_two_slots_or_before_it_is_due(outlet: PipeWriter, sink: Sink) -> None:
    """What is observed leaves in the first slot that begins when it is due, whenever it was told."""
    outlet.observe(VECTOR, clocks.phenomenon_time(0.0), due=5.1)
    assert not outlet.new_slot(4.99)
    assert sink.records == []
    assert outlet.new_slot(5.2)
    leave(outlet, 5.2)
    assert outlet.tally.observations == 0
    assert not outlet.new_slot(9.9)
    leave(outlet, 10.2)
    assert outlet.tally.observations == 1
    assert len(sink.records) == 3


def test_the_order_within_a_slot_is_drawn_by_lot(outlet: PipeWriter, sink: Sink) -> None:
    """Neither number nor place tells who came first or was looked at last: every order of three comes up."""
    wear = [AttributeVector.of(top_colour=colour) for colour in ("red", "blue", "green")]
    orders = set()
    for number in range(200):
        sink.records.clear()
        for vector in wear:
            outlet.observe(vector, clocks.phenomenon_time(0.0), due=0.0)
        leave(outlet, 5.0 * number)
        said = [opened(record) for record in sink.records]
        orders.add(tuple(one.vector.code for one in said if isinstance(one, Observation)))
        assert [one.seq for one in said] == sorted(one.seq for one in said)
    assert len(orders) == 6


def test_a_pipe_must_be_a_pipe(tmp_path: Path) -> None:
    """A missing pipe or a plain file is unfit; a pipe nobody reads is unavailable."""
    with pytest.raises(Unfit, match="mkfifo"):
        open_pipe(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(Unfit, match="not a named pipe"):
        open_pipe(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unavailable, match="no process reads"):
        open_pipe(tmp_path / "pipe")


@pytest.mark.parametrize("text", [b"", b"0", b"-1", b"1.5", b"4294967296", b"seven", b"1" * 50, b"\xff"])
def test_a_wrong_epoch_is_unfit(text: bytes) -> None:
    """The epoch is a whole number from one to four billion, or SENSE does not start."""
    with pytest.raises(Unfit, match="epoch"):
        epoch_in(text)


def test_an_epoch_is_decimal() -> None:
    """An epoch may end with a newline."""
    assert epoch_in(b"12\n") == 12


def test_time_is_coarse_and_honest() -> None:
    """Uptime counts from boot in steps of five seconds; wall time is there only where the kernel vouches for it."""
    now = clocks.phenomenon_time(time.monotonic())
    ago = clocks.phenomenon_time(time.monotonic() - 50)
    assert now.uptime - ago.uptime in {9, 10, 11} or ago.uptime == 0
    assert (now.wall is None) is not clocks.is_synchronised()
    assert clocks.phenomenon_time(time.monotonic() + 99).uptime - now.uptime <= 1


class Unit:
    """A unit's directory: configuration, credentials, pipe, and the process when it runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "signing.key").write_bytes(KEY)
        (path / "epoch").write_text("7")
        os.mkfifo(path / "pipe")
        self.reader = os.open(path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.process: subprocess.Popen[str] | None = None

    def start(self, camera: str, *, unboxed: bool = False, service: ServiceSockets | None = None) -> None:
        """Start SENSE with these lines under [camera], by hand or as a ``service`` of systemd."""
        (self.path / "unit.toml").write_text(
            f'[unit]\nbooth = "{BOOTH}"\nunit = "{UNIT}"\n[camera]\n{camera}\n[models]\naccelerator = "cpu"\n'
            '[pipe]\npath = "pipe"\n[broker]\nhost = "h"\nca = "a"\ncertificate = "b"\nkey = "c"\n'
        )
        call = f"sys.exit(sense.main(Path({str(self.path / 'unit.toml')!r}), unboxed={unboxed}))"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import sys; from pathlib import Path; from appliance.unit import sense; {call}",
            ],
            env={
                **(service.environment if service else os.environ),
                "CREDENTIALS_DIRECTORY": str(self.path),
            },
            stderr=service.stderr if service else subprocess.PIPE,
            text=True,
        )

    def statements(self) -> Iterator[Statement]:
        """What comes out of the pipe, until the process has ended and the pipe is empty."""
        assert self.process is not None
        while True:
            ended = self.process.poll() is not None
            ready, _, _ = select.select([self.reader], [], [], 0.05)
            records = os.read(self.reader, RECORD_BYTES) if ready else b""
            if records:
                yield opened(records)
            elif ended:
                return

    def outcome(self) -> tuple[int, str]:
        """Exit code and all that was said on stderr."""
        assert self.process is not None
        _, complaints = self.process.communicate(timeout=60)
        return self.process.returncode, complaints


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    made = Unit(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.communicate()
    os.close(made.reader)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Two seconds of an empty street."""
    path = tmp_path / "film.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
        for number in range(20):
            pixels = np.full((240, 320, 3), 100 + number, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_a_relay_that_knows_another_key_is_said(unit: Unit) -> None:
    """Where unit.toml tells RELAY another public key than SENSE seals for, SENSE ends and says so."""
    other = public_key_of(new_private_key()).hex()
    unit.start(f'source = "0"\n[relay]\npublic_key = "{other}"')
    code, complaints = unit.outcome()
    assert code == 78
    assert "relay.public_key is not the public half" in complaints


def test_a_unit_that_requires_every_wall_is_never_unboxed(unit: Unit) -> None:
    """Where unit.toml requires every wall, SENSE does not run without its box."""
    unit.start('source = "0"\n[sense]\nwalls = "every"', unboxed=True)
    code, complaints = unit.outcome()
    assert code == 78
    assert "contradict each other" in complaints


def test_a_unit_that_requires_every_wall_sees_behind_all_of_them_or_not_at_all(
    unit: Unit, film: Path
) -> None:
    """With ``walls = "every"`` SENSE sees and says that every wall stands, or names what is missing and ends."""
    unit.start(f'source = "{film}"\nhurry = true\n[sense]\nwalls = "every"')
    list(unit.statements())
    code, complaints = unit.outcome()
    if code:
        assert (code, "refusing to open the camera" in complaints) == (78, True), complaints
    else:
        assert "sealed; every wall is up" in complaints


def test_the_whole_process_sees_behind_its_walls(unit: Unit, film: Path) -> None:
    """SENSE walls itself in, reads a recording to its end, sends signed heartbeats only, and ends in order."""
    unit.start(f'source = "{film}"\nhurry = true')
    statements = list(unit.statements())
    code, complaints = unit.outcome()
    assert code == 0, complaints
    assert statements
    assert all(isinstance(each, Heartbeat) for each in statements)
    last = statements[-1]
    assert isinstance(last, Heartbeat)
    assert (last.health.boxed, last.health.source, last.epoch) == (True, SourceKind.RECORDING, 7)
    assert "wall system calls: yes" in complaints


def test_a_real_unit_says_everything_when_a_slot_begins(unit: Unit) -> None:
    """Behind the pipe of SENSE at work, each slot's people come together, and a heartbeat closes them."""
    unit.start(f'source = "{os.environ["LEFTFIELD_STREET"]}"\nrepeat = true')
    slots: list[list[tuple[int, type[Statement]]]] = [[]]
    for statement in unit.statements():
        slots[-1].append((grid.slot(time.monotonic()), type(statement)))
        if isinstance(statement, Heartbeat):
            slots.append([])
        if any(len(one) > 1 for one in slots[:-1]) or len(slots) > 12:
            break
    whole = [one for one in slots if one and one[-1][1] is Heartbeat]
    ends = [one[-1][0] for one in whole]
    assert len(set(ends)) == len(ends)
    assert any(len(one) > 1 for one in whole)
    assert all(when == one[-1][0] for one in whole for when, _ in one)


def test_a_stop_is_orderly(unit: Unit, film: Path) -> None:
    """On SIGTERM SENSE stops watching a repeated recording and ends with code 0."""
    unit.start(f'source = "{film}"\nrepeat = true')
    assert isinstance(next(unit.statements()), Heartbeat)
    assert unit.process is not None
    unit.process.send_signal(signal.SIGTERM)
    code, complaints = unit.outcome()
    assert code == 0, complaints
    assert "sense: ended" in complaints


def test_unboxed_is_said(unit: Unit, film: Path) -> None:
    """A developer's unboxed run says so in its log and in every heartbeat."""
    unit.start(f'source = "{film}"\nhurry = true', unboxed=True)
    healths = [each.health.boxed for each in unit.statements() if isinstance(each, Heartbeat)]
    _, complaints = unit.outcome()
    assert healths
    assert not any(healths)
    assert "sandbox disabled" in complaints


def test_a_camera_that_is_away_is_blind_not_dead(unit: Unit) -> None:
    """Without its camera SENSE says it is blind, keeps trying, and still stops when told."""
    unit.start('source = "/dev/video97"')
    said = next(unit.statements())
    assert isinstance(said, Heartbeat)
    assert said.health.state is UnitState.BLIND
    assert said.health.source is SourceKind.CAMERA
    assert unit.process is not None
    unit.process.terminate()
    assert unit.outcome()[0] == 0


@pytest.mark.parametrize(
    ("camera", "complaint"),
    [('source = "/none.mp4"', "no such video file"), ('source = "rtsp://camera"', "promise 1")],
)
def test_an_unfit_source_stops_the_process(unit: Unit, camera: str, complaint: str) -> None:
    """A file that is missing or a network camera ends SENSE with EX_CONFIG and one clear line."""
    unit.start(camera)
    code, complaints = unit.outcome()
    assert code == Unfit.exit_code
    assert complaint in complaints
    assert "Traceback" not in complaints


def test_sense_is_light_before_its_walls() -> None:
    """Importing SENSE loads no pixel library, so that its first walls are built in a process with one thread."""
    script = (
        "import sys; import appliance.unit.sense; "
        "print([m for m in ('numpy', 'cv2', 'av', 'ai_edge_litert') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_vector_is_all_there_is() -> None:
    """An observation has as many readings as the vocabulary has attributes, and nothing else."""
    assert len(VECTOR.readings) == len(ATTRIBUTES)


def test_a_fault_of_the_program_backs_off_and_says_where_and_nothing_it_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """An unexpected exception ends SENSE with 70 after a wait; the line has type and place, not the message."""

    def broken(*_: object, **__: object) -> int:
        raise ZeroDivisionError("pixels: 17 23 99")

    stop = threading.Event()
    stop.set()  # so that nobody waits for the back-off
    monkeypatch.setattr(sense, "stop_requested", lambda: stop)
    monkeypatch.setattr(sense, "_run", broken)
    assert sense.main(tmp_path / "unit.toml", unboxed=True) == FAULT
    said = capfd.readouterr().err
    assert "ZeroDivisionError at test_sense.py:" in said
    assert "17 23 99" not in said


class _Eyes:
    """Describes somebody in red at each frame, and once more at the end."""

    shaken = False
    cost = SimpleNamespace(frames=0)
    counts = SimpleNamespace(unread=0, still=0)

    def see(self, frame: Frame) -> tuple[DescribedPerson, ...]:
        """One person in red."""
        return (DescribedPerson(vector=VECTOR, at=frame.at, due=0.0),)

    def finish(self) -> tuple[DescribedPerson, ...]:
        """Another one."""
        return (DescribedPerson(vector=VECTOR, at=0.0, due=0.0),)


class _Said:
    """An outlet that keeps what it is told."""

    waiting = False
    tally = SimpleNamespace(observations=0, dropped=0, too_many=0)

    def __init__(self) -> None:
        self.vectors: list[AttributeVector] = []

    def observe(self, vector: AttributeVector, _seen: object, *, due: float) -> bool:
        """Keep it."""
        assert due == 0.0
        self.vectors.append(vector)
        return True

    def new_slot(self, _now: float) -> bool:
        """None: nothing leaves."""
        return False

    def leave(self, *_: object, everything: bool = False) -> None:
        """At the end."""
        assert everything


def test_without_colour_no_colour_is_said() -> None:
    """A grey street for ten seconds: once that is known nobody is in red, to the last; before, they are."""
    random = np.random.default_rng(1)

    def frames() -> Iterator[Frame]:
        for number in range(20):
            grey = random.integers(40, 200, (90, 160, 1), np.uint8)
            yield Frame(pixels=np.repeat(grey, 3, axis=2), at=number * 0.5)

    said = _Said()
    watch = sense._Watch(
        SimpleNamespace(),  # type: ignore[arg-type]
        said,  # type: ignore[arg-type]
        OpenVoice(),
        threading.Event(),
        boxed=True,
        given=StartInputs(None, None),
        without=False,
    )
    watch._look(SimpleNamespace(frames=frames), _Eyes(), SimpleNamespace())  # type: ignore[arg-type]
    colours = [vector.word("top.colour") for vector in said.vectors]
    assert colours[0] == "red"
    assert "red" not in colours[-2:]
    assert len(colours) == 21
