"""A process that seals itself as SENSE does and then does what its first argument says; started by test_sandbox.py.

It answers with one line of JSON through its outlet, whose descriptor number is the second argument, and waits for
its standard input to end where the test wants to look at it from outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import resource
import socket
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from appliance.base.errors import Unfit  # noqa: E402  the path comes first
from appliance.base.systemd import log  # noqa: E402
from appliance.unit.sandbox import box, kernel, probes, stages, syscalls, walls  # noqa: E402
from appliance.unit.sandbox.stages import SealPlan, Wall  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
ON_X86 = platform.machine() == "x86_64"


def plan_for(outlet: int, **more: object) -> SealPlan:
    """A plan whose process may look at itself afterwards, unless it says otherwise."""
    return SealPlan(outlet=outlet, readable=(0,), **{"look_around": True, **more})  # type: ignore[arg-type]


def answer(outlet: int, words: object) -> None:
    text = json.dumps(words).encode() + b"\n"
    for start in range(0, len(text), 4096):
        os.write(outlet, text[start : start + 4096])


def syscall(number: int, *words: int) -> int:
    return checked(int(LIBC.syscall(ctypes.c_long(number), *[ctypes.c_long(word) for word in words])))


def checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def outcome(attempt: Callable[[], object]) -> str:
    """Return the name of the errno, or ``through``."""
    try:
        attempt()
    except OSError as refusal:
        return errno.errorcode.get(refusal.errno or 0, str(refusal))
    except ValueError as refusal:  # setrlimit's word for EPERM
        return f"EPERM ({refusal})"
    return "through"


def open_write(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def map_shared(path: str) -> None:
    """Write to a file without write(2), as any process with the file mapped may."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        syscall(
            9 if ON_X86 else 222, 0, 4096, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, descriptor, 0
        )
    finally:
        os.close(descriptor)


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def attacks(outlet: int, own_file: str) -> dict[str, Callable[[], object]]:
    here = str(Path(own_file).parent)
    new = f"{here}/new"
    return {
        "socket inet": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "socket udp6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "socket unix": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "socket netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "socket packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "socket vsock": lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
        "socketpair": socket.socketpair,
        "open for write in tmp": lambda: open_write("/tmp/leftfield-attack"),  # noqa: S108
        "open for write in shared memory": lambda: open_write("/dev/shm/leftfield-attack"),  # noqa: S108
        "open for write here": lambda: open_write(new),
        "open own file for update": lambda: os.open(own_file, os.O_RDWR),
        "open own file for append": lambda: os.open(own_file, os.O_WRONLY | os.O_APPEND),
        "truncate by opening": lambda: os.open(own_file, os.O_RDONLY | os.O_TRUNC),
        "nameless file": lambda: os.open(here, os.O_WRONLY | os.O_TMPFILE),
        "reopen the outlet": lambda: os.open(f"/proc/self/fd/{outlet}", os.O_WRONLY),
        "open own memory for write": lambda: os.open("/proc/self/mem", os.O_RDWR),
        "openat2": lambda: syscall(437, -100, 0, 0, 0),
        "truncate": lambda: os.truncate(own_file, 0),
        "unlink": lambda: os.unlink(own_file),  # noqa: PTH108
        "rename": lambda: os.rename(own_file, new),  # noqa: PTH104
        "mkdir": lambda: os.mkdir(new),  # noqa: PTH102
        "link": lambda: os.link(own_file, new),
        "symlink": lambda: os.symlink(own_file, new),  # noqa: PTH211
        "chmod": lambda: os.chmod(own_file, 0o777),  # noqa: PTH101, S103
        "set extended attribute": lambda: os.setxattr(own_file, "user.leak", b"x"),
        "set times": lambda: os.utime(own_file, (1, 1)),
        "mkfifo": lambda: os.mkfifo(new),
        "memfd": lambda: os.memfd_create("x"),
        "memfd secret": lambda: syscall(447, 0),
        "system v shared memory": lambda: checked(LIBC.shmget(0, 4096, 0o1600)),
        "pipe": os.pipe,
        "eventfd": lambda: os.eventfd(0),
        "dup": lambda: os.dup(outlet),
        "dup2 over the outlet": lambda: os.dup2(0, outlet),
        "fcntl dup": lambda: fcntl.fcntl(outlet, fcntl.F_DUPFD, 50),
        "fork": fork,
        "exec": lambda: os.execv("/bin/true", ["/bin/true"]),  # noqa: S606
        "ptrace": lambda: checked(LIBC.ptrace(7, 0, None, None)),
        "kill the parent": lambda: os.kill(os.getppid(), 0),
        "signal with a payload": lambda: syscall(129 if ON_X86 else 138, os.getpid(), 0, 0),
        "raise a limit": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        "become dumpable": lambda: checked(LIBC.prctl(4, 1, 0, 0, 0)),
        "name a thread": lambda: checked(LIBC.prctl(15, b"pixels", 0, 0, 0)),
        "name memory": lambda: checked(LIBC.prctl(0x53564D41, 0, ctypes.c_long(0), ctypes.c_long(0), None)),
        "map a file for others to read": lambda: map_shared(own_file),
        "executable memory": lambda: mmap.mmap(-1, 4096, prot=7),
        "load a library": lambda: ctypes.CDLL("libutil.so.1"),
        "fake terminal input": lambda: fcntl.ioctl(2, 0x5412, b"x"),
        "write to a readable descriptor": lambda: os.write(0, b"x"),
        "positioned write": lambda: os.pwrite(outlet, b"x", 0),
        "gathered write to the outlet": lambda: os.writev(outlet, [b"x", b"y"]),
        "write more than a record": lambda: os.write(outlet, bytes(4097)),
        "sendfile": lambda: os.sendfile(outlet, 0, 0, 10),
        "splice": lambda: os.splice(0, outlet, 10),
        "another filter": lambda: syscall(syscalls.Machine(platform.machine()).seccomp, 1, 0, 0),
    }


def deadly(name: str) -> None:
    numbers = {  # x86_64, aarch64
        "mount": (165, 40),
        "unshare": (272, 97),
        "bpf": (321, 280),
        "process_vm_readv": (310, 270),
        "io_uring_setup": (425, 425),
        "userfaultfd": (323, 282),
        "x32 getpid": (0x40000000 | 39, 40),
    }
    syscall(numbers[name][0 if ON_X86 else 1], 0, 0, 0, 0, 0, 0)


def sealed(outlet: int, **more: object) -> stages.SealReport:
    plan = plan_for(outlet, **more)
    enclosure = stages.enclose(plan)
    stop = threading.Event()
    threading.Thread(target=stop.wait, daemon=True).start()  # a thread that was there before the seal
    return stages.seal_or_refuse(plan, enclosure)


def described(report: stages.SealReport) -> dict[str, object]:
    return {
        "standing": sorted(state.wall.name for state in report.walls if state.stands),
        "lines": report.lines(),
        "steps": report.filter_steps,
        "milliseconds": report.milliseconds,
    }


def work(outlet: int, model: str, video: str) -> dict[str, object]:
    """Real libraries at real work: everything is opened before the seal and used after it."""
    plan = plan_for(outlet, look_around=False)
    # As SENSE does: OpenBLAS starts its threads anew after any fork, the probes' refused one too; then none start.
    box.quiet_libraries()
    enclosure = stages.enclose(plan)
    import av  # noqa: PLC0415  libraries come after the enclosure, as in SENSE
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415

    container = av.open(video)
    container.streams.video[0].codec_context.thread_count = 1
    cv2.setNumThreads(1)
    interpreter = None
    if model != "-":
        interpreter = Interpreter(model, num_threads=2)
        interpreter.allocate_tensors()
        given = interpreter.get_input_details()[0]
        interpreter.invoke()  # starts its threads: afterwards none can be started
    product = float((np.ones((200, 200)) @ np.ones((200, 200)))[0, 0])
    report = stages.seal_or_refuse(plan, enclosure)
    frames = [frame.to_ndarray(format="bgr24", threads=1) for frame in container.decode(video=0)]
    container.seek(0)  # a recording that is looped
    again = sum(1 for _ in container.decode(video=0))
    lab = cv2.cvtColor(cv2.resize(frames[0], (640, 480)), cv2.COLOR_BGR2LAB)
    finite = True
    if interpreter is not None:
        picture = cv2.resize(frames[0], (int(given["shape"][2]), int(given["shape"][1])))
        interpreter.set_tensor(given["index"], picture[None].astype(given["dtype"]))
        interpreter.invoke()
        answers = [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]
        finite = all(bool(np.isfinite(values).all()) for values in answers)
    product += float((np.ones((200, 200)) @ np.ones((200, 200)))[0, 0])
    return {
        **described(report),
        "frames": len(frames),
        "again": again,
        "lab": list(lab.shape),
        "finite": finite,
        "product": product,
    }


def idle(outlet: int) -> dict[str, object]:
    report = sealed(outlet)
    unwinder = "libgcc_s" in Path("/proc/self/maps").read_text()
    return {**described(report), "pid": os.getpid(), "unwinder": unwinder, "writable": writable()}


def writable() -> dict[str, int]:
    """The descriptors this process may write to, as its own /proc shows them, each with its file type and mode."""
    found = {}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(FileNotFoundError):  # the descriptor that lists them
            flags = Path(f"/proc/self/fdinfo/{name}").read_text().split("flags:\t")[1].split()[0]
            if int(flags, 8) & os.O_ACCMODE != os.O_RDONLY:
                found[name] = os.fstat(int(name)).st_mode
    return found


def attack(outlet: int, own_file: str, namespaces: str) -> dict[str, object]:
    report = sealed(outlet, namespaces=namespaces != "filter alone", look_around=namespaces != "shut")
    tried = {name: outcome(attempt) for name, attempt in attacks(outlet, own_file).items()}
    in_thread: list[str] = []
    runner = threading.Thread(target=lambda: in_thread.append(outcome(socket.socket)))
    try:
        runner.start()
        runner.join()
    except RuntimeError:
        in_thread.append("not started")
    return {**described(report), "tried": tried, "thread": in_thread[0]}


def on_old_kernel(outlet: int) -> dict[str, object]:
    def absent() -> None:
        raise OSError(errno.ENOSYS, "as before Linux 5.12")

    kernel.make_mounts_read_only = absent
    return {**described(sealed(outlet)), "mounts": probes.writable_mounts()}


def die(outlet: int, name: str) -> dict[str, object]:
    sealed(outlet)
    deadly(name)
    return {"survived": name}


def leave_out(outlet: int, wall: str) -> dict[str, object]:
    return described(sealed(outlet, left_out=frozenset({Wall[wall]}), namespaces=False))


def probe_without(outlet: int, wall: str) -> dict[str, object]:
    plan = plan_for(outlet, left_out=frozenset({Wall[wall]}))
    enclosure = stages.enclose(plan)
    stages.seal(plan, enclosure)
    return {"breached": sorted({breach.wall.name for breach in stages.probe(plan, enclosure)})}


def with_foreign_device(outlet: int) -> dict[str, object]:
    with Path("/dev/zero").open("r+b", buffering=0):
        return described(stages.seal_or_refuse(plan_for(outlet)))


def require_all(outlet: int) -> dict[str, object]:
    return described(sealed(outlet, required=stages.EVERY_WALL, namespaces=False))


def shared(path: str, protection: int) -> mmap.mmap:
    """Memory that others see too: a file's, or without a name; the descriptor is closed at once."""
    if path == "-":
        return mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, prot=protection)
    descriptor = os.memfd_create("leak") if path == "memfd" else os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(descriptor, 4096)
    try:
        return mmap.mmap(descriptor, 4096, flags=mmap.MAP_SHARED, prot=protection)
    finally:
        os.close(descriptor)


def with_shared_memory(outlet: int, path: str, when: str) -> dict[str, object]:
    """Mapped before the first stage, between the stages (where writing can still be allowed), or after the survey."""
    plan = plan_for(outlet)
    if when == "before":
        held = shared(path, mmap.PROT_READ | mmap.PROT_WRITE)
        return described(stages.seal_or_refuse(plan, stages.enclose(plan))) | {"held": len(held)}
    own = path if path in {"-", "memfd"} else "memfd"  # no file can be made any more
    enclosure = stages.enclose(plan)
    held = shared(own, mmap.PROT_READ if when == "between, read only" else mmap.PROT_READ | mmap.PROT_WRITE)
    if when == "unreported":
        stages.seal(plan, enclosure)
        return {"breached": [breach.what for breach in stages.probe(plan, enclosure)], "held": len(held)}
    return described(stages.seal_or_refuse(plan, enclosure)) | {"held": len(held)}


def namespaces_from_outside(outlet: int) -> dict[str, object]:
    """Whoever started us has left network and writable disk behind already; we may make no namespace."""
    walls._enter_as_root() if os.geteuid() == 0 else walls._enter_as_user()
    given = described(sealed(outlet, required=stages.REQUIRED | {Wall.NAMESPACES}, namespaces=False))
    return given | {"mounts": probes.writable_mounts(), "network": probes.network_interfaces()}


def with_file(outlet: int, path: str) -> dict[str, object]:
    with Path(path).open("a"):
        return described(stages.seal_or_refuse(plan_for(outlet)))


def with_socket(outlet: int) -> dict[str, object]:
    plan = plan_for(outlet)
    enclosure = stages.enclose(plan)
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)):
        return described(stages.seal_or_refuse(plan, enclosure))


def with_threads(outlet: int) -> dict[str, object]:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    walls = stages.enclose(plan_for(outlet)).walls
    return {"lines": [f"{state.wall.name} {state.stands} {state.why}" for state in walls]}


def with_device(outlet: int) -> dict[str, object]:
    plan = plan_for(outlet, device_paths=("/dev/zero",))
    enclosure = stages.enclose(plan)
    device = os.open("/dev/zero", os.O_RDWR)
    report = stages.seal_or_refuse(plan, enclosure)
    return {**described(report), "write": outcome(lambda: os.write(device, b"x"))}


def abuses(descriptor: int, most: int) -> dict[str, Callable[[], object]]:
    """What could be done with a socket that may take plain writes of at most ``most`` bytes, and must not be."""
    room, size = ctypes.create_string_buffer(64), ctypes.c_uint(4)
    abstract = b"\x01\x00\x00elsewhere"
    return {
        "send": lambda: checked(LIBC.send(descriptor, b"x", 1, 0)),
        "send elsewhere": lambda: checked(LIBC.sendto(descriptor, b"x", 1, 0, abstract, len(abstract))),
        "send a message": lambda: checked(LIBC.sendmsg(descriptor, room, 0)),
        "send messages": lambda: checked(LIBC.sendmmsg(descriptor, room, 1, 0)),
        "connect elsewhere": lambda: checked(LIBC.connect(descriptor, abstract, len(abstract))),
        "receive": lambda: checked(LIBC.recv(descriptor, room, 1, 0x40)),
        "receive a message": lambda: checked(LIBC.recvmsg(descriptor, room, 0x40)),
        "shut down": lambda: checked(LIBC.shutdown(descriptor, 2)),
        "set an option": lambda: checked(LIBC.setsockopt(descriptor, 1, 7, room, 4)),
        "ask who listens": lambda: checked(
            LIBC.getsockopt(descriptor, 1, 17, room, ctypes.byref(size))  # SO_PEERCRED
        ),
        "ask at another level": lambda: checked(LIBC.getsockopt(descriptor, 6, 39, room, ctypes.byref(size))),
        "duplicate": lambda: os.dup(descriptor),
        "write too much": lambda: os.write(descriptor, bytes(most + 1)),
    }


def as_systemd(outlet: int) -> dict[str, object]:
    """Sealed with the channels it was given, and talking on them; then every abuse of those that are sockets."""
    report = sealed(outlet)
    log("the journal hears us")
    channels = {outlet: 4096, 2: 8192}
    tried = {
        f"{name} ({descriptor})": outcome(attempt)
        for descriptor, most in channels.items()
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode)
        for name, attempt in abuses(descriptor, most).items()
    }
    return {**described(report), "tried": tried, "channels": list(channels), "writable": writable()}


DEEDS: dict[str, Callable[..., dict[str, object]]] = {
    "idle": idle,
    "attacks": attack,
    "old kernel": on_old_kernel,
    "deadly": die,
    "left out": leave_out,
    "probe without": probe_without,
    "foreign device": with_foreign_device,
    "required": require_all,
    "file opened": with_file,
    "namespaces from outside": namespaces_from_outside,
    "shared memory": with_shared_memory,
    "socket opened": with_socket,
    "threads first": with_threads,
    "device": with_device,
    "work": work,
    "as systemd starts it": as_systemd,
}


def main() -> None:
    deed, outlet = sys.argv[1], int(sys.argv[2])
    try:
        words = DEEDS[deed](outlet, *sys.argv[3:])
    except Unfit as unfit:
        answer(outlet, {"refused": str(unfit)})
        raise SystemExit(3) from None
    answer(outlet, words)
    if deed == "idle":
        os.read(0, 1)


if __name__ == "__main__":
    main()
