"""Promise 1 (DESIGN §1.1): no frame leaves memory, by force of the kernel. The walls of process SENSE, attacked."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.unit.sandbox import seccomp
from appliance.unit.sandbox.plan import REQUIRED, Wall
from appliance.unit.sandbox.syscalls import Machine, calls, names

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")

CHILD = Path(__file__).with_name("sealed_child.py")
ROOT = CHILD.parents[2]
NOBODY = 65534


class Sealed:
    """A running sealed_child.py, its answer, and its standard input as the leash.

    It inherits one stray writable pipe, which the enclosure must close.
    """

    def __init__(self, *words: str, user: int | None = None, python: str = sys.executable) -> None:
        reading, writing = os.pipe()
        stray_end, stray = os.pipe()
        self.outlet = writing
        with os.fdopen(writing, "wb"), os.fdopen(stray, "wb"), os.fdopen(stray_end, "rb"):
            self.process = subprocess.Popen(
                [python, str(CHILD), words[0], str(writing), *words[1:]],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[writing, stray],
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                cwd="/",
            )
        with os.fdopen(reading, "rb") as answers:
            self.line = answers.readline()

    @property
    def answer(self) -> dict[str, object]:
        """What the child said through its outlet."""
        if not self.line:
            pytest.fail(f"no answer; {self.process.communicate(timeout=30)[1].decode()[-2000:]}")
        words: dict[str, object] = json.loads(self.line)
        return words

    def ended(self) -> int:
        """Let go of the leash; return the exit code."""
        _, self.complaints = self.process.communicate(timeout=30)
        return self.process.returncode


def ask(*words: str) -> dict[str, object]:
    """Start a child, take its answer, wait for its end."""
    child = Sealed(*words)
    answer = child.answer
    child.ended()
    return answer


@pytest.fixture(scope="module")
def idle() -> Iterator[Sealed]:
    child = Sealed("idle")
    assert child.answer.get("pid") == child.process.pid, child.answer
    yield child
    assert child.ended() == 0


# --- seen from outside -----------------------------------------------------------------------------------------


def test_every_thread_shows_the_filter_from_outside(idle: Sealed) -> None:
    """Promise 1: every thread of sealed SENSE shows Seccomp 2, NoNewPrivs 1 and no capability in /proc/PID/status."""
    tasks = list(Path(f"/proc/{idle.process.pid}/task").iterdir())
    assert len(tasks) >= 2
    for task in tasks:
        status = dict(
            line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line
        )
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[kind], 16) == 0, kind


def test_only_the_pipe_and_stderr_can_be_written(idle: Sealed) -> None:
    """Promise 1: the only writable descriptors of sealed SENSE are the pipe and stderr, seen from inside and, with root, from outside; unprivileged, nobody else may even look."""  # noqa: E501
    inside: dict[str, int] = idle.answer["writable"]  # type: ignore[assignment]
    assert set(inside) == {"2", str(idle.outlet)}
    assert all(stat.S_ISFIFO(mode) for mode in inside.values())
    directory = Path(f"/proc/{idle.process.pid}/fd")
    if os.geteuid() != 0:
        with pytest.raises(PermissionError):
            list(directory.iterdir())
        return
    writable = {}
    for entry in directory.iterdir():
        flags = int(
            Path(f"/proc/{idle.process.pid}/fdinfo/{entry.name}").read_text().split("flags:\t")[1].split()[0],
            8,
        )
        if flags & os.O_ACCMODE != os.O_RDONLY:
            writable[int(entry.name)] = entry.stat().st_mode
    assert set(writable) == {2, idle.outlet}
    assert all(stat.S_ISFIFO(mode) for mode in writable.values())


def test_limits_forbid_files_and_core_dumps(idle: Sealed) -> None:
    """Promise 1: sealed SENSE may write no file and dump no core, by the limits the kernel shows."""
    limits = Path(f"/proc/{idle.process.pid}/limits")
    if os.geteuid() != 0 and not os.access(limits, os.R_OK):
        pytest.skip("the process hides its limits from this user")
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.read_text().splitlines()}
    assert rows["Max file size"] == ["0", "0"]
    assert rows["Max core file size"] == ["0", "0"]


def test_mounts_are_read_only_and_network_is_empty(idle: Sealed) -> None:
    """Promise 1: where namespaces are permitted, sealed SENSE sees no writable mount and only a loopback."""
    if "NAMESPACES" not in idle.answer["standing"]:  # type: ignore[operator]
        pytest.skip("this machine permits no namespaces: " + str(idle.answer["lines"]))
    proc = Path(f"/proc/{idle.process.pid}")
    mounts = [line.split(" ")[5].split(",") for line in (proc / "mountinfo").read_text().splitlines()]
    assert mounts
    assert all("ro" in options for options in mounts)
    interfaces = [line.split(":")[0].strip() for line in (proc / "net/dev").read_text().splitlines()[2:]]
    assert set(interfaces) <= {"lo"}


def test_mounts_are_read_only_on_kernels_without_mount_setattr(idle: Sealed) -> None:
    """Promise 1: before Linux 5.12, where mounts are made read-only one by one, none stays writable either."""
    if "NAMESPACES" not in idle.answer["standing"]:  # type: ignore[operator]
        pytest.skip("this machine permits no namespaces: " + str(idle.answer["lines"]))
    answer = ask("old kernel")
    assert answer.get("mounts") == [], answer
    assert "NAMESPACES" in answer["standing"]  # type: ignore[operator]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc loads it at a thread's end")
def test_what_a_thread_needs_to_end_is_loaded_before(idle: Sealed) -> None:
    """The unwinder is in memory before the seal, or the first cancelled thread would abort SENSE."""
    assert idle.answer["unwinder"] is True


# --- attacked from inside --------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["namespaces", "filter alone", "shut"])
def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    own = tmp_path_factory.mktemp("own") / "victim"
    own.write_text("as it was")
    answer = ask("attacks", str(own), request.param)
    assert "tried" in answer, answer
    assert own.read_text() == "as it was"
    assert [entry.name for entry in own.parent.iterdir()] == ["victim"]
    return answer


def test_no_attack_gets_through(attacked: dict[str, object]) -> None:
    """Promise 1: sockets, files, memory files, processes, signals and new code are all refused, with namespaces or without."""  # noqa: E501
    tried: dict[str, str] = attacked["tried"]  # type: ignore[assignment]
    assert len(tried) > 45
    assert {name: outcome for name, outcome in tried.items() if outcome == "through"} == {}


def test_the_filter_itself_refuses(attacked: dict[str, object]) -> None:
    """Promise 1: what the filter owns is refused by it (EPERM), not by the luck of a missing file or a busy disk."""
    tried: dict[str, str] = attacked["tried"]  # type: ignore[assignment]
    elsewhere = {
        "load a library": "failed to map segment",
        "openat2": "ENOSYS",
        "map a file for others to read": "EACCES",  # the descriptor is for reading, and there is no other
    }
    if "thread" in attacked and attacked["thread"] == "not started":  # the last filter's answer comes first
        elsewhere = {"load a library": "cannot open shared object file"}
    for name, outcome in tried.items():
        assert elsewhere.get(name, "EPERM") in outcome, (name, outcome)


def test_a_thread_started_after_the_seal_is_sealed(attacked: dict[str, object]) -> None:
    """Promise 1: a thread that starts after the seal can open no socket; behind the last filter none starts."""
    assert attacked["thread"] in {"EPERM", "not started"}


@pytest.mark.parametrize(
    "call", ["mount", "unshare", "bpf", "process_vm_readv", "io_uring_setup", "userfaultfd", "x32 getpid"]
)
def test_what_only_an_intruder_asks_for_kills(call: str) -> None:
    """Promise 1: calls that no honest library makes, and the second x86 door, end the process at once."""
    child = Sealed("deadly", call)
    assert child.ended() == -signal.SIGSYS, child.line or child.complaints
    assert child.line == b""


def test_the_walls_stand_without_root() -> None:
    """Promise 1: all required walls are up for an unprivileged user, who then attacks in vain."""
    if os.geteuid() != 0:
        pytest.skip("the whole suite runs unprivileged here")
    pythons = [
        path for path in (sys.executable, "/usr/bin/python3") if _reachable(path) and _new_enough(path)
    ]
    if not pythons or not _reachable(str(CHILD)):
        pytest.skip("no Python, or no copy of the suite, that an unprivileged user may read")
    child = Sealed("attacks", str(CHILD), "namespaces", user=NOBODY, python=pythons[0])
    answer = child.answer
    child.ended()
    assert {wall.name for wall in REQUIRED} <= set(answer["standing"])  # type: ignore[call-overload]
    assert "through" not in answer["tried"].values()  # type: ignore[attr-defined]


def _reachable(path: str) -> bool:
    """Tell whether a file is there and others may read it."""
    real = Path(path).resolve()
    open_to_others = all(parent.stat().st_mode & 0o001 for parent in real.parents)
    return real.exists() and open_to_others and bool(real.stat().st_mode & 0o004)


def _new_enough(python: str) -> bool:
    question = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-c", question], check=False).returncode == 0


# --- seal or refuse --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wall", sorted(wall.name for wall in REQUIRED))
def test_a_missing_wall_makes_sense_refuse(wall: str) -> None:
    """Promise 1, seal or refuse: with any one required wall left out, SENSE names it and ends."""
    child = Sealed("left out", wall)
    refused = str(child.answer.get("refused"))
    assert child.ended() == 3
    assert "refusing to open the camera" in refused
    assert Wall[wall].value in refused


@pytest.mark.parametrize("wall", ["CAPABILITIES", "DUMP", "LIMITS", "NO_NEW_PRIVS", "SECCOMP"])
def test_the_probes_need_no_report(wall: str) -> None:
    """Promise 1: the probes ask the kernel and find a missing wall themselves, whatever the report says."""
    breached = ask("probe without", wall).get("breached")
    if wall == "CAPABILITIES" and os.geteuid() != 0:
        pytest.skip("this user has no capabilities to keep")
    if wall == "NO_NEW_PRIVS":
        assert breached == ["NO_NEW_PRIVS", "SECCOMP"]  # the kernel takes no filter without it
    else:
        assert breached == [wall]


def test_probes_alone_find_a_missing_filter() -> None:
    """Promise 1: without the filter the probes themselves find a socket, a memory file and a fork."""
    refused = str(ask("left out", "SECCOMP").get("refused"))
    for breach in (
        "a network socket could be made",
        "a file in memory could be made",
        "a process could be forked",
    ):
        assert breach in refused
    assert "Fix: use a kernel with CONFIG_SECCOMP_FILTER" in refused


def test_a_provisioned_unit_may_require_every_wall() -> None:
    """Promise 1: a plan that requires namespaces refuses where they are not used."""
    refused = str(ask("required").get("refused"))
    assert "namespaces: the plan does not use them" in refused


def test_namespaces_from_outside_are_a_wall_too(idle: Sealed) -> None:
    """Promise 1: where systemd or a container took network and writable disk away, the wall stands, as probed."""
    if "NAMESPACES" not in idle.answer["standing"]:  # type: ignore[operator]
        pytest.skip("this machine permits no namespaces: " + str(idle.answer["lines"]))
    answer = ask("namespaces from outside")
    assert "NAMESPACES" in answer.get("standing", ()), answer  # type: ignore[operator]
    assert "namespaces: yes, given from outside, as probed" in str(answer["lines"])
    assert (answer["mounts"], set(answer["network"]) - {"lo"}) == ([], set())  # type: ignore[call-overload]


def test_a_file_left_open_is_refused(tmp_path: Path) -> None:
    """Promise 1: a writable file that was left open is named and SENSE refuses."""
    refused = str(ask("file opened", str(tmp_path / "leak.log")).get("refused"))
    assert "can be written to and leads to" in refused
    assert "leak.log" in refused


@pytest.mark.parametrize("when", ["before", "between", "between, read only"])
@pytest.mark.parametrize("what", ["file", "memfd", "-"])
def test_memory_that_others_see_is_refused(tmp_path: Path, what: str, when: str) -> None:
    """Promise 1: memory that others see is named and SENSE refuses, also where only mprotect makes it writable."""
    path = tmp_path / "leak.map"
    refused = str(ask("shared memory", str(path) if what == "file" else what, when).get("refused"))
    assert "shared memory can be written to and is" in refused, refused
    if what == "file" and when == "before":
        assert str(path) in refused


def test_the_probes_find_shared_memory() -> None:
    """Promise 1: the probes find memory that others see themselves, whatever the survey said."""
    breached = str(ask("shared memory", "memfd", "unreported").get("breached"))
    assert "shared memory can be written to and is /memfd:leak" in breached


def test_a_socket_left_open_is_refused() -> None:
    """Promise 1: a socket opened between the stages is named and SENSE refuses."""
    assert "leads to socket:" in str(ask("socket opened").get("refused"))


def test_a_device_outside_the_plan_is_refused() -> None:
    """Promise 1: a device that is open for writing but not in the plan is named and SENSE refuses."""
    assert "leads to /dev/zero" in str(ask("foreign device").get("refused"))


def test_complaints_into_a_file_are_refused(tmp_path: Path) -> None:
    """Promise 1: SENSE whose stderr is a file says so in words, before it seals itself, and ends."""
    log = tmp_path / "complaints.log"
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as answers, log.open("wb") as stderr:
        with os.fdopen(writing, "wb"):
            command = [sys.executable, str(CHILD), "idle", str(writing)]
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=stderr, pass_fds=[writing])
        refused = json.loads(answers.readline())["refused"]
        child.communicate(timeout=30)
    assert "complaints.log" in refused
    assert "a pipe, a terminal or the journal" in refused


def test_threads_before_the_enclosure_are_told() -> None:
    """Promise 1: where threads run before the first stage, the report says why namespaces are missing."""
    lines = ask("threads first")["lines"]
    assert "NAMESPACES False 2 threads are running already" in lines  # type: ignore[operator]


def test_a_device_can_be_used_but_not_written() -> None:
    """Promise 1: a device of the plan may be opened for use between the stages, and write(2) to it is refused."""
    answer = ask("device")
    assert answer.get("write") == "EPERM", answer


# --- at work ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    av = pytest.importorskip("av")
    np = pytest.importorskip("numpy")
    path = tmp_path_factory.mktemp("video") / "tiny.mp4"
    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(12):
            picture = noise.integers(0, 255, (120, 160, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


def test_real_work_goes_on_inside(video: Path) -> None:
    """Promise 1 costs nothing: inside the seal PyAV decodes, OpenCV resizes, LiteRT infers on two threads."""
    pytest.importorskip("cv2")
    pytest.importorskip("ai_edge_litert")
    models = sorted((ROOT / "models_tflite").glob("*.tflite"))
    answer = ask("work", str(models[0]) if models else "-", str(video))
    assert (answer.get("frames"), answer.get("again")) == (12, 12), answer
    assert answer["lab"] == [480, 640, 3]
    assert answer["finite"] is True
    assert answer["product"] == 400.0


# --- the filter as a program, for both processors --------------------------------------------------------------


def run(program: tuple[seccomp.Instruction, ...], machine: Machine, number: int, *words: int) -> int:
    """Interpret classic BPF as the kernel does (linux/filter.h) over a struct seccomp_data; return the verdict."""
    padded = (*(word & (2**64 - 1) for word in words), 0, 0, 0, 0, 0, 0)[:6]
    record = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, machine.audit_arch, 0, *padded)
    accumulator, counter = 0, 0
    while True:
        step = program[counter]
        counter += 1
        match step.code:
            case 0x20:
                accumulator = struct.unpack_from("<I", record, step.k)[0]
            case 0x54:
                accumulator &= step.k
            case 0x06:
                return step.k
            case 0x15:
                counter += step.jt if accumulator == step.k else step.jf
            case 0x35:
                counter += step.jt if accumulator >= step.k else step.jf
            case 0x45:
                counter += step.jt if accumulator & step.k else step.jf
            case other:
                pytest.fail(f"unknown opcode {other:#x}")


POLICY = seccomp.Policy(
    writable=((5, 512), (2, 8192)), vectored=(2,), listening=(9,), ioctl_families=(ord("V"),), pid=42
)


@pytest.fixture(params=list(Machine), ids=lambda machine: machine.value)
def machine(request: pytest.FixtureRequest) -> Machine:
    found: Machine = request.param
    return found


LOOKED_INTO = [
    ("write", (5, 0, 512), seccomp.ALLOW),
    ("write", (5, 0, 513), seccomp.DENY),
    ("write", (5, 0, 1 << 32), seccomp.DENY),
    ("write", (2, 0, 8192), seccomp.ALLOW),
    ("write", (3, 0, 1), seccomp.DENY),
    ("write", ((1 << 32) | 5, 0, 1), seccomp.ALLOW),  # the kernel reads a descriptor as 32 bits, and so do we
    ("writev", (2, 0, 1), seccomp.ALLOW),
    ("writev", (5, 0, 1), seccomp.DENY),
    ("pwrite64", (5, 0, 1, 0), seccomp.DENY),
    ("openat", (-100, 0, os.O_RDONLY | os.O_CLOEXEC), seccomp.ALLOW),
    ("openat", (-100, 0, 0o1), seccomp.DENY),
    ("openat", (-100, 0, 0o2), seccomp.DENY),
    ("openat", (-100, 0, 0o100), seccomp.DENY),
    ("openat", (-100, 0, 0o1000), seccomp.DENY),
    ("openat", (-100, 0, 0o20000000), seccomp.DENY),
    ("mmap", (0, 4096, 3, 0x22), seccomp.ALLOW),
    ("mmap", (0, 4096, 5, 2), seccomp.DENY),
    ("mprotect", (0, 4096, 4), seccomp.DENY),
    ("clone", (0x3D0F00,), seccomp.ALLOW),  # what pthread_create asks for
    ("clone", (0x1200011,), seccomp.DENY),  # what fork asks for
    ("clone", (0x3D0F00 | 0x10000000,), seccomp.DENY),
    ("clone3", (0, 88), seccomp.ABSENT),
    ("openat2", (-100, 0, 0, 24), seccomp.ABSENT),
    ("ioctl", (4, 0xC0585611), seccomp.ALLOW),  # VIDIOC_DQBUF
    ("ioctl", (0, 0x5401), seccomp.ALLOW),  # TCGETS
    ("ioctl", (0, 0x5412), seccomp.DENY),  # TIOCSTI
    ("ioctl", (4, 0x8004550F), seccomp.DENY),  # a USB request without a USB device in the plan
    ("fcntl", (3, 3), seccomp.ALLOW),
    ("fcntl", (3, 0), seccomp.DENY),
    ("fcntl", (3, 1030), seccomp.DENY),
    ("prctl", (16,), seccomp.ALLOW),
    ("prctl", (15,), seccomp.DENY),
    ("prctl", (0x53564D41,), seccomp.DENY),
    ("prctl", (4, 1), seccomp.DENY),
    ("prlimit64", (0, 7, 0, 1), seccomp.ALLOW),
    ("prlimit64", (0, 7, 1, 0), seccomp.DENY),
    ("prlimit64", (0, 7, 1 << 32, 0), seccomp.DENY),
    ("tgkill", (42, 43, 6), seccomp.ALLOW),
    ("tgkill", (1, 1, 6), seccomp.DENY),
    ("kill", (1, 9), seccomp.DENY),
    ("recvmsg", (9, 0, 0), seccomp.ALLOW),
    ("recvmsg", (2, 0, 0), seccomp.DENY),
    ("getsockopt", (2, 1, 39), seccomp.ALLOW),  # SOL_SOCKET, SO_DOMAIN
    ("getsockopt", (2, 1, 17), seccomp.DENY),  # SO_PEERCRED
    ("getsockopt", (2, 6, 39), seccomp.DENY),
]


@pytest.mark.parametrize(("name", "words", "verdict"), LOOKED_INTO)
def test_arguments_are_looked_into(machine: Machine, name: str, words: tuple[int, ...], verdict: int) -> None:
    """Promise 1: on either processor the filter judges a call by its arguments."""
    program = seccomp.compile_policy(POLICY, machine)
    assert run(program, machine, dict(calls(machine).looked_into)[name], *words) == verdict


def test_every_other_number_is_refused(machine: Machine) -> None:
    """Promise 1: on either processor, every call number to 1024 that is on no list is denied, and the deadly kill."""
    program = seccomp.compile_policy(POLICY, machine)
    table = calls(machine)
    looked_into = {number for _, number in table.looked_into}
    assert not set(table.harmless) & set(table.deadly) | looked_into & {*table.harmless, *table.deadly}
    for number in set(range(1024)) - looked_into:
        kind = table.harmless if number in table.harmless else table.deadly
        expected = (
            {True: seccomp.ALLOW, False: seccomp.KILL}[kind is table.harmless]
            if number in kind
            else seccomp.DENY
        )
        assert run(program, machine, number) == expected, number


HEADERS = {
    Machine.X86_64: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    Machine.AARCH64: Path("/usr/include/asm-generic/unistd.h"),
}


def test_call_numbers_are_the_kernels(machine: Machine) -> None:
    """Every call number equals the one in the kernel's own header, where this machine has the headers."""
    if not HEADERS[machine].exists():
        pytest.skip("no kernel headers (linux-libc-dev) here")
    text = HEADERS[machine].read_text()
    published = {
        name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)
    }
    published |= {
        name: published[old]
        for name, old in re.findall(r"#define __NR_(\w+) __NR3264_(\w+)", text)
        if old in published
    }
    wrong = {name: number for name, number in names(machine).items() if published.get(name, number) != number}
    assert wrong == {}
    assert len(set(names(machine)) - set(published)) <= 2  # calls newer than the headers


def test_another_architecture_is_fatal(machine: Machine) -> None:
    """Promise 1: a call made through another architecture's door kills the process."""
    program = seccomp.compile_policy(POLICY, machine)
    other = next(each for each in Machine if each is not machine)
    assert run(program, other, calls(other).harmless[0]) == seccomp.KILL


def test_jumps_stay_inside_the_program(machine: Machine) -> None:
    """The program fits the kernel's limit, every jump lands inside it, and it ends in a verdict."""
    program = seccomp.compile_policy(POLICY, machine)
    assert len(program) <= 4096
    assert program[-1].code == 0x06
    for index, step in enumerate(program):
        assert 0 <= step.jt <= 255
        assert 0 <= step.jf <= 255
        assert index + 1 + max(step.jt, step.jf) < len(program) or step.code == 0x06
    assert len(seccomp.assemble(program)) == 8 * len(program)
